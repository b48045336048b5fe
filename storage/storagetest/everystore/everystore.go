// Package everystore runs a test on every store that this module ships. It is for the tests
// of the rooms, and compiles the drivers; users want storagetest or ushertest.
package everystore

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite" // the driver of the SQLite store

	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/storage/sqlite"
)

// openers make a fresh, empty, migrated store that lives as long as the test.
var openers = []struct {
	name string
	open func(t *testing.T) storage.Store
}{
	{"memory", Memory},
	{"sqlite", SQLite},
}

// Run runs the test once for each store. Within the test open makes as many as it needs.
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
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "usher.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	store, err := sqlite.New(db)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	return store
}
