package storagetest

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/tenancy"
)

// requestRows are the invitations that are requests to join.
func requestRows() kind[invite.Record] {
	k := invitations()
	k.name = "request"
	k.fresh = func(w *world) invite.Record { return w.aRequest(w.team()) }
	k.changes = []change[invite.Record]{
		{"withdrawal", func(w *world, r *invite.Record) { r.State, r.EndedAt, r.EndedBy = invite.Revoked, w.now(), "user" }},
		{"acceptance", func(w *world, r *invite.Record) {
			r.State, r.Role, r.AcceptedBy = invite.Accepted, w.anInvitation(w.team()).Role, r.Inviter
		}},
	}
	k.enums = []enumField[invite.Record]{
		{"Kind", "request", func(r *invite.Record, v string) { r.Kind = invite.Kind(v) }, nil},
	}
	k.refs = []refField[invite.Record]{
		{"Inviter", func(w *world, r *invite.Record) { r.Inviter = newID[tenancy.UserID](w) }},
	}
	return k
}

func requestCases() []testCase {
	return append(requestRows().cases(),
		testCase{
			name: "request stays one pending for each team and user", rule: ruleOnePendingAsk,
			covers: []string{"InsertInvitation", "UpdateInvitation", "PendingRequest"}, run: pendingRequestCase,
		},
		testCase{name: "pages of a user's requests", rule: ruleRequestsOf, covers: []string{"RequestsOf"}, run: requestsPages},
		testCase{
			name: "requests are counted for their limits", rule: ruleRequestLoad,
			covers: []string{"RequestLoad"}, run: requestLoadCase,
		},
	)
}

func pendingRequestCase(w *world) {
	k := requestRows()
	team := w.team()
	a := w.request(team)
	answers(w, a, "PendingRequest")(w.store.PendingRequest(w.ctx, team.ID, a.Inviter))
	nothing[invite.Record](w, "PendingRequest of another user")(w.store.PendingRequest(w.ctx, team.ID, w.request(w.team()).Inviter))
	again := w.aRequest(team)
	again.Inviter = a.Inviter
	w.is(k.put(w, again), tenancy.ErrDuplicate, "InsertInvitation beside a pending request of the same user")
	elsewhere := again
	elsewhere.Team = w.teamIn(team.Account).ID
	answers(w, k.store(w, elsewhere), "PendingRequest of another team")(w.store.PendingRequest(w.ctx, elsewhere.Team, a.Inviter))
	sent := w.anInvitation(team) // what the user invites to is no request
	sent.Inviter = a.Inviter
	invitations().store(w, sent)

	a.ExpiresAt = a.CreatedAt
	w.must(k.write(w, a), "UpdateInvitation")
	a.Version++
	answers(w, a, "PendingRequest whose time has passed")(w.store.PendingRequest(w.ctx, team.ID, a.Inviter))
	for _, state := range []invite.State{invite.Expired, invite.Accepted, invite.Declined, invite.Revoked} {
		a.State, a.EndedAt = state, w.now()
		w.must(k.write(w, a), "UpdateInvitation to %s", state)
		a.Version++
		nothing[invite.Record](w, "PendingRequest after it became %s", state)(w.store.PendingRequest(w.ctx, team.ID, a.Inviter))
		next := w.aRequest(team)
		next.Inviter = a.Inviter
		answers(w, k.store(w, next), "PendingRequest of the newer one")(w.store.PendingRequest(w.ctx, team.ID, a.Inviter))
		back := a
		back.State, back.EndedAt = invite.Pending, time.Time{}
		w.is(k.write(w, back), tenancy.ErrDuplicate, "UpdateInvitation from %s back to pending beside a newer one", state)
		k.holds(w, a, "a refused update")
		a = next
	}
}

func requestsPages(w *world) {
	user := w.user().ID
	p := paged[invite.Record]{
		method: "RequestsOf", newest: true,
		key: func(r invite.Record) (time.Time, uuid.UUID) { return r.CreatedAt, r.ID.UUID() },
		list: func(ctx context.Context, page tenancy.Keyset) ([]invite.Record, error) {
			return w.store.RequestsOf(ctx, user, page)
		},
	}
	for i, at := range w.moments(enough) {
		r := w.aRequest(w.team())
		r.Inviter, r.CreatedAt, r.State = user, at, invite.States()[i%len(invite.States())]
		p.rows = append(p.rows, requestRows().store(w, r))
		other := w.aRequest(w.team())
		other.CreatedAt = at
		requestRows().store(w, other)
		sent := w.anInvitation(w.team())
		sent.Inviter, sent.CreatedAt = user, at
		invitations().store(w, sent)
	}
	p.check(w)
}

// requestLoadCase compares the counts with what they stand for, around the microsecond in which a
// request stops counting.
func requestLoadCase(w *world) {
	team, elsewhere := w.team(), w.team()
	like := w.aRequest(team)
	now := w.now().AddDate(0, 0, 2)
	day := now.Add(-24 * time.Hour)
	var all []invite.Record
	for _, r := range []func() invite.Record{
		func() invite.Record { return w.aRequest(team) }, func() invite.Record { return w.aRequest(elsewhere) },
		func() invite.Record { return w.anInvitation(team) }, func() invite.Record { return w.aLink(team) },
	} {
		for _, state := range invite.States() {
			for _, created := range []time.Time{day, day.Add(time.Microsecond)} {
				for _, expires := range []time.Time{now, now.Add(time.Microsecond)} {
					r := r()
					if state != invite.Pending {
						r.Inviter = like.Inviter
					}
					r.State, r.CreatedAt, r.ExpiresAt = state, created, expires
					all = append(all, invitations().store(w, r))
				}
			}
		}
	}
	for name, q := range map[string]func(i *invite.Invitation){
		"as it is":           func(*invite.Invitation) {},
		"of another inviter": func(i *invite.Invitation) { i.Inviter = w.user().ID },
		"of another team":    func(i *invite.Invitation) { i.Team, i.Account = elsewhere.ID, elsewhere.Account },
		"of no team":         func(i *invite.Invitation) { i.Team = tenancy.TeamID{} },
	} {
		like := like.Invitation
		q(&like)
		var want invite.Load
		count := func(t *invite.Tally, until time.Time) {
			if t.N++; t.N == 1 || until.Before(t.Until) {
				t.Until = until
			}
		}
		for _, r := range all {
			if r.Kind != invite.ByRequest {
				continue
			}
			if r.Team == like.Team && r.StateAt(now) == invite.Pending {
				count(&want.Team, r.ExpiresAt)
			}
			if until := r.CreatedAt.Add(24 * time.Hour); r.Inviter == like.Inviter && until.After(now) {
				count(&want.Inviter, until)
			}
		}
		answers(w, want, "RequestLoad %s", name)(w.store.RequestLoad(w.ctx, like, now))
	}
}
