// Package everystore runs a test on every store that this module ships. It is for the tests
// of the rooms, and compiles the drivers; users want storagetest or ushertest.
package everystore

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql" // the driver of the MySQL store
	_ "github.com/jackc/pgx/v5/stdlib" // the driver of the PostgreSQL store
	_ "modernc.org/sqlite"             // the driver of the SQLite store

	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/internal/testdb"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/storage/mysql"
	"github.com/usher-go/usher/storage/postgres"
	"github.com/usher-go/usher/storage/sqlite"
	"github.com/usher-go/usher/storage/sqlstore"
)

// openers make a fresh, empty, migrated store that lives as long as the test.
var openers = []struct {
	name string
	open func(t *testing.T) storage.Store
}{
	{"memory", Memory},
	{"sqlite", SQLite},
	{"postgres", Postgres},
	{"mysql", MySQL},
}

// Run runs the test once for each store, and skips those whose server is not to be had. Within
// the test open makes as many as it needs.
func Run(t *testing.T, test func(t *testing.T, open func(t *testing.T) storage.Store)) {
	t.Helper()
	for _, o := range openers {
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			test(t, o.open)
		})
	}
}

// Memory makes an in-memory store, for the tests that have nothing to ask of a database.
func Memory(*testing.T) storage.Store { return memory.New() }

// SQLite opens a database in a file of the test's own.
func SQLite(t *testing.T) storage.Store {
	t.Helper()
	return open(t, "sqlite", sqliteDSN(t), sqlite.New)
}

// Postgres makes a schema of the test's own.
func Postgres(t *testing.T) storage.Store {
	t.Helper()
	return open(t, "pgx", PostgresDSN(t), postgres.New)
}

// PostgresDSN makes a schema of the test's own and answers how to connect to it.
func PostgresDSN(t testing.TB) string {
	t.Helper()
	return testdb.Postgres(t, "pgx")
}

// MySQL makes a database of the test's own.
func MySQL(t *testing.T) storage.Store {
	t.Helper()
	return open(t, "mysql", mysqlDSN(t), mysql.New)
}

func sqliteDSN(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "usher.db")
}

func mysqlDSN(t testing.TB) string {
	t.Helper()
	return testdb.MySQL(t, "mysql", "")
}

func open(t *testing.T, driver, dsn string, adapt func(*sql.DB, ...sqlstore.Option) (*sqlstore.Store, error)) storage.Store {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return adapted(t, db, adapt)
}

func adapted(t testing.TB, db *sql.DB, adapt func(*sql.DB, ...sqlstore.Option) (*sqlstore.Store, error)) *sqlstore.Store {
	t.Helper()
	db.SetMaxOpenConns(20)
	store, err := adapt(db, sqlstore.WithPolling(10*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	return store
}
