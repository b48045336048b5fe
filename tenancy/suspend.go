package tenancy

import (
	"context"
	"time"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/outbox"
)

// Suspend takes all rights from someone in the actor's team until [Service.Reactivate] gives them
// back. What they held goes back to the team in the same transaction, as when they are removed.
// Suspending them again changes nothing.
//
// Errors: [rbac.ErrDenied], [ErrNotFound], [ErrLastManager].
func (s *Service) Suspend(ctx context.Context, actor Actor, user UserID) (Membership, error) {
	return Do(ctx, s.store, s.env, actor, "Suspend", []any{actor.Team, user}, func(ctx context.Context) (Membership, error) {
		team, standing, err := s.Enter(ctx, actor)
		if err != nil {
			return Membership{}, err
		}
		m, err := s.target(ctx, standing, rbac.SuspendMember, user)
		if err != nil || m.Status == MembershipSuspended {
			return m, err
		}
		if err := s.keepManager(ctx, team, m); err != nil {
			return Membership{}, err
		}
		m.EndedAt = s.env.Now()
		return s.suspend(ctx, actor, m.EndedAt, team, m, MemberSuspended)
	})
}

// suspend writes a suspension, since EndedAt, and frees what the member held. The team is locked.
func (s *Service) suspend(ctx context.Context, by Principal, at time.Time, team Team, m Membership, kind string) (Membership, error) {
	m.Status, m.EndedBy = MembershipSuspended, by.Principal()
	m, err := s.updateMembership(ctx, by, at, team, m, kind, Facts{"role": m.roleName()})
	if err != nil {
		return Membership{}, err
	}
	return m, s.depart(ctx, Departure{Team: team, User: m.User, By: by, At: at})
}

// Reactivate gives someone in the actor's team back the role that they had when they were
// suspended. What was freed or revoked then does not come back. Reactivating an active member
// changes nothing.
//
// Errors: [rbac.ErrDenied], [ErrNotFound], [*SeatsError], and a [*StatusError] where the
// membership has expired: give it another expiry, with [Service.SetExpiry].
func (s *Service) Reactivate(ctx context.Context, actor Actor, user UserID) (Membership, error) {
	return Do(ctx, s.store, s.env, actor, "Reactivate", []any{actor.Team, user}, func(ctx context.Context) (Membership, error) {
		account, team, standing, err := s.EnterAccount(ctx, actor)
		if err != nil {
			return Membership{}, err
		}
		m, err := s.target(ctx, standing, rbac.ReactivateMember, user)
		if err != nil || m.Status == MembershipActive {
			return m, err
		}
		now := s.env.Now()
		m = m.active()
		if !m.ActiveAt(now) {
			return Membership{}, &StatusError{Of: "membership", Status: "expired"}
		}
		if err := s.seatFor(ctx, actor, now, account, m); err != nil {
			return Membership{}, err
		}
		return s.updateMembership(ctx, actor, now, team, m, MemberReactivated, Facts{"role": m.roleName()})
	})
}

// active is the membership without its end.
func (m Membership) active() Membership {
	m.Status, m.EndedAt, m.EndedBy = MembershipActive, time.Time{}, ""
	return m
}

// target finds someone in the actor's team whom the actor may act on: the actor has the
// permission, and all that the other holds.
func (s *Service) target(ctx context.Context, standing Standing, perm rbac.Permission, user UserID) (Membership, error) {
	if err := standing.Check(perm); err != nil {
		return Membership{}, err
	}
	m, err := s.present(ctx, standing.Actor.Team, user)
	if err != nil {
		return Membership{}, err
	}
	return m, s.coversMember(ctx, standing, perm, m)
}

// updateMembership writes a change of a membership and its event. The team is locked.
func (s *Service) updateMembership(ctx context.Context, by Principal, at time.Time, team Team, m Membership, kind string, facts Facts) (Membership, error) {
	if err := s.store.UpdateMembership(ctx, m); err != nil {
		return Membership{}, err
	}
	m.Version++
	return m, s.tellMember(ctx, by, at, team, m, kind, facts)
}

func (s *Service) tellMember(ctx context.Context, by Principal, at time.Time, team Team, m Membership, kind string, facts Facts) error {
	return s.store.Append(ctx, s.memberEvent(by, at, team, m, kind, facts))
}

func (s *Service) memberEvent(by Principal, at time.Time, team Team, m Membership, kind string, facts Facts) outbox.Event {
	facts["user"] = m.User.String()
	return s.env.Event(by, at, team.In(), kind, facts)
}
