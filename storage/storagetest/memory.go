package storagetest

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

func memoryCases() []testCase {
	return []testCase{
		{name: "memory of lists is the caller's", rule: ruleMemory, run: listMemoryCase},
		{name: "memory of what rows hold is the caller's", rule: ruleMemory, run: innerMemoryCase},
		{name: "memory of payloads is the caller's", rule: ruleMemory, covers: []string{"Append", "TeamEvents"}, run: payloadMemoryCase},
		{name: "memory of dead letters is the caller's", rule: ruleMemory, needs: Relaying, covers: []string{"Buried"}, run: deadMemoryCase},
		{name: "memory of leased events is the caller's", rule: ruleMemory, needs: Relaying, covers: []string{"Take"}, run: dueMemoryCase},
	}
}

// scribble overwrites what a list answered, and beyond it: a list that is a part of the
// store's own array has room behind its end.
func scribble[V any](list []V, err error) error {
	var zero V
	for i := range list {
		list[i] = zero
	}
	_ = append(list, zero)
	return err
}

func listMemoryCase(w *world) {
	t := w.town()
	before := w.state(t)
	s, ctx, page := w.store, w.ctx, tenancy.Keyset{Limit: 1}
	whole := tenancy.Keyset{Limit: 100}
	for _, err := range []error{
		scribble(s.Members(ctx, t.team.ID, page)), scribble(s.Members(ctx, t.team.ID, whole)),
		scribble(s.TeamsOf(ctx, t.member.User, whole)),
		scribble(s.AccountsOf(ctx, t.account.HeldBy, page)), scribble(s.TeamsIn(ctx, t.account.ID, page)),
		scribble(s.JoinableTeams(ctx, "join.example", t.newUser.ID, page)),
		scribble(s.MembershipsOf(ctx, t.member.User)), scribble(s.Lapsed(ctx, t.at, 1)),
		scribble(s.RolesIn(ctx, t.account.ID)), scribble(s.MembersWithRole(ctx, t.account.ID, t.role.ID)), scribble(s.LastingRoles(ctx, t.user.ID, t.team.ID)), scribble(s.Managed(ctx, tenancy.UserID{}, t.team.ID)),
		scribble(s.Teams(ctx, t.team.ID)), scribble(s.Accounts(ctx, t.account.ID)),
		scribble(s.Broken(ctx, tenancy.FlawNoManager, t.at, tenancy.Finding{}, 1)),
		scribble(s.Invitations(ctx, t.team.ID, invite.Filter{}, page)), scribble(s.Invitations(ctx, t.team.ID, invite.Filter{}, whole)),
		scribble(s.Uses(ctx, t.team.ID, t.link.ID, page)), scribble(s.RequestsOf(ctx, t.request.Inviter, page)),
		scribble(s.Batch(ctx, t.account.ID, t.batched.Batch)),
		scribble(s.PendingBy(ctx, actorsIn(t.team.ID, t.invitation.Inviter)...)), scribble(s.LapsedInvitations(ctx, t.at, page)),
		scribble(s.InvitationEvents(ctx, t.invitation.Invitation, 5)),
		scribble(s.Conversations(ctx, conversation.Scope{Team: t.team.ID}, conversation.Filter{}, page)),
		scribble(s.Conversations(ctx, conversation.Scope{Team: t.team.ID}, conversation.Filter{}, whole)),
		scribble(s.ConversationsByAddress(ctx, t.thread.Identity, t.thread.Address)),
		scribble(s.HeldBy(ctx, actorsIn(t.team.ID, t.delivery.By)...)),
		scribble(s.DeliveriesTo(ctx, t.team.ID, t.offered.Recipient.User, t.at, whole)),
		scribble(s.LapsedDeliveries(ctx, t.offered.Deadline, 10)),
		scribble(s.HeldBy(ctx, actorsIn(t.team.ID, t.thread.Assignee)...)),
		scribble(s.LapsedGrants(ctx, t.grant.ExpiresAt, 10)),
		scribble(s.HeldBy(ctx, actorsIn(t.team.ID, t.thread.Claimant)...)), scribble(s.ClaimsEnded(ctx, t.thread.ClaimedUntil, 5)),
		scribble(s.SnoozeEnded(ctx, t.at, 10)), scribble(s.Idle(ctx, t.at, 10)), scribble(s.Episodes(ctx, t.thread.ID, 0, 10)),
		scribble(s.Messages(ctx, t.thread.ID, conversation.Range{Notes: true, Limit: 100})),
		scribble(s.Search(ctx, t.team.ID, []conversation.Word{1}, true, whole)),
		scribble(s.Grants(ctx, t.thread.ID)), scribble(s.HeldBy(ctx, actorsIn(t.team.ID, t.grant.User)...)),
		scribble(s.Applications(ctx, t.team.ID, t.contact.ID, whole)),
		scribble(s.Deliveries(ctx, t.thread.ID)), scribble(s.DeliveriesOf(ctx, t.team.ID, whole)),
		scribble(s.TeamEvents(ctx, t.team.ID.UUID(), outbox.LogFilter{}, time.Time{}, uuid.Nil, 100)),
	} {
		w.must(err, "a list")
	}
	w.unchanged(t, before, "writing into the lists that the store answered")
	lists(w, []tenancy.ConversationID{t.thread.ID}, "HeldBy the assignee, after writing into its answer")(heldBy(ctx, s, t.team.ID, t.thread.Assignee))
	lists(w, []tenancy.ConversationID{t.thread.ID}, "HeldBy a guest, after writing into its answer")(heldBy(ctx, s, t.team.ID, t.grant.User))
	lists(w, []tenancy.InvitationID{t.invitation.ID}, "PendingBy after writing into its answer")(pendingBy(ctx, s, t.team.ID, t.invitation.Inviter))
}

// innerMemoryCase writes into the lists inside of rows: those that the store was given, and
// those that each of its methods answers.
func innerMemoryCase(w *world) {
	user := w.user().ID
	account := w.anAccount()
	account.HeldBy = user
	accounts().store(w, account)
	team := w.aTeam(account.ID)
	teams().store(w, team)
	role := w.aRole(account.ID)
	roles().store(w, role)
	m := w.aMembership(team.ID, user)
	m.Custom = role.ID
	memberships().store(w, m)

	c := w.conversation(team)
	message := w.found(team, c.ID, w.aMessage(c.ID, 1), 1)
	note := w.aMessage(c.ID, 2)
	words := []conversation.Word{2}
	w.found(team, c.ID, note, words...)
	words[0] = 3

	blotAccount := func(a tenancy.Account) {
		for i := range a.Services {
			a.Services[i].Key = "blot"
		}
	}
	blotTeam := func(t tenancy.Team) {
		for i := range t.Settings.Statuses {
			t.Settings.Statuses[i].Label = "blot"
		}
		for i := range t.Settings.DeliverTo {
			t.Settings.DeliverTo[i] = tenancy.TeamID{}
		}
		for _, domains := range [][]string{t.Settings.JoinDomains, t.Settings.InviteDomains} {
			for i := range domains {
				domains[i] = "blot.example"
			}
		}
	}
	blotRole := func(r tenancy.CustomRole) {
		for i := range r.Permissions {
			r.Permissions[i] = "blot"
		}
	}
	blotMessage := func(m conversation.Message) {
		for i := range m.Attachments {
			m.Attachments[i].Name = "blot"
		}
	}
	wantAccount, wantTeam, wantRole, wantMessage, wantNote := account, team, role, message, note
	wantMessage.Attachments, wantNote.Attachments = slices.Clone(message.Attachments), slices.Clone(note.Attachments)
	wantRole.Permissions = slices.Clone(role.Permissions)
	wantAccount.Services = slices.Clone(account.Services)
	wantTeam.Settings.Statuses = slices.Clone(team.Settings.Statuses)
	wantTeam.Settings.DeliverTo = slices.Clone(team.Settings.DeliverTo)
	wantTeam.Settings.JoinDomains = slices.Clone(team.Settings.JoinDomains)
	wantTeam.Settings.InviteDomains = slices.Clone(team.Settings.InviteDomains)
	blotAccount(account)
	blotTeam(team)
	blotRole(role)
	blotMessage(message)
	note.Text = "edited"
	wantNote.Text = note.Text
	w.tx("UpdateMessage", func(ctx context.Context) error { return w.store.UpdateMessage(ctx, note) })
	wantNote.Version++
	blotMessage(note)

	s, page := w.store, tenancy.Keyset{Limit: 1}
	for _, read := range []func(ctx context.Context) error{
		func(ctx context.Context) error { return blotOne(blotAccount)(s.Account(ctx, account.ID)) },
		func(ctx context.Context) error { return blotOne(blotAccount)(s.LockAccount(ctx, account.ID)) },
		func(ctx context.Context) error { return blotEach(blotAccount)(s.AccountsOf(ctx, user, page)) },
		func(ctx context.Context) error { return blotEach(blotAccount)(s.Accounts(ctx, account.ID)) },
		func(ctx context.Context) error { return blotOne(blotTeam)(s.Team(ctx, team.ID)) },
		func(ctx context.Context) error { return blotOne(blotTeam)(s.LockTeam(ctx, team.ID)) },
		func(ctx context.Context) error { return blotOne(blotTeam)(s.TeamByName(ctx, account.ID, team.NameKey)) },
		func(ctx context.Context) error { return blotOne(blotTeam)(s.TeamByIdentity(ctx, team.Identity)) },
		func(ctx context.Context) error { return blotEach(blotTeam)(s.TeamsIn(ctx, account.ID, page)) },
		func(ctx context.Context) error {
			return blotEach(blotTeam)(s.JoinableTeams(ctx, "join.example", tenancy.UserID{}, page))
		},
		func(ctx context.Context) error {
			return blotEach(func(t tenancy.TeamOfUser) {
				blotTeam(t.Team)
				blotRole(tenancy.CustomRole{Permissions: t.CustomPermissions})
			})(s.TeamsOf(ctx, user, page))
		},
		func(ctx context.Context) error { return blotOne(blotRole)(s.Role(ctx, account.ID, role.ID)) },
		func(ctx context.Context) error { return blotOne(blotMessage)(s.Message(ctx, c.ID, message.ID)) },
		func(ctx context.Context) error { return blotOne(blotMessage)(s.Message(ctx, c.ID, note.ID)) },
		func(ctx context.Context) error { return blotOne(blotMessage)(s.MessageByKey(ctx, message.Key)) },
		func(ctx context.Context) error {
			return blotEach(blotMessage)(s.Messages(ctx, c.ID, conversation.Range{Limit: 10}))
		},
		func(ctx context.Context) error {
			return blotEach(blotMessage)(s.Search(ctx, team.ID, []conversation.Word{1}, true, page))
		},
		func(ctx context.Context) error { return blotEach(blotRole)(s.RolesIn(ctx, account.ID)) },
		func(ctx context.Context) error {
			a, err := s.Authority(ctx, team.ID, user)
			blotRole(tenancy.CustomRole{Permissions: a.CustomPermissions})
			return err
		},
	} {
		w.tx("a transaction that reads", read)
		accounts().holds(w, wantAccount, "writing into what was given or answered")
		teams().holds(w, wantTeam, "writing into what was given or answered")
		roles().holds(w, wantRole, "writing into what was given or answered")
		messages().holds(w, wantMessage, "writing into what was given or answered")
		messages().holds(w, wantNote, "writing into what was given or answered")
		lists(w, []conversation.Message{wantNote}, "Search after writing into the words that were given")(
			s.Search(w.ctx, team.ID, []conversation.Word{2}, true, page))
	}
}

func blotOne[V any](blot func(V)) func(V, error) error {
	return func(v V, err error) error { blot(v); return err }
}

func blotEach[V any](blot func(V)) func([]V, error) error {
	return func(list []V, err error) error {
		for _, v := range list {
			blot(v)
		}
		return err
	}
}

func blot(payload []byte) {
	for i := range payload {
		payload[i] = 'X'
	}
}

func payloadMemoryCase(w *world) {
	team := w.team()
	e := w.aTeamEvent(team)
	want := e
	want.Payload, want.Sequence = slices.Clone(e.Payload), 1
	w.append(e)
	blot(e.Payload) // what was given
	lists(w, []outbox.Event{want}, "TeamEvents after writing into the payload that was appended")(w.history(w.ctx, team), nil)
	for _, got := range w.history(w.ctx, team) { // what was answered
		blot(got.Payload)
	}
	lists(w, []outbox.Event{want}, "TeamEvents after writing into the payload that it answered")(w.history(w.ctx, team), nil)
}

func dueMemoryCase(w *world) {
	e := w.queue(1, 1)[0][0]
	want := e
	want.Payload = slices.Clone(e.Payload)
	blot(e.Payload)
	now := w.now()
	for attempt := 1; attempt <= 2; attempt++ {
		due := w.take(now, 1)
		w.taken(due, attempt, now.Add(time.Minute), want)
		for _, d := range due {
			blot(d.Payload)
		}
		now = now.Add(time.Hour)
	}
}

func deadMemoryCase(w *world) {
	q := w.queue(1, 1)
	want := q[0][0]
	want.Payload = slices.Clone(want.Payload)
	letter := w.bury(w.take(w.now(), 1)[0])
	letter.Event = want
	for range 2 {
		got := w.buried()
		lists(w, []outbox.DeadLetter{letter}, "Buried")(got, nil)
		for _, d := range got {
			blot(d.Event.Payload)
		}
	}
}
