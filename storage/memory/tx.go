package memory

import (
	"cmp"
	"context"
	"errors"
	"sync"

	"github.com/usher-go/usher/tenancy"
)

// tx is a running transaction.
type tx struct {
	// mu makes one operation of it at a time: its context may be used by several goroutines.
	mu   sync.Mutex
	done bool
	// failed is what a write was refused for: nothing can follow in this transaction.
	failed error
	// doomed is what a nested closure failed with: the whole will be rolled back.
	doomed error
}

// txKey finds a store's transaction in a context. It holds the store, so that two stores
// never see each other's; being one pointer, it needs no memory of its own.
type txKey struct{ store *Store }

func (s *Store) txOf(ctx context.Context) *tx {
	t, _ := ctx.Value(txKey{s}).(*tx)
	return t
}

var (
	errUnfinished = errors.New("usher: the closure of a nested InTx panicked or ended its goroutine")
	errInTx       = errors.New("usher: the methods of a relay are transactions of their own and must not be called inside InTx")
)

// InTx runs fn in a transaction, as [tenancy.Transactor] describes. There is one writer, so
// fn never runs twice, and a unique key that is taken is simply answered with
// [tenancy.ErrDuplicate].
//
// While another transaction runs, InTx and every read outside waits, at most until ctx ends
// or for 5 seconds; the error is then [tenancy.ErrUnavailable] and its text names the likely
// cause: the context from outside used inside the closure.
//
// The closure's context may be used by several goroutines at once; their operations take
// turns. Those that are still going on when fn returns get [tenancy.ErrTxDone].
func (s *Store) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	t := s.txOf(ctx)
	if err := ctx.Err(); err != nil {
		if t != nil {
			t.doom(err)
		}
		return err
	}
	if t != nil {
		return t.join(ctx, fn)
	}
	if err := s.gate.lock(ctx); err != nil {
		return err
	}
	t = &tx{}
	defer s.end(t) // also when fn panics or ends its goroutine: what goes on, goes on
	if err := fn(context.WithValue(ctx, txKey{s}, t)); err != nil {
		return err
	}
	return s.commit(ctx, t)
}

// join runs fn as a part of the transaction.
func (t *tx) join(ctx context.Context, fn func(ctx context.Context) error) error {
	if err := t.enter(); err != nil {
		return err
	}
	t.leave()
	err := errUnfinished // what is left if fn does not return
	defer func() { t.doom(err) }()
	err = fn(ctx)
	return err
}

// enter begins one operation.
func (t *tx) enter() error {
	t.mu.Lock()
	err := t.failed
	if t.done {
		err = tenancy.ErrTxDone
	}
	if err != nil {
		t.mu.Unlock()
	}
	return err
}

func (t *tx) leave() { t.mu.Unlock() }

// doom keeps the transaction from being committed if there is an error; the first one counts.
func (t *tx) doom(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.doomed = cmp.Or(t.doomed, err)
}

func (s *Store) commit(ctx context.Context, t *tx) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := cmp.Or(t.failed, t.doomed, ctx.Err()); err != nil {
		return err
	}
	s.log.commit()
	t.done = true
	s.bells.Ring(s.grown...)
	return nil
}

// end rolls back what was not committed and lets the next one in.
func (s *Store) end(t *tx) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.done = true
	s.log.rollback()
	s.grown = nil
	s.gate.unlock()
}

// reading runs an operation that changes nothing, inside or outside a transaction.
func (s *Store) reading(ctx context.Context, op func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if t := s.txOf(ctx); t != nil {
		if err := t.enter(); err != nil {
			return err
		}
		defer t.leave()
		return op()
	}
	if err := s.gate.rlock(ctx); err != nil {
		return err
	}
	defer s.gate.runlock()
	return op()
}

// read is reading for an operation that answers something.
func read[T any](ctx context.Context, s *Store, op func() (T, error)) (found T, err error) {
	err = s.reading(ctx, func() (failed error) {
		found, failed = op()
		return failed
	})
	return found, err
}

// lock runs an operation that reads a row and keeps it. The transaction keeps the whole
// store, so all that is left to do is to insist on one.
func lock[T any](ctx context.Context, s *Store, op func() (T, error)) (T, error) {
	if ctx.Err() == nil && s.txOf(ctx) == nil {
		var none T
		return none, tenancy.ErrNoTx
	}
	return read(ctx, s, op)
}

// write runs an operation that changes something. It looks before it writes: a row that is
// missing or stale fails it before anything is changed.
//
// A write that breaks a key, a reference or a check may fail half-way, and ends the
// transaction, as it does on PostgreSQL: the model is not to be kinder than a database, or
// "insert, catch the duplicate, carry on" would pass every test that runs in memory.
func (s *Store) write(ctx context.Context, op func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t := s.txOf(ctx)
	if t == nil {
		return tenancy.ErrNoTx
	}
	if err := t.enter(); err != nil {
		return err
	}
	defer t.leave()
	err := op()
	if errors.Is(err, tenancy.ErrDuplicate) || errors.Is(err, tenancy.ErrInvalid) || errors.Is(err, errReference) {
		t.failed = err
	}
	return err
}

// alone runs an operation as a transaction of its own.
func (s *Store) alone(ctx context.Context, op func() error) error {
	if err := s.outside(ctx); err != nil {
		return err
	}
	return s.InTx(ctx, func(ctx context.Context) error { return s.write(ctx, op) })
}

// outside insists that there is no transaction.
func (s *Store) outside(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t := s.txOf(ctx)
	if t == nil {
		return nil
	}
	if err := t.enter(); err != nil {
		return err
	}
	t.leave()
	return errInTx
}
