package sqlstore

import (
	"context"
	"errors"
	"iter"
	"math"

	"github.com/google/uuid"

	"github.com/usher-go/usher/storage/internal/follow"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

// unbatched is the batch of an event that nobody has put into one: it comes after all others.
const unbatched = math.MaxInt64

// feedStatements put a team's events in an order, see [outbox.TeamFollower].
type feedStatements struct {
	draw, open, last string
	waiting          string
	batch            manyIDs
	after            string
}

func (c *compiler) feed() feedStatements {
	return feedStatements{
		draw: c.sql(`UPDATE usher_feeds SET batches = batches + 1 WHERE team_id = ?`),
		open: c.sql(`INSERT INTO usher_feeds (team_id, batches) VALUES (?, 0) {pass over}`),
		last: c.sql(`SELECT batches FROM usher_feeds WHERE team_id = ?`),
		// By stream and not by age: where there are more than one batch holds, those of a stream that
		// are left for the next one are its last.
		waiting: c.sql(`SELECT e.id FROM usher_events e WHERE e.team_id = ? AND e.batch = ? ORDER BY e.stream_id, e.seq LIMIT ?`),
		batch: c.manyIDs(`UPDATE usher_events SET batch = (SELECT batches FROM usher_feeds WHERE team_id = ?)
			WHERE batch = ? AND id IN ({ids})`),
		after: c.sql(`SELECT`, eventColumns, `, e.batch FROM usher_events e WHERE e.team_id = ? AND e.batch >= ?
			AND (e.batch > ? OR e.stream_id > ? OR e.stream_id = ? AND e.seq > ?)
			ORDER BY e.batch, e.stream_id, e.seq LIMIT ?`),
	}
}

// FollowTeam implements [outbox.TeamFollower]: one statement for each page, and for each look that finds
// nothing. When something has happened, one of those who follow puts it in order, in a transaction of
// five statements for at most 256 events; the others of the same store wait for that.
func (s *Store) FollowTeam(ctx context.Context, team uuid.UUID, after outbox.Mark) iter.Seq2[[]outbox.TeamEvent, error] {
	return func(yield func([]outbox.TeamEvent, error) bool) {
		if err := s.outside(ctx); err != nil {
			yield(nil, err)
			return
		}
		defer s.hear(ctx)()
		follow.Pages(ctx, &s.bells, team, after, s.polling, func(after outbox.Mark) ([]outbox.TeamEvent, error) {
			return s.feedAfter(ctx, team, after)
		}, outbox.TeamEvent.Mark)(yield)
	}
}

// feedAfter reads a page of what has happened in the team.
func (s *Store) feedAfter(ctx context.Context, team uuid.UUID, after outbox.Mark) ([]outbox.TeamEvent, error) {
	for {
		page, err := all(ctx, s, scanTeamEvent, s.feed.after, team, after.Batch,
			after.Batch, after.Stream, after.Stream, after.Sequence, follow.Limit)
		if err != nil || len(page) == 0 {
			return nil, err
		}
		for n, e := range page {
			if e.Batch == unbatched {
				page = page[:n]
				break
			}
		}
		if len(page) > 0 {
			return page, nil
		}
		err = s.turns.Do(ctx, team, func() error {
			_, err := s.putInOrder(ctx, team)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
}

// TeamMark implements [outbox.TeamFollower]. It puts in order what nobody has yet, so the first one in
// a team with a long past costs what has happened in it; two statements where there is nothing to do.
func (s *Store) TeamMark(ctx context.Context, team uuid.UUID) (outbox.Mark, error) {
	if err := s.outside(ctx); err != nil {
		return outbox.Mark{}, err
	}
	waits, err := s.waiting(ctx, team, 1)
	for n := len(waits) * maxIDs; err == nil && n == maxIDs; { // fewer are all that had happened by then
		n, err = s.putInOrder(ctx, team)
	}
	if err != nil {
		return outbox.Mark{}, err
	}
	last, err := one(ctx, s, scanNumber, s.feed.last, team)
	if errors.Is(err, tenancy.ErrNotFound) { // nothing has happened that anybody has watched
		err = nil
	}
	return outbox.EndOf(int64(last)), err
}

// waiting are events that are in no batch.
func (s *Store) waiting(ctx context.Context, team uuid.UUID, limit int) ([]uuid.UUID, error) {
	return all(ctx, s, scanID[uuid.UUID], s.feed.waiting, team, unbatched, limit)
}

// putInOrder makes a batch of events that are in none, and answers how many there were.
//
// The counter of the team is taken first, so batches are made, and become visible, one after another. An
// event is not seen before those that precede it in its stream, whose row its transaction had locked,
// so it is in the same batch as they or in a later one. The rows are read without a lock and written by
// their keys: to update whatever is in no batch would wait, on MySQL, for those who write.
func (s *Store) putInOrder(ctx context.Context, team uuid.UUID) (n int, err error) {
	err = s.alone(ctx, func(ctx context.Context) error {
		if err := s.drawBatch(ctx, team); err != nil {
			return err
		}
		found, err := s.waiting(ctx, team, maxIDs)
		if n = len(found); err != nil {
			return err
		}
		_, err = execMany(ctx, s, s.feed.batch, found, team, unbatched)
		return err
	})
	return n, err
}

// drawBatch takes the team's counter until the transaction ends. A number that is drawn for nothing leaves
// a gap, in which nothing is missing.
func (s *Store) drawBatch(ctx context.Context, team uuid.UUID) error {
	drawn, err := s.exec(ctx, s.feed.draw, team)
	if err != nil || drawn > 0 {
		return err
	}
	if _, err := s.exec(ctx, s.feed.open, team); err != nil {
		return err
	}
	_, err = s.exec(ctx, s.feed.draw, team)
	return err
}

func scanTeamEvent(r row) (outbox.TeamEvent, error) {
	var e outbox.TeamEvent
	err := r.Scan(append(eventFields(&e.Event), &e.Batch)...)
	return e, err
}
