package memory

import (
	"cmp"
	"context"

	"github.com/usher-go/usher/tenancy"
)

type accountRow struct {
	tenancy.Account
	stream stream
}

// InsertAccount implements [tenancy.AccountStore].
func (s *Store) InsertAccount(ctx context.Context, a tenancy.Account) error {
	return s.write(ctx, func() error {
		if err := s.checkAccount(&a); err != nil {
			return err
		}
		a.Version = 1
		return s.accounts.insert(a.ID, &accountRow{Account: a})
	})
}

// UpdateAccount implements [tenancy.AccountStore].
func (s *Store) UpdateAccount(ctx context.Context, a tenancy.Account) error {
	return s.write(ctx, func() error {
		row, err := s.accounts.get(a.ID)
		if err != nil {
			return err
		}
		if err := cmp.Or(sameVersion(row.Version, a.Version), s.checkAccount(&a)); err != nil {
			return err
		}
		a.Version++
		set(s.log, &row.Account, a)
		return nil
	})
}

func (s *Store) checkAccount(a *tenancy.Account) error {
	utc(&a.CreatedAt)
	return cmp.Or(
		oneOf("status", a.Status, tenancy.AccountActive, tenancy.AccountSuspended, tenancy.AccountClosed),
		s.users.has(a.HeldBy),
	)
}

// LockAccount implements [tenancy.AccountStore].
func (s *Store) LockAccount(ctx context.Context, id tenancy.AccountID) (tenancy.Account, error) {
	return lock(ctx, s, func() (tenancy.Account, error) { return account(s.accounts.get(id)) })
}

// Account implements [tenancy.AccountStore].
func (s *Store) Account(ctx context.Context, id tenancy.AccountID) (tenancy.Account, error) {
	return read(ctx, s, func() (tenancy.Account, error) { return account(s.accounts.get(id)) })
}

func account(row *accountRow, err error) (tenancy.Account, error) {
	if err != nil {
		return tenancy.Account{}, err
	}
	return row.Account, nil
}
