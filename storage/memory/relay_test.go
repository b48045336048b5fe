package memory_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/storage/outbox"
)

// A clock that stands still gives two leases the same end; the first is lost all the same.
func TestLeaseIsLostWithinOneTickOfTheClock(t *testing.T) {
	s, ctx, until := open(t), t.Context(), noon.Add(time.Minute)
	do(t, s, func(ctx context.Context) error { return s.Append(ctx, anEvent(1)) })
	first, err := s.Take(ctx, lane, noon, until, 1)
	require.NoError(t, err)
	require.NoError(t, s.Retry(ctx, first[0], noon))
	require.ErrorIs(t, s.Done(ctx, first[0]), outbox.ErrLeaseLost, "given back")
	second, err := s.Take(ctx, lane, noon, until, 1)
	require.NoError(t, err)
	require.Equal(t, 2, second[0].Attempt)
	require.ErrorIs(t, s.Done(ctx, first[0]), outbox.ErrLeaseLost)
	require.ErrorIs(t, s.Retry(ctx, first[0], noon), outbox.ErrLeaseLost)
	require.NoError(t, s.Done(ctx, second[0]))
	require.ErrorIs(t, s.Done(ctx, second[0]), outbox.ErrLeaseLost, "done already")
}

// A lease that has run out and that nobody took still counts.
func TestLeaseThatRanOutIsHeldUntilItIsTaken(t *testing.T) {
	s, ctx, until := open(t), t.Context(), noon.Add(time.Minute)
	do(t, s, func(ctx context.Context) error { return s.Append(ctx, anEvent(1), anEvent(2)) })
	first, err := s.Take(ctx, lane, noon, until, 9)
	require.NoError(t, err)
	require.Len(t, first, 1, "only the head of the stream")
	early, err := s.Take(ctx, lane, until.Add(-time.Microsecond), until.Add(time.Minute), 9)
	require.NoError(t, err)
	require.Empty(t, early)
	second, err := s.Take(ctx, lane, until, until.Add(time.Minute), 9)
	require.NoError(t, err)
	require.Len(t, second, 1)
	require.ErrorIs(t, s.Done(ctx, first[0]), outbox.ErrLeaseLost)
	require.NoError(t, s.Done(ctx, second[0]))
	third, err := s.Take(ctx, lane, noon, until, 9)
	require.NoError(t, err)
	require.Equal(t, id[uuid.UUID](2), third[0].ID)
	require.EqualValues(t, 2, third[0].Sequence)
}

func TestRelaysShareTheWork(t *testing.T) {
	s := open(t)
	const streams, each = 20, 10
	do(t, s, func(ctx context.Context) error {
		for c := range streams {
			if err := s.InsertConversation(ctx, aConversation(1+c)); err != nil {
				return err
			}
			for n := range each {
				e := anEvent(1 + c*each + n)
				e.Stream = outbox.Stream{Kind: outbox.ConversationStream, ID: id[uuid.UUID](1 + c)}
				if err := s.Append(ctx, e); err != nil {
					return err
				}
			}
		}
		return nil
	})
	var mu sync.Mutex
	delivered := map[outbox.Stream][]int64{}
	var relays sync.WaitGroup
	for range 8 {
		relays.Go(func() {
			for {
				due, err := s.Take(context.Background(), lane, noon, noon.Add(time.Minute), 3)
				if !assert.NoError(t, err) || len(due) == 0 {
					return // what is left is with the others
				}
				for _, d := range due {
					mu.Lock()
					delivered[d.Stream] = append(delivered[d.Stream], d.Sequence)
					mu.Unlock()
					assert.NoError(t, s.Done(context.Background(), d))
				}
			}
		})
	}
	relays.Wait()
	require.Len(t, delivered, streams)
	for stream, sequence := range delivered {
		for i, n := range sequence {
			require.EqualValues(t, i+1, n, "%v", stream)
		}
	}
	rest, err := s.Take(t.Context(), lane, noon, noon.Add(time.Minute), 1)
	require.NoError(t, err)
	require.Empty(t, rest)
}
