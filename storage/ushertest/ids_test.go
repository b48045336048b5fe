package ushertest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

// story does some of everything, and returns all events as they were handed on.
func story(t *testing.T) string {
	t.Helper()
	var told bytes.Buffer
	w := ushertest.NewWorld(t, usher.WithSink("test", outbox.SinkFunc(func(_ context.Context, e outbox.Event) error {
		return json.NewEncoder(&told).Encode(e)
	})))
	w.Account("acme").Role("Auditor", rbac.Member, rbac.ReadAudit).
		Team("sales", ushertest.Manager("alice"), ushertest.Member("bob"), ushertest.Member("erin").Expired(),
			ushertest.Member("frank").As("Auditor"), ushertest.Invited("heidi", rbac.Member)).
		Team("support", ushertest.Manager("dana"), ushertest.Member("bob"), ushertest.Invited("ivan", rbac.Member).Expired())
	bob := w.Actor("bob", "sales")
	for contact := range 3 {
		c := w.Receive("sales", fmt.Sprint("visitor-", contact), "Hi")
		_, err := w.Conversations.Assign(t.Context(), bob, c.ID, bob.User)
		require.NoError(t, err)
		_, err = w.Conversations.Deliver(t.Context(), bob, c.ID, conversation.ToEmail("judy@client.example"), conversation.Outcome{})
		require.NoError(t, err)
	}
	require.NoError(t, w.Tenancy.Remove(t.Context(), w.Actor("alice", "sales"), bob.User))
	w.Clock.Advance(30 * 24 * time.Hour)
	w.Sweep()
	w.Post()
	return told.String()
}

func TestIDsAreTheSameInEveryRun(t *testing.T) {
	first := story(t)
	assert.Contains(t, first, tenancy.MemberExpired)
	assert.Contains(t, first, conversation.DeliveryEnded)
	for range 3 {
		require.Equal(t, first, story(t))
	}
}

// The first id, by RFC 9562: 48 bits of milliseconds, the version 7, the variant 0b10, and the
// rest, which here is the count.
func TestFirstID(t *testing.T) {
	id := ushertest.NewWorld(t).User("alice").ID.UUID()
	millis := fmt.Sprintf("%012x", start.UnixMilli())
	assert.Equal(t, millis[:8]+"-"+millis[8:]+"-7000-8000-000000000001", id.String())
}

func TestIDsRiseWhateverTheClockDoes(t *testing.T) {
	w := ushertest.NewWorld(t)
	var made []uuid.UUID
	for i, move := range []time.Duration{0, 0, time.Microsecond, time.Hour, -48 * time.Hour, 0, 72 * time.Hour} {
		w.Clock.Advance(move)
		made = append(made, w.User(fmt.Sprint("user-", i)).ID.UUID())
	}
	assert.True(t, slices.IsSortedFunc(made, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) }))
	assert.Len(t, slices.Compact(made), 7)
	for _, id := range made {
		assert.Equal(t, uuid.Version(7), id.Version())
		assert.Equal(t, uuid.RFC4122, id.Variant())
	}
	sec, nsec := made[6].Time().UnixTime()
	assert.Equal(t, w.Clock.Now().UnixMilli(), time.Unix(sec, nsec).UnixMilli())
}

func TestIDsAreUniqueAcrossGoroutines(t *testing.T) {
	w := ushertest.NewWorld(t)
	var all sync.Map
	var wait sync.WaitGroup
	for g := range 8 {
		wait.Go(func() {
			for i := range 50 {
				u, err := w.Tenancy.Register(t.Context(), ushertest.System, tenancy.Profile{Email: fmt.Sprintf("u%d-%d@acme.example", g, i)})
				if _, twice := all.LoadOrStore(u.ID, true); err != nil || twice {
					t.Errorf("%v, twice: %t", err, twice)
				}
			}
		})
	}
	wait.Wait()
}
