package tenancy

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/usher-go/usher/rbac"
)

// AccountService is something that an account has booked and pays for, under a key that the
// host chose: usher keeps it and tells of its changes, and reads no meaning into it.
type AccountService struct {
	Key      string    `json:"key"`
	Quantity int       `json:"quantity"`
	AddedAt  time.Time `json:"added_at"`
	// AddedBy is the principal who added it.
	AddedBy string `json:"added_by"`
}

// Limits of the services of an account.
const (
	MaxServices        = 100
	MaxServiceKey      = 60 // bytes
	MaxServiceQuantity = 1_000_000
)

// AddService books a service for the holder's account, or another quantity of one that is
// booked. The event tells the host's billing the key, and the quantity before and after. The
// same quantity again changes nothing.
//
// Errors: [*InvalidError], [ErrNotFound] for an account that the user does not hold,
// [ErrAccountInactive], [ErrLimit] for more than [MaxServices].
func (s *Service) AddService(ctx context.Context, holder Holder, key string, quantity int) (Account, error) {
	if err := validServiceKey(key); err != nil {
		return Account{}, err
	}
	if quantity < 1 || quantity > MaxServiceQuantity {
		return Account{}, &InvalidError{Field: "quantity", Reason: fmt.Sprintf("must be from 1 to %d", MaxServiceQuantity)}
	}
	request := []any{holder.Account, key, quantity}
	return Do(ctx, s.store, s.env, holder, "AddService", request, func(ctx context.Context) (Account, error) {
		a, err := s.enterAccount(ctx, holder, rbac.AddService)
		if err != nil {
			return Account{}, err
		}
		now, at, before := s.env.Now(), a.service(key), 0
		switch {
		case at >= 0:
			before = a.Services[at].Quantity
			a.Services[at].Quantity = quantity
		case len(a.Services) == MaxServices:
			return Account{}, fmt.Errorf("%w: an account has at most %d services", ErrLimit, MaxServices)
		default:
			a.Services = append(a.Services, AccountService{
				Key: key, Quantity: quantity, AddedAt: now, AddedBy: holder.Principal(),
			})
		}
		if before == quantity {
			return a, nil
		}
		return s.updateAccount(ctx, holder, now, a, AccountServiceAdded,
			Facts{"service": key, "from": strconv.Itoa(before), "to": strconv.Itoa(quantity)})
	})
}

// RemoveService ends a service of the holder's account. One that is not booked changes nothing.
//
// Errors: those of [Service.AddService].
func (s *Service) RemoveService(ctx context.Context, holder Holder, key string) (Account, error) {
	if err := validServiceKey(key); err != nil {
		return Account{}, err
	}
	return Do(ctx, s.store, s.env, holder, "RemoveService", []any{holder.Account, key}, func(ctx context.Context) (Account, error) {
		a, err := s.enterAccount(ctx, holder, rbac.RemoveService)
		if err != nil {
			return Account{}, err
		}
		at := a.service(key)
		if at < 0 {
			return a, nil
		}
		quantity := a.Services[at].Quantity
		a.Services = slices.Delete(a.Services, at, at+1)
		return s.updateAccount(ctx, holder, s.env.Now(), a, AccountServiceRemoved,
			Facts{"service": key, "from": strconv.Itoa(quantity)})
	})
}

// service is the index of the service with the key, or -1.
func (a Account) service(key string) int {
	return slices.IndexFunc(a.Services, func(booked AccountService) bool { return booked.Key == key })
}

// validServiceKey keeps keys to what can stand in an event: no text of a person's.
func validServiceKey(key string) error {
	for i := range len(key) {
		if c := key[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return &InvalidError{Field: "service", Reason: "must be lower-case letters, digits, dots, hyphens and underscores"}
		}
	}
	if key == "" || len(key) > MaxServiceKey {
		return &InvalidError{Field: "service", Reason: fmt.Sprintf("must have 1 to %d characters", MaxServiceKey)}
	}
	return nil
}
