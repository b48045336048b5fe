package storagetest

import (
	"context"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/tenancy"
)

// miscounts counts what is unread after its arguments were spoiled.
type miscounts struct {
	spoiled
	spoil func(scope *conversation.Scope, reader *tenancy.UserID, notes *bool)
}

func (s miscounts) Unread(ctx context.Context, scope conversation.Scope, reader tenancy.UserID, notes bool, ids []tenancy.ConversationID) ([]conversation.UnreadCount, error) {
	s.spoil(&scope, &reader, &notes)
	return s.Store.Unread(ctx, scope, reader, notes, ids)
}

// sharesOptOut takes two channels for one.
type sharesOptOut struct{ spoiled }

func (s sharesOptOut) OptOut(ctx context.Context, identity tenancy.Identity, address string) (conversation.OptOut, error) {
	o, err := s.Store.OptOut(ctx, identity, address)
	if err != nil && identity.Channel == tenancy.ChatChannel {
		return s.Store.OptOut(ctx, tenancy.Phone(identity.Value), address)
	}
	return o, err
}

func readingFaults() []fault {
	of := func(name string, spoil func(*conversation.Scope, *tenancy.UserID, *bool)) fault {
		return fault{name, func(s storage.Store) storage.Store { return miscounts{spoiled{s}, spoil} }, "unread messages are those that brute force counts"}
	}
	return []fault{
		of("unread counts one's own", func(_ *conversation.Scope, reader *tenancy.UserID, _ *bool) { *reader = tenancy.UserID{} }),
		of("unread counts notes for all", func(_ *conversation.Scope, _ *tenancy.UserID, notes *bool) { *notes = true }),
		of("unread counts no notes", func(_ *conversation.Scope, _ *tenancy.UserID, notes *bool) { *notes = false }),
		of("unread counts a guest's hidden history", func(scope *conversation.Scope, _ *tenancy.UserID, _ *bool) { scope.Guest = tenancy.UserID{} }),
		{"an opt-out on one channel holds on another", func(s storage.Store) storage.Store { return sharesOptOut{spoiled{s}} }, "opt-out is of one identity and one address"},
	}
}
