package conversation_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

// attention is NeedsReplySince as a replay of the messages tells it: the first message of the
// contact that no person has answered. Notes and whatever the system writes count for nothing.
func (w *world) attention(id tenancy.ConversationID) (since time.Time) {
	w.t.Helper()
	for after := int64(0); ; {
		found, err := w.Conversations.Messages(w.t.Context(), w.bob, id, after, tenancy.MaxLimit)
		require.NoError(w.t, err)
		if len(found) == 0 {
			return since
		}
		for _, m := range found {
			switch {
			case m.Kind == conversation.InboundMessage && since.IsZero():
				since = m.At
			case m.Kind == conversation.OutboundMessage:
				since = time.Time{}
			}
			after = m.Seq
		}
	}
}

// Attention is set by a contact's message and by nothing else, and cleared by a person's public
// reply and by nothing else: whatever is done to a conversation, it is what a replay of its messages
// says.
func TestAttentionIsWhatAReplaySays(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.hello()
		carol := w.Guest(w.bob, c.ID, "carol")
		w.configure(w.alice, func(s *tenancy.Settings) { s.AutoClose = time.Hour })
		random := rand.New(rand.NewPCG(6, 1))
		steps := []func(n int) error{
			func(int) error { w.Receive("Sales", "visitor-1", "Hello?"); return nil },
			func(int) error { _, err := w.Conversations.Send(ctx, w.bob, c.ID, "Hello"); return err },
			func(int) error { _, err := w.Conversations.Send(ctx, carol, c.ID, "Hello"); return err },
			func(n int) error {
				_, err := w.Conversations.Send(ctx, w.bob, c.ID, "Hello", conversation.ClientID(fmt.Sprint("again-", n%2)))
				return err
			},
			func(int) error { _, err := w.Conversations.Note(ctx, w.bob, c.ID, "filed"); return err },
			func(int) error { _, err := w.Conversations.Type(ctx, w.bob, c.ID, "^note filed"); return err },
			func(int) error { _, err := w.Conversations.Type(ctx, w.bob, c.ID, "^help"); return err },
			func(int) error { _, err := w.Conversations.TakeOver(ctx, w.bob, c.ID, w.maria.User); return err },
			func(int) error { _, err := w.Conversations.Close(ctx, w.bob, c.ID, ""); return err },
			func(int) error { _, err := w.Conversations.Open(ctx, w.bob, c.ID); return err },
			func(int) error { _, err := w.Conversations.Start(ctx, w.bob, "visitor-1"); return err },
			func(int) error {
				_, err := w.Conversations.Snooze(ctx, w.bob, c.ID, w.Clock.Now().Add(time.Hour))
				return err
			},
			func(int) error { _, err := w.Conversations.Wake(ctx, ushertest.System); return err },
			func(int) error { _, err := w.Conversations.CloseIdle(ctx, ushertest.System); return err },
			func(int) error {
				_, err := w.Conversations.Deliver(ctx, w.bob, c.ID, conversation.ToUser(w.bob.User), conversation.Outcome{})
				return err
			},
		}
		set, cleared := 0, 0
		for n := range 60 {
			w.Clock.Advance(time.Duration(random.IntN(40)) * time.Minute)
			if err := steps[random.IntN(len(steps))](n); err != nil {
				require.ErrorIs(t, err, conversation.ErrClosed)
			}
			since := w.get(w.bob, c.ID).NeedsReplySince
			require.Equal(t, w.attention(c.ID), since, "step %d", n)
			if since.IsZero() {
				cleared++
			} else {
				set++
			}
		}
		assert.Greater(t, set, 5)
		assert.Greater(t, cleared, 5)
	})
}
