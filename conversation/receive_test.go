package conversation_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

func TestFirstMessageStartsAConversation(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		c := w.hello()
		assert.Equal(t, w.alice.Team, c.Team)
		assert.Equal(t, conversation.Open, c.Status)
		assert.Equal(t, conversation.NewLabel, c.Label)
		assert.Equal(t, w.Clock.Now(), c.NeedsReplySince)
		stored, err := w.Conversations.Get(t.Context(), w.bob, c.ID)
		require.NoError(t, err)
		assert.Equal(t, stored, c)
		assert.Equal(t, []string{"Hi, is the job still open?"}, w.texts(w.bob, c.ID))

		w.Clock.Advance(time.Minute)
		again := w.Receive("Sales", "visitor-1", "Hello?")
		assert.Equal(t, c.ID, again.ID, "there is one conversation for an identity and an address")
		assert.Equal(t, c.NeedsReplySince, again.NeedsReplySince, "the contact waits since the first unanswered message")
		assert.EqualValues(t, 2, again.LastSeq)
		assert.NotEqual(t, c.ID, w.Receive("Sales", "visitor-2", "Hi").ID)
	})
}

func TestInboundIsIdempotentByProviderID(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		in := conversation.Inbound{To: w.TeamNamed("Sales").Identity, From: "visitor-1", ID: "SM1", Text: "Hi"}
		first, err := w.Conversations.Receive(t.Context(), ushertest.System, in)
		require.NoError(t, err)
		before := len(w.log(w.alice.Team))
		again, err := w.Conversations.Receive(t.Context(), ushertest.System, in)
		require.NoError(t, err)
		assert.Equal(t, first, again)
		assert.Len(t, w.log(w.alice.Team), before)

		in.Text = "Something else"
		_, err = w.Conversations.Receive(t.Context(), ushertest.System, in)
		require.ErrorIs(t, err, tenancy.ErrKeyReused)
		assert.Equal(t, []string{"Hi"}, w.texts(w.bob, first.ID))
	})
}

func TestReceiveRefuses(t *testing.T) {
	w := worldOn(t, everystore.Memory(t))
	good := conversation.Inbound{To: w.TeamNamed("Sales").Identity, From: "visitor-1", ID: "1", Text: "Hi"}
	for name, spoil := range map[string]func(*conversation.Inbound){
		"no identity":       func(in *conversation.Inbound) { in.To = tenancy.Identity{} },
		"no sender":         func(in *conversation.Inbound) { in.From = "" },
		"spaces in sender":  func(in *conversation.Inbound) { in.From = "a b" },
		"long sender":       func(in *conversation.Inbound) { in.From = strings.Repeat("x", 129) },
		"no id":             func(in *conversation.Inbound) { in.ID = "" },
		"long id":           func(in *conversation.Inbound) { in.ID = strings.Repeat("x", conversation.MaxKey+1) },
		"no text":           func(in *conversation.Inbound) { in.Text = " \n" },
		"control character": func(in *conversation.Inbound) { in.Text = "a\x1b[2Jb" },
		"not UTF-8":         func(in *conversation.Inbound) { in.Text = "\xff" },
		"F8 long text":      func(in *conversation.Inbound) { in.Text = strings.Repeat("x", conversation.MaxText+1) },
		"F8 huge text":      func(in *conversation.Inbound) { in.Text = strings.Repeat("x", 1<<20) },
	} {
		in := good
		spoil(&in)
		_, err := w.Conversations.Receive(t.Context(), ushertest.System, in)
		require.ErrorIs(t, err, tenancy.ErrInvalid, name)
	}
	in := good
	in.To = tenancy.Chat("nobody")
	_, err := w.Conversations.Receive(t.Context(), ushertest.System, in)
	require.ErrorIs(t, err, tenancy.ErrNotFound)
	in = good
	in.Text = strings.Repeat("x", conversation.MaxText)
	_, err = w.Conversations.Receive(t.Context(), ushertest.System, in)
	require.NoError(t, err)
}

func TestConcurrentFirstMessagesMakeOneConversation(t *testing.T) {
	everystore.Run(t, func(t *testing.T, open func(*testing.T) storage.Store) {
		w := worldOn(t, open(t))
		const senders = 16
		ids := make(chan tenancy.ConversationID, senders)
		start := make(chan struct{})
		for i := range senders {
			go func() {
				<-start
				c, err := w.Conversations.Receive(t.Context(), ushertest.System, conversation.Inbound{
					To: w.TeamNamed("Sales").Identity, From: "visitor-1", ID: string(rune('a' + i)), Text: "Hi",
				})
				assert.NoError(t, err)
				ids <- c.ID
			}()
		}
		close(start)
		first := <-ids
		for range senders - 1 {
			assert.Equal(t, first, <-ids)
		}
		found, err := w.Conversations.Messages(t.Context(), w.bob, first, 0, 0)
		require.NoError(t, err)
		require.Len(t, found, senders)
		for i, m := range found {
			assert.EqualValues(t, i+1, m.Seq, "the sequence has no gaps")
		}
	})
}
