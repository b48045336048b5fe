package invite

import (
	"context"
	"time"

	"github.com/usher-go/usher/tenancy"
)

// Get reads an invitation of the actor's team. Who may send invitations of its kind may read it,
// also while the account or team can only be read. One into a conversation that they do not see is not
// found: it names people who are there.
//
// Its state is the one of now: a pending invitation whose time has passed is shown as expired,
// whether or not that was written down.
//
// Errors: [rbac.ErrDenied], [tenancy.ErrNotFound].
func (s *Service) Get(ctx context.Context, actor tenancy.Actor, id tenancy.InvitationID) (Invitation, error) {
	standing, err := s.people.Standing(ctx, actor)
	if err != nil {
		return Invitation{}, err
	}
	r, err := s.known(ctx, standing, id, s.store.Invitation)
	if err != nil {
		return Invitation{}, err
	}
	if err := mayRead(standing, r.Kind); err != nil {
		return Invitation{}, err
	}
	return r.seen(s.env.Now()), nil
}

// List lists the invitations of the actor's team that the filter admits, newest first, ended
// ones included. A list of one conversation's invitations takes the right to invite guests, any
// other the right to invite members. States are as with [Service.Get]; the filter's Now is set
// here. What Get does not find for the actor is left out, so that a page of somebody who does not read all
// of the team's conversations can hold less than was asked for, while there is a Next.
//
// Errors: [*tenancy.InvalidError], [rbac.ErrDenied].
func (s *Service) List(ctx context.Context, actor tenancy.Actor, filter Filter, page tenancy.Page) (tenancy.List[Invitation], error) {
	var none tenancy.List[Invitation]
	if filter.State != "" && !filter.State.known() {
		return none, &tenancy.InvalidError{Field: "state", Reason: "must be one of pending, expired, accepted, declined, revoked"}
	}
	if filter.Kind != "" && !filter.Kind.known() {
		return none, &tenancy.InvalidError{Field: "kind", Reason: "must be one of team, conversation, link, request"}
	}
	binding := []any{"invitations", actor.Team, filter.State, filter.Conversation, filter.Kind}
	keyset, err := page.Keyset(binding...)
	if err != nil {
		return none, err
	}
	standing, err := s.people.Standing(ctx, actor)
	if err != nil {
		return none, err
	}
	kind := ToOneTeam
	if !filter.Conversation.IsZero() {
		kind = ToOneConversation
	}
	if err := mayRead(standing, kind); err != nil {
		return none, err
	}
	filter.Now = s.env.Now()
	records, err := s.store.Invitations(ctx, actor.Team, filter, keyset)
	if err != nil {
		return none, err
	}
	list := shown(records, filter.Now, keyset, binding)
	if list.Items, err = s.unhidden(ctx, standing, list.Items...); err != nil {
		return none, err
	}
	return list, nil
}

// seen is what those who may read an invitation are shown: never the hash.
func (r Record) seen(now time.Time) Invitation {
	r.State = r.StateAt(now)
	return r.Invitation
}
