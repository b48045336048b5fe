package memory_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/tenancy"
)

var errStop = errors.New("stop")

// absent checks that user 2 was not committed, and that the store still works.
func absent(t *testing.T, s *memory.Store) {
	t.Helper()
	_, err := s.User(context.Background(), id[tenancy.UserID](2))
	assert.ErrorIs(t, err, tenancy.ErrNotFound)
	_, err = s.UserByExternalID(context.Background(), "user 2")
	assert.ErrorIs(t, err, tenancy.ErrNotFound)
	do(t, s, func(ctx context.Context) error { return s.InsertUser(ctx, aUser(2)) })
}

func TestWhatEndsATransactionWithoutItsWrites(t *testing.T) {
	for name, c := range map[string]struct {
		fn   func(ctx context.Context, s *memory.Store) error
		want error
	}{
		"an error": {
			func(context.Context, *memory.Store) error { return errStop }, errStop,
		},
		"an error of a nested InTx that is swallowed": {
			func(ctx context.Context, s *memory.Store) error {
				_ = s.InTx(ctx, func(context.Context) error { return errStop })
				return nil
			}, errStop,
		},
		"a panic of a nested InTx that is recovered": {
			func(ctx context.Context, s *memory.Store) error {
				defer func() { _ = recover() }()
				return s.InTx(ctx, func(context.Context) error { panic("stop") })
			}, nil,
		},
		"a nested InTx with a cancelled context": {
			func(ctx context.Context, s *memory.Store) error {
				cancelled, cancel := context.WithCancel(ctx)
				cancel()
				_ = s.InTx(cancelled, func(context.Context) error { return nil })
				return nil
			}, context.Canceled,
		},
		"a duplicate that is swallowed": {
			func(ctx context.Context, s *memory.Store) error {
				_ = s.InsertUser(ctx, aUser(1))
				return nil
			}, tenancy.ErrDuplicate,
		},
		"a reference to nothing that is swallowed": {
			func(ctx context.Context, s *memory.Store) error {
				_ = s.InsertMembership(ctx, aMembership(9, 1))
				return nil
			}, tenancy.ErrNotFound,
		},
		"whatever follows a duplicate": {
			func(ctx context.Context, s *memory.Store) error {
				_ = s.InsertUser(ctx, aUser(1))
				_, err := s.User(ctx, id[tenancy.UserID](1))
				return fmt.Errorf("after it: %w", err)
			}, tenancy.ErrDuplicate,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			err := s.InTx(t.Context(), func(ctx context.Context) error {
				return first(s.InsertUser(ctx, aUser(2)), c.fn(ctx, s))
			})
			require.Error(t, err)
			if c.want != nil {
				require.ErrorIs(t, err, c.want)
			}
			absent(t, s)
		})
	}
}

func TestCancelledBeforeTheCommit(t *testing.T) {
	s := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	err := s.InTx(ctx, func(ctx context.Context) error {
		defer cancel()
		return s.InsertUser(ctx, aUser(2))
	})
	require.ErrorIs(t, err, context.Canceled)
	absent(t, s)
}

func TestPanicGoesOn(t *testing.T) {
	s := open(t)
	assert.PanicsWithValue(t, "stop", func() {
		_ = s.InTx(t.Context(), func(ctx context.Context) error {
			_ = s.InsertUser(ctx, aUser(2))
			panic("stop")
		})
	})
	absent(t, s)
}

func TestGoexitRollsBack(t *testing.T) { // as t.FailNow inside a closure does
	s := open(t)
	var ended sync.WaitGroup
	ended.Go(func() {
		_ = s.InTx(context.Background(), func(ctx context.Context) error {
			_ = s.InsertUser(ctx, aUser(2))
			runtime.Goexit()
			return nil
		})
	})
	ended.Wait()
	absent(t, s)
}

func TestContextKeptAfterTheEnd(t *testing.T) {
	s := open(t)
	var kept context.Context
	do(t, s, func(ctx context.Context) error { kept = ctx; return nil })
	_, err := s.User(kept, id[tenancy.UserID](1))
	require.ErrorIs(t, err, tenancy.ErrTxDone)
	_, err = s.LockUser(kept, id[tenancy.UserID](1))
	require.ErrorIs(t, err, tenancy.ErrTxDone)
	require.ErrorIs(t, s.InsertUser(kept, aUser(2)), tenancy.ErrTxDone)
	require.ErrorIs(t, s.InTx(kept, func(context.Context) error { return nil }), tenancy.ErrTxDone)
	_, err = s.Take(kept, lane, noon, noon, 1)
	require.ErrorIs(t, err, tenancy.ErrTxDone)
	absent(t, s)
}

func TestTwoStoresDoNotShareATransaction(t *testing.T) {
	a, b := open(t), open(t)
	do(t, a, func(ctx context.Context) error {
		assert.ErrorIs(t, b.InsertUser(ctx, aUser(2)), tenancy.ErrNoTx)
		_ = b.InTx(ctx, func(ctx context.Context) error {
			assert.NoError(t, first(a.InsertUser(ctx, aUser(2)), b.InsertUser(ctx, aUser(2))))
			return errStop
		})
		return nil
	})
	absent(t, b)
	_, err := a.User(t.Context(), id[tenancy.UserID](2))
	assert.NoError(t, err, "the rollback of one store is not that of the other")
}

func TestTransactionOfManyGoroutines(t *testing.T) {
	s := open(t)
	const goroutines = 16
	do(t, s, func(ctx context.Context) error {
		var all sync.WaitGroup
		for n := range goroutines {
			all.Go(func() {
				assert.NoError(t, s.InTx(ctx, func(ctx context.Context) error { return s.InsertUser(ctx, aUser(2+n)) }))
				_, err := s.User(ctx, id[tenancy.UserID](2+n))
				assert.NoError(t, err)
			})
		}
		all.Wait()
		return nil
	})
	for n := range goroutines {
		_, err := s.User(t.Context(), id[tenancy.UserID](2+n))
		assert.NoError(t, err)
	}
}

func TestSourceRefusesATransaction(t *testing.T) {
	s := open(t)
	do(t, s, func(ctx context.Context) error {
		_, err := s.Take(ctx, lane, noon, noon, 1)
		assert.ErrorContains(t, err, "must not be called inside InTx")
		return nil
	})
}
