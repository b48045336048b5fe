package storagetest

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/tenancy"
)

func roles() kind[tenancy.CustomRole] {
	return kind[tenancy.CustomRole]{
		name: "role", methods: []string{"InsertRole", "UpdateRole", "Role", ""},
		fresh:  func(w *world) tenancy.CustomRole { return w.aRole(w.account().ID) },
		insert: storage.Store.InsertRole, update: storage.Store.UpdateRole,
		get: func(s storage.Store, ctx context.Context, r tenancy.CustomRole) (tenancy.CustomRole, error) {
			return s.Role(ctx, r.Account, r.ID)
		},
		version: func(r *tenancy.CustomRole) *int64 { return &r.Version },
		stray:   func(w *world, r tenancy.CustomRole) tenancy.CustomRole { return w.aRole(r.Account) },
		rival: func(w *world, r tenancy.CustomRole) tenancy.CustomRole {
			rival := w.aRole(r.Account)
			rival.ID = r.ID
			return rival
		},
		changes: []change[tenancy.CustomRole]{
			{"the name", func(w *world, r *tenancy.CustomRole) { r.Name, r.NameKey = "Späher", "späher" }},
			{"the base", func(w *world, r *tenancy.CustomRole) { r.Base = rbac.Member }},
			{"the permissions", func(w *world, r *tenancy.CustomRole) { r.Permissions = []string{"b: <&>", "a: \"'\\\u2028"} }},
			{"to no permissions", func(w *world, r *tenancy.CustomRole) { r.Permissions = nil }},
		},
		times: []timeField[tenancy.CustomRole]{
			{"CreatedAt", false, func(r *tenancy.CustomRole) *time.Time { return &r.CreatedAt }},
		},
		enums: []enumField[tenancy.CustomRole]{
			{"Base", "", nil, append(badRoles(func(r *tenancy.CustomRole, role rbac.Role) { r.Base = role }),
				func(r *tenancy.CustomRole) { r.Base = rbac.Manager })},
		},
		refs: []refField[tenancy.CustomRole]{
			{"Account", func(w *world, r *tenancy.CustomRole) { r.Account = newID[tenancy.AccountID](w) }},
		},
	}
}

func roleCases() []testCase {
	return append(roles().cases(),
		testCase{
			name: "role names are unique in the account", rule: ruleRoleKeys,
			covers: []string{"InsertRole", "UpdateRole"}, run: roleNameCase,
		},
		testCase{
			name: "role of another account is not found", rule: ruleRoleScope,
			covers: []string{"Role", "UpdateRole", "DeleteRole", "MembersWithRole"}, run: roleScopeCase,
		},
		testCase{
			name: "role without members is deleted", rule: ruleDeleteRole,
			covers: []string{"DeleteRole"}, run: deleteRoleCase,
		},
		testCase{
			name: "role that meets its end and its first member at once", rule: ruleDeleteRole,
			covers: []string{"DeleteRole", "InsertMembership"}, run: deleteRoleRace,
		},
		testCase{
			name: "roles of an account are all listed", rule: ruleRolesIn,
			covers: []string{"RolesIn"}, run: rolesInCase,
		},
		testCase{
			name: "role is had by those who are not removed", rule: ruleMembersWithRole,
			covers: []string{"MembersWithRole"}, run: membersWithRoleCase,
		},
		testCase{
			name: "role without permissions has none", rule: ruleEmpty,
			covers: []string{"InsertRole", "Role"}, run: noPermissionsCase,
		},
	)
}

func roleNameCase(w *world) {
	account, other := w.account().ID, w.account().ID
	a, b := w.role(account), w.role(account)
	rival := w.aRole(account)
	rival.NameKey = a.NameKey
	w.is(roles().put(w, rival), tenancy.ErrDuplicate, "InsertRole with a name key that is taken")
	moved := b
	moved.NameKey = a.NameKey
	w.is(roles().write(w, moved), tenancy.ErrDuplicate, "UpdateRole to a name key that is taken")
	roles().holds(w, b, "a refused update")

	sameName := w.aRole(account) // names are compared by key; the name itself is free
	sameName.Name = a.Name
	roles().store(w, sameName)
	elsewhere := w.aRole(other)
	elsewhere.NameKey = a.NameKey
	roles().store(w, elsewhere)
	team := w.aTeam(account) // teams have names of their own
	team.NameKey = a.NameKey
	teams().store(w, team)
	w.must(w.try(func(ctx context.Context) error { return w.store.DeleteRole(ctx, account, a.ID) }), "DeleteRole")
	roles().holds(w, roles().store(w, rival), "an insert with the name key of a role that was deleted")
}

func roleScopeCase(w *world) {
	role := w.role(w.account().ID)
	team := w.team()
	m := w.aMembership(team.ID, w.user().ID)
	m.Custom = role.ID // a reference is by the id alone
	memberships().store(w, m)
	for what, account := range map[string]tenancy.AccountID{
		"another account": team.Account, "no account": {}, "an account that does not exist": newID[tenancy.AccountID](w),
	} {
		nothing[tenancy.CustomRole](w, "Role in the name of %s", what)(w.store.Role(w.ctx, account, role.ID))
		foreign := role
		foreign.Account, foreign.Name = account, "intruder"
		w.is(roles().write(w, foreign), tenancy.ErrNotFound, "UpdateRole in the name of %s", what)
		err := w.try(func(ctx context.Context) error { return w.store.DeleteRole(ctx, account, role.ID) })
		w.is(err, tenancy.ErrNotFound, "DeleteRole in the name of %s", what)
		found, err := w.store.MembersWithRole(w.ctx, account, role.ID)
		w.missingOrEmpty(len(found), err, "MembersWithRole in the name of %s", what)
	}
	roles().holds(w, role, "calls in the name of other accounts")
}

func deleteRoleCase(w *world) {
	account := w.account().ID
	team := w.teamIn(account).ID
	role, kept := w.role(account), w.role(account)
	remove := func(id tenancy.RoleID) error {
		return w.try(func(ctx context.Context) error { return w.store.DeleteRole(ctx, account, id) })
	}
	m := w.aMembership(team, w.user().ID)
	m.Custom = role.ID
	memberships().store(w, m)
	for _, status := range []tenancy.MembershipStatus{tenancy.MembershipActive, tenancy.MembershipSuspended, tenancy.MembershipRemoved} {
		m.Status = status
		w.must(memberships().write(w, m), "UpdateMembership")
		m.Version++
		w.is(remove(role.ID), tenancy.ErrConflict, "DeleteRole of a role in a membership that is %s", status)
		roles().holds(w, role, "a refused deletion")
	}
	w.tx("a transaction that goes on after a refused deletion", func(ctx context.Context) error {
		w.is(w.store.DeleteRole(ctx, account, role.ID), tenancy.ErrConflict, "DeleteRole inside")
		role.Name = "Renamed"
		return w.store.UpdateRole(ctx, role)
	})
	role.Version++
	roles().holds(w, role, "a transaction that went on after a refused deletion")

	m.Custom = kept.ID
	w.must(memberships().write(w, m), "UpdateMembership")
	w.discard("a transaction that deletes", func(ctx context.Context) error {
		if err := w.store.DeleteRole(ctx, account, role.ID); err != nil {
			return err
		}
		nothing[tenancy.CustomRole](w, "Role inside, after its deletion")(w.store.Role(ctx, account, role.ID))
		return nil
	})
	roles().holds(w, role, "a deletion that was rolled back")
	w.must(remove(role.ID), "DeleteRole of a role that nobody has any more")
	nothing[tenancy.CustomRole](w, "Role after its deletion")(w.store.Role(w.ctx, account, role.ID))
	lists(w, []tenancy.CustomRole{kept}, "RolesIn after a deletion")(w.store.RolesIn(w.ctx, account))
	w.is(remove(role.ID), tenancy.ErrNotFound, "DeleteRole of a role that was deleted")
	late := w.aMembership(team, w.user().ID)
	late.Custom = role.ID
	w.is(memberships().put(w, late), tenancy.ErrNotFound, "InsertMembership in a role that was deleted")
}

func deleteRoleRace(w *world) {
	team := w.team()
	for round := range w.rounds {
		role := w.role(team.Account)
		m := w.aMembership(team.ID, w.user().ID)
		m.Custom = role.ID
		errs := w.crowd(2, func(i int) error {
			return w.store.InTx(w.ctx, func(ctx context.Context) error {
				if i == 0 {
					return w.store.DeleteRole(ctx, role.Account, role.ID)
				}
				return w.store.InsertMembership(ctx, m)
			})
		})
		_, gone := w.store.Role(w.ctx, role.Account, role.ID)
		_, alone := w.store.Membership(w.ctx, team.ID, m.User)
		deleted := errs[0] == nil && errors.Is(errs[1], tenancy.ErrNotFound) && errors.Is(gone, tenancy.ErrNotFound) && errors.Is(alone, tenancy.ErrNotFound)
		joined := errs[1] == nil && errors.Is(errs[0], tenancy.ErrConflict) && gone == nil && alone == nil
		if deleted == joined {
			w.breaks("round %d: the deletion answered %s, the insert of a membership %s; then the role %s, and the membership %s",
				round, show(errs[0]), show(errs[1]), show(gone), show(alone))
			return
		}
	}
}

func rolesInCase(w *world) {
	account := w.account().ID
	var want []tenancy.CustomRole
	at := w.now()
	for range 6 {
		r := w.aRole(account)
		r.CreatedAt = at
		roles().store(w, r)
		want = append(want, r)
		w.role(w.account().ID)
	}
	older := w.aRole(account)
	older.CreatedAt = at.Add(-time.Microsecond)
	roles().store(w, older)
	slices.SortFunc(want, func(a, b tenancy.CustomRole) int { return slices.Compare(a.ID[:], b.ID[:]) })
	lists(w, append([]tenancy.CustomRole{older}, want...), "RolesIn")(w.store.RolesIn(w.ctx, account))
	lists[tenancy.CustomRole](w, nil, "RolesIn an account without any")(w.store.RolesIn(w.ctx, w.account().ID))
	lists[tenancy.CustomRole](w, nil, "RolesIn an account that does not exist")(w.store.RolesIn(w.ctx, newID[tenancy.AccountID](w)))
}

func membersWithRoleCase(w *world) {
	account := w.account().ID
	role, other := w.role(account), w.role(account)
	var want []tenancy.Membership
	join := func(team tenancy.TeamID, custom tenancy.RoleID, status tenancy.MembershipStatus) {
		m := w.aMembership(team, w.user().ID)
		m.Custom, m.Status, m.ExpiresAt = custom, status, m.JoinedAt
		memberships().store(w, m)
		if custom == role.ID && status != tenancy.MembershipRemoved {
			want = append(want, m)
		}
	}
	for range 3 {
		team := w.teamIn(account).ID
		for _, status := range []tenancy.MembershipStatus{tenancy.MembershipActive, tenancy.MembershipSuspended, tenancy.MembershipRemoved} {
			join(team, role.ID, status)
			join(team, other.ID, status)
			join(team, tenancy.RoleID{}, status)
		}
	}
	slices.SortFunc(want, func(a, b tenancy.Membership) int {
		return cmp.Or(slices.Compare(a.Team[:], b.Team[:]), slices.Compare(a.User[:], b.User[:]))
	})
	lists(w, want, "MembersWithRole")(w.store.MembersWithRole(w.ctx, account, role.ID))
	lists[tenancy.Membership](w, nil, "MembersWithRole that nobody has")(w.store.MembersWithRole(w.ctx, account, w.role(account).ID))
	lists[tenancy.Membership](w, nil, "MembersWithRole that does not exist")(w.store.MembersWithRole(w.ctx, account, newID[tenancy.RoleID](w)))
}

func noPermissionsCase(w *world) {
	r := w.aRole(w.account().ID)
	r.Permissions = []string{}
	roles().store(w, r)
	r.Permissions = nil
	roles().holds(w, r, "an insert with an empty list of permissions")
	lists(w, []tenancy.CustomRole{r}, "RolesIn")(w.store.RolesIn(w.ctx, r.Account))
}
