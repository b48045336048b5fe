package tenancy_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/tenancy"
)

func TestRegisterIsAnUpsertOnTheExternalID(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		profile := tenancy.Profile{ExternalID: "auth0|42", Email: "Alice@Acme.example", Name: "Alice"}
		first, err := s.people.Register(ctx, host, profile)
		require.NoError(t, err)
		assert.Equal(t, "Alice@Acme.example", first.Email.Display)
		assert.Equal(t, "alice@acme.example", first.Email.Normal)
		assert.False(t, first.Verified())

		again, err := s.people.Register(ctx, host, profile)
		require.NoError(t, err)
		assert.Equal(t, first, again, "a call that changes nothing writes nothing")

		profile.Name, profile.Verified = "Alice A.", true
		third, err := s.people.Register(ctx, host, profile)
		require.NoError(t, err)
		assert.Equal(t, first.ID, third.ID)
		assert.Equal(t, "Alice A.", third.Name)
		assert.Equal(t, s.now, third.VerifiedAt)
		stored, err := s.people.User(ctx, first.ID)
		require.NoError(t, err)
		assert.Equal(t, third, stored)

		profile.Verified = false
		fourth, err := s.people.Register(ctx, host, profile)
		require.NoError(t, err)
		assert.True(t, fourth.Verified(), "an address that was proven stays proven")

		profile.Email = "alice@elsewhere.example"
		fifth, err := s.people.Register(ctx, host, profile)
		require.NoError(t, err)
		assert.False(t, fifth.Verified(), "a new address is not")
	})
}

func TestRegisterWithoutExternalIDMakesAUserEachTime(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		a, err := s.people.Register(t.Context(), host, tenancy.Profile{Email: "bob@acme.example"})
		require.NoError(t, err)
		b, err := s.people.Register(t.Context(), host, tenancy.Profile{Email: "bob@acme.example"})
		require.NoError(t, err)
		assert.NotEqual(t, a.ID, b.ID)
		assert.Equal(t, "bob@acme.example", a.Name, "without a name the address stands in")
	})
}

func TestOneVerifiedUserForAnAddress(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		bob := s.user("Bob")
		_, err := s.people.Register(ctx, host, tenancy.Profile{ExternalID: "other", Email: "BOB@acme.example", Verified: true})
		require.ErrorIs(t, err, tenancy.ErrEmailTaken)
		require.ErrorIs(t, err, tenancy.ErrConflict)

		eve, err := s.people.Register(ctx, host, tenancy.Profile{ExternalID: "eve", Email: "bob@acme.example"})
		require.NoError(t, err, "an unproven address is anyone's to claim, and worth nothing")
		assert.NotEqual(t, bob.ID, eve.ID)
		_, err = s.people.Register(ctx, host, tenancy.Profile{ExternalID: "eve", Email: "bob@acme.example", Verified: true})
		require.ErrorIs(t, err, tenancy.ErrEmailTaken)
		after, err := s.people.User(ctx, eve.ID)
		require.NoError(t, err)
		assert.Equal(t, eve, after)
	})
}

func TestRegisterRefuses(t *testing.T) {
	s := newScene(t)
	for _, p := range []tenancy.Profile{
		{}, {Email: "nobody"}, {Email: "bob@acme.example", Name: "\u202ebob"}, {Email: "bob@acme.example", ExternalID: "a b"},
	} {
		_, err := s.people.Register(t.Context(), host, p)
		require.ErrorIs(t, err, tenancy.ErrInvalid)
	}
	for _, name := range []tenancy.System{"a b", "a\n", "é", tenancy.System(strings.Repeat("x", tenancy.MaxSystemName+1))} {
		_, err := s.people.Register(t.Context(), name, tenancy.Profile{Email: "bob@acme.example"})
		require.ErrorIs(t, err, tenancy.ErrInvalid)
	}
	_, err := s.people.Register(t.Context(), "", tenancy.Profile{Email: "bob@acme.example"})
	require.ErrorIs(t, err, tenancy.ErrNoPrincipal)
}

// A long address is a name only up to the limit of names, and cut between characters.
func TestRegisterNamesByALongAddress(t *testing.T) {
	s := newScene(t)
	u, err := s.people.Register(t.Context(), host, tenancy.Profile{Email: strings.Repeat("é", 32) + "@" + strings.Repeat("a", 60) + "." + strings.Repeat("b", 60) + ".example"})
	require.NoError(t, err)
	assert.Len(t, []rune(u.Name), tenancy.MaxName)
}

func TestMyTeamsAndSwitching(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		acme := s.team(alice, "Acme")
		other := s.team(s.user("Oscar"), "Other")
		bob := s.member(acme, "Bob", rbac.Member)
		_, err := s.people.Admit(ctx, host, tenancy.Admission{Team: other.ID, User: bob.User, Role: rbac.Restricted})
		require.NoError(t, err)

		mine, err := s.people.MyTeams(ctx, bob.User, tenancy.Page{})
		require.NoError(t, err)
		require.Len(t, mine.Items, 2)

		found, err := s.people.Switch(ctx, bob.User, other.ID)
		require.NoError(t, err)
		assert.Equal(t, other.ID, found.ID)
		u, err := s.people.User(ctx, bob.User)
		require.NoError(t, err)
		assert.Equal(t, other.ID, u.ActiveTeam)
		_, err = s.people.Switch(ctx, bob.User, other.ID)
		require.NoError(t, err)
		same, err := s.people.User(ctx, bob.User)
		require.NoError(t, err)
		assert.Equal(t, u, same, "switching to the active team writes nothing")

		_, err = s.people.Switch(ctx, alice.ID, other.ID)
		require.ErrorIs(t, err, tenancy.ErrNotFound, "a team of others is not found")
		for _, end := range []func(*tenancy.Membership){
			func(m *tenancy.Membership) { m.Status = tenancy.MembershipSuspended },
			func(m *tenancy.Membership) { m.Status, m.ExpiresAt = tenancy.MembershipActive, s.now },
			func(m *tenancy.Membership) { m.Status = tenancy.MembershipRemoved },
		} {
			s.set(bob, end)
			_, err = s.people.Switch(ctx, bob.User, acme.ID)
			require.ErrorIs(t, err, tenancy.ErrNotFound, "nor is one where the membership is not active")
			mine, err := s.people.MyTeams(ctx, bob.User, tenancy.Page{})
			require.NoError(t, err)
			require.Len(t, mine.Items, 1, "and it is not listed")
		}
	})
}

func TestAutoclaimIsTheUsersChoice(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		assert.False(t, alice.Autoclaim)
		chosen, err := s.people.SetAutoclaim(ctx, alice.ID, true)
		require.NoError(t, err)
		assert.True(t, chosen.Autoclaim)
		for range 2 {
			again, err := s.people.SetAutoclaim(ctx, alice.ID, true)
			require.NoError(t, err)
			assert.Equal(t, chosen, again, "the same choice writes nothing")
		}
		read, err := s.people.User(ctx, alice.ID)
		require.NoError(t, err)
		assert.Equal(t, chosen, read)
		assert.Equal(t, []string{tenancy.UserRegistered, tenancy.UserUpdated}, s.userEvents(alice.ID))
		assert.Equal(t, chosen, s.user("Alice"), "a sign-in leaves it as it is")

		_, err = s.people.SetAutoclaim(ctx, tenancy.UserID{}, true)
		require.ErrorIs(t, err, tenancy.ErrNoPrincipal)
		_, err = s.people.SetAutoclaim(ctx, tenancy.NewID[tenancy.UserID](tenancy.Env{}), true)
		require.ErrorIs(t, err, tenancy.ErrNotFound)
	})
}

func TestConcurrentRegistrationMakesOneUser(t *testing.T) {
	everystore.Run(t, func(t *testing.T, open func(*testing.T) storage.Store) {
		s := sceneOn(t, open(t))
		ids := make(chan tenancy.UserID, 16)
		start := make(chan struct{})
		for range cap(ids) {
			go func() {
				<-start
				u, err := s.people.Register(t.Context(), host, tenancy.Profile{ExternalID: "one", Email: "one@acme.example", Verified: true})
				assert.NoError(t, err)
				ids <- u.ID
			}()
		}
		close(start)
		first := <-ids
		for range cap(ids) - 1 {
			assert.Equal(t, first, <-ids)
		}
	})
}

// What is listed of a team is what the role may read there, be it custom, and what a switch to it shows.
func TestMyTeamsShowsWhatTheRoleMayRead(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		first := s.team(alice, "First")
		holder := s.holder(first.ID)
		bob := s.user("Bob")
		define := func(name string, base rbac.Role, permissions ...string) tenancy.RoleID {
			role, err := s.people.DefineRole(ctx, holder, tenancy.RoleSpec{Name: name, Base: base, Permissions: permissions})
			require.NoError(t, err)
			return role.ID
		}
		given := map[string]struct {
			tenancy.Admission
			reads bool
			as    string
		}{
			"First":  {tenancy.Admission{Role: rbac.Manager}, true, ""},
			"Second": {tenancy.Admission{Role: rbac.Restricted}, false, ""},
			"Third":  {tenancy.Admission{Custom: define("Reader", rbac.Restricted, "team: read")}, true, "Reader"},
			"Fourth": {tenancy.Admission{Custom: define("Auditor", rbac.Restricted, "audit: read")}, false, "Auditor"},
			"Fifth":  {tenancy.Admission{Custom: define("Lead", rbac.Member, "audit: read")}, true, "Lead"},
		}
		for name, in := range given {
			team := first
			if name != first.Name {
				var err error
				team, err = s.people.CreateTeam(ctx, holder, tenancy.TeamSpec{Name: name})
				require.NoError(t, err)
			}
			_, err := s.people.Configure(ctx, tenancy.Actor{User: alice.ID, Team: team.ID}, tenancy.Settings{Terms: "2030-01"})
			require.NoError(t, err)
			in.Admission.Team, in.Admission.User = team.ID, bob.ID
			_, err = s.people.Admit(ctx, host, in.Admission)
			require.NoError(t, err)
		}
		mine, err := s.people.MyTeams(ctx, bob.ID, tenancy.Page{})
		require.NoError(t, err)
		require.Len(t, mine.Items, len(given))
		for _, listed := range mine.Items {
			in := given[listed.Team.Name]
			assert.Equal(t, in.reads, listed.Team.Settings.Terms != "", listed.Team.Name)
			assert.Equal(t, in.as, listed.CustomName)
			switched, err := s.people.Switch(ctx, bob.ID, listed.Team.ID)
			require.NoError(t, err)
			assert.Equal(t, switched, listed.Team)
			_, err = s.people.Team(ctx, tenancy.Actor{User: bob.ID, Team: listed.Team.ID})
			assert.Equal(t, in.reads, err == nil, "and what reading it says")
		}
	})
}
