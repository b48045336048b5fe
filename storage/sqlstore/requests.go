package sqlstore

import (
	"context"
	"time"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/tenancy"
)

// PendingRequest implements [invite.RequestStore].
func (s *Store) PendingRequest(ctx context.Context, team tenancy.TeamID, user tenancy.UserID) (invite.Record, error) {
	return one(ctx, s, scanInvitation, s.invitations.requests.pending, team, user)
}

// RequestsOf implements [invite.RequestStore].
func (s *Store) RequestsOf(ctx context.Context, user tenancy.UserID, page tenancy.Keyset) ([]invite.Record, error) {
	return paged(ctx, s, scanInvitation, s.invitations.requests.listed, page, user)
}

// RequestLoad implements [invite.RequestStore] with one statement.
func (s *Store) RequestLoad(ctx context.Context, like invite.Invitation, now time.Time) (invite.Load, error) {
	return s.tallies(ctx, s.invitations.requests.load, like.Team, micros(now), like.Inviter, micros(now.Add(-24*time.Hour)))
}

// Batch implements [invite.BatchStore].
func (s *Store) Batch(ctx context.Context, account tenancy.AccountID, batch tenancy.BatchID) ([]invite.Record, error) {
	return all(ctx, s, scanInvitation, s.invitations.batch, batch, account)
}
