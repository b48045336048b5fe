package conversation_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// The presets are the unions that hops choose from: whatever is listed is what is hopped to, and nothing else.
func TestSpec6_ListsHaveThePresetsOfTheHop(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		listed := func(actor tenancy.Actor, f conversation.Filter) (ids []tenancy.ConversationID) {
			t.Helper()
			for page := (tenancy.Page{Limit: 2}); ; {
				list, err := w.Conversations.List(ctx, actor, f, page)
				require.NoError(t, err)
				for _, c := range list.Items {
					ids = append(ids, c.ID)
				}
				if page.After = list.Next; page.After == "" {
					return ids
				}
			}
		}
		ids := w.queued(8)
		for i, do := range map[int]func(context.Context, tenancy.Actor, tenancy.ConversationID) (conversation.Conversation, error){
			1: func(ctx context.Context, a tenancy.Actor, id tenancy.ConversationID) (conversation.Conversation, error) {
				return w.Conversations.Assign(ctx, a, id, w.bob.User)
			},
			2: func(ctx context.Context, a tenancy.Actor, id tenancy.ConversationID) (conversation.Conversation, error) {
				return w.Conversations.Assign(ctx, a, id, w.maria.User)
			},
			3: w.Conversations.Claim,
			4: func(ctx context.Context, a tenancy.Actor, id tenancy.ConversationID) (conversation.Conversation, error) {
				return w.Conversations.Close(ctx, a, id, "")
			},
		} {
			_, err := do(ctx, w.bob, ids[i])
			require.NoError(t, err)
		}
		_, err := w.Conversations.Claim(ctx, w.maria, ids[5])
		require.NoError(t, err)
		_, err = w.Conversations.Assign(ctx, w.bob, ids[6], w.bob.User) // and maria is at it
		require.NoError(t, err)
		_, err = w.Conversations.Claim(ctx, w.maria, ids[6])
		require.NoError(t, err)
		_, err = w.Conversations.Skip(ctx, w.bob, ids[7], conversation.SkipLater, time.Hour)
		require.NoError(t, err)

		agent := []tenancy.ConversationID{ids[7], ids[3], ids[1], ids[0]}
		assert.Equal(t, agent, listed(w.bob, conversation.Filter{Queue: conversation.AgentQueue}), "newest first, and also what was skipped")
		assert.Equal(t, agent, listed(w.alice, conversation.Filter{Queue: conversation.AgentQueue, QueueOf: w.bob.User}), "a colleague's")
		assert.Equal(t, []tenancy.ConversationID{ids[1]}, listed(w.bob, conversation.Filter{Queue: conversation.RecruiterQueue}))
		assert.Equal(t, []tenancy.ConversationID{ids[2]}, listed(w.maria, conversation.Filter{Queue: conversation.RecruiterQueue}))

		var hopped []tenancy.ConversationID
		for {
			c, err := w.Conversations.Next(ctx, w.bob, conversation.AgentQueue)
			if err != nil {
				require.ErrorIs(t, err, conversation.ErrAllTaken)
				break
			}
			hopped = append(hopped, c.ID)
			w.answers(w.bob, c.ID)
		}
		assert.Equal(t, []tenancy.ConversationID{ids[0], ids[1], ids[3]}, hopped, "longest waiting first, without what was skipped")

		w.Clock.Advance(conversation.ClaimLease)
		assert.Equal(t, []tenancy.ConversationID{ids[7], ids[6], ids[5]}, listed(w.bob, conversation.Filter{Queue: conversation.AgentQueue}),
			"a claim that has ended by the clock is none, with no sweep")

		guest := w.Guest(w.bob, ids[0], "carol")
		_, err = w.Conversations.List(ctx, guest, conversation.Filter{Queue: conversation.AgentQueue}, tenancy.Page{})
		require.ErrorIs(t, err, rbac.ErrDenied)
		for _, f := range []conversation.Filter{{Queue: 8}, {QueueOf: w.bob.User}, {Queue: conversation.AgentQueue, Status: conversation.Open}} {
			_, err = w.Conversations.List(ctx, w.bob, f, tenancy.Page{})
			require.ErrorIs(t, err, tenancy.ErrInvalid)
		}
	})
}

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
