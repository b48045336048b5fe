package storagetest

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/usher-go/usher/rbac"
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
			{"the services", func(w *world, a *tenancy.Account) {
				a.Services = []tenancy.AccountService{{
					Key: "sms <&> \"mms\"", Quantity: math.MaxInt, AddedAt: w.now(), AddedBy: tenancy.Self(w.user().ID).Principal(),
				}}
			}},
			{"to no services", func(w *world, a *tenancy.Account) { a.Services = nil }},
			{"the seat rule", func(w *world, a *tenancy.Account) { a.Seats.Rule = tenancy.WarnSeats }},
			{"the seat limit", func(w *world, a *tenancy.Account) { a.Seats.Limit = math.MaxInt }},
			{"to no seats at all", func(w *world, a *tenancy.Account) { a.Seats.Limit = 0 }},
			{"pending invitations", func(w *world, a *tenancy.Account) { a.Seats.CountPending = false }},
			{"to no limit", func(w *world, a *tenancy.Account) { a.Seats = tenancy.Seats{} }},
			{"closing", func(w *world, a *tenancy.Account) { a.Status = tenancy.AccountClosed }},
		},
		times: []timeField[tenancy.Account]{
			{"CreatedAt", false, func(a *tenancy.Account) *time.Time { return &a.CreatedAt }},
		},
		enums: []enumField[tenancy.Account]{
			{"Status", "active", func(a *tenancy.Account, v string) { a.Status = tenancy.AccountStatus(v) }, nil},
			{"Seats.Rule", "", nil, badSeatRules()},
			{"Seats.Limit", "", nil, []func(a *tenancy.Account){func(a *tenancy.Account) { a.Seats.Limit = -1 }}},
		},
		refs: []refField[tenancy.Account]{
			{"HeldBy", func(w *world, a *tenancy.Account) { a.HeldBy = newID[tenancy.UserID](w) }},
		},
	}
}

// badSeatRules are all that is nearly a rule but for the empty text, which is one.
func badSeatRules() []func(*tenancy.Account) {
	var bad []func(*tenancy.Account)
	for _, value := range nearly(string(tenancy.WarnSeats)) {
		if value != "" {
			bad = append(bad, func(a *tenancy.Account) { a.Seats.Rule = tenancy.SeatRule(value) })
		}
	}
	return bad
}

func accountCases() []testCase {
	return append(accounts().cases(),
		testCase{
			name: "account services come back as they were", rule: ruleEmpty,
			covers: []string{"InsertAccount", "UpdateAccount", "Account", "LockAccount"}, run: accountServicesCase,
		},
		testCase{
			name: "accounts of a user are those that they hold", rule: ruleAccountsOf,
			covers: []string{"AccountsOf"}, run: accountsOfCase,
		},
	)
}

func accountServicesCase(w *world) {
	a := w.anAccount()
	a.Services = []tenancy.AccountService{}
	accounts().store(w, a)
	a.Services = nil
	accounts().holds(w, a, "an insert with an empty list of services")
	fine := time.Date(2026, 3, 1, 12, 0, 0, 123_456_789, time.FixedZone("CET", 3600))
	a.Services = []tenancy.AccountService{
		{}, {Key: "fine", AddedAt: fine}, {Key: "old", AddedAt: time.Date(1, 1, 1, 0, 0, 0, 1000, time.UTC), Quantity: math.MinInt},
		{Key: "far", AddedAt: time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC)},
	}
	w.must(accounts().write(w, a), "UpdateAccount")
	if a.Services[1].AddedAt != fine {
		w.breaks("UpdateAccount wrote into the services that it was given")
	}
	a.Version++
	a.Services = slices.Clone(a.Services)
	a.Services[1].AddedAt = fine.UTC().Truncate(time.Microsecond)
	accounts().holds(w, a, "an update with services of all times")
	w.tx("a transaction that locks", func(ctx context.Context) error {
		answers(w, a, "LockAccount")(w.store.LockAccount(ctx, a.ID))
		return nil
	})
}

func accountsOfCase(w *world) {
	user := w.user().ID
	page := tenancy.Keyset{Limit: 10}
	var want []tenancy.Account
	for _, status := range []tenancy.AccountStatus{tenancy.AccountActive, tenancy.AccountSuspended, tenancy.AccountClosed} {
		a := w.anAccount()
		a.HeldBy, a.Status = user, status
		want = append(want, accounts().store(w, a))
	}
	heir := w.account()
	w.member(w.teamIn(heir.ID).ID, rbac.Manager)
	lists(w, want, "AccountsOf")(w.store.AccountsOf(w.ctx, user, page))
	lists[tenancy.Account](w, nil, "AccountsOf a user without any")(w.store.AccountsOf(w.ctx, w.user().ID, page))
	lists[tenancy.Account](w, nil, "AccountsOf a user who does not exist")(w.store.AccountsOf(w.ctx, newID[tenancy.UserID](w), page))

	// An account that changes hands leaves one list for the other.
	moved := want[0]
	moved.HeldBy = heir.HeldBy
	w.discard("a transaction that hands an account over", func(ctx context.Context) error {
		if err := w.store.UpdateAccount(ctx, moved); err != nil {
			return err
		}
		lists(w, want[1:], "AccountsOf inside, after one was handed over")(w.store.AccountsOf(ctx, user, page))
		return nil
	})
	lists(w, want, "AccountsOf after the rollback")(w.store.AccountsOf(w.ctx, user, page))
	w.must(accounts().write(w, moved), "UpdateAccount")
	moved.Version++
	lists(w, want[1:], "AccountsOf whoever handed one over")(w.store.AccountsOf(w.ctx, user, page))
	lists(w, []tenancy.Account{moved, heir}, "AccountsOf whom it was handed to")(w.store.AccountsOf(w.ctx, heir.HeldBy, page))
}
