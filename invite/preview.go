package invite

import (
	"context"
	"time"

	"github.com/usher-go/usher/rbac"
)

// Preview is what an invitation shows to whoever has the token, before they sign in: exactly
// this.
type Preview struct {
	Team      string
	Inviter   string
	Role      rbac.Role
	Kind      Kind
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
	team, err := s.people.TeamByID(ctx, system, r.Team)
	if err != nil {
		return Preview{}, err
	}
	inviter, err := s.people.User(ctx, r.Inviter)
	if err != nil {
		return Preview{}, err
	}
	return Preview{
		Team: team.Name, Inviter: inviter.Name, Role: r.Role, Kind: r.Kind,
		ExpiresAt: r.ExpiresAt, State: r.StateAt(s.env.Now()),
	}, nil
}
