package rbac

import (
	"math"
	"testing"
	"time"
)

// BenchmarkPolicy measures Allows over all cells that are allowed, and over all that are denied. Baselines
// of the same run, in turns so that a busy machine slows all alike: the same questions put to a plain
// array of bits, and to Casbin's Enforce.
//
//	x-array    how many times slower than the array (bar: at most 3)
//	x-enforce  how many times faster than Enforce (bar: at least 100)
func BenchmarkPolicy(b *testing.B) {
	p, err := NewPolicy()
	if err != nil {
		b.Fatal(err)
	}
	enforce := oracle(b, nil)
	for _, wanted := range []bool{true, false} {
		name := map[bool]string{true: "allow", false: "deny"}[wanted]
		b.Run(name, func(b *testing.B) { benchmarkCells(b, p, enforce, wanted) })
	}
}

type question struct {
	role Role
	perm Permission
	by   Reach
}

func benchmarkCells(b *testing.B, p *Policy, enforce decide, wanted bool) {
	var array [Holder + 1][ByGrant + 1]uint64
	var asked []question
	for _, perm := range Permissions() {
		for _, role := range subjects() {
			for _, by := range reaches() {
				allowed := p.Allows(role, perm, by)
				if allowed {
					array[role][by] |= 1 << perm
				}
				if allowed == wanted {
					asked = append(asked, question{role, perm, by})
				}
			}
		}
	}

	const turns, passes = 20, 200
	fastest := func(best *float64, took time.Duration, n int) {
		*best = min(*best, float64(took.Nanoseconds())/float64(n))
	}
	table, plain, casbin := math.Inf(1), math.Inf(1), math.Inf(1)
	yes := 0
	for range turns {
		start := time.Now()
		for range passes {
			for _, q := range asked {
				if p.Allows(q.role, q.perm, q.by) {
					yes++
				}
			}
		}
		fastest(&table, time.Since(start), passes*len(asked))

		start = time.Now()
		for range passes {
			for _, q := range asked {
				if array[q.role][q.by]&(1<<q.perm) != 0 {
					yes++
				}
			}
		}
		fastest(&plain, time.Since(start), passes*len(asked))

		start = time.Now()
		for _, q := range asked[:20] {
			if ok, err := enforce(q.role.String(), builtin[q.perm].object, builtin[q.perm].action, q.by.String()); err != nil {
				b.Fatal(err)
			} else if ok {
				yes++
			}
		}
		fastest(&casbin, time.Since(start), 20)
	}
	if all := turns * (2*passes*len(asked) + 20); wanted && yes != all || !wanted && yes != 0 {
		b.Fatalf("%d of %d answers were yes", yes, all)
	}

	b.ReportAllocs()
	for i := 0; b.Loop(); i = (i + 1) % len(asked) {
		q := asked[i]
		if p.Allows(q.role, q.perm, q.by) != wanted {
			b.Fatal(q)
		}
	}
	b.ReportMetric(table, "table-ns")
	b.ReportMetric(plain, "array-ns")
	b.ReportMetric(casbin, "enforce-ns")
	b.ReportMetric(table/plain, "x-array")
	b.ReportMetric(casbin/table, "x-enforce")
}

// BenchmarkNewPolicy is what a program pays once, at start.
func BenchmarkNewPolicy(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := NewPolicy(); err != nil {
			b.Fatal(err)
		}
	}
}
