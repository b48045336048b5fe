package tenancy

import (
	"context"
	"time"

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

// TransferAccount passes an account on from the user who holds it to another, for an offer that
// they have accepted. It locks the account and then the user. Whoever held it keeps what they are in
// its teams. It must run inside a transaction.
//
// Errors: [ErrNotFound] for an account that is not held by from, [ErrAccountInactive],
// [ErrInactive] for somebody who may not act.
func (s *Service) TransferAccount(ctx context.Context, by System, account AccountID, from, to UserID) (Account, error) {
	a, err := s.store.LockAccount(ctx, account)
	switch {
	case err != nil:
		return Account{}, err
	case a.HeldBy != from:
		return Account{}, ErrNotFound
	case a.Status != AccountActive:
		return Account{}, ErrAccountInactive
	}
	if _, err := s.enterUser(ctx, to); err != nil || from == to {
		return a, err
	}
	return s.transfer(ctx, by, s.env.Now(), a, to)
}

// transfer makes somebody the holder of an account that is locked.
func (s *Service) transfer(ctx context.Context, by Principal, at time.Time, account Account, to UserID) (Account, error) {
	from := account.HeldBy
	account.HeldBy = to
	return s.updateAccount(ctx, by, at, account, AccountTransferred, Facts{"from": from.String(), "to": to.String()})
}
