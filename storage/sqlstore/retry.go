package sqlstore

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/usher-go/usher/tenancy"
)

// How often something is tried in all before its error is handed out.
const (
	// conflictAttempts is for what the database says to repeat: deadlocks, serialization
	// failures, a busy file. With the pauses below they take about two seconds.
	conflictAttempts = 16
	// duplicateAttempts is for a unique key that a faster transaction took: the next run finds
	// its row. A key that is still reported then is a mistake, which repeating does not cure.
	duplicateAttempts = 3

	shortestPause = time.Millisecond
	longestPause  = 250 * time.Millisecond
)

// persist runs once again for as long as the database's part in its error is worth another try.
func (s *Store) persist(ctx context.Context, once func() (*Error, error)) error {
	for attempt := 1; ; attempt++ {
		failed, err := once()
		if err == nil || failed == nil || attempt >= failed.attempts() {
			return err
		}
		if pause(ctx, attempt) != nil {
			return ctx.Err()
		}
	}
}

// attempts is how often an operation with this failure is worth trying.
func (e *Error) attempts() int {
	switch {
	case e.retry:
		return conflictAttempts
	case errors.Is(e.class, tenancy.ErrDuplicate):
		return duplicateAttempts
	default:
		return 1
	}
}

// pause waits before the next attempt: twice as long each time, and a random part of it, so
// that those who were in each other's way do not meet again.
func pause(ctx context.Context, attempt int) error {
	limit := longestPause
	if attempt < 8 {
		limit = min(longestPause, shortestPause<<attempt)
	}
	timer := time.NewTimer(rand.N(limit)) //nolint:gosec // spreads load, hides nothing
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
