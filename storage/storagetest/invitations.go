package storagetest

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

func invitations() kind[invite.Record] {
	return kind[invite.Record]{
		name: "invitation", methods: []string{"InsertInvitation", "UpdateInvitation", "Invitation", "LockInvitation"},
		fresh:  func(w *world) invite.Record { return w.aGuestInvitation(w.conversation(w.team())) },
		insert: eachOf(storage.Store.InsertInvitation), several: storage.Store.InsertInvitation, update: storage.Store.UpdateInvitation,
		lock: func(s storage.Store, ctx context.Context, r invite.Record) (invite.Record, error) {
			return s.LockInvitation(ctx, r.Team, r.ID)
		},
		get: func(s storage.Store, ctx context.Context, r invite.Record) (invite.Record, error) {
			return s.Invitation(ctx, r.Team, r.ID)
		},
		version: func(r *invite.Record) *int64 { return &r.Version },
		stray: func(w *world, r invite.Record) invite.Record {
			return w.anInvitation(tenancy.Team{ID: r.Team, Account: r.Account})
		},
		rival: func(w *world, r invite.Record) invite.Record {
			rival := w.anInvitation(tenancy.Team{ID: r.Team, Account: r.Account})
			rival.ID = r.ID
			return rival
		},
		changes: []change[invite.Record]{
			{"a mail handed over", func(w *world, r *invite.Record) { r.MailedAt = w.now() }},
			{"a new token", func(w *world, r *invite.Record) {
				r.Mailing, r.MailedAt, r.ExpiresAt = 2, time.Time{}, w.now().AddDate(0, 0, 7)
				r.Hash = sha256.Sum256([]byte("second token"))
			}},
			{"another role", func(w *world, r *invite.Record) { r.Custom = newID[tenancy.RoleID](w) }},
			{"less history", func(w *world, r *invite.Record) { r.History = tenancy.HistoryFromNow }},
			{"another duration", func(w *world, r *invite.Record) { r.Lasts = 30*24*time.Hour - time.Microsecond }},
			{"a resend", func(w *world, r *invite.Record) { r.Resends, r.ResendsFrom = 3, w.now() }},
			{"no token", func(w *world, r *invite.Record) { r.Hash = invite.TokenHash{} }},
			{"expiry", func(w *world, r *invite.Record) {
				r.State, r.EndedAt, r.EndedBy = invite.Expired, w.now(), "system:sweep"
			}},
			{"back to pending", func(w *world, r *invite.Record) {
				r.State, r.EndedAt, r.EndedBy, r.Mailing = invite.Pending, time.Time{}, "", 3
			}},
			{"acceptance", func(w *world, r *invite.Record) {
				user := w.user().ID
				r.State, r.EndedAt, r.EndedBy, r.AcceptedBy = invite.Accepted, w.now(), tenancy.Self(user).Principal(), user
				r.Terms = "2026-01"
			}},
		},
		times: []timeField[invite.Record]{
			{"CreatedAt", false, func(r *invite.Record) *time.Time { return &r.CreatedAt }},
			{"ExpiresAt", false, func(r *invite.Record) *time.Time { return &r.ExpiresAt }},
			{"MailedAt", true, func(r *invite.Record) *time.Time { return &r.MailedAt }},
			{"EndedAt", true, func(r *invite.Record) *time.Time { return &r.EndedAt }},
			{"ResendsFrom", true, func(r *invite.Record) *time.Time { return &r.ResendsFrom }},
		},
		enums: []enumField[invite.Record]{
			{"State", "pending", func(r *invite.Record, v string) { r.State = invite.State(v) }, nil},
			{"Kind", "conversation", func(r *invite.Record, v string) { r.Kind = invite.Kind(v) }, nil},
			{"History", "", nil, badHistories()},
			{"Role", "", nil, badRoles(func(r *invite.Record, role rbac.Role) { r.Role = role })},
		},
		refs: []refField[invite.Record]{
			{"Team", func(w *world, r *invite.Record) { r.Team = newID[tenancy.TeamID](w) }},
			{"Account", func(w *world, r *invite.Record) { r.Account = newID[tenancy.AccountID](w) }},
			{"Inviter", func(w *world, r *invite.Record) { r.Inviter = newID[tenancy.UserID](w) }},
			{"Conversation", func(w *world, r *invite.Record) { r.Conversation = newID[tenancy.ConversationID](w) }},
		},
	}
}

// badHistories are all that is no policy; the empty one is.
func badHistories() []func(*invite.Record) {
	var bad []func(*invite.Record)
	for _, value := range append(nearly("now"), "all", "Invitation") {
		if value != "" {
			bad = append(bad, func(r *invite.Record) { r.History = tenancy.HistoryPolicy(value) })
		}
	}
	return bad
}

func invitationCases() []testCase {
	return append(slices.Concat(invitations().cases(), offers().cases(), linkCases(), requestCases()),
		testCase{
			name: "offers are found by their account alone", rule: ruleOffer,
			covers: []string{"LockOffer", "Offers", "UpdateInvitation"}, run: offerScopeCase,
		},
		testCase{
			name: "offer stays one pending for each account", rule: ruleOnePendingOffer,
			covers: []string{"InsertInvitation", "UpdateInvitation", "PendingOffer"}, run: pendingOfferCase,
		},
		testCase{
			name: "invitations that have ended forget an address", rule: ruleErase,
			covers: []string{"EraseInvitations"}, run: eraseCase,
		},
		testCase{
			name: "broken finds invitations whose sender has gone", rule: ruleOrphan,
			covers: []string{"Broken"}, run: orphanCase,
		},
		testCase{
			name: "invitation stays one pending for each scope and address", rule: rulePending,
			covers: []string{"InsertInvitation", "UpdateInvitation", "InvitationsTo"}, run: pendingCase,
		},
		testCase{
			name: "invitation is found by its token whatever its state", rule: ruleToken,
			covers: []string{"InvitationByToken", "UpdateInvitation"}, run: tokenCase,
		},
		testCase{
			name: "invitations are filtered by their state at a time", rule: ruleInvitationFilter,
			covers: []string{"Invitations"}, run: invitationFilterCase,
		},
		testCase{
			name: "invitations are counted for their limits", rule: ruleLoad,
			covers: []string{"InvitationLoads"}, run: loadCase,
		},
		testCase{
			name: "invitations pending by an inviter", rule: rulePendingBy,
			covers: []string{"PendingBy"}, run: pendingByCase,
		},
		testCase{
			name: "lapsed invitations are pending and past their expiry", rule: ruleLapsedInvitations,
			covers: []string{"LapsedInvitations"}, run: lapsedInvitationsCase,
		},
		testCase{
			name: "events of an invitation are those that name it", rule: ruleInvitationEvents,
			covers: []string{"InvitationEvents"}, run: invitationEventsCase,
		},
	)
}

// pendingTo finds, by InvitationsTo, the invitation in the state pending to an address into a team, or into
// a conversation.
func (w *world) pendingTo(ctx context.Context, account tenancy.AccountID, team tenancy.TeamID, conversation tenancy.ConversationID, normal string) (invite.Record, error) {
	kind := invite.ToOneTeam
	if !conversation.IsZero() {
		kind = invite.ToOneConversation
	}
	found, err := w.store.InvitationsTo(ctx, account, w.now().AddDate(1, 0, 0), normal)
	found = slices.DeleteFunc(found, func(r invite.Record) bool {
		return r.Kind != kind || r.Team != team || r.Conversation != conversation
	})
	if err != nil || len(found) == 0 {
		return invite.Record{}, cmp.Or(err, tenancy.ErrNotFound)
	}
	if len(found) > 1 {
		w.breaks("InvitationsTo has %d that are pending for the same", len(found))
	}
	return found[0], nil
}

func pendingCase(w *world) {
	k := invitations()
	team := w.team()
	conv, conv2 := w.conversation(team), w.conversation(team)
	a := w.invitation(team)
	mail := a.Email.Normal
	none := tenancy.ConversationID{}
	nothing[invite.Record](w, "InvitationsTo for the one pending, for a conversation without one")(w.pendingTo(w.ctx, team.Account, team.ID, conv.ID, mail))

	// One address can be invited into a team and into each conversation, once each.
	var scoped []invite.Record
	for _, c := range []tenancy.ConversationID{conv.ID, conv2.ID} {
		r := w.aGuestInvitation(conv)
		r.Conversation, r.Email = c, a.Email
		scoped = append(scoped, k.store(w, r))
	}
	other := w.anInvitation(w.team())
	other.Email = a.Email
	k.store(w, other)
	answers(w, a, "InvitationsTo has the one of a team")(w.pendingTo(w.ctx, team.Account, team.ID, none, mail))
	for i, c := range []tenancy.ConversationID{conv.ID, conv2.ID} {
		answers(w, scoped[i], "InvitationsTo has the one of a conversation")(w.pendingTo(w.ctx, team.Account, team.ID, c, mail))
	}
	answers(w, other, "InvitationsTo has the one of another team")(w.pendingTo(w.ctx, other.Account, other.Team, none, mail))
	nothing[invite.Record](w, "InvitationsTo for the one pending, of an address that is not invited")(w.pendingTo(w.ctx, team.Account, team.ID, none, "nobody@client.example"))

	again := w.anInvitation(team)
	again.Email = tenancy.Address{Display: "Another.Spelling@client.example", Normal: mail}
	w.is(k.put(w, again), tenancy.ErrDuplicate, "InsertInvitation beside a pending one of the team")
	guest := w.aGuestInvitation(conv)
	guest.Email = a.Email
	w.is(k.put(w, guest), tenancy.ErrDuplicate, "InsertInvitation beside a pending one of the conversation")
	k.holds(w, a, "refused inserts")

	// Its time does not matter, only its state: it blocks until it is written as expired.
	a.ExpiresAt = a.CreatedAt
	w.must(k.write(w, a), "UpdateInvitation")
	a.Version++
	answers(w, a, "InvitationsTo for the one pending, whose time has passed")(w.pendingTo(w.ctx, team.Account, team.ID, none, mail))
	w.is(k.put(w, again), tenancy.ErrDuplicate, "InsertInvitation beside a pending one whose time has passed")

	// Every end frees the place, and an end that is taken back must find it free.
	for _, state := range []invite.State{invite.Expired, invite.Accepted, invite.Declined, invite.Revoked} {
		a.State, a.EndedAt = state, w.now()
		w.must(k.write(w, a), "UpdateInvitation to %s", state)
		a.Version++
		nothing[invite.Record](w, "InvitationsTo for the one pending, after it became %s", state)(w.pendingTo(w.ctx, team.Account, team.ID, none, mail))
		next := w.anInvitation(team)
		next.Email = a.Email
		k.store(w, next)
		answers(w, next, "InvitationsTo for the one pending, of the newer one")(w.pendingTo(w.ctx, team.Account, team.ID, none, mail))
		back := a
		back.State, back.EndedAt = invite.Pending, time.Time{}
		w.is(k.write(w, back), tenancy.ErrDuplicate, "UpdateInvitation from %s back to pending beside a newer one", state)
		k.holds(w, a, "a refused update")
		a = next
	}
	ended := w.anInvitation(team) // and one that was never pending takes no place
	ended.Email, ended.State = a.Email, invite.Revoked
	k.store(w, ended)
	answers(w, a, "InvitationsTo for the one pending, beside one that is stored as revoked")(w.pendingTo(w.ctx, team.Account, team.ID, none, mail))
}

func tokenCase(w *world) {
	k := invitations()
	team := w.team()
	a, b := w.invitation(team), w.invitation(w.team())
	answers(w, a, "InvitationByToken")(w.store.InvitationByToken(w.ctx, a.Hash))
	answers(w, b, "InvitationByToken")(w.store.InvitationByToken(w.ctx, b.Hash))
	for i := range a.Hash {
		flipped := a.Hash
		flipped[i] ^= 1
		nothing[invite.Record](w, "InvitationByToken with a bit of byte %d flipped", i)(w.store.InvitationByToken(w.ctx, flipped))
	}
	for _, state := range []invite.State{invite.Expired, invite.Accepted, invite.Declined, invite.Revoked, invite.Pending} {
		a.State = state
		w.must(k.write(w, a), "UpdateInvitation to %s", state)
		a.Version++
		answers(w, a, "InvitationByToken in the state %s", state)(w.store.InvitationByToken(w.ctx, a.Hash))
	}

	// A resend kills the old token; while none is alive, the zero hash finds nothing.
	old := a.Hash
	a.Hash = invite.TokenHash{}
	w.must(k.write(w, a), "UpdateInvitation without a token")
	a.Version++
	nothing[invite.Record](w, "InvitationByToken of a token that was taken back")(w.store.InvitationByToken(w.ctx, old))
	nothing[invite.Record](w, "InvitationByToken of the zero hash")(w.store.InvitationByToken(w.ctx, invite.TokenHash{}))
	tokenless := w.anInvitation(team) // any number of invitations may have no token
	tokenless.Hash = invite.TokenHash{}
	k.store(w, tokenless)
	nothing[invite.Record](w, "InvitationByToken of the zero hash beside two without a token")(w.store.InvitationByToken(w.ctx, invite.TokenHash{}))
	a.Hash = sha256.Sum256([]byte("newest"))
	w.must(k.write(w, a), "UpdateInvitation with a new token")
	a.Version++
	answers(w, a, "InvitationByToken of the new token")(w.store.InvitationByToken(w.ctx, a.Hash))
	nothing[invite.Record](w, "InvitationByToken of the old token")(w.store.InvitationByToken(w.ctx, old))
	w.discard("a transaction that ends a token", func(ctx context.Context) error {
		gone := a
		gone.Hash = invite.TokenHash{}
		if err := w.store.UpdateInvitation(ctx, gone); err != nil {
			return err
		}
		nothing[invite.Record](w, "InvitationByToken inside, after the token ended")(w.store.InvitationByToken(ctx, a.Hash))
		return nil
	})
	answers(w, a, "InvitationByToken after the rollback")(w.store.InvitationByToken(w.ctx, a.Hash))
}

// invitationFilterCase compares every filter with the predicate that it stands for, around
// the microsecond in which an invitation expires.
func invitationFilterCase(w *world) {
	k := invitations()
	team := w.team()
	conv, conv2 := w.conversation(team), w.conversation(team)
	deadline := w.now().AddDate(0, 0, 7)
	var all []invite.Record
	for _, state := range invite.States() {
		for _, expires := range []time.Time{deadline, deadline.Add(time.Hour)} {
			for _, c := range []tenancy.ConversationID{{}, conv.ID, conv2.ID} {
				r := w.anInvitation(team)
				if !c.IsZero() {
					r = w.aGuestInvitation(conv)
					r.Conversation = c
				}
				r.State, r.ExpiresAt = state, expires
				all = append(all, k.store(w, r))
			}
		}
	}
	w.invitation(w.teamIn(team.Account))
	slices.Reverse(all) // they were made one after the other
	for _, now := range []time.Time{deadline.Add(-time.Microsecond), deadline, deadline.Add(time.Hour)} {
		for _, state := range append(invite.States(), "") {
			for _, c := range []tenancy.ConversationID{{}, conv.ID, newID[tenancy.ConversationID](w)} {
				f := invite.Filter{State: state, Conversation: c, Now: now}
				var want []invite.Record
				for _, r := range all {
					if (state == "" || r.StateAt(now) == state) && (c.IsZero() || r.Conversation == c) {
						want = append(want, r)
					}
				}
				lists(w, want, "Invitations in the state %q, conversation %s, %v before the deadline", state, c, deadline.Sub(now))(
					w.store.Invitations(w.ctx, team.ID, f, tenancy.Keyset{Limit: 100}))
			}
		}
	}
	for _, state := range []invite.State{"Pending", "pending ", "no-such-state", "%", "' OR 1=1 --"} {
		got, err := w.store.Invitations(w.ctx, team.ID, invite.Filter{State: state, Now: deadline}, tenancy.Keyset{Limit: 100})
		w.refusedOrEmpty(len(got), err, "Invitations in the state %q", state)
	}
}

func pendingByCase(w *world) {
	k := invitations()
	team, elsewhere := w.team(), w.team()
	inviter := w.user().ID
	var want []tenancy.InvitationID
	for i := range 12 {
		r := w.anInvitation(team)
		r.Inviter = inviter
		switch i {
		case 0, 1, 2:
			r.State = []invite.State{invite.Expired, invite.Accepted, invite.Revoked}[i]
		case 3:
			r.Inviter = w.user().ID
		case 4:
			r.ExpiresAt = r.CreatedAt // its time has passed, its state is pending
			want = append(want, r.ID)
		default:
			want = append(want, r.ID)
		}
		k.store(w, r)
	}
	r := w.anInvitation(elsewhere)
	r.Inviter = inviter
	k.store(w, r)
	lists(w, byID(want), "PendingBy")(pendingBy(w.ctx, w.store, team.ID, inviter))
	lists(w, []tenancy.InvitationID{r.ID}, "PendingBy in another team")(pendingBy(w.ctx, w.store, elsewhere.ID, inviter))
	lists[tenancy.InvitationID](w, nil, "PendingBy of someone who invited nobody")(pendingBy(w.ctx, w.store, team.ID, w.user().ID))
}

// loadCase compares the counts with what they stand for, around the microsecond in which an
// invitation stops counting.
func loadCase(w *world) {
	k := invitations()
	team := w.team()
	sibling, foreign := w.teamIn(team.Account), w.team()
	conv := w.conversation(sibling)
	like := w.anInvitation(team)
	now := w.now().AddDate(0, 0, 1)
	var all []invite.Record
	put := func(r invite.Record, mine, theirs bool, state invite.State, created, expires time.Time) {
		if mine {
			r.Inviter = like.Inviter
		}
		if theirs {
			r.Email = like.Email
		}
		r.State, r.CreatedAt, r.ExpiresAt = state, created, expires
		all = append(all, k.store(w, r))
	}
	hour, tick := now.Add(-time.Hour), time.Microsecond
	for _, mine := range []bool{true, false} {
		for i, expires := range []time.Time{now, now.Add(tick), now.Add(time.Hour)} {
			put(w.anInvitation(team), mine, i == 1 && mine, invite.Pending, hour.Add(-tick), expires)
			put(w.anInvitation(sibling), mine, i == 1 && !mine, invite.Pending, hour, expires)
			put(w.anInvitation(foreign), mine, i == 1 && mine, invite.Pending, hour, expires)
		}
		for _, state := range invite.States()[1:] {
			for _, created := range []time.Time{hour, hour.Add(tick), now.Add(-tick)} {
				put(w.anInvitation(team), mine, true, state, created, now.AddDate(0, 0, 7))
				put(w.anInvitation(foreign), mine, true, state, created, now.AddDate(0, 0, 7))
			}
		}
	}
	put(w.aGuestInvitation(conv), false, true, invite.Pending, hour, now.Add(2*time.Hour))
	put(w.anOffer(team.Account), false, true, invite.Pending, hour, now.Add(3*time.Hour))
	put(w.aLink(team), true, false, invite.Pending, hour, now.Add(3*time.Hour))
	put(w.aRequest(team), true, true, invite.Pending, hour, now.Add(tick))

	empty := w.teamIn(team.Account)
	ids := []tenancy.TeamID{team.ID, sibling.ID, foreign.ID, empty.ID}
	for name, inviter := range map[string]tenancy.UserID{"of an inviter": like.Inviter, "of another inviter": w.user().ID, "of nobody": {}} {
		for _, at := range []time.Time{now.Add(-tick), now, now.Add(tick), now.Add(4 * time.Hour)} {
			var want []invite.TeamLoad
			count := func(t *invite.Tally, until time.Time) {
				if t.N++; t.N == 1 || until.Before(t.Until) {
					t.Until = until
				}
			}
			for _, id := range tenancy.InOrder(ids...) {
				load := invite.TeamLoad{In: id}
				for _, r := range all {
					if r.Team != id || r.Kind == invite.ByRequest || r.StateAt(at) != invite.Pending {
						continue
					}
					count(&load.Team, r.ExpiresAt)
					if r.Inviter == inviter {
						count(&load.Inviter, r.ExpiresAt)
					}
				}
				if load.Team.N > 0 {
					want = append(want, load)
				}
			}
			lists(w, want, "InvitationLoads %s, %v after the deadline", name, at.Sub(now))(
				w.store.InvitationLoads(w.ctx, inviter, at, crowded(w, ids)...))
		}
	}
	lists[invite.TeamLoad](w, nil, "InvitationLoads of no team")(w.store.InvitationLoads(w.ctx, like.Inviter, now))
}

// offers are the invitations whose scope is an account. They are read as a list.
func offers() kind[invite.Record] {
	k := invitations()
	k.name, k.methods = "offer", []string{"InsertInvitation", "UpdateInvitation", "Offer", "LockOffer"}
	k.fresh = func(w *world) invite.Record { return w.anOffer(w.account().ID) }
	k.lock = func(s storage.Store, ctx context.Context, r invite.Record) (invite.Record, error) {
		return s.LockOffer(ctx, r.Account, r.ID)
	}
	k.get = func(s storage.Store, ctx context.Context, r invite.Record) (invite.Record, error) {
		return s.Offer(ctx, r.Account, r.ID)
	}
	k.stray = func(w *world, r invite.Record) invite.Record { return w.anOffer(r.Account) }
	k.rival = func(w *world, r invite.Record) invite.Record {
		rival := w.anOffer(w.account().ID)
		rival.ID = r.ID
		return rival
	}
	k.enums = []enumField[invite.Record]{
		{"Kind", "account", func(r *invite.Record, v string) { r.Kind = invite.Kind(v) }, nil},
		{"Role", "", nil, []func(*invite.Record){
			func(r *invite.Record) { r.Role = rbac.Manager },
			func(r *invite.Record) { r.Role = rbac.Holder },
		}},
	}
	k.refs = []refField[invite.Record]{
		{"Account", func(w *world, r *invite.Record) { r.Account = newID[tenancy.AccountID](w) }},
		{"Inviter", func(w *world, r *invite.Record) { r.Inviter = newID[tenancy.UserID](w) }},
	}
	return k
}

func offerScopeCase(w *world) {
	k := offers()
	team := w.team()
	offer, into := w.offer(team.Account), w.invitation(team)
	other := w.offer(w.account().ID)
	k.holds(w, offer, "an insert")
	lock := func(account tenancy.AccountID, id tenancy.InvitationID) (r invite.Record, err error) {
		err = w.try(func(ctx context.Context) (err error) { r, err = w.store.LockOffer(ctx, account, id); return err })
		return r, err
	}
	answers(w, offer, "LockOffer")(lock(offer.Account, offer.ID))
	for what, account := range map[string]tenancy.AccountID{
		"another account": other.Account, "an account that does not exist": newID[tenancy.AccountID](w), "no account": {},
	} {
		nothing[invite.Record](w, "LockOffer in the name of %s", what)(lock(account, offer.ID))
		list, err := w.store.Offers(w.ctx, account, tenancy.Keyset{Limit: 10})
		w.must(err, "Offers in the name of %s", what)
		if slices.ContainsFunc(list, func(r invite.Record) bool { return r.ID == offer.ID }) {
			w.breaks("Offers in the name of %s has the offer of another", what)
		}
		intruder := offer
		intruder.Account, intruder.State, intruder.EndedBy = account, invite.Revoked, "intruder"
		w.is(k.write(w, intruder), tenancy.ErrNotFound, "UpdateInvitation of an offer in the name of %s", what)
	}
	nothing[invite.Record](w, "LockOffer of an invitation into a team of the account")(lock(team.Account, into.ID))
	lists(w, []invite.Record{offer}, "Offers beside an invitation into a team")(w.store.Offers(w.ctx, team.Account, tenancy.Keyset{Limit: 10}))

	// No team has it, least of all none.
	for what, id := range map[string]tenancy.TeamID{"a team of the account": team.ID, "no team": {}} {
		nothing[invite.Record](w, "Invitation that is an offer, of %s", what)(w.store.Invitation(w.ctx, id, offer.ID))
		w.is(w.try(func(ctx context.Context) error { return only(w.store.LockInvitation(ctx, id, offer.ID)) }),
			tenancy.ErrNotFound, "LockInvitation of an offer, of %s", what)
		sent, err := pendingBy(w.ctx, w.store, id, offer.Inviter)
		w.missingOrEmpty(len(sent), err, "PendingBy whoever made an offer, in %s", what)
		intruder := offer
		intruder.Team, intruder.State, intruder.EndedBy = id, invite.Revoked, "intruder"
		if !id.IsZero() {
			w.is(k.write(w, intruder), tenancy.ErrNotFound, "UpdateInvitation of an offer as one of %s", what)
		}
		list, err := w.store.Invitations(w.ctx, id, invite.Filter{Now: w.now()}, tenancy.Keyset{Limit: 10})
		w.must(err, "Invitations of %s", what)
		if slices.ContainsFunc(list, func(r invite.Record) bool { return r.ID == offer.ID }) {
			w.breaks("Invitations of %s has an offer", what)
		}
	}
	k.holds(w, offer, "look-ups and updates in the name of others")
	answers(w, offer, "InvitationByToken of an offer")(w.store.InvitationByToken(w.ctx, offer.Hash))
}

func pendingOfferCase(w *world) {
	k := offers()
	account := w.account().ID
	nothing[invite.Record](w, "PendingOffer of an account without one")(w.store.PendingOffer(w.ctx, account))
	a, elsewhere := w.offer(account), w.offer(w.account().ID)
	answers(w, a, "PendingOffer")(w.store.PendingOffer(w.ctx, account))
	answers(w, elsewhere, "PendingOffer of another account")(w.store.PendingOffer(w.ctx, elsewhere.Account))
	w.is(k.put(w, w.anOffer(account)), tenancy.ErrDuplicate, "InsertInvitation of a second pending offer, to another address")
	same := w.anInvitation(w.teamIn(account)) // an invitation to the same address is another matter
	same.Email = a.Email
	invitations().store(w, same)

	a.ExpiresAt = a.CreatedAt
	w.must(k.write(w, a), "UpdateInvitation")
	a.Version++
	answers(w, a, "PendingOffer whose time has passed")(w.store.PendingOffer(w.ctx, account))
	for _, state := range []invite.State{invite.Expired, invite.Accepted, invite.Declined, invite.Revoked} {
		a.State, a.EndedAt = state, w.now()
		w.must(k.write(w, a), "UpdateInvitation to %s", state)
		a.Version++
		nothing[invite.Record](w, "PendingOffer after it became %s", state)(w.store.PendingOffer(w.ctx, account))
		next := w.offer(account)
		answers(w, next, "PendingOffer of the newer one")(w.store.PendingOffer(w.ctx, account))
		back := a
		back.State, back.EndedAt = invite.Pending, time.Time{}
		w.is(k.write(w, back), tenancy.ErrDuplicate, "UpdateInvitation from %s back to pending beside a newer one", state)
		k.holds(w, a, "a refused update")
		a = next
	}
}

// eraseCase compares what is left with the sentence, for every state, address and acceptor.
func eraseCase(w *world) {
	k := invitations()
	user, other := w.user().ID, w.user().ID
	email := tenancy.Address{Display: "Their.Own@client.example", Normal: "their.own@client.example"}
	look := tenancy.Address{Display: email.Display, Normal: "Their.Own@client.example"}
	var all []invite.Record
	for _, state := range invite.States() {
		for _, address := range []tenancy.Address{email, look, {Display: "Else@client.example", Normal: "else@client.example"}} {
			for _, by := range []tenancy.UserID{{}, user, other} {
				r := w.anInvitation(w.team())
				r.State, r.Email, r.AcceptedBy = state, address, by
				all = append(all, k.store(w, r))
			}
		}
	}
	for _, state := range invite.States() {
		for _, by := range []tenancy.UserID{user, other} {
			r := w.aRequest(w.team())
			r.State, r.Inviter = state, by
			all = append(all, k.store(w, r))
		}
	}
	theirs := func(r invite.Record, user tenancy.UserID) bool {
		return r.AcceptedBy == user || r.Kind == invite.ByRequest && r.Inviter == user
	}
	offer := w.anOffer(w.account().ID)
	offer.State, offer.AcceptedBy = invite.Accepted, user
	offers().store(w, offer)
	erase := func(ctx context.Context, user tenancy.UserID, normal string) error {
		return w.store.EraseInvitations(ctx, user, normal)
	}
	check := func(what string) {
		for _, r := range all {
			k.holds(w, r, what)
		}
	}
	w.must(w.try(func(ctx context.Context) error { return erase(ctx, tenancy.UserID{}, "") }), "EraseInvitations of nobody")
	stranger := w.user().ID
	w.must(w.try(func(ctx context.Context) error { return erase(ctx, stranger, "") }), "EraseInvitations of someone who accepted nothing")
	check("erasing what is nobody's")
	for range 2 { // the second time there is nothing left to do
		w.must(w.try(func(ctx context.Context) error { return erase(ctx, user, email.Normal) }), "EraseInvitations")
		for i, r := range all {
			if r.State != invite.Pending && !r.Email.IsZero() && (theirs(r, user) || r.Email.Normal == email.Normal) {
				all[i].Email = tenancy.Address{}
				all[i].Version++
			}
		}
		check("EraseInvitations")
	}
	offer.Email, offer.Version = tenancy.Address{}, 2
	offers().holds(w, offer, "EraseInvitations")
	w.must(w.try(func(ctx context.Context) error { return erase(ctx, other, "") }), "EraseInvitations of someone without an address")
	for i, r := range all {
		if r.State != invite.Pending && !r.Email.IsZero() && theirs(r, other) {
			all[i].Email = tenancy.Address{}
			all[i].Version++
		}
	}
	check("EraseInvitations without an address")
}

func orphanCase(w *world) {
	k := invitations()
	team := func(keeps bool) tenancy.Team {
		t := w.aTeam(w.account().ID)
		t.Settings.KeepInvitations = keeps
		// What a text says is no setting.
		t.Settings.Statuses = []tenancy.OutcomeStatus{{Label: `"keep_invitations":true`, Category: tenancy.Neutral}}
		return stored(w, "InsertTeam", t, w.store.InsertTeam)
	}
	keeping := team(true)
	now := w.now().AddDate(0, 0, 1)
	var want []tenancy.Finding
	for _, team := range []tenancy.Team{team(false), keeping} {
		for _, status := range []tenancy.MembershipStatus{"", tenancy.MembershipActive, tenancy.MembershipSuspended, tenancy.MembershipRemoved} {
			for _, state := range invite.States() {
				for _, expires := range []time.Time{now, now.Add(time.Microsecond)} {
					r := w.anInvitation(team)
					r.State, r.ExpiresAt = state, expires
					k.store(w, r)
					if status != "" {
						m := w.aMembership(team.ID, r.Inviter)
						m.Status, m.ExpiresAt = status, now.AddDate(0, 0, -1) // the clock alone is no flaw
						memberships().store(w, m)
					}
					if team.ID != keeping.ID && status != tenancy.MembershipActive && r.StateAt(now) == invite.Pending {
						want = append(want, tenancy.Finding{
							Flaw: invite.FlawOrphanInvitation, Account: team.Account.UUID(), Team: team.ID.UUID(), Subject: r.ID.UUID(),
						})
					}
				}
			}
		}
	}
	asleep := w.anInvitation(team(false))
	asleep.ExpiresAt = now.AddDate(0, 0, 7)
	k.store(w, asleep)
	memberships().store(w, w.aMembership(asleep.Team, asleep.Inviter))
	w.ends(asleep.Inviter, tenancy.UserSuspended)
	want = append(want, tenancy.Finding{
		Flaw: invite.FlawOrphanInvitation, Account: asleep.Account.UUID(), Team: asleep.Team.UUID(), Subject: asleep.ID.UUID(),
	})
	member := w.member(keeping.ID, rbac.Member) // who is in another team, which is no help
	r := w.anInvitation(team(false))
	r.Inviter, r.ExpiresAt = member.User, now.AddDate(0, 0, 7)
	k.store(w, r)
	want = append(want, tenancy.Finding{
		Flaw: invite.FlawOrphanInvitation, Account: r.Account.UUID(), Team: r.Team.UUID(), Subject: r.ID.UUID(),
	})
	w.offer(w.account().ID)        // whoever offers an account need not be in a team
	ask := w.aRequest(team(false)) // nor whoever asks to join one
	ask.ExpiresAt = now.AddDate(0, 0, 7)
	k.store(w, ask)
	slices.SortFunc(want, func(a, b tenancy.Finding) int { return slices.Compare(a.Subject[:], b.Subject[:]) })
	lists(w, want, "Broken")(w.store.Broken(w.ctx, invite.FlawOrphanInvitation, now, tenancy.Finding{}, 100))
	lists(w, want[2:3], "Broken after the second")(w.store.Broken(w.ctx, invite.FlawOrphanInvitation, now, want[1], 1))
}

func lapsedInvitationsCase(w *world) {
	now := w.now()
	var want []invite.Lapsed
	for _, team := range []tenancy.Team{w.team(), w.team(), {Account: w.account().ID}} {
		for _, expiry := range []time.Duration{0, -time.Microsecond, time.Microsecond, -time.Hour, 0} {
			for _, state := range invite.States() {
				r := w.anInvitation(team)
				if team.ID.IsZero() {
					r = w.anOffer(w.account().ID)
				}
				r.State, r.ExpiresAt = state, now.Add(expiry)
				invitations().store(w, r)
				if state == invite.Pending && expiry <= 0 {
					want = append(want, invite.Lapsed{ID: r.ID, Account: r.Account, Team: r.Team, ExpiresAt: r.ExpiresAt})
				}
			}
		}
	}
	slices.SortFunc(want, func(a, b invite.Lapsed) int {
		return cmp.Or(a.ExpiresAt.Compare(b.ExpiresAt), slices.Compare(a.ID[:], b.ID[:]))
	})
	p := paged[invite.Lapsed]{
		method: "LapsedInvitations", rows: want,
		key: func(l invite.Lapsed) (time.Time, uuid.UUID) { return l.ExpiresAt, l.ID.UUID() },
		list: func(ctx context.Context, page tenancy.Keyset) ([]invite.Lapsed, error) {
			return w.store.LapsedInvitations(ctx, now, page)
		},
	}
	p.check(w)
	all := tenancy.Keyset{Limit: 100}
	lists(w, []invite.Lapsed{}, "LapsedInvitations before the first expiry")(w.store.LapsedInvitations(w.ctx, now.Add(-2*time.Hour), all))

	// What is dealt with is gone: written as expired, or given a longer life.
	w.by(ruleLapsedInvitations)
	inTeam := slices.IndexFunc(want, func(l invite.Lapsed) bool { return !l.Team.IsZero() })
	first, err := w.store.Invitation(w.ctx, want[inTeam].Team, want[inTeam].ID)
	w.must(err, "Invitation")
	want = slices.Delete(want, inTeam, inTeam+1)
	first.State, first.EndedAt = invite.Expired, now
	w.must(invitations().write(w, first), "UpdateInvitation")
	inTeam = slices.IndexFunc(want, func(l invite.Lapsed) bool { return !l.Team.IsZero() })
	second, err := w.store.Invitation(w.ctx, want[inTeam].Team, want[inTeam].ID)
	w.must(err, "Invitation")
	want = slices.Delete(want, inTeam, inTeam+1)
	second.ExpiresAt = now.AddDate(1, 0, 0)
	w.must(invitations().write(w, second), "UpdateInvitation")
	lists(w, want, "LapsedInvitations after one was written as expired and one prolonged")(w.store.LapsedInvitations(w.ctx, now, all))
}

func invitationEventsCase(w *world) {
	team, account := w.team(), w.account()
	for _, its := range []struct {
		what   string
		stream outbox.Stream
		team   tenancy.Team
		of     func() invite.Record
	}{
		{"of a team", outbox.Stream{Kind: outbox.TeamStream, ID: team.ID.UUID()}, team, func() invite.Record { return w.invitation(team) }},
		{
			"of an account", outbox.Stream{Kind: outbox.AccountStream, ID: account.ID.UUID()}, tenancy.Team{Account: account.ID},
			func() invite.Record { return w.offer(account.ID) },
		},
	} {
		before := w.anEvent(its.stream, its.team)
		r, other := its.of(), w.invitation(team)
		var want, all []outbox.Event
		tell := func(kind, subject string, at time.Time) {
			e := w.anEvent(its.stream, its.team)
			e.Kind, e.At = kind, at
			e.Payload = fmt.Appendf(nil, `{"invitation":%q}`, subject)
			e.Sequence = int64(len(all) + 1)
			all = append(all, e)
			if subject == r.ID.String() && kind != "delivery.started" && !at.Before(r.CreatedAt) {
				want = append(want, e)
			}
		}
		tell("invitation.created", r.ID.String(), r.CreatedAt.Add(-time.Microsecond)) // cannot be: it was not made yet
		for i, kind := range []string{"invitation.created", "invitation.mailed", "delivery.started", "invitation.refused"} {
			for _, subject := range []string{r.ID.String(), other.ID.String()} {
				tell(kind, subject, r.CreatedAt.Add(time.Duration(i/2)*time.Microsecond))
			}
		}
		w.append(all...)
		w.append(before)
		slices.Reverse(want)
		for _, limit := range []int{0, 1, 2, 100} {
			lists(w, want[:min(limit, len(want))], "InvitationEvents %s, at most %d", its.what, limit)(
				w.store.InvitationEvents(w.ctx, r.Invitation, limit))
		}
		lists(w, []outbox.Event{}, "InvitationEvents %s, of one without events", its.what)(w.store.InvitationEvents(w.ctx, w.offer(w.account().ID).Invitation, 100))
	}
}
