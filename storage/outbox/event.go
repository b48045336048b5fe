package outbox

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// Stream is what an event's sequence counts along: one account, user, team, contact or
// conversation.
type Stream struct {
	Kind StreamKind
	ID   uuid.UUID
}

// StreamKind says what a stream follows.
type StreamKind string

// The kinds of streams.
const (
	AccountStream      StreamKind = "account"
	UserStream         StreamKind = "user"
	TeamStream         StreamKind = "team"
	ContactStream      StreamKind = "contact"
	ConversationStream StreamKind = "conversation"
)

// Event is one state change, as it was committed. Its payload holds ids and states, never
// names, addresses or text, so that deleting a person leaves nothing behind in the log.
type Event struct {
	ID     uuid.UUID
	Stream Stream
	// Sequence counts 1, 2, 3 … along the stream without gaps. Append sets it.
	Sequence int64
	// Account and Team are the owners at the time of the change; the nil UUID where there is none.
	Account uuid.UUID
	Team    uuid.UUID
	// Kind is what happened, such as "member.joined".
	Kind string
	// Version is the version of the payload's shape.
	Version int
	// Principal is on whose behalf it happened: "user:<id>" or "system:<name>".
	Principal string
	At        time.Time
	Payload   json.RawMessage
	// Lanes are the lanes that it takes, each named once: for Append alone. They are no part of
	// the log, so an event that is read or handed out has none.
	Lanes []string
}

// Appender writes events in the caller's transaction.
type Appender interface {
	// Append writes the events in the order given and draws each one's Sequence from the
	// row of its stream, which it locks. The stream's row must exist. Each event waits in the
	// lanes that it names from then on, and one that names none is in the log and nowhere else.
	// A lane's name is as [Lanes.Check] allows it. It fails outside a transaction: an event
	// without its change, or a change without its event, is the one thing that an outbox exists
	// to prevent.
	Append(ctx context.Context, events ...Event) error
}

// Log reads events back.
type Log interface {
	// TeamEvents lists the events of one team that the filter admits, newest first by (At, ID),
	// those strictly before the position given; a zero time starts at the newest. What it costs
	// grows with the team's events between the filter's Since and Until.
	TeamEvents(ctx context.Context, team uuid.UUID, filter LogFilter, before time.Time, id uuid.UUID, limit int) ([]Event, error)
}

// LogFilter says which events to read. The zero value admits all.
type LogFilter struct {
	// Kind and Principal are compared whole; empty admits any.
	Kind      string
	Principal string
	// Since and Until bound the events' times: Since is in, Until is out. Zero is no bound.
	Since time.Time
	Until time.Time
}

// Due is an event that a relay holds under a lease, in one lane.
type Due struct {
	Event
	Lane string
	// Attempt is 1 the first time the event is handed out in its lane.
	Attempt int
	// Until is when the lease ends, and the proof of holding it.
	Until time.Time
}

// Source hands events to relays, lane by lane: each lane has its own leases, attempts and dead
// letters of an event, and no lane waits for another. Each method is its own transaction and
// must not be called inside one.
type Source interface {
	DeadLetters
	// Take leases at most limit events that are due in the lane at now, until the time given, and
	// counts the attempt. It hands out only the first undelivered event of a stream, so that a
	// stream is delivered in order whatever the number of relays; an event under a live
	// lease or waiting for its retry blocks its stream and no other.
	Take(ctx context.Context, lane string, now, until time.Time, limit int) ([]Due, error)
	// Done takes a delivered event out of its lane. It answers ErrLeaseLost when the lease has
	// passed to another relay, and then changes nothing. Of several events it takes out those whose
	// leases are held, also when it answers that one of the others was lost.
	Done(ctx context.Context, due ...Due) error
	// Retry makes an event due again at the time given, with the same answer as Done.
	Retry(ctx context.Context, due Due, at time.Time) error
	// ForgetLane deletes what is left in a lane that is given up, undelivered events and dead
	// letters, and answers how many that were. The events stay in the [Log]. What is under a
	// lease is deleted too, and its relay then hears of ErrLeaseLost.
	ForgetLane(ctx context.Context, lane string) (int, error)
}
