package storagetest

import (
	"context"
	"slices"
	"time"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/tenancy"
)

func grants() kind[conversation.Grant] {
	type row = conversation.Grant
	return kind[row]{
		name: "grant", methods: []string{"InsertGrant", "UpdateGrant", "Grant", ""},
		fresh:  func(w *world) row { return w.aGrant(w.conversation(w.team()).ID) },
		insert: storage.Store.InsertGrant, update: storage.Store.UpdateGrant,
		get: func(s storage.Store, ctx context.Context, g row) (row, error) {
			return s.Grant(ctx, g.Conversation, g.User)
		},
		version: func(g *row) *int64 { return &g.Version },
		stray:   func(w *world, g row) row { return w.aGrant(g.Conversation) },
		rival: func(w *world, g row) row {
			rival := w.aGrant(g.Conversation)
			rival.User = g.User
			return rival
		},
		changes: []change[row]{
			{"the expiry", func(w *world, g *row) { g.ExpiresAt = w.now() }},
			{"to reading only", func(w *world, g *row) { g.ReadOnly = !g.ReadOnly }},
			{"to no expiry", func(w *world, g *row) { g.ExpiresAt = time.Time{} }},
			{"revocation", func(w *world, g *row) { g.RevokedAt, g.RevokedBy = w.now(), tenancy.Self(w.user().ID).Principal() }},
			{"a grant again", func(w *world, g *row) {
				g.FromSeq, g.AcceptedAt, g.RevokedAt, g.RevokedBy = 7, w.now(), time.Time{}, ""
				g.Inviter = w.user().ID
			}},
		},
		times: []timeField[row]{
			{"AcceptedAt", false, func(g *row) *time.Time { return &g.AcceptedAt }},
			{"ExpiresAt", true, func(g *row) *time.Time { return &g.ExpiresAt }},
			{"RevokedAt", true, func(g *row) *time.Time { return &g.RevokedAt }},
		},
		refs: []refField[row]{
			{"Conversation", func(w *world, g *row) { g.Conversation = newID[tenancy.ConversationID](w) }},
			{"User", func(w *world, g *row) { g.User = newID[tenancy.UserID](w) }},
			{"Inviter", func(w *world, g *row) { g.Inviter = newID[tenancy.UserID](w) }},
		},
	}
}

func grantCases() []testCase {
	return append(grants().cases(),
		testCase{
			name: "grants of a conversation are listed by user", rule: ruleGrants,
			covers: []string{"Grants"}, run: grantListCase,
		},
		testCase{
			name: "granted conversations of a user in a team", rule: ruleHeldBy,
			covers: []string{"HeldBy"}, run: grantedInCase,
		},
	)
}

func grantListCase(w *world) {
	c, other := w.conversation(w.team()), w.conversation(w.team())
	var want []conversation.Grant
	for i := range 9 {
		g := w.aGrant(c.ID)
		switch i % 3 {
		case 1:
			g.RevokedAt, g.RevokedBy = w.now(), "system:sweep"
		case 2:
			g.ExpiresAt = g.AcceptedAt
		}
		want = append(want, grants().store(w, g))
	}
	elsewhere := w.aGrant(other.ID)
	elsewhere.User = want[0].User
	grants().store(w, elsewhere)
	slices.SortFunc(want, func(a, b conversation.Grant) int { return slices.Compare(a.User[:], b.User[:]) })
	lists(w, want, "Grants")(w.store.Grants(w.ctx, c.ID))
	lists(w, []conversation.Grant{elsewhere}, "Grants of another conversation")(w.store.Grants(w.ctx, other.ID))
	got, err := w.store.Grants(w.ctx, newID[tenancy.ConversationID](w))
	w.missingOrEmpty(len(got), err, "Grants of a conversation that does not exist")
}

func grantedInCase(w *world) {
	team, elsewhere := w.team(), w.team()
	user := w.user().ID
	var want []tenancy.ConversationID
	for i := range 9 {
		c := w.conversation(team)
		g := w.aGrant(c.ID)
		switch i % 3 {
		case 0:
			g.User = user
			want = append(want, c.ID)
		case 1:
			g.User, g.ExpiresAt = user, g.AcceptedAt // expired, and counted all the same
			want = append(want, c.ID)
		case 2:
			g.User, g.RevokedAt = user, w.now()
		}
		grants().store(w, g)
		w.grant(c.ID)
	}
	c := w.conversation(elsewhere)
	g := w.aGrant(c.ID)
	g.User = user
	grants().store(w, g)
	lists(w, byID(want), "HeldBy a guest")(heldBy(w.ctx, w.store, team.ID, user))
	lists(w, []tenancy.ConversationID{c.ID}, "HeldBy a guest, another team")(heldBy(w.ctx, w.store, elsewhere.ID, user))
	lists[tenancy.ConversationID](w, nil, "HeldBy a guest, of someone without any")(heldBy(w.ctx, w.store, team.ID, w.user().ID))
}
