package conversation_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/tenancy"
)

func TestSendAnswersTheContact(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		c := w.hello()
		note, err := w.Conversations.Note(t.Context(), w.bob, c.ID, "Looks good")
		require.NoError(t, err)
		assert.Equal(t, conversation.NoteMessage, note.Kind)
		seen, err := w.Conversations.Get(t.Context(), w.bob, c.ID)
		require.NoError(t, err)
		assert.False(t, seen.NeedsReplySince.IsZero(), "a note answers nobody")

		m, err := w.Conversations.Send(t.Context(), w.bob, c.ID, "Yes, it is.")
		require.NoError(t, err)
		assert.EqualValues(t, 3, m.Seq)
		assert.Equal(t, w.bob.User, m.Author)
		seen, err = w.Conversations.Get(t.Context(), w.bob, c.ID)
		require.NoError(t, err)
		assert.True(t, seen.NeedsReplySince.IsZero())
		assert.Equal(t, []string{"Hi, is the job still open?", "Looks good", "Yes, it is."}, w.texts(w.bob, c.ID))
	})
}

func TestOutboundIsIdempotentByAuthorAndClientID(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.hello()
		first, err := w.Conversations.Send(ctx, w.bob, c.ID, "Yes", conversation.ClientID("k1"))
		require.NoError(t, err)
		again, err := w.Conversations.Send(ctx, w.bob, c.ID, "Yes", conversation.ClientID("k1"))
		require.NoError(t, err)
		assert.Equal(t, first, again)
		assert.Equal(t, 1, w.kinds(w.bob.Team)[conversation.MessageSent])

		_, err = w.Conversations.Send(ctx, w.bob, c.ID, "No", conversation.ClientID("k1"))
		require.ErrorIs(t, err, tenancy.ErrKeyReused)
		_, err = w.Conversations.Note(ctx, w.bob, c.ID, "Yes", conversation.ClientID("k1"))
		require.ErrorIs(t, err, tenancy.ErrKeyReused)
		_, err = w.Conversations.Send(ctx, w.bob, w.Receive("Sales", "visitor-2", "Hi").ID, "Yes", conversation.ClientID("k1"))
		require.ErrorIs(t, err, tenancy.ErrKeyReused)
		_, err = w.Conversations.Send(ctx, w.maria, c.ID, "Yes", conversation.ClientID("k1"))
		require.NoError(t, err, "another author's keys are their own")
		assert.Equal(t, []string{"Hi, is the job still open?", "Yes", "Yes"}, w.texts(w.bob, c.ID))

		for _, key := range []string{"", strings.Repeat("x", conversation.MaxKey+1), "\xff"} {
			_, err = w.Conversations.Send(ctx, w.bob, c.ID, "Yes", conversation.ClientID(key))
			require.ErrorIs(t, err, tenancy.ErrInvalid)
		}
	})
}

func TestSendRefusesACommand(t *testing.T) {
	w := worldOn(t, everystore.Memory(t))
	c := w.hello()
	for _, text := range []string{"^close", " ^deliver x", "\u200b^note hm", "＾close"} {
		_, err := w.Conversations.Send(t.Context(), w.bob, c.ID, text)
		require.ErrorIs(t, err, tenancy.ErrInvalid, text)
	}
	assert.Len(t, w.texts(w.bob, c.ID), 1)
}
