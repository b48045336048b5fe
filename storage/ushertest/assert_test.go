package ushertest_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

// office is a team with somebody in each state, and two conversations: one with a guest, one
// that is closed.
type office struct {
	*ushertest.World
	guest           tenancy.Actor
	open, closed    tenancy.ConversationID
	alice, bob, sam tenancy.Actor
}

func newOffice(tb testing.TB) office {
	tb.Helper()
	w := ushertest.NewWorld(tb).Account("acme").Team("support").
		Team("sales", ushertest.Manager("alice"), ushertest.Member("bob"), ushertest.Member("sam").Suspended(),
			ushertest.Member("erin").Expired(), ushertest.Member("rita").Removed(), ushertest.Invited("heidi", rbac.Member))
	o := office{World: w, alice: w.Actor("alice", "sales"), bob: w.Actor("bob", "sales"), sam: w.Actor("sam", "sales")}
	o.open, o.closed = w.Receive("sales", "visitor-1", "Hi").ID, w.Receive("sales", "visitor-2", "Hi").ID
	o.guest = w.Guest(o.bob, o.open, "gina")
	_, err := w.Conversations.Assign(tb.Context(), o.alice, o.open, o.bob.User)
	require.NoError(tb, err)
	_, err = w.Conversations.Close(tb.Context(), o.alice, o.closed, "")
	require.NoError(tb, err)
	return o
}

// Each assertion holds of what is so, and says of what is not what is instead.
func TestAssertions(t *testing.T) {
	check := func(o office, actor tenancy.Actor) error {
		return o.Check(context.Background(), actor, rbac.SendBlast)
	}
	for _, c := range []struct {
		name  string
		right func(o office)
		wrong func(o office)
		says  string
	}{
		{
			"allowed",
			func(o office) { o.Allowed(o.bob, rbac.SendBlast) },
			func(o office) { o.Allowed(o.bob, rbac.RemoveMember) },
			`ushertest: bob in sales should be allowed "member: remove", but is refused: denied: member lacks "member: remove", which manager has
rule: `,
		},
		{
			"allowed, of somebody suspended",
			func(o office) { o.Allowed(o.alice, rbac.RemoveMember) },
			func(o office) { o.Allowed(o.sam, rbac.SendBlast) },
			"membership: member, suspended",
		},
		{
			"denied",
			func(o office) { o.Denied(o.bob, rbac.RemoveMember) },
			func(o office) { o.Denied(o.bob, rbac.SendBlast) },
			`ushertest: bob in sales should be denied "blast: send", but is allowed` + "\n",
		},
		{
			"denied, of a stranger",
			func(o office) { o.Denied(o.sam, rbac.SendBlast) },
			func(o office) { o.Denied(o.Actor("rita", "sales"), rbac.SendBlast) },
			`ushertest: rita in sales should be denied "blast: send", but is refused: not found` + "\n",
		},
		{
			"denied, of nobody",
			func(o office) { o.Denied(o.guest, rbac.SendMessage) },
			func(o office) { o.Denied(tenancy.Actor{}, rbac.SendBlast) },
			"the call names no principal",
		},
		{
			"allowed in",
			func(o office) { o.AllowedIn(o.open, o.guest, rbac.SendMessage) },
			func(o office) { o.AllowedIn(o.closed, o.guest, rbac.SendMessage) },
			`ushertest: gina in sales should be allowed "message: send" in the conversation, but the answer is: not found`,
		},
		{
			"denied in",
			func(o office) { o.DeniedIn(o.open, o.guest, rbac.WriteNote) },
			func(o office) { o.DeniedIn(o.open, o.guest, rbac.SendMessage) },
			`ushertest: gina in sales should be denied "message: send" in the conversation, but the answer is: yes`,
		},
		{
			"denied in, of a stranger",
			func(o office) { o.DeniedIn(o.closed, o.sam, rbac.WriteNote) },
			func(o office) { o.DeniedIn(o.closed, o.guest, rbac.WriteNote) },
			`but the answer is: not found`,
		},
		{
			"not found",
			func(o office) { o.NotFound(check(o, o.Actor("rita", "sales"))) },
			func(o office) { o.NotFound(check(o, o.guest)) },
			`ushertest: the answer should be: not found; but is: denied: restricted lacks "blast: send"`,
		},
		{
			"not found, of no error",
			func(o office) { o.NotFound(check(o, o.Actor("bob", "support"))) },
			func(o office) { o.NotFound(nil) },
			`ushertest: the answer should be: not found; but is: yes`,
		},
		{
			"mailed",
			func(o office) { o.Mailed("heidi") },
			func(o office) { o.Mailed("bob") },
			"ushertest: no mail was sent to bob@bob.example",
		},
		{
			"not mailed",
			func(o office) { o.NotMailed("bob") },
			func(o office) { o.NotMailed("HEIDI@heidi.example") },
			`ushertest: HEIDI@heidi.example should have got no mail, but got "acme-holder invites you to sales"`,
		},
		{
			"has event",
			func(o office) {
				o.HasEvent("sales", tenancy.MemberSuspended, nil)
				o.HasEvent("sales", tenancy.MemberJoined, tenancy.Facts{"user": o.bob.User.String()})
			},
			func(o office) {
				o.HasEvent("sales", tenancy.MemberSuspended, tenancy.Facts{"user": o.bob.User.String()})
			},
			`ushertest: in sales should have happened the first of these, but only the others have:
  member.suspended user=bob
  team.created team=sales
  member.joined role=manager user=acme-holder
`,
		},
		{
			"has event, of a fact that is not told",
			func(o office) {
				o.HasEvent("sales", tenancy.MemberSuspended, tenancy.Facts{"user": o.sam.User.String(), "role": "member"})
			},
			func(o office) { o.HasEvent("sales", tenancy.MemberSuspended, tenancy.Facts{"reason": ""}) },
			"  member.suspended reason=\n",
		},
		{
			"has no event",
			func(o office) { o.HasNoEvent("sales", tenancy.MemberLeft) },
			func(o office) { o.HasNoEvent("sales", conversation.ConversationAssigned) },
			"ushertest: in sales should not have happened:\n  conversation.assigned conversation=",
		},
		{
			"member is",
			func(o office) { o.MemberIs("erin", "sales", rbac.Member, ushertest.Expired) },
			func(o office) { o.MemberIs("erin", "sales", rbac.Member, tenancy.MembershipActive) },
			"ushertest: erin in sales should be member, active; but is member, expired",
		},
		{
			"member is, of another role",
			func(o office) { o.MemberIs("rita", "sales", rbac.Member, tenancy.MembershipRemoved) },
			func(o office) { o.MemberIs("bob", "sales", rbac.Manager, tenancy.MembershipActive) },
			"ushertest: bob in sales should be manager, active; but is member, active",
		},
		{
			"not member",
			func(o office) { o.NotMember("rita", "sales"); o.NotMember("bob", "support") },
			func(o office) { o.NotMember("sam", "sales") },
			"ushertest: sam should not be in sales, but is member, suspended",
		},
		{
			"invitation is",
			func(o office) { o.InvitationIs("heidi", "sales", invite.Pending) },
			func(o office) {
				o.Clock.Advance(invite.DefaultExpiry)
				o.InvitationIs("heidi", "sales", invite.Pending)
			},
			"ushertest: the invitation of heidi into sales should be pending, but is expired",
		},
		{
			"conversation is",
			func(o office) { o.ConversationIs(o.open, "sales", conversation.Open, "bob") },
			func(o office) { o.ConversationIs(o.open, "sales", conversation.Open, "") },
			"ushertest: the conversation should be open with nobody, but is open with bob",
		},
		{
			"conversation is, of another status",
			func(o office) { o.ConversationIs(o.closed, "sales", conversation.Closed, "") },
			func(o office) { o.ConversationIs(o.closed, "sales", conversation.Open, "") },
			"ushertest: the conversation should be open with nobody, but is closed with nobody",
		},
		{
			"conversation is, in another team",
			func(o office) { o.ConversationIs(o.closed, "sales", conversation.Closed, "") },
			func(o office) { o.ConversationIs(o.closed, "support", conversation.Closed, "") },
			"ushertest: the conversation should be in support, but is not",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Empty(t, failure(t, func(tb testing.TB) { c.right(newOffice(tb)) }))
			assert.Contains(t, failure(t, func(tb testing.TB) { c.wrong(newOffice(tb)) }), c.says)
		})
	}
}

// An assertion that fails lets the test go on, so that one run shows all that is wrong.
func TestAssertionsGoOn(t *testing.T) {
	said := failure(t, func(tb testing.TB) {
		o := newOffice(tb)
		o.Allowed(o.bob, rbac.RemoveMember)
		o.Denied(o.bob, rbac.SendBlast)
	})
	assert.Contains(t, said, `should be allowed "member: remove"`)
	assert.Contains(t, said, `should be denied "blast: send"`)
}

func TestEventsAreInOrder(t *testing.T) {
	w := ushertest.NewWorld(t).Account("acme").
		Team("sales", ushertest.Member("bob").Suspended(), ushertest.Invited("heidi", rbac.Member).Revoked())
	w.Receive("sales", "visitor-1", "Hi")
	assert.Equal(t, []string{
		tenancy.TeamCreated, tenancy.MemberJoined,
		tenancy.MemberJoined, tenancy.MemberSuspended,
		invite.InvitationCreated, invite.InvitationMailed, invite.InvitationRevoked,
		conversation.ContactCreated, conversation.ConversationStarted, conversation.MessageReceived,
	}, w.Events("sales"))
}

func TestMails(t *testing.T) {
	w := ushertest.NewWorld(t).Account("acme").Team("sales", ushertest.Invited("heidi", rbac.Member))
	_, err := w.Invites.Resend(t.Context(), w.Actor("acme-holder", "sales"), w.Invitation("heidi", "sales").ID)
	require.NoError(t, err)
	mails := w.Mails("heidi")
	require.Len(t, mails, 2, "what is due was delivered")
	assert.Equal(t, 2, w.Mailed("heidi").Mailing, "the newest")
	assert.Equal(t, mails[1].Token.Reveal(), w.Token("heidi").Reveal())
	assert.Empty(t, w.Mails("bob"))
}
