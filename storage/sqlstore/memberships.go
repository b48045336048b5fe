package sqlstore

import (
	"context"
	"slices"
	"time"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

type membershipStatements struct {
	insert                      inserts
	update, lock, exists, byKey string
	byPairs, renew              manyIDs
	appoint, end                manyIDs
	managed, lastingRoles       manyIDs
	authority, lockedAuthority  string
	authorities, lockMany       manyIDs
	lockedAuthorities           manyIDs
	staff                       string
	members, teamsOf            pages
	ofUser, lapsed              string
}

const membershipColumns = `m.team_id, m.user_id, m.role, m.role_id, m.status, m.joined_at, m.joined_by, m.expires_at,
	m.ended_at, m.ended_by, m.version`

// lastingMembers are those whom the last-manager rule counts, if their role does.
const lastingMembers = `FROM usher_memberships m JOIN usher_users u ON u.id = m.user_id
	WHERE m.status = 'active' AND m.expires_at IS NULL AND u.status = 'active'`

const lastingManagers = `SELECT 1 ` + lastingMembers + ` AND m.role = 'manager'`

func (c *compiler) memberships() membershipStatements {
	const (
		authority = `a.id, a.status, t.status, t.capacity, m.role, m.role_id, m.status, m.expires_at, u.status, u.autoclaim,
			r.name, r.permissions FROM`
		facts = `m JOIN usher_teams t ON t.id = m.team_id JOIN usher_accounts a ON a.id = t.account_id
			JOIN usher_users u ON u.id = m.user_id LEFT JOIN usher_roles r ON r.id = m.role_id`
	)
	return membershipStatements{
		insert: c.inserts(`INSERT INTO usher_memberships (team_id, user_id, role, role_id, status, joined_at,
			joined_by, expires_at, ended_at, ended_by, version)`, `(`+list("?", 10)+`, 1)`),
		update: c.sql(`UPDATE usher_memberships SET role = ?, role_id = ?, status = ?, joined_at = ?, joined_by = ?,
			expires_at = ?, ended_at = ?, ended_by = ?, version = version + 1 WHERE team_id = ? AND user_id = ? AND version = ?`),
		lock:   c.sql(`UPDATE usher_memberships {by key} SET locks = locks + 1 WHERE team_id = ? AND user_id = ?`),
		exists: c.sql(`SELECT 1 FROM usher_memberships WHERE team_id = ? AND user_id = ?`),
		byKey: c.sql(`SELECT`, membershipColumns,
			`FROM usher_memberships m WHERE m.team_id = ? AND m.user_id = ?`),

		byPairs: c.manyIDs(`SELECT`, membershipColumns, `FROM usher_memberships m
			WHERE {m.team_id, m.user_id} ORDER BY m.user_id, m.team_id`),
		renew: c.manyIDs(`UPDATE usher_memberships SET role = ?, role_id = NULL, status = 'active', joined_at = ?, joined_by = ?,
			expires_at = NULL, ended_at = NULL, ended_by = '', version = version + 1
			WHERE {team_id, user_id} AND status = 'removed'`),
		appoint: c.manyIDs(`UPDATE usher_memberships SET role = ?, role_id = NULL, expires_at = NULL, version = version + 1
			WHERE {team_id, user_id} AND status = 'active'`),
		end: c.manyIDs(`UPDATE usher_memberships SET status = 'removed', role_id = NULL, ended_at = ?, ended_by = ?,
			version = version + 1 WHERE {team_id, user_id} AND status <> 'removed'`),

		// The lock stands in a sub-select, so that it takes the membership and nothing else on
		// every engine: MariaDB has no FOR SHARE OF, and would take the team's row as well, on
		// which two operations that both go on to change it would then meet in a deadlock. Without
		// the lock it would only cost: SQLite plans the statement anew each time.
		authority: c.sql(`SELECT`, authority, `usher_memberships`, facts, `WHERE m.team_id = ? AND m.user_id = ?`),
		lockedAuthority: c.sql(`SELECT`, authority, `(SELECT * FROM usher_memberships WHERE team_id = ? AND user_id = ?
			{share lock})`, facts),
		authorities: c.manyIDs(`SELECT m.team_id,`, authority, `usher_memberships`, facts,
			`WHERE m.user_id = ? AND m.team_id IN ({ids}) ORDER BY m.team_id`),
		lockMany: c.manyIDs(`UPDATE usher_memberships {by key} SET locks = locks + 1 WHERE user_id = ? AND team_id IN ({ids})`),
		lockedAuthorities: c.manyIDs(`SELECT m.team_id,`, authority, `(SELECT * FROM usher_memberships {by key}
			WHERE user_id = ? AND team_id IN ({ids}) {share lock})`, facts, `ORDER BY m.team_id`),
		staff: c.sql(`SELECT m.user_id,`, authority, `usher_memberships`, facts, `WHERE m.team_id = ? AND m.status = 'active'
			AND (m.role <> 'restricted' OR m.role_id IS NOT NULL) AND u.status = 'active' ORDER BY m.user_id`),

		members: c.pages(oldestFirst("m.joined_at", "m.user_id"),
			`SELECT`, membershipColumns, `, u.name, u.email, u.email_display, u.status
			FROM usher_memberships m JOIN usher_users u ON u.id = m.user_id
			WHERE m.team_id = ? AND m.status <> 'removed'`),
		teamsOf: c.pages(oldestFirst("m.joined_at", "m.team_id"),
			`SELECT`, membershipColumns, `,`, teamColumns, `, r.name, r.permissions
			FROM usher_memberships m JOIN usher_teams t ON t.id = m.team_id LEFT JOIN usher_roles r ON r.id = m.role_id
			WHERE m.user_id = ? AND m.status = 'active'`),

		ofUser: c.sql(`SELECT`, membershipColumns, `FROM usher_memberships m
			WHERE m.user_id = ? AND m.status <> 'removed' ORDER BY m.team_id`),
		managed: c.manyIDs(`SELECT t.id FROM usher_teams t WHERE EXISTS (`, lastingManagers,
			`AND m.team_id = t.id AND m.user_id <> ?) AND t.id IN ({ids}) ORDER BY t.id`),
		lastingRoles: c.manyIDs(`SELECT m.team_id,`, roleColumns, `FROM (SELECT DISTINCT m.team_id, m.role_id`, lastingMembers,
			`AND m.role_id IS NOT NULL AND m.user_id <> ? AND m.team_id IN ({ids})) m
			JOIN usher_roles r ON r.id = m.role_id ORDER BY m.team_id, r.id`),
		lapsed: c.sql(`SELECT`, membershipColumns, `FROM usher_memberships m
			WHERE m.status = 'active' AND m.expires_at <= ?
			ORDER BY m.expires_at, m.team_id, m.user_id LIMIT ?`),
	}
}

// membershipFields are where membershipColumns go.
func membershipFields(m *tenancy.Membership) []any {
	return []any{
		id(&m.Team), id(&m.User), role(&m.Role), id(&m.Custom), &m.Status, at(&m.JoinedAt), &m.JoinedBy,
		at(&m.ExpiresAt), at(&m.EndedAt), &m.EndedBy, &m.Version,
	}
}

func scanMembership(r row) (tenancy.Membership, error) {
	var m tenancy.Membership
	err := r.Scan(membershipFields(&m)...)
	return m, err
}

func scanAuthority(r row) (tenancy.Authority, error) {
	var a tenancy.Authority
	err := r.Scan(authorityFields(&a)...)
	return a, err
}

func scanTeamAuthority(r row) (tenancy.TeamAuthority, error) {
	var a tenancy.TeamAuthority
	err := r.Scan(append([]any{id(&a.Team)}, authorityFields(&a.Authority)...)...)
	return a, err
}

func scanColleague(r row) (tenancy.Colleague, error) {
	var c tenancy.Colleague
	err := r.Scan(append([]any{id(&c.User)}, authorityFields(&c.Authority)...)...)
	return c, err
}

func authorityFields(a *tenancy.Authority) []any {
	return []any{
		id(&a.Account), &a.AccountStatus, &a.TeamStatus, &a.Capacity, role(&a.Role), id(&a.Custom), &a.Status, at(&a.ExpiresAt),
		&a.UserStatus, &a.Autoclaim, text(&a.CustomName), document(&a.CustomPermissions),
	}
}

func scanMember(r row) (tenancy.Member, error) {
	var m tenancy.Member
	err := r.Scan(append(membershipFields(&m.Membership), &m.Name, &m.Email.Normal, &m.Email.Display, &m.UserStatus)...)
	return m, err
}

func scanTeamOfUser(r row) (tenancy.TeamOfUser, error) {
	var t tenancy.TeamOfUser
	err := r.Scan(slices.Concat(membershipFields(&t.Membership), teamFields(&t.Team),
		[]any{text(&t.CustomName), document(&t.CustomPermissions)})...)
	return t, err
}

// InsertMembership implements [tenancy.MembershipStore].
func (s *Store) InsertMembership(ctx context.Context, memberships ...tenancy.Membership) error {
	return insertAll(ctx, s, s.memberships.insert, memberships, func(m tenancy.Membership) []any {
		return []any{
			m.Team, m.User, m.Role.String(), m.Custom, m.Status, micros(m.JoinedAt), m.JoinedBy, m.ExpiresAt, m.EndedAt, m.EndedBy,
		}
	})
}

// UpdateMembership implements [tenancy.MembershipStore].
func (s *Store) UpdateMembership(ctx context.Context, m tenancy.Membership) error {
	return s.update(ctx, s.memberships.update, []any{
		m.Role.String(), m.Custom, m.Status, micros(m.JoinedAt), m.JoinedBy, m.ExpiresAt, m.EndedAt, m.EndedBy,
		m.Team, m.User, m.Version,
	}, s.memberships.exists, m.Team, m.User)
}

// Membership implements [tenancy.MembershipStore].
func (s *Store) Membership(ctx context.Context, team tenancy.TeamID, user tenancy.UserID) (tenancy.Membership, error) {
	return one(ctx, s, scanMembership, s.memberships.byKey, team, user)
}

// Memberships implements [tenancy.MembershipSetStore].
func (s *Store) Memberships(ctx context.Context, who ...tenancy.Actor) ([]tenancy.Membership, error) {
	return allMany(ctx, s, scanMembership, s.memberships.byPairs, those(who))
}

// RenewMemberships implements [tenancy.MembershipSetStore].
func (s *Store) RenewMemberships(ctx context.Context, role rbac.Role, at time.Time, by string, who ...tenancy.Actor) error {
	_, err := execMany(ctx, s, s.memberships.renew, those(who), role.String(), micros(at), by)
	return err
}

// AppointMemberships implements [tenancy.MembershipSetStore].
func (s *Store) AppointMemberships(ctx context.Context, role rbac.Role, who ...tenancy.Actor) error {
	_, err := execMany(ctx, s, s.memberships.appoint, those(who), role.String())
	return err
}

// Authority implements [tenancy.MembershipStore].
func (s *Store) Authority(ctx context.Context, team tenancy.TeamID, user tenancy.UserID) (tenancy.Authority, error) {
	query := s.memberships.authority
	if s.inTx(ctx) {
		query = s.memberships.lockedAuthority
		if s.updateLocks {
			if err := s.lock(ctx, s.memberships.lock, team, user); err != nil {
				return tenancy.Authority{}, err
			}
		}
	}
	return one(ctx, s, scanAuthority, query, team, user)
}

// Authorities implements [tenancy.MembershipSetStore].
func (s *Store) Authorities(ctx context.Context, user tenancy.UserID, teams ...tenancy.TeamID) ([]tenancy.TeamAuthority, error) {
	teams = tenancy.InOrder(teams...)
	query := s.memberships.authorities
	if s.inTx(ctx) {
		query = s.memberships.lockedAuthorities
	}
	read := func() ([]tenancy.TeamAuthority, error) {
		return allMany(ctx, s, scanTeamAuthority, query, teams, user)
	}
	if !s.inTx(ctx) || !s.updateLocks {
		return read()
	}
	return lockAll(ctx, s, func() (int64, error) { return execMany(ctx, s, s.memberships.lockMany, teams, user) }, read)
}

// Staff implements [tenancy.StaffStore].
func (s *Store) Staff(ctx context.Context, team tenancy.TeamID) ([]tenancy.Colleague, error) {
	return all(ctx, s, scanColleague, s.memberships.staff, team)
}

// Members implements [tenancy.MembershipStore].
func (s *Store) Members(ctx context.Context, team tenancy.TeamID, page tenancy.Keyset) ([]tenancy.Member, error) {
	return paged(ctx, s, scanMember, s.memberships.members, page, team)
}

// TeamsOf implements [tenancy.MembershipStore].
func (s *Store) TeamsOf(ctx context.Context, user tenancy.UserID, page tenancy.Keyset) ([]tenancy.TeamOfUser, error) {
	return paged(ctx, s, scanTeamOfUser, s.memberships.teamsOf, page, user)
}

// EndMemberships implements [tenancy.MembershipSetStore].
func (s *Store) EndMemberships(ctx context.Context, at time.Time, by string, who ...tenancy.Actor) error {
	_, err := execMany(ctx, s, s.memberships.end, those(who), micros(at), by)
	return err
}

// Managed implements [tenancy.ManagerStore].
func (s *Store) Managed(ctx context.Context, but tenancy.UserID, teams ...tenancy.TeamID) ([]tenancy.TeamID, error) {
	// The id is bound as it is: no user at all is NULL elsewhere, which is different from nobody.
	return allMany(ctx, s, scanID[tenancy.TeamID], s.memberships.managed, tenancy.InOrder(teams...), s.dialect.id(but.UUID()))
}

// LastingRoles implements [tenancy.ManagerStore].
func (s *Store) LastingRoles(ctx context.Context, but tenancy.UserID, teams ...tenancy.TeamID) ([]tenancy.TeamRole, error) {
	return allMany(ctx, s, scanTeamRole, s.memberships.lastingRoles, tenancy.InOrder(teams...), s.dialect.id(but.UUID()))
}

func scanTeamRole(r row) (tenancy.TeamRole, error) {
	var t tenancy.TeamRole
	err := r.Scan(append([]any{id(&t.Team)}, roleFields(&t.CustomRole)...)...)
	return t, err
}

// MembershipsOf implements [tenancy.MembershipStore].
func (s *Store) MembershipsOf(ctx context.Context, user tenancy.UserID) ([]tenancy.Membership, error) {
	return all(ctx, s, scanMembership, s.memberships.ofUser, user)
}

// Lapsed implements [tenancy.MembershipStore].
func (s *Store) Lapsed(ctx context.Context, now time.Time, limit int) ([]tenancy.Membership, error) {
	return all(ctx, s, scanMembership, s.memberships.lapsed, micros(now), limit)
}
