package outbox

import (
	"context"
	"fmt"
)

// Sink is whoever has to know of events. A relay gives it the events of a stream one after the
// other, and not the next before it has taken this one. Several relays may call it at once, with
// events of different streams. Package sinktest checks what follows:
//
//   - An answer of nil means that the event has arrived: it does not wait in memory to be
//     passed on.
//   - An event may come again, also after later ones, and a repeated one is no error.
//   - Events of a stream arrive in the order in which they come.
//   - What does not arrive is answered with an error, and is taken when it comes again.
//   - An event of a kind that the sink does not know, or of a later version, is passed on or
//     passed over, but is no error: kinds are added over time, and an error holds back the
//     stream.
//   - No event makes the sink panic, and none keeps it from taking others.
//   - The payload is not changed: other sinks get the same.
//   - Deliver ends soon after its context.
//
// Events hold ids and states, not who may know of them. A sink that tells people asks for their
// right when it does, since it may have ended after the event was written.
type Sink interface {
	// Deliver takes one event. An error makes the event come again later, and holds back the
	// rest of its stream until then. The context ends with the lease.
	Deliver(ctx context.Context, e Event) error
}

// SinkFunc is a function as a [Sink].
type SinkFunc func(ctx context.Context, e Event) error

// Deliver calls the function.
func (f SinkFunc) Deliver(ctx context.Context, e Event) error { return f(ctx, e) }

// Sinks are who takes the events of each lane, by the lane's name. A sink of sinks that hands an
// event on to several is no substitute: when one of them fails, the event comes again to all.
type Sinks map[string]Sink

// deliver takes a panic of the sink for an error: one bad event must not end the relay.
func deliver(ctx context.Context, sink Sink, e Event) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the sink panicked: %v", p)
		}
	}()
	return sink.Deliver(ctx, e)
}
