package sqlstore_test

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/storage/internal/testdb"
	"github.com/usher-go/usher/storage/sqlstore"
	"github.com/usher-go/usher/tenancy"
)

func TestMigrateMayBeCalledAgain(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		store, db := e.open(t)
		s := stored(t, store, "kept")
		require.NoError(t, store.Migrate(t.Context()))
		require.NoError(t, e.migrated(t, db).Migrate(t.Context()))
		s.requireStored(t, store)
		require.Zero(t, db.Stats().InUse)
	})
}

func TestMigrateByManyAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		dsn := e.dsn(t)
		const callers = 8
		start := make(chan struct{})
		errs := make([]error, callers)
		var all sync.WaitGroup
		for i := range callers {
			store, err := e.new(e.connect(t, dsn, nil)) // a handle each, as separate programs have
			require.NoError(t, err)
			all.Go(func() {
				<-start
				errs[i] = store.Migrate(t.Context())
			})
		}
		close(start)
		all.Wait()
		require.NoError(t, errors.Join(errs...))
		db := e.connect(t, dsn, nil)
		stored(t, e.migrated(t, db), "first")
		var rows int
		require.NoError(t, db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM usher_schema").Scan(&rows))
		require.Equal(t, 1, rows)
	})
}

func TestNewerSchemaIsRefused(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		_, db := e.open(t)
		_, err := db.ExecContext(t.Context(), "INSERT INTO usher_schema (version, name) VALUES (1000, 'of the future')")
		require.NoError(t, err)
		old, err := e.new(db)
		require.NoError(t, err)
		_, readErr := old.User(t.Context(), newID[tenancy.UserID]())
		for _, err := range []error{
			old.Migrate(t.Context()),
			readErr,
			old.InTx(t.Context(), func(context.Context) error { return nil }),
		} {
			var schema *sqlstore.SchemaError
			require.ErrorAs(t, err, &schema)
			require.Equal(t, &sqlstore.SchemaError{Have: 1000, Want: 1}, schema)
			require.ErrorIs(t, err, tenancy.ErrUnavailable)
			require.Contains(t, err.Error(), "newer version of usher")
		}
		require.Zero(t, db.Stats().InUse)
	})
}

func TestDatabaseWithoutTables(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		db := e.connect(t, e.dsn(t), nil)
		store, err := e.new(db)
		require.NoError(t, err)
		_, readErr := store.Team(t.Context(), newID[tenancy.TeamID]())
		txErr := store.InTx(t.Context(), func(context.Context) error { t.Error("it ran"); return nil })
		tx, err := db.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		_, joinErr := store.JoinTx(t.Context(), tx)
		require.NoError(t, tx.Rollback())
		for _, err := range []error{readErr, txErr, joinErr} {
			require.ErrorIs(t, err, tenancy.ErrUnavailable)
			require.Contains(t, err.Error(), "call Migrate")
		}
		require.NoError(t, store.Migrate(t.Context()))
		stored(t, store, "now it works")
		require.Zero(t, db.Stats().InUse)
	})
}

// However far a migration has come when its program dies, the next call finishes it.
func TestInterruptedMigration(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		for n := 1; ; n += 3 {
			seen := 0
			broken := &testdb.Tap{Before: func(_ context.Context, call, _ string) error {
				if seen++; call == "exec" && seen > n {
					return errors.New(driverText)
				}
				return nil
			}}
			dsn := e.dsn(t)
			db := e.connect(t, dsn, nil)
			store, err := e.new(db)
			require.NoError(t, err)
			dying, err := e.new(e.connect(t, dsn, broken))
			if err != nil {
				continue // SQLite is asked for its journal by New
			}
			err = dying.Migrate(t.Context())
			if err == nil {
				return
			}
			require.ErrorIs(t, err, tenancy.ErrUnavailable)
			require.NotContains(t, err.Error(), "secret")
			require.NoError(t, store.Migrate(t.Context()), "after the first %d calls", n)
			stored(t, store, "after all").requireStored(t, store)
		}
	})
}

func TestMigrateWithCancelledContext(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		store, err := e.new(e.connect(t, e.dsn(t), nil))
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, store.Migrate(ctx), context.Canceled)
	})
}

// A schema that another tool has made from the files is as good: they record their version.
func TestMigratedByAnotherTool(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		db := e.connect(t, e.dsn(t), nil)
		store, err := e.new(db)
		require.NoError(t, err)
		text, err := fs.ReadFile(sqlstore.Migrations(e.folder), "0001_init.up.sql")
		require.NoError(t, err)
		for statement := range strings.SplitSeq(string(text), ";\n") {
			if strings.TrimSpace(statement) != "" {
				_, err := db.ExecContext(t.Context(), statement)
				require.NoError(t, err)
			}
		}
		stored(t, store, "without Migrate")
		require.NoError(t, store.Migrate(t.Context()))
	})
}

// goose wants its comment first; it and usher's own runner cut statements at semicolons at the
// end of a line; golang-migrate wants the name to end in .up.sql.
func TestMigrationFilesAreReadableByOthers(t *testing.T) {
	for _, folder := range []string{"sqlite", "postgres", "mysql"} {
		files, err := fs.Glob(sqlstore.Migrations(folder), "*")
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for i, name := range files {
			require.Regexp(t, `^000\d_[a-z_]+\.up\.sql$`, name)
			text, err := fs.ReadFile(sqlstore.Migrations(folder), name)
			require.NoError(t, err)
			require.True(t, strings.HasPrefix(string(text), "-- +goose Up\n"), name)
			require.NotContains(t, string(text), "goose Down")
			for line := range strings.Lines(string(text)) {
				if at := strings.IndexByte(line, ';'); at >= 0 {
					require.Equal(t, len(strings.TrimRight(line, "\n"))-1, at, "a semicolon ends a statement, and nothing else: %s", line)
				}
			}
			require.Contains(t, string(text), "INTO usher_schema (version, name) VALUES ("+string('1'+rune(i)), "a file records its version")
		}
	}
}
