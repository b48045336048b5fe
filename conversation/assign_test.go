package conversation_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

func TestAssign(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.hello()
		assigned, err := w.Conversations.Assign(ctx, w.bob, c.ID, w.maria.User)
		require.NoError(t, err)
		assert.Equal(t, w.maria.User, assigned.Assignee)
		before := len(w.log(w.bob.Team))
		_, err = w.Conversations.Assign(ctx, w.bob, c.ID, w.maria.User)
		require.NoError(t, err)
		assert.Len(t, w.log(w.bob.Team), before, "a no-op writes nothing")

		_, err = w.Conversations.Assign(ctx, w.bob, c.ID, w.bob.User)
		var taken *conversation.AssignedError
		require.ErrorAs(t, err, &taken)
		require.ErrorIs(t, err, tenancy.ErrConflict)
		assert.Equal(t, w.maria.User, taken.Assignee, "the conflict names the winner")
		_, err = w.Conversations.TakeOver(ctx, w.bob, c.ID, w.bob.User)
		require.NoError(t, err, "taking over is a verb of its own")
		free, err := w.Conversations.Unassign(ctx, w.bob, c.ID)
		require.NoError(t, err)
		assert.True(t, free.Assignee.IsZero())

		carol := w.Guest(w.bob, c.ID, "carol")
		for _, user := range []tenancy.UserID{carol.User, w.User("dana").ID, {}} {
			_, err = w.Conversations.Assign(ctx, w.bob, c.ID, user)
			require.ErrorIs(t, err, conversation.ErrNotRecipient)
			require.ErrorContains(t, err, "invite", "it says what to do")
		}
	})
}

// Of those who take a conversation at once one wins, and the others are told who.
func TestSpec6_OfConcurrentTakersOneWins(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		names := map[tenancy.UserID]string{w.alice.User: "alice", w.bob.User: "bob", w.maria.User: "maria"}
		for round := range everystore.Rounds(50) {
			c := w.Receive("Sales", fmt.Sprint("visitor-", round), "Hi")
			var calls []func() (*conversation.AssignedError, error)
			for _, actor := range []tenancy.Actor{w.alice, w.bob, w.maria} {
				calls = append(calls, func() (*conversation.AssignedError, error) {
					_, err := w.Conversations.Assign(t.Context(), actor, c.ID, actor.User)
					var taken *conversation.AssignedError
					if errors.As(err, &taken) {
						err = nil
					}
					return taken, err
				})
			}
			won, answers := 0, together(t, calls...)
			winner := w.get(w.bob, c.ID).Assignee
			for _, taken := range answers {
				if taken == nil {
					won++
					continue
				}
				assert.Equal(t, conversation.AssignedError{Assignee: winner, Name: names[winner]}, *taken)
			}
			assert.Equal(t, 1, won)
		}
	})
}

// An assignment and the removal of the assignee at the same instant: the conversation never
// stays with someone who is gone.
func TestAssignAndRemoveAtOnce(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		for round := range everystore.Rounds(50) {
			c := w.Receive("Sales", fmt.Sprint("visitor-", round), "Hi")
			name := fmt.Sprint("temp", round)
			temp := w.join(name)
			var wg sync.WaitGroup
			start := make(chan struct{})
			wg.Go(func() { <-start; _, _ = w.Conversations.Assign(t.Context(), w.bob, c.ID, temp) })
			wg.Go(func() { <-start; assert.NoError(t, w.Tenancy.Remove(t.Context(), w.alice, temp)) })
			close(start)
			wg.Wait()
			after, err := w.Conversations.Get(t.Context(), w.bob, c.ID)
			require.NoError(t, err)
			assert.True(t, after.Assignee.IsZero())
		}
	})
}

func TestCloseAndOpen(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.hello()
		_, err := w.Conversations.Assign(ctx, w.bob, c.ID, w.maria.User)
		require.NoError(t, err)
		_, err = w.Conversations.Close(ctx, w.bob, c.ID, "Hired")
		require.ErrorIs(t, err, tenancy.ErrInvalid)
		closed, err := w.Conversations.Close(ctx, w.bob, c.ID, conversation.NotInterested)
		require.NoError(t, err)
		assert.Equal(t, conversation.Closed, closed.Status)
		assert.Equal(t, conversation.NotInterested, closed.Outcome)
		again, err := w.Conversations.Close(ctx, w.bob, c.ID, "")
		require.NoError(t, err)
		assert.Equal(t, closed, again, "closing a closed one changes nothing")

		opened, err := w.Conversations.Open(ctx, w.bob, c.ID)
		require.NoError(t, err)
		assert.Equal(t, conversation.Open, opened.Status)
		assert.Empty(t, opened.Outcome)
		assert.Equal(t, w.maria.User, opened.Assignee)

		_, err = w.Conversations.Close(ctx, w.bob, c.ID, "")
		require.NoError(t, err)
		w.suspend(w.maria)
		w.Clock.Advance(time.Hour)
		inbound := w.Receive("Sales", "visitor-1", "One more thing")
		assert.Equal(t, conversation.Open, inbound.Status, "the contact's next message opens it")
		assert.True(t, inbound.Assignee.IsZero(), "and it goes back to the team when the assignee is not eligible")
		stored, err := w.Conversations.Get(ctx, w.bob, c.ID)
		require.NoError(t, err)
		assert.Equal(t, stored, inbound)
	})
}

// E4: what works in a closed conversation is one matrix, the same for members and guests.
func TestE4_ClosedConversation(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.hello()
		carol := w.Guest(w.bob, c.ID, "carol")
		_, err := w.Conversations.Close(ctx, w.bob, c.ID, "")
		require.NoError(t, err)
		for _, actor := range []tenancy.Actor{w.bob, carol} {
			_, err = w.Conversations.Get(ctx, actor, c.ID)
			require.NoError(t, err)
			_, err = w.Conversations.EditContact(ctx, actor, c.ID, conversation.ContactEdit{Name: ptr("Vera")})
			require.NoError(t, err)
			_, err = w.Conversations.Send(ctx, actor, c.ID, "Hi")
			require.ErrorIs(t, err, conversation.ErrClosed)
		}
		_, err = w.Conversations.Note(ctx, w.bob, c.ID, "filed")
		require.NoError(t, err)
		_, err = w.Conversations.Assign(ctx, w.bob, c.ID, w.bob.User)
		require.ErrorIs(t, err, conversation.ErrClosed)
		_, err = w.Conversations.Type(ctx, w.bob, c.ID, "^invite zoe@zoe.example")
		require.ErrorIs(t, err, conversation.ErrClosed)
		require.NoError(t, w.Conversations.RevokeGuest(ctx, w.bob, c.ID, carol.User))
	})
}

// Only an active manager or member of the team can be responsible; whoever is not is answered alike, with what
// to do instead, and nothing changes.
func TestSpec6_WhoCanBeResponsible(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.hello()
		w.Guest(w.bob, c.ID, "carol")
		for _, name := range []string{"sus", "gone", "away", "over"} {
			w.join(name)
		}
		user := func(name string) tenancy.UserID { return w.User(name).ID }
		require.NoError(t, first(w.Tenancy.Suspend(ctx, w.alice, user("sus"))))
		require.NoError(t, w.Tenancy.Remove(ctx, w.alice, user("gone")))
		require.NoError(t, first(w.Tenancy.SuspendUser(ctx, ushertest.System, user("away"))))
		require.NoError(t, first(w.Tenancy.SetExpiry(ctx, w.alice, user("over"), w.Clock.Now().Add(time.Hour))))
		w.Clock.Advance(time.Hour)
		others := map[string]tenancy.UserID{
			"a guest": user("carol"), "of another team": user("dana"), "of another account": w.other.User, "a stranger": user("zoe"),
			"suspended": user("sus"), "removed": user("gone"), "suspended as a whole": user("away"), "expired": user("over"),
			"nobody": tenancy.NewID[tenancy.UserID](tenancy.Env{}), "none": {},
		}
		before, events := w.get(w.bob, c.ID), len(w.log(w.bob.Team))
		for who, other := range others {
			for _, assign := range []func(context.Context, tenancy.Actor, tenancy.ConversationID, tenancy.UserID) (conversation.Conversation, error){
				w.Conversations.Assign, w.Conversations.TakeOver,
			} {
				_, err := assign(ctx, w.bob, c.ID, other)
				require.Equal(t, conversation.ErrNotRecipient, err, who)
				require.ErrorContains(t, err, "invite", who)
			}
		}
		assert.Equal(t, before, w.get(w.bob, c.ID))
		assert.Len(t, w.log(w.bob.Team), events)
		for _, able := range []tenancy.UserID{w.bob.User, w.alice.User, w.maria.User} {
			assigned, err := w.Conversations.TakeOver(ctx, w.bob, c.ID, able)
			require.NoError(t, err)
			assert.Equal(t, able, assigned.Assignee)
		}
	})
}

// By whatever way a closed conversation is taken up again, one whose assignee can no longer be responsible goes
// back to the team, and one whose assignee can stays theirs.
func TestSpec6_ReopeningLooksAgainWhoIsResponsible(t *testing.T) {
	ways := map[string]func(w *world, c conversation.Conversation) error{
		"the contact writes": func(w *world, c conversation.Conversation) error {
			w.Receive("Sales", c.Address, "One more thing")
			return nil
		},
		"a member opens it": func(w *world, c conversation.Conversation) error {
			return first(w.Conversations.Open(w.t.Context(), w.bob, c.ID))
		},
		"a member types it": func(w *world, c conversation.Conversation) error {
			return first(w.Conversations.Type(w.t.Context(), w.bob, c.ID, "^open"))
		},
		"a member writes first": func(w *world, c conversation.Conversation) error {
			return first(w.Conversations.Start(w.t.Context(), w.bob, c.Address))
		},
	}
	onEveryStore(t, func(t *testing.T, w *world) {
		for way, reopen := range ways {
			for _, able := range []bool{true, false} {
				name := strings.ReplaceAll(fmt.Sprint(way, "-", able), " ", "-")
				mo := tenancy.Actor{User: w.join(name), Team: w.bob.Team}
				c := w.Receive("Sales", name, "Hi")
				require.NoError(t, first(w.Conversations.Assign(t.Context(), w.bob, c.ID, mo.User)))
				require.NoError(t, first(w.Conversations.Close(t.Context(), w.bob, c.ID, "")))
				if !able {
					w.suspend(mo) // as no operation does, which would have freed it
				}
				before := w.kinds(w.bob.Team)[conversation.ConversationUnassigned]
				require.NoError(t, reopen(w, c), way)
				after := w.get(w.bob, c.ID)
				assert.Equal(t, conversation.Open, after.Status, way)
				assert.EqualValues(t, 2, after.Episode, way)
				if able {
					assert.Equal(t, mo.User, after.Assignee, way)
				} else {
					assert.Zero(t, after.Assignee, way)
					before++
				}
				assert.Equal(t, before, w.kinds(w.bob.Team)[conversation.ConversationUnassigned], way)
			}
		}
	})
}

// A closed conversation is in no queue and not among the open ones, also if the contact waits still; it is
// found by a search, among the closed ones and among all.
func TestSpec6_AClosedConversationLeavesTheWorkingList(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.hello()
		require.NoError(t, first(w.Conversations.Assign(ctx, w.bob, c.ID, w.bob.User)))
		working := []conversation.Filter{{Status: conversation.Open}, {Queue: conversation.AgentQueue}, {Queue: conversation.RecruiterQueue}}
		tabs := []conversation.Filter{{}, {Status: conversation.Closed}, {Assignee: w.bob.User}}
		lists := func(filter conversation.Filter) bool {
			t.Helper()
			list, err := w.Conversations.List(ctx, w.bob, filter, tenancy.Page{})
			require.NoError(t, err)
			return len(list.Items) == 1
		}
		for _, filter := range working {
			assert.True(t, lists(filter), "%+v", filter)
		}
		require.NoError(t, first(w.Conversations.Close(ctx, w.bob, c.ID, "")))
		require.False(t, w.get(w.bob, c.ID).NeedsReplySince.IsZero())
		for _, filter := range working {
			assert.False(t, lists(filter), "%+v", filter)
		}
		for _, filter := range tabs {
			assert.True(t, lists(filter), "%+v", filter)
		}
		_, err := w.Conversations.Next(ctx, w.bob, conversation.AgentQueue)
		require.ErrorIs(t, err, conversation.ErrNothingWaiting)
		assert.Equal(t, []string{"Hi, is the job still open?"}, w.find(w.bob, "job"))
	})
}
