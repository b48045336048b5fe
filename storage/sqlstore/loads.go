package sqlstore

import (
	"context"
	"time"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/tenancy"
)

type loadStatements struct {
	insert, lock, find manyIDs
	turn               string
}

func (c *compiler) loads() loadStatements {
	// What somebody is assigned is not counted again where they are at it, too: two ranges of two
	// indexes, and no sorting out of doubles.
	const (
		assigned = `(SELECT COUNT(*) FROM usher_conversations c
			WHERE c.team_id = l.team_id AND c.assignee_id = l.user_id AND c.status = 'open')`
		claimed = `(SELECT COUNT(*) FROM usher_conversations c
			WHERE c.team_id = l.team_id AND c.claimant_id = l.user_id AND c.claimed_until + 0 > ? AND c.status = 'open'
			AND (c.assignee_id IS NULL OR c.assignee_id <> l.user_id))`
	)
	return loadStatements{
		insert: c.manyIDs(`INSERT INTO usher_loads (team_id, user_id, turn, version)
			SELECT m.team_id, m.user_id, 0, 1 FROM usher_memberships m WHERE m.team_id = ? AND m.user_id IN ({ids}) {pass over}`),
		lock: c.manyIDs(`UPDATE usher_loads SET locks = locks + 1 WHERE team_id = ? AND user_id IN ({ids})`),
		find: c.manyIDs(`SELECT l.user_id, l.turn,`, assigned, `+`, claimed, `FROM usher_loads l
			WHERE l.team_id = ? AND l.user_id IN ({ids}) ORDER BY l.user_id`),
		turn: c.sql(`UPDATE usher_loads SET turn = ?, version = version + 1 WHERE team_id = ? AND user_id = ?`),
	}
}

func scanLoad(r row) (conversation.Load, error) {
	var l conversation.Load
	err := r.Scan(id(&l.User), &l.Turn, &l.Open)
	return l, err
}

// LockLoads implements [conversation.LoadStore]. A row is made when it is first asked for: most
// teams never ask.
func (s *Store) LockLoads(ctx context.Context, team tenancy.TeamID, at time.Time, users ...tenancy.UserID) ([]conversation.Load, error) {
	users = tenancy.InOrder(users...)
	locked := func() ([]conversation.Load, error) {
		return lockAll(ctx, s,
			func() (int64, error) { return execMany(ctx, s, s.loads.lock, users, team) },
			func() ([]conversation.Load, error) {
				return allMany(ctx, s, scanLoad, s.loads.find, users, micros(at), team)
			})
	}
	loads, err := locked()
	if err != nil || len(loads) == len(users) {
		return loads, err
	}
	if _, err := execMany(ctx, s, s.loads.insert, users, team); err != nil {
		return nil, err
	}
	return locked()
}

// UpdateTurn implements [conversation.LoadStore].
func (s *Store) UpdateTurn(ctx context.Context, team tenancy.TeamID, user tenancy.UserID, turn int64) error {
	n, err := s.exec(ctx, s.loads.turn, turn, team, user)
	if err == nil && n == 0 {
		err = tenancy.ErrNotFound
	}
	return err
}
