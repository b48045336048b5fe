package outbox

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// DeadLetter is an event that failed too often in a lane and was taken out of its stream there. What it failed
// with is not kept: the texts of errors can hold addresses and secrets, which have no place in
// the log. Whoever runs the relay hears of them through [WithErrors].
type DeadLetter struct {
	Event Event
	// Attempts is how often the event was handed out in the lane.
	Attempts int
	// At is when it was buried.
	At time.Time
}

// DeadLetters is the part of a [Source] that lets a stream go on in a lane without an event that
// cannot be delivered there. A [Relay] buries events; people look at them and replay them. Each method is its own
// transaction and must not be called inside one. Nobody's right is asked: Buried and Replay are
// for whoever runs the host.
//
// A dead letter is neither delivered nor due. It keeps its sequence and stays in the [Log].
type DeadLetters interface {
	// Bury makes an event a dead letter at the time given and ends its lease, so that the next
	// event of its stream is the first undelivered one. It answers ErrLeaseLost when the lease
	// has passed to another relay, and then changes nothing.
	Bury(ctx context.Context, due Due, at time.Time) error
	// Buried lists the dead letters of all streams in the lane, the longest buried first by
	// (At, ID), those strictly after the position given; a zero time starts at the first.
	Buried(ctx context.Context, lane string, after time.Time, id uuid.UUID, limit int) ([]DeadLetter, error)
	// Replay makes a dead letter of the lane an undelivered event again, due at the time given, its
	// attempts counted from nothing. It answers ErrNotBuried for an event that is no dead letter
	// there, and then changes nothing; of several replays of one dead letter at once, one succeeds.
	//
	// The event takes the place that its sequence gives it: it blocks those behind it that are
	// not delivered yet, and comes after those that were delivered meanwhile. An event of the
	// stream that is under a lease stays so, and can be settled; the one replayed is not handed
	// out before the end of that lease.
	Replay(ctx context.Context, lane string, id uuid.UUID, at time.Time) error
}
