package memory

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// Memberships implements [tenancy.MembershipSetStore].
func (s *Store) Memberships(ctx context.Context, who ...tenancy.Actor) ([]tenancy.Membership, error) {
	return read(ctx, s, func() ([]tenancy.Membership, error) {
		var found []tenancy.Membership
		for _, row := range s.of(who) {
			found = append(found, row.Membership)
		}
		return found, nil
	})
}

// Authorities implements [tenancy.MembershipSetStore].
func (s *Store) Authorities(ctx context.Context, user tenancy.UserID, teams ...tenancy.TeamID) ([]tenancy.TeamAuthority, error) {
	return read(ctx, s, func() ([]tenancy.TeamAuthority, error) {
		var found []tenancy.TeamAuthority
		of := func(team tenancy.TeamID) (*membershipRow, error) { return s.memberships.get(teamUser{team, user}) }
		for _, row := range those(of, teams) {
			a := tenancy.TeamAuthority{Team: row.Team}
			row.authority(&a.Authority)
			found = append(found, a)
		}
		return found, nil
	})
}

// RenewMemberships implements [tenancy.MembershipSetStore].
func (s *Store) RenewMemberships(ctx context.Context, role rbac.Role, at time.Time, by string, who ...tenancy.Actor) error {
	return s.change(ctx, who, func(m *tenancy.Membership) bool {
		former := m.Status == tenancy.MembershipRemoved
		*m = tenancy.Membership{
			Team: m.Team, User: m.User, Role: role, Status: tenancy.MembershipActive, JoinedAt: at, JoinedBy: by, Version: m.Version,
		}
		return former
	})
}

// AppointMemberships implements [tenancy.MembershipSetStore].
func (s *Store) AppointMemberships(ctx context.Context, role rbac.Role, who ...tenancy.Actor) error {
	return s.change(ctx, who, func(m *tenancy.Membership) bool {
		m.Role, m.Custom, m.ExpiresAt = role, tenancy.RoleID{}, time.Time{}
		return m.Status == tenancy.MembershipActive
	})
}

// EndMemberships implements [tenancy.MembershipSetStore].
func (s *Store) EndMemberships(ctx context.Context, at time.Time, by string, who ...tenancy.Actor) error {
	return s.change(ctx, who, func(m *tenancy.Membership) bool {
		there := m.Status != tenancy.MembershipRemoved
		m.Status, m.Custom, m.EndedAt, m.EndedBy = tenancy.MembershipRemoved, tenancy.RoleID{}, at, by
		return there
	})
}

// change writes those memberships of which to says so, as to makes them.
func (s *Store) change(ctx context.Context, who []tenancy.Actor, to func(*tenancy.Membership) bool) error {
	return s.write(ctx, func() error {
		for _, row := range s.of(who) {
			m := row.Membership
			if !to(&m) {
				continue
			}
			m.Version++
			custom, err := s.custom(m)
			if err := cmp.Or(checkMembership(&m), err); err != nil {
				return err
			}
			relist(s.log, row, s.membershipLists, func() {
				set(s.log, &row.Membership, m)
				set(s.log, &row.custom, custom)
			})
		}
		return nil
	})
}

// of are the memberships of users in their teams, by (user id, team id).
func (s *Store) of(who []tenancy.Actor) []*membershipRow {
	who = slices.Clone(who)
	slices.SortFunc(who, func(a, b tenancy.Actor) int {
		return cmp.Or(bytes.Compare(a.User[:], b.User[:]), bytes.Compare(a.Team[:], b.Team[:]))
	})
	var rows []*membershipRow
	for _, a := range slices.Compact(who) {
		if row := s.memberships.rows[teamUser{a.Team, a.User}]; row != nil {
			rows = append(rows, row)
		}
	}
	return rows
}
