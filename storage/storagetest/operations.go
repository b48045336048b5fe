package storagetest

import (
	"context"
	"strings"
	"time"

	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/tenancy"
)

func operations() kind[tenancy.Operation] {
	type row = tenancy.Operation
	return kind[row]{
		name: "operation", methods: []string{"InsertOperation", "", "Operation"},
		fresh:  func(w *world) row { return w.anOperation() },
		insert: storage.Store.InsertOperation,
		get: func(s storage.Store, ctx context.Context, o row) (row, error) {
			return s.Operation(ctx, o.Principal, o.Key)
		},
		stray: func(w *world, o row) row { return w.anOperation() },
		rival: func(w *world, o row) row {
			rival := w.anOperation()
			rival.Principal, rival.Key = o.Principal, o.Key
			return rival
		},
		times: []timeField[row]{
			{"At", true, func(o *row) *time.Time { return &o.At }},
		},
	}
}

func operationCases() []testCase {
	return append(operations().cases(),
		testCase{
			name: "operations are unique by principal and key together", rule: ruleOperations,
			covers: []string{"InsertOperation", "Operation"}, run: operationKeysCase,
		},
		testCase{
			name: "operations come back byte for byte", rule: ruleBytes,
			covers: []string{"InsertOperation", "Operation"}, run: operationValuesCase,
		},
		testCase{
			name: "operations are forgotten strictly before a time", rule: ruleForget,
			covers: []string{"ForgetOperations"}, run: forgetCase,
		},
		testCase{
			name: "operations that were forgotten in vain are kept", rule: ruleForget,
			covers: []string{"ForgetOperations"}, run: forgetUndoneCase,
		},
	)
}

// operationKeysCase: a key is the principal's own. One who guesses another's key must neither
// read the answer to it nor keep its owner from using it.
func operationKeysCase(w *world) {
	k := operations()
	mine := w.operation()
	theirs, other := mine, mine
	theirs.Principal, other.Key = w.anOperation().Principal, w.anOperation().Key
	for _, o := range []tenancy.Operation{theirs, other} {
		nothing[tenancy.Operation](w, "Operation with one half of the key")(k.get(w.store, w.ctx, o))
		o.Result = w.anOperation().Result
		k.store(w, o)
		k.holds(w, o, "an insert with one half of another's key")
	}
	k.holds(w, mine, "inserts with each half of its key")

	// The two texts put together are the same; the keys are not.
	for _, o := range []tenancy.Operation{{Principal: "system:a", Key: "b c"}, {Principal: "system:a b", Key: "c"}, {Principal: "system:ab", Key: " c"}} {
		full := w.anOperation()
		full.Principal, full.Key = o.Principal, o.Key
		k.store(w, full)
		k.holds(w, full, "inserts of keys that are alike when they are joined")
	}
	w.by(ruleInvalid)
	for _, o := range []tenancy.Operation{{Principal: mine.Principal}, {Key: mine.Key}} {
		half := w.anOperation()
		half.Principal, half.Key = o.Principal, o.Key
		w.is(k.put(w, half), tenancy.ErrInvalid, "InsertOperation with half a key")
	}
	w.by(ruleDuplicate)
	w.is(w.try(func(ctx context.Context) error {
		if err := w.store.InsertOperation(ctx, w.anOperation()); err != nil {
			return err
		}
		return w.store.InsertOperation(ctx, mine)
	}), tenancy.ErrDuplicate, "InsertOperation for the second time")
}

func operationValuesCase(w *world) {
	k := operations()
	for _, result := range []string{
		"null", `{}`, "{\"b\": 1,\n\"a\" :\"\\u00e9é👋\",\"n\":1.10,\"big\":12345678901234567890}", `" trailing "  `,
		`"` + strings.Repeat("x", 100_000) + `"`,
	} {
		o := w.anOperation()
		o.Result = []byte(result)
		for i := range o.Request { // a hash has bytes of every kind
			o.Request[i] = byte(i * 37)
		}
		k.store(w, o)
		k.holds(w, o, "an insert")
	}
	// The longest principal and key, and another that differs in the last letter only.
	for _, last := range []string{"a", "b"} {
		o := w.anOperation()
		o.Principal = tenancy.System(strings.Repeat("s", tenancy.MaxSystemName)).Principal()
		o.Key = strings.Repeat("k", tenancy.MaxKey-1) + last
		k.store(w, o)
		k.holds(w, o, "an insert with the longest key")
	}
}

// forgetCase stores operations around a moment in an order that is not that of their times.
func forgetCase(w *world) {
	k := operations()
	noon := w.now()
	var rows []tenancy.Operation
	for _, d := range []time.Duration{time.Microsecond, -time.Hour, 0, -time.Microsecond, time.Hour, -time.Microsecond, 0, -24 * time.Hour} {
		o := w.anOperation()
		o.At = noon.Add(d)
		rows = append(rows, k.store(w, o))
	}
	for _, step := range []struct {
		before time.Time
		want   int
	}{
		{time.Time{}, 0},
		{noon.Add(-48 * time.Hour), 0},
		{noon.In(time.FixedZone("UTC-7", -7*3600)), 4},
		{noon, 0},
		{noon.Add(999 * time.Nanosecond), 0}, // finer than what is kept
		{noon.Add(time.Microsecond), 2},
		{noon.AddDate(1, 0, 0), 2},
		{noon.AddDate(1, 0, 0), 0},
	} {
		var forgotten int
		w.tx("ForgetOperations", func(ctx context.Context) (err error) {
			forgotten, err = w.store.ForgetOperations(ctx, step.before)
			return err
		})
		if forgotten != step.want {
			w.breaks("ForgetOperations before %s, which is %v from the moment, answered %d, want %d", shown(step.before), step.before.Sub(noon), forgotten, step.want)
		}
		for _, o := range rows {
			if o.At.Before(step.before.Truncate(time.Microsecond)) {
				nothing[tenancy.Operation](w, "Operation of one that was forgotten")(k.get(w.store, w.ctx, o))
			} else {
				k.holds(w, o, "operations from before it were forgotten")
			}
		}
		if w.Failed() {
			return
		}
	}
	again := rows[1]
	again.Result = w.anOperation().Result
	k.store(w, again)
	k.holds(w, again, "an insert under a key that was forgotten")
}

func forgetUndoneCase(w *world) {
	k := operations()
	first, second := w.operation(), w.operation()
	fresh := w.anOperation()
	w.discard("a transaction that forgets", func(ctx context.Context) error {
		if err := k.insert(w.store, ctx, fresh); err != nil {
			return err
		}
		n, err := w.store.ForgetOperations(ctx, w.now())
		if err == nil && n != 3 {
			w.breaks("ForgetOperations answered %d, want 3, of which one is the transaction's own", n)
		}
		nothing[tenancy.Operation](w, "Operation inside, after ForgetOperations")(k.get(w.store, ctx, first))
		return err
	})
	k.holds(w, first, "a ForgetOperations that was rolled back")
	k.holds(w, second, "a ForgetOperations that was rolled back")
	nothing[tenancy.Operation](w, "Operation of one that was never committed")(k.get(w.store, w.ctx, fresh))
	w.tx("ForgetOperations", func(ctx context.Context) error {
		n, err := w.store.ForgetOperations(ctx, second.At)
		if err == nil && n != 1 {
			w.breaks("ForgetOperations answered %d, want 1", n)
		}
		return err
	})
	k.holds(w, second, "ForgetOperations before its time")
}
