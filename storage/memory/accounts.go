package memory

import (
	"cmp"
	"context"
	"math"

	"github.com/usher-go/usher/tenancy"
)

type accountRow struct {
	tenancy.Account
	facts  *accountFacts
	holder *userRow
	teams  list[teamRow]       // all of them, by (CreatedAt, id)
	roles  list[roleRow]       // by (CreatedAt, id)
	offers list[invitationRow] // by (CreatedAt, id)
	stream stream
}

// lists are those in which the account stands.
func (a *accountRow) lists(visit func(*list[accountRow], place)) {
	visit(&a.holder.accounts, placeAt(a.CreatedAt, a.ID))
}

// InsertAccount implements [tenancy.AccountStore].
func (s *Store) InsertAccount(ctx context.Context, a tenancy.Account) error {
	return s.write(ctx, func() error {
		holder, err := s.checkAccount(&a)
		if err != nil {
			return err
		}
		a.Version = 1
		facts := accountFactsOf(a)
		row := &accountRow{Account: a, facts: &facts, holder: holder}
		if err := s.accounts.insert(a.ID, row); err != nil {
			return err
		}
		enlist(s.log, row, (*accountRow).lists)
		return nil
	})
}

// UpdateAccount implements [tenancy.AccountStore].
func (s *Store) UpdateAccount(ctx context.Context, a tenancy.Account) error {
	return s.write(ctx, func() error {
		row, err := s.accounts.get(a.ID)
		if err != nil {
			return err
		}
		if err := sameVersion(row.Version, a.Version); err != nil {
			return err
		}
		holder, err := s.checkAccount(&a)
		if err != nil {
			return err
		}
		a.Version++
		relist(s.log, row, (*accountRow).lists, func() {
			set(s.log, &row.Account, a)
			set(s.log, row.facts, accountFactsOf(a))
			set(s.log, &row.holder, holder)
		})
		return nil
	})
}

// TransferAccounts implements [tenancy.AccountStore].
func (s *Store) TransferAccounts(ctx context.Context, to tenancy.UserID, ids ...tenancy.AccountID) error {
	return s.write(ctx, func() error {
		for _, row := range those(s.accounts.get, ids) {
			holder, err := referred(s.users.get(to))
			if err != nil {
				return err
			}
			a := row.Account
			a.HeldBy, a.Version = to, a.Version+1
			relist(s.log, row, (*accountRow).lists, func() {
				set(s.log, &row.Account, a)
				set(s.log, &row.holder, holder)
			})
		}
		return nil
	})
}

// checkAccount also answers the holder.
func (s *Store) checkAccount(a *tenancy.Account) (*userRow, error) {
	utc(&a.CreatedAt)
	a.Services = some(a.Services)
	for i := range a.Services {
		utc(&a.Services[i].AddedAt)
	}
	if err := cmp.Or(
		oneOf("status", a.Status, tenancy.AccountActive, tenancy.AccountSuspended, tenancy.AccountClosed),
		oneOf("seat rule", a.Seats.Rule, tenancy.Unlimited, tenancy.WarnSeats, tenancy.HardSeats),
		between("seat limit", a.Seats.Limit, 0, math.MaxInt),
	); err != nil {
		return nil, err
	}
	return referred(s.users.get(a.HeldBy))
}

// LockAccount implements [tenancy.AccountStore].
func (s *Store) LockAccount(ctx context.Context, id tenancy.AccountID) (tenancy.Account, error) {
	return lock(ctx, s, func() (tenancy.Account, error) { return account(s.accounts.get(id)) })
}

// LockAccounts implements [tenancy.AccountStore].
func (s *Store) LockAccounts(ctx context.Context, ids ...tenancy.AccountID) ([]tenancy.Account, error) {
	return lock(ctx, s, func() ([]tenancy.Account, error) { return shown(those(s.accounts.get, ids), account), nil })
}

// Account implements [tenancy.AccountStore].
func (s *Store) Account(ctx context.Context, id tenancy.AccountID) (tenancy.Account, error) {
	return read(ctx, s, func() (tenancy.Account, error) { return account(s.accounts.get(id)) })
}

// Accounts implements [tenancy.AccountStore].
func (s *Store) Accounts(ctx context.Context, ids ...tenancy.AccountID) ([]tenancy.Account, error) {
	return read(ctx, s, func() ([]tenancy.Account, error) { return shown(those(s.accounts.get, ids), account), nil })
}

func account(row *accountRow, err error) (tenancy.Account, error) {
	if err != nil {
		return tenancy.Account{}, err
	}
	return row.copy(), nil
}

// copy shares no memory with the row.
func (a *accountRow) copy() tenancy.Account {
	account := a.Account
	account.Services = some(account.Services)
	return account
}

// AccountsOf implements [tenancy.AccountStore].
func (s *Store) AccountsOf(ctx context.Context, user tenancy.UserID, page tenancy.Keyset) ([]tenancy.Account, error) {
	return read(ctx, s, func() ([]tenancy.Account, error) {
		row := s.users.rows[user]
		if row == nil {
			return nil, nil
		}
		accounts := merged(ascending, ascending.start(page), &row.accounts)
		return paged(accounts, page.Limit, func(a *accountRow) (tenancy.Account, bool) { return a.copy(), true }), nil
	})
}
