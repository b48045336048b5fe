package memory

import (
	"context"
	"time"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/tenancy"
)

// turnRow is the last turn of a user in a team. Who has had none has no row.
type turnRow struct{ turn int64 }

// LockLoads implements [conversation.LoadStore].
func (s *Store) LockLoads(ctx context.Context, team tenancy.TeamID, at time.Time, users ...tenancy.UserID) ([]conversation.Load, error) {
	return lock(ctx, s, func() ([]conversation.Load, error) {
		members := func(user tenancy.UserID) (*membershipRow, error) { return s.memberships.get(teamUser{team, user}) }
		var loads []conversation.Load
		for _, m := range those(members, users) {
			load := conversation.Load{User: m.User, Open: s.inHandOf(teamUser{team, m.User}, at)}
			if row := s.turns.rows[teamUser{team, m.User}]; row != nil {
				load.Turn = row.turn
			}
			loads = append(loads, load)
		}
		return loads, nil
	})
}

// inHandOf counts the open conversations that a user of a team is assigned or at.
func (s *Store) inHandOf(user teamUser, at time.Time) (open int) {
	if desk := s.assigned[user]; desk != nil {
		open = desk.open.answered.count() + desk.open.waiting.count()
	}
	for c := range listed(s.claimed, user) {
		if c.Status == conversation.Open && c.Assignee != user.user && at.Before(c.ClaimedUntil) {
			open++
		}
	}
	return open
}

// UpdateTurn implements [conversation.LoadStore].
func (s *Store) UpdateTurn(ctx context.Context, team tenancy.TeamID, user tenancy.UserID, turn int64) error {
	return s.write(ctx, func() error {
		name := teamUser{team, user}
		if _, err := s.memberships.get(name); err != nil {
			return err
		}
		if row := s.turns.rows[name]; row != nil {
			set(s.log, &row.turn, turn)
			return nil
		}
		return s.turns.insert(name, &turnRow{turn})
	})
}
