package memory

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

// buriedLists: the longest buried come first.
func (s *Store) buriedLists(e *eventRow, visit func(*list[eventRow], place)) {
	if e.buried {
		visit(&s.buried, placeAt(e.buriedAt, e.ID))
	}
}

// Bury implements [outbox.DeadLetters].
func (s *Store) Bury(ctx context.Context, due outbox.Due, at time.Time) error {
	return s.alone(ctx, func() error {
		e, err := s.held(due)
		if err != nil {
			return err
		}
		utc(&at)
		s.unqueue(e)
		relist(s.log, e, s.buriedLists, func() {
			set(s.log, &e.buried, true)
			set(s.log, &e.buriedAt, at)
		})
		return nil
	})
}

// Buried implements [outbox.DeadLetters].
func (s *Store) Buried(ctx context.Context, after time.Time, id uuid.UUID, limit int) ([]outbox.DeadLetter, error) {
	if err := s.outside(ctx); err != nil {
		return nil, err
	}
	return read(ctx, s, func() ([]outbox.DeadLetter, error) {
		from := ascending.start(tenancy.Keyset{At: after, ID: id})
		return paged(merged(ascending, from, &s.buried), limit, func(e *eventRow) (outbox.DeadLetter, bool) {
			return outbox.DeadLetter{Event: e.copy(), Attempts: e.attempt, At: e.buriedAt}, true
		}), nil
	})
}

// Replay implements [outbox.DeadLetters].
func (s *Store) Replay(ctx context.Context, id uuid.UUID, at time.Time) error {
	return s.alone(ctx, func() error {
		e := s.events.rows[id]
		if e == nil || !e.buried {
			return outbox.ErrNotBuried
		}
		utc(&at)
		for other := e.stream.head; other != nil; other = other.next {
			if other.until.After(at) {
				at = other.until
			}
		}
		relist(s.log, e, s.buriedLists, func() {
			set(s.log, &e.buried, false)
			set(s.log, &e.buriedAt, time.Time{})
		})
		set(s.log, &e.attempt, 0)
		set(s.log, &e.dueAt, at.UnixMicro())
		s.requeue(e)
		return nil
	})
}
