package ushertest_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

// start is where the clock stands in a new world.
var start = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

// people are who is in the team by what usher itself tells a manager, with their status.
func people(t *testing.T, w *ushertest.World, actor tenancy.Actor) map[string]string {
	t.Helper()
	list, err := w.Tenancy.Members(t.Context(), actor, tenancy.Page{})
	require.NoError(t, err)
	found := map[string]string{}
	for _, m := range list.Items {
		found[m.Name] = m.Role.String() + ", " + string(m.Status)
	}
	return found
}

func TestPeopleInEveryState(t *testing.T) {
	w := ushertest.NewWorld(t).
		Account("acme").Role("Auditor", rbac.Member, rbac.ReadAudit).
		Team("sales",
			ushertest.Manager("alice"),
			ushertest.Manager("bob").Suspended(),
			ushertest.Member("carol").Removed(),
			ushertest.Member("dave").Expiring(time.Minute),
			ushertest.Member("erin").Expired(),
			ushertest.Member("frank").As("Auditor"),
			ushertest.Restricted("grace"),
			ushertest.Invited("heidi", rbac.Manager),
			ushertest.Invited("ivan", rbac.Member).Expired(),
			ushertest.Invited("judy@client.example", rbac.Member).Declined(),
			ushertest.Invited("kim", rbac.Restricted).Revoked()).
		Team("support", ushertest.Member("alice"))

	alice := w.Actor("alice", "sales")
	assert.Equal(t, start.Add(time.Hour), w.Clock.Now(), "it took an hour for somebody to expire")
	assert.Equal(t, map[string]string{
		"acme-holder": "manager, active", "alice": "manager, active", "bob": "manager, suspended", "dave": "member, active",
		"erin": "member, active", "frank": "member, active", "grace": "restricted, active",
	}, people(t, w, alice))

	may := func(name string) error { return w.Check(t.Context(), w.Actor(name, "sales"), rbac.ReadTeam) }
	require.NoError(t, may("dave"))
	require.ErrorIs(t, may("erin"), tenancy.ErrInactive)
	require.ErrorIs(t, may("bob"), tenancy.ErrInactive)
	require.ErrorIs(t, may("carol"), tenancy.ErrNotFound)
	require.NoError(t, w.Check(t.Context(), w.Actor("frank", "sales"), rbac.ReadAudit))
	require.ErrorIs(t, w.Check(t.Context(), w.Actor("dave", "sales"), rbac.ReadAudit), rbac.ErrDenied)
	w.Clock.Advance(time.Minute - time.Microsecond)
	require.NoError(t, may("dave"))
	w.Clock.Advance(time.Microsecond)
	require.ErrorIs(t, may("dave"), tenancy.ErrInactive)

	invitations, err := w.Invites.List(t.Context(), alice, invite.Filter{}, tenancy.Page{})
	require.NoError(t, err)
	states := map[string]string{}
	for _, inv := range invitations.Items {
		states[inv.Email.Display] = inv.Role.String() + ", " + string(inv.State)
	}
	assert.Equal(t, map[string]string{
		"heidi@heidi.example": "manager, pending", "ivan@ivan.example": "member, expired",
		"judy@client.example": "member, declined", "kim@kim.example": "restricted, revoked",
	}, states)

	_, err = w.Invites.Accept(t.Context(), w.User("ivan").ID, w.Token("ivan"))
	require.ErrorIs(t, err, tenancy.ErrExpired, "the mail had arrived in time")
	w.Clock.Set(start.Add(time.Hour + invite.DefaultExpiry - time.Microsecond))
	_, err = w.Invites.Accept(t.Context(), w.User("heidi").ID, w.Token("heidi"))
	require.NoError(t, err, "the others have all their time")
}

func TestAccountsAndTeamsInEveryState(t *testing.T) {
	w := ushertest.NewWorld(t)
	w.Account("globex").Team("sales", ushertest.Manager("rick")).SuspendAccount()
	w.Account("acme").Seats(2).Team("old", ushertest.Manager("alice")).ArchiveTeam().Team("new", ushertest.Restricted("gina"))

	require.ErrorIs(t, w.Check(t.Context(), w.Actor("rick", "sales"), rbac.SendBlast), tenancy.ErrAccountInactive)
	require.ErrorIs(t, w.Check(t.Context(), w.Actor("alice", "old"), rbac.SendBlast), tenancy.ErrTeamArchived)
	_, err := w.Tenancy.Account(t.Context(), w.Holder("globex"))
	require.NoError(t, err)
	admit := func(name string) error {
		_, err := w.Tenancy.Admit(t.Context(), ushertest.System, tenancy.Admission{
			Team: w.TeamNamed("new").ID, User: w.User(name).ID, Role: rbac.Member,
		})
		return err
	}
	require.NoError(t, admit("bob"))
	var full *tenancy.SeatsError
	require.ErrorAs(t, admit("carol"), &full)
	assert.Equal(t, tenancy.SeatsError{Limit: 2, Needed: 3}, *full)

	w.Account("acme").Team("sales")
	assert.Equal(t, w.TeamNamed("sales").Account, w.AccountNamed("acme").ID, "the last of that name")
}

func TestSweepWritesDownWhatHasEnded(t *testing.T) {
	w := ushertest.NewWorld(t)
	for _, account := range []string{"acme", "globex"} {
		w.Account(account).Team(account+" sales",
			ushertest.Member("erin").Expired(), ushertest.Member("bob").Expiring(2*time.Hour),
			ushertest.Invited("ivan", rbac.Member).Expired(), ushertest.Invited("heidi", rbac.Member))
	}
	count := func(kind string) (n int) {
		for _, account := range []string{"acme", "globex"} {
			for _, e := range w.Events(account + " sales") {
				if e == kind {
					n++
				}
			}
		}
		return n
	}
	require.Zero(t, count(tenancy.MemberExpired))
	require.Zero(t, count(invite.InvitationExpired))
	for range 2 {
		w.Sweep()
		assert.Equal(t, 2, count(tenancy.MemberExpired))
		assert.Equal(t, 2, count(invite.InvitationExpired))
	}
	assert.Equal(t, tenancy.MembershipSuspended, w.Membership("erin", "acme sales").Status)
	assert.Equal(t, tenancy.MembershipActive, w.Membership("bob", "globex sales").Status)
}

// Whatever a world cannot do ends the test with a sentence.
func TestWorldThatCannotBe(t *testing.T) {
	world := func(tb testing.TB) *ushertest.World { return ushertest.NewWorld(tb).Account("acme").Team("sales") }
	for says, build := range map[string]func(tb testing.TB){
		"ushertest: make an account first":                        func(tb testing.TB) { ushertest.NewWorld(tb).Team("sales") },
		"conflict: the account has a team or a role of this name": func(tb testing.TB) { world(tb).Team("Sales") },
		"already in the team as member (active)":                  func(tb testing.TB) { world(tb).Team("a", ushertest.Member("bob"), ushertest.Member("bob")) },
		`bob cannot come in as "Auditor": make that role first`: func(tb testing.TB) {
			world(tb).Role("Auditor", rbac.Member).Account("globex").Team("a", ushertest.Member("bob").As("Auditor"))
		},
		"expiry must be in the future":                         func(tb testing.TB) { world(tb).Team("a", ushertest.Member("bob").Expiring(0)) },
		"the account has 1 seats and would need 2":             func(tb testing.TB) { world(tb).Seats(1).Team("a", ushertest.Member("bob")) },
		`ushertest: there is no account "globex"`:              func(tb testing.TB) { world(tb).Holder("globex") },
		`ushertest: there is no team "support"`:                func(tb testing.TB) { world(tb).Actor("bob", "support") },
		"ushertest: bob has no membership in sales: not found": func(tb testing.TB) { world(tb).Membership("bob", "sales") },
		"ushertest: bob was not invited into sales":            func(tb testing.TB) { world(tb).Invitation("bob", "sales") },
		"ushertest: no mail was sent to bob@bob.example":       func(tb testing.TB) { world(tb).Token("bob") },
		"ushertest: the policy has no permission permission(9999)": func(tb testing.TB) {
			w := world(tb).Team("a", ushertest.Member("bob"))
			w.Denied(w.Actor("bob", "a"), 9999)
		},
		"ushertest: the policy has no permission permission(9998)": func(tb testing.TB) {
			w := world(tb)
			w.DeniedIn(w.Receive("sales", "visitor-1", "Hi").ID, w.Actor("acme-holder", "sales"), 9998)
		},
	} {
		assert.Contains(t, failure(t, build), says)
	}
}

func TestSecondWorldOnAStore(t *testing.T) {
	store := memory.New()
	first := ushertest.NewWorldOn(t, store).Account("acme").Team("sales", ushertest.Manager("alice"))
	second := ushertest.NewWorldOn(t, store, usher.WithIDs(uuid.New)).Account("globex").Team("research", ushertest.Manager("rick"))
	require.ErrorIs(t, second.Check(t.Context(), tenancy.Actor{User: first.User("alice").ID, Team: second.TeamNamed("research").ID}, rbac.ReadTeam),
		tenancy.ErrNotFound)
}

func TestEmail(t *testing.T) {
	assert.Equal(t, "bob@bob.example", ushertest.Email("Bob"))
	assert.Equal(t, "bob-de-boer@bob-de-boer.example", ushertest.Email("Bob de Boer"))
	assert.Equal(t, "Bob@client.example", ushertest.Email("Bob@client.example"))
}

func BenchmarkNewWorld(b *testing.B) {
	for b.Loop() {
		ushertest.NewWorld(b).Account("acme").Team("sales", ushertest.Manager("alice"), ushertest.Member("bob"))
	}
}
