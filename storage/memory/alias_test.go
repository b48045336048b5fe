package memory_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/storage/outbox"
)

func TestPayloadsAreCopied(t *testing.T) {
	s := open(t)
	given := anEvent(1)
	do(t, s, func(ctx context.Context) error { return s.Append(ctx, given) })
	scribble := func(payload []byte) {
		for i := range payload {
			payload[i] = 'x'
		}
	}
	scribble(given.Payload)
	due, err := s.Take(t.Context(), lane, noon, noon.Add(time.Minute), 1)
	require.NoError(t, err)
	require.Len(t, due, 1)
	scribble(due[0].Payload)
	for range 2 {
		events, err := s.TeamEvents(t.Context(), id[uuid.UUID](1), outbox.LogFilter{}, time.Time{}, uuid.Nil, 1)
		require.NoError(t, err)
		require.Len(t, events, 1)
		assert.Equal(t, anEvent(1).Payload, events[0].Payload)
		scribble(events[0].Payload)
	}
}
