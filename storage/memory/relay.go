package memory

import (
	"context"
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/storage/outbox"
)

// An outboxRow is an event that a lane has not delivered.
type outboxRow struct {
	event   *eventRow
	lane    string
	attempt int
	until   time.Time // the end of the lease; zero without one
	// buried says that it is a dead letter, since buriedAt; it blocks nothing then.
	buried   bool
	buriedAt time.Time
	// dueAt is when a relay may have it, in microseconds: the end of its lease or of its
	// wait for another try. A new event is due at once, whatever the relay's clock says.
	dueAt int64
}

// laneEvent is an event in a lane.
type laneEvent struct {
	lane  string
	event uuid.UUID
}

// laneStream is what a lane has not delivered of a stream.
type laneStream struct {
	lane   string
	stream outbox.Stream
}

func (o *outboxRow) key() laneEvent { return laneEvent{o.lane, o.event.ID} }

func (o *outboxRow) stream() laneStream { return laneStream{o.lane, o.event.Stream} }

// waitingLists: the first of a stream by sequence is the one that can be due. The one under a
// lease is the first too, unless an event before it was replayed meanwhile.
func (s *Store) waitingLists(o *outboxRow, visit func(*list[outboxRow], place)) {
	visit(lazily(s.waiting, o.stream()), place{at: o.event.Sequence})
}

// dueLists: the first of each stream waits to be taken. Among those due at once, ids decide,
// and they count time.
func (s *Store) dueLists(o *outboxRow, visit func(*list[outboxRow], place)) {
	if s.waiting[o.stream()].first() == o {
		visit(lazily(s.due, o.lane), place{at: o.dueAt, id: o.event.ID})
	}
}

// enqueue lets an event that was just appended wait in a lane: it is the last of its stream.
func (s *Store) enqueue(e *eventRow, lane string) error {
	row := &outboxRow{event: e, lane: lane, dueAt: math.MinInt64}
	if err := s.outbox.insert(row.key(), row); err != nil {
		return err
	}
	enlist(s.log, row, s.waitingLists)
	enlist(s.log, row, s.dueLists)
	return nil
}

// advance makes a change that may give a stream another first event.
func (s *Store) advance(of laneStream, change func()) {
	waiting := lazily(s.waiting, of)
	if first := waiting.first(); first != nil {
		delist(s.log, first, s.dueLists)
	}
	change()
	if first := waiting.first(); first != nil {
		enlist(s.log, first, s.dueLists)
	}
}

// unqueue lets a stream go on without an event.
func (s *Store) unqueue(o *outboxRow) {
	s.advance(o.stream(), func() { delist(s.log, o, s.waitingLists) })
}

// Take implements [outbox.Source]. The longest due come first.
func (s *Store) Take(ctx context.Context, lane string, now, until time.Time, limit int) ([]outbox.Due, error) {
	var taken []outbox.Due
	err := s.alone(ctx, func() error {
		utc(&until)
		var due []*outboxRow
		for o := range merged(ascending, ascending.beginning(), s.due[lane]) {
			if len(due) >= limit || o.dueAt > now.UnixMicro() {
				break
			}
			due = append(due, o)
		}
		for _, o := range due {
			s.reschedule(o, until, until)
			set(s.log, &o.attempt, o.attempt+1)
			taken = append(taken, outbox.Due{Event: o.event.copy(), Lane: lane, Attempt: o.attempt, Until: until})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return taken, nil
}

// Done implements [outbox.Source].
func (s *Store) Done(ctx context.Context, due ...outbox.Due) error {
	var lost error
	err := s.alone(ctx, func() error {
		for _, d := range due {
			o, err := s.held(d)
			if err != nil {
				lost = err
				continue
			}
			s.unqueue(o)
			if err := s.outbox.move(o.key(), laneEvent{}, o); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return lost
}

// Retry implements [outbox.Source].
func (s *Store) Retry(ctx context.Context, due outbox.Due, at time.Time) error {
	return s.alone(ctx, func() error {
		o, err := s.held(due)
		if err != nil {
			return err
		}
		s.reschedule(o, at, time.Time{})
		return nil
	})
}

// ForgetLane implements [outbox.Source]. It costs what waits in all lanes.
func (s *Store) ForgetLane(ctx context.Context, lane string) (int, error) {
	forgotten := 0
	err := s.alone(ctx, func() error {
		for key, o := range s.outbox.rows {
			if key.lane != lane {
				continue
			}
			if o.buried {
				delist(s.log, o, s.buriedLists)
			} else {
				s.unqueue(o)
			}
			if err := s.outbox.move(key, laneEvent{}, o); err != nil {
				return err
			}
			forgotten++
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return forgotten, nil
}

// held finds the event if the lease is still the caller's: one that has run out and was
// taken by nobody is. The attempt is part of the proof, since after a retry within the same
// tick of the clock two leases may end at the same time.
func (s *Store) held(due outbox.Due) (*outboxRow, error) {
	o := s.outbox.rows[laneEvent{due.Lane, due.ID}]
	if o == nil || o.attempt != due.Attempt || o.until.IsZero() || !o.until.Equal(due.Until) {
		return nil, outbox.ErrLeaseLost
	}
	return o, nil
}

// reschedule makes the event due at another time, under a lease or without one.
func (s *Store) reschedule(o *outboxRow, at, lease time.Time) {
	relist(s.log, o, s.dueLists, func() {
		set(s.log, &o.dueAt, at.UnixMicro())
		set(s.log, &o.until, lease)
	})
}
