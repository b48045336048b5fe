package everystore

import (
	"context"
	"database/sql"
	"sync"
	"testing"

	"github.com/usher-go/usher/storage/internal/testdb"
	"github.com/usher-go/usher/storage/mysql"
	"github.com/usher-go/usher/storage/postgres"
	"github.com/usher-go/usher/storage/sqlite"
	"github.com/usher-go/usher/storage/sqlstore"
)

// Recorder notes what a store sends to its database.
type Recorder struct {
	db *sql.DB

	mu    sync.Mutex
	sent  []string
	trips int
}

// dialect is a store that sends SQL.
type dialect struct {
	name, driver string
	dsn          func(t testing.TB) string
	adapt        func(*sql.DB, ...sqlstore.Option) (*sqlstore.Store, error)
}

var dialects = []dialect{
	{"sqlite", "sqlite", func(t testing.TB) string { return sqliteDSN(t) + "?_pragma=synchronous(off)" }, sqlite.New},
	{"postgres", "pgx", PostgresDSN, postgres.New},
	{"mysql", "mysql", mysqlDSN, mysql.New},
}

// Recorded runs the test once for each dialect of SQL, with a recorder between the store and the
// driver.
func Recorded(t *testing.T, test func(t *testing.T, dialect string, store *sqlstore.Store, r *Recorder)) {
	t.Helper()
	for _, d := range dialects {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			store, r := d.recorded(t)
			test(t, d.name, store, r)
		})
	}
}

// RecordedSQLite is the one of them that answers fastest.
func RecordedSQLite(t *testing.T) (*sqlstore.Store, *Recorder) {
	t.Helper()
	return dialects[0].recorded(t)
}

func (d dialect) recorded(t *testing.T) (*sqlstore.Store, *Recorder) {
	t.Helper()
	dsn := d.dsn(t)
	plain, err := sql.Open(d.driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = plain.Close() })
	r := &Recorder{db: plain}
	tapped := r.tap().Open(plain.Driver(), dsn)
	t.Cleanup(func() { _ = tapped.Close() })
	return adapted(t, tapped, d.adapt), r
}

func (r *Recorder) tap() *testdb.Tap {
	return &testdb.Tap{
		Before: func(_ context.Context, call, query string) error {
			if call == "exec" || call == "query" {
				r.note(query)
			}
			return nil
		},
		Prepared: func() { r.note("") },
	}
}

// note counts a round trip, of a statement or for its preparation.
func (r *Recorder) note(query string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.trips++
	if query != "" {
		r.sent = append(r.sent, query)
	}
}

// Take answers the statements since the last Take, with those that begin and end transactions,
// and how often the store waited for the database: once for each, and once more where the
// driver prepares it first, as MySQL's does unless its DSN has interpolateParams=true.
func (r *Recorder) Take() (statements []string, roundTrips int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	statements, roundTrips = r.sent, r.trips
	r.sent, r.trips = nil, 0
	return statements, roundTrips
}

// Empty deletes all rows, unrecorded, so that a test needs one database and not one for each of
// its cases.
func (r *Recorder) Empty(t *testing.T) {
	t.Helper()
	for _, table := range []string{
		"inbox", "outbox", "events", "feeds", "operations", "opt_outs", "read_marks", "deliveries", "invitation_uses", "invitations", "grants", "words", "messages", "episodes", "skips", "conversations", "applications", "contacts",
		"loads", "memberships", "roles", "join_domains", "teams", "accounts", "users",
	} {
		if _, err := r.db.ExecContext(t.Context(), "DELETE FROM usher_"+table); err != nil {
			t.Fatal(err)
		}
	}
}
