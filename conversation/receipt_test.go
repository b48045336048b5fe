package conversation_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

// rising are the states of a message in the order in which they outdo each other, as the
// specification has them: queued < sent < delivered < read, and failed where nothing arrived.
var rising = []conversation.SendStatus{"queued", "sent", "failed", "delivered", "read"}

func TestAStatusOnlyRises(t *testing.T) {
	for i, status := range rising {
		for j, other := range rising {
			assert.Equal(t, i > j, status.Outdoes(other), "%s reported of a message that is %s", status, other)
		}
		for _, none := range []conversation.SendStatus{"", "Sent", "seen"} {
			assert.False(t, none.Outdoes(status))
			assert.False(t, status.Outdoes(none), "what is not sent has no status")
		}
	}
}

// Whatever the order in which reports come, and however often, the message ends in the same state, and
// each rise is one event.
func TestReceiptsInAnyOrderEndInTheSame(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		c := w.hello()
		random := rand.New(rand.NewPCG(6, 2))
		for range 12 {
			m := w.lost(w.say(w.bob, c.ID, "Yes"))
			best := conversation.StatusQueued
			for range 6 {
				status := rising[1+random.IntN(len(rising)-1)]
				before := w.kinds(w.bob.Team)[conversation.MessageStatusChanged]
				rises := 0
				if status.Outdoes(best) {
					best, rises = status, 1
				}
				r := conversation.Receipt{Message: m.ID, Status: status}
				if status == conversation.StatusFailed {
					r.Failure = "30005"
				}
				got, err := w.Conversations.Receipt(t.Context(), ushertest.System, r)
				require.NoError(t, err)
				require.Equal(t, best, got.Status)
				require.Equal(t, got, w.message(m))
				require.Equal(t, best == conversation.StatusFailed, got.Failure != "", "a failure has a reason, and nothing else has")
				require.Equal(t, before+rises, w.kinds(w.bob.Team)[conversation.MessageStatusChanged])
			}
		}
	})
}

// lost is a message that the provider has, and whose answer is lost.
func (w *world) lost(m conversation.Message) conversation.Message {
	w.t.Helper()
	g := gateway{answer: func(conversation.Outgoing) (string, error) { return "", errors.New("the answer is lost") }}
	require.Error(w.t, w.handOver(&g, m))
	return w.message(m)
}

// Nobody has anything to report of a message that is still here, or that failed here.
func TestSpec6_AReceiptOfWhatWasNeverHandedOverIsRefused(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		c := w.hello()
		report := func(m conversation.Message) error {
			_, err := w.Conversations.Receipt(t.Context(), ushertest.System, conversation.Receipt{Message: m.ID, Status: conversation.StatusRead})
			return err
		}
		queued := w.say(w.bob, c.ID, "Yes")
		require.ErrorIs(t, report(queued), tenancy.ErrNotFound)
		assert.Equal(t, queued, w.message(queued))
		w.Receive("Sales", "visitor-1", "STOP")
		require.NoError(t, w.handOver(&gateway{}, queued))
		require.ErrorIs(t, report(queued), tenancy.ErrNotFound)
		assert.Equal(t, conversation.StatusFailed, w.message(queued).Status)
		w.Receive("Sales", "visitor-1", "START")
		handed := w.lost(w.say(w.bob, c.ID, "Really?"))
		require.NoError(t, report(handed), "the report comes before the answer")
		assert.Equal(t, conversation.StatusRead, w.message(handed).Status)
	})
}

func TestReceiptsFindNothingElse(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		c := w.hello()
		m := w.say(w.bob, c.ID, "Yes")
		note, err := w.Conversations.Note(t.Context(), w.bob, c.ID, "Hm")
		require.NoError(t, err)
		first, err := w.Conversations.Messages(t.Context(), w.bob, c.ID, 0, 1)
		require.NoError(t, err)
		for name, r := range map[string]conversation.Receipt{
			"an id that nobody gave":  {From: c.Identity, ID: "SM1"},
			"the contact's own id":    {From: c.Identity, ID: "inbound-1"},
			"the client's id":         {From: c.Identity, ID: m.ID.String()},
			"a note":                  {Message: note.ID},
			"the contact's message":   {Message: first[0].ID},
			"a message that is not":   {Message: tenancy.NewID[tenancy.MessageID](tenancy.Env{})},
			"an identity of nobody's": {From: tenancy.Chat("nobody"), ID: "SM1"},
		} {
			r.Status = conversation.StatusRead
			_, err := w.Conversations.Receipt(t.Context(), ushertest.System, r)
			require.ErrorIs(t, err, tenancy.ErrNotFound, name)
		}
	})
}

func TestF8_ReceiptRefuses(t *testing.T) {
	w := worldOn(t, everystore.Memory(t))
	m := w.lost(w.say(w.bob, w.hello().ID, "Yes"))
	good := conversation.Receipt{Message: m.ID, Status: conversation.StatusFailed, Failure: strings.Repeat("x", conversation.MaxFailure)}
	for name, spoil := range map[string]func(*conversation.Receipt){
		"no message": func(r *conversation.Receipt) { r.Message = tenancy.MessageID{} },
		"two names":  func(r *conversation.Receipt) { r.ID = "SM1" },
		"no id":      func(r *conversation.Receipt) { *r = conversation.Receipt{From: tenancy.Chat("a"), Status: "read"} },
		"long id": func(r *conversation.Receipt) {
			*r = conversation.Receipt{From: tenancy.Chat("a"), ID: strings.Repeat("x", conversation.MaxKey+1), Status: "read"}
		},
		"no status":          func(r *conversation.Receipt) { r.Status = "" },
		"queued":             func(r *conversation.Receipt) { r.Status = conversation.StatusQueued },
		"unknown status":     func(r *conversation.Receipt) { r.Status = "Read" },
		"long failure":       func(r *conversation.Receipt) { r.Failure += "x" },
		"huge failure":       func(r *conversation.Receipt) { r.Failure = strings.Repeat("x", 1<<20) },
		"failure of two":     func(r *conversation.Receipt) { r.Failure = "a\nb" },
		"failure of success": func(r *conversation.Receipt) { r.Status = conversation.StatusRead },
	} {
		r := good
		spoil(&r)
		_, err := w.Conversations.Receipt(t.Context(), ushertest.System, r)
		require.ErrorIs(t, err, tenancy.ErrInvalid, name)
	}
	_, err := w.Conversations.Receipt(t.Context(), ushertest.System, good)
	require.NoError(t, err)
}
