package sinktest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/storage/outbox"
)

// Subject is a sink under test and what the suite has to know of the other side, the one that
// the sink passes events on to. The functions are called by several goroutines at once. Checks that
// need a function which is nil are skipped, and say so.
type Subject struct {
	Sink outbox.Sink
	// Event makes the event of a stream with this sequence, with an id of its own, such that
	// the sink passes it on. Without it, it is one of a made-up kind, with a payload of an object.
	Event func(stream outbox.Stream, sequence int64) outbox.Event
	// Arrived answers the ids of the events that have arrived on the other side, in the order in
	// which they did, repeated ones each time or only once.
	Arrived func() []uuid.UUID
	// Refuse makes the other side refuse events until it is called again with false.
	Refuse func(bool)
	// Stall makes the other side keep those who call it waiting until it is called again with
	// false, which lets them go on.
	Stall func(bool)
}

// Run runs the suite on the sinks that open makes, one for each check. Open registers what has to
// be closed with t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) Subject) {
	t.Helper()
	for _, c := range checks {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			c.on(t, open(t), patience)
		})
	}
}

// patience turns a hang into a failure; it is no measure of speed.
const patience = 30 * time.Second

// A check is one rule.
type check struct {
	name string
	// rule is a sentence of the comment on outbox.Sink.
	rule string
	run  func(s *subject)
}

// on runs the check. It takes a testing.TB, so that the suite's own tests can watch it fail.
func (c check) on(tb testing.TB, s Subject, patience time.Duration) {
	tb.Helper()
	if s.Sink == nil {
		tb.Fatalf("sinktest: open answered a Subject without a Sink")
	}
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	defer cancel()
	c.run(&subject{Subject: s, TB: tb, ctx: ctx, rule: c.rule})
}
