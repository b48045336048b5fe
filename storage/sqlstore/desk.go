package sqlstore

import (
	"context"
	"math"
	"time"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/tenancy"
)

type deskStatements struct {
	free, claimed, assigned        string
	freeWaits, assignedWaits, hand string
	lockAnswered, answered         string
	claimsEnded                    string
	deleteSkip, insertSkip         string
}

// The parts of a [conversation.Line], as conditions on usher_conversations c. Lists have them too.
const (
	lineWaits = `AND c.status = 'open' AND c.needs_reply_since IS NOT NULL`
	lineFree  = `c.assignee_id IS NULL AND c.claimed_until <= ?`
	// A sum is in no index: one of all teams' claims would be read to its end.
	lineClaimed  = `c.claimant_id = ? AND c.claimed_until + 0 > ?`
	lineAssigned = `c.assignee_id = ? AND (c.claimed_until <= ? OR c.claimant_id = ?)`
)

func (c *compiler) desk() deskStatements {
	const (
		waiting = `c.team_id = ? ` + lineWaits
		// Each part of a line is a range of one index: without an assignee and with one the same, but
		// in PostgreSQL, where a range without one is in no order.
		free     = waiting + ` AND ` + lineFree
		claimed  = waiting + ` AND ` + lineClaimed
		assigned = waiting + ` AND ` + lineAssigned
		offered  = ` AND NOT EXISTS (SELECT 1 FROM usher_skips k
			WHERE k.conversation_id = c.id AND k.user_id = ? AND k.ends_at > ?)`
		// The parts of a line are read one after the other, each only up to the best of the others.
		first = `AND c.needs_reply_since <= ? AND (c.needs_reply_since < ? OR c.id < ?)
			ORDER BY c.needs_reply_since, c.id LIMIT 1 {skip locked}`
		exists   = `SELECT 1 FROM usher_conversations c WHERE `
		answered = `team_id = ? AND claimant_id = ? AND needs_reply_since IS NULL`
	)
	return deskStatements{
		free:     c.sql(findConversation, free+offered, first),
		claimed:  c.sql(findConversation, claimed+offered, first),
		assigned: c.sql(findConversation, assigned+offered, first),

		freeWaits:     c.sql(`SELECT EXISTS (`, exists, waiting, `AND c.assignee_id IS NULL)`),
		assignedWaits: c.sql(`SELECT EXISTS (`, exists, waiting, `AND c.assignee_id = ?)`),
		hand: c.sql(`SELECT EXISTS (`, exists, claimed+offered, `), EXISTS (`, exists, assigned+offered,
			`), EXISTS (SELECT 1 FROM usher_conversations WHERE`, answered, `)`),

		lockAnswered: c.sql(`UPDATE usher_conversations SET locks = locks + 1 WHERE`, answered),
		answered:     c.sql(findConversation, `c.team_id = ? AND c.claimant_id = ? AND c.needs_reply_since IS NULL ORDER BY c.id`),

		claimsEnded: c.sql(`SELECT team_id, id FROM usher_conversations
			WHERE claimant_id IS NOT NULL AND claimed_until > ? AND claimed_until <= ? ORDER BY claimed_until, id LIMIT ?`),
		deleteSkip: c.sql(`DELETE FROM usher_skips WHERE conversation_id = ? AND user_id = ?`),
		insertSkip: c.sql(`INSERT INTO usher_skips (conversation_id, user_id, ends_at) VALUES (?, ?, ?)`),
	}
}

// LockNext implements [conversation.DeskStore]. A cluster's locks end at their node, where
// [WithUpdateLocks] takes them: there, two nodes may both answer a conversation, and one of their
// transactions is run again.
func (s *Store) LockNext(ctx context.Context, team tenancy.TeamID, line conversation.Line) (conversation.Conversation, error) {
	next := conversation.Conversation{}
	if err := s.writable(ctx); err != nil {
		return next, err
	}
	now, best := micros(line.At), []any{int64(math.MaxInt64), int64(math.MaxInt64), s.dialect.id([16]byte{})}
	for _, part := range []struct {
		in    bool
		query string
		args  []any
	}{
		{line.Claimed, s.desk.claimed, []any{team, line.User, now}},
		{line.Assigned, s.desk.assigned, []any{team, line.User, now, line.User}},
		{line.Free, s.desk.free, []any{team, now}},
	} {
		if !part.in {
			continue
		}
		found, err := all(ctx, s, scanConversation, part.query, append(append(part.args, line.User, now), best...)...)
		if err != nil {
			return next, err
		}
		if len(found) == 1 {
			next = found[0]
			best = []any{micros(next.NeedsReplySince), micros(next.NeedsReplySince), next.ID}
		}
	}
	switch {
	case next.ID.IsZero():
		return next, tenancy.ErrNotFound
	case s.updateLocks:
		return next, s.lock(ctx, s.conversations.lock, next.ID, team)
	}
	return next, nil
}

// Waits implements [conversation.DeskStore].
func (s *Store) Waits(ctx context.Context, team tenancy.TeamID, line conversation.Line) (bool, error) {
	if line.Free {
		waits, err := one(ctx, s, scanFlag, s.desk.freeWaits, team)
		if err != nil || waits {
			return waits, err
		}
	}
	if line.Assigned {
		return one(ctx, s, scanFlag, s.desk.assignedWaits, team, line.User)
	}
	return false, ctx.Err()
}

// Hand implements [conversation.DeskStore].
func (s *Store) Hand(ctx context.Context, team tenancy.TeamID, line conversation.Line) (conversation.Hand, error) {
	now, user := micros(line.At), line.User
	return one(ctx, s, func(r row) (conversation.Hand, error) {
		var claimed, assigned bool
		var hand conversation.Hand
		err := r.Scan(&claimed, &assigned, &hand.Answered)
		hand.Waiting = line.Claimed && claimed || line.Assigned && assigned
		return hand, err
	}, s.desk.hand, team, user, now, user, now, team, user, now, user, user, now, team, user)
}

// LockAnswered implements [conversation.DeskStore].
func (s *Store) LockAnswered(ctx context.Context, team tenancy.TeamID, user tenancy.UserID) ([]conversation.Conversation, error) {
	return lockAll(ctx, s,
		func() (int64, error) { return s.exec(ctx, s.desk.lockAnswered, team, user) },
		func() ([]conversation.Conversation, error) {
			return all(ctx, s, scanConversation, s.desk.answered, team, user)
		})
}

// ClaimsEnded implements [conversation.DeskStore].
func (s *Store) ClaimsEnded(ctx context.Context, now time.Time, limit int) ([]conversation.Thread, error) {
	return all(ctx, s, func(r row) (conversation.Thread, error) {
		var t conversation.Thread
		err := r.Scan(id(&t.Team), id(&t.Conversation))
		return t, err
	}, s.desk.claimsEnded, micros(time.Time{}), micros(now), limit)
}

// InsertSkip implements [conversation.DeskStore]. The engines have no common word for an insert or
// update.
func (s *Store) InsertSkip(ctx context.Context, skip conversation.Skip) error {
	if _, err := s.exec(ctx, s.desk.deleteSkip, skip.Conversation, skip.User); err != nil {
		return err
	}
	_, err := s.exec(ctx, s.desk.insertSkip, skip.Conversation, skip.User, micros(skip.EndsAt))
	return err
}
