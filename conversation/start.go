package conversation

import (
	"context"
	"fmt"
	"time"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// The reasons why a conversation cannot be started.
var (
	// ErrNoIdentity: the team has nothing to write from.
	ErrNoIdentity = fmt.Errorf("%w: the team has no identity to write from", tenancy.ErrConflict)
	// ErrElsewhere: the one conversation with the address is in another team of the account.
	ErrElsewhere = fmt.Errorf("%w: another team of the account has the conversation with this address", tenancy.ErrConflict)
)

// Start begins a conversation with an address on the channel of the actor's team, for a member to
// write first: a phone number in E.164 form, or the chat's own name for its visitor. Nothing is
// sent by it. There is one conversation for an identity and an address, so one that the team has
// already is the answer, opened again if it was closed or snoozed. Contact, conversation and events
// are one transaction.
//
// Errors: [*tenancy.InvalidError], [tenancy.ErrNotFound], [rbac.ErrDenied], [ErrNoIdentity],
// [ErrElsewhere].
func (s *Service) Start(ctx context.Context, actor tenancy.Actor, address string) (Conversation, error) {
	return tenancy.Do(ctx, s.store, s.env, actor, "Start", []any{actor.Team, address}, func(ctx context.Context) (Conversation, error) {
		team, standing, err := s.people.Enter(ctx, actor)
		if err != nil {
			return Conversation{}, err
		}
		if err := standing.Check(rbac.StartConversation); err != nil {
			return Conversation{}, err
		}
		if team.Identity.IsZero() {
			return Conversation{}, ErrNoIdentity
		}
		if err := validAddress(team.Identity.Channel, address); err != nil {
			return Conversation{}, err
		}
		now := s.env.Now()
		c, err := s.own(ctx, team, address)
		if notFound(err) {
			return s.start(ctx, actor, team, team.Identity, address, OnStart, now)
		}
		if err != nil || c.Status == Open {
			return c, err
		}
		if err := s.resume(ctx, actor, &c, OnStart, now); err != nil {
			return Conversation{}, err
		}
		return c, s.update(ctx, &c)
	})
}

// own locks the conversation that a team has with an address. The team is locked, so it does not
// come or go meanwhile.
func (s *Service) own(ctx context.Context, team tenancy.Team, address string) (Conversation, error) {
	found, err := s.store.ConversationsByAddress(ctx, team.Identity, address)
	if err != nil {
		return Conversation{}, err
	}
	for _, c := range found {
		switch {
		case c.Account != team.Account:
		case c.Team != team.ID:
			return Conversation{}, ErrElsewhere
		default:
			return s.store.LockConversation(ctx, team.ID, c.ID)
		}
	}
	return Conversation{}, tenancy.ErrNotFound
}

// start makes the conversation of a team's identity and an address.
func (s *Service) start(ctx context.Context, by tenancy.Principal, team tenancy.Team, identity tenancy.Identity, address string,
	on Event, now time.Time,
) (Conversation, error) {
	status, err := Status("").After(on)
	if err != nil {
		return Conversation{}, err
	}
	contact, err := s.contactIn(ctx, by, team, Contact{Channel: identity.Channel, Address: address}, now)
	if err != nil {
		return Conversation{}, err
	}
	c := Conversation{
		ID: tenancy.NewID[tenancy.ConversationID](s.env), Account: team.Account, Team: team.ID,
		Contact: contact.ID, Identity: identity, Address: address,
		Status: status, Episode: 1, Label: NewLabel, LastAt: now, IdleSince: now, CreatedAt: now, Version: 1,
	}
	if err := s.store.InsertConversation(ctx, c); err != nil {
		return Conversation{}, err
	}
	if err := s.begin(ctx, by, c, on, now); err != nil {
		return Conversation{}, err
	}
	return c, s.record(ctx, by, now, c, ConversationStarted, episodeFacts(c, on, tenancy.Facts{"contact": contact.ID.String()}))
}
