package tenancy

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// MaxKey is the longest idempotency key, in bytes.
const MaxKey = 255

// ErrKeyReused: the same idempotency key came with another request.
var ErrKeyReused = fmt.Errorf("%w: this key was used for another request", ErrConflict)

// Operation is what is kept of an operation that ran under an idempotency key: a hash of what
// was asked, and what was answered.
type Operation struct {
	Principal string
	Key       string
	Request   [sha256.Size]byte
	Result    []byte
	At        time.Time
}

// OperationStore keeps operations. Principal and Key together are unique.
type OperationStore interface {
	InsertOperation(ctx context.Context, o Operation) error
	Operation(ctx context.Context, principal, key string) (Operation, error)
	// ForgetOperations deletes those from before the time given and answers how many they were.
	ForgetOperations(ctx context.Context, before time.Time) (int, error)
}

// WithKey gives the operation that is called with the context an idempotency key, such as the
// Idempotency-Key of a request. The first call under a key runs; a later one of the same
// principal with the same request answers the first result, and writes and emits nothing. The
// key with another request answers [ErrKeyReused]. An operation that failed keeps nothing, so
// it can be repeated until it succeeds; that is how to settle a commit whose answer was lost.
//
// A key names one call: make a context with a key of its own for each. It holds for the
// operations that write; 1 to [MaxKey] bytes. What is kept is forgotten by
// [Service.ForgetKeys] and not before.
func WithKey(ctx context.Context, key string) context.Context {
	return context.WithValue(ctx, keyInContext{}, key)
}

type keyInContext struct{}

// Keyed reports whether the context carries a key of [WithKey].
func Keyed(ctx context.Context) bool { return keyOf(ctx) != "" }

func keyOf(ctx context.Context) string {
	key, _ := ctx.Value(keyInContext{}).(string)
	return key
}

// Keeper is what [Do] needs of a store.
type Keeper interface {
	Transactor
	OperationStore
}

// Do runs one operation of a service in one transaction, and once for each key that
// [WithKey] gave the context. The request is what the caller asked for, as values that
// marshal to JSON; together with the name it tells a repetition from a mistake. Every
// operation of every room that writes for a caller goes through here.
func Do[T any](ctx context.Context, store Keeper, env Env, by Principal, name string, request []any,
	fn func(ctx context.Context) (T, error),
) (T, error) {
	var result, none T
	var refused *refusal
	key := keyOf(ctx)
	err := store.InTx(ctx, func(ctx context.Context) (err error) {
		refused = nil
		if key == "" {
			result, err = fn(ctx)
		} else {
			result, err = once(WithKey(ctx, ""), store, env, by, key, name, request, fn)
		}
		if errors.As(err, &refused) {
			return nil
		}
		return err
	})
	switch {
	case err != nil:
		return none, err
	case refused != nil:
		return none, refused.reason
	}
	return result, nil
}

// Refuse makes an error of a closure of [Do] a refusal that has to be on record: what the
// closure wrote is committed, and then the caller gets the reason.
func Refuse(reason error) error { return &refusal{reason} }

type refusal struct{ reason error }

func (r *refusal) Error() string { return r.reason.Error() }

// once looks for the key before it runs the operation, and keeps the result under it. Of two
// at once one finds the key taken when it writes; its transaction is run again, and finds it.
func once[T any](ctx context.Context, store OperationStore, env Env, by Principal, key, name string, request []any,
	fn func(ctx context.Context) (T, error),
) (result T, err error) {
	if len(key) > MaxKey || !utf8.ValidString(key) {
		return result, &InvalidError{Field: "key", Reason: fmt.Sprintf("must have 1 to %d bytes of UTF-8", MaxKey)}
	}
	asked, err := json.Marshal(append([]any{name}, request...))
	if err != nil {
		return result, fmt.Errorf("usher: the request of %s cannot be kept: %w", name, err)
	}
	o := Operation{Principal: by.Principal(), Key: key, Request: sha256.Sum256(asked), At: env.Now()}
	seen, err := store.Operation(ctx, o.Principal, key)
	switch {
	case err == nil && seen.Request != o.Request:
		return result, ErrKeyReused
	case err == nil:
		return result, json.Unmarshal(seen.Result, &result)
	case !errors.Is(err, ErrNotFound):
		return result, err
	}
	if result, err = fn(ctx); err != nil {
		return result, err
	}
	if o.Result, err = json.Marshal(result); err != nil {
		return result, fmt.Errorf("usher: the result of %s cannot be kept: %w", name, err)
	}
	return result, store.InsertOperation(ctx, o)
}

// ForgetKeys forgets what was kept under idempotency keys before the time given, and answers
// how much that was. A repetition that comes later runs as a new operation: keep them for as
// long as clients repeat, a day for most. What is kept of refusals, so that each is recorded once, goes
// with them.
func (s *Service) ForgetKeys(ctx context.Context, by System, before time.Time) (forgotten int, err error) {
	if err := by.Validate(); err != nil {
		return 0, err
	}
	err = s.store.InTx(ctx, func(ctx context.Context) error {
		forgotten, err = s.store.ForgetOperations(ctx, before)
		return err
	})
	return forgotten, err
}
