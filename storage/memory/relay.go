package memory

import (
	"context"
	"time"

	"github.com/usher-go/usher/storage/outbox"
)

// Take implements [outbox.Source]. The longest due come first.
func (s *Store) Take(ctx context.Context, now, until time.Time, limit int) ([]outbox.Due, error) {
	var taken []outbox.Due
	err := s.alone(ctx, func() error {
		utc(&until)
		var due []*eventRow
		for e := range merged(ascending, ascending.beginning(), s.due) {
			if len(due) >= limit || e.dueAt > now.UnixMicro() {
				break
			}
			due = append(due, e)
		}
		for _, e := range due {
			s.reschedule(e, until, until)
			set(s.log, &e.attempt, e.attempt+1)
			taken = append(taken, outbox.Due{Event: e.copy(), Attempt: e.attempt, Until: until})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return taken, nil
}

// Done implements [outbox.Source].
func (s *Store) Done(ctx context.Context, due outbox.Due) error {
	return s.alone(ctx, func() error {
		e, err := s.held(due)
		if err != nil {
			return err
		}
		s.unqueue(e)
		return nil
	})
}

// Retry implements [outbox.Source].
func (s *Store) Retry(ctx context.Context, due outbox.Due, at time.Time) error {
	return s.alone(ctx, func() error {
		e, err := s.held(due)
		if err != nil {
			return err
		}
		s.reschedule(e, at, time.Time{})
		return nil
	})
}

// held finds the event if the lease is still the caller's: one that has run out and was
// taken by nobody is. The attempt is part of the proof, since after a retry within the same
// tick of the clock two leases may end at the same time.
func (s *Store) held(due outbox.Due) (*eventRow, error) {
	e := s.events.rows[due.ID]
	if e == nil || e.attempt != due.Attempt || e.until.IsZero() || !e.until.Equal(due.Until) {
		return nil, outbox.ErrLeaseLost
	}
	return e, nil
}

// reschedule makes the event due at another time, under a lease or without one.
func (s *Store) reschedule(e *eventRow, at, lease time.Time) {
	relist(s.log, e, s.dueLists, func() {
		set(s.log, &e.dueAt, at.UnixMicro())
		set(s.log, &e.until, lease)
	})
}
