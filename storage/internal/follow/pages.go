package follow

import (
	"context"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/storage/outbox"
)

// Limit is how many events a page holds at most: what one who follows has in memory.
const Limit = 64

// Pages follows events as [outbox.Follower] describes it, from a place on. Read lists at most [Limit] of
// them after a place; it is asked when the bell of what is followed has rung, and every so often without.
//
// The bell is listened to before the first look, so no commit falls between the two.
func Pages[E, P any](ctx context.Context, bells *Bells, of uuid.UUID, after P, every time.Duration,
	read func(after P) ([]E, error), place func(E) P,
) iter.Seq2[[]E, error] {
	return func(yield func([]E, error) bool) {
		rung, stop := bells.Listen(of)
		defer stop()
		again := time.NewTicker(every)
		defer again.Stop()
		for {
			page, err := read(after)
			if !yield(page, err) || err != nil {
				return
			}
			if len(page) > 0 {
				after = place(page[len(page)-1])
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

// Sequence is the place of an event in its stream.
func Sequence(e outbox.Event) int64 { return e.Sequence }
