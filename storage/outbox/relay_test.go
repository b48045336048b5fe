package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/storage/outbox"
)

var errDown = errors.New("down")

type world struct {
	source source
	now    time.Time
	seen   []string
	// fails are the kinds that the sink refuses.
	fails map[string]error
}

func newWorld() *world {
	return &world{now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), fails: map[string]error{}}
}

func (w *world) Deliver(_ context.Context, e outbox.Event) error {
	w.seen = append(w.seen, e.Kind)
	return w.fails[e.Kind]
}

func (w *world) relay(options ...outbox.Option) *outbox.Relay {
	return outbox.NewRelay(&w.source, only(w), append(options, outbox.WithClock(func() time.Time { return w.now }))...)
}

func TestStepHandsOverWhatIsDueInOrder(t *testing.T) {
	w := newWorld()
	one, two := uuid.New(), uuid.New()
	w.source.add("a1", one)
	w.source.add("a2", one)
	w.source.add("b1", two)
	relay := w.relay(outbox.WithBatch(2))
	n, err := relay.Step(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 2, n)
	assert.Equal(t, []string{"a1", "b1"}, w.seen)
	n, err = relay.Drain(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	assert.Equal(t, []string{"a1", "b1", "a2"}, w.seen)
	assert.Len(t, w.source.done, 3)
	n, err = relay.Step(t.Context())
	require.NoError(t, err)
	assert.Zero(t, n)
}

func TestAFailureWaitsAndKeepsOnlyItsStreamWaiting(t *testing.T) {
	w := newWorld()
	one := uuid.New()
	bad := w.source.add("bad", one)
	w.source.add("after bad", one)
	w.source.add("good", uuid.New())
	w.fails["bad"] = errDown
	relay := w.relay()
	n, err := relay.Drain(t.Context())
	require.ErrorIs(t, err, errDown)
	require.ErrorContains(t, err, bad.String())
	assert.Equal(t, 2, n)
	assert.Equal(t, []string{"bad", "good"}, w.seen)

	n, err = relay.Drain(t.Context())
	require.NoError(t, err)
	assert.Zero(t, n, "it is not its time yet")
	delete(w.fails, "bad")
	w.now = w.now.Add(time.Second)
	_, err = relay.Drain(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"bad", "good", "bad", "after bad"}, w.seen)
}

func TestThePauseDoublesUpToItsLimit(t *testing.T) {
	for _, tt := range []struct {
		option      outbox.Option
		first, most time.Duration
	}{
		{outbox.WithBackoff(0, 0), time.Second, time.Hour},
		{outbox.WithBackoff(2*time.Second, 3*time.Second), 2 * time.Second, 3 * time.Second},
		{outbox.WithBackoff(2*time.Hour, 0), 2 * time.Hour, 2 * time.Hour},
		{outbox.WithBackoff(time.Minute, time.Second), time.Minute, time.Hour},
	} {
		w := newWorld()
		w.source.add("bad", uuid.New())
		w.fails["bad"] = errDown
		relay := w.relay(tt.option, outbox.WithAttempts(1000))
		want := tt.first
		for range 100 {
			n, err := relay.Step(t.Context())
			require.ErrorIs(t, err, errDown)
			require.Equal(t, 1, n)
			require.Equal(t, want, w.source.rows[0].dueAt.Sub(w.now))
			w.now = w.source.rows[0].dueAt
			want = min(2*want, tt.most)
		}
	}
}

func TestAPanicOfTheSinkIsAnErrorOfItsEvent(t *testing.T) {
	w := newWorld()
	w.source.add("bad", uuid.New())
	w.source.add("good", uuid.New())
	sink := outbox.SinkFunc(func(_ context.Context, e outbox.Event) error {
		if e.Kind == "bad" {
			panic("no such template")
		}
		return nil
	})
	relay := outbox.NewRelay(&w.source, only(sink), outbox.WithClock(func() time.Time { return w.now }))
	n, err := relay.Step(t.Context())
	require.ErrorContains(t, err, "no such template")
	assert.Equal(t, 2, n)
	assert.Len(t, w.source.done, 1)
}

func TestACancelledContextStopsAfterTheEventAtHand(t *testing.T) {
	w := newWorld()
	for i := range 3 {
		w.source.add(fmt.Sprint(i), uuid.New())
	}
	ctx, cancel := context.WithCancel(t.Context())
	sink := outbox.SinkFunc(func(ctx context.Context, e outbox.Event) error {
		w.seen = append(w.seen, e.Kind)
		cancel()
		return nil
	})
	relay := outbox.NewRelay(&w.source, only(sink), outbox.WithClock(func() time.Time { return w.now }))
	n, err := relay.Drain(ctx)
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, 1, n)
	assert.Equal(t, []string{"0"}, w.seen)
	assert.Len(t, w.source.done, 1, "what was delivered is noted, so that it does not come again")
	_, err = relay.Step(ctx)
	require.ErrorIs(t, err, context.Canceled)

	w.now = w.now.Add(time.Minute)
	n, err = outbox.NewRelay(&w.source, only(w), outbox.WithClock(func() time.Time { return w.now })).Drain(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 2, n, "the rest comes again once the lease is over")
}

func TestTheSinkHasTheTimeOfTheLease(t *testing.T) {
	w := newWorld()
	w.source.add("slow", uuid.New())
	w.source.add("late", uuid.New())
	sink := outbox.SinkFunc(func(ctx context.Context, e outbox.Event) error {
		deadline, ok := ctx.Deadline()
		assert.True(t, ok)
		assert.LessOrEqual(t, time.Until(deadline), 10*time.Second)
		w.seen = append(w.seen, e.Kind)
		w.now = w.now.Add(10 * time.Second)
		return nil
	})
	clock := outbox.WithClock(func() time.Time { return w.now })
	relay := outbox.NewRelay(&w.source, only(sink), clock, outbox.WithLease(10*time.Second))
	n, err := relay.Step(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	assert.Equal(t, []string{"slow"}, w.seen, "an event whose lease is over is somebody else's")
}

func TestALostLeaseIsTold(t *testing.T) {
	for _, outcome := range []error{nil, errDown} {
		w := newWorld()
		w.source.add("a", uuid.New())
		sink := outbox.SinkFunc(func(context.Context, outbox.Event) error {
			w.source.rows[0].Until = w.now.Add(time.Hour) // another relay has it now
			return outcome
		})
		relay := outbox.NewRelay(&w.source, only(sink), outbox.WithClock(func() time.Time { return w.now }))
		_, err := relay.Step(t.Context())
		require.ErrorIs(t, err, outbox.ErrLeaseLost)
		if outcome != nil {
			require.ErrorIs(t, err, outcome)
		}
		assert.Empty(t, w.source.done)
	}
}

func TestASourceThatFailsEndsTheStep(t *testing.T) {
	w := newWorld()
	w.source.err = errDown
	n, err := w.relay().Drain(t.Context())
	require.ErrorIs(t, err, errDown)
	assert.Zero(t, n)
}

func TestOptionsThatMakeNoSenseLeaveTheDefault(t *testing.T) {
	w := newWorld()
	w.source.add("a", uuid.New())
	relay := outbox.NewRelay(&w.source, only(w), outbox.WithClock(nil), outbox.WithBatch(-1), outbox.WithLease(-time.Hour))
	before := time.Now()
	n, err := relay.Step(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	assert.Equal(t, 16, w.source.took)
	assert.WithinDuration(t, before.Add(time.Minute), w.source.rows[0].Until, 30*time.Second)
}

func TestWhatIsDeliveredQuicklyIsNotedTogether(t *testing.T) {
	w := newWorld()
	for _, kind := range []string{"a", "b", "bad", "c"} {
		w.source.add(kind, uuid.New())
	}
	w.fails["bad"] = errDown
	n, err := w.relay().Step(t.Context())
	require.ErrorIs(t, err, errDown)
	assert.Equal(t, 4, n)
	assert.Equal(t, []int{3}, w.source.noted)
}

func TestWhatIsDeliveredSlowlyIsNotedBeforeTheNext(t *testing.T) {
	w := newWorld()
	for _, kind := range []string{"a", "b", "c"} {
		w.source.add(kind, uuid.New())
	}
	var before []int // how many were noted when each was handed over
	slow := outbox.SinkFunc(func(context.Context, outbox.Event) error {
		before = append(before, len(w.source.done))
		w.now = w.now.Add(50 * time.Millisecond)
		return nil
	})
	relay := outbox.NewRelay(&w.source, only(slow), outbox.WithClock(func() time.Time { return w.now }))
	_, err := relay.Step(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []int{0, 1, 2}, before)
	assert.Equal(t, []int{1, 1, 1}, w.source.noted)
}
