// Package storage unites what the rooms need of a store. The adapters below it implement
// [Store]; [github.com/usher-go/usher/storage/storagetest] says what an implementation must
// do, and checks it.
package storage

import (
	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

// Store is all of the rooms' stores in one, so that a transaction can span them, the source of
// their events, and an inbox for the consumers that keep what they do in the same database.
type Store interface {
	tenancy.Store
	invite.Store
	conversation.Store
	outbox.Source
	outbox.InboxStore
}
