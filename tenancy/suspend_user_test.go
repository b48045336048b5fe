package tenancy_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// Spec 4.5, 4.7: who is suspended as a whole has no rights from the next call on, in any team and for
// themselves; what they held in each goes back; and they come back as what they were.
func TestSpec4_SuspendUser(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		sales, jobs := s.team(alice, "Sales"), s.team(alice, "Jobs")
		bob := s.member(sales, "Bob", rbac.Manager)
		elsewhere := tenancy.Actor{User: bob.User, Team: jobs.ID}
		for _, team := range []tenancy.Team{jobs, s.team(alice, "Left"), s.team(alice, "Barred")} {
			_, err := s.people.Admit(ctx, host, tenancy.Admission{Team: team.ID, User: bob.User, Role: rbac.Member})
			require.NoError(t, err)
			switch team.Name {
			case "Left":
				require.NoError(t, s.people.Leave(ctx, tenancy.Actor{User: bob.User, Team: team.ID}))
			case "Barred":
				_, err = s.people.Suspend(ctx, tenancy.Actor{User: alice.ID, Team: team.ID}, bob.User)
				require.NoError(t, err)
			}
		}
		_, err := s.people.CreateAccount(ctx, bob.User, "Mine")
		require.NoError(t, err)
		before, salesBefore := len(s.userEvents(bob.User)), s.events(sales.ID)
		s.left = nil

		s.now = s.now.Add(time.Hour)
		suspended, err := s.people.SuspendUser(ctx, host, bob.User)
		require.NoError(t, err)
		assert.Equal(t, tenancy.UserSuspended, suspended.Status)
		freed := map[tenancy.TeamID]bool{}
		for _, d := range s.left {
			assert.Equal(t, tenancy.Departure{Team: d.Team, User: bob.User, By: host, At: s.now}, d)
			freed[d.Team.ID] = true
		}
		assert.Equal(t, map[tenancy.TeamID]bool{sales.ID: true, jobs.ID: true}, freed, "in the teams that they work in")
		for name, try := range map[string]func() error{
			"Check":         func() error { return s.people.Check(ctx, bob, rbac.ReadTeam) },
			"another team":  func() error { return s.people.Check(ctx, elsewhere, rbac.ReadTeam) },
			"Leave":         func() error { _, err := s.people.Standing(ctx, bob); return err },
			"MyTeams":       func() error { _, err := s.people.MyTeams(ctx, bob.User, tenancy.Page{}); return err },
			"MyAccounts":    func() error { _, err := s.people.MyAccounts(ctx, bob.User, tenancy.Page{}); return err },
			"CreateAccount": func() error { _, err := s.people.CreateAccount(ctx, bob.User, "More"); return err },
			"SetAutoclaim":  func() error { _, err := s.people.SetAutoclaim(ctx, bob.User, true); return err },
			"Admit": func() error {
				_, err := s.people.Admit(ctx, host, tenancy.Admission{Team: s.team(s.user("Oscar"), "Other").ID, User: bob.User, Role: rbac.Member})
				return err
			},
		} {
			require.ErrorIs(t, try(), tenancy.ErrInactive, name)
		}
		m, err := s.store.Membership(ctx, sales.ID, bob.User)
		require.NoError(t, err)
		assert.Equal(t, tenancy.MembershipActive, m.Status, "the membership stays as it is")
		again, err := s.people.SuspendUser(ctx, host, bob.User)
		require.NoError(t, err)
		assert.Equal(t, suspended, again)
		assert.Len(t, s.left, 2, "suspending again changes nothing")

		active, err := s.people.ReactivateUser(ctx, host, bob.User)
		require.NoError(t, err)
		again, err = s.people.ReactivateUser(ctx, host, bob.User)
		require.NoError(t, err)
		assert.Equal(t, active, again)
		require.NoError(t, s.people.Check(ctx, bob, rbac.ChangeRole))
		require.NoError(t, s.people.Check(ctx, elsewhere, rbac.ReadTeam))
		mine, err := s.people.MyTeams(ctx, bob.User, tenancy.Page{})
		require.NoError(t, err)
		assert.Len(t, mine.Items, 2, "who was suspended in a team before is so still")
		assert.Equal(t, []string{tenancy.UserStatusChanged, tenancy.UserStatusChanged}, s.userEvents(bob.User)[before:])
		assert.Equal(t, salesBefore, s.events(sales.ID))
	})
}

// Spec 4.1, 4.6: as with a deletion, the refusal lists the teams that need the user, and nothing is
// half-done.
func TestSpec4_1_SuspensionOfAUserWhoIsNeeded(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		sales, jobs, shared := s.team(alice, "Sales"), s.team(alice, "Jobs"), s.team(alice, "Shared")
		s.member(shared, "Bob", rbac.Manager)
		carol := s.member(sales, "Carol", rbac.Manager)
		_, err := s.people.SuspendUser(ctx, host, carol.User)
		require.NoError(t, err)
		s.left = nil

		_, err = s.people.SuspendUser(ctx, host, alice.ID)
		var needed *tenancy.StillNeededError
		require.ErrorAs(t, err, &needed)
		require.ErrorIs(t, err, tenancy.ErrConflict)
		assert.ElementsMatch(t, []tenancy.TeamID{sales.ID, jobs.ID}, needed.Teams, "a manager who is suspended does not count")
		assert.Empty(t, needed.Accounts, "an account can wait for its holder")
		assert.Empty(t, s.left)
		u, err := s.people.User(ctx, alice.ID)
		require.NoError(t, err)
		assert.Equal(t, tenancy.UserActive, u.Status)

		require.NoError(t, s.people.DeleteUser(ctx, host, carol.User, tenancy.UserID{}), "who is suspended can be deleted")
		for _, nobody := range []tenancy.UserID{carol.User, tenancy.NewID[tenancy.UserID](tenancy.Env{}), {}} {
			_, err = s.people.SuspendUser(ctx, host, nobody)
			require.ErrorIs(t, err, tenancy.ErrNotFound)
			_, err = s.people.ReactivateUser(ctx, host, nobody)
			require.ErrorIs(t, err, tenancy.ErrNotFound)
		}
		_, err = s.people.SuspendUser(ctx, "", alice.ID)
		require.ErrorIs(t, err, tenancy.ErrNoPrincipal)
	})
}
