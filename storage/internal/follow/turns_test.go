package follow_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/storage/internal/follow"
)

// Of all who come while one is at it for a team, none does it again, and none waits for another team, or longer
// than they want to. The next one does it anew.
func TestTurns(t *testing.T) {
	var turns follow.Turns
	var runs atomic.Int64
	team, busy, end := uuid.New(), make(chan struct{}), make(chan struct{})
	failed := errors.New("failed")
	var all sync.WaitGroup
	all.Go(func() {
		assert.Equal(t, failed, turns.Do(t.Context(), team, func() error {
			runs.Add(1)
			close(busy)
			<-end
			return failed
		}))
	})
	<-busy
	for range 16 {
		all.Go(func() { // late ones may find that it has ended
			assert.NoError(t, turns.Do(t.Context(), team, func() error { runs.Add(1); return nil }))
		})
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, turns.Do(cancelled, team, func() error { return nil }), context.Canceled)
	require.Equal(t, failed, turns.Do(t.Context(), uuid.New(), func() error { return failed }))
	assert.Equal(t, int64(1), runs.Load(), "nobody while one is at it")
	close(end)
	all.Wait()
	before := runs.Load()
	require.NoError(t, turns.Do(t.Context(), team, func() error { runs.Add(1); return nil }))
	assert.Equal(t, before+1, runs.Load())
}
