package tenancy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/outbox"
)

// Seats is how many people an account may have, and what happens beyond that.
//
// A seat is taken by each user who is more than a guest in any of the account's active teams:
// an active, unexpired membership as Manager, Member or in a custom role. Somebody in several
// teams takes one. Guests take none.
type Seats struct {
	Rule SeatRule
	// Limit is how many seats there are where the Rule is not [Unlimited]; 0 is a limit.
	Limit int
	// CountPending says that the address of each pending invitation into an active team takes a
	// seat, unless it invites a guest or somebody who has one.
	CountPending bool
}

// SeatRule says what happens when an account has more people than seats.
type SeatRule string

// The rules.
const (
	// Unlimited is the rule of an account for which none was set.
	Unlimited SeatRule = ""
	// WarnSeats lets everybody in, and writes an [AccountSeatsExceeded] event with whoever is
	// one too many.
	WarnSeats SeatRule = "warn"
	// HardSeats refuses whoever would be one too many, with a [*SeatsError].
	HardSeats SeatRule = "hard"
)

// SeatQuery asks a store how many seats of an account are taken at a time.
type SeatQuery struct {
	// But and ButEmail are the user and the address that are not counted: those of whoever is
	// to take a seat. Both may be zero.
	But      UserID
	ButEmail string
	// Pending says that pending invitations count.
	Pending bool
}

// MaxSeats is the highest limit of seats.
const MaxSeats = 1_000_000

// SeatsError says that the account has fewer seats than would be needed. It is [ErrLimit].
type SeatsError struct {
	Limit  int
	Needed int
}

func (e *SeatsError) Error() string {
	return fmt.Sprintf("limit exceeded: the account has %d seats and would need %d", e.Limit, e.Needed)
}

// Is makes errors.Is(err, ErrLimit) true.
func (e *SeatsError) Is(target error) bool { return target == ErrLimit }

// SetSeats sets how many seats the account has, on the host's authority: it is what a plan
// allows. Nobody is turned out by a limit below what is taken; it holds for whoever comes next.
// Setting what is set changes nothing. It is the host's own record, so it can be set whatever the
// state of the account.
//
// Errors: [*InvalidError], [ErrNotFound].
func (s *Service) SetSeats(ctx context.Context, by System, account AccountID, seats Seats) (Account, error) {
	if err := by.Validate(); err != nil {
		return Account{}, err
	}
	if err := seats.validate(); err != nil {
		return Account{}, err
	}
	return Do(ctx, s.store, s.env, by, "SetSeats", []any{account, seats}, func(ctx context.Context) (Account, error) {
		a, err := s.store.LockAccount(ctx, account)
		if err != nil || a.Seats == seats {
			return a, err
		}
		a.Seats = seats
		return s.updateAccount(ctx, by, s.env.Now(), a, AccountSeatsChanged,
			Facts{"rule": string(seats.Rule), "limit": strconv.Itoa(seats.Limit)})
	})
}

func (s Seats) validate() error {
	switch s.Rule {
	case Unlimited, WarnSeats, HardSeats:
	default:
		return &InvalidError{Field: "seat rule", Reason: "must be warn, hard or empty for unlimited"}
	}
	if s.Limit < 0 || s.Limit > MaxSeats {
		return &InvalidError{Field: "seats", Reason: fmt.Sprintf("must be from 0 to %d", MaxSeats)}
	}
	if s.Rule == Unlimited && s != (Seats{}) {
		return &InvalidError{Field: "seats", Reason: "must have the rule warn or hard, or no limit"}
	}
	return nil
}

// SeatsTaken counts the seats of the holder's account that are taken now, pending invitations
// among them if the account counts those.
func (s *Service) SeatsTaken(ctx context.Context, holder Holder) (int, error) {
	account, err := s.Account(ctx, holder)
	if err != nil {
		return 0, err
	}
	return s.seatsTaken(ctx, account, s.env.Now(), account.Seats.CountPending)
}

// Newcomer is somebody who is about to take a seat: a user, an address that is invited, or both.
type Newcomer struct {
	User UserID
	// Email is the normal form of the address.
	Email string
}

// Seat answers nil if there is a seat for the newcomer in the account, or they have one. It must
// run inside a transaction that has locked the account; of two who want the last seat, one then
// finds it taken.
//
// The error is a [*SeatsError]. With [WarnSeats] an event is written instead.
func (s *Service) Seat(ctx context.Context, by Principal, at time.Time, account Account, who Newcomer) error {
	if account.Seats.Rule == Unlimited {
		return nil
	}
	if who.User.IsZero() { // somebody of another team may own the address, and have a seat
		owner, err := s.store.UserByEmail(ctx, who.Email)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		who.User = owner.ID
	}
	return s.seatIn(ctx, by, at, who, account)
}

// seatIn is Seat in several accounts, for a newcomer whose user is known if there is one.
func (s *Service) seatIn(ctx context.Context, by Principal, at time.Time, who Newcomer, accounts ...Account) error {
	var events []outbox.Event
	for _, pending := range []bool{false, true} {
		limited := slices.DeleteFunc(slices.Clone(accounts), func(a Account) bool {
			return a.Seats.Rule == Unlimited || a.Seats.CountPending != pending
		})
		taken, err := s.store.SeatsTaken(ctx, at, SeatQuery{But: who.User, ButEmail: who.Email, Pending: pending}, accountIDs(limited)...)
		if err != nil {
			return err
		}
		full := slices.DeleteFunc(limited, func(a Account) bool { return taken[a.ID] < a.Seats.Limit })
		all, err := s.store.SeatsTaken(ctx, at, SeatQuery{Pending: pending}, accountIDs(full)...)
		if err != nil {
			return err
		}
		for _, a := range full {
			if all[a.ID] > taken[a.ID] {
				continue // they have a seat already
			}
			event, err := s.overbooked(by, at, a, taken[a.ID]+1)
			if err != nil {
				return err
			}
			events = append(events, event)
		}
	}
	return s.store.Append(ctx, events...)
}

// seatsTaken counts all seats of an account that are taken.
func (s *Service) seatsTaken(ctx context.Context, account Account, at time.Time, pending bool) (int, error) {
	taken, err := s.store.SeatsTaken(ctx, at, SeatQuery{Pending: pending}, account.ID)
	return taken[account.ID], err
}

func accountIDs(accounts []Account) []AccountID {
	var ids []AccountID
	for _, a := range accounts {
		ids = append(ids, a.ID)
	}
	return ids
}

// SeatsFor is [Service.Seat] for the owners of several addresses in their normal form, without saying
// what becomes of it: it answers how many seats the account would need, or 0 if it has them all or none
// of the addresses takes another. Pending invitations count. The account is locked.
func (s *Service) SeatsFor(ctx context.Context, at time.Time, account Account, normals ...string) (needed int, err error) {
	if account.Seats.Rule == Unlimited || len(normals) == 0 {
		return 0, nil
	}
	taken, err := s.seatsTaken(ctx, account, at, true)
	if err != nil {
		return 0, err
	}
	seated, err := s.store.Seated(ctx, account.ID, at, normals...)
	if err != nil {
		return 0, err
	}
	more := len(normals) - len(seated)
	if more == 0 || taken+more <= account.Seats.Limit {
		return 0, nil
	}
	return taken + more, nil
}

// seatFor is Seat for a membership that is about to give rights. The account is locked.
func (s *Service) seatFor(ctx context.Context, by Principal, at time.Time, account Account, m Membership) error {
	guest := m.Role == rbac.Restricted && m.Custom.IsZero()
	if account.Seats.Rule == Unlimited || guest {
		return nil
	}
	user, err := s.store.User(ctx, m.User)
	if err != nil {
		return err
	}
	return s.Seat(ctx, by, at, account, Newcomer{User: user.ID, Email: verifiedAddress(user)})
}

// seatAll is Seat for everybody in a team that takes its seats all at once. The account is locked.
func (s *Service) seatAll(ctx context.Context, by Principal, at time.Time, account Account) error {
	seats := account.Seats
	if seats.Rule == Unlimited {
		return nil
	}
	taken, err := s.seatsTaken(ctx, account, at, seats.CountPending)
	if err != nil || taken <= seats.Limit {
		return err
	}
	return s.Overbook(ctx, by, at, account, taken)
}

// verifiedAddress is the address that the user has proven to own, or none.
func verifiedAddress(u User) string {
	if !u.Verified() {
		return ""
	}
	return u.Email.Normal
}

// Overbook refuses to have more people than there are seats, with a [*SeatsError], or writes the event
// that tells of it. It must run inside a transaction that has locked the account.
func (s *Service) Overbook(ctx context.Context, by Principal, at time.Time, account Account, needed int) error {
	event, err := s.overbooked(by, at, account, needed)
	if err != nil {
		return err
	}
	return s.store.Append(ctx, event)
}

// overbooked is Overbook without writing the event.
func (s *Service) overbooked(by Principal, at time.Time, account Account, needed int) (outbox.Event, error) {
	limit := account.Seats.Limit
	if account.Seats.Rule == HardSeats {
		return outbox.Event{}, &SeatsError{Limit: limit, Needed: needed}
	}
	return s.env.Event(by, at, account.In(), AccountSeatsExceeded,
		Facts{"account": account.ID.String(), "needed": strconv.Itoa(needed), "limit": strconv.Itoa(limit)}), nil
}
