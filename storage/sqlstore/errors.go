package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/usher-go/usher/tenancy"
)

// Error is a failure that the database answered with. It tells the class, which errors.Is
// finds, and the engine's code. It holds nothing of the driver's error: those texts quote
// values, addresses and table names, and must not reach a user in any form, not even by %#v.
// An operator who wants them passes [WithErrorReport].
type Error struct {
	class  error
	note   string
	engine string
	code   string
	retry  bool
}

func (e *Error) Error() string {
	text := e.class.Error()
	if e.note != "" {
		text += ": " + e.note
	}
	if e.code != "" {
		text += fmt.Sprintf(" (%s %s)", e.engine, e.code)
	}
	return text
}

// Unwrap is the class: ErrDuplicate, ErrNotFound, ErrInvalid or ErrUnavailable of package tenancy.
func (e *Error) Unwrap() error { return e.class }

// Code is the engine's code, such as 23505 of PostgreSQL; empty when the failure has none,
// such as a lost connection.
func (e *Error) Code() string { return e.code }

// unavailable is a failure that has no code of the engine's.
func (s *Store) unavailable(note string) *Error {
	return &Error{class: tenancy.ErrUnavailable, note: note, engine: s.dialect.Name}
}

// errOutside is a class with a sentence of its own, so that it can be told without the code.
var errOutside = fmt.Errorf("%w: a value is outside what the database allows", tenancy.ErrInvalid)

// failure turns what a driver or database/sql answered into what a caller may see.
func (s *Store) failure(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for _, ended := range []error{context.Canceled, context.DeadlineExceeded} { // the host's own transaction's
		if errors.Is(err, ended) {
			return ended
		}
	}
	if errors.Is(err, sql.ErrTxDone) || errors.Is(err, sql.ErrConnDone) {
		return tenancy.ErrTxDone
	}
	known := s.dialect.Classify(err)
	e := &Error{engine: s.dialect.Name, code: known.Code}
	switch known.Class {
	case Duplicate:
		e.class = tenancy.ErrDuplicate
	case Missing:
		e.class, e.note = tenancy.ErrNotFound, "the row refers to one that does not exist"
	case Invalid:
		e.class = errOutside
	case Retry:
		e.class, e.note, e.retry = tenancy.ErrUnavailable, "it was in the way of another transaction", true
	default:
		e.class, e.note = tenancy.ErrUnavailable, "the database could not do it"
		s.report(ctx, err)
	}
	return e
}

// report hands the driver's own error to the host's operators.
func (s *Store) report(ctx context.Context, cause error) {
	if s.errorReport != nil {
		s.errorReport(ctx, cause)
	}
}

// SchemaError says that the database's schema is not the one that this version of usher works
// with. It is [tenancy.ErrUnavailable].
type SchemaError struct {
	// Have is the version of the schema in the database, 0 for none.
	Have int64
	// Want is the version that this version of usher works with.
	Want int64
}

func (e *SchemaError) Error() string {
	switch {
	case e.Have == 0:
		return "unavailable: the database has no tables of usher: call Migrate first"
	case e.Have < e.Want:
		return fmt.Sprintf("unavailable: the database has version %d of usher's schema, this program needs %d: call Migrate first", e.Have, e.Want)
	default:
		return fmt.Sprintf("unavailable: the database has version %d of usher's schema, this program knows only %d: it needs a newer version of usher", e.Have, e.Want)
	}
}

// Is makes errors.Is(err, tenancy.ErrUnavailable) true.
func (e *SchemaError) Is(target error) bool { return target == tenancy.ErrUnavailable }

// LocksError says why the locks of [WithUpdateLocks] would not hold on the store's connections.
// It is [tenancy.ErrUnavailable].
type LocksError struct{ Reason string }

func (e *LocksError) Error() string { return "unavailable: no locks by updates: " + e.Reason }

// Is makes errors.Is(err, tenancy.ErrUnavailable) true.
func (e *LocksError) Is(target error) bool { return target == tenancy.ErrUnavailable }
