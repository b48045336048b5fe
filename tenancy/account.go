package tenancy

import (
	"context"
	"time"

	"github.com/google/uuid"

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
		if _, err := s.enterUser(ctx, user); err != nil {
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
		return account, s.store.Append(ctx, s.env.Event(Self(user), now, account.In(), AccountCreated,
			Facts{"account": account.ID.String(), "holder": user.String()}))
	})
}

// Account reads an account that the user holds, whatever its state.
//
// Errors: [ErrNotFound] for an account that the user does not hold, [ErrInactive].
func (s *Service) Account(ctx context.Context, holder Holder) (Account, error) {
	account, _, err := s.heldAccount(ctx, holder, rbac.ReadAccount, s.store.Account)
	return account, err
}

// MyAccounts lists the accounts that the user holds, oldest first.
func (s *Service) MyAccounts(ctx context.Context, user UserID, page Page) (List[Account], error) {
	keyset, err := page.Keyset("my accounts", user)
	if err != nil {
		return List[Account]{}, err
	}
	if _, err := s.activeUser(ctx, user); err != nil {
		return List[Account]{}, err
	}
	accounts, err := s.store.AccountsOf(ctx, user, keyset)
	if err != nil {
		return List[Account]{}, err
	}
	return Paged(accounts, keyset, func(a Account) (time.Time, uuid.UUID) { return a.CreatedAt, a.ID.UUID() }, "my accounts", user), nil
}

// Teams lists the teams of the holder's account, oldest first, archived ones among them.
//
// Errors: those of [Service.Account], [*InvalidError].
func (s *Service) Teams(ctx context.Context, holder Holder, page Page) (List[Team], error) {
	if _, err := s.Account(ctx, holder); err != nil {
		return List[Team]{}, err
	}
	return s.teams(ctx, holder.Account, page)
}

func (s *Service) teams(ctx context.Context, account AccountID, page Page) (List[Team], error) {
	keyset, err := page.Keyset("teams", account)
	if err != nil {
		return List[Team]{}, err
	}
	teams, err := s.store.TeamsIn(ctx, account, keyset)
	if err != nil {
		return List[Team]{}, err
	}
	return Paged(teams, keyset, func(t Team) (time.Time, uuid.UUID) { return t.CreatedAt, t.ID.UUID() }, "teams", account), nil
}

// RenameAccount gives the holder's account another name. The same name changes nothing.
//
// Errors: [*InvalidError], [ErrNotFound], [ErrAccountInactive].
func (s *Service) RenameAccount(ctx context.Context, holder Holder, name string) (Account, error) {
	name, err := Name("account name", name)
	if err != nil {
		return Account{}, err
	}
	return Do(ctx, s.store, s.env, holder, "RenameAccount", []any{holder.Account, name}, func(ctx context.Context) (Account, error) {
		a, err := s.enterAccount(ctx, holder, rbac.RenameAccount)
		if err != nil || a.Name == name {
			return a, err
		}
		a.Name = name
		return s.updateAccount(ctx, holder, s.env.Now(), a, AccountRenamed, Facts{})
	})
}

// updateAccount writes a change of an account that is locked, and its event.
func (s *Service) updateAccount(ctx context.Context, by Principal, at time.Time, a Account, kind string, facts Facts) (Account, error) {
	if err := s.store.UpdateAccount(ctx, a); err != nil {
		return Account{}, err
	}
	a.Version++
	facts["account"] = a.ID.String()
	return a, s.store.Append(ctx, s.env.Event(by, at, a.In(), kind, facts))
}

// Holder is the principal for operations on the account as a whole. Whether the user does
// hold it is checked in each of them.
func (a Account) Holder(user UserID) Holder { return Holder{User: user, Account: a.ID} }

// enterAccount locks the holder's account and checks the permission. Only its holder knows
// of an account; to everyone else it is not found.
func (s *Service) enterAccount(ctx context.Context, holder Holder, perm rbac.Permission) (Account, error) {
	account, _, err := s.heldAccount(ctx, holder, perm, s.store.LockAccount)
	return account, err
}

// heldAccount answers the account and its holder, next to an error as far as they were read: an explanation
// tells what a decision rested on.
func (s *Service) heldAccount(ctx context.Context, holder Holder, perm rbac.Permission,
	read func(context.Context, AccountID) (Account, error),
) (account Account, user User, err error) {
	if holder.User.IsZero() || holder.Account.IsZero() {
		return account, user, ErrNoPrincipal
	}
	if account, err = read(ctx, holder.Account); err != nil {
		return account, user, err
	}
	if account.HeldBy != holder.User {
		return account, user, ErrNotFound
	}
	user, err = s.activeUser(ctx, holder.User)
	switch {
	case err != nil:
		return account, user, err
	case !s.policy.Allows(rbac.Holder, perm, rbac.ByAccount):
		return account, user, s.policy.Denied(rbac.Holder, perm)
	case account.Status != AccountActive && !perm.Reads():
		return account, user, ErrAccountInactive
	}
	return account, user, nil
}
