// Package mysql is usher's storage on MySQL 8 and MariaDB 10.6 and newer, through
// go-sql-driver/mysql, with any DSN: parseTime, clientFoundRows, loc, multiStatements and the
// character set make no difference.
//
// The tables are made in the connection's database and their names begin with usher_.
// Transactions are READ COMMITTED, whatever the server's default.
package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"github.com/usher-go/usher/storage/sqlstore"
)

// New makes a store of the host's database. Call Migrate on it before the first use.
func New(db *sql.DB, options ...sqlstore.Option) (*sqlstore.Store, error) {
	return sqlstore.New(db, dialect(), options...)
}

// WithGalera is for a Galera cluster, whose nodes know nothing of each other's locks: every
// lock is taken by an update of the row, so that two nodes that decide on one row are in
// conflict at commit. One of them is then rolled back and run again.
func WithGalera() sqlstore.Option { return sqlstore.WithUpdateLocks() }

// Migrations are the files that Migrate applies: plain SQL that goose and golang-migrate read
// as they are. golang-migrate sends a file at once, which this driver takes only with
// multiStatements=true in the DSN of the migration.
func Migrations() fs.FS { return sqlstore.Migrations("mysql") }

func dialect() sqlstore.Dialect {
	return sqlstore.Dialect{
		Name:       "MySQL",
		Folder:     "mysql",
		Begin:      []string{"SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "START TRANSACTION READ WRITE"},
		ShareLock:  "LOCK IN SHARE MODE", // MariaDB has no FOR SHARE
		SkipLocked: "FOR UPDATE SKIP LOCKED",
		// Not INSERT IGNORE, which cuts and mends what does not fit. The row must change: under
		// clientFoundRows one that stays as it is counts as one, like a new one.
		PassOver:  "ON DUPLICATE KEY UPDATE repeats = repeats + 1",
		HasSchema: "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'usher_schema'",
		// The name of the lock holds for the whole server, hence the database's in it; it may have
		// 64 characters, hence the hash.
		MigrateLock:   "SELECT GET_LOCK(CONCAT('usher.', MD5(DATABASE())), 5)",
		MigrateUnlock: "DO RELEASE_LOCK(CONCAT('usher.', MD5(DATABASE())))",
		CheckTx:       checkTx,
		Classify:      classify,
	}
}

// Codes of MySQL and MariaDB, https://mariadb.com/kb/en/mariadb-error-code-reference/.
const (
	badNull            = 1048
	duplicateEntry     = 1062
	lockWaitTimeout    = 1205
	deadlock           = 1213
	noReferencedRow    = 1216
	outOfRange         = 1264
	wrongValue         = 1366
	dataTooLong        = 1406
	noReferencedRow2   = 1452
	checkViolated      = 3819 // MySQL
	constraintViolated = 4025 // MariaDB
)

func classify(err error) sqlstore.Failure {
	var coded *driver.MySQLError
	if !errors.As(err, &coded) {
		return sqlstore.Failure{}
	}
	failure := sqlstore.Failure{Code: strconv.Itoa(int(coded.Number))}
	switch coded.Number {
	case duplicateEntry:
		failure.Class = sqlstore.Duplicate
	case noReferencedRow, noReferencedRow2:
		failure.Class = sqlstore.Missing
	case checkViolated, constraintViolated, badNull, outOfRange, wrongValue, dataTooLong:
		failure.Class = sqlstore.Invalid
	case deadlock, lockWaitTimeout:
		failure.Class = sqlstore.Retry
	}
	return failure
}

// checkTx refuses every level but READ COMMITTED: usher locks a row and then reads what others
// have committed meanwhile, which a snapshot of the transaction's beginning would hide, and
// REPEATABLE READ is the default.
//
// No variable tells the level of a running transaction (the driver sets it for the next one
// only), and information_schema.innodb_trx, which does, needs a privilege and is up to 0.1 s
// late. So it is seen by its effect: a row that another connection changes between two looks. A
// SERIALIZABLE transaction does not even let it change.
func checkTx(ctx context.Context, db *sql.DB, tx sqlstore.Tx) error {
	const look = "SELECT probes FROM usher_isolation WHERE id = 1"
	before, err := sqlstore.Value[int64](ctx, tx, look)
	if err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, probeWait)
	defer cancel()
	_, err = db.ExecContext(bounded, "UPDATE usher_isolation SET probes = probes + 1 WHERE id = 1")
	switch {
	case bounded.Err() != nil && ctx.Err() == nil:
		return &sqlstore.CheckTxError{Reason: fmt.Sprintf("its isolation level could not be seen within %v: it is SERIALIZABLE, or the pool has no second connection", probeWait)}
	case err != nil:
		return err
	}
	after, err := sqlstore.Value[int64](ctx, tx, look)
	if err == nil && before == after {
		err = &sqlstore.CheckTxError{Reason: "its isolation level is not READ COMMITTED; begin it with &sql.TxOptions{Isolation: sql.LevelReadCommitted}"}
	}
	return err
}

const probeWait = 3 * time.Second
