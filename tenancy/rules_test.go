package tenancy_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// rank is what somebody is in the test of who may act on whom: two ranks above one another, and one beside.
type rank string

const (
	boss    rank = "manager"
	lead    rank = "lead"    // a member who may act on others
	auditor rank = "auditor" // a member who reads what the lead does not
	worker  rank = "member"
	guest   rank = "restricted"
)

// holds says by hand whose rights each rank holds in full.
var holds = map[rank][]rank{
	boss:    {boss, lead, auditor, worker, guest},
	lead:    {lead, worker, guest},
	auditor: {auditor, worker, guest},
	worker:  {worker, guest},
	guest:   {guest},
}

// Spec 4.2: whoever acts on somebody holds what the other has and what the other gets. Every rank, on every
// rank, to every rank, by every operation on a member; themselves among them.
func TestSpec4_2_NobodyActsOrGrantsAboveWhatTheyHold(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		team := s.team(s.user("Owner"), "Sales")
		custom := map[rank]tenancy.CustomRole{
			lead:    s.custom(team.ID, "Lead", "member: change role", "member: remove", "member: suspend", "member: reactivate"),
			auditor: s.custom(team.ID, "Auditor", "audit: read"),
		}
		base := map[rank]rbac.Role{boss: rbac.Manager, lead: rbac.Member, auditor: rbac.Member, worker: rbac.Member, guest: rbac.Restricted}
		is := func(who tenancy.Actor, r rank) {
			s.set(who, func(m *tenancy.Membership) {
				version := m.Version
				*m = tenancy.Membership{
					Team: team.ID, User: who.User, Role: base[r], Custom: custom[r].ID, Status: tenancy.MembershipActive, JoinedAt: m.JoinedAt,
					JoinedBy: m.JoinedBy, Version: version,
				}
			})
		}
		to := func(by, m tenancy.Actor, r rank) error {
			if role, made := custom[r]; made {
				_, err := s.people.GiveRole(ctx, by, m.User, role.ID)
				return err
			}
			_, err := s.people.ChangeRole(ctx, by, m.User, base[r])
			return err
		}
		others := map[string]func(by, m tenancy.Actor) error{
			"remove":  func(by, m tenancy.Actor) error { return s.people.Remove(ctx, by, m.User) },
			"suspend": func(by, m tenancy.Actor) error { _, err := s.people.Suspend(ctx, by, m.User); return err },
			"reactivate": func(by, m tenancy.Actor) error {
				_, err := s.people.Reactivate(ctx, by, m.User)
				return err
			},
			"expire": func(by, m tenancy.Actor) error {
				_, err := s.people.SetExpiry(ctx, by, m.User, s.now.Add(time.Hour))
				return err
			},
		}
		actors, targets := map[rank]tenancy.Actor{}, map[rank]tenancy.Actor{}
		for r := range holds {
			actors[r], targets[r] = s.member(team, string(r), rbac.Member), s.member(team, string(r)+"-target", rbac.Member)
			is(actors[r], r)
			is(targets[r], r)
		}
		try := func(what string, by, of rank, who tenancy.Actor, may bool, act func(by, m tenancy.Actor) error) {
			t.Helper()
			row, err := s.store.Membership(ctx, team.ID, who.User)
			require.NoError(t, err)
			told := len(s.events(team.ID))
			err = act(actors[by], who)
			if may {
				require.NoError(t, err, what)
				is(who, of)
				return
			}
			require.ErrorIs(t, err, rbac.ErrDenied, what)
			after, err := s.store.Membership(ctx, team.ID, who.User)
			require.NoError(t, err)
			require.Equal(t, row, after, what)
			require.Len(t, s.events(team.ID), told, what)
		}
		acts := []rank{boss, lead} // who has the permissions at all
		for by := range holds {
			for of := range holds {
				may := slices.Contains(acts, by) && slices.Contains(holds[by], of)
				for name, act := range others {
					try(fmt.Sprint(by, ": ", name, " a ", of), by, of, targets[of], may, act)
				}
				for next := range holds {
					may := may && slices.Contains(holds[by], next)
					act := func(by, m tenancy.Actor) error { return to(by, m, next) }
					try(fmt.Sprint(by, ": make a ", of, " ", next), by, of, targets[of], may, act)
					if of == by {
						try(fmt.Sprint(by, ": make themselves ", next), by, by, actors[by], may, act)
					}
				}
			}
		}
	})
}

// Spec 4.3: switching works only where the same user is active now; all else is not found. And the team
// switched to is an authority nowhere.
func TestSpec4_3_SwitchingIsAPreference(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		sales, hiring := s.team(alice, "Sales"), s.team(alice, "Hiring") // of two accounts
		bob := s.member(sales, "Bob", rbac.Member)
		in := map[string]tenancy.TeamID{"of a stranger": s.team(s.user("Oscar"), "Foreign").ID, "random": tenancy.NewID[tenancy.TeamID](tenancy.Env{}), "no team": {}}
		for _, name := range []string{"suspended", "removed", "expired", "archived"} {
			team := s.team(alice, name)
			in[name] = team.ID
			_, err := s.people.Admit(ctx, host, tenancy.Admission{Team: team.ID, User: bob.User, Role: rbac.Member, ExpiresAt: s.now.Add(time.Hour)})
			require.NoError(t, err)
		}
		_, err := s.people.Admit(ctx, host, tenancy.Admission{Team: hiring.ID, User: bob.User, Role: rbac.Restricted})
		require.NoError(t, err)
		boss := func(name string) tenancy.Actor { return tenancy.Actor{User: alice.ID, Team: in[name]} }
		_, err = s.people.Suspend(ctx, boss("suspended"), bob.User)
		require.NoError(t, err)
		require.NoError(t, s.people.Remove(ctx, boss("removed"), bob.User))
		_, err = s.people.SetExpiry(ctx, boss("archived"), bob.User, time.Time{})
		require.NoError(t, err)
		_, err = s.people.Archive(ctx, boss("archived"), tenancy.Leftovers{})
		require.NoError(t, err)
		s.now = s.now.Add(time.Hour)

		for _, team := range []tenancy.TeamID{hiring.ID, in["archived"], sales.ID} { // which can be read
			found, err := s.people.Switch(ctx, bob.User, team)
			require.NoError(t, err)
			assert.Equal(t, team, found.ID)
			u, err := s.people.User(ctx, bob.User)
			require.NoError(t, err)
			assert.Equal(t, team, u.ActiveTeam)
		}
		told := len(s.userEvents(bob.User))
		for _, name := range []string{"of a stranger", "random", "no team", "suspended", "removed", "expired"} {
			_, err := s.people.Switch(ctx, bob.User, in[name])
			assert.Equal(t, tenancy.ErrNotFound, err, name)
		}
		assert.Len(t, s.userEvents(bob.User), told)

		// Somebody else with the address, which they have not proven to own, is somebody else.
		imposter, err := s.people.Register(ctx, host, tenancy.Profile{ExternalID: "imposter", Email: "bob@acme.example", Name: "Bob"})
		require.NoError(t, err)
		_, err = s.people.Switch(ctx, imposter.ID, sales.ID)
		assert.Equal(t, tenancy.ErrNotFound, err)

		// The active team, which is Sales, gives nothing elsewhere, takes nothing away there, and nothing is left of
		// it when the membership ends.
		there := tenancy.Actor{User: bob.User, Team: hiring.ID}
		require.ErrorIs(t, s.people.Check(ctx, there, rbac.ListMembers), rbac.ErrDenied, "a guest there, whatever they are in Sales")
		_, err = s.people.ChangeRole(ctx, tenancy.Actor{User: alice.ID, Team: hiring.ID}, bob.User, rbac.Manager)
		require.NoError(t, err)
		require.NoError(t, s.people.Check(ctx, there, rbac.ChangeRole))
		require.ErrorIs(t, s.people.Check(ctx, bob, rbac.ChangeRole), rbac.ErrDenied)
		require.NoError(t, s.people.Remove(ctx, tenancy.Actor{User: alice.ID, Team: sales.ID}, bob.User))
		u, err := s.people.User(ctx, bob.User)
		require.NoError(t, err)
		assert.Equal(t, sales.ID, u.ActiveTeam, "still what they liked")
		require.ErrorIs(t, s.people.Check(ctx, bob, rbac.ReadTeam), tenancy.ErrNotFound)
	})
}

// Spec 4.7: what is so already is written by no operation, and told by none.
func TestSpec4_7_WhatIsSoChangesNothing(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		team := s.team(alice, "Sales")
		boss, holder := tenancy.Actor{User: alice.ID, Team: team.ID}, s.holder(team.ID)
		bob := s.member(team, "Bob", rbac.Member)
		role := s.custom(team.ID, "Lead", "member: change role")
		end := s.now.Add(time.Hour)
		profile := tenancy.Profile{ExternalID: "Bob", Email: "bob@acme.example", Verified: true, Name: "Bob"}
		seats := tenancy.Seats{Rule: tenancy.HardSeats, Limit: 9}

		// Each is done twice, one after the other.
		var steps []step
		add := func(name string, call func() error) { steps = append(steps, step{name, call}) }
		add("Register", func() error { _, err := s.people.Register(ctx, host, profile); return err })
		add("ChangeEmail", func() error {
			_, err := s.people.ChangeEmail(ctx, host, bob.User, "Bob@Acme.example", true)
			return err
		})
		add("SetAutoclaim", func() error { _, err := s.people.SetAutoclaim(ctx, bob.User, true); return err })
		add("Switch", func() error { _, err := s.people.Switch(ctx, bob.User, team.ID); return err })
		add("ChangeRole", func() error { _, err := s.people.ChangeRole(ctx, boss, bob.User, rbac.Restricted); return err })
		add("GiveRole", func() error { _, err := s.people.GiveRole(ctx, boss, bob.User, role.ID); return err })
		add("SetExpiry", func() error { _, err := s.people.SetExpiry(ctx, boss, bob.User, end); return err })
		add("Suspend", func() error { _, err := s.people.Suspend(ctx, boss, bob.User); return err })
		add("Reactivate", func() error { _, err := s.people.Reactivate(ctx, boss, bob.User); return err })
		add("SuspendUser", func() error { _, err := s.people.SuspendUser(ctx, host, bob.User); return err })
		add("ReactivateUser", func() error { _, err := s.people.ReactivateUser(ctx, host, bob.User); return err })
		add("EditRole", func() error {
			_, err := s.people.EditRole(ctx, holder, role.ID, tenancy.RoleSpec{Name: "Lead", Base: rbac.Member, Permissions: []string{"audit: read", "audit: read"}})
			return err
		})
		add("RenameTeam", func() error { _, err := s.people.RenameTeam(ctx, boss, " Inside  Sales "); return err })
		add("Configure", func() error {
			_, err := s.people.Configure(ctx, boss, tenancy.Settings{TimeZone: "Europe/Berlin", DeliverTo: []tenancy.TeamID{team.ID, team.ID}})
			return err
		})
		add("RenameAccount", func() error { _, err := s.people.RenameAccount(ctx, holder, "Acme"); return err })
		add("AddService", func() error { _, err := s.people.AddService(ctx, holder, "sms", 3); return err })
		add("RemoveService", func() error { _, err := s.people.RemoveService(ctx, holder, "sms"); return err })
		add("SetSeats", func() error { _, err := s.people.SetSeats(ctx, host, team.Account, seats); return err })
		add("SuspendAccount", func() error { _, err := s.people.SuspendAccount(ctx, host, team.Account); return err })
		add("ReactivateAccount", func() error { _, err := s.people.ReactivateAccount(ctx, host, team.Account); return err })
		add("AdmitGuests", func() error { return s.people.AdmitGuests(ctx, host, team.ID, s.user("Gina").ID) })
		add("Remove", func() error { return s.people.Remove(ctx, boss, bob.User) })
		add("DeleteUser", func() error { return s.people.DeleteUser(ctx, host, bob.User, tenancy.UserID{}) })
		add("Archive", func() error { _, err := s.people.Archive(ctx, boss, tenancy.Leftovers{}); return err })
		add("Restore", func() error { _, err := s.people.Restore(ctx, boss); return err })
		add("CloseAccount", func() error { _, err := s.people.CloseAccount(ctx, holder); return err })
		// state is every row and the number of events.
		gina := s.user("Gina")
		state := func() string {
			a, err := s.store.Account(ctx, team.Account)
			require.NoError(t, err)
			now, err := s.store.Team(ctx, team.ID)
			require.NoError(t, err)
			roles, err := s.store.RolesIn(ctx, team.Account)
			require.NoError(t, err)
			users, err := s.store.Users(ctx, alice.ID, bob.User, gina.ID)
			require.NoError(t, err)
			members, err := s.store.Memberships(ctx, tenancy.Actor{User: alice.ID, Team: team.ID}, bob, tenancy.Actor{User: gina.ID, Team: team.ID})
			require.NoError(t, err)
			told := len(s.events(team.ID)) + len(s.accountEvents(team.Account)) + len(s.userEvents(bob.User)) + len(s.userEvents(alice.ID))
			return fmt.Sprintf("%+v\n%+v\n%+v\n%+v\n%+v\n%d events, %d departures", a, now, roles, users, members, told, len(s.left))
		}
		before := state()
		for _, step := range steps {
			require.NoError(t, step.call(), step.name)
			once := state()
			if step.name != "Register" { // where they are known already
				require.NotEqual(t, before, once, "%s did something", step.name)
			}
			s.now = s.now.Add(time.Second) // a row that was written again would show it
			require.NoError(t, step.call(), step.name)
			before = state()
			require.Equal(t, once, before, "%s, again", step.name)
		}
	})
}

// step is a call with its name.
type step struct {
	name string
	call func() error
}

// Spec 4.7: from a state in which it makes no sense, each of the calls that suspend and reactivate answers
// an error of a type.
func TestSpec4_7_WhatMakesNoSenseIsATypedError(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		team := s.team(alice, "Sales")
		boss := tenancy.Actor{User: alice.ID, Team: team.ID}
		lapsed, removed, deleted := s.member(team, "Lapsed", rbac.Member), s.member(team, "Removed", rbac.Member), s.member(team, "Deleted", rbac.Member)
		_, err := s.people.SetExpiry(ctx, boss, lapsed.User, s.now.Add(time.Hour))
		require.NoError(t, err)
		_, err = s.people.Suspend(ctx, boss, lapsed.User)
		require.NoError(t, err)
		require.NoError(t, s.people.Remove(ctx, boss, removed.User))
		require.NoError(t, s.people.DeleteUser(ctx, host, deleted.User, tenancy.UserID{}))
		closed := s.team(s.user("Oscar"), "Closed")
		_, err = s.people.CloseAccount(ctx, s.holder(closed.ID))
		require.NoError(t, err)
		s.now = s.now.Add(time.Hour)

		status := func(err error) bool { var e *tenancy.StatusError; return assert.ErrorAs(t, err, &e) }
		missing := func(err error) bool { return assert.ErrorIs(t, err, tenancy.ErrNotFound) }
		for name, given := range map[string]struct {
			call func() error
			is   func(error) bool
		}{
			"reactivate what has expired": {func() error { _, err := s.people.Reactivate(ctx, boss, lapsed.User); return err }, status},
			"suspend who was removed":     {func() error { _, err := s.people.Suspend(ctx, boss, removed.User); return err }, missing},
			"reactivate who was removed":  {func() error { _, err := s.people.Reactivate(ctx, boss, removed.User); return err }, missing},
			"limit who was removed":       {func() error { _, err := s.people.SetExpiry(ctx, boss, removed.User, time.Time{}); return err }, missing},
			"suspend a deleted user":      {func() error { _, err := s.people.SuspendUser(ctx, host, deleted.User); return err }, missing},
			"reactivate a deleted user":   {func() error { _, err := s.people.ReactivateUser(ctx, host, deleted.User); return err }, missing},
			"suspend a closed account":    {func() error { _, err := s.people.SuspendAccount(ctx, host, closed.Account); return err }, status},
			"reactivate a closed account": {func() error { _, err := s.people.ReactivateAccount(ctx, host, closed.Account); return err }, status},
			"give who was removed a role": {func() error { _, err := s.people.ChangeRole(ctx, boss, removed.User, rbac.Member); return err }, missing},
			"restore in a closed account": {func() error {
				_, err := s.people.Restore(ctx, tenancy.Actor{User: s.user("Oscar").ID, Team: closed.ID})
				return err
			}, func(err error) bool { return assert.ErrorIs(t, err, tenancy.ErrAccountInactive) }},
		} {
			assert.True(t, given.is(given.call()), name)
		}
	})
}
