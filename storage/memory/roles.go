package memory

import (
	"cmp"
	"context"
	"math"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

type roleRow struct {
	tenancy.CustomRole
	account *accountRow
	members list[membershipRow] // in whatever state, by (team, user)
}

// roleName is a role's name as it is compared.
type roleName struct {
	account tenancy.AccountID
	key     string
}

// lists are those in which the role stands.
func (r *roleRow) lists(visit func(*list[roleRow], place)) {
	visit(&r.account.roles, placeAt(r.CreatedAt, r.ID))
}

// InsertRole implements [tenancy.RoleStore].
func (s *Store) InsertRole(ctx context.Context, r tenancy.CustomRole) error {
	return s.write(ctx, func() error {
		if err := checkRole(&r); err != nil {
			return err
		}
		account, err := referred(s.accounts.get(r.Account))
		if err != nil {
			return err
		}
		r.Version = 1
		row := &roleRow{CustomRole: r, account: account}
		if err := cmp.Or(
			s.roles.insert(r.ID, row),
			s.roleNames.move(roleName{}, roleName{r.Account, r.NameKey}, row),
		); err != nil {
			return err
		}
		enlist(s.log, row, (*roleRow).lists)
		return nil
	})
}

// UpdateRole implements [tenancy.RoleStore].
func (s *Store) UpdateRole(ctx context.Context, r tenancy.CustomRole) error {
	return s.write(ctx, func() error {
		row, err := s.role(r.Account, r.ID)
		if err != nil {
			return err
		}
		if err := cmp.Or(sameVersion(row.Version, r.Version), checkRole(&r)); err != nil {
			return err
		}
		r.Version++
		if err := s.roleNames.move(roleName{row.Account, row.NameKey}, roleName{r.Account, r.NameKey}, row); err != nil {
			return err
		}
		relist(s.log, row, (*roleRow).lists, func() { set(s.log, &row.CustomRole, r) })
		return nil
	})
}

func checkRole(r *tenancy.CustomRole) error {
	utc(&r.CreatedAt)
	r.Permissions = some(r.Permissions)
	return oneOf("base", r.Base.String(), rbac.Member.String(), rbac.Restricted.String())
}

// DeleteRole implements [tenancy.RoleStore].
func (s *Store) DeleteRole(ctx context.Context, account tenancy.AccountID, id tenancy.RoleID) error {
	return s.write(ctx, func() error {
		row, err := s.role(account, id)
		if err != nil {
			return err
		}
		for range merged(ascending, ascending.beginning(), &row.members) {
			return tenancy.ErrConflict
		}
		delist(s.log, row, (*roleRow).lists)
		return cmp.Or(
			s.roles.move(id, tenancy.RoleID{}, row),
			s.roleNames.move(roleName{row.Account, row.NameKey}, roleName{}, row),
		)
	})
}

// Role implements [tenancy.RoleStore].
func (s *Store) Role(ctx context.Context, account tenancy.AccountID, id tenancy.RoleID) (tenancy.CustomRole, error) {
	return read(ctx, s, func() (tenancy.CustomRole, error) {
		row, err := s.role(account, id)
		if err != nil {
			return tenancy.CustomRole{}, err
		}
		return row.copy(), nil
	})
}

// role finds one of the account.
func (s *Store) role(account tenancy.AccountID, id tenancy.RoleID) (*roleRow, error) {
	row, err := s.roles.get(id)
	if err != nil || row.Account != account {
		return nil, tenancy.ErrNotFound
	}
	return row, nil
}

// copy shares no memory with the row.
func (r *roleRow) copy() tenancy.CustomRole {
	role := r.CustomRole
	role.Permissions = some(role.Permissions)
	return role
}

// RolesIn implements [tenancy.RoleStore].
func (s *Store) RolesIn(ctx context.Context, account tenancy.AccountID) ([]tenancy.CustomRole, error) {
	return read(ctx, s, func() ([]tenancy.CustomRole, error) {
		row := s.accounts.rows[account]
		if row == nil {
			return nil, nil
		}
		roles := merged(ascending, ascending.beginning(), &row.roles)
		return paged(roles, math.MaxInt, func(r *roleRow) (tenancy.CustomRole, bool) { return r.copy(), true }), nil
	})
}

// MembersWithRole implements [tenancy.RoleStore].
func (s *Store) MembersWithRole(ctx context.Context, account tenancy.AccountID, id tenancy.RoleID) ([]tenancy.Membership, error) {
	return read(ctx, s, func() ([]tenancy.Membership, error) {
		row, err := s.role(account, id)
		if err != nil {
			return nil, nil //nolint:nilerr // nobody has what there is not
		}
		members := merged(ascending, ascending.beginning(), &row.members)
		return paged(members, math.MaxInt, func(m *membershipRow) (tenancy.Membership, bool) {
			return m.Membership, m.Status != tenancy.MembershipRemoved
		}), nil
	})
}
