package invite

import (
	"context"
	"errors"
	"time"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// Preview is what an invitation shows to whoever has the token, before they sign in: exactly
// this.
type Preview struct {
	// Account is the name of an account that is offered, and Team that of the team of any other
	// invitation; the other is empty.
	Account string
	Team    string
	Inviter string
	// Role is zero for an offer of an account.
	Role rbac.Role `json:",omitzero"`
	// Custom is the name of the custom role on top of Role, if there is one.
	Custom string `json:",omitempty"`
	Kind   Kind
	// Domain is the e-mail domain whose people a link lets in; empty where it asks for none.
	Domain    string `json:",omitempty"`
	ExpiresAt time.Time
	// State is the one of now: expired from ExpiresAt on.
	State State
	// Terms is the version of the terms that accepting needs consent to; see [Terms].
	Terms string `json:",omitempty"`
}

// Preview shows an invitation, as often as one likes: nothing changes, also not by a mail
// program that opens every link. It shows ended ones too, since the token is a secret, so that a
// late reader learns why the link does nothing.
//
// Errors: [tenancy.ErrNotFound] for a token that nobody knows or that a resend has replaced.
func (s *Service) Preview(ctx context.Context, token Token) (Preview, error) {
	r, err := s.find(ctx, token)
	if err != nil {
		return Preview{}, err
	}
	account, team, err := s.place(ctx, r.Invitation)
	if err != nil {
		return Preview{}, err
	}
	custom, err := s.customName(ctx, r.Invitation)
	if err != nil {
		return Preview{}, err
	}
	inviter, err := s.people.User(ctx, r.Inviter)
	if err != nil {
		return Preview{}, err
	}
	return Preview{
		Account: account.Name, Team: team.Name, Inviter: inviter.Name, Role: r.Role, Custom: custom, Kind: r.Kind, Domain: r.Domain,
		ExpiresAt: r.ExpiresAt, State: r.StateAt(s.env.Now()), Terms: team.Settings.Terms,
	}, nil
}

// place is the account that is offered, or the team.
func (s *Service) place(ctx context.Context, inv Invitation) (account tenancy.Account, team tenancy.Team, err error) {
	if inv.Kind == ToOneAccount {
		account, err = s.people.AccountByID(ctx, system, inv.Account)
		return account, team, err
	}
	team, err = s.people.TeamByID(ctx, system, inv.Team)
	return account, team, err
}

// customName is the name of the invitation's custom role; empty if it has none, or if that was
// deleted.
func (s *Service) customName(ctx context.Context, inv Invitation) (string, error) {
	if inv.Custom.IsZero() {
		return "", nil
	}
	role, err := s.people.RoleByID(ctx, system, inv.Account, inv.Custom)
	if errors.Is(err, tenancy.ErrNotFound) {
		return "", nil
	}
	return role.Name, err
}
