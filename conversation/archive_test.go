package conversation_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

// busy is Sales with two open conversations and a closed one; bob is responsible for all.
func (w *world) busy() (first, second, closed conversation.Conversation) {
	w.t.Helper()
	threads := make([]conversation.Conversation, 3)
	for i, visitor := range []string{"visitor-1", "visitor-2", "visitor-3"} {
		c := w.Receive("Sales", visitor, "Hi")
		var err error
		threads[i], err = w.Conversations.Assign(w.t.Context(), w.bob, c.ID, w.bob.User)
		require.NoError(w.t, err)
	}
	closed, err := w.Conversations.Close(w.t.Context(), w.bob, threads[2].ID, conversation.NotInterested)
	require.NoError(w.t, err)
	return threads[0], threads[1], closed
}

func (w *world) get(actor tenancy.Actor, id tenancy.ConversationID) conversation.Conversation {
	w.t.Helper()
	c, err := w.Conversations.Get(w.t.Context(), actor, id)
	require.NoError(w.t, err)
	return c
}

// inHiring makes alice, the manager of Sales, a member of Hiring, too.
func (w *world) inHiring() tenancy.Actor {
	w.t.Helper()
	alice := tenancy.Actor{User: w.alice.User, Team: w.TeamNamed("Hiring").ID}
	_, err := w.Tenancy.Admit(w.t.Context(), ushertest.System, tenancy.Admission{Team: alice.Team, User: alice.User, Role: rbac.Member})
	require.NoError(w.t, err)
	return alice
}

func TestArchiveWithOpenConversationsIsRefused(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		first, _, _ := w.busy()
		before := len(w.log(w.alice.Team))
		_, err := w.Tenancy.Archive(ctx, w.alice, tenancy.Leftovers{})
		var open *conversation.OpenConversationsError
		require.ErrorAs(t, err, &open)
		require.ErrorIs(t, err, tenancy.ErrConflict)
		assert.Equal(t, 2, open.Open)
		assert.Len(t, w.log(w.alice.Team), before, "and nothing has happened")
		assert.Equal(t, first, w.get(w.bob, first.ID))

		list, err := w.Conversations.List(ctx, w.bob, conversation.Filter{Status: conversation.Open}, tenancy.Page{})
		require.NoError(t, err)
		for _, c := range list.Items {
			_, err := w.Conversations.Close(ctx, w.bob, c.ID, "")
			require.NoError(t, err)
		}
		team, err := w.Tenancy.Archive(ctx, w.alice, tenancy.Leftovers{})
		require.NoError(t, err, "closed ones stand in nobody's way")
		assert.Equal(t, tenancy.TeamArchived, team.Status)
	})
}

func TestArchiveClosesWhatIsOpen(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		first, second, closed := w.busy()
		_, err := w.Tenancy.Archive(ctx, w.alice, tenancy.Leftovers{Close: true})
		require.NoError(t, err)
		for _, c := range []conversation.Conversation{first, second} {
			after := w.get(w.bob, c.ID)
			assert.Equal(t, conversation.Closed, after.Status)
			assert.Empty(t, after.Outcome)
			assert.Equal(t, w.bob.User, after.Assignee, "as with Close")
		}
		assert.Equal(t, closed, w.get(w.bob, closed.ID), "what was closed stays as it was")
		assert.Equal(t, 3, w.kinds(w.alice.Team)[conversation.ConversationClosed], "with an event each")
		_, err = w.Conversations.Open(ctx, w.bob, first.ID)
		require.ErrorIs(t, err, tenancy.ErrTeamArchived)
	})
}

func TestArchiveMovesWhatIsOpen(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		hiring := w.inHiring()
		first, second, closed := w.busy()
		carol := w.Guest(w.bob, first.ID, "carol")
		pending, err := w.Conversations.Deliver(ctx, w.bob, second.ID, conversation.ToEmail("zoe@zoe.example"), conversation.Outcome{})
		require.NoError(t, err)
		w.Clock.Advance(time.Minute)
		_, err = w.Tenancy.Archive(ctx, w.alice, tenancy.Leftovers{MoveTo: hiring.Team})
		require.NoError(t, err)

		for _, c := range []conversation.Conversation{first, second} {
			moved := w.get(hiring, c.ID)
			assert.Equal(t, conversation.Open, moved.Status)
			assert.Equal(t, conversation.NewLabel, moved.Label)
			assert.True(t, moved.Assignee.IsZero())
			_, err = w.Conversations.Get(ctx, w.bob, c.ID)
			require.ErrorIs(t, err, tenancy.ErrNotFound)
		}
		_, err = w.Conversations.Get(ctx, tenancy.Actor{User: carol.User, Team: hiring.Team}, first.ID)
		require.NoError(t, err, "a guest follows")
		history, err := w.Conversations.History(ctx, hiring, second.ID)
		require.NoError(t, err)
		require.Len(t, history, 2)
		assert.Equal(t, pending.ID, history[0].ID)
		assert.Equal(t, conversation.DeliveryCancelled, history[0].State, "what was pending is not left to wait")
		assert.Equal(t, conversation.Archived, history[1].Outcome.Status)
		assert.Equal(t, conversation.ToTeam(hiring.Team), history[1].Recipient)
		assert.Equal(t, w.alice.User, history[1].By)
		cards, err := w.Conversations.Deliveries(ctx, w.bob, tenancy.Page{})
		require.NoError(t, err)
		assert.Len(t, cards.Items, 3, "the archived team keeps the cards")
		assert.Equal(t, closed, w.get(w.bob, closed.ID), "and what was closed")
		assert.Equal(t, 2, w.kinds(hiring.Team)[conversation.ConversationMoved])
		w.whole()
	})
}

func TestWhoMayMoveAtAnArchiving(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		try := func(to tenancy.TeamID) error {
			_, err := w.Tenancy.Archive(ctx, w.alice, tenancy.Leftovers{MoveTo: to})
			return err
		}
		random := tenancy.NewID[tenancy.TeamID](tenancy.Env{})
		strange := func(when string) {
			require.Equal(t, tenancy.ErrNotFound, try(random), when)
			require.Equal(t, tenancy.ErrNotFound, try(w.other.Team), when+": another account's is like none")
			require.Equal(t, tenancy.ErrNotFound, try(w.TeamNamed("Hiring").ID), when+": nor one that the actor is not in")
			for _, to := range []tenancy.TeamID{random, w.other.Team, w.TeamNamed("Hiring").ID} {
				_, err := w.Tenancy.Archive(ctx, w.bob, tenancy.Leftovers{MoveTo: to})
				require.ErrorIs(t, err, rbac.ErrDenied, when+": who may not archive learns nothing of teams")
			}
		}
		strange("with nothing open")
		first, _, _ := w.busy()
		strange("with something open")

		_, err := w.Tenancy.Admit(ctx, ushertest.System, tenancy.Admission{Team: w.other.Team, User: w.alice.User, Role: rbac.Manager})
		require.NoError(t, err)
		require.Equal(t, tenancy.ErrNotFound, try(w.other.Team), "a manager of both accounts moves nothing between them")

		hiring := w.TeamNamed("Hiring").ID
		_, err = w.Tenancy.Admit(ctx, ushertest.System, tenancy.Admission{Team: hiring, User: w.alice.User, Role: rbac.Restricted})
		require.NoError(t, err)
		require.ErrorIs(t, try(hiring), rbac.ErrDenied, "a guest there takes no conversations")
		_, err = w.Tenancy.ChangeRole(ctx, w.Actor("dana", "Hiring"), w.alice.User, rbac.Member)
		require.NoError(t, err)
		w.configure(w.alice, func(s *tenancy.Settings) { s.DeliverTo = []tenancy.TeamID{} })
		require.ErrorIs(t, try(hiring), conversation.ErrNotTarget)
		w.configure(w.alice, func(s *tenancy.Settings) { s.DeliverTo = nil })
		_, err = w.Tenancy.Archive(ctx, w.Actor("dana", "Hiring"), tenancy.Leftovers{})
		require.NoError(t, err)
		require.ErrorIs(t, try(hiring), tenancy.ErrTeamArchived)
		assert.Equal(t, first, w.get(w.bob, first.ID))
	})
}

// configure changes the settings of the actor's team.
func (w *world) configure(actor tenancy.Actor, change func(*tenancy.Settings)) {
	w.t.Helper()
	team, err := w.Tenancy.Team(w.t.Context(), actor)
	require.NoError(w.t, err)
	change(&team.Settings)
	_, err = w.Tenancy.Configure(w.t.Context(), actor, team.Settings)
	require.NoError(w.t, err)
}

// take makes a team of the account's holder that shows the identity.
func (w *world) take(account, name string, identity tenancy.Identity) tenancy.Actor {
	w.t.Helper()
	holder := w.User(account + "-holder")
	accounts, err := w.Tenancy.MyAccounts(w.t.Context(), holder.ID, tenancy.Page{})
	require.NoError(w.t, err)
	team, err := w.Tenancy.CreateTeam(w.t.Context(), accounts.Items[0].Holder(holder.ID), tenancy.TeamSpec{Name: name, Identity: identity})
	require.NoError(w.t, err)
	return tenancy.Actor{User: holder.ID, Team: team.ID}
}

func TestAContactWritesToAnArchivedTeam(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		first, _, _ := w.busy()
		_, err := w.Tenancy.Archive(ctx, w.alice, tenancy.Leftovers{Close: true})
		require.NoError(t, err)
		w.Clock.Advance(time.Hour)
		c := w.Receive("Sales", "visitor-1", "Still there?")
		assert.Equal(t, first.ID, c.ID)
		assert.Equal(t, conversation.Open, c.Status, "nothing is lost")
		assert.Equal(t, []string{"Hi", "Still there?"}, w.texts(w.bob, c.ID))
		_, err = w.Conversations.Send(ctx, w.bob, c.ID, "Yes")
		require.ErrorIs(t, err, tenancy.ErrTeamArchived)
		_, err = w.Conversations.Receive(ctx, ushertest.System, conversation.Inbound{
			To: w.TeamNamed("Sales").Identity, From: "visitor-9", ID: "first", Text: "Hello",
		})
		require.ErrorIs(t, err, tenancy.ErrNotFound, "somebody new has no team to write to")

		_, err = w.Tenancy.Restore(ctx, w.alice)
		require.NoError(t, err)
		waiting, err := w.Conversations.List(ctx, w.bob, conversation.Filter{Waiting: true, Status: conversation.Open}, tenancy.Page{})
		require.NoError(t, err)
		require.Len(t, waiting.Items, 1, "a team that comes back finds it waiting")
		_, err = w.Conversations.Send(ctx, w.bob, c.ID, "Yes")
		require.NoError(t, err)
		w.whole()
	})
}

func TestAConversationFollowsItsIdentity(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		first, second, _ := w.busy()
		carol := w.Guest(w.bob, first.ID, "carol")
		delivered, err := w.Conversations.Deliver(ctx, w.bob, second.ID, conversation.ToTeam(w.TeamNamed("Hiring").ID), conversation.Outcome{})
		require.NoError(t, err)
		_, err = w.Tenancy.Archive(ctx, w.alice, tenancy.Leftovers{Close: true})
		require.NoError(t, err)
		heir := w.take("acme", "Sales Two", w.TeamNamed("Sales").Identity)

		w.Clock.Advance(time.Hour)
		c := w.Receive("Sales", "visitor-1", "Still there?")
		assert.Equal(t, first.ID, c.ID, "one thread")
		assert.Equal(t, heir.Team, c.Team, "where somebody can answer")
		assert.Equal(t, conversation.Open, c.Status)
		assert.Equal(t, c, w.get(heir, c.ID))
		assert.Equal(t, []string{"Hi", "Still there?"}, w.texts(heir, c.ID))
		_, err = w.Conversations.Send(ctx, heir, c.ID, "Yes")
		require.NoError(t, err)
		_, err = w.Conversations.Get(ctx, tenancy.Actor{User: carol.User, Team: heir.Team}, c.ID)
		require.NoError(t, err, "its guests follow")
		assert.Equal(t, 1, w.kinds(heir.Team)[conversation.ConversationMoved])

		stays := w.Receive("Sales", "visitor-2", "And me?")
		assert.Equal(t, delivered.Recipient.Team, stays.Team, "what lives in a team at work stays there")
		assert.Equal(t, heir.Team, w.Receive("Sales", "visitor-9", "Hello").Team)
		w.whole()
	})
}

// A number that changes hands between accounts: what is written to it belongs to who has it.
func TestC1_AnIdentityThatAnotherAccountHasTaken(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		first, second, _ := w.busy()
		_, err := w.Conversations.Deliver(ctx, w.bob, second.ID, conversation.ToTeam(w.TeamNamed("Hiring").ID), conversation.Outcome{})
		require.NoError(t, err)
		_, err = w.Tenancy.Archive(ctx, w.alice, tenancy.Leftovers{Close: true})
		require.NoError(t, err)
		heir := w.take("globex", "Sales Two", w.TeamNamed("Sales").Identity)

		w.Clock.Advance(time.Hour)
		for visitor, old := range map[string]conversation.Conversation{"visitor-1": first, "visitor-2": second} {
			c := w.Receive("Sales", visitor, "Is this globex?")
			assert.NotEqual(t, old.ID, c.ID)
			assert.Equal(t, heir.Team, c.Team)
			assert.Equal(t, []string{"Is this globex?"}, w.texts(heir, c.ID))
			assert.Equal(t, c.ID, w.Receive("Sales", visitor, "Hello?").ID, "and goes on there")
		}
		assert.Equal(t, []string{"Hi"}, w.texts(w.bob, first.ID), "the account that gave it up hears nothing")
		assert.Equal(t, []string{"Hi"}, w.texts(w.Actor("dana", "Hiring"), second.ID))
		w.whole()
	})
}

func TestASuspendedAccountStillHears(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		first, _, closed := w.busy()
		account := w.TeamNamed("Sales").Account
		_, err := w.Tenancy.SuspendAccount(ctx, ushertest.System, account)
		require.NoError(t, err)
		for visitor, id := range map[string]tenancy.ConversationID{"visitor-1": first.ID, "visitor-3": closed.ID} {
			c := w.Receive("Sales", visitor, "STOP")
			assert.Equal(t, id, c.ID)
			assert.Equal(t, []string{"Hi", "STOP"}, w.texts(w.bob, c.ID), "it can be read")
		}
		w.Receive("Sales", "visitor-9", "Hello")
		_, err = w.Conversations.Send(ctx, w.bob, first.ID, "Yes")
		require.ErrorIs(t, err, tenancy.ErrAccountInactive, "nothing is sent")
		_, err = w.Tenancy.ReactivateAccount(ctx, ushertest.System, account)
		require.NoError(t, err)

		_, err = w.Tenancy.Archive(ctx, w.alice, tenancy.Leftovers{Close: true})
		require.NoError(t, err)
		heir := w.take("acme", "Sales Two", w.TeamNamed("Sales").Identity)
		_, err = w.Tenancy.SuspendAccount(ctx, ushertest.System, account)
		require.NoError(t, err)
		c := w.Receive("Sales", "visitor-1", "Anybody?")
		assert.Equal(t, w.bob.Team, c.Team, "a suspended account keeps it where it is")
		_, err = w.Tenancy.ReactivateAccount(ctx, ushertest.System, account)
		require.NoError(t, err)
		assert.Equal(t, heir.Team, w.Receive("Sales", "visitor-1", "Hello?").Team, "until it works again")
		w.whole()
	})
}

func TestArchivingTakesTheRightToCloseToo(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.busy()
		archivist := w.custom(rbac.Restricted, w.maria, "team: archive")
		hiring := w.TeamNamed("Hiring").ID
		_, err := w.Tenancy.Admit(ctx, ushertest.System, tenancy.Admission{Team: hiring, User: w.maria.User, Role: rbac.Member})
		require.NoError(t, err)
		for _, open := range []tenancy.Leftovers{{Close: true}, {MoveTo: hiring}} {
			_, err := w.Tenancy.Archive(ctx, archivist, open)
			require.ErrorIs(t, err, rbac.ErrDenied)
		}
		_, err = w.Invites.Create(ctx, w.bob, invite.ToTeam("x@x.example", rbac.Member))
		require.ErrorIs(t, err, rbac.ErrDenied)
	})
}

// custom gives a member of Sales a role made of base and the permissions.
func (w *world) custom(base rbac.Role, who tenancy.Actor, permissions ...string) tenancy.Actor {
	w.t.Helper()
	holder := tenancy.Holder{User: w.User("acme-holder").ID, Account: w.TeamNamed("Sales").Account}
	w.roles++
	role, err := w.Tenancy.DefineRole(w.t.Context(), holder, tenancy.RoleSpec{
		Name: "Role " + string(rune('A'+w.roles)), Base: base, Permissions: permissions,
	})
	require.NoError(w.t, err)
	_, err = w.Tenancy.GiveRole(w.t.Context(), w.alice, who.User, role.ID)
	require.NoError(w.t, err)
	return who
}
