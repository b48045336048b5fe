// Package follow is what the stores share to let their callers follow a stream of events.
package follow

import (
	"sync"

	"github.com/google/uuid"
)

// Bells ring for those who wait for a stream to grow. The zero value is ready for use.
type Bells struct {
	mu      sync.Mutex
	waiting map[uuid.UUID]map[chan struct{}]struct{}
}

// Listen answers a channel that has a value after every Ring of the stream, until stop is called. Rings
// that nobody has heard yet are one.
func (b *Bells) Listen(stream uuid.UUID) (rung <-chan struct{}, stop func()) {
	bell := make(chan struct{}, 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.waiting == nil {
		b.waiting = map[uuid.UUID]map[chan struct{}]struct{}{}
	}
	if b.waiting[stream] == nil {
		b.waiting[stream] = map[chan struct{}]struct{}{}
	}
	b.waiting[stream][bell] = struct{}{}
	return bell, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.waiting[stream], bell)
		if len(b.waiting[stream]) == 0 {
			delete(b.waiting, stream)
		}
	}
}

// Ring rings for the streams. It waits for nobody.
func (b *Bells) Ring(streams ...uuid.UUID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, stream := range streams {
		ring(b.waiting[stream])
	}
}

// RingAll rings for all streams: any of them may have grown unheard.
func (b *Bells) RingAll() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, bells := range b.waiting {
		ring(bells)
	}
}

func ring(bells map[chan struct{}]struct{}) {
	for bell := range bells {
		select {
		case bell <- struct{}{}:
		default: // one is enough
		}
	}
}
