package ushertest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/storage/ushertest"
)

func TestMessagesToContacts(t *testing.T) {
	w := ushertest.NewWorld(t).Account("acme").Team("sales", ushertest.Member("bob"))
	bob, c := w.Actor("bob", "sales"), w.Receive("sales", "visitor-1", "Hi!")
	w.NotTexted("visitor-1")
	sent, err := w.Conversations.Send(t.Context(), bob, c.ID, "Hello!")
	require.NoError(t, err)
	_, err = w.Conversations.Note(t.Context(), bob, c.ID, "likes to chat")
	require.NoError(t, err)

	got := w.Texted("visitor-1")
	assert.Equal(t, "Hello!", got.Text)
	assert.NotEmpty(t, got.Footer, "the first message says how to opt out")
	assert.Equal(t, w.TeamNamed("sales").Identity, got.From)
	assert.Equal(t, sent.ID, got.ID)
	w.NotTexted("visitor-2")
	_, err = w.Conversations.Send(t.Context(), bob, c.ID, "Still there?")
	require.NoError(t, err)
	assert.Len(t, w.Texts("visitor-1"), 2)
	assert.Equal(t, "Still there?", w.Texted("visitor-1").Text)

	// The provider's receipt names the message by the id that the world's sender gave it.
	seen, err := w.Conversations.Receipt(t.Context(), ushertest.System, conversation.Receipt{From: got.From, ID: got.ID.String(), Status: conversation.StatusRead})
	require.NoError(t, err)
	assert.Equal(t, sent.ID, seen.ID)
	assert.Equal(t, conversation.StatusRead, seen.Status)

	says := failure(t, func(tb testing.TB) {
		w := ushertest.NewWorld(tb).Account("acme").Team("sales")
		c := w.Receive("sales", "visitor-1", "Hi!")
		if _, err := w.Conversations.Send(tb.Context(), w.Actor("acme-holder", "sales"), c.ID, "Hello!"); err != nil {
			tb.Fatal(err)
		}
		w.NotTexted("visitor-1")
	})
	assert.Equal(t, "ushertest: visitor-1 should have got no message, but got \"Hello!\"", says)
	says = failure(t, func(tb testing.TB) { ushertest.NewWorld(tb).Texted("visitor-1") })
	assert.Contains(t, says, "ushertest: no message was sent to visitor-1")
}

// A world whose options name a sender of their own has that one.
func TestASenderOfOnesOwn(t *testing.T) {
	var own conversation.Captured
	w := ushertest.NewWorld(t, usher.WithSender(&own)).Account("acme").Team("sales", ushertest.Member("bob"))
	c := w.Receive("sales", "visitor-1", "Hi!")
	_, err := w.Conversations.Send(t.Context(), w.Actor("bob", "sales"), c.ID, "Hello!")
	require.NoError(t, err)
	w.NotTexted("visitor-1")
	assert.Len(t, own.To("visitor-1"), 1)
}
