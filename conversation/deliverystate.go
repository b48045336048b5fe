package conversation

import (
	"fmt"

	"github.com/usher-go/usher/tenancy"
)

// DeliveryState is where a delivery stands.
type DeliveryState string

// The states of a delivery. Every state but pending is final.
const (
	DeliveryPending   DeliveryState = "pending"
	DeliveryCompleted DeliveryState = "completed"
	DeliveryDeclined  DeliveryState = "declined"
	DeliveryExpired   DeliveryState = "expired"
	DeliveryCancelled DeliveryState = "cancelled"
	// DeliveryFailed: the recipient cannot be given the conversation any more.
	DeliveryFailed DeliveryState = "failed"
)

// DeliveryEvent is what may happen to a delivery.
type DeliveryEvent string

// The events of a delivery.
const (
	OnDeliver DeliveryEvent = "deliver" // to somebody who has nothing to accept
	OnRequest DeliveryEvent = "request" // to somebody who is asked
	OnAccept  DeliveryEvent = "accept"
	OnDecline DeliveryEvent = "decline"
	OnCancel  DeliveryEvent = "cancel" // by the team that delivers, also by closing the conversation
	OnExpire  DeliveryEvent = "expire"
	OnFail    DeliveryEvent = "fail" // the recipient has gone, or is no target any more
)

// DeliveryStates lists the states in the order of the table.
func DeliveryStates() []DeliveryState {
	return []DeliveryState{
		DeliveryPending, DeliveryCompleted, DeliveryDeclined, DeliveryExpired, DeliveryCancelled, DeliveryFailed,
	}
}

// DeliveryEvents lists the events in the order of the table.
func DeliveryEvents() []DeliveryEvent {
	return []DeliveryEvent{OnDeliver, OnRequest, OnAccept, OnDecline, OnCancel, OnExpire, OnFail}
}

// deliveryTransitions is the whole state machine; what is not in it is refused. The empty state is a
// delivery that is not there yet. The diagram in the docs and the test of every state with every
// event are made from it.
var deliveryTransitions = map[DeliveryState]map[DeliveryEvent]DeliveryState{
	"": {OnDeliver: DeliveryCompleted, OnRequest: DeliveryPending},
	DeliveryPending: {
		OnAccept: DeliveryCompleted, OnDecline: DeliveryDeclined, OnCancel: DeliveryCancelled,
		OnExpire: DeliveryExpired, OnFail: DeliveryFailed,
	},
}

// After answers the state after the event, or a [*DeliveryStateError].
func (s DeliveryState) After(e DeliveryEvent) (DeliveryState, error) {
	next, ok := deliveryTransitions[s][e]
	if !ok {
		return "", &DeliveryStateError{State: s, Event: e}
	}
	return next, nil
}

// Can reports whether the event is allowed in the state.
func (s DeliveryState) Can(e DeliveryEvent) bool { _, err := s.After(e); return err == nil }

// DeliveryStateError says that the delivery's state does not allow the event. It is
// [tenancy.ErrConflict], and [tenancy.ErrExpired] for one whose time has passed.
type DeliveryStateError struct {
	State DeliveryState
	Event DeliveryEvent
}

func (e *DeliveryStateError) Error() string {
	return fmt.Sprintf("conflict: the delivery is %s, which does not allow: %s", e.State, e.Event)
}

// Is makes errors.Is work for the classes.
func (e *DeliveryStateError) Is(target error) bool {
	return target == tenancy.ErrConflict || target == tenancy.ErrExpired && e.State == DeliveryExpired
}
