package memory

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/usher-go/usher/tenancy"
)

// patience is how long a call waits for the writer. Transactions in memory take
// microseconds: who waits this long waits for themselves.
const patience = 5 * time.Second

var errTrap = fmt.Errorf("%w: waited %v for the memory store's only writer. "+
	"Inside the closure of InTx use the context that the closure was given: "+
	"the outer one is outside the transaction and waits for it to end", tenancy.ErrUnavailable, patience)

// gate lets one writer or many readers in. It is a sync.RWMutex whose waits end: readers
// that find no writer take the mutex at once; whoever may have to wait first takes the turn,
// a lock that can be waited for with a context. Turns are first come, first served.
type gate struct {
	rw   sync.RWMutex
	turn chan struct{}
}

func newGate() gate { return gate{turn: make(chan struct{}, 1)} }

func (g *gate) lock(ctx context.Context) error {
	if err := g.wait(ctx); err != nil {
		return err
	}
	g.rw.Lock() // waits for readers that are inside only, none of whom waits for anything
	return nil
}

func (g *gate) unlock() {
	g.rw.Unlock()
	<-g.turn
}

func (g *gate) rlock(ctx context.Context) error {
	if g.rw.TryRLock() {
		return nil
	}
	if err := g.wait(ctx); err != nil {
		return err
	}
	g.rw.RLock() // at once: a writer would have the turn
	<-g.turn
	return nil
}

func (g *gate) runlock() { g.rw.RUnlock() }

// wait takes the turn.
func (g *gate) wait(ctx context.Context) error {
	select {
	case g.turn <- struct{}{}:
		return nil
	default:
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case g.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return errTrap
	}
}
