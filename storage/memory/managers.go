package memory

import (
	"context"
	"iter"
	"slices"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// Managed implements [tenancy.ManagerStore].
func (s *Store) Managed(ctx context.Context, but tenancy.UserID, teams ...tenancy.TeamID) ([]tenancy.TeamID, error) {
	return read(ctx, s, func() ([]tenancy.TeamID, error) {
		var managed []tenancy.TeamID
		for _, t := range those(s.teams.get, teams) {
			if t.hasOtherManager(but) {
				managed = append(managed, t.ID)
			}
		}
		return managed, nil
	})
}

// hasOtherManager looks at managers one by one until one will do, so it costs more where most
// of them are suspended users, or members in custom roles.
func (t *teamRow) hasOtherManager(but tenancy.UserID) bool {
	for m := range t.lasting(but) {
		if m.Role == rbac.Manager {
			return true
		}
	}
	return false
}

// lasting are those but the user who may be lasting managers.
func (t *teamRow) lasting(but tenancy.UserID) iter.Seq[*membershipRow] {
	return func(yield func(*membershipRow) bool) {
		for m := range merged(ascending, ascending.beginning(), &t.managers) {
			if m.User != but && m.user.Status == tenancy.UserActive && !yield(m) {
				return
			}
		}
	}
}

// LastingRoles implements [tenancy.ManagerStore].
func (s *Store) LastingRoles(ctx context.Context, but tenancy.UserID, teams ...tenancy.TeamID) ([]tenancy.TeamRole, error) {
	return read(ctx, s, func() ([]tenancy.TeamRole, error) {
		var roles []tenancy.TeamRole
		for _, t := range those(s.teams.get, teams) {
			roles = append(roles, t.lastingRoles(but)...)
		}
		return roles, nil
	})
}

// lastingRoles are the custom roles of the lasting ones, each once, by id.
func (t *teamRow) lastingRoles(but tenancy.UserID) []tenancy.TeamRole {
	held := map[*roleRow]bool{}
	for m := range t.lasting(but) {
		if m.custom != nil {
			held[m.custom] = true
		}
	}
	var roles []tenancy.TeamRole
	for r := range held {
		roles = append(roles, tenancy.TeamRole{Team: t.ID, CustomRole: r.copy()})
	}
	slices.SortFunc(roles, func(a, b tenancy.TeamRole) int { return slices.Compare(a.ID[:], b.ID[:]) })
	return roles
}
