package tenancy

import (
	"context"
	"time"
)

// SuspendUser takes all rights from a user, in every team and account and for themselves, until
// [Service.ReactivateUser] gives them back. In each of their teams what they held goes back to the
// team, as with [Service.Suspend], all in one transaction. The memberships stay as they are, and so
// do their seats: no account can keep the host from giving the rights back. An account that they
// hold stays theirs. Suspending them again changes nothing.
//
// Errors: [ErrNotFound], also for a deleted user; [*StillNeededError] with the teams that would be
// left without a manager.
func (s *Service) SuspendUser(ctx context.Context, by System, user UserID) (User, error) {
	return s.setUserStatus(ctx, by, user, UserSuspended)
}

// ReactivateUser ends a suspension of a user as a whole: they are in their teams what they are by
// then, suspended in one of them or removed from it if that has happened. What was freed or revoked
// does not come back. Reactivating an active user changes nothing.
//
// Errors: [ErrNotFound], also for a deleted user.
func (s *Service) ReactivateUser(ctx context.Context, by System, user UserID) (User, error) {
	return s.setUserStatus(ctx, by, user, UserActive)
}

func (s *Service) setUserStatus(ctx context.Context, by System, user UserID, to UserStatus) (User, error) {
	if err := by.Validate(); err != nil {
		return User{}, err
	}
	return Do(ctx, s.store, s.env, by, "SetUserStatus", []any{user, to}, func(ctx context.Context) (User, error) {
		u, err := s.lockLiving(ctx, user)
		if err != nil || u.Status == to {
			return u, err
		}
		now, from := s.env.Now(), u.Status
		if to == UserSuspended {
			if err := s.departEverywhere(ctx, by, now, user); err != nil {
				return User{}, err
			}
		}
		u.Status = to
		if err := s.store.UpdateUser(ctx, u); err != nil {
			return User{}, err
		}
		u.Version++
		return u, s.store.Append(ctx, s.env.Event(by, now, u.in(), UserStatusChanged,
			Facts{"user": user.String(), "from": string(from), "to": string(to)}))
	})
}

// departEverywhere frees what a user holds in any team, unless one of them needs them. The user is
// locked.
func (s *Service) departEverywhere(ctx context.Context, by Principal, at time.Time, user UserID) error {
	p, err := s.lockPlaces(ctx, user)
	if err != nil {
		return err
	}
	teams, err := s.lastManagerIn(ctx, user, p)
	if err != nil {
		return err
	}
	if len(teams) > 0 {
		return &StillNeededError{Teams: teams}
	}
	return s.depart(ctx, p.departures(by, at)...)
}
