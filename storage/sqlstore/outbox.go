package sqlstore

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/storage/outbox"
)

type outboxStatements struct {
	// enqueue[n-1] lets events wait in n lanes.
	enqueue inserts

	take   string
	read   manyIDs
	lease  manyIDs
	done   manyIDs
	retry  string
	forget string

	dead deadLetterStatements
}

func (c *compiler) outbox() outboxStatements {
	var s outboxStatements
	s.enqueue = c.inserts(`INSERT INTO usher_outbox (lane, event_id, stream_kind, stream_id, seq, due_at)`,
		`(?, ?, ?, ?, (SELECT seq FROM usher_events WHERE id = ?), 0)`)
	// A stream's first undelivered event is the only one that can be due: one under a lease or
	// waiting for its retry has a due_at in the future, and blocks those behind it.
	const first = `NOT EXISTS (SELECT 1 FROM usher_outbox b WHERE b.lane = o.lane AND b.stream_kind = o.stream_kind
		AND b.stream_id = o.stream_id AND b.due_at IS NOT NULL AND b.seq < o.seq)`
	const longest = `ORDER BY o.due_at, o.event_id`
	s.take = c.sql(`SELECT o.event_id FROM usher_outbox o WHERE o.lane = ? AND o.due_at <= ? AND`, first,
		longest, `LIMIT ? {skip locked}`)
	s.read = c.manyIDs(`SELECT`, eventColumns, `, o.lane, o.attempts FROM usher_outbox o
		JOIN usher_events e ON e.id = o.event_id WHERE o.lane = ? AND o.event_id IN ({ids}) AND`, first, longest)
	s.lease = c.manyIDs(`UPDATE usher_outbox SET due_at = ?, attempts = attempts + 1, leased = 1
		WHERE lane = ? AND event_id IN ({ids})`)
	// The end of the lease and the number of the attempt together prove who holds it.
	const held = `WHERE lane = ? AND due_at = ? AND attempts = ? AND leased = 1 AND event_id = ?`
	s.done = c.manyIDs(`DELETE FROM usher_outbox WHERE lane = ? AND due_at = ? AND attempts = ? AND leased = 1 AND event_id IN ({ids})`)
	s.retry = c.sql(`UPDATE usher_outbox SET due_at = ?, leased = 0`, held)
	s.forget = c.sql(`DELETE FROM usher_outbox WHERE lane = ?`)
	s.dead = c.deadLetters(held)
	return s
}

// enqueue lets events that were just appended wait in their lanes.
func (s *Store) enqueue(ctx context.Context, events []outbox.Event) error {
	var rows [][]any
	for _, e := range events {
		for _, lane := range e.Lanes {
			rows = append(rows, []any{lane, e.ID, e.Stream.Kind, e.Stream.ID, e.ID})
		}
	}
	return insertAll(ctx, s, s.outbox.enqueue, rows, func(row []any) []any { return row })
}

var errInsideTx = errors.New("usher: this outbox method is a transaction of its own and must not be called inside one")

func scanDue(r row) (outbox.Due, error) {
	var d outbox.Due
	err := r.Scan(append(eventFields(&d.Event), &d.Lane, &d.Attempt)...)
	return d, err
}

// Take implements [outbox.Source]. At most 256 events are handed out at once. It costs what is
// due in the lane, not what was ever delivered.
//
// It locks rows of the outbox before it reads the events that they stand for. One statement
// for both was rejected: it locks the events too, and lanes would pass over what another takes.
// What is read is what is the first of its stream still: the lock came after the first
// statement had seen the streams, and an event may have been replayed in between. From now on
// [Store.Replay] waits for the rows.
func (s *Store) Take(ctx context.Context, lane string, now, until time.Time, limit int) ([]outbox.Due, error) {
	var taken []outbox.Due
	err := s.alone(ctx, func(ctx context.Context) error {
		taken = nil
		locked, err := all(ctx, s, scanID[uuid.UUID], s.outbox.take, lane, micros(now), min(limit, maxIDs))
		if err != nil || len(locked) == 0 {
			return err
		}
		taken, err = allMany(ctx, s, scanDue, s.outbox.read, locked, lane)
		if err != nil || len(taken) == 0 {
			return err
		}
		first := make([]uuid.UUID, 0, len(taken))
		for i := range taken {
			taken[i].Attempt++
			taken[i].Until = time.UnixMicro(micros(until)).UTC()
			first = append(first, taken[i].ID)
		}
		_, err = execMany(ctx, s, s.outbox.lease, first, micros(until), lane)
		return err
	})
	if err != nil {
		return nil, err
	}
	return taken, nil
}

// Done implements [outbox.Source].
func (s *Store) Done(ctx context.Context, due ...outbox.Due) error {
	leases, ids := byLease(due)
	var lost error
	err := s.alone(ctx, func(ctx context.Context) error {
		lost = nil
		for _, l := range leases {
			rows, err := execMany(ctx, s, s.outbox.done, ids[l], l.lane, l.until, l.attempt)
			if err != nil {
				return err
			}
			if rows < int64(len(ids[l])) {
				lost = outbox.ErrLeaseLost
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return lost
}

// lease is what proves who holds an event.
type lease struct {
	lane    string
	until   int64
	attempt int
}

// byLease sorts events by their leases, which are answered in the order in which they come up.
func byLease(due []outbox.Due) (leases []lease, ids map[lease][]uuid.UUID) {
	ids = map[lease][]uuid.UUID{}
	for _, d := range due {
		l := lease{d.Lane, micros(d.Until), d.Attempt}
		if ids[l] == nil {
			leases = append(leases, l)
		}
		ids[l] = append(ids[l], d.ID)
	}
	return leases, ids
}

// Retry implements [outbox.Source].
func (s *Store) Retry(ctx context.Context, due outbox.Due, at time.Time) error {
	return s.settle(ctx, due, s.outbox.retry, micros(at))
}

// ForgetLane implements [outbox.Source].
func (s *Store) ForgetLane(ctx context.Context, lane string) (int, error) {
	var forgotten int64
	err := s.alone(ctx, func(ctx context.Context) (err error) {
		forgotten, err = s.exec(ctx, s.outbox.forget, lane)
		return err
	})
	if err != nil {
		return 0, err
	}
	return int(forgotten), nil
}

// settle runs a statement that ends with whose lease it wants.
func (s *Store) settle(ctx context.Context, due outbox.Due, statement string, args ...any) error {
	return s.alone(ctx, func(ctx context.Context) error {
		rows, err := s.exec(ctx, statement, append(args, due.Lane, micros(due.Until), due.Attempt, due.ID)...)
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
