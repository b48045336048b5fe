package sqlstore_test

import (
	"iter"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/storage/sqlite"
	"github.com/usher-go/usher/storage/sqlstore"
)

// A page of a stream is one statement, and so is a look that finds nothing. No connection is held while
// who follows waits, or is slow.
func TestFollowingCostsOneStatement(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		var r recorder
		db := e.connect(t, e.dsn(t), r.tap())
		store := e.migrated(t, db)
		s := stored(t, store, "followed")
		r.take()
		next, stop := iter.Pull2(store.Follow(t.Context(), outbox.Stream{Kind: outbox.TeamStream, ID: s.team.ID.UUID()}, 0))
		defer stop()
		var first []string
		for empty := 0; empty < 2; {
			page, err, more := next()
			require.NoError(t, err)
			require.True(t, more)
			sent := r.take()
			require.Len(t, sent, 1)
			first = append(first, sent...)
			assert.Equal(t, first[0], sent[0], "the same one each time")
			assert.Zero(t, db.Stats().InUse)
			if len(page) == 0 {
				empty++
			}
		}
	})
}

func TestPollingIsChecked(t *testing.T) {
	for _, wrong := range []sqlstore.Option{sqlstore.WithPolling(0), sqlstore.WithPolling(-time.Second), sqlstore.WithNotify(nil)} {
		e := engines()[0]
		_, err := sqlite.New(e.connect(t, e.dsn(t), nil), wrong)
		require.Error(t, err)
	}
}
