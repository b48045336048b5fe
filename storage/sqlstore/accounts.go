package sqlstore

import (
	"context"

	"github.com/usher-go/usher/tenancy"
)

type accountStatements struct {
	insert, update, lock, exists, byID string
	heldBy                             pages
	seats, seatsAndPending             manyIDs
	lockMany, byIDs, transfer          manyIDs
	seatedUsers, seatedInvited         manyIDs
}

const accountColumns = `a.id, a.name, a.holder_id, a.status, a.services, a.seat_rule, a.seat_limit, a.seat_pending,
	a.created_at, a.version`

func (c *compiler) accounts() accountStatements {
	return accountStatements{
		insert: c.sql(`INSERT INTO usher_accounts (id, name, holder_id, status, services, seat_rule, seat_limit,
			seat_pending, created_at, version) VALUES (`, list("?", 9), `, 1)`),
		update: c.sql(`UPDATE usher_accounts SET name = ?, holder_id = ?, status = ?, services = ?, seat_rule = ?,
			seat_limit = ?, seat_pending = ?, version = version + 1 WHERE id = ? AND version = ?`),
		lock:     c.sql(`UPDATE usher_accounts SET locks = locks + 1 WHERE id = ?`),
		exists:   c.sql(`SELECT 1 FROM usher_accounts WHERE id = ?`),
		byID:     c.sql(`SELECT`, accountColumns, `FROM usher_accounts a WHERE a.id = ?`),
		lockMany: c.manyIDs(`UPDATE usher_accounts SET locks = locks + 1 WHERE id IN ({ids})`),
		byIDs:    c.manyIDs(`SELECT`, accountColumns, `FROM usher_accounts a WHERE a.id IN ({ids}) ORDER BY a.id`),
		heldBy: c.pages(oldestFirst("a.created_at", "a.id"),
			`SELECT`, accountColumns, `FROM usher_accounts a WHERE a.holder_id = ?`),
		transfer: c.manyIDs(`UPDATE usher_accounts SET holder_id = ?, version = version + 1 WHERE id IN ({ids})`),
		seats:    c.manyIDs(`SELECT a.id,`, seatsOfUsers, `FROM usher_accounts a WHERE a.id IN ({ids})`),
		seatsAndPending: c.manyIDs(`SELECT a.id,`, seatsOfUsers, `+`, seatsOfAddresses,
			`FROM usher_accounts a WHERE a.id IN ({ids})`),
		seatedUsers: c.manyIDs(`SELECT u.verified_email FROM usher_users u
			WHERE u.id IN (SELECT m.user_id`, seated, `t.account_id = ? AND`, takesSeat, `) AND u.verified_email IN ({ids})`),
		seatedInvited: c.manyIDs(`SELECT DISTINCT i.email`, invitedToSeat, `i.account_id = ? AND`, stillInvited, `AND i.email IN ({ids})`),
	}
}

func scanAccount(r row) (tenancy.Account, error) {
	var a tenancy.Account
	err := r.Scan(id(&a.ID), &a.Name, id(&a.HeldBy), &a.Status, document(&a.Services), &a.Seats.Rule, &a.Seats.Limit,
		&a.Seats.CountPending, at(&a.CreatedAt), &a.Version)
	return a, err
}

// accountServices are as the column keeps them.
func accountServices(services []tenancy.AccountService) []tenancy.AccountService {
	services = some(services)
	for i, s := range services {
		services[i].AddedAt = kept(s.AddedAt)
	}
	return services
}

// InsertAccount implements [tenancy.AccountStore].
func (s *Store) InsertAccount(ctx context.Context, a tenancy.Account) error {
	services, err := encode(ctx, s, "services", accountServices(a.Services))
	if err != nil {
		return err
	}
	_, err = s.exec(ctx, s.accounts.insert, a.ID, a.Name, a.HeldBy, a.Status, services, a.Seats.Rule, a.Seats.Limit,
		a.Seats.CountPending, micros(a.CreatedAt))
	return err
}

// UpdateAccount implements [tenancy.AccountStore].
func (s *Store) UpdateAccount(ctx context.Context, a tenancy.Account) error {
	services, err := encode(ctx, s, "services", accountServices(a.Services))
	if err != nil {
		return err
	}
	return s.update(ctx, s.accounts.update, []any{
		a.Name, a.HeldBy, a.Status, services, a.Seats.Rule, a.Seats.Limit, a.Seats.CountPending, a.ID, a.Version,
	}, s.accounts.exists, a.ID)
}

// LockAccount implements [tenancy.AccountStore].
func (s *Store) LockAccount(ctx context.Context, id tenancy.AccountID) (tenancy.Account, error) {
	if err := s.lock(ctx, s.accounts.lock, id); err != nil {
		return tenancy.Account{}, err
	}
	return s.Account(ctx, id)
}

// LockAccounts implements [tenancy.AccountStore].
func (s *Store) LockAccounts(ctx context.Context, ids ...tenancy.AccountID) ([]tenancy.Account, error) {
	ids = tenancy.InOrder(ids...)
	return lockAll(ctx, s,
		func() (int64, error) { return execMany(ctx, s, s.accounts.lockMany, ids) },
		func() ([]tenancy.Account, error) { return allMany(ctx, s, scanAccount, s.accounts.byIDs, ids) })
}

// Account implements [tenancy.AccountStore].
func (s *Store) Account(ctx context.Context, id tenancy.AccountID) (tenancy.Account, error) {
	return one(ctx, s, scanAccount, s.accounts.byID, id)
}

// Accounts implements [tenancy.AccountStore].
func (s *Store) Accounts(ctx context.Context, ids ...tenancy.AccountID) ([]tenancy.Account, error) {
	return allMany(ctx, s, scanAccount, s.accounts.byIDs, tenancy.InOrder(ids...))
}

// TransferAccounts implements [tenancy.AccountStore].
func (s *Store) TransferAccounts(ctx context.Context, to tenancy.UserID, ids ...tenancy.AccountID) error {
	_, err := execMany(ctx, s, s.accounts.transfer, tenancy.InOrder(ids...), to)
	return err
}

// AccountsOf implements [tenancy.AccountStore].
func (s *Store) AccountsOf(ctx context.Context, user tenancy.UserID, page tenancy.Keyset) ([]tenancy.Account, error) {
	return paged(ctx, s, scanAccount, s.accounts.heldBy, page, user)
}
