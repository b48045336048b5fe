package storagetest

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/tenancy"
)

// A kind describes one kind of row, so that the general contract is written once as cases and
// holds for every kind that will ever be added.
type kind[R any] struct {
	name string
	// fresh makes a row that is not stored; what it refers to is.
	fresh func(w *world) R
	// insert, update, lock and get are the store's methods; lock is nil where there is none.
	// A row serves as its own key.
	insert, update func(storage.Store, context.Context, R) error
	lock, get      func(storage.Store, context.Context, R) (R, error)
	// several is insert where it takes several rows; nil where it does not.
	several func(storage.Store, context.Context, ...R) error
	// methods are the names of these four, for the failure and the list of what is covered.
	methods []string
	// version is nil for rows that never change.
	version func(*R) *int64
	// stray is the row under a key that names nothing.
	stray func(w *world, r R) R
	// rival is another valid row with the same id; it shares no other unique key.
	rival func(w *world, r R) R
	// changes are the updates that a service may make.
	changes []change[R]
	times   []timeField[R]
	enums   []enumField[R]
	refs    []refField[R]
}

// eachOf is a method of a store that takes several rows, for one.
func eachOf[R any](method func(storage.Store, context.Context, ...R) error) func(storage.Store, context.Context, R) error {
	return func(s storage.Store, ctx context.Context, r R) error { return method(s, ctx, r) }
}

// just is eachOf for the method of one store.
func just[R any](method func(context.Context, ...R) error) func(context.Context, R) error {
	return func(ctx context.Context, r R) error { return method(ctx, r) }
}

type change[R any] struct {
	name string
	make func(w *world, r *R)
}

// A timeField may be zero when it is optional.
type timeField[R any] struct {
	name     string
	optional bool
	of       func(r *R) *time.Time
}

// An enumField takes one of few values; legal is one of them.
type enumField[R any] struct {
	name  string
	legal string
	set   func(r *R, value string)
	// own replaces the usual illegal values where the field's type cannot hold them.
	own []func(r *R)
}

// A refField names another row; set makes it name none.
type refField[R any] struct {
	name string
	set  func(w *world, r *R)
}

const (
	inserts = iota
	updates
	gets
	lockings
)

// store commits the row.
func (k kind[R]) store(w *world, r R) R {
	w.Helper()
	w.tx(k.methods[inserts], func(ctx context.Context) error { return k.insert(w.store, ctx, r) })
	return r
}

func (k kind[R]) put(w *world, r R) error {
	return w.try(func(ctx context.Context) error { return k.insert(w.store, ctx, r) })
}

func (k kind[R]) write(w *world, r R) error {
	return w.try(func(ctx context.Context) error { return k.update(w.store, ctx, r) })
}

// changed is the row with the first of its changes.
func (k kind[R]) changed(w *world, r R) R {
	w.Helper()
	if len(k.changes) > 0 {
		k.changes[0].make(w, &r)
	}
	return r
}

// next is the row as an update leaves it.
func (k kind[R]) next(r R) R { *k.version(&r)++; return r }

// holds checks what is committed under the row's key.
func (k kind[R]) holds(w *world, want R, after string) {
	w.Helper()
	answers(w, want, "%s after %s", k.methods[gets], after)(k.get(w.store, w.ctx, want))
}

func (k kind[R]) cases() []testCase {
	named := func(name string, r rule, covers []int, run func(*world)) testCase {
		c := testCase{name: k.name + " " + name, rule: r, run: run}
		for _, m := range covers {
			if m < len(k.methods) && k.methods[m] != "" {
				c.covers = append(c.covers, k.methods[m])
			}
		}
		return c
	}
	list := []testCase{
		named("insert stores version 1 whatever the version given", ruleInsert, []int{inserts, gets}, k.insertCase),
		named("missing rows are not found", ruleMissing, []int{updates, gets, lockings}, k.missingCase),
		named("an id is taken once", ruleDuplicate, []int{inserts}, k.rivalCase),
		named("times are UTC to the microsecond and zero times stay zero", ruleTimes, []int{inserts, gets}, k.timesCase),
		named("reads inside see own writes and a rollback leaves none", ruleReads, []int{inserts, updates, gets}, k.ownWritesCase),
	}
	if len(k.refs) > 0 {
		list = append(list, named("references must exist", ruleMissing, []int{inserts}, k.refsCase))
	}
	if len(k.enums) > 0 {
		list = append(list, named("values outside the set are invalid", ruleInvalid, []int{inserts, updates}, k.enumsCase))
	}
	if k.several != nil {
		list = append(list, named("insert of several is all or none", ruleSets, []int{inserts}, k.severalCase))
	}
	if k.update != nil {
		list = append(list,
			named("update writes every field of one row and the next version", ruleUpdate, []int{updates, gets}, k.updateCase),
			named("update of another version is stale", ruleUpdate, []int{updates}, k.staleCase),
		)
	}
	if k.lock != nil {
		list = append(list, named("lock answers the row as it is now", ruleLocks, []int{lockings}, k.lockCase))
	}
	return list
}

func (k kind[R]) insertCase(w *world) {
	for _, given := range []int64{1, 0, 7, -1} {
		r := k.fresh(w)
		want := r
		if k.version != nil {
			*k.version(&r) = given
			*k.version(&want) = 1
		}
		k.store(w, r)
		k.holds(w, want, fmt.Sprintf("an insert that gave version %d", given))
	}
}

func (k kind[R]) missingCase(w *world) {
	r := k.store(w, k.fresh(w))
	stray := k.stray(w, r)
	nothing[R](w, "%s of a row that is not there", k.methods[gets])(k.get(w.store, w.ctx, stray))
	var zero R
	nothing[R](w, "%s of the zero key", k.methods[gets])(k.get(w.store, w.ctx, zero))
	if k.update != nil {
		w.is(k.write(w, stray), tenancy.ErrNotFound, "%s of a row that is not there", k.methods[updates])
	}
	if k.lock != nil {
		err := w.try(func(ctx context.Context) error {
			_, err := k.lock(w.store, ctx, stray)
			return err
		})
		w.is(err, tenancy.ErrNotFound, "%s of a row that is not there", k.methods[lockings])
	}
	nothing[R](w, "%s of a row that is not there, after an update of it", k.methods[gets])(k.get(w.store, w.ctx, stray))
	k.holds(w, r, "writes to a row that is not there")
}

func (k kind[R]) rivalCase(w *world) {
	r := k.store(w, k.fresh(w))
	w.is(k.put(w, k.rival(w, r)), tenancy.ErrDuplicate, "%s with an id that is taken", k.methods[inserts])
	k.holds(w, r, "an insert of another row with its id")
}

// updateCase makes one change after the other on one row, and looks each time whether it
// arrived there and nowhere else.
func (k kind[R]) updateCase(w *world) {
	r, bystander := k.store(w, k.fresh(w)), k.store(w, k.fresh(w))
	for _, c := range k.changes {
		c.make(w, &r)
		err := w.try(func(ctx context.Context) error { return k.update(w.store, ctx, r) })
		w.must(err, "%s (%s)", k.methods[updates], c.name)
		*k.version(&r)++
		k.holds(w, r, "an update: "+c.name)
	}
	// An update that changes nothing is one all the same: MySQL counts no row for it.
	w.must(k.write(w, r), "%s that changes nothing", k.methods[updates])
	*k.version(&r)++
	k.holds(w, r, "an update that changes nothing")
	k.holds(w, bystander, "updates of another row")
}

func (k kind[R]) staleCase(w *world) {
	r := k.store(w, k.fresh(w))
	first := r
	k.changes[0].make(w, &r)
	w.must(k.write(w, r), "%s", k.methods[updates])
	*k.version(&r) = 2
	for _, version := range []int64{1, 3, 0, -1} {
		old := first
		k.changes[0].make(w, &old)
		*k.version(&old) = version
		w.is(k.write(w, old), tenancy.ErrStale, "%s at version %d of a row at version 2", k.methods[updates], version)
		k.holds(w, r, fmt.Sprintf("an update at version %d", version))
	}
	// Twice in one transaction: the second must see that the first has moved the version on.
	err := w.try(func(ctx context.Context) error {
		if err := k.update(w.store, ctx, r); err != nil {
			return err
		}
		return k.update(w.store, ctx, r)
	})
	w.is(err, tenancy.ErrStale, "the second %s at one version in one transaction", k.methods[updates])
	k.holds(w, r, "a transaction with a stale update")
}

func (k kind[R]) lockCase(w *world) {
	r := k.store(w, k.fresh(w))
	changed := k.changed(w, r)
	w.discard("a transaction that locks", func(ctx context.Context) error {
		answers(w, r, "%s", k.methods[lockings])(k.lock(w.store, ctx, r))
		if err := k.update(w.store, ctx, changed); err != nil {
			return err
		}
		answers(w, k.next(changed), "%s after an update in the same transaction", k.methods[lockings])(k.lock(w.store, ctx, changed))
		return nil
	})
	k.holds(w, r, "a transaction that locked and was rolled back")
}

func (k kind[R]) timesCase(w *world) {
	// A zone of its own and nanoseconds: 23:59:59.999999999 is cut, not rounded to midnight.
	odd := time.Date(2026, 3, 29, 1, 59, 59, 999_999_999, time.FixedZone("UTC+5:45", 20_700))
	for _, at := range []time.Time{
		odd,
		time.UnixMicro(0),  // the epoch is a time, not the lack of one
		time.UnixMicro(-1), // and so is the time before it
		time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC),
	} {
		r := k.fresh(w)
		for _, f := range k.times {
			*f.of(&r) = at
		}
		want := r
		for _, f := range k.times {
			*f.of(&want) = at.UTC().Truncate(time.Microsecond)
		}
		k.store(w, r)
		k.holds(w, want, "an insert with the time "+at.Format(time.RFC3339Nano))
	}
	zero := k.fresh(w)
	for _, f := range k.times {
		if f.optional {
			*f.of(&zero) = time.Time{}
		}
	}
	k.store(w, zero)
	k.holds(w, zero, "an insert with zero times")
	if k.update == nil {
		return
	}
	for _, f := range k.times {
		if !f.optional {
			continue
		}
		for _, at := range []time.Time{w.now(), {}} {
			*f.of(&zero) = at
			w.must(k.write(w, zero), "%s with %s = %s", k.methods[updates], f.name, shown(at))
			*k.version(&zero)++
			k.holds(w, zero, "an update of "+f.name+" to "+shown(at))
		}
	}
}

func (k kind[R]) ownWritesCase(w *world) {
	r := k.fresh(w)
	changed := k.changed(w, r)
	w.discard("a transaction that reads what it wrote", func(ctx context.Context) error {
		nothing[R](w, "%s inside, before the insert", k.methods[gets])(k.get(w.store, ctx, r))
		if err := k.insert(w.store, ctx, r); err != nil {
			return err
		}
		answers(w, r, "%s inside, after the insert", k.methods[gets])(k.get(w.store, ctx, r))
		if k.update != nil {
			if err := k.update(w.store, ctx, changed); err != nil {
				return err
			}
			answers(w, k.next(changed), "%s inside, after the update", k.methods[gets])(k.get(w.store, ctx, changed))
		}
		return nil
	})
	nothing[R](w, "%s after the rollback of its insert", k.methods[gets])(k.get(w.store, w.ctx, r))
	k.store(w, r)
	k.holds(w, r, "an insert that had been rolled back before")
	if k.update == nil {
		return
	}
	w.discard("a transaction with an update", func(ctx context.Context) error {
		return k.update(w.store, ctx, changed)
	})
	k.holds(w, r, "an update that was rolled back")
}

// enumsCase tries what attackers and slips of the pen put where one of few words belongs
// (THREATS C7: Gogs CVE-2026-52804).
func (k kind[R]) enumsCase(w *world) {
	good := k.fresh(w)
	if k.update != nil {
		k.store(w, good)
	}
	for _, f := range k.enums {
		bad := f.own
		if f.set != nil {
			for _, value := range nearly(f.legal) {
				bad = append(bad, func(r *R) { f.set(r, value) })
			}
		}
		for _, spoil := range bad {
			r := k.fresh(w)
			spoil(&r)
			w.is(k.put(w, r), tenancy.ErrInvalid, "%s with %s = %s", k.methods[inserts], f.name, shown(r))
			nothing[R](w, "%s after an insert with a bad %s", k.methods[gets], f.name)(k.get(w.store, w.ctx, r))
			if k.update != nil {
				r = good
				spoil(&r)
				w.is(k.write(w, r), tenancy.ErrInvalid, "%s with %s = %s", k.methods[updates], f.name, shown(r))
			}
		}
	}
	if k.update != nil {
		k.holds(w, good, "updates with values outside the set")
	}
}

// nearly are texts that are not the word, and that a sloppy comparison takes for it.
func nearly(word string) []string {
	return []string{
		"", word + " ", " " + word, word + "\n", "\u200b" + word, strings.ToUpper(word), strings.ToUpper(word[:1]) + word[1:],
		word[:len(word)-1], word + word, "*", "%", "no-such-value",
	}
}

func (k kind[R]) refsCase(w *world) {
	for _, f := range k.refs {
		r := k.fresh(w)
		f.set(w, &r)
		w.is(k.put(w, r), tenancy.ErrNotFound, "%s whose %s does not exist", k.methods[inserts], f.name)
		nothing[R](w, "%s after an insert whose %s does not exist", k.methods[gets], f.name)(k.get(w.store, w.ctx, r))
	}
}
