package conversation_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

// routes are all the ways to lose what members have.
var routes = map[string]func(w *world, who tenancy.Actor) error{
	"remove": func(w *world, who tenancy.Actor) error { return w.Tenancy.Remove(w.t.Context(), w.alice, who.User) },
	"leave":  func(w *world, who tenancy.Actor) error { return w.Tenancy.Leave(w.t.Context(), who) },
	"suspend": func(w *world, who tenancy.Actor) error {
		_, err := w.Tenancy.Suspend(w.t.Context(), w.alice, who.User)
		return err
	},
	"expire": func(w *world, who tenancy.Actor) error {
		if _, err := w.Tenancy.SetExpiry(w.t.Context(), w.alice, who.User, w.Clock.Now().Add(time.Hour)); err != nil {
			return err
		}
		w.Clock.Advance(time.Hour)
		_, err := w.Tenancy.ExpireMembers(w.t.Context(), ushertest.System)
		return err
	},
	"suspend the user": func(w *world, who tenancy.Actor) error {
		_, err := w.Tenancy.SuspendUser(w.t.Context(), ushertest.System, who.User)
		return err
	},
	"delete the user": func(w *world, who tenancy.Actor) error {
		return w.Tenancy.DeleteUser(w.t.Context(), ushertest.System, who.User, tenancy.UserID{})
	},
	"change the role": func(w *world, who tenancy.Actor) error {
		_, err := w.Tenancy.ChangeRole(w.t.Context(), w.alice, who.User, rbac.Restricted)
		return err
	},
	"give a lesser role": func(w *world, who tenancy.Actor) error {
		w.custom(rbac.Restricted, who)
		return nil
	},
	"edit the role": func(w *world, who tenancy.Actor) error {
		w.custom(rbac.Restricted, who, "conversation: read all", "conversation: read")
		m, err := w.Store.Membership(w.t.Context(), who.Team, who.User)
		if err != nil {
			return err
		}
		holder := tenancy.Holder{User: w.User("acme-holder").ID, Account: w.TeamNamed("Sales").Account}
		_, err = w.Tenancy.EditRole(w.t.Context(), holder, m.Custom, tenancy.RoleSpec{Name: "Lesser " + m.Custom.String(), Base: rbac.Restricted})
		return err
	},
}

// E5: by whatever route somebody loses what members have, nothing stays in their hands.
func TestE5_EveryRouteFreesEverything(t *testing.T) {
	for route, depart := range routes {
		for _, keep := range []bool{false, true} {
			name := route
			if keep {
				name += ", invitations kept"
			}
			t.Run(name, func(t *testing.T) {
				onEveryStore(t, func(t *testing.T, w *world) {
					ctx := t.Context()
					w.configure(w.alice, func(s *tenancy.Settings) { s.KeepInvitations = keep })
					open, _, closed := w.busy()
					begun := w.Receive("Sales", "visitor-5", "Hi")
					_, err := w.Conversations.Deliver(ctx, w.bob, begun.ID, conversation.ToEmail("zoe@zoe.example"), conversation.Outcome{})
					require.NoError(t, err)
					bystander := w.Receive("Sales", "visitor-6", "Hi")
					_, err = w.Conversations.Deliver(ctx, w.maria, bystander.ID, conversation.ToEmail("yan@yan.example"), conversation.Outcome{})
					require.NoError(t, err)
					elsewhere := w.Receive("Hiring", "visitor-7", "Hi")
					inHiring := w.Guest(w.Actor("dana", "Hiring"), elsewhere.ID, "bob")
					granted := w.Receive("Sales", "visitor-8", "Hi")
					require.NoError(t, w.inTx(func(s txStore) error { // a member who was a guest before
						return s.InsertGrant(s.ctx, conversation.Grant{Conversation: granted.ID, User: w.bob.User, FromSeq: 1, AcceptedAt: w.Clock.Now()})
					}))

					require.NoError(t, depart(w, w.bob))
					for _, id := range []tenancy.ConversationID{open.ID, closed.ID} {
						assert.True(t, w.get(w.alice, id).Assignee.IsZero(), "what they were responsible for goes back to the team")
					}
					history, err := w.Conversations.History(ctx, w.alice, begun.ID)
					require.NoError(t, err)
					require.Len(t, history, 1)
					assert.Equal(t, conversation.DeliveryCancelled, history[0].State)
					assert.Equal(t, w.bob.User, history[0].By, "who did it stays on record")
					guests, err := w.Conversations.Guests(ctx, w.alice, granted.ID)
					require.NoError(t, err)
					require.Len(t, guests, 1)
					assert.False(t, guests[0].LiveAt(w.Clock.Now()))
					_, err = w.Conversations.Get(ctx, w.bob, granted.ID)
					require.Error(t, err)

					others, err := w.Conversations.History(ctx, w.alice, bystander.ID)
					require.NoError(t, err)
					assert.Equal(t, conversation.DeliveryPending, others[0].State, "what others have is left alone")
					_, err = w.Conversations.Get(ctx, inHiring, elsewhere.ID)
					if route == "delete the user" || route == "suspend the user" {
						require.Error(t, err)
					} else {
						require.NoError(t, err, "and so is another team")
					}
					w.whole()
				})
			})
		}
	}
}

func TestADeletedUserIsNowhereByAddress(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c, other := w.hello(), w.Receive("Sales", "visitor-2", "Hi")
		carol := w.Guest(w.bob, c.ID, "carol")
		_, err := w.Conversations.Send(ctx, carol, c.ID, "I am Carol")
		require.NoError(t, err)
		done, err := w.Conversations.Deliver(ctx, w.bob, c.ID, conversation.ToEmail("Carol@CAROL.example"), conversation.Outcome{})
		require.NoError(t, err)
		require.Equal(t, conversation.DeliveryCompleted, done.State)
		kept, err := w.Conversations.Deliver(ctx, w.bob, other.ID, conversation.ToEmail("dora@carol.example"), conversation.Outcome{})
		require.NoError(t, err)

		require.NoError(t, w.Tenancy.DeleteUser(ctx, ushertest.System, carol.User, tenancy.UserID{}))
		history, err := w.Conversations.History(ctx, w.bob, c.ID)
		require.NoError(t, err)
		require.Len(t, history, 1)
		assert.Zero(t, history[0].Recipient, "neither form of the address is left")
		assert.Equal(t, done.Outcome, history[0].Outcome)
		history, err = w.Conversations.History(ctx, w.bob, other.ID)
		require.NoError(t, err)
		assert.Equal(t, []conversation.Delivery{kept}, history)
		messages, err := w.Conversations.Messages(ctx, w.bob, c.ID, 0, 0)
		require.NoError(t, err)
		require.Len(t, messages, 2)
		assert.Equal(t, "I am Carol", messages[1].Text, "what was said stays")
		assert.Equal(t, carol.User, messages[1].Author, "and is the tombstone's")
		w.whole()
	})
}
