package outbox

import (
	"context"
	"errors"
	"time"
)

// WithInterval sets how long [Relay.Run] waits when nothing is due: a second, unless set.
func WithInterval(d time.Duration) Option { return func(r *Relay) { r.interval = d } }

// WithTimer sets what [Relay.Run] waits with, for tests: a function that answers a channel on
// which something comes after the time given. It is [time.After] otherwise.
func WithTimer(after func(time.Duration) <-chan time.Time) Option {
	return func(r *Relay) { r.after = after }
}

// WithErrors sets who hears of what goes wrong in [Relay.Run]: one call for each event that
// failed and for each step that could not begin. It is called by the goroutine of Run, which
// waits for it, and by several at once if several run. The errors hold what the sink and the
// source said, so they are for the host's log and not for its users. Without it, nobody hears.
func WithErrors(report func(error)) Option { return func(r *Relay) { r.report = report } }

// Run steps until the context ends, and then answers the context's error. It goes on at once
// as long as there is work, and looks again after the interval when there is none or the
// source fails. No error ends it: see [WithErrors].
//
// When Run returns, the event at hand has been settled and nothing of it is left running. Several
// may run at once, in one process or in many.
func (r *Relay) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		handled, failed := r.step(ctx)
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
	return ctx.Err()
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
