package conversation_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/tenancy"
)

func TestAContactOptsOutAndInAgain(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.hello()
		_, err := w.Conversations.Send(ctx, w.bob, c.ID, "Yes, it is.")
		require.NoError(t, err)
		stopped := w.Receive("Sales", "visitor-1", " STOP all! ")
		assert.True(t, stopped.NeedsReplySince.IsZero(), "nobody could answer it")
		assert.Equal(t, 1, w.kinds(w.bob.Team)[conversation.ContactOptedOut])
		o, err := w.Conversations.OptOutOf(ctx, w.bob, c.ID)
		require.NoError(t, err)
		assert.True(t, o.Holds())
		assert.Equal(t, conversation.ByContact, o.Cause)

		var refused *conversation.OptedOutError
		_, err = w.Conversations.Send(ctx, w.bob, c.ID, "But wait")
		require.ErrorAs(t, err, &refused)
		require.ErrorIs(t, err, conversation.ErrOptedOut)
		require.ErrorIs(t, err, tenancy.ErrConflict)
		_, err = w.Conversations.Type(ctx, w.bob, c.ID, "But wait")
		require.ErrorIs(t, err, conversation.ErrOptedOut)
		_, err = w.Conversations.Note(ctx, w.bob, c.ID, "They do not want to")
		require.NoError(t, err, "a note goes to nobody outside")

		_, err = w.Conversations.OptIn(ctx, w.bob, c.ID, "they changed their mind")
		require.ErrorAs(t, err, &refused, "only the contact lifts what the contact asked for")
		assert.Equal(t, conversation.ByContact, refused.Cause)
		before := len(w.log(w.bob.Team))
		_, err = w.Conversations.OptOut(ctx, w.bob, c.ID, "me too")
		require.NoError(t, err)
		w.Receive("Sales", "visitor-1", "stop")
		assert.Len(t, w.log(w.bob.Team), before+1, "what holds already is not noted again; the message is")

		w.Receive("Sales", "visitor-1", "Start.")
		assert.Equal(t, 1, w.kinds(w.bob.Team)[conversation.ContactOptedIn])
		_, err = w.Conversations.Send(ctx, w.bob, c.ID, "Welcome back")
		require.NoError(t, err)
	})
}

func TestAMemberOptsAContactOutAndInAgain(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.hello()
		for name, reason := range map[string]string{"empty": " ", "long": strings.Repeat("x", conversation.MaxReason+1), "huge": strings.Repeat("x", 1<<20), "control": "a\x00"} {
			_, err := w.Conversations.OptOut(ctx, w.bob, c.ID, reason)
			require.ErrorIs(t, err, tenancy.ErrInvalid, name)
		}
		_, err := w.Conversations.OptOut(ctx, w.bob, c.ID, strings.Repeat("x", conversation.MaxReason))
		require.NoError(t, err)
		o, err := w.Conversations.OptOutOf(ctx, w.maria, c.ID)
		require.NoError(t, err)
		assert.Equal(t, conversation.ByUser, o.Cause)
		assert.Equal(t, w.bob.Principal(), o.By)
		_, err = w.Conversations.Send(ctx, w.maria, c.ID, "Hello?")
		require.ErrorIs(t, err, conversation.ErrOptedOut)

		_, err = w.Conversations.Type(ctx, w.maria, c.ID, "^opt-in")
		require.ErrorIs(t, err, tenancy.ErrInvalid, "it asks a reason")
		_, err = w.Conversations.Type(ctx, w.maria, c.ID, "^opt-in called and asked for it")
		require.NoError(t, err)
		texts := w.texts(w.bob, c.ID)
		assert.Equal(t, "called and asked for it", texts[len(texts)-1], "which is left as a note")
		_, err = w.Conversations.Send(ctx, w.maria, c.ID, "Hello?")
		require.NoError(t, err)

		// Both at once: what the contact says wins, whichever came first.
		_, err = w.Conversations.Type(ctx, w.bob, c.ID, "^opt-out said so on the phone")
		require.NoError(t, err)
		w.Receive("Sales", "visitor-1", "stop")
		_, err = w.Conversations.OptIn(ctx, w.bob, c.ID, "a mistake")
		require.ErrorIs(t, err, conversation.ErrOptedOut)
		w.Receive("Sales", "visitor-1", "start")
		_, err = w.Conversations.Send(ctx, w.bob, c.ID, "Hello!")
		require.NoError(t, err)
	})
}

// A whole message counts, and nothing less.
func TestWholeMessagesOptOut(t *testing.T) {
	for text, out := range map[string]bool{
		"stop": true, "STOP": true, " Stop. ": true, "stop!!!": true, "Stop\n": true, "STOP  ALL": true, "ＳＴＯＰ": true,
		"Unsubscribe": true, "ARRÊT": true, "arre\u0302t": true, "abmelden": true, "halt": false,
		"please stop all messages": false, "stop it": false, "non-stop": false, "can you stop by?": false, "start": false, "...": false,
		"stop" + strings.Repeat("!", 500): false, "ſtop": true, "yes": false, "?stop": false,
	} {
		w := worldOn(t, everystore.Memory(t))
		c := w.Receive("Sales", "visitor-1", "hi")
		_, err := w.Conversations.Receive(t.Context(), tenancy.System("gateway"), conversation.Inbound{To: c.Identity, From: c.Address, ID: "x", Text: text})
		require.NoError(t, err)
		_, err = w.Conversations.Send(t.Context(), w.bob, c.ID, "Hello")
		assert.Equal(t, out, err != nil, "%q: %v", text, err)
	}
}

func TestAnOptOutSurvives(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.hello()
		w.Receive("Sales", "visitor-1", "stop")
		_, err := w.Conversations.Deliver(ctx, w.bob, c.ID, conversation.ToTeam(w.TeamNamed("Hiring").ID), conversation.Outcome{})
		require.NoError(t, err)
		dana := w.Actor("dana", "Hiring")
		_, err = w.Conversations.Send(ctx, dana, c.ID, "Hello")
		require.ErrorIs(t, err, conversation.ErrOptedOut, "a move to another team")
		_, err = w.Conversations.Close(ctx, dana, c.ID, "")
		require.NoError(t, err)
		w.Receive("Sales", "visitor-1", "Stop")
		assert.Equal(t, conversation.Closed, w.get(dana, c.ID).Status, "such a message opens nothing")
		w.Receive("Sales", "visitor-1", "What about the job?")
		assert.Equal(t, conversation.Open, w.get(dana, c.ID).Status)
		_, err = w.Conversations.Send(ctx, dana, c.ID, "Hello")
		require.ErrorIs(t, err, conversation.ErrOptedOut, "writing is not opting in")

		other := w.Receive("Sales", "visitor-2", "hi")
		_, err = w.Conversations.Send(ctx, w.bob, other.ID, "Hello")
		require.NoError(t, err, "another address")
		elsewhere := w.Receive("Hiring", "visitor-1", "hi")
		_, err = w.Conversations.Send(ctx, dana, elsewhere.ID, "Hello")
		require.NoError(t, err, "another identity")
	})
}

// SPEC 4.10: what a contact says is heard while the account is suspended.
func TestAStopIsHeardWhileTheAccountIsSuspended(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.hello()
		_, err := w.Tenancy.SuspendAccount(ctx, tenancy.System("billing"), c.Account)
		require.NoError(t, err)
		w.Receive("Sales", "visitor-1", "stop")
		_, err = w.Tenancy.ReactivateAccount(ctx, tenancy.System("billing"), c.Account)
		require.NoError(t, err)
		_, err = w.Conversations.Send(ctx, w.bob, c.ID, "Hello")
		require.ErrorIs(t, err, conversation.ErrOptedOut)
	})
}

// Nothing is sent after the commit of a stop, however close they come.
func TestAStopAndAnAnswerAtOnce(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		for range 10 {
			c := w.Receive("Sales", "visitor-"+time.Now().Format("150405.000000"), "hi")
			start, done := make(chan struct{}), make(chan error, 2)
			go func() {
				<-start
				_, err := w.Conversations.Receive(t.Context(), tenancy.System("gateway"), conversation.Inbound{To: c.Identity, From: c.Address, ID: c.ID.String(), Text: "stop"})
				done <- err
			}()
			go func() {
				<-start
				_, err := w.Conversations.Send(t.Context(), w.bob, c.ID, "Hello")
				if err != nil {
					assert.ErrorIs(t, err, conversation.ErrOptedOut)
					err = nil
				}
				done <- err
			}()
			close(start)
			require.NoError(t, <-done)
			require.NoError(t, <-done)
			found, err := w.Conversations.Messages(t.Context(), w.bob, c.ID, 0, 0)
			require.NoError(t, err)
			stopped := false
			for _, m := range found {
				assert.False(t, stopped && m.Kind == conversation.OutboundMessage, "an answer after the stop")
				stopped = stopped || m.Text == "stop"
			}
			assert.True(t, stopped)
		}
	})
}

// sent hands a message over and answers what the provider got.
func (w *world) sent(m conversation.Message) conversation.Outgoing {
	w.t.Helper()
	var g gateway
	require.NoError(w.t, w.handOver(&g, m))
	require.Len(w.t, g.handed, 1)
	require.Equal(w.t, g.handed[0].Footer, w.message(m).Footer, "what is sent is what is kept")
	return g.handed[0]
}

func TestSpec6_TheFirstMessageCarriesTheOptOutText(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.hello()
		_, err := w.Conversations.Note(ctx, w.bob, c.ID, "a note is not a message to them")
		require.NoError(t, err)
		first, second := w.say(w.bob, c.ID, "Yes", conversation.ClientID("1")), w.say(w.bob, c.ID, "And?")
		w.Clock.Advance(time.Minute)
		assert.True(t, w.get(w.bob, c.ID).FirstSentAt.IsZero(), "nothing has gone out")
		assert.Equal(t, conversation.DefaultOptOutText, w.sent(first).Footer)
		assert.Equal(t, w.Clock.Now(), w.get(w.bob, c.ID).FirstSentAt)
		assert.Empty(t, w.sent(second).Footer)

		w.configure(w.alice, func(s *tenancy.Settings) { s.OptOutText = "Schreib STOPP." })
		other := w.Receive("Sales", "visitor-2", "hi")
		_, err = w.Conversations.Deliver(ctx, w.bob, c.ID, conversation.ToTeam(w.TeamNamed("Hiring").ID), conversation.Outcome{})
		require.NoError(t, err)
		moved := w.say(w.Actor("dana", "Hiring"), c.ID, "Hello")
		require.NoError(t, w.handOverIn(w.TeamNamed("Hiring").ID, &gateway{}, moved))
		assert.Empty(t, w.message(moved).Footer, "the address has had it")
		assert.Equal(t, "Schreib STOPP.", w.sent(w.say(w.bob, other.ID, "Hello")).Footer)
	})
}

// A message that never went out has told nobody how to opt out: the next one does.
func TestSpec6_TheFirstMessageThatGoesOutCarriesTheOptOutText(t *testing.T) {
	for name, spoil := range map[string]func(w *world, m conversation.Message){
		"deleted": func(w *world, m conversation.Message) {
			_, err := w.Conversations.DeleteMessage(w.t.Context(), w.bob, m.Conversation, m.ID)
			require.NoError(w.t, err)
			require.NoError(w.t, w.handOver(&gateway{}, m))
		},
		"failed here": func(w *world, m conversation.Message) {
			w.Receive("Sales", "visitor-1", "STOP")
			require.NoError(w.t, w.handOver(&gateway{}, m))
			w.Receive("Sales", "visitor-1", "START")
		},
		"refused by the provider": func(w *world, m conversation.Message) {
			g := gateway{answer: func(conversation.Outgoing) (string, error) {
				return "", &conversation.UndeliverableError{Reason: "unknown number"}
			}}
			require.NoError(w.t, w.handOver(&g, m))
		},
	} {
		t.Run(name, func(t *testing.T) {
			onEveryStore(t, func(t *testing.T, w *world) {
				c := w.hello()
				lost, second := w.say(w.bob, c.ID, "Yes"), w.say(w.bob, c.ID, "Hello?")
				spoil(w, lost)
				assert.True(t, w.get(w.bob, c.ID).FirstSentAt.IsZero())
				if w.message(second).Status == conversation.StatusQueued {
					assert.Equal(t, conversation.DefaultOptOutText, w.sent(second).Footer)
				}
				assert.Empty(t, w.sent(w.say(w.bob, c.ID, "Bye")).Footer)
			})
		})
	}
}

// What is handed over again is the same, whatever the team says by then.
func TestTheOptOutTextOfAMessageStays(t *testing.T) {
	w := worldOn(t, everystore.Memory(t))
	m := w.lost(w.say(w.bob, w.hello().ID, "Yes"))
	w.configure(w.alice, func(s *tenancy.Settings) { s.OptOutText = "Schreib STOPP." })
	assert.Equal(t, conversation.DefaultOptOutText, w.sent(m).Footer)
}

func TestOptOutWordsOfTheHost(t *testing.T) {
	for name, words := range map[string]conversation.OptWords{
		"both meanings": {Stop: []string{"basta"}, Start: []string{"Basta!"}},
		"a known one":   {Start: []string{"stop"}},
		"nothing":       {Stop: []string{" ! "}},
		"long":          {Stop: []string{strings.Repeat("x", conversation.MaxOptWord+1)}},
		"too many":      {Stop: make([]string, conversation.MaxOptWords+1)},
		"huge":          {Stop: []string{strings.Repeat("x", 1<<20)}},
		"empty":         {Start: []string{""}},
	} {
		_, err := usher.New(memory.New(), usher.WithOptOutWords(words))
		require.ErrorIs(t, err, tenancy.ErrInvalid, name)
	}
	_, err := usher.New(memory.New(), usher.WithOptOutWords(conversation.OptWords{Stop: []string{"basta", "stop", strings.Repeat("x", conversation.MaxOptWord)}}))
	require.NoError(t, err)
}

func TestTheHostsWordsOptOut(t *testing.T) {
	w := worldOn(t, everystore.Memory(t))
	u, err := usher.New(w.Store, usher.WithOptOutWords(conversation.OptWords{Stop: []string{"Halt"}, Start: []string{"Weiter, bitte"}}))
	require.NoError(t, err)
	c := w.hello()
	say := func(id, text string) {
		_, err := u.Conversations.Receive(t.Context(), tenancy.System("gateway"), conversation.Inbound{To: c.Identity, From: c.Address, ID: id, Text: text})
		require.NoError(t, err)
	}
	say("1", "HALT!")
	_, err = w.Conversations.Send(t.Context(), w.bob, c.ID, "Hello")
	require.ErrorIs(t, err, conversation.ErrOptedOut)
	say("2", "weiter,  bitte")
	_, err = w.Conversations.Send(t.Context(), w.bob, c.ID, "Hello")
	require.NoError(t, err)
}

// Whose wish it ever is, nothing is sent to who has opted out, by nobody and in no way, and each is told so by
// type; what goes to nobody outside goes on.
func TestSpec6_NothingIsSentToWhoHasOptedOut(t *testing.T) {
	outs := map[conversation.OptOutCause]func(w *world, c conversation.Conversation){
		conversation.ByContact: func(w *world, c conversation.Conversation) { w.Receive("Sales", c.Address, "STOP") },
		conversation.ByUser:    func(w *world, c conversation.Conversation) { w.types(w.maria, c.ID, "^opt-out said so on the phone") },
	}
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		for cause, out := range outs {
			c := w.Receive("Sales", "by-"+string(cause), "Hi")
			carol := w.Guest(w.bob, c.ID, "carol")
			out(w, c)
			said := w.texts(w.bob, c.ID)
			for how, send := range map[string]func() error{
				"a member": func() error { return first(w.Conversations.Send(ctx, w.bob, c.ID, "Hello")) },
				"a guest":  func() error { return first(w.Conversations.Send(ctx, carol, c.ID, "Hello")) },
				"a file": func() error {
					return first(w.Conversations.Send(ctx, w.bob, c.ID, "", conversation.Attach(file(1))))
				},
				"who types": func() error { return first(w.Conversations.Type(ctx, w.bob, c.ID, "Hello")) },
				"who asks":  func() error { return first(w.Conversations.Preview(ctx, w.bob, c.ID, "Hello")) },
				"a system": func() error {
					return first(w.Conversations.Post(ctx, "bot", c.ID, conversation.AutomaticMessage, "Hello"))
				},
				"under a key": func() error { return first(w.Conversations.Send(tenancy.WithKey(ctx, "1"), w.bob, c.ID, "Hello")) },
				"with an id": func() error {
					return first(w.Conversations.Send(ctx, w.bob, c.ID, "Hello", conversation.ClientID("1")))
				},
			} {
				var refused *conversation.OptedOutError
				require.ErrorAs(t, send(), &refused, how)
				assert.Equal(t, cause, refused.Cause, how)
			}
			assert.Equal(t, said, w.texts(w.bob, c.ID))
			require.NoError(t, first(w.Conversations.Note(ctx, w.bob, c.ID, "They do not want to")))
			require.NoError(t, first(w.Conversations.Post(ctx, "bot", c.ID, conversation.SystemMessage, "A line.")))
		}
	})
}

// An opt-out belongs to the number and the address, and holds for whoever has the number by then. What another
// account has noted is not for this one to read or to take back; only the contact can.
func TestSpec6_AnOptOutHoldsForTheNextWhoHasTheNumber(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.hello()
		w.types(w.bob, c.ID, "^opt-out said so on the phone")
		noted, err := w.Conversations.OptOutOf(ctx, w.bob, c.ID)
		require.NoError(t, err)
		assert.Equal(t, "said so on the phone", noted.Reason)
		require.NoError(t, first(w.Tenancy.Archive(ctx, w.alice, tenancy.Leftovers{Close: true})))
		heir := w.take("globex", "Sales Two", c.Identity)

		theirs := w.Receive("Sales", c.Address, "Is this globex?")
		require.NotEqual(t, c.ID, theirs.ID)
		var refused *conversation.OptedOutError
		_, err = w.Conversations.Send(ctx, heir, theirs.ID, "Yes")
		require.ErrorAs(t, err, &refused)
		seen, err := w.Conversations.OptOutOf(ctx, heir, theirs.ID)
		require.NoError(t, err)
		assert.True(t, seen.Holds())
		assert.Equal(t, conversation.ByUser, seen.Cause)
		assert.Equal(t, []any{"", "", tenancy.MessageID{}}, []any{seen.By, seen.Reason, seen.Evidence}, "not whose word, nor in which")
		_, err = w.Conversations.OptIn(ctx, heir, theirs.ID, "they asked us to")
		require.ErrorAs(t, err, &refused)
		w.Receive("Sales", c.Address, "START")
		w.say(heir, theirs.ID, "Welcome")
	})
}
