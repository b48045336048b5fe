package conversation_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/tenancy"
)

// unread is how many messages of the conversation the actor has not read.
func (w *world) unread(actor tenancy.Actor, id tenancy.ConversationID) int {
	w.t.Helper()
	counts, err := w.Conversations.Unread(w.t.Context(), actor, id)
	require.NoError(w.t, err)
	return counts[id]
}

func TestUnreadCountsWhatOthersSaid(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.hello() // 1
		carol := w.Guest(w.bob, c.ID, "carol")
		_, err := w.Conversations.Send(ctx, w.bob, c.ID, "Yes") // 2
		require.NoError(t, err)
		_, err = w.Conversations.Note(ctx, w.maria, c.ID, "Nice") // 3
		require.NoError(t, err)
		assert.Equal(t, 2, w.unread(w.bob, c.ID), "the contact's message and maria's note")
		assert.Equal(t, 2, w.unread(w.maria, c.ID), "the contact's message and bob's answer")
		assert.Equal(t, 3, w.unread(w.alice, c.ID))
		assert.Equal(t, 2, w.unread(carol, c.ID), "a guest has no notes")

		before := len(w.log(w.bob.Team))
		mark, err := w.Conversations.MarkRead(ctx, w.alice, c.ID, 2)
		require.NoError(t, err)
		assert.EqualValues(t, 2, mark.Seq)
		assert.Equal(t, 1, w.unread(w.alice, c.ID))
		again, err := w.Conversations.MarkRead(ctx, w.alice, c.ID, 1)
		require.NoError(t, err)
		assert.Equal(t, mark, again, "it only moves forward")
		_, err = w.Conversations.MarkRead(ctx, w.alice, c.ID, 1000)
		require.NoError(t, err)
		assert.Equal(t, 0, w.unread(w.alice, c.ID))
		w.Receive("Sales", "visitor-1", "Great") // 4
		assert.Equal(t, 1, w.unread(w.alice, c.ID), "past the newest is the newest, not what comes later")
		assert.Equal(t, 3, w.unread(w.bob, c.ID), "another's mark is their own")
		assert.Len(t, w.log(w.bob.Team), before+1, "a mark is no event")

		for seq := int64(1); seq <= 4; seq++ { // exact, from anywhere
			mark, err := w.Conversations.MarkUnread(ctx, w.alice, c.ID, seq)
			require.NoError(t, err)
			assert.Equal(t, seq-1, mark.Seq)
			assert.Equal(t, int(5-seq), w.unread(w.alice, c.ID))
			read, err := w.Conversations.ReadMark(ctx, w.alice, c.ID)
			require.NoError(t, err)
			assert.Equal(t, mark, read)
		}
		for _, seq := range []int64{-1, 0, 5} {
			_, err := w.Conversations.MarkUnread(ctx, w.alice, c.ID, seq)
			require.ErrorIs(t, err, tenancy.ErrInvalid)
		}
		_, err = w.Conversations.MarkRead(ctx, w.alice, c.ID, -1)
		require.ErrorIs(t, err, tenancy.ErrInvalid)
		none, err := w.Conversations.ReadMark(ctx, w.maria, c.ID)
		require.NoError(t, err)
		assert.Zero(t, none.Seq)

		_, err = w.Conversations.Type(ctx, w.bob, c.ID, "^read")
		require.NoError(t, err)
		assert.Equal(t, 0, w.unread(w.bob, c.ID))
		_, err = w.Conversations.Type(ctx, w.bob, c.ID, "^unread")
		require.NoError(t, err)
		assert.Equal(t, 1, w.unread(w.bob, c.ID))
		_, err = w.Conversations.Type(ctx, w.bob, c.ID, "^unread 1")
		require.NoError(t, err)
		assert.Equal(t, 3, w.unread(w.bob, c.ID))
	})
}

// E3: what an actor cannot see is in no count.
func TestE3_UnreadOfWhatIsNotSeen(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		c, hidden := w.hello(), w.Receive("Sales", "visitor-2", "Hi")
		carol := w.Guest(w.bob, c.ID, "carol")
		foreign := w.Receive("Hiring", "visitor-3", "Hi")
		counts, err := w.Conversations.Unread(t.Context(), carol, c.ID, hidden.ID, foreign.ID)
		require.NoError(t, err)
		assert.Equal(t, map[tenancy.ConversationID]int{c.ID: 1}, counts)
		counts, err = w.Conversations.Unread(t.Context(), w.bob, c.ID, hidden.ID, foreign.ID, c.ID)
		require.NoError(t, err)
		assert.Equal(t, map[tenancy.ConversationID]int{c.ID: 1, hidden.ID: 1}, counts)
		require.NoError(t, w.Conversations.RevokeGuest(t.Context(), w.bob, c.ID, carol.User))
		counts, err = w.Conversations.Unread(t.Context(), carol, c.ID)
		require.NoError(t, err)
		assert.Empty(t, counts)
	})
}

func TestUnreadOfTooMany(t *testing.T) {
	w := worldOn(t, everystore.Memory(t))
	_, err := w.Conversations.Unread(t.Context(), w.bob, make([]tenancy.ConversationID, tenancy.MaxLimit+1)...)
	require.ErrorIs(t, err, tenancy.ErrInvalid)
	counts, err := w.Conversations.Unread(t.Context(), w.bob, make([]tenancy.ConversationID, tenancy.MaxLimit)...)
	require.NoError(t, err)
	assert.Empty(t, counts)
}

// Two devices of one user: the mark is where the one that has read further left it.
func TestMarksOfOneUserAtOnce(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		for round := range 5 {
			c := w.Receive("Sales", "visitor-"+string(rune('a'+round)), "1")
			for range 7 {
				w.Receive("Sales", c.Address, "more")
			}
			start, done := make(chan struct{}), make(chan error, 8)
			for seq := range int64(8) {
				go func() {
					<-start
					_, err := w.Conversations.MarkRead(t.Context(), w.bob, c.ID, seq+1)
					done <- err
				}()
			}
			close(start)
			for range 8 {
				require.NoError(t, <-done)
			}
			mark, err := w.Conversations.ReadMark(t.Context(), w.bob, c.ID)
			require.NoError(t, err)
			assert.EqualValues(t, 8, mark.Seq)
		}
	})
}
