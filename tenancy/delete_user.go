package tenancy

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/outbox"
)

// Erasures hears, inside the transaction, that a user is deleted, and takes what could name them
// out of its rows. The rooms implement it.
type Erasures interface {
	Erase(ctx context.Context, e Erasure) error
}

// Erasure is the deletion of one user.
type Erasure struct {
	User UserID
	// Email is the normal form of the address that the user was verified for; empty if they
	// were not.
	Email string
	By    Principal
	At    time.Time
}

// BindErasures adds those who must hear of deletions. It belongs to the construction of the
// rooms, before the first call.
func (s *Service) BindErasures(e ...Erasures) { s.erasures = append(s.erasures, e...) }

// Tombstone is the name of a deleted user.
const Tombstone = "Deleted user"

// StillNeededError says why a user can be neither suspended nor deleted without a successor: the
// active teams whose last lasting manager they are, and, for a deletion, the accounts that they
// hold. It is [ErrConflict].
type StillNeededError struct {
	Teams    []TeamID
	Accounts []AccountID
}

func (e *StillNeededError) Error() string {
	return fmt.Sprintf("conflict: the user is the last manager of %d teams and holds %d accounts, which somebody else must take first",
		len(e.Teams), len(e.Accounts))
}

// Is makes errors.Is(err, ErrConflict) true.
func (e *StillNeededError) Is(target error) bool { return target == ErrConflict }

// DeleteUser makes a user a [Tombstone]: name, address and external id are gone, all memberships
// end as with [Service.Remove], and the id never names anybody again. What they did stays on
// record under their id. The successor, if one is named, becomes the holder of the accounts that
// the user holds and a lasting manager of the teams that would have none. All of it happens in one
// transaction. Deleting a deleted user changes nothing. What it costs grows neither with the user's
// teams nor with the accounts and teams that pass to the successor.
//
// Results kept under idempotency keys can hold the address until [Service.ForgetKeys] forgets
// them.
//
// Errors: [ErrNotFound], [*StillNeededError] where a successor is needed and none is named;
// [*InvalidError], [ErrInactive], [*MemberError] and [*SeatsError] for a successor who cannot be
// one; [ErrStale] if the user's accounts changed at the same instant: call it again.
func (s *Service) DeleteUser(ctx context.Context, by System, user, successor UserID) error {
	if err := by.Validate(); err != nil {
		return err
	}
	if user.IsZero() {
		return ErrNotFound
	}
	if user == successor {
		return &InvalidError{Field: "successor", Reason: "must be somebody else"}
	}
	return s.do(ctx, by, "DeleteUser", []any{user, successor}, func(ctx context.Context) error {
		d, err := s.enterDeletion(ctx, by, user, successor)
		if err != nil || d.user.Status == UserDeleted {
			return err
		}
		if err := s.handOver(ctx, d); err != nil {
			return err
		}
		if err := s.endAll(ctx, by, d.at, d.places, MemberRemoved); err != nil {
			return err
		}
		return s.erase(ctx, by, d.at, d.user)
	})
}

// deletion is all that the deletion of a user touches, locked.
type deletion struct {
	by        System
	at        time.Time
	user      User
	successor UserID
	heir      User      // the successor, if there is one
	held      []Account // by the user, not closed
	accounts  map[AccountID]Account
	places
}

// enterDeletion locks accounts, users and teams, in this order and each by id. What to lock is read
// before it is locked and once more after: a team that somebody took the user into meanwhile is
// locked late, which can only cost a retry. Of a user who is deleted already it locks no more.
func (s *Service) enterDeletion(ctx context.Context, by System, user, successor UserID) (deletion, error) {
	d := deletion{by: by, at: s.env.Now(), successor: successor, accounts: map[AccountID]Account{}}
	if err := s.lockAccountsOf(ctx, &d, user); err != nil {
		return deletion{}, err
	}
	people := map[UserID]User{}
	for _, id := range InOrder(user, successor) {
		if id.IsZero() {
			continue
		}
		u, err := s.store.LockUser(ctx, id)
		if err != nil {
			return deletion{}, err
		}
		people[id] = u
	}
	d.user = people[user]
	if d.user.Status == UserDeleted {
		return d, nil
	}
	d.heir = people[successor]
	if !successor.IsZero() && d.heir.Status != UserActive {
		return deletion{}, ErrInactive
	}
	held, err := s.accountsHeld(ctx, user)
	if err != nil {
		return deletion{}, err
	}
	for _, a := range held {
		if _, locked := d.accounts[a.ID]; !locked {
			return deletion{}, ErrStale
		}
		if a.Status != AccountClosed {
			d.held = append(d.held, d.accounts[a.ID])
		}
	}
	d.places, err = s.lockPlaces(ctx, user)
	return d, err
}

// lockAccountsOf locks the accounts that the user holds, and, where there is a successor who may
// take seats in them, those of the user's teams.
func (s *Service) lockAccountsOf(ctx context.Context, d *deletion, user UserID) error {
	held, err := s.accountsHeld(ctx, user)
	if err != nil {
		return err
	}
	ids := accountIDs(held)
	if !d.successor.IsZero() {
		memberships, err := s.store.MembershipsOf(ctx, user)
		if err != nil {
			return err
		}
		teams, err := s.store.Teams(ctx, teamsOf(memberships)...)
		if err != nil {
			return err
		}
		for _, team := range teams {
			ids = append(ids, team.Account)
		}
	}
	accounts, err := s.store.LockAccounts(ctx, ids...)
	for _, a := range accounts {
		d.accounts[a.ID] = a
	}
	return err
}

func (s *Service) accountsHeld(ctx context.Context, user UserID) ([]Account, error) {
	var held []Account
	for page := (Keyset{Limit: MaxLimit}); ; {
		accounts, err := s.store.AccountsOf(ctx, user, page)
		if err != nil {
			return nil, err
		}
		held = append(held, accounts...)
		if len(accounts) < page.Limit {
			return held, nil
		}
		last := accounts[len(accounts)-1]
		page.At, page.ID = last.CreatedAt, last.ID.UUID()
	}
}

// handOver gives the successor what nobody else could keep, or says what that is.
func (s *Service) handOver(ctx context.Context, d deletion) error {
	needed := StillNeededError{Accounts: accountIDs(d.held)}
	var err error
	if needed.Teams, err = s.lastManagerIn(ctx, d.user.ID, d.places); err != nil {
		return err
	}
	if d.successor.IsZero() && len(needed.Teams)+len(needed.Accounts) > 0 {
		return &needed
	}
	if err := s.transfer(ctx, d.by, d.at, d.successor, d.held...); err != nil {
		return err
	}
	return s.succeed(ctx, d, needed.Teams)
}

// succeed makes the successor a lasting manager of teams. Nobody is revived in passing.
func (s *Service) succeed(ctx context.Context, d deletion, teams []TeamID) error {
	if len(teams) == 0 {
		return nil
	}
	accounts, err := d.accountsOf(teams)
	if err != nil {
		return err
	}
	var who []Actor
	for _, id := range teams {
		who = append(who, Actor{User: d.successor, Team: id})
	}
	known, err := s.store.Memberships(ctx, who...)
	if err != nil {
		return err
	}
	present := slices.DeleteFunc(slices.Clone(known), func(m Membership) bool { return m.Status == MembershipRemoved })
	for _, m := range present {
		if !m.ActiveAt(d.at) {
			return &MemberError{Membership: m}
		}
	}
	if err := s.seatIn(ctx, d.by, d.at, Newcomer{User: d.heir.ID, Email: verifiedAddress(d.heir)}, accounts...); err != nil {
		return err
	}
	strangers, former := apart(who, known)
	if err := s.joinAll(ctx, d.by, d.at, rbac.Manager, d.teams, strangers, former); err != nil {
		return err
	}
	return s.appoint(ctx, d, present)
}

// accountsOf are the accounts of teams, each once.
func (d deletion) accountsOf(teams []TeamID) ([]Account, error) {
	var ids []AccountID
	for _, id := range teams {
		ids = append(ids, d.teams[id].Account)
	}
	var accounts []Account
	for _, id := range InOrder(ids...) {
		account, locked := d.accounts[id]
		if !locked {
			return nil, ErrStale
		}
		accounts = append(accounts, account)
	}
	return accounts, nil
}

// appoint makes the successor a lasting manager where they are already. Who becomes Manager loses nothing
// that they hold.
func (s *Service) appoint(ctx context.Context, d deletion, memberships []Membership) error {
	var who []Actor
	var events []outbox.Event
	for _, m := range memberships {
		who = append(who, Actor{User: m.User, Team: m.Team})
		if !m.ExpiresAt.IsZero() {
			events = append(events, s.memberEvent(d.by, d.at, d.teams[m.Team], m, MemberExpiryChanged, Facts{"expires": ""}))
		}
		if m.Role != rbac.Manager {
			events = append(events, s.memberEvent(d.by, d.at, d.teams[m.Team], m, MemberRoleChanged,
				Facts{"from": m.roleName(), "to": rbac.Manager.String()}))
		}
	}
	if err := s.store.AppointMemberships(ctx, rbac.Manager, who...); err != nil {
		return err
	}
	return s.store.Append(ctx, events...)
}

// erase leaves the tombstone.
func (s *Service) erase(ctx context.Context, by System, at time.Time, user User) error {
	email := verifiedAddress(user)
	user = User{ID: user.ID, Name: Tombstone, Status: UserDeleted, CreatedAt: user.CreatedAt, Version: user.Version}
	if err := s.store.UpdateUser(ctx, user); err != nil {
		return err
	}
	for _, room := range s.erasures {
		if err := room.Erase(ctx, Erasure{User: user.ID, Email: email, By: by, At: at}); err != nil {
			return err
		}
	}
	return s.store.Append(ctx, s.env.Event(by, at, user.in(), UserErased, Facts{"user": user.ID.String()}))
}
