package usher_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/tenancy"
)

var mostTeams = flag.Int("usher.teams", 100_000, "how many teams the largest benchmark may have; a million need about 14 GiB")

// most is how many teams a benchmark may have now: with -short no more than show that it runs.
func most() int {
	if testing.Short() {
		return min(*mostTeams, 1_000)
	}
	return *mostTeams
}

// asked are a permission that everybody of a crowd has, and one that nobody has in a team.
var asked = map[string]rbac.Permission{"allow": rbac.ReadTeam, "deny": rbac.CloseAccount}

// BenchmarkCheck measures Tenancy.Check against the same decision by hand. In memory the same 256 members
// are asked about in turn, as a server hears from the same people for a while; "anybody" asks about all
// of the crowd in a random order, where most of what is measured is that nothing is in a cache. Databases
// are asked about anybody.
func BenchmarkCheck(b *testing.B) {
	b.Run("memory", func(b *testing.B) {
		for _, teams := range []crowd{10, 1_000, 100_000, 1_000_000} {
			b.Run(fmt.Sprint("teams=", int(teams)), func(b *testing.B) { benchmarkMaps(b, teams) })
		}
	})
	everystore.Measured(b, benchmarkSelect)
}

// What a server asks before everything else must leave nothing to collect.
func TestCheckAllocatesNothing(t *testing.T) {
	const teams crowd = 1
	store := memory.New()
	teams.fill(t, store)
	u := newUsher(t, store)
	for n := range teams.users() {
		assert.Zero(t, testing.AllocsPerRun(100, func() {
			if err := u.Tenancy.Check(context.Background(), teams.actor(n), rbac.ReadTeam); err != nil {
				t.Fatal(err)
			}
		}), "for user %d", n)
	}
}

// benchmarkMaps compares with the same facts in plain maps. The bar is 1.5 times as long, without an
// allocation where the answer is yes.
func benchmarkMaps(b *testing.B, teams crowd) {
	if int(teams) > most() {
		b.Skipf("give -usher.teams=%d where there is the memory for it", teams)
	}
	store := memory.New()
	teams.fill(b, store)
	u, hand := newUsher(b, store), newPlainMaps(b, teams)
	runtime.GC() // what was made by filling them is not to be collected while they are asked
	for name, perm := range asked {
		subject := checking(b.Context(), u, teams, name, 2000, only(perm))
		maps := side{"maps", 2000, func(n int) error { return expected(name, hand.check(teams.actor(n), perm)) }}
		b.Run(name+"/busy", func(b *testing.B) { inTurns(b, inTurn(teams.users()), subject, maps) })
		b.Run(name+"/anybody", func(b *testing.B) { inTurns(b, atRandom(teams.users()), subject, maps) })
	}
}

func newUsher(tb testing.TB, store storage.Store) *usher.Usher {
	tb.Helper()
	u, err := usher.New(store)
	require.NoError(tb, err)
	return u
}

// only asks everybody the same.
func only(perm rbac.Permission) func(int) rbac.Permission {
	return func(int) rbac.Permission { return perm }
}

// checking asks usher, a number of times in each turn.
func checking(ctx context.Context, u *usher.Usher, teams crowd, name string, each int, perm func(n int) rbac.Permission) side {
	return side{"usher", each, func(n int) error {
		err := u.Tenancy.Check(ctx, teams.actor(n), perm(n))
		if err != nil && !errors.Is(err, rbac.ErrDenied) {
			return err
		}
		return expected(name, err == nil)
	}}
}

var errWrong = errors.New("the answer is wrong")

// expected holds an answer to the name under which it was asked.
func expected(name string, yes bool) error {
	if yes != (name == "allow") {
		return errWrong
	}
	return nil
}

// plainMaps are the facts of a decision as a program would keep them that does nothing else with them.
type plainMaps struct {
	mu          sync.RWMutex
	accounts    map[tenancy.AccountID]tenancy.AccountStatus
	teams       map[tenancy.TeamID]teamFacts
	users       map[tenancy.UserID]tenancy.UserStatus
	memberships map[tenancy.Actor]membershipFacts
	rights      roleBits
}

type teamFacts struct {
	account tenancy.AccountID
	status  tenancy.TeamStatus
}

type membershipFacts struct {
	role    rbac.Role
	status  tenancy.MembershipStatus
	expires time.Time
}

// roleBits has a bit for each permission that a role has in a team.
type roleBits [rbac.Holder + 1]uint64

func newRoleBits(tb testing.TB) (bits roleBits) {
	tb.Helper()
	policy, err := rbac.NewPolicy()
	require.NoError(tb, err)
	for role := range rbac.Holder {
		for _, perm := range policy.Permissions() {
			if policy.Allows(role, perm, rbac.ByTeam) {
				bits[role] |= 1 << perm
			}
		}
	}
	return bits
}

func (bits *roleBits) allow(role rbac.Role, perm rbac.Permission) bool {
	return bits[role]&(1<<perm) != 0
}

func newPlainMaps(tb testing.TB, teams crowd) *plainMaps {
	tb.Helper()
	h := &plainMaps{
		accounts: map[tenancy.AccountID]tenancy.AccountStatus{}, teams: map[tenancy.TeamID]teamFacts{},
		users: map[tenancy.UserID]tenancy.UserStatus{}, memberships: map[tenancy.Actor]membershipFacts{},
		rights: newRoleBits(tb),
	}
	for n := range int(teams) {
		team := teams.team(n)
		h.accounts[team.Account], h.teams[team.ID] = tenancy.AccountActive, teamFacts{team.Account, team.Status}
	}
	for n := range teams.users() {
		m := teams.membership(n)
		h.users[m.User], h.memberships[teams.actor(n)] = tenancy.UserActive, membershipFacts{m.Role, m.Status, m.ExpiresAt}
	}
	return h
}

func (h *plainMaps) check(actor tenancy.Actor, perm rbac.Permission) bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	m, team := h.memberships[actor], h.teams[actor.Team]
	return m.status == tenancy.MembershipActive && h.users[actor.User] == tenancy.UserActive &&
		team.status == tenancy.TeamActive && h.accounts[team.account] == tenancy.AccountActive &&
		(m.expires.IsZero() || time.Now().Before(m.expires)) && h.rights.allow(m.role, perm)
}
