package tenancy_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/tenancy"
)

func TestSpec3_CustomRoles(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		team := s.team(alice, "Sales")
		manager, holder := tenancy.Actor{User: alice.ID, Team: team.ID}, s.holder(team.ID)
		bob := s.member(team, "Bob", rbac.Restricted)
		before := len(s.accountEvents(holder.Account))

		spec := tenancy.RoleSpec{Name: "Auditor", Base: rbac.Restricted, Permissions: []string{"report: read", "audit: read", "report: read"}}
		auditor, err := s.people.DefineRole(ctx, holder, spec)
		require.NoError(t, err)
		assert.Equal(t, []string{"audit: read", "report: read"}, auditor.Permissions)
		_, err = s.people.DefineRole(ctx, holder, tenancy.RoleSpec{Name: " AUDITOR ", Base: rbac.Member})
		require.ErrorIs(t, err, tenancy.ErrNameTaken)

		require.ErrorIs(t, s.people.Check(ctx, bob, rbac.ReadAudit), rbac.ErrDenied)
		m, err := s.people.GiveRole(ctx, manager, bob.User, auditor.ID)
		require.NoError(t, err)
		assert.Equal(t, auditor.ID, m.Custom)
		assert.Equal(t, rbac.Restricted, m.Role, "the base")
		same, err := s.people.GiveRole(ctx, manager, bob.User, auditor.ID)
		require.NoError(t, err)
		assert.Equal(t, m, same, "the same role again changes nothing")
		require.NoError(t, s.people.Check(ctx, bob, rbac.ReadAudit))
		err = s.people.Check(ctx, bob, rbac.SendBlast)
		require.ErrorIs(t, err, rbac.ErrDenied)
		assert.Contains(t, err.Error(), `"Auditor"`, "the error calls the role by its name")

		var used *tenancy.RoleInUseError
		require.ErrorAs(t, s.people.DeleteRole(ctx, holder, auditor.ID), &used)
		assert.Equal(t, []tenancy.TeamID{team.ID}, used.Teams)
		spec.Permissions = []string{"report: read"}
		edited, err := s.people.EditRole(ctx, holder, auditor.ID, spec)
		require.NoError(t, err)
		same2, err := s.people.EditRole(ctx, holder, auditor.ID, spec)
		require.NoError(t, err)
		assert.Equal(t, edited, same2)
		require.ErrorIs(t, s.people.Check(ctx, bob, rbac.ReadAudit), rbac.ErrDenied, "from the next call on")
		listed, err := s.people.Roles(ctx, manager)
		require.NoError(t, err)
		assert.Equal(t, []tenancy.CustomRole{edited}, listed)

		_, err = s.people.ChangeRole(ctx, manager, bob.User, rbac.Restricted)
		require.NoError(t, err)
		require.ErrorIs(t, s.people.Check(ctx, bob, rbac.ReadReport), rbac.ErrDenied, "a built-in role takes its place")
		_, err = s.people.GiveRole(ctx, manager, bob.User, auditor.ID)
		require.NoError(t, err)
		require.NoError(t, s.people.Remove(ctx, manager, bob.User))
		require.NoError(t, s.people.DeleteRole(ctx, holder, auditor.ID), "who was removed has it no more")
		require.ErrorIs(t, s.people.DeleteRole(ctx, holder, auditor.ID), tenancy.ErrNotFound)
		assert.Equal(t, []string{tenancy.RoleDefined, tenancy.RoleEdited, tenancy.RoleDeleted}, s.accountEvents(holder.Account)[before:])
	})
}

// Spec 3: a custom role never holds more than its maker. The holder of an account is measured by what a
// Manager has, also where the host has taken something from managers that others keep.
func TestSpec3_NoCustomRoleAboveAManager(t *testing.T) {
	everystore.Run(t, func(t *testing.T, open func(*testing.T) storage.Store) {
		s := sceneOn(t, open(t), rbac.Deny(rbac.Manager, "blast", "send", rbac.ByTeam))
		ctx := t.Context()
		holder := s.holder(s.team(s.user("Alice"), "Sales").ID)
		own, err := s.people.DefineRole(ctx, holder, tenancy.RoleSpec{Name: "Reader", Base: rbac.Restricted, Permissions: []string{"report: read"}})
		require.NoError(t, err)
		for name, spec := range map[string]tenancy.RoleSpec{
			"added":       {Name: "Sender", Base: rbac.Restricted, Permissions: []string{"blast: send"}},
			"by its base": {Name: "Sender", Base: rbac.Member},
		} {
			_, err = s.people.DefineRole(ctx, holder, spec)
			require.ErrorIs(t, err, tenancy.ErrInvalid, name)
			spec.Base = rbac.Restricted
			spec.Permissions = []string{"blast: send"}
			_, err = s.people.EditRole(ctx, holder, own.ID, spec)
			require.ErrorIs(t, err, tenancy.ErrInvalid, name)
		}
		kept, err := s.people.AccountRoles(ctx, holder)
		require.NoError(t, err)
		assert.Equal(t, []tenancy.CustomRole{own}, kept)
	})
}

// Those who have a role have its base on their membership, so another base would reach nobody.
func TestACustomRoleKeepsItsBase(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		team := s.team(alice, "Sales")
		manager, holder := tenancy.Actor{User: alice.ID, Team: team.ID}, s.holder(team.ID)
		bob := s.member(team, "Bob", rbac.Member)
		role := s.custom(team.ID, "Auditor", "audit: read")
		_, err := s.people.GiveRole(ctx, manager, bob.User, role.ID)
		require.NoError(t, err)
		before := s.accountEvents(holder.Account)

		guest := tenancy.RoleSpec{Name: role.Name, Base: rbac.Restricted, Permissions: role.Permissions}
		_, err = s.people.EditRole(ctx, holder, role.ID, guest)
		require.ErrorIs(t, err, tenancy.ErrConflict)
		kept, err := s.store.Role(ctx, holder.Account, role.ID)
		require.NoError(t, err)
		assert.Equal(t, role, kept)
		assert.Equal(t, before, s.accountEvents(holder.Account))
	})
}

// Spec 4.5: an edit that takes rights away frees what the holders of the role hold, as giving each of
// them the lesser role would, in every team and in the same transaction.
func TestSpec4_5_EditingARoleFreesWhatItTakes(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		sales := s.team(alice, "Sales")
		holder := s.holder(sales.ID)
		jobs, err := s.people.CreateTeam(ctx, holder, tenancy.TeamSpec{Name: "Jobs"})
		require.NoError(t, err)
		spec := func(base rbac.Role, permissions ...string) tenancy.RoleSpec {
			return tenancy.RoleSpec{Name: "On top of " + base.String(), Base: base, Permissions: permissions}
		}
		give := func(actor tenancy.Actor, role tenancy.RoleID) tenancy.UserID {
			_, err := s.people.GiveRole(ctx, tenancy.Actor{User: alice.ID, Team: actor.Team}, actor.User, role)
			require.NoError(t, err)
			return actor.User
		}
		reader, err := s.people.DefineRole(ctx, holder, spec(rbac.Restricted, "audit: read", "report: read"))
		require.NoError(t, err)
		auditor, err := s.people.DefineRole(ctx, holder, spec(rbac.Member, "audit: read"))
		require.NoError(t, err)
		bob, carol := give(s.member(sales, "Bob", rbac.Restricted), reader.ID), give(s.member(jobs, "Carol", rbac.Restricted), reader.ID)
		give(s.member(sales, "Mia", rbac.Member), auditor.ID)
		s.member(sales, "Rex", rbac.Restricted)
		barred := give(s.member(jobs, "Dan", rbac.Restricted), reader.ID)
		_, err = s.people.Suspend(ctx, tenancy.Actor{User: alice.ID, Team: jobs.ID}, barred)
		require.NoError(t, err)
		edit := func(role tenancy.RoleID, to tenancy.RoleSpec) {
			s.left = nil
			_, err := s.people.EditRole(ctx, holder, role, to)
			require.NoError(t, err)
		}

		edit(reader.ID, spec(rbac.Restricted, "audit: read", "report: read", "dashboard: read"))
		assert.Empty(t, s.left, "more rights take nothing")
		edit(auditor.ID, spec(rbac.Member))
		assert.Empty(t, s.left, "who has all that members have keeps what they hold")
		edit(reader.ID, spec(rbac.Restricted, "dashboard: read", "report: read"))
		assert.ElementsMatch(t, []tenancy.Departure{
			{Team: sales, User: bob, By: holder, At: s.now}, {Team: jobs, User: carol, By: holder, At: s.now},
		}, s.left)
		edit(reader.ID, tenancy.RoleSpec{Name: "Renamed", Base: rbac.Restricted, Permissions: []string{"dashboard: read", "report: read"}})
		assert.Empty(t, s.left, "another name takes nothing")
	})
}

// A holder needs no team to see what roles there are; what is another account's is not found.
func TestAHolderReadsTheRolesOfTheAccount(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		manager := s.managed("Alice")
		holder, foreign := s.holder(manager.Team), s.holder(s.team(s.user("Oscar"), "Sales").ID)
		auditor := s.custom(manager.Team, "Auditor", "audit: read")
		theirs, err := s.people.DefineRole(ctx, foreign, tenancy.RoleSpec{Name: "Lead", Base: rbac.Member})
		require.NoError(t, err)
		_, err = s.people.Standing(ctx, tenancy.Actor{User: holder.User, Team: manager.Team})
		require.ErrorIs(t, err, tenancy.ErrNotFound, "they have left the team")
		_, err = s.people.SuspendAccount(ctx, host, holder.Account)
		require.NoError(t, err)

		listed, err := s.people.AccountRoles(ctx, holder)
		require.NoError(t, err, "reading goes on when the account is suspended")
		assert.Equal(t, []tenancy.CustomRole{auditor}, listed)
		read, err := s.people.AccountRole(ctx, holder, auditor.ID)
		require.NoError(t, err)
		assert.Equal(t, auditor, read)
		_, err = s.people.AccountRole(ctx, holder, theirs.ID)
		require.ErrorIs(t, err, tenancy.ErrNotFound)
		_, err = s.people.AccountRoles(ctx, tenancy.Holder{User: manager.User, Account: holder.Account})
		require.ErrorIs(t, err, tenancy.ErrNotFound, "a manager does not hold the account")
	})
}

// D8: what is wrong with a role of one account is refused at entry, and a role of one account is
// nothing in another.
func TestD8_CustomRolesAreValidatedAndTheirAccounts(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice, oscar := s.user("Alice"), s.user("Oscar")
		team, foreign := s.team(alice, "Sales"), s.team(oscar, "Sales")
		manager, holder := tenancy.Actor{User: alice.ID, Team: team.ID}, s.holder(team.ID)
		bob := s.member(team, "Bob", rbac.Member)
		for name, spec := range map[string]tenancy.RoleSpec{
			"no name":         {Base: rbac.Member},
			"bidi name":       {Name: "a\u202eb", Base: rbac.Member},
			"long name":       {Name: strings.Repeat("x", tenancy.MaxName+1), Base: rbac.Member},
			"no base":         {Name: "R"},
			"manager as base": {Name: "R", Base: rbac.Manager},
			"holder as base":  {Name: "R", Base: rbac.Holder},
			"unknown":         {Name: "R", Base: rbac.Member, Permissions: []string{"moon: walk"}},
			"wildcard":        {Name: "R", Base: rbac.Member, Permissions: []string{"*"}},
			"empty":           {Name: "R", Base: rbac.Member, Permissions: []string{""}},
			"nearly":          {Name: "R", Base: rbac.Member, Permissions: []string{"Audit: read"}},
			"the holder's":    {Name: "R", Base: rbac.Member, Permissions: []string{"account: close"}},
			"too many":        {Name: "R", Base: rbac.Member, Permissions: slicesRepeat("audit: read", rbac.MaxExtra+1)},
			"1 MiB":           {Name: "R", Base: rbac.Member, Permissions: []string{strings.Repeat("x", 1<<20)}},
		} {
			_, err := s.people.DefineRole(ctx, holder, spec)
			require.ErrorIs(t, err, tenancy.ErrInvalid, name)
			assert.Less(t, len(err.Error()), 1000, name)
		}
		theirs, err := s.people.DefineRole(ctx, s.holder(foreign.ID), tenancy.RoleSpec{Name: "R", Base: rbac.Member, Permissions: []string{"audit: read"}})
		require.NoError(t, err)
		for _, id := range []tenancy.RoleID{theirs.ID, tenancy.NewID[tenancy.RoleID](tenancy.Env{}), {}} {
			_, err = s.people.GiveRole(ctx, manager, bob.User, id)
			require.ErrorIs(t, err, tenancy.ErrNotFound)
			_, err = s.people.EditRole(ctx, holder, id, tenancy.RoleSpec{Name: "R", Base: rbac.Member})
			require.ErrorIs(t, err, tenancy.ErrNotFound)
			require.ErrorIs(t, s.people.DeleteRole(ctx, holder, id), tenancy.ErrNotFound)
		}
		_, err = s.people.DefineRole(ctx, tenancy.Holder{User: oscar.ID, Account: holder.Account}, tenancy.RoleSpec{Name: "R", Base: rbac.Member})
		require.ErrorIs(t, err, tenancy.ErrNotFound)
		require.ErrorIs(t, s.people.Check(ctx, bob, rbac.ReadAudit), rbac.ErrDenied)
	})
}

func slicesRepeat(text string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = text
	}
	return all
}

// A8, C10 for custom roles: nobody gives one that holds more than they do, nor acts on somebody
// whose custom role does.
func TestC10_CustomRolesAboveTheActor(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		team := s.team(s.user("Alice"), "Sales")
		manager, holder := tenancy.Actor{User: s.holder(team.ID).User, Team: team.ID}, s.holder(team.ID)
		define := func(name string, permissions ...string) tenancy.RoleID {
			role, err := s.people.DefineRole(ctx, holder, tenancy.RoleSpec{Name: name, Base: rbac.Member, Permissions: permissions})
			require.NoError(t, err)
			return role.ID
		}
		lead := define("Lead", "member: change role", "member: remove", "member: suspend")
		auditor := define("Auditor", "audit: read")
		bob, carol, dave := s.member(team, "Bob", rbac.Member), s.member(team, "Carol", rbac.Member), s.member(team, "Dave", rbac.Member)
		_, err := s.people.GiveRole(ctx, manager, bob.User, lead)
		require.NoError(t, err)
		_, err = s.people.GiveRole(ctx, manager, carol.User, auditor)
		require.NoError(t, err)

		_, err = s.people.GiveRole(ctx, bob, dave.User, auditor)
		require.ErrorIs(t, err, rbac.ErrDenied, "a lead may not read the audit log")
		_, err = s.people.GiveRole(ctx, bob, bob.User, auditor)
		require.ErrorIs(t, err, rbac.ErrDenied)
		_, err = s.people.ChangeRole(ctx, bob, bob.User, rbac.Manager)
		require.ErrorIs(t, err, rbac.ErrDenied)
		require.ErrorIs(t, s.people.Remove(ctx, bob, carol.User), rbac.ErrDenied)
		_, err = s.people.Suspend(ctx, bob, carol.User)
		require.ErrorIs(t, err, rbac.ErrDenied)
		_, err = s.people.SetExpiry(ctx, bob, carol.User, s.now.Add(1e12))
		require.ErrorIs(t, err, rbac.ErrDenied)
		_, err = s.people.GiveRole(ctx, bob, dave.User, lead)
		require.NoError(t, err, "what they hold they may give")
		_, err = s.people.GiveRole(ctx, dave, manager.User, lead)
		require.ErrorIs(t, err, rbac.ErrDenied, "a lead is not above a manager")
	})
}

// Who has the permission and not all that the other holds is told so, also when the answer is kept.
func TestC10_WhoIsOutrankedIsToldSo(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		team := s.team(alice, "Sales")
		manager, bob := tenancy.Actor{User: alice.ID, Team: team.ID}, s.member(team, "Bob", rbac.Member)
		outranked := func(err error) bool {
			var denied *rbac.DeniedError
			require.ErrorAs(t, err, &denied)
			assert.Equal(t, rbac.RemoveMember, denied.Permission)
			return denied.Outranked
		}
		assert.False(t, outranked(s.people.Remove(ctx, bob, alice.ID)), "a member removes nobody")
		_, err := s.people.GiveRole(ctx, manager, bob.User, s.custom(team.ID, "Lead", "member: remove").ID)
		require.NoError(t, err)
		keyed := tenancy.WithKey(ctx, "once")
		for range 2 {
			refused := s.people.Remove(keyed, bob, alice.ID)
			assert.True(t, outranked(refused))
			require.EqualError(t, refused, `denied: member as "Lead" has "member: remove" but does not hold all that the other role holds`)
		}
	})
}

// Spec 4.2: a holder who has a custom role themselves gives it no more than it holds, whatever it loses.
func TestSpec4_2_AHolderDoesNotRaiseTheirOwnRole(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		holder := s.user("Hanna")
		team := s.team(holder, "Sales")
		boss := s.member(team, "Alice", rbac.Manager)
		bob := s.member(team, "Bob", rbac.Member)
		scout := s.custom(team.ID, "Scout", "audit: read")
		for _, user := range []tenancy.UserID{bob.User, holder.ID} {
			_, err := s.people.GiveRole(ctx, boss, user, scout.ID)
			require.NoError(t, err)
		}
		edit := func(permissions ...string) error {
			_, err := s.people.EditRole(ctx, s.holder(team.ID), scout.ID,
				tenancy.RoleSpec{Name: "Scout", Base: rbac.Member, Permissions: permissions})
			return err
		}
		require.ErrorIs(t, edit("audit: read", "member: change role"), tenancy.ErrOwnRole)
		require.ErrorIs(t, edit("member: remove"), tenancy.ErrOwnRole)
		require.ErrorIs(t, s.people.Check(ctx, bob, rbac.RemoveMember), rbac.ErrDenied, "nothing is written")
		require.NoError(t, edit(), "less they may take")
		_, err := s.people.ChangeRole(ctx, boss, holder.ID, rbac.Manager)
		require.NoError(t, err)
		require.NoError(t, edit("member: remove"), "the role of others")
		require.NoError(t, s.people.Check(ctx, bob, rbac.RemoveMember))
	})
}

// unanswering is a store that cannot say who manages a team.
type unanswering struct{ storage.Store }

func (unanswering) Managed(context.Context, tenancy.UserID, ...tenancy.TeamID) ([]tenancy.TeamID, error) {
	return nil, tenancy.ErrUnavailable
}

// A store that does not answer has not said that there is no manager.
func TestNoAnswerIsNoLastManager(t *testing.T) {
	s := newScene(t)
	ctx := t.Context()
	team := s.team(s.user("Alice"), "Sales")
	holder := s.holder(team.ID)
	manager, bob := tenancy.Actor{User: holder.User, Team: team.ID}, s.member(team, "Bob", rbac.Member)
	lead := s.custom(team.ID, "Lead", "member: change role")
	_, err := s.people.GiveRole(ctx, manager, bob.User, lead.ID)
	require.NoError(t, err)
	ill := sceneOn(t, unanswering{s.store})

	_, err = ill.people.EditRole(ctx, holder, lead.ID, tenancy.RoleSpec{Name: "Lead", Base: rbac.Member})
	require.ErrorIs(t, err, tenancy.ErrUnavailable)
	require.NotErrorIs(t, err, tenancy.ErrLastManager)
	_, err = s.people.Archive(ctx, manager, tenancy.Leftovers{})
	require.NoError(t, err)
	_, err = ill.people.Restore(ctx, manager)
	require.ErrorIs(t, err, tenancy.ErrUnavailable)
	require.NotErrorIs(t, err, tenancy.ErrLastManager)
}

func TestCustomRolesAreBounded(t *testing.T) {
	s := newScene(t)
	holder := s.holder(s.team(s.user("Alice"), "Sales").ID)
	for n := range tenancy.MaxRoles {
		_, err := s.people.DefineRole(t.Context(), holder, tenancy.RoleSpec{Name: fmt.Sprint("Role ", n), Base: rbac.Member})
		require.NoError(t, err)
	}
	_, err := s.people.DefineRole(t.Context(), holder, tenancy.RoleSpec{Name: "One too many", Base: rbac.Member})
	require.ErrorIs(t, err, tenancy.ErrLimit)
}
