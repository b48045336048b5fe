package storagetest

import (
	"bytes"
	"context"
	"iter"
	"slices"
	"sync"

	"github.com/google/uuid"

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

// followsTeamBadly begins somewhere else, or spoils pages on the way.
type followsTeamBadly struct {
	spoiled
	from func(after outbox.Mark) outbox.Mark
	pass func(n int, page []outbox.TeamEvent) (kept []outbox.TeamEvent, pass, last bool)
}

func atMark(after outbox.Mark) outbox.Mark { return after }
func beforeMark(after outbox.Mark) outbox.Mark {
	return outbox.Mark{Batch: after.Batch, Stream: after.Stream, Sequence: after.Sequence - 1}
}

func asFed(_ int, page []outbox.TeamEvent) ([]outbox.TeamEvent, bool, bool) { return page, true, false }

func backwards(_ int, page []outbox.TeamEvent) ([]outbox.TeamEvent, bool, bool) {
	slices.Reverse(page)
	return page, true, false
}

func cutFed(n int, page []outbox.TeamEvent) ([]outbox.TeamEvent, bool, bool) {
	return page[min(n%2, len(page)):], true, false
}

func silentlyFed(n int, page []outbox.TeamEvent) ([]outbox.TeamEvent, bool, bool) {
	return page, len(page) > 0, n == 2
}

func (s followsTeamBadly) FollowTeam(ctx context.Context, team uuid.UUID, after outbox.Mark) iter.Seq2[[]outbox.TeamEvent, error] {
	return func(yield func([]outbox.TeamEvent, error) bool) {
		n := 0
		for page, err := range s.Store.FollowTeam(ctx, team, s.from(after)) {
			kept, pass, last := s.pass(n, page)
			n++
			if pass && !yield(kept, err) || last {
				return
			}
		}
	}
}

// followsByID resumes after the highest id that was followed, as if ids were committed in their order.
type followsByID struct {
	spoiled
	highest *sync.Map
}

func (s followsByID) FollowTeam(ctx context.Context, team uuid.UUID, after outbox.Mark) iter.Seq2[[]outbox.TeamEvent, error] {
	return func(yield func([]outbox.TeamEvent, error) bool) {
		for page, err := range s.Store.FollowTeam(ctx, team, after) {
			highest := uuid.UUID{}
			if id, followed := s.highest.Load(team); followed && after != (outbox.Mark{}) {
				highest = id.(uuid.UUID)
			}
			page = slices.DeleteFunc(page, func(e outbox.TeamEvent) bool { return bytes.Compare(e.ID[:], highest[:]) <= 0 })
			for _, e := range page {
				if bytes.Compare(e.ID[:], highest[:]) > 0 {
					highest = e.ID
				}
			}
			s.highest.Store(team, highest)
			if !yield(page, err) {
				return
			}
		}
	}
}

// marksTheBeginning marks now as if nothing had happened yet.
type marksTheBeginning struct{ spoiled }

func (s marksTheBeginning) TeamMark(ctx context.Context, team uuid.UUID) (outbox.Mark, error) {
	_, err := s.Store.TeamMark(ctx, team)
	return outbox.Mark{}, err
}

// marksInside forgets the transaction.
type marksInside struct{ spoiled }

func (s marksInside) TeamMark(context.Context, uuid.UUID) (outbox.Mark, error) {
	return outbox.EndOf(0), nil
}

var _ storage.Store = followsBadly{}
