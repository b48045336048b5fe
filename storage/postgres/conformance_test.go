package postgres_test

import (
	"database/sql"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/internal/testdb"
	"github.com/usher-go/usher/storage/postgres"
	"github.com/usher-go/usher/storage/sqlstore"
	"github.com/usher-go/usher/storage/storagetest"
	"github.com/usher-go/usher/storage/storagetest/everystore"
)

// drivers are the names under which the supported drivers register themselves.
var drivers = []string{"pgx", "postgres"}

func TestConformance(t *testing.T) {
	for _, driver := range drivers {
		t.Run(driver, func(t *testing.T) {
			storagetest.Run(t, func(t *testing.T) storage.Store {
				return open(t, connect(t, driver, testdb.Postgres(t, driver)))
			}, storagetest.Rounds(everystore.Rounds(50)))
		})
	}
}

func connect(t *testing.T, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	require.NoError(t, err)
	db.SetMaxOpenConns(20)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// open makes a migrated store of the database.
func open(t *testing.T, db *sql.DB) *sqlstore.Store {
	t.Helper()
	store, err := postgres.New(db)
	require.NoError(t, err)
	require.NoError(t, store.Migrate(t.Context()))
	return store
}
