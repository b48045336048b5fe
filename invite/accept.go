package invite

import (
	"context"
	"time"

	"github.com/usher-go/usher/tenancy"
)

// Accept lets the user in whom the invitation is for: the one who is signed in at the host and
// verified for the invited address. The invitation, the membership or grant, and the events are
// written in one transaction.
//
// What the invitation offers is decided anew, as of now: the account and the team must be
// active, the inviter must still have the authority (unless the team trusts its inviters), the
// user must not be in the team already, and there must be a seat for them. Their own invitation
// takes none of it; those of others do, where the account counts pending ones.
//
// By a link come as many users as it says, each once, whose address is verified and of the link's
// domain if it has one. Somebody whom a manager removed from the team does not come back by a link.
//
// Whoever accepts an offer of an account becomes its holder, as long as the one who sent it is.
//
// A refusal leaves the invitation as it was, and usable. What an account has run out of is told
// and not recorded, unlike who is turned away: nobody has tried the wrong door.
//
// Errors: [tenancy.ErrNoPrincipal]; [tenancy.ErrNotFound] for a token that nobody knows or that a
// resend has replaced; [tenancy.ErrInactive] for a user who may not act; [ErrWrongUser] and
// [ErrUnverified], which say nothing of the invitation's state, and so does [ErrWrongDomain] of a
// link's; [*AcceptedError] the second time; [ErrRemovedBefore] by a link;
// [*StateError] for one that has ended, which is [tenancy.ErrExpired] from its ExpiresAt on;
// [tenancy.ErrAccountInactive], [tenancy.ErrTeamArchived]; [ErrInviterLost];
// [*tenancy.MemberError] for someone who is in the team, also if they are suspended;
// [ErrHoldsAlready]; [*tenancy.SeatsError].
func (s *Service) Accept(ctx context.Context, user tenancy.UserID, token Token) (Invitation, error) {
	return s.answer(ctx, user, token, "Accept", s.accept)
}

func (s *Service) accept(ctx context.Context, a tenancy.Arrival, r Record, now time.Time) (Record, error) {
	accepted, err := s.accepted(ctx, r, a.User.ID)
	if err != nil {
		return Record{}, err
	}
	if accepted {
		return Record{}, &AcceptedError{Invitation: r.Invitation, Membership: a.Membership}
	}
	if _, err := r.Kind.After(r.StateAt(now), OnAccept); err != nil {
		return Record{}, err
	}
	if err := a.Open(); err != nil {
		return Record{}, err
	}
	if err := s.inviterMay(ctx, a, r.Invitation); err != nil {
		return Record{}, err
	}
	if err := s.useless(r.Invitation, a, now); err != nil {
		return Record{}, err
	}
	if err := r.shutsOut(a); err != nil {
		return Record{}, err
	}
	r.AcceptedBy = a.User.ID
	r, event, err := s.count(ctx, r, now)
	if err != nil {
		return Record{}, err
	}
	return s.step(ctx, tenancy.Self(a.User.ID), now, r, event)
}

// useless answers why an invitation gives the user nothing that they do not have.
func (s *Service) useless(inv Invitation, a tenancy.Arrival, now time.Time) error {
	if inv.Kind != ToOneAccount {
		return s.conflict(inv, a.Membership, now)
	}
	if a.User.ID == a.Account.HeldBy {
		return ErrHoldsAlready
	}
	return nil
}
