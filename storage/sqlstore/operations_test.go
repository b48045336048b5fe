package sqlstore_test

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/sqlstore"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

// A desk is a team at work, with enough of everything that each operation has several rows to
// write where it can, and a second account with the same names.
type desk struct {
	*ushertest.World
	alice, bob tenancy.Actor // manager and member of Sales
	// tim is a manager of Sales with three conversations, three grants and three invitations.
	tim tenancy.Actor
	// plain is a conversation without an assignee, taken is tim's, closed is closed; moving has two
	// guests and two invitations on their way; promised waits for nora, who is invited to it. Of
	// snoozed there are two, whose time has come, with two guests
	// whose time has come, too, and two are answered and have been idle too long.
	plain, taken, closed, moving, promised, snoozed tenancy.ConversationID
	// said is bob's message in spoken, and handed one that the sender has taken.
	spoken       tenancy.ConversationID
	said, handed tenancy.MessageID
	gina         tenancy.Actor // a guest of moving
	// pending is an invitation into the team, lapsed one whose time has passed.
	pending, lapsed tenancy.InvitationID
	forPaula        invite.Token // of pending
	forNora         invite.Token // of the delivery
	// deliveries that wait to be accepted
	toAlice, toHiring tenancy.DeliveryID
	// applied is one of three applications of the contact of plain, of whom moving's has two.
	applied tenancy.ApplicationID
	// lead is a custom role that mia has, unused one that nobody has.
	lead, unused tenancy.CustomRole
	// offer is one of the account to olga, lapsedOffer one of globex whose time has passed.
	offer, lapsedOffer invite.Invitation
	forOlga            invite.Token
	// link has one use left, request is one of the asker to join Sales.
	link    invite.Link
	request invite.Invitation
}

// holder holds the account of Sales.
func (d *desk) holder() tenancy.Holder {
	return tenancy.Holder{User: d.User("acme-holder").ID, Account: d.TeamNamed("Sales").Account}
}

// mover is a manager of Sales who is a member of Hiring, too.
func (d *desk) mover() tenancy.Actor { return d.Actor("moira", "Sales") }

func newDesk(t *testing.T, store *sqlstore.Store) *desk {
	t.Helper()
	d := &desk{World: ushertest.NewWorldOn(t, store, usher.WithSender(nil))}
	people := []ushertest.Somebody{ushertest.Manager("alice"), ushertest.Member("bob"), ushertest.Member("mia")}
	d.Account("initech").Account("globex").Team("Sales", people...).Receive("Sales", "visitor", "Hi")
	d.Account("acme").Team("Sales", append(people, ushertest.Manager("moira"), ushertest.Member("zoe"), ushertest.Member("yan"))...).
		Team("Hiring", ushertest.Manager("dana"), ushertest.Manager("moira")).Team("Solo").Team("Archived", ushertest.Member("bob"))
	d.alice, d.bob = d.Actor("alice", "Sales"), d.Actor("bob", "Sales")
	for _, name := range []string{"stranger", "paula", "nora"} {
		d.User(name)
	}
	d.settle(t)
	var tims []tenancy.ConversationID
	for _, contact := range []string{"tim-1", "tim-2", "tim-3"} {
		c := d.Receive("Sales", contact, "Hi").ID
		d.tim = d.Guest(d.alice, c, "tim")
		tims = append(tims, c)
	}
	_, err := d.Tenancy.ChangeRole(t.Context(), d.alice, d.tim.User, rbac.Manager)
	require.NoError(t, err)
	for i, c := range tims {
		_, err := d.Conversations.Assign(t.Context(), d.alice, c, d.tim.User)
		require.NoError(t, err)
		d.invites(t, d.tim, invite.ToTeam(ushertest.Email([]string{"ida", "jon", "kim"}[i]), rbac.Member))
	}
	d.taken = tims[0]
	d.moving = d.Receive("Sales", "moving", "Hi").ID
	d.gina = d.Guest(d.bob, d.moving, "gina")
	d.Guest(d.bob, d.moving, "gus")
	for _, name := range []string{"lea", "max"} {
		d.invites(t, d.bob, invite.ToConversation(ushertest.Email(name), d.moving))
	}
	d.promised = d.Receive("Sales", "promised", "Hi").ID
	_, err = d.Conversations.Deliver(t.Context(), d.bob, d.promised, conversation.ToEmail(ushertest.Email("nora")), conversation.Outcome{})
	require.NoError(t, err)
	d.forNora = d.Token("nora")
	asked := func(visitor string, to conversation.Recipient, within time.Duration) tenancy.DeliveryID {
		c := d.Receive("Sales", visitor, "Hi")
		asked, err := d.Conversations.Deliver(t.Context(), d.bob, c.ID, to, conversation.Outcome{}, conversation.AskAcceptance(within))
		require.NoError(t, err)
		return asked.ID
	}
	d.toAlice = asked("asked", conversation.ToUser(d.alice.User), 0)
	d.toHiring = asked("asked-too", conversation.ToTeam(d.TeamNamed("Hiring").ID), 0)
	asked("asked-in-vain", conversation.ToUser(d.alice.User), time.Minute)
	d.closed = d.Receive("Sales", "closed", "Hi").ID
	_, err = d.Conversations.Close(tenancy.WithKey(t.Context(), "an old key"), d.bob, d.closed, "")
	require.NoError(t, err)
	_, err = d.Conversations.OptOut(t.Context(), d.bob, d.closed, "said so on the phone")
	require.NoError(t, err)
	_, err = d.Conversations.MarkRead(t.Context(), d.bob, d.closed, 1)
	require.NoError(t, err)
	d.plain = d.Receive("Sales", "plain", "Hi").ID
	d.apply(t)
	d.spoken = d.Receive("Sales", "spoken", "Hi").ID
	m, err := d.Conversations.Send(t.Context(), d.bob, d.spoken, "Good morning")
	require.NoError(t, err)
	d.said = m.ID
	m, err = d.Conversations.Send(t.Context(), d.bob, d.spoken, "Good evening")
	require.NoError(t, err)
	m.HandedAt, d.handed = d.Clock.Now(), m.ID
	require.NoError(t, d.Store.InTx(t.Context(), func(ctx context.Context) error { return d.Store.UpdateMessage(ctx, m) }))
	d.rest(t)
	d.pending = d.invites(t, d.alice, invite.ToTeam(ushertest.Email("paula"), rbac.Member))
	d.lapsed = d.invites(t, d.alice, invite.ToTeam(ushertest.Email("late"), rbac.Member, invite.ExpiresIn(time.Hour)))
	d.forPaula = d.Token("paula")
	_, err = d.Conversations.Claim(t.Context(), d.mover(), tims[1])
	require.NoError(t, err)
	d.link = d.Link(d.alice, invite.LinkSpec{Uses: 2})
	d.Comes("lou", d.link)
	_, err = d.Tenancy.Configure(t.Context(), d.alice, tenancy.Settings{AutoClose: time.Hour, JoinDomains: []string{"asker.example", "stranger.example"}})
	require.NoError(t, err)
	d.request = d.Asks("asker", "Sales")
	d.Clock.Advance(2 * time.Hour)
	_, err = d.Conversations.Claim(t.Context(), d.tim, d.taken)
	require.NoError(t, err)
	return d
}

// apply gives two contacts several applications.
func (d *desk) apply(t *testing.T) {
	t.Helper()
	for _, in := range []tenancy.ConversationID{d.plain, d.moving, d.plain, d.moving} {
		a, err := d.Conversations.Apply(t.Context(), d.bob, in, conversation.ApplicationDetails{Job: "Driver"})
		require.NoError(t, err)
		if in == d.plain {
			d.applied = a.ID
		}
	}
	_, err := d.Conversations.RecordApplication(t.Context(), ushertest.System, d.recorded("Board"))
	require.NoError(t, err)
}

// recorded is an application of the contact of plain.
func (d *desk) recorded(source string) conversation.ApplicationRecord {
	return conversation.ApplicationRecord{
		To: d.TeamNamed("Sales").Identity, From: "plain", ExternalID: "ats-1", Origin: conversation.FromIntegration,
		ApplicationDetails: conversation.ApplicationDetails{Source: source}, Status: conversation.Engaged,
	}
}

// rest leaves some conversations for the sweeps.
func (d *desk) rest(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	for i, name := range []string{"gwen", "greg"} {
		d.snoozed = d.Receive("Sales", fmt.Sprint("snoozed-", i), "Hi").ID
		_, err := d.Conversations.Snooze(ctx, d.bob, d.snoozed, d.Clock.Now().Add(time.Hour))
		require.NoError(t, err)
		_, err = d.Conversations.Send(ctx, d.bob, d.Receive("Sales", fmt.Sprint("idle-", i), "Hi").ID, "Hello")
		require.NoError(t, err)
		guest := d.Guest(d.bob, d.snoozed, name)
		require.NoError(t, d.Store.InTx(ctx, func(ctx context.Context) error {
			g, err := d.Store.Grant(ctx, d.snoozed, guest.User)
			if err != nil {
				return err
			}
			g.ExpiresAt = d.Clock.Now().Add(time.Hour)
			return d.Store.UpdateGrant(ctx, g)
		}))
	}
	_, err := d.Tenancy.Configure(ctx, d.alice, tenancy.Settings{AutoClose: time.Hour})
	require.NoError(t, err)
}

// settle gives the account what only its holder and managers can.
func (d *desk) settle(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	var err error
	d.lead, err = d.Tenancy.DefineRole(ctx, d.holder(), tenancy.RoleSpec{Name: "Lead", Base: rbac.Member, Permissions: []string{"member: change role"}})
	require.NoError(t, err)
	d.unused, err = d.Tenancy.DefineRole(ctx, d.holder(), tenancy.RoleSpec{Name: "Unused", Base: rbac.Restricted})
	require.NoError(t, err)
	_, err = d.Tenancy.GiveRole(ctx, d.alice, d.User("mia").ID, d.lead.ID)
	require.NoError(t, err)
	_, err = d.Tenancy.AddService(ctx, d.holder(), "voice", 1)
	require.NoError(t, err)
	_, err = d.Tenancy.SetSeats(ctx, ushertest.System, d.holder().Account, tenancy.Seats{Rule: tenancy.WarnSeats, Limit: 1, CountPending: true})
	require.NoError(t, err)
	_, err = d.Tenancy.Suspend(ctx, d.alice, d.User("zoe").ID)
	require.NoError(t, err)
	_, err = d.Tenancy.SuspendUser(ctx, ushertest.System, d.User("sue").ID)
	require.NoError(t, err)
	_, err = d.Tenancy.SetExpiry(ctx, d.alice, d.User("yan").ID, d.Clock.Now().Add(time.Hour))
	require.NoError(t, err)
	_, err = d.Tenancy.Archive(ctx, d.Actor("acme-holder", "Archived"), tenancy.Leftovers{})
	require.NoError(t, err)
	d.offer, err = d.Invites.Offer(ctx, d.holder(), ushertest.Email("olga"))
	require.NoError(t, err)
	d.User("olga")
	d.forOlga = d.Token("olga")
	d.lapsedOffer, err = d.Invites.Offer(ctx, d.Holder("globex"), ushertest.Email("otto"), invite.ExpiresIn(time.Hour))
	require.NoError(t, err)
}

func (d *desk) invites(t *testing.T, actor tenancy.Actor, r invite.Request) tenancy.InvitationID {
	t.Helper()
	inv, err := d.Invites.Create(t.Context(), actor, r)
	require.NoError(t, err)
	return inv.ID
}

// An operation is one as a host calls it.
type operation struct {
	name string
	run  func(ctx context.Context, d *desk) (any, error)
	// reads says that it writes nothing.
	reads bool
	// keyless says that it keeps no answer under a key, but comes to the same state when repeated.
	keyless bool
	// sweeps says that it is a transaction for each thing that it finds: interrupted, it has done some.
	sweeps bool
	// refuses is the error that it answers on a day without faults.
	refuses error
}

// operations are all of them, by service and method, the writing ones once for each way that
// they write. A method that is missing fails TestEveryOperationIsFaulted.
func operations() []operation {
	writes := func(name string, run func(ctx context.Context, d *desk) (any, error)) operation {
		return operation{name: name, run: run}
	}
	reads := func(name string, run func(ctx context.Context, d *desk) (any, error)) operation {
		return operation{name: name, run: run, reads: true}
	}
	refuses := func(name string, with error, run func(ctx context.Context, d *desk) (any, error)) operation {
		return operation{name: name, run: run, reads: true, refuses: with}
	}
	keyless := func(name string, run func(ctx context.Context, d *desk) (any, error)) operation {
		return operation{name: name, run: run, keyless: true}
	}
	sweeps := func(name string, run func(ctx context.Context, d *desk) (any, error)) operation {
		return operation{name: name, run: run, keyless: true, sweeps: true}
	}
	return []operation{
		writes("tenancy.Register", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.Register(ctx, ushertest.System, tenancy.Profile{ExternalID: "new", Email: "new@new.example", Verified: true})
		}),
		writes("tenancy.Register, again", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.Register(ctx, ushertest.System, tenancy.Profile{
				ExternalID: "ushertest:bob", Email: ushertest.Email("bob"), Verified: true, Name: "Robert",
			})
		}),
		writes("tenancy.SetAutoclaim", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.SetAutoclaim(ctx, d.bob.User, true)
		}),
		writes("tenancy.CreateAccount", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.CreateAccount(ctx, d.alice.User, "Another")
		}),
		writes("tenancy.CreateTeam", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.CreateTeam(ctx, d.holder(), tenancy.TeamSpec{Name: "Another", Identity: tenancy.Chat("another")})
		}),
		writes("tenancy.Switch", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.Switch(ctx, d.bob.User, d.bob.Team)
		}),
		writes("tenancy.Admit", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.Admit(ctx, ushertest.System, tenancy.Admission{Team: d.bob.Team, User: d.User("stranger").ID, Role: rbac.Member})
		}),
		writes("tenancy.AdmitGuests", func(ctx context.Context, d *desk) (any, error) {
			return nil, d.Tenancy.AdmitGuests(ctx, ushertest.System, d.bob.Team, d.User("stranger").ID)
		}),
		writes("tenancy.ChangeRole", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.ChangeRole(ctx, d.alice, d.bob.User, rbac.Manager)
		}),
		writes("tenancy.ChangeRole, to a guest", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.ChangeRole(ctx, d.alice, d.tim.User, rbac.Restricted)
		}),
		writes("tenancy.Remove", func(ctx context.Context, d *desk) (any, error) {
			return nil, d.Tenancy.Remove(ctx, d.alice, d.tim.User)
		}),
		writes("tenancy.Leave", func(ctx context.Context, d *desk) (any, error) {
			return nil, d.Tenancy.Leave(ctx, d.tim)
		}),
		writes("tenancy.RenameAccount", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.RenameAccount(ctx, d.holder(), "Another")
		}),
		writes("tenancy.AddService", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.AddService(ctx, d.holder(), "sms", 2)
		}),
		writes("tenancy.RemoveService", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.RemoveService(ctx, d.holder(), "voice")
		}),
		writes("tenancy.SetSeats", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.SetSeats(ctx, ushertest.System, d.holder().Account, tenancy.Seats{Rule: tenancy.HardSeats, Limit: 9})
		}),
		writes("tenancy.SuspendAccount", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.SuspendAccount(ctx, ushertest.System, d.holder().Account)
		}),
		writes("tenancy.ReactivateAccount", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.ReactivateAccount(ctx, ushertest.System, d.holder().Account)
		}),
		writes("tenancy.CloseAccount", func(ctx context.Context, d *desk) (any, error) { return d.Tenancy.CloseAccount(ctx, d.holder()) }),
		writes("tenancy.DefineRole", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.DefineRole(ctx, d.holder(), tenancy.RoleSpec{Name: "Another", Base: rbac.Member, Permissions: []string{"audit: read"}})
		}),
		writes("tenancy.EditRole", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.EditRole(ctx, d.holder(), d.lead.ID, tenancy.RoleSpec{Name: "Lead", Base: rbac.Member})
		}),
		writes("tenancy.DeleteRole", func(ctx context.Context, d *desk) (any, error) {
			return nil, d.Tenancy.DeleteRole(ctx, d.holder(), d.unused.ID)
		}),
		writes("tenancy.GiveRole", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.GiveRole(ctx, d.alice, d.tim.User, d.lead.ID)
		}),
		writes("tenancy.Suspend", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.Suspend(ctx, d.alice, d.tim.User)
		}),
		writes("tenancy.Reactivate", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.Reactivate(ctx, d.alice, d.User("zoe").ID)
		}),
		writes("tenancy.SetExpiry", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.SetExpiry(ctx, d.alice, d.bob.User, d.Clock.Now().Add(time.Hour))
		}),
		sweeps("tenancy.ExpireMembers", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.ExpireMembers(ctx, ushertest.System)
		}),
		writes("tenancy.RenameTeam", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.RenameTeam(ctx, d.alice, "Another")
		}),
		writes("tenancy.Configure", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.Configure(ctx, d.alice, tenancy.Settings{TimeZone: "Europe/Berlin", DeliverTo: []tenancy.TeamID{d.TeamNamed("Hiring").ID}})
		}),
		writes("tenancy.Archive", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.Archive(ctx, d.alice, tenancy.Leftovers{Close: true})
		}),
		writes("tenancy.Archive, of a team that moves", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.Archive(ctx, d.mover(), tenancy.Leftovers{MoveTo: d.TeamNamed("Hiring").ID})
		}),
		writes("tenancy.Restore", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.Restore(ctx, d.Actor("acme-holder", "Archived"))
		}),
		writes("tenancy.ChangeEmail", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.ChangeEmail(ctx, ushertest.System, d.bob.User, "new@new.example", true)
		}),
		writes("tenancy.SuspendUser", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.SuspendUser(ctx, ushertest.System, d.tim.User)
		}),
		writes("tenancy.ReactivateUser", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.ReactivateUser(ctx, ushertest.System, d.User("sue").ID)
		}),
		writes("tenancy.DeleteUser", func(ctx context.Context, d *desk) (any, error) {
			return nil, d.Tenancy.DeleteUser(ctx, ushertest.System, d.tim.User, tenancy.UserID{})
		}),
		writes("tenancy.DeleteUser, with a successor", func(ctx context.Context, d *desk) (any, error) {
			return nil, d.Tenancy.DeleteUser(ctx, ushertest.System, d.holder().User, d.bob.User)
		}),
		refuses("tenancy.Leave, of the last manager", tenancy.ErrLastManager, func(ctx context.Context, d *desk) (any, error) {
			return nil, d.Tenancy.Leave(ctx, d.Actor("acme-holder", "Solo"))
		}),
		keyless("tenancy.ForgetKeys", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.ForgetKeys(ctx, ushertest.System, d.Clock.Now())
		}),

		writes("invite.Create", func(ctx context.Context, d *desk) (any, error) {
			return d.Invites.Create(ctx, d.alice, invite.ToTeam("new@new.example", rbac.Member))
		}),
		writes("invite.Create, of a guest", func(ctx context.Context, d *desk) (any, error) {
			return d.Invites.Create(ctx, d.bob, invite.ToConversation("new@new.example", d.plain))
		}),
		writes("invite.Bulk", func(ctx context.Context, d *desk) (any, error) {
			return d.Invites.Bulk(ctx, d.alice, invite.BulkSpec{Rows: []invite.Row{{Email: "new@new.example"}, {Email: "newer@new.example"}}})
		}),
		writes("invite.Batch", func(ctx context.Context, d *desk) (any, error) {
			return d.Invites.Batch(ctx, d.alice, "new@new.example", []invite.TeamRole{{Team: d.alice.Team, Role: rbac.Member}})
		}),
		writes("invite.Accept", func(ctx context.Context, d *desk) (any, error) {
			return d.Invites.Accept(ctx, d.User("paula").ID, d.forPaula)
		}),
		{name: "invite.Accept, by somebody else", refuses: invite.ErrWrongUser, run: func(ctx context.Context, d *desk) (any, error) {
			return d.Invites.Accept(ctx, d.User("nora").ID, d.forPaula) // which is on record, once
		}},
		writes("invite.Accept, of a delivery", func(ctx context.Context, d *desk) (any, error) {
			return d.Invites.Accept(ctx, d.User("nora").ID, d.forNora)
		}),
		writes("invite.Decline", func(ctx context.Context, d *desk) (any, error) {
			return d.Invites.Decline(ctx, d.User("nora").ID, d.forNora)
		}),
		writes("invite.Revoke", func(ctx context.Context, d *desk) (any, error) {
			return d.Invites.Revoke(ctx, d.alice, d.pending)
		}),
		writes("invite.Resend", func(ctx context.Context, d *desk) (any, error) {
			return d.Invites.Resend(ctx, d.alice, d.pending)
		}),
		writes("invite.Resend, of a lapsed one", func(ctx context.Context, d *desk) (any, error) {
			return d.Invites.Resend(ctx, d.alice, d.lapsed)
		}),
		keyless("invite.Expire", func(ctx context.Context, d *desk) (any, error) {
			return d.Invites.Expire(ctx, ushertest.System, d.bob.Team, d.lapsed)
		}),

		writes("invite.CreateLink", func(ctx context.Context, d *desk) (any, error) {
			return d.Invites.CreateLink(ctx, d.alice, invite.LinkSpec{Uses: 3})
		}),
		writes("invite.RenewLink", func(ctx context.Context, d *desk) (any, error) {
			return d.Invites.RenewLink(ctx, d.alice, d.link.ID)
		}),
		reads("invite.LinkUses", func(ctx context.Context, d *desk) (any, error) {
			return d.Invites.LinkUses(ctx, d.alice, d.link.ID, tenancy.Page{})
		}),
		writes("invite.Accept, of a link", func(ctx context.Context, d *desk) (any, error) {
			return d.Invites.Accept(ctx, d.User("stranger").ID, d.link.Token)
		}),
		writes("invite.Ask", func(ctx context.Context, d *desk) (any, error) {
			return d.Invites.Ask(ctx, d.User("stranger").ID, d.alice.Team)
		}),
		writes("invite.AcceptRequest", func(ctx context.Context, d *desk) (any, error) {
			return d.Invites.AcceptRequest(ctx, d.alice, d.request.ID, rbac.Member)
		}),
		writes("invite.DeclineRequest", func(ctx context.Context, d *desk) (any, error) {
			return d.Invites.DeclineRequest(ctx, d.alice, d.request.ID)
		}),
		writes("invite.WithdrawRequest", func(ctx context.Context, d *desk) (any, error) {
			return d.Invites.WithdrawRequest(ctx, d.request.Inviter, d.alice.Team, d.request.ID)
		}),
		reads("invite.MyRequests", func(ctx context.Context, d *desk) (any, error) {
			return d.Invites.MyRequests(ctx, d.request.Inviter, tenancy.Page{})
		}),
		writes("invite.Offer", func(ctx context.Context, d *desk) (any, error) {
			return d.Invites.Offer(ctx, d.Holder("initech"), "new@new.example")
		}),
		writes("invite.ResendOffer", func(ctx context.Context, d *desk) (any, error) {
			return d.Invites.ResendOffer(ctx, d.holder(), d.offer.ID)
		}),
		writes("invite.RevokeOffer", func(ctx context.Context, d *desk) (any, error) {
			return d.Invites.RevokeOffer(ctx, d.holder(), d.offer.ID)
		}),
		writes("invite.Create, in a role", func(ctx context.Context, d *desk) (any, error) {
			return d.Invites.Create(ctx, d.alice, invite.ToTeamAs("new@new.example", d.unused.ID))
		}),
		writes("invite.Create, in place of a pending one", func(ctx context.Context, d *desk) (any, error) {
			return d.Invites.Create(ctx, d.alice, invite.ToTeam(ushertest.Email("paula"), rbac.Manager, invite.IfPending(invite.Replace)))
		}),
		sweeps("invite.Sweep", func(ctx context.Context, d *desk) (any, error) { return d.Invites.Sweep(ctx, ushertest.System) }),
		keyless("invite.ExpireOffer", func(ctx context.Context, d *desk) (any, error) {
			return d.Invites.ExpireOffer(ctx, ushertest.System, d.lapsedOffer.Account, d.lapsedOffer.ID)
		}),
		writes("invite.Accept, of an account", func(ctx context.Context, d *desk) (any, error) {
			return d.Invites.Accept(ctx, d.User("olga").ID, d.forOlga)
		}),
		writes("invite.Decline, of an account", func(ctx context.Context, d *desk) (any, error) {
			return d.Invites.Decline(ctx, d.User("olga").ID, d.forOlga)
		}),
		reads("invite.Offers", func(ctx context.Context, d *desk) (any, error) {
			return d.Invites.Offers(ctx, d.holder(), tenancy.Page{})
		}),
		reads("tenancy.AccountByID", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.AccountByID(ctx, ushertest.System, d.holder().Account)
		}),
		reads("tenancy.TeamsByAccount", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.TeamsByAccount(ctx, ushertest.System, d.holder().Account, tenancy.Page{})
		}),
		reads("Usher.Doctor", func(ctx context.Context, d *desk) (any, error) {
			found := 0
			for _, err := range d.Doctor(ctx, ushertest.System) {
				if err != nil {
					return nil, err
				}
				found++
			}
			return found, nil
		}),

		writes("conversation.Receive", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.Receive(ctx, ushertest.System, conversation.Inbound{To: d.TeamNamed("Sales").Identity, From: "new", ID: "new", Text: "Hi"})
		}),
		writes("conversation.Receive, in a closed one", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.Receive(ctx, ushertest.System, conversation.Inbound{To: d.TeamNamed("Sales").Identity, From: "closed", ID: "new", Text: "Hi"})
		}),
		writes("conversation.Send", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.Send(ctx, d.bob, d.plain, "Hello")
		}),
		writes("conversation.Note", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.Note(ctx, d.bob, d.plain, "Hello")
		}),
		writes("conversation.Type", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.Type(ctx, d.bob, d.plain, "Hello")
		}),
		writes("conversation.Type, of a command", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.Type(ctx, d.bob, d.plain, "^close")
		}),
		reads("conversation.Preview", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.Preview(ctx, d.bob, d.plain, "Hello")
		}),
		reads("conversation.Preview, of a command", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.Preview(ctx, d.bob, d.plain, "^deliver Hiring status:Archived")
		}),
		reads("conversation.Complete", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.Complete(ctx, d.bob, d.plain, "^deliver ", 9)
		}),
		reads("conversation.Responses", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.Responses(ctx, d.bob, d.plain, conversation.WorkingHours)
		}),
		writes("conversation.Assign", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.Assign(ctx, d.bob, d.plain, d.bob.User)
		}),
		refuses("conversation.Assign, of a taken one", tenancy.ErrConflict, func(ctx context.Context, d *desk) (any, error) {
			_, err := d.Conversations.Assign(ctx, d.bob, d.taken, d.bob.User)
			return nil, err
		}),
		writes("conversation.AssignNext", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.AssignNext(ctx, d.bob, d.plain, conversation.RoundRobin)
		}),
		refuses("conversation.AssignNext, of a taken one", tenancy.ErrConflict, func(ctx context.Context, d *desk) (any, error) {
			_, err := d.Conversations.AssignNext(ctx, d.bob, d.taken, conversation.RoundRobin)
			return nil, err
		}),
		writes("conversation.TakeOver", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.TakeOver(ctx, d.bob, d.taken, d.bob.User)
		}),
		writes("conversation.Claim", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.Claim(ctx, d.bob, d.plain)
		}),
		writes("conversation.Release", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.Release(ctx, d.tim, d.taken)
		}),
		writes("conversation.Skip", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.Skip(ctx, d.tim, d.taken, conversation.SkipLater, 0)
		}),
		writes("conversation.Next", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.Next(ctx, d.bob, conversation.AgentQueue)
		}),
		writes("conversation.Next, of who has some in hand", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.Next(ctx, d.tim, conversation.AgentQueue)
		}),
		sweeps("conversation.EndClaims", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.EndClaims(ctx, ushertest.System)
		}),
		writes("conversation.Unassign", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.Unassign(ctx, d.bob, d.taken)
		}),
		writes("conversation.Deliver", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.Deliver(ctx, d.bob, d.plain, conversation.ToUser(d.alice.User), conversation.Outcome{Status: conversation.NotQualified})
		}),
		writes("conversation.Deliver, to an e-mail", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.Deliver(ctx, d.bob, d.plain, conversation.ToEmail("new@new.example"), conversation.Outcome{})
		}),
		writes("conversation.Deliver, to a team", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.Deliver(ctx, d.bob, d.moving, conversation.ToTeam(d.TeamNamed("Hiring").ID), conversation.Outcome{})
		}),
		writes("conversation.Close", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.Close(ctx, d.bob, d.plain, conversation.NotInterested)
		}),
		writes("conversation.Post", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.Post(ctx, ushertest.System, d.plain, conversation.AutomaticMessage, "We are closed until nine.")
		}),
		writes("conversation.EditMessage", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.EditMessage(ctx, d.bob, d.spoken, d.said, "Good evening")
		}),
		writes("conversation.DeleteMessage", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.DeleteMessage(ctx, d.alice, d.spoken, d.said)
		}),
		writes("conversation.Receipt", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.Receipt(ctx, ushertest.System, conversation.Receipt{Message: d.handed, Status: conversation.StatusDelivered})
		}),
		writes("conversation.Open", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.Open(ctx, d.bob, d.closed)
		}),
		writes("conversation.Open, of a snoozed one", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.Open(ctx, d.bob, d.snoozed)
		}),
		writes("conversation.Receive, in a snoozed one", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.Receive(ctx, ushertest.System, conversation.Inbound{To: d.TeamNamed("Sales").Identity, From: "snoozed-2", ID: "new", Text: "Hi"})
		}),
		writes("conversation.Snooze", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.Snooze(ctx, d.bob, d.plain, d.Clock.Now().Add(time.Hour))
		}),
		writes("conversation.Start", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.Start(ctx, d.bob, "new")
		}),
		writes("conversation.Start, of a closed one", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.Start(ctx, d.bob, "closed")
		}),
		writes("conversation.Deliver, to who is asked", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.Deliver(ctx, d.bob, d.plain, conversation.ToUser(d.alice.User), conversation.Outcome{}, conversation.AskAcceptance(0))
		}),
		writes("conversation.AcceptDelivery", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.AcceptDelivery(ctx, d.alice, d.toAlice)
		}),
		writes("conversation.AcceptDelivery, of a team", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.AcceptDelivery(ctx, d.Actor("dana", "Hiring"), d.toHiring)
		}),
		writes("conversation.DeclineDelivery", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.DeclineDelivery(ctx, d.alice, d.toAlice, "not mine")
		}),
		writes("conversation.CancelDelivery", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.CancelDelivery(ctx, d.bob, d.toHiring)
		}),
		sweeps("conversation.ExpireDeliveries", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.ExpireDeliveries(ctx, ushertest.System)
		}),
		reads("conversation.Inbox", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.Inbox(ctx, d.alice, tenancy.Page{})
		}),
		sweeps("conversation.Wake", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.Wake(ctx, ushertest.System)
		}),
		sweeps("conversation.ExpireGuests", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.ExpireGuests(ctx, ushertest.System)
		}),
		sweeps("conversation.CloseIdle", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.CloseIdle(ctx, ushertest.System)
		}),
		writes("conversation.EditContact", func(ctx context.Context, d *desk) (any, error) {
			name, email := "Vera", "vera@vera.example"
			return d.Conversations.EditContact(ctx, d.bob, d.plain, conversation.ContactEdit{Name: &name, Email: &email})
		}),
		writes("conversation.Apply", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.Apply(ctx, d.bob, d.plain, conversation.ApplicationDetails{Job: "Welder"})
		}),
		writes("conversation.EditApplication", func(ctx context.Context, d *desk) (any, error) {
			job := "Welder"
			return d.Conversations.EditApplication(ctx, d.bob, d.plain, d.applied, conversation.ApplicationEdit{Job: &job})
		}),
		writes("conversation.SetApplicationStatus", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.SetApplicationStatus(ctx, d.bob, d.plain, d.applied, conversation.Qualified)
		}),
		writes("conversation.RecordApplication", func(ctx context.Context, d *desk) (any, error) {
			r := d.recorded("Fair")
			r.Status = conversation.Qualified
			return d.Conversations.RecordApplication(ctx, ushertest.System, r)
		}),
		writes("conversation.RecordApplication, of a new contact", func(ctx context.Context, d *desk) (any, error) {
			r := d.recorded("Fair")
			r.From, r.ExternalID = "unheard-of", "ats-2"
			return d.Conversations.RecordApplication(ctx, ushertest.System, r)
		}),
		writes("conversation.OptOut", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.OptOut(ctx, d.bob, d.plain, "said so on the phone")
		}),
		writes("conversation.OptIn", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.OptIn(ctx, d.bob, d.closed, "changed their mind")
		}),
		writes("conversation.MarkRead", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.MarkRead(ctx, d.bob, d.plain, 1)
		}),
		writes("conversation.MarkUnread", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.MarkUnread(ctx, d.bob, d.closed, 1)
		}),
		writes("conversation.RevokeGuest", func(ctx context.Context, d *desk) (any, error) {
			return nil, d.Conversations.RevokeGuest(ctx, d.bob, d.moving, d.gina.User)
		}),

		reads("Usher.Check", func(ctx context.Context, d *desk) (any, error) { return nil, d.Check(ctx, d.bob, rbac.ListMembers) }),
		reads("tenancy.Check", func(ctx context.Context, d *desk) (any, error) {
			return nil, d.Tenancy.Check(ctx, d.bob, rbac.ListMembers)
		}),
		reads("tenancy.Standing", func(ctx context.Context, d *desk) (any, error) { return d.Tenancy.Standing(ctx, d.bob) }),
		reads("tenancy.User", func(ctx context.Context, d *desk) (any, error) { return d.Tenancy.User(ctx, d.bob.User) }),
		reads("tenancy.Team", func(ctx context.Context, d *desk) (any, error) { return d.Tenancy.Team(ctx, d.bob) }),
		reads("tenancy.TeamByName", func(ctx context.Context, d *desk) (any, error) { return d.Tenancy.TeamByName(ctx, d.bob, "hiring") }),
		reads("tenancy.TeamByIdentity", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.TeamByIdentity(ctx, ushertest.System, d.TeamNamed("Sales").Identity)
		}),
		reads("tenancy.TeamByID", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.TeamByID(ctx, ushertest.System, d.bob.Team)
		}),
		reads("tenancy.MyTeams", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.MyTeams(ctx, d.bob.User, tenancy.Page{})
		}),
		reads("tenancy.JoinableTeams", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.JoinableTeams(ctx, d.request.Inviter, tenancy.Page{})
		}),
		reads("tenancy.Members", func(ctx context.Context, d *desk) (any, error) { return d.Tenancy.Members(ctx, d.bob, tenancy.Page{}) }),
		reads("tenancy.MembersByEmail", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.MembersByEmail(ctx, d.bob, ushertest.Email("alice"))
		}),
		reads("tenancy.MemberByEmail", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.MemberByEmail(ctx, d.bob, ushertest.Email("alice"))
		}),
		reads("tenancy.Audit", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.Audit(ctx, d.alice, tenancy.AuditFilter{}, tenancy.Page{Limit: 3})
		}),
		reads("tenancy.Account", func(ctx context.Context, d *desk) (any, error) { return d.Tenancy.Account(ctx, d.holder()) }),
		reads("tenancy.MyAccounts", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.MyAccounts(ctx, d.holder().User, tenancy.Page{})
		}),
		reads("tenancy.Teams", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.Teams(ctx, d.holder(), tenancy.Page{})
		}),
		reads("tenancy.SeatsTaken", func(ctx context.Context, d *desk) (any, error) { return d.Tenancy.SeatsTaken(ctx, d.holder()) }),
		reads("tenancy.AccountRoles", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.AccountRoles(ctx, d.holder())
		}),
		reads("tenancy.AccountRole", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.AccountRole(ctx, d.holder(), d.lead.ID)
		}),
		reads("tenancy.Roles", func(ctx context.Context, d *desk) (any, error) { return d.Tenancy.Roles(ctx, d.bob) }),
		reads("tenancy.Can", func(ctx context.Context, d *desk) (any, error) { return d.Tenancy.Can(ctx, d.bob, rbac.ListMembers) }),
		reads("tenancy.Explain", func(ctx context.Context, d *desk) (any, error) {
			why, err := d.Tenancy.Explain(ctx, d.bob, rbac.ListMembers, rbac.ByTeam)
			return why.String(), err
		}),
		reads("tenancy.Capabilities", func(ctx context.Context, d *desk) (any, error) { return d.Tenancy.Capabilities(ctx, d.alice) }),
		reads("tenancy.CapabilitiesOn", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.CapabilitiesOn(ctx, d.alice, d.bob.User)
		}),
		reads("tenancy.Diagnose", func(ctx context.Context, d *desk) (any, error) {
			found := 0
			for _, err := range d.Tenancy.Diagnose(ctx, ushertest.System, tenancy.Flaws()...) {
				if err != nil {
					return nil, err
				}
				found++
			}
			return found, nil
		}),
		reads("invite.Inspect", func(ctx context.Context, d *desk) (any, error) {
			return d.Invites.Inspect(ctx, ushertest.System, d.alice.Team, d.pending)
		}),
		reads("invite.InspectOffer", func(ctx context.Context, d *desk) (any, error) {
			return d.Invites.InspectOffer(ctx, ushertest.System, d.holder().Account, d.offer.ID)
		}),
		reads("invite.History", func(ctx context.Context, d *desk) (any, error) { return d.Invites.History(ctx, d.alice, d.pending) }),
		reads("tenancy.RolesByAccount", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.RolesByAccount(ctx, ushertest.System, d.holder().Account)
		}),
		reads("tenancy.RoleByID", func(ctx context.Context, d *desk) (any, error) {
			return d.Tenancy.RoleByID(ctx, ushertest.System, d.holder().Account, d.lead.ID)
		}),
		reads("invite.Preview", func(ctx context.Context, d *desk) (any, error) { return d.Invites.Preview(ctx, d.forPaula) }),
		reads("invite.Get", func(ctx context.Context, d *desk) (any, error) { return d.Invites.Get(ctx, d.alice, d.pending) }),
		reads("invite.List", func(ctx context.Context, d *desk) (any, error) {
			return d.Invites.List(ctx, d.alice, invite.Filter{}, tenancy.Page{})
		}),
		reads("conversation.Check", func(ctx context.Context, d *desk) (any, error) {
			return nil, d.Conversations.Check(ctx, d.gina, d.moving, rbac.SendMessage)
		}),
		reads("Usher.Can", func(ctx context.Context, d *desk) (any, error) { return d.Can(ctx, d.bob, rbac.ListMembers) }),
		reads("Usher.Explain", func(ctx context.Context, d *desk) (any, error) {
			why, err := d.Explain(ctx, d.bob, rbac.ListMembers)
			return why.String(), err
		}),
		reads("Usher.Capabilities", func(ctx context.Context, d *desk) (any, error) { return d.Capabilities(ctx, d.alice) }),
		reads("conversation.Can", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.Can(ctx, d.gina, d.moving, rbac.SendMessage)
		}),
		reads("conversation.Explain", func(ctx context.Context, d *desk) (any, error) {
			why, err := d.Conversations.Explain(ctx, d.gina, d.moving, rbac.SendMessage)
			return why.String(), err
		}),
		reads("conversation.Capabilities", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.Capabilities(ctx, d.gina, d.moving)
		}),
		reads("conversation.Scope", func(ctx context.Context, d *desk) (any, error) { return d.Conversations.Scope(ctx, d.gina) }),
		reads("conversation.Get", func(ctx context.Context, d *desk) (any, error) { return d.Conversations.Get(ctx, d.gina, d.moving) }),
		reads("conversation.List", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.List(ctx, d.gina, conversation.Filter{}, tenancy.Page{})
		}),
		reads("conversation.Messages", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.Messages(ctx, d.bob, d.moving, 0, 0)
		}),
		reads("conversation.MessagesBefore", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.MessagesBefore(ctx, d.gina, d.moving, 0, 0)
		}),
		reads("conversation.Watch", func(ctx context.Context, d *desk) (any, error) {
			for update, err := range d.Conversations.Watch(ctx, d.bob, d.moving, 0) {
				return update, err
			}
			return nil, nil
		}),
		keyless("conversation.WatchTeam", func(ctx context.Context, d *desk) (any, error) {
			for update, err := range d.Conversations.WatchTeam(ctx, d.bob, "") {
				return update, err
			}
			return nil, nil
		}),
		keyless("conversation.TeamPosition", func(ctx context.Context, d *desk) (any, error) { return d.Conversations.TeamPosition(ctx, d.bob) }),
		reads("conversation.Search", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.Search(ctx, d.bob, "good morning", tenancy.Page{})
		}),
		reads("conversation.Contact", func(ctx context.Context, d *desk) (any, error) { return d.Conversations.Contact(ctx, d.bob, d.moving) }),
		reads("conversation.OptOutOf", func(ctx context.Context, d *desk) (any, error) { return d.Conversations.OptOutOf(ctx, d.bob, d.closed) }),
		reads("conversation.ReadMark", func(ctx context.Context, d *desk) (any, error) { return d.Conversations.ReadMark(ctx, d.bob, d.closed) }),
		reads("conversation.Unread", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.Unread(ctx, d.bob, d.plain, d.closed)
		}),
		reads("conversation.Guests", func(ctx context.Context, d *desk) (any, error) { return d.Conversations.Guests(ctx, d.bob, d.moving) }),
		reads("conversation.History", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.History(ctx, d.bob, d.promised)
		}),
		reads("conversation.Applications", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.Applications(ctx, d.bob, d.plain, tenancy.Page{})
		}),
		reads("conversation.ActiveApplication", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.ActiveApplication(ctx, d.bob, d.plain)
		}),
		reads("conversation.Episodes", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.Episodes(ctx, d.bob, d.closed, 0, 0)
		}),
		reads("conversation.Deliveries", func(ctx context.Context, d *desk) (any, error) {
			return d.Conversations.Deliveries(ctx, d.bob, tenancy.Page{})
		}),
	}
}

// parts are the methods that run inside the transaction of an operation, and fail with it.
var parts = []string{
	"tenancy.Lock", "tenancy.LockTeams", "tenancy.LockAccount", "tenancy.Enter", "tenancy.EnterAccount", "tenancy.Seat",
	"tenancy.EnterTeams", "tenancy.SeatsFor", "tenancy.Overbook", "tenancy.NamesOf", "tenancy.Able", "tenancy.ActiveIn",
	"tenancy.ArriveAtAccount", "tenancy.EnterTransfer", "tenancy.TransferAccount",
	"invite.Erase", "conversation.Archive", "conversation.Erase", "tenancy.Arrive", "invite.Depart", "invite.Withdraw",
	"conversation.Depart", "conversation.Settle", "conversation.Offer", "conversation.Admitted", "conversation.Seen", "tenancy.MembersIn",
}

func TestEveryOperationIsFaulted(t *testing.T) {
	known := map[string]bool{}
	for _, op := range operations() {
		known[strings.Split(op.name, ",")[0]] = true
	}
	for _, name := range parts {
		known[name] = true
	}
	ctx := reflect.TypeFor[context.Context]()
	for room, service := range map[string]reflect.Type{
		"Usher": reflect.TypeFor[*usher.Usher](), "tenancy": reflect.TypeFor[*tenancy.Service](),
		"invite": reflect.TypeFor[*invite.Service](), "conversation": reflect.TypeFor[*conversation.Service](),
	} {
		for i := range service.NumMethod() {
			if m := service.Method(i); m.Type.NumIn() > 1 && m.Type.In(1) == ctx {
				assert.True(t, known[room+"."+m.Name], "%s.%s is not in operations", room, m.Name)
			}
		}
	}
}
