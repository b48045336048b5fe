package invite

import (
	"cmp"
	"context"
	"errors"
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
// domain if it has one. Somebody whom a manager removed from the team does not come back by a link, nor
// does who left it as less than the link gives: in a lower role, or for a time.
//
// Whoever accepts an offer of an account becomes its holder, as long as the one who sent it is.
//
// A refusal leaves the invitation as it was, and usable. Who is turned away is recorded, with
// [InvitationRefused]: once for each invitation, user and reason, and again only after
// [tenancy.Service.ForgetKeys]. What an account has run out of is told and not recorded: nobody has
// tried the wrong door.
//
// A team that has [tenancy.Settings.Terms] asks for the user's consent to them with [Terms]: so
// registering and joining are two steps, with the terms in between, and a user who has not joined is
// nobody in the team. What they agreed to is kept with the invitation and told by its event.
//
// Errors: [tenancy.ErrNoPrincipal]; [tenancy.ErrNotFound] for a token that nobody knows or that a
// resend has replaced; [tenancy.ErrInactive] for a user who may not act; [ErrWrongUser] and
// [ErrUnverified], which say nothing of the invitation's state, and so does [ErrWrongDomain] of a
// link's; [*AcceptedError] the second time; [ErrRemovedBefore] by a link;
// [ErrUsedUp] for a link that is; [*StateError] for one that has ended, which is [tenancy.ErrExpired] from its ExpiresAt on;
// [tenancy.ErrAccountInactive], [tenancy.ErrTeamArchived]; [ErrInviterLost]; [ErrRoleGone]; [*DomainError]; [*TermsError]; [*GuestError];
// [*tenancy.MemberError] for someone who is in the team, also if they are suspended;
// [ErrHoldsAlready]; [*tenancy.SeatsError].
func (s *Service) Accept(ctx context.Context, user tenancy.UserID, token Token, consents ...Consent) (Invitation, error) {
	given := agreed(consents)
	return s.answer(ctx, user, token, "Accept", []any{given.terms}, func(ctx context.Context, a tenancy.Arrival, r Record, now time.Time) (Record, error) {
		return s.accept(ctx, a, r, given, now)
	})
}

func (s *Service) accept(ctx context.Context, a tenancy.Arrival, r Record, given consent, now time.Time) (Record, error) {
	accepted, err := s.accepted(ctx, r, a.User.ID)
	if err != nil {
		return Record{}, err
	}
	if accepted {
		return Record{}, &AcceptedError{Invitation: r.Invitation, Membership: a.Membership, To: cmp.Or(a.Team.Name, a.Account.Name)}
	}
	if r.Kind == ByLink && r.State == Accepted {
		return Record{}, ErrUsedUp
	}
	if _, err := r.Kind.After(r.StateAt(now), OnAccept); err != nil {
		return Record{}, err
	}
	if err := a.Open(); err != nil {
		return Record{}, err
	}
	if err := s.stillStands(ctx, a, r.Invitation); err != nil {
		return Record{}, err
	}
	if err := s.useless(ctx, r.Invitation, a, now); err != nil {
		return Record{}, err
	}
	if err := r.shutsOut(a); err != nil {
		return Record{}, err
	}
	terms, err := given.to(a.Team)
	if err != nil {
		return Record{}, err
	}
	r.AcceptedBy, r.Terms = a.User.ID, terms
	r, event, err := s.count(ctx, r, now)
	if err != nil {
		return Record{}, err
	}
	return s.step(ctx, tenancy.Self(a.User.ID), now, r, event)
}

// stillStands answers what of the invitation does not hold any more: its role, its inviter's
// authority, its address.
func (s *Service) stillStands(ctx context.Context, a tenancy.Arrival, inv Invitation) error {
	if err := s.roleStands(ctx, inv); err != nil {
		return err
	}
	if err := s.inviterMay(ctx, a, inv); err != nil {
		return err
	}
	if inv.Kind == ToOneAccount {
		return nil
	}
	if inv.Kind == ByLink { // whose address is that of whoever comes
		return invitable(a.Team, a.User.Email)
	}
	return invitable(a.Team, inv.Email)
}

// roleStands answers [ErrRoleGone] if the custom role that the invitation grants was deleted.
func (s *Service) roleStands(ctx context.Context, inv Invitation) error {
	if inv.Custom.IsZero() {
		return nil
	}
	_, err := s.people.RoleByID(ctx, system, inv.Account, inv.Custom)
	if errors.Is(err, tenancy.ErrNotFound) {
		return ErrRoleGone
	}
	return err
}

// orRoleGone is why an invitation cannot be sent again: its role was deleted, or else the refusal.
func (s *Service) orRoleGone(ctx context.Context, inv Invitation, refusal error) error {
	if !errors.Is(refusal, tenancy.ErrNotFound) {
		return refusal
	}
	return cmp.Or(s.roleStands(ctx, inv), refusal)
}

// useless answers why an invitation gives the user nothing that they do not have.
func (s *Service) useless(ctx context.Context, inv Invitation, a tenancy.Arrival, now time.Time) error {
	if inv.Kind != ToOneAccount {
		return s.conflict(ctx, inv, a.Membership, now)
	}
	if a.User.ID == a.Account.HeldBy {
		return ErrHoldsAlready
	}
	return nil
}
