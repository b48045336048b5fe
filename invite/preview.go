package invite

import (
	"context"
	"time"

	"github.com/usher-go/usher/rbac"
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
	Kind Kind
	// Domain is the e-mail domain whose people a link lets in; empty where it asks for none.
	Domain    string `json:",omitempty"`
	ExpiresAt time.Time
	// State is the one of now: expired from ExpiresAt on.
	State State
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
	account, team, err := s.names(ctx, r.Invitation)
	if err != nil {
		return Preview{}, err
	}
	inviter, err := s.people.User(ctx, r.Inviter)
	if err != nil {
		return Preview{}, err
	}
	return Preview{
		Account: account, Team: team, Inviter: inviter.Name, Role: r.Role, Kind: r.Kind, Domain: r.Domain,
		ExpiresAt: r.ExpiresAt, State: r.StateAt(s.env.Now()),
	}, nil
}

// names are the name of the account that is offered, or of the team.
func (s *Service) names(ctx context.Context, inv Invitation) (account, team string, err error) {
	if inv.Kind == ToOneAccount {
		a, err := s.people.AccountByID(ctx, system, inv.Account)
		return a.Name, "", err
	}
	t, err := s.people.TeamByID(ctx, system, inv.Team)
	return "", t.Name, err
}
