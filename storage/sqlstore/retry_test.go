package sqlstore_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/storage/internal/testdb"
	"github.com/usher-go/usher/tenancy"
)

// failing makes a tap that fails calls of one kind with the error, as often as count says.
func failing(first string, err error) (*testdb.Tap, *atomic.Int64) {
	var count atomic.Int64
	return &testdb.Tap{Before: func(_ context.Context, _, query string) error {
		if word(query) == first && count.Add(-1) >= 0 {
			return err
		}
		return nil
	}}, &count
}

func TestConflictsAreRunAgain(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		for _, statement := range []string{"INSERT", "COMMIT"} {
			tap, count := failing(statement, e.conflict)
			db := e.connect(t, e.dsn(t), tap)
			store := e.migrated(t, db)
			s := newScene("again")
			runs := 0
			count.Store(2)
			require.NoError(t, store.InTx(t.Context(), func(ctx context.Context) error {
				runs++
				return s.insert(ctx, store)
			}))
			require.Equal(t, 3, runs, "conflicts at %s", statement)
			s.requireStored(t, store)

			count.Store(1_000_000)
			lost := newScene("lost")
			runs = 0
			err := store.InTx(t.Context(), func(ctx context.Context) error {
				runs++
				if err := lost.insert(ctx, store); err != nil {
					return errors.New("the service's own words")
				}
				return nil
			})
			require.Error(t, err)
			if statement == "COMMIT" {
				require.ErrorIs(t, err, tenancy.ErrUnavailable)
			} else {
				require.EqualError(t, err, "the service's own words", "what the database said decides about another run, not how fn reports it")
			}
			require.Equal(t, 16, runs, "bounded")
			count.Store(0)
			lost.requireAbsent(t, store)
			require.Zero(t, db.Stats().InUse)
		}
	})
}

func TestRetryEndsWithTheContext(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		tap, count := failing("INSERT", e.conflict)
		store := e.migrated(t, e.connect(t, e.dsn(t), tap))
		count.Store(1_000_000)
		ctx, cancel := context.WithCancel(t.Context())
		runs := 0
		err := store.InTx(ctx, func(ctx context.Context) error {
			if runs++; runs == 2 {
				defer cancel()
			}
			return store.InsertUser(ctx, newScene("ended").user)
		})
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, 2, runs)
	})
}

// A commit whose answer is lost is never run again: it may have happened.
func TestLostCommitIsNotRunAgain(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		for _, happened := range []bool{true, false} {
			lose := errors.New(driverText)
			tap := &testdb.Tap{}
			hook := func(_ context.Context, _, query string) error {
				if word(query) == "COMMIT" {
					return lose
				}
				return nil
			}
			db := e.connect(t, e.dsn(t), tap)
			store := e.migrated(t, db)
			if happened {
				tap.After = hook
			} else {
				tap.Before = hook
			}
			s := newScene("lost")
			runs := 0
			err := store.InTx(t.Context(), func(ctx context.Context) error {
				runs++
				return s.insert(ctx, store)
			})
			require.ErrorIs(t, err, tenancy.ErrUnavailable)
			require.ErrorContains(t, err, "commit")
			require.NotContains(t, whatShows(err), "secret")
			require.Equal(t, 1, runs)
			tap.Before, tap.After = nil, nil
			if happened {
				s.requireStored(t, store)
			} else {
				s.requireAbsent(t, store)
			}
			require.Zero(t, db.Stats().InUse)
		}
	})
}

func TestDuplicateIsRunAgainAndThenAnswered(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		store, _ := e.open(t)
		s := stored(t, store, "taken")
		runs := 0
		err := store.InTx(t.Context(), func(ctx context.Context) error {
			runs++
			return store.InsertUser(ctx, s.user)
		})
		require.ErrorIs(t, err, tenancy.ErrDuplicate)
		require.Equal(t, 3, runs)

		// Swallowed, it is answered all the same: PostgreSQL could not go on, so no store does.
		err = store.InTx(t.Context(), func(ctx context.Context) error {
			_ = store.InsertUser(ctx, s.user)
			_, err := store.User(ctx, s.user.ID)
			require.ErrorIs(t, err, tenancy.ErrDuplicate)
			return nil
		})
		require.ErrorIs(t, err, tenancy.ErrDuplicate)
	})
}

// "Look, then write" is enough for a service: the one who was slower finds the row when run
// again.
func TestFasterTransactionIsFoundOnTheSecondRun(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		store, _ := e.open(t)
		const callers = 16
		start := make(chan struct{})
		var made atomic.Int64
		errs := make([]error, callers)
		var all sync.WaitGroup
		for i := range callers {
			all.Go(func() {
				<-start
				errs[i] = store.InTx(t.Context(), func(ctx context.Context) error {
					_, err := store.UserByExternalID(ctx, "auth0|race")
					if errors.Is(err, tenancy.ErrNotFound) {
						err = store.InsertUser(ctx, newScene("race").user)
						if err == nil {
							made.Add(1)
						}
					}
					return err
				})
			})
		}
		close(start)
		all.Wait()
		require.NoError(t, errors.Join(errs...))
		require.Equal(t, int64(1), made.Load())
	})
}

// Two transactions that lock two rows in opposite order are a deadlock where rows are locked:
// one is rolled back by the database and run again.
func TestDeadlockIsResolved(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		store, _ := e.open(t)
		a, b := stored(t, store, "a").team.ID, stored(t, store, "b").team.ID
		var bothHold sync.WaitGroup
		bothHold.Add(2)
		lock := func(first, second tenancy.TeamID) func() error {
			waited := false
			return func() error {
				return store.InTx(t.Context(), func(ctx context.Context) error {
					if _, err := store.LockTeam(ctx, first); err != nil {
						return err
					}
					if !waited && e.name != "sqlite" { // where there is one writer, they cannot both hold one
						waited = true
						bothHold.Done()
						bothHold.Wait()
					}
					team, err := store.LockTeam(ctx, second)
					if err != nil {
						return err
					}
					team.Name += "+"
					return store.UpdateTeam(ctx, team)
				})
			}
		}
		errs := make(chan error, 2)
		for _, run := range []func() error{lock(a, b), lock(b, a)} {
			go func() { errs <- run() }()
		}
		require.NoError(t, errors.Join(<-errs, <-errs))
		for _, id := range []tenancy.TeamID{a, b} {
			team, err := store.Team(t.Context(), id)
			require.NoError(t, err)
			require.Equal(t, int64(2), team.Version)
		}
	})
}
