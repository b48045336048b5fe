package sqlstore

import (
	"context"
	"iter"

	"github.com/usher-go/usher/storage/internal/follow"
	"github.com/usher-go/usher/storage/outbox"
)

// Follow implements [outbox.Follower]: one statement for each page, and for each look that finds
// nothing. Numbers along a stream are drawn from its row, which stays locked until the commit, so they
// become visible in their order; a number that counts all events, as an autoincrement does, may be
// passed by a later one that commits first.
func (s *Store) Follow(ctx context.Context, of outbox.Stream, after int64) iter.Seq2[[]outbox.Event, error] {
	return func(yield func([]outbox.Event, error) bool) {
		if err := s.outside(ctx); err != nil {
			yield(nil, err)
			return
		}
		defer s.hear(ctx)()
		follow.Pages(ctx, &s.bells, of.ID, after, s.polling, func(after int64) ([]outbox.Event, error) {
			return all(ctx, s, scanEvent, s.events.along, of.Kind, of.ID, after, follow.Limit)
		}, follow.Sequence)(yield)
	}
}
