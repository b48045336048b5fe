package conversation_test

import (
	"fmt"
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

func TestAMemberWritesFirst(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c, err := w.Conversations.Start(ctx, w.bob, "visitor-1")
		require.NoError(t, err)
		assert.Equal(t, conversation.Open, c.Status)
		assert.Equal(t, w.bob.Team, c.Team)
		assert.Equal(t, w.TeamNamed("Sales").Identity, c.Identity)
		assert.Equal(t, conversation.NewLabel, c.Label)
		assert.Zero(t, c.NeedsReplySince, "nobody waits")
		assert.Zero(t, c.LastSeq)
		assert.True(t, c.Assignee.IsZero())
		assert.Equal(t, c, w.get(w.maria, c.ID))
		assert.Equal(t, []conversation.Episode{{
			Conversation: c.ID, Number: 1, FirstSeq: 1, OpenedAt: w.Clock.Now(), OpenedBy: w.bob.Principal(), OpenedOn: conversation.OnStart,
		}}, w.episodes(c.ID))
		contact, err := w.Conversations.Contact(ctx, w.bob, c.ID)
		require.NoError(t, err)
		assert.Equal(t, "visitor-1", contact.Address)
		before := w.kinds(w.bob.Team)
		assert.Equal(t, 1, before[conversation.ConversationStarted])
		assert.Equal(t, 1, before[conversation.ContactCreated])

		again, err := w.Conversations.Start(ctx, w.maria, "visitor-1")
		require.NoError(t, err)
		assert.Equal(t, c, again, "there is one for an identity and an address")
		assert.Equal(t, before, w.kinds(w.bob.Team))

		_, err = w.Conversations.Send(ctx, w.bob, c.ID, "Hello from Sales")
		require.NoError(t, err)
		answered := w.Receive("Sales", "visitor-1", "Who is this?")
		assert.Equal(t, c.ID, answered.ID, "the answer lands in it")
		assert.Equal(t, []string{"Hello from Sales", "Who is this?"}, w.texts(w.bob, c.ID))
		w.whole()
	})
}

func TestStartingWhatThereIs(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.hello()
		w.snooze(c.ID)
		woken, err := w.Conversations.Start(ctx, w.bob, "visitor-1")
		require.NoError(t, err)
		assert.Equal(t, conversation.Open, woken.Status)
		assert.EqualValues(t, 1, woken.Episode)
		_, err = w.Conversations.Close(ctx, w.bob, c.ID, "")
		require.NoError(t, err)
		w.Clock.Advance(time.Minute)
		opened, err := w.Conversations.Start(ctx, w.bob, "visitor-1")
		require.NoError(t, err)
		assert.Equal(t, c.ID, opened.ID)
		assert.Equal(t, conversation.Open, opened.Status)
		assert.EqualValues(t, 2, opened.Episode)
		assert.Equal(t, opened, w.get(w.bob, c.ID))
		episodes := w.episodes(c.ID)
		require.Len(t, episodes, 2)
		assert.Equal(t, conversation.OnStart, episodes[1].OpenedOn)

		_, err = w.Conversations.Deliver(ctx, w.bob, c.ID, conversation.ToTeam(w.TeamNamed("Hiring").ID), conversation.Outcome{})
		require.NoError(t, err)
		_, err = w.Conversations.Start(ctx, w.bob, "visitor-1")
		require.ErrorIs(t, err, conversation.ErrElsewhere, "the one thread is another team's now")
		require.ErrorIs(t, err, tenancy.ErrConflict)
		assert.NotContains(t, err.Error(), "Hiring", "which is not said")
	})
}

// The address belongs to each account by itself: another account's conversation is no hindrance.
func TestC1_StartingSeesNoOtherAccount(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		theirs, err := w.Conversations.Start(t.Context(), w.other, "visitor-1")
		require.NoError(t, err)
		ours, err := w.Conversations.Start(t.Context(), w.bob, "visitor-1")
		require.NoError(t, err)
		assert.NotEqual(t, theirs.ID, ours.ID)
		assert.Equal(t, theirs, w.get(w.other, theirs.ID))
	})
}

func TestStartingRefuses(t *testing.T) {
	w := worldOn(t, everystore.Memory(t))
	ctx, c := t.Context(), w.hello()
	before := len(w.log(w.bob.Team))
	for _, address := range []string{"", "a b", "x\n", string(make([]byte, 200))} {
		_, err := w.Conversations.Start(ctx, w.bob, address)
		require.ErrorIs(t, err, tenancy.ErrInvalid, address)
	}
	_, err := w.Conversations.Start(ctx, tenancy.Actor{User: w.bob.User, Team: w.other.Team}, "visitor-9")
	require.ErrorIs(t, err, tenancy.ErrNotFound)
	assert.Len(t, w.log(w.bob.Team), before)

	carol := w.Guest(w.bob, c.ID, "carol")
	_, err = w.Conversations.Start(ctx, carol, "visitor-1")
	require.ErrorIs(t, err, rbac.ErrDenied, "also of the one that they see")
	mute := w.take("acme", "Mute", tenancy.Identity{})
	_, err = w.Conversations.Start(ctx, mute, "visitor-9")
	require.ErrorIs(t, err, conversation.ErrNoIdentity)
	_, err = w.Tenancy.Archive(ctx, w.alice, tenancy.Leftovers{Close: true})
	require.NoError(t, err)
	_, err = w.Conversations.Start(ctx, w.bob, "visitor-9")
	require.ErrorIs(t, err, tenancy.ErrTeamArchived)
}

// A member who writes first and the contact who does, at once, make one conversation.
func TestStartsAndFirstMessagesAtOnceMakeOneConversation(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		for round := range everystore.Rounds(50) {
			visitor := fmt.Sprint("visitor-", round)
			calls := make([]func() (conversation.Conversation, error), 8)
			for i := range calls {
				calls[i] = func() (conversation.Conversation, error) { return w.Conversations.Start(t.Context(), w.bob, visitor) }
				if i%2 == 0 {
					in := conversation.Inbound{To: w.TeamNamed("Sales").Identity, From: visitor, ID: visitor + string(rune('0'+i)), Text: "Hi"}
					calls[i] = func() (conversation.Conversation, error) {
						return w.Conversations.Receive(t.Context(), ushertest.System, in)
					}
				}
			}
			found := together(t, calls...)
			for _, c := range found {
				assert.Equal(t, found[0].ID, c.ID)
			}
			assert.EqualValues(t, 4, w.get(w.bob, found[0].ID).LastSeq)
			assert.Len(t, w.episodes(found[0].ID), 1)
		}
		w.whole()
	})
}
