package invite_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/tenancy"
)

// exclusive is an invitation of which only one of the moves can happen, and who may come in by it.
type exclusive struct {
	inv   invite.Invitation
	moves map[string]func(w *world) error
	users []tenancy.UserID
}

// lastUse is a link at its last use.
func (w *world) lastUse(name string) exclusive {
	w.t.Helper()
	link, err := w.invites.CreateLink(w.ctx, w.acme.alice, invite.LinkSpec{Uses: 1})
	require.NoError(w.t, err)
	x := exclusive{inv: link.Invitation, moves: map[string]func(w *world) error{
		"revoke": func(w *world) error { _, err := w.invites.Revoke(w.ctx, w.acme.alice, link.ID); return err },
		"renew":  func(w *world) error { _, err := w.invites.RenewLink(w.ctx, w.acme.alice, link.ID); return err },
		"expire": func(w *world) error { _, err := w.invites.Expire(w.ctx, host, link.Team, link.ID); return err },
	}}
	for i, who := range []string{"accept", "another accept"} {
		user := w.user(fmt.Sprintf("%s.%d@acme.example", name, i)).ID
		x.users = append(x.users, user)
		x.moves[who] = func(w *world) error { _, err := w.invites.Accept(w.ctx, user, link.Token); return err }
	}
	return x
}

// asked is a request to join that is pending.
func (w *world) asked(name string) exclusive {
	w.t.Helper()
	user := w.user(name + "@acme.example").ID
	inv, err := w.invites.Ask(w.ctx, user, w.acme.team.ID)
	require.NoError(w.t, err)
	return exclusive{inv: inv, users: []tenancy.UserID{user}, moves: map[string]func(w *world) error{
		"accept": func(w *world) error {
			_, err := w.invites.AcceptRequest(w.ctx, w.acme.alice, inv.ID, rbac.Member)
			return err
		},
		"decline":  func(w *world) error { _, err := w.invites.DeclineRequest(w.ctx, w.acme.alice, inv.ID); return err },
		"withdraw": func(w *world) error { _, err := w.invites.WithdrawRequest(w.ctx, user, inv.Team, inv.ID); return err },
		"expire":   func(w *world) error { _, err := w.invites.Expire(w.ctx, host, inv.Team, inv.ID); return err },
	}}
}

// exclusives are the races: of the two moves exactly one happens, whichever it is.
var exclusives = []struct {
	name  string
	make  func(w *world, name string) exclusive
	pairs [][2]string
}{
	{"link", (*world).lastUse, [][2]string{{"accept", "another accept"}, {"accept", "revoke"}, {"accept", "renew"}, {"accept", "expire"}}},
	{"request", (*world).asked, [][2]string{
		{"accept", "decline"}, {"accept", "withdraw"}, {"accept", "expire"}, {"decline", "withdraw"}, {"decline", "expire"}, {"withdraw", "expire"},
	}},
}

// duel has both moves happen at once, and answers how many did, by their events, and how many came in.
// Who expires has a clock that is a microsecond ahead.
func (w *world) duel(x exclusive, pair [2]string) (happened, in int) {
	w.t.Helper()
	now := w.clock.Now()
	ahead := *w
	ahead.clock = &clock{now: x.inv.ExpiresAt}
	ahead.wire()
	w.clock.Set(x.inv.ExpiresAt.Add(-time.Microsecond))
	call := func(name string) func() error {
		at := w
		if name == "expire" {
			at = &ahead
		}
		return func() error { return x.moves[name](at) }
	}
	if u, ok := w.store.(*unguarded); ok {
		u.meet(2)
	}
	together(call(pair[0]), call(pair[1]))
	w.clock.Set(now)
	for _, e := range w.history(x.inv) {
		if e.Kind != invite.InvitationCreated {
			happened++
		}
	}
	for _, user := range x.users {
		if m, err := w.store.Membership(w.ctx, w.acme.team.ID, user); err == nil && m.Status == tenancy.MembershipActive {
			in++
		}
	}
	return happened, in
}

func (w *world) letAsk() {
	w.t.Helper()
	settings := w.acme.team.Settings
	settings.JoinDomains = []string{"acme.example"}
	w.configure(w.acme, settings)
}

func TestA6LinksAndRequestsEndOnceWhoeverRaces(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.letAsk()
		for _, race := range exclusives {
			for i, pair := range race.pairs {
				t.Run(fmt.Sprintf("%s/%s against %s", race.name, pair[0], pair[1]), func(t *testing.T) {
					w := w.in(t)
					for round := range everystore.Rounds(10) {
						x := race.make(w, fmt.Sprintf("%s.%d.%d", race.name, i, round))
						happened, in := w.duel(x, pair)
						require.Equal(t, 1, happened)
						r := w.stored(x.inv)
						came := 0
						if r.State == invite.Accepted {
							came = 1
						}
						assert.Equal(t, came, in, "%s: who is in", r.State)
						if race.name == "link" && r.State == invite.Pending { // renewed: one link less is pending
							_, err := w.invites.Revoke(w.ctx, w.acme.alice, r.ID)
							require.NoError(t, err)
						}
					}
				})
			}
		}
	})
}

// The races can be lost.
func TestA6LinksAndRequestsAreSeenToFailWhereNothingGuards(t *testing.T) {
	for _, race := range exclusives {
		for i, pair := range race.pairs {
			t.Run(fmt.Sprintf("%s/%s against %s", race.name, pair[0], pair[1]), func(t *testing.T) {
				w := newWorld(t, memory.New())
				w.letAsk()
				w = w.on(&unguarded{Store: w.store})
				for round := range 100 {
					if happened, _ := w.duel(race.make(w, fmt.Sprintf("%s.%d.%d", race.name, i, round)), pair); happened > 1 {
						return
					}
				}
				t.Fatal("100 races, and none was lost: the test could not see a missing lock")
			})
		}
	}
}
