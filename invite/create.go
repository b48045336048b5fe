package invite

import (
	"context"
	"errors"
	"time"

	"github.com/usher-go/usher/rbac"
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
// same transaction. Where the account counts pending invitations, one above Restricted takes a
// seat, unless the owner of the address has one in another of its teams.
//
// In a transaction of the caller, a conversation must not be locked before the team is, nor a team
// before an invitation into a team.
//
// Errors: [*tenancy.InvalidError], [rbac.ErrDenied], [tenancy.ErrNotFound] for a conversation that
// the actor cannot see, [*PendingError], [*tenancy.MemberError] for someone who is in the team,
// [tenancy.ErrAccountInactive], [tenancy.ErrTeamArchived], [*tenancy.SeatsError],
// [*LimitError].
func (s *Service) Create(ctx context.Context, actor tenancy.Actor, r Request) (Invitation, error) {
	draft, terms, err := r.checked()
	if err != nil {
		return Invitation{}, err
	}
	request := []any{actor.Team, draft, terms.lasts}
	return tenancy.Do(ctx, s.store, s.env, actor, "Invite", request, func(ctx context.Context) (Invitation, error) {
		now := s.env.Now()
		inv := draft
		account, team, standing, err := s.enter(ctx, actor, inv)
		if err != nil {
			return Invitation{}, err
		}
		inv.Account, inv.Team, inv.Inviter = team.Account, team.ID, actor.User
		if err := s.mayOffer(ctx, standing, inv); err != nil {
			return Invitation{}, err
		}
		if err := s.colleague(ctx, standing, inv, now); err != nil {
			return Invitation{}, err
		}
		if err := s.makeRoom(ctx, actor, inv, now); err != nil {
			return Invitation{}, err
		}
		if err := s.room(ctx, inv, now); err != nil {
			return Invitation{}, err
		}
		if err := s.seat(ctx, actor, now, account, inv); err != nil {
			return Invitation{}, err
		}
		return s.insert(ctx, actor, inv, now, terms)
	})
}

// enter locks the actor's team, and the account before it where the invitation may take a seat.
func (s *Service) enter(ctx context.Context, actor tenancy.Actor, inv Invitation) (tenancy.Account, tenancy.Team, tenancy.Standing, error) {
	if inv.takesSeat() {
		return s.people.EnterAccount(ctx, actor)
	}
	team, standing, err := s.people.Enter(ctx, actor)
	return tenancy.Account{}, team, standing, err
}

func (i Invitation) takesSeat() bool { return i.Kind == ToOneTeam && i.Role != rbac.Restricted }

// seat sees to it that there is one for a pending invitation, if the account counts those. The
// account is locked, and the invitation not among the pending ones yet; or it is, and then has the
// seat that it took.
func (s *Service) seat(ctx context.Context, by tenancy.Principal, now time.Time, account tenancy.Account, inv Invitation) error {
	if !inv.takesSeat() || !account.Seats.CountPending {
		return nil
	}
	return s.people.Seat(ctx, by, now, account, tenancy.Newcomer{Email: inv.Email.Normal})
}

// insert writes a new invitation, and the event that asks for its mail.
func (s *Service) insert(ctx context.Context, by tenancy.Principal, inv Invitation, now time.Time, t terms) (Invitation, error) {
	inv.Mailing = 1
	return s.open(ctx, by, Record{Invitation: inv}, now, t)
}

// open writes a new invitation of whatever kind, and its event.
func (s *Service) open(ctx context.Context, by tenancy.Principal, r Record, now time.Time, t terms) (Invitation, error) {
	r.ID = tenancy.NewID[tenancy.InvitationID](s.env)
	r.State, r.Version = Pending, 1
	r.CreatedAt, r.ExpiresAt = now, now.Add(t.lasts)
	if err := s.store.InsertInvitation(ctx, r); err != nil {
		return Invitation{}, err
	}
	return r.Invitation, s.store.Append(ctx, s.env.Event(by, now, r.in(), InvitationCreated, r.facts()))
}

// makeRoom sees to it that no other invitation is pending for the same scope and address. One
// whose time has passed is written down as expired, and an offer that an earlier holder made, which
// nobody can accept any more, is revoked; these never stand in the way. The team, or the account
// that is offered, is locked.
func (s *Service) makeRoom(ctx context.Context, by tenancy.Principal, inv Invitation, now time.Time) error {
	other, err := s.pending(ctx, inv)
	if errors.Is(err, tenancy.ErrNotFound) || err == nil && other.ID == inv.ID {
		return nil
	}
	if err != nil {
		return err
	}
	if other, err = s.lapse(ctx, other, now); err != nil {
		return err
	}
	switch {
	case other.State != Pending:
		return nil
	case inv.Kind == ToOneAccount && other.Inviter != inv.Inviter:
		_, err = s.step(ctx, by, now, other, OnRevoke)
		return err
	}
	return &PendingError{Invitation: other.ID}
}

// pending finds the one pending invitation that there may be beside a new one.
func (s *Service) pending(ctx context.Context, inv Invitation) (Record, error) {
	if inv.Kind == ToOneAccount {
		return s.store.PendingOffer(ctx, inv.Account)
	}
	return s.store.PendingInvitation(ctx, inv.Team, inv.Conversation, inv.Email.Normal)
}
