package sqlstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	mysqldriver "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/lib/pq"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/usher-go/usher/storage/internal/testdb"
	"github.com/usher-go/usher/storage/mysql"
	"github.com/usher-go/usher/storage/postgres"
	"github.com/usher-go/usher/storage/sqlite"
	"github.com/usher-go/usher/storage/sqlstore"
)

// An engine is a database with a driver, as the tests of this package use it.
type engine struct {
	name   string
	folder string
	driver string
	// dsn makes a new, empty database.
	dsn func(t *testing.T) string
	new func(db *sql.DB, options ...sqlstore.Option) (*sqlstore.Store, error)
	// conflict is an error with which the engine asks to run a transaction again.
	conflict error
}

func engines() []engine {
	return []engine{
		{
			name: "sqlite", folder: "sqlite", driver: "sqlite", new: sqlite.New, conflict: sqliteError(5), // BUSY
			dsn: func(t *testing.T) string {
				path := filepath.Join(t.TempDir(), "usher.db")
				return "file:" + (&url.URL{Path: path}).EscapedPath() + "?_pragma=foreign_keys(1)"
			},
		},
		{
			name: "postgres-pgx", folder: "postgres", driver: "pgx", new: postgres.New, conflict: postgresError("40001"),
			dsn: func(t *testing.T) string { return testdb.Postgres(t, "pgx") },
		},
		{
			name: "postgres-pq", folder: "postgres", driver: "postgres", new: postgres.New, conflict: postgresError("40P01"),
			dsn: func(t *testing.T) string { return testdb.Postgres(t, "postgres") },
		},
		{
			name: "mysql", folder: "mysql", driver: "mysql", new: mysql.New, conflict: &mysqldriver.MySQLError{Number: 1213},
			dsn: func(t *testing.T) string { return testdb.MySQL(t, "mysql", "") },
		},
	}
}

// Errors with the codes that drivers give, and a text that must never be seen.
type (
	sqliteError   int
	postgresError string
)

const driverText = "driver text with alice@secret.example"

func (e sqliteError) Code() int          { return int(e) }
func (sqliteError) Error() string        { return driverText }
func (e postgresError) SQLState() string { return string(e) }
func (postgresError) Error() string      { return driverText }

// onEach runs a test on every engine that can be had here.
func onEach(t *testing.T, test func(t *testing.T, e engine)) {
	t.Helper()
	on(t, engines(), test)
}

// onServers runs a test on the engines that have several writers at once and levels of
// isolation: not on SQLite.
func onServers(t *testing.T, test func(t *testing.T, e engine)) {
	t.Helper()
	on(t, slices.DeleteFunc(engines(), func(e engine) bool { return e.name == "sqlite" }), test)
}

func on(t *testing.T, engines []engine, test func(t *testing.T, e engine)) {
	t.Helper()
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			test(t, e)
		})
	}
}

// connect opens a handle, through the tap if there is one.
func (e engine) connect(t *testing.T, dsn string, tap *tap) *sql.DB {
	t.Helper()
	db, err := sql.Open(e.driver, dsn)
	require.NoError(t, err)
	if tap != nil {
		plain := db.Driver()
		require.NoError(t, db.Close())
		db = sql.OpenDB(tapConnector{driver: plain, dsn: dsn, tap: tap})
	}
	db.SetMaxOpenConns(20)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// open makes a migrated store in a new database.
func (e engine) open(t *testing.T, options ...sqlstore.Option) (*sqlstore.Store, *sql.DB) {
	t.Helper()
	db := e.connect(t, e.dsn(t), nil)
	return e.migrated(t, db, options...), db
}

func (e engine) migrated(t *testing.T, db *sql.DB, options ...sqlstore.Option) *sqlstore.Store {
	t.Helper()
	store, err := e.new(db, options...)
	require.NoError(t, err)
	require.NoError(t, store.Migrate(t.Context()))
	return store
}

// A tap sits between database/sql and a driver: it sees every call and may fail it.
type tap struct {
	// before and after are called around each call of the driver, with its kind and statement.
	// An error of before replaces the call, an error of after its result.
	before, after func(ctx context.Context, call, query string) error
}

func (t *tap) around(ctx context.Context, call, query string, run func() error) error {
	if t.before != nil {
		if err := t.before(ctx, call, query); err != nil {
			return err
		}
	}
	if err := run(); err != nil {
		return err
	}
	if t.after != nil {
		return t.after(ctx, call, query)
	}
	return nil
}

type tapConnector struct {
	driver driver.Driver
	dsn    string
	tap    *tap
}

func (c tapConnector) Driver() driver.Driver { return c.driver }

func (c tapConnector) Connect(ctx context.Context) (driver.Conn, error) {
	var conn driver.Conn
	err := c.tap.around(ctx, "connect", "", func() (err error) {
		conn, err = c.driver.Open(c.dsn)
		return err
	})
	if err != nil {
		if conn != nil {
			_ = conn.Close()
		}
		return nil, err
	}
	return &tapConn{whole: conn.(whole), tap: c.tap}, nil
}

type tapConn struct {
	whole
	tap *tap
}

// whole is what the drivers in these tests have.
type whole interface {
	driver.Conn
	driver.ExecerContext
	driver.QueryerContext
	driver.ConnPrepareContext
	driver.ConnBeginTx
}

type wholeStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

func (c *tapConn) prepare(ctx context.Context, query string) (wholeStmt, error) {
	stmt, err := c.whole.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return stmt.(wholeStmt), nil
}

func (c *tapConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	var result driver.Result
	err := c.tap.around(ctx, "exec", query, func() (err error) {
		result, err = c.whole.ExecContext(ctx, query, args)
		if !errors.Is(err, driver.ErrSkip) {
			return err
		}
		stmt, err := c.prepare(ctx, query)
		if err != nil {
			return err
		}
		defer stmt.Close()
		result, err = stmt.ExecContext(ctx, args)
		return err
	})
	if err != nil {
		return nil, err
	}
	return tapResult{result, c.tap}, nil
}

func (c *tapConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	var rows driver.Rows
	err := c.tap.around(ctx, "query", query, func() (err error) {
		rows, err = c.whole.QueryContext(ctx, query, args)
		if !errors.Is(err, driver.ErrSkip) {
			return err
		}
		stmt, err := c.prepare(ctx, query)
		if err != nil {
			return err
		}
		if rows, err = stmt.QueryContext(ctx, args); err != nil {
			return errors.Join(err, stmt.Close())
		}
		rows = closingRows{rows, stmt}
		return nil
	})
	if err != nil {
		if rows != nil {
			_ = rows.Close()
		}
		return nil, err
	}
	return tapRows{rows, c.tap, ctx}, nil
}

func (c *tapConn) CheckNamedValue(value *driver.NamedValue) error {
	if checker, ok := c.whole.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(value)
	}
	return driver.ErrSkip
}

func (c *tapConn) ResetSession(ctx context.Context) error {
	if resetter, ok := c.whole.(driver.SessionResetter); ok {
		return resetter.ResetSession(ctx)
	}
	return nil
}

func (c *tapConn) IsValid() bool {
	if validator, ok := c.whole.(driver.Validator); ok {
		return validator.IsValid()
	}
	return true
}

type tapResult struct {
	driver.Result
	tap *tap
}

func (r tapResult) RowsAffected() (n int64, err error) {
	err = r.tap.around(context.Background(), "rows affected", "", func() error {
		n, err = r.Result.RowsAffected()
		return err
	})
	return n, err
}

type closingRows struct {
	driver.Rows
	stmt driver.Stmt
}

func (r closingRows) Close() error {
	err := r.Rows.Close()
	_ = r.stmt.Close()
	return err
}

type tapRows struct {
	driver.Rows
	tap *tap
	ctx context.Context //nolint:containedctx // for as long as the rows
}

func (r tapRows) Next(dest []driver.Value) error {
	return r.tap.around(r.ctx, "next row", "", func() error { return r.Rows.Next(dest) })
}

// word is the first word of a statement.
func word(query string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(query), " ")
	return first
}
