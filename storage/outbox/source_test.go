package outbox_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/storage/outbox"
)

// source is a Source as small as its contract: events in order, the first of each stream is due.
type source struct {
	mu   sync.Mutex
	rows []*row
	done []uuid.UUID
	// noted are how many events each call of Done was about.
	noted []int
	err   error // what Take fails with
	took  int
	// settle is what Done, Retry and Bury fail with.
	settle error
}

type row struct {
	outbox.Due
	dueAt    time.Time
	done     bool
	buriedAt time.Time
}

// lane is the one that events take where a test needs no other.
const lane = "crm"

// only is a relay's sinks where there is one.
func only(s outbox.Sink) outbox.Sinks { return outbox.Sinks{lane: s} }

func (s *source) add(kind string, stream uuid.UUID) uuid.UUID { return s.addTo(kind, stream, lane) }

// addTo adds an event that takes several lanes.
func (s *source) addTo(kind string, stream uuid.UUID, lanes ...string) uuid.UUID {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := outbox.Event{ID: uuid.New(), Kind: kind, Stream: outbox.Stream{Kind: outbox.TeamStream, ID: stream}, Sequence: 1}
	for _, r := range s.rows {
		if r.Stream == e.Stream {
			e.Sequence = r.Sequence + 1
		}
	}
	for _, lane := range lanes {
		s.rows = append(s.rows, &row{Due: outbox.Due{Event: e, Lane: lane}})
	}
	return e.ID
}

// find answers the event in the lane, or nil.
func (s *source) find(lane string, id uuid.UUID) *row {
	for _, r := range s.rows {
		if r.Lane == lane && r.ID == id {
			return r
		}
	}
	return nil
}

func (s *source) Take(ctx context.Context, lane string, now, until time.Time, limit int) ([]outbox.Due, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.took = limit
	var batch []outbox.Due
	seen := make(map[outbox.Stream]bool)
	for _, r := range s.rows {
		if r.Lane != lane || r.done || !r.buriedAt.IsZero() || seen[r.Stream] || len(batch) == limit {
			continue
		}
		seen[r.Stream] = true
		if r.dueAt.After(now) || r.Until.After(now) {
			continue
		}
		r.Attempt++
		r.Until = until
		batch = append(batch, r.Due)
	}
	return batch, s.err
}

// held runs change if the lease is still the caller's.
func (s *source) held(ctx context.Context, due outbox.Due, change func(*row)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.settle != nil {
		return s.settle
	}
	r := s.find(due.Lane, due.ID)
	if r == nil || r.done || r.Until.IsZero() || !r.Until.Equal(due.Until) || r.Attempt != due.Attempt {
		return outbox.ErrLeaseLost
	}
	change(r)
	return nil
}

func (s *source) Done(ctx context.Context, due ...outbox.Due) error {
	s.mu.Lock()
	s.noted = append(s.noted, len(due))
	s.mu.Unlock()
	var failed error
	for _, d := range due {
		failed = errors.Join(failed, s.held(ctx, d, func(r *row) {
			r.done = true
			s.done = append(s.done, r.ID)
		}))
	}
	return failed
}

func (s *source) Retry(ctx context.Context, due outbox.Due, at time.Time) error {
	return s.held(ctx, due, func(r *row) { r.dueAt, r.Until = at, time.Time{} })
}

func (s *source) left() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.rows) - len(s.done)
}

func (s *source) Bury(ctx context.Context, due outbox.Due, at time.Time) error {
	return s.held(ctx, due, func(r *row) { r.buriedAt, r.Until = at, time.Time{} })
}

func (s *source) Buried(_ context.Context, lane string, after time.Time, id uuid.UUID, limit int) ([]outbox.DeadLetter, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var letters []outbox.DeadLetter
	for _, r := range s.rows {
		if c := r.buriedAt.Compare(after); r.Lane == lane && !r.buriedAt.IsZero() && cmp.Or(c, bytes.Compare(r.ID[:], id[:])) > 0 {
			letters = append(letters, outbox.DeadLetter{Event: r.Event, Attempts: r.Attempt, At: r.buriedAt})
		}
	}
	slices.SortFunc(letters, func(a, b outbox.DeadLetter) int {
		return cmp.Or(a.At.Compare(b.At), bytes.Compare(a.Event.ID[:], b.Event.ID[:]))
	})
	return letters[:min(limit, len(letters))], nil
}

func (s *source) Replay(_ context.Context, lane string, id uuid.UUID, at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.find(lane, id)
	if r == nil || r.buriedAt.IsZero() {
		return outbox.ErrNotBuried
	}
	for _, other := range s.rows {
		if other.Lane == lane && other.Stream == r.Stream && !other.done && other.Until.After(at) {
			at = other.Until
		}
	}
	r.buriedAt, r.Attempt, r.dueAt = time.Time{}, 0, at
	return nil
}

func (s *source) ForgetLane(_ context.Context, lane string) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.rows)
	s.rows = slices.DeleteFunc(s.rows, func(r *row) bool { return r.Lane == lane && !r.done })
	return before - len(s.rows), nil
}

var _ outbox.Source = (*source)(nil)
