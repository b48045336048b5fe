package sqlstore_test

import (
	"database/sql"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	mysqldriver "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/lib/pq"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/usher-go/usher/storage/internal/testdb"
	"github.com/usher-go/usher/storage/mysql"
	"github.com/usher-go/usher/storage/postgres"
	"github.com/usher-go/usher/storage/sqlite"
	"github.com/usher-go/usher/storage/sqlstore"
)

// An engine is a database with a driver, as the tests of this package use it.
type engine struct {
	name   string
	folder string
	driver string
	// dsn makes a new, empty database.
	dsn func(t *testing.T) string
	new func(db *sql.DB, options ...sqlstore.Option) (*sqlstore.Store, error)
	// conflict is an error with which the engine asks to run a transaction again.
	conflict error
}

func engines() []engine {
	return []engine{
		{
			name: "sqlite", folder: "sqlite", driver: "sqlite", new: sqlite.New, conflict: sqliteError(5), // BUSY
			dsn: func(t *testing.T) string {
				path := filepath.Join(t.TempDir(), "usher.db")
				return "file:" + (&url.URL{Path: path}).EscapedPath() + "?_pragma=foreign_keys(1)"
			},
		},
		{
			name: "postgres-pgx", folder: "postgres", driver: "pgx", new: postgres.New, conflict: postgresError("40001"),
			dsn: func(t *testing.T) string { return testdb.Postgres(t, "pgx") },
		},
		{
			name: "postgres-pq", folder: "postgres", driver: "postgres", new: postgres.New, conflict: postgresError("40P01"),
			dsn: func(t *testing.T) string { return testdb.Postgres(t, "postgres") },
		},
		{
			name: "mysql", folder: "mysql", driver: "mysql", new: mysql.New, conflict: &mysqldriver.MySQLError{Number: 1213},
			dsn: func(t *testing.T) string { return testdb.MySQL(t, "mysql", "") },
		},
	}
}

// Errors with the codes that drivers give, and a text that must never be seen.
type (
	sqliteError   int
	postgresError string
)

const driverText = "driver text with alice@secret.example"

func (e sqliteError) Code() int          { return int(e) }
func (sqliteError) Error() string        { return driverText }
func (e postgresError) SQLState() string { return string(e) }
func (postgresError) Error() string      { return driverText }

// onEach runs a test on every engine that can be had here.
func onEach(t *testing.T, test func(t *testing.T, e engine)) {
	t.Helper()
	on(t, engines(), test)
}

// onServers runs a test on the engines that have several writers at once and levels of
// isolation: not on SQLite.
func onServers(t *testing.T, test func(t *testing.T, e engine)) {
	t.Helper()
	on(t, slices.DeleteFunc(engines(), func(e engine) bool { return e.name == "sqlite" }), test)
}

func on(t *testing.T, engines []engine, test func(t *testing.T, e engine)) {
	t.Helper()
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			test(t, e)
		})
	}
}

// connect opens a handle, through the tap if there is one.
func (e engine) connect(t *testing.T, dsn string, tap *testdb.Tap) *sql.DB {
	t.Helper()
	db, err := sql.Open(e.driver, dsn)
	require.NoError(t, err)
	if tap != nil {
		require.NoError(t, db.Close())
		db = tap.Open(db.Driver(), dsn)
	}
	db.SetMaxOpenConns(20)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// open makes a migrated store in a new database.
func (e engine) open(t *testing.T, options ...sqlstore.Option) (*sqlstore.Store, *sql.DB) {
	t.Helper()
	db := e.connect(t, e.dsn(t), nil)
	return e.migrated(t, db, options...), db
}

func (e engine) migrated(t *testing.T, db *sql.DB, options ...sqlstore.Option) *sqlstore.Store {
	t.Helper()
	store, err := e.new(db, options...)
	require.NoError(t, err)
	require.NoError(t, store.Migrate(t.Context()))
	return store
}

// word is the first word of a statement.
func word(query string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(query), " ")
	return first
}
