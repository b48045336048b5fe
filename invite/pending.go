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

// meeting is what becomes of an invitation in the state pending that a new one meets.
type meeting int

const (
	free   meeting = iota // there is none
	lapses                // its time has passed: it is written down as expired
	yields                // it is revoked
	stays                 // it is answered in place of the new one
	blocks                // it is in the way
)

// meets says what becomes of the other invitation, which is zero if none is in the state pending. One whose
// time has passed, and an offer that an earlier holder made, which nobody can accept any more, never stand
// in the way.
func (r PendingRule) meets(other Record, inv Invitation, now time.Time) meeting {
	orphaned := inv.Kind == ToOneAccount && other.Inviter != inv.Inviter
	switch {
	case other.ID.IsZero() || other.ID == inv.ID:
		return free
	case other.StateAt(now) == Expired:
		return lapses
	case orphaned || r == Replace:
		return yields
	case r == Return && other.offersLike(inv):
		return stays
	}
	return blocks
}

// makeRoom sees to it that no other invitation is pending for the same scope and address, or
// answers the one that is, where the rule says so. The team, or the account that is offered, is locked.
func (s *Service) makeRoom(ctx context.Context, by tenancy.Principal, inv Invitation, now time.Time, rule PendingRule) (Invitation, error) {
	var none Invitation
	other, err := s.pending(ctx, inv, now)
	if err != nil {
		return none, err
	}
	switch rule.meets(other, inv, now) {
	case free:
	case lapses:
		_, err = s.step(ctx, system, now, other, OnExpire)
	case yields:
		_, err = s.step(ctx, by, now, other, OnRevoke)
	case stays:
		return other.Invitation, nil
	case blocks:
		err = s.stands(ctx, other)
	}
	return none, err
}

// pending finds the one in the state pending that there may be beside a new one, or none. An offer may be
// to another address.
func (s *Service) pending(ctx context.Context, inv Invitation, now time.Time) (Record, error) {
	if inv.Kind != ToOneAccount {
		to, err := s.othersTo(ctx, inv.Account, now, inv.Email.Normal)
		return to.beside(inv), err
	}
	r, err := s.store.PendingOffer(ctx, inv.Account)
	if errors.Is(err, tenancy.ErrNotFound) {
		return Record{}, nil
	}
	return r, err
}

// offersLike reports whether both offer the same to the same address.
func (i Invitation) offersLike(other Invitation) bool {
	return i.Kind == other.Kind && i.Role == other.Role && i.Custom == other.Custom && i.History == other.History &&
		i.Email.Normal == other.Email.Normal
}

// others are the invitations of an account to one address that are in the state pending, or count for its
// limit.
type others []Record

// othersTo are those to one address.
func (s *Service) othersTo(ctx context.Context, account tenancy.AccountID, now time.Time, normal string) (others, error) {
	found, err := s.othersToAll(ctx, account, now, normal)
	return found[normal], err
}

// othersToAll are those to several addresses, by the address.
func (s *Service) othersToAll(ctx context.Context, account tenancy.AccountID, now time.Time, normals ...string) (map[string]others, error) {
	records, err := s.store.InvitationsTo(ctx, account, now.Add(-time.Hour), normals...)
	found := map[string]others{}
	for _, r := range records {
		found[r.Email.Normal] = append(found[r.Email.Normal], r)
	}
	return found, err
}

// beside is the one in the state pending that there may be beside a new one for the same team or
// conversation; zero if there is none.
func (o others) beside(inv Invitation) Record {
	for _, r := range o {
		if r.State == Pending && r.Kind == inv.Kind && r.Team == inv.Team && r.Conversation == inv.Conversation {
			return r
		}
	}
	return Record{}
}

// revoke notes that one of them is.
func (o others) revoke(r Record) {
	for i := range o {
		if o[i].ID == r.ID {
			o[i].State = Revoked
		}
	}
}

// load is what counts for the limit of the address.
func (o others) load(now time.Time) Tally {
	var t Tally
	for _, r := range o {
		if until, counts := r.countsUntil(now); counts {
			t = t.with(until)
		}
	}
	return t
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
