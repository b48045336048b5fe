package outbox

import (
	"bytes"
	"cmp"
	"context"
	"iter"
	"math"

	"github.com/google/uuid"
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

// TeamFollower reads along all that happens in a team, which is many streams at once.
//
// They have no order of their own: streams do not wait for each other, so what got its number, its id
// or its time earlier may be committed later, and whoever reads on after the last of these never sees
// it. So it is the followers who put the events in an order, under a lock that no writer takes: those
// that have come since the last time are the next batch. Within it they are in the order of their
// streams' ids, and along a stream in that of the stream.
//
// Rejected: one counter for each team, drawn by those who write (all conversations of a team would wait
// for each other); a sequence for each stream as the place to resume at (grows with the conversations);
// the snapshot of a transaction (only PostgreSQL tells it, and one transaction that stays open holds
// back all that follow); to read again what is younger than a while (loses what took longer).
type TeamFollower interface {
	// FollowTeam yields the events of a team, those of all its streams that name it as Event.Team, after
	// a mark: each once and none left out, those of one stream in its order. In all else it is as
	// [Follower] has it. Whoever resumes after the mark of any event gets those that came after it,
	// in the same order. The zero mark is before all events.
	FollowTeam(ctx context.Context, team uuid.UUID, after Mark) iter.Seq2[[]TeamEvent, error]
	// TeamMark is the mark of now: what is committed after it was answered comes after it, and what
	// was committed before it was asked for does not. It must not be called inside a transaction.
	TeamMark(ctx context.Context, team uuid.UUID) (Mark, error)
}

// TeamEvent is an event in its place among those of its team.
type TeamEvent struct {
	Event
	Batch int64
}

// Mark is where the event stands.
func (e TeamEvent) Mark() Mark { return Mark{e.Batch, e.Stream.ID, e.Sequence} }

// Mark is a place among the events of a team.
type Mark struct {
	Batch    int64
	Stream   uuid.UUID
	Sequence int64
}

// EndOf is the mark after all of a batch.
func EndOf(batch int64) Mark { return Mark{batch, uuid.Max, math.MaxInt64} }

// Compare orders marks.
func (m Mark) Compare(other Mark) int {
	return cmp.Or(cmp.Compare(m.Batch, other.Batch), bytes.Compare(m.Stream[:], other.Stream[:]), cmp.Compare(m.Sequence, other.Sequence))
}
