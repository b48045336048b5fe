package conversation

import (
	"fmt"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// The errors of this room.
var (
	// ErrClosed: the conversation is closed, and has to be opened first.
	ErrClosed = fmt.Errorf("%w: the conversation is closed, and a member has to open it first", tenancy.ErrConflict)
	// ErrNotRecipient: the user is no active member of the team whose role reads and answers all of
	// its conversations, as a manager's and a member's do.
	ErrNotRecipient = fmt.Errorf("%w: only an active manager or member of the team can be given a conversation; invite others to the team, or to the conversation by e-mail", tenancy.ErrConflict)
	// ErrNotTarget: the team's [tenancy.Settings] name the teams to deliver to, and not this one.
	ErrNotTarget = fmt.Errorf("%w: the team's settings do not allow deliveries to that team", tenancy.ErrConflict)
	// ErrDeleted: there is nothing left of the message to change.
	ErrDeleted = fmt.Errorf("%w: the message is deleted", tenancy.ErrConflict)
	// ErrHandedOver: the message is with the [Sender], or has been.
	ErrHandedOver = fmt.Errorf("%w: the message was handed over to be sent and cannot be changed any more", tenancy.ErrConflict)
	// ErrDeliveryPending: the conversation waits for the recipient of an earlier delivery.
	ErrDeliveryPending = fmt.Errorf("%w: a delivery of this conversation is pending; cancel it first", tenancy.ErrConflict)
	// ErrNotAddressee: the actor sees the delivery, but it was made to somebody else, or by another team.
	ErrNotAddressee = fmt.Errorf("%w: the delivery is not the actor's to answer", rbac.ErrDenied)
	// ErrNoApplication: nothing says why the contact is here.
	ErrNoApplication = fmt.Errorf("%w: the contact has no application", tenancy.ErrNotFound)
	// ErrRecorded: what the host has recorded of an application is the host's to change.
	ErrRecorded = fmt.Errorf("%w: the application was recorded by the host, and only one that was made in the chat can be edited", tenancy.ErrConflict)
	// ErrOtherContact: the external id is that of an application of another contact.
	ErrOtherContact = fmt.Errorf("%w: the application with this external id is another contact's", tenancy.ErrConflict)
	// ErrReadOnly: the grant lets its owner read and nothing else.
	ErrReadOnly = fmt.Errorf("%w: the grant is for reading only", rbac.ErrDenied)
)

// ErrOptedOut: the contact must not be written to. The error is an [*OptedOutError].
var ErrOptedOut = fmt.Errorf("%w: the contact has opted out of messages", tenancy.ErrConflict)

// AssignedError says that the conversation is someone's already. It is [tenancy.ErrConflict].
type AssignedError struct {
	Assignee tenancy.UserID
	// Name is the assignee's, for those who may list members; empty for others.
	Name string
}

func (e *AssignedError) Error() string {
	return fmt.Sprintf("conflict: the conversation is assigned to %s", nameOr(e.Name, e.Assignee))
}

// Is makes errors.Is(err, tenancy.ErrConflict) true.
func (e *AssignedError) Is(target error) bool { return target == tenancy.ErrConflict }
