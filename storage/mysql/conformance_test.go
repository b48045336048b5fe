package mysql_test

import (
	"database/sql"
	"testing"

	_ "github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/internal/testdb"
	"github.com/usher-go/usher/storage/mysql"
	"github.com/usher-go/usher/storage/sqlstore"
	"github.com/usher-go/usher/storage/storagetest"
	"github.com/usher-go/usher/storage/storagetest/everystore"
)

func TestConformance(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storage.Store { return open(t, connect(t, testdb.MySQL(t, "mysql", ""))) },
		storagetest.Rounds(everystore.Rounds(50)))
}

func connect(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("mysql", dsn)
	require.NoError(t, err)
	db.SetMaxOpenConns(20)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// open makes a migrated store of the database.
func open(t *testing.T, db *sql.DB, options ...sqlstore.Option) *sqlstore.Store {
	t.Helper()
	store, err := mysql.New(db, options...)
	require.NoError(t, err)
	require.NoError(t, store.Migrate(t.Context()))
	return store
}
