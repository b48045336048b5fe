package sqlstore

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

type deadLetterStatements struct {
	bury           string
	listed         pages
	stream, replay string
	// freeze locks what is undelivered of a stream in a lane; leases are then the ends of its leases.
	freeze, leases string
}

func (c *compiler) deadLetters(held string) deadLetterStatements {
	const undelivered = `WHERE lane = ? AND stream_kind = ? AND stream_id = ? AND due_at IS NOT NULL`
	const dead = `WHERE lane = ? AND event_id = ? AND buried_at IS NOT NULL`
	return deadLetterStatements{
		bury: c.sql(`UPDATE usher_outbox SET due_at = NULL, leased = 0, buried_at = ?`, held),
		listed: c.pages(oldestFirst("o.buried_at", "o.event_id"),
			`SELECT`, eventColumns, `, o.attempts, o.buried_at FROM usher_outbox o JOIN usher_events e ON e.id = o.event_id
			WHERE o.lane = ? AND o.buried_at IS NOT NULL`),
		stream: c.sql(`SELECT stream_kind, stream_id FROM usher_outbox`, dead),
		freeze: c.sql(`UPDATE usher_outbox SET leased = leased`, undelivered),
		leases: c.sql(`SELECT due_at FROM usher_outbox`, undelivered, `AND leased = 1`),
		replay: c.sql(`UPDATE usher_outbox SET due_at = ?, attempts = 0, buried_at = NULL`, dead),
	}
}

func scanDeadLetter(r row) (outbox.DeadLetter, error) {
	var d outbox.DeadLetter
	err := r.Scan(append(eventFields(&d.Event), &d.Attempts, at(&d.At))...)
	return d, err
}

// Bury implements [outbox.DeadLetters].
func (s *Store) Bury(ctx context.Context, due outbox.Due, at time.Time) error {
	return s.settle(ctx, due, s.outbox.dead.bury, micros(at))
}

// Buried implements [outbox.DeadLetters].
func (s *Store) Buried(ctx context.Context, lane string, after time.Time, id uuid.UUID, limit int) ([]outbox.DeadLetter, error) {
	if err := s.outside(ctx); err != nil {
		return nil, err
	}
	return paged(ctx, s, scanDeadLetter, s.outbox.dead.listed, tenancy.Keyset{At: after, ID: id, Limit: limit}, lane)
}

// Replay implements [outbox.DeadLetters]. No event of the stream may be leased between its look
// at the leases and its end: it locks the stream's row, so that none is appended, and those that
// are undelivered in the lane. What a Take has locked already it waits for, and a Take that locks them later
// sees this event before them.
func (s *Store) Replay(ctx context.Context, lane string, id uuid.UUID, at time.Time) error {
	dead := s.outbox.dead
	return s.alone(ctx, func(ctx context.Context) error {
		stream, err := one(ctx, s, scanStream, dead.stream, lane, id)
		if errors.Is(err, tenancy.ErrNotFound) {
			return outbox.ErrNotBuried
		}
		if err != nil {
			return err
		}
		if _, err := s.exec(ctx, s.events.count[stream.Kind][0], 0, stream.ID); err != nil {
			return err
		}
		if _, err := s.exec(ctx, dead.freeze, lane, stream.Kind, stream.ID); err != nil {
			return err
		}
		leases, err := all(ctx, s, scanMicros, dead.leases, lane, stream.Kind, stream.ID)
		if err != nil {
			return err
		}
		rows, err := s.exec(ctx, dead.replay, slices.Max(append(leases, micros(at))), lane, id)
		if err == nil && rows == 0 {
			err = outbox.ErrNotBuried // another replay was faster
		}
		return err
	})
}

func scanStream(r row) (outbox.Stream, error) {
	var stream outbox.Stream
	err := r.Scan(&stream.Kind, &stream.ID)
	return stream, err
}

func scanMicros(r row) (int64, error) {
	var at int64
	err := r.Scan(&at)
	return at, err
}
