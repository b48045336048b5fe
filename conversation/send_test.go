package conversation_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/storage/ushertest"
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

// A client that has lost the answer asks again, and is answered with what it said, whatever has become of
// the conversation in between.
func TestSpec6_ARepetitionIsAnsweredWhateverHasHappenedSince(t *testing.T) {
	since := map[string]func(w *world, id tenancy.ConversationID) error{
		"nothing": func(*world, tenancy.ConversationID) error { return nil },
		"closed": func(w *world, id tenancy.ConversationID) error {
			return first(w.Conversations.Close(w.t.Context(), w.maria, id, ""))
		},
		"claimed by another": func(w *world, id tenancy.ConversationID) error {
			return first(w.Conversations.Claim(w.t.Context(), w.maria, id))
		},
		"opted out": func(w *world, id tenancy.ConversationID) error {
			return first(w.Conversations.OptOut(w.t.Context(), w.maria, id, "said so"))
		},
	}
	onEveryStore(t, func(t *testing.T, w *world) {
		for what, happen := range since {
			c := w.Receive("Sales", strings.ReplaceAll(what, " ", "-"), "Hi")
			carol := w.Guest(w.bob, c.ID, "carol")
			for _, author := range []tenancy.Actor{w.bob, carol} {
				w.say(author, c.ID, "Yes", conversation.ClientID(what))
			}
			require.NoError(t, happen(w, c.ID))
			before, events := w.texts(w.bob, c.ID), len(w.log(w.bob.Team))
			for _, author := range []tenancy.Actor{w.bob, carol} {
				again := w.say(author, c.ID, "Yes", conversation.ClientID(what))
				assert.Equal(t, w.message(again), again, what)
				assert.Equal(t, author.User, again.Author, what)
				_, err := w.Conversations.Send(t.Context(), author, c.ID, "No", conversation.ClientID(what))
				require.ErrorIs(t, err, tenancy.ErrKeyReused, what)
			}
			assert.Equal(t, before, w.texts(w.bob, c.ID), what)
			assert.Len(t, w.log(w.bob.Team), events, what)
		}
		c := w.Receive("Sales", "closed", "Hi again")
		require.NoError(t, since["closed"](w, c.ID))
		_, err := w.Conversations.Send(t.Context(), w.bob, c.ID, "Yes", conversation.ClientID("new"))
		require.ErrorIs(t, err, conversation.ErrClosed, "what is new is refused")
		_, err = w.Conversations.Send(t.Context(), w.other, c.ID, "Yes", conversation.ClientID("closed"))
		require.ErrorIs(t, err, tenancy.ErrNotFound)
	})
}

// Whatever the clocks of two instances say, time does not go back along the sequence: what waits, what
// is idle and from where on a guest reads rest on it.
func TestSpec6_TimeNeverGoesBackAlongTheSequence(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		slow, err := usher.New(w.Store, usher.WithClock(func() time.Time { return w.Clock.Now().Add(-time.Minute) }))
		require.NoError(t, err)
		c := w.hello()
		ahead := w.say(w.bob, c.ID, "Yes")
		note, err := slow.Conversations.Note(ctx, w.bob, c.ID, "filed")
		require.NoError(t, err)
		posted, err := slow.Conversations.Post(ctx, ushertest.System, c.ID, conversation.SystemMessage, "A line.")
		require.NoError(t, err)
		received, err := slow.Conversations.Receive(ctx, ushertest.System, conversation.Inbound{To: c.Identity, From: c.Address, ID: "late", Text: "And?"})
		require.NoError(t, err)
		assert.Equal(t, []time.Time{ahead.At, ahead.At, ahead.At}, []time.Time{note.At, posted.At, received.NeedsReplySince})
		answered, err := slow.Conversations.Send(ctx, w.bob, c.ID, "That is all")
		require.NoError(t, err)
		w.Clock.Advance(time.Second)
		later := w.say(w.bob, c.ID, "Bye")
		assert.Equal(t, w.Clock.Now(), later.At, "a clock that is right goes on")
		found, err := w.Conversations.Messages(ctx, w.bob, c.ID, 0, 0)
		require.NoError(t, err)
		require.Len(t, found, 7)
		assert.Equal(t, answered, found[5])
		for i, m := range found[1:] {
			assert.False(t, m.At.Before(found[i].At), "message %d", m.Seq)
		}
		r, err := w.Conversations.Responses(ctx, w.bob, c.ID, conversation.AllHours)
		require.NoError(t, err)
		for _, wait := range append(r.Agent, r.Contact...) {
			assert.GreaterOrEqual(t, wait, time.Duration(0), "nobody waited for less than nothing")
		}
	})
}

// What a client or a provider sends twice at the same instant, to two instances, is one message, and each
// is answered with it.
func TestSpec6_WhatComesTwiceAtOnceIsOneMessage(t *testing.T) {
	onTwoInstances(t, func(t *testing.T, w *world, second *usher.Usher) {
		for round := range everystore.Rounds(5) {
			visitor := fmt.Sprint("visitor-", round)
			in := conversation.Inbound{To: w.TeamNamed("Sales").Identity, From: visitor, ID: visitor, Text: "Hi"}
			var receive []func() (tenancy.ConversationID, error)
			for i := range 6 {
				on := []*usher.Usher{w.Usher, second}[i%2]
				receive = append(receive, func() (tenancy.ConversationID, error) {
					c, err := on.Conversations.Receive(t.Context(), ushertest.System, in)
					return c.ID, err
				})
			}
			ids := together(t, receive...)
			for _, id := range ids {
				assert.Equal(t, ids[0], id)
			}
			var send []func() (conversation.Message, error)
			for i := range 6 {
				on := []*usher.Usher{w.Usher, second}[i%2]
				send = append(send, func() (conversation.Message, error) {
					return on.Conversations.Send(t.Context(), w.bob, ids[0], "Yes", conversation.ClientID(visitor))
				})
			}
			said := together(t, send...)
			for _, m := range said {
				assert.Equal(t, said[0], m)
			}
			assert.Equal(t, []string{"Hi", "Yes"}, w.texts(w.bob, ids[0]))
		}
	})
}
