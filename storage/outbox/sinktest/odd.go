package sinktest

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/storage/outbox"
)

// oddEvents: none of these can be written by usher today, but a row can be damaged, a version
// can be old, a host can write events of its own. An error is a good answer to any of them.
func oddEvents(s *subject) {
	for what, spoil := range oddities {
		e := s.event(aStream(), 1)
		spoil(&e)
		err := s.deliver(s.ctx, e)
		var panicked *panickedError
		if errors.As(err, &panicked) || errors.Is(err, errSilent) {
			s.breaks("Deliver of an event with %s: %v", what, err)
		}
		plain := s.event(aStream(), 1)
		s.takes(plain, "the event after one with "+what)
		s.has(plain, "the event after one with "+what)
	}
}

var oddities = map[string]func(e *outbox.Event){
	"nothing in it":          func(e *outbox.Event) { *e = outbox.Event{} },
	"no id":                  func(e *outbox.Event) { e.ID = uuid.Nil },
	"no kind":                func(e *outbox.Event) { e.Kind = "" },
	"a kind of odd letters":  func(e *outbox.Event) { e.Kind = "a\x00b\r\nX-Evil: 1\xff<>\u202e" },
	"a long kind":            func(e *outbox.Event) { e.Kind = strings.Repeat("k", 1<<16) },
	"no stream":              func(e *outbox.Event) { e.Stream = outbox.Stream{} },
	"an unknown stream":      func(e *outbox.Event) { e.Stream.Kind = "galaxy" },
	"no owner":               func(e *outbox.Event) { e.Account, e.Team = uuid.Nil, uuid.Nil },
	"no principal":           func(e *outbox.Event) { e.Principal = "" },
	"the largest sequence":   func(e *outbox.Event) { e.Sequence = math.MaxInt64 },
	"a negative sequence":    func(e *outbox.Event) { e.Sequence = math.MinInt64 },
	"a negative version":     func(e *outbox.Event) { e.Version = -1 },
	"no time":                func(e *outbox.Event) { e.At = time.Time{} },
	"a time of five digits":  func(e *outbox.Event) { e.At = time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC) },
	"a time of another zone": func(e *outbox.Event) { e.At = e.At.In(time.FixedZone("", 14*60*60)) },
	"no payload":             func(e *outbox.Event) { e.Payload = nil },
	"an empty payload":       func(e *outbox.Event) { e.Payload = json.RawMessage{} },
	"a payload of null":      func(e *outbox.Event) { e.Payload = json.RawMessage(`null`) },
	"a payload of a list":    func(e *outbox.Event) { e.Payload = json.RawMessage(`[1,2]`) },
	"a payload of a text":    func(e *outbox.Event) { e.Payload = json.RawMessage(`"\u0000\ud800<script>"`) },
	"a payload of a number":  func(e *outbox.Event) { e.Payload = json.RawMessage(`-1e400`) },
	"a payload cut short":    func(e *outbox.Event) { e.Payload = json.RawMessage(`{"state":`) },
	"a payload of bytes":     func(e *outbox.Event) { e.Payload = json.RawMessage("\xff\xfe\x00") },
	"a deep payload": func(e *outbox.Event) {
		e.Payload = json.RawMessage(strings.Repeat("[", 20000) + strings.Repeat("]", 20000))
	},
	"a large payload": func(e *outbox.Event) {
		e.Payload = json.RawMessage(`{"state":"` + strings.Repeat("x", 1<<20) + `"}`)
	},
}
