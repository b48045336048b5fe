package storagetest

import (
	"context"
	"slices"
	"time"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

func loadCases() []testCase {
	return []testCase{
		{name: "loads are what their users have in hand", rule: ruleLoads, covers: []string{"LockLoads"}, run: loadsCase},
		{name: "loads of those who are not in the team", rule: ruleLoadsMissing, covers: []string{"LockLoads"}, run: loadsMissingCase},
		{name: "loads are taken one after the other", rule: ruleLoads, covers: []string{"LockLoads", "UpdateTurn"}, run: loadsRaceCase},
		{name: "turn is written, and goes with a rollback", rule: ruleTurn, covers: []string{"UpdateTurn"}, run: turnCase},
		{name: "staff of a team", rule: ruleStaff, covers: []string{"Staff"}, run: staffCase},
	}
}

// staffed makes members of the team of both users of an office.
func (o office) staffed(w *world) {
	w.Helper()
	for _, user := range []tenancy.UserID{o.me, o.you} {
		memberships().store(w, w.aMembership(o.team.ID, user))
	}
}

// load is a load by brute force.
func (o office) load(user tenancy.UserID, at time.Time) conversation.Load {
	load := conversation.Load{User: user}
	for _, c := range o.threads {
		if c.Team == o.team.ID && c.Status == conversation.Open && (c.Assignee == user || c.ClaimantAt(at) == user) {
			load.Open++
		}
	}
	return load
}

func loadsCase(w *world) {
	for range 1 + w.rounds/50 {
		o := w.office(40)
		o.staffed(w)
		idle := w.member(o.team.ID, rbac.Member).User
		users := byID([]tenancy.UserID{o.me, o.you, idle})
		for _, at := range []time.Time{o.at, o.at.Add(-time.Microsecond), o.at.Add(time.Microsecond), o.at.AddDate(1, 0, 0)} {
			var want []conversation.Load
			for _, user := range users {
				want = append(want, o.load(user, at))
			}
			w.tx("LockLoads", func(ctx context.Context) error {
				lists(w, want, "LockLoads")(w.store.LockLoads(ctx, o.team.ID, at, idle, o.you, o.me, o.you))
				return nil
			})
		}
	}
}

func loadsMissingCase(w *world) {
	team, elsewhere := w.team(), w.team()
	me, other := w.member(team.ID, rbac.Member).User, w.member(elsewhere.ID, rbac.Member).User
	for range 2 { // a load that is asked for again is no other one
		w.tx("LockLoads", func(ctx context.Context) error {
			lists(w, []conversation.Load{{User: me}}, "LockLoads")(
				w.store.LockLoads(ctx, team.ID, w.now(), other, me, newID[tenancy.UserID](w), tenancy.UserID{}))
			lists[conversation.Load](w, nil, "LockLoads of another team's member")(w.store.LockLoads(ctx, team.ID, w.now(), other))
			lists[conversation.Load](w, nil, "LockLoads of nobody")(w.store.LockLoads(ctx, team.ID, w.now()))
			return nil
		})
	}
}

// loadsRaceCase counts up turns at once: where a load is not held, two take the same one.
func loadsRaceCase(w *world) {
	const takers = 8
	team := w.team()
	me, now := w.member(team.ID, rbac.Member).User, w.now()
	take := func(int) error {
		return w.store.InTx(w.ctx, func(ctx context.Context) error {
			loads, err := w.store.LockLoads(ctx, team.ID, now, me)
			if err != nil || len(loads) != 1 {
				return err
			}
			return w.store.UpdateTurn(ctx, team.ID, me, loads[0].Turn+1)
		})
	}
	for round := range max(1, w.rounds/10) {
		for _, err := range w.crowd(takers, take) {
			w.must(err, "a transaction that takes a turn")
		}
		w.tx("LockLoads", func(ctx context.Context) error {
			want := []conversation.Load{{User: me, Turn: int64(takers * (round + 1))}}
			lists(w, want, "LockLoads after %d turns each", round+1)(w.store.LockLoads(ctx, team.ID, w.now(), me))
			return nil
		})
		if w.Failed() {
			return
		}
	}
}

func turnCase(w *world) {
	team := w.team()
	me, you := w.member(team.ID, rbac.Member).User, w.member(team.ID, rbac.Member).User
	users := byID([]tenancy.UserID{me, you})
	turn := func(ctx context.Context, of tenancy.UserID, n int64) error {
		if _, err := w.store.LockLoads(ctx, team.ID, w.now(), users...); err != nil {
			return err
		}
		return w.store.UpdateTurn(ctx, team.ID, of, n)
	}
	has := func(ctx context.Context, mine int64, when string) {
		w.Helper()
		want := []conversation.Load{{User: users[0]}, {User: users[1]}}
		want[slices.Index(users, me)].Turn = mine
		lists(w, want, "LockLoads %s", when)(w.store.LockLoads(ctx, team.ID, w.now(), users...))
	}
	w.tx("UpdateTurn", func(ctx context.Context) error { return turn(ctx, me, 5) })
	w.discard("UpdateTurn", func(ctx context.Context) error {
		if err := turn(ctx, me, 9); err != nil {
			return err
		}
		has(ctx, 9, "inside, after a turn")
		return nil
	})
	w.tx("LockLoads", func(ctx context.Context) error { has(ctx, 5, "after a turn that was rolled back"); return nil })
}

func staffCase(w *world) {
	account := w.account()
	team, beside := w.teamIn(account.ID), w.teamIn(account.ID)
	w.member(beside.ID, rbac.Manager)
	role := w.role(account.ID)
	var want []tenancy.Colleague
	add := func(in bool, change func(m *tenancy.Membership), change2 func(u *tenancy.User)) {
		w.Helper()
		u := w.aUser()
		change2(&u)
		users().store(w, u)
		m := w.aMembership(team.ID, u.ID)
		change(&m)
		memberships().store(w, m)
		if in {
			a, err := w.store.Authority(w.ctx, team.ID, u.ID)
			w.must(err, "Authority")
			want = append(want, tenancy.Colleague{User: u.ID, Authority: a})
		}
	}
	same := func(*tenancy.Membership) {}
	plain := func(*tenancy.User) {}
	add(true, same, plain)
	add(true, func(m *tenancy.Membership) { m.Role, m.ExpiresAt = rbac.Manager, time.Time{} }, plain)
	add(true, func(m *tenancy.Membership) { m.ExpiresAt = m.JoinedAt }, plain)
	add(true, func(m *tenancy.Membership) { m.Role, m.Custom = rbac.Restricted, role.ID }, plain)
	add(false, func(m *tenancy.Membership) { m.Role = rbac.Restricted }, plain)
	add(false, func(m *tenancy.Membership) { m.Status = tenancy.MembershipSuspended }, plain)
	add(false, func(m *tenancy.Membership) { m.Status = tenancy.MembershipRemoved }, plain)
	add(false, same, func(u *tenancy.User) { u.Status = tenancy.UserSuspended })
	slices.SortFunc(want, func(a, b tenancy.Colleague) int { return slices.Compare(a.User[:], b.User[:]) })
	lists(w, want, "Staff")(w.store.Staff(w.ctx, team.ID))
	lists[tenancy.Colleague](w, nil, "Staff of a team that does not exist")(w.store.Staff(w.ctx, newID[tenancy.TeamID](w)))
}
