package usher_test

import (
	"testing"
	"time"

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

// ofAccount are the operations that are aimed at what all teams of an account share.
var ofAccount = map[string]string{
	"tenancy.Configure, with a team":  "conversations can be delivered to each team of the account",
	"tenancy.TeamByName":              "and so each knows the names of the others",
	"tenancy.GiveRole, a foreign one": "custom roles are the account's",
	"invite.Create, in a role":        "custom roles are the account's",
}

// apart fills another team of the own account, which nobody of Sales but the holder is in, with what there
// is in Sales, under the same names and for the same contact.
func (s *scene) apart(t *testing.T) targets {
	t.Helper()
	ctx := t.Context()
	s.Team("Apart", ushertest.Manager("x-manager"), ushertest.Member("x-target"))
	manager, team := s.Actor("x-manager", "Apart"), s.TeamNamed("Apart")
	x := s.own
	inv, err := s.Invites.Create(ctx, manager, invite.ToTeam(ushertest.Email("x-invited"), rbac.Member))
	require.NoError(t, err)
	_, err = s.Tenancy.Configure(ctx, manager, tenancy.Settings{JoinDomains: []string{"x-asker.example"}})
	require.NoError(t, err)
	c := s.Receive("Apart", "visitor-1", "hello, hello")
	s.Guest(manager, c.ID, "x-guest")
	name := "Secret"
	_, err = s.Conversations.EditContact(ctx, manager, c.ID, conversation.ContactEdit{Name: &name})
	require.NoError(t, err)
	deliver := func(by tenancy.Actor, id tenancy.ConversationID, to conversation.Recipient) tenancy.DeliveryID {
		d, err := s.Conversations.Deliver(ctx, by, id, to, conversation.Outcome{}, conversation.AskAcceptance(time.Hour))
		require.NoError(t, err)
		return d.ID
	}
	x.conversation, x.user, x.email = c.ID, s.User("x-target").ID, ushertest.Email("x-target")
	x.team, x.sibling, x.identity = team.ID, team.ID, team.Identity
	x.invitation, x.link, x.request = inv.ID, s.Link(manager, invite.LinkSpec{Uses: 2}).ID, s.Asks("x-asker", "Apart").ID
	x.sent = deliver(manager, s.Receive("Apart", "visitor-sent", "hello").ID, conversation.ToUser(x.user))
	x.delivery = deliver(s.Actor("a-manager", "Hiring"), s.Receive("Hiring", "visitor-x", "hello").ID, conversation.ToTeam(team.ID))
	return x
}

// reads is all that somebody reads of their team without naming anything in it.
func (s *scene) reads(t *testing.T, actor tenancy.Actor, c tenancy.ConversationID) map[string]any {
	t.Helper()
	ctx, page := t.Context(), tenancy.Page{Limit: 100}
	found := map[string]any{}
	add := func(name string) func(any, error) {
		return func(answer any, err error) {
			t.Helper()
			require.NoError(t, err, name)
			found[name] = answer
		}
	}
	members, err := s.Tenancy.Members(ctx, actor, page)
	add("members")(members, err)
	audit, err := s.Tenancy.Audit(ctx, actor, tenancy.AuditFilter{}, page)
	add("audit log")(audit, err)
	invitations, err := s.Invites.List(ctx, actor, invite.Filter{}, page)
	add("invitations")(invitations, err)
	list, err := s.Conversations.List(ctx, actor, conversation.Filter{}, page)
	add("conversations")(list, err)
	search, err := s.Conversations.Search(ctx, actor, "hello", page)
	add("search")(search, err)
	inbox, err := s.Conversations.Inbox(ctx, actor, page)
	add("inbox")(inbox, err)
	cards, err := s.Conversations.Deliveries(ctx, actor, page)
	add("deliveries")(cards, err)
	contact, err := s.Conversations.Contact(ctx, actor, c)
	add("contact")(contact, err)
	return found
}

// Spec 4.4: members of different teams of one account see nothing of each other's members, contacts and
// conversations. What is aimed at another team's is answered like what does not exist, by every operation;
// and what lists reads the same whether there is another team or not.
func TestSpec4_4_TeamsOfAnAccountSeeNothingOfEachOther(t *testing.T) {
	everystore.Run(t, func(t *testing.T, open func(*testing.T) storage.Store) {
		ctx := t.Context()
		s := newScene(t, open(t))
		_, err := s.Tenancy.ChangeRole(ctx, s.proper.actor, s.member.User, rbac.Manager)
		require.NoError(t, err)
		p := s.proper
		p.actor = s.member // who may do everything in Sales, and is in no other team
		before := s.reads(t, p.actor, s.own.conversation)
		x := s.apart(t)
		assert.Equal(t, before, s.reads(t, p.actor, s.own.conversation))
		unread, err := s.Conversations.Unread(ctx, p.actor, x.conversation)
		require.NoError(t, err)
		assert.Empty(t, unread)
		found, err := s.Tenancy.MembersByEmail(ctx, p.actor, x.email)
		require.NoError(t, err)
		assert.Empty(t, found)

		told := s.events(t)
		for name, op := range operations {
			if !op.aims || op.ofHolder() || ofAccount[name] != "" {
				continue
			}
			err := op.call(ctx, s, p, x)
			require.ErrorIs(t, err, tenancy.ErrNotFound, name)
			assert.EqualError(t, op.call(ctx, s, p, random()), err.Error(), name)
		}
		assert.Equal(t, told, s.events(t))
		for name := range ofAccount {
			assert.True(t, operations[name].aims, "%s is no operation that is aimed at something", name)
		}
	})
}
