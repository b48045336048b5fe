package storagetest

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/tenancy"
)

// linkRows are the invitations that are links.
func linkRows() kind[invite.Record] {
	k := invitations()
	k.name = "link"
	k.fresh = func(w *world) invite.Record { return w.aLink(w.team()) }
	k.changes = []change[invite.Record]{
		{"a use", func(_ *world, r *invite.Record) { r.Uses = 3 }},
		{"a new token", func(w *world, r *invite.Record) { r.Hash = w.anInvitation(w.team()).Hash }},
		{"the last use", func(w *world, r *invite.Record) {
			r.Uses, r.State, r.EndedAt, r.AcceptedBy = 5, invite.Accepted, w.now(), w.user().ID
		}},
	}
	k.enums = []enumField[invite.Record]{
		{"Kind", "link", func(r *invite.Record, v string) { r.Kind = invite.Kind(v) }, nil},
		{"Uses", "", nil, []func(*invite.Record){
			func(r *invite.Record) { r.MaxUses, r.Uses = 0, 0 },
			func(r *invite.Record) { r.MaxUses, r.Uses = -1, -1 },
			func(r *invite.Record) { r.Uses = 6 },
			func(r *invite.Record) { r.Uses = -1 },
			func(r *invite.Record) { r.Kind = invite.ToOneTeam },
		}},
	}
	k.refs = nil
	return k
}

// uses are who came in by links.
func uses() kind[invite.Use] {
	return kind[invite.Use]{
		name: "use of a link", methods: []string{"InsertUse", "", "Use"},
		fresh:  func(w *world) invite.Use { return w.aUse(w.link(w.team())) },
		insert: storage.Store.InsertUse,
		get: func(s storage.Store, ctx context.Context, u invite.Use) (invite.Use, error) {
			return s.Use(ctx, u.Team, u.Link, u.User)
		},
		stray: func(w *world, u invite.Use) invite.Use { u.User = w.user().ID; return u },
		rival: func(w *world, u invite.Use) invite.Use { u.At = w.now(); return u },
		times: []timeField[invite.Use]{{"At", false, func(u *invite.Use) *time.Time { return &u.At }}},
		refs: []refField[invite.Use]{
			{"Team", func(w *world, u *invite.Use) { u.Team = newID[tenancy.TeamID](w) }},
			{"Team is another than the link's and", func(w *world, u *invite.Use) { u.Team = w.team().ID }},
			{"Link", func(w *world, u *invite.Use) { u.Link = newID[tenancy.InvitationID](w) }},
			{"User", func(w *world, u *invite.Use) { u.User = newID[tenancy.UserID](w) }},
		},
	}
}

func linkCases() []testCase {
	return append(append(linkRows().cases(), uses().cases()...),
		testCase{
			name: "links and requests of one address stand beside each other", rule: ruleNoAddress,
			covers: []string{"InsertInvitation", "UpdateInvitation"}, run: noAddressCase,
		},
		testCase{
			name: "a link of each number of uses", rule: ruleLinkNumbers,
			covers: []string{"InsertInvitation"}, run: linkNumbersCase,
		},
		testCase{
			name: "invitations are filtered by their kind", rule: ruleKindFilter,
			covers: []string{"Invitations"}, run: kindFilterCase,
		},
		testCase{
			name: "one user comes in by several links, and many by one", rule: ruleUse,
			covers: []string{"InsertUse", "Use", "Uses"}, run: usesCase,
		},
		testCase{name: "pages of the uses of a link", rule: ruleUses, covers: []string{"Uses"}, run: usesPages},
		testCase{name: "invitations of a batch", rule: ruleBatch, covers: []string{"Batch"}, run: batchCase},
	)
}

// noAddressCase puts a link and a request of each state where an invitation is pending.
func noAddressCase(w *world) {
	k := invitations()
	a := w.invitation(w.team())
	team := tenancy.Team{ID: a.Team, Account: a.Account}
	for _, r := range []invite.Record{w.aLink(team), w.aLink(team), w.aRequest(team), w.aRequest(team)} {
		if r.Kind == invite.ByRequest {
			r.Email = a.Email
		}
		k.store(w, r)
		k.holds(w, r, "an insert beside an invitation to the same address")
		r.State, r.EndedAt = invite.Revoked, w.now()
		w.must(k.write(w, r), "UpdateInvitation to revoked")
		r.Version++
		r.State, r.EndedAt = invite.Pending, time.Time{}
		w.must(k.write(w, r), "UpdateInvitation back to pending")
		none := tenancy.ConversationID{}
		answers(w, a, "InvitationsTo has the one of a team beside a %s", r.Kind)(w.pendingTo(w.ctx, a.Account, a.Team, none, a.Email.Normal))
	}
}

func linkNumbersCase(w *world) {
	for _, n := range []struct{ uses, most int }{{0, 1}, {1, 1}, {0, 1_000_000}, {1_000_000, 1_000_000}} {
		r := w.aLink(w.team())
		r.Uses, r.MaxUses = n.uses, n.most
		linkRows().store(w, r)
		linkRows().holds(w, r, "an insert")
	}
}

// kindFilterCase compares the list of each kind, in each state, with the predicate.
func kindFilterCase(w *world) {
	team := w.team()
	c := w.conversation(team)
	deadline := w.now().AddDate(0, 0, 7)
	var all []invite.Record
	for _, fresh := range []func() invite.Record{
		func() invite.Record { return w.anInvitation(team) }, func() invite.Record { return w.aLink(team) },
		func() invite.Record { return w.aRequest(team) }, func() invite.Record { return w.aGuestInvitation(c) },
	} {
		for _, state := range invite.States() {
			for _, expires := range []time.Time{deadline, deadline.Add(time.Hour)} {
				r := fresh()
				r.State, r.ExpiresAt = state, expires
				all = append([]invite.Record{invitations().store(w, r)}, all...)
			}
		}
	}
	w.link(w.teamIn(team.Account))
	page := tenancy.Keyset{Limit: 100}
	for _, kind := range []invite.Kind{invite.ToOneTeam, invite.ToOneConversation, invite.ByLink, invite.ByRequest} {
		for _, state := range append(invite.States(), "") {
			f := invite.Filter{Kind: kind, State: state, Now: deadline}
			var want []invite.Record
			for _, r := range all {
				if r.Kind == kind && (state == "" || r.StateAt(deadline) == state) {
					want = append(want, r)
				}
			}
			lists(w, want, "Invitations of the kind %s in the state %q", kind, state)(w.store.Invitations(w.ctx, team.ID, f, page))
		}
	}
	want := all[:10] // the newest: those into the conversation
	lists(w, want, "Invitations into a conversation, of another kind")(
		w.store.Invitations(w.ctx, team.ID, invite.Filter{Kind: invite.ByLink, Conversation: c.ID, Now: deadline}, page))
	for _, kind := range []invite.Kind{"Link", "link ", "%", "' OR 1=1 --"} {
		got, err := w.store.Invitations(w.ctx, team.ID, invite.Filter{Kind: kind, Now: deadline}, page)
		w.refusedOrEmpty(len(got), err, "Invitations of the kind %q", kind)
	}
}

func usesCase(w *world) {
	team := w.team()
	a, b := w.link(team), w.link(team)
	one := uses().store(w, w.aUse(a))
	two := uses().store(w, w.aUse(a))
	same := one
	same.Link, same.At = b.ID, w.now()
	uses().store(w, same)
	page := tenancy.Keyset{Limit: 10}
	lists(w, []invite.Use{one, two}, "Uses of one link")(w.store.Uses(w.ctx, team.ID, a.ID, page))
	lists(w, []invite.Use{same}, "Uses of another link")(w.store.Uses(w.ctx, team.ID, b.ID, page))
	nothing[invite.Use](w, "Use of a link by who came in by another")(w.store.Use(w.ctx, team.ID, b.ID, two.User))
	got, err := w.store.Uses(w.ctx, team.ID, newID[tenancy.InvitationID](w), page)
	w.missingOrEmpty(len(got), err, "Uses of a link that does not exist")
}

func usesPages(w *world) {
	team := w.team()
	link, other := w.link(team), w.link(team)
	p := paged[invite.Use]{
		method: "Uses",
		key:    func(u invite.Use) (time.Time, uuid.UUID) { return u.At, u.User.UUID() },
		list: func(ctx context.Context, page tenancy.Keyset) ([]invite.Use, error) {
			return w.store.Uses(ctx, team.ID, link.ID, page)
		},
	}
	for _, at := range w.moments(enough) {
		for _, of := range []invite.Record{link, other} {
			u := w.aUse(of)
			u.At = at
			uses().store(w, u)
			if of.ID == link.ID {
				p.rows = append(p.rows, u)
			}
		}
	}
	p.check(w)
}

func batchCase(w *world) {
	account, other := w.account().ID, w.account().ID
	batch, another := newID[tenancy.BatchID](w), newID[tenancy.BatchID](w)
	var want []invite.Record
	put := func(account tenancy.AccountID, b tenancy.BatchID, state invite.State) invite.Record {
		r := w.anInvitation(w.teamIn(account))
		r.Batch, r.State = b, state
		return invitations().store(w, r)
	}
	for _, state := range invite.States() {
		want = append(want, put(account, batch, state))
		put(account, another, state)
		put(account, tenancy.BatchID{}, state)
	}
	foreign := put(other, batch, invite.Pending) // no service does that
	teams := map[tenancy.TeamID]invite.Record{}
	ids := make([]tenancy.TeamID, len(want))
	for i, r := range want {
		teams[r.Team], ids[i] = r, r.Team
	}
	for i, id := range byID(ids) {
		want[i] = teams[id]
	}
	lists(w, want, "Batch")(w.store.Batch(w.ctx, account, batch))
	lists(w, []invite.Record{foreign}, "Batch in another account")(w.store.Batch(w.ctx, other, batch))
	lists[invite.Record](w, nil, "Batch of none")(w.store.Batch(w.ctx, account, tenancy.BatchID{}))
	lists[invite.Record](w, nil, "Batch that does not exist")(w.store.Batch(w.ctx, account, newID[tenancy.BatchID](w)))
}
