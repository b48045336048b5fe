package invite

import (
	"context"
	"time"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// Create invites the owner of an address into the actor's team, or into one of its
// conversations. The mail is not sent here: the event asks for it, see [Service.Mailing].
//
// Into a team it takes the right to invite members, and a role that is not above the actor's
// own, nor a custom role with a right that the actor lacks. Into a conversation it takes the right to invite guests, and a conversation that the
// actor may offer. A registered and an unknown address are treated alike, except that the actor
// is told of people in their own team. Guests of its conversations are such people: to take one into the
// team is [tenancy.Service.ChangeRole], by which they keep all that they had, and no invitation.
//
// A pending invitation whose time has passed makes room: it is written down as expired in the
// same transaction. One that still stands is in the way, unless [IfPending] says otherwise. There is
// no way to edit an invitation, so that nobody accepts another thing than they were mailed: to change
// the role, replace it. Where the account counts pending invitations, one above Restricted takes a
// seat, unless the owner of the address has one in another of its teams.
//
// In a transaction of the caller, a conversation must not be locked before the team is, nor a team
// before an invitation into a team.
//
// Errors: [*tenancy.InvalidError], [rbac.ErrDenied], [tenancy.ErrNotFound] for a conversation that
// the actor cannot see and for a role of another account, [*PendingError], [*tenancy.MemberError] for
// someone who is in the team, [*GuestError], [*DomainError], [tenancy.ErrAccountInactive], [tenancy.ErrTeamArchived], [*tenancy.SeatsError],
// [*LimitError].
func (s *Service) Create(ctx context.Context, actor tenancy.Actor, r Request) (Invitation, error) {
	draft, choices, err := r.checked()
	if err != nil {
		return Invitation{}, err
	}
	request := []any{actor.Team, draft, choices.lasts, choices.pending}
	return tenancy.Do(ctx, s.store, s.env, actor, "Invite", request, func(ctx context.Context) (Invitation, error) {
		account, in, err := s.enter(ctx, actor, draft)
		if err != nil {
			return Invitation{}, err
		}
		return s.create(ctx, account, in, draft, choices, s.env.Now())
	})
}

// create makes an invitation of the team that is entered. Where it may take a seat, the account is locked
// before the team.
func (s *Service) create(ctx context.Context, account tenancy.Account, in tenancy.Entered, inv Invitation, c choices, now time.Time) (Invitation, error) {
	actor := in.Standing.Actor
	inv.Account, inv.Team, inv.Inviter = in.Team.Account, in.Team.ID, actor.User
	inv, err := s.mayOffer(ctx, in.Standing, inv)
	if err != nil {
		return Invitation{}, err
	}
	if c.pending == Replace {
		if err := in.Standing.Check(rights[inv.Kind].revoke); err != nil {
			return Invitation{}, err
		}
	}
	if err := invitable(in.Team, inv.Email); err != nil {
		return Invitation{}, err
	}
	if err := s.colleague(ctx, in.Standing, inv, now); err != nil {
		return Invitation{}, err
	}
	if other, err := s.makeRoom(ctx, actor, inv, now, c.pending); err != nil || !other.ID.IsZero() {
		return other, err
	}
	if err := s.room(ctx, inv, now); err != nil {
		return Invitation{}, err
	}
	if err := s.seat(ctx, actor, now, account, inv); err != nil {
		return Invitation{}, err
	}
	return s.insert(ctx, actor, inv, now, c.lasts)
}

// enter locks the actor's team, and the account before it where the invitation may take a seat.
func (s *Service) enter(ctx context.Context, actor tenancy.Actor, inv Invitation) (tenancy.Account, tenancy.Entered, error) {
	if inv.takesSeat() {
		account, team, standing, err := s.people.EnterAccount(ctx, actor)
		return account, tenancy.Entered{Team: team, Standing: standing}, err
	}
	team, standing, err := s.people.Enter(ctx, actor)
	return tenancy.Account{}, tenancy.Entered{Team: team, Standing: standing}, err
}

// takesSeat reports whether accepting makes the user more than a guest. A custom role does.
func (i Invitation) takesSeat() bool {
	return i.Kind == ToOneTeam && (i.Role != rbac.Restricted || !i.Custom.IsZero())
}

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
func (s *Service) insert(ctx context.Context, by tenancy.Principal, inv Invitation, now time.Time, lasts time.Duration) (Invitation, error) {
	inv.Mailing = 1
	return s.open(ctx, by, Record{Invitation: inv}, now, lasts)
}

// open writes a new invitation of whatever kind, and its event.
func (s *Service) open(ctx context.Context, by tenancy.Principal, r Record, now time.Time, lasts time.Duration) (Invitation, error) {
	r = s.opened(r, now, lasts)
	if err := s.store.InsertInvitation(ctx, r); err != nil {
		return Invitation{}, err
	}
	return r.Invitation, s.store.Append(ctx, s.env.Event(by, now, r.in(), InvitationCreated, r.facts()))
}

// opened is a new invitation as it is stored first.
func (s *Service) opened(r Record, now time.Time, lasts time.Duration) Record {
	r.ID = tenancy.NewID[tenancy.InvitationID](s.env)
	r.State, r.Version, r.Lasts = Pending, 1, lasts
	r.CreatedAt, r.ExpiresAt = now, now.Add(lasts)
	return r
}
