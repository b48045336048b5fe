package conversation_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

// autoAssigns has Sales give out what comes in.
func (w *world) autoAssigns(by tenancy.Rotation, capacity int) {
	w.t.Helper()
	w.configure(w.alice, func(s *tenancy.Settings) { s.AutoAssign, s.Capacity = by, capacity })
}

func TestWhatComesInStaysWithTheTeamUnlessItSaysOtherwise(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		assert.True(t, w.hello().Assignee.IsZero())
		assert.Zero(t, w.kinds(w.bob.Team)[conversation.ConversationAssigned])
	})
}

func TestWhatAContactBeginsIsAssignedInTurn(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		w.autoAssigns(conversation.RoundRobin, 0)
		staff := w.staff()
		given := map[tenancy.UserID]int{}
		for i := range 2 * len(staff) {
			c := w.Receive("Sales", fmt.Sprint("visitor-", i), "Hi")
			assert.Equal(t, c, w.get(w.bob, c.ID))
			given[c.Assignee]++
			again := w.Receive("Sales", fmt.Sprint("visitor-", i), "Anybody?")
			assert.Equal(t, c.Assignee, again.Assignee, "what goes on is not begun")
		}
		for _, user := range staff {
			assert.Equal(t, 2, given[user])
		}
		events := w.log(w.bob.Team)
		assigned := 0
		for _, e := range events {
			if e.Kind == conversation.ConversationAssigned {
				assigned++
				assert.Equal(t, ushertest.System.Principal(), e.Principal, "whoever handed the message over")
			}
		}
		assert.Equal(t, 2*len(staff), assigned)
		assert.True(t, w.Receive("Sales", "stopper", "STOP").Assignee.IsZero(), "there is nothing to answer")
	})
}

func TestWhatIsOpenedAgainIsAssigned(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		again := func(c conversation.Conversation) conversation.Conversation {
			t.Helper()
			_, err := w.Conversations.Close(ctx, w.alice, c.ID, "")
			require.NoError(t, err)
			w.Clock.Advance(time.Minute)
			c = w.Receive("Sales", c.Address, "One more thing")
			require.Equal(t, conversation.Open, c.Status)
			return c
		}
		c := w.hello()
		w.autoAssigns(conversation.LeastLoaded, 0)
		assert.True(t, w.Receive("Sales", c.Address, "Hello?").Assignee.IsZero(), "it was not begun by this")
		c = again(c)
		first := c.Assignee
		require.False(t, first.IsZero())
		assert.Equal(t, first, again(c).Assignee, "who had it has it")

		_, err := w.Conversations.TakeOver(ctx, w.alice, c.ID, w.bob.User)
		require.NoError(t, err)
		_, err = w.Conversations.Close(ctx, w.alice, c.ID, "")
		require.NoError(t, err)
		_, err = w.Tenancy.Suspend(ctx, w.alice, w.bob.User)
		require.NoError(t, err)
		next := w.Receive("Sales", c.Address, "Still there?").Assignee
		assert.NotEqual(t, w.bob.User, next)
		assert.False(t, next.IsZero(), "who had it cannot have it any more")

		_, err = w.Conversations.Unassign(ctx, w.alice, c.ID)
		require.NoError(t, err)
		_, err = w.Conversations.Snooze(ctx, w.alice, c.ID, w.Clock.Now().Add(time.Hour))
		require.NoError(t, err)
		assert.True(t, w.Receive("Sales", c.Address, "Hm?").Assignee.IsZero(), "it was put aside, not closed")
		assert.False(t, again(w.Receive("Sales", "stopper", "STOP")).Assignee.IsZero())
	})
}

// The settings are those of the team that has the conversation, whoever has the number.
func TestWhatWasMovedIsAssignedWhereItIs(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.autoAssigns(conversation.RoundRobin, 0)
		c := w.hello()
		hiring := w.TeamNamed("Hiring").ID
		_, err := w.Conversations.Deliver(ctx, w.bob, c.ID, conversation.ToTeam(hiring), conversation.Outcome{})
		require.NoError(t, err)
		dana := w.Actor("dana", "Hiring")
		for _, by := range []tenancy.Rotation{"", conversation.LeastLoaded} {
			w.configure(dana, func(s *tenancy.Settings) { s.AutoAssign = by })
			_, err = w.Conversations.Close(ctx, dana, c.ID, "")
			require.NoError(t, err)
			c = w.Receive("Sales", c.Address, "Hello?")
			require.Equal(t, hiring, c.Team)
			assert.Equal(t, by == "", c.Assignee.IsZero(), "%q", by)
		}
	})
}

func TestWhatNobodyHasRoomForStaysWithTheTeam(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		w.autoAssigns(conversation.RoundRobin, 1)
		for i := range w.staff() {
			assert.False(t, w.Receive("Sales", fmt.Sprint("visitor-", i), "Hi").Assignee.IsZero())
		}
		c := w.Receive("Sales", "too-many", "Hi")
		assert.True(t, c.Assignee.IsZero())
		assert.Equal(t, []string{"Hi"}, w.texts(w.bob, c.ID), "what was said is not lost")
	})
}

func TestASuspendedAccountIsGivenNothing(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		w.autoAssigns(conversation.RoundRobin, 0)
		_, err := w.Tenancy.SuspendAccount(t.Context(), ushertest.System, w.TeamNamed("Sales").Account)
		require.NoError(t, err)
		assert.True(t, w.hello().Assignee.IsZero())
	})
}

// Sixteen contacts write at once: the members get as many each, give or take one, and none more than they
// may have.
func TestWhatComesInAtOnceIsSpreadEvenly(t *testing.T) {
	const contacts = 16
	for _, by := range []conversation.Rotation{conversation.RoundRobin, conversation.LeastLoaded} {
		for _, capacity := range []int{0, 3} {
			t.Run(fmt.Sprint(by, capacity), func(t *testing.T) {
				onEveryStore(t, func(t *testing.T, w *world) {
					w.join("hand") // which makes five
					w.autoAssigns(by, capacity)
					staff := w.staff()
					inbound := make([]conversation.Inbound, contacts)
					for i := range inbound {
						inbound[i] = conversation.Inbound{To: w.TeamNamed("Sales").Identity, From: fmt.Sprint("contact-", i), ID: fmt.Sprint("at once ", i), Text: "Hi"}
					}
					got := make([]conversation.Conversation, contacts)
					var all sync.WaitGroup
					start := make(chan struct{})
					for i, in := range inbound {
						all.Go(func() {
							<-start
							var err error
							got[i], err = w.Conversations.Receive(t.Context(), "gateway", in)
							assert.NoError(t, err)
						})
					}
					close(start)
					all.Wait()
					given := map[tenancy.UserID]int{}
					for _, c := range got {
						given[c.Assignee]++
					}
					for _, user := range staff {
						require.Equal(t, given[user], w.inHand(user))
						if capacity > 0 {
							assert.Equal(t, capacity, given[user])
						} else {
							assert.Contains(t, []int{contacts / len(staff), contacts/len(staff) + 1}, given[user])
						}
					}
					assert.Equal(t, max(0, contacts-capacity*len(staff))*min(capacity, 1), given[tenancy.UserID{}], "the rest is the team's")
				})
			})
		}
	}
}
