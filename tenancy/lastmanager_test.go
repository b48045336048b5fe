package tenancy_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/tenancy"
)

// routes are all the ways in which a team could lose a manager.
var routes = map[string]route{
	"remove": func(s *scene, by tenancy.Actor, m tenancy.UserID) error {
		return s.people.Remove(s.t.Context(), by, m)
	},
	"leave": func(s *scene, by tenancy.Actor, m tenancy.UserID) error {
		return s.people.Leave(s.t.Context(), tenancy.Actor{User: m, Team: by.Team})
	},
	"demote": func(s *scene, by tenancy.Actor, m tenancy.UserID) error {
		_, err := s.people.ChangeRole(s.t.Context(), by, m, rbac.Member)
		return err
	},
	"make guest": func(s *scene, by tenancy.Actor, m tenancy.UserID) error {
		_, err := s.people.ChangeRole(s.t.Context(), by, m, rbac.Restricted)
		return err
	},
	"custom role": func(s *scene, by tenancy.Actor, m tenancy.UserID) error {
		_, err := s.people.GiveRole(s.t.Context(), by, m, s.custom(by.Team, "Auditor", "audit: read").ID)
		return err
	},
	"suspend": func(s *scene, by tenancy.Actor, m tenancy.UserID) error {
		_, err := s.people.Suspend(s.t.Context(), by, m)
		return err
	},
	"expire": func(s *scene, by tenancy.Actor, m tenancy.UserID) error {
		_, err := s.people.SetExpiry(s.t.Context(), by, m, s.now.Add(time.Hour))
		return err
	},
	"suspend user": func(s *scene, _ tenancy.Actor, m tenancy.UserID) error {
		_, err := s.people.SuspendUser(s.t.Context(), host, m)
		return err
	},
	"delete user": func(s *scene, _ tenancy.Actor, m tenancy.UserID) error {
		return s.people.DeleteUser(s.t.Context(), host, m, tenancy.UserID{})
	},
}

// custom is the account's custom role of that name, made when first asked for.
func (s *scene) custom(team tenancy.TeamID, name string, permissions ...string) tenancy.CustomRole {
	s.t.Helper()
	holder := s.holder(team)
	roles, err := s.store.RolesIn(s.t.Context(), holder.Account)
	require.NoError(s.t, err)
	for _, r := range roles {
		if r.Name == name {
			return r
		}
	}
	role, err := s.people.DefineRole(s.t.Context(), holder, tenancy.RoleSpec{Name: name, Base: rbac.Member, Permissions: permissions})
	require.NoError(s.t, err)
	return role
}

// lastManager reports whether the error says that the team needs its manager.
func lastManager(err error) bool {
	var needed *tenancy.StillNeededError
	return errors.Is(err, tenancy.ErrLastManager) || errors.As(err, &needed) && len(needed.Teams) == 1
}

// C9: a team never has zero lasting managers, by any route.
func TestC9_LastManager(t *testing.T) {
	for name, route := range routes {
		t.Run(name, func(t *testing.T) {
			onEveryStore(t, func(t *testing.T, s *scene) {
				alice := s.managed("Alice")
				team, err := s.store.Team(t.Context(), alice.Team)
				require.NoError(t, err)
				s.custom(alice.Team, "Auditor", "audit: read")
				before := s.events(team.ID)
				refused := func(why string) {
					t.Helper()
					err := route(s, alice, alice.User)
					require.True(t, lastManager(err), "%s: %v", why, err)
					require.ErrorIs(t, err, tenancy.ErrConflict)
				}
				refused("alone")
				assert.Equal(t, before, s.events(team.ID))

				bob := s.member(team, "Bob", rbac.Manager)
				_, err = s.people.SetExpiry(t.Context(), alice, bob.User, s.now.Add(time.Hour))
				require.NoError(t, err)
				refused("a manager for a time does not count")
				_, err = s.people.SetExpiry(t.Context(), alice, bob.User, time.Time{})
				require.NoError(t, err)
				_, err = s.people.Suspend(t.Context(), alice, bob.User)
				require.NoError(t, err)
				refused("nor does a suspended one")
				require.NoError(t, s.people.Remove(t.Context(), alice, bob.User))
				refused("nor a removed one")

				carol := s.member(team, "Carol", rbac.Member)
				_, err = s.people.GiveRole(t.Context(), alice, carol.User, s.custom(team.ID, "Lister", "report: read").ID)
				require.NoError(t, err)
				refused("nor a custom role that may not change roles")
				_, err = s.people.GiveRole(t.Context(), alice, carol.User, s.custom(team.ID, "Lead", "member: change role").ID)
				require.NoError(t, err)
				require.NoError(t, route(s, alice, alice.User), "a custom role that may change roles counts")
			})
		})
	}
}

// The custom role that manages a team cannot lose the right to, nor be taken from the last who
// has it.
func TestC9_LastManagerInACustomRole(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.managed("Alice")
		holder := s.holder(alice.Team)
		lead := s.custom(alice.Team, "Lead", "member: change role", "member: remove")
		team, err := s.store.Team(ctx, alice.Team)
		require.NoError(t, err)
		bob := s.member(team, "Bob", rbac.Member)
		_, err = s.people.GiveRole(ctx, alice, bob.User, lead.ID)
		require.NoError(t, err)
		require.NoError(t, s.people.Leave(ctx, alice))

		weaker := tenancy.RoleSpec{Name: "Lead", Base: rbac.Member, Permissions: []string{"member: remove"}}
		_, err = s.people.EditRole(ctx, holder, lead.ID, weaker)
		require.ErrorIs(t, err, tenancy.ErrLastManager)
		kept, err := s.store.Role(ctx, holder.Account, lead.ID)
		require.NoError(t, err)
		assert.Equal(t, lead, kept, "nothing is half-written")
		require.ErrorIs(t, s.people.Leave(ctx, bob), tenancy.ErrLastManager)

		s.member(team, "Carol", rbac.Manager)
		_, err = s.people.EditRole(ctx, holder, lead.ID, weaker)
		require.NoError(t, err)
		require.ErrorIs(t, s.people.Check(ctx, bob, rbac.ChangeRole), rbac.ErrDenied, "an edit holds from the next call on")
		require.NoError(t, s.people.Check(ctx, bob, rbac.RemoveMember))
	})
}

// Spec 4.1: a team of an account that is closed is no longer at work, so nobody has to stay to manage it.
// One of an account that is suspended will be again, and keeps its manager.
func TestSpec4_1_AClosedAccountKeepsNobody(t *testing.T) {
	for _, name := range []string{"leave", "suspend user", "delete user"} { // the routes that are left open there
		t.Run(name, func(t *testing.T) {
			onEveryStore(t, func(t *testing.T, s *scene) {
				ctx := t.Context()
				alice := s.managed("Alice")
				holder := s.holder(alice.Team)
				_, err := s.people.SuspendAccount(ctx, host, holder.Account)
				require.NoError(t, err)
				require.True(t, lastManager(routes[name](s, alice, alice.User)), "a suspended account")
				_, err = s.people.ReactivateAccount(ctx, host, holder.Account)
				require.NoError(t, err)
				_, err = s.people.CloseAccount(ctx, holder)
				require.NoError(t, err)
				require.NoError(t, routes[name](s, alice, alice.User))
				managed, err := s.store.Managed(ctx, tenancy.UserID{}, alice.Team)
				require.NoError(t, err)
				require.Empty(t, managed)
				require.Empty(t, s.diagnosed(), "the doctor does not miss anybody either")
			})
		})
	}
}

// C9: which custom roles manage a team is what the policy in force says, also one that was reloaded
// since they were defined and given.
func TestC9_LastManagerFollowsThePolicy(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.managed("Alice")
		team, err := s.store.Team(ctx, alice.Team)
		require.NoError(t, err)
		bob := s.member(team, "Bob", rbac.Member)
		_, err = s.people.GiveRole(ctx, alice, bob.User, s.custom(alice.Team, "Auditor", "audit: read").ID)
		require.NoError(t, err)
		require.ErrorIs(t, s.people.Leave(ctx, alice), tenancy.ErrLastManager)

		// Given to members, every role on top of theirs has it.
		require.NoError(t, s.policy.Reload(rbac.Allow(rbac.Member, "member", "change role", rbac.ByTeam)))
		require.NoError(t, s.people.Check(ctx, bob, rbac.ChangeRole))
		require.NoError(t, s.people.Leave(ctx, alice))
		require.ErrorIs(t, s.people.Leave(ctx, bob), tenancy.ErrLastManager)
		require.Empty(t, s.diagnosed())

		// A reload asks nobody, so a team can be without a manager by it. The doctor says so.
		require.NoError(t, s.policy.Reload())
		assert.Equal(t, []tenancy.Finding{{
			Flaw: tenancy.FlawNoManager, Account: team.Account.UUID(), Team: team.ID.UUID(), Subject: team.ID.UUID(),
		}}, s.diagnosed())
		require.NoError(t, s.people.Leave(ctx, bob), "who manages no more keeps nothing going by staying")
	})
}

// C9: members whom the host's own rows let change roles are not counted, so nobody can leave a team to them
// and then they the team.
func TestC9_MembersWhoMayChangeRolesAreNoManagers(t *testing.T) {
	everystore.Run(t, func(t *testing.T, open func(*testing.T) storage.Store) {
		s := sceneOn(t, open(t), rbac.Allow(rbac.Member, "member", "change role", rbac.ByTeam))
		ctx := t.Context()
		alice := s.managed("Alice")
		team, err := s.store.Team(ctx, alice.Team)
		require.NoError(t, err)
		bob := s.member(team, "Bob", rbac.Member)
		require.NoError(t, s.people.Check(ctx, bob, rbac.ChangeRole))
		_, err = s.people.ChangeRole(ctx, alice, alice.User, rbac.Member)
		require.ErrorIs(t, err, tenancy.ErrLastManager)
		require.Empty(t, s.diagnosed())

		// A custom role that may change roles counts, here by its base; then it is the one that has to stay.
		_, err = s.people.GiveRole(ctx, alice, bob.User, s.custom(team.ID, "Auditor", "audit: read").ID)
		require.NoError(t, err)
		_, err = s.people.ChangeRole(ctx, alice, alice.User, rbac.Member)
		require.NoError(t, err)
		_, err = s.people.ChangeRole(ctx, bob, bob.User, rbac.Member)
		require.ErrorIs(t, err, tenancy.ErrLastManager)
		require.Empty(t, s.diagnosed())
	})
}

// Spec 4.1: an archived team needs no manager, also when a role that managed it becomes less.
func TestSpec4_1_ARoleThatManagesOnlyWhatIsArchivedCanBecomeLess(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.managed("Alice")
		team, err := s.store.Team(ctx, alice.Team)
		require.NoError(t, err)
		lead := s.custom(team.ID, "Lead", "member: change role")
		bob := s.member(team, "Bob", rbac.Member)
		_, err = s.people.GiveRole(ctx, alice, bob.User, lead.ID)
		require.NoError(t, err)
		_, err = s.people.Archive(ctx, alice, tenancy.Leftovers{})
		require.NoError(t, err)
		require.NoError(t, s.people.Leave(ctx, alice))
		_, err = s.people.EditRole(ctx, s.holder(team.ID), lead.ID, tenancy.RoleSpec{Name: "Lead", Base: rbac.Member})
		require.NoError(t, err)
		require.ErrorIs(t, s.people.Check(ctx, bob, rbac.ChangeRole), rbac.ErrDenied)
	})
}

// C9, at once: each of two managers takes a route against the other at the same instant, for
// every pair of routes.
func TestC9_TwoManagersAtOnce(t *testing.T) {
	names := slices.Sorted(maps.Keys(routes))
	onEveryStore(t, func(t *testing.T, s *scene) {
		for i, nameA := range names {
			for _, nameB := range names[i:] {
				for round := range everystore.Rounds(10) {
					s.duel(t, fmt.Sprint(nameA, " and ", nameB, " ", round), routes[nameA], routes[nameB])
				}
			}
		}
	})
}

type route = func(s *scene, by tenancy.Actor, manager tenancy.UserID) error

// duel lets two managers take their routes against each other, and looks who is left.
func (s *scene) duel(t *testing.T, name string, routeA, routeB route) {
	t.Helper()
	a := s.managed(strings.ReplaceAll(name, " ", "-"))
	team, err := s.store.Team(t.Context(), a.Team)
	require.NoError(t, err)
	b := s.member(team, "rival-of-"+strings.ReplaceAll(name, " ", "-"), rbac.Manager)
	s.custom(team.ID, "Auditor", "audit: read")
	var wg sync.WaitGroup
	start := make(chan struct{})
	for _, try := range []func() error{
		func() error { return routeA(s, a, b.User) },
		func() error { return routeB(s, b, a.User) },
	} {
		wg.Go(func() {
			<-start
			_ = try()
		})
	}
	close(start)
	wg.Wait()
	managed, err := s.store.Managed(t.Context(), tenancy.UserID{}, team.ID)
	require.NoError(t, err)
	require.Equal(t, []tenancy.TeamID{team.ID}, managed, name)
}
