package storagetest

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/storage/outbox"
)

func deadLetterCases() []testCase {
	cases := []testCase{
		{name: "bury lets the stream go on", rule: ruleBury, covers: []string{"Bury", "Buried"}, run: buryCase},
		{name: "bury with a lost lease changes nothing", rule: ruleBuryLost, covers: []string{"Bury"}, run: buryLostCase},
		{name: "bury without a lease changes nothing", rule: ruleBuryLost, covers: []string{"Bury"}, run: buryForgedCase},
		{name: "bury keeps the event in the log", rule: ruleDead, covers: []string{"Bury", "Buried"}, run: deadCase},
		{name: "buried times are UTC to the microsecond", rule: ruleTimes, covers: []string{"Bury", "Buried"}, run: buriedTimesCase},
		{name: "replay makes a dead letter an event again", rule: ruleReplay, covers: []string{"Replay"}, run: replayCase},
		{name: "replay wants a dead letter", rule: ruleNotBuried, covers: []string{"Replay"}, run: notBuriedCase},
		{name: "replay puts an event in its place", rule: ruleReplayPlace, covers: []string{"Replay"}, run: replayPlaceCase},
		{name: "replay waits for a lease in its stream", rule: ruleReplayLease, covers: []string{"Replay"}, run: replayLeaseCase},
		{name: "replays of one dead letter have one winner", rule: ruleNotBuried, covers: []string{"Replay"}, run: replayRaceCase},
		{name: "replays beside relays keep a stream in one hand", rule: ruleReplayLease, also: RowLocks, covers: []string{"Replay", "Take"}, run: replayTakeCase},
		{name: "replays beside appends and relays keep a stream in one hand", rule: ruleReplayLease, also: RowLocks, covers: []string{"Replay", "Append", "Take"}, run: replayAppendCase},
		{name: "relaying at random does what the smallest model does", rule: ruleReplayPlace, covers: []string{"Take", "Done", "Retry", "Bury", "Buried", "Replay"}, run: relayModelCase},
	}
	for i := range cases {
		cases[i].needs = Relaying
	}
	return cases
}

// bury buries what is held, and answers it as a dead letter.
func (w *world) bury(due outbox.Due) outbox.DeadLetter {
	w.Helper()
	at := w.now()
	w.must(w.store.Bury(w.ctx, due, at), "Bury")
	return outbox.DeadLetter{Event: due.Event, Attempts: due.Attempt, At: at}
}

func (w *world) buried() []outbox.DeadLetter {
	w.Helper()
	return w.buriedIn(lane)
}

// taking takes one event, which must be the one that is expected.
func (w *world) taking(now time.Time, attempt int, want outbox.Event) outbox.Due {
	w.Helper()
	due := w.take(now, 1)
	w.taken(due, attempt, now.Add(time.Minute), want)
	if w.Failed() {
		w.FailNow()
	}
	return due[0]
}

func buryCase(w *world) {
	q := w.queue(1, 3)
	now := w.now()
	for attempt := 1; attempt <= 3; attempt++ {
		w.must(w.store.Retry(w.ctx, w.taking(now, attempt, q[0][0]), now), "Retry")
	}
	var letters []outbox.DeadLetter
	lists(w, letters, "Buried before anything was")(w.buried(), nil)
	// A lease that is over and that nobody else has taken is still the holder's.
	letters = append(letters, w.bury(w.taking(now, 4, q[0][0])))
	lists(w, letters, "Buried")(w.buried(), nil)
	letters = append(letters, w.bury(w.taking(now, 1, q[0][1])))
	lists(w, letters, "Buried after two burials")(w.buried(), nil)
	w.done(w.taking(now, 1, q[0][2]))
	w.taken(w.take(now.AddDate(1, 0, 0), 10), 1, now)

	// A stream of which nothing is left takes new events.
	e := w.anEvent(q[0][0].Stream, w.team())
	w.append(e)
	e.Sequence = 4
	w.done(w.taking(now, 1, e))
	lists(w, letters, "Buried after the stream went on")(w.buried(), nil)
}

func buryLostCase(w *world) {
	q := w.queue(1, 2)
	now := w.now()
	first := w.taking(now, 1, q[0][0])
	later := now.Add(2 * time.Minute)
	second := w.taking(later, 2, q[0][0])
	w.is(w.store.Bury(w.ctx, first, later), outbox.ErrLeaseLost, "Bury with a lease that has passed to another")
	lists[outbox.DeadLetter](w, nil, "Buried after Bury with a lost lease")(w.buried(), nil)
	w.taken(w.take(later, 5), 1, later)
	w.must(w.store.Done(w.ctx, second), "Done by the relay that holds the lease")
	w.done(w.taking(later, 1, q[0][1]))
}

// buryForgedCase: what can bury an event can make its stream go on without it, so nothing but
// the lease can.
func buryForgedCase(w *world) {
	q := w.queue(1, 3)
	now := w.now()
	refused := func(d outbox.Due, what string) {
		w.Helper()
		w.is(w.store.Bury(w.ctx, d, now), outbox.ErrLeaseLost, "Bury of an event %s", what)
	}
	untaken := outbox.Due{Event: q[0][0], Lane: lane, Attempt: 1, Until: now.Add(time.Minute)}
	refused(untaken, "that nobody has taken")
	refused(outbox.Due{Event: q[0][0], Lane: lane}, "without a lease")
	unknown := untaken
	unknown.ID = newID[uuid.UUID](w)
	refused(unknown, "that does not exist")
	held := w.taking(now, 1, q[0][0])
	forged := held
	forged.Until = forged.Until.Add(time.Microsecond)
	refused(forged, "under a lease with another end")
	forged = held
	forged.Attempt++
	refused(forged, "under a lease of another attempt")
	w.must(w.store.Retry(w.ctx, held, now), "Retry")
	refused(held, "that was given back")
	held = w.taking(now, 2, q[0][0])
	w.done(held)
	refused(held, "that is done")
	lists[outbox.DeadLetter](w, nil, "Buried after refused burials")(w.buried(), nil)

	held = w.taking(now, 1, q[0][1])
	letter := w.bury(held)
	refused(held, "that is buried")
	for method, err := range map[string]error{"Done": w.store.Done(w.ctx, held), "Retry": w.store.Retry(w.ctx, held, now)} {
		w.is(err, outbox.ErrLeaseLost, "%s of an event that is buried", method)
	}
	lists(w, []outbox.DeadLetter{letter}, "Buried after Bury, Done and Retry of what is buried")(w.buried(), nil)
	w.taking(now, 1, q[0][2])
}

func deadCase(w *world) {
	team := w.team()
	var events []outbox.Event
	for i := range 3 {
		e := w.aTeamEvent(team)
		w.append(e)
		e.Sequence = int64(i + 1)
		events = append(events, e)
	}
	now := w.now()
	letter := w.bury(w.taking(now, 1, events[0]))
	lists(w, events, "TeamEvents with a dead letter")(w.history(w.ctx, team), nil)
	w.done(w.taking(now, 1, events[1]))
	w.done(w.taking(now, 1, events[2]))
	for _, at := range []time.Time{now, letter.At, now.AddDate(100, 0, 0)} {
		w.taken(w.take(at, 10), 1, at)
	}
	lists(w, []outbox.DeadLetter{letter}, "Buried after all others were delivered")(w.buried(), nil)
	w.must(w.store.Replay(w.ctx, lane, letter.Event.ID, now), "Replay")
	lists(w, events, "TeamEvents with an event that was replayed")(w.history(w.ctx, team), nil)
}

func buriedTimesCase(w *world) {
	odd := time.Date(2026, 3, 29, 1, 59, 59, 999_999_999, time.FixedZone("UTC+5:45", 20_700))
	q := w.queue(1, 2)
	now := w.now()
	for _, e := range q[0] {
		w.must(w.store.Bury(w.ctx, w.taking(now, 1, e), odd), "Bury")
		want := outbox.DeadLetter{Event: e, Attempts: 1, At: odd.UTC().Truncate(time.Microsecond)}
		lists(w, []outbox.DeadLetter{want}, "Buried")(w.buried(), nil)
		w.must(w.store.Replay(w.ctx, lane, e.ID, odd), "Replay")
		at := odd.Truncate(time.Microsecond)
		w.taken(w.take(at.Add(-time.Microsecond), 5), 1, at)
		w.done(w.taking(at.UTC(), 1, e))
	}
}

func replayCase(w *world) {
	q := w.queue(2, 2)
	now := w.now()
	due := w.take(now, 5)
	w.taken(due, 1, now.Add(time.Minute), q[0][0], q[1][0])
	if w.Failed() {
		return
	}
	bad, fine := due[0], due[1]
	for attempt := 2; attempt <= 3; attempt++ {
		w.must(w.store.Retry(w.ctx, bad, now), "Retry")
		bad = w.taking(now, attempt, bad.Event)
	}
	w.bury(bad)
	w.done(fine)
	again := now.Add(10*time.Minute + time.Microsecond)
	w.must(w.store.Replay(w.ctx, lane, bad.Event.ID, again), "Replay")
	lists[outbox.DeadLetter](w, nil, "Buried after Replay")(w.buried(), nil)
	w.is(w.store.Done(w.ctx, bad), outbox.ErrLeaseLost, "Done with the lease from before the burial")
	w.is(w.store.Bury(w.ctx, bad, now), outbox.ErrLeaseLost, "Bury with the lease from before the burial")
	// Until then its stream waits, and no other.
	for _, d := range w.take(again.Add(-time.Microsecond), 5) {
		if d.Stream == bad.Stream {
			w.stop("Take handed out event %d of a stream a microsecond before the time for which its event %d was replayed", d.Sequence, bad.Sequence)
		}
		w.done(d)
	}
	// It fails as often as a new event may.
	held := w.taking(again, 1, bad.Event)
	w.must(w.store.Retry(w.ctx, held, again), "Retry")
	held = w.taking(again, 2, bad.Event)
	letter := w.bury(held)
	lists(w, []outbox.DeadLetter{letter}, "Buried after a second burial")(w.buried(), nil)
	w.must(w.store.Replay(w.ctx, lane, bad.Event.ID, again), "Replay for the second time")
	w.done(w.taking(again, 1, bad.Event))
}

func notBuriedCase(w *world) {
	q := w.queue(2, 2)
	now := w.now()
	refused := func(id uuid.UUID, what string) {
		w.Helper()
		w.is(w.store.Replay(w.ctx, lane, id, now), outbox.ErrNotBuried, "Replay of %s", what)
	}
	refused(newID[uuid.UUID](w), "an event that does not exist")
	refused(uuid.Nil, "no event")
	refused(q[0][0].ID, "an event that nobody has taken")
	due := w.take(now, 5)
	if len(due) != 2 {
		w.stop("Take handed out %d events, want 2", len(due))
	}
	refused(due[0].ID, "an event under a lease")
	w.done(due[0])
	refused(due[0].ID, "an event that is done")
	w.must(w.store.Retry(w.ctx, due[1], now.Add(time.Hour)), "Retry")
	refused(due[1].ID, "an event that waits for its retry")
	w.taken(w.take(now.Add(time.Hour-time.Microsecond), 1), 1, now.Add(time.Hour-time.Microsecond).Add(time.Minute), next(q, due[0].Event))
	held := w.taking(now.Add(time.Hour), 2, due[1].Event)
	w.bury(held)
	w.must(w.store.Replay(w.ctx, lane, held.ID, now), "Replay")
	refused(held.ID, "an event that was replayed")
	w.taking(now, 1, held.Event)
}

// next is the event after the one given in its stream.
func next(queues [][]outbox.Event, e outbox.Event) outbox.Event {
	for _, q := range queues {
		if q[0].Stream == e.Stream {
			return q[e.Sequence]
		}
	}
	return outbox.Event{}
}

// replayPlaceCase buries the first two of five, delivers the third, and replays them in both
// orders.
func replayPlaceCase(w *world) {
	for _, order := range [][2]int{{0, 1}, {1, 0}} {
		e := w.queue(1, 5)[0]
		now := w.now()
		w.bury(w.taking(now, 1, e[0]))
		w.bury(w.taking(now, 1, e[1]))
		w.done(w.taking(now, 1, e[2]))
		for _, i := range order {
			w.must(w.store.Replay(w.ctx, lane, e[i].ID, now), "Replay")
		}
		for _, i := range []int{0, 1, 3, 4} {
			held := w.taking(now, 1, e[i])
			w.taken(w.take(now, 5), 1, now)
			w.done(held)
		}
		w.taken(w.take(now, 5), 1, now)
	}
	// The last of a stream, after all others were delivered; what is appended waits for it.
	e := w.queue(1, 2)[0]
	now := w.now()
	w.done(w.taking(now, 1, e[0]))
	w.bury(w.taking(now, 1, e[1]))
	w.must(w.store.Replay(w.ctx, lane, e[1].ID, now.Add(time.Hour)), "Replay")
	third := w.anEvent(e[0].Stream, w.team())
	w.append(third)
	third.Sequence = 3
	w.taken(w.take(now, 5), 1, now)
	now = now.Add(time.Hour)
	w.done(w.taking(now, 1, e[1]))
	w.done(w.taking(now, 1, third))
}

// replayLeaseCase replays the first of a stream while another relay holds the second, and lets
// that relay settle it in each way, before and after the lease has ended.
func replayLeaseCase(w *world) {
	for _, settle := range []struct {
		how string
		do  func(d outbox.Due, now time.Time) error
		// after is what the second event is after that: the number of its next attempt, or 0.
		after int
	}{
		{"done", func(d outbox.Due, now time.Time) error { return w.store.Done(w.ctx, d) }, 0},
		{"retried", func(d outbox.Due, now time.Time) error { return w.store.Retry(w.ctx, d, now) }, 2},
		{"buried", func(d outbox.Due, now time.Time) error { return w.store.Bury(w.ctx, d, now) }, 0},
	} {
		for _, late := range []bool{false, true} {
			e := w.queue(1, 3)[0]
			now := w.now()
			w.bury(w.taking(now, 1, e[0]))
			second := w.taking(now, 1, e[1])
			w.must(w.store.Replay(w.ctx, lane, e[0].ID, now), "Replay")
			for _, at := range []time.Time{now, second.Until.Add(-time.Microsecond)} {
				if due := w.take(at, 5); len(due) > 0 {
					w.stop("Take handed out event %d of a stream of which another relay holds event 2", due[0].Sequence)
				}
			}
			if !late {
				w.must(settle.do(second, now), "an event that is %s under its lease, after a replay of one before it", settle.how)
			}
			first := w.taking(second.Until, 1, e[0])
			if late {
				w.must(settle.do(second, now), "an event that is %s after its lease, which nobody else has taken", settle.how)
			}
			now = second.Until
			w.taken(w.take(now, 5), 1, now)
			w.done(first)
			if settle.after > 0 {
				w.done(w.taking(now, settle.after, e[1]))
			}
			w.done(w.taking(now, 1, e[2]))
			w.taken(w.take(now.AddDate(1, 0, 0), 5), 1, now)
		}
	}
}

func replayRaceCase(w *world) {
	for range w.rounds {
		e := w.queue(1, 1)[0][0]
		now := w.now()
		w.bury(w.taking(now, 1, e))
		won := 0
		for _, err := range w.crowd(4, func(int) error { return w.store.Replay(w.ctx, lane, e.ID, now) }) {
			if err == nil {
				won++
			} else {
				w.is(err, outbox.ErrNotBuried, "one of several replays")
			}
		}
		if won != 1 {
			w.stop("of 4 replays of one dead letter %d succeeded, want 1", won)
		}
		w.done(w.taking(now, 1, e))
	}
}

// replayTakeCase replays the first of each stream while relays take what is due. Either may come
// first: whichever does, nobody may hold two events of one stream.
func replayTakeCase(w *world) {
	for range w.rounds {
		const streams = 4
		q := w.queue(streams, 2)
		now := w.now()
		for _, d := range w.take(now, streams) {
			w.must(w.store.Bury(w.ctx, d, now), "Bury")
		}
		var taken [2][]outbox.Due
		for _, err := range w.crowd(streams+len(taken), func(i int) (err error) {
			if i < streams {
				return w.store.Replay(w.ctx, lane, q[i][0].ID, now)
			}
			taken[i-streams], err = w.store.Take(w.ctx, lane, now, now.Add(time.Minute), streams)
			return err
		}) {
			w.must(err, "Replay and Take at once")
		}
		w.inOneHand(now, append(taken[0], taken[1]...))
		w.finish(now.Add(time.Hour), 2*streams)
	}
}

// replayAppendCase: an event that is appended while another is replayed comes after it.
func replayAppendCase(w *world) {
	for range w.rounds {
		first := w.queue(1, 1)[0][0]
		second := w.anEvent(first.Stream, w.team())
		now := w.now()
		w.bury(w.taking(now, 1, first))
		var taken []outbox.Due
		for _, err := range w.crowd(3, func(i int) error {
			switch i {
			case 0:
				return w.store.Replay(w.ctx, lane, first.ID, now)
			case 1:
				return w.store.InTx(w.ctx, func(ctx context.Context) error { return w.store.Append(ctx, along([]outbox.Event{second}, lane)...) })
			default:
				for len(taken) == 0 { // until either of them is there
					var err error
					taken, err = w.store.Take(w.ctx, lane, now, now.Add(time.Minute), 5)
					if err != nil {
						return err
					}
				}
				return nil
			}
		}) {
			w.must(err, "Replay, Append and Take at once")
		}
		w.inOneHand(now, taken)
		w.finish(now.Add(time.Hour), 2)
	}
}

// inOneHand takes what else is due and checks that no stream has been handed out twice.
func (w *world) inOneHand(now time.Time, taken []outbox.Due) {
	w.Helper()
	held := map[outbox.Stream]int64{}
	for _, d := range append(taken, w.take(now, 100)...) {
		if other, twice := held[d.Stream]; twice {
			w.stop("Take handed out the events %d and %d of one stream, neither of which was settled", other, d.Sequence)
		}
		held[d.Stream] = d.Sequence
	}
}

// finish delivers all that is left. The time must be after all leases.
func (w *world) finish(now time.Time, most int) {
	w.Helper()
	for range most + 1 {
		due := w.take(now, 100)
		if len(due) == 0 {
			return
		}
		w.done(due...)
	}
	w.stop("Take goes on handing out events that are done")
}
