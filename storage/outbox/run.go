package outbox

import (
	"context"
	"errors"
	"sync"
	"time"
)

// WithInterval sets how long [Relay.Run] waits when nothing is due: a second, unless set.
func WithInterval(d time.Duration) Option { return func(r *Relay) { r.interval = d } }

// WithTimer sets what [Relay.Run] waits with, for tests: a function that answers a channel on
// which something comes after the time given. Several lanes may call it at once. It is
// [time.After] otherwise.
func WithTimer(after func(time.Duration) <-chan time.Time) Option {
	return func(r *Relay) { r.after = after }
}

// WithErrors sets who hears of what goes wrong in [Relay.Run]: one call for each event that
// failed and for each step that could not begin. The lane at hand waits for it, and several lanes
// may call it at once. The errors hold what the sink and the
// source said, so they are for the host's log and not for its users. Without it, nobody hears.
func WithErrors(report func(error)) Option { return func(r *Relay) { r.report = report } }

// Run steps until the context ends, and then answers the context's error. Each lane has a
// goroutine of its own, so that a sink that is slow or hangs keeps no other waiting. It goes on at
// once as long as there is work, and looks again after the interval when there is none or the
// source fails. No error ends it: see [WithErrors].
//
// When Run returns, the events at hand have been settled and nothing of it is left running. Several
// may run at once, in one process or in many.
func (r *Relay) Run(ctx context.Context) error {
	var lanes sync.WaitGroup
	for _, l := range r.lanes {
		lanes.Go(func() { r.run(ctx, l) })
	}
	<-ctx.Done()
	lanes.Wait()
	return ctx.Err()
}

// run is Run in one lane.
func (r *Relay) run(ctx context.Context, l lane) {
	for ctx.Err() == nil {
		handled, failed := r.step(ctx, l)
		for _, err := range failed {
			// What the end of the context cut short is no news, and comes again.
			if err != nil && (ctx.Err() == nil || !errors.Is(err, ctx.Err())) {
				r.report(err)
			}
		}
		if handled > 0 {
			continue
		}
		select {
		case <-ctx.Done():
		case <-r.after(r.interval):
		}
	}
}

func (r *Relay) defaultsOfRun() {
	if r.interval <= 0 {
		r.interval = time.Second
	}
	if r.after == nil {
		r.after = time.After
	}
	if r.report == nil {
		r.report = func(error) {}
	}
}
