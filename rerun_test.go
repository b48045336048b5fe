package usher_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/memory"
)

// reruns is a store that runs each transaction once in vain before it counts, as every transaction may be
// after a deadlock.
type reruns struct {
	storage.Store
	on bool
}

var errInVain = errors.New("in vain")

func (s *reruns) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	type inside struct{}
	if !s.on || ctx.Value(inside{}) != nil {
		return s.Store.InTx(ctx, fn)
	}
	ctx = context.WithValue(ctx, inside{}, true)
	err := s.Store.InTx(ctx, func(ctx context.Context) error { return errors.Join(fn(ctx), errInVain) })
	if !errors.Is(err, errInVain) {
		return err
	}
	return s.Store.InTx(ctx, fn)
}

// An operation whose transaction is run again begins anew: nothing of the first run is left in its hands, and
// it writes what it writes otherwise.
func TestOperationWhoseTransactionIsRunAgain(t *testing.T) {
	for name, op := range operations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			written := func(store storage.Store, begin func()) int {
				s := newScene(t, store)
				before := s.events(t)
				begin()
				require.NoError(t, op.call(t.Context(), s, s.proper, s.own))
				return s.events(t) - before
			}
			again := &reruns{Store: memory.New()}
			want := written(memory.New(), func() {})
			assert.Equal(t, want, written(again, func() { again.on = true }))
		})
	}
}
