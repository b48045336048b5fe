package outbox_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/storage/outbox"
)

// drain drains for a day.
func (w *world) drain(t *testing.T, relay *outbox.Relay) (errs []error) {
	t.Helper()
	for range 24 * 60 {
		if _, err := relay.Drain(t.Context()); err != nil {
			errs = append(errs, err)
		}
		w.now = w.now.Add(time.Minute)
	}
	return errs
}

func (w *world) buried(t *testing.T) []outbox.DeadLetter {
	t.Helper()
	letters, err := w.source.Buried(t.Context(), lane, time.Time{}, uuid.Nil, 100)
	require.NoError(t, err)
	return letters
}

func TestAnEventThatFailsTooOftenIsBuriedAndItsStreamGoesOn(t *testing.T) {
	for _, tt := range []struct {
		options []outbox.Option
		want    int
	}{
		{nil, 20}, {[]outbox.Option{outbox.WithAttempts(0)}, 20}, {[]outbox.Option{outbox.WithAttempts(-3)}, 20},
		{[]outbox.Option{outbox.WithAttempts(1)}, 1}, {[]outbox.Option{outbox.WithAttempts(3)}, 3},
	} {
		w := newWorld()
		one := uuid.New()
		w.source.add("before", one)
		bad := w.source.add("bad", one)
		w.source.add("after", one)
		w.fails["bad"] = errDown
		errs := w.drain(t, w.relay(tt.options...))
		require.Len(t, errs, tt.want)
		for i, err := range errs {
			require.ErrorIs(t, err, errDown)
			if i < tt.want-1 {
				require.NotErrorIs(t, err, outbox.ErrBuried)
			} else {
				require.ErrorIs(t, err, outbox.ErrBuried)
			}
		}
		assert.Equal(t, "before", w.seen[0])
		assert.Equal(t, "after", w.seen[len(w.seen)-1])
		assert.Len(t, w.seen, tt.want+2)
		letters := w.buried(t)
		require.Len(t, letters, 1)
		assert.Equal(t, bad, letters[0].Event.ID)
		assert.Equal(t, tt.want, letters[0].Attempts)
		assert.False(t, letters[0].At.IsZero())
	}
}

func TestAReplayedEventComesAgainInItsPlace(t *testing.T) {
	w := newWorld()
	one := uuid.New()
	bad := w.source.add("bad", one)
	w.source.add("after", one)
	w.fails["bad"] = errDown
	relay, dead := w.relay(outbox.WithAttempts(1)), &w.source
	w.drain(t, relay)
	require.Equal(t, []string{"bad", "after"}, w.seen)

	delete(w.fails, "bad")
	w.source.add("later", one)
	require.NoError(t, dead.Replay(t.Context(), lane, bad, w.now))
	require.ErrorIs(t, dead.Replay(t.Context(), lane, bad, w.now), outbox.ErrNotBuried)
	w.drain(t, relay)
	assert.Equal(t, []string{"bad", "after", "bad", "later"}, w.seen)
	assert.Equal(t, 1, w.source.rows[0].Attempt, "attempts are counted anew")
	assert.Empty(t, w.buried(t))
}

// An event that ends the process is never settled. When it has come ten times more than it may
// fail, it is buried unseen; those that were taken with it are not.
func TestAnEventThatKillsTheProcessIsBuriedUnseen(t *testing.T) {
	w := newWorld()
	killer := w.source.add("killer", uuid.New())
	w.source.add("innocent", uuid.New())
	for range 13 { // as many processes take both, and die of the first
		_, err := w.source.Take(t.Context(), lane, w.now, w.now.Add(time.Minute), 10)
		require.NoError(t, err)
		w.now = w.now.Add(time.Minute)
	}
	n, err := w.relay(outbox.WithAttempts(4)).Step(t.Context())
	require.NoError(t, err, "it is given its last chance first")
	assert.Equal(t, 2, n)
	for _, r := range w.source.rows {
		r.done = false
	}
	w.now = w.now.Add(time.Minute)
	w.seen = nil
	n, err = w.relay(outbox.WithAttempts(4)).Step(t.Context())
	require.ErrorIs(t, err, outbox.ErrBuried)
	require.ErrorContains(t, err, killer.String())
	assert.Equal(t, 2, n)
	assert.Equal(t, []string{"innocent"}, w.seen)
	require.Len(t, w.buried(t), 1)
	assert.Equal(t, killer, w.buried(t)[0].Event.ID)
}

func TestALostLeaseBuriesNothing(t *testing.T) {
	w := newWorld()
	w.source.add("bad", uuid.New())
	sink := outbox.SinkFunc(func(context.Context, outbox.Event) error {
		w.source.rows[0].Until = w.now.Add(time.Hour) // another relay has it now
		return errDown
	})
	relay := outbox.NewRelay(&w.source, only(sink), outbox.WithAttempts(1), outbox.WithClock(func() time.Time { return w.now }))
	_, err := relay.Step(t.Context())
	require.ErrorIs(t, err, outbox.ErrLeaseLost)
	require.ErrorIs(t, err, errDown)
	require.NotErrorIs(t, err, outbox.ErrBuried)
	assert.Empty(t, w.buried(t))
}

func TestABurialThatFailsIsMadeUpFor(t *testing.T) {
	w := newWorld()
	w.source.add("bad", uuid.New())
	w.fails["bad"] = errDown
	w.source.settle = errDown
	relay := w.relay(outbox.WithAttempts(1))
	_, err := relay.Step(t.Context())
	require.ErrorIs(t, err, errDown)
	require.NotErrorIs(t, err, outbox.ErrBuried)
	w.source.settle = nil
	w.now = w.now.Add(time.Minute)
	_, err = relay.Step(t.Context())
	require.ErrorIs(t, err, outbox.ErrBuried)
	assert.Len(t, w.buried(t), 1)
}
