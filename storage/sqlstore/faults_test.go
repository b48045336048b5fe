package sqlstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"regexp"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/storage/internal/testdb"
	"github.com/usher-go/usher/tenancy"
)

var everyFault = flag.String("usher.faults", "some",
	`"all" makes TestFaultAtEveryCall fail each call in every way`)

// Whatever operation runs and whichever call of the driver fails in it, until the operation runs
// clean: the state is the old or the new one and never mixed, no connection leaks, no text of
// the driver is seen, and who repeats the operation under its key ends where an operation without
// faults ends, with each row and each event there once.
//
// There is one world for each driver. What an operation has done to it is told from the rows of
// the tables that it wrote to, and undone before the next; that no other table was touched is seen
// from all of them before and after each operation's faults.
//
// Each call is failed in one of [ways], which take turns from call to call; operations and drivers
// begin at different ones. With -usher.faults=all each call is failed in every way.
func TestFaultAtEveryCall(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		dsn := e.dsn(t)
		f := &fault{}
		db := e.connect(t, dsn, f.tap())
		l := &lab{T: t, db: db, fault: f, desk: newDesk(t, e.migrated(t, db)), ledger: e.ledger(t, dsn)}
		// What led to the world is most of it and nothing to the operations.
		for _, past := range []string{"DELETE FROM usher_outbox", "DELETE FROM usher_events WHERE seq > 3"} {
			_, err := l.ledger.db.ExecContext(t.Context(), past)
			require.NoError(t, err)
		}
		l.before = l.ledger.read()
		l.known = l.before.ids()
		all := ways(e)
		turns := 1
		if *everyFault == "all" {
			turns = len(all)
		}
		each := operations()
		for start, op := range each {
			l.clean(op)
			t.Logf("%d of %d, %s: each of %d calls", start+1, len(each), op.name, l.calls) // how far a run of hours has come
			for call, hit := 1, true; hit; call++ {
				require.LessOrEqual(t, call, l.calls+1, "%s never runs clean", op.name)
				hit = false
				for turn := range turns {
					hit = l.fail(op, all[(start+len(e.name)+call+turn)%len(all)], call) || hit
				}
			}
			require.Empty(t, l.ledger.changes(l.before, l.ledger.read()), "%s: what was not undone", op.name)
		}
	})
}

// A lab runs operations with faults, always in the same world.
type lab struct {
	*testing.T
	db     *sql.DB
	fault  *fault
	desk   *desk
	ledger *ledger
	before state
	known  map[string]bool

	// want is what the operation comes to without a fault, in so many calls.
	want  outcome
	calls int
}

// outcome is what an operation did, as two runs have it in common.
type outcome struct {
	changes []string
	answer  string
}

// run calls the operation once, under the one key that there is.
func (l *lab) run(ctx context.Context, op operation) (answer string, err error) {
	l.Helper()
	result, err := op.run(tenancy.WithKey(ctx, "a key"), l.desk)
	require.Zero(l, l.db.Stats().InUse, "connections of %s", op.name)
	if err != nil {
		require.NotContains(l, whatShows(err), "secret", op.name)
		return "", err
	}
	text, failed := json.Marshal(result)
	require.NoError(l, failed)
	return string(text), nil
}

// clean learns what the operation comes to.
func (l *lab) clean(op operation) {
	l.Helper()
	ctx := l.fault.arm(l.Context(), way{}, 0)
	answer, err := l.run(ctx, op)
	l.fault.disarm()
	require.ErrorIs(l, err, op.refuses, op.name)
	changes := l.ledger.changes(l.before, l.ledger.read())
	l.fault.writes()
	l.want, l.calls = outcome{told(changes, l.known), withoutNew(answer, l.known)}, l.fault.calls
	require.Equal(l, op.reads, len(changes) == 0, "%s: %v", op.name, l.want.changes)
	require.NotZero(l, l.calls, op.name)
	l.ledger.undo(changes)
}

// fail runs the operation with a fault, and again without, and reports whether there was a call
// to fail.
func (l *lab) fail(op operation, w way, call int) bool {
	l.Helper()
	what := fmt.Sprintf("%s: call %d of %d, %s", op.name, call, l.calls, w)
	ctx := l.fault.arm(l.Context(), w, call)
	first, err := l.run(ctx, op)
	hit := l.fault.disarm()
	switch {
	case err == nil:
		require.NoError(l, op.refuses, what)
	case op.refuses != nil && errors.Is(err, op.refuses):
	case w.ends != nil:
		require.ErrorIs(l, err, w.ends, what)
	default:
		require.ErrorIs(l, err, tenancy.ErrUnavailable, what)
	}
	between := l.ledger.reread(l.before, l.fault.writes())

	again, repeated := l.run(l.Context(), op)
	require.ErrorIs(l, repeated, op.refuses, what)
	after := l.ledger.reread(between, l.fault.writes())
	changes, later := l.ledger.changes(l.before, between), l.ledger.changes(between, after)
	switch {
	case op.sweeps: // it has gone as far as it came, and a step that was half done shows in what it comes to
		changes = l.ledger.changes(l.before, after)
	case len(changes) == 0:
		changes = later
	default:
		require.Empty(l, later, "%s: the state was neither the old nor the new one", what)
	}
	require.Equal(l, l.want.changes, told(changes, l.known), what)
	if !op.keyless {
		require.Equal(l, l.want.answer, withoutNew(again, l.known), what)
		if err == nil {
			require.Equal(l, first, again, "%s: the first answer again", what)
		}
	}
	l.ledger.undo(changes)
	return hit
}

// A way is one in which a call can fail.
type way struct {
	name string
	// err is what the call answers; nil lets it answer what it does.
	err error
	// ends is what the caller's context ends with at that instant.
	ends error
	// conflict says that the engine asks with err to run the transaction again.
	conflict bool
	// rollback fails as well.
	rollback bool
	// after says that the call is done first, and its answer lost.
	after bool
}

func (w way) String() string {
	if w.after {
		return w.name + " after it was done"
	}
	return w.name + " instead of it"
}

// ways are all that can befall a call on the engine.
func ways(e engine) []way {
	all := []way{
		{name: "an error of no known code", err: errors.New(driverText)},
		{name: "an error of no known code, and another at the rollback", err: errors.New(driverText), rollback: true},
		{name: "a bad connection", err: driver.ErrBadConn},
		{name: "the context cancelled", ends: context.Canceled},
		{name: "the deadline passed", ends: context.DeadlineExceeded},
	}
	for _, conflict := range e.conflicts {
		all = append(all, way{name: fmt.Sprintf("conflict %#v", conflict), err: conflict, conflict: true})
	}
	for _, w := range all {
		w.after = true
		all = append(all, w)
	}
	return all
}

// A fault waits for one call of the driver.
type fault struct {
	mu    sync.Mutex
	armed bool
	way   way
	// at is the number of the call to fail, calls how many there were.
	at, calls int
	hit       bool
	ctx       *ending
	// written are the tables that were written to, by whatever call.
	written map[string]bool
}

var writing = regexp.MustCompile(`^\s*(?:INSERT (?:IGNORE )?INTO|UPDATE|DELETE FROM) (\w+)`)

// writes are the tables that were written to since it was asked last.
func (f *fault) writes() map[string]bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	tables := f.written
	f.written = nil
	return tables
}

// note keeps what the statement writes to.
func (f *fault) note(query string) {
	found := writing.FindStringSubmatch(query)
	if found == nil {
		return
	}
	if f.written == nil {
		f.written = map[string]bool{}
	}
	f.written[found[1]] = true
}

func (f *fault) tap() *testdb.Tap {
	return &testdb.Tap{
		Before: func(_ context.Context, _, query string) error { return f.meet(query, false) },
		After:  func(_ context.Context, _, query string) error { return f.meet(query, true) },
	}
}

// arm sets the fault for the operation that is called with the context answered.
func (f *fault) arm(ctx context.Context, w way, at int) context.Context {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ctx = &ending{Context: ctx, done: make(chan struct{})}
	f.armed, f.way, f.at, f.calls, f.hit = true, w, at, 0, false
	return f.ctx
}

// disarm tells whether there was such a call.
func (f *fault) disarm() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.armed = false
	return f.hit
}

func (f *fault) meet(query string, after bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.note(query)
	if !f.armed {
		return nil
	}
	if f.hit && f.way.rollback && word(query) == "ROLLBACK" {
		return f.way.err
	}
	if !after {
		f.calls++
	}
	if f.hit || after != f.way.after || f.calls != f.at {
		return nil
	}
	f.hit = true
	if f.way.conflict && after && word(query) == "COMMIT" {
		return nil // no engine calls a commit that has happened a conflict
	}
	if f.way.ends != nil {
		f.ctx.end(f.way.ends)
	}
	return f.way.err
}

// ending is a context that ends when it is told to, with the error given: a deadline that passes
// at one instant and no other.
type ending struct {
	context.Context //nolint:containedctx // it is one

	mu   sync.Mutex
	done chan struct{}
	err  error
}

func (e *ending) end(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.err = err
	close(e.done)
}

func (e *ending) Done() <-chan struct{} { return e.done }

func (e *ending) Err() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.err
}
