// Package mysql is usher's storage on MySQL 8 and MariaDB 10.6 and newer, through
// go-sql-driver/mysql, with any DSN: parseTime, clientFoundRows, loc, multiStatements and the
// character set make no difference. Only a Galera cluster asks for something: see [WithGalera].
//
// The tables are made in the connection's database and their names begin with usher_.
// Transactions are READ COMMITTED, whatever the server's default.
package mysql

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
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
//
// It takes interpolateParams=true in the DSN, and refuses to work without: a node tells of a
// transaction that it has rolled back for another node's with its answer to the next statement,
// and that answer gets lost when a statement is prepared, run and closed. What follows is then no
// longer in a transaction, and its COMMIT succeeds. Set wsrep_sync_wait=1 there as well, so that
// a read sees what was acknowledged on another node.
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
		PassOver: "ON DUPLICATE KEY UPDATE repeats = repeats + 1",
		// On a small table it takes whatever index it likes.
		ByKey:     "FORCE INDEX (PRIMARY)",
		HasSchema: "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'usher_schema'",
		// The name of the lock holds for the whole server, hence the database's in it; it may have
		// 64 characters, hence the hash.
		MigrateLock:   "SELECT GET_LOCK(CONCAT('usher.', MD5(DATABASE())), 5)",
		MigrateUnlock: "DO RELEASE_LOCK(CONCAT('usher.', MD5(DATABASE())))",
		CheckLocks:    checkLocks,
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
	rowIsReferenced    = 1217
	outOfRange         = 1264
	wrongValue         = 1366
	dataTooLong        = 1406
	rowIsReferenced2   = 1451
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
	case noReferencedRow, noReferencedRow2, rowIsReferenced, rowIsReferenced2:
		failure.Class = sqlstore.Missing
	case checkViolated, constraintViolated, badNull, outOfRange, wrongValue, dataTooLong:
		failure.Class = sqlstore.Invalid
	case deadlock, lockWaitTimeout:
		failure.Class = sqlstore.Retry
	}
	return failure
}

// checkLocks refuses a driver that prepares statements. Galera rolls a transaction back at any
// time for one of another node (brute force abort) and owes its client the error 1213, but
// MariaDB (seen on 10.11.19) loses the debt at a COM_STMT_CLOSE, which has no answer
// (MDEV-24255 keeps it for the next command, which does not always help). The rest of the
// transaction then ran in autocommit, its COMMIT answered OK, and two managers on two nodes had
// both stepped down as far as they knew: every few dozens of such races. Statements that carry
// their values are answered one by one, and thousands of races lose nothing.
//
// The driver says so itself: asked to run a statement with arguments, it skips it to have it
// prepared, unless interpolateParams is set.
func checkLocks(ctx context.Context, conn *sql.Conn) error {
	return conn.Raw(func(connection any) error {
		if queryer, ok := connection.(sqldriver.QueryerContext); ok {
			rows, err := queryer.QueryContext(ctx, "SELECT ?", []sqldriver.NamedValue{{Ordinal: 1, Value: int64(1)}})
			if err == nil {
				return rows.Close()
			}
			if !errors.Is(err, sqldriver.ErrSkip) {
				return err
			}
		}
		return &sqlstore.LocksError{Reason: "a Galera cluster needs interpolateParams=true in the DSN"}
	})
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
	err = changeProbe(bounded, db)
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

// changeProbe changes the row. All nodes of a Galera cluster change the same one, and where two
// do so at once one of them is refused; it is a transaction of its own, so it can be repeated.
func changeProbe(ctx context.Context, db *sql.DB) error {
	for {
		_, err := db.ExecContext(ctx, "UPDATE usher_isolation SET probes = probes + 1 WHERE id = 1")
		if err == nil || ctx.Err() != nil || classify(err).Class != sqlstore.Retry {
			return err
		}
	}
}

const probeWait = 3 * time.Second
