package conversation_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

func TestStatusesOfTheTeam(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.configure(w.alice, func(s *tenancy.Settings) {
			s.Statuses = []tenancy.OutcomeStatus{
				{Label: "Hired Elsewhere", Category: tenancy.Negative},
				{Label: "Hired!", Category: tenancy.Positive},
				{Label: "Engaged", Category: tenancy.Negative},
			}
		})
		for i, c := range []struct {
			given, kept conversation.Label
			category    conversation.Category
			after       conversation.Status
			label       conversation.Label
		}{
			{"hired elsewhere", "Hired Elsewhere", conversation.Negative, conversation.Closed, conversation.NewLabel},
			{"Hired!", "Hired!", conversation.Positive, conversation.Open, conversation.NewLabel},
			{"engaged", "Engaged", conversation.Positive, conversation.Open, conversation.Engaged}, // the built-in one
			{"not interested", "Not Interested", conversation.Negative, conversation.Closed, conversation.NewLabel},
		} {
			thread := w.Receive("Sales", "visitor-"+string(rune('a'+i)), "Hi")
			d, err := w.Conversations.Deliver(ctx, w.bob, thread.ID, conversation.ToUser(w.maria.User), conversation.Outcome{Status: c.given})
			require.NoError(t, err)
			assert.Equal(t, c.kept, d.Outcome.Status)
			assert.Equal(t, c.category, d.Category)
			after := w.get(w.bob, thread.ID)
			assert.Equal(t, c.after, after.Status, c.given)
			assert.Equal(t, c.label, after.Label)
			history, err := w.Conversations.History(ctx, w.bob, thread.ID)
			require.NoError(t, err)
			assert.Equal(t, []conversation.Delivery{d}, history)
		}
		thread := w.hello()
		closed, err := w.Conversations.Close(ctx, w.bob, thread.ID, "HIRED!")
		require.NoError(t, err)
		assert.Equal(t, conversation.Label("Hired!"), closed.Outcome)

		other := w.Receive("Sales", "visitor-z", "Hi")
		for _, try := range []func() error{
			func() error { _, err := w.Conversations.Close(ctx, w.bob, other.ID, "Hired"); return err },
			func() error {
				_, err := w.Conversations.Deliver(ctx, w.bob, other.ID, conversation.ToUser(w.bob.User), conversation.Outcome{Status: "Hired"})
				return err
			},
			func() error {
				_, err := w.Conversations.Type(ctx, w.bob, other.ID, `^close status:"Hired"`)
				return err
			},
			func() error {
				_, err := w.Conversations.Type(ctx, w.bob, other.ID, `^deliver dana@client.example status:"Hired"`)
				return err
			},
		} {
			err := try()
			require.ErrorIs(t, err, tenancy.ErrInvalid)
			require.ErrorContains(t, err, "Not Interested", "it lists what is allowed")
			require.ErrorContains(t, err, "Hired Elsewhere", "the team's own as well")
		}
		_, err = w.Conversations.Type(ctx, w.bob, other.ID, `^deliver `+ushertest.Email("maria")+` status:"hired elsewhere"`)
		require.NoError(t, err)
		assert.Equal(t, conversation.Closed, w.get(w.bob, other.ID).Status)

		dana := w.Actor("dana", "Hiring")
		elsewhere := w.Receive("Hiring", "visitor-1", "Hi")
		_, err = w.Conversations.Close(ctx, dana, elsewhere.ID, "Hired!")
		require.ErrorIs(t, err, tenancy.ErrInvalid, "another team does not have it")
		require.NotContains(t, err.Error(), "Hired Elsewhere")
	})
}

// What an outcome meant when it was delivered is not changed by the settings of later.
func TestAnOutcomeKeepsItsMeaning(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.configure(w.alice, func(s *tenancy.Settings) {
			s.Statuses = []tenancy.OutcomeStatus{{Label: "Gone", Category: tenancy.Negative}}
		})
		c := w.hello()
		d, err := w.Conversations.Deliver(ctx, w.bob, c.ID, conversation.ToEmail(ushertest.Email("carol")), conversation.Outcome{Status: "Gone"})
		require.NoError(t, err)
		require.Equal(t, conversation.DeliveryPending, d.State)
		w.configure(w.alice, func(s *tenancy.Settings) { s.Statuses = nil })
		_, err = w.Invites.Accept(ctx, w.User("carol").ID, w.Token("carol"))
		require.NoError(t, err)
		after := w.get(w.bob, c.ID)
		assert.Equal(t, conversation.Closed, after.Status)
		assert.Equal(t, conversation.Label("Gone"), after.Outcome)
	})
}

func TestTeamsToDeliverTo(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.Team("Archive")
		hiring, archive := w.TeamNamed("Hiring").ID, w.TeamNamed("Archive").ID
		deliver := func(visitor string, to tenancy.TeamID) error {
			c := w.Receive("Sales", visitor, "Hi")
			_, err := w.Conversations.Deliver(ctx, w.bob, c.ID, conversation.ToTeam(to), conversation.Outcome{})
			return err
		}
		allow := func(teams []tenancy.TeamID) {
			w.configure(w.alice, func(s *tenancy.Settings) { s.DeliverTo = teams })
		}
		require.NoError(t, deliver("v1", hiring), "all of the account's")
		allow([]tenancy.TeamID{})
		require.ErrorIs(t, deliver("v2", hiring), conversation.ErrNotTarget, "none")
		require.ErrorIs(t, deliver("v2", hiring), tenancy.ErrConflict)
		allow([]tenancy.TeamID{archive})
		require.ErrorIs(t, deliver("v2", hiring), conversation.ErrNotTarget)
		require.NoError(t, deliver("v3", archive))
		require.Equal(t, tenancy.ErrNotFound, deliver("v2", w.other.Team), "another account's is not one that is not allowed")
		c := w.Receive("Sales", "v2", "Hi")
		_, err := w.Conversations.Type(ctx, w.bob, c.ID, "^deliver Hiring")
		require.ErrorIs(t, err, tenancy.ErrNotFound)
		_, unknown := w.Conversations.Type(ctx, w.bob, c.ID, "^deliver Nowhere")
		require.Equal(t, unknown, err, "F6: who types names does not learn which teams there are")
		_, err = w.Conversations.Deliver(ctx, w.bob, c.ID, conversation.ToUser(w.maria.User), conversation.Outcome{})
		require.NoError(t, err, "people are not meant")
		assert.Equal(t, w.bob.Team, w.get(w.bob, c.ID).Team)
		allow(nil)
		require.NoError(t, deliver("v2", hiring))
	})
}

func TestHiddenHistory(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		say := func(text string) {
			w.Clock.Advance(time.Minute)
			w.Receive("Sales", "visitor-1", text)
		}
		c := w.hello()
		early := w.Guest(w.bob, c.ID, "early")
		w.configure(w.alice, func(s *tenancy.Settings) { s.History = tenancy.HistoryFromInvitation })
		for range 5 {
			say("before")
		}
		w.Clock.Advance(time.Minute)
		_, err := w.Conversations.Note(ctx, w.bob, c.ID, "a note before")
		require.NoError(t, err)
		w.Clock.Advance(time.Minute)
		_, err = w.Invites.Create(ctx, w.bob, invite.ToConversation(ushertest.Email("carol"), c.ID))
		require.NoError(t, err)
		say("invited")
		carol := tenancy.Actor{User: w.User("carol").ID, Team: w.bob.Team}
		_, err = w.Invites.Accept(ctx, carol.User, w.Token("carol"))
		require.NoError(t, err)
		say("accepted")
		assert.Equal(t, []string{"invited", "accepted"}, w.texts(carol, c.ID), "from the invitation on, not from its acceptance")
		assert.Len(t, w.texts(early, c.ID), 8, "who saw it all before does so still")
		found, err := w.Conversations.Messages(ctx, carol, c.ID, -1, 1)
		require.NoError(t, err)
		require.Len(t, found, 1)
		assert.Equal(t, "invited", found[0].Text, "nor does asking from further back help")

		w.Clock.Advance(time.Minute)
		var already *invite.GuestError
		_, err = w.Invites.Create(ctx, w.bob, invite.ToConversation(ushertest.Email("carol"), c.ID))
		require.ErrorAs(t, err, &already, "who is in is not invited again, so that nothing is taken away")
		require.NoError(t, w.Conversations.RevokeGuest(ctx, w.bob, c.ID, carol.User))
		w.Clock.Advance(time.Minute)
		w.Guest(w.bob, c.ID, "carol")
		assert.Empty(t, w.texts(carol, c.ID), "who was out comes in anew")
		say("now")
		assert.Equal(t, []string{"now"}, w.texts(carol, c.ID))

		_, err = w.Conversations.Deliver(ctx, w.bob, c.ID, conversation.ToTeam(w.TeamNamed("Hiring").ID), conversation.Outcome{})
		require.NoError(t, err)
		assert.Equal(t, []string{"now"}, w.texts(w.Actor("carol", "Hiring"), c.ID), "a move shows no more")
		assert.Len(t, w.texts(w.Actor("early", "Hiring"), c.ID), 9)

		fresh := w.Receive("Sales", "visitor-2", "first")
		w.Clock.Advance(time.Minute)
		assert.Empty(t, w.texts(w.Guest(w.bob, fresh.ID, "victor"), fresh.ID), "nothing was said since")
	})
}
