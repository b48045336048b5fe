package invite

import (
	"context"
	"time"

	"github.com/usher-go/usher/tenancy"
)

// Resend asks for a new mail of a pending or expired invitation, which can then be accepted for
// as long as it was first asked for, or from now on as long as [ExpiresIn] says. The old token dies at the commit, the
// new one is made when the mail is. It takes what [Service.Create] takes, and is refused for the
// same reasons.
//
// One whose time has passed is written down as expired first, so that what waited for it ends
// whether or not a sweep came by before. One that has expired needs a seat, and room within the
// [Limits], as a new one does; one that is pending has both.
//
// Errors: those of Create, and [tenancy.ErrNotFound], [*StateError], [ErrRoleGone].
func (s *Service) Resend(ctx context.Context, actor tenancy.Actor, id tenancy.InvitationID, options ...Option) (Invitation, error) {
	choices, err := chooseAgain(options)
	if err != nil {
		return Invitation{}, err
	}
	request := []any{actor.Team, id, choices.lasts, choices.timed}
	return tenancy.Do(ctx, s.store, s.env, actor, "Resend", request, func(ctx context.Context) (Invitation, error) {
		account, team, standing, err := s.people.EnterAccount(ctx, actor)
		if err != nil {
			return Invitation{}, err
		}
		r, err := s.take(ctx, standing, id)
		if err != nil {
			return Invitation{}, err
		}
		if _, err := s.mayOffer(ctx, standing, r.Invitation); err != nil {
			return Invitation{}, s.orRoleGone(ctx, r.Invitation, err)
		}
		return s.again(ctx, actor, r, choices, func(inv Invitation, now time.Time) error {
			if err := invitable(team, inv.Email); err != nil {
				return err
			}
			if err := s.colleague(ctx, standing, inv, now); err != nil {
				return err
			}
			return s.seat(ctx, actor, now, account, inv)
		})
	})
}

// again asks for a new mail of an invitation that is locked, unless there is something against it.
// One whose address was erased goes nowhere any more.
func (s *Service) again(ctx context.Context, by tenancy.Principal, r Record, c choices,
	against func(inv Invitation, now time.Time) error,
) (Invitation, error) {
	now := s.env.Now()
	r, err := s.lapse(ctx, r, now)
	if err != nil {
		return Invitation{}, err
	}
	if _, err := r.State.After(OnResend); err != nil {
		return Invitation{}, err
	}
	if r.Email.IsZero() {
		return Invitation{}, &StateError{State: r.State, Event: OnResend}
	}
	if err := against(r.Invitation, now); err != nil {
		return Invitation{}, err
	}
	if _, err := s.makeRoom(ctx, by, r.Invitation, now, Refuse); err != nil {
		return Invitation{}, err
	}
	if r.State == Expired {
		if err := s.room(ctx, r.Invitation, now); err != nil {
			return Invitation{}, err
		}
	}
	if r, err = s.limits.resent(r, now); err != nil {
		return Invitation{}, err
	}
	r.Hash = TokenHash{}
	r.Mailing++
	if c.timed {
		r.Lasts = c.lasts
	}
	r.ExpiresAt = now.Add(r.Lasts)
	r.MailedAt, r.EndedAt, r.EndedBy = time.Time{}, time.Time{}, ""
	r, err = s.step(ctx, by, now, r, OnResend)
	return r.Invitation, err
}
