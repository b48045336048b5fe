package conversation_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/tenancy"
)

func TestAssign(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.hello()
		assigned, err := w.Conversations.Assign(ctx, w.bob, c.ID, w.maria.User)
		require.NoError(t, err)
		assert.Equal(t, w.maria.User, assigned.Assignee)
		before := len(w.log(w.bob.Team))
		_, err = w.Conversations.Assign(ctx, w.bob, c.ID, w.maria.User)
		require.NoError(t, err)
		assert.Len(t, w.log(w.bob.Team), before, "a no-op writes nothing")

		_, err = w.Conversations.Assign(ctx, w.bob, c.ID, w.bob.User)
		var taken *conversation.AssignedError
		require.ErrorAs(t, err, &taken)
		require.ErrorIs(t, err, tenancy.ErrConflict)
		assert.Equal(t, w.maria.User, taken.Assignee, "the conflict names the winner")
		_, err = w.Conversations.TakeOver(ctx, w.bob, c.ID, w.bob.User)
		require.NoError(t, err, "taking over is a verb of its own")
		free, err := w.Conversations.Unassign(ctx, w.bob, c.ID)
		require.NoError(t, err)
		assert.True(t, free.Assignee.IsZero())

		carol := w.Guest(w.bob, c.ID, "carol")
		for _, user := range []tenancy.UserID{carol.User, w.User("dana").ID, {}} {
			_, err = w.Conversations.Assign(ctx, w.bob, c.ID, user)
			require.ErrorIs(t, err, conversation.ErrNotRecipient)
			require.ErrorContains(t, err, "invite", "it says what to do")
		}
	})
}

func TestConcurrentTakersOneWins(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		for round := range everystore.Rounds(50) {
			c := w.Receive("Sales", fmt.Sprint("visitor-", round), "Hi")
			var won atomic.Int32
			var wg sync.WaitGroup
			start := make(chan struct{})
			for _, actor := range []tenancy.Actor{w.alice, w.bob, w.maria} {
				wg.Go(func() {
					<-start
					_, err := w.Conversations.Assign(t.Context(), actor, c.ID, actor.User)
					var taken *conversation.AssignedError
					switch {
					case err == nil:
						won.Add(1)
					case !errors.As(err, &taken):
						t.Error(err)
					}
				})
			}
			close(start)
			wg.Wait()
			assert.EqualValues(t, 1, won.Load())
		}
	})
}

// An assignment and the removal of the assignee at the same instant: the conversation never
// stays with someone who is gone.
func TestAssignAndRemoveAtOnce(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		for round := range everystore.Rounds(50) {
			c := w.Receive("Sales", fmt.Sprint("visitor-", round), "Hi")
			name := fmt.Sprint("temp", round)
			temp := w.join(name)
			var wg sync.WaitGroup
			start := make(chan struct{})
			wg.Go(func() { <-start; _, _ = w.Conversations.Assign(t.Context(), w.bob, c.ID, temp) })
			wg.Go(func() { <-start; assert.NoError(t, w.Tenancy.Remove(t.Context(), w.alice, temp)) })
			close(start)
			wg.Wait()
			after, err := w.Conversations.Get(t.Context(), w.bob, c.ID)
			require.NoError(t, err)
			assert.True(t, after.Assignee.IsZero())
		}
	})
}

func TestCloseAndOpen(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.hello()
		_, err := w.Conversations.Assign(ctx, w.bob, c.ID, w.maria.User)
		require.NoError(t, err)
		_, err = w.Conversations.Close(ctx, w.bob, c.ID, "Hired")
		require.ErrorIs(t, err, tenancy.ErrInvalid)
		closed, err := w.Conversations.Close(ctx, w.bob, c.ID, conversation.NotInterested)
		require.NoError(t, err)
		assert.Equal(t, conversation.Closed, closed.Status)
		assert.Equal(t, conversation.NotInterested, closed.Outcome)
		again, err := w.Conversations.Close(ctx, w.bob, c.ID, "")
		require.NoError(t, err)
		assert.Equal(t, closed, again, "closing a closed one changes nothing")

		opened, err := w.Conversations.Open(ctx, w.bob, c.ID)
		require.NoError(t, err)
		assert.Equal(t, conversation.Open, opened.Status)
		assert.Empty(t, opened.Outcome)
		assert.Equal(t, w.maria.User, opened.Assignee)

		_, err = w.Conversations.Close(ctx, w.bob, c.ID, "")
		require.NoError(t, err)
		w.suspend(w.maria)
		w.Clock.Advance(time.Hour)
		inbound := w.Receive("Sales", "visitor-1", "One more thing")
		assert.Equal(t, conversation.Open, inbound.Status, "the contact's next message opens it")
		assert.True(t, inbound.Assignee.IsZero(), "and it goes back to the team when the assignee is not eligible")
		stored, err := w.Conversations.Get(ctx, w.bob, c.ID)
		require.NoError(t, err)
		assert.Equal(t, stored, inbound)
	})
}

// E4: what works in a closed conversation is one matrix, the same for members and guests.
func TestE4_ClosedConversation(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.hello()
		carol := w.Guest(w.bob, c.ID, "carol")
		_, err := w.Conversations.Close(ctx, w.bob, c.ID, "")
		require.NoError(t, err)
		for _, actor := range []tenancy.Actor{w.bob, carol} {
			_, err = w.Conversations.Get(ctx, actor, c.ID)
			require.NoError(t, err)
			_, err = w.Conversations.EditContact(ctx, actor, c.ID, conversation.ContactEdit{Name: ptr("Vera")})
			require.NoError(t, err)
			_, err = w.Conversations.Send(ctx, actor, c.ID, "Hi")
			require.ErrorIs(t, err, conversation.ErrClosed)
		}
		_, err = w.Conversations.Note(ctx, w.bob, c.ID, "filed")
		require.NoError(t, err)
		_, err = w.Conversations.Assign(ctx, w.bob, c.ID, w.bob.User)
		require.ErrorIs(t, err, conversation.ErrClosed)
		_, err = w.Conversations.Type(ctx, w.bob, c.ID, "^invite zoe@zoe.example")
		require.ErrorIs(t, err, conversation.ErrClosed)
		require.NoError(t, w.Conversations.RevokeGuest(ctx, w.bob, c.ID, carol.User))
	})
}
