package outbox

import (
	"context"
	"iter"
)

// Follower reads along a stream while it grows.
type Follower interface {
	// Follow yields the events of the stream after a sequence, in their order, each once and without
	// a gap, in pages, and waits for more once there are none. An empty page says that it waits: it
	// yields one when it begins to, and from time to time after that, so that the caller can look to
	// other things. It ends with an error, that of ctx at the latest, or when the caller breaks off,
	// and then nothing of it is left. A caller who is slow with one page gets the next one later.
	//
	// What is committed is yielded soon after: at once where the store hears of commits, otherwise
	// when it looks again. It must not be called inside a transaction.
	Follow(ctx context.Context, of Stream, after int64) iter.Seq2[[]Event, error]
}
