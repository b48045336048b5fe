package ushertest

import (
	"encoding/binary"
	"sync"

	"github.com/google/uuid"
)

// ids makes the ids of a world: a UUIDv7 of the clock's milliseconds and a count in place of
// the randomness. Each is above the one before, also when the clock is set back.
type ids struct {
	clock *Clock

	mu     sync.Mutex
	millis uint64
	count  uint64
}

func (g *ids) next() uuid.UUID {
	const (
		version7 = 0x7 << 12
		variant  = 1 << 63
	)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.millis = max(g.millis, uint64(g.clock.Now().UnixMilli()))
	g.count++
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:8], g.millis<<16|version7)
	binary.BigEndian.PutUint64(id[8:], variant|g.count)
	return id
}
