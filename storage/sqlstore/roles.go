package sqlstore

import (
	"context"
	"errors"

	"github.com/usher-go/usher/tenancy"
)

type roleStatements struct {
	insert, update, remove, exists, byID, inAccount, members string
}

const roleColumns = `r.id, r.account_id, r.name, r.name_key, r.base, r.permissions, r.created_at, r.version`

const findRole = `SELECT ` + roleColumns + ` FROM usher_roles r WHERE`

func (c *compiler) roles() roleStatements {
	return roleStatements{
		insert: c.sql(`INSERT INTO usher_roles (id, account_id, name, name_key, base, permissions,
			created_at, version) VALUES (`, list("?", 7), `, 1)`),
		update: c.sql(`UPDATE usher_roles SET name = ?, name_key = ?, base = ?, permissions = ?,
			version = version + 1 WHERE id = ? AND account_id = ? AND version = ?`),
		remove: c.sql(`DELETE FROM usher_roles WHERE id = ? AND account_id = ?
			AND NOT EXISTS (SELECT 1 FROM usher_memberships m WHERE m.role_id = usher_roles.id)`),
		exists:    c.sql(`SELECT 1 FROM usher_roles WHERE id = ? AND account_id = ?`),
		byID:      c.sql(findRole, `r.id = ? AND r.account_id = ?`),
		inAccount: c.sql(findRole, `r.account_id = ? ORDER BY r.created_at, r.id`),
		members: c.sql(`SELECT`, membershipColumns, `FROM usher_memberships m JOIN usher_roles r ON r.id = m.role_id
			WHERE r.id = ? AND r.account_id = ? AND m.status <> 'removed' ORDER BY m.team_id, m.user_id`),
	}
}

func scanRole(r row) (tenancy.CustomRole, error) {
	var c tenancy.CustomRole
	err := r.Scan(roleFields(&c)...)
	return c, err
}

// roleFields are where roleColumns go.
func roleFields(c *tenancy.CustomRole) []any {
	return []any{
		id(&c.ID), id(&c.Account), &c.Name, &c.NameKey, role(&c.Base), document(&c.Permissions),
		at(&c.CreatedAt), &c.Version,
	}
}

// InsertRole implements [tenancy.RoleStore].
func (s *Store) InsertRole(ctx context.Context, r tenancy.CustomRole) error {
	permissions, err := encode(ctx, s, "permissions", some(r.Permissions))
	if err != nil {
		return err
	}
	_, err = s.exec(ctx, s.roles.insert, r.ID, r.Account, r.Name, r.NameKey, r.Base.String(), permissions,
		micros(r.CreatedAt))
	return err
}

// UpdateRole implements [tenancy.RoleStore].
func (s *Store) UpdateRole(ctx context.Context, r tenancy.CustomRole) error {
	permissions, err := encode(ctx, s, "permissions", some(r.Permissions))
	if err != nil {
		return err
	}
	return s.update(ctx, s.roles.update, []any{
		r.Name, r.NameKey, r.Base.String(), permissions, r.ID, r.Account, r.Version,
	}, s.roles.exists, r.ID, r.Account)
}

// DeleteRole implements [tenancy.RoleStore]. A membership that another transaction puts into the
// role meanwhile is seen by the foreign key only.
func (s *Store) DeleteRole(ctx context.Context, account tenancy.AccountID, id tenancy.RoleID) error {
	rows, err := s.exec(ctx, s.roles.remove, id, account)
	switch {
	case errors.Is(err, tenancy.ErrNotFound):
		return tenancy.ErrConflict
	case err != nil || rows == 1:
		return err
	}
	if _, err := one(ctx, s, scanFlag, s.roles.exists, id, account); err != nil {
		return err
	}
	return tenancy.ErrConflict
}

// Role implements [tenancy.RoleStore].
func (s *Store) Role(ctx context.Context, account tenancy.AccountID, id tenancy.RoleID) (tenancy.CustomRole, error) {
	return one(ctx, s, scanRole, s.roles.byID, id, account)
}

// RolesIn implements [tenancy.RoleStore].
func (s *Store) RolesIn(ctx context.Context, account tenancy.AccountID) ([]tenancy.CustomRole, error) {
	return all(ctx, s, scanRole, s.roles.inAccount, account)
}

// MembersWithRole implements [tenancy.RoleStore].
func (s *Store) MembersWithRole(ctx context.Context, account tenancy.AccountID, id tenancy.RoleID) ([]tenancy.Membership, error) {
	return all(ctx, s, scanMembership, s.roles.members, id, account)
}
