package memory

import (
	"context"
	"time"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/tenancy"
)

// PendingRequest implements [invite.RequestStore].
func (s *Store) PendingRequest(ctx context.Context, team tenancy.TeamID, user tenancy.UserID) (invite.Record, error) {
	return read(ctx, s, func() (invite.Record, error) { return record(s.pendingAsks.get(teamUser{team, user})) })
}

// RequestsOf implements [invite.RequestStore].
func (s *Store) RequestsOf(ctx context.Context, user tenancy.UserID, page tenancy.Keyset) ([]invite.Record, error) {
	return read(ctx, s, func() ([]invite.Record, error) {
		requests := merged(descending, descending.start(page), s.requestsOf[user])
		return paged(requests, page.Limit, func(i *invitationRow) (invite.Record, bool) { return i.Record, true }), nil
	})
}

// RequestLoad implements [invite.RequestStore].
func (s *Store) RequestLoad(ctx context.Context, like invite.Invitation, now time.Time) (invite.Load, error) {
	return read(ctx, s, func() (invite.Load, error) {
		var load invite.Load
		if row := s.teams.rows[like.Team]; row != nil {
			for i := range merged(ascending, ascending.beginning(), &row.invitations[0]) {
				if i.Kind == invite.ByRequest && i.StateAt(now) == invite.Pending {
					tally(&load.Team, i.ExpiresAt)
				}
			}
		}
		for i := range merged(ascending, ascending.beginning(), s.requestsOf[like.Inviter]) {
			if until := i.CreatedAt.Add(24 * time.Hour); now.Before(until) {
				tally(&load.Inviter, until)
			}
		}
		return load, nil
	})
}

// Batch implements [invite.BatchStore].
func (s *Store) Batch(ctx context.Context, account tenancy.AccountID, batch tenancy.BatchID) ([]invite.Record, error) {
	return read(ctx, s, func() ([]invite.Record, error) {
		var records []invite.Record
		for i := range merged(ascending, ascending.beginning(), s.batches[batch]) {
			if i.Account == account {
				records = append(records, i.Record)
			}
		}
		return records, nil
	})
}
