package outbox

import "errors"

var (
	// ErrLeaseLost says that an event's lease ended before its outcome was recorded; another
	// relay may have handed the event to the sink as well.
	ErrLeaseLost = errors.New("outbox: the lease on this event has passed to another relay")
	// ErrBuried says that an event has failed for the last time and is a dead letter now.
	ErrBuried = errors.New("outbox: the event failed too often and is now a dead letter")
	// ErrNotBuried says that there is no such dead letter: it was replayed already or never was.
	ErrNotBuried = errors.New("outbox: there is no such dead letter")
	// ErrSeen says that the consumer has handled this event before.
	ErrSeen = errors.New("outbox: the consumer has seen this event")
)
