package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/usher-go/usher/tenancy"
)

// contextKey finds a store's transaction in a context. It holds the store, so that two stores
// never see each other's.
type contextKey struct{ store *Store }

// tx is one transaction of usher: a real one on a pinned connection, or one operation inside
// the host's.
type tx struct {
	handle Tx

	// mu makes one statement at a time of it: a connection cannot do more, and the context may
	// be used by several goroutines.
	mu     sync.Mutex
	ended  bool
	failed error // what a statement failed with: nothing more may be asked of the connection
	doomed error // what a nested closure failed with: the whole will be rolled back
}

// errPanicked dooms a transaction in which a panic was recovered half-way.
var errPanicked = errors.New("usher: a nested transaction panicked, so the whole was rolled back")

// enter begins one statement; leave ends it.
func (t *tx) enter() error {
	t.mu.Lock()
	err := t.failed
	if t.ended {
		err = tenancy.ErrTxDone
	}
	if err != nil {
		t.mu.Unlock()
	}
	return err
}

func (t *tx) leave() {
	if t != nil {
		t.mu.Unlock()
	}
}

// fail notes, between enter and leave, that the statement has failed. PostgreSQL lets nothing
// follow, SQLite and MySQL would: none of them is to behave differently, so nothing follows on
// any.
func (t *tx) fail(err error) error {
	if t != nil {
		t.failed = err
	}
	return err
}

// doom keeps the transaction from being committed if there is an error; the first one counts.
func (t *tx) doom(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.doomed == nil {
		t.doomed = err
	}
}

// end closes the transaction to whoever kept its context, once their statement is over. It
// answers what a statement and what a nested closure failed with.
func (t *tx) end() (failed, doomed error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
	return t.failed, t.doomed
}

// InTx implements [tenancy.Transactor].
func (s *Store) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	at := ctx.Value(contextKey{s})
	if t, ok := at.(*tx); ok {
		return t.nested(ctx, fn)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	switch at := at.(type) {
	case *host:
		return s.within(ctx, at, fn)
	default:
		return s.persist(ctx, func() (*Error, error) { return s.once(ctx, fn) })
	}
}

func (t *tx) nested(ctx context.Context, fn func(ctx context.Context) error) error {
	if err := t.enter(); err != nil {
		return err
	}
	t.leave()
	err := errPanicked // what is left if fn does not return
	defer func() { t.doom(err) }()
	if err = ctx.Err(); err == nil {
		err = errPanicked
		err = fn(ctx)
	}
	return err
}

// run calls the closure with its transaction and answers why that must not be committed, and the
// database's part in it: what the closure answers may be its own words for it. If the closure
// does not return (a panic, or runtime.Goexit as testing's FailNow calls it), undo runs and the
// panic goes on: it is not recovered, so that its stack is that of its origin.
func (s *Store) run(ctx context.Context, t *tx, fn func(ctx context.Context) error, undo func()) (*Error, error) {
	undone := false
	defer func() {
		if !undone {
			_, _ = t.end()
			undo()
		}
	}()
	err := fn(context.WithValue(ctx, contextKey{s}, t))
	failed, doomed := t.end()
	for _, reason := range []error{failed, doomed, ctx.Err()} {
		if err == nil {
			err = reason
		}
	}
	if err != nil {
		undo()
	}
	undone = true
	return asFailure(failed), err
}

// once is one attempt at a transaction: its error, and the database's part in it.
func (s *Store) once(ctx context.Context, fn func(ctx context.Context) error) (*Error, error) {
	c, err := s.begin(ctx)
	if err != nil {
		return asFailure(err), err
	}
	t := &tx{handle: c.conn}
	if failed, err := s.run(ctx, t, fn, func() { c.rollback(ctx) }); err != nil {
		return failed, err
	}
	err = c.commit(ctx)
	return asFailure(err), err
}

// pinned is a connection that is taken from the pool for one transaction. The statements that
// begin and end it are sent as text, not through [sql.Tx]: SQLite has no other way to ask for
// BEGIN IMMEDIATE, a [sql.Tx] rolls back behind our back when its context ends, and the end of
// a transaction must have a time limit of its own.
type pinned struct {
	store *Store
	conn  *sql.Conn
}

// begin starts a transaction on a connection of its own.
func (s *Store) begin(ctx context.Context) (*pinned, error) {
	c, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	err = s.checkSchema(ctx, c.conn)
	if err == nil {
		err = c.start(ctx)
	}
	if err != nil {
		c.discard()
		return nil, err
	}
	return c, nil
}

// connect waits for a turn and takes a connection.
func (s *Store) connect(ctx context.Context) (*pinned, error) {
	if err := s.takeTurn(ctx); err != nil {
		return nil, err
	}
	conn, err := s.db.Conn(ctx)
	if err != nil {
		s.leaveTurn()
		return nil, s.failure(ctx, err)
	}
	return &pinned{store: s, conn: conn}, nil
}

// start runs the dialect's Begin. Where there is one writer, this process has its turn, but
// another may be writing: it is asked again until the time to wait is over, in small steps
// that a cancelled context ends.
func (c *pinned) start(ctx context.Context) error {
	s := c.store
	deadline := time.Now().Add(s.wait)
	for attempt := 1; ; attempt++ {
		err := c.exec(ctx, s.dialect.Begin...)
		if err == nil {
			return nil
		}
		if errors.Is(err, driver.ErrBadConn) && ctx.Err() == nil {
			// A connection that died in the pool: nothing has begun, the next one may live.
			lost := s.unavailable("the connection was lost")
			lost.retry = true
			return lost
		}
		err = s.failure(ctx, err)
		failed := asFailure(err)
		if failed == nil || !failed.retry || !s.dialect.OneWriter {
			return err
		}
		if time.Now().After(deadline) {
			return s.unavailable(fmt.Sprintf("no turn to write within %v: another program is writing, or the host in a transaction that was not given to JoinTx", s.wait))
		}
		if err := pause(ctx, min(attempt, 4)); err != nil {
			return err
		}
	}
}

func (c *pinned) exec(ctx context.Context, statements ...string) error {
	for _, statement := range statements {
		if _, err := c.conn.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// commit runs to its end whatever becomes of ctx: a commit that was cancelled half-way would
// leave its caller without knowing.
func (c *pinned) commit(ctx context.Context) error {
	s := c.store
	bounded, cancel := s.lasting(ctx)
	defer cancel()
	err := c.exec(bounded, "COMMIT")
	if err == nil {
		c.release()
		return nil
	}
	if known := s.dialect.Classify(err); known.Class != Unknown {
		// The engine refused it, so nothing was written, and this can be run again.
		failed := s.failure(ctx, err)
		c.rollback(ctx)
		return failed
	}
	c.discard()
	lost := s.unavailable("the answer to a commit was lost; what it wrote is there or not")
	s.report(ctx, err)
	return lost
}

// rollback has a context of its own: the caller's may be why it is called. A connection that
// cannot roll back is closed, which is a rollback too.
func (c *pinned) rollback(ctx context.Context) {
	bounded, cancel := c.store.lasting(ctx)
	defer cancel()
	if err := c.exec(bounded, "ROLLBACK"); err != nil {
		c.discard()
		return
	}
	c.release()
}

// endWait is how long the end of a transaction may take, which is bounded by nothing else.
const endWait = 30 * time.Second

// lasting is a context for the end of a transaction: it outlives the caller's, but not for ever.
// Where there is one writer there is no network either, and a COMMIT that is interrupted after
// it was done would only leave doubt.
func (s *Store) lasting(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx = context.WithoutCancel(ctx)
	if s.dialect.OneWriter {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, endWait)
}

func (c *pinned) release() {
	_ = c.conn.Close()
	c.store.leaveTurn()
}

// discard closes the connection instead of giving it back to the pool.
func (c *pinned) discard() {
	_ = c.conn.Raw(func(any) error { return driver.ErrBadConn })
	c.release()
}

// takeTurn waits for this process's turn to write where the engine has one writer.
func (s *Store) takeTurn(ctx context.Context) error {
	if !s.dialect.OneWriter {
		return nil
	}
	select {
	case s.writer <- struct{}{}:
		return nil
	default: // a turn that is free is taken, however late this process comes to look at its timer
	}
	timer := time.NewTimer(s.wait)
	defer timer.Stop()
	select {
	case s.writer <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return s.unavailable(fmt.Sprintf("no turn to write within %v: other transactions are slow, "+
			"or a function inside InTx uses the context from outside and waits for itself", s.wait))
	}
}

func (s *Store) leaveTurn() {
	if s.dialect.OneWriter {
		<-s.writer
	}
}
