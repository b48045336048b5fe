package invite

import (
	"context"
	"errors"
	"time"

	"github.com/usher-go/usher/tenancy"
)

// Create invites the owner of an address into the actor's team, or into one of its
// conversations. The mail is not sent here: the event asks for it, see [Service.Mailing].
//
// Into a team it takes the right to invite members, and a role that is not above the actor's
// own. Into a conversation it takes the right to invite guests, and a conversation that the
// actor may offer. A registered and an unknown address are treated alike, except that the actor
// is told of people in their own team.
//
// A pending invitation whose time has passed makes room: it is written down as expired in the
// same transaction. In a transaction of the caller, a conversation must not be locked before the
// team is.
//
// Errors: [*tenancy.InvalidError], [rbac.ErrDenied], [tenancy.ErrNotFound] for a conversation that
// the actor cannot see, [*PendingError], [*tenancy.MemberError] for someone who is in the team,
// [tenancy.ErrAccountInactive], [tenancy.ErrTeamArchived].
func (s *Service) Create(ctx context.Context, actor tenancy.Actor, r Request) (Invitation, error) {
	draft, terms, err := r.checked()
	if err != nil {
		return Invitation{}, err
	}
	request := []any{actor.Team, draft, terms.lasts}
	return tenancy.Do(ctx, s.store, s.env, actor, "Invite", request, func(ctx context.Context) (Invitation, error) {
		team, standing, err := s.people.Enter(ctx, actor)
		if err != nil {
			return Invitation{}, err
		}
		now := s.env.Now()
		inv := draft
		inv.Account, inv.Team, inv.Inviter = team.Account, team.ID, actor.User
		if err := s.mayOffer(ctx, standing, inv); err != nil {
			return Invitation{}, err
		}
		if err := s.colleague(ctx, standing, inv, now); err != nil {
			return Invitation{}, err
		}
		if err := s.makeRoom(ctx, inv, now); err != nil {
			return Invitation{}, err
		}
		inv.ID = tenancy.NewID[tenancy.InvitationID](s.env)
		inv.State, inv.Mailing, inv.Version = Pending, 1, 1
		inv.CreatedAt, inv.ExpiresAt = now, now.Add(terms.lasts)
		if err := s.store.InsertInvitation(ctx, Record{Invitation: inv}); err != nil {
			return Invitation{}, err
		}
		return inv, s.store.Append(ctx, s.env.Event(actor, now, inv.in(), InvitationCreated, inv.facts()))
	})
}

// makeRoom sees to it that no other invitation is pending for the same scope and address. One
// whose time has passed is written down as expired; it never stands in the way. The team is
// locked.
func (s *Service) makeRoom(ctx context.Context, inv Invitation, now time.Time) error {
	other, err := s.store.PendingInvitation(ctx, inv.Team, inv.Conversation, inv.Email.Normal)
	if errors.Is(err, tenancy.ErrNotFound) || err == nil && other.ID == inv.ID {
		return nil
	}
	if err != nil {
		return err
	}
	if other, err = s.lapse(ctx, other, now); err != nil {
		return err
	}
	if other.State == Pending {
		return &PendingError{Invitation: other.ID}
	}
	return nil
}
