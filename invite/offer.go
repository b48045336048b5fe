package invite

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/tenancy"
)

// Offer asks the owner of an address to become the holder of the account, in the holder's place.
// It is an invitation like the others: mailed, and accepted or declined by the signed-in user who
// is verified for the address. The account passes to them at [Service.Accept] and not before, as
// long as it is still held by the one who offers it. What both are in its teams stays as it is.
//
// One offer of an account can be pending, to whomever; see [IfPending]. One of an earlier holder is
// revoked.
//
// Errors: [*tenancy.InvalidError]; [tenancy.ErrNotFound] for an account that the user does not
// hold; [rbac.ErrDenied]; [tenancy.ErrAccountInactive]; [ErrHoldsAlready] for their own address;
// [*PendingError], [*LimitError] for the address.
func (s *Service) Offer(ctx context.Context, holder tenancy.Holder, email string, options ...Option) (Invitation, error) {
	address, err := tenancy.ParseAddress(email)
	if err != nil {
		return Invitation{}, err
	}
	choices, err := choose(options)
	if err != nil {
		return Invitation{}, err
	}
	request := []any{holder.Account, address, choices.lasts, choices.pending}
	return tenancy.Do(ctx, s.store, s.env, holder, "Offer", request, func(ctx context.Context) (Invitation, error) {
		if _, err := s.people.EnterTransfer(ctx, holder); err != nil {
			return Invitation{}, err
		}
		now := s.env.Now()
		inv := Invitation{Account: holder.Account, Kind: ToOneAccount, Email: address, Inviter: holder.User}
		if err := s.toSomebodyElse(ctx, inv); err != nil {
			return Invitation{}, err
		}
		if other, err := s.makeRoom(ctx, holder, inv, now, choices.pending); err != nil || !other.ID.IsZero() {
			return other, err
		}
		if err := s.room(ctx, inv, now); err != nil {
			return Invitation{}, err
		}
		return s.insert(ctx, holder, inv, now, choices.lasts)
	})
}

func (s *Service) toSomebodyElse(ctx context.Context, inv Invitation) error {
	holder, err := s.people.User(ctx, inv.Inviter)
	if err == nil && holder.Verified() && holder.Email.Normal == inv.Email.Normal {
		return ErrHoldsAlready
	}
	return err
}

// ResendOffer is [Service.Resend] for an offer of the holder's account. One that an earlier holder
// made cannot be sent again, only revoked.
//
// Errors: those of [Service.Offer], and [*StateError]; [tenancy.ErrNotFound] also for an offer of
// another account.
func (s *Service) ResendOffer(ctx context.Context, holder tenancy.Holder, id tenancy.InvitationID, options ...Option) (Invitation, error) {
	choices, err := chooseAgain(options)
	if err != nil {
		return Invitation{}, err
	}
	request := []any{holder.Account, id, choices.lasts, choices.timed}
	return tenancy.Do(ctx, s.store, s.env, holder, "ResendOffer", request, func(ctx context.Context) (Invitation, error) {
		r, err := s.takeOffer(ctx, holder, id)
		if err != nil {
			return Invitation{}, err
		}
		if r.Inviter != holder.User {
			return Invitation{}, ErrInviterLost
		}
		return s.again(ctx, holder, r, choices, func(inv Invitation, _ time.Time) error { return s.toSomebodyElse(ctx, inv) })
	})
}

// RevokeOffer is [Service.Revoke] for an offer of the holder's account, whichever holder made it.
//
// Errors: [tenancy.ErrNotFound], [rbac.ErrDenied], [*StateError], [tenancy.ErrAccountInactive].
func (s *Service) RevokeOffer(ctx context.Context, holder tenancy.Holder, id tenancy.InvitationID) (Invitation, error) {
	request := []any{holder.Account, id}
	return tenancy.Do(ctx, s.store, s.env, holder, "RevokeOffer", request, func(ctx context.Context) (Invitation, error) {
		r, err := s.takeOffer(ctx, holder, id)
		if err != nil {
			return Invitation{}, err
		}
		return s.revoke(ctx, holder, r)
	})
}

// takeOffer locks the holder's account and an offer of it.
func (s *Service) takeOffer(ctx context.Context, holder tenancy.Holder, id tenancy.InvitationID) (Record, error) {
	if _, err := s.people.EnterTransfer(ctx, holder); err != nil {
		return Record{}, err
	}
	return s.store.LockOffer(ctx, holder.Account, id)
}

// Offers lists the offers of the holder's account, newest first, ended ones included, whatever the
// account's state. States are as with [Service.Get].
//
// Errors: [*tenancy.InvalidError], [tenancy.ErrNotFound], [tenancy.ErrInactive].
func (s *Service) Offers(ctx context.Context, holder tenancy.Holder, page tenancy.Page) (tenancy.List[Invitation], error) {
	var none tenancy.List[Invitation]
	binding := []any{"offers", holder.Account}
	keyset, err := page.Keyset(binding...)
	if err != nil {
		return none, err
	}
	if _, err := s.people.Account(ctx, holder); err != nil {
		return none, err
	}
	records, err := s.store.Offers(ctx, holder.Account, keyset)
	if err != nil {
		return none, err
	}
	return shown(records, s.env.Now(), keyset, binding), nil
}

// shown is a page of what was read, as those who may read it see it.
func shown(records []Record, now time.Time, keyset tenancy.Keyset, binding []any) tenancy.List[Invitation] {
	seen := make([]Invitation, len(records))
	for i, r := range records {
		seen[i] = r.seen(now)
	}
	key := func(i Invitation) (time.Time, uuid.UUID) { return i.CreatedAt, i.ID.UUID() }
	return tenancy.Paged(seen, keyset, key, binding...)
}

// ExpireOffer is [Service.Expire] for an offer of an account.
//
// Errors: [tenancy.ErrNotFound].
func (s *Service) ExpireOffer(ctx context.Context, by tenancy.System, account tenancy.AccountID, id tenancy.InvitationID) (Invitation, error) {
	return s.expire(ctx, by, func(ctx context.Context) (Record, error) {
		return s.hold(ctx, account, tenancy.TeamID{}, id)
	})
}
