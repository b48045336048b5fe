package memory_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/tenancy"
)

// Each call that may wait for the writer.
var waits = map[string]func(context.Context, *memory.Store) error{
	"InTx": func(ctx context.Context, s *memory.Store) error {
		return s.InTx(ctx, func(context.Context) error { return nil })
	},
	"a read": func(ctx context.Context, s *memory.Store) error {
		_, err := s.User(ctx, id[tenancy.UserID](1))
		return err
	},
	"Take": func(ctx context.Context, s *memory.Store) error {
		_, err := s.Take(ctx, lane, noon, noon.Add(time.Minute), 1)
		return err
	},
}

// The clock of these tests is synctest's: 5 seconds pass as soon as everybody waits.

func TestOuterContextInsideTheClosureIsNamed(t *testing.T) {
	for name, call := range waits {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t)
				outer, started := t.Context(), time.Now()
				err := s.InTx(outer, func(context.Context) error { return call(outer, s) })
				require.ErrorIs(t, err, tenancy.ErrUnavailable)
				assert.ErrorContains(t, err, "use the context that the closure was given")
				assert.Equal(t, 5*time.Second, time.Since(started))
				assert.NoError(t, call(outer, s), "the store goes on afterwards")
			})
		})
	}
}

func TestWaitEndsWithTheContext(t *testing.T) {
	for name, call := range waits {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t)
				started := time.Now()
				do(t, s, func(ctx context.Context) error {
					waiting, cancel := context.WithTimeout(context.Background(), time.Second)
					defer cancel()
					assert.ErrorIs(t, call(waiting, s), context.DeadlineExceeded)
					return ctx.Err()
				})
				assert.Equal(t, time.Second, time.Since(started))
			})
		})
	}
}

func TestReadersWaitForTheWriterAndSeeWhatItCommitted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t)
		var readers sync.WaitGroup
		do(t, s, func(ctx context.Context) error {
			for range 16 {
				readers.Go(func() {
					u, err := s.User(context.Background(), id[tenancy.UserID](2))
					assert.NoError(t, err)
					assert.Equal(t, "User 2", u.Name)
				})
			}
			synctest.Wait() // all of them wait now
			return s.InsertUser(ctx, aUser(2))
		})
		readers.Wait()
	})
}

func TestWritersTakeTurns(t *testing.T) {
	s := open(t)
	const writers, rounds = 8, 50
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for range rounds {
				err := s.InTx(context.Background(), func(ctx context.Context) error {
					u, err := s.LockUser(ctx, id[tenancy.UserID](1))
					if err != nil {
						return err
					}
					return s.UpdateUser(ctx, u)
				})
				assert.NoError(t, err)
				_, err = s.Authority(context.Background(), id[tenancy.TeamID](1), id[tenancy.UserID](1))
				assert.NoError(t, err)
			}
		})
	}
	all.Wait()
	u, err := s.User(t.Context(), id[tenancy.UserID](1))
	require.NoError(t, err)
	assert.EqualValues(t, 1+writers*rounds, u.Version)
}
