package sqlstore

import (
	"context"
	"slices"

	"github.com/usher-go/usher/tenancy"
)

type teamStatements struct {
	insert, update, release, lock, exists, byID, byName, byIdentity string
	lockMany, byIDs                                                 manyIDs
	inAccount                                                       pages
	joinable                                                        joinableStatements
}

// joinableStatements are for the domains whose people can ask to join: one row for each, made from the
// team's settings whenever they name others.
type joinableStatements struct {
	insert       inserts
	named, clear string
	listed       pages
}

const teamColumns = `t.id, t.account_id, t.name, t.name_key, t.channel, t.identity, t.status, t.settings, t.created_at, t.version`

func (c *compiler) teams() teamStatements {
	const find = `SELECT ` + teamColumns + ` FROM usher_teams t WHERE`
	return teamStatements{
		insert: c.sql(`INSERT INTO usher_teams (id, account_id, name, name_key, channel, identity,
			live_identity, status, settings, auto_close, capacity, created_at, version) VALUES (`, list("?", 12), `, 1)`),
		update: c.sql(`UPDATE usher_teams SET name = ?, name_key = ?, channel = ?, identity = ?,
			live_identity = ?, status = ?, settings = ?, auto_close = ?, capacity = ?, version = version + 1
			WHERE id = ? AND account_id = ? AND version = ?`),
		release: c.sql(`UPDATE usher_teams SET live_identity = NULL
			WHERE account_id = ? AND live_identity IS NOT NULL`),
		lock:       c.sql(`UPDATE usher_teams SET locks = locks + 1 WHERE id = ?`),
		lockMany:   c.manyIDs(`UPDATE usher_teams SET locks = locks + 1 WHERE id IN ({ids})`),
		byIDs:      c.manyIDs(find, `t.id IN ({ids}) ORDER BY t.id`),
		exists:     c.sql(`SELECT 1 FROM usher_teams WHERE id = ? AND account_id = ?`),
		byID:       c.sql(find, `t.id = ?`),
		byName:     c.sql(find, `t.account_id = ? AND t.name_key = ?`),
		byIdentity: c.sql(find, `t.live_identity = ?`),
		inAccount:  c.pages(oldestFirst("t.created_at", "t.id"), find, `t.account_id = ?`),
		joinable: joinableStatements{
			insert: c.inserts(`INSERT INTO usher_join_domains (domain, created_at, team_id)`, `(?, ?, ?)`),
			named:  c.sql(`SELECT d.domain FROM usher_join_domains d WHERE d.team_id = ?`),
			clear:  c.sql(`DELETE FROM usher_join_domains WHERE team_id = ?`),
			listed: c.pages(oldestFirst("d.created_at", "d.team_id"), `SELECT`, teamColumns, `FROM usher_join_domains d
				JOIN usher_teams t ON t.id = d.team_id JOIN usher_accounts a ON a.id = t.account_id
				WHERE d.domain = ? AND t.status = 'active' AND a.status = 'active' AND NOT EXISTS (SELECT 1
				FROM usher_memberships m WHERE m.team_id = d.team_id AND m.user_id = ? AND m.status <> 'removed')`),
		},
	}
}

func scanTeam(r row) (tenancy.Team, error) {
	var t tenancy.Team
	err := r.Scan(teamFields(&t)...)
	return t, err
}

// teamFields are where teamColumns go.
func teamFields(t *tenancy.Team) []any {
	return []any{
		id(&t.ID), id(&t.Account), &t.Name, &t.NameKey, text((*string)(&t.Identity.Channel)),
		text(&t.Identity.Value), &t.Status, document(&t.Settings), at(&t.CreatedAt), &t.Version,
	}
}

// settings are as the column keeps them.
func settings(s tenancy.Settings) tenancy.Settings {
	s.Statuses, s.JoinDomains, s.InviteDomains = some(s.Statuses), some(s.JoinDomains), some(s.InviteDomains)
	return s
}

// autoClose is what the sweep compares with, in microseconds; NULL where there is none.
func autoClose(s tenancy.Settings) any {
	if s.AutoClose == 0 {
		return nil
	}
	return s.AutoClose.Microseconds()
}

// liveIdentity is the key that is unique among active teams, NULL for all others. A channel is
// a word without a colon, so no two identities have the same key.
func liveIdentity(t tenancy.Team) any {
	if t.Status != tenancy.TeamActive {
		return nil
	}
	return identityKey(t.Identity)
}

func identityKey(i tenancy.Identity) any {
	if i.IsZero() {
		return nil
	}
	return string(i.Channel) + ":" + i.Value
}

// InsertTeam implements [tenancy.TeamStore].
func (s *Store) InsertTeam(ctx context.Context, t tenancy.Team) error {
	settings, err := encode(ctx, s, "settings", settings(t.Settings))
	if err != nil {
		return err
	}
	_, err = s.exec(ctx, s.teams.insert, t.ID, t.Account, t.Name, t.NameKey, unless(t.Identity.Channel),
		unless(t.Identity.Value), liveIdentity(t), t.Status, settings, autoClose(t.Settings),
		t.Settings.Capacity, micros(t.CreatedAt))
	if err != nil {
		return err
	}
	return s.nameDomains(ctx, t)
}

// nameDomains makes the team be found by the domains of its settings.
func (s *Store) nameDomains(ctx context.Context, t tenancy.Team) error {
	return insertAll(ctx, s, s.teams.joinable.insert, t.Settings.JoinDomains, func(domain string) []any {
		return []any{domain, micros(t.CreatedAt), t.ID}
	})
}

// UpdateTeam implements [tenancy.TeamStore].
func (s *Store) UpdateTeam(ctx context.Context, t tenancy.Team) error {
	settings, err := encode(ctx, s, "settings", settings(t.Settings))
	if err != nil {
		return err
	}
	if err := s.update(ctx, s.teams.update, []any{
		t.Name, t.NameKey, unless(t.Identity.Channel), unless(t.Identity.Value), liveIdentity(t), t.Status, settings,
		autoClose(t.Settings), t.Settings.Capacity, t.ID, t.Account, t.Version,
	}, s.teams.exists, t.ID, t.Account); err != nil {
		return err
	}
	return s.renameDomains(ctx, t)
}

// renameDomains writes the domains anew if they are others: most updates are of something else, and to look
// costs less than to write. The team is locked by its own update.
func (s *Store) renameDomains(ctx context.Context, t tenancy.Team) error {
	named, err := all(ctx, s, scanText, s.teams.joinable.named, t.ID)
	if err != nil || slices.Equal(eachOnce(named), eachOnce(t.Settings.JoinDomains)) {
		return err
	}
	if len(named) > 0 {
		if _, err := s.exec(ctx, s.teams.joinable.clear, t.ID); err != nil {
			return err
		}
	}
	return s.nameDomains(ctx, t)
}

// ReleaseIdentities implements [tenancy.TeamStore].
func (s *Store) ReleaseIdentities(ctx context.Context, account tenancy.AccountID) error {
	_, err := s.exec(ctx, s.teams.release, account)
	return err
}

// LockTeam implements [tenancy.TeamStore].
func (s *Store) LockTeam(ctx context.Context, id tenancy.TeamID) (tenancy.Team, error) {
	if err := s.lock(ctx, s.teams.lock, id); err != nil {
		return tenancy.Team{}, err
	}
	return s.Team(ctx, id)
}

// Team implements [tenancy.TeamStore].
func (s *Store) Team(ctx context.Context, id tenancy.TeamID) (tenancy.Team, error) {
	return one(ctx, s, scanTeam, s.teams.byID, id)
}

// Teams implements [tenancy.TeamStore].
func (s *Store) Teams(ctx context.Context, ids ...tenancy.TeamID) ([]tenancy.Team, error) {
	return allMany(ctx, s, scanTeam, s.teams.byIDs, tenancy.InOrder(ids...))
}

// LockTeams implements [tenancy.TeamStore].
func (s *Store) LockTeams(ctx context.Context, ids ...tenancy.TeamID) ([]tenancy.Team, error) {
	ids = tenancy.InOrder(ids...)
	return lockAll(ctx, s,
		func() (int64, error) { return execMany(ctx, s, s.teams.lockMany, ids) },
		func() ([]tenancy.Team, error) { return allMany(ctx, s, scanTeam, s.teams.byIDs, ids) })
}

// TeamByName implements [tenancy.TeamStore].
func (s *Store) TeamByName(ctx context.Context, account tenancy.AccountID, nameKey string) (tenancy.Team, error) {
	return one(ctx, s, scanTeam, s.teams.byName, account, nameKey)
}

// TeamByIdentity implements [tenancy.TeamStore].
func (s *Store) TeamByIdentity(ctx context.Context, identity tenancy.Identity) (tenancy.Team, error) {
	return one(ctx, s, scanTeam, s.teams.byIdentity, identityKey(identity))
}

// TeamsIn implements [tenancy.TeamStore].
func (s *Store) TeamsIn(ctx context.Context, account tenancy.AccountID, page tenancy.Keyset) ([]tenancy.Team, error) {
	return paged(ctx, s, scanTeam, s.teams.inAccount, page, account)
}

// JoinableTeams implements [tenancy.TeamStore] with one statement.
func (s *Store) JoinableTeams(ctx context.Context, domain string, user tenancy.UserID, page tenancy.Keyset) ([]tenancy.Team, error) {
	return paged(ctx, s, scanTeam, s.teams.joinable.listed, page, domain, user)
}
