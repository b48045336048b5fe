package tenancy

import (
	"context"
	"time"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/outbox"
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
	if err := s.transfer(ctx, by, s.env.Now(), to, a); err != nil {
		return Account{}, err
	}
	a.HeldBy = to
	a.Version++
	return a, nil
}

// transfer makes somebody the holder of accounts that are locked.
func (s *Service) transfer(ctx context.Context, by Principal, at time.Time, to UserID, accounts ...Account) error {
	var ids []AccountID
	var events []outbox.Event
	for _, a := range accounts {
		ids = append(ids, a.ID)
		events = append(events, s.env.Event(by, at, a.In(), AccountTransferred,
			Facts{"account": a.ID.String(), "from": a.HeldBy.String(), "to": to.String()}))
	}
	if err := s.store.TransferAccounts(ctx, to, ids...); err != nil {
		return err
	}
	return s.store.Append(ctx, events...)
}
