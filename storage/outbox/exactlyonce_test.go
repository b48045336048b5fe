package outbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/storage/ushertest"
)

// careless is a source whose relays lose their leases: what was handled is not noted as done
// every other time, as when the process dies in between.
type careless struct {
	storage.Store
	mu   sync.Mutex
	lost map[uuid.UUID]bool
}

func (c *careless) Done(ctx context.Context, due ...outbox.Due) error {
	c.mu.Lock()
	lose := false
	for _, d := range due {
		lose = lose || !c.lost[d.ID]
		c.lost[d.ID] = true
	}
	c.mu.Unlock()
	if lose {
		return errors.New("the process has died before it could say so")
	}
	return c.Store.Done(ctx, due...)
}

// Each event is delivered twice and more, by several relays, to a consumer that fails now and
// then in the midst of its work. The work is an event of the consumer's own, so it can be counted.
func TestExactlyOnce(t *testing.T) {
	everystore.Run(t, func(t *testing.T, open func(*testing.T) storage.Store) {
		const events, relays = 12, 3
		w := ushertest.NewWorldOn(t, open(t)).Account("acme").Team("sales", ushertest.Manager("alice"))
		sales := w.TeamNamed("sales")
		source := &careless{Store: w.Store, lost: map[uuid.UUID]bool{}}
		team, ledger := sales.ID.UUID(), outbox.Stream{Kind: outbox.AccountStream, ID: sales.Account.UUID()}

		now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
		require.NoError(t, w.Store.InTx(t.Context(), func(ctx context.Context) error {
			for i := range events {
				if err := w.Store.Append(ctx, outbox.Event{
					ID: uuid.New(), Stream: outbox.Stream{Kind: outbox.TeamStream, ID: team}, Kind: fmt.Sprint("made.", i),
					Version: 1, At: now, Payload: json.RawMessage(`{}`), Lanes: []string{lane},
				}); err != nil {
					return err
				}
			}
			return nil
		}))

		bills := inbox(t, w.Store, "bills")
		book := func(ctx context.Context, e outbox.Event) error {
			return w.Store.Append(ctx, outbox.Event{
				ID: uuid.New(), Stream: ledger, Team: uuid.Max, Kind: "booked." + e.Kind, Version: 1, At: now, Payload: json.RawMessage(`{}`),
				Lanes: []string{lane},
			})
		}
		var mu sync.Mutex
		delivered := map[string]int{}
		sink := bills.Sink(func(ctx context.Context, e outbox.Event) error {
			if e.Stream == ledger {
				return nil
			}
			if err := book(ctx, e); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			delivered[e.Kind]++
			if delivered[e.Kind] == 1 {
				return errDown // after the work: it must be undone with the note
			}
			return nil
		})
		clock := now
		for range 10 * events {
			var all sync.WaitGroup
			for range relays {
				all.Go(func() {
					relay := outbox.NewRelay(source, only(sink), outbox.WithBatch(2), outbox.WithClock(func() time.Time { return clock }))
					_, _ = relay.Step(t.Context()) // its errors are the test's own
				})
			}
			all.Wait()
			clock = clock.Add(time.Hour)
		}
		left, err := w.Store.Take(t.Context(), lane, clock, clock.Add(time.Minute), 10)
		require.NoError(t, err)
		require.Empty(t, left, "all has been delivered")

		booked, err := w.Store.TeamEvents(t.Context(), uuid.Max, outbox.LogFilter{}, time.Time{}, uuid.Nil, 10*events)
		require.NoError(t, err)
		count := map[string]int{}
		for _, e := range booked {
			count[e.Kind]++
		}
		require.Len(t, count, events)
		for kind, n := range count {
			assert.Equal(t, 1, n, kind)
		}
	})
}

// An event that cannot be delivered is buried by the relay and replayed by people, on a store as
// on the small source of these tests; the consumer handles it once all the same.
func TestBuriedAndReplayedOnce(t *testing.T) {
	everystore.Run(t, func(t *testing.T, open func(*testing.T) storage.Store) {
		w := ushertest.NewWorldOn(t, open(t)).Account("acme").Team("sales", ushertest.Manager("alice"))
		sales := w.TeamNamed("sales")
		team := outbox.Stream{Kind: outbox.TeamStream, ID: sales.ID.UUID()}
		var ids []uuid.UUID
		require.NoError(t, w.Store.InTx(t.Context(), func(ctx context.Context) error {
			ids = nil
			for _, kind := range []string{"bad", "good"} {
				e := outbox.Event{ID: uuid.New(), Stream: team, Kind: kind, Version: 1, At: time.Now(), Payload: json.RawMessage(`{}`), Lanes: []string{lane}}
				ids = append(ids, e.ID)
				if err := w.Store.Append(ctx, e); err != nil {
					return err
				}
			}
			return nil
		}))
		down := true
		var seen []string
		sink := inbox(t, w.Store, "bills").Sink(func(_ context.Context, e outbox.Event) error {
			if e.Kind == "bad" && down {
				return errDown
			}
			seen = append(seen, e.Kind)
			return nil
		})
		relay := outbox.NewRelay(w.Store, only(sink), outbox.WithAttempts(1))
		_, err := relay.Drain(t.Context())
		require.ErrorIs(t, err, outbox.ErrBuried)
		require.Equal(t, []string{"good"}, seen)
		letters, err := w.Store.Buried(t.Context(), lane, time.Time{}, uuid.Nil, 10)
		require.NoError(t, err)
		require.Len(t, letters, 1)
		require.Equal(t, ids[0], letters[0].Event.ID)

		down = false
		require.NoError(t, w.Store.Replay(t.Context(), lane, ids[0], time.Now()))
		_, err = relay.Drain(t.Context())
		require.NoError(t, err)
		require.Equal(t, []string{"good", "bad"}, seen)
	})
}
