package tenancy

import (
	"context"
	"fmt"

	"github.com/usher-go/usher/rbac"
)

// SuspendAccount stops every operation on the account and its teams but reading and
// [Service.ReactivateAccount], from its commit on: what contacts write is still recorded,
// nothing is sent. Suspending it again changes nothing.
//
// Errors: [ErrNotFound], [*StatusError] for a closed account.
func (s *Service) SuspendAccount(ctx context.Context, by System, account AccountID) (Account, error) {
	return s.setAccountStatus(ctx, by, account, AccountSuspended)
}

// ReactivateAccount ends a suspension. Nothing that was revoked or freed comes back.
// Reactivating an active account changes nothing.
//
// Errors: [ErrNotFound], [*StatusError] for a closed account.
func (s *Service) ReactivateAccount(ctx context.Context, by System, account AccountID) (Account, error) {
	return s.setAccountStatus(ctx, by, account, AccountActive)
}

func (s *Service) setAccountStatus(ctx context.Context, by System, account AccountID, to AccountStatus) (Account, error) {
	if err := by.Validate(); err != nil {
		return Account{}, err
	}
	return Do(ctx, s.store, s.env, by, "SetAccountStatus", []any{account, to}, func(ctx context.Context) (Account, error) {
		a, err := s.store.LockAccount(ctx, account)
		if err != nil {
			return Account{}, err
		}
		if a.Status == AccountClosed {
			return Account{}, &StatusError{Of: "account", Status: string(a.Status)}
		}
		return s.changeAccountStatus(ctx, by, a, to)
	})
}

// CloseAccount ends the holder's account for good: it and its teams can only be read, and the
// identities of its teams are free for others. What a contact writes to one of them is still
// recorded where it was, until another team takes it. Closing it again changes nothing.
//
// Errors: [ErrNotFound] for an account that the user does not hold, [ErrAccountInactive] for a
// suspended one.
func (s *Service) CloseAccount(ctx context.Context, holder Holder) (Account, error) {
	return Do(ctx, s.store, s.env, holder, "CloseAccount", []any{holder.Account}, func(ctx context.Context) (Account, error) {
		a, _, err := s.heldAccount(ctx, holder, rbac.ReadAccount, s.store.LockAccount)
		if err != nil || a.Status == AccountClosed {
			return a, err
		}
		if !s.policy.Allows(rbac.Holder, rbac.CloseAccount, rbac.ByAccount) {
			return Account{}, s.policy.Denied(rbac.Holder, rbac.CloseAccount)
		}
		if a.Status != AccountActive {
			return Account{}, ErrAccountInactive
		}
		if a, err = s.changeAccountStatus(ctx, holder, a, AccountClosed); err != nil {
			return Account{}, err
		}
		return a, s.store.ReleaseIdentities(ctx, a.ID)
	})
}

func (s *Service) changeAccountStatus(ctx context.Context, by Principal, a Account, to AccountStatus) (Account, error) {
	from := a.Status
	if from == to {
		return a, nil
	}
	a.Status = to
	return s.updateAccount(ctx, by, s.env.Now(), a, AccountStatusChanged, Facts{"from": string(from), "to": string(to)})
}

// StatusError says that something is in a state from which the operation leads nowhere. It is
// [ErrConflict].
type StatusError struct {
	// Of is what it is about, such as "account".
	Of string
	// Status is the state that it is in.
	Status string
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("conflict: the %s is %s", e.Of, e.Status)
}

// Is makes errors.Is(err, ErrConflict) true.
func (e *StatusError) Is(target error) bool { return target == ErrConflict }
