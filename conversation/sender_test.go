package conversation_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

// gateway is a provider: it notes what it was handed, and answers what it is told to.
type gateway struct {
	handed []conversation.Outgoing
	answer func(conversation.Outgoing) (string, error)
}

func (g *gateway) Send(_ context.Context, m conversation.Outgoing) (string, error) {
	g.handed = append(g.handed, m)
	if g.answer != nil {
		return g.answer(m)
	}
	return "SM-" + m.ID.String(), nil
}

// handOver gives the sink the event of a message once more.
func (w *world) handOver(g conversation.Sender, m conversation.Message) error {
	w.t.Helper()
	return w.handOverIn(w.bob.Team, g, m)
}

// handOverIn is handOver for what was said in any team.
func (w *world) handOverIn(team tenancy.TeamID, g conversation.Sender, m conversation.Message) error {
	w.t.Helper()
	for _, e := range w.log(team) {
		var facts tenancy.Facts
		require.NoError(w.t, json.Unmarshal(e.Payload, &facts))
		if facts["message"] == m.ID.String() && e.Kind == conversation.MessageSent {
			return w.Conversations.Sending(g).Deliver(w.t.Context(), e)
		}
	}
	w.t.Fatalf("there is no event that %s was sent", m.ID)
	return nil
}

// message reads a message as it is stored.
func (w *world) message(m conversation.Message) conversation.Message {
	w.t.Helper()
	stored, err := w.Store.Message(w.t.Context(), m.Conversation, m.ID)
	require.NoError(w.t, err)
	return stored
}

func (w *world) say(by tenancy.Actor, id tenancy.ConversationID, text string, options ...conversation.SendOption) conversation.Message {
	w.t.Helper()
	m, err := w.Conversations.Send(w.t.Context(), by, id, text, options...)
	require.NoError(w.t, err)
	return m
}

func TestTheSenderGetsTheMessageAndItsIDIsKept(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		c := w.hello()
		m := w.say(w.bob, c.ID, "Yes, it is.", conversation.Attach(conversation.Attachment{Name: "job.pdf", MediaType: "application/pdf", Size: 7, Ref: "files/1"}))
		assert.Equal(t, conversation.StatusQueued, m.Status)
		w.Clock.Advance(time.Minute)
		var g gateway
		require.NoError(t, w.handOver(&g, m))
		assert.Equal(t, []conversation.Outgoing{{ID: m.ID, From: c.Identity, To: "visitor-1", Text: "Yes, it is.", Attachments: m.Attachments, Footer: conversation.DefaultOptOutText}}, g.handed)
		sent := w.message(m)
		assert.Equal(t, conversation.StatusSent, sent.Status)
		assert.Equal(t, w.Clock.Now(), sent.HandedAt)
		event := w.log(w.bob.Team)[len(w.log(w.bob.Team))-1]
		assert.Equal(t, conversation.MessageStatusChanged, event.Kind)
		assert.Equal(t, "system:sender", event.Principal)

		read, err := w.Conversations.Receipt(t.Context(), ushertest.System, conversation.Receipt{From: c.Identity, ID: "SM-" + m.ID.String(), Status: conversation.StatusRead})
		require.NoError(t, err)
		assert.Equal(t, conversation.StatusRead, read.Status)
		require.NoError(t, w.handOver(&g, m), "the event comes once more")
		assert.Len(t, g.handed, 1, "what was sent is not sent again")
	})
}

// A guest's message takes the same way as a member's, a note takes none.
func TestTheSenderGetsWhatGuestsAndSystemsSayAndNoNote(t *testing.T) {
	w := worldOn(t, everystore.Memory(t))
	c := w.hello()
	guest := w.Guest(w.bob, c.ID, "gina")
	said := w.say(guest, c.ID, "I am the hiring manager.")
	automatic, err := w.Conversations.Post(t.Context(), ushertest.System, c.ID, conversation.AutomaticMessage, "We are closed.")
	require.NoError(t, err)
	_, err = w.Conversations.Note(t.Context(), w.bob, c.ID, "Hm")
	require.NoError(t, err)
	_, err = w.Conversations.Post(t.Context(), ushertest.System, c.ID, conversation.SystemMessage, "Moved.")
	require.NoError(t, err)
	var g gateway
	for _, e := range w.log(w.bob.Team) {
		require.NoError(t, w.Conversations.Sending(&g).Deliver(t.Context(), e))
	}
	require.Len(t, g.handed, 2)
	assert.Equal(t, []tenancy.MessageID{said.ID, automatic.ID}, []tenancy.MessageID{g.handed[0].ID, g.handed[1].ID})
}

func TestAFailingSenderIsAskedAgainWithTheSameMessage(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		c := w.hello()
		m := w.say(w.bob, c.ID, "Yes")
		down := gateway{answer: func(conversation.Outgoing) (string, error) { return "", errors.New("the gateway is down") }}
		require.ErrorContains(t, w.handOver(&down, m), "the gateway is down")
		assert.Equal(t, conversation.StatusQueued, w.message(m).Status)
		_, err := w.Conversations.EditMessage(t.Context(), w.bob, c.ID, m.ID, "No")
		require.ErrorIs(t, err, conversation.ErrHandedOver, "the contact may have it")
		require.Error(t, w.handOver(&down, m))
		assert.Equal(t, down.handed[0], down.handed[1], "a provider that has it already can tell")
		require.NoError(t, w.handOver(&gateway{}, m))
		assert.Equal(t, conversation.StatusSent, w.message(m).Status)
	})
}

// The answer of the Sender is lost because it cannot be noted: the message comes again.
func TestALostAnswerOfTheSenderSendsAgain(t *testing.T) {
	w := worldOn(t, everystore.Memory(t))
	m := w.say(w.bob, w.hello().ID, "Yes")
	ctx, cancel := context.WithCancel(t.Context())
	g := gateway{answer: func(conversation.Outgoing) (string, error) { cancel(); return "SM1", nil }}
	e := w.log(w.bob.Team)[len(w.log(w.bob.Team))-1]
	require.ErrorIs(t, w.Conversations.Sending(&g).Deliver(ctx, e), context.Canceled)
	require.NoError(t, w.Conversations.Sending(&g).Deliver(t.Context(), e))
	require.Len(t, g.handed, 2)
	assert.Equal(t, g.handed[0], g.handed[1])
	assert.Equal(t, conversation.StatusSent, w.message(m).Status)
}

func TestAnUndeliverableMessageFails(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		m := w.say(w.bob, w.hello().ID, "Yes")
		reason := "unknown\nnumber\x00" + strings.Repeat("é", conversation.MaxFailure)
		g := gateway{answer: func(conversation.Outgoing) (string, error) {
			return "", &conversation.UndeliverableError{Reason: reason}
		}}
		require.NoError(t, w.handOver(&g, m), "there is nothing to try again")
		failed := w.message(m)
		assert.Equal(t, conversation.StatusFailed, failed.Status)
		assert.Equal(t, "unknown number "+strings.Repeat("é", 120), failed.Failure, "one line, cut where a letter ends")
		assert.LessOrEqual(t, len(failed.Failure), conversation.MaxFailure)
		require.NoError(t, w.handOver(&g, m))
		assert.Len(t, g.handed, 1)
	})
}

func TestMessagesThatMayNotBeSentAreNot(t *testing.T) {
	for name, given := range map[string]struct {
		prepare func(w *world, m conversation.Message)
		status  conversation.SendStatus
		failure string
	}{
		"deleted": {func(w *world, m conversation.Message) {
			_, err := w.Conversations.DeleteMessage(w.t.Context(), w.bob, m.Conversation, m.ID)
			require.NoError(w.t, err)
		}, conversation.StatusQueued, ""},
		"suspended account": {func(w *world, _ conversation.Message) {
			_, err := w.Tenancy.SuspendAccount(w.t.Context(), ushertest.System, w.TeamNamed("Sales").Account)
			require.NoError(w.t, err)
		}, conversation.StatusFailed, "the account is not active"},
		"identity of another account": {func(w *world, _ conversation.Message) {
			identity := w.TeamNamed("Sales").Identity
			_, err := w.Tenancy.Archive(w.t.Context(), w.alice, tenancy.Leftovers{Close: true})
			require.NoError(w.t, err)
			heir, err := w.Store.Team(w.t.Context(), w.other.Team)
			require.NoError(w.t, err)
			heir.Identity = identity
			require.NoError(w.t, w.inTx(func(tx txStore) error { return tx.UpdateTeam(tx.ctx, heir) }))
		}, conversation.StatusFailed, "the identity is another account's now"},
	} {
		t.Run(name, func(t *testing.T) {
			onEveryStore(t, func(t *testing.T, w *world) {
				m := w.say(w.bob, w.hello().ID, "Yes")
				given.prepare(w, m)
				var g gateway
				require.NoError(t, w.handOver(&g, m))
				assert.Empty(t, g.handed)
				kept := w.message(m)
				assert.Equal(t, given.status, kept.Status)
				assert.Equal(t, given.failure, kept.Failure)
			})
		})
	}
}

// A message goes on its way also when its conversation has moved to another team since.
func TestAMovedConversationIsSentFrom(t *testing.T) {
	w := worldOn(t, everystore.Memory(t))
	c := w.hello()
	m := w.say(w.bob, c.ID, "Yes")
	_, err := w.Conversations.Deliver(t.Context(), w.bob, c.ID, conversation.ToTeam(w.TeamNamed("Hiring").ID), conversation.Outcome{})
	require.NoError(t, err)
	var g gateway
	require.NoError(t, w.handOver(&g, m))
	require.Len(t, g.handed, 1)
	assert.Equal(t, c.Identity, g.handed[0].From, "the contact sees one thread")
	assert.Equal(t, conversation.StatusSent, w.message(m).Status)
}

// A provider that gives two messages one id is no reason to send any of them again.
func TestAnIDThatTwoMessagesHaveIsTheFirstOnes(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		c := w.hello()
		first, second := w.say(w.bob, c.ID, "One"), w.say(w.bob, c.ID, "Two")
		for _, id := range []string{"same", "", strings.Repeat("x", conversation.MaxKey+1)} {
			g := gateway{answer: func(conversation.Outgoing) (string, error) { return id, nil }}
			require.NoError(t, w.handOver(&g, first))
			require.NoError(t, w.handOver(&g, second))
			assert.Equal(t, conversation.StatusSent, w.message(second).Status)
		}
		m, err := w.Conversations.Receipt(t.Context(), ushertest.System, conversation.Receipt{From: c.Identity, ID: "same", Status: conversation.StatusDelivered})
		require.NoError(t, err)
		assert.Equal(t, first.ID, m.ID)
	})
}

func TestSendingMindsItsOwnEvents(t *testing.T) {
	w := worldOn(t, memory.New())
	m := w.say(w.bob, w.hello().ID, "Yes")
	e := w.log(w.bob.Team)[len(w.log(w.bob.Team))-1]
	var g gateway
	sink := w.Conversations.Sending(&g)
	other := e
	other.Kind = conversation.NoteWritten
	require.NoError(t, sink.Deliver(t.Context(), other))
	for _, payload := range []string{`[]`, `{}`, `{"message":"x"}`, `{"message":7}`, ``} {
		bad := e
		bad.Payload = json.RawMessage(payload)
		require.ErrorIs(t, sink.Deliver(t.Context(), bad), tenancy.ErrInvalid, payload)
	}
	gone := e
	gone.Payload = json.RawMessage(`{"message":"` + tenancy.NewID[tenancy.MessageID](tenancy.Env{}).String() + `"}`)
	require.NoError(t, sink.Deliver(t.Context(), gone), "what is not there is not to be sent")
	assert.Empty(t, g.handed)
	require.Error(t, w.Conversations.Sending(nil).Deliver(t.Context(), e))
	assert.Equal(t, m, w.message(m))
}

// STOP between the sending and the hand-over: nothing goes out, by people and systems alike.
func TestNothingIsHandedOverAfterAStop(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		c := w.hello()
		m := w.say(w.bob, c.ID, "Yes")
		w.Receive("Sales", "visitor-1", "STOP")
		var g gateway
		require.NoError(t, w.handOver(&g, m))
		assert.Empty(t, g.handed)
		assert.Equal(t, conversation.StatusFailed, w.message(m).Status)
		_, err := w.Conversations.Post(t.Context(), "bot", c.ID, conversation.AutomaticMessage, "Hello")
		require.ErrorIs(t, err, conversation.ErrOptedOut)
	})
}

// The option of the host: its Sender is handed what is said when the relay runs.
func TestWithSender(t *testing.T) {
	var g gateway
	w := ushertest.NewWorld(t, usher.WithSender(&g)).Account("acme").Team("Sales", ushertest.Member("bob"))
	c := w.Receive("Sales", "visitor-1", "Hi")
	m, err := w.Conversations.Send(t.Context(), w.Actor("bob", "Sales"), c.ID, "Yes")
	require.NoError(t, err)
	w.Post()
	require.Len(t, g.handed, 1)
	assert.Equal(t, m.ID, g.handed[0].ID)
	assert.Equal(t, conversation.DefaultOptOutText, g.handed[0].Footer, "the first message says how to opt out")
	w.Post()
	assert.Len(t, g.handed, 1)
}

// Two relays have one event at once, as can be when a lease runs out: the provider may be asked twice,
// with the same id, and the message is sent once in the books.
func TestTwoSendersAtOnceLeaveOneState(t *testing.T) {
	everystore.Run(t, func(t *testing.T, open func(*testing.T) storage.Store) {
		w := worldOn(t, open(t))
		m := w.say(w.bob, w.hello().ID, "Yes")
		e := w.log(w.bob.Team)[len(w.log(w.bob.Team))-1]
		const relays = 4
		start, done := make(chan struct{}), make(chan error, relays)
		for range relays {
			go func() {
				<-start
				done <- w.Conversations.Sending(&gateway{}).Deliver(t.Context(), e)
			}()
		}
		close(start)
		for range relays {
			require.NoError(t, <-done)
		}
		assert.Equal(t, conversation.StatusSent, w.message(m).Status)
		assert.Equal(t, 1, w.kinds(w.bob.Team)[conversation.MessageStatusChanged])
	})
}

// leisurely is a provider that takes its time, in which the store must be free for others.
type leisurely struct{ w *world }

func (l leisurely) Send(ctx context.Context, m conversation.Outgoing) (string, error) {
	stored, err := l.w.Store.FindMessage(ctx, m.ID)
	require.NoError(l.w.t, err)
	for _, err := range l.w.Conversations.Watch(ctx, l.w.bob, stored.Conversation, 0) {
		require.NoError(l.w.t, err, "which a context of a transaction would not be given")
		break
	}
	_, err = l.w.Conversations.Note(l.w.t.Context(), l.w.bob, stored.Conversation, "meanwhile")
	return "SM1", err
}

func TestSpec6_TheSenderIsCalledOutsideEveryTransaction(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		c := w.hello()
		m := w.say(w.bob, c.ID, "Yes")
		require.NoError(t, w.handOver(leisurely{w}, m))
		assert.Equal(t, conversation.StatusSent, w.message(m).Status)
		assert.Equal(t, []string{"Hi, is the job still open?", "Yes", "meanwhile"}, w.texts(w.bob, c.ID))
	})
}
