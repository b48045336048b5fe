package conversation

import (
	"fmt"
	"slices"

	"github.com/usher-go/usher/tenancy"
)

// Status says whether a conversation is worked on.
type Status string

// The states of a conversation. A snoozed one is out of the way until its time; a closed one is
// over until somebody says something, or a member opens it. Open ones are the working list.
const (
	Open    Status = "open"
	Snoozed Status = "snoozed"
	Closed  Status = "closed"
)

// Event is what may happen to a conversation.
type Event string

// The events of a conversation.
const (
	OnStart   Event = "start"   // a member writes first
	OnInbound Event = "inbound" // the contact writes
	OnSnooze  Event = "snooze"
	OnTimer   Event = "timer" // the end of a snooze
	OnOpen    Event = "open"  // a member takes it up again
	OnClose   Event = "close" // a member ends the work, by a delivery or by itself
	OnIdle    Event = "idle"  // nothing has happened for as long as the team waits
)

// Statuses lists the states in the order of the table.
func Statuses() []Status { return []Status{Open, Snoozed, Closed} }

// Events lists the events in the order of the table.
func Events() []Event {
	return []Event{OnStart, OnInbound, OnSnooze, OnTimer, OnOpen, OnClose, OnIdle}
}

// transitions is the whole state machine; what is not in it is refused. The empty Status is a
// conversation that is not there yet. The diagram in the docs and the test of every state with
// every event are made from it.
var transitions = map[Status]map[Event]Status{
	"":      {OnStart: Open, OnInbound: Open},
	Open:    {OnStart: Open, OnInbound: Open, OnSnooze: Snoozed, OnOpen: Open, OnClose: Closed, OnIdle: Closed},
	Snoozed: {OnStart: Open, OnInbound: Open, OnSnooze: Snoozed, OnTimer: Open, OnOpen: Open, OnClose: Closed},
	Closed:  {OnStart: Open, OnInbound: Open, OnOpen: Open, OnClose: Closed},
}

// After answers the state after the event, or a [*StateError].
func (s Status) After(e Event) (Status, error) {
	next, ok := transitions[s][e]
	if !ok {
		return "", &StateError{Status: s, Event: e}
	}
	return next, nil
}

// Can reports whether the event is allowed in the state.
func (s Status) Can(e Event) bool { _, err := s.After(e); return err == nil }

func (s Status) known() bool { return slices.Contains(Statuses(), s) }

// begins reports whether an [Episode] begins where a conversation in the state is opened.
func (s Status) begins() bool { return s == "" || s == Closed }

// StateError says that the conversation's state does not allow the event. It is
// [tenancy.ErrConflict], and [ErrClosed] for a closed one.
type StateError struct {
	Status Status
	Event  Event
}

func (e *StateError) Error() string {
	return fmt.Sprintf("conflict: the conversation is %s, which does not allow: %s", e.Status, e.Event)
}

// Is makes errors.Is work for the classes.
func (e *StateError) Is(target error) bool {
	return target == tenancy.ErrConflict || target == ErrClosed && e.Status == Closed
}
