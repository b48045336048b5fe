package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/storage/sqlstore"
	"github.com/usher-go/usher/tenancy"
)

// A hostDB is a host's database: usher's tables and one of the host's own.
type hostDB struct {
	*sql.DB
	engine engine
	store  *sqlstore.Store
}

func (e engine) host(t *testing.T) hostDB {
	t.Helper()
	store, db := e.open(t)
	_, err := db.ExecContext(t.Context(), "CREATE TABLE customers (name VARCHAR(100) PRIMARY KEY)")
	require.NoError(t, err)
	return hostDB{DB: db, engine: e, store: store}
}

// begin starts a transaction of the host's, with a row of its own in it.
func (h hostDB) begin(t *testing.T, level sql.IsolationLevel) *sql.Tx {
	t.Helper()
	if h.engine.name == "sqlite" {
		level = sql.LevelDefault
	}
	tx, err := h.BeginTx(t.Context(), &sql.TxOptions{Isolation: level})
	require.NoError(t, err)
	t.Cleanup(func() { _ = tx.Rollback() })
	_, err = tx.ExecContext(t.Context(), "INSERT INTO customers (name) VALUES ('Acme')")
	require.NoError(t, err)
	return tx
}

func (h hostDB) customers(t *testing.T) (n int) {
	t.Helper()
	require.NoError(t, h.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM customers").Scan(&n))
	return n
}

func onEachHost(t *testing.T, test func(t *testing.T, h hostDB)) {
	t.Helper()
	onEach(t, func(t *testing.T, e engine) { test(t, e.host(t)) })
}

func TestJoinTxCommitsWithTheHost(t *testing.T) {
	onEachHost(t, func(t *testing.T, h hostDB) {
		s := newScene("joined")
		tx := h.begin(t, sql.LevelReadCommitted)
		ctx, err := h.store.JoinTx(t.Context(), tx)
		require.NoError(t, err)
		require.NoError(t, h.store.InTx(ctx, func(ctx context.Context) error { return s.insert(ctx, h.store) }))
		_, err = h.store.User(ctx, s.user.ID)
		require.NoError(t, err, "the joined context reads what was written in it")
		require.NoError(t, tx.Commit())
		s.requireStored(t, h.store)
		require.Equal(t, 1, h.customers(t))

		_, err = h.store.User(ctx, s.user.ID)
		require.ErrorIs(t, err, tenancy.ErrTxDone)
		require.ErrorIs(t, h.store.InTx(ctx, func(context.Context) error { return nil }), tenancy.ErrTxDone)
		require.Zero(t, h.Stats().InUse)
	})
}

func TestJoinTxVanishesWithTheHost(t *testing.T) {
	onEachHost(t, func(t *testing.T, h hostDB) {
		s := newScene("joined")
		tx := h.begin(t, sql.LevelReadCommitted)
		ctx, err := h.store.JoinTx(t.Context(), tx)
		require.NoError(t, err)
		require.NoError(t, h.store.InTx(ctx, func(ctx context.Context) error { return s.insert(ctx, h.store) }))
		require.NoError(t, tx.Rollback())
		s.requireAbsent(t, h.store)
		require.Zero(t, h.customers(t))
	})
}

// An operation that fails leaves the host's transaction as it was, on every engine, also after
// an error that ends a transaction of PostgreSQL, and is not run again.
func TestJoinTxUndoesOneOperation(t *testing.T) {
	failures := map[string]func(ctx context.Context, h hostDB, s scene) error{
		"error":     func(context.Context, hostDB, scene) error { return errors.New("no") },
		"duplicate": func(ctx context.Context, h hostDB, s scene) error { return h.store.InsertUser(ctx, s.user) },
		"invalid": func(ctx context.Context, h hostDB, s scene) error {
			s.team.ID, s.team.Status = newID[tenancy.TeamID](), "Active "
			return h.store.InsertTeam(ctx, s.team)
		},
		"swallowed": func(ctx context.Context, h hostDB, s scene) error {
			_ = h.store.InsertUser(ctx, s.user)
			return nil
		},
		"panic": func(context.Context, hostDB, scene) error { panic("operation") },
	}
	onEachHost(t, func(t *testing.T, h hostDB) {
		for name, failure := range failures {
			kept, undone, later := newScene(name+"-kept"), newScene(name+"-undone"), newScene(name+"-later")
			tx := h.begin(t, sql.LevelReadCommitted)
			ctx, err := h.store.JoinTx(t.Context(), tx)
			require.NoError(t, err)
			insert := func(s scene) error {
				return h.store.InTx(ctx, func(ctx context.Context) error { return s.insert(ctx, h.store) })
			}
			require.NoError(t, insert(kept))
			runs := 0
			fail := func() error {
				return h.store.InTx(ctx, func(ctx context.Context) error {
					runs++
					if err := undone.insert(ctx, h.store); err != nil {
						return err
					}
					return failure(ctx, h, kept)
				})
			}
			if name == "panic" {
				require.PanicsWithValue(t, "operation", func() { _ = fail() })
			} else {
				require.Error(t, fail(), name)
			}
			require.Equal(t, 1, runs, "nothing is retried in the host's transaction")
			require.NoError(t, insert(later), "after %s", name)
			require.NoError(t, tx.Commit())
			kept.requireStored(t, h.store)
			undone.requireAbsent(t, h.store)
			later.requireStored(t, h.store)
			_, err = h.ExecContext(t.Context(), "DELETE FROM customers")
			require.NoError(t, err)
		}
	})
}

func TestJoinTxNeedsInTxToWrite(t *testing.T) {
	onEachHost(t, func(t *testing.T, h hostDB) {
		s := newScene("outside")
		tx := h.begin(t, sql.LevelReadCommitted)
		ctx, err := h.store.JoinTx(t.Context(), tx)
		require.NoError(t, err)
		require.ErrorIs(t, h.store.InsertUser(ctx, s.user), tenancy.ErrNoTx)
		_, err = h.store.LockUser(ctx, s.user.ID)
		require.ErrorIs(t, err, tenancy.ErrNoTx)
		_, err = h.store.Take(ctx, lane, noon, noon, 1)
		require.Error(t, err, "a relay's step is a transaction of its own")
	})
}

func TestJoinTxCancelled(t *testing.T) {
	onEachHost(t, func(t *testing.T, h hostDB) {
		s := newScene("cancelled")
		tx := h.begin(t, sql.LevelReadCommitted)
		joined, err := h.store.JoinTx(t.Context(), tx)
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(joined)
		err = h.store.InTx(ctx, func(ctx context.Context) error {
			if err := s.insert(ctx, h.store); err != nil {
				return err
			}
			cancel()
			return nil
		})
		require.ErrorIs(t, err, context.Canceled)
		require.NoError(t, tx.Commit(), "the host goes on")
		s.requireAbsent(t, h.store)
		require.Equal(t, 1, h.customers(t))
	})
}

func TestJoinTxRefusesWhatIsNotATransaction(t *testing.T) {
	onEachHost(t, func(t *testing.T, h hostDB) {
		_, err := h.store.JoinTx(t.Context(), h.DB)
		require.ErrorContains(t, err, "JoinTx needs a transaction")
		_, err = h.store.JoinTx(t.Context(), nil)
		require.ErrorContains(t, err, "JoinTx needs a transaction")

		tx := h.begin(t, sql.LevelReadCommitted)
		ctx, err := h.store.JoinTx(t.Context(), tx)
		require.NoError(t, err)
		_, err = h.store.JoinTx(ctx, tx)
		require.ErrorContains(t, err, "already")
		require.NoError(t, tx.Rollback())

		_, err = h.store.JoinTx(t.Context(), tx)
		require.ErrorIs(t, err, tenancy.ErrTxDone)
	})
}

func TestJoinTxVerifiesIsolation(t *testing.T) {
	onServers(t, func(t *testing.T, e engine) { // SQLite has one level; it verifies foreign keys, see storage/sqlite
		h := e.host(t)
		for _, level := range []sql.IsolationLevel{sql.LevelRepeatableRead, sql.LevelSerializable} {
			tx := h.begin(t, level)
			_, err := h.store.JoinTx(t.Context(), tx)
			var refused *sqlstore.CheckTxError
			require.ErrorAs(t, err, &refused, "at level %s", level)
			require.ErrorIs(t, err, tenancy.ErrInvalid)
			require.NoError(t, tx.Rollback())
		}
	})
}

// Two stores on one database never see each other's transaction.
func TestTransactionsBelongToTheirStore(t *testing.T) {
	onEachHost(t, func(t *testing.T, h hostDB) {
		other := h.engine.migrated(t, h.DB)
		s := newScene("mine")
		require.NoError(t, h.store.InTx(t.Context(), func(ctx context.Context) error {
			require.NoError(t, h.store.InsertUser(ctx, s.user))
			_, err := other.User(ctx, s.user.ID)
			require.ErrorIs(t, err, tenancy.ErrNotFound)
			require.ErrorIs(t, other.InsertUser(ctx, s.user), tenancy.ErrNoTx)
			return nil
		}))
	})
}
