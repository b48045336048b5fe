package conversation_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

func ptr(s string) *string { return &s }

func TestGuestSeesOneConversationAndNothingElse(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c, hidden := w.hello(), w.Receive("Sales", "visitor-2", "Secret")
		_, err := w.Conversations.Note(ctx, w.bob, c.ID, "Only for us")
		require.NoError(t, err)

		carol := tenancy.Actor{User: w.User("carol").ID, Team: w.bob.Team}
		_, err = w.Invites.Create(ctx, w.bob, invite.ToConversation(ushertest.Email("carol"), c.ID))
		require.NoError(t, err)
		_, err = w.Conversations.Get(ctx, carol, c.ID)
		require.ErrorIs(t, err, tenancy.ErrNotFound, "before accepting there is nothing but the preview")

		_, err = w.Invites.Accept(ctx, carol.User, w.Token("carol"))
		require.NoError(t, err)
		assert.Equal(t, []string{"Hi, is the job still open?"}, w.texts(carol, c.ID), "a guest gets no notes")
		list, err := w.Conversations.List(ctx, carol, conversation.Filter{}, tenancy.Page{})
		require.NoError(t, err)
		require.Len(t, list.Items, 1)
		_, err = w.Conversations.Get(ctx, carol, hidden.ID)
		require.ErrorIs(t, err, tenancy.ErrNotFound, "nor other conversations")
		_, err = w.Conversations.Send(ctx, carol, hidden.ID, "Hi")
		require.ErrorIs(t, err, tenancy.ErrNotFound)

		_, err = w.Conversations.Send(ctx, carol, c.ID, "I am the hiring manager.")
		require.NoError(t, err)
		edited, err := w.Conversations.EditContact(ctx, carol, c.ID, conversation.ContactEdit{Name: ptr("Vera"), Email: ptr("vera@x.example")})
		require.NoError(t, err)
		assert.Equal(t, "Vera", edited.Name)

		for name, try := range map[string]func() error{
			"note": func() error { _, err := w.Conversations.Note(ctx, carol, c.ID, "x"); return err },
			"contact notes": func() error {
				_, err := w.Conversations.EditContact(ctx, carol, c.ID, conversation.ContactEdit{Notes: ptr("x")})
				return err
			},
			"assign": func() error { _, err := w.Conversations.Assign(ctx, carol, c.ID, carol.User); return err },
			"deliver": func() error {
				_, err := w.Conversations.Deliver(ctx, carol, c.ID, conversation.ToUser(w.bob.User), conversation.Outcome{})
				return err
			},
			"close": func() error { _, err := w.Conversations.Close(ctx, carol, c.ID, ""); return err },
			"invite": func() error {
				_, err := w.Invites.Create(ctx, carol, invite.ToConversation("x@x.example", c.ID))
				return err
			},
			"invite to team": func() error {
				_, err := w.Invites.Create(ctx, carol, invite.ToTeam("x@x.example", rbac.Restricted))
				return err
			},
			"members":    func() error { _, err := w.Tenancy.Members(ctx, carol, tenancy.Page{}); return err },
			"guests":     func() error { _, err := w.Conversations.Guests(ctx, carol, c.ID); return err },
			"deliveries": func() error { _, err := w.Conversations.Deliveries(ctx, carol, tenancy.Page{}); return err },
			"history":    func() error { _, err := w.Conversations.History(ctx, carol, c.ID); return err },
			"audit":      func() error { _, err := w.Tenancy.Audit(ctx, carol, tenancy.AuditFilter{}, tenancy.Page{}); return err },
			"dashboard":  func() error { return w.Check(ctx, carol, rbac.ReadDashboard) },
			"blast":      func() error { return w.Check(ctx, carol, rbac.SendBlast) },
			"export":     func() error { return w.Check(ctx, carol, rbac.ExportData) },
			"command":    func() error { _, err := w.Conversations.Type(ctx, carol, c.ID, "^close"); return err },
			"help":       func() error { _, err := w.Conversations.Type(ctx, carol, c.ID, "^help"); return err },
			"unknown":    func() error { _, err := w.Conversations.Type(ctx, carol, c.ID, "^nonsense"); return err },
		} {
			require.ErrorIs(t, try(), rbac.ErrDenied, name)
		}
		assert.Equal(t, []string{"Hi, is the job still open?", "I am the hiring manager."}, w.texts(carol, c.ID))
	})
}

func TestGuestSeesFromTheirFirstMessageOn(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		c := w.hello()
		carol := w.Guest(w.bob, c.ID, "carol")
		w.Receive("Sales", "visitor-1", "second")
		w.setGrant(c.ID, carol.User, func(g *conversation.Grant) { g.FromSeq = 2 })
		assert.Equal(t, []string{"second"}, w.texts(carol, c.ID))
		found, err := w.Conversations.Messages(t.Context(), carol, c.ID, -5, 1)
		require.NoError(t, err)
		require.Len(t, found, 1)
		assert.Equal(t, "second", found[0].Text)
	})
}

// E2: a guest whose role lets them invite others shows nobody what is hidden from them.
func TestE2_AGuestInvitesToNoMoreThanTheySee(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.hello()
		_, err := w.Invites.Create(ctx, w.bob, invite.ToConversation(ushertest.Email("carol"), c.ID, invite.WithHistory(tenancy.HistoryFromNow)))
		require.NoError(t, err)
		_, err = w.Invites.Accept(ctx, w.User("carol").ID, w.Token("carol"))
		require.NoError(t, err)
		carol := w.custom(rbac.Restricted, w.Actor("carol", "Sales"), "guest: invite")
		w.Receive("Sales", "visitor-1", "Hello?")
		require.Equal(t, []string{"Hello?"}, w.texts(carol, c.ID))
		assert.Equal(t, []string{"Hello?"}, w.texts(w.Guest(carol, c.ID, "erin"), c.ID))

		_, err = w.Tenancy.ChangeRole(ctx, w.alice, carol.User, rbac.Member)
		require.NoError(t, err)
		all := w.texts(carol, c.ID)
		require.Len(t, all, 2)
		assert.Equal(t, all, w.texts(w.Guest(carol, c.ID, "frank"), c.ID), "who sees all of the team's shows all")
	})
}

func TestGrantEnds(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c, second := w.hello(), w.Receive("Sales", "visitor-2", "Hi")
		carol := w.Guest(w.bob, c.ID, "carol")
		w.Guest(w.bob, second.ID, "carol")
		list, err := w.Conversations.List(ctx, carol, conversation.Filter{}, tenancy.Page{})
		require.NoError(t, err)
		require.Len(t, list.Items, 2, "a guest of several conversations sees them all")

		end := w.Clock.Now().Add(time.Hour)
		w.setGrant(c.ID, carol.User, func(g *conversation.Grant) { g.ExpiresAt = end })
		w.Clock.Advance(time.Hour - time.Microsecond)
		_, err = w.Conversations.Get(ctx, carol, c.ID)
		require.NoError(t, err)
		w.Clock.Advance(time.Microsecond)
		_, err = w.Conversations.Get(ctx, carol, c.ID)
		require.ErrorIs(t, err, tenancy.ErrNotFound, "by the clock")
		w.setGrant(c.ID, carol.User, func(g *conversation.Grant) { g.ExpiresAt = time.Time{} })

		require.NoError(t, w.Conversations.RevokeGuest(ctx, w.bob, c.ID, carol.User))
		before := len(w.log(w.bob.Team))
		require.NoError(t, w.Conversations.RevokeGuest(ctx, w.bob, c.ID, carol.User))
		assert.Len(t, w.log(w.bob.Team), before, "revoking again changes nothing")
		_, err = w.Conversations.Send(ctx, carol, c.ID, "x")
		require.ErrorIs(t, err, tenancy.ErrNotFound)
		_, err = w.Conversations.Get(ctx, carol, second.ID)
		require.NoError(t, err, "the other conversation stays")
		require.ErrorIs(t, w.Conversations.RevokeGuest(ctx, w.bob, c.ID, w.maria.User), tenancy.ErrNotFound)

		w.Guest(w.bob, c.ID, "carol")
		_, err = w.Conversations.Get(ctx, carol, c.ID)
		require.NoError(t, err, "and who is invited again is in again")
	})
}

// setGrant writes a grant as no operation of this version would, to test what it means.
func (w *world) setGrant(id tenancy.ConversationID, user tenancy.UserID, change func(*conversation.Grant)) {
	w.t.Helper()
	require.NoError(w.t, w.inTx(func(s txStore) error {
		g, err := s.Grant(s.ctx, id, user)
		if err != nil {
			return err
		}
		change(&g)
		return s.UpdateGrant(s.ctx, g)
	}))
}

// E5: who becomes a guest keeps nothing that a member had; who leaves keeps nothing at all.
func TestE5_DepartingMembersLeaveEverything(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c, granted := w.hello(), w.Receive("Sales", "visitor-2", "Hi")
		_, err := w.Conversations.Assign(ctx, w.bob, c.ID, w.bob.User)
		require.NoError(t, err)
		_, err = w.Conversations.Deliver(ctx, w.bob, granted.ID, conversation.ToEmail("dana@client.example"), conversation.Outcome{})
		require.NoError(t, err)
		_, err = w.Tenancy.ChangeRole(ctx, w.alice, w.bob.User, rbac.Restricted)
		require.NoError(t, err)

		freed, err := w.Conversations.Get(ctx, w.alice, c.ID)
		require.NoError(t, err)
		assert.True(t, freed.Assignee.IsZero(), "what they were responsible for goes back to the team")
		history, err := w.Conversations.History(ctx, w.alice, granted.ID)
		require.NoError(t, err)
		require.Len(t, history, 1)
		assert.Equal(t, conversation.DeliveryCancelled, history[0].State, "what they had not delivered yet is cancelled")
		_, err = w.Conversations.Get(ctx, w.bob, c.ID)
		require.ErrorIs(t, err, tenancy.ErrNotFound)

		carol := w.Guest(w.alice, c.ID, "carol")
		require.NoError(t, w.Tenancy.Remove(ctx, w.alice, carol.User))
		_, err = w.Tenancy.Admit(ctx, ushertest.System, tenancy.Admission{Team: carol.Team, User: carol.User, Role: rbac.Restricted})
		require.NoError(t, err)
		_, err = w.Conversations.Get(ctx, carol, c.ID)
		require.ErrorIs(t, err, tenancy.ErrNotFound, "a guest who was removed and comes back has lost the grant")
	})
}

// E3: for every actor and conversation, in List exactly if Get succeeds exactly if Check allows.
func TestE3_ListGetAndCheckAgree(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		var all []conversation.Conversation
		for _, visitor := range []string{"v1", "v2", "v3", "v4"} {
			all = append(all, w.Receive("Sales", visitor, "Hi"))
		}
		carol := w.Guest(w.bob, all[0].ID, "carol")
		w.Guest(w.bob, all[1].ID, "carol")
		w.Guest(w.bob, all[2].ID, "victor")
		require.NoError(t, w.Conversations.RevokeGuest(ctx, w.bob, all[1].ID, carol.User))
		_, err := w.Conversations.Close(ctx, w.bob, all[0].ID, "")
		require.NoError(t, err)
		_, err = w.Conversations.Deliver(ctx, w.bob, all[2].ID, conversation.ToTeam(w.TeamNamed("Hiring").ID), conversation.Outcome{})
		require.NoError(t, err)
		require.NoError(t, w.Tenancy.Remove(ctx, w.alice, w.maria.User))

		actors := []tenancy.Actor{
			w.alice, w.bob, w.maria, carol, w.other, w.Actor("victor", "Sales"), w.Actor("victor", "Hiring"),
			w.Actor("dana", "Hiring"), {User: w.other.User, Team: w.bob.Team}, {User: w.bob.User, Team: w.other.Team},
		}
		seen := 0
		for _, actor := range actors {
			list, err := w.Conversations.List(ctx, actor, conversation.Filter{}, tenancy.Page{})
			if err != nil {
				require.ErrorIs(t, err, tenancy.ErrNotFound)
			}
			listed, found := map[tenancy.ConversationID]bool{}, map[tenancy.ConversationID]bool{}
			var ids []tenancy.ConversationID
			for _, c := range list.Items {
				listed[c.ID] = true
			}
			said, notSearched := w.Conversations.Search(ctx, actor, "Hi", tenancy.Page{})
			for _, m := range said.Items {
				found[m.Conversation] = true
			}
			if notSearched == nil {
				assert.Equal(t, listed, found, "who searches finds in what they see, and nowhere else")
			}
			for _, c := range all {
				ids = append(ids, c.ID)
			}
			unread, err := w.Conversations.Unread(ctx, actor, ids...)
			for _, c := range all {
				assert.Equal(t, listed[c.ID], err == nil && unread[c.ID] > 0)
			}
			for _, c := range all {
				_, got := w.Conversations.Get(ctx, actor, c.ID)
				_, read := w.Conversations.Messages(ctx, actor, c.ID, 0, 0)
				check := w.Conversations.Check(ctx, actor, c.ID, rbac.ReadConversation)
				assert.Equal(t, listed[c.ID], got == nil)
				assert.Equal(t, listed[c.ID], read == nil)
				assert.Equal(t, listed[c.ID], check == nil)
				if got == nil {
					seen++
				}
			}
		}
		assert.Equal(t, 3+3+1+1+1, seen, "alice and bob see three, carol one, victor and dana the moved one")
	})
}

// A guest's list shows of a conversation what Get does, and answers no question about the team's work.
func TestSpec6_AGuestsListTellsNothingOfTheTeam(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.hello()
		carol := w.Guest(w.bob, c.ID, "carol")
		_, err := w.Conversations.Claim(ctx, w.bob, c.ID)
		require.NoError(t, err)
		_, err = w.Conversations.Assign(ctx, w.bob, c.ID, w.bob.User)
		require.NoError(t, err)
		_, err = w.Conversations.Note(ctx, w.bob, c.ID, "promising")
		require.NoError(t, err)
		seen, err := w.Conversations.Get(ctx, carol, c.ID)
		require.NoError(t, err)
		require.Equal(t, w.get(w.bob, c.ID).ToGuest(), seen)
		for _, filter := range []conversation.Filter{{}, {Status: conversation.Open}} {
			list, err := w.Conversations.List(ctx, carol, filter, tenancy.Page{})
			require.NoError(t, err)
			assert.Equal(t, []conversation.Conversation{seen}, list.Items)
		}
		for _, filter := range []conversation.Filter{
			{Waiting: true}, {Assignee: w.bob.User}, {Claimant: w.bob.User}, {Unclaimed: true}, {Status: conversation.Open, Waiting: true},
		} {
			_, err := w.Conversations.List(ctx, carol, filter, tenancy.Page{})
			require.ErrorIs(t, err, rbac.ErrDenied, "%+v", filter)
		}
	})
}

// E2: where a host's policy lets guests do more than read and write, what they are answered is still what a guest
// may know.
func TestE2_AGuestWhoMayDoMoreLearnsNoMore(t *testing.T) {
	w := ushertest.NewWorldOn(t, everystore.Memory(t), usher.WithPolicy(
		rbac.Allow(rbac.Restricted, "conversation", "close", rbac.ByGrant), rbac.Allow(rbac.Restricted, "conversation", "open", rbac.ByGrant)))
	w.Account("acme").Team("Sales", ushertest.Member("bob"))
	bob, c := w.Actor("bob", "Sales"), w.Receive("Sales", "visitor-1", "Hi")
	carol := w.Guest(bob, c.ID, "carol")
	for _, act := range []func() (conversation.Conversation, error){
		func() (conversation.Conversation, error) { return w.Conversations.Close(t.Context(), carol, c.ID, "") },
		func() (conversation.Conversation, error) { return w.Conversations.Open(t.Context(), carol, c.ID) },
	} {
		answered, err := act()
		require.NoError(t, err)
		seen, err := w.Conversations.Get(t.Context(), carol, c.ID)
		require.NoError(t, err)
		assert.Equal(t, seen, answered)
	}
	_, err := w.Conversations.Close(t.Context(), bob, c.ID, "")
	require.NoError(t, err)
	known, err := w.Conversations.Get(t.Context(), bob, c.ID)
	require.NoError(t, err)
	assert.NotZero(t, known.Version, "the team's members learn all of it")
}
