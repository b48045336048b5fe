package sqlstore_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/storage/internal/testdb"
	"github.com/usher-go/usher/tenancy"
)

// Every call that a transaction makes of the driver fails once, before or after it was done.
// The state is old or new and never mixed, no connection leaks, and the next attempt works.
func TestFaultAtEveryCall(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		faults := map[string]error{"plain": errors.New(driverText), "bad connection": driver.ErrBadConn, "conflict": e.conflict}
		for name, fault := range faults {
			for _, after := range []bool{false, true} {
				faultAtEveryCall(t, e, fmt.Sprintf("%s, after=%t", name, after), fault, after)
			}
		}
	})
}

func faultAtEveryCall(t *testing.T, e engine, what string, fault error, after bool) {
	t.Helper()
	var left atomic.Int64
	hook := func(_ context.Context, _, query string) error {
		if after && fault == e.conflict && word(query) == "COMMIT" { //nolint:errorlint // the same value
			return nil // no engine calls a commit that has happened a conflict
		}
		if left.Add(-1) == 0 {
			return fault
		}
		return nil
	}
	faulty := &testdb.Tap{Before: hook}
	if after {
		faulty = &testdb.Tap{After: hook}
	}
	left.Store(-1)
	db := e.connect(t, e.dsn(t), faulty)
	store := e.migrated(t, db)
	for n := int64(1); ; n++ {
		s := newScene(fmt.Sprintf("fault %d", n))
		left.Store(n)
		err := store.InTx(t.Context(), func(ctx context.Context) error {
			if err := s.insert(ctx, store); err != nil {
				return err
			}
			_, err := store.Members(ctx, s.team.ID, tenancy.Keyset{Limit: 2})
			return err
		})
		clean := left.Load() > 0
		left.Store(-1)
		require.Zero(t, db.Stats().InUse, "%s, call %d", what, n)
		if err != nil {
			require.ErrorIs(t, err, tenancy.ErrUnavailable, "%s, call %d", what, n)
			require.NotContains(t, whatShows(err), "secret")
			_, missing := store.User(t.Context(), s.user.ID)
			if missing != nil { // old; only a lost commit may have written all
				s.requireAbsent(t, store)
				require.NoError(t, store.InTx(t.Context(), func(ctx context.Context) error { return s.insert(ctx, store) }))
			}
		}
		s.requireStored(t, store)
		if clean {
			return
		}
	}
}
