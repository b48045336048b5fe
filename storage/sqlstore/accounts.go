package sqlstore

import (
	"context"

	"github.com/usher-go/usher/tenancy"
)

type accountStatements struct {
	insert, update, lock, exists, byID string
}

func (c *compiler) accounts() accountStatements {
	return accountStatements{
		insert: c.sql(`INSERT INTO usher_accounts (id, name, holder_id, status, created_at, version)
			VALUES (?, ?, ?, ?, ?, 1)`),
		update: c.sql(`UPDATE usher_accounts SET name = ?, holder_id = ?, status = ?, version = version + 1
			WHERE id = ? AND version = ?`),
		lock:   c.sql(`UPDATE usher_accounts SET locks = locks + 1 WHERE id = ?`),
		exists: c.sql(`SELECT 1 FROM usher_accounts WHERE id = ?`),
		byID:   c.sql(`SELECT id, name, holder_id, status, created_at, version FROM usher_accounts WHERE id = ?`),
	}
}

func scanAccount(r row) (tenancy.Account, error) {
	var a tenancy.Account
	err := r.Scan(id(&a.ID), &a.Name, id(&a.HeldBy), &a.Status, at(&a.CreatedAt), &a.Version)
	return a, err
}

// InsertAccount implements [tenancy.AccountStore].
func (s *Store) InsertAccount(ctx context.Context, a tenancy.Account) error {
	_, err := s.exec(ctx, s.accounts.insert, a.ID, a.Name, a.HeldBy, a.Status, micros(a.CreatedAt))
	return err
}

// UpdateAccount implements [tenancy.AccountStore].
func (s *Store) UpdateAccount(ctx context.Context, a tenancy.Account) error {
	return s.update(ctx, s.accounts.update, []any{a.Name, a.HeldBy, a.Status, a.ID, a.Version},
		s.accounts.exists, a.ID)
}

// LockAccount implements [tenancy.AccountStore].
func (s *Store) LockAccount(ctx context.Context, id tenancy.AccountID) (tenancy.Account, error) {
	if err := s.lock(ctx, s.accounts.lock, id); err != nil {
		return tenancy.Account{}, err
	}
	return s.Account(ctx, id)
}

// Account implements [tenancy.AccountStore].
func (s *Store) Account(ctx context.Context, id tenancy.AccountID) (tenancy.Account, error) {
	return one(ctx, s, scanAccount, s.accounts.byID, id)
}
