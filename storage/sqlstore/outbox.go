package sqlstore

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/storage/outbox"
)

func (c *compiler) outbox(s *eventStatements) {
	// A stream's first undelivered event is the only one that can be due: one under a lease or
	// waiting for its retry has a due_at in the future, and blocks those behind it.
	const earlier = `SELECT 1 FROM usher_events b WHERE b.stream_kind = e.stream_kind
		AND b.stream_id = e.stream_id AND b.due_at IS NOT NULL AND b.seq < e.seq`
	s.take = c.sql(`SELECT`, eventColumns, `, e.attempts FROM usher_events e
		WHERE e.due_at <= ? AND NOT EXISTS (`, earlier, `)
		ORDER BY e.due_at, e.id LIMIT ? {skip locked}`)
	s.overtaken = c.manyIDs(`SELECT e.id FROM usher_events e WHERE e.id IN ({ids}) AND EXISTS (`, earlier, `)`)
	s.lease = c.manyIDs(`UPDATE usher_events SET due_at = ?, attempts = attempts + 1, leased = 1 WHERE id IN ({ids})`)
	// The end of the lease and the number of the attempt together prove who holds it.
	const held = `WHERE id = ? AND due_at = ? AND attempts = ? AND leased = 1`
	s.done = c.sql(`UPDATE usher_events SET due_at = NULL, leased = 0`, held)
	s.retry = c.sql(`UPDATE usher_events SET due_at = ?, leased = 0`, held)
	s.dead = c.deadLetters(held)
}

var errInsideTx = errors.New("usher: this outbox method is a transaction of its own and must not be called inside one")

func scanDue(r row) (outbox.Due, error) {
	var d outbox.Due
	err := r.Scan(append(eventFields(&d.Event), &d.Attempt)...)
	return d, err
}

// Take implements [outbox.Source]. At most 256 events are handed out at once. It costs what is
// due, not what was ever delivered.
func (s *Store) Take(ctx context.Context, now, until time.Time, limit int) ([]outbox.Due, error) {
	var taken []outbox.Due
	err := s.alone(ctx, func(ctx context.Context) (err error) {
		taken, err = all(ctx, s, scanDue, s.events.take, micros(now), min(limit, maxIDs))
		if err == nil && len(taken) > 0 && !s.dialect.OneWriter {
			taken, err = s.withoutOvertaken(ctx, taken)
		}
		if err != nil || len(taken) == 0 {
			return err
		}
		for i := range taken {
			taken[i].Attempt++
			taken[i].Until = time.UnixMicro(micros(until)).UTC()
		}
		_, err = execMany(ctx, s, s.events.lease, dueIDs(taken), micros(until))
		return err
	})
	if err != nil {
		return nil, err
	}
	return taken, nil
}

func dueIDs(taken []outbox.Due) []uuid.UUID {
	ids := make([]uuid.UUID, len(taken))
	for i := range taken {
		ids[i] = taken[i].ID
	}
	return ids
}

// withoutOvertaken leaves out events that are the first of their stream no longer. Take saw the
// streams as they were when its statement began, and locked its rows after that: an event may
// have been replayed in between. From now on [Store.Replay] waits for the rows.
func (s *Store) withoutOvertaken(ctx context.Context, taken []outbox.Due) ([]outbox.Due, error) {
	overtaken, err := allMany(ctx, s, scanID[uuid.UUID], s.events.overtaken, dueIDs(taken))
	return slices.DeleteFunc(taken, func(d outbox.Due) bool { return slices.Contains(overtaken, d.ID) }), err
}

// Done implements [outbox.Source].
func (s *Store) Done(ctx context.Context, due outbox.Due) error {
	return s.settle(ctx, s.events.done, due.ID, micros(due.Until), due.Attempt)
}

// Retry implements [outbox.Source].
func (s *Store) Retry(ctx context.Context, due outbox.Due, at time.Time) error {
	return s.settle(ctx, s.events.retry, micros(at), due.ID, micros(due.Until), due.Attempt)
}

func (s *Store) settle(ctx context.Context, update string, args ...any) error {
	return s.alone(ctx, func(ctx context.Context) error {
		rows, err := s.exec(ctx, update, args...)
		if err == nil && rows == 0 {
			err = outbox.ErrLeaseLost
		}
		return err
	})
}

// alone runs a transaction that must not be part of another.
func (s *Store) alone(ctx context.Context, fn func(ctx context.Context) error) error {
	if err := s.outside(ctx); err != nil {
		return err
	}
	return s.InTx(ctx, fn)
}

// outside insists that there is no transaction.
func (s *Store) outside(ctx context.Context) error {
	if ctx.Value(contextKey{s}) == nil {
		return nil
	}
	_, t, err := s.conn(ctx)
	if err != nil {
		return err
	}
	t.leave()
	return errInsideTx
}
