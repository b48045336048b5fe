package invite

import (
	"fmt"
	"slices"
	"time"

	"github.com/usher-go/usher/tenancy"
)

// State is where an invitation stands.
type State string

// The states of an invitation.
const (
	Pending  State = "pending"
	Accepted State = "accepted"
	Declined State = "declined"
	Revoked  State = "revoked"
	Expired  State = "expired"
)

// Event is what may happen to an invitation.
type Event string

// The events of an invitation.
const (
	OnAccept  Event = "accept"
	OnDecline Event = "decline"
	OnRevoke  Event = "revoke"
	OnExpire  Event = "expire"
	OnResend  Event = "resend"
	OnMail    Event = "deliver mail"
	// OnUse lets one in by a link that has more uses left; the last one is OnAccept.
	OnUse Event = "use"
)

// States lists the states in the order of the table.
func States() []State { return []State{Pending, Expired, Accepted, Declined, Revoked} }

// Events lists the events in the order of the table.
func Events() []Event {
	return []Event{OnAccept, OnDecline, OnRevoke, OnExpire, OnResend, OnMail, OnUse}
}

// transitions is the whole state machine, of all kinds; what is not in it is refused. The diagram
// in the docs and the test of every state with every event are made from it.
var transitions = map[State]map[Event]State{
	Pending: {OnAccept: Accepted, OnDecline: Declined, OnRevoke: Revoked, OnExpire: Expired, OnResend: Pending, OnMail: Pending, OnUse: Pending},
	Expired: {OnResend: Pending},
}

// Kinds lists the kinds in the order of the table.
func Kinds() []Kind {
	return []Kind{ToOneTeam, ToOneConversation, ToOneAccount, ByLink, ByRequest}
}

// never are the events of the table that do not happen to a kind: a link is nobody's to decline, a
// request has no token, and neither is mailed.
var never = map[Kind][]Event{
	ToOneTeam:         {OnUse},
	ToOneConversation: {OnUse},
	ToOneAccount:      {OnUse},
	ByLink:            {OnDecline, OnMail},
	ByRequest:         {OnResend, OnMail, OnUse},
}

// After is [State.After] for invitations of one kind, to which some events never happen.
func (k Kind) After(s State, e Event) (State, error) {
	if slices.Contains(never[k], e) {
		return "", &StateError{State: s, Event: e}
	}
	return s.After(e)
}

// Can reports whether the event is allowed in the state for invitations of the kind.
func (k Kind) Can(s State, e Event) bool { _, err := k.After(s, e); return err == nil }

func (k Kind) known() bool { return never[k] != nil }

// After answers the state after the event, or a [*StateError].
func (s State) After(e Event) (State, error) {
	next, ok := transitions[s][e]
	if !ok {
		return "", &StateError{State: s, Event: e}
	}
	return next, nil
}

// Can reports whether the event is allowed in the state.
func (s State) Can(e Event) bool { _, err := s.After(e); return err == nil }

func (s State) known() bool { return slices.Contains(States(), s) }

// Ended reports whether nothing can happen to an invitation in the state any more.
func (s State) Ended() bool { return len(transitions[s]) == 0 }

// StateAt is the state at the time given: a pending invitation is expired from ExpiresAt on,
// to the microsecond, whether or not a sweep has noted it.
func (i Invitation) StateAt(now time.Time) State {
	if i.State == Pending && !now.Before(i.ExpiresAt) {
		return Expired
	}
	return i.State
}

// StateError says that the invitation's state does not allow the event. It is
// [tenancy.ErrConflict], and [tenancy.ErrExpired] when the state is Expired.
type StateError struct {
	State State
	Event Event
}

func (e *StateError) Error() string {
	return fmt.Sprintf("conflict: the invitation is %s, which does not allow: %s", e.State, e.Event)
}

// Is makes errors.Is work for the classes.
func (e *StateError) Is(target error) bool {
	return target == tenancy.ErrConflict || target == tenancy.ErrExpired && e.State == Expired
}
