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
		for a := range distinct(who) {
			if row := s.memberships.rows[teamUser{a.Team, a.User}]; row != nil {
				found = append(found, row.Membership)
			}
		}
		slices.SortFunc(found, func(a, b tenancy.Membership) int {
			return cmp.Or(bytes.Compare(a.User[:], b.User[:]), bytes.Compare(a.Team[:], b.Team[:]))
		})
		return found, nil
	})
}

// distinct are the actors, each once.
func distinct(who []tenancy.Actor) map[tenancy.Actor]bool {
	each := map[tenancy.Actor]bool{}
	for _, a := range who {
		each[a] = true
	}
	return each
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
func (s *Store) RenewMemberships(ctx context.Context, team tenancy.TeamID, role rbac.Role, at time.Time, by string, users ...tenancy.UserID) error {
	return s.write(ctx, func() error {
		for _, row := range those(s.in(team), users) {
			if row.Status != tenancy.MembershipRemoved {
				continue
			}
			m := tenancy.Membership{
				Team: team, User: row.User, Role: role, Status: tenancy.MembershipActive, JoinedAt: at, JoinedBy: by,
				Version: row.Version + 1,
			}
			if err := checkMembership(&m); err != nil {
				return err
			}
			relist(s.log, row, s.membershipLists, func() {
				set(s.log, &row.Membership, m)
				set(s.log, &row.custom, nil)
			})
		}
		return nil
	})
}

// in finds memberships in the team.
func (s *Store) in(team tenancy.TeamID) func(tenancy.UserID) (*membershipRow, error) {
	return func(user tenancy.UserID) (*membershipRow, error) { return s.memberships.get(teamUser{team, user}) }
}

// EndMemberships implements [tenancy.MembershipSetStore].
func (s *Store) EndMemberships(ctx context.Context, at time.Time, by string, who ...tenancy.Actor) error {
	return s.write(ctx, func() error {
		for _, a := range who {
			row := s.memberships.rows[teamUser{a.Team, a.User}]
			if row == nil || row.Status == tenancy.MembershipRemoved {
				continue
			}
			m := row.Membership
			m.Status, m.Custom, m.EndedAt, m.EndedBy, m.Version = tenancy.MembershipRemoved, tenancy.RoleID{}, at, by, m.Version+1
			if err := checkMembership(&m); err != nil {
				return err
			}
			relist(s.log, row, s.membershipLists, func() {
				set(s.log, &row.Membership, m)
				set(s.log, &row.custom, nil)
			})
		}
		return nil
	})
}
