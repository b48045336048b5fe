package tenancy_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/tenancy"
)

func TestChangeRole(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		team := s.team(alice, "Sales")
		manager := tenancy.Actor{User: alice.ID, Team: team.ID}
		bob := s.member(team, "Bob", rbac.Member)
		before := len(s.events(team.ID))

		same, err := s.people.ChangeRole(ctx, manager, bob.User, rbac.Member)
		require.NoError(t, err)
		assert.EqualValues(t, 1, same.Version)
		assert.Len(t, s.events(team.ID), before, "a no-op writes nothing and emits nothing")

		promoted, err := s.people.ChangeRole(ctx, manager, bob.User, rbac.Manager)
		require.NoError(t, err)
		assert.Equal(t, rbac.Manager, promoted.Role)
		assert.Equal(t, tenancy.MemberRoleChanged, s.events(team.ID)[before])
		require.NoError(t, s.people.Check(ctx, bob, rbac.InviteMember), "it holds from the next call on")

		_, err = s.people.ChangeRole(ctx, bob, alice.ID, rbac.Restricted)
		require.NoError(t, err)
		require.ErrorIs(t, s.people.Check(ctx, manager, rbac.ListMembers), rbac.ErrDenied)
		require.Len(t, s.left, 1, "who becomes restricted loses what members have")
		assert.Equal(t, alice.ID, s.left[0].User)
	})
}

// C7: a role outside the set is refused at every entry.
func TestC7_UnknownRoles(t *testing.T) {
	s := newScene(t)
	alice := s.user("Alice")
	team := s.team(alice, "Sales")
	bob := s.member(team, "Bob", rbac.Member)
	for _, role := range []rbac.Role{0, rbac.Holder, 200} {
		_, err := s.people.ChangeRole(t.Context(), tenancy.Actor{User: alice.ID, Team: team.ID}, bob.User, role)
		require.ErrorIs(t, err, tenancy.ErrInvalid)
		_, err = s.people.Admit(t.Context(), host, tenancy.Admission{Team: team.ID, User: s.user("Carol").ID, Role: role})
		require.ErrorIs(t, err, tenancy.ErrInvalid)
	}
}

// C10: a lower role never acts on a higher one, and nobody raises themselves.
func TestC10_LowerRolesActOnNobody(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		team := s.team(alice, "Sales")
		member, guest := s.member(team, "Bob", rbac.Member), s.member(team, "Carol", rbac.Restricted)
		before := s.events(team.ID)
		for _, actor := range []tenancy.Actor{member, guest} {
			for _, target := range []tenancy.UserID{alice.ID, member.User, guest.User} {
				for _, role := range rbac.TeamRoles() {
					_, err := s.people.ChangeRole(ctx, actor, target, role)
					require.ErrorIs(t, err, rbac.ErrDenied)
				}
				require.ErrorIs(t, s.people.Remove(ctx, actor, target), rbac.ErrDenied)
			}
		}
		assert.Equal(t, before, s.events(team.ID))
	})
}

// A8, C10: also where the host lets members change roles and remove people, nobody acts on
// whom they do not cover, nor grants what they do not hold.
func TestC10_NobodyGrantsWhatTheyDoNotHold(t *testing.T) {
	s := sceneOn(t, everystore.Memory(t),
		rbac.Allow(rbac.Member, "member", "change role", rbac.ByTeam), rbac.Allow(rbac.Member, "member", "remove", rbac.ByTeam))
	ctx := t.Context()
	alice := s.user("Alice")
	team := s.team(alice, "Sales")
	bob, carol := s.member(team, "Bob", rbac.Member), s.member(team, "Carol", rbac.Restricted)
	s.member(team, "Mary", rbac.Manager)

	_, err := s.people.ChangeRole(ctx, bob, alice.ID, rbac.Member)
	require.ErrorIs(t, err, rbac.ErrDenied, "acting on a higher role")
	_, err = s.people.ChangeRole(ctx, bob, carol.User, rbac.Manager)
	require.ErrorIs(t, err, rbac.ErrDenied, "granting a higher role")
	_, err = s.people.ChangeRole(ctx, bob, bob.User, rbac.Manager)
	require.ErrorIs(t, err, rbac.ErrDenied, "raising oneself")
	require.ErrorIs(t, s.people.Remove(ctx, bob, alice.ID), rbac.ErrDenied)
	_, err = s.people.ChangeRole(ctx, bob, carol.User, rbac.Member)
	require.NoError(t, err)
	require.NoError(t, s.people.Remove(ctx, bob, carol.User))
}

func TestRemoveKeepsTheRow(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		team := s.team(alice, "Sales")
		manager := tenancy.Actor{User: alice.ID, Team: team.ID}
		bob := s.member(team, "Bob", rbac.Member)
		s.now = s.now.Add(time.Hour)
		require.NoError(t, s.people.Remove(ctx, manager, bob.User))

		m, err := s.store.Membership(ctx, team.ID, bob.User)
		require.NoError(t, err)
		assert.Equal(t, tenancy.MembershipRemoved, m.Status)
		assert.Equal(t, s.now, m.EndedAt)
		assert.Equal(t, manager.Principal(), m.EndedBy)
		require.ErrorIs(t, s.people.Check(ctx, bob, rbac.ReadTeam), tenancy.ErrNotFound, "to whom was removed the team is not found")
		require.Len(t, s.left, 1)

		before := s.events(team.ID)
		require.NoError(t, s.people.Remove(ctx, manager, bob.User))
		assert.Equal(t, before, s.events(team.ID), "removing again changes nothing")
		require.Len(t, s.left, 1)
		_, err = s.people.ChangeRole(ctx, manager, bob.User, rbac.Manager)
		require.ErrorIs(t, err, tenancy.ErrNotFound)

		back, err := s.people.Admit(ctx, host, tenancy.Admission{Team: team.ID, User: bob.User, Role: rbac.Restricted})
		require.NoError(t, err)
		assert.Equal(t, rbac.Restricted, back.Role, "what comes back has only what it comes back with")
		assert.Zero(t, back.EndedAt)
		stored, err := s.store.Membership(ctx, team.ID, bob.User)
		require.NoError(t, err)
		assert.Equal(t, back, stored)
	})
}

func TestAdmitRefuses(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		team := s.team(s.user("Alice"), "Sales")
		bob := s.member(team, "Bob", rbac.Member)
		s.set(bob, func(m *tenancy.Membership) { m.Status = tenancy.MembershipSuspended })
		_, err := s.people.Admit(ctx, host, tenancy.Admission{Team: team.ID, User: bob.User, Role: rbac.Manager})
		var member *tenancy.MemberError
		require.ErrorAs(t, err, &member, "a suspended member is not revived in passing")
		require.ErrorIs(t, err, tenancy.ErrConflict)
		assert.Equal(t, tenancy.MembershipSuspended, member.Membership.Status)

		_, err = s.people.Admit(ctx, host, tenancy.Admission{Team: team.ID, User: tenancy.NewID[tenancy.UserID](tenancy.Env{}), Role: rbac.Member})
		require.ErrorIs(t, err, tenancy.ErrNotFound)
		_, err = s.people.Admit(ctx, host, tenancy.Admission{Team: team.ID, User: s.user("Carol").ID, Role: rbac.Member, ExpiresAt: s.now})
		require.ErrorIs(t, err, tenancy.ErrInvalid)
	})
}

func TestAdmitIntoACustomRole(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		team, foreign := s.team(s.user("Alice"), "Sales"), s.team(s.user("Oscar"), "Sales")
		spec := tenancy.RoleSpec{Name: "Auditor", Base: rbac.Restricted, Permissions: []string{"audit: read"}}
		role, err := s.people.DefineRole(ctx, s.holder(team.ID), spec)
		require.NoError(t, err)
		theirs, err := s.people.DefineRole(ctx, s.holder(foreign.ID), spec)
		require.NoError(t, err)
		bob := s.user("Bob").ID
		_, err = s.people.Admit(ctx, host, tenancy.Admission{Team: team.ID, User: bob, Role: rbac.Member, Custom: role.ID})
		require.ErrorIs(t, err, tenancy.ErrInvalid, "one role or the other")
		_, err = s.people.Admit(ctx, host, tenancy.Admission{Team: team.ID, User: bob, Custom: theirs.ID})
		require.ErrorIs(t, err, tenancy.ErrNotFound, "another account's role")
		m, err := s.people.Admit(ctx, host, tenancy.Admission{Team: team.ID, User: bob, Custom: role.ID})
		require.NoError(t, err)
		assert.Equal(t, rbac.Restricted, m.Role)
		assert.Equal(t, role.ID, m.Custom)
		require.NoError(t, s.people.Check(ctx, tenancy.Actor{User: bob, Team: team.ID}, rbac.ReadAudit))
	})
}

// Every check honours the expiry of a membership by the clock: at the instant it is over.
func TestMembershipExpiresByTheClock(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		team := s.team(s.user("Alice"), "Sales")
		end := s.now.Add(time.Hour)
		bob := tenancy.Actor{User: s.user("Bob").ID, Team: team.ID}
		_, err := s.people.Admit(ctx, host, tenancy.Admission{Team: team.ID, User: bob.User, Role: rbac.Member, ExpiresAt: end})
		require.NoError(t, err)
		s.now = end.Add(-time.Microsecond)
		require.NoError(t, s.people.Check(ctx, bob, rbac.ListMembers))
		s.now = end
		require.ErrorIs(t, s.people.Check(ctx, bob, rbac.ListMembers), tenancy.ErrInactive)
	})
}

func TestNonManagersCanAlwaysLeave(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		team := s.team(s.user("Alice"), "Sales")
		for _, role := range []rbac.Role{rbac.Member, rbac.Restricted} {
			require.NoError(t, s.people.Leave(t.Context(), s.member(team, role.String(), role)))
		}
	})
}

// C4: what is made anew under an old name has nothing of what the old one had: a member who comes back, a
// person who registers again, a role, a team.
func TestC4_RecreatedStartsWithNothing(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		team := s.team(alice, "Sales")
		boss, holder := tenancy.Actor{User: alice.ID, Team: team.ID}, s.holder(team.ID)
		lead := s.custom(team.ID, "Lead", "member: change role")
		bob, carol := s.member(team, "Bob", rbac.Manager), s.member(team, "Carol", rbac.Member)
		_, err := s.people.GiveRole(ctx, boss, carol.User, lead.ID)
		require.NoError(t, err)
		_, err = s.people.SetExpiry(ctx, boss, carol.User, s.now.Add(time.Hour))
		require.NoError(t, err)

		for _, who := range []tenancy.Actor{bob, carol} {
			require.NoError(t, s.people.Leave(ctx, who))
			again, err := s.people.Admit(ctx, host, tenancy.Admission{Team: team.ID, User: who.User, Role: rbac.Restricted})
			require.NoError(t, err)
			assert.Equal(t, tenancy.Membership{
				Team: team.ID, User: who.User, Role: rbac.Restricted, Status: tenancy.MembershipActive, JoinedAt: s.now,
				JoinedBy: host.Principal(), Version: again.Version,
			}, again)
			require.ErrorIs(t, s.people.Check(ctx, who, rbac.ListMembers), rbac.ErrDenied)
			require.ErrorIs(t, s.people.Check(ctx, who, rbac.ChangeRole), rbac.ErrDenied)
		}

		require.NoError(t, s.people.DeleteUser(ctx, host, bob.User, tenancy.UserID{}))
		born := s.user("Bob") // by the same address and external id
		assert.NotEqual(t, bob.User, born.ID)
		require.ErrorIs(t, s.people.Check(ctx, tenancy.Actor{User: born.ID, Team: team.ID}, rbac.ReadTeam), tenancy.ErrNotFound)
		mine, err := s.people.MyTeams(ctx, born.ID, tenancy.Page{})
		require.NoError(t, err)
		assert.Empty(t, mine.Items)

		dan := s.member(team, "Dan", rbac.Member)
		_, err = s.people.GiveRole(ctx, boss, dan.User, lead.ID)
		require.NoError(t, err)
		require.NoError(t, s.people.Leave(ctx, dan))
		require.NoError(t, s.people.DeleteRole(ctx, holder, lead.ID))
		anew := s.custom(team.ID, "Lead", "member: change role")
		assert.NotEqual(t, lead.ID, anew.ID)
		_, err = s.people.GiveRole(ctx, boss, carol.User, lead.ID)
		require.ErrorIs(t, err, tenancy.ErrNotFound)
		had, err := s.store.MembersWithRole(ctx, team.Account, anew.ID)
		require.NoError(t, err)
		assert.Empty(t, had)

		// The name of a team is free when it has another one.
		_, err = s.people.RenameTeam(ctx, boss, "Old sales")
		require.NoError(t, err)
		second, err := s.people.CreateTeam(ctx, holder, tenancy.TeamSpec{Name: "Sales"})
		require.NoError(t, err)
		require.ErrorIs(t, s.people.Check(ctx, tenancy.Actor{User: carol.User, Team: second.ID}, rbac.ReadTeam), tenancy.ErrNotFound)
	})
}

func TestMembersArePaged(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		team := s.team(alice, "Sales")
		actor := tenancy.Actor{User: alice.ID, Team: team.ID}
		for _, name := range []string{"B", "C", "D", "E"} {
			s.member(team, name, rbac.Member) // all joined at the same instant
		}
		seen := map[tenancy.UserID]bool{}
		page := tenancy.Page{Limit: 2}
		for range 3 {
			list, err := s.people.Members(ctx, actor, page)
			require.NoError(t, err)
			for _, m := range list.Items {
				assert.False(t, seen[m.User], "nobody is listed twice")
				seen[m.User] = true
			}
			page.After = list.Next
		}
		assert.Len(t, seen, 5)
		assert.Empty(t, page.After)
	})
}
