// Package postgres is usher's storage on PostgreSQL 13 and newer, through any database/sql
// driver whose errors have a method SQLState() string, such as jackc/pgx/v5/stdlib and lib/pq.
//
// The tables are made in the first schema of the connection's search_path and their names begin
// with usher_. Transactions are READ COMMITTED, whatever the database's default.
package postgres

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"

	"github.com/usher-go/usher/storage/sqlstore"
)

// New makes a store of the host's database. Call Migrate on it before the first use.
func New(db *sql.DB, options ...sqlstore.Option) (*sqlstore.Store, error) {
	return sqlstore.New(db, dialect(), options...)
}

// WithNotify lets whoever follows a conversation or a team hear of a commit at once, in every process that
// has the option, instead of when they look again: every transaction that writes events sends a NOTIFY with
// the ids of their streams and teams, and each store in which somebody follows keeps one connection of the pool to
// LISTEN on, however many follow. The pool must have more than that one. Wait waits on the driver's
// connection for a notification and answers its payload; for pgx/v5/stdlib it is
//
//	func(ctx context.Context, conn any) (string, error) {
//		heard, err := conn.(*stdlib.Conn).Conn().WaitForNotification(ctx)
//		if err != nil {
//			return "", err
//		}
//		return heard.Payload, nil
//	}
//
// Other drivers may have no such call: lib/pq cannot wait on a connection of the pool. Without the
// option the store looks again as often as [sqlstore.WithPolling] says, and it does so with the option
// as well: what is not heard (the connection breaks, or another process writes without the option) is
// seen then. When the connection is back, everybody looks at once.
//
// It is not the default because it has a price for those who write: one statement more, and PostgreSQL
// lets transactions that notify commit one after another, in the whole database, which is felt from
// some hundred commits a second on. LISTEN needs a session of its own, so it does not pass
// through PgBouncer in transaction mode.
func WithNotify(wait func(ctx context.Context, driverConn any) (payload string, err error)) sqlstore.Option {
	return sqlstore.WithNotify(wait)
}

// Migrations are the files that Migrate applies: plain SQL that goose and golang-migrate read
// as they are.
func Migrations() fs.FS { return sqlstore.Migrations("postgres") }

func dialect() sqlstore.Dialect {
	return sqlstore.Dialect{
		Name:       "PostgreSQL",
		Folder:     "postgres",
		Numbered:   true,
		TextIDs:    true,
		Begin:      []string{"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"},
		ShareLock:  "FOR SHARE",
		SkipLocked: "FOR UPDATE SKIP LOCKED",
		PassOver:   "ON CONFLICT DO NOTHING",
		// Not to_regclass: after the wait for the lock it may still answer from what the connection
		// remembers of the time before.
		HasSchema: "SELECT COUNT(*) FROM pg_catalog.pg_class WHERE relname = 'usher_schema' AND pg_catalog.pg_table_is_visible(oid)",
		// The number is "usher" in ASCII. Migrators of other schemas wait as well, which is rare
		// and harmless. The lock ends with the transaction.
		MigrateLock: "SELECT 1 FROM (SELECT pg_advisory_xact_lock(504978335090)) AS locked",
		Notify:      "SELECT pg_notify('usher', ?)",
		Listen:      "LISTEN usher",
		CheckTx:     checkTx,
		Classify:    classify,
	}
}

// Codes of PostgreSQL, https://www.postgresql.org/docs/current/errcodes-appendix.html.
const (
	numericOutOfRange    = "22003"
	badCharacter         = "22021" // a zero byte, or no UTF-8
	badText              = "22P02"
	notNullViolation     = "23502"
	foreignKeyViolation  = "23503"
	uniqueViolation      = "23505"
	checkViolation       = "23514"
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
	programLimitExceeded = "54000" // a key too long for its index
)

func classify(err error) sqlstore.Failure {
	var coded interface{ SQLState() string }
	if !errors.As(err, &coded) {
		return sqlstore.Failure{}
	}
	failure := sqlstore.Failure{Code: coded.SQLState()}
	switch failure.Code {
	case uniqueViolation:
		failure.Class = sqlstore.Duplicate
	case foreignKeyViolation:
		failure.Class = sqlstore.Missing
	case checkViolation, notNullViolation, badCharacter, badText, numericOutOfRange, programLimitExceeded:
		failure.Class = sqlstore.Invalid
	case serializationFailure, deadlockDetected:
		failure.Class = sqlstore.Retry
	}
	return failure
}

// checkTx refuses every level but READ COMMITTED: usher locks a row and then reads what others
// have committed meanwhile, which a snapshot of the transaction's beginning would hide.
func checkTx(ctx context.Context, _ *sql.DB, tx sqlstore.Tx) error {
	level, err := sqlstore.Value[string](ctx, tx, "SHOW transaction_isolation")
	if err == nil && level != "read committed" {
		err = &sqlstore.CheckTxError{Reason: "its isolation level is not READ COMMITTED; begin it with &sql.TxOptions{Isolation: sql.LevelReadCommitted}"}
	}
	return err
}
