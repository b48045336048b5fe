package conversation_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

// sees lists what the actor finds in the list of conversations.
func (w *world) sees(actor tenancy.Actor) []tenancy.ConversationID {
	w.t.Helper()
	list, err := w.Conversations.List(w.t.Context(), actor, conversation.Filter{}, tenancy.Page{})
	require.NoError(w.t, err)
	var ids []tenancy.ConversationID
	for _, c := range list.Items {
		ids = append(ids, c.ID)
	}
	return ids
}

func TestSpec5_AGuestOfSeveralConversationsSeesTheUnion(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		first, second, hidden := w.hello(), w.Receive("Sales", "visitor-2", "Hello"), w.Receive("Sales", "visitor-3", "Secret")
		carol := w.Guest(w.bob, first.ID, "carol")
		assert.ElementsMatch(t, []tenancy.ConversationID{first.ID}, w.sees(carol))
		w.Guest(w.alice, second.ID, "carol")
		assert.ElementsMatch(t, []tenancy.ConversationID{first.ID, second.ID}, w.sees(carol))
		for _, c := range []conversation.Conversation{first, second} {
			_, err := w.Conversations.Send(ctx, carol, c.ID, "Hi")
			require.NoError(t, err)
		}
		_, err := w.Conversations.Get(ctx, carol, hidden.ID)
		require.ErrorIs(t, err, tenancy.ErrNotFound)
		require.NoError(t, w.Conversations.RevokeGuest(ctx, w.bob, first.ID, carol.User))
		assert.ElementsMatch(t, []tenancy.ConversationID{second.ID}, w.sees(carol), "what was not taken back stays")
	})
}

func TestSpec5_AGuestWhoJoinsTheTeamKeepsNothingLess(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		first, second := w.hello(), w.Receive("Sales", "visitor-2", "Hello")
		carol := w.Guest(w.bob, first.ID, "carol")
		for _, role := range []rbac.Role{rbac.Member, rbac.Manager} {
			_, err := w.Tenancy.ChangeRole(ctx, w.alice, carol.User, role)
			require.NoError(t, err)
			assert.ElementsMatch(t, []tenancy.ConversationID{first.ID, second.ID}, w.sees(carol))
			_, err = w.Conversations.Send(ctx, carol, first.ID, "Now I am in the team")
			require.NoError(t, err)
			can, err := w.Conversations.Capabilities(ctx, carol, first.ID)
			require.NoError(t, err)
			require.NoError(t, can.Of(rbac.WriteNote))
		}
		_, err := w.Conversations.EditContact(ctx, carol, first.ID, conversation.ContactEdit{Name: ptr("Vera")})
		require.NoError(t, err)
	})
}

// E3: an invitation is read and ended only by who sees the conversation that it leads into.
func TestE3_InvitationsIntoWhatIsNotSeenAreNotFound(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		granted, hidden := w.hello(), w.Receive("Sales", "visitor-2", "Secret")
		into := func(email string, id tenancy.ConversationID) tenancy.InvitationID {
			inv, err := w.Invites.Create(ctx, w.bob, invite.ToConversation(email, id))
			require.NoError(t, err)
			return inv.ID
		}
		shown, secret := into("shown@else.example", granted.ID), into("secret@else.example", hidden.ID)
		toTeam, err := w.Invites.Create(ctx, w.alice, invite.ToTeam("new@else.example", rbac.Member))
		require.NoError(t, err)
		carol := w.custom(rbac.Restricted, w.Guest(w.bob, granted.ID, "carol"), "guest: invite", "guest: revoke", "audit: read")
		all := []tenancy.InvitationID{w.invitationOf(granted.ID, carol.User), shown, secret, toTeam.ID}

		lists := func(actor tenancy.Actor, f invite.Filter) (ids []tenancy.InvitationID) {
			for page := (tenancy.Page{Limit: 1}); ; {
				list, err := w.Invites.List(ctx, actor, f, page)
				require.NoError(t, err)
				for _, inv := range list.Items {
					ids = append(ids, inv.ID)
				}
				if page.After = list.Next; page.After == "" {
					return ids
				}
			}
		}
		reads := func(actor tenancy.Actor, id tenancy.InvitationID) error {
			_, err := w.Invites.Get(ctx, actor, id)
			_, traced := w.Invites.History(ctx, actor, id)
			require.Equal(t, err, traced)
			return err
		}
		require.NoError(t, reads(carol, shown))
		assert.ElementsMatch(t, all[:2], lists(carol, invite.Filter{Conversation: granted.ID}))

		random := reads(carol, tenancy.InvitationID{1})
		require.ErrorIs(t, random, tenancy.ErrNotFound)
		require.Equal(t, random, reads(carol, secret))
		_, err = w.Invites.Revoke(ctx, carol, secret)
		require.Equal(t, random, err)
		_, err = w.Invites.Resend(ctx, carol, secret)
		require.Equal(t, random, err)
		assert.Empty(t, lists(carol, invite.Filter{Conversation: hidden.ID}))

		w.custom(rbac.Restricted, carol, "guest: invite", "guest: revoke", "member: invite", "audit: read")
		assert.ElementsMatch(t, []tenancy.InvitationID{all[0], shown, toTeam.ID}, lists(carol, invite.Filter{}))
		_, err = w.Invites.Revoke(ctx, carol, shown)
		require.NoError(t, err)
		require.NoError(t, w.Conversations.RevokeGuest(ctx, w.bob, granted.ID, carol.User))
		require.Equal(t, random, reads(carol, shown), "no longer than they see it")
		assert.Equal(t, []tenancy.InvitationID{toTeam.ID}, lists(carol, invite.Filter{}))

		w.custom(rbac.Restricted, carol, "guest: invite", "guest: revoke", "member: invite", "audit: read",
			"conversation: read all", "conversation: read")
		assert.ElementsMatch(t, all, lists(carol, invite.Filter{}), "who reads all conversations sees who is invited into them")
		require.NoError(t, reads(carol, secret))
		_, err = w.Invites.Revoke(ctx, carol, secret)
		require.NoError(t, err)

		dave := w.custom(rbac.Restricted, w.Guest(w.bob, granted.ID, "dave"), "member: invite", "audit: read")
		require.ErrorIs(t, reads(dave, shown), rbac.ErrDenied)
		require.Equal(t, random, reads(dave, secret), "whatever they wanted to do with it")
	})
}

// invitationOf is the invitation by which the user came into the conversation.
func (w *world) invitationOf(id tenancy.ConversationID, user tenancy.UserID) tenancy.InvitationID {
	w.t.Helper()
	list, err := w.Invites.List(w.t.Context(), w.alice, invite.Filter{Conversation: id, State: invite.Accepted}, tenancy.Page{})
	require.NoError(w.t, err)
	at := slices.IndexFunc(list.Items, func(inv invite.Invitation) bool { return inv.AcceptedBy == user })
	require.GreaterOrEqual(w.t, at, 0)
	return list.Items[at].ID
}

func TestWhoHasAccessIsNotInvitedAgain(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c, other := w.hello(), w.Receive("Sales", "visitor-2", "Hello")
		carol := w.Guest(w.bob, c.ID, "carol")
		before := len(w.log(w.bob.Team))
		invited := func(name string, id tenancy.ConversationID) error {
			_, err := w.Invites.Create(ctx, w.bob, invite.ToConversation(ushertest.Email(name), id))
			return err
		}
		var guest *invite.GuestError
		require.ErrorAs(t, invited("carol", c.ID), &guest)
		assert.Equal(t, carol.User, guest.Membership.User)
		var member *tenancy.MemberError
		require.ErrorAs(t, invited("maria", c.ID), &member)
		assert.Equal(t, rbac.Member, member.Membership.Role)
		assert.Len(t, w.log(w.bob.Team), before)
		require.NoError(t, invited("carol", other.ID), "another conversation is another matter")

		// Who was put out can be invited anew.
		require.NoError(t, w.Conversations.RevokeGuest(ctx, w.bob, c.ID, carol.User))
		require.NoError(t, invited("carol", c.ID))
	})
}

// Registering is not joining: until the terms are agreed to, the user is no recipient.
func TestSpec5_9_WhoHasNotJoinedReceivesNoDelivery(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.hello()
		_, err := w.Tenancy.Configure(ctx, w.alice, tenancy.Settings{Terms: "2026-01"})
		require.NoError(t, err)
		_, err = w.Invites.Create(ctx, w.alice, invite.ToTeam(ushertest.Email("nina"), rbac.Member))
		require.NoError(t, err)
		nina := w.User("nina").ID // registered
		token := w.Token("nina")
		deliver := func() error {
			_, err := w.Conversations.Deliver(ctx, w.bob, c.ID, conversation.ToUser(nina), conversation.Outcome{})
			return err
		}
		require.ErrorIs(t, deliver(), conversation.ErrNotRecipient)
		_, err = w.Invites.Accept(ctx, nina, token)
		var terms *invite.TermsError
		require.ErrorAs(t, err, &terms)
		require.ErrorIs(t, deliver(), conversation.ErrNotRecipient, "nor does trying to join make one")
		_, err = w.Invites.Accept(ctx, nina, token, invite.Terms(terms.Needed))
		require.NoError(t, err)
		require.NoError(t, deliver())
	})
}

// A guest who gets more rights keeps those of the guest that they are, and all that is asked about them
// agrees, whatever part of the reading rights it is that they get.
func TestE3_AGuestWithMoreRightsKeepsWhatWasGranted(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		granted, other := w.hello(), w.Receive("Sales", "visitor-2", "Hello")
		for i, sample := range []struct {
			adds []string
			all  bool
		}{
			{nil, false},
			{[]string{"conversation: read all"}, false},
			{[]string{"conversation: read"}, false},
			{[]string{"conversation: read all", "conversation: read"}, true},
		} {
			name := "guest-" + string(rune('a'+i))
			guest := w.Guest(w.bob, granted.ID, name)
			if sample.adds != nil {
				w.custom(rbac.Restricted, guest, sample.adds...)
			}
			sees := []tenancy.ConversationID{granted.ID}
			if sample.all {
				sees = append(sees, other.ID)
			}
			assert.ElementsMatch(t, sees, w.sees(guest), sample.adds)
			scope, err := w.Conversations.Scope(ctx, guest)
			require.NoError(t, err)
			for _, c := range []conversation.Conversation{w.get(w.bob, granted.ID), other} {
				_, err := w.Conversations.Get(ctx, guest, c.ID)
				assert.Equal(t, slices.Contains(sees, c.ID), err == nil, sample.adds)
				assert.Equal(t, err, w.Conversations.Check(ctx, guest, c.ID, rbac.ReadConversation))
				grant, _ := w.Store.Grant(ctx, c.ID, guest.User)
				assert.Equal(t, err == nil, scope.Admits(c, grant))
				w.agree(guest, c.ID)
			}
			_, err = w.Conversations.Search(ctx, guest, "hello", tenancy.Page{})
			assert.Equal(t, sample.all, err == nil, "search finds in all of the team's: %v", sample.adds)
			_, err = w.Conversations.List(ctx, guest, conversation.Filter{Waiting: true}, tenancy.Page{})
			assert.Equal(t, sample.all, err == nil, sample.adds)
			_, err = w.Conversations.Send(ctx, guest, granted.ID, "Hi from "+name)
			require.NoError(t, err, sample.adds)
			_, err = w.Conversations.Send(ctx, guest, other.ID, "Hi")
			require.Error(t, err)
			why, err := w.Conversations.Explain(ctx, guest, granted.ID, rbac.SendMessage)
			require.NoError(t, err)
			assert.Equal(t, guest.User, why.Grant.User, "they write by the grant")

			w.setGrant(granted.ID, guest.User, func(g *conversation.Grant) { g.ReadOnly = true })
			_, err = w.Conversations.Send(ctx, guest, granted.ID, "Hi")
			require.ErrorIs(t, err, conversation.ErrReadOnly)
			w.setGrant(granted.ID, guest.User, func(g *conversation.Grant) { g.ReadOnly = false })
			require.NoError(t, w.Conversations.RevokeGuest(ctx, w.bob, granted.ID, guest.User))
			_, err = w.Conversations.Send(ctx, guest, granted.ID, "Hi")
			require.Error(t, err, "no longer than the grant lives: %v", sample.adds)
			w.agree(guest, granted.ID)
		}
	})
}

// agree holds Check, Can, Explain and Capabilities about a conversation against each other.
func (w *world) agree(actor tenancy.Actor, id tenancy.ConversationID) {
	w.t.Helper()
	ctx := w.t.Context()
	all, unseen := w.Conversations.Capabilities(ctx, actor, id)
	for _, perm := range w.Policy.Permissions() {
		check := w.Conversations.Check(ctx, actor, id, perm)
		can, err := w.Conversations.Can(ctx, actor, id, perm)
		require.NoError(w.t, err)
		assert.Equal(w.t, check == nil, can)
		why, err := w.Conversations.Explain(ctx, actor, id, perm)
		require.NoError(w.t, err)
		assert.Equal(w.t, check, why.Err)
		if check == nil {
			assert.True(w.t, why.Rule.Allowed, w.Policy.Name(perm))
		}
		if unseen != nil {
			assert.Equal(w.t, unseen, check)
		} else if listed := all.Of(perm); !errors.Is(listed, tenancy.ErrNotFound) {
			assert.Equal(w.t, check, listed, w.Policy.Name(perm))
		}
	}
}
