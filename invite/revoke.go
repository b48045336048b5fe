package invite

import (
	"context"
	"time"

	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

// Revoke takes a pending invitation of the actor's team back; from the commit on its token opens
// nothing. It takes the right to invite members for an invitation into the team, and the right
// to revoke guests for one into a conversation that the actor sees, whoever sent it. Revoking it
// again changes nothing and succeeds for the same actor.
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

// take locks an invitation of the actor's team, which is locked, for an actor who may know of it.
func (s *Service) take(ctx context.Context, standing tenancy.Standing, id tenancy.InvitationID) (Record, error) {
	return s.known(ctx, standing, id, s.store.LockInvitation)
}

// Depart implements [tenancy.Departures]: the pending invitations that departing members sent
// in the team are revoked, so that nobody comes in on the word of someone who has gone (Zulip
// 5.0). Those whose time has passed are written down as expired. A team that keeps invitations
// keeps them all. It must run inside a transaction.
func (s *Service) Depart(ctx context.Context, departures ...tenancy.Departure) error {
	var leaving []tenancy.Actor
	for _, d := range departures {
		if !d.Team.Settings.KeepInvitations {
			leaving = append(leaving, tenancy.Actor{User: d.User, Team: d.Team.ID})
		}
	}
	if len(leaving) == 0 {
		return nil
	}
	sent, err := s.store.PendingBy(ctx, leaving...)
	if err != nil {
		return err
	}
	return s.takeBack(ctx, departures[0].By, departures[0].At, sent)
}

// Withdraw revokes the team's pending invitations into the conversations, as [Service.Depart]
// does those of one member: for conversations that move to another team, where the same people
// can then be invited anew. It must run inside a transaction that has not locked the
// conversations, unless it has locked the team before.
func (s *Service) Withdraw(ctx context.Context, by tenancy.Principal, team tenancy.TeamID, conversations ...tenancy.ConversationID) error {
	if _, err := s.people.Lock(ctx, team); err != nil && !frozen(err) {
		return err
	}
	sent, err := s.store.PendingInto(ctx, team, conversations...)
	if err != nil {
		return err
	}
	return s.takeBack(ctx, by, s.env.Now(), sent)
}

// takeBack revokes pending invitations, or writes them down as expired if they are. Their teams are
// locked.
func (s *Service) takeBack(ctx context.Context, by tenancy.Principal, at time.Time, sent []Whereabouts) error {
	locked, err := s.store.LockInvitations(ctx, sent...)
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
	if err := s.stepAll(ctx, system, at, lapsed, OnExpire); err != nil {
		return err
	}
	return s.stepAll(ctx, by, at, pending, OnRevoke)
}

// stepAll is step for pending invitations of teams that an event ends.
func (s *Service) stepAll(ctx context.Context, by tenancy.Principal, at time.Time, pending []Record, e Event) error {
	if len(pending) == 0 {
		return nil
	}
	next, err := Pending.After(e)
	if err != nil {
		return err
	}
	var in []Whereabouts
	var events []outbox.Event
	var guests []Invitation
	for _, r := range pending {
		r.State, r.EndedAt, r.EndedBy = next, at, by.Principal()
		r.Version++
		in = append(in, Whereabouts{r.Team, r.ID})
		events = append(events, s.env.Event(by, at, r.in(), recorded[e], r.facts()))
		if r.Kind == ToOneConversation {
			guests = append(guests, r.Invitation)
		}
	}
	if err := s.store.EndInvitations(ctx, next, at, by.Principal(), in...); err != nil {
		return err
	}
	if err := s.store.Append(ctx, events...); err != nil || len(guests) == 0 {
		return err
	}
	return s.admitter.Settle(ctx, guests...)
}
