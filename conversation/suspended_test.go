package conversation_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

// Spec 4.10: a suspended account hears what contacts write, their STOP among it, and says nothing: not what
// somebody would send now, nor what was on its way when it was suspended, nor, of that, anything later.
func TestSpec4_10_ASuspendedAccountHearsAndSaysNothing(t *testing.T) {
	everystore.Run(t, func(t *testing.T, open func(*testing.T) storage.Store) {
		ctx := t.Context()
		w := ushertest.NewWorldOn(t, open(t)).Account("acme").Team("Sales", ushertest.Manager("alice"), ushertest.Member("bob"))
		alice, bob := w.Actor("alice", "Sales"), w.Actor("bob", "Sales")
		account := w.AccountNamed("acme").ID
		first, second := w.Receive("Sales", "visitor-1", "Hi"), w.Receive("Sales", "visitor-2", "Hi")
		queued, err := w.Conversations.Send(ctx, bob, first.ID, "On its way")
		require.NoError(t, err)
		inv, err := w.Invites.Create(ctx, alice, invite.ToTeam("new@new.example", rbac.Member))
		require.NoError(t, err)
		_, err = w.Conversations.Deliver(ctx, bob, second.ID, conversation.ToEmail("dana@client.example"), conversation.Outcome{})
		require.NoError(t, err)
		_, err = w.Tenancy.SuspendAccount(ctx, ushertest.System, account)
		require.NoError(t, err)

		w.Receive("Sales", "visitor-1", "Anybody?")
		w.Receive("Sales", "visitor-1", "STOP")
		third := w.Receive("Sales", "visitor-3", "Hello") // somebody new
		says := func(id tenancy.ConversationID) (texts []string) {
			t.Helper()
			found, err := w.Conversations.Messages(ctx, bob, id, 0, 0)
			require.NoError(t, err)
			for _, m := range found {
				texts = append(texts, m.Text)
			}
			return texts
		}
		assert.Equal(t, []string{"Hi", "On its way", "Anybody?", "STOP"}, says(first.ID))
		assert.Equal(t, []string{"Hello"}, says(third.ID))

		for name, send := range map[string]func() error{
			"Send": func() error { _, err := w.Conversations.Send(ctx, bob, second.ID, "Hello"); return err },
			"Post": func() error {
				_, err := w.Conversations.Post(ctx, "bot", second.ID, conversation.AutomaticMessage, "Hello")
				return err
			},
			"Type":  func() error { _, err := w.Conversations.Type(ctx, bob, second.ID, "Hello"); return err },
			"Start": func() error { _, err := w.Conversations.Start(ctx, bob, "visitor-4"); return err },
			"Deliver": func() error {
				_, err := w.Conversations.Deliver(ctx, bob, third.ID, conversation.ToEmail("x@x.example"), conversation.Outcome{})
				return err
			},
			"Create": func() error {
				_, err := w.Invites.Create(ctx, alice, invite.ToTeam("x@x.example", rbac.Member))
				return err
			},
			"of a guest": func() error {
				_, err := w.Invites.Create(ctx, bob, invite.ToConversation("x@x.example", third.ID))
				return err
			},
			"Resend": func() error { _, err := w.Invites.Resend(ctx, alice, inv.ID); return err },
			"Offer":  func() error { _, err := w.Invites.Offer(ctx, w.Holder("acme"), "x@x.example"); return err },
		} {
			require.ErrorIs(t, send(), tenancy.ErrAccountInactive, name)
		}
		silent := func(when string) {
			t.Helper()
			w.Post()
			assert.Empty(t, w.Sent.All(), when)
			assert.Empty(t, w.Mail.All(), when)
		}
		silent("suspended")
		_, err = w.Tenancy.ReactivateAccount(ctx, ushertest.System, account)
		require.NoError(t, err)
		silent("reactivated")
		kept, err := w.Store.Message(ctx, first.ID, queued.ID)
		require.NoError(t, err)
		assert.Equal(t, conversation.StatusFailed, kept.Status, "and the team sees that it was not sent")

		_, err = w.Conversations.Send(ctx, bob, first.ID, "Sorry!")
		require.ErrorIs(t, err, conversation.ErrOptedOut, "the STOP was heard")
		_, err = w.Conversations.Send(ctx, bob, third.ID, "Hello!")
		require.NoError(t, err)
		assert.Equal(t, "Hello!", w.Texted("visitor-3").Text)
	})
}
