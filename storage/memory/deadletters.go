package memory

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

// buriedLists: the longest buried come first.
func (s *Store) buriedLists(o *outboxRow, visit func(*list[outboxRow], place)) {
	if o.buried {
		visit(lazily(s.buried, o.lane), placeAt(o.buriedAt, o.event.ID))
	}
}

// Bury implements [outbox.DeadLetters].
func (s *Store) Bury(ctx context.Context, due outbox.Due, at time.Time) error {
	return s.alone(ctx, func() error {
		o, err := s.held(due)
		if err != nil {
			return err
		}
		utc(&at)
		s.unqueue(o)
		relist(s.log, o, s.buriedLists, func() {
			set(s.log, &o.until, time.Time{})
			set(s.log, &o.buried, true)
			set(s.log, &o.buriedAt, at)
		})
		return nil
	})
}

// Buried implements [outbox.DeadLetters].
func (s *Store) Buried(ctx context.Context, lane string, after time.Time, id uuid.UUID, limit int) ([]outbox.DeadLetter, error) {
	if err := s.outside(ctx); err != nil {
		return nil, err
	}
	return read(ctx, s, func() ([]outbox.DeadLetter, error) {
		from := ascending.start(tenancy.Keyset{At: after, ID: id})
		return paged(merged(ascending, from, s.buried[lane]), limit, func(o *outboxRow) (outbox.DeadLetter, bool) {
			return outbox.DeadLetter{Event: o.event.copy(), Attempts: o.attempt, At: o.buriedAt}, true
		}), nil
	})
}

// Replay implements [outbox.DeadLetters].
func (s *Store) Replay(ctx context.Context, lane string, id uuid.UUID, at time.Time) error {
	return s.alone(ctx, func() error {
		o := s.outbox.rows[laneEvent{lane, id}]
		if o == nil || !o.buried {
			return outbox.ErrNotBuried
		}
		utc(&at)
		for other := range merged(ascending, ascending.beginning(), s.waiting[o.stream()]) {
			if other.until.After(at) {
				at = other.until
			}
		}
		relist(s.log, o, s.buriedLists, func() {
			set(s.log, &o.buried, false)
			set(s.log, &o.buriedAt, time.Time{})
		})
		set(s.log, &o.attempt, 0)
		set(s.log, &o.dueAt, at.UnixMicro())
		s.advance(o.stream(), func() { enlist(s.log, o, s.waitingLists) })
		return nil
	})
}
