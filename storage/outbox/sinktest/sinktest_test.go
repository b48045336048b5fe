package sinktest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/storage/outbox"
)

// world is the other side of a sink: it takes what it is given, in order.
type world struct {
	mu      sync.Mutex
	arrived []uuid.UUID
	refuses bool
	stalled chan struct{} // not nil while it keeps callers waiting
}

var errRefused = errors.New("refused")

func (w *world) take(ctx context.Context, id uuid.UUID) error {
	w.mu.Lock()
	stalled := w.stalled
	w.mu.Unlock()
	if stalled != nil {
		select {
		case <-stalled:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refuses {
		return errRefused
	}
	w.arrived = append(w.arrived, id)
	return nil
}

func (w *world) subject(deliver func(ctx context.Context, e outbox.Event) error) Subject {
	return Subject{
		Sink: outbox.SinkFunc(deliver),
		Arrived: func() []uuid.UUID {
			w.mu.Lock()
			defer w.mu.Unlock()
			return append([]uuid.UUID(nil), w.arrived...)
		},
		Refuse: func(on bool) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.refuses = on
		},
		Stall: func(on bool) {
			w.mu.Lock()
			defer w.mu.Unlock()
			switch {
			case on:
				w.stalled = make(chan struct{})
			case w.stalled != nil:
				close(w.stalled)
				w.stalled = nil
			}
		},
	}
}

func good(w *world) Subject {
	return w.subject(func(ctx context.Context, e outbox.Event) error { return w.take(ctx, e.ID) })
}

func TestAGoodSink(t *testing.T) {
	Run(t, func(*testing.T) Subject { return good(&world{}) })
}

func TestASinkThatKeepsNotesOfWhatItSent(t *testing.T) {
	Run(t, func(*testing.T) Subject {
		w := &world{}
		var mu sync.Mutex
		sent := map[uuid.UUID]bool{}
		return w.subject(func(ctx context.Context, e outbox.Event) error {
			mu.Lock()
			defer mu.Unlock()
			if sent[e.ID] {
				return nil
			}
			err := w.take(ctx, e.ID)
			sent[e.ID] = err == nil
			return err
		})
	})
}

func TestASinkForEventsOfItsOwn(t *testing.T) {
	Run(t, func(*testing.T) Subject {
		w := &world{}
		s := w.subject(func(ctx context.Context, e outbox.Event) error {
			if e.Kind != "invoice.paid" {
				return nil // passed over
			}
			return w.take(ctx, e.ID)
		})
		s.Event = func(stream outbox.Stream, sequence int64) outbox.Event {
			return outbox.Event{ID: uuid.New(), Stream: stream, Sequence: sequence, Kind: "invoice.paid", Version: 1}
		}
		return s
	})
}

// A sink that says nothing of itself is checked for what can be seen from outside.
func TestASinkWithoutAnotherSide(t *testing.T) {
	Run(t, func(*testing.T) Subject {
		return Subject{Sink: outbox.SinkFunc(func(context.Context, outbox.Event) error { return nil })}
	})
}

// recorder is a testing.TB that notes what a check says.
type recorder struct {
	testing.TB
	mu      sync.Mutex
	said    []string
	skipped string
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.said = append(r.said, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

func (r *recorder) Skipf(format string, args ...any) {
	r.skipped = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// broken are sinks with one fault each, and the checks that must find it.
var broken = map[string]struct {
	found string
	make  func(w *world) func(ctx context.Context, e outbox.Event) error
}{
	"drops everything": {"arrival repeats order refusal kinds_to_come odd_events end_of_the_context ended_context concurrency", func(*world) func(context.Context, outbox.Event) error {
		return func(context.Context, outbox.Event) error { return nil }
	}},
	"passes on later": {"arrival repeats order refusal kinds_to_come odd_events ended_context concurrency end_of_the_context", func(w *world) func(context.Context, outbox.Event) error {
		var mu sync.Mutex
		var waiting []uuid.UUID
		return func(ctx context.Context, e outbox.Event) error {
			mu.Lock()
			defer mu.Unlock()
			if waiting = append(waiting, e.ID); len(waiting) > 3 {
				_ = w.take(ctx, waiting[0])
				waiting = waiting[1:]
			}
			return nil
		}
	}},
	"refuses repeats": {"repeats", func(w *world) func(context.Context, outbox.Event) error {
		var seen sync.Map
		return func(ctx context.Context, e outbox.Event) error {
			if _, again := seen.Load(e.ID); again {
				return errors.New("duplicate key")
			}
			if err := w.take(ctx, e.ID); err != nil {
				return err
			}
			seen.Store(e.ID, true)
			return nil
		}
	}},
	"takes what it was given last first": {"order refusal concurrency", func(w *world) func(context.Context, outbox.Event) error {
		return func(ctx context.Context, e outbox.Event) error {
			if err := w.take(ctx, e.ID); err != nil {
				return err
			}
			w.mu.Lock()
			defer w.mu.Unlock()
			last := len(w.arrived) - 1
			copy(w.arrived[1:], w.arrived[:last])
			w.arrived[0] = e.ID
			return nil
		}
	}},
	"swallows errors": {"refusal end_of_the_context", func(w *world) func(context.Context, outbox.Event) error {
		return func(ctx context.Context, e outbox.Event) error { _ = w.take(ctx, e.ID); return nil }
	}},
	"hangs when it is refused": {"refusal", func(w *world) func(context.Context, outbox.Event) error {
		return func(ctx context.Context, e outbox.Event) error {
			err := w.take(ctx, e.ID)
			if errors.Is(err, errRefused) {
				select {}
			}
			return err
		}
	}},
	"never recovers": {"refusal end_of_the_context", func(w *world) func(context.Context, outbox.Event) error {
		var mu sync.Mutex
		var failed error
		return func(ctx context.Context, e outbox.Event) error {
			mu.Lock()
			defer mu.Unlock()
			if failed == nil {
				failed = w.take(ctx, e.ID)
			}
			return failed
		}
	}},
	"forgets what was refused": {"refusal end_of_the_context", func(w *world) func(context.Context, outbox.Event) error {
		var seen sync.Map
		return func(ctx context.Context, e outbox.Event) error {
			if _, again := seen.LoadOrStore(e.ID, true); again {
				return nil
			}
			return w.take(ctx, e.ID)
		}
	}},
	"knows its kinds only": {"kinds_to_come", func(w *world) func(context.Context, outbox.Event) error {
		return func(ctx context.Context, e outbox.Event) error {
			if e.Kind == "sinktest.of_another_year" {
				return errors.New("unknown kind")
			}
			return w.take(ctx, e.ID)
		}
	}},
	"knows its versions only": {"kinds_to_come", func(w *world) func(context.Context, outbox.Event) error {
		return func(ctx context.Context, e outbox.Event) error {
			if e.Version > 1 {
				return errors.New("unknown version")
			}
			return w.take(ctx, e.ID)
		}
	}},
	"panics on an empty payload": {"odd_events", func(w *world) func(context.Context, outbox.Event) error {
		return func(ctx context.Context, e outbox.Event) error {
			_ = e.Payload[0]
			return w.take(ctx, e.ID)
		}
	}},
	"keeps a lock when it fails": {"odd_events", func(w *world) func(context.Context, outbox.Event) error {
		var mu sync.Mutex
		return func(ctx context.Context, e outbox.Event) error {
			mu.Lock()
			if e.Payload[0] == 0xff {
				return errors.New("not JSON") // and the lock stays
			}
			mu.Unlock()
			return w.take(ctx, e.ID)
		}
	}},
	"changes the payload": {"payload", func(w *world) func(context.Context, outbox.Event) error {
		var mu sync.Mutex
		return func(ctx context.Context, e outbox.Event) error {
			mu.Lock()
			if len(e.Payload) > 0 {
				e.Payload[0] = ' '
			}
			mu.Unlock()
			return w.take(ctx, e.ID)
		}
	}},
	"does not look at its context": {"end_of_the_context", func(w *world) func(context.Context, outbox.Event) error {
		return func(ctx context.Context, e outbox.Event) error { return w.take(context.WithoutCancel(ctx), e.ID) }
	}},
	"waits for ever on an ended context": {"ended_context", func(w *world) func(context.Context, outbox.Event) error {
		return func(ctx context.Context, e outbox.Event) error {
			if ctx.Err() != nil {
				select {}
			}
			return w.take(ctx, e.ID)
		}
	}},
	"loses what comes too late": {"ended_context end_of_the_context", func(w *world) func(context.Context, outbox.Event) error {
		return func(ctx context.Context, e outbox.Event) error {
			err := w.take(ctx, e.ID)
			if ctx.Err() != nil {
				w.mu.Lock()
				defer w.mu.Unlock()
				if err == nil {
					w.arrived = w.arrived[:len(w.arrived)-1]
				}
				return nil
			}
			return err
		}
	}},
	"takes one at a time": {"concurrency", func(w *world) func(context.Context, outbox.Event) error {
		var mu sync.Mutex
		var waiting sync.Cond
		waiting.L = &mu
		busy := 0
		return func(ctx context.Context, e outbox.Event) error {
			mu.Lock()
			busy++
			waiting.Broadcast()
			for busy == 1 && strings.Contains(ctx.Value(together{}).(string), "concurrency") {
				waiting.Wait() // until a second caller comes, so that the fault is sure to show
			}
			crowd := busy > 1
			mu.Unlock()
			defer func() { mu.Lock(); busy--; mu.Unlock() }()
			if crowd {
				return errors.New("busy")
			}
			return w.take(ctx, e.ID)
		}
	}},
}

type together struct{}

func TestBrokenSinksAreFound(t *testing.T) {
	for name, b := range broken {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			var found []string
			for _, c := range checks {
				w := &world{}
				sink := b.make(w)
				s := w.subject(func(ctx context.Context, e outbox.Event) error {
					return sink(context.WithValue(ctx, together{}, c.name), e)
				})
				if said := watch(t, c, s); len(said) > 0 {
					assert.Contains(t, said[0], "rule: "+c.rule)
					found = append(found, strings.ReplaceAll(c.name, " ", "_"))
				}
			}
			assert.Subset(t, found, strings.Fields(b.found))
		})
	}
}

// watch runs a check and answers what it complains of.
func watch(t *testing.T, c check, s Subject) []string {
	r := &recorder{TB: t}
	over := make(chan struct{})
	go func() {
		defer close(over)
		c.on(r, s, 300*time.Millisecond)
	}()
	<-over
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.said
}

func TestEveryCheckFindsSomething(t *testing.T) {
	for _, c := range checks {
		found := false
		for _, b := range broken {
			found = found || strings.Contains(" "+b.found+" ", " "+strings.ReplaceAll(c.name, " ", "_")+" ")
		}
		assert.True(t, found, "no broken sink fails %q", c.name)
	}
}

func TestASubjectNeedsASink(t *testing.T) {
	assert.Len(t, watch(t, checks[0], Subject{}), 1)
}

func TestTheRulesStandInTheContract(t *testing.T) {
	text, err := os.ReadFile("../sink.go")
	require.NoError(t, err)
	var contract strings.Builder
	for line := range strings.Lines(string(text)) {
		if words, comment := strings.CutPrefix(strings.TrimSpace(line), "//"); comment {
			contract.WriteString(" " + strings.TrimPrefix(strings.TrimSpace(words), "- "))
		}
	}
	for _, c := range checks {
		assert.Contains(t, contract.String(), c.rule)
	}
}
