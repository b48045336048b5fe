package invite_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/tenancy"
)

// onEach runs a test in a new world on each of the stores.
func onEach(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	everystore.Run(t, func(t *testing.T, open func(t *testing.T) storage.Store) { test(t, newWorld(t, open(t))) })
}

const host = tenancy.System("test")

var (
	policy = sync.OnceValues(func() (*rbac.Policy, error) { return rbac.NewPolicy() })
	start  = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
)

// clock is the time of a world, which moves only by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Set(to time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = to
}

func (c *clock) Advance(d time.Duration) { c.Set(c.Now().Add(d)) }

// world is two accounts that know nothing of each other, with the same names and as much data.
type world struct {
	t       *testing.T
	ctx     context.Context
	store   storage.Store
	clock   *clock
	people  *tenancy.Service
	invites *invite.Service
	desk    *desk
	mail    *invite.Captured
	sink    outbox.Sink
	relay   *outbox.Relay
	heard   *recorder
	ear     *outbox.Relay

	acme, globex side
}

// side is one account with a team, its people, and a conversation.
type side struct {
	domain       string
	account      tenancy.Account
	team         tenancy.Team
	alice, mike  tenancy.Actor // manager, member
	gina         tenancy.Actor // a guest, Restricted
	conversation tenancy.ConversationID
}

const linkBase = "https://app.acme.example/join"

func newWorld(t *testing.T, store storage.Store) *world {
	t.Helper()
	w := &world{t: t, ctx: t.Context(), store: store, clock: &clock{now: start}, mail: &invite.Captured{}}
	w.wire()
	var acme, globex side
	w.heard = &recorder{}
	w.ear = outbox.NewRelay(store, outbox.Sinks{"ear": w.heard}, outbox.WithClock(w.clock.Now))
	// One transaction for all of it: a database commits some twenty times slower than it writes.
	require.NoError(t, store.InTx(w.ctx, func(ctx context.Context) error {
		w := w.in(t)
		w.ctx = ctx
		acme, globex = w.side("acme.example", 0), w.side("globex.example", 1)
		return nil
	}))
	w.acme, w.globex = acme, globex
	return w
}

// env tells the mailer of what it asks for, and the ear of everything.
func (w *world) env() tenancy.Env {
	return tenancy.Env{Clock: w.clock.Now, Lanes: outbox.Lanes{invite.MailLane: invite.Mailed(), "ear": nil}}
}

// wire makes the services on the world's store.
func (w *world) wire() {
	w.t.Helper()
	env := w.env()
	rules, err := policy()
	require.NoError(w.t, err)
	w.people, err = tenancy.New(w.store, rules, env)
	require.NoError(w.t, err)
	w.invites, err = invite.New(w.store, w.people, rules, env, invite.Limits{})
	require.NoError(w.t, err)
	w.desk = &desk{people: w.people}
	w.invites.Bind(w.desk)
	base, err := invite.ParseLinkBase(linkBase)
	require.NoError(w.t, err)
	w.sink = w.invites.Mailing(w.mail, base)
	w.relay = outbox.NewRelay(w.store, outbox.Sinks{invite.MailLane: w.sink}, outbox.WithClock(w.clock.Now))
}

// on is the same world seen through another handle on its data, by services of its own.
func (w *world) on(store storage.Store) *world {
	w.t.Helper()
	other := *w
	other.store = store
	other.wire()
	for _, s := range []side{w.acme, w.globex} {
		other.desk.open(s.team.ID, s.conversation)
	}
	return &other
}

func (w *world) side(domain string, number int) side {
	w.t.Helper()
	s := side{domain: domain}
	alice := w.user("alice@" + domain)
	account, err := w.people.CreateAccount(w.ctx, alice.ID, "Staffing")
	require.NoError(w.t, err)
	s.account = account
	s.team, err = w.people.CreateTeam(w.ctx, account.Holder(alice.ID), tenancy.TeamSpec{Name: "Sales"})
	require.NoError(w.t, err)
	s.alice = tenancy.Actor{User: alice.ID, Team: s.team.ID}
	s.mike = w.admit(s, "mike@"+domain, rbac.Member)
	s.gina = w.admit(s, "gina@"+domain, rbac.Restricted)
	s.conversation = w.conversation(s, fmt.Sprintf("+1555010000%d", number))
	w.desk.open(s.team.ID, s.conversation)
	return s
}

// in is the same world for a part of a test.
func (w *world) in(t *testing.T) *world {
	part := *w
	part.t = t
	return &part
}

// user registers someone whose address is verified.
func (w *world) user(email string) tenancy.User {
	w.t.Helper()
	u, err := w.people.Register(w.ctx, host, tenancy.Profile{ExternalID: "idp|" + email, Email: email, Verified: true, Name: "Same Name"})
	require.NoError(w.t, err)
	return u
}

func (w *world) admit(s side, email string, role rbac.Role) tenancy.Actor {
	w.t.Helper()
	u := w.user(email)
	_, err := w.people.Admit(w.ctx, host, tenancy.Admission{Team: s.team.ID, User: u.ID, Role: role})
	require.NoError(w.t, err)
	return tenancy.Actor{User: u.ID, Team: s.team.ID}
}

// conversation writes a contact and a conversation by hand, since their room is a later one.
func (w *world) conversation(s side, number string) tenancy.ConversationID {
	w.t.Helper()
	env := w.env()
	contact := conversation.Contact{
		ID: tenancy.NewID[tenancy.ContactID](env), Team: s.team.ID, Channel: tenancy.PhoneChannel,
		Address: number, Name: "Candidate", CreatedAt: start, Version: 1,
	}
	c := conversation.Conversation{
		ID: tenancy.NewID[tenancy.ConversationID](env), Account: s.account.ID, Team: s.team.ID, Contact: contact.ID,
		Identity: tenancy.Phone("+15550100"), Address: number, Status: conversation.Open, Label: conversation.Label("New"),
		LastAt: start, CreatedAt: start, Version: 1,
	}
	require.NoError(w.t, w.store.InTx(w.ctx, func(ctx context.Context) error {
		if err := w.store.InsertContact(ctx, contact); err != nil {
			return err
		}
		return w.store.InsertConversation(ctx, c)
	}))
	return c.ID
}

// drain mails all that is due.
func (w *world) drain() {
	w.t.Helper()
	_, err := w.relay.Drain(w.ctx)
	require.NoError(w.t, err)
}

// invite creates an invitation and reads its token from the mail.
func (w *world) invite(actor tenancy.Actor, r invite.Request) (invite.Invitation, invite.Token) {
	w.t.Helper()
	inv, err := w.invites.Create(w.ctx, actor, r)
	require.NoError(w.t, err)
	return inv, w.token(inv)
}

// token has the invitation's newest mail built, as the relay would, and reads the token from it.
func (w *world) token(inv invite.Invitation) invite.Token {
	w.t.Helper()
	for _, e := range w.history(inv) {
		if e.Kind == invite.InvitationCreated || e.Kind == invite.InvitationResent {
			require.NoError(w.t, w.sink.Deliver(w.ctx, e))
			break
		}
	}
	m := w.mail.Last(inv.Email.Display)
	require.Equal(w.t, inv.ID, m.Invitation)
	return m.Token
}

// history lists the events of an invitation, newest first. What it costs does not grow with what has
// happened to others, which the rounds of a race need.
func (w *world) history(inv invite.Invitation) []outbox.Event {
	w.t.Helper()
	events, err := w.store.InvitationEvents(w.ctx, inv, 100)
	require.NoError(w.t, err)
	return events
}

// stored is the row as it is.
func (w *world) stored(inv invite.Invitation) invite.Record {
	w.t.Helper()
	if inv.Kind == invite.ToOneAccount {
		offers, err := w.store.Offers(w.ctx, inv.Account, tenancy.Keyset{Limit: 100})
		require.NoError(w.t, err)
		at := slices.IndexFunc(offers, func(r invite.Record) bool { return r.ID == inv.ID })
		require.GreaterOrEqual(w.t, at, 0)
		return offers[at]
	}
	r, err := w.store.Invitation(w.ctx, inv.Team, inv.ID)
	require.NoError(w.t, err)
	return r
}

// holderOf is who holds the account now.
func (w *world) holderOf(account tenancy.AccountID) tenancy.UserID {
	w.t.Helper()
	a, err := w.store.Account(w.ctx, account)
	require.NoError(w.t, err)
	return a.HeldBy
}

// member reads a membership; the zero one if there is none.
func (w *world) member(s side, user tenancy.UserID) tenancy.Membership {
	w.t.Helper()
	m, err := w.store.Membership(w.ctx, s.team.ID, user)
	if err != nil {
		require.ErrorIs(w.t, err, tenancy.ErrNotFound)
	}
	return m
}

// events lists the kinds of the team's events, oldest first.
func (w *world) events(s side) []string {
	w.t.Helper()
	log := w.log(s.team.ID)
	kinds := make([]string, len(log))
	for i, e := range log {
		kinds[len(log)-1-i] = e.Kind
	}
	return kinds
}

// log lists the team's events, newest first.
func (w *world) log(team tenancy.TeamID) []outbox.Event {
	w.t.Helper()
	log, err := w.store.TeamEvents(w.ctx, team.UUID(), outbox.LogFilter{}, time.Time{}, uuid.Nil, 100_000)
	require.NoError(w.t, err)
	return log
}

// newest is the latest event of a kind, with its facts.
func (w *world) newest(s side, kind string) (outbox.Event, tenancy.Facts) {
	w.t.Helper()
	for _, e := range w.log(s.team.ID) {
		if e.Kind == kind {
			var facts tenancy.Facts
			require.NoError(w.t, json.Unmarshal(e.Payload, &facts))
			return e, facts
		}
	}
	require.Fail(w.t, "no event "+kind)
	return outbox.Event{}, nil
}

// picture is all that invitations can change on one side.
type picture struct {
	Invitations []invite.Record
	Members     []tenancy.Member
	Events      []outbox.Event
	Settled     []invite.Invitation
}

func (w *world) picture(s side) picture {
	w.t.Helper()
	var p picture
	var err error
	p.Invitations, err = w.store.Invitations(w.ctx, s.team.ID, invite.Filter{}, tenancy.Keyset{Limit: 10_000})
	require.NoError(w.t, err)
	p.Members, err = w.store.Members(w.ctx, s.team.ID, tenancy.Keyset{Limit: 10_000})
	require.NoError(w.t, err)
	p.Events = w.log(s.team.ID)
	p.Settled = w.desk.settled(s.team.ID)
	return p
}

// freezes are the ways in which a side can only be read, each with the way back; a closed account
// has none.
var freezes = map[string]struct {
	freeze, thaw func(w *world, s side) error
	want         error
}{
	"suspended account": {
		func(w *world, s side) error { _, err := w.people.SuspendAccount(w.ctx, host, s.account.ID); return err },
		func(w *world, s side) error {
			_, err := w.people.ReactivateAccount(w.ctx, host, s.account.ID)
			return err
		},
		tenancy.ErrAccountInactive,
	},
	"closed account": {
		func(w *world, s side) error { _, err := w.people.CloseAccount(w.ctx, s.holder()); return err }, nil,
		tenancy.ErrAccountInactive,
	},
	"archived team": {
		func(w *world, s side) error {
			_, err := w.people.Archive(w.ctx, s.alice, tenancy.Leftovers{})
			return err
		},
		func(w *world, s side) error { _, err := w.people.Restore(w.ctx, s.alice); return err },
		tenancy.ErrTeamArchived,
	},
}

// holder is who holds the side's account from the start.
func (s side) holder() tenancy.Holder { return s.account.Holder(s.alice.User) }

// configure sets the policies of a side's team.
func (w *world) configure(s side, settings tenancy.Settings) {
	w.t.Helper()
	_, err := w.people.Configure(w.ctx, s.alice, settings)
	require.NoError(w.t, err)
}

// accountLog lists the events of an account as a whole, oldest first.
func (w *world) accountLog(account tenancy.AccountID) []outbox.Event {
	w.t.Helper()
	_, err := w.ear.Drain(w.ctx)
	require.NoError(w.t, err)
	w.heard.mu.Lock()
	defer w.heard.mu.Unlock()
	var of []outbox.Event
	for _, e := range w.heard.events {
		if e.Stream == (outbox.Stream{Kind: outbox.AccountStream, ID: account.UUID()}) {
			of = append(of, e)
		}
	}
	return of
}

// recorder keeps the events that it is handed.
type recorder struct {
	mu     sync.Mutex
	events []outbox.Event
}

func (r *recorder) Deliver(_ context.Context, e outbox.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
	return nil
}

func kinds(events []outbox.Event) []string {
	list := make([]string, len(events))
	for i, e := range events {
		list[i] = e.Kind
	}
	return list
}

// setMember changes a row as no operation does.
func (w *world) setMember(s side, user tenancy.UserID, change func(*tenancy.Membership)) {
	w.t.Helper()
	require.NoError(w.t, w.store.InTx(w.ctx, func(ctx context.Context) error {
		if _, err := w.store.LockTeam(ctx, s.team.ID); err != nil {
			return err
		}
		m, err := w.store.Membership(ctx, s.team.ID, user)
		if err != nil {
			return err
		}
		change(&m)
		return w.store.UpdateMembership(ctx, m)
	}))
}

// suspendUser changes what only the host can: the user as a whole.
func (w *world) suspendUser(id tenancy.UserID) {
	w.t.Helper()
	require.NoError(w.t, w.store.InTx(w.ctx, func(ctx context.Context) error {
		u, err := w.store.LockUser(ctx, id)
		if err != nil {
			return err
		}
		u.Status = tenancy.UserSuspended
		return w.store.UpdateUser(ctx, u)
	}))
}

// desk stands in for the room of the conversations: it lets all members of the owning team offer,
// and admits who accepted.
type desk struct {
	people *tenancy.Service

	mu      sync.Mutex
	owner   map[tenancy.ConversationID]tenancy.TeamID
	refuse  error
	heard   []invite.Invitation
	guests  map[tenancy.UserID][]tenancy.ConversationID
	settleE error
}

func (d *desk) open(team tenancy.TeamID, c tenancy.ConversationID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.owner == nil {
		d.owner = make(map[tenancy.ConversationID]tenancy.TeamID)
	}
	d.owner[c] = team
}

// fail makes Offer and Settle answer errors; nil makes them work again.
func (d *desk) fail(offer, settle error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.refuse, d.settleE = offer, settle
}

func (d *desk) settled(team tenancy.TeamID) []invite.Invitation {
	d.mu.Lock()
	defer d.mu.Unlock()
	var of []invite.Invitation
	for _, inv := range d.heard {
		if inv.Team == team {
			of = append(of, inv)
		}
	}
	return of
}

func (d *desk) Offer(_ context.Context, actor tenancy.Actor, c tenancy.ConversationID) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.owner[c] != actor.Team {
		return tenancy.ErrNotFound
	}
	return d.refuse
}

func (d *desk) Admitted(_ context.Context, c tenancy.ConversationID, user tenancy.UserID) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Contains(d.guests[user], c), nil
}

// Seen lets everybody see everything.
func (d *desk) Seen(_ context.Context, _ tenancy.Standing, cs ...tenancy.ConversationID) ([]tenancy.ConversationID, error) {
	return cs, nil
}

func (d *desk) Settle(ctx context.Context, ended ...invite.Invitation) error {
	if inv := ended[0]; inv.State == invite.Accepted {
		if err := d.people.AdmitGuests(ctx, "invitation", inv.Team, inv.AcceptedBy); err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.settleE != nil {
		return d.settleE
	}
	d.heard = append(d.heard, ended...)
	if inv := ended[0]; inv.State == invite.Accepted {
		if d.guests == nil {
			d.guests = make(map[tenancy.UserID][]tenancy.ConversationID)
		}
		d.guests[inv.AcceptedBy] = append(d.guests[inv.AcceptedBy], inv.Conversation)
	}
	return nil
}
