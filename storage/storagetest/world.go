package storagetest

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/tenancy"
)

// A world is what a case works in: a fresh store, a context with a deadline, ids and times
// that are the same in every run, and the means to say what went wrong.
type world struct {
	testing.TB
	ctx     context.Context //nolint:containedctx // a world lasts as long as its case
	store   storage.Store
	another func() storage.Store
	rounds  int

	name   string
	rule   rule
	random *rand.Rand
	clock  time.Time
	serial int
}

func newWorld(ctx context.Context, tb testing.TB, c testCase, open func() storage.Store, rounds int) *world {
	seed := fnv.New64a()
	_, _ = seed.Write([]byte(c.name)) // a hash cannot fail
	return &world{
		TB: tb, ctx: ctx, store: open(), another: open, rounds: rounds,
		name: c.name, rule: c.rule,
		random: rand.New(rand.NewPCG(seed.Sum64(), 1)),
		clock:  time.Date(2026, 3, 1, 9, 0, 0, 1000, time.UTC),
	}
}

// newID makes an id. Its order has nothing to do with the time of its making, so that an order
// by id and an order of insertion cannot be mistaken for one another.
func newID[I ~[16]byte](w *world) I {
	var id uuid.UUID
	for i := range id {
		id[i] = byte(w.random.IntN(256))
	}
	id[6] = id[6]&0x0f | 0x70 // version 7
	id[8] = id[8]&0x3f | 0x80 // the RFC's variant
	return I(id)
}

// next is a number that this world has not given out.
func (w *world) next() int { w.serial++; return w.serial }

// now is a time later than the last, with microseconds that a store of milliseconds loses.
func (w *world) now() time.Time {
	w.clock = w.clock.Add(time.Minute + 1_003*time.Microsecond)
	return w.clock
}

// breaks reports that the case's rule does not hold.
func (w *world) breaks(format string, args ...any) {
	w.Helper()
	where, words := w.rule.parts()
	w.Errorf("%s\n\trule: %q\n\twritten at: %s", fmt.Sprintf(format, args...), words, where)
}

// by makes what follows quote another rule.
func (w *world) by(r rule) { w.rule = r }

// stop ends the case where going on makes no sense.
func (w *world) stop(format string, args ...any) {
	w.Helper()
	w.breaks(format, args...)
	w.FailNow()
}

// must stops the case on an error of something that is only its preparation.
func (w *world) must(err error, format string, args ...any) {
	w.Helper()
	if err != nil {
		w.stop("%s: unexpected error: %v", fmt.Sprintf(format, args...), err)
	}
}

// is checks the class of an error.
func (w *world) is(err, want error, format string, args ...any) bool {
	w.Helper()
	if errors.Is(err, want) {
		return true
	}
	w.breaks("%s answered %s, want %q", fmt.Sprintf(format, args...), show(err), want)
	return false
}

func show(err error) string {
	if err == nil {
		return "no error"
	}
	return fmt.Sprintf("%q", err)
}

// same checks a value, with nothing forgiven: a time in another zone or the wrong version is
// another value.
func same[V any](w *world, got, want V, format string, args ...any) bool {
	w.Helper()
	if reflect.DeepEqual(got, want) {
		return true
	}
	w.breaks("%s:\n%s", fmt.Sprintf(format, args...), difference(got, want))
	return false
}

// answers checks the value and the absence of an error.
func answers[V any](w *world, want V, format string, args ...any) func(V, error) {
	return func(got V, err error) {
		w.Helper()
		what := fmt.Sprintf(format, args...)
		if err != nil {
			w.breaks("%s answered %s, want %s", what, show(err), shown(want))
			return
		}
		same(w, got, want, "%s", what)
	}
}

// lists checks a list; nil and empty are the same list.
func lists[V any](w *world, want []V, format string, args ...any) func([]V, error) {
	return func(got []V, err error) {
		w.Helper()
		what := fmt.Sprintf(format, args...)
		if err != nil {
			w.breaks("%s answered %s, want %d items", what, show(err), len(want))
			return
		}
		if len(got) != len(want) {
			w.breaks("%s has %d items, want %d:\n\tgot  %s\n\twant %s", what, len(got), len(want), shown(got), shown(want))
			return
		}
		for i := range want {
			if !same(w, got[i], want[i], "%s, item %d of %d", what, i+1, len(want)) {
				return
			}
		}
	}
}

// nothing checks that a look-up finds no row.
func nothing[V any](w *world, format string, args ...any) func(V, error) {
	return func(got V, err error) {
		w.Helper()
		if !errors.Is(err, tenancy.ErrNotFound) {
			w.breaks("%s answered %s with %s, want %q", fmt.Sprintf(format, args...), shown(got), show(err), tenancy.ErrNotFound)
		}
	}
}

// difference names the fields of a struct that differ, by their path.
func difference(got, want any) string {
	var lines []string
	walk("", reflect.ValueOf(got), reflect.ValueOf(want), &lines)
	if len(lines) == 0 {
		lines = []string{fmt.Sprintf("\tgot  %s\n\twant %s", shown(got), shown(want))}
	}
	return strings.Join(lines, "\n")
}

func walk(path string, got, want reflect.Value, lines *[]string) {
	descend := got.IsValid() && want.IsValid() && got.Type() == want.Type() && got.Kind() == reflect.Struct &&
		got.Type() != reflect.TypeFor[time.Time]()
	if descend {
		for i := range got.NumField() {
			if got.Type().Field(i).IsExported() {
				walk(path+"."+got.Type().Field(i).Name, got.Field(i), want.Field(i), lines)
			}
		}
		return
	}
	if path != "" && !reflect.DeepEqual(got.Interface(), want.Interface()) {
		*lines = append(*lines, fmt.Sprintf("\t%s is %s, want %s", path[1:], shown(got.Interface()), shown(want.Interface())))
	}
}

// print writes a value in a line that a screen can hold.
func shown(v any) string {
	const most = 400
	text := fmt.Sprintf("%+v", v)
	switch v := v.(type) {
	case string:
		text = fmt.Sprintf("%q", v)
	case time.Time:
		text = v.Format(time.RFC3339Nano)
		if v.Location() != time.UTC {
			text += " (not in UTC)"
		}
	}
	if len(text) > most {
		text = fmt.Sprintf("%s… (%d bytes)", text[:most], len(text))
	}
	return text
}

// tx runs a transaction that must succeed.
func (w *world) tx(what string, fn func(ctx context.Context) error) {
	w.Helper()
	w.must(w.store.InTx(w.ctx, fn), "%s", what)
}

// discard runs a transaction that does its work and is then rolled back.
func (w *world) discard(what string, fn func(ctx context.Context) error) {
	w.Helper()
	err := w.store.InTx(w.ctx, func(ctx context.Context) error {
		if err := fn(ctx); err != nil {
			return err
		}
		return errDiscard
	})
	if !errors.Is(err, errDiscard) {
		w.stop("%s: InTx answered %s, want the error that its closure returned", what, show(err))
	}
}

// errDiscard makes a transaction roll back.
var errDiscard = errors.New("storagetest: roll back")

// try runs a transaction that does one thing, and answers that thing's error.
func (w *world) try(fn func(ctx context.Context) error) error {
	w.Helper()
	return w.store.InTx(w.ctx, fn)
}

// byID sorts ids as a store must: by their bytes.
func byID[I ~[16]byte](ids []I) []I {
	slices.SortFunc(ids, func(a, b I) int { return slices.Compare(a[:], b[:]) })
	return ids
}

// missingOrEmpty is for a list of something that does not exist: the contract leaves open
// whether that is an error.
func (w *world) missingOrEmpty(items int, err error, format string, args ...any) {
	w.Helper()
	if items != 0 || err != nil && !errors.Is(err, tenancy.ErrNotFound) {
		w.breaks("%s answered %d items with %s, want none", fmt.Sprintf(format, args...), items, show(err))
	}
}

// refusedOrEmpty is for a list whose filter means nothing.
func (w *world) refusedOrEmpty(items int, err error, format string, args ...any) {
	w.Helper()
	if items != 0 || err != nil && !errors.Is(err, tenancy.ErrInvalid) {
		w.breaks("%s answered %d items with %s, want none or ErrInvalid", fmt.Sprintf(format, args...), items, show(err))
	}
}
