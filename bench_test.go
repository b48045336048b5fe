package usher_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// side is one of the two that a benchmark compares: it answers one of a number of questions, and is
// asked as many in each turn, so that a turn is long for the clock and short for the scheduler.
type side struct {
	name string
	each int
	ask  func(question int) error
}

// questions answers the next question, which is the same for both sides in the long run only.
type questions func() int

// atRandom is any of a number of questions each time: what is asked about is in no cache when there are
// many.
func atRandom(of int) questions {
	random := rand.New(rand.NewPCG(1, 2))
	return func() int { return random.IntN(of) }
}

// busy is how many members a server hears from at a time, so to speak.
const busy = 256

// inTurn is a fixed choice of the questions, drawn once and asked over and over, as the same people send
// request after request.
func inTurn(of int) questions {
	chosen, next := rand.New(rand.NewPCG(1, 2)).Perm(of), 0
	chosen = chosen[:min(of, busy)]
	return func() int {
		next++
		return chosen[next%len(chosen)]
	}
}

// inTurns asks both sides, turn by turn for as long as the benchmark runs, and reports what a question
// costs each of them, and how many times as long the subject takes. It reports medians, and the median of
// the turns' ratios: on a machine that others use, whoever comes in between hits the two sides of one turn
// alike.
func inTurns(b *testing.B, ask questions, subject, other side) {
	var costs, others, ratios []float64
	for b.Loop() {
		cost, by := subject.turn(b, ask), other.turn(b, ask)
		costs, others, ratios = append(costs, cost), append(others, by), append(ratios, cost/by)
	}
	b.ReportMetric(0, "ns/op") // of both sides and the choice of questions: of no meaning
	b.ReportMetric(median(costs), "usher-ns")
	b.ReportMetric(median(others), other.name+"-ns")
	b.ReportMetric(median(ratios), "x-"+other.name)
	b.ReportMetric(testing.AllocsPerRun(subject.each, func() { _ = subject.ask(0) }), "usher-allocs")
}

// turn is what one question costs, in nanoseconds.
func (s side) turn(b *testing.B, ask questions) float64 {
	b.Helper()
	asked := make([]int, s.each)
	for i := range asked {
		asked[i] = ask()
	}
	start := time.Now()
	for _, question := range asked {
		if err := s.ask(question); err != nil {
			b.Fatal(err)
		}
	}
	return float64(time.Since(start).Nanoseconds()) / float64(s.each)
}

func median(of []float64) float64 {
	slices.Sort(of)
	return of[len(of)/2]
}
