package conversation_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/tenancy"
)

func TestAnEditReplacesTheText(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx, c := t.Context(), w.hello()
		m := w.say(w.bob, c.ID, "Yes", conversation.ClientID("k1"))
		w.Clock.Advance(time.Minute)
		edited, err := w.Conversations.EditMessage(ctx, w.bob, c.ID, m.ID, "Yes, it is")
		require.NoError(t, err)
		want := m
		want.Text, want.EditedAt, want.Version = "Yes, it is", w.Clock.Now(), 2
		assert.Equal(t, want, edited)
		assert.Equal(t, want, w.message(m))
		assert.Equal(t, 1, w.kinds(w.bob.Team)[conversation.MessageEdited])

		before := len(w.log(w.bob.Team))
		again, err := w.Conversations.EditMessage(ctx, w.bob, c.ID, m.ID, "Yes, it is")
		require.NoError(t, err)
		assert.Equal(t, edited, again)
		assert.Len(t, w.log(w.bob.Team), before, "the same text is no change")

		repeated, err := w.Conversations.Send(ctx, w.bob, c.ID, "Yes", conversation.ClientID("k1"))
		require.NoError(t, err)
		assert.Equal(t, edited, repeated, "the client's repetition is the message, whatever it says now")

		for _, text := range []string{"", " ", "^close", "\xff", strings.Repeat("x", conversation.MaxText+1), strings.Repeat("x", 1<<20)} {
			_, err = w.Conversations.EditMessage(ctx, w.bob, c.ID, m.ID, text)
			require.ErrorIs(t, err, tenancy.ErrInvalid)
		}
		_, err = w.Conversations.EditMessage(ctx, w.bob, c.ID, m.ID, strings.Repeat("x", conversation.MaxText))
		require.NoError(t, err)
	})
}

func TestADeletedMessageLeavesItsPlace(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx, c := t.Context(), w.hello()
		file := conversation.Attachment{Name: "cv.pdf", MediaType: "application/pdf", Size: 1, Ref: "files/cv"}
		m := w.say(w.bob, c.ID, "Yes", conversation.ClientID("k1"), conversation.Attach(file))
		note, err := w.Conversations.Note(ctx, w.bob, c.ID, "Hm")
		require.NoError(t, err)
		for _, id := range []tenancy.MessageID{m.ID, note.ID} {
			gone, err := w.Conversations.DeleteMessage(ctx, w.bob, c.ID, id)
			require.NoError(t, err)
			assert.Empty(t, gone.Text)
			assert.Empty(t, gone.Attachments)
			assert.Equal(t, w.Clock.Now(), gone.DeletedAt)
			assert.Equal(t, gone, w.message(gone))
			assert.Equal(t, w.bob.User, gone.Author, "whose it was is kept")
			before := len(w.log(w.bob.Team))
			again, err := w.Conversations.DeleteMessage(ctx, w.alice, c.ID, id)
			require.NoError(t, err)
			assert.Equal(t, gone, again)
			assert.Len(t, w.log(w.bob.Team), before, "a second deletion changes nothing")
			_, err = w.Conversations.EditMessage(ctx, w.bob, c.ID, id, "Yes")
			require.ErrorIs(t, err, conversation.ErrDeleted)
		}
		assert.Equal(t, []string{"Hi, is the job still open?", "", ""}, w.texts(w.bob, c.ID), "the sequence has no gap")
		kinds := w.kinds(w.bob.Team)
		assert.Equal(t, 1, kinds[conversation.MessageDeleted])
		assert.Equal(t, 1, kinds[conversation.NoteDeleted], "what happens to a note has a kind of its own: guests are not told")
		repeated, err := w.Conversations.Send(ctx, w.bob, c.ID, "Yes", conversation.ClientID("k1"))
		require.NoError(t, err)
		assert.Equal(t, m.ID, repeated.ID, "a client's repetition does not bring it back")
		assert.False(t, repeated.DeletedAt.IsZero())
		seen, err := w.Conversations.Get(ctx, w.bob, c.ID)
		require.NoError(t, err)
		assert.True(t, seen.NeedsReplySince.IsZero(), "that there was an answer stays so")
	})
}

// Who may change which message: the matrix of authors and actors.
func TestWhoEditsAndDeletes(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx, c := t.Context(), w.hello()
		guest, other := w.Guest(w.bob, c.ID, "gina"), w.Guest(w.bob, c.ID, "gus")
		note := func(by tenancy.Actor) tenancy.MessageID {
			m, err := w.Conversations.Note(ctx, by, c.ID, "Note")
			require.NoError(t, err)
			return m.ID
		}
		first, err := w.Conversations.Messages(ctx, w.bob, c.ID, 0, 1)
		require.NoError(t, err)
		system, err := w.Conversations.Post(ctx, "bot", c.ID, conversation.SystemMessage, "Line")
		require.NoError(t, err)
		fresh := map[string]func() tenancy.MessageID{
			"bob's":     func() tenancy.MessageID { return w.say(w.bob, c.ID, "Yes").ID },
			"alice's":   func() tenancy.MessageID { return w.say(w.alice, c.ID, "Yes").ID },
			"the note":  func() tenancy.MessageID { return note(w.bob) },
			"gina's":    func() tenancy.MessageID { return w.say(guest, c.ID, "Yes").ID },
			"contact's": func() tenancy.MessageID { return first[0].ID },
			"system's":  func() tenancy.MessageID { return system.ID },
		}
		const ok = "ok"
		for _, row := range []struct {
			who           tenancy.Actor
			name, message string
			edit, remove  string
		}{
			{w.bob, "bob", "bob's", ok, ok},
			{w.bob, "bob", "the note", ok, ok},
			{w.bob, "bob", "alice's", "denied", "denied"},
			{w.bob, "bob", "gina's", "denied", "denied"},
			{w.bob, "bob", "contact's", "denied", "denied"},
			{w.bob, "bob", "system's", "denied", "denied"},
			{guest, "gina", "gina's", ok, ok},
			{guest, "gina", "bob's", "denied", "denied"},
			{guest, "gina", "the note", "not found", "not found"},
			{guest, "gina", "contact's", "denied", "denied"},
			{other, "gus", "gina's", "denied", "denied"},
			{w.other, "oscar", "bob's", "not found", "not found"},
			{w.alice, "alice", "bob's", "denied", ok}, // nobody puts words into another's mouth
			{w.alice, "alice", "the note", "denied", ok},
			{w.alice, "alice", "gina's", "denied", ok},
			{w.alice, "alice", "system's", "denied", ok},
			{w.alice, "alice", "contact's", "denied", ok},
		} {
			id := fresh[row.message]()
			_, err := w.Conversations.EditMessage(ctx, row.who, c.ID, id, "Edited")
			assert.Equal(t, row.edit, outcome(err), "%s edits %s message", row.name, row.message)
			_, err = w.Conversations.DeleteMessage(ctx, row.who, c.ID, id)
			assert.Equal(t, row.remove, outcome(err), "%s deletes %s message", row.name, row.message)
		}
		_, err = w.Conversations.EditMessage(ctx, w.bob, w.Receive("Sales", "visitor-2", "Hi").ID, fresh["bob's"](), "Edited")
		require.ErrorIs(t, err, tenancy.ErrNotFound, "a message is found in its own conversation only")
	})
}

func outcome(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, rbac.ErrDenied):
		return "denied"
	case errors.Is(err, tenancy.ErrNotFound):
		return "not found"
	}
	return err.Error()
}

func TestEditsInAClosedConversation(t *testing.T) {
	w := worldOn(t, everystore.Memory(t))
	ctx, c := t.Context(), w.hello()
	m := w.say(w.bob, c.ID, "Yes")
	note, err := w.Conversations.Note(ctx, w.bob, c.ID, "Hm")
	require.NoError(t, err)
	_, err = w.Conversations.Close(ctx, w.bob, c.ID, "")
	require.NoError(t, err)
	_, err = w.Conversations.EditMessage(ctx, w.bob, c.ID, m.ID, "No")
	require.ErrorIs(t, err, conversation.ErrClosed, "an edit takes what writing the message takes")
	_, err = w.Conversations.EditMessage(ctx, w.bob, c.ID, note.ID, "Hm!")
	require.NoError(t, err)
	_, err = w.Conversations.DeleteMessage(ctx, w.bob, c.ID, m.ID)
	require.NoError(t, err)
}

// E2: what a guest may not read they may not touch, their own words from before the grant that they
// have now included.
func TestE2_HiddenHistoryIsNotForChange(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx, c := t.Context(), w.hello()
		guest := w.Guest(w.bob, c.ID, "gina")
		m := w.say(guest, c.ID, "Yes")
		g, err := w.Store.Grant(ctx, c.ID, guest.User)
		require.NoError(t, err)
		g.FromSeq = m.Seq + 1
		require.NoError(t, w.inTx(func(tx txStore) error { return tx.UpdateGrant(tx.ctx, g) }))
		_, err = w.Conversations.EditMessage(ctx, guest, c.ID, m.ID, "No")
		require.Equal(t, tenancy.ErrNotFound, err)
		_, err = w.Conversations.DeleteMessage(ctx, guest, c.ID, m.ID)
		require.Equal(t, tenancy.ErrNotFound, err)
		later := w.say(w.bob, c.ID, "Later")
		for _, read := range []func() ([]conversation.Message, error){
			func() ([]conversation.Message, error) { return w.Conversations.Messages(ctx, guest, c.ID, 0, 0) },
			func() ([]conversation.Message, error) { return w.Conversations.MessagesBefore(ctx, guest, c.ID, 0, 0) },
		} {
			found, err := read()
			require.NoError(t, err)
			assert.Equal(t, []conversation.Message{later}, found)
		}
	})
}
