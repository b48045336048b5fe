package storagetest

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

func relayCases() []testCase {
	cases := []testCase{
		{name: "take leases the heads of streams", rule: ruleHeads, covers: []string{"Take", "Done"}, run: headsCase},
		{name: "take passes by streams that are blocked", rule: ruleBlocks, covers: []string{"Take", "Retry"}, run: blockedCase},
		{name: "take honours leases to the microsecond", rule: ruleTake, covers: []string{"Take"}, run: leaseCase},
		{name: "take keeps to its limit", rule: ruleTake, covers: []string{"Take"}, run: takeLimitCase},
		{name: "take sees what is committed and nothing else", rule: ruleTake, covers: []string{"Take"}, run: takeCommittedCase},
		{name: "done and retry with a lost lease change nothing", rule: ruleDone, covers: []string{"Done", "Retry"}, run: lostLeaseCase},
		{name: "done and retry without a lease change nothing", rule: ruleDone, covers: []string{"Done", "Retry"}, run: forgedLeaseCase},
		{name: "done after the lease's end counts if nobody took it", rule: ruleDone, covers: []string{"Done", "Retry"}, run: lateCase},
		{name: "done with several takes out those that are held", rule: ruleDoneMany, covers: []string{"Done", "Retry"}, run: doneManyCase},
		{name: "retry waits and blocks its stream alone", rule: ruleRetry, covers: []string{"Retry", "Take"}, run: retryCase},
		{name: "relaying takes no part in a transaction", rule: ruleSourceTx, covers: []string{"Take", "Done", "Retry", "Bury", "Buried", "Replay", "ForgetLane"}, run: sourceTxCase},
		{name: "relays at work deliver each stream in order once", rule: ruleHeads, covers: []string{"Take", "Done", "Retry"}, run: relaysCase},
	}
	for i := range cases {
		cases[i].needs = Relaying
	}
	return cases
}

// taken checks which events were handed out, in any order: the contract orders them within a
// stream, and a stream has one at a time.
func (w *world) taken(due []outbox.Due, attempt int, until time.Time, want ...outbox.Event) {
	w.Helper()
	order := func(a, b outbox.Due) int { return slices.Compare(a.ID[:], b.ID[:]) }
	expected := make([]outbox.Due, 0, len(want))
	for _, e := range want {
		expected = append(expected, outbox.Due{Event: e, Lane: lane, Attempt: attempt, Until: until})
	}
	due = slices.SortedFunc(slices.Values(due), order)
	slices.SortFunc(expected, order)
	lists(w, expected, "Take")(due, nil)
}

// queue appends n events to each of some new teams' streams, and answers them by stream.
func (w *world) queue(streams, n int) [][]outbox.Event {
	w.Helper()
	return w.queueAlong([]string{lane}, streams, n)
}

// queueAlong is queue in other lanes.
func (w *world) queueAlong(lanes []string, streams, n int) [][]outbox.Event {
	w.Helper()
	queues := make([][]outbox.Event, streams)
	for s := range queues {
		team := w.team()
		for i := range n {
			e := w.aTeamEvent(team)
			w.tx("Append", func(ctx context.Context) error {
				return w.store.Append(ctx, along([]outbox.Event{e}, lanes...)...)
			})
			e.Sequence = int64(i + 1)
			queues[s] = append(queues[s], e)
		}
	}
	return queues
}

func (w *world) done(due ...outbox.Due) {
	w.Helper()
	for _, d := range due {
		w.must(w.store.Done(w.ctx, d), "Done")
	}
}

func headsCase(w *world) {
	q := w.queue(3, 3)
	now := w.now()
	until := now.Add(time.Minute)
	for i := range 3 {
		due := w.take(now, 100)
		w.taken(due, 1, until, q[0][i], q[1][i], q[2][i])
		w.taken(w.take(now, 100), 1, until)
		w.done(due...)
	}
	w.taken(w.take(now.Add(time.Hour), 100), 1, until)

	// What is done lets its own stream go on, and no other.
	q = w.queue(3, 2)
	due := w.take(now, 100)
	w.taken(due, 1, until, q[0][0], q[1][0], q[2][0])
	if w.Failed() {
		return
	}
	blocked := due[2]
	w.done(due[:2]...)
	var free []outbox.Event
	for _, events := range q {
		if events[0].Stream != blocked.Stream {
			free = append(free, events[1])
		}
	}
	w.taken(w.take(now, 100), 1, until, free...)
	w.done(blocked)
	for _, d := range w.take(now, 100) {
		if d.Stream != blocked.Stream || d.Sequence != 2 {
			w.breaks("Take after the last Done handed out event %d of a stream, want event 2 of the one that was blocked", d.Sequence)
		}
	}
}

// blockedCase puts a long stream whose head is leased, and another that waits for a retry,
// before a short one: a store that cuts to the limit first and looks for heads then would
// never get to it.
func blockedCase(w *world) {
	now := w.now()
	long := w.queue(2, 40)
	due := w.take(now, 2)
	w.taken(due, 1, now.Add(time.Minute), long[0][0], long[1][0])
	if w.Failed() {
		return
	}
	w.must(w.store.Retry(w.ctx, due[0], now.Add(time.Hour)), "Retry")
	short := w.queue(1, 1)
	w.taken(w.take(now, 1), 1, now.Add(time.Minute), short[0][0])
}

func leaseCase(w *world) {
	q := w.queue(1, 2)
	head := q[0][0]
	now := w.now()
	for attempt := 1; attempt <= 3; attempt++ {
		until := now.Add(90*time.Second + time.Microsecond)
		due, err := w.store.Take(w.ctx, lane, now, until, 5)
		w.must(err, "Take")
		w.taken(due, attempt, until, head)
		for _, at := range []time.Time{now, until.Add(-time.Microsecond)} {
			again, err := w.store.Take(w.ctx, lane, at, at.Add(time.Hour), 5)
			w.must(err, "Take")
			if len(again) > 0 {
				w.stop("Take handed out event %d, %v before the end of the lease on its stream", again[0].Sequence, until.Sub(at))
			}
		}
		now = until // a lease that ends at t can be taken at t
	}
}

func takeLimitCase(w *world) {
	q := w.queue(5, 1)
	now := w.now()
	var all []outbox.Due
	for _, step := range []struct{ limit, want int }{{0, 0}, {1, 1}, {2, 2}, {100, 2}, {100, 0}} {
		due := w.take(now, step.limit)
		if len(due) != step.want {
			w.breaks("Take with limit %d handed out %d of what is due, want %d", step.limit, len(due), step.want)
		}
		all = append(all, due...)
	}
	w.taken(all, 1, now.Add(time.Minute), q[0][0], q[1][0], q[2][0], q[3][0], q[4][0])
}

func takeCommittedCase(w *world) {
	team := w.team()
	lost, kept := w.aTeamEvent(team), w.aTeamEvent(team)
	now := w.now()
	appending := func(e outbox.Event) func(context.Context) error {
		return func(ctx context.Context) error { return w.store.Append(ctx, along([]outbox.Event{e}, lane)...) }
	}
	w.discard("a transaction that appends", appending(lost))
	w.taken(w.take(now, 10), 1, now)
	release := w.holding("a transaction that appends", appending(kept))
	short, cancel := context.WithTimeout(w.ctx, shortly)
	due, err := w.store.Take(short, lane, now, now.Add(time.Minute), 10)
	cancel()
	if err == nil && len(due) > 0 {
		w.breaks("Take handed out an event that is not committed")
	}
	release()
	kept.Sequence = 1
	w.taken(w.take(now, 10), 1, now.Add(time.Minute), kept)
}

// lostLeaseCase: the first relay is slow, its lease ends, a second takes the event. What the
// first then says about it comes too late.
func lostLeaseCase(w *world) {
	q := w.queue(1, 2)
	now := w.now()
	first := w.take(now, 1)
	later := now.Add(2 * time.Minute)
	second := w.take(later, 1)
	w.taken(second, 2, later.Add(time.Minute), q[0][0])
	if w.Failed() {
		return
	}
	w.is(w.store.Done(w.ctx, first[0]), outbox.ErrLeaseLost, "Done with a lease that has passed to another")
	w.is(w.store.Retry(w.ctx, first[0], now), outbox.ErrLeaseLost, "Retry with a lease that has passed to another")
	if due := w.take(later, 5); len(due) > 0 {
		w.breaks("after Done and Retry with a lost lease Take handed out event %d, although another relay holds the stream", due[0].Sequence)
	}
	w.must(w.store.Done(w.ctx, second[0]), "Done by the relay that holds the lease")
	w.taken(w.take(later, 5), 1, later.Add(time.Minute), q[0][1])
}

// doneManyCase: of five events in hand one is given back meanwhile, and one had failed before, so
// that the leases are not all of the same attempt.
func doneManyCase(w *world) {
	w.queue(5, 2)
	now := w.now()
	failed := w.take(now, 1)
	if len(failed) != 1 {
		w.breaks("Take handed out %d events, want 1", len(failed))
		return
	}
	w.must(w.store.Retry(w.ctx, failed[0], now), "Retry")
	due := w.take(now, 5)
	if len(due) != 5 {
		w.breaks("Take handed out %d of 5 streams", len(due))
		return
	}
	lost := due[slices.IndexFunc(due, func(d outbox.Due) bool { return d.ID != failed[0].ID })]
	w.must(w.store.Retry(w.ctx, lost, now), "Retry of one of those in hand")
	w.is(w.store.Done(w.ctx, due...), outbox.ErrLeaseLost, "Done with five events, of which one was given back")
	again := w.take(now, 10)
	if len(again) != 5 {
		w.breaks("after that Take handed out %d events, want the one that was given back and those behind the other four", len(again))
		return
	}
	for _, d := range again {
		if first := d.ID == lost.ID; first != (d.Attempt == lost.Attempt+1) || first != (d.Sequence == lost.Sequence) {
			w.breaks("after that Take handed out event %d of a stream for the %d. time", d.Sequence, d.Attempt)
		}
	}
	w.must(w.store.Done(w.ctx, again...), "Done with events that are all held")
	w.must(w.store.Done(w.ctx), "Done with nothing")
}

// forgedLeaseCase: only who took an event can end it, and only once.
func forgedLeaseCase(w *world) {
	q := w.queue(1, 2)
	now := w.now()
	untaken := outbox.Due{Event: q[0][0], Lane: lane, Attempt: 1, Until: now.Add(time.Minute)}
	refused := func(d outbox.Due, what string) {
		w.Helper()
		for method, err := range map[string]error{"Done": w.store.Done(w.ctx, d), "Retry": w.store.Retry(w.ctx, d, now)} {
			w.is(err, outbox.ErrLeaseLost, "%s of an event %s", method, what)
		}
	}
	refused(untaken, "that nobody has taken")
	unknown := untaken
	unknown.ID = newID[tenancy.MessageID](w).UUID()
	refused(unknown, "that does not exist")
	due := w.take(now, 1)
	w.taken(due, 1, now.Add(time.Minute), q[0][0])
	if w.Failed() {
		return
	}
	forged := due[0]
	forged.Until = forged.Until.Add(time.Microsecond)
	refused(forged, "under a lease with another end")
	w.done(due[0])
	// After its end there is nothing left to say: saying it again may be refused, and must
	// not bring the event back.
	if err := w.store.Done(w.ctx, due[0]); err != nil {
		w.is(err, outbox.ErrLeaseLost, "Done for the second time")
	}
	w.is(w.store.Retry(w.ctx, due[0], now), outbox.ErrLeaseLost, "Retry of an event that is done")
	w.taken(w.take(now, 5), 1, now.Add(time.Minute), q[0][1])
}

func lateCase(w *world) {
	q := w.queue(1, 3)
	now := w.now()
	// Done takes no clock: a lease that nobody else has taken is still the holder's.
	due := w.take(now, 1)
	other := w.queue(1, 1) // life goes on elsewhere
	later := now.Add(time.Hour)
	w.must(w.store.Done(w.ctx, due[0]), "Done after the end of a lease that nobody else has taken")
	due = w.take(later, 5)
	w.taken(due, 1, later.Add(time.Minute), q[0][1], other[0][0])
	for _, d := range due {
		w.must(w.store.Retry(w.ctx, d, later), "Retry at once")
	}
}

func retryCase(w *world) {
	q := w.queue(2, 2)
	now := w.now()
	until := now.Add(time.Minute)
	due := w.take(now, 5)
	w.taken(due, 1, until, q[0][0], q[1][0])
	if w.Failed() {
		return
	}
	failed, fine := due[0], due[1]
	again := now.Add(10*time.Minute + time.Microsecond)
	w.must(w.store.Retry(w.ctx, failed, again), "Retry")
	w.done(fine)
	// Until then its stream waits, and no other: also beyond the end of the old lease.
	for _, at := range []time.Time{now, until, again.Add(-time.Microsecond)} {
		for _, d := range w.take(at, 5) {
			if d.Stream == failed.Stream {
				w.stop("Take handed out event %d of a stream, %v before the retry of its event %d", d.Sequence, again.Sub(at), failed.Sequence)
			}
			if d.Sequence != 2 {
				w.stop("Take handed out event %d of the other stream, want its event 2", d.Sequence)
			}
			w.must(w.store.Retry(w.ctx, d, at), "Retry")
		}
	}
	due = w.take(again, 5)
	slices.SortFunc(due, func(a, b outbox.Due) int { return int(a.Sequence - b.Sequence) })
	if len(due) != 2 || due[0].Event.ID != failed.ID || due[0].Attempt != 2 {
		w.breaks("Take at the time of the retry handed out %s, want the event that failed, with attempt 2, and the other stream's", shown(due))
		return
	}
	w.is(w.store.Done(w.ctx, failed), outbox.ErrLeaseLost, "Done with the lease from before the retry")
	w.done(due[0])
	for _, d := range w.take(again, 5) {
		if d.Stream == failed.Stream && d.Sequence != 2 {
			w.breaks("after the retry was done Take handed out event %d of its stream", d.Sequence)
		}
	}
}

// sourceTxCase: relaying inside a transaction would lease what may be rolled back, and hold
// the lock of the outbox for as long as the closure runs.
func sourceTxCase(w *world) {
	q := w.queue(1, 2)
	now := w.now()
	due := w.take(now, 1)
	err := w.store.InTx(w.ctx, func(ctx context.Context) error {
		if got, err := w.store.Take(ctx, lane, now.Add(time.Hour), now.Add(2*time.Hour), 5); err == nil {
			w.breaks("Take inside a transaction handed out %d events and answered no error", len(got))
		}
		if err := w.store.Done(ctx, due[0]); err == nil {
			w.breaks("Done inside a transaction answered no error")
		}
		if err := w.store.Retry(ctx, due[0], now); err == nil {
			w.breaks("Retry inside a transaction answered no error")
		}
		if err := w.store.Bury(ctx, due[0], now); err == nil {
			w.breaks("Bury inside a transaction answered no error")
		}
		if _, err := w.store.Buried(ctx, lane, time.Time{}, uuid.Nil, 5); err == nil {
			w.breaks("Buried inside a transaction answered no error")
		}
		if err := w.store.Replay(ctx, lane, due[0].ID, now); err == nil || errors.Is(err, outbox.ErrNotBuried) {
			w.breaks("Replay inside a transaction answered %s, want that it must not be called there", show(err))
		}
		if _, err := w.store.ForgetLane(ctx, lane); err == nil {
			w.breaks("ForgetLane inside a transaction answered no error")
		}
		return nil
	})
	_ = err // whether such a closure can still commit is open
	if again := w.take(now, 5); len(again) > 0 {
		w.breaks("Retry inside a transaction had an effect")
	}
	w.done(due[0])
	w.taken(w.take(now, 5), 1, now.Add(time.Minute), q[0][1])
}

// relaysCase lets several relays work at once. Every third hand-over fails at first. No lease
// ends meanwhile, so each event succeeds once, after those before it.
func relaysCase(w *world) {
	const relays, streams, length = 4, 6, 5
	q := w.queue(streams, length)
	now := w.now()
	var mu sync.Mutex
	delivered := map[outbox.Stream][]int64{}
	left := streams * length
	work := func() (over bool, err error) {
		due, err := w.store.Take(w.ctx, lane, now, now.Add(time.Hour), 3)
		if err != nil {
			return true, err
		}
		for _, d := range due {
			if d.Attempt == 1 && (d.Sequence+int64(d.Stream.ID[0]))%3 == 0 {
				if err := w.store.Retry(w.ctx, d, now); err != nil {
					return true, err
				}
				continue
			}
			mu.Lock()
			delivered[d.Stream] = append(delivered[d.Stream], d.Sequence)
			left--
			mu.Unlock()
			if err := w.store.Done(w.ctx, d); err != nil {
				return true, err
			}
		}
		mu.Lock()
		defer mu.Unlock()
		return left <= 0, nil
	}
	for _, err := range w.crowd(relays, func(int) error {
		for {
			if over, err := work(); over {
				return err
			}
			runtime.Gosched()
			if err := w.ctx.Err(); err != nil {
				return errors.Join(errors.New("the events have not all been handed out"), err)
			}
		}
	}) {
		if err != nil {
			w.breaks("one of %d relays got %s", relays, show(err))
		}
	}
	for _, events := range q {
		got := delivered[events[0].Stream]
		want := []int64{1, 2, 3, 4, 5}
		if !slices.Equal(got, want) {
			w.breaks("%d relays delivered a stream in the order %v, want %v", relays, got, want)
		}
	}
	if due := w.take(now.Add(24*time.Hour), 10); len(due) > 0 {
		w.breaks("Take handed out an event that was done")
	}
}
