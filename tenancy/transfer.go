package tenancy

import (
	"context"

	"github.com/usher-go/usher/rbac"
)

// EnterTransfer locks the holder's account for them to offer it to somebody else, which is what
// [Service.Enter] is in a team. It must run inside a transaction.
//
// Errors: [ErrNoPrincipal], [ErrNotFound] for an account that the user does not hold,
// [ErrInactive], [rbac.ErrDenied], [ErrAccountInactive].
func (s *Service) EnterTransfer(ctx context.Context, holder Holder) (Account, error) {
	return s.enterAccount(ctx, holder, rbac.TransferAccount)
}

// TransferAccount makes a user the holder of an account, for an offer that they have accepted.
// Both must be locked, and the account at work. Whoever held it keeps what they are in its teams.
func (s *Service) TransferAccount(ctx context.Context, by Principal, account AccountID, to UserID) (Account, error) {
	a, err := s.store.LockAccount(ctx, account)
	if err != nil {
		return Account{}, err
	}
	if a.Status != AccountActive {
		return Account{}, ErrAccountInactive
	}
	return s.transfer(ctx, by, a, to)
}

// transfer makes somebody the holder of an account that is locked.
func (s *Service) transfer(ctx context.Context, by Principal, account Account, to UserID) (Account, error) {
	from := account.HeldBy
	account.HeldBy = to
	return s.updateAccount(ctx, by, account, AccountTransferred, Facts{"from": from.String(), "to": to.String()})
}
