package conversation_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

// listed are the conversations in one state, as bob's list has them.
func (w *world) listed(status conversation.Status) (ids []tenancy.ConversationID) {
	w.t.Helper()
	list, err := w.Conversations.List(w.t.Context(), w.bob, conversation.Filter{Status: status}, tenancy.Page{})
	require.NoError(w.t, err)
	for _, c := range list.Items {
		ids = append(ids, c.ID)
	}
	return ids
}

// snooze puts a conversation away for an hour.
func (w *world) snooze(id tenancy.ConversationID) conversation.Conversation {
	w.t.Helper()
	c, err := w.Conversations.Snooze(w.t.Context(), w.bob, id, w.Clock.Now().Add(time.Hour))
	require.NoError(w.t, err)
	return c
}

func TestSnoozing(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.hello()
		until := w.Clock.Now().Add(time.Hour + 999*time.Nanosecond)
		snoozed, err := w.Conversations.Snooze(ctx, w.bob, c.ID, until.In(time.FixedZone("UTC+2", 7200)))
		require.NoError(t, err)
		assert.Equal(t, conversation.Snoozed, snoozed.Status)
		assert.Equal(t, until.Truncate(time.Microsecond), snoozed.SnoozedUntil)
		assert.Equal(t, c.NeedsReplySince, snoozed.NeedsReplySince, "the contact still waits")
		assert.Equal(t, c.IdleSince, snoozed.IdleSince)
		assert.Equal(t, snoozed, w.get(w.bob, c.ID))
		assert.Empty(t, w.listed(conversation.Open), "it has left the working list")
		assert.Equal(t, []tenancy.ConversationID{c.ID}, w.listed(conversation.Snoozed))

		before := w.kinds(w.bob.Team)
		again, err := w.Conversations.Snooze(ctx, w.maria, c.ID, until)
		require.NoError(t, err)
		assert.Equal(t, snoozed, again, "the same time again changes nothing")
		assert.Equal(t, before, w.kinds(w.bob.Team))
		later, err := w.Conversations.Snooze(ctx, w.maria, c.ID, until.Add(time.Hour))
		require.NoError(t, err)
		assert.Equal(t, until.Add(time.Hour).Truncate(time.Microsecond), later.SnoozedUntil)
		assert.Equal(t, before[conversation.ConversationSnoozed]+1, w.kinds(w.bob.Team)[conversation.ConversationSnoozed])

		// It can be worked on, and stays away.
		_, err = w.Conversations.Assign(ctx, w.bob, c.ID, w.maria.User)
		require.NoError(t, err)
		_, err = w.Conversations.Send(ctx, w.bob, c.ID, "I will ask and come back to you")
		require.NoError(t, err)
		_, err = w.Conversations.Deliver(ctx, w.bob, c.ID, conversation.ToUser(w.bob.User), conversation.Outcome{})
		require.NoError(t, err)
		assert.Equal(t, conversation.Snoozed, w.get(w.bob, c.ID).Status)

		opened, err := w.Conversations.Open(ctx, w.bob, c.ID)
		require.NoError(t, err)
		assert.Equal(t, conversation.Open, opened.Status)
		assert.Zero(t, opened.SnoozedUntil)
		assert.Equal(t, w.Clock.Now(), opened.IdleSince)
		assert.EqualValues(t, 1, opened.Episode, "waking begins no episode")
		assert.Equal(t, opened, w.get(w.bob, c.ID))
		assert.Equal(t, 1, w.kinds(w.bob.Team)[conversation.ConversationWoken])
		assert.Zero(t, w.kinds(w.bob.Team)[conversation.ConversationOpened])
		w.whole()
	})
}

func TestTheContactsMessageWakes(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		c := w.hello()
		w.snooze(c.ID)
		w.Clock.Advance(time.Minute)
		woken := w.Receive("Sales", "visitor-1", "Still there?")
		assert.Equal(t, conversation.Open, woken.Status)
		assert.Zero(t, woken.SnoozedUntil)
		assert.EqualValues(t, 1, woken.Episode)
		assert.Equal(t, c.NeedsReplySince, woken.NeedsReplySince)
		assert.Equal(t, woken, w.get(w.bob, c.ID))
		assert.Equal(t, []tenancy.ConversationID{c.ID}, w.listed(conversation.Open))
		kinds := w.kinds(w.bob.Team)
		assert.Equal(t, 1, kinds[conversation.ConversationWoken])
		w.Clock.Advance(2 * time.Hour)
		n, err := w.Conversations.Wake(t.Context(), ushertest.System)
		require.NoError(t, err)
		assert.Zero(t, n, "nothing is left to wake")
	})
}

func TestSnoozingRefuses(t *testing.T) {
	w := worldOn(t, everystore.Memory(t))
	ctx, c, now := t.Context(), w.hello(), w.Clock.Now()
	for _, until := range []time.Time{{}, now, now.Add(-time.Second), now.Add(999 * time.Nanosecond), now.Add(conversation.MaxSnooze + time.Microsecond)} {
		_, err := w.Conversations.Snooze(ctx, w.bob, c.ID, until)
		require.ErrorIs(t, err, tenancy.ErrInvalid, until)
	}
	_, err := w.Conversations.Snooze(tenancy.WithKey(ctx, "far"), w.bob, c.ID, time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC))
	require.ErrorIs(t, err, tenancy.ErrInvalid, "no key can keep it")
	for _, until := range []time.Time{now.Add(time.Microsecond), now.Add(conversation.MaxSnooze)} {
		_, err := w.Conversations.Snooze(ctx, w.bob, c.ID, until)
		require.NoError(t, err, until)
	}
	carol := w.Guest(w.bob, c.ID, "carol")
	_, err = w.Conversations.Snooze(ctx, carol, c.ID, now.Add(time.Hour))
	require.ErrorIs(t, err, rbac.ErrDenied)
	_, err = w.Conversations.Snooze(ctx, w.other, c.ID, now.Add(time.Hour))
	require.ErrorIs(t, err, tenancy.ErrNotFound)
	_, err = w.Conversations.Close(ctx, w.bob, c.ID, "")
	require.NoError(t, err)
	_, err = w.Conversations.Snooze(ctx, w.bob, c.ID, now.Add(time.Hour))
	require.ErrorIs(t, err, conversation.ErrClosed)
	assert.Zero(t, w.get(w.bob, c.ID).SnoozedUntil)
}

// Closing a snoozed conversation ends the snooze with it.
func TestClosingEndsASnooze(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		for i, end := range []func(id tenancy.ConversationID) error{
			func(id tenancy.ConversationID) error {
				_, err := w.Conversations.Close(t.Context(), w.bob, id, conversation.NotInterested)
				return err
			},
			func(id tenancy.ConversationID) error {
				_, err := w.Conversations.Deliver(t.Context(), w.bob, id, conversation.ToUser(w.maria.User), conversation.Outcome{Status: conversation.NotInterested})
				return err
			},
		} {
			c := w.Receive("Sales", []string{"visitor-1", "visitor-2"}[i], "Hi")
			w.snooze(c.ID)
			require.NoError(t, end(c.ID))
			closed := w.get(w.bob, c.ID)
			assert.Equal(t, conversation.Closed, closed.Status)
			assert.Zero(t, closed.SnoozedUntil)
			assert.Equal(t, conversation.NotInterested, closed.Outcome)
		}
		w.Clock.Advance(2 * time.Hour)
		n, err := w.Conversations.Wake(t.Context(), ushertest.System)
		require.NoError(t, err)
		assert.Zero(t, n)
	})
}

func TestSnoozeCommand(t *testing.T) {
	w := worldOn(t, everystore.Memory(t))
	ctx, c := t.Context(), w.hello()
	w.configure(w.alice, func(s *tenancy.Settings) { s.TimeZone = "Europe/Berlin" })
	reply, err := w.Conversations.Type(ctx, w.bob, c.ID, "^snooze tomorrow 14:30")
	require.NoError(t, err)
	assert.Equal(t, "The conversation is snoozed until Thursday, 3 January 2030, 14:30 CET.", reply.Text)
	assert.Equal(t, time.Date(2030, 1, 3, 13, 30, 0, 0, time.UTC), w.get(w.bob, c.ID).SnoozedUntil)
	for _, line := range []string{"^snooze", "^snooze soon", "^snooze 2 hours", "^snooze 400d", "^snooze 2029-12-31"} {
		_, err := w.Conversations.Type(ctx, w.bob, c.ID, line)
		require.ErrorIs(t, err, tenancy.ErrInvalid, line)
	}
	_, err = w.Conversations.Type(ctx, w.bob, c.ID, "^open")
	require.NoError(t, err)
	assert.Equal(t, conversation.Open, w.get(w.bob, c.ID).Status)
	assert.Equal(t, []string{"Hi, is the job still open?"}, w.texts(w.bob, c.ID))
}
