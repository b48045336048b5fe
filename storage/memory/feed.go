package memory

import (
	"context"
	"iter"

	"github.com/google/uuid"

	"github.com/usher-go/usher/storage/internal/follow"
	"github.com/usher-go/usher/storage/outbox"
)

// FollowTeam implements [outbox.TeamFollower]: at once. There is one writer, so the order of commits is
// known, and each event is a batch.
func (s *Store) FollowTeam(ctx context.Context, team uuid.UUID, after outbox.Mark) iter.Seq2[[]outbox.TeamEvent, error] {
	return follow.Pages(ctx, &s.bells, team, after, idle, func(after outbox.Mark) ([]outbox.TeamEvent, error) {
		if err := s.outside(ctx); err != nil {
			return nil, err
		}
		return read(ctx, s, func() ([]outbox.TeamEvent, error) {
			var page []outbox.TeamEvent
			events := s.fed(team)
			for i := max(after.Batch-1, 0); i < int64(len(events)) && len(page) < follow.Limit; i++ {
				if e := (outbox.TeamEvent{Event: events[i].copy(), Batch: i + 1}); e.Mark().Compare(after) > 0 {
					page = append(page, e)
				}
			}
			return page, nil
		})
	}, outbox.TeamEvent.Mark)
}

// TeamMark implements [outbox.TeamFollower].
func (s *Store) TeamMark(ctx context.Context, team uuid.UUID) (outbox.Mark, error) {
	if err := s.outside(ctx); err != nil {
		return outbox.Mark{}, err
	}
	return read(ctx, s, func() (outbox.Mark, error) { return outbox.EndOf(int64(len(s.fed(team)))), nil })
}

// fed are the team's events in the order of their commits.
func (s *Store) fed(team uuid.UUID) []*eventRow {
	if feed := s.feeds[team]; feed != nil {
		return feed.events
	}
	return nil
}
