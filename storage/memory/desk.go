package memory

import (
	"cmp"
	"context"
	"iter"
	"time"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/tenancy"
)

// skipName is what makes two skips the same.
type skipName struct {
	conversation tenancy.ConversationID
	user         tenancy.UserID
}

type skipRow struct{ conversation.Skip }

// queueLists are the lists by which the desk finds a conversation: of its assignee's, or nobody's,
// while it waits, and of its claimant's.
func (s *Store) queueLists(c *conversationRow, visit func(*list[conversationRow], place)) {
	since := placeAt(c.NeedsReplySince, c.ID)
	if waits(c) {
		visit(lazily(s.queues, teamUser{c.Team, c.Assignee}), since)
	}
	if !c.Claimant.IsZero() {
		visit(lazily(s.claimed, teamUser{c.Team, c.Claimant}), since)
		visit(&s.claims, placeAt(c.ClaimedUntil, c.ID))
	}
}

func waits(c *conversationRow) bool {
	return c.Status == conversation.Open && !c.NeedsReplySince.IsZero()
}

// listed reads one of the lists, which need not be there, from its beginning.
func listed[K comparable](lists map[K]*list[conversationRow], key K) iter.Seq[*conversationRow] {
	return merged(ascending, ascending.beginning(), lists[key])
}

// LockNext implements [conversation.DeskStore]. It costs what is passed over: what others have
// claimed and not answered yet, and what the user has skipped.
func (s *Store) LockNext(ctx context.Context, team tenancy.TeamID, line conversation.Line) (conversation.Conversation, error) {
	return lock(ctx, s, func() (conversation.Conversation, error) {
		next := s.inHand(team, line)
		if line.Free {
			free := conversation.Line{At: line.At, Free: true}
			for c := range listed(s.queues, teamUser{team: team}) {
				if next != nil && placeAt(c.NeedsReplySince, c.ID).compare(placeAt(next.NeedsReplySince, next.ID)) > 0 {
					break
				}
				if free.Admits(c.Conversation) && s.offered(c, line) {
					next = c
					break
				}
			}
		}
		if next == nil {
			return conversation.Conversation{}, tenancy.ErrNotFound
		}
		return next.Conversation, nil
	})
}

// inHand is the first of what the line has under Claimed and Assigned, or nil.
func (s *Store) inHand(team tenancy.TeamID, line conversation.Line) (first *conversationRow) {
	user := teamUser{team, line.User}
	best := func(c *conversationRow) {
		if first == nil || placeAt(c.NeedsReplySince, c.ID).compare(placeAt(first.NeedsReplySince, first.ID)) < 0 {
			first = c
		}
	}
	if line.Claimed && !line.User.IsZero() {
		claimed := conversation.Line{User: line.User, At: line.At, Claimed: true}
		for c := range listed(s.claimed, user) {
			if claimed.Admits(c.Conversation) && s.offered(c, line) {
				best(c)
				break
			}
		}
	}
	if line.Assigned && !line.User.IsZero() {
		assigned := conversation.Line{User: line.User, At: line.At, Assigned: true}
		for c := range listed(s.queues, user) {
			if assigned.Admits(c.Conversation) && s.offered(c, line) {
				best(c)
				break
			}
		}
	}
	return first
}

// offered reports whether the line's user has not skipped the conversation.
func (s *Store) offered(c *conversationRow, line conversation.Line) bool {
	skip := s.skips.rows[skipName{c.ID, line.User}]
	return skip == nil || !line.At.Before(skip.EndsAt)
}

// Waits implements [conversation.DeskStore].
func (s *Store) Waits(ctx context.Context, team tenancy.TeamID, line conversation.Line) (bool, error) {
	return read(ctx, s, func() (bool, error) {
		has := func(user tenancy.UserID) bool {
			queue := s.queues[teamUser{team, user}]
			return queue != nil && len(queue.chunks) > 0
		}
		return line.Free && has(tenancy.UserID{}) || line.Assigned && !line.User.IsZero() && has(line.User), nil
	})
}

// Hand implements [conversation.DeskStore].
func (s *Store) Hand(ctx context.Context, team tenancy.TeamID, line conversation.Line) (conversation.Hand, error) {
	return read(ctx, s, func() (conversation.Hand, error) {
		return conversation.Hand{Waiting: s.inHand(team, line) != nil, Answered: len(s.answered(team, line.User)) > 0}, nil
	})
}

// answered are the conversations that the user has claimed and that do not wait, by id.
func (s *Store) answered(team tenancy.TeamID, user tenancy.UserID) []conversation.Conversation {
	var answered []conversation.Conversation
	for c := range listed(s.claimed, teamUser{team, user}) { // those that do not wait come first, by id
		if !c.NeedsReplySince.IsZero() {
			break
		}
		answered = append(answered, c.Conversation)
	}
	return answered
}

// LockAnswered implements [conversation.DeskStore].
func (s *Store) LockAnswered(ctx context.Context, team tenancy.TeamID, user tenancy.UserID) ([]conversation.Conversation, error) {
	return lock(ctx, s, func() ([]conversation.Conversation, error) { return s.answered(team, user), nil })
}

// ClaimsEnded implements [conversation.DeskStore].
func (s *Store) ClaimsEnded(ctx context.Context, now time.Time, limit int) ([]conversation.Thread, error) {
	return read(ctx, s, func() ([]conversation.Thread, error) {
		ended := func(yield func(*conversationRow) bool) {
			for c := range merged(ascending, ascending.beginning(), &s.claims) {
				if c.ClaimedUntil.After(now) || !yield(c) {
					return
				}
			}
		}
		return paged(ended, limit, func(c *conversationRow) (conversation.Thread, bool) {
			return conversation.Thread{Team: c.Team, Conversation: c.ID}, true
		}), nil
	})
}

// InsertSkip implements [conversation.DeskStore].
func (s *Store) InsertSkip(ctx context.Context, skip conversation.Skip) error {
	return s.write(ctx, func() error {
		utc(&skip.EndsAt)
		if err := cmp.Or(s.conversations.has(skip.Conversation), s.users.has(skip.User)); err != nil {
			return err
		}
		name := skipName{skip.Conversation, skip.User}
		if row := s.skips.rows[name]; row != nil {
			set(s.log, &row.Skip, skip)
			return nil
		}
		return s.skips.move(skipName{}, name, &skipRow{skip})
	})
}
