package postgres_test

import (
	"context"
	"database/sql"
	"iter"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/storage/internal/testdb"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/storage/postgres"
	"github.com/usher-go/usher/storage/sqlstore"
	"github.com/usher-go/usher/tenancy"
)

// wait is how pgx waits for a notification on a connection of the pool.
func wait(ctx context.Context, conn any) (string, error) {
	heard, err := conn.(*stdlib.Conn).Conn().WaitForNotification(ctx)
	if err != nil {
		return "", err
	}
	return heard.Payload, nil
}

// notifying is a store that would look again tomorrow, so what it sees today it has heard.
func notifying(t *testing.T, dsn string) (*sqlstore.Store, *sql.DB) {
	t.Helper()
	db := connect(t, "pgx", dsn)
	store, err := postgres.New(db, postgres.WithNotify(wait), sqlstore.WithPolling(24*time.Hour))
	require.NoError(t, err)
	require.NoError(t, store.Migrate(t.Context()))
	return store, db
}

// a user, whose stream is followed here, and an event of it.
func someone(t *testing.T, store *sqlstore.Store) (outbox.Stream, func()) {
	t.Helper()
	user := tenancy.User{ID: tenancy.NewID[tenancy.UserID](tenancy.Env{}), Name: "Alice", Status: tenancy.UserActive, CreatedAt: time.Now()}
	require.NoError(t, store.InTx(t.Context(), func(ctx context.Context) error { return store.InsertUser(ctx, user) }))
	stream := outbox.Stream{Kind: outbox.UserStream, ID: user.ID.UUID()}
	return stream, func() {
		e := outbox.Event{ID: uuid.Must(uuid.NewV7()), Stream: stream, Kind: tenancy.UserUpdated, Version: 1, Principal: "system:test", At: time.Now(), Payload: []byte(`{}`)}
		assert.NoError(t, store.InTx(t.Context(), func(ctx context.Context) error { return store.Append(ctx, e) }))
	}
}

// events reads what is followed until there are n more.
func events(t *testing.T, next func() ([]outbox.Event, error, bool), n int) (sequences []int64) {
	t.Helper()
	for {
		page, err, more := next()
		require.NoError(t, err)
		require.True(t, more)
		for _, e := range page {
			sequences = append(sequences, e.Sequence)
		}
		if len(sequences) >= n && (n > 0 || len(page) == 0) {
			return sequences
		}
	}
}

// listening counts the sessions of the test's database that wait for notifications, and ends them if asked.
func listening(t *testing.T, db *sql.DB, end bool) (n int) {
	t.Helper()
	query := `SELECT COUNT(*) FROM pg_stat_activity WHERE application_name = current_setting('application_name') AND query = 'LISTEN usher'`
	if end {
		query = `SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = current_setting('application_name') AND query = 'LISTEN usher'`
	}
	require.NoError(t, db.QueryRowContext(t.Context(), query).Scan(&n))
	return n
}

// Another process hears of a commit, all followers of a store by one connection, and once the last of them
// has stopped there is none.
func TestNotifyReachesOtherProcesses(t *testing.T) {
	dsn := testdb.Postgres(t, "pgx") + "&application_name=usher_" + uuid.NewString()[:8]
	here, db := notifying(t, dsn)
	there, _ := notifying(t, dsn)
	stream, happens := someone(t, there)
	var stops []func()
	var nexts []func() ([]outbox.Event, error, bool)
	for range 8 {
		next, stop := iter.Pull2(here.Follow(t.Context(), stream, 0))
		nexts, stops = append(nexts, next), append(stops, stop)
		require.Empty(t, events(t, next, 0))
	}
	for n := range int64(5) {
		happens()
		for _, next := range nexts {
			assert.Equal(t, []int64{n + 1}, events(t, next, 1))
		}
	}
	assert.Equal(t, 1, listening(t, db, false), "one connection for all")
	for _, stop := range stops {
		stop()
	}
	assert.Zero(t, db.Stats().InUse, "and none for nobody")
}

// When the connection breaks nothing is lost: what was committed meanwhile is seen when it is back.
func TestNotifySurvivesItsConnection(t *testing.T) {
	dsn := testdb.Postgres(t, "pgx") + "&application_name=usher_" + uuid.NewString()[:8]
	here, db := notifying(t, dsn)
	there, _ := notifying(t, dsn)
	stream, happens := someone(t, there)
	next, stop := iter.Pull2(here.Follow(t.Context(), stream, 0))
	defer stop()
	require.Empty(t, events(t, next, 0))
	for n := range int64(5) {
		happens()
		assert.Equal(t, []int64{2*n + 1}, events(t, next, 1))
		require.Eventually(t, func() bool { return listening(t, db, true) == 1 }, time.Minute, time.Millisecond)
		happens()
		assert.Equal(t, []int64{2*n + 2}, events(t, next, 1))
	}
}

// A notification belongs to its transaction: one that is rolled back, and a text of somebody else's, wake
// nobody, and harm nothing.
func TestNotifyIsOfTheTransaction(t *testing.T) {
	store, db := notifying(t, testdb.Postgres(t, "pgx"))
	stream, happens := someone(t, store)
	next, stop := iter.Pull2(store.Follow(t.Context(), stream, 0))
	defer stop()
	require.Empty(t, events(t, next, 0))
	_, err := db.ExecContext(t.Context(), "SELECT pg_notify('usher', 'no id, but ' || $1::text)", stream.ID)
	require.NoError(t, err)
	tx, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	joined, err := store.JoinTx(t.Context(), tx)
	require.NoError(t, err)
	e := outbox.Event{ID: uuid.Must(uuid.NewV7()), Stream: stream, Kind: tenancy.UserUpdated, Version: 1, Principal: "system:test", At: time.Now(), Payload: []byte(`{}`)}
	require.NoError(t, store.InTx(joined, func(ctx context.Context) error { return store.Append(ctx, e) }))
	require.NoError(t, tx.Commit())
	assert.Equal(t, []int64{1}, events(t, next, 1), "the host's commit is heard as usher's own")
	happens()
	assert.Equal(t, []int64{2}, events(t, next, 1))
}

func TestNotifyWantsAFunction(t *testing.T) {
	_, err := postgres.New(connect(t, "pgx", "postgres://nowhere.invalid/"), postgres.WithNotify(nil))
	require.Error(t, err)
}
