package storagetest

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/tenancy"
)

func sweepCases() []testCase {
	return []testCase{
		{
			name: "snoozes that have ended are found by their time", rule: ruleSnoozeEnded,
			covers: []string{"SnoozeEnded"}, run: snoozeEndedCase,
		},
		{
			name: "idle conversations are found by their team's patience", rule: ruleIdle,
			covers: []string{"Idle"}, run: idleCase,
		},
		{
			name: "grants whose expiry has come are found once", rule: ruleLapsedGrants,
			covers: []string{"LapsedGrants"}, run: lapsedGrantsCase,
		},
	}
}

func threadOf(c conversation.Conversation) conversation.Thread {
	return conversation.Thread{Team: c.Team, Conversation: c.ID}
}

func threadsOf(list []conversation.Conversation) (threads []conversation.Thread) {
	for _, c := range list {
		threads = append(threads, threadOf(c))
	}
	return threads
}

// resting stores teams that can only be read, with the settings given.
func (w *world) resting(settings tenancy.Settings) (resting []tenancy.Team) {
	w.Helper()
	archived := w.aTeam(w.account().ID)
	archived.Status = tenancy.TeamArchived
	resting = append(resting, archived)
	for _, status := range []tenancy.AccountStatus{tenancy.AccountSuspended, tenancy.AccountClosed} {
		account := w.anAccount()
		account.Status = status
		accounts().store(w, account)
		resting = append(resting, w.aTeam(account.ID))
	}
	for i := range resting {
		resting[i].Settings = settings
		teams().store(w, resting[i])
	}
	return resting
}

func snoozeEndedCase(w *world) {
	now := w.now()
	for _, team := range w.resting(tenancy.Settings{}) {
		c := w.aConversation(team)
		c.Status, c.SnoozedUntil = conversation.Snoozed, now.Add(-90*time.Minute) // between those of the others
		conversations().store(w, c)
	}
	teams := []tenancy.Team{w.team(), w.team()}
	var due []conversation.Conversation
	for i := range 12 {
		c := w.aConversation(teams[i%2])
		c.Status = conversation.Snoozed
		switch i % 4 {
		case 0: // not yet, by a microsecond
			c.SnoozedUntil = now.Add(time.Microsecond)
		case 1:
			c.SnoozedUntil = now
			due = append(due, c)
		case 2: // in pairs of one time, which are in order of their ids
			c.SnoozedUntil = now.Add(-time.Duration(1+i/8) * time.Hour)
			c.NeedsReplySince = time.Time{}
			due = append(due, c)
		case 3: // what a state leaves behind is no snooze
			c.Status, c.SnoozedUntil = []conversation.Status{conversation.Open, conversation.Closed}[i/4%2], now.Add(-time.Hour)
		}
		conversations().store(w, c)
	}
	slices.SortFunc(due, func(a, b conversation.Conversation) int {
		return cmp.Or(a.SnoozedUntil.Compare(b.SnoozedUntil), slices.Compare(a.ID[:], b.ID[:]))
	})
	for _, limit := range []int{0, 1, 3, len(due), len(due) + 1} {
		lists(w, threadsOf(due[:min(limit, len(due))]), "SnoozeEnded, at most %d", limit)(w.store.SnoozeEnded(w.ctx, now, limit))
	}
	lists[conversation.Thread](w, nil, "SnoozeEnded before the first end")(w.store.SnoozeEnded(w.ctx, now.Add(-3*time.Hour), 10))
	lists[conversation.Thread](w, nil, "SnoozeEnded at the zero time")(w.store.SnoozeEnded(w.ctx, time.Time{}, 10))

	woken, later := due[0], due[1]
	woken.Status, woken.SnoozedUntil, later.SnoozedUntil = conversation.Open, time.Time{}, now.Add(time.Hour)
	w.must(conversations().write(w, woken), "UpdateConversation")
	w.must(conversations().write(w, later), "UpdateConversation")
	lists(w, threadsOf(due[2:]), "SnoozeEnded after one was woken and one was snoozed again")(w.store.SnoozeEnded(w.ctx, now, 100))
}

func idleCase(w *world) {
	now := w.now()
	patient, hasty, never := w.aTeam(w.account().ID), w.aTeam(w.account().ID), w.aTeam(w.account().ID)
	patient.Settings.AutoClose, hasty.Settings.AutoClose, never.Settings.AutoClose = 24*time.Hour, time.Minute, 0
	for _, team := range w.resting(tenancy.Settings{AutoClose: time.Minute}) {
		c := w.aConversation(team)
		c.Status, c.IdleSince, c.NeedsReplySince = conversation.Open, now.Add(-time.Hour), time.Time{}
		conversations().store(w, c)
	}
	var due []conversation.Conversation
	for _, team := range []tenancy.Team{patient, hasty, never} {
		teams().store(w, team)
		for _, idle := range []time.Duration{
			0, time.Minute - time.Microsecond, time.Minute, time.Hour, 24*time.Hour - time.Microsecond, 24 * time.Hour, 25 * time.Hour,
		} {
			for _, status := range conversation.Statuses() {
				for _, waiting := range []bool{true, false} {
					c := w.aConversation(team)
					c.Status, c.IdleSince = status, now.Add(-idle)
					if !waiting {
						c.NeedsReplySince = time.Time{}
					}
					conversations().store(w, c)
					if team.Settings.AutoClose > 0 && idle >= team.Settings.AutoClose && status == conversation.Open && !waiting {
						due = append(due, c)
					}
				}
			}
		}
	}
	idle := func(want []conversation.Conversation, at time.Time, what string) {
		w.Helper()
		got, err := w.store.Idle(w.ctx, at, 100)
		lists(w, inOrder(threadsOf(want)), "Idle, %s", what)(inOrder(got), err)
	}
	idle(due, now, "in all teams")
	idle(nil, now.AddDate(-1, 0, 0), "a year before")
	idle(nil, time.Time{}, "at the zero time")
	for _, limit := range []int{0, 1, 3} {
		got, err := w.store.Idle(w.ctx, now, limit)
		w.must(err, "Idle")
		if len(got) != limit {
			w.breaks("Idle, at most %d of %d, answered %d", limit, len(due), len(got))
		}
		for _, t := range got {
			if !slices.Contains(threadsOf(due), t) {
				w.breaks("Idle, at most %d, answered %+v, which is not idle", limit, t)
			}
		}
	}

	// What is dealt with is gone, and what a team decides holds for what it has already.
	closed, touched := due[0], due[1]
	closed.Status, touched.IdleSince = conversation.Closed, now
	w.must(conversations().write(w, closed), "UpdateConversation")
	w.must(conversations().write(w, touched), "UpdateConversation")
	due = due[2:]
	idle(due, now, "after one was closed and something happened in another")
	hasty.Settings.AutoClose = 0
	w.must(teams().write(w, hasty), "UpdateTeam")
	due = slices.DeleteFunc(due, func(c conversation.Conversation) bool { return c.Team == hasty.ID })
	idle(due, now, "after a team gave it up")
	w.discard("a transaction that closes nothing any more", func(ctx context.Context) error {
		patient.Settings.AutoClose = 0
		if err := w.store.UpdateTeam(ctx, patient); err != nil {
			return err
		}
		lists[conversation.Thread](w, nil, "Idle inside, after the last team gave it up")(w.store.Idle(ctx, now, 100))
		return nil
	})
	idle(due, now, "after the rollback of that")
}

func inOrder(threads []conversation.Thread) []conversation.Thread {
	slices.SortFunc(threads, func(a, b conversation.Thread) int { return slices.Compare(a.Conversation[:], b.Conversation[:]) })
	return threads
}

func lapsedGrantsCase(w *world) {
	now := w.now()
	teams := []tenancy.Team{w.team(), w.team()}
	var due []conversation.Grant
	in := map[tenancy.ConversationID]tenancy.TeamID{}
	for i := range 15 {
		c := w.conversation(teams[i%2])
		in[c.ID] = c.Team
		g := w.aGrant(c.ID)
		switch i % 5 {
		case 0: // not yet, by a microsecond
			g.ExpiresAt = now.Add(time.Microsecond)
		case 1:
			g.ExpiresAt = now
			due = append(due, g)
		case 2: // in pairs of one time and one conversation, which are in order of the users' ids
			g.ExpiresAt = now.Add(-time.Hour)
			also := w.aGrant(c.ID)
			also.ExpiresAt = g.ExpiresAt
			grants().store(w, also)
			due = append(due, g, also)
		case 3:
			g.ExpiresAt = time.Time{}
		case 4:
			g.ExpiresAt, g.RevokedAt = now.Add(-time.Hour), now.Add(-time.Minute)
		}
		grants().store(w, g)
	}
	slices.SortFunc(due, func(a, b conversation.Grant) int {
		return cmp.Or(a.ExpiresAt.Compare(b.ExpiresAt), slices.Compare(a.Conversation[:], b.Conversation[:]), slices.Compare(a.User[:], b.User[:]))
	})
	named := func(list []conversation.Grant) (users []conversation.ThreadUser) {
		for _, g := range list {
			thread := conversation.Thread{Team: in[g.Conversation], Conversation: g.Conversation}
			users = append(users, conversation.ThreadUser{Thread: thread, User: g.User})
		}
		return users
	}
	for _, limit := range []int{0, 1, 3, len(due), len(due) + 1} {
		lists(w, named(due[:min(limit, len(due))]), "LapsedGrants, at most %d", limit)(w.store.LapsedGrants(w.ctx, now, limit))
	}
	lists[conversation.ThreadUser](w, nil, "LapsedGrants before the first expiry")(w.store.LapsedGrants(w.ctx, now.Add(-2*time.Hour), 10))
	lists[conversation.ThreadUser](w, nil, "LapsedGrants at the zero time")(w.store.LapsedGrants(w.ctx, time.Time{}, 10))

	revoked, longer := due[0], due[1]
	revoked.RevokedAt, longer.ExpiresAt = now, now.Add(time.Hour)
	w.must(grants().write(w, revoked), "UpdateGrant")
	w.must(grants().write(w, longer), "UpdateGrant")
	lists(w, named(due[2:]), "LapsedGrants after one was revoked and one prolonged")(w.store.LapsedGrants(w.ctx, now, 100))

	// A conversation that moves takes its guests along.
	moving, err := w.store.Conversation(w.ctx, in[due[2].Conversation], due[2].Conversation)
	w.must(err, "Conversation")
	from, to := moving.Team, w.teamIn(moving.Account)
	moving.Team, moving.Contact = to.ID, w.contact(to.ID).ID
	w.tx("UpdateConversation that moves", func(ctx context.Context) error { return w.store.UpdateConversation(ctx, from, moving) })
	in[moving.ID] = to.ID
	lists(w, named(due[2:]), "LapsedGrants after a move")(w.store.LapsedGrants(w.ctx, now, 100))
}
