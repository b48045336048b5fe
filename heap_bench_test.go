package usher_test

import (
	"runtime"
	"testing"

	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/tenancy"
)

// BenchmarkMemberships measures what a membership takes in the memory store, with all lists in which it
// stands, against one map of the same rows. The bar is 2.5 times the bytes.
func BenchmarkMemberships(b *testing.B) {
	teams := crowd(min(most(), 100_000))
	for b.Loop() {
		inStore := membershipsInStore(b, teams)
		before := heap()
		rows := map[tenancy.Actor]tenancy.Membership{}
		for n := range teams.users() {
			rows[teams.actor(n)] = teams.membership(n)
		}
		inMap := heap() - before
		runtime.KeepAlive(rows)

		each := float64(teams.users())
		b.ReportMetric(float64(inStore)/each, "usher-B")
		b.ReportMetric(float64(inMap)/each, "map-B")
		b.ReportMetric(float64(inStore)/float64(inMap), "x-map")
	}
	b.ReportMetric(0, "ns/op")
}

// BenchmarkHeap measures what a crowd takes in the memory store against Casbin with rules that all teams
// share: first its memberships, which are all that Casbin holds, then its accounts, teams and users as well.
// The bar is a fifth at 100,000 teams.
func BenchmarkHeap(b *testing.B) {
	teams := crowd(min(most(), 100_000))
	shared := casbinSetups[1]
	for b.Loop() {
		inCasbin := membershipsInCasbin(b, shared, teams)
		before := heap()
		store := memory.New()
		teams.fillPeople(b, store)
		people := heap() - before
		teams.fillMemberships(b, store)
		all := heap() - before
		runtime.KeepAlive(store)

		b.ReportMetric(float64(all)/(1<<20), "usher-MiB")
		b.ReportMetric(float64(all-people)/(1<<20), "usher-memberships-MiB")
		b.ReportMetric(float64(inCasbin)/(1<<20), "casbin-MiB")
		b.ReportMetric(float64(all-people)/float64(inCasbin), "x-casbin")
	}
	b.ReportMetric(0, "ns/op")
}

// Each is a function of its own, so that what it has measured is garbage before the next is.
func membershipsInStore(b *testing.B, teams crowd) int64 {
	b.Helper()
	store := memory.New()
	teams.fillPeople(b, store)
	before := heap()
	teams.fillMemberships(b, store)
	defer runtime.KeepAlive(store)
	return heap() - before
}

func membershipsInCasbin(b *testing.B, setup casbinSetup, teams crowd) int64 {
	b.Helper()
	before := heap()
	e := setup.enforcer(b, teams)
	defer runtime.KeepAlive(e)
	return heap() - before
}

// heap is how many bytes are in use when all garbage is collected.
func heap() int64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC() // what a first one has only marked to be swept
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
