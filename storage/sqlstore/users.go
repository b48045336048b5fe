package sqlstore

import (
	"context"
	"slices"

	"github.com/usher-go/usher/tenancy"
)

type userStatements struct {
	insert, update, lock, exists, byID, byExternalID, byEmail string
	byIDs, byEmails                                           manyIDs
}

func (c *compiler) users() userStatements {
	const find = `SELECT id, external_id, email, email_display, verified_at, name, status, active_team_id,
		autoclaim, created_at, version FROM usher_users WHERE`
	return userStatements{
		insert: c.sql(`INSERT INTO usher_users (id, external_id, email, email_display, verified_at,
			verified_email, name, status, active_team_id, autoclaim, created_at, version) VALUES (`, list("?", 11), `, 1)`),
		update: c.sql(`UPDATE usher_users SET external_id = ?, email = ?, email_display = ?, verified_at = ?,
			verified_email = ?, name = ?, status = ?, active_team_id = ?, autoclaim = ?,
			version = version + 1
			WHERE id = ? AND version = ?`),
		lock:         c.sql(`UPDATE usher_users SET locks = locks + 1 WHERE id = ?`),
		exists:       c.sql(`SELECT 1 FROM usher_users WHERE id = ?`),
		byID:         c.sql(find, `id = ?`),
		byIDs:        c.manyIDs(find, `id IN ({ids}) ORDER BY id`),
		byExternalID: c.sql(find, `external_id = ?`),
		byEmail:      c.sql(find, `verified_email = ?`),
		byEmails:     c.manyIDs(find, `verified_email IN ({ids})`),
	}
}

func scanUser(r row) (tenancy.User, error) {
	var u tenancy.User
	err := r.Scan(id(&u.ID), text(&u.ExternalID), &u.Email.Normal, &u.Email.Display, at(&u.VerifiedAt),
		&u.Name, &u.Status, id(&u.ActiveTeam), &u.Autoclaim, at(&u.CreatedAt), &u.Version)
	return u, err
}

// verifiedEmail is the key that is unique among verified users, NULL for all others.
func verifiedEmail(u tenancy.User) any {
	if !u.Verified() {
		return nil
	}
	return unless(u.Email.Normal)
}

// InsertUser implements [tenancy.UserStore].
func (s *Store) InsertUser(ctx context.Context, u tenancy.User) error {
	_, err := s.exec(ctx, s.users.insert, u.ID, unless(u.ExternalID), u.Email.Normal, u.Email.Display,
		u.VerifiedAt, verifiedEmail(u), u.Name, u.Status, u.ActiveTeam, u.Autoclaim, micros(u.CreatedAt))
	return err
}

// UpdateUser implements [tenancy.UserStore].
func (s *Store) UpdateUser(ctx context.Context, u tenancy.User) error {
	return s.update(ctx, s.users.update, []any{
		unless(u.ExternalID), u.Email.Normal, u.Email.Display, u.VerifiedAt, verifiedEmail(u),
		u.Name, u.Status, u.ActiveTeam, u.Autoclaim, u.ID, u.Version,
	}, s.users.exists, u.ID)
}

// LockUser implements [tenancy.UserStore].
func (s *Store) LockUser(ctx context.Context, id tenancy.UserID) (tenancy.User, error) {
	if err := s.lock(ctx, s.users.lock, id); err != nil {
		return tenancy.User{}, err
	}
	return s.User(ctx, id)
}

// User implements [tenancy.UserStore].
func (s *Store) User(ctx context.Context, id tenancy.UserID) (tenancy.User, error) {
	return one(ctx, s, scanUser, s.users.byID, id)
}

// Users implements [tenancy.UserStore].
func (s *Store) Users(ctx context.Context, ids ...tenancy.UserID) ([]tenancy.User, error) {
	return allMany(ctx, s, scanUser, s.users.byIDs, tenancy.InOrder(ids...))
}

// UserByExternalID implements [tenancy.UserStore].
func (s *Store) UserByExternalID(ctx context.Context, externalID string) (tenancy.User, error) {
	return one(ctx, s, scanUser, s.users.byExternalID, unless(externalID))
}

// UserByEmail implements [tenancy.UserStore].
func (s *Store) UserByEmail(ctx context.Context, normal string) (tenancy.User, error) {
	return one(ctx, s, scanUser, s.users.byEmail, unless(normal))
}

// UsersByEmail implements [tenancy.UserStore].
func (s *Store) UsersByEmail(ctx context.Context, normals ...string) ([]tenancy.User, error) {
	users, err := allMany(ctx, s, scanUser, s.users.byEmails, eachOnce(normals))
	slices.SortFunc(users, func(a, b tenancy.User) int { return slices.Compare(a.ID[:], b.ID[:]) })
	return users, err
}
