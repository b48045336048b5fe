package tenancy

import (
	"context"
	"time"

	"github.com/usher-go/usher/rbac"
)

// SetExpiry sets when the membership of someone in the actor's team ends by the clock; a zero
// time means never. From that instant on every check refuses them, with no sweep needed. A new
// expiry of a membership that has expired revives it, whether [Service.ExpireMembers] has tidied up
// after it since or not; what was freed then does not come back. Who was suspended before their
// time came stays so until [Service.Reactivate]. The same expiry again changes nothing. It takes the
// right to suspend members, and to make a membership last longer the right to reactivate them as well.
//
// Errors: [*InvalidError] for a time that is not in the future or after the year 9999,
// [rbac.ErrDenied], [ErrOwnExpiry], [ErrNotFound], [ErrLastManager] for the last manager whose
// membership does not expire, [*SeatsError].
func (s *Service) SetExpiry(ctx context.Context, actor Actor, user UserID, at time.Time) (Membership, error) {
	at, err := parseTime("expiry", at)
	if err != nil {
		return Membership{}, err
	}
	return Do(ctx, s.store, s.env, actor, "SetExpiry", []any{actor.Team, user, at}, func(ctx context.Context) (Membership, error) {
		account, team, standing, err := s.EnterAccount(ctx, actor)
		if err != nil {
			return Membership{}, err
		}
		m, err := s.target(ctx, standing, rbac.SuspendMember, user)
		if err != nil || m.ExpiresAt.Equal(at) {
			return m, err
		}
		if at.IsZero() || !m.ExpiresAt.IsZero() && at.After(m.ExpiresAt) { // it lasts longer than before
			if err := standing.Check(rbac.ReactivateMember); err != nil {
				return Membership{}, err
			}
			if user == actor.User {
				return Membership{}, ErrOwnExpiry
			}
		}
		now := s.env.Now()
		if err := validExpiry(at, now); err != nil {
			return Membership{}, err
		}
		if !at.IsZero() {
			if err := s.keepManager(ctx, team, m); err != nil {
				return Membership{}, err
			}
		}
		revived := m.lapsed()
		m.ExpiresAt = at
		if revived {
			m = m.active()
		}
		if m.Status == MembershipActive {
			if err := s.seatFor(ctx, actor, now, account, m); err != nil {
				return Membership{}, err
			}
		}
		m, err = s.updateMembership(ctx, actor, now, team, m, MemberExpiryChanged, Facts{"expires": printTime(at)})
		if err != nil || !revived {
			return m, err
		}
		return m, s.tellMember(ctx, actor, now, team, m, MemberReactivated, Facts{"role": m.roleName()})
	})
}

// lapsed reports whether the membership was suspended by the sweep: it ended when it expired, and
// not when somebody chose.
func (m Membership) lapsed() bool {
	return m.Status == MembershipSuspended && !m.ExpiresAt.IsZero() && m.EndedAt.Equal(m.ExpiresAt)
}

// parseTime is the time as it is kept and printed.
func parseTime(field string, at time.Time) (time.Time, error) {
	at = at.UTC().Truncate(time.Microsecond)
	if at.Year() < 1 || at.Year() > 9999 { // RFC 3339, in which events and results have it, ends there
		return time.Time{}, &InvalidError{Field: field, Reason: "must be in the years 1 to 9999"}
	}
	return at, nil
}

func validExpiry(at, now time.Time) error {
	if !at.IsZero() && !now.Before(at) {
		return &InvalidError{Field: "expiry", Reason: "must be in the future"}
	}
	return nil
}

// printTime is a time as events tell it; empty for the zero time.
func printTime(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.Format(time.RFC3339Nano)
}

// ExpireMembers tidies up after memberships whose expiry has come: it suspends each, frees what
// the member held and writes its event, once however many instances run it. Rights end by the
// clock and do not wait for it. Each membership is a transaction of its own; one that fails holds up
// no other. The answer is how many there were, also next to the errors of those that failed, which
// the next call tries again.
func (s *Service) ExpireMembers(ctx context.Context, by System) (expired int, err error) {
	if err := by.Validate(); err != nil {
		return 0, err
	}
	now := s.env.Now()
	return Sweep(ctx, func(ctx context.Context, limit int) (due []Actor, err error) {
		lapsed, err := s.store.Lapsed(ctx, now, limit)
		for _, m := range lapsed {
			due = append(due, Actor{User: m.User, Team: m.Team})
		}
		return due, err
	}, func(ctx context.Context, who Actor) (bool, error) { return s.expire(ctx, by, who.Team, who.User) })
}

// expire suspends a member whose time has come, unless another instance was faster or the time
// was changed. It works in archived teams and suspended accounts, too.
func (s *Service) expire(ctx context.Context, by System, team TeamID, user UserID) (done bool, err error) {
	err = s.store.InTx(ctx, func(ctx context.Context) error {
		done = false
		t, err := s.store.LockTeam(ctx, team)
		if err != nil {
			return err
		}
		m, err := s.store.Membership(ctx, team, user)
		now := s.env.Now()
		if err != nil || m.Status != MembershipActive || m.ActiveAt(now) {
			return err
		}
		done = true
		m.EndedAt = m.ExpiresAt // since then it gave no rights, whenever the sweep came by
		_, err = s.suspend(ctx, by, now, t, m, MemberExpired)
		return err
	})
	return done, err
}
