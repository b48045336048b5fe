package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/storage/sqlite"
	"github.com/usher-go/usher/storage/sqlstore"
	"github.com/usher-go/usher/tenancy"
)

func TestMemoryDatabaseIsRefused(t *testing.T) {
	for _, dsn := range []string{":memory:", "file::memory:", "file:shared?mode=memory&cache=shared", ""} {
		db, err := sql.Open("sqlite", dsn)
		require.NoError(t, err)
		_, err = sqlite.New(db)
		require.Error(t, err, dsn)
		if dsn != "" { // a temporary file, which cannot be shared either
			require.ErrorIs(t, err, sqlite.ErrInMemory, dsn)
		}
		require.NoError(t, db.Close())
	}
}

func TestFileThatIsNoDatabase(t *testing.T) {
	db := openPath(t, filepath.Join(t.TempDir(), "no", "such", "folder", "usher.db"), "")
	_, err := sqlite.New(db)
	require.ErrorIs(t, err, tenancy.ErrUnavailable)
}

func TestNewNeedsAHandle(t *testing.T) {
	_, err := sqlite.New(nil)
	require.Error(t, err)
	_, err = sqlite.New(openFile(t, ""), sqlstore.WithWait(0))
	require.Error(t, err)
}

func user(name string) tenancy.User {
	return tenancy.User{
		ID: tenancy.NewID[tenancy.UserID](tenancy.Env{}), ExternalID: name, Name: name, Status: tenancy.UserActive,
		CreatedAt: time.Date(2026, 3, 1, 12, 0, 0, 1000, time.UTC), Version: 1,
	}
}

// Nothing rests on the DSN: foreign keys, the kind of transaction, the journal and the time to
// wait are what usher needs, whatever the host has set.
func TestAnyDSN(t *testing.T) {
	for _, parameters := range []string{
		"", "?_pragma=foreign_keys(0)", "?_pragma=foreign_keys(1)", "?_txlock=deferred", "?_txlock=exclusive",
		"?_pragma=busy_timeout(0)", "?_pragma=busy_timeout(2000)", "?_pragma=journal_mode(delete)", "?_pragma=synchronous(off)",
		"?_time_format=sqlite", "?_inttotime=true", "?_texttotime=true",
	} {
		t.Run(parameters, func(t *testing.T) {
			t.Parallel()
			db := openFile(t, parameters)
			store := open(t, db)
			alice := user("alice")
			require.NoError(t, store.InTx(t.Context(), func(ctx context.Context) error { return store.InsertUser(ctx, alice) }))
			found, err := store.User(t.Context(), alice.ID)
			require.NoError(t, err)
			require.Equal(t, alice, found)
			err = store.InTx(t.Context(), func(ctx context.Context) error {
				return store.InsertAccount(ctx, tenancy.Account{
					ID: tenancy.NewID[tenancy.AccountID](tenancy.Env{}), HeldBy: user("nobody").ID,
					Status: tenancy.AccountActive, CreatedAt: alice.CreatedAt,
				})
			})
			require.ErrorIs(t, err, tenancy.ErrNotFound, "foreign keys hold")
		})
	}
}

func TestJoinTxNeedsForeignKeys(t *testing.T) {
	db := openFile(t, "?_pragma=foreign_keys(0)")
	store := open(t, db)
	tx, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer tx.Rollback()
	// The pool has one connection whose foreign keys usher has switched on; take another.
	second, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer second.Rollback()
	_, err = store.JoinTx(t.Context(), second)
	var refused *sqlstore.CheckTxError
	require.ErrorAs(t, err, &refused)
	require.ErrorContains(t, err, "foreign keys are off")
}

// JoinTx takes the write lock, so that no operation inside fails for want of it.
func TestJoinTxTakesTheWriteLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "usher.db")
	db, other := openPath(t, path, "?_pragma=foreign_keys(1)"), openPath(t, path, "?_pragma=foreign_keys(1)")
	store := open(t, db)
	waiting, err := sqlite.New(other, sqlstore.WithWait(20*time.Millisecond))
	require.NoError(t, err)
	tx, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	ctx, err := store.JoinTx(t.Context(), tx)
	require.NoError(t, err)
	err = waiting.InTx(t.Context(), func(context.Context) error { t.Error("there are two writers"); return nil })
	require.ErrorIs(t, err, tenancy.ErrUnavailable)
	require.ErrorContains(t, err, "no turn to write")
	require.NoError(t, store.InTx(ctx, func(ctx context.Context) error { return store.InsertUser(ctx, user("alice")) }))
	require.NoError(t, tx.Commit())
	require.NoError(t, waiting.InTx(t.Context(), func(context.Context) error { return nil }))
}

// The known trap: the outer context inside. It ends with an error that names it.
func TestOuterContextInside(t *testing.T) {
	db := openFile(t, "")
	open(t, db)
	store, err := sqlite.New(db, sqlstore.WithWait(20*time.Millisecond))
	require.NoError(t, err)
	outer := t.Context()
	err = store.InTx(outer, func(context.Context) error {
		return store.InTx(outer, func(context.Context) error { return nil })
	})
	require.ErrorIs(t, err, tenancy.ErrUnavailable)
	require.ErrorContains(t, err, "uses the context from outside")
}

// Writers of one process wait for their turn; those of two handles take turns as well.
func TestManyWritersOnTwoHandles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "usher.db")
	stores := []*sqlstore.Store{open(t, openPath(t, path, "")), open(t, openPath(t, path, ""))}
	alice := user("alice")
	require.NoError(t, stores[0].InTx(t.Context(), func(ctx context.Context) error { return stores[0].InsertUser(ctx, alice) }))
	const writers = 64
	start := make(chan struct{})
	errs := make([]error, writers)
	var all sync.WaitGroup
	for i := range writers {
		store := stores[i%2]
		all.Go(func() {
			<-start
			errs[i] = store.InTx(t.Context(), func(ctx context.Context) error {
				u, err := store.LockUser(ctx, alice.ID)
				if err != nil {
					return err
				}
				return store.UpdateUser(ctx, u)
			})
		})
	}
	close(start)
	all.Wait()
	require.NoError(t, errors.Join(errs...))
	found, err := stores[0].User(t.Context(), alice.ID)
	require.NoError(t, err)
	require.Equal(t, int64(writers+1), found.Version)
}
