package follow

import (
	"context"
	"sync"

	"github.com/google/uuid"
)

// Turns spare those who follow one team from doing the same at once. The zero value is ready for use.
type Turns struct {
	mu   sync.Mutex
	busy map[uuid.UUID]chan struct{}
}

// Do runs fn, unless somebody else is at it for the team: then it waits for their end and leaves it at
// that.
func (t *Turns) Do(ctx context.Context, team uuid.UUID, fn func() error) error {
	t.mu.Lock()
	if ended, busy := t.busy[team]; busy {
		t.mu.Unlock()
		select {
		case <-ended:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	ended := make(chan struct{})
	if t.busy == nil {
		t.busy = map[uuid.UUID]chan struct{}{}
	}
	t.busy[team] = ended
	t.mu.Unlock()
	defer func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.busy, team)
		close(ended)
	}()
	return fn()
}
