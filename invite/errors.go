package invite

import (
	"errors"
	"fmt"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// Refusals of those who hold a right token. Each leaves the invitation as it was, and is
// recorded as [InvitationRefused].
var (
	// ErrWrongUser: the invitation is for another address than the one the user is verified for.
	ErrWrongUser = fmt.Errorf("%w: the invitation is for someone else", rbac.ErrDenied)
	// ErrUnverified: the user's address is not verified. It does not tell whether it is the
	// invited one. It is [ErrWrongUser].
	ErrUnverified error = unverifiedError{}
	// ErrWrongDomain: the link is for people with an address of another domain.
	ErrWrongDomain = fmt.Errorf("%w: the link is for people of another e-mail domain", rbac.ErrDenied)
	// ErrRemovedBefore: a manager removed the user from the team, or they left it as less than the link
	// gives: in a lower role, or for a time. So they come back by an invitation to them and not by a link.
	ErrRemovedBefore = fmt.Errorf("%w: who was removed from the team, or was less in it, comes back by an invitation, not by a link", rbac.ErrDenied)
	// ErrInviterLost: whoever sent the invitation may no longer offer what it offers.
	ErrInviterLost = fmt.Errorf("%w: the inviter may no longer invite to this", rbac.ErrDenied)
)

// ErrUsedUp: as many as the link says have come in by it. It is [tenancy.ErrConflict], and a
// [*StateError].
var ErrUsedUp error = usedUpError{}

type usedUpError struct{}

func (usedUpError) Error() string { return "conflict: the link is used up" }

// Unwrap is the refusal in the words of the table.
func (usedUpError) Unwrap() error { return &StateError{State: Accepted, Event: OnAccept} }

// unverifiedError is ErrWrongUser without wrapping it, so that its own sentence is the innermost:
// it is the one that says what to do.
type unverifiedError struct{}

func (unverifiedError) Error() string {
	return ErrWrongUser.Error() + ", or for you once your e-mail address is verified"
}

// Is makes errors.Is(err, ErrWrongUser) true, and with it all that ErrWrongUser is.
func (unverifiedError) Is(target error) bool { return errors.Is(ErrWrongUser, target) }

// ErrHoldsAlready: the account is offered to the one who holds it.
var ErrHoldsAlready = fmt.Errorf("%w: the user holds the account already", tenancy.ErrConflict)

// ErrAddressChanged: who asks to join is no longer verified for the address that they asked with. They
// can ask again with the one that they have.
var ErrAddressChanged = fmt.Errorf("%w: who asks has another e-mail address by now, or none that is verified", tenancy.ErrConflict)

// ErrRoleGone: the custom role that the invitation grants was deleted. Revoke it, and invite anew.
var ErrRoleGone = fmt.Errorf("%w: the role that the invitation grants is no more", tenancy.ErrConflict)

// GuestError says that the user is a guest of the conversation already, and needs no invitation. It
// is [tenancy.ErrConflict].
type GuestError struct {
	// Membership is what the user is in the team.
	Membership   tenancy.Membership
	Conversation tenancy.ConversationID
}

func (e *GuestError) Error() string {
	return "conflict: the user is a guest of the conversation already"
}

// Is makes errors.Is(err, tenancy.ErrConflict) true.
func (e *GuestError) Is(target error) bool { return target == tenancy.ErrConflict }

// AcceptedError says that the invitation was accepted before. It is told only to the user whom
// it is for. It is [tenancy.ErrConflict], and a [*StateError].
type AcceptedError struct {
	Invitation Invitation
	// Membership is what the user has in the team now: zero if they have left since.
	Membership tenancy.Membership
	// To is the name of the team or account that the user has accepted into.
	To string
}

func (e *AcceptedError) Error() string {
	return fmt.Sprintf("conflict: the user has accepted the invitation to %s before", e.To)
}

// Is makes errors.Is(err, tenancy.ErrConflict) true.
func (e *AcceptedError) Is(target error) bool { return target == tenancy.ErrConflict }

// Unwrap is the refusal in the words of the table.
func (e *AcceptedError) Unwrap() error { return &StateError{State: Accepted, Event: OnAccept} }
