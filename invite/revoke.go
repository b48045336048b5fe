package invite

import (
	"context"
	"time"

	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

// Revoke takes a pending invitation of the actor's team back; from the commit on its token opens
// nothing. It takes the right to invite members for an invitation into the team, and the right
// to revoke guests for one into a conversation, whoever sent it. Revoking it again changes
// nothing and succeeds for the same actor.
//
// Errors: [rbac.ErrDenied], [tenancy.ErrNotFound], [*StateError], [tenancy.ErrAccountInactive],
// [tenancy.ErrTeamArchived].
func (s *Service) Revoke(ctx context.Context, actor tenancy.Actor, id tenancy.InvitationID) (Invitation, error) {
	return tenancy.Do(ctx, s.store, s.env, actor, "Revoke", []any{actor.Team, id}, func(ctx context.Context) (Invitation, error) {
		_, standing, err := s.people.Enter(ctx, actor)
		if err != nil {
			return Invitation{}, err
		}
		r, err := s.take(ctx, standing, id)
		if err != nil {
			return Invitation{}, err
		}
		if err := standing.Check(rights[r.Kind].revoke); err != nil {
			return Invitation{}, err
		}
		return s.revoke(ctx, actor, r)
	})
}

// revoke takes an invitation back that is locked. The same principal may say so twice.
func (s *Service) revoke(ctx context.Context, by tenancy.Principal, r Record) (Invitation, error) {
	if r.State == Revoked && r.EndedBy == by.Principal() {
		return r.Invitation, nil
	}
	r, err := s.step(ctx, by, s.env.Now(), r, OnRevoke)
	return r.Invitation, err
}

// take locks an invitation of the actor's team, which is locked, for an actor who may know of
// invitations at all.
func (s *Service) take(ctx context.Context, standing tenancy.Standing, id tenancy.InvitationID) (Record, error) {
	if err := mayKnow(standing); err != nil {
		return Record{}, err
	}
	return s.store.LockInvitation(ctx, standing.Actor.Team, id)
}

// Depart implements [tenancy.Departures]: the pending invitations that a departing member sent
// in the team are revoked, so that nobody comes in on the word of someone who has gone (Zulip
// 5.0). Those whose time has passed are written down as expired. A team that keeps invitations
// keeps them all. It must run inside a transaction.
func (s *Service) Depart(ctx context.Context, d tenancy.Departure) error {
	if d.Team.Settings.KeepInvitations {
		return nil
	}
	ids, err := s.store.PendingBy(ctx, d.Team.ID, d.User)
	if err != nil {
		return err
	}
	return s.takeBack(ctx, d.By, d.Team.ID, ids, d.At)
}

// Withdraw revokes the team's pending invitations into the conversations, as [Service.Depart]
// does those of one member: for conversations that move to another team, where the same people
// can then be invited anew. It must run inside a transaction that has not locked the
// conversations, unless it has locked the team before.
func (s *Service) Withdraw(ctx context.Context, by tenancy.Principal, team tenancy.TeamID, conversations ...tenancy.ConversationID) error {
	if _, err := s.people.Lock(ctx, team); err != nil && !frozen(err) {
		return err
	}
	ids, err := s.store.PendingInto(ctx, team, conversations...)
	if err != nil {
		return err
	}
	return s.takeBack(ctx, by, team, ids, s.env.Now())
}

// takeBack revokes pending invitations, or writes them down as expired if they are. The team is
// locked.
func (s *Service) takeBack(ctx context.Context, by tenancy.Principal, team tenancy.TeamID, ids []tenancy.InvitationID, at time.Time) error {
	locked, err := s.store.LockInvitations(ctx, team, ids...)
	if err != nil {
		return err
	}
	var lapsed, pending []Record
	for _, r := range locked {
		switch {
		case r.State != Pending: // it has ended since it was listed
		case r.StateAt(at) == Expired:
			lapsed = append(lapsed, r)
		default:
			pending = append(pending, r)
		}
	}
	if err := s.stepAll(ctx, system, at, team, lapsed, OnExpire); err != nil {
		return err
	}
	return s.stepAll(ctx, by, at, team, pending, OnRevoke)
}

// stepAll is step for pending invitations of one team that an event ends.
func (s *Service) stepAll(ctx context.Context, by tenancy.Principal, at time.Time, team tenancy.TeamID, pending []Record, e Event) error {
	if len(pending) == 0 {
		return nil
	}
	next, err := Pending.After(e)
	if err != nil {
		return err
	}
	var ids []tenancy.InvitationID
	var events []outbox.Event
	var guests []Invitation
	for _, r := range pending {
		r.State, r.EndedAt, r.EndedBy = next, at, by.Principal()
		r.Version++
		ids = append(ids, r.ID)
		events = append(events, s.env.Event(by, at, r.in(), recorded[e], r.facts()))
		if r.Kind == ToOneConversation {
			guests = append(guests, r.Invitation)
		}
	}
	if err := s.store.EndInvitations(ctx, team, next, at, by.Principal(), ids...); err != nil {
		return err
	}
	if err := s.store.Append(ctx, events...); err != nil || len(guests) == 0 {
		return err
	}
	return s.admitter.Settle(ctx, guests...)
}
