package storagetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/tenancy"
)

// aKeptOperation is not made by the principal of anyone in particular: a store has no rule
// about principals.
func (w *world) aKeptOperation() tenancy.Operation {
	n := w.next()
	return tenancy.Operation{
		Principal: tenancy.Self(newID[tenancy.UserID](w)).Principal(), Key: fmt.Sprintf("request-%d", n),
		Request: sha256.Sum256(fmt.Appendf(nil, "request %d", n)),
		Result:  fmt.Appendf(nil, `{"number": %d,"text" :"\u00e9é👋"}`, n), At: w.now(),
	}
}

func keptOperations() kind[tenancy.Operation] {
	type row = tenancy.Operation
	return kind[row]{
		name: "operation", methods: []string{"InsertOperation", "", "Operation"},
		fresh:  (*world).aKeptOperation,
		insert: storage.Store.InsertOperation,
		get: func(s storage.Store, ctx context.Context, o row) (row, error) {
			return s.Operation(ctx, o.Principal, o.Key)
		},
		stray: func(w *world, o row) row { o.Key += "0"; return o },
		rival: func(w *world, o row) row {
			rival := w.aKeptOperation()
			rival.Principal, rival.Key = o.Principal, o.Key
			return rival
		},
		times: []timeField[row]{
			{"At", false, func(o *row) *time.Time { return &o.At }},
		},
	}
}

func operationCases() []testCase {
	return append(keptOperations().cases(),
		testCase{
			name: "operation keys are unique for each principal", rule: ruleOperation,
			covers: []string{"InsertOperation", "Operation"}, run: operationKeyCase,
		},
		testCase{
			name: "operations from before a time are forgotten", rule: ruleForget,
			covers: []string{"ForgetOperations", "Operation"}, run: forgetCase,
		},
		testCase{
			name: "operations keep their result byte for byte and their own", rule: ruleMemory,
			covers: []string{"InsertOperation", "Operation"}, run: operationResultCase,
		},
	)
}

func operationKeyCase(w *world) {
	k := keptOperations()
	a := k.store(w, w.aKeptOperation())
	// Another principal's key is another key, however the two are put together.
	b, c := w.aKeptOperation(), w.aKeptOperation()
	b.Key = a.Key
	c.Principal, c.Key = a.Principal+a.Key[:1], a.Key[1:]
	k.store(w, b)
	k.store(w, c)
	for _, o := range []tenancy.Operation{a, b, c} {
		k.holds(w, o, "operations of other principals and keys")
	}
	nothing[tenancy.Operation](w, "Operation of a principal without any")(w.store.Operation(w.ctx, w.aKeptOperation().Principal, a.Key))
}

func forgetCase(w *world) {
	k := keptOperations()
	before := w.now()
	forget := func(ctx context.Context, at time.Time, want int) error {
		n, err := w.store.ForgetOperations(ctx, at)
		if err == nil && n != want {
			w.breaks("ForgetOperations answered that it forgot %d, want %d", n, want)
		}
		return err
	}
	var old, kept []tenancy.Operation
	for i := range 6 {
		o := w.aKeptOperation()
		o.At = before.Add(time.Duration(i-3) * time.Microsecond)
		k.store(w, o)
		if o.At.Before(before) {
			old = append(old, o)
		} else {
			kept = append(kept, o) // also the one of that very microsecond
		}
	}
	w.discard("a transaction that forgets", func(ctx context.Context) error {
		if err := forget(ctx, before, len(old)); err != nil {
			return err
		}
		nothing[tenancy.Operation](w, "Operation inside, after it was forgotten")(w.store.Operation(ctx, old[0].Principal, old[0].Key))
		return nil
	})
	for _, o := range slices.Concat(old, kept) {
		k.holds(w, o, "the rollback of a ForgetOperations")
	}
	for _, n := range []int{len(old), 0} { // the second time there is nothing left
		w.tx("ForgetOperations", func(ctx context.Context) error { return forget(ctx, before, n) })
	}
	for _, o := range old {
		nothing[tenancy.Operation](w, "Operation after it was forgotten")(w.store.Operation(w.ctx, o.Principal, o.Key))
	}
	for _, o := range kept {
		k.holds(w, o, "ForgetOperations of older ones")
	}
	k.store(w, old[0]) // the key is free
	k.holds(w, old[0], "an insert with a key that was forgotten")
}

func operationResultCase(w *world) {
	k := keptOperations()
	o := w.aKeptOperation()
	o.Result = fmt.Appendf(nil, `{"items": [%s 1]}`, bytes.Repeat([]byte("{\"n\" :1.10,\n\"t\":\"\\u00e9é👋\"}, "), 4000)) // over 64 KiB
	want := o
	want.Result = bytes.Clone(o.Result)
	k.store(w, o)
	blot(o.Result) // what was given
	k.holds(w, want, "writing into the result that was given")
	got, err := w.store.Operation(w.ctx, o.Principal, o.Key)
	w.must(err, "Operation")
	blot(got.Result) // what was answered
	k.holds(w, want, "writing into the result that was answered")
}
