package follow

import (
	"context"
	"iter"
	"time"

	"github.com/usher-go/usher/storage/outbox"
)

// Limit is how many events a page holds at most: what one who follows has in memory.
const Limit = 64

// Pages follows a stream as [outbox.Follower] describes it. Read lists at most [Limit] events after a
// sequence; it is asked when the bell has rung, and every so often without.
//
// The bell is listened to before the first look, so no commit falls between the two.
func Pages(ctx context.Context, bells *Bells, of outbox.Stream, after int64, every time.Duration,
	read func(after int64) ([]outbox.Event, error),
) iter.Seq2[[]outbox.Event, error] {
	return func(yield func([]outbox.Event, error) bool) {
		rung, stop := bells.Listen(of.ID)
		defer stop()
		again := time.NewTicker(every)
		defer again.Stop()
		for {
			page, err := read(after)
			if !yield(page, err) || err != nil {
				return
			}
			if len(page) > 0 {
				after = page[len(page)-1].Sequence
				continue
			}
			select {
			case <-rung:
			case <-again.C:
			case <-ctx.Done():
				yield(nil, ctx.Err())
				return
			}
		}
	}
}
