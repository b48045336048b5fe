package outbox

import "errors"

// ErrLeaseLost says that an event's lease ended before its outcome was recorded; another
// relay may have handed the event to the sink as well.
var ErrLeaseLost = errors.New("outbox: the lease on this event has passed to another relay")
