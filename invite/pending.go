package invite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/usher-go/usher/tenancy"
)

// PendingRule says what becomes of a new invitation while another is pending for the same address
// and the same team, conversation or account.
type PendingRule int

// The rules.
const (
	// Refuse answers a [*PendingError].
	Refuse PendingRule = iota
	// Replace revokes the pending one, with an event of its own, in the same transaction. It takes
	// the right to revoke it.
	Replace
	// Return answers the pending one as it is, and writes and mails nothing, as long as it offers the
	// same role, and as much of a conversation's history, to the same address. One that offers something
	// else is a [*PendingError]: nobody is to take it for what they asked for.
	Return
)

// IfPending sets the rule for a new invitation; it is [Refuse] where nothing is said. To send a
// pending one again is [Service.Resend], which takes no rule: an expired invitation that is sent
// again while another is pending is a [*PendingError].
func IfPending(rule PendingRule) Option { return func(c *choices) { c.pending = rule } }

func (r PendingRule) validate() error {
	if r < Refuse || r > Return {
		return &tenancy.InvalidError{Field: "rule for a pending invitation", Reason: "must be Refuse, Replace or Return"}
	}
	return nil
}

// makeRoom sees to it that no other invitation is pending for the same scope and address, or
// answers the one that is, where the rule says so. One whose time has passed is written down as
// expired, and an offer that an earlier holder made, which nobody can accept any more, is revoked;
// these never stand in the way. The team, or the account that is offered, is locked.
func (s *Service) makeRoom(ctx context.Context, by tenancy.Principal, inv Invitation, now time.Time, rule PendingRule) (Invitation, error) {
	var none Invitation
	other, err := s.pending(ctx, inv)
	if errors.Is(err, tenancy.ErrNotFound) || err == nil && other.ID == inv.ID {
		return none, nil
	}
	if err != nil {
		return none, err
	}
	if other, err = s.lapse(ctx, other, now); err != nil || other.State != Pending {
		return none, err
	}
	orphaned := inv.Kind == ToOneAccount && other.Inviter != inv.Inviter
	switch {
	case orphaned || rule == Replace:
		_, err = s.step(ctx, by, now, other, OnRevoke)
		return none, err
	case rule == Return && other.offersLike(inv):
		return other.Invitation, nil
	}
	return none, s.stands(ctx, other)
}

// offersLike reports whether both offer the same to the same address.
func (i Invitation) offersLike(other Invitation) bool {
	return i.Kind == other.Kind && i.Role == other.Role && i.Custom == other.Custom && i.History == other.History &&
		i.Email.Normal == other.Email.Normal
}

// pending finds the one pending invitation that there may be beside a new one.
func (s *Service) pending(ctx context.Context, inv Invitation) (Record, error) {
	if inv.Kind == ToOneAccount {
		return s.store.PendingOffer(ctx, inv.Account)
	}
	return s.store.PendingInvitation(ctx, inv.Team, inv.Conversation, inv.Email.Normal)
}

// stands is the refusal because of a pending invitation.
func (s *Service) stands(ctx context.Context, other Record) error {
	inviter, err := s.people.User(ctx, other.Inviter)
	if err != nil {
		return err
	}
	return &PendingError{Invitation: other.Invitation, Inviter: inviter.Name}
}

// PendingError says that an invitation for the same address into the same team, or the same
// conversation, is pending already; or one that offers the same account, to whomever; or the user's own
// request to join. It is told only to those who may read the invitation. It is [tenancy.ErrConflict].
type PendingError struct {
	Invitation Invitation
	// Inviter is the name of whoever sent it.
	Inviter string
}

func (e *PendingError) Error() string {
	what := "an invitation to"
	if e.Invitation.Kind == ByRequest {
		what = "a request to join from"
	}
	return fmt.Sprintf("conflict: %s %s is pending already, until %s", what, e.Invitation.Email, e.Invitation.ExpiresAt.Format(time.RFC3339))
}

// Is makes errors.Is(err, tenancy.ErrConflict) true.
func (e *PendingError) Is(target error) bool { return target == tenancy.ErrConflict }
