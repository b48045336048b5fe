package testdb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
)

// A Tap sits between database/sql and a driver: it sees every call and may fail it.
type Tap struct {
	// Before and After are called around each call of the driver, with its kind and statement.
	// An error of Before replaces the call, an error of After its result.
	Before, After func(ctx context.Context, call, query string) error
	// Prepared is called when the driver cannot do a call in one round trip and prepares the
	// statement first.
	Prepared func()
	// Sent is called with each statement and its arguments, before the driver has it.
	Sent func(query string, args []driver.NamedValue)
}

func (t *Tap) sent(query string, args []driver.NamedValue) {
	if t.Sent != nil {
		t.Sent(query, args)
	}
}

func (t *Tap) around(ctx context.Context, call, query string, run func() error) error {
	if t.Before != nil {
		if err := t.Before(ctx, call, query); err != nil {
			return err
		}
	}
	if err := run(); err != nil {
		return err
	}
	if t.After != nil {
		return t.After(ctx, call, query)
	}
	return nil
}

// Open opens a handle of the driver, through the tap.
func (t *Tap) Open(driver driver.Driver, dsn string) *sql.DB {
	return sql.OpenDB(tapConnector{driver: driver, dsn: dsn, tap: t})
}

type tapConnector struct {
	driver driver.Driver
	dsn    string
	tap    *Tap
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
	return &tapConn{whole: conn.(whole), tap: c.tap}, nil //nolint:errcheck // every driver here has all of it
}

type tapConn struct {
	whole
	tap *Tap
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
	if c.tap.Prepared != nil {
		c.tap.Prepared()
	}
	stmt, err := c.whole.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return stmt.(wholeStmt), nil //nolint:errcheck // every driver here has all of it
}

func (c *tapConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	c.tap.sent(query, args)
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
	c.tap.sent(query, args)
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
	tap *Tap
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
	tap *Tap
	ctx context.Context //nolint:containedctx // for as long as the rows
}

func (r tapRows) Next(dest []driver.Value) error {
	return r.tap.around(r.ctx, "next row", "", func() error { return r.Rows.Next(dest) })
}
