package invite_test

import (
	"context"
	"sync"
	"time"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

// unguarded is a store without any guard, to show that the races see a missing one: a transaction
// is nothing, so that each write commits alone, a lock only reads, and an update overwrites whatever
// version there is. Those who read an invitation to change it wait for each other, so that the
// worst interleaving is the usual one.
type unguarded struct {
	storage.Store

	mu      sync.Mutex
	readers *sync.WaitGroup
}

// meet makes that many readers wait for each other, once.
func (u *unguarded) meet(readers int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.readers = &sync.WaitGroup{}
	u.readers.Add(readers)
}

func (u *unguarded) wait() {
	u.mu.Lock()
	readers := u.readers
	u.mu.Unlock()
	if readers != nil {
		readers.Done()
		readers.Wait()
	}
}

// alone ends the meeting, for what comes after a race.
func (u *unguarded) alone(ctx context.Context, write func(ctx context.Context) error) error {
	u.mu.Lock()
	u.readers = nil
	u.mu.Unlock()
	return u.Store.InTx(ctx, write)
}

func (u *unguarded) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	return fn(ctx)
}

func (u *unguarded) LockAccount(ctx context.Context, id tenancy.AccountID) (tenancy.Account, error) {
	return u.Account(ctx, id)
}

func (u *unguarded) LockUser(ctx context.Context, id tenancy.UserID) (tenancy.User, error) {
	return u.User(ctx, id)
}

func (u *unguarded) LockTeam(ctx context.Context, id tenancy.TeamID) (tenancy.Team, error) {
	return u.Team(ctx, id)
}

func (u *unguarded) LockInvitation(ctx context.Context, team tenancy.TeamID, id tenancy.InvitationID) (invite.Record, error) {
	r, err := u.Invitation(ctx, team, id)
	u.wait()
	return r, err
}

func (u *unguarded) LockOffer(ctx context.Context, account tenancy.AccountID, id tenancy.InvitationID) (invite.Record, error) {
	r, err := u.Offer(ctx, account, id)
	u.wait()
	return r, err
}

func (u *unguarded) InsertUser(ctx context.Context, user tenancy.User) error {
	return u.alone(ctx, func(ctx context.Context) error { return u.Store.InsertUser(ctx, user) })
}

func (u *unguarded) InsertAccount(ctx context.Context, a tenancy.Account) error {
	return u.alone(ctx, func(ctx context.Context) error { return u.Store.InsertAccount(ctx, a) })
}

func (u *unguarded) InsertInvitation(ctx context.Context, records ...invite.Record) error {
	return u.alone(ctx, func(ctx context.Context) error { return u.Store.InsertInvitation(ctx, records...) })
}

func (u *unguarded) InsertUse(ctx context.Context, use invite.Use) error {
	return u.alone(ctx, func(ctx context.Context) error { return u.Store.InsertUse(ctx, use) })
}

func (u *unguarded) Append(ctx context.Context, events ...outbox.Event) error {
	return u.alone(ctx, func(ctx context.Context) error { return u.Store.Append(ctx, events...) })
}

func (u *unguarded) UpdateAccount(ctx context.Context, a tenancy.Account) error {
	return u.alone(ctx, func(ctx context.Context) error {
		present, err := u.Store.LockAccount(ctx, a.ID)
		if err != nil {
			return err
		}
		a.Version = present.Version
		return u.Store.UpdateAccount(ctx, a)
	})
}

func (u *unguarded) UpdateInvitation(ctx context.Context, r invite.Record) error {
	return u.alone(ctx, func(ctx context.Context) error {
		present, err := u.Store.Invitation(ctx, r.Team, r.ID)
		if r.Team.IsZero() {
			present, err = u.Store.Offer(ctx, r.Account, r.ID)
		}
		if err != nil {
			return err
		}
		r.Version = present.Version
		return u.Store.UpdateInvitation(ctx, r)
	})
}

func (u *unguarded) InsertMembership(ctx context.Context, m ...tenancy.Membership) error {
	return u.alone(ctx, func(ctx context.Context) error { return u.Store.InsertMembership(ctx, m...) })
}

func (u *unguarded) RenewMemberships(ctx context.Context, role rbac.Role, at time.Time, by string, who ...tenancy.Actor) error {
	return u.alone(ctx, func(ctx context.Context) error { return u.Store.RenewMemberships(ctx, role, at, by, who...) })
}

func (u *unguarded) TransferAccounts(ctx context.Context, to tenancy.UserID, ids ...tenancy.AccountID) error {
	return u.alone(ctx, func(ctx context.Context) error { return u.Store.TransferAccounts(ctx, to, ids...) })
}

func (u *unguarded) EndMemberships(ctx context.Context, at time.Time, by string, who ...tenancy.Actor) error {
	return u.alone(ctx, func(ctx context.Context) error { return u.Store.EndMemberships(ctx, at, by, who...) })
}

func (u *unguarded) EndInvitations(ctx context.Context, state invite.State, at time.Time, by string, in ...invite.Whereabouts) error {
	return u.alone(ctx, func(ctx context.Context) error { return u.Store.EndInvitations(ctx, state, at, by, in...) })
}
