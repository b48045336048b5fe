package tenancy_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

type eraser struct{ told []tenancy.Erasure }

func (e *eraser) Erase(_ context.Context, erasure tenancy.Erasure) error {
	e.told = append(e.told, erasure)
	return nil
}

func TestSpec4_6_DeleteUser(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		team := s.team(alice, "Sales")
		bob := s.member(team, "Bob", rbac.Member)
		room := &eraser{}
		s.people.BindErasures(room)
		_, err := s.people.Switch(ctx, bob.User, team.ID)
		require.NoError(t, err)
		before := len(s.userEvents(bob.User))

		require.NoError(t, s.people.DeleteUser(ctx, host, bob.User, tenancy.UserID{}))
		gone, err := s.people.User(ctx, bob.User)
		require.NoError(t, err)
		assert.Equal(t, tenancy.User{
			ID: bob.User, Name: tenancy.Tombstone, Status: tenancy.UserDeleted, CreatedAt: gone.CreatedAt, Version: gone.Version,
		}, gone)
		m, err := s.store.Membership(ctx, team.ID, bob.User)
		require.NoError(t, err)
		assert.Equal(t, tenancy.MembershipRemoved, m.Status)
		require.Len(t, s.left, 1)
		assert.Equal(t, []tenancy.Erasure{{User: bob.User, Email: "bob@acme.example", By: host, At: s.now}}, room.told)
		assert.Equal(t, []string{tenancy.UserErased}, s.userEvents(bob.User)[before:])
		for name, try := range map[string]func() error{
			"Check":         func() error { return s.people.Check(ctx, bob, rbac.ReadTeam) },
			"MyTeams":       func() error { _, err := s.people.MyTeams(ctx, bob.User, tenancy.Page{}); return err },
			"CreateAccount": func() error { _, err := s.people.CreateAccount(ctx, bob.User, "Mine"); return err },
			"Switch":        func() error { _, err := s.people.Switch(ctx, bob.User, team.ID); return err },
			"ChangeEmail":   func() error { _, err := s.people.ChangeEmail(ctx, host, bob.User, "b@acme.example", true); return err },
			"Admit": func() error {
				_, err := s.people.Admit(ctx, host, tenancy.Admission{Team: team.ID, User: bob.User, Role: rbac.Member})
				return err
			},
		} {
			require.Error(t, try(), name)
		}
		require.NoError(t, s.people.DeleteUser(ctx, host, bob.User, tenancy.UserID{}), "deleting again changes nothing")
		assert.Len(t, room.told, 1)

		again := s.user("Bob")
		assert.NotEqual(t, bob.User, again.ID, "C4: who comes back is somebody else")
		require.ErrorIs(t, s.people.Check(ctx, tenancy.Actor{User: again.ID, Team: team.ID}, rbac.ReadTeam), tenancy.ErrNotFound)
		require.ErrorIs(t, s.people.DeleteUser(ctx, host, tenancy.NewID[tenancy.UserID](tenancy.Env{}), tenancy.UserID{}), tenancy.ErrNotFound)
		require.ErrorIs(t, s.people.DeleteUser(ctx, host, tenancy.UserID{}, tenancy.UserID{}), tenancy.ErrNotFound)
	})
}

func TestSpec4_6_DeletionIsRefusedOrHandsOver(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice, carol := s.user("Alice"), s.user("Carol")
		sales, support := s.team(alice, "Sales"), s.team(alice, "Support")
		shared := s.team(s.user("Oscar"), "Shared")
		_, err := s.people.Admit(ctx, host, tenancy.Admission{Team: shared.ID, User: alice.ID, Role: rbac.Manager})
		require.NoError(t, err)
		_, err = s.people.Admit(ctx, host, tenancy.Admission{Team: support.ID, User: carol.ID, Role: rbac.Restricted, ExpiresAt: s.now.Add(time.Hour)})
		require.NoError(t, err)
		closed := s.team(alice, "Closed")
		_, err = s.people.CloseAccount(ctx, s.holder(closed.ID))
		require.NoError(t, err)

		var needed *tenancy.StillNeededError
		require.ErrorAs(t, s.people.DeleteUser(ctx, host, alice.ID, tenancy.UserID{}), &needed)
		assert.ElementsMatch(t, []tenancy.TeamID{sales.ID, support.ID}, needed.Teams)
		assert.ElementsMatch(t, []tenancy.AccountID{sales.Account, support.Account}, needed.Accounts)
		kept, err := s.people.User(ctx, alice.ID)
		require.NoError(t, err)
		assert.Equal(t, alice, kept)

		require.ErrorIs(t, s.people.DeleteUser(ctx, host, alice.ID, alice.ID), tenancy.ErrInvalid)
		require.ErrorIs(t, s.people.DeleteUser(ctx, host, alice.ID, tenancy.NewID[tenancy.UserID](tenancy.Env{})), tenancy.ErrNotFound)
		require.NoError(t, s.people.DeleteUser(ctx, host, alice.ID, carol.ID))
		for _, team := range []tenancy.Team{sales, support} {
			assert.Equal(t, carol.ID, s.holder(team.ID).User)
			m, err := s.store.Membership(ctx, team.ID, carol.ID)
			require.NoError(t, err)
			assert.Equal(t, rbac.Manager, m.Role)
			assert.Zero(t, m.ExpiresAt, "a lasting one")
			managed, err := s.store.Managed(ctx, tenancy.UserID{}, team.ID)
			require.NoError(t, err)
			assert.Equal(t, []tenancy.TeamID{team.ID}, managed)
		}
		require.ErrorIs(t, s.people.Check(ctx, tenancy.Actor{User: carol.ID, Team: shared.ID}, rbac.ReadTeam), tenancy.ErrNotFound,
			"a team that has another manager needs no successor")
	})
}

// Spec 4.6: an account alone needs its holder, too; and a user who is suspended as a whole is no successor.
func TestSpec4_6_AHolderWithoutTeams(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice, bob := s.user("Alice"), s.user("Bob")
		account, err := s.people.CreateAccount(ctx, alice.ID, "Acme")
		require.NoError(t, err)
		var needed *tenancy.StillNeededError
		require.ErrorAs(t, s.people.DeleteUser(ctx, host, alice.ID, tenancy.UserID{}), &needed)
		assert.Equal(t, tenancy.StillNeededError{Accounts: []tenancy.AccountID{account.ID}}, *needed)
		_, err = s.people.SuspendUser(ctx, host, bob.ID)
		require.NoError(t, err)
		require.Equal(t, tenancy.ErrInactive, s.people.DeleteUser(ctx, host, alice.ID, bob.ID))
		kept, err := s.people.Account(ctx, account.Holder(alice.ID))
		require.NoError(t, err)
		assert.Equal(t, account, kept)
		_, err = s.people.ReactivateUser(ctx, host, bob.ID)
		require.NoError(t, err)
		require.NoError(t, s.people.DeleteUser(ctx, host, alice.ID, bob.ID))
		passed, err := s.people.Account(ctx, account.Holder(bob.ID))
		require.NoError(t, err)
		assert.Equal(t, bob.ID, passed.HeldBy)
	})
}

// A deletion that is repeated finds nothing to do, whatever has become of the successor since.
func TestDeletingAgainAsksNothingOfTheSuccessor(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice, bob, carol := s.user("Alice"), s.user("Bob"), s.user("Carol")
		team := s.team(alice, "Sales")
		require.NoError(t, s.people.DeleteUser(ctx, host, alice.ID, bob.ID))
		require.NoError(t, s.people.DeleteUser(ctx, host, bob.ID, carol.ID))
		before := s.events(team.ID)
		require.NoError(t, s.people.DeleteUser(ctx, host, alice.ID, bob.ID))
		assert.Equal(t, before, s.events(team.ID))
	})
}

// Who is suspended, or finds no seat, is no successor; and then nothing has happened.
func TestSuccessorsWhoCannotBeOne(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		team := s.team(alice, "Sales")
		manager := tenancy.Actor{User: alice.ID, Team: team.ID}
		bob := s.member(team, "Bob", rbac.Member)
		_, err := s.people.Suspend(ctx, manager, bob.User)
		require.NoError(t, err)
		before := s.events(team.ID)
		var member *tenancy.MemberError
		require.ErrorAs(t, s.people.DeleteUser(ctx, host, alice.ID, bob.User), &member)
		s.seats(team, tenancy.HardSeats, 1)
		require.ErrorIs(t, s.people.DeleteUser(ctx, host, alice.ID, s.user("Carol").ID), tenancy.ErrLimit)
		assert.Equal(t, before, s.events(team.ID))
		assert.Equal(t, alice.ID, s.holder(team.ID).User)
		require.NoError(t, s.people.Check(ctx, manager, rbac.ChangeRole))
	})
}

// A successor is taken into all teams at once, from whatever they are in each, and each account answers for
// its own seats.
func TestASuccessorOfSeveralTeams(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice, carol := s.user("Alice"), s.user("Carol")
		joined, role, expiry := tenancy.MemberJoined, tenancy.MemberRoleChanged, tenancy.MemberExpiryChanged
		is := map[string]struct {
			as     func(team tenancy.Team) // what Carol is
			seats  tenancy.Seats
			told   []string
			warned bool // the account is
		}{
			"Stranger": {func(tenancy.Team) {}, tenancy.Seats{Rule: tenancy.WarnSeats, Limit: 1}, []string{joined}, true},
			"Former": {func(team tenancy.Team) {
				s.admits(team, carol, tenancy.Admission{Role: rbac.Restricted})
				require.NoError(t, s.people.Leave(ctx, tenancy.Actor{User: carol.ID, Team: team.ID}))
			}, tenancy.Seats{Rule: tenancy.WarnSeats, CountPending: true}, []string{joined}, true},
			"Guest": {func(team tenancy.Team) {
				s.admits(team, carol, tenancy.Admission{Role: rbac.Restricted})
			}, tenancy.Seats{Rule: tenancy.WarnSeats, Limit: 1}, []string{role}, true},
			"Member": {func(team tenancy.Team) {
				s.admits(team, carol, tenancy.Admission{Role: rbac.Member})
			}, tenancy.Seats{Rule: tenancy.HardSeats, Limit: 1}, []string{role}, false},
			"Custom": {func(team tenancy.Team) {
				s.admits(team, carol, tenancy.Admission{Custom: s.custom(team.ID, "Auditor", "audit: read").ID, ExpiresAt: s.now.Add(time.Hour)})
			}, tenancy.Seats{Rule: tenancy.WarnSeats}, []string{expiry, role}, false},
			"Manager": {func(team tenancy.Team) {
				s.admits(team, carol, tenancy.Admission{Role: rbac.Manager, ExpiresAt: s.now.Add(time.Hour)})
			}, tenancy.Seats{Rule: tenancy.HardSeats, CountPending: true, Limit: 2}, []string{expiry}, false},
		}
		teams, before, accounts := map[string]tenancy.Team{}, map[string]int{}, map[string]int{}
		for name, what := range is {
			team := s.team(alice, name)
			what.as(team)
			_, err := s.people.SetSeats(ctx, host, team.Account, what.seats)
			require.NoError(t, err)
			teams[name], before[name], accounts[name] = team, len(s.events(team.ID)), len(s.accountEvents(team.Account))
		}
		s.now, s.left = s.now.Add(time.Minute), nil
		require.NoError(t, s.people.DeleteUser(ctx, host, alice.ID, carol.ID))
		for name, what := range is {
			team := teams[name]
			m, err := s.store.Membership(ctx, team.ID, carol.ID)
			require.NoError(t, err)
			want := tenancy.Membership{
				Team: team.ID, User: carol.ID, Role: rbac.Manager, Status: tenancy.MembershipActive,
				JoinedAt: m.JoinedAt, JoinedBy: host.Principal(), Version: m.Version,
			}
			assert.Equal(t, want, m, name)
			assert.Equal(t, what.told[0] == joined, m.JoinedAt.Equal(s.now), name)
			assert.Equal(t, append(what.told, tenancy.MemberRemoved), s.events(team.ID)[before[name]:], name)
			told := []string{tenancy.AccountTransferred}
			if what.warned {
				told = append(told, tenancy.AccountSeatsExceeded)
			}
			assert.Equal(t, told, s.accountEvents(team.Account)[accounts[name]:], name)
			assert.Equal(t, carol.ID, s.holder(team.ID).User, name)
		}
		assert.Len(t, s.left, len(is))
		for _, left := range s.left {
			assert.NotEqual(t, carol.ID, left.User, "who becomes Manager loses nothing")
		}
	})
}

// admits takes the user into the team as the admission says.
func (s *scene) admits(team tenancy.Team, user tenancy.User, a tenancy.Admission) {
	s.t.Helper()
	a.Team, a.User = team.ID, user.ID
	_, err := s.people.Admit(s.t.Context(), host, a)
	require.NoError(s.t, err)
}

// Of several teams one in which the successor cannot follow keeps all as they are. Who has expired is revived no
// more than who is suspended, whether a sweep has come by or not.
func TestASuccessorIsRevivedInNoTeam(t *testing.T) {
	for _, swept := range []bool{false, true} {
		onEveryStore(t, func(t *testing.T, s *scene) {
			ctx := t.Context()
			alice, carol := s.user("Alice"), s.user("Carol")
			first, second, third := s.team(alice, "First"), s.team(alice, "Second"), s.team(alice, "Third")
			s.admits(second, carol, tenancy.Admission{Role: rbac.Manager, ExpiresAt: s.now.Add(time.Hour)})
			s.now = s.now.Add(time.Hour)
			if swept {
				expired, err := s.people.ExpireMembers(ctx, host)
				require.NoError(t, err)
				require.Equal(t, 1, expired)
			}
			told := func() (all []string) {
				for _, team := range []tenancy.Team{first, second, third} {
					all = append(append(all, s.events(team.ID)...), s.accountEvents(team.Account)...)
				}
				return all
			}
			before := told()
			var member *tenancy.MemberError
			require.ErrorAs(t, s.people.DeleteUser(ctx, host, alice.ID, carol.ID), &member)
			assert.Equal(t, second.ID, member.Membership.Team)
			assert.Equal(t, before, told())
			for _, team := range []tenancy.Team{first, third} {
				_, err := s.store.Membership(ctx, team.ID, carol.ID)
				require.ErrorIs(t, err, tenancy.ErrNotFound)
			}
		})
	}
}

func TestChangeEmail(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice, bob := s.user("Alice"), s.user("Bob")
		_, err := s.people.ChangeEmail(ctx, host, alice.ID, "BOB@acme.example", true)
		require.ErrorIs(t, err, tenancy.ErrEmailTaken)
		same, err := s.people.ChangeEmail(ctx, host, alice.ID, alice.Email.Display, true)
		require.NoError(t, err)
		assert.Equal(t, alice, same)

		s.now = s.now.Add(time.Hour)
		changed, err := s.people.ChangeEmail(ctx, host, alice.ID, "Alice@new.example", true)
		require.NoError(t, err)
		assert.Equal(t, s.now, changed.VerifiedAt)
		assert.Equal(t, "Alice", changed.Name)
		unverified, err := s.people.ChangeEmail(ctx, host, alice.ID, "Alice@new.example", false)
		require.NoError(t, err)
		assert.False(t, unverified.Verified(), "B2: verified means an explicit true")
		_, err = s.people.ChangeEmail(ctx, host, alice.ID, bob.Email.Display, false)
		require.NoError(t, err, "an unverified address gives nothing and takes nothing")
		for _, bad := range []string{"", "nobody", strings.Repeat("x", 1<<20)} {
			_, err = s.people.ChangeEmail(ctx, host, alice.ID, bad, true)
			require.ErrorIs(t, err, tenancy.ErrInvalid)
		}
	})
}
