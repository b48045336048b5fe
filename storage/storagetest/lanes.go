package storagetest

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

func laneCases() []testCase {
	cases := []testCase{
		{name: "lanes go their own way", rule: ruleLanes, covers: []string{"Take", "Done", "Retry", "Bury", "Buried", "Replay"}, run: lanesCase},
		{name: "lanes share no lease", rule: ruleLanes, covers: []string{"Done", "Retry", "Bury"}, run: laneLeaseCase},
		{name: "lanes take the events that name them", rule: ruleRouted, covers: []string{"Append", "Take"}, run: routedCase},
		{name: "lanes are told apart by their whole names", rule: ruleRouted, covers: []string{"Append", "Take"}, run: laneNamesCase},
		{name: "lanes may be many for one event, and events for one lane", rule: ruleRouted, covers: []string{"Append", "Take"}, run: manyLanesCase},
		{name: "lanes are named once by an event", rule: ruleDuplicate, covers: []string{"Append"}, run: laneTwiceCase},
		{name: "lanes that are forgotten are empty and no other is", rule: ruleForgetLane, covers: []string{"ForgetLane"}, run: forgetLaneCase},
	}
	for i := range cases {
		cases[i].needs = Relaying
	}
	return cases
}

// takeIn is take in another lane.
func (w *world) takeIn(lane string, now time.Time, limit int) []outbox.Due {
	w.Helper()
	due, err := w.store.Take(w.ctx, lane, now, now.Add(time.Minute), limit)
	w.must(err, "Take")
	return due
}

// takingIn takes one event in a lane, which must be the only one and the one that is expected.
func (w *world) takingIn(lane string, now time.Time, attempt int, want outbox.Event) outbox.Due {
	w.Helper()
	due := w.takeIn(lane, now, 5)
	lists(w, []outbox.Due{{Event: want, Lane: lane, Attempt: attempt, Until: now.Add(time.Minute)}}, "Take in the lane %q", lane)(due, nil)
	if w.Failed() {
		w.FailNow()
	}
	return due[0]
}

// nothingIn checks that no event is due in a lane.
func (w *world) nothingIn(lane string, now time.Time, what string) {
	w.Helper()
	lists[outbox.Due](w, nil, "Take in the lane %q %s", lane, what)(w.takeIn(lane, now, 5), nil)
}

func (w *world) buriedIn(lane string) []outbox.DeadLetter {
	w.Helper()
	letters, err := w.store.Buried(w.ctx, lane, time.Time{}, uuid.Nil, 100)
	w.must(err, "Buried")
	return letters
}

// lanesCase lets one lane fail with the first of two events in every way, beside one that does not.
func lanesCase(w *world) {
	e := w.queueAlong([]string{"bad", "good"}, 1, 2)[0]
	now := w.now()
	later := now.Add(time.Hour)
	bad := w.takingIn("bad", now, 1, e[0])
	good := w.takingIn("good", now, 1, e[0])
	w.must(w.store.Retry(w.ctx, bad, later), "Retry")
	w.nothingIn("good", now, "under a lease, after a Retry in another lane")
	w.done(good)
	w.nothingIn("bad", now, "before the retry, after a Done in another lane")
	good = w.takingIn("good", now, 1, e[1])
	bad = w.takingIn("bad", later, 2, e[0])
	letter := w.bury(bad)
	lists(w, []outbox.DeadLetter{letter}, "Buried in the lane of the burial")(w.buriedIn("bad"), nil)
	lists[outbox.DeadLetter](w, nil, "Buried in another lane")(w.buriedIn("good"), nil)
	w.is(w.store.Replay(w.ctx, "good", e[0].ID, later), outbox.ErrNotBuried, "Replay in another lane than that of the burial")
	w.done(good)
	w.nothingIn("good", later, "after all was done there")
	w.done(w.takingIn("bad", later, 1, e[1]))
	w.must(w.store.Replay(w.ctx, "bad", e[0].ID, later), "Replay")
	w.nothingIn("good", later, "after a Replay in another lane")
	w.done(w.takingIn("bad", later, 1, e[0]))
	w.nothingIn("bad", later, "after all was done there too")
}

func laneLeaseCase(w *world) {
	e := w.queueAlong([]string{"one", "other"}, 1, 1)[0][0]
	now := w.now()
	held := w.takingIn("one", now, 1, e)
	forged := held
	forged.Lane = "other"
	for method, err := range map[string]error{
		"Done": w.store.Done(w.ctx, forged), "Retry": w.store.Retry(w.ctx, forged, now), "Bury": w.store.Bury(w.ctx, forged, now),
	} {
		w.is(err, outbox.ErrLeaseLost, "%s in a lane with the lease of another", method)
	}
	w.done(w.takingIn("other", now, 1, e))
	w.done(held)
}

// routedCase: each lane has the events that name it, in the order of the stream, whatever lies
// between them.
func routedCase(w *world) {
	team := w.team()
	routes := [][]string{nil, {"a"}, {"b"}, {}, {"a", "b"}, {"b"}, {"a"}}
	var all []outbox.Event
	due := map[string][]outbox.Event{"a": nil, "b": nil, "c": nil, "": nil}
	for i, lanes := range routes {
		e := w.aTeamEvent(team)
		w.tx("Append", func(ctx context.Context) error { return w.store.Append(ctx, along([]outbox.Event{e}, lanes...)...) })
		e.Sequence = int64(i + 1)
		all = append(all, e)
		for _, lane := range lanes {
			due[lane] = append(due[lane], e)
		}
	}
	lists(w, all, "TeamEvents of events with lanes and without")(w.history(w.ctx, team), nil)
	now := w.now()
	for lane, events := range due {
		for _, e := range events {
			w.done(w.takingIn(lane, now, 1, e))
		}
		w.nothingIn(lane, now, "after all that named it was done")
	}
}

func laneNamesCase(w *world) {
	long := strings.Repeat("x", outbox.MaxLane-1)
	names := []string{"a", "aa", "a-", "-a", "a0", "0", long, long + "x", long + "y"}
	for _, name := range names {
		e := w.queueAlong([]string{name}, 1, 1)[0][0]
		for _, other := range names {
			if other != name {
				w.nothingIn(other, w.now(), "after an event for "+name)
			}
		}
		w.done(w.takingIn(name, w.now(), 1, e))
	}
}

func manyLanesCase(w *world) {
	var lanes []string
	for i := range 40 {
		lanes = append(lanes, fmt.Sprintf("lane-%d", i))
	}
	e := w.queueAlong(lanes, 1, 1)[0][0]
	for _, lane := range lanes {
		w.done(w.takingIn(lane, w.now(), 1, e))
	}
	team := w.team()
	var events []outbox.Event
	for range 40 {
		events = append(events, w.aTeamEvent(team))
	}
	w.append(events...)
	for i, e := range events {
		e.Sequence = int64(i + 1)
		w.done(w.taking(w.now(), 1, e))
	}
}

func laneTwiceCase(w *world) {
	team := w.team()
	e := w.aTeamEvent(team)
	w.is(w.try(func(ctx context.Context) error {
		return w.store.Append(ctx, along([]outbox.Event{w.aTeamEvent(team), e}, "a", "b", "a")...)
	}), tenancy.ErrDuplicate, "Append of an event that names a lane twice")
	lists[outbox.Event](w, nil, "TeamEvents after a refused append")(w.history(w.ctx, team), nil)
	w.nothingIn("a", w.now(), "after a refused append")
}

// forgetLaneCase gives up a lane that has a dead letter, a lease, a retry and events that nobody
// has taken.
func forgetLaneCase(w *world) {
	streams := w.queueAlong([]string{"left", "kept"}, 3, 2)
	team := tenancy.Team{ID: tenancy.TeamID(streams[0][0].Team)}
	logged := w.history(w.ctx, team)
	now := w.now()
	due := w.takeIn("left", now, 5)
	if len(due) != 3 {
		w.stop("Take handed out %d events, want the first of each of 3 streams", len(due))
	}
	dead, held := due[0], due[1]
	w.bury(dead)
	w.must(w.store.Retry(w.ctx, due[2], now.Add(time.Hour)), "Retry")

	answers(w, 0, "ForgetLane of one that has never been")(w.store.ForgetLane(w.ctx, "lef"))
	answers(w, 6, "ForgetLane")(w.store.ForgetLane(w.ctx, "left"))
	answers(w, 0, "ForgetLane for the second time")(w.store.ForgetLane(w.ctx, "left"))
	w.nothingIn("left", now.AddDate(1, 0, 0), "after ForgetLane")
	lists[outbox.DeadLetter](w, nil, "Buried after ForgetLane")(w.buriedIn("left"), nil)
	w.is(w.store.Replay(w.ctx, "left", dead.ID, now), outbox.ErrNotBuried, "Replay after ForgetLane")
	w.is(w.store.Done(w.ctx, held), outbox.ErrLeaseLost, "Done with a lease from before ForgetLane")
	lists(w, logged, "TeamEvents after ForgetLane")(w.history(w.ctx, team), nil)

	// The other lane has all six, and the one that was given up takes new events.
	for range 2 {
		kept := w.takeIn("kept", now, 5)
		if len(kept) != 3 {
			w.breaks("Take handed out %d events of a lane beside one that was forgotten, want the first of each of 3 streams", len(kept))
		}
		w.done(kept...)
	}
	e := w.anEvent(streams[0][0].Stream, w.team())
	w.tx("Append", func(ctx context.Context) error { return w.store.Append(ctx, along([]outbox.Event{e}, "left")...) })
	e.Sequence = 3
	w.done(w.takingIn("left", now, 1, e))
}
