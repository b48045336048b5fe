package storagetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"time"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/tenancy"
)

func txCases() []testCase {
	return []testCase{
		{name: "commit and rollback span all rooms", rule: ruleCommit, covers: []string{"InTx"}, run: spanCase},
		{name: "the closure's error is the answer and it ran once", rule: ruleDoom, covers: []string{"InTx"}, run: errorCase},
		{name: "the closure's context is made from the caller's", rule: ruleCommit, covers: []string{"InTx"}, run: derivedCase},
		{name: "an answer that is no failure dooms nothing", rule: ruleCommit, covers: []string{"InTx"}, run: harmlessCase},
		{name: "nested transactions commit and roll back as one", rule: ruleJoin, covers: []string{"InTx"}, run: nestedCase},
		{name: "a swallowed inner error dooms the outer", rule: ruleDoom, covers: []string{"InTx"}, run: doomCase},
		{name: "a swallowed failure of a write commits nothing", rule: ruleRerun, covers: []string{"InTx"}, run: swallowedCase},
		{name: "a panic rolls back and goes on", rule: rulePanic, covers: []string{"InTx"}, run: panicCase},
		{name: "a goroutine that ends in the closure rolls back", rule: ruleCommit, covers: []string{"InTx"}, run: goexitCase},
		{name: "cancelling before inside and at the commit keeps the old state", rule: ruleCancelled, covers: []string{"InTx"}, run: cancelTxCase},
		{name: "cancelling after the commit keeps the new state", rule: ruleCommit, covers: []string{"InTx"}, run: cancelAfterCase},
		{name: "two stores do not share a transaction", rule: ruleJoin, covers: []string{"InTx"}, run: twoStoresCase},
		{name: "what is not committed is not seen outside", rule: ruleReads, covers: []string{"InTx"}, run: isolationCase},
		{name: "the outer context inside the closure is outside", rule: ruleOuter, covers: []string{"InTx"}, run: outerReadCase},
		{name: "the outer context inside the closure does not write", rule: ruleNoTx, covers: []string{"InTx"}, run: outerWriteCase},
		{name: "a transaction on the outer context is another one", rule: ruleOuter, covers: []string{"InTx"}, run: outerTxCase},
		{name: "a waiting transaction gives up with its context", rule: ruleCancelled, needs: RowLocks, covers: []string{"InTx"}, run: waitingCase},
	}
}

// everything writes a row in every room, and an event.
func (t *town) everything(ctx context.Context, w *world) error {
	for _, method := range []string{
		"InsertUser", "UpdateUser", "InsertAccount", "UpdateAccount", "InsertTeam", "UpdateTeam", "InsertMembership", "UpdateMembership",
		"InsertInvitation", "UpdateInvitation", "InsertContact", "UpdateContact", "InsertApplication", "UpdateApplication", "InsertConversation", "UpdateConversation",
		"InsertMessage", "UpdateMessage", "InsertWords", "InsertGrant", "UpdateGrant", "InsertDelivery", "UpdateDelivery",
		"InsertOperation", "ForgetOperations", "MarkSeen", "ForgetSeen", "Append",
	} {
		if err := calls()[method].do(ctx, w.store, t); err != nil {
			return fmt.Errorf("%s: %w", method, err)
		}
	}
	return nil
}

// committed checks that everything is there, or that nothing of it is.
func (w *world) committed(t *town, before map[string]any, want bool, format string, args ...any) {
	w.Helper()
	if !want {
		w.unchanged(t, before, format, args...)
		return
	}
	after := w.state(t)
	for _, name := range []string{
		"User 0", "User 1", "Account 0", "Account 1", "Team 0", "Team 1", "Members 0", "Invitations 0", "Contact 0", "Contact 1", "Application 0", "Application 1",
		"Conversations 0", "Messages 0", "Search 2", "Grants 0", "DeliveriesOf 0", "Operation 1", "Operation 2", "MarkSeen 0", "MarkSeen 1", "TeamEvents 0",
	} {
		if reflect.DeepEqual(after[name], before[name]) {
			w.breaks("%s: %s answers as before", fmt.Sprintf(format, args...), name)
		}
	}
}

func spanCase(w *world) {
	t := w.town()
	before := w.state(t)
	for range 2 { // the second time shows that the first left nothing behind, not even a sequence
		w.by(ruleDoom)
		w.discard("a transaction over all rooms", func(ctx context.Context) error { return t.everything(ctx, w) })
		w.committed(t, before, false, "a transaction over all rooms that was rolled back")
	}
	w.by(ruleCommit)
	w.tx("a transaction over all rooms", func(ctx context.Context) error { return t.everything(ctx, w) })
	w.committed(t, before, true, "a transaction over all rooms")
	w.tx("an empty transaction", func(context.Context) error { return nil })
}

type ownError struct{ n int }

func (e *ownError) Error() string { return fmt.Sprintf("storagetest: error %d", e.n) }

func errorCase(w *world) {
	u := w.aUser()
	runs := 0
	err := w.store.InTx(w.ctx, func(ctx context.Context) error {
		runs++
		if err := w.store.InsertUser(ctx, u); err != nil {
			return err
		}
		return fmt.Errorf("wrapped: %w", &ownError{7})
	})
	var own *ownError
	if !errors.As(err, &own) || own.n != 7 {
		w.breaks("InTx answered %s, want the error that its closure returned, to be found with errors.As", show(err))
	}
	if runs != 1 {
		w.breaks("the closure ran %d times after an error that no database asks to retry", runs)
	}
	nothing[tenancy.User](w, "User after an error")(w.store.User(w.ctx, u.ID))
}

type ctxKey struct{}

func derivedCase(w *world) {
	outer, cancel := context.WithTimeout(context.WithValue(w.ctx, ctxKey{}, "value"), time.Minute)
	defer cancel()
	err := w.store.InTx(outer, func(ctx context.Context) error {
		if ctx.Value(ctxKey{}) != "value" {
			w.breaks("the closure's context has lost a value of the caller's")
		}
		want, _ := outer.Deadline()
		if got, ok := ctx.Deadline(); !ok || got.After(want) {
			w.breaks("the closure's context has the deadline %v, later than the caller's %v", got, want)
		}
		return w.store.InTx(ctx, func(ctx context.Context) error {
			if ctx.Value(ctxKey{}) != "value" {
				w.breaks("the context of a nested closure has lost a value of the caller's")
			}
			return nil
		})
	})
	w.must(err, "InTx")
}

// harmlessCase goes on after answers that services ask for every day: is there such a user?
// did another change it? They are no failure of the transaction.
func harmlessCase(w *world) {
	t := w.town()
	u := w.aUser()
	stale := t.team
	stale.Version = 9
	w.tx("a transaction that looks before it writes", func(ctx context.Context) error {
		for name, ask := range teamCalls() {
			if _, err := ask(ctx, w.store, t, t.stranger.ID); err != nil && !errors.Is(err, tenancy.ErrNotFound) {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		w.is(only(w.store.LockUser(ctx, u.ID)), tenancy.ErrNotFound, "LockUser of a user who is not there yet")
		w.is(w.store.UpdateTeam(ctx, stale), tenancy.ErrStale, "UpdateTeam at a wrong version")
		return w.store.InsertUser(ctx, u)
	})
	users().holds(w, u, "a transaction that went on after ErrNotFound and ErrStale")
}

// nestedCase crosses what three levels may answer. A nil below an error above is the case
// that a naive nested COMMIT gets wrong.
func nestedCase(w *world) {
	for outcome := range 8 {
		outerFails, middleFails, innerFails := outcome&1 != 0, outcome&2 != 0, outcome&4 != 0
		a, b, c, d := w.aUser(), w.aUser(), w.aUser(), w.aUser()
		fails := func(does bool) error {
			if does {
				return errDiscard
			}
			return nil
		}
		err := w.store.InTx(w.ctx, func(ctx context.Context) error {
			if err := w.store.InsertUser(ctx, a); err != nil {
				return err
			}
			err := w.store.InTx(ctx, func(ctx context.Context) error {
				if err := w.store.InsertUser(ctx, b); err != nil {
					return err
				}
				err := w.store.InTx(ctx, func(ctx context.Context) error {
					answers(w, a, "User two levels down")(w.store.User(ctx, a.ID))
					if err := w.store.InsertUser(ctx, c); err != nil {
						return err
					}
					return fails(innerFails)
				})
				if err != nil {
					return err
				}
				answers(w, c, "User after the innermost InTx returned")(w.store.User(ctx, c.ID))
				return fails(middleFails)
			})
			if err != nil {
				return err
			}
			// A read from outside, while the inner ones have "committed", must not see them.
			if found := w.seesOutside(c.ID); found {
				w.breaks("what an inner InTx wrote is visible before the outermost has committed")
			}
			if err := w.store.InsertUser(ctx, d); err != nil {
				return err
			}
			return fails(outerFails)
		})
		what := fmt.Sprintf("three levels, of which the outer, middle and inner failed: %t, %t, %t", outerFails, middleFails, innerFails)
		failed := outerFails || middleFails || innerFails
		if failed != errors.Is(err, errDiscard) || !failed && err != nil {
			w.breaks("%s: InTx answered %s", what, show(err))
		}
		for _, u := range []tenancy.User{a, b, c, d} {
			if failed {
				nothing[tenancy.User](w, "User after %s", what)(w.store.User(w.ctx, u.ID))
			} else {
				users().holds(w, u, what)
			}
		}
	}
}

// seesOutside reads on a context that has no transaction, for as long as a store with one
// writer may make it wait.
func (w *world) seesOutside(id tenancy.UserID) bool {
	ctx, cancel := context.WithTimeout(w.ctx, shortly)
	defer cancel()
	_, err := w.store.User(ctx, id)
	return err == nil
}

func doomCase(w *world) {
	t := w.town()
	before := w.state(t)
	own := &ownError{1}
	swallow := map[string]func(ctx context.Context) error{
		"at once": func(ctx context.Context) error {
			_ = w.store.InTx(ctx, func(ctx context.Context) error {
				if err := t.everything(ctx, w); err != nil {
					return err
				}
				return own
			})
			return nil
		},
		"two levels up": func(ctx context.Context) error {
			_ = w.store.InTx(ctx, func(ctx context.Context) error {
				if err := t.everything(ctx, w); err != nil {
					return err
				}
				return w.store.InTx(ctx, func(context.Context) error { return own })
			})
			return nil
		},
		"before anything was written": func(ctx context.Context) error {
			_ = w.store.InTx(ctx, func(context.Context) error { return own })
			_ = t.everything(ctx, w) // whether a doomed transaction takes writes is its own affair
			return nil
		},
		"before another that succeeds": func(ctx context.Context) error {
			if err := t.everything(ctx, w); err != nil {
				return err
			}
			_ = w.store.InTx(ctx, func(context.Context) error { return own })
			_ = w.store.InTx(ctx, func(context.Context) error { return nil })
			return nil
		},
	}
	for name, fn := range swallow {
		w.is(w.store.InTx(w.ctx, fn), own, "InTx whose closure swallowed the error of a nested one %s", name)
		w.unchanged(t, before, "a transaction that swallowed the error of a nested one %s", name)
	}
	if err := w.store.InTx(w.ctx, func(ctx context.Context) error {
		_ = w.store.InTx(ctx, func(context.Context) error { return own })
		return errDiscard
	}); err == nil {
		w.breaks("InTx whose closures both failed answered no error")
	}
	w.tx("a transaction after a doomed one", func(ctx context.Context) error { return t.everything(ctx, w) })
}

// swallowedCase goes on after a write that the database has refused. PostgreSQL lets nothing
// follow, others would commit the rest; a service must not work on one and lose on another.
// No transaction commits with a refused write in it, then, and "insert, catch the duplicate,
// carry on" is no way to write a service.
func swallowedCase(w *world) {
	t := w.town()
	before := w.state(t)
	rival, orphan := w.aUser(), w.aMembership(newID[tenancy.TeamID](w), t.user.ID)
	rival.ExternalID = t.user.ExternalID
	for _, refused := range []struct {
		what  string
		class error
		write func(ctx context.Context) error
	}{
		{"a unique key that is taken", tenancy.ErrDuplicate, func(ctx context.Context) error { return w.store.InsertUser(ctx, rival) }},
		{"a reference to nothing", tenancy.ErrNotFound, func(ctx context.Context) error { return w.store.InsertMembership(ctx, orphan) }},
	} {
		err := w.store.InTx(w.ctx, func(ctx context.Context) error {
			if err := w.store.UpdateTeam(ctx, t.team); err != nil {
				return err
			}
			w.is(refused.write(ctx), refused.class, "a write of %s", refused.what)
			_ = w.store.InsertUser(ctx, t.newUser) // whether it is taken is the store's affair
			return nil
		})
		w.is(err, refused.class, "InTx whose closure swallowed the refusal of %s", refused.what)
		w.unchanged(t, before, "a transaction that swallowed the refusal of %s", refused.what)
	}
	w.tx("a transaction after them", func(ctx context.Context) error { return t.everything(ctx, w) })
}

func panicCase(w *world) {
	t := w.town()
	before := w.state(t)
	recovered := func(fn func(ctx context.Context) error) (value any) {
		defer func() { value = recover() }()
		if err := w.store.InTx(w.ctx, fn); true {
			w.breaks("InTx swallowed a panic and answered %s", show(err))
		}
		return nil
	}
	bang := func(ctx context.Context) error {
		if err := t.everything(ctx, w); err != nil {
			return err
		}
		panic(errDiscard)
	}
	if value := recovered(bang); value != any(errDiscard) {
		w.breaks("a panic with %v came out of InTx as %v", errDiscard, value)
	}
	w.unchanged(t, before, "a transaction that panicked")
	if value := recovered(func(ctx context.Context) error { return w.store.InTx(ctx, bang) }); value != any(errDiscard) {
		w.breaks("a panic with %v came out of a nested InTx as %v", errDiscard, value)
	}
	w.unchanged(t, before, "a transaction in which a nested one panicked")

	// Whoever recovers inside must not commit half of what the panicking part meant to do.
	err := w.store.InTx(w.ctx, func(ctx context.Context) error {
		func() {
			defer func() { _ = recover() }() // what a sloppy handler does
			_ = w.store.InTx(ctx, bang)
		}()
		return nil
	})
	if err == nil {
		w.breaks("InTx answered no error after a nested one panicked and its closure recovered")
	}
	w.unchanged(t, before, "a transaction that recovered from the panic of a nested one")
	w.tx("a transaction after panics", func(ctx context.Context) error { return t.everything(ctx, w) })
}

// goexitCase ends the goroutine in the closure, as t.FailNow does in a test of our users. It
// is no panic, so a rollback that hangs on recover misses it and keeps the lock for ever.
func goexitCase(w *world) {
	t := w.town()
	before := w.state(t)
	for _, depth := range []int{1, 2} {
		left := w.start(func() error {
			leave := func(ctx context.Context) error {
				if err := t.everything(ctx, w); err != nil {
					return err
				}
				runtime.Goexit()
				return nil
			}
			if depth == 1 {
				_ = w.store.InTx(w.ctx, leave)
			} else {
				_ = w.store.InTx(w.ctx, func(ctx context.Context) error { return w.store.InTx(ctx, leave) })
			}
			return errors.New("InTx returned, although its goroutine had ended")
		})
		w.must(left.wait(w), "a goroutine that ended inside InTx")
		w.unchanged(t, before, "a transaction whose goroutine ended at depth %d", depth)
	}
	w.tx("a transaction after one whose goroutine ended", func(ctx context.Context) error { return t.everything(ctx, w) })
}

func cancelTxCase(w *world) {
	t := w.town()
	before := w.state(t)
	cancelled, cancel := context.WithCancel(w.ctx)
	cancel()
	w.is(w.store.InTx(cancelled, func(context.Context) error {
		w.breaks("the closure ran although the context was cancelled before")
		return nil
	}), context.Canceled, "InTx with a cancelled context")

	for _, when := range []string{"inside, before a write", "at the commit", "at the commit of a nested one"} {
		ctx, cancel := context.WithCancel(w.ctx)
		err := w.store.InTx(ctx, func(ctx context.Context) error {
			switch when {
			case "inside, before a write":
				cancel()
				err := t.everything(ctx, w)
				if err == nil {
					w.breaks("a write after its context was cancelled answered no error")
				}
				return err
			case "at the commit of a nested one":
				return w.store.InTx(ctx, func(ctx context.Context) error {
					err := t.everything(ctx, w)
					cancel()
					return err
				})
			}
			err := t.everything(ctx, w)
			cancel()
			return err
		})
		cancel()
		w.is(err, context.Canceled, "InTx whose context was cancelled %s", when)
		w.unchanged(t, before, "a transaction whose context was cancelled %s", when)
	}
	ctx, cancel := context.WithTimeout(w.ctx, shortly)
	defer cancel()
	err := w.store.InTx(ctx, func(ctx context.Context) error {
		err := t.everything(ctx, w)
		<-ctx.Done()
		return err
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		w.breaks("InTx whose deadline passed before the commit answered %s, want %q", show(err), context.DeadlineExceeded)
	}
	w.unchanged(t, before, "a transaction whose deadline passed before the commit")
	w.tx("a transaction after cancelled ones", func(ctx context.Context) error { return t.everything(ctx, w) })
}

func cancelAfterCase(w *world) {
	t := w.town()
	before := w.state(t)
	ctx, cancel := context.WithCancel(w.ctx)
	w.must(w.store.InTx(ctx, func(ctx context.Context) error { return t.everything(ctx, w) }), "InTx")
	cancel()
	w.committed(t, before, true, "a transaction whose context was cancelled after its commit")
}

func twoStoresCase(w *world) {
	other := w.another()
	a, b, both := w.aUser(), w.aUser(), w.aUser()
	w.discard("a transaction of the first store", func(ctx context.Context) error {
		if err := w.store.InsertUser(ctx, a); err != nil {
			return err
		}
		w.is(other.InsertUser(ctx, b), tenancy.ErrNoTx, "InsertUser of a second store inside a transaction of the first")
		w.is(only(other.LockUser(ctx, a.ID)), tenancy.ErrNoTx, "LockUser of a second store inside a transaction of the first")
		nothing[tenancy.User](w, "User of a second store inside a transaction of the first")(other.User(ctx, a.ID))
		err := other.InTx(ctx, func(ctx context.Context) error {
			if err := w.store.InsertUser(ctx, both); err != nil {
				return err
			}
			return other.InsertUser(ctx, both)
		})
		if err != nil {
			return err
		}
		answers(w, both, "User of the first store inside its own transaction")(w.store.User(ctx, both.ID))
		return nil
	})
	nothing[tenancy.User](w, "User of the first store, which rolled back")(w.store.User(w.ctx, both.ID))
	answers(w, both, "User of the second store, which committed on its own")(other.User(w.ctx, both.ID))
	nothing[tenancy.User](w, "User of the second store, written only to the first")(other.User(w.ctx, a.ID))
}

// isolationCase holds a transaction open and looks from another goroutine. A store with one
// writer may make the reader wait; it must not show what is not committed.
func isolationCase(w *world) {
	t := w.town()
	u := w.aUser()
	changed := t.user
	changed.Name = "changed"
	release := w.holding("a transaction that writes", func(ctx context.Context) error {
		return errors.Join(w.store.InsertUser(ctx, u), w.store.UpdateUser(ctx, changed))
	})
	for _, look := range []struct {
		what string
		read func(ctx context.Context) (any, error)
		want any
	}{
		{"User of an insert", func(ctx context.Context) (any, error) { return w.store.User(ctx, u.ID) }, nil},
		{"UserByEmail of an insert", func(ctx context.Context) (any, error) { return w.store.UserByEmail(ctx, u.Email.Normal) }, nil},
		{"User of an update", func(ctx context.Context) (any, error) { return w.store.User(ctx, t.user.ID) }, t.user},
	} {
		ctx, cancel := context.WithTimeout(w.ctx, shortly)
		got, err := look.read(ctx)
		cancel()
		switch {
		case err == nil && look.want == nil:
			w.breaks("%s that is not committed answered %s", look.what, shown(got))
		case err == nil && got != look.want:
			w.breaks("%s that is not committed answered something else than what is committed:\n%s", look.what, difference(got, look.want))
		}
	}
	release()
	users().holds(w, u, "the commit")
	changed.Version++
	users().holds(w, changed, "the commit")
}

// outerReadCase falls into the known trap: the closure reads with the context from outside. It
// gets what is committed, or an error when that context ends; never what the transaction
// has written, and no hang.
func outerReadCase(w *world) {
	t := w.town()
	u := w.aUser()
	outer := w.ctx
	w.tx("a transaction that reads on the outer context", func(ctx context.Context) error {
		if err := w.store.InsertUser(ctx, u); err != nil {
			return err
		}
		short, cancel := context.WithTimeout(outer, shortly)
		defer cancel()
		began := time.Now()
		for range 3 {
			if _, err := w.store.User(short, u.ID); err == nil {
				w.breaks("User on the outer context sees what the transaction has not committed")
			}
			if got, err := w.store.User(short, t.user.ID); err == nil && got != t.user {
				w.breaks("User on the outer context answered something else than what is committed:\n%s", difference(got, t.user))
			}
		}
		if took := time.Since(began); took > caseLimit/4 {
			w.breaks("reads on an outer context with %v to live took %v", shortly, took)
		}
		return nil
	})
	users().holds(w, u, "a transaction that read on the outer context")
	w.tx("a transaction after it", func(ctx context.Context) error { return w.store.InsertUser(ctx, w.aUser()) })
}

func outerWriteCase(w *world) {
	t := w.town()
	before := w.state(t)
	outer := w.ctx
	w.discard("a transaction that writes on the outer context", func(ctx context.Context) error {
		each(func(method string, c call) {
			if c.effect == writes || c.effect == locks {
				short, cancel := context.WithTimeout(outer, shortly)
				w.is(c.do(short, w.store, t), tenancy.ErrNoTx, "%s on the outer context inside a closure", method)
				cancel()
			}
		})
		return nil
	})
	w.unchanged(t, before, "writes on the outer context")
}

// outerTxCase opens a transaction on the outer context: the same trap with a longer fuse. It
// is another transaction, so it waits until its context ends, or it commits on its own; what
// the closure around it then does cannot change that.
func outerTxCase(w *world) {
	a, b := w.aUser(), w.aUser()
	outer := w.ctx
	var inner error
	w.discard("a transaction that opens another on the outer context", func(ctx context.Context) error {
		if err := w.store.InsertUser(ctx, a); err != nil {
			return err
		}
		short, cancel := context.WithTimeout(outer, shortly)
		defer cancel()
		inner = w.store.InTx(short, func(ctx context.Context) error { return w.store.InsertUser(ctx, b) })
		return nil
	})
	nothing[tenancy.User](w, "User of the transaction that was rolled back")(w.store.User(w.ctx, a.ID))
	if inner == nil {
		users().holds(w, b, "a transaction on the outer context that answered no error")
	} else {
		nothing[tenancy.User](w, "User of the transaction that answered an error")(w.store.User(w.ctx, b.ID))
	}
	w.tx("a transaction after them", func(ctx context.Context) error { return w.store.InsertUser(ctx, a) })
}

func waitingCase(w *world) {
	team := w.team()
	c := w.conversation(team)
	changed := c
	changed.Status = conversation.Closed
	release := w.holding("a transaction that locks", func(ctx context.Context) error {
		return only(w.store.LockConversation(ctx, team.ID, c.ID))
	})
	short, cancel := context.WithTimeout(w.ctx, shortly)
	defer cancel()
	began := time.Now()
	err := w.store.InTx(short, func(ctx context.Context) error {
		if _, err := w.store.LockConversation(ctx, team.ID, c.ID); err != nil {
			return err
		}
		return w.store.UpdateConversation(ctx, team.ID, changed)
	})
	if err == nil {
		w.breaks("a transaction wrote a row that another has locked")
	}
	if took := time.Since(began); took > caseLimit/4 {
		w.breaks("a transaction with %v to live waited %v for another", shortly, took)
	}
	release()
	conversations().holds(w, c, "a transaction that gave up waiting")
	w.tx("a transaction after it", func(ctx context.Context) error { return w.store.UpdateConversation(ctx, team.ID, changed) })
}
