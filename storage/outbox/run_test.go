package outbox_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/storage/outbox"
)

// bubble runs a test with a clock of its own, which stands still while anything can go on, and
// fails it if a goroutine is left at the end.
func bubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, test)
}

// running starts Run and answers what waits for its end.
func running(ctx context.Context, relay *outbox.Relay) (ended func() error) {
	answer := make(chan error, 1)
	go func() { answer <- relay.Run(ctx) }()
	return func() error { return <-answer }
}

func TestRunLooksAgainAfterTheInterval(t *testing.T) {
	for _, tt := range []struct {
		options []outbox.Option
		want    time.Duration
	}{
		{nil, time.Second},
		{[]outbox.Option{outbox.WithInterval(0), outbox.WithTimer(nil), outbox.WithErrors(nil)}, time.Second},
		{[]outbox.Option{outbox.WithInterval(-1)}, time.Second},
		{[]outbox.Option{outbox.WithInterval(90 * time.Millisecond)}, 90 * time.Millisecond},
	} {
		bubble(t, func(t *testing.T) {
			w := newWorld()
			arrived := make(chan time.Time, 10)
			sink := outbox.SinkFunc(func(context.Context, outbox.Event) error {
				arrived <- time.Now()
				return nil
			})
			ctx, cancel := context.WithCancel(t.Context())
			ended := running(ctx, outbox.NewRelay(&w.source, only(sink), tt.options...))
			synctest.Wait() // it has found nothing
			start := time.Now()
			w.source.add("a", uuid.New())
			assert.Equal(t, tt.want, (<-arrived).Sub(start))
			cancel()
			require.ErrorIs(t, ended(), context.Canceled)
		})
	}
}

func TestRunGoesOnAtOnceWhileThereIsWork(t *testing.T) {
	w := newWorld()
	for range 5 {
		w.source.add("a", uuid.New())
	}
	ctx, cancel := context.WithCancel(t.Context())
	waits := 0
	relay := w.relay(outbox.WithBatch(1), outbox.WithInterval(time.Minute), outbox.WithTimer(func(d time.Duration) <-chan time.Time {
		assert.Equal(t, time.Minute, d)
		waits++
		assert.Len(t, w.seen, 5*min(waits, 2))
		if waits == 3 {
			cancel()
			return nil
		}
		if waits == 1 {
			for range 5 {
				w.source.add("b", uuid.New())
			}
		}
		now := make(chan time.Time, 1)
		now <- time.Time{}
		return now
	}))
	require.ErrorIs(t, relay.Run(ctx), context.Canceled)
	assert.Equal(t, 3, waits)
}

func TestRunTellsOfErrorsAndGoesOn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld()
		one, two := uuid.New(), uuid.New()
		bad, worse := w.source.add("bad", one), w.source.add("worse", two)
		w.source.add("good", uuid.New())
		w.fails["bad"], w.fails["worse"] = errDown, errDown
		var told []error
		relay := outbox.NewRelay(&w.source, only(w), outbox.WithErrors(func(err error) { told = append(told, err) }),
			outbox.WithBackoff(time.Hour, time.Hour))
		ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
		defer cancel()
		ended := running(ctx, relay)
		synctest.Wait()
		require.Len(t, told, 2, "one for each event")
		require.ErrorIs(t, told[0], errDown)
		require.ErrorContains(t, told[0], bad.String())
		require.ErrorContains(t, told[1], worse.String())

		w.source.mu.Lock()
		w.source.err = errDown
		w.source.mu.Unlock()
		<-time.After(10 * time.Second)
		synctest.Wait()
		require.Len(t, told, 12, "one for each step that could not begin")

		w.source.mu.Lock()
		w.source.err = nil
		w.source.mu.Unlock()
		last := w.source.add("last", uuid.New())
		require.ErrorIs(t, ended(), context.DeadlineExceeded)
		assert.Contains(t, w.source.done, last)
		assert.Len(t, told, 12)
	})
}

func TestRunWithAnEndedContextDoesNothing(t *testing.T) {
	w := newWorld()
	w.source.add("a", uuid.New())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	relay := w.relay(outbox.WithErrors(func(err error) { t.Error(err) }))
	require.ErrorIs(t, relay.Run(ctx), context.Canceled)
	assert.Empty(t, w.seen)
	assert.Zero(t, w.source.took)
}

func TestRunEndsInTheMiddleOfABatch(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld()
		for range 3 {
			w.source.add("slow", uuid.New())
		}
		ctx, cancel := context.WithCancel(t.Context())
		sink := outbox.SinkFunc(func(within context.Context, e outbox.Event) error {
			w.seen = append(w.seen, e.Kind)
			cancel()
			<-within.Done()
			return within.Err()
		})
		relay := outbox.NewRelay(&w.source, only(sink), outbox.WithAttempts(1),
			outbox.WithErrors(func(err error) { t.Errorf("the end is no news: %v", err) }))
		require.ErrorIs(t, relay.Run(ctx), context.Canceled)
		assert.Len(t, w.seen, 1)
		first := w.source.rows[0]
		assert.True(t, first.Until.IsZero(), "what was cut short is not kept")
		assert.True(t, first.buriedAt.IsZero(), "it has not failed")
		assert.False(t, first.dueAt.After(time.Now()), "it is due at once")

		n, err := outbox.NewRelay(&w.source, only(w), outbox.WithAttempts(1)).Step(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 3, n, "the next process delivers it, and the others, whose leases were handed back")
	})
}

// A step's deadline is the host's own measure of how long an event may take: that counts.
func TestAnEventThatTakesLongerThanTheStepMayHasFailed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld()
		w.source.add("slow", uuid.New())
		sink := outbox.SinkFunc(func(ctx context.Context, _ outbox.Event) error {
			<-ctx.Done()
			return ctx.Err()
		})
		relay := outbox.NewRelay(&w.source, only(sink), outbox.WithAttempts(2))
		for attempt := 1; attempt <= 2; attempt++ {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_, err := relay.Step(ctx)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.Equal(t, attempt == 2, errors.Is(err, outbox.ErrBuried))
			<-ctx.Done()
			cancel()
			<-time.After(time.Minute)
		}
	})
}

// order notes what arrives, by stream, and whether two of a stream were ever at work at once.
type order struct {
	mu      sync.Mutex
	arrived map[uuid.UUID][]int64
	busy    map[uuid.UUID]bool
	overlap bool
	count   map[uuid.UUID]int
}

func newOrder() *order {
	return &order{arrived: map[uuid.UUID][]int64{}, busy: map[uuid.UUID]bool{}, count: map[uuid.UUID]int{}}
}

func (o *order) begin(e outbox.Event) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.overlap = o.overlap || o.busy[e.Stream.ID]
	o.busy[e.Stream.ID] = true
	o.count[e.ID]++
	return o.count[e.ID]
}

func (o *order) end(e outbox.Event, arrived bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.busy[e.Stream.ID] = false
	if arrived {
		o.arrived[e.Stream.ID] = append(o.arrived[e.Stream.ID], e.Sequence)
	}
}

// Several relays at once, one of them shared by two goroutines; every third event fails at
// first. Each stream arrives in order and nothing arrives twice.
func TestSeveralRelaysRunAtOnce(t *testing.T) {
	before := runtime.NumGoroutine()
	const streams, length, relays = 8, 12, 4
	w := newWorld()
	ids := make([]uuid.UUID, streams)
	for s := range ids {
		ids[s] = uuid.New()
		for range length {
			w.source.add("a", ids[s])
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	o := newOrder()
	var left atomic.Int64
	left.Store(streams * length)
	sink := outbox.SinkFunc(func(_ context.Context, e outbox.Event) error {
		fails := o.begin(e) == 1 && e.Sequence%3 == 0
		runtime.Gosched()
		o.end(e, !fails)
		if fails {
			return errDown
		}
		if left.Add(-1) == 0 {
			cancel()
		}
		return nil
	})
	var told atomic.Int64
	options := []outbox.Option{
		outbox.WithBatch(3), outbox.WithInterval(time.Millisecond), outbox.WithBackoff(time.Microsecond, time.Microsecond),
		outbox.WithLease(time.Hour), outbox.WithErrors(func(error) { told.Add(1) }),
	}
	var all sync.WaitGroup
	for range relays {
		relay := outbox.NewRelay(&w.source, only(sink), options...)
		for range 2 {
			all.Go(func() { assert.ErrorIs(t, relay.Run(ctx), context.Canceled) })
		}
	}
	all.Wait()
	want := make([]int64, length)
	for i := range want {
		want[i] = int64(i + 1)
	}
	for _, id := range ids {
		assert.Equal(t, want, o.arrived[id])
	}
	assert.False(t, o.overlap, "two events of a stream were at work at once")
	assert.Zero(t, w.source.left())
	assert.EqualValues(t, streams*length/3, told.Load())
	noneLeft(t, before)
}

// A relay that dies keeps its batch until the lease ends; then another takes it.
func TestAnotherRelayTakesOverWhenTheLeaseEnds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld()
		stream := uuid.New()
		for range 2 {
			w.source.add("a", stream)
		}
		start := time.Now()
		_, err := w.source.Take(t.Context(), lane, start, start.Add(time.Minute), 10) // by one that dies
		require.NoError(t, err)
		var arrived []time.Duration
		ctx, cancel := context.WithCancel(t.Context())
		sink := outbox.SinkFunc(func(_ context.Context, e outbox.Event) error {
			if arrived = append(arrived, time.Since(start)); len(arrived) == 2 {
				cancel()
			}
			return nil
		})
		require.ErrorIs(t, outbox.NewRelay(&w.source, only(sink)).Run(ctx), context.Canceled)
		assert.Equal(t, []time.Duration{time.Minute, time.Minute}, arrived)
	})
}

// A slow relay loses its lease while it delivers: both deliver, and only one outcome is noted.
func TestASlowRelayIsToldThatItLostItsLease(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld()
		id := w.source.add("a", uuid.New())
		ctx, cancel := context.WithCancel(t.Context())
		var told []error
		slow := outbox.NewRelay(&w.source, only(outbox.SinkFunc(func(context.Context, outbox.Event) error {
			<-time.After(2 * time.Minute) // and does not look at its context
			return nil
		})), outbox.WithErrors(func(err error) { told = append(told, err) }))
		ended := running(ctx, slow)
		synctest.Wait()
		other := running(ctx, outbox.NewRelay(&w.source, only(w)))
		<-time.After(3 * time.Minute)
		cancel()
		require.ErrorIs(t, ended(), context.Canceled)
		require.ErrorIs(t, other(), context.Canceled)
		assert.Equal(t, []string{"a"}, w.seen)
		assert.Equal(t, []uuid.UUID{id}, w.source.done)
		require.Len(t, told, 1)
		require.ErrorIs(t, told[0], outbox.ErrLeaseLost)
	})
}

func TestRunLeavesNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	w := newWorld()
	for range 100 {
		ctx, cancel := context.WithCancel(t.Context())
		w.source.add("a", uuid.New())
		relay := w.relay(outbox.WithTimer(func(d time.Duration) <-chan time.Time {
			cancel()
			return time.After(d)
		}))
		require.ErrorIs(t, relay.Run(ctx), context.Canceled)
	}
	noneLeft(t, before)
}

// noneLeft counts goroutines, and gives those that are about to end the time to do so.
func noneLeft(t *testing.T, before int) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for runtime.NumGoroutine() > before && time.Now().Before(deadline) {
		runtime.Gosched()
	}
	assert.LessOrEqual(t, runtime.NumGoroutine(), before)
}

// asking is an error that asks for a pause.
type asking time.Duration

func (asking) Error() string               { return "not now" }
func (a asking) RetryAfter() time.Duration { return time.Duration(a) }

func TestASinkCanAskForAPause(t *testing.T) {
	for asked, want := range map[time.Duration]time.Duration{
		-time.Hour: time.Second, 0: time.Second, 999 * time.Millisecond: time.Second,
		time.Minute: time.Minute, 48 * time.Hour: time.Hour,
	} {
		w := newWorld()
		w.source.add("bad", uuid.New())
		w.fails["bad"] = errors.Join(errDown, asking(asked))
		_, err := outbox.NewRelay(&w.source, only(w), outbox.WithClock(func() time.Time { return w.now })).Step(t.Context())
		require.ErrorIs(t, err, errDown)
		assert.Equal(t, want, w.source.rows[0].dueAt.Sub(w.now), asked)
	}
}
