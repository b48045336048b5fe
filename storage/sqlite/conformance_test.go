package sqlite_test

import (
	"database/sql"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/sqlite"
	"github.com/usher-go/usher/storage/sqlstore"
	"github.com/usher-go/usher/storage/storagetest"
	"github.com/usher-go/usher/storage/storagetest/everystore"
)

func TestConformance(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storage.Store { return open(t, openFile(t, "")) },
		storagetest.Rounds(everystore.Rounds(50)))
}

// openFile opens a new database file with the DSN parameters given.
func openFile(t *testing.T, parameters string) *sql.DB {
	t.Helper()
	return openPath(t, filepath.Join(t.TempDir(), "usher.db"), parameters)
}

func openPath(t *testing.T, path, parameters string) *sql.DB {
	t.Helper()
	// A subtest's folder may have a # in its name, which would end the name of the file.
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+parameters)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// open makes a migrated store of the database.
func open(t *testing.T, db *sql.DB) *sqlstore.Store {
	t.Helper()
	store, err := sqlite.New(db)
	require.NoError(t, err)
	require.NoError(t, store.Migrate(t.Context()))
	return store
}
