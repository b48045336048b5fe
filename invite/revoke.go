package invite

import (
	"context"
	"time"

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
	for _, id := range ids {
		if err := s.takeBack(ctx, d.By, d.Team.ID, id, d.At); err != nil {
			return err
		}
	}
	return nil
}

// Withdraw revokes the team's pending invitations into one conversation, as [Service.Depart]
// does those of one member: for a conversation that moves to another team, where the same people
// can then be invited anew. It must run inside a transaction that has not locked the
// conversation, unless it has locked the team before.
func (s *Service) Withdraw(ctx context.Context, by tenancy.Principal, team tenancy.TeamID, conversation tenancy.ConversationID) error {
	if conversation.IsZero() {
		return tenancy.ErrNotFound // the zero filter would admit every invitation of the team
	}
	if _, err := s.people.Lock(ctx, team); err != nil && !frozen(err) {
		return err
	}
	// Long before they expire, so that those whose time has passed are in the list as well.
	all := Filter{State: Pending, Conversation: conversation, Now: time.Time{}}
	now := s.env.Now()
	for {
		pending, err := s.store.Invitations(ctx, team, all, tenancy.Keyset{Limit: tenancy.MaxLimit})
		if err != nil || len(pending) == 0 {
			return err
		}
		for _, r := range pending {
			if err := s.takeBack(ctx, by, team, r.ID, now); err != nil {
				return err
			}
		}
	}
}

// takeBack revokes one pending invitation, or writes it down as expired if it is. The team is
// locked.
func (s *Service) takeBack(ctx context.Context, by tenancy.Principal, team tenancy.TeamID, id tenancy.InvitationID, at time.Time) error {
	r, err := s.store.LockInvitation(ctx, team, id)
	if err != nil {
		return err
	}
	if r, err = s.lapse(ctx, r, at); err != nil || r.State != Pending {
		return err
	}
	_, err = s.step(ctx, by, at, r, OnRevoke)
	return err
}
