package invite

import (
	"context"
	"errors"
	"time"

	"github.com/usher-go/usher/tenancy"
)

// Expire writes down that an invitation's time has passed, once. Nothing depends on it being
// called: expiry holds by the clock; [Service.Sweep] does it for all. One whose time has not passed, or that has ended, stays as
// it is, which is no error.
//
// Errors: [tenancy.ErrNotFound].
func (s *Service) Expire(ctx context.Context, by tenancy.System, team tenancy.TeamID, id tenancy.InvitationID) (Invitation, error) {
	return s.expire(ctx, by, func(ctx context.Context) (Record, error) {
		if team.IsZero() { // which would be an offer
			return Record{}, tenancy.ErrNotFound
		}
		return s.hold(ctx, tenancy.AccountID{}, team, id)
	})
}

// expire is Expire of what take locks and reads.
func (s *Service) expire(ctx context.Context, by tenancy.System, take func(context.Context) (Record, error)) (Invitation, error) {
	if err := by.Validate(); err != nil {
		return Invitation{}, err
	}
	var seen Record
	err := s.store.InTx(ctx, func(ctx context.Context) error {
		r, err := take(ctx)
		if err != nil {
			return err
		}
		seen, err = s.lapseBy(ctx, by, r, s.env.Now())
		return err
	})
	if err != nil {
		return Invitation{}, err
	}
	return seen.Invitation, nil
}

// lapse writes down as expired a pending invitation whose time has passed, and leaves any other
// as it is. The invitation is locked.
func (s *Service) lapse(ctx context.Context, r Record, now time.Time) (Record, error) {
	return s.lapseBy(ctx, system, r, now)
}

func (s *Service) lapseBy(ctx context.Context, by tenancy.System, r Record, now time.Time) (Record, error) {
	if r.StateAt(now) == r.State {
		return r, nil
	}
	return s.step(ctx, by, now, r, OnExpire)
}

// frozen reports whether locking a team or an account answered that it can only be read. It is locked all the
// same.
func frozen(err error) bool {
	return errors.Is(err, tenancy.ErrAccountInactive) || errors.Is(err, tenancy.ErrTeamArchived)
}
