package invite

import (
	"context"

	"github.com/usher-go/usher/tenancy"
)

// Erase implements [tenancy.Erasures]: the address of a deleted user is taken out of the
// invitations that have ended: those that they accepted, their own requests to join, and those for the
// address that they were verified for. They stay listed, and an expired one of them cannot be sent again. Pending ones
// keep it: they are for whoever owns the address, who need not be the same person. The user's own
// requests to join are taken back. It must run inside a transaction.
func (s *Service) Erase(ctx context.Context, e tenancy.Erasure) error {
	if err := s.withdrawAll(ctx, e); err != nil {
		return err
	}
	return s.store.EraseInvitations(ctx, e.User, e.Email)
}
