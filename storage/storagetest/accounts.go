package storagetest

import (
	"context"
	"time"

	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/tenancy"
)

func accounts() kind[tenancy.Account] {
	return kind[tenancy.Account]{
		name: "account", methods: []string{"InsertAccount", "UpdateAccount", "Account", "LockAccount"},
		fresh:  (*world).anAccount,
		insert: storage.Store.InsertAccount, update: storage.Store.UpdateAccount,
		lock: func(s storage.Store, ctx context.Context, a tenancy.Account) (tenancy.Account, error) {
			return s.LockAccount(ctx, a.ID)
		},
		get: func(s storage.Store, ctx context.Context, a tenancy.Account) (tenancy.Account, error) {
			return s.Account(ctx, a.ID)
		},
		version: func(a *tenancy.Account) *int64 { return &a.Version },
		stray: func(w *world, a tenancy.Account) tenancy.Account {
			a.ID = newID[tenancy.AccountID](w)
			return a
		},
		rival: func(w *world, a tenancy.Account) tenancy.Account {
			rival := w.anAccount()
			rival.ID = a.ID
			return rival
		},
		changes: []change[tenancy.Account]{
			{"the name", func(w *world, a *tenancy.Account) { a.Name = "ACME & Söhne" }},
			{"the holder", func(w *world, a *tenancy.Account) { a.HeldBy = w.user().ID }},
			{"suspension", func(w *world, a *tenancy.Account) { a.Status = tenancy.AccountSuspended }},
			{"closing", func(w *world, a *tenancy.Account) { a.Status = tenancy.AccountClosed }},
		},
		times: []timeField[tenancy.Account]{
			{"CreatedAt", false, func(a *tenancy.Account) *time.Time { return &a.CreatedAt }},
		},
		enums: []enumField[tenancy.Account]{
			{"Status", "active", func(a *tenancy.Account, v string) { a.Status = tenancy.AccountStatus(v) }, nil},
		},
		refs: []refField[tenancy.Account]{
			{"HeldBy", func(w *world, a *tenancy.Account) { a.HeldBy = newID[tenancy.UserID](w) }},
		},
	}
}
