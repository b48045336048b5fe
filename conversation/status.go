package conversation

import "slices"

// SendStatus is how far a message has come on its way to the contact.
type SendStatus string

// What can be known of a message to the contact. A message waits as queued until the [Sender] has
// it; a host without one, whose contacts read their messages from usher, has only queued ones.
const (
	StatusQueued    SendStatus = "queued"
	StatusSent      SendStatus = "sent"
	StatusFailed    SendStatus = "failed"
	StatusDelivered SendStatus = "delivered"
	StatusRead      SendStatus = "read"
)

// sendStatuses are in the order in which they outdo each other. Reports come late, twice and in any
// order, so a status only rises, and where it ends does not depend on which came first. A failure
// outdoes that the message was sent, but not that it arrived: who has seen it arrive knows better.
var sendStatuses = []SendStatus{StatusQueued, StatusSent, StatusFailed, StatusDelivered, StatusRead}

// MaxFailure bounds what is kept of why a message has failed.
const MaxFailure = 255 // bytes

// Outdoes reports whether a message in the status other takes this one when it is reported. No
// status outdoes itself, and none that is unknown, or empty, outdoes or is outdone.
func (s SendStatus) Outdoes(other SendStatus) bool {
	this, that := slices.Index(sendStatuses, s), slices.Index(sendStatuses, other)
	return that >= 0 && this > that
}
