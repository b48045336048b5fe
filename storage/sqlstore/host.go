package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"sync"

	"github.com/usher-go/usher/tenancy"
)

// host is a transaction that the host has begun and will end.
type host struct {
	handle Tx

	mu     sync.Mutex
	broken error
}

func (h *host) usable() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.broken
}

func (h *host) breakWith(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.broken == nil {
		h.broken = err
	}
}

// JoinTx returns a context in which usher works inside the host's transaction: what usher
// writes is committed or vanishes with it. The transaction must be of the store's database, at
// the isolation level READ COMMITTED where levels can be chosen, and with foreign keys on where
// they can be off; JoinTx answers an error otherwise.
//
// Each outermost InTx runs in a savepoint and is rolled back to it on an error, since the host
// may go on. Nothing is retried: an error that wraps [tenancy.ErrUnavailable] or
// [tenancy.ErrDuplicate] is for the host to answer by rolling back and beginning again. After
// the transaction has ended, the context answers [tenancy.ErrTxDone].
//
// A [sql.Conn] on which the host has begun a transaction by a statement will do as well. A
// transaction of pgx's own interface will not: its rows and errors are other types, and a
// second form of every statement would be the price; open the handle with pgx/v5/stdlib.
func (s *Store) JoinTx(ctx context.Context, handle Tx) (context.Context, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	switch handle.(type) {
	case nil, *sql.DB:
		return nil, errors.New("usher: JoinTx needs a transaction, such as a *sql.Tx")
	}
	if ctx.Value(contextKey{s}) != nil {
		return nil, errors.New("usher: the context is in a transaction of this store already")
	}
	if err := s.checkSchema(ctx, handle); err != nil {
		return nil, err
	}
	if s.dialect.CheckTx != nil {
		if err := s.dialect.CheckTx(ctx, s.db, handle); err != nil {
			var plain *CheckTxError
			if errors.As(err, &plain) {
				return nil, plain
			}
			return nil, s.failure(ctx, err)
		}
	}
	return context.WithValue(ctx, contextKey{s}, &host{handle: handle}), nil
}

// CheckTxError says why the host's transaction cannot be joined.
type CheckTxError struct{ Reason string }

func (e *CheckTxError) Error() string { return "usher: the transaction cannot be joined: " + e.Reason }

// Is makes errors.Is(err, tenancy.ErrInvalid) true.
func (e *CheckTxError) Is(target error) bool { return target == tenancy.ErrInvalid }

// within runs an operation in a savepoint of the host's transaction.
func (s *Store) within(ctx context.Context, h *host, fn func(ctx context.Context) error) error {
	if err := h.usable(); err != nil {
		return err
	}
	if err := s.inHost(ctx, h, "SAVEPOINT usher"); err != nil {
		return err
	}
	undo := func() { s.undoInHost(ctx, h) }
	if _, err := s.run(ctx, &tx{handle: h.handle}, fn, undo); err != nil {
		return err
	}
	return s.inHost(ctx, h, "RELEASE SAVEPOINT usher")
}

func (s *Store) inHost(ctx context.Context, h *host, statement string) error {
	if _, err := h.handle.ExecContext(s.shield(ctx), statement); err != nil {
		err = s.failure(ctx, err)
		h.breakWith(err)
		return err
	}
	return nil
}

// undoInHost rolls the operation back. Where it cannot (a deadlock has ended the host's whole
// transaction, or the connection is gone), the transaction is of no more use, and says so.
func (s *Store) undoInHost(ctx context.Context, h *host) {
	bounded, cancel := s.lasting(ctx)
	defer cancel()
	for _, statement := range []string{"ROLLBACK TO SAVEPOINT usher", "RELEASE SAVEPOINT usher"} {
		if _, err := h.handle.ExecContext(bounded, statement); err != nil {
			h.breakWith(s.unavailable("the host's transaction is broken and must be rolled back"))
			return
		}
	}
}
