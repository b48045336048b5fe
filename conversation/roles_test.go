package conversation_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

func TestACustomRoleSeesTheTeamsConversations(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.hello()
		_, err := w.Conversations.Note(ctx, w.bob, c.ID, "ours")
		require.NoError(t, err)
		reader := w.custom(rbac.Restricted, w.maria, "conversation: read all", "conversation: read")
		assert.Equal(t, []string{"Hi, is the job still open?"}, w.texts(reader, c.ID), "but not its notes")
		list, err := w.Conversations.List(ctx, reader, conversation.Filter{}, tenancy.Page{})
		require.NoError(t, err)
		assert.Len(t, list.Items, 1)
		_, err = w.Conversations.Send(ctx, reader, c.ID, "Hi")
		require.ErrorIs(t, err, rbac.ErrDenied)
		_, err = w.Conversations.Close(ctx, reader, c.ID, "")
		require.ErrorIs(t, err, rbac.ErrDenied, "denied and not missing: they see it")
	})
}

func TestWhoMayBeResponsible(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.hello()
		assign := func() error {
			_, err := w.Conversations.TakeOver(ctx, w.bob, c.ID, w.maria.User)
			return err
		}
		deliver := func(to conversation.Recipient) (conversation.Delivery, error) {
			return w.Conversations.Deliver(ctx, w.bob, c.ID, to, conversation.Outcome{})
		}
		send := w.Policy.Name(rbac.SendMessage)
		for _, permissions := range [][]string{
			{"conversation: read all", "conversation: read"}, {send}, {"conversation: read all", send},
		} {
			w.custom(rbac.Restricted, w.maria, permissions...)
			require.ErrorIs(t, assign(), conversation.ErrNotRecipient, permissions)
			_, err := deliver(conversation.ToUser(w.maria.User))
			require.ErrorIs(t, err, conversation.ErrNotRecipient, permissions)
		}
		_, err := w.Conversations.Inbox(ctx, w.maria, tenancy.Page{})
		require.ErrorIs(t, err, rbac.ErrDenied, "nor does who finds no conversation hear of those that could be theirs")
		agent := w.custom(rbac.Restricted, w.maria, "conversation: read all", "conversation: read", send)
		require.NoError(t, assign())
		_, err = w.Conversations.Send(ctx, agent, c.ID, "Hi")
		require.NoError(t, err)
		d, err := deliver(conversation.ToEmail(ushertest.Email("maria")))
		require.NoError(t, err)
		assert.Equal(t, conversation.ToUser(agent.User), d.Recipient, "and a colleague by e-mail")

		// Less than that, and what they had goes back to the team.
		w.custom(rbac.Restricted, w.maria, "conversation: read all", "conversation: read")
		assert.True(t, w.get(w.bob, c.ID).Assignee.IsZero())
		w.whole()
	})
}

// Spec 4.5: what somebody may no longer answer by an edit of their role goes back to the team.
func TestAnEditedRoleKeepsNoAssignment(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.hello()
		agent := w.custom(rbac.Restricted, w.maria, "conversation: read all", "conversation: read", w.Policy.Name(rbac.SendMessage))
		_, err := w.Conversations.Assign(ctx, w.bob, c.ID, agent.User)
		require.NoError(t, err)
		holder := tenancy.Holder{User: w.User("acme-holder").ID, Account: w.TeamNamed("Sales").Account}
		roles, err := w.Tenancy.AccountRoles(ctx, holder)
		require.NoError(t, err)
		require.Len(t, roles, 1)
		lesser := tenancy.RoleSpec{Name: roles[0].Name, Base: rbac.Restricted, Permissions: []string{"conversation: read all", "conversation: read"}}
		_, err = w.Tenancy.EditRole(ctx, holder, roles[0].ID, lesser)
		require.NoError(t, err)
		assert.True(t, w.get(w.bob, c.ID).Assignee.IsZero())
		w.whole()
	})
}

func TestAGuestWhoGetsMoreRightsStaysAGuest(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		c := w.hello()
		carol := w.Guest(w.bob, c.ID, "carol")
		w.custom(rbac.Restricted, carol, "member: list")
		assert.Len(t, w.texts(carol, c.ID), 1)
	})
}
