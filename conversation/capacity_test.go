package conversation_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

func (w *world) capacity(n int) {
	w.t.Helper()
	_, err := w.Tenancy.Configure(w.t.Context(), w.alice, tenancy.Settings{Capacity: n})
	require.NoError(w.t, err)
}

// inHand counts by brute force what a member of Sales has in hand.
func (w *world) inHand(user tenancy.UserID) (n int) {
	w.t.Helper()
	page, err := w.Conversations.List(w.t.Context(), w.alice, conversation.Filter{Status: conversation.Open}, tenancy.Page{Limit: tenancy.MaxLimit})
	require.NoError(w.t, err)
	for _, c := range page.Items {
		if c.Assignee == user || c.ClaimantAt(w.Clock.Now()) == user {
			n++
		}
	}
	return n
}

func TestCapacityBoundsWhatIsTakenAndGiven(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.capacity(2)
		ids := w.queued(6)
		full := func(err error, of tenancy.UserID) {
			t.Helper()
			var at *conversation.CapacityError
			require.ErrorAs(t, err, &at)
			require.ErrorIs(t, err, tenancy.ErrLimit)
			assert.Equal(t, conversation.CapacityError{User: of, Capacity: 2}, *at)
		}
		_, err := w.Conversations.Claim(ctx, w.bob, ids[0])
		require.NoError(t, err)
		_, err = w.Conversations.Assign(ctx, w.maria, ids[1], w.bob.User)
		require.NoError(t, err)
		events := len(w.log(w.bob.Team))
		full(first(w.Conversations.Claim(ctx, w.bob, ids[2])), w.bob.User)
		full(first(w.Conversations.Assign(ctx, w.maria, ids[2], w.bob.User)), w.bob.User)
		assert.Len(t, w.log(w.bob.Team), events, "a refusal writes nothing")
		assert.True(t, w.get(w.bob, ids[2]).Claimant.IsZero())

		_, err = w.Conversations.Assign(ctx, w.bob, ids[0], w.bob.User)
		require.NoError(t, err, "what is in hand already is not one more")
		_, err = w.Conversations.Claim(ctx, w.bob, ids[1])
		require.NoError(t, err)
		got, err := w.next(w.bob, conversation.AgentQueue)
		require.NoError(t, err)
		assert.Equal(t, ids[0], got, "a hop leads to what is in hand")
		_, err = w.next(w.bob, conversation.Unclaimed)
		full(err, w.bob.User)
		_, err = w.Conversations.TakeOver(ctx, w.alice, ids[2], w.bob.User)
		require.NoError(t, err, "a decision about one conversation goes past it")
		assert.Equal(t, 3, w.inHand(w.bob.User))
		_, err = w.Conversations.Claim(ctx, w.maria, ids[3])
		require.NoError(t, err, "another's hands are their own")

		for _, n := range []int{-1, tenancy.MaxCapacity + 1} {
			_, err = w.Tenancy.Configure(ctx, w.alice, tenancy.Settings{Capacity: n})
			require.ErrorIs(t, err, tenancy.ErrInvalid)
		}
		w.capacity(tenancy.MaxCapacity)
		w.capacity(0)
		_, err = w.Conversations.Claim(ctx, w.bob, ids[4])
		require.NoError(t, err)
	})
}

// Whatever ends what somebody has in hand makes room, in the same moment.
func TestWhatMakesRoom(t *testing.T) {
	ends := map[string]func(w *world, id tenancy.ConversationID) error{
		"release": func(w *world, id tenancy.ConversationID) error {
			return first(w.Conversations.Release(w.t.Context(), w.bob, id))
		},
		"skip": func(w *world, id tenancy.ConversationID) error {
			return first(w.Conversations.Skip(w.t.Context(), w.bob, id, conversation.SkipLater, 0))
		},
		"unassign": func(w *world, id tenancy.ConversationID) error {
			_, err := w.Conversations.Assign(w.t.Context(), w.bob, id, w.bob.User)
			return errors.Join(err, first(w.Conversations.Release(w.t.Context(), w.bob, id)), first(w.Conversations.Unassign(w.t.Context(), w.bob, id)))
		},
		"close": func(w *world, id tenancy.ConversationID) error {
			return first(w.Conversations.Close(w.t.Context(), w.bob, id, ""))
		},
		"snooze": func(w *world, id tenancy.ConversationID) error {
			return first(w.Conversations.Snooze(w.t.Context(), w.bob, id, w.Clock.Now().Add(time.Hour)))
		},
		"deliver": func(w *world, id tenancy.ConversationID) error {
			return first(w.Conversations.Deliver(w.t.Context(), w.bob, id, conversation.ToUser(w.maria.User), conversation.Outcome{}))
		},
		"move": func(w *world, id tenancy.ConversationID) error {
			return first(w.Conversations.Deliver(w.t.Context(), w.bob, id, conversation.ToTeam(w.TeamNamed("Hiring").ID), conversation.Outcome{}))
		},
		"take-over": func(w *world, id tenancy.ConversationID) error {
			return first(w.Conversations.TakeOver(w.t.Context(), w.maria, id, w.maria.User))
		},
		"leave": func(w *world, _ tenancy.ConversationID) error {
			_, err := w.Tenancy.Suspend(w.t.Context(), w.alice, w.bob.User)
			return errors.Join(err, first(w.Tenancy.Reactivate(w.t.Context(), w.alice, w.bob.User)))
		},
		"lease, with no sweep": func(w *world, _ tenancy.ConversationID) error {
			w.Clock.Advance(conversation.ClaimLease)
			return nil
		},
	}
	onEveryStore(t, func(t *testing.T, w *world) {
		w.capacity(1)
		for how, end := range ends {
			ids := w.queued(2)
			for i := range ids {
				ids[i] = w.Receive("Sales", fmt.Sprint(how[:2], i), "Hi").ID
			}
			_, err := w.Conversations.Claim(t.Context(), w.bob, ids[0])
			require.NoError(t, err, how)
			_, err = w.Conversations.Claim(t.Context(), w.bob, ids[1])
			require.ErrorIs(t, err, tenancy.ErrLimit, how)
			require.NoError(t, end(w, ids[0]), how)
			_, err = w.Conversations.Claim(t.Context(), w.bob, ids[1])
			require.NoError(t, err, how)
			_, err = w.Conversations.Release(t.Context(), w.bob, ids[1])
			require.NoError(t, err, how)
		}
	})
}

// Sixteen at once take and give what one member may have three of.
func TestCapacityIsNeverExceededAtOnce(t *testing.T) {
	const takers, capacity = 16, 3
	onEveryStore(t, func(t *testing.T, w *world) {
		w.capacity(capacity)
		for range max(1, everystore.Rounds(50)/10) {
			ids := make([]tenancy.ConversationID, takers)
			for i := range ids {
				ids[i] = w.Receive("Sales", fmt.Sprint("taken-", i), "Hi").ID
			}
			errs := make([]error, takers)
			var wg sync.WaitGroup
			start := make(chan struct{})
			for i, id := range ids {
				wg.Go(func() {
					<-start
					switch i % 3 {
					case 0:
						_, errs[i] = w.Conversations.Claim(t.Context(), w.bob, id)
					case 1:
						_, errs[i] = w.Conversations.Assign(t.Context(), w.maria, id, w.bob.User)
					default:
						_, errs[i] = w.Conversations.Assign(t.Context(), w.bob, id, w.bob.User)
					}
				})
			}
			close(start)
			wg.Wait()
			won := 0
			for _, err := range errs {
				if err == nil {
					won++
					continue
				}
				require.ErrorIs(t, err, tenancy.ErrLimit)
			}
			assert.Equal(t, capacity, won)
			require.Equal(t, capacity, w.inHand(w.bob.User))
			for _, id := range ids {
				_, err := w.Conversations.Close(t.Context(), w.alice, id, "")
				require.NoError(t, err)
			}
		}
	})
}

// staff are all who can be given a conversation of Sales: its maker is one.
func (w *world) staff() []tenancy.UserID {
	w.t.Helper()
	able, err := w.Tenancy.Able(w.t.Context(), w.bob.Team, rbac.ReadConversations, rbac.SendMessage)
	require.NoError(w.t, err)
	return able
}

func TestAssignNextGoesRound(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		next := func(by conversation.Rotation) tenancy.UserID {
			t.Helper()
			w.Clock.Advance(time.Second)
			c, err := w.Conversations.AssignNext(ctx, w.bob, w.Receive("Sales", fmt.Sprint(w.Clock.Now().UnixNano()), "Hi").ID, by)
			require.NoError(t, err)
			assert.Equal(t, c, w.get(w.bob, c.ID))
			return c.Assignee
		}
		w.Guest(w.bob, w.hello().ID, "carol")
		round := map[tenancy.UserID]int{}
		var order []tenancy.UserID
		staff := w.staff()
		require.Len(t, staff, 4, "guests and strangers are none")
		for range 2 * len(staff) {
			user := next(conversation.RoundRobin)
			round[user]++
			order = append(order, user)
		}
		for _, user := range staff {
			assert.Equal(t, 2, round[user])
		}
		assert.Equal(t, order[:len(staff)], order[len(staff):], "in turn")

		_, err := w.Tenancy.Suspend(ctx, w.alice, w.maria.User)
		require.NoError(t, err)
		for range 3 {
			assert.NotEqual(t, w.maria.User, next(conversation.RoundRobin))
		}
		_, err = w.Tenancy.Reactivate(ctx, w.alice, w.maria.User)
		require.NoError(t, err)
		for i := range 3 {
			assert.Equal(t, w.maria.User, next(conversation.LeastLoaded), "maria lost what she had, and comes first until she has as much: %d", i)
		}

		c := w.hello()
		_, err = w.Conversations.Assign(ctx, w.bob, c.ID, w.maria.User)
		require.NoError(t, err)
		var taken *conversation.AssignedError
		_, err = w.Conversations.AssignNext(ctx, w.bob, c.ID, conversation.RoundRobin)
		require.ErrorAs(t, err, &taken)
		_, err = w.Conversations.AssignNext(ctx, w.bob, c.ID, "whoever")
		require.ErrorIs(t, err, tenancy.ErrInvalid)
		_, err = w.Conversations.AssignNext(ctx, w.other, c.ID, conversation.RoundRobin)
		require.ErrorIs(t, err, tenancy.ErrNotFound)
	})
}

func TestAssignNextPassesOverThoseWhoseHandsAreFull(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		w.capacity(2)
		ids := w.queued(9)
		_, err := w.Conversations.Claim(t.Context(), w.bob, ids[8])
		require.NoError(t, err)
		for i, id := range ids[:7] {
			_, err := w.Conversations.AssignNext(t.Context(), w.bob, id, conversation.RoundRobin)
			require.NoError(t, err, "%d", i)
		}
		for _, user := range w.staff() {
			assert.Equal(t, 2, w.inHand(user))
		}
		before := len(w.log(w.bob.Team))
		_, err = w.Conversations.AssignNext(t.Context(), w.bob, ids[7], conversation.LeastLoaded)
		require.ErrorIs(t, err, conversation.ErrNobodyFree)
		require.ErrorIs(t, err, tenancy.ErrLimit)
		assert.Len(t, w.log(w.bob.Team), before)
	})
}

// However many are assigned at once, each member gets as many as any other, give or take one.
func TestAssignNextIsFairAtOnce(t *testing.T) {
	const threads, members = 20, 7
	for _, by := range []conversation.Rotation{conversation.RoundRobin, conversation.LeastLoaded} {
		t.Run(string(by), func(t *testing.T) {
			onEveryStore(t, func(t *testing.T, w *world) {
				for i := range members - len(w.staff()) {
					w.join(fmt.Sprint("hand", i))
				}
				ids := w.queued(threads)
				var wg sync.WaitGroup
				start := make(chan struct{})
				for i, id := range ids {
					actor := []tenancy.Actor{w.alice, w.bob, w.maria}[i%3]
					wg.Go(func() {
						<-start
						_, err := w.Conversations.AssignNext(t.Context(), actor, id, by)
						assert.NoError(t, err)
					})
				}
				close(start)
				wg.Wait()
				got := map[tenancy.UserID]int{}
				for _, id := range ids {
					got[w.get(w.bob, id).Assignee]++
				}
				assert.Len(t, got, members)
				for user, n := range got {
					assert.Contains(t, []int{threads / members, threads/members + 1}, n, "%s", user)
				}
			})
		})
	}
}

func TestAssignNextCountsWhoseRoleAnswers(t *testing.T) {
	w := worldOn(t, everystore.Memory(t))
	able, err := w.Tenancy.Able(t.Context(), w.bob.Team, rbac.ReadConversations, rbac.SendMessage)
	require.NoError(t, err)
	assert.Len(t, able, 4)
	assert.Subset(t, able, []tenancy.UserID{w.alice.User, w.bob.User, w.maria.User})
	managers, err := w.Tenancy.Able(t.Context(), w.bob.Team, rbac.ChangeRole)
	require.NoError(t, err)
	assert.Contains(t, managers, w.alice.User)
	assert.NotContains(t, managers, w.bob.User)
	_, err = w.Tenancy.SuspendUser(t.Context(), ushertest.System, w.maria.User)
	require.NoError(t, err)
	able, err = w.Tenancy.Able(t.Context(), w.bob.Team, rbac.ReadConversations)
	require.NoError(t, err)
	assert.NotContains(t, able, w.maria.User)
}
