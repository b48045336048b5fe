package tenancy

import (
	"errors"
	"fmt"

	"github.com/usher-go/usher/rbac"
)

// The classes of error. Every error of usher is one of these or [rbac.ErrDenied]; test with
// errors.Is. The more telling errors below and in the other rooms wrap them.
var (
	// ErrInvalid: the input breaks a rule that can be read from the input alone.
	ErrInvalid = errors.New("invalid")
	// ErrNotFound: there is no such thing for this principal. It is the same answer for a
	// random id, for another team's id and for a thing that the principal may not know of.
	ErrNotFound = errors.New("not found")
	// ErrConflict: the state does not allow it now.
	ErrConflict = errors.New("conflict")
	// ErrExpired: its time has passed.
	ErrExpired = errors.New("expired")
	// ErrLimit: a documented limit would be exceeded.
	ErrLimit = errors.New("limit exceeded")
	// ErrUnavailable: the storage could not answer; the state is as before or, after a
	// commit whose answer was lost, as after. Repeating with the same key is safe.
	ErrUnavailable = errors.New("unavailable")
)

// Refusals with a name of their own.
var (
	// ErrNoPrincipal: the call does not say on whose behalf it runs.
	ErrNoPrincipal = fmt.Errorf("%w: the call names no principal", rbac.ErrDenied)
	// ErrInactive: the user or their membership is suspended, or the membership has expired.
	ErrInactive = fmt.Errorf("%w: the user or the membership is not active", rbac.ErrDenied)
	// ErrOwnExpiry: someone would put off the end of their own membership.
	ErrOwnExpiry = fmt.Errorf("%w: nobody extends their own membership", rbac.ErrDenied)
	// ErrOwnRole: a holder would put more into a custom role that they have themselves.
	ErrOwnRole = fmt.Errorf("%w: nobody changes their own role upward", rbac.ErrDenied)
	// ErrAccountInactive: the account is suspended or closed; it can only be read.
	ErrAccountInactive = fmt.Errorf("%w: the account is not active", ErrConflict)
	// ErrTeamArchived: the team is archived; it can only be read.
	ErrTeamArchived = fmt.Errorf("%w: the team is archived", ErrConflict)
	// ErrLastManager: the team would be left without an active manager.
	ErrLastManager = fmt.Errorf("%w: a team keeps at least one active manager whose membership does not expire", ErrConflict)
	// ErrEmailTaken: another user has proven that they own the address.
	ErrEmailTaken = fmt.Errorf("%w: the e-mail address belongs to another user", ErrConflict)
	// ErrNameTaken: the account has a team, or a role, of that name.
	ErrNameTaken = fmt.Errorf("%w: the account has a team or a role of this name", ErrConflict)
	// ErrIdentityTaken: a live team has that phone number or chat handle.
	ErrIdentityTaken = fmt.Errorf("%w: the phone number or handle belongs to a team", ErrConflict)
)

// Answers of a [Store] that no correct caller sees.
var (
	// ErrDuplicate: a unique key is taken. Services look before they write, so it means that
	// another transaction was faster; InTx runs the closure again, which then finds it.
	ErrDuplicate = fmt.Errorf("%w: another transaction wrote this first", ErrConflict)
	// ErrStale: the row is not at the version that was read.
	ErrStale = fmt.Errorf("%w: the row has changed since it was read", ErrConflict)
	// ErrNoTx: the method writes or locks and was called outside InTx.
	ErrNoTx = errors.New("usher: this store method must be called inside InTx")
	// ErrTxDone: the context belongs to a transaction that has ended.
	ErrTxDone = errors.New("usher: the context belongs to a transaction that has ended")
)

// InvalidError says which input is wrong and what is allowed. It is [ErrInvalid].
type InvalidError struct {
	Field  string
	Reason string
}

func (e *InvalidError) Error() string { return e.Field + " " + e.Reason }

// Is makes errors.Is(err, ErrInvalid) true.
func (e *InvalidError) Is(target error) bool { return target == ErrInvalid }

// MemberError says that the user has a membership in the team already. It is [ErrConflict].
type MemberError struct {
	Membership Membership
}

func (e *MemberError) Error() string {
	return fmt.Sprintf("conflict: the user is already in the team as %s (%s)", e.Membership.Role, e.Membership.Status)
}

// Is makes errors.Is(err, ErrConflict) true.
func (e *MemberError) Is(target error) bool { return target == ErrConflict }
