package memory

import (
	"bytes"
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// membershipRow has first what a decision waits for, so that it lies in the cache line that its look-up
// has fetched.
type membershipRow struct {
	accountFacts *accountFacts // of the team's account, which never changes
	teamFacts    *teamFacts
	userFacts    *userFacts
	custom       *roleRow // nil for someone without one
	tenancy.Membership
	team *teamRow
	user *userRow
}

// membershipLists are those in which the membership stands.
func (s *Store) membershipLists(m *membershipRow, visit func(*list[membershipRow], place)) {
	if m.custom != nil {
		visit(&m.custom.members, place{id: m.Team, also: m.User})
	}
	if m.Status != tenancy.MembershipRemoved {
		visit(&m.team.members, placeAt(m.JoinedAt, m.User))
		visit(&m.user.places, placeByID(m.Team))
	}
	if m.Status != tenancy.MembershipActive {
		return
	}
	visit(&m.user.teams, placeAt(m.JoinedAt, m.Team))
	if !m.ExpiresAt.IsZero() {
		visit(s.expiring, place{at: m.ExpiresAt.UnixMicro(), id: m.Team, also: m.User})
	} else if m.Role == rbac.Manager || m.custom != nil {
		visit(&m.team.managers, placeByID(m.User))
	}
}

// InsertMembership implements [tenancy.MembershipStore].
func (s *Store) InsertMembership(ctx context.Context, memberships ...tenancy.Membership) error {
	return insertAll(ctx, s, memberships, func(m tenancy.Membership) error {
		if err := checkMembership(&m); err != nil {
			return err
		}
		team, err := referred(s.teams.get(m.Team))
		if err != nil {
			return err
		}
		user, err := referred(s.users.get(m.User))
		if err != nil {
			return err
		}
		custom, err := s.custom(m)
		if err != nil {
			return err
		}
		m.Version = 1
		row := &membershipRow{
			accountFacts: team.account.facts, teamFacts: team.facts, userFacts: user.facts,
			custom: custom, Membership: m, team: team, user: user,
		}
		if err := s.memberships.insert(teamUser{m.Team, m.User}, row); err != nil {
			return err
		}
		enlist(s.log, row, s.membershipLists)
		return nil
	})
}

// UpdateMembership implements [tenancy.MembershipStore].
func (s *Store) UpdateMembership(ctx context.Context, m tenancy.Membership) error {
	return s.write(ctx, func() error {
		row, err := s.memberships.get(teamUser{m.Team, m.User})
		if err != nil {
			return err
		}
		if err := cmp.Or(sameVersion(row.Version, m.Version), checkMembership(&m)); err != nil {
			return err
		}
		custom, err := s.custom(m)
		if err != nil {
			return err
		}
		m.Version++
		relist(s.log, row, s.membershipLists, func() {
			set(s.log, &row.Membership, m)
			set(s.log, &row.custom, custom)
		})
		return nil
	})
}

// custom finds the membership's custom role, nil where it has none. It may be another
// account's: that is for the service to refuse.
func (s *Store) custom(m tenancy.Membership) (*roleRow, error) {
	if m.Custom.IsZero() {
		return nil, nil
	}
	return referred(s.roles.get(m.Custom))
}

func checkMembership(m *tenancy.Membership) error {
	utc(&m.JoinedAt)
	utc(&m.ExpiresAt)
	utc(&m.EndedAt)
	return cmp.Or(
		teamRole(m.Role),
		oneOf("status", m.Status, tenancy.MembershipActive, tenancy.MembershipSuspended, tenancy.MembershipRemoved),
	)
}

// Membership implements [tenancy.MembershipStore].
func (s *Store) Membership(ctx context.Context, team tenancy.TeamID, user tenancy.UserID) (tenancy.Membership, error) {
	return read(ctx, s, func() (tenancy.Membership, error) {
		row, err := s.memberships.get(teamUser{team, user})
		if err != nil {
			return tenancy.Membership{}, err
		}
		return row.Membership, nil
	})
}

// Authority implements [tenancy.MembershipStore] with one look-up: a membership cannot exist
// without its team, its user and its account, and points at them.
func (s *Store) Authority(ctx context.Context, team tenancy.TeamID, user tenancy.UserID) (a tenancy.Authority, err error) {
	err = s.reading(ctx, func() error {
		row, missing := s.memberships.get(teamUser{team, user})
		if missing != nil {
			return missing
		}
		row.authority(&a)
		return nil
	})
	return a, err
}

// authority fills in what is read of a membership, in place: it is asked with every request.
func (m *membershipRow) authority(a *tenancy.Authority) {
	a.Account, a.AccountStatus = m.accountFacts.id, m.accountFacts.status
	a.TeamStatus, a.Capacity = m.teamFacts.status, m.teamFacts.capacity
	a.UserStatus, a.Autoclaim = m.userFacts.status, m.userFacts.autoclaim
	a.Role, a.Custom, a.Status, a.ExpiresAt = m.Role, m.Membership.Custom, m.Status, m.ExpiresAt
	if m.custom != nil {
		a.CustomName, a.CustomPermissions = m.custom.Name, some(m.custom.Permissions)
	}
}

// Staff implements [tenancy.StaffStore]. It passes over the team's guests.
func (s *Store) Staff(ctx context.Context, team tenancy.TeamID) ([]tenancy.Colleague, error) {
	return read(ctx, s, func() ([]tenancy.Colleague, error) {
		row := s.teams.rows[team]
		if row == nil {
			return nil, nil
		}
		var staff []tenancy.Colleague
		for m := range merged(ascending, ascending.beginning(), &row.members) {
			if m.Status == tenancy.MembershipActive && m.user.Status == tenancy.UserActive && (m.Role != rbac.Restricted || m.custom != nil) {
				c := tenancy.Colleague{User: m.User}
				m.authority(&c.Authority)
				staff = append(staff, c)
			}
		}
		slices.SortFunc(staff, func(a, b tenancy.Colleague) int { return bytes.Compare(a.User[:], b.User[:]) })
		return staff, nil
	})
}

// Members implements [tenancy.MembershipStore].
func (s *Store) Members(ctx context.Context, team tenancy.TeamID, page tenancy.Keyset) ([]tenancy.Member, error) {
	return read(ctx, s, func() ([]tenancy.Member, error) {
		row := s.teams.rows[team]
		if row == nil {
			return nil, nil
		}
		members := merged(ascending, ascending.start(page), &row.members)
		return paged(members, page.Limit, func(m *membershipRow) (tenancy.Member, bool) {
			return tenancy.Member{
				Membership: m.Membership, Name: m.user.Name, Email: m.user.Email, UserStatus: m.user.Status,
			}, true
		}), nil
	})
}

// TeamsOf implements [tenancy.MembershipStore].
func (s *Store) TeamsOf(ctx context.Context, user tenancy.UserID, page tenancy.Keyset) ([]tenancy.TeamOfUser, error) {
	return read(ctx, s, func() ([]tenancy.TeamOfUser, error) {
		row := s.users.rows[user]
		if row == nil {
			return nil, nil
		}
		teams := merged(ascending, ascending.start(page), &row.teams)
		return paged(teams, page.Limit, func(m *membershipRow) (tenancy.TeamOfUser, bool) {
			t := tenancy.TeamOfUser{Membership: m.Membership, Team: m.team.copy()}
			if m.custom != nil {
				t.CustomName, t.CustomPermissions = m.custom.Name, some(m.custom.Permissions)
			}
			return t, true
		}), nil
	})
}

// MembershipsOf implements [tenancy.MembershipStore].
func (s *Store) MembershipsOf(ctx context.Context, user tenancy.UserID) ([]tenancy.Membership, error) {
	return read(ctx, s, func() ([]tenancy.Membership, error) {
		row := s.users.rows[user]
		if row == nil {
			return nil, nil
		}
		return paged(merged(ascending, ascending.beginning(), &row.places), math.MaxInt, showMembership), nil
	})
}

// Lapsed implements [tenancy.MembershipStore].
func (s *Store) Lapsed(ctx context.Context, now time.Time, limit int) ([]tenancy.Membership, error) {
	return read(ctx, s, func() ([]tenancy.Membership, error) {
		return paged(until(s.expiring, now), limit, showMembership), nil
	})
}

func showMembership(m *membershipRow) (tenancy.Membership, bool) { return m.Membership, true }
