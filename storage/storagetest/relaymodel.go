package storagetest

import (
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/storage/outbox"
)

// A relayModel is the contract of a source as small as it can be: what a store does with its
// indexes and locks, said by loops over all events.
type relayModel struct{ rows []*modelRow }

type modelRow struct {
	event           outbox.Event
	lane            string
	attempt         int
	due, until      time.Time // until is zero without a lease
	delivered, dead bool
	buriedAt        time.Time
}

func (r *modelRow) waits() bool { return !r.delivered && !r.dead }

// ready is when a relay may have the event.
func (r *modelRow) ready() time.Time {
	if r.until.IsZero() {
		return r.due
	}
	return r.until
}

func (m *relayModel) take(lane string, now, until time.Time) []outbox.Due {
	heads := map[outbox.Stream]*modelRow{}
	for _, r := range m.rows {
		if r.lane != lane {
			continue
		}
		if head := heads[r.event.Stream]; r.waits() && (head == nil || r.event.Sequence < head.event.Sequence) {
			heads[r.event.Stream] = r
		}
	}
	var taken []outbox.Due
	for _, r := range heads {
		if !r.ready().After(now) {
			r.attempt++
			r.until = until
			taken = append(taken, outbox.Due{Event: r.event, Lane: lane, Attempt: r.attempt, Until: until})
		}
	}
	return taken
}

// settle makes a change if the lease is the caller's.
func (m *relayModel) settle(d outbox.Due, change func(r *modelRow)) error {
	for _, r := range m.rows {
		if r.event.ID == d.ID && r.lane == d.Lane && r.waits() && r.attempt == d.Attempt && r.until.Equal(d.Until) {
			r.until = time.Time{}
			change(r)
			return nil
		}
	}
	return outbox.ErrLeaseLost
}

func (m *relayModel) replay(lane string, id uuid.UUID, at time.Time) error {
	for _, r := range m.rows {
		if r.event.ID != id || r.lane != lane || !r.dead {
			continue
		}
		for _, other := range m.rows {
			if other.lane == lane && other.event.Stream == r.event.Stream && other.waits() && other.until.After(at) {
				at = other.until
			}
		}
		r.dead, r.attempt, r.due = false, 0, at
		return nil
	}
	return outbox.ErrNotBuried
}

func (m *relayModel) buried(lane string) []outbox.DeadLetter {
	var letters []outbox.DeadLetter
	for _, r := range m.rows {
		if r.lane == lane && r.dead {
			letters = append(letters, outbox.DeadLetter{Event: r.event, Attempts: r.attempt, At: r.buriedAt})
		}
	}
	slices.SortFunc(letters, func(a, b outbox.DeadLetter) int {
		if c := a.At.Compare(b.At); c != 0 {
			return c
		}
		return slices.Compare(a.Event.ID[:], b.Event.ID[:])
	})
	return letters
}

// relayModelCase does at random what relays and people do in two lanes, with leases that are
// fresh, over and lost, and compares each answer with the model's.
func relayModelCase(w *world) {
	m := &relayModel{}
	lanes := []string{lane, "mail"}
	for _, q := range w.queueAlong(lanes, 3, 6) {
		for _, e := range q {
			for _, lane := range lanes {
				m.rows = append(m.rows, &modelRow{event: e, lane: lane})
			}
		}
	}
	var held []outbox.Due
	now := w.now()
	for step := range 15 * (5 + w.rounds) {
		// Never the same time twice, so that no two leases are alike.
		now = now.Add(time.Duration(1+w.random.IntN(20_000_000)) * time.Microsecond)
		later := now.Add(time.Duration(w.random.IntN(3)) * 20 * time.Second)
		pick := w.random.IntN(8)
		if pick < 2 || len(held) == 0 {
			lane := lanes[w.random.IntN(len(lanes))]
			want := m.take(lane, now, now.Add(time.Minute))
			order := func(a, b outbox.Due) int { return slices.Compare(a.ID[:], b.ID[:]) }
			slices.SortFunc(want, order)
			lists(w, want, "step %d: Take", step)(slices.SortedFunc(slices.Values(w.takeIn(lane, now, 100)), order), nil)
			held = append(held, want...)
			held = held[max(0, len(held)-8):] // those of long ago have come to nothing
		} else {
			d := held[w.random.IntN(len(held))]
			var what string
			var got, want error
			switch pick {
			case 2:
				what, got = "Done", w.store.Done(w.ctx, d)
				want = m.settle(d, func(r *modelRow) { r.delivered = true })
			case 3, 4:
				what, got = "Retry", w.store.Retry(w.ctx, d, later)
				want = m.settle(d, func(r *modelRow) { r.due = later })
			case 5:
				what, got = "Bury", w.store.Bury(w.ctx, d, later)
				want = m.settle(d, func(r *modelRow) { r.dead, r.buriedAt = true, later })
			default:
				id := m.rows[w.random.IntN(len(m.rows))].event.ID
				if letters := m.buried(d.Lane); len(letters) > 0 && w.random.IntN(4) > 0 { // most are of what is buried
					id = letters[w.random.IntN(len(letters))].Event.ID
				}
				what, got = "Replay", w.store.Replay(w.ctx, d.Lane, id, later)
				want = m.replay(d.Lane, id, later)
			}
			if !errors.Is(got, want) {
				w.stop("step %d: %s with event %d, attempt %d, in hand answered %s, want %s", step, what, d.Sequence, d.Attempt, show(got), show(want))
			}
			for _, lane := range lanes {
				lists(w, m.buried(lane), "step %d: Buried after %s", step, what)(w.buriedIn(lane), nil)
			}
		}
		if w.Failed() {
			return
		}
	}
}
