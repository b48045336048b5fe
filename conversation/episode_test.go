package conversation_test

import (
	"encoding/json"
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

func (w *world) episodes(id tenancy.ConversationID) []conversation.Episode {
	w.t.Helper()
	found, err := w.Conversations.Episodes(w.t.Context(), w.bob, id, 0, 0)
	require.NoError(w.t, err)
	return found
}

// facts are the payloads of the team's events of a kind.
func (w *world) facts(team tenancy.TeamID, kind string) (all []tenancy.Facts) {
	w.t.Helper()
	for _, e := range w.log(team) {
		if e.Kind == kind {
			var facts tenancy.Facts
			require.NoError(w.t, json.Unmarshal(e.Payload, &facts))
			all = append(all, facts)
		}
	}
	return all
}

// From each opening to the next closing is an episode, with who did what when, and to it belong
// what came of it and the messages from its first one on.
func TestEpisodes(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		bob, system := w.bob.Principal(), ushertest.System.Principal()
		c := w.hello()
		one := conversation.Episode{
			Conversation: c.ID, Number: 1, FirstSeq: 1, OpenedAt: w.Clock.Now(), OpenedBy: system, OpenedOn: conversation.OnInbound,
		}
		assert.Equal(t, []conversation.Episode{one}, w.episodes(c.ID))

		w.snooze(c.ID)
		_, err := w.Conversations.Open(ctx, w.bob, c.ID)
		require.NoError(t, err)
		assert.Equal(t, []conversation.Episode{one}, w.episodes(c.ID), "a snooze ends none")

		w.Clock.Advance(time.Hour)
		closed, err := w.Conversations.Close(ctx, w.bob, c.ID, "not interested")
		require.NoError(t, err)
		assert.EqualValues(t, 1, closed.Episode)
		one.ClosedAt, one.ClosedBy, one.ClosedOn, one.Outcome = w.Clock.Now(), bob, conversation.OnClose, conversation.NotInterested
		assert.Equal(t, []conversation.Episode{one}, w.episodes(c.ID))
		_, err = w.Conversations.Close(ctx, w.maria, c.ID, "")
		require.NoError(t, err)
		assert.Equal(t, []conversation.Episode{one}, w.episodes(c.ID), "closing again changes nothing")
		_, err = w.Conversations.Note(ctx, w.bob, c.ID, "filed")
		require.NoError(t, err)

		w.Clock.Advance(time.Hour)
		opened := w.Receive("Sales", "visitor-1", "I am again")
		assert.EqualValues(t, 2, opened.Episode)
		assert.Empty(t, opened.Outcome)
		two := conversation.Episode{
			Conversation: c.ID, Number: 2, FirstSeq: 3, OpenedAt: w.Clock.Now(), OpenedBy: system, OpenedOn: conversation.OnInbound,
		}
		assert.Equal(t, []conversation.Episode{one, two}, w.episodes(c.ID), "the note in between belongs to the first")

		_, err = w.Conversations.Deliver(ctx, w.bob, c.ID, conversation.ToTeam(w.TeamNamed("Hiring").ID), conversation.Outcome{Status: conversation.NotQualified})
		require.NoError(t, err)
		two.ClosedAt, two.ClosedBy, two.ClosedOn, two.Outcome = w.Clock.Now(), bob, conversation.OnClose, conversation.NotQualified
		w.Clock.Advance(time.Hour)
		dana := w.Actor("dana", "Hiring")
		_, err = w.Conversations.Open(ctx, dana, c.ID)
		require.NoError(t, err)
		three := conversation.Episode{
			Conversation: c.ID, Number: 3, FirstSeq: 4, OpenedAt: w.Clock.Now(), OpenedBy: dana.Principal(), OpenedOn: conversation.OnOpen,
		}
		all, err := w.Conversations.Episodes(ctx, dana, c.ID, 0, 0)
		require.NoError(t, err)
		assert.Equal(t, []conversation.Episode{one, two, three}, all, "they move with the conversation")
		_, err = w.Conversations.Episodes(ctx, w.bob, c.ID, 0, 0)
		require.ErrorIs(t, err, tenancy.ErrNotFound)

		some, err := w.Conversations.Episodes(ctx, dana, c.ID, 1, 1)
		require.NoError(t, err)
		assert.Equal(t, []conversation.Episode{two}, some)
		assert.Equal(t, []tenancy.Facts{
			{"conversation": c.ID.String(), "on": "close", "episode": "1", "outcome": "Not Interested"},
		}, w.facts(w.bob.Team, conversation.ConversationClosed))
		assert.Equal(t, []tenancy.Facts{{"conversation": c.ID.String(), "on": "inbound", "episode": "2"}}, w.facts(w.bob.Team, conversation.ConversationOpened))
		assert.Equal(t, []tenancy.Facts{{"conversation": c.ID.String(), "on": "open", "episode": "3"}}, w.facts(dana.Team, conversation.ConversationOpened))
		w.whole()
	})
}

func TestEpisodesRefuse(t *testing.T) {
	w := worldOn(t, everystore.Memory(t))
	c := w.hello()
	carol := w.Guest(w.bob, c.ID, "carol")
	_, err := w.Conversations.Episodes(t.Context(), carol, c.ID, 0, 0)
	require.ErrorIs(t, err, rbac.ErrDenied, "how often it was opened is not a guest's")
	_, err = w.Conversations.Episodes(t.Context(), w.other, c.ID, 0, 0)
	require.ErrorIs(t, err, tenancy.ErrNotFound)
	for _, limit := range []int{-1, tenancy.MaxLimit + 1} {
		_, err = w.Conversations.Episodes(t.Context(), w.bob, c.ID, 0, limit)
		require.ErrorIs(t, err, tenancy.ErrInvalid)
	}
	all, err := w.Conversations.Episodes(t.Context(), w.bob, c.ID, -7, tenancy.MaxLimit)
	require.NoError(t, err)
	assert.Len(t, all, 1)
}
