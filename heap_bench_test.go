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
	teams := crowd(min(*mostTeams, 100_000))
	for b.Loop() {
		store := memory.New()
		teams.fillPeople(b, store)
		before := heap()
		teams.fillMemberships(b, store)
		inStore := heap() - before
		runtime.KeepAlive(store)
		store = nil

		before = heap()
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
	teams := crowd(min(*mostTeams, 100_000))
	shared := casbinSetups[1]
	for b.Loop() {
		before := heap()
		e := shared.enforcer(b, teams)
		inCasbin := heap() - before
		runtime.KeepAlive(e)
		e = nil

		before = heap()
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

// heap is how many bytes are in use when all garbage is collected. What a loop is about to measure must
// not be freed in between: it sets what it is done with to nil before it asks.
func heap() int64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC() // what a first one has only marked to be swept
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc) //nolint:gosec // no heap has 8 EiB
}
