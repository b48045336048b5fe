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
// active, the inviter must still have the authority, and the user must not be in the team
// already.
//
// Errors: [tenancy.ErrNoPrincipal]; [tenancy.ErrNotFound] for a token that nobody knows or that a
// resend has replaced; [tenancy.ErrInactive] for a user who may not act; [ErrWrongUser] and
// [ErrUnverified], which say nothing of the invitation's state; [*AcceptedError] the second time;
// [*StateError] for one that has ended, which is [tenancy.ErrExpired] from its ExpiresAt on;
// [tenancy.ErrAccountInactive], [tenancy.ErrTeamArchived]; [ErrInviterLost];
// [*tenancy.MemberError] for someone who is in the team, also if they are suspended.
func (s *Service) Accept(ctx context.Context, user tenancy.UserID, token Token) (Invitation, error) {
	return s.answer(ctx, user, token, "Accept", s.accept)
}

func (s *Service) accept(ctx context.Context, a tenancy.Arrival, r Record, now time.Time) (Record, error) {
	if r.State == Accepted {
		return Record{}, &AcceptedError{Invitation: r.Invitation, Membership: a.Membership}
	}
	if _, err := r.StateAt(now).After(OnAccept); err != nil {
		return Record{}, err
	}
	if err := a.Open(); err != nil {
		return Record{}, err
	}
	if err := s.inviterMay(ctx, r.Invitation); err != nil {
		return Record{}, err
	}
	if err := s.conflict(r.Invitation, a.Membership, now); err != nil {
		return Record{}, err
	}
	r.AcceptedBy = a.User.ID
	return s.step(ctx, tenancy.Self(a.User.ID), now, r, OnAccept)
}
