package signup

import (
	"crypto/rand"
	"sync"
	"time"
)

// vault keeps things for a while, each under a random key that is not to be guessed.
type vault[T any] struct {
	now   func() time.Time
	lasts time.Duration
	mu    *sync.Mutex
	kept  map[string]deposit[T]
}

type deposit[T any] struct {
	thing T
	until time.Time
}

func newVault[T any](now func() time.Time, lasts time.Duration) vault[T] {
	return vault[T]{now: now, lasts: lasts, mu: new(sync.Mutex), kept: map[string]deposit[T]{}}
}

// put keeps the thing and throws away what has been there too long.
func (v vault[T]) put(thing T) (key string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.now()
	for key, d := range v.kept {
		if !now.Before(d.until) {
			delete(v.kept, key)
		}
	}
	key = rand.Text()
	v.kept[key] = deposit[T]{thing, now.Add(v.lasts)}
	return key
}

func (v vault[T]) get(key string) (T, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.fresh(key)
}

// take is get for once.
func (v vault[T]) take(key string) (T, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	defer delete(v.kept, key)
	return v.fresh(key)
}

func (v vault[T]) fresh(key string) (T, bool) {
	if d, found := v.kept[key]; found && v.now().Before(d.until) {
		return d.thing, true
	}
	var none T
	return none, false
}
