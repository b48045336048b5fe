package conversation_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

func TestDeliverToAColleague(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		for name, to := range map[string]conversation.Recipient{
			"by id":     conversation.ToUser(w.maria.User),
			"by e-mail": conversation.ToEmail(strings.ToUpper(ushertest.Email("maria"))),
		} {
			c := w.Receive("Sales", strings.ReplaceAll(name, " ", "-"), "Hi")
			d, err := w.Conversations.Deliver(ctx, w.bob, c.ID, to,
				conversation.Outcome{Status: conversation.Engaged, Rating: 4, Summary: "ready to start"})
			require.NoError(t, err, name)
			assert.Equal(t, conversation.DeliveryCompleted, d.State)
			assert.Equal(t, w.maria.User, d.Recipient.User)
			after, err := w.Conversations.Get(ctx, w.bob, c.ID)
			require.NoError(t, err)
			assert.Equal(t, w.maria.User, after.Assignee)
			assert.Equal(t, conversation.Engaged, after.Label)
			assert.Equal(t, conversation.Open, after.Status, "a positive outcome leaves it open")
			cards, err := w.Conversations.History(ctx, w.bob, c.ID)
			require.NoError(t, err)
			assert.Equal(t, []conversation.Delivery{d}, cards)
		}
	})
}

func TestOnlyThreeOutcomesMoveTheLabel(t *testing.T) {
	w := worldOn(t, everystore.Memory(t))
	for i, label := range conversation.Labels() {
		c := w.Receive("Sales", "visitor-"+string(rune('a'+i)), "Hi")
		_, err := w.Conversations.Deliver(t.Context(), w.bob, c.ID, conversation.ToUser(w.bob.User), conversation.Outcome{Status: label})
		require.NoError(t, err)
		after, err := w.Conversations.Get(t.Context(), w.bob, c.ID)
		require.NoError(t, err)
		moves := map[conversation.Label]bool{conversation.Engaged: true, conversation.Disengaged: true, conversation.Delivered: true}
		if moves[label] {
			assert.Equal(t, label, after.Label)
		} else {
			assert.Equal(t, conversation.NewLabel, after.Label)
		}
		assert.Equal(t, label.Category() == conversation.Negative, after.Status == conversation.Closed, label)
	}
}

func TestNegativeOutcomeClosesUnlessToldOtherwise(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		kept := w.hello()
		_, err := w.Conversations.Deliver(ctx, w.bob, kept.ID, conversation.ToUser(w.maria.User), conversation.Outcome{Status: conversation.NotQualified}, conversation.KeepOpen())
		require.NoError(t, err)
		after, err := w.Conversations.Get(ctx, w.bob, kept.ID)
		require.NoError(t, err)
		assert.Equal(t, conversation.Open, after.Status)
		_, err = w.Conversations.Deliver(ctx, w.bob, kept.ID, conversation.ToUser(w.maria.User), conversation.Outcome{Status: conversation.NotQualified})
		require.NoError(t, err)
		after, err = w.Conversations.Get(ctx, w.bob, kept.ID)
		require.NoError(t, err)
		assert.Equal(t, conversation.Closed, after.Status)
		assert.Equal(t, conversation.NotQualified, after.Outcome)
		_, err = w.Conversations.Deliver(ctx, w.bob, kept.ID, conversation.ToUser(w.bob.User), conversation.Outcome{})
		require.ErrorIs(t, err, conversation.ErrClosed, "a closed conversation refuses deliveries")
	})
}

func TestDeliverToAnEmailCompletesAtAccept(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.hello()
		d, err := w.Conversations.Deliver(ctx, w.bob, c.ID, conversation.ToEmail("Carol@carol.example"), conversation.Outcome{Status: conversation.Delivered})
		require.NoError(t, err)
		assert.Equal(t, conversation.DeliveryPending, d.State)
		unmoved, err := w.Conversations.Get(ctx, w.bob, c.ID)
		require.NoError(t, err)
		assert.Equal(t, c, unmoved, "a pending delivery leaves the conversation where it was")
		_, err = w.Conversations.Deliver(ctx, w.bob, c.ID, conversation.ToUser(w.maria.User), conversation.Outcome{})
		require.ErrorIs(t, err, conversation.ErrDeliveryPending, "at most one is pending")

		w.Clock.Advance(time.Hour)
		carol := w.User("carol")
		_, err = w.Invites.Accept(ctx, carol.ID, w.Token("carol"))
		require.NoError(t, err)
		history, err := w.Conversations.History(ctx, w.bob, c.ID)
		require.NoError(t, err)
		require.Len(t, history, 1)
		assert.Equal(t, conversation.DeliveryCompleted, history[0].State)
		assert.Equal(t, w.Clock.Now(), history[0].EndedAt)
		after := w.get(w.bob, c.ID)
		assert.Equal(t, conversation.Delivered, after.Label)
		seen := w.get(tenancy.Actor{User: carol.ID, Team: w.bob.Team}, c.ID)
		assert.Equal(t, after.ToGuest(), seen, "and nothing of the team's work is shown to the guest")

		again, err := w.Conversations.Deliver(ctx, w.bob, c.ID, conversation.ToEmail("carol@carol.example"), conversation.Outcome{Rating: 5})
		require.NoError(t, err)
		assert.Equal(t, conversation.DeliveryCompleted, again.State, "a guest who is in the conversation has it at once")

		other := w.Receive("Sales", "visitor-2", "Hi")
		second, err := w.Conversations.Deliver(ctx, w.bob, other.ID, conversation.ToEmail("carol@carol.example"), conversation.Outcome{})
		require.NoError(t, err, "and can receive many")
		assert.Equal(t, conversation.DeliveryPending, second.State)
	})
}

func TestDeliveryEndsWithItsInvitation(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		carol := w.User("carol").ID
		for i, c := range []struct {
			end  func(d conversation.Delivery)
			want conversation.DeliveryState
		}{
			{func(conversation.Delivery) {
				_, err := w.Invites.Decline(ctx, carol, w.Token("carol"))
				require.NoError(t, err)
			}, conversation.DeliveryDeclined},
			{func(d conversation.Delivery) {
				_, err := w.Invites.Revoke(ctx, w.bob, d.Invitation)
				require.NoError(t, err)
			}, conversation.DeliveryCancelled},
			{func(d conversation.Delivery) {
				w.Clock.Advance(invite.DefaultExpiry)
				_, err := w.Invites.Expire(ctx, ushertest.System, d.FromTeam, d.Invitation)
				require.NoError(t, err)
			}, conversation.DeliveryExpired},
			{func(d conversation.Delivery) {
				w.Clock.Advance(invite.DefaultExpiry) // and nobody sweeps
			}, conversation.DeliveryExpired},
		} {
			thread := w.Receive("Sales", "visitor-"+string(rune('a'+i)), "Hi")
			d, err := w.Conversations.Deliver(ctx, w.bob, thread.ID, conversation.ToEmail("carol@carol.example"), conversation.Outcome{})
			require.NoError(t, err)
			c.end(d)
			next, err := w.Conversations.Deliver(ctx, w.bob, thread.ID, conversation.ToUser(w.maria.User), conversation.Outcome{})
			require.NoError(t, err, "it stands in nobody's way: %s", c.want)
			history, err := w.Conversations.History(ctx, w.bob, thread.ID)
			require.NoError(t, err)
			require.Len(t, history, 2)
			states := map[tenancy.DeliveryID]conversation.DeliveryState{history[0].ID: history[0].State, history[1].ID: history[1].State}
			assert.Equal(t, c.want, states[d.ID])
			assert.Equal(t, conversation.DeliveryCompleted, states[next.ID])
		}
	})
}

func TestWhoIsNoRecipient(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.hello()
		carol := w.Guest(w.bob, c.ID, "carol")
		deliver := func(to conversation.Recipient) error {
			_, err := w.Conversations.Deliver(ctx, w.bob, c.ID, to, conversation.Outcome{})
			return err
		}
		for name, user := range map[string]tenancy.UserID{
			"a guest": carol.User, "a stranger": w.User("zoe").ID, "a colleague in another team": w.User("dana").ID,
			"nobody": tenancy.NewID[tenancy.UserID](tenancy.Env{}),
		} {
			require.ErrorIs(t, deliver(conversation.ToUser(user)), conversation.ErrNotRecipient, name)
		}
		w.suspend(w.maria)
		require.ErrorIs(t, deliver(conversation.ToUser(w.maria.User)), conversation.ErrNotRecipient)
		require.ErrorIs(t, deliver(conversation.ToEmail(ushertest.Email("maria"))), conversation.ErrNotRecipient, "also when the e-mail names them")
		w.suspend(carol)
		require.ErrorIs(t, deliver(conversation.ToEmail(ushertest.Email("carol"))), conversation.ErrNotRecipient)

		for name, to := range map[string]conversation.Recipient{
			"none": {}, "two": {User: w.bob.User, Team: w.bob.Team}, "no address": conversation.ToEmail("nobody"),
		} {
			require.ErrorIs(t, deliver(to), tenancy.ErrInvalid, name)
		}
		for name, o := range map[string]conversation.Outcome{
			"label": {Status: "Hired!"}, "low": {Rating: -1}, "high": {Rating: 6}, "long": {Summary: strings.Repeat("x", conversation.MaxSummary+1)},
			"control": {Summary: "a\x00b"},
		} {
			_, err := w.Conversations.Deliver(ctx, w.bob, c.ID, conversation.ToUser(w.bob.User), o)
			require.ErrorIs(t, err, tenancy.ErrInvalid, name)
		}
		history, err := w.Conversations.History(ctx, w.bob, c.ID)
		require.NoError(t, err)
		assert.Empty(t, history)
	})
}

func (w *world) suspend(actor tenancy.Actor) {
	w.t.Helper()
	require.NoError(w.t, w.inTx(func(s txStore) error {
		m, err := s.Membership(s.ctx, actor.Team, actor.User)
		if err != nil {
			return err
		}
		m.Status = tenancy.MembershipSuspended
		return s.UpdateMembership(s.ctx, m)
	}))
}

func TestDeliverToAnotherTeamMovesTheConversation(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		hiring, dana := w.TeamNamed("Hiring"), w.Actor("dana", "Hiring")
		c := w.hello()
		carol := w.Guest(w.bob, c.ID, "carol")
		_, err := w.Invites.Create(ctx, w.bob, invite.ToConversation("zoe@zoe.example", c.ID))
		require.NoError(t, err)
		zoe := w.Token("zoe")
		_, err = w.Conversations.Assign(ctx, w.bob, c.ID, w.bob.User)
		require.NoError(t, err)
		_, err = w.Conversations.EditContact(ctx, w.bob, c.ID, conversation.ContactEdit{Name: ptr("Vera"), Notes: ptr("ours")})
		require.NoError(t, err)

		d, err := w.Conversations.Deliver(ctx, w.bob, c.ID, conversation.ToTeam(hiring.ID), conversation.Outcome{Status: conversation.Delivered})
		require.NoError(t, err)
		assert.Equal(t, conversation.DeliveryCompleted, d.State)
		_, err = w.Conversations.Get(ctx, w.bob, c.ID)
		require.ErrorIs(t, err, tenancy.ErrNotFound, "the old team loses access at the commit")
		moved, err := w.Conversations.Get(ctx, dana, c.ID)
		require.NoError(t, err)
		assert.Equal(t, hiring.ID, moved.Team)
		assert.True(t, moved.Assignee.IsZero())
		assert.Equal(t, conversation.Delivered, moved.Label)
		assert.Equal(t, []string{"Hi, is the job still open?"}, w.texts(dana, c.ID), "the messages come along")
		contact, err := w.Conversations.Contact(ctx, dana, c.ID)
		require.NoError(t, err)
		assert.Equal(t, "Vera", contact.Name)
		assert.Empty(t, contact.Notes, "the old team's notes about the contact do not")

		for _, actor := range []tenancy.Actor{w.bob, dana} {
			cards, err := w.Conversations.Deliveries(ctx, actor, tenancy.Page{})
			require.NoError(t, err)
			assert.Equal(t, []conversation.Delivery{d}, cards.Items, "both teams keep the card")
		}
		again := w.Receive("Sales", "visitor-1", "Still there?")
		assert.Equal(t, c.ID, again.ID, "the contact sees one thread")
		assert.Equal(t, hiring.ID, again.Team)

		_, err = w.Conversations.Get(ctx, tenancy.Actor{User: carol.User, Team: hiring.ID}, c.ID)
		require.NoError(t, err, "a guest follows")
		_, err = w.Conversations.Get(ctx, carol, c.ID)
		require.ErrorIs(t, err, tenancy.ErrNotFound)
		_, err = w.Invites.Accept(ctx, w.User("zoe").ID, zoe)
		require.ErrorIs(t, err, tenancy.ErrConflict, "an open invitation does not")

		back, err := w.Conversations.Deliver(ctx, dana, c.ID, conversation.ToTeam(w.bob.Team), conversation.Outcome{})
		require.NoError(t, err)
		history, err := w.Conversations.History(ctx, w.bob, c.ID)
		require.NoError(t, err)
		require.Len(t, history, 2, "there and back is visible in the history")
		assert.ElementsMatch(t, []tenancy.DeliveryID{d.ID, back.ID}, []tenancy.DeliveryID{history[0].ID, history[1].ID})
		contact, err = w.Conversations.Contact(ctx, w.bob, c.ID)
		require.NoError(t, err)
		assert.Equal(t, "ours", contact.Notes, "the contact of the old team is found again")
	})
}

// C2: a move checks the source and the target.
func TestC2_TeamsThatCannotBeDeliveredTo(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.hello()
		random := tenancy.NewID[tenancy.TeamID](tenancy.Env{})
		for name, team := range map[string]tenancy.TeamID{"another account's": w.other.Team, "none": random, "its own": w.bob.Team} {
			_, err := w.Conversations.Deliver(ctx, w.bob, c.ID, conversation.ToTeam(team), conversation.Outcome{})
			require.Equal(t, tenancy.ErrNotFound, err, name)
		}
		_, err := w.Conversations.Deliver(ctx, w.other, c.ID, conversation.ToTeam(w.other.Team), conversation.Outcome{})
		require.Equal(t, tenancy.ErrNotFound, err)
		require.NoError(t, w.inTx(func(s txStore) error {
			team, err := s.LockTeam(s.ctx, w.TeamNamed("Hiring").ID)
			if err != nil {
				return err
			}
			team.Status = tenancy.TeamArchived
			return s.UpdateTeam(s.ctx, team)
		}))
		_, err = w.Conversations.Deliver(ctx, w.bob, c.ID, conversation.ToTeam(w.TeamNamed("Hiring").ID), conversation.Outcome{})
		require.ErrorIs(t, err, tenancy.ErrTeamArchived)
		after, err := w.Conversations.Get(ctx, w.bob, c.ID)
		require.NoError(t, err)
		assert.Equal(t, c, after)
	})
}

func TestDeliverNeedsTheRight(t *testing.T) {
	w := worldOn(t, everystore.Memory(t))
	c := w.hello()
	carol := w.Guest(w.bob, c.ID, "carol")
	_, err := w.Conversations.Deliver(t.Context(), carol, c.ID, conversation.ToTeam(w.TeamNamed("Hiring").ID), conversation.Outcome{})
	require.ErrorIs(t, err, rbac.ErrDenied)
}

// One contact is delivered as often as somebody does it: to colleagues, teams and guests, over several
// episodes, each time with a card of its own.
func TestSpec6_OneContactIsDeliveredOften(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c, dana := w.hello(), w.Actor("dana", "Hiring")
		var given []tenancy.DeliveryID
		deliver := func(by tenancy.Actor, to conversation.Recipient, status conversation.Label) {
			t.Helper()
			w.Clock.Advance(time.Minute)
			d, err := w.Conversations.Deliver(ctx, by, c.ID, to, conversation.Outcome{Status: status})
			require.NoError(t, err)
			require.Equal(t, conversation.DeliveryCompleted, d.State)
			given = append(given, d.ID)
		}
		deliver(w.bob, conversation.ToUser(w.maria.User), conversation.Engaged)
		deliver(w.maria, conversation.ToUser(w.maria.User), conversation.Qualified)
		deliver(w.maria, conversation.ToUser(w.bob.User), conversation.NotInterested) // which closes
		c = w.Receive("Sales", c.Address, "I have changed my mind")
		require.Equal(t, int64(2), c.Episode)
		deliver(w.bob, conversation.ToTeam(dana.Team), "")
		deliver(dana, conversation.ToTeam(w.bob.Team), "")
		deliver(w.bob, conversation.ToTeam(dana.Team), "")
		cards, err := w.Conversations.History(ctx, dana, c.ID)
		require.NoError(t, err)
		var kept []tenancy.DeliveryID
		for _, d := range cards {
			kept = append(kept, d.ID)
		}
		assert.Equal(t, given, kept, "oldest first, none in the place of another")
		assert.Len(t, w.texts(dana, c.ID), 2, "one thread")
	})
}

// Whoever is suspended, in the team or as a whole, or whose time in it is over is no recipient, by no form of
// them: a colleague is not invited to what they may not be given, nor a guest once more.
func TestSpec6_WhoIsSuspendedIsNoRecipient(t *testing.T) {
	ends := map[string]func(w *world, user tenancy.UserID) error{
		"suspended": func(w *world, user tenancy.UserID) error {
			return first(w.Tenancy.Suspend(w.t.Context(), w.alice, user))
		},
		"suspended as a whole": func(w *world, user tenancy.UserID) error {
			return first(w.Tenancy.SuspendUser(w.t.Context(), ushertest.System, user))
		},
		"expired": func(w *world, user tenancy.UserID) error {
			err := first(w.Tenancy.SetExpiry(w.t.Context(), w.alice, user, w.Clock.Now().Add(time.Hour)))
			w.Clock.Advance(time.Hour)
			return err
		},
	}
	onEveryStore(t, func(t *testing.T, w *world) {
		c := w.hello()
		for how, end := range ends {
			name := strings.ReplaceAll(how, " ", "-")
			member, guest := "member-"+name, "guest-"+name
			w.join(member)
			w.Guest(w.bob, c.ID, guest)
			for _, who := range []string{member, guest} {
				user := w.User(who).ID
				require.NoError(t, end(w, user))
				before, events := w.get(w.bob, c.ID), len(w.log(w.bob.Team))
				for _, to := range []conversation.Recipient{conversation.ToUser(user), conversation.ToEmail(ushertest.Email(who))} {
					for _, terms := range [][]conversation.DeliverOption{nil, {conversation.AskAcceptance(time.Hour)}} {
						_, err := w.Conversations.Deliver(t.Context(), w.bob, c.ID, to, conversation.Outcome{}, terms...)
						require.ErrorIs(t, err, conversation.ErrNotRecipient, who)
					}
				}
				_, err := w.Conversations.Type(t.Context(), w.bob, c.ID, "^deliver "+ushertest.Email(who))
				require.ErrorIs(t, err, conversation.ErrNotRecipient, who)
				assert.Equal(t, before, w.get(w.bob, c.ID), who)
				assert.Len(t, w.log(w.bob.Team), events, "%s was not invited", who)
			}
		}
	})
}

// The table of the specification, typed by hand: what each built-in status means, and whether it moves the
// conversation's label.
func TestSpec6_TheBuiltInStatuses(t *testing.T) {
	const positive, neutral, negative = conversation.Positive, conversation.Neutral, conversation.Negative
	table := []struct {
		status   conversation.Label
		category conversation.Category
		moves    bool
	}{
		{"New", neutral, false}, {"Engaged", positive, true}, {"Disengaged", negative, true}, {"Delivered", positive, true},
		{"Interview Scheduled", positive, false}, {"Qualified", positive, false}, {"Information Missing", neutral, false},
		{"Not Qualified", negative, false}, {"Not Interested", negative, false}, {"Not Eligible for Hire", negative, false}, {"Archived", neutral, false},
	}
	onEveryStore(t, func(t *testing.T, w *world) {
		var offered []conversation.Label
		for i, row := range table {
			offered = append(offered, row.status)
			c := w.Receive("Sales", fmt.Sprint("visitor-", i), "Hi")
			typed := conversation.Label(strings.ToUpper(string(row.status)))
			d, err := w.Conversations.Deliver(t.Context(), w.bob, c.ID, conversation.ToUser(w.maria.User), conversation.Outcome{Status: typed})
			require.NoError(t, err, row.status)
			assert.Equal(t, row.status, d.Outcome.Status)
			assert.Equal(t, row.category, d.Category, row.status)
			after, label, status := w.get(w.bob, c.ID), conversation.NewLabel, conversation.Open
			if row.moves {
				label = row.status
			}
			if row.category == negative {
				status = conversation.Closed
			}
			assert.Equal(t, label, after.Label, row.status)
			assert.Equal(t, status, after.Status, row.status)
			assert.Equal(t, w.maria.User, after.Assignee, row.status)
		}
		assert.Equal(t, offered, conversation.Labels())
	})
}

// Only grants that live follow a conversation to another team, and only who has one has the conversation at
// once: whoever was let out stays out, and is invited like a stranger.
func TestSpec6_OnlyLiveGrantsFollow(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c, hiring := w.hello(), w.TeamNamed("Hiring").ID
		stays, out, over := w.Guest(w.bob, c.ID, "stays"), w.Guest(w.bob, c.ID, "out"), w.Guest(w.bob, c.ID, "over")
		require.NoError(t, w.Conversations.RevokeGuest(ctx, w.bob, c.ID, out.User))
		w.until(over, c.ID, w.Clock.Now().Add(time.Minute))
		gone := w.Guest(w.bob, c.ID, "gone") // by the clock, and no sweep has said so yet
		require.NoError(t, first(w.Tenancy.SetExpiry(ctx, w.alice, gone.User, w.Clock.Now().Add(time.Minute))))
		w.Clock.Advance(time.Minute)
		invited, err := w.Conversations.Deliver(ctx, w.bob, c.ID, conversation.ToEmail(ushertest.Email("out")), conversation.Outcome{})
		require.NoError(t, err)
		assert.Equal(t, conversation.DeliveryPending, invited.State)
		require.NoError(t, first(w.Conversations.CancelDelivery(ctx, w.bob, invited.ID)))

		require.NoError(t, first(w.Conversations.Deliver(ctx, w.bob, c.ID, conversation.ToTeam(hiring), conversation.Outcome{})))
		m, err := w.Store.Membership(ctx, hiring, stays.User)
		require.NoError(t, err)
		assert.Equal(t, rbac.Restricted, m.Role)
		assert.Len(t, w.texts(w.Actor("stays", "Hiring"), c.ID), 1)
		grant, err := w.Store.Grant(ctx, c.ID, gone.User)
		require.NoError(t, err)
		assert.Equal(t, w.Clock.Now(), grant.RevokedAt, "or it would live again with the next place in a team")
		for _, who := range []tenancy.Actor{out, over, gone} {
			_, err := w.Store.Membership(ctx, hiring, who.User)
			require.ErrorIs(t, err, tenancy.ErrNotFound)
			_, err = w.Conversations.Get(ctx, tenancy.Actor{User: who.User, Team: hiring}, c.ID)
			require.ErrorIs(t, err, tenancy.ErrNotFound)
		}
	})
}
