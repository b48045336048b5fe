package outbox_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/storage/outbox"
)

func TestLanesTakeTheKindsThatTheyName(t *testing.T) {
	lanes := outbox.Lanes{"mail": {"invitation.created", "invitation.resent"}, "crm": nil, "bill": {}, "a": {"member.joined"}}
	for kind, want := range map[string][]string{
		"invitation.created":       {"bill", "crm", "mail"},
		"invitation.resent":        {"bill", "crm", "mail"},
		"member.joined":            {"a", "bill", "crm"},
		"invitation.created" + " ": {"bill", "crm"},
		"":                         {"bill", "crm"},
	} {
		assert.Equal(t, want, lanes.Of(kind), kind)
	}
	assert.Empty(t, outbox.Lanes{}.Of("member.joined"))
	assert.Empty(t, outbox.Lanes(nil).Of("member.joined"))
	assert.Empty(t, outbox.Lanes{"mail": {"invitation.created"}}.Of("member.joined"))
}

func TestNamesOfLanes(t *testing.T) {
	long := strings.Repeat("x", outbox.MaxLane)
	for _, good := range []string{"a", "0", "-", "crm-2", long} {
		require.NoError(t, outbox.Lanes{good: nil}.Check(), good)
	}
	require.NoError(t, outbox.Lanes(nil).Check())
	for _, bad := range []string{"", " ", "CRM", "c r m", "a.b", "a_b", "a/b", "ä", "a\x00", long + "x", strings.Repeat("x", 1<<20)} {
		require.Error(t, outbox.Lanes{"good": nil, bad: nil}.Check(), "%.80q", bad)
	}
}

// heard is a sink that notes what arrives and fails when it is told to.
type heard struct {
	kinds []string
	fails error
}

func (h *heard) Deliver(_ context.Context, e outbox.Event) error {
	h.kinds = append(h.kinds, e.Kind)
	return h.fails
}

func TestALaneThatFailsNeitherDelaysNorRepeatsAnother(t *testing.T) {
	w := newWorld()
	one := uuid.New()
	for _, kind := range []string{"a1", "a2", "a3"} {
		w.source.addTo(kind, one, "good", "dead")
	}
	good, dead := &heard{}, &heard{fails: errDown}
	relay := outbox.NewRelay(&w.source, outbox.Sinks{"good": good, "dead": dead},
		outbox.WithAttempts(3), outbox.WithClock(func() time.Time { return w.now }))
	n, err := relay.Drain(t.Context())
	require.ErrorIs(t, err, errDown)
	require.ErrorContains(t, err, "lane dead, ")
	require.NotContains(t, err.Error(), "lane good")
	assert.Equal(t, 4, n)
	assert.Equal(t, []string{"a1", "a2", "a3"}, good.kinds, "at once, and in order")
	assert.Equal(t, []string{"a1"}, dead.kinds)

	w.drain(t, relay)
	assert.Equal(t, []string{"a1", "a2", "a3"}, good.kinds, "once")
	assert.Len(t, dead.kinds, 9)
	letters, err := w.source.Buried(t.Context(), "dead", time.Time{}, uuid.Nil, 10)
	require.NoError(t, err)
	assert.Len(t, letters, 3)
	assert.Zero(t, dead.count("a4"))

	// What was buried in one lane is replayed there.
	dead.fails = nil
	require.NoError(t, w.source.Replay(t.Context(), "dead", letters[0].Event.ID, w.now))
	_, err = relay.Drain(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 4, dead.count("a1"))
	assert.Equal(t, 1, good.count("a1"))
}

func (h *heard) count(kind string) int {
	n := 0
	for _, k := range h.kinds {
		if k == kind {
			n++
		}
	}
	return n
}

func TestARelayLeavesTheLanesOfOthersAlone(t *testing.T) {
	w := newWorld()
	w.source.addTo("a", uuid.New(), "mine", "theirs")
	mine := &heard{}
	relay := outbox.NewRelay(&w.source, outbox.Sinks{"mine": mine}, outbox.WithClock(func() time.Time { return w.now }))
	n, err := relay.Drain(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	due, err := w.source.Take(t.Context(), "theirs", w.now, w.now.Add(time.Minute), 10)
	require.NoError(t, err)
	require.Len(t, due, 1)
	assert.Equal(t, 1, due[0].Attempt)
}

func TestASinkThatHangsKeepsNoOtherLaneWaiting(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld()
		w.source.addTo("a", uuid.New(), "good", "hangs")
		good := make(chan time.Time, 10)
		hangs := outbox.SinkFunc(func(ctx context.Context, _ outbox.Event) error {
			<-ctx.Done() // as long as it may: the minute of its lease
			return ctx.Err()
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := running(ctx, outbox.NewRelay(&w.source, outbox.Sinks{
			"hangs": hangs,
			"good": outbox.SinkFunc(func(context.Context, outbox.Event) error {
				good <- time.Now()
				return nil
			}),
		}))
		start := time.Now()
		assert.Zero(t, (<-good).Sub(start))
		synctest.Wait()
		w.source.addTo("b", uuid.New(), "good", "hangs")
		assert.Equal(t, time.Second, (<-good).Sub(start), "at the next look, while the other lane hangs")
		cancel()
		require.ErrorIs(t, ended(), context.Canceled)
	})
}

func TestARelayWithoutSinksWaitsForTheEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld()
		w.source.add("a", uuid.New())
		relay := outbox.NewRelay(&w.source, nil)
		n, err := relay.Drain(t.Context())
		require.NoError(t, err)
		assert.Zero(t, n)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		start := time.Now()
		require.ErrorIs(t, relay.Run(ctx), context.DeadlineExceeded)
		assert.Equal(t, time.Hour, time.Since(start))
		assert.Zero(t, w.source.took)
	})
}
