package sinktest

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/storage/outbox"
)

// subject is a Subject with what the checks do to it.
type subject struct {
	Subject
	testing.TB
	ctx  context.Context
	rule string
}

// breaks reports a breach of the check's rule.
func (s *subject) breaks(format string, args ...any) {
	s.Helper()
	s.Errorf("%s\n\trule: %s", fmt.Sprintf(format, args...), s.rule)
}

// needs skips the check if the subject cannot do what it needs.
func (s *subject) needs(can bool, what string) {
	s.Helper()
	if !can {
		s.Skipf("the subject has no function %s", what)
	}
}

func aStream() outbox.Stream { return outbox.Stream{Kind: outbox.TeamStream, ID: newID()} }

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

// event makes an event that the sink passes on.
func (s *subject) event(stream outbox.Stream, sequence int64) outbox.Event {
	if s.Event != nil {
		return s.Event(stream, sequence)
	}
	return outbox.Event{
		ID: newID(), Stream: stream, Sequence: sequence, Account: newID(), Team: stream.ID,
		Kind: "sinktest.happened", Version: 1, Principal: "system:sinktest",
		At: time.Date(2026, 3, 1, 9, 0, 0, 123456000, time.UTC), Payload: json.RawMessage(`{"state":"new"}`),
	}
}

// events makes the first n events of a stream.
func (s *subject) events(n int) []outbox.Event {
	stream := aStream()
	events := make([]outbox.Event, n)
	for i := range events {
		events[i] = s.event(stream, int64(i+1))
	}
	return events
}

// panickedError is what deliver makes of a panic.
type panickedError struct {
	value any
	stack []byte
}

func (p *panickedError) Error() string { return fmt.Sprintf("panic: %v\n%s", p.value, p.stack) }

// deliver hands the sink one event, in a goroutine of its own so that a sink that never answers
// fails its check and no more.
func (s *subject) deliver(ctx context.Context, e outbox.Event) error {
	answer := make(chan error, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				answer <- &panickedError{p, debug.Stack()}
			}
		}()
		answer <- s.Sink.Deliver(ctx, e)
	}()
	select {
	case err := <-answer:
		return err
	case <-s.ctx.Done():
		return errSilent
	}
}

var errSilent = fmt.Errorf("no end of Deliver: %w", context.DeadlineExceeded)

// takes checks that the sink takes an event.
func (s *subject) takes(e outbox.Event, what string) {
	s.Helper()
	if err := s.deliver(s.ctx, e); err != nil {
		s.breaks("Deliver of %s: %v", what, err)
	}
}

// has checks that an event has arrived.
func (s *subject) has(e outbox.Event, what string) {
	s.Helper()
	if s.Arrived != nil && !slices.Contains(s.Arrived(), e.ID) {
		s.breaks("Deliver answered nil for %s, which has not arrived", what)
	}
}

// inOrder checks that the events arrived, and in this order, going by the first time of each.
func (s *subject) inOrder(events []outbox.Event) {
	s.Helper()
	arrived := s.Arrived()
	last := -1
	for _, e := range events {
		at := slices.Index(arrived, e.ID)
		switch {
		case at < 0:
			s.breaks("event %d has not arrived", e.Sequence)
		case at < last:
			s.breaks("event %d arrived before the one in front of it", e.Sequence)
		}
		last = max(last, at)
	}
}
