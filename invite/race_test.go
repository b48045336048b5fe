package invite_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/tenancy"
)

// together starts all calls at a barrier.
func together(calls ...func() error) []error {
	errs := make([]error, len(calls))
	start := make(chan struct{})
	var ready, done sync.WaitGroup
	for i, call := range calls {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-start
			errs[i] = call()
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
	return errs
}

func TestA6Of64AcceptsAtOnceOneSucceeds(t *testing.T) {
	for _, kind := range everyKind {
		t.Run(string(kind), func(t *testing.T) {
			onEach(t, func(t *testing.T, w *world) {
				s := w.subject(kind, bob)
				calls := make([]func() error, 64)
				for i := range calls {
					calls[i] = func() error { return accept(w, s) }
				}
				succeeded := 0
				for _, err := range together(calls...) {
					if err == nil {
						succeeded++
						continue
					}
					var accepted *invite.AcceptedError
					require.ErrorAs(t, err, &accepted)
					assert.Equal(t, w.member(w.acme, s.invitee), accepted.Membership)
				}
				assert.Equal(t, 1, succeeded)
				assert.True(t, w.isIn(s))
				n := count(w.recorded(s))
				assert.Equal(t, 1, n[invite.InvitationAccepted])
				if kind == invite.ToOneAccount {
					assert.Equal(t, 1, n[tenancy.AccountTransferred])
					return
				}
				assert.Equal(t, 1+3, n[tenancy.MemberJoined], "one more than the three of the world")
			})
		})
	}
}

// A6, by two processes: two handles on one database, with a service each.
func TestA6Of64AcceptsOnTwoHandlesOneSucceeds(t *testing.T) {
	everystore.RunTwo(t, func(t *testing.T, a, b storage.Store) {
		w := newWorld(t, a)
		handles := []*world{w, w.on(b)}
		for round := range everystore.Rounds(5) {
			for _, kind := range []invite.Kind{invite.ToOneTeam, invite.ToOneConversation} {
				s := w.subject(kind, fmt.Sprintf("bob.%s.%d@acme.example", kind, round))
				before := count(w.events(w.acme))
				calls := make([]func() error, 64)
				for i := range calls {
					calls[i] = func() error { return accept(handles[i%2], s) }
				}
				succeeded := 0
				for _, err := range together(calls...) {
					if err == nil {
						succeeded++
						continue
					}
					var accepted *invite.AcceptedError
					require.ErrorAs(t, err, &accepted)
					assert.Equal(t, w.member(w.acme, s.invitee), accepted.Membership)
				}
				assert.Equal(t, 1, succeeded)
				after := count(w.events(w.acme))
				assert.Equal(t, before[invite.InvitationAccepted]+1, after[invite.InvitationAccepted])
				assert.Equal(t, before[tenancy.MemberJoined]+1, after[tenancy.MemberJoined])
				assert.Equal(t, tenancy.MembershipActive, w.member(w.acme, s.invitee).Status)
			}
		}
	})
}

func TestOf64CreatesAtOnceOneSucceeds(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		calls := make([]func() error, 64)
		for i := range calls {
			calls[i] = func() error {
				_, err := w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam(bob, rbac.Member))
				return err
			}
		}
		succeeded := 0
		for _, err := range together(calls...) {
			if err == nil {
				succeeded++
				continue
			}
			var pending *invite.PendingError
			require.ErrorAs(t, err, &pending)
		}
		assert.Equal(t, 1, succeeded)
		assert.Len(t, w.picture(w.acme).Invitations, 1)
	})
}

// serial is the model that races are held against: an invitation, whether the token that the
// invited user has is the living one, and whether its time is about to pass.
type serial struct {
	state invite.State
	token bool
	late  bool
}

// after is what becomes of it, and whether anything does.
func (s serial) after(e invite.Event) (serial, bool) {
	if (e == invite.OnAccept || e == invite.OnDecline) && !s.token || e == invite.OnExpire && !s.late {
		return s, false
	}
	next, err := s.state.After(e)
	if err != nil {
		return s, false
	}
	return serial{next, s.token && e != invite.OnResend, s.late && e != invite.OnResend}, true
}

// outcome is what can be seen of a race: which of the two happened, and what it left.
type outcome struct {
	first, second bool
	state         invite.State
	in            bool
}

// inSomeOrder are the outcomes of two events one after the other.
func inSomeOrder(first, second invite.Event) []outcome {
	pending := serial{invite.Pending, true, true}
	a, okA := pending.after(first)
	ab, okAB := a.after(second)
	b, okB := pending.after(second)
	ba, okBA := b.after(first)
	return []outcome{
		{okA, okAB, ab.state, ab.state == invite.Accepted},
		{okBA, okB, ba.state, ba.state == invite.Accepted},
	}
}

// racing are the events that people and the clock cause at any time.
var racing = []invite.Event{invite.OnAccept, invite.OnDecline, invite.OnRevoke, invite.OnResend, invite.OnExpire}

// race has both events happen at once to a new invitation. They come from two instances, whose
// clocks differ by a microsecond: for the one of an expiry the time has passed, for the other not.
func (w *world) race(first, second invite.Event, kind invite.Kind, email string) outcome {
	w.t.Helper()
	s := w.subject(kind, email)
	ahead := *w
	ahead.clock = &clock{now: s.inv.ExpiresAt}
	ahead.wire()
	ahead.desk = w.desk
	ahead.invites.Bind(w.desk)
	w.clock.Set(s.inv.ExpiresAt.Add(-time.Microsecond))
	before := count(kinds(w.history(s.inv)))
	call := func(e invite.Event) func() error {
		if e == invite.OnExpire {
			return func() error { return operations[e](&ahead, s) }
		}
		return func() error { return operations[e](w, s) }
	}
	if u, ok := w.store.(*unguarded); ok {
		u.meet(2)
	}
	errs := together(call(first), call(second))
	for _, err := range errs {
		if err != nil {
			require.True(w.t, errors.Is(err, tenancy.ErrConflict) || errors.Is(err, tenancy.ErrNotFound), "%v", err)
		}
	}
	after := count(kinds(w.history(s.inv)))
	happened := func(e invite.Event, err error) bool {
		once := after[recorded[e]] - before[recorded[e]]
		require.Contains(w.t, []int{0, 1}, once)
		require.Equal(w.t, err == nil || e == invite.OnExpire, once == 1 || e == invite.OnExpire, "who is told of success has an event, and nobody else: %v", err)
		return once == 1
	}
	return outcome{happened(first, errs[0]), happened(second, errs[1]), w.stored(s.inv).State, w.isIn(s)}
}

// Every pair of {accept, decline, revoke, resend, expire} at once ends as one of the two orders
// would, with the events of those that happened and no others.
func TestA6EveryRacingPairEndsAsInSomeOrder(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		for i, pair := range pairs(racing) {
			for _, kind := range everyKind {
				t.Run(fmt.Sprintf("%s against %s/%s", pair[0], pair[1], kind), func(t *testing.T) {
					w := w.in(t)
					for round := range everystore.Rounds(10) {
						got := w.race(pair[0], pair[1], kind, fmt.Sprintf("%d.%s.%d@acme.example", i, kind, round))
						require.Contains(t, inSomeOrder(pair[0], pair[1]), got)
					}
				})
			}
		}
	})
}

// The races can be lost: on a store that guards nothing each of them ends as no order would.
func TestA6EveryRacingPairIsSeenToFailWhereNothingGuards(t *testing.T) {
	for i, pair := range pairs(racing) {
		for _, kind := range everyKind {
			t.Run(fmt.Sprintf("%s against %s/%s", pair[0], pair[1], kind), func(t *testing.T) {
				w := newWorld(t, memory.New())
				w = w.on(&unguarded{Store: w.store})
				for round := range 200 {
					got := w.race(pair[0], pair[1], kind, fmt.Sprintf("%d.%d@acme.example", i, round))
					if !slices.Contains(inSomeOrder(pair[0], pair[1]), got) {
						return
					}
				}
				t.Fatal("200 races, and none was lost: the test could not see a missing lock")
			})
		}
	}
}

func pairs(events []invite.Event) [][2]invite.Event {
	var all [][2]invite.Event
	for i, first := range events {
		for _, second := range events[i+1:] {
			all = append(all, [2]invite.Event{first, second})
		}
	}
	return all
}

// seats is how many seats of the account are taken, pending invitations not counted.
func (w *world) seats(s side) int {
	w.t.Helper()
	taken, err := w.store.SeatsTaken(w.ctx, w.clock.Now(), tenancy.SeatQuery{}, s.account.ID)
	require.NoError(w.t, err)
	return taken[s.account.ID]
}

// Of several who want the last seat one gets it, round after round, in two teams of the account.
func TestSeatsAreNotOverbookedByAcceptsAtOnce(t *testing.T) {
	const crowd = 6
	onEach(t, func(t *testing.T, w *world) {
		second, err := w.people.CreateTeam(w.ctx, w.acme.holder(), tenancy.TeamSpec{Name: "Second"})
		require.NoError(t, err)
		teams := []tenancy.Actor{w.acme.alice, {User: w.acme.alice.User, Team: second.ID}}
		for round := range everystore.Rounds(20) {
			w.limit(w.acme, tenancy.Seats{})
			var calls []func() error
			var invited []invite.Invitation
			for i := range crowd {
				email := fmt.Sprintf("r%d.%d@acme.example", round, i)
				user := w.user(email)
				inv, token := w.invite(teams[i%2], invite.ToTeam(email, rbac.Member))
				invited = append(invited, inv)
				calls = append(calls, func() error { _, err := w.invites.Accept(w.ctx, user.ID, token); return err })
			}
			taken := w.seats(w.acme)
			w.limit(w.acme, tenancy.Seats{Rule: tenancy.HardSeats, Limit: taken + 1})
			in := 0
			for i, err := range together(calls...) {
				if err == nil {
					in++
					continue
				}
				var full *tenancy.SeatsError
				require.ErrorAs(t, err, &full)
				assert.Equal(t, tenancy.SeatsError{Limit: taken + 1, Needed: taken + 2}, *full)
				assert.Equal(t, invite.Pending, w.stored(invited[i]).State)
			}
			require.Equal(t, 1, in)
			require.Equal(t, taken+1, w.seats(w.acme))
			w.clock.Advance(invite.DefaultExpiry) // so that those who are left count for no limit
		}
	})
}

func TestSeatsAreNotOverbookedByCreatesAtOnce(t *testing.T) {
	const crowd = 6
	onEach(t, func(t *testing.T, w *world) {
		second, err := w.people.CreateTeam(w.ctx, w.acme.holder(), tenancy.TeamSpec{Name: "Second"})
		require.NoError(t, err)
		teams := []tenancy.Actor{w.acme.alice, {User: w.acme.alice.User, Team: second.ID}}
		const limit = 2 + 1
		w.limit(w.acme, tenancy.Seats{Rule: tenancy.HardSeats, Limit: limit, CountPending: true})
		for round := range everystore.Rounds(20) {
			var calls []func() error
			for i := range crowd {
				calls = append(calls, func() error {
					_, err := w.invites.Create(w.ctx, teams[i%2], invite.ToTeam(fmt.Sprintf("r%d.%d@acme.example", round, i), rbac.Member))
					return err
				})
			}
			made := 0
			for _, err := range together(calls...) {
				if err == nil {
					made++
					continue
				}
				var full *tenancy.SeatsError
				require.ErrorAs(t, err, &full)
				assert.Equal(t, tenancy.SeatsError{Limit: limit, Needed: limit + 1}, *full)
			}
			require.Equal(t, 1, made)
			w.clock.Advance(invite.DefaultExpiry) // so that what was made takes no seat any more
		}
	})
}

// Of several offers at once one is made, also to different addresses.
func TestOfManyOffersAtOnceOneSucceeds(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		var calls []func() error
		for i := range 8 {
			calls = append(calls, func() error {
				_, err := w.invites.Offer(w.ctx, w.acme.holder(), fmt.Sprintf("o%d@acme.example", i))
				return err
			})
		}
		made := 0
		for _, err := range together(calls...) {
			if err == nil {
				made++
				continue
			}
			var pending *invite.PendingError
			require.ErrorAs(t, err, &pending)
		}
		assert.Equal(t, 1, made)
	})
}
