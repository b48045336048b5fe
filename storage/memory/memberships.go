package memory

import (
	"cmp"
	"context"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

type membershipRow struct {
	tenancy.Membership
	team *teamRow
	user *userRow
}

// lists are those in which the membership stands.
func (m *membershipRow) lists(visit func(*list[membershipRow], place)) {
	if m.Status != tenancy.MembershipRemoved {
		visit(&m.team.members, placeAt(m.JoinedAt, m.User))
	}
	if m.Status != tenancy.MembershipActive {
		return
	}
	visit(&m.user.teams, placeAt(m.JoinedAt, m.Team))
	if m.Role == rbac.Manager && m.ExpiresAt.IsZero() {
		visit(&m.team.managers, placeByID(m.User))
	}
}

// InsertMembership implements [tenancy.MembershipStore].
func (s *Store) InsertMembership(ctx context.Context, m tenancy.Membership) error {
	return s.write(ctx, func() error {
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
		m.Version = 1
		row := &membershipRow{Membership: m, team: team, user: user}
		if err := s.memberships.insert(teamUser{m.Team, m.User}, row); err != nil {
			return err
		}
		enlist(s.log, row, (*membershipRow).lists)
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
		m.Version++
		relist(s.log, row, (*membershipRow).lists, func() { set(s.log, &row.Membership, m) })
		return nil
	})
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
func (s *Store) Authority(ctx context.Context, team tenancy.TeamID, user tenancy.UserID) (tenancy.Authority, error) {
	return read(ctx, s, func() (tenancy.Authority, error) {
		row, err := s.memberships.get(teamUser{team, user})
		if err != nil {
			return tenancy.Authority{}, err
		}
		return tenancy.Authority{
			Account:       row.team.Account,
			AccountStatus: row.team.account.Status,
			TeamStatus:    row.team.Status,
			UserStatus:    row.user.Status,
			Membership:    row.Membership,
		}, nil
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
			return tenancy.Member{Membership: m.Membership, Name: m.user.Name, Email: m.user.Email}, true
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
			return tenancy.TeamOfUser{Membership: m.Membership, Team: m.team.Team}, true
		}), nil
	})
}

// HasOtherManager implements [tenancy.MembershipStore]. It looks at managers one by one
// until one will do, so it costs more where most of a team's managers are suspended users.
func (s *Store) HasOtherManager(ctx context.Context, team tenancy.TeamID, but tenancy.UserID) (bool, error) {
	return read(ctx, s, func() (bool, error) {
		row := s.teams.rows[team]
		if row == nil {
			return false, nil
		}
		for m := range merged(ascending, ascending.beginning(), &row.managers) {
			if m.User != but && m.user.Status == tenancy.UserActive {
				return true, nil
			}
		}
		return false, nil
	})
}
