package sqlstore_test

import (
	"context"
	"database/sql"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/storage/sqlstore"
)

// Exactly once, on every engine: many deliver the same events at once through handles of their
// own, and the engine refuses some of their commits.
func TestInboxHandlesEachEventOnce(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		dsn := e.dsn(t)
		tap, conflicts := failing("COMMIT", e.conflicts[0])
		stores := []*sqlstore.Store{e.migrated(t, e.connect(t, dsn, nil)), e.migrated(t, e.connect(t, dsn, tap))}
		s := stored(t, stores[0], "one")
		before := history(t, stores[0], s)
		conflicts.Store(3)
		events := []uuid.UUID{newID[uuid.UUID](), newID[uuid.UUID](), newID[uuid.UUID]()}
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				store := stores[i%len(stores)]
				in, err := outbox.NewInbox(store, "bills")
				if err != nil {
					t.Error(err)
					return
				}
				for _, event := range events {
					if _, err := in.Once(t.Context(), event, func(ctx context.Context) error {
						return store.Append(ctx, s.events()[0])
					}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		require.Len(t, history(t, stores[0], s), len(before)+len(events))
	})
}

func history(t *testing.T, store *sqlstore.Store, s scene) []outbox.Event {
	t.Helper()
	events, err := store.TeamEvents(t.Context(), s.team.ID.UUID(), outbox.LogFilter{}, time.Time{}, uuid.Nil, 100)
	require.NoError(t, err)
	return events
}

// What an inbox notes in a transaction of the host's stands or falls with it.
func TestInboxInATransactionOfTheHost(t *testing.T) {
	onEachHost(t, func(t *testing.T, h hostDB) {
		store := h.store
		in, err := outbox.NewInbox(store, "bills")
		require.NoError(t, err)
		event := newID[uuid.UUID]()
		once := func(end func(tx *sql.Tx) error) {
			t.Helper()
			tx := h.begin(t, sql.LevelReadCommitted)
			ctx, err := store.JoinTx(t.Context(), tx)
			require.NoError(t, err)
			for _, want := range []bool{true, false} {
				done, err := in.Once(ctx, event, func(context.Context) error { return nil })
				require.NoError(t, err)
				require.Equal(t, want, done)
			}
			require.NoError(t, end(tx))
		}
		once((*sql.Tx).Rollback)
		once((*sql.Tx).Commit)
		done, err := in.Once(t.Context(), event, func(context.Context) error { return nil })
		require.NoError(t, err)
		require.False(t, done)
	})
}
