package memory

import (
	"context"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/tenancy"
)

// pendingOffer is the account, for an offer that is pending.
func pendingOffer(r invite.Record) tenancy.AccountID {
	if r.State != invite.Pending || r.Kind != invite.ToOneAccount {
		return tenancy.AccountID{}
	}
	return r.Account
}

// offer finds one of the account.
func (s *Store) offer(account tenancy.AccountID, id tenancy.InvitationID) (*invitationRow, error) {
	row, err := s.invitations.get(id)
	if err != nil || row.offered == nil || row.Account != account {
		return nil, tenancy.ErrNotFound
	}
	return row, nil
}

// LockOffer implements [invite.Store].
func (s *Store) LockOffer(ctx context.Context, account tenancy.AccountID, id tenancy.InvitationID) (invite.Record, error) {
	return lock(ctx, s, func() (invite.Record, error) { return record(s.offer(account, id)) })
}

// Offer implements [invite.Store].
func (s *Store) Offer(ctx context.Context, account tenancy.AccountID, id tenancy.InvitationID) (invite.Record, error) {
	return read(ctx, s, func() (invite.Record, error) { return record(s.offer(account, id)) })
}

// PendingOffer implements [invite.Store].
func (s *Store) PendingOffer(ctx context.Context, account tenancy.AccountID) (invite.Record, error) {
	return read(ctx, s, func() (invite.Record, error) { return record(s.pendingOffers.get(account)) })
}

// Offers implements [invite.Store].
func (s *Store) Offers(ctx context.Context, account tenancy.AccountID, page tenancy.Keyset) ([]invite.Record, error) {
	return read(ctx, s, func() ([]invite.Record, error) {
		row := s.accounts.rows[account]
		if row == nil {
			return nil, nil
		}
		offers := merged(descending, descending.start(page), &row.offers)
		return paged(offers, page.Limit, func(i *invitationRow) (invite.Record, bool) { return i.Record, true }), nil
	})
}
