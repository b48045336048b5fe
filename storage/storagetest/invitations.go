package storagetest

import (
	"context"
	"crypto/sha256"
	"slices"
	"time"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/tenancy"
)

func invitations() kind[invite.Record] {
	return kind[invite.Record]{
		name: "invitation", methods: []string{"InsertInvitation", "UpdateInvitation", "Invitation", "LockInvitation"},
		fresh:  func(w *world) invite.Record { return w.aGuestInvitation(w.conversation(w.team())) },
		insert: storage.Store.InsertInvitation, update: storage.Store.UpdateInvitation,
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
			}},
		},
		times: []timeField[invite.Record]{
			{"CreatedAt", false, func(r *invite.Record) *time.Time { return &r.CreatedAt }},
			{"ExpiresAt", false, func(r *invite.Record) *time.Time { return &r.ExpiresAt }},
			{"MailedAt", true, func(r *invite.Record) *time.Time { return &r.MailedAt }},
			{"EndedAt", true, func(r *invite.Record) *time.Time { return &r.EndedAt }},
		},
		enums: []enumField[invite.Record]{
			{"State", "pending", func(r *invite.Record, v string) { r.State = invite.State(v) }, nil},
			{"Kind", "conversation", func(r *invite.Record, v string) { r.Kind = invite.Kind(v) }, nil},
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

func invitationCases() []testCase {
	return append(invitations().cases(),
		testCase{
			name: "invitation stays one pending for each scope and address", rule: rulePending,
			covers: []string{"InsertInvitation", "UpdateInvitation", "PendingInvitation"}, run: pendingCase,
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
			name: "invitations pending by an inviter", rule: rulePendingBy,
			covers: []string{"PendingBy"}, run: pendingByCase,
		},
	)
}

func pendingCase(w *world) {
	k := invitations()
	team := w.team()
	conv, conv2 := w.conversation(team), w.conversation(team)
	a := w.invitation(team)
	mail := a.Email.Normal
	none := tenancy.ConversationID{}
	nothing[invite.Record](w, "PendingInvitation for a conversation without one")(w.store.PendingInvitation(w.ctx, team.ID, conv.ID, mail))

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
	answers(w, a, "PendingInvitation of a team")(w.store.PendingInvitation(w.ctx, team.ID, none, mail))
	for i, c := range []tenancy.ConversationID{conv.ID, conv2.ID} {
		answers(w, scoped[i], "PendingInvitation of a conversation")(w.store.PendingInvitation(w.ctx, team.ID, c, mail))
	}
	answers(w, other, "PendingInvitation of another team")(w.store.PendingInvitation(w.ctx, other.Team, none, mail))
	nothing[invite.Record](w, "PendingInvitation of an address that is not invited")(w.store.PendingInvitation(w.ctx, team.ID, none, "nobody@client.example"))

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
	answers(w, a, "PendingInvitation whose time has passed")(w.store.PendingInvitation(w.ctx, team.ID, none, mail))
	w.is(k.put(w, again), tenancy.ErrDuplicate, "InsertInvitation beside a pending one whose time has passed")

	// Every end frees the place, and an end that is taken back must find it free.
	for _, state := range []invite.State{invite.Expired, invite.Accepted, invite.Declined, invite.Revoked} {
		a.State, a.EndedAt = state, w.now()
		w.must(k.write(w, a), "UpdateInvitation to %s", state)
		a.Version++
		nothing[invite.Record](w, "PendingInvitation after it became %s", state)(w.store.PendingInvitation(w.ctx, team.ID, none, mail))
		next := w.anInvitation(team)
		next.Email = a.Email
		k.store(w, next)
		answers(w, next, "PendingInvitation of the newer one")(w.store.PendingInvitation(w.ctx, team.ID, none, mail))
		back := a
		back.State, back.EndedAt = invite.Pending, time.Time{}
		w.is(k.write(w, back), tenancy.ErrDuplicate, "UpdateInvitation from %s back to pending beside a newer one", state)
		k.holds(w, a, "a refused update")
		a = next
	}
	ended := w.anInvitation(team) // and one that was never pending takes no place
	ended.Email, ended.State = a.Email, invite.Revoked
	k.store(w, ended)
	answers(w, a, "PendingInvitation beside one that is stored as revoked")(w.store.PendingInvitation(w.ctx, team.ID, none, mail))
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
	lists(w, byID(want), "PendingBy")(w.store.PendingBy(w.ctx, team.ID, inviter))
	lists(w, []tenancy.InvitationID{r.ID}, "PendingBy in another team")(w.store.PendingBy(w.ctx, elsewhere.ID, inviter))
	lists[tenancy.InvitationID](w, nil, "PendingBy of someone who invited nobody")(w.store.PendingBy(w.ctx, team.ID, w.user().ID))
}
