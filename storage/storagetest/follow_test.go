package storagetest

import (
	"context"
	"iter"

	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/outbox"
)

// followsBadly begins somewhere else, or loses pages on the way.
type followsBadly struct {
	spoiled
	from func(after int64) int64
	pass func(n int, page []outbox.Event) (kept []outbox.Event, pass, last bool)
}

func exactly(after int64) int64 { return after }
func before(after int64) int64  { return after - 1 }

func as(_ int, page []outbox.Event) ([]outbox.Event, bool, bool)    { return page, true, false }
func first(n int, page []outbox.Event) ([]outbox.Event, bool, bool) { return page, true, n == 2 }

func silently(n int, page []outbox.Event) ([]outbox.Event, bool, bool) {
	return page, len(page) > 0, n == 2
}

func cut(n int, page []outbox.Event) ([]outbox.Event, bool, bool) {
	return page[min(n%2, len(page)):], true, false
}

func (s followsBadly) Follow(ctx context.Context, of outbox.Stream, after int64) iter.Seq2[[]outbox.Event, error] {
	return func(yield func([]outbox.Event, error) bool) {
		n := 0
		for page, err := range s.Store.Follow(ctx, of, s.from(after)) {
			kept, pass, last := s.pass(n, page)
			n++
			if pass && !yield(kept, err) || last {
				return
			}
		}
	}
}

// followsInside forgets the transaction.
type followsInside struct{ spoiled }

func (s followsInside) Follow(ctx context.Context, of outbox.Stream, after int64) iter.Seq2[[]outbox.Event, error] {
	return func(yield func([]outbox.Event, error) bool) {
		yield(nil, nil)
	}
}

var _ storage.Store = followsBadly{}
