package tenancy

import (
	"context"
	"time"

	"github.com/usher-go/usher/rbac"
)

// Account is the customer: it is held by one user and has many teams.
type Account struct {
	ID     AccountID
	Name   string
	HeldBy UserID
	Status AccountStatus
	// Services are what the account has booked, in the order in which they were added.
	Services []AccountService
	// Seats is how many people the account may have; the zero value sets no limit.
	Seats     Seats
	CreatedAt time.Time
	Version   int64
}

// AccountStatus says whether an account works.
type AccountStatus string

// The states of an account. All but an active one can only be read.
const (
	AccountActive    AccountStatus = "active"
	AccountSuspended AccountStatus = "suspended"
	AccountClosed    AccountStatus = "closed"
)

// CreateAccount makes an account that the user holds. The account and its event are written
// in one transaction.
func (s *Service) CreateAccount(ctx context.Context, user UserID, name string) (Account, error) {
	name, err := Name("account name", name)
	if err != nil {
		return Account{}, err
	}
	return Do(ctx, s.store, s.env, Self(user), "CreateAccount", []any{name}, func(ctx context.Context) (Account, error) {
		if err := s.activeUser(ctx, user); err != nil {
			return Account{}, err
		}
		now := s.env.Now()
		account := Account{
			ID: NewID[AccountID](s.env), Name: name, HeldBy: user,
			Status: AccountActive, CreatedAt: now, Version: 1,
		}
		if err := s.store.InsertAccount(ctx, account); err != nil {
			return Account{}, err
		}
		return account, s.store.Append(ctx, s.env.Event(Self(user), now, account.in(), AccountCreated,
			Facts{"account": account.ID.String(), "holder": user.String()}))
	})
}

// Holder is the principal for operations on the account as a whole. Whether the user does
// hold it is checked in each of them.
func (a Account) Holder(user UserID) Holder { return Holder{User: user, Account: a.ID} }

// enterAccount locks the holder's account and checks the permission. Only its holder knows
// of an account; to everyone else it is not found.
func (s *Service) enterAccount(ctx context.Context, holder Holder, perm rbac.Permission) (Account, error) {
	if holder.User.IsZero() || holder.Account.IsZero() {
		return Account{}, ErrNoPrincipal
	}
	account, err := s.store.LockAccount(ctx, holder.Account)
	switch {
	case err != nil:
		return Account{}, err
	case account.HeldBy != holder.User:
		return Account{}, ErrNotFound
	case !s.policy.Allows(rbac.Holder, perm, rbac.ByAccount):
		return Account{}, s.policy.Denied(rbac.Holder, perm)
	}
	if err := s.activeUser(ctx, holder.User); err != nil {
		return Account{}, err
	}
	if account.Status != AccountActive && !perm.Reads() {
		return Account{}, ErrAccountInactive
	}
	return account, nil
}
