package conversation_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/tenancy"
)

// What a list and a hop call unclaimed, claimed by me and assigned to me is the same.
func TestFiltersAreThePartsOfTheQueue(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ids := w.queued(5)
		_, err := w.Conversations.Claim(ctx, w.bob, ids[1])
		require.NoError(t, err)
		_, err = w.Conversations.Assign(ctx, w.bob, ids[2], w.bob.User)
		require.NoError(t, err)
		_, err = w.Conversations.Assign(ctx, w.bob, ids[3], w.maria.User)
		require.NoError(t, err)
		_, err = w.Conversations.Claim(ctx, w.maria, ids[4])
		require.NoError(t, err)

		parts := map[conversation.Queue]conversation.Filter{
			conversation.Unclaimed:    {Waiting: true, Unclaimed: true},
			conversation.ClaimedByMe:  {Waiting: true, Claimant: w.bob.User},
			conversation.AssignedToMe: {Waiting: true, Assignee: w.bob.User},
		}
		want := map[conversation.Queue]tenancy.ConversationID{
			conversation.Unclaimed: ids[0], conversation.ClaimedByMe: ids[1], conversation.AssignedToMe: ids[2],
		}
		for part, filter := range parts {
			page, err := w.Conversations.List(ctx, w.bob, filter, tenancy.Page{})
			require.NoError(t, err)
			require.Len(t, page.Items, 1, "%+v", filter)
			assert.Equal(t, want[part], page.Items[0].ID)
			got, err := w.next(w.bob, part)
			require.NoError(t, err)
			assert.Equal(t, want[part], got)
			_, err = w.Conversations.Release(ctx, w.bob, got)
			require.NoError(t, err)
			if part == conversation.ClaimedByMe {
				_, err = w.Conversations.Claim(ctx, w.maria, got) // or it would be unclaimed from now on
				require.NoError(t, err)
			}
		}
		w.Clock.Advance(conversation.ClaimLease)
		page, err := w.Conversations.List(ctx, w.bob, conversation.Filter{Claimant: w.maria.User}, tenancy.Page{})
		require.NoError(t, err)
		assert.Empty(t, page.Items, "a claim that has ended by the clock is none, with no sweep")
		page, err = w.Conversations.List(ctx, w.bob, conversation.Filter{Unclaimed: true}, tenancy.Page{})
		require.NoError(t, err)
		assert.Len(t, page.Items, 3)
	})
}
