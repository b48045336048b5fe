// Package sqlite is usher's storage on SQLite, through any database/sql driver whose errors
// have a method Code() int, such as modernc.org/sqlite.
//
// The database must be a file: in a memory database each connection of the pool would have one
// of its own. The file is switched to write-ahead logging, so that readers and the writer do
// not wait for each other, and foreign keys are switched on for each transaction, whatever the
// DSN says. Transactions start with BEGIN IMMEDIATE and run one at a time.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/usher-go/usher/storage/sqlstore"
	"github.com/usher-go/usher/tenancy"
)

// ErrInMemory says that the database is not a file.
var ErrInMemory = errors.New("usher: the SQLite database lives in memory, so that each connection has one of its own and loses it when it is closed: open a file, or use storage/memory")

// New makes a store of the host's database. It answers [ErrInMemory] if that is no file. Call
// Migrate on it before the first use.
func New(db *sql.DB, options ...sqlstore.Option) (*sqlstore.Store, error) {
	store, err := sqlstore.New(db, dialect(), options...)
	if err != nil {
		return nil, err
	}
	if err := useWAL(db); err != nil {
		return nil, err
	}
	return store, nil
}

// Migrations are the files that Migrate applies: plain SQL that goose and golang-migrate read
// as they are.
func Migrations() fs.FS { return sqlstore.Migrations("sqlite") }

func dialect() sqlstore.Dialect {
	return sqlstore.Dialect{
		Name:      "SQLite",
		Folder:    "sqlite",
		Begin:     []string{"PRAGMA foreign_keys = ON", "BEGIN IMMEDIATE"},
		OneWriter: true,
		PassOver:  "ON CONFLICT DO NOTHING", // unlike INSERT OR IGNORE it hides no other error
		NoIndex:   "+",                      // https://www.sqlite.org/optoverview.html#disqualifying_where_clause_terms_using_unary_
		HasSchema: "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'usher_schema'",
		CheckTx:   checkTx,
		Classify:  classify,
	}
}

// Result codes of SQLite, https://www.sqlite.org/rescode.html.
const (
	busy                 = 5
	locked               = 6
	constraintCheck      = 275
	constraintForeignKey = 787
	constraintNotNull    = 1299
	constraintPrimaryKey = 1555
	constraintUnique     = 2067
	constraintRowID      = 2579
	constraintDatatype   = 3091
)

func classify(err error) sqlstore.Failure {
	var coded interface{ Code() int }
	if !errors.As(err, &coded) {
		return sqlstore.Failure{}
	}
	failure := sqlstore.Failure{Code: strconv.Itoa(coded.Code())}
	switch coded.Code() {
	case constraintUnique, constraintPrimaryKey, constraintRowID:
		failure.Class = sqlstore.Duplicate
	case constraintForeignKey:
		failure.Class = sqlstore.Missing
	case constraintCheck, constraintNotNull, constraintDatatype:
		failure.Class = sqlstore.Invalid
	default:
		// The low byte is the family; BUSY_SNAPSHOT and others of it have their own high ones.
		if family := coded.Code() & 0xff; family == busy || family == locked {
			failure.Class = sqlstore.Retry
		}
	}
	return failure
}

// checkTx refuses a transaction without foreign keys, which cannot be switched on inside one,
// and takes the file's write lock: a transaction that has only read may not get it later.
func checkTx(ctx context.Context, _ *sql.DB, tx sqlstore.Tx) error {
	on, err := sqlstore.Value[bool](ctx, tx, "PRAGMA foreign_keys")
	if err != nil {
		return err
	}
	if !on {
		return &sqlstore.CheckTxError{Reason: "foreign keys are off on its connection; open the database with PRAGMA foreign_keys = ON, in modernc.org/sqlite by the DSN parameter _pragma=foreign_keys(1)"}
	}
	_, err = tx.ExecContext(ctx, "UPDATE usher_schema SET version = version WHERE version < 0")
	return err
}

const openWait = 5 * time.Second

// useWAL switches the file to write-ahead logging. That needs the file for itself for a moment.
func useWAL(db *sql.DB) error {
	ctx, cancel := context.WithTimeout(context.Background(), openWait)
	defer cancel()
	for {
		var mode string
		err := db.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode)
		switch {
		case err == nil && strings.EqualFold(mode, "wal"):
			return nil
		case err == nil && strings.EqualFold(mode, "memory"):
			return ErrInMemory
		case err == nil:
			return fmt.Errorf("usher: SQLite's journal mode is %s and cannot be switched to WAL", mode)
		case classify(err).Class != sqlstore.Retry:
			return fmt.Errorf("%w: the SQLite database cannot be opened (SQLite %s)", tenancy.ErrUnavailable, classify(err).Code)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: another program kept the SQLite database for %v", tenancy.ErrUnavailable, openWait)
		case <-time.After(10 * time.Millisecond):
		}
	}
}
