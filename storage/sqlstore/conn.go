package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"github.com/usher-go/usher/tenancy"
)

// Tx is what the store needs of a transaction; [*sql.Tx] has it.
type Tx interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// conn is the only way to the database: the transaction that rides in the context, or the pool.
// What is done on a transaction ends with its leave.
func (s *Store) conn(ctx context.Context) (Tx, *tx, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	switch at := ctx.Value(contextKey{s}).(type) {
	case *tx:
		return at.handle, at, at.enter()
	case *host:
		return at.handle, nil, at.usable()
	default:
		return s.db, nil, s.checkSchema(ctx, s.db)
	}
}

// inTx reports whether the context carries a transaction of InTx.
func (s *Store) inTx(ctx context.Context) bool {
	_, ok := ctx.Value(contextKey{s}).(*tx)
	return ok
}

// writable answers why a method that writes or locks may not be called with the context.
func (s *Store) writable(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !s.inTx(ctx) {
		return tenancy.ErrNoTx
	}
	return nil
}

// exec writes, inside a transaction, and answers how many rows it wrote.
func (s *Store) exec(ctx context.Context, query string, args ...any) (int64, error) {
	if err := s.writable(ctx); err != nil {
		return 0, err
	}
	handle, t, err := s.conn(ctx)
	if err != nil {
		return 0, err
	}
	defer t.leave()
	result, err := handle.ExecContext(s.shield(ctx), query, s.bind(args)...)
	if err != nil {
		return 0, t.fail(s.failure(ctx, err))
	}
	rows, err := result.RowsAffected()
	if err != nil {
		return 0, t.fail(s.failure(ctx, err))
	}
	return rows, nil
}

// refuse ends the transaction as the database's own refusal of a value would.
func (s *Store) refuse(ctx context.Context, err error) error {
	_, t, connErr := s.conn(ctx)
	if connErr != nil {
		return connErr
	}
	defer t.leave()
	return t.fail(err)
}

// lock takes a row until the end of the transaction. An update rather than a locking select:
// it is what a cluster certifies, and it is the same on every engine.
func (s *Store) lock(ctx context.Context, update string, args ...any) error {
	if s.dialect.OneWriter {
		return s.writable(ctx)
	}
	rows, err := s.exec(ctx, update, args...)
	if err == nil && rows == 0 {
		err = tenancy.ErrNotFound
	}
	return err
}

// update writes one row at the version that was read. Only when that finds none does it ask
// whether the row exists at all.
func (s *Store) update(ctx context.Context, update string, args []any, exists string, key ...any) error {
	rows, err := s.exec(ctx, update, args...)
	if err != nil || rows == 1 {
		return err
	}
	if _, err := one(ctx, s, scanFlag, exists, key...); err != nil {
		return err
	}
	return tenancy.ErrStale
}

// row is what a scan function reads from.
type row interface {
	Scan(dest ...any) error
}

// one reads the row that the query finds, or answers ErrNotFound.
func one[T any](ctx context.Context, s *Store, scan func(row) (T, error), query string, args ...any) (T, error) {
	found, err := all(ctx, s, scan, query, args...)
	if err == nil && len(found) == 0 {
		err = tenancy.ErrNotFound
	}
	if err != nil {
		var none T
		return none, err
	}
	return found[0], nil
}

// all reads the rows that the query finds, with one statement. Outside a transaction it is
// repeated when the database asks for it.
func all[T any](ctx context.Context, s *Store, scan func(row) (T, error), query string, args ...any) ([]T, error) {
	handle, t, err := s.conn(ctx)
	if err != nil {
		return nil, err
	}
	defer t.leave()
	args = s.bind(args)
	if handle != Tx(s.db) {
		found, err := collect(s.shield(ctx), handle, scan, query, args)
		if err != nil {
			return nil, t.fail(s.failure(ctx, err))
		}
		return found, nil
	}
	var found []T
	err = s.persist(ctx, func() (_ *Error, err error) {
		if found, err = collect(ctx, handle, scan, query, args); err != nil {
			err = s.failure(ctx, err)
		}
		return asFailure(err), err
	})
	return found, err
}

func collect[T any](ctx context.Context, handle Tx, scan func(row) (T, error), query string, args []any) ([]T, error) {
	rows, err := handle.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close() // rows.Err tells all that matters
	var found []T
	for rows.Next() {
		item, err := scan(rows)
		if err != nil {
			return nil, err
		}
		found = append(found, item)
	}
	return found, rows.Err()
}

// shield keeps a cancelled context from stopping a statement of a transaction half-way where the
// engine has one writer: SQLite answers an interrupted write by rolling back the whole
// transaction, also the host's, and would take what follows as if each statement were one of its
// own. Nothing waits for a lock there, so there is nothing to cancel. The context is checked
// before each statement.
func (s *Store) shield(ctx context.Context) context.Context {
	if s.dialect.OneWriter {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

// asFailure is the database's part in an error, or nil.
func asFailure(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}
