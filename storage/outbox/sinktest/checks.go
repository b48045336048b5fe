package sinktest

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"time"
)

var checks = []check{
	{"arrival", "An answer of nil means that the event has arrived: it does not wait in memory to be passed on.", arrival},
	{"repeats", "An event may come again, also after later ones, and a repeated one is no error.", repeats},
	{"order", "Events of a stream arrive in the order in which they come.", order},
	{"refusal", "What does not arrive is answered with an error, and is taken when it comes again.", refusal},
	{"kinds to come", "An event of a kind that the sink does not know, or of a later version, is passed on or passed over, but is no error", kindsToCome},
	{"odd events", "No event makes the sink panic, and none keeps it from taking others.", oddEvents},
	{"payload", "The payload is not changed: other sinks get the same.", payload},
	{"end of the context", "Deliver ends soon after its context.", endOfContext},
	{"ended context", "Deliver ends soon after its context.", endedContext},
	{"concurrency", "Several relays may call it at once, with events of different streams.", concurrency},
}

func arrival(s *subject) {
	s.needs(s.Arrived != nil, "Arrived")
	for _, e := range s.events(3) {
		s.takes(e, "an event")
		s.has(e, "an event")
	}
}

func repeats(s *subject) {
	events := s.events(3)
	for _, e := range events {
		for range 3 {
			s.takes(e, "an event that may be a repeated one")
			s.has(e, "it")
		}
	}
	s.takes(events[0], "an event that came before others")
}

func order(s *subject) {
	s.needs(s.Arrived != nil, "Arrived")
	one, other := s.events(10), s.events(10)
	for i := range one {
		s.takes(one[i], "an event")
		s.takes(other[i], "an event of another stream")
	}
	s.inOrder(one)
	s.inOrder(other)
}

func refusal(s *subject) {
	s.needs(s.Refuse != nil, "Refuse")
	events := s.events(3)
	s.takes(events[0], "an event")
	for _, e := range events[1:] {
		s.Refuse(true)
		for range 3 {
			if err := s.deliver(s.ctx, e); err == nil {
				s.breaks("the other side refused the event, and Deliver answered nil")
			} else if errors.Is(err, errSilent) {
				s.breaks("the other side refused the event: %v", err)
			}
		}
		s.Refuse(false)
		s.takes(e, "an event that had been refused")
		s.has(e, "an event that had been refused")
	}
	if s.Arrived != nil {
		s.inOrder(events)
	}
}

func kindsToCome(s *subject) {
	events := s.events(4)
	events[1].Kind = "sinktest.of_another_year"
	events[2].Version += 1000
	s.takes(events[0], "an event")
	s.takes(events[1], "an event of an unknown kind")
	s.takes(events[2], "an event of a later version")
	s.takes(events[3], "the event after them")
	s.has(events[3], "the event after them")
}

func payload(s *subject) {
	for _, e := range s.events(2) {
		before := bytes.Clone(e.Payload)
		s.takes(e, "an event")
		if !bytes.Equal(e.Payload, before) {
			s.breaks("Deliver changed the payload from %q to %q", before, e.Payload)
		}
	}
}

// endOfContext: the other side keeps the sink waiting, and the context ends.
func endOfContext(s *subject) {
	s.needs(s.Stall != nil, "Stall")
	events := s.events(2)
	s.Stall(true)
	defer s.Stall(false)
	for name, end := range map[string]func() (context.Context, context.CancelFunc){
		"a deadline": func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(s.ctx, 20*time.Millisecond)
		},
		"cancelling": func() (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(s.ctx)
			time.AfterFunc(20*time.Millisecond, cancel)
			return ctx, cancel
		},
	} {
		ctx, cancel := end()
		err := s.deliver(ctx, events[0])
		cancel()
		switch {
		case errors.Is(err, errSilent):
			s.breaks("the context ended by %s: %v", name, err)
			return
		case err == nil:
			s.has(events[0], "an event whose context ended by "+name)
		}
	}
	s.Stall(false)
	for _, e := range events {
		s.takes(e, "an event, after the other side has recovered")
		s.has(e, "an event, after the other side has recovered")
	}
}

// endedContext: what is handed over too late may arrive or fail, but not get lost.
func endedContext(s *subject) {
	ctx, cancel := context.WithCancel(s.ctx)
	cancel()
	e := s.events(1)[0]
	err := s.deliver(ctx, e)
	if errors.Is(err, errSilent) {
		s.breaks("the context had ended before: %v", err)
		return
	}
	if err == nil {
		s.has(e, "an event whose context had ended before")
	}
	s.takes(e, "the same event under a new context")
	s.has(e, "the same event under a new context")
}

func concurrency(s *subject) {
	const streams, length = 16, 8
	var all sync.WaitGroup
	start := make(chan struct{})
	for range streams {
		events := s.events(length)
		all.Go(func() {
			<-start
			for _, e := range events {
				s.takes(e, "an event, while other streams are delivered")
				s.has(e, "an event, while other streams are delivered")
			}
			if s.Arrived != nil {
				s.inOrder(events)
			}
		})
	}
	close(start)
	all.Wait()
}
