package sqlstore_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/storage/internal/testdb"
	"github.com/usher-go/usher/storage/outbox"
)

// A Take reads its streams as they were when its statement began and locks its rows after that.
// Here an event is replayed just in between, by hand, since no test can stop a statement half-way.
func TestTakeLeavesOutWhatAReplayHasOvertaken(t *testing.T) {
	onServers(t, func(t *testing.T, e engine) { // with one writer nothing can come in between
		dsn := e.dsn(t)
		other := e.connect(t, dsn, nil)
		var armed atomic.Bool
		var dead string
		store := e.migrated(t, e.connect(t, dsn, &testdb.Tap{After: func(ctx context.Context, call, query string) error {
			if call != "query" || !strings.Contains(query, "SKIP LOCKED") || !armed.Swap(false) {
				return nil
			}
			// By its key, so that MariaDB does not wait for the rows that Take has locked.
			_, err := other.ExecContext(ctx, "UPDATE usher_outbox SET due_at = 0, attempts = 0, buried_at = NULL WHERE lane = 'crm' AND event_id = "+dead)
			return err
		}}))
		stored(t, store, "one") // two events of the team, one of the conversation
		until := noon.Add(time.Minute)
		first := take(t, store, until)
		require.Len(t, first, 2)
		var team outbox.Due
		for _, d := range first {
			if d.Stream.Kind == outbox.TeamStream {
				team = d
			} else {
				require.NoError(t, store.Done(t.Context(), d))
			}
		}
		require.NoError(t, store.Bury(t.Context(), team, noon))
		dead = fmt.Sprintf("'%s'", team.ID)
		if e.name == "mysql" {
			dead = fmt.Sprintf("x'%x'", team.ID[:])
		}
		armed.Store(true)
		require.Empty(t, take(t, store, until), "the second event of the stream, while the first is undelivered again")
		again := take(t, store, until)
		require.Len(t, again, 1)
		require.Equal(t, team.ID, again[0].ID)
		require.NoError(t, store.Done(t.Context(), again[0]))
		require.Len(t, take(t, store, until), 1)
	})
}

func take(t *testing.T, store outbox.Source, until time.Time) []outbox.Due {
	t.Helper()
	due, err := store.Take(t.Context(), lane, noon, until, 10)
	require.NoError(t, err)
	return due
}
