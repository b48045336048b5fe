package conversation_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

// together starts all calls at a barrier and answers what they answered. None may fail.
func together[T any](t *testing.T, calls ...func() (T, error)) []T {
	t.Helper()
	answers := make([]T, len(calls))
	start := make(chan struct{})
	var ready, done sync.WaitGroup
	for i, call := range calls {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-start
			var err error
			answers[i], err = call()
			assert.NoError(t, err)
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
	return answers
}

func TestWaking(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c, other := w.hello(), w.Receive("Sales", "visitor-2", "Hi")
		snoozed := w.snooze(c.ID)
		_, err := w.Conversations.Snooze(ctx, w.bob, other.ID, w.Clock.Now().Add(2*time.Hour))
		require.NoError(t, err)
		w.Clock.Advance(time.Hour - time.Microsecond)
		n, err := w.Conversations.Wake(ctx, ushertest.System)
		require.NoError(t, err)
		assert.Zero(t, n, "a microsecond early")
		assert.Equal(t, snoozed, w.get(w.bob, c.ID))

		w.Clock.Advance(time.Microsecond)
		n, err = w.Conversations.Wake(ctx, ushertest.System)
		require.NoError(t, err)
		assert.Equal(t, 1, n)
		woken := w.get(w.bob, c.ID)
		assert.Equal(t, conversation.Open, woken.Status)
		assert.Zero(t, woken.SnoozedUntil)
		assert.Equal(t, w.Clock.Now(), woken.IdleSince)
		assert.Equal(t, c.NeedsReplySince, woken.NeedsReplySince)
		assert.Equal(t, conversation.Snoozed, w.get(w.bob, other.ID).Status)
		assert.Equal(t, []tenancy.Facts{{"conversation": c.ID.String(), "on": "timer", "episode": "1"}},
			w.facts(w.bob.Team, conversation.ConversationWoken))
		n, err = w.Conversations.Wake(ctx, ushertest.System)
		require.NoError(t, err)
		assert.Zero(t, n)
	})
}

// Auto-close: open, answered, and idle for the team's set time. All else is left alone.
func TestClosingWhatIsIdle(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		answered, waiting, resting, closed := w.hello(), w.Receive("Sales", "visitor-2", "Hi"), w.Receive("Sales", "visitor-3", "Hi"), w.Receive("Sales", "visitor-4", "Hi")
		unwritten, err := w.Conversations.Start(ctx, w.bob, "visitor-5")
		require.NoError(t, err)
		for _, c := range []conversation.Conversation{answered, resting, closed} {
			_, err := w.Conversations.Send(ctx, w.bob, c.ID, "Yes it is")
			require.NoError(t, err)
		}
		_, err = w.Conversations.Snooze(ctx, w.bob, resting.ID, w.Clock.Now().AddDate(0, 1, 0))
		require.NoError(t, err)
		_, err = w.Conversations.Close(ctx, w.bob, closed.ID, conversation.Qualified)
		require.NoError(t, err)
		sweep := func() int {
			t.Helper()
			n, err := w.Conversations.CloseIdle(ctx, ushertest.System)
			require.NoError(t, err)
			return n
		}
		w.Clock.Advance(24 * time.Hour)
		assert.Zero(t, sweep(), "a team that has set no time closes nothing")

		w.configure(w.alice, func(s *tenancy.Settings) { s.AutoClose = 25 * time.Hour })
		w.Clock.Advance(time.Hour - time.Microsecond)
		assert.Zero(t, sweep(), "a microsecond early")
		w.Clock.Advance(time.Microsecond)
		assert.Equal(t, 2, sweep())
		for _, id := range []tenancy.ConversationID{answered.ID, unwritten.ID} {
			after := w.get(w.bob, id)
			assert.Equal(t, conversation.Closed, after.Status)
			assert.Empty(t, after.Outcome)
			episodes := w.episodes(id)
			require.Len(t, episodes, 1)
			assert.Equal(t, conversation.OnIdle, episodes[0].ClosedOn)
			assert.Equal(t, ushertest.System.Principal(), episodes[0].ClosedBy)
			assert.Equal(t, w.Clock.Now(), episodes[0].ClosedAt)
		}
		assert.Equal(t, conversation.Open, w.get(w.bob, waiting.ID).Status, "the contact waits for an answer")
		assert.Equal(t, conversation.Snoozed, w.get(w.bob, resting.ID).Status)
		assert.Equal(t, conversation.Qualified, w.get(w.bob, closed.ID).Outcome)
		assert.Zero(t, sweep())

		// What is opened again is idle from then on, and so is what wakes up.
		_, err = w.Conversations.Open(ctx, w.bob, answered.ID)
		require.NoError(t, err)
		_, err = w.Conversations.Open(ctx, w.bob, resting.ID)
		require.NoError(t, err)
		w.Clock.Advance(24 * time.Hour)
		assert.Zero(t, sweep())
		_, err = w.Conversations.Note(ctx, w.bob, resting.ID, "will call tomorrow")
		require.NoError(t, err)
		w.Clock.Advance(time.Hour)
		assert.Equal(t, 1, sweep(), "but not the one that was noted in")
		assert.Equal(t, conversation.Open, w.get(w.bob, resting.ID).Status)
		w.whole()
	})
}

// until lets the guest's time in the conversation end.
func (w *world) until(guest tenancy.Actor, id tenancy.ConversationID, at time.Time) {
	w.t.Helper()
	require.NoError(w.t, w.inTx(func(s txStore) error {
		g, err := s.Grant(s.ctx, id, guest.User)
		if err != nil {
			return err
		}
		g.ExpiresAt = at
		return s.UpdateGrant(s.ctx, g)
	}))
}

// D1: a guest is out from their time on, without a sweep; the sweep notes it once.
func TestD1_GuestsWhoseTimeIsOver(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.hello()
		carol, dora := w.Guest(w.bob, c.ID, "carol"), w.Guest(w.bob, c.ID, "dora")
		w.until(carol, c.ID, w.Clock.Now().Add(time.Hour))
		w.Clock.Advance(time.Hour - time.Microsecond)
		_, err := w.Conversations.Get(ctx, carol, c.ID)
		require.NoError(t, err)
		n, err := w.Conversations.ExpireGuests(ctx, ushertest.System)
		require.NoError(t, err)
		assert.Zero(t, n, "a microsecond early")
		w.Clock.Advance(time.Microsecond)
		_, err = w.Conversations.Get(ctx, carol, c.ID)
		require.ErrorIs(t, err, tenancy.ErrNotFound, "with no sweep")
		for i, want := range []int{1, 0} {
			n, err = w.Conversations.ExpireGuests(ctx, ushertest.System)
			require.NoError(t, err)
			assert.Equal(t, want, n, "sweep %d", i)
		}
		_, err = w.Conversations.Get(ctx, dora, c.ID)
		require.NoError(t, err)
		assert.Equal(t, []tenancy.Facts{{"conversation": c.ID.String(), "user": carol.User.String()}}, w.facts(w.bob.Team, conversation.GuestRevoked))
		guests, err := w.Conversations.Guests(ctx, w.bob, c.ID)
		require.NoError(t, err)
		require.Len(t, guests, 2)
		for _, g := range guests {
			if g.User == carol.User {
				assert.Equal(t, ushertest.System.Principal(), g.RevokedBy)
				assert.Equal(t, w.Clock.Now(), g.RevokedAt)
			}
		}
		w.whole()
	})
}

// Waking and closing happen once, however many instances run the sweep, and a sweep that meets a
// person's hand leaves one of the two outcomes.
func TestSweepsOnSeveralInstancesHappenOnce(t *testing.T) {
	everystore.RunTwo(t, func(t *testing.T, a, b storage.Store) {
		w := worldOn(t, a)
		second, err := usher.New(b, usher.WithClock(w.Clock.Now), usher.WithMailer(w.Mail), usher.WithInviteURL("https://app.example/join"))
		require.NoError(t, err)
		w.configure(w.alice, func(s *tenancy.Settings) { s.AutoClose = time.Hour })
		const threads = 12
		var asleep, idle []tenancy.ConversationID
		for i := range threads {
			c := w.Receive("Sales", fmt.Sprint("asleep-", i), "Hi")
			w.snooze(c.ID)
			asleep = append(asleep, c.ID)
			c = w.Receive("Sales", fmt.Sprint("idle-", i), "Hi")
			_, err := w.Conversations.Send(t.Context(), w.bob, c.ID, "Hello")
			require.NoError(t, err)
			idle = append(idle, c.ID)
		}
		w.Clock.Advance(time.Hour)
		var calls []func() (int, error)
		for i := range 8 {
			on := []*conversation.Service{w.Conversations, second.Conversations}[i%2]
			calls = append(calls, func() (int, error) { return on.Wake(t.Context(), ushertest.System) },
				func() (int, error) { return on.CloseIdle(t.Context(), ushertest.System) })
		}
		calls = append(calls, func() (int, error) {
			_, err := w.Conversations.Open(t.Context(), w.bob, asleep[0])
			return 0, err
		}, func() (int, error) {
			_, err := second.Conversations.Close(t.Context(), w.bob, idle[0], "")
			return 0, err
		})
		total := 0
		for _, n := range together(t, calls...) {
			total += n
		}
		assert.LessOrEqual(t, total, 2*threads)
		assert.GreaterOrEqual(t, total, 2*threads-2, "two may have been a person's")
		kinds := w.kinds(w.bob.Team)
		assert.Equal(t, threads, kinds[conversation.ConversationWoken])
		assert.Equal(t, threads, kinds[conversation.ConversationClosed])
		for i := range threads {
			assert.Equal(t, conversation.Open, w.get(w.bob, asleep[i]).Status)
			assert.Equal(t, conversation.Closed, w.get(w.bob, idle[i]).Status)
		}
		w.whole()
	})
}

// A sweep finds more than one step's worth, and takes each team's own patience.
func TestSweepsGoOnUntilNothingIsDue(t *testing.T) {
	w := worldOn(t, everystore.Memory(t))
	const threads = 250
	for i := range threads {
		w.snooze(w.Receive("Sales", fmt.Sprint("visitor-", i), "Hi").ID)
	}
	w.Clock.Advance(time.Hour)
	n, err := w.Conversations.Wake(t.Context(), ushertest.System)
	require.NoError(t, err)
	assert.Equal(t, threads, n)
}

// Spec 4.8: in an account that is suspended or closed nothing is done for its teams, by no sweep: what sleeps
// goes on sleeping, and what is idle stays open. What the clock has ended has ended there, too, and is written down.
// Back at work, the sweeps go on where they were.
func TestSpec4_8_SweepsInAnAccountThatIsNotActive(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx, account := t.Context(), w.TeamNamed("Sales").Account
		w.configure(w.alice, func(s *tenancy.Settings) { s.AutoClose = time.Hour })
		w.configure(w.other, func(s *tenancy.Settings) { s.AutoClose = time.Hour })
		asleep, idle, held := w.hello(), w.Receive("Sales", "visitor-2", "Hi"), w.Receive("Sales", "visitor-3", "Hi")
		w.snooze(asleep.ID)
		_, err := w.Conversations.Send(ctx, w.bob, idle.ID, "Yes it is")
		require.NoError(t, err)
		_, err = w.Conversations.Claim(ctx, w.bob, held.ID)
		require.NoError(t, err)
		carol := w.Guest(w.bob, held.ID, "carol")
		w.until(carol, held.ID, w.Clock.Now().Add(time.Hour))
		_, err = w.Conversations.Deliver(ctx, w.bob, held.ID, conversation.ToUser(w.maria.User), conversation.Outcome{}, conversation.AskAcceptance(time.Hour))
		require.NoError(t, err)
		_, err = w.Tenancy.SetExpiry(ctx, w.alice, w.maria.User, w.Clock.Now().Add(time.Hour))
		require.NoError(t, err)
		elsewhere, err := w.Conversations.Start(ctx, w.other, "visitor-1")
		require.NoError(t, err)

		works := map[string]func(context.Context, tenancy.System) (int, error){
			"wake": w.Conversations.Wake, "close idle": w.Conversations.CloseIdle,
		}
		tidies := []struct {
			what string
			run  func(context.Context, tenancy.System) (int, error)
		}{
			{"claims", w.Conversations.EndClaims}, {"guests", w.Conversations.ExpireGuests},
			{"deliveries", w.Conversations.ExpireDeliveries}, {"members", w.Tenancy.ExpireMembers}, // who take theirs along
		}
		sweep := func(when, name string, run func(context.Context, tenancy.System) (int, error), want int) {
			t.Helper()
			n, err := run(ctx, ushertest.System)
			require.NoError(t, err, "%s: %s", when, name)
			assert.Equal(t, want, n, "%s: %s", when, name)
		}
		_, err = w.Tenancy.SuspendAccount(ctx, ushertest.System, account)
		require.NoError(t, err)
		w.Clock.Advance(time.Hour)
		before := len(w.log(w.bob.Team))
		sweep("suspended", "wake", works["wake"], 0)
		sweep("suspended", "close idle, but for the other account's", works["close idle"], 1)
		assert.Len(t, w.log(w.bob.Team), before)
		assert.Equal(t, conversation.Snoozed, w.get(w.bob, asleep.ID).Status)
		assert.Equal(t, conversation.Open, w.get(w.bob, idle.ID).Status)
		assert.Equal(t, conversation.Closed, w.get(w.other, elsewhere.ID).Status)
		for _, tidy := range tidies {
			sweep("suspended", tidy.what, tidy.run, 1)
		}
		w.whole()

		_, err = w.Tenancy.ReactivateAccount(ctx, ushertest.System, account)
		require.NoError(t, err)
		for name, run := range works {
			sweep("reactivated", name, run, 1)
		}
		assert.Equal(t, conversation.Open, w.get(w.bob, asleep.ID).Status)
		assert.Equal(t, conversation.Closed, w.get(w.bob, idle.ID).Status)

		w.snooze(asleep.ID)
		_, err = w.Conversations.Open(ctx, w.bob, idle.ID)
		require.NoError(t, err)
		holder := tenancy.Holder{User: w.User("acme-holder").ID, Account: account}
		_, err = w.Tenancy.CloseAccount(ctx, holder)
		require.NoError(t, err)
		w.Clock.Advance(time.Hour)
		for name, run := range works {
			sweep("closed", name, run, 0)
		}
		w.whole()
	})
}

// A sweep that has found something looks again, once it has taken it, whether its team is at work.
func TestSweepsLookAgainWhetherTheTeamIsAtWork(t *testing.T) {
	store := &everDue{Store: everystore.Memory(t)}
	w := worldOn(t, store)
	ctx := t.Context()
	w.configure(w.alice, func(s *tenancy.Settings) { s.AutoClose = time.Hour })
	asleep, idle := w.hello(), w.Receive("Sales", "visitor-2", "Hi")
	w.snooze(asleep.ID)
	_, err := w.Conversations.Send(ctx, w.bob, idle.ID, "Yes it is")
	require.NoError(t, err)
	_, err = w.Tenancy.SuspendAccount(ctx, ushertest.System, asleep.Account)
	require.NoError(t, err)
	w.Clock.Advance(time.Hour)
	for _, c := range []conversation.Conversation{asleep, idle} {
		store.due = append(store.due, conversation.Thread{Team: c.Team, Conversation: c.ID})
	}
	sweep := func(what string, want int) {
		t.Helper()
		for name, run := range map[string]func(context.Context, tenancy.System) (int, error){
			"wake": w.Conversations.Wake, "close idle": w.Conversations.CloseIdle,
		} {
			n, err := run(ctx, ushertest.System)
			require.NoError(t, err)
			assert.Equal(t, want, n, "%s: %s", what, name)
		}
	}
	sweep("suspended", 0)
	archived := func(status tenancy.TeamStatus) {
		t.Helper()
		require.NoError(t, w.inTx(func(s txStore) error { // which no operation does with what is not closed
			team, err := s.Team(s.ctx, asleep.Team)
			team.Status = status
			return errors.Join(err, s.UpdateTeam(s.ctx, team))
		}))
	}
	_, err = w.Tenancy.ReactivateAccount(ctx, ushertest.System, asleep.Account)
	require.NoError(t, err)
	archived(tenancy.TeamArchived)
	sweep("archived", 0)
	archived(tenancy.TeamActive)
	sweep("at work", 1)
}

// everDue lists one conversation as due for all that time does, whatever has become of it.
type everDue struct {
	storage.Store
	due []conversation.Thread
}

func (s *everDue) SnoozeEnded(context.Context, time.Time, int) ([]conversation.Thread, error) {
	return s.due, nil
}

func (s *everDue) Idle(context.Context, time.Time, int) ([]conversation.Thread, error) {
	return s.due, nil
}

func (s *everDue) ClaimsEnded(context.Context, time.Time, int) ([]conversation.Thread, error) {
	return s.due, nil
}

func (s *everDue) LapsedDeliveries(context.Context, time.Time, int) ([]conversation.Thread, error) {
	return s.due, nil
}

// A sweep ends, also where what is found as due never is.
func TestSweepsEndWhereNothingCanBeDone(t *testing.T) {
	store := &everDue{Store: everystore.Memory(t)}
	w := worldOn(t, store)
	c := w.hello()
	store.due = []conversation.Thread{{Team: c.Team, Conversation: c.ID}}
	for name, sweep := range map[string]func(context.Context, tenancy.System) (int, error){
		"wake": w.Conversations.Wake, "close idle": w.Conversations.CloseIdle,
		"end claims": w.Conversations.EndClaims, "expire deliveries": w.Conversations.ExpireDeliveries,
	} {
		ended, err := sweep(t.Context(), ushertest.System)
		require.NoError(t, err, name)
		assert.Zero(t, ended, name)
	}
}

var errBroken = errors.New("the disk is full")

// rotten is a store in which some conversations cannot be taken.
type rotten struct {
	storage.Store
	bad map[tenancy.ConversationID]bool
}

func (r rotten) LockConversation(ctx context.Context, team tenancy.TeamID, id tenancy.ConversationID) (conversation.Conversation, error) {
	if r.bad[id] {
		return conversation.Conversation{}, errBroken
	}
	return r.Store.LockConversation(ctx, team, id)
}

// More of them than a step looks for, and the first in order: the last is ended all the same, in each
// of the sweeps, and the others when they can be.
func TestBadRowsHoldUpNoSweep(t *testing.T) {
	const bad = 120
	for name, kind := range map[string]struct {
		due   func(w *world, id tenancy.ConversationID)
		sweep func(s *conversation.Service) func(context.Context, tenancy.System) (int, error)
	}{
		"wake": {func(w *world, id tenancy.ConversationID) { w.snooze(id) },
			func(s *conversation.Service) func(context.Context, tenancy.System) (int, error) { return s.Wake }},
		"close idle": {func(w *world, id tenancy.ConversationID) { w.say(w.bob, id, "Hello") },
			func(s *conversation.Service) func(context.Context, tenancy.System) (int, error) { return s.CloseIdle }},
		"end claims": {func(w *world, id tenancy.ConversationID) {
			_, err := w.Conversations.Claim(w.t.Context(), w.bob, id)
			require.NoError(w.t, err)
		}, func(s *conversation.Service) func(context.Context, tenancy.System) (int, error) { return s.EndClaims }},
		"expire guests": {func(w *world, id tenancy.ConversationID) {
			w.until(w.Guest(w.bob, id, "carol"), id, w.Clock.Now().Add(time.Hour))
		}, func(s *conversation.Service) func(context.Context, tenancy.System) (int, error) {
			return s.ExpireGuests
		}},
		"expire deliveries": {func(w *world, id tenancy.ConversationID) { w.offers(id, conversation.ToUser(w.maria.User)) },
			func(s *conversation.Service) func(context.Context, tenancy.System) (int, error) {
				return s.ExpireDeliveries
			}},
	} {
		t.Run(name, func(t *testing.T) {
			store := rotten{everystore.Memory(t), map[tenancy.ConversationID]bool{}}
			w := worldOn(t, store)
			w.configure(w.alice, func(s *tenancy.Settings) { s.AutoClose = time.Hour })
			var ids []tenancy.ConversationID
			for i := range bad + 1 {
				c := w.Receive("Sales", fmt.Sprint("visitor-", i), "Hi")
				kind.due(w, c.ID)
				ids = append(ids, c.ID)
				w.Clock.Advance(time.Millisecond)
			}
			for _, id := range ids[:bad] {
				store.bad[id] = true
			}
			w.Clock.Advance(time.Hour)
			sweep := kind.sweep(w.Conversations)
			n, err := sweep(t.Context(), ushertest.System)
			require.ErrorIs(t, err, errBroken)
			assert.Equal(t, 1, n)
			assert.Equal(t, bad, strings.Count(err.Error(), errBroken.Error()), "each is tried once")
			clear(store.bad)
			n, err = sweep(t.Context(), ushertest.System)
			require.NoError(t, err)
			assert.Equal(t, bad, n)
		})
	}
}
