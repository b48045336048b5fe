package storagetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

func inboxCases() []testCase {
	covers := []string{"MarkSeen"}
	return []testCase{
		{name: "mark seen notes an event once for each consumer", rule: ruleSeen, covers: covers, run: seenCase},
		{name: "mark seen of a repeated event leaves the transaction whole", rule: ruleSeenOn, covers: covers, run: seenGoesOnCase},
		{name: "mark seen that is rolled back has noted nothing", rule: ruleSeen, covers: covers, run: seenUndoneCase},
		{name: "mark seen refuses what names nothing", rule: ruleInvalid, covers: covers, run: seenInvalidCase},
		{name: "mark seen outside a transaction fails", rule: ruleSeenTx, covers: covers, run: seenOutsideCase},
		{name: "sightings from before a time are forgotten", rule: ruleSeenOld, covers: []string{"ForgetSeen", "MarkSeen"}, run: forgetSeenCase},
		{name: "a repeated sighting does not make it younger", rule: ruleSeenOnce, covers: covers, run: seenFirstCase},
		{name: "mark seen waits for another transaction's", rule: ruleSeenWait, needs: RowLocks, covers: covers, run: seenWaitsCase},
		{name: "inbox lets one of many handle an event", rule: ruleOnce, covers: covers, run: onceCase},
	}
}

// consumer is a name that cases use where any will do.
const consumer = "storagetest"

// sighted is when, where that does not matter.
var sighted = time.Date(2026, 3, 1, 12, 0, 0, 1_000, time.UTC)

// mark notes a sighting.
func (w *world) mark(ctx context.Context, consumer string, event uuid.UUID) error {
	return w.store.MarkSeen(ctx, consumer, event, sighted)
}

// seen reports whether the consumer has seen the event, and leaves it at that.
func (w *world) seen(event uuid.UUID) bool {
	w.Helper()
	var err error
	w.discard("a transaction that asks whether an event was seen", func(ctx context.Context) error {
		if err = w.mark(ctx, consumer, event); errors.Is(err, outbox.ErrSeen) {
			return nil
		}
		return err
	})
	return err != nil
}

func seenCase(w *world) {
	events := []uuid.UUID{newID[uuid.UUID](w), newID[uuid.UUID](w), uuid.Max}
	last := events[0]
	last[15] ^= 1
	events = append(events, last)
	long := strings.Repeat("x", outbox.MaxConsumer-1)
	consumers := []string{"a", "aa", "a.", "a-", "a_", "bills", "bills2", "0", "00", long, long + "a", long + "b"}
	for round := range 2 {
		for _, c := range consumers {
			for _, event := range events {
				err := w.try(func(ctx context.Context) error {
					first := w.mark(ctx, c, event)
					if round == 0 && first == nil {
						w.is(w.mark(ctx, c, event), outbox.ErrSeen, "MarkSeen for the second time in one transaction")
					}
					return first
				})
				if round == 0 && err != nil {
					w.breaks("MarkSeen by %q of an event that it has not seen answered %s", c, show(err))
				}
				if round == 1 {
					w.is(err, outbox.ErrSeen, "MarkSeen by %q for the second time", c)
				}
			}
		}
	}
}

// seenGoesOnCase does what a consumer's transaction does around a repeated event: its own work
// before and after it stands.
func seenGoesOnCase(w *world) {
	team := w.team()
	event := newID[uuid.UUID](w)
	w.tx("MarkSeen", func(ctx context.Context) error { return w.mark(ctx, consumer, event) })
	before, after := w.aUser(), w.aUser()
	e := w.aTeamEvent(team)
	fresh := newID[uuid.UUID](w)
	w.tx("a transaction that goes on after ErrSeen", func(ctx context.Context) error {
		if err := w.store.InsertUser(ctx, before); err != nil {
			return err
		}
		for range 2 {
			w.is(w.mark(ctx, consumer, event), outbox.ErrSeen, "MarkSeen of an event that was seen, after another write")
			answers(w, before, "User after ErrSeen")(w.store.User(ctx, before.ID))
		}
		if err := w.mark(ctx, consumer, fresh); err != nil {
			return fmt.Errorf("MarkSeen of another event after ErrSeen: %w", err)
		}
		if err := w.store.InsertUser(ctx, after); err != nil {
			return fmt.Errorf("InsertUser after ErrSeen: %w", err)
		}
		return w.store.Append(ctx, e)
	})
	for _, u := range []tenancy.User{before, after} {
		answers(w, u, "User after a transaction with ErrSeen in it")(w.store.User(w.ctx, u.ID))
	}
	e.Sequence = 1
	lists(w, []outbox.Event{e}, "TeamEvents after a transaction with ErrSeen in it")(w.history(w.ctx, team), nil)
	if !w.seen(fresh) {
		w.breaks("what was noted after ErrSeen was not committed")
	}
	// A nested transaction that only finds the event seen fails nobody.
	w.tx("a transaction around one that finds an event seen", func(ctx context.Context) error {
		return w.store.InTx(ctx, func(ctx context.Context) error {
			w.is(w.mark(ctx, consumer, event), outbox.ErrSeen, "MarkSeen in a nested transaction")
			return nil
		})
	})
}

func seenUndoneCase(w *world) {
	event := newID[uuid.UUID](w)
	mark := func(ctx context.Context) error { return w.mark(ctx, consumer, event) }
	for range 2 {
		w.discard("a transaction with MarkSeen", mark)
		func() {
			defer func() { _ = recover() }() // the panic is the point
			_ = w.store.InTx(w.ctx, func(ctx context.Context) error {
				w.must(mark(ctx), "MarkSeen before a panic")
				panic("storagetest")
			})
		}()
	}
	w.tx("MarkSeen after rollbacks", mark)
	w.is(w.try(mark), outbox.ErrSeen, "MarkSeen after a commit")
}

// seenInvalidCase: an insert that passes over what it cannot do must not pass over this.
func seenInvalidCase(w *world) {
	w.is(w.try(func(ctx context.Context) error { return w.mark(ctx, consumer, uuid.Nil) }), tenancy.ErrInvalid,
		"MarkSeen of an event without an id")
	w.is(w.try(func(ctx context.Context) error { return w.mark(ctx, "", newID[uuid.UUID](w)) }), tenancy.ErrInvalid,
		"MarkSeen by a consumer without a name")
}

func seenOutsideCase(w *world) {
	event := newID[uuid.UUID](w)
	w.is(w.mark(w.ctx, consumer, event), tenancy.ErrNoTx, "MarkSeen outside InTx")
	if w.seen(event) {
		w.breaks("MarkSeen outside a transaction noted the event all the same")
	}
	w.tx("MarkSeen", func(ctx context.Context) error { return w.mark(ctx, consumer, event) })
	w.is(w.mark(w.ctx, consumer, event), tenancy.ErrNoTx, "MarkSeen outside InTx of an event that was seen")
}

// forgetSeenCase: only the consumer's own, only those strictly before, and what is rolled back is
// not forgotten.
func forgetSeenCase(w *world) {
	before := w.now()
	const other = consumer + "2" // whose sightings are as old
	var old, kept []uuid.UUID
	for i := range 6 {
		event, at := newID[uuid.UUID](w), before.Add(time.Duration(i-3)*time.Microsecond)
		w.tx("MarkSeen", func(ctx context.Context) error {
			return errors.Join(w.store.MarkSeen(ctx, consumer, event, at), w.store.MarkSeen(ctx, other, event, at))
		})
		if at.Before(before) {
			old = append(old, event)
		} else {
			kept = append(kept, event) // also the one of that very microsecond
		}
	}
	forget := func(ctx context.Context, want int) error {
		n, err := w.store.ForgetSeen(ctx, consumer, before)
		if err == nil && n != want {
			w.breaks("ForgetSeen answered that it forgot %d, want %d", n, want)
		}
		return err
	}
	holds := func(events []uuid.UUID, want bool, after string) {
		w.Helper()
		for i, event := range events {
			if w.seen(event) != want {
				w.breaks("after %s, sighting %d of %d is known: %v, want %v", after, i+1, len(events), !want, want)
			}
		}
	}
	w.discard("a transaction that forgets", func(ctx context.Context) error {
		if err := forget(ctx, len(old)); err != nil {
			return err
		}
		return w.mark(ctx, consumer, old[0])
	})
	holds(slices.Concat(old, kept), true, "the rollback of a ForgetSeen")
	for _, n := range []int{len(old), 0} { // the second time there is nothing left
		w.tx("ForgetSeen", func(ctx context.Context) error { return forget(ctx, n) })
	}
	holds(old, false, "ForgetSeen")
	holds(kept, true, "ForgetSeen of older ones")
	for _, event := range old {
		w.is(w.try(func(ctx context.Context) error { return w.mark(ctx, other, event) }), outbox.ErrSeen,
			"MarkSeen by a consumer after another one has forgotten")
	}
}

func seenFirstCase(w *world) {
	event, first, later := newID[uuid.UUID](w), w.now(), w.now()
	for _, at := range []time.Time{first, later} {
		w.tx("MarkSeen", func(ctx context.Context) error {
			if err := w.store.MarkSeen(ctx, consumer, event, at); !errors.Is(err, outbox.ErrSeen) {
				return err
			}
			return nil
		})
	}
	w.tx("ForgetSeen", func(ctx context.Context) error { return only(w.store.ForgetSeen(ctx, consumer, later)) })
	if w.seen(event) {
		w.breaks("an event that was first seen before the time is still known, since it was repeated after")
	}
}

// seenWaitsCase: whether the event was seen is known when the other transaction is over, and
// depends on how it ends.
func seenWaitsCase(w *world) {
	for _, ending := range []struct {
		how    string
		failed error
		want   error
	}{{"commits", nil, outbox.ErrSeen}, {"rolls back", errDiscard, nil}} {
		event := newID[uuid.UUID](w)
		marked, free := make(chan struct{}), make(chan struct{})
		var once sync.Once
		first := w.start(func() error {
			return w.store.InTx(w.ctx, func(ctx context.Context) error {
				err := w.mark(ctx, consumer, event)
				once.Do(func() { close(marked) }) // the closure may run again
				<-free
				return errors.Join(err, ending.failed)
			})
		})
		select {
		case <-marked:
		case <-first.done:
		}
		second := w.start(func() error {
			return w.try(func(ctx context.Context) error { return w.mark(ctx, consumer, event) })
		})
		if second.early(w) {
			w.breaks("MarkSeen answered %s while another transaction that has noted the event was not over", show(second.err))
		}
		close(free)
		if err := first.wait(w); !errors.Is(err, ending.failed) {
			w.breaks("the transaction that %s answered %s", ending.how, show(err))
		}
		if err := second.wait(w); !errors.Is(err, ending.want) {
			w.breaks("MarkSeen after another transaction that %s answered %s, want %s", ending.how, show(err), show(ending.want))
		}
	}
}

// onceCase lets relays deliver one event at once, as they may when a lease ends too early. The
// work of the consumer is an event of its own, so that it can be counted.
func onceCase(w *world) {
	team := w.team()
	in, err := outbox.NewInbox(w.store, consumer)
	w.must(err, "NewInbox")
	for round := range w.rounds {
		event := newID[uuid.UUID](w)
		const relays = 4
		work := make([]outbox.Event, relays)
		for i := range work {
			work[i] = w.aTeamEvent(team)
		}
		did := make([]bool, relays)
		for i, err := range w.crowd(relays, func(i int) (err error) {
			did[i], err = in.Once(w.ctx, event, func(ctx context.Context) error { return w.store.Append(ctx, work[i]) })
			return err
		}) {
			w.must(err, "Once by relay %d of %d", i+1, relays)
		}
		var want []outbox.Event
		for i, e := range work {
			if did[i] {
				want = append(want, e)
			}
		}
		history := w.history(w.ctx, team)
		if len(want) != 1 || len(history) != round+1 || history[round].ID != want[0].ID {
			w.stop("in round %d of %d relays %d did the work, and there are %d traces of it, want one of each more", round+1, relays, len(want), len(history))
		}
	}
}
