package memory

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/tenancy"
)

// conversationsIn are the conversations that are there in their teams, by id and each once.
func (s *Store) conversationsIn(in []conversation.Thread) []*conversationRow {
	return each(func(t conversation.Thread) (*conversationRow, error) { return s.conversation(t.Team, t.Conversation) }, in,
		func(t conversation.Thread) tenancy.ConversationID { return t.Conversation })
}

// inOne names conversations in one team.
func inOne(team tenancy.TeamID, ids []tenancy.ConversationID) []conversation.Thread {
	in := make([]conversation.Thread, len(ids))
	for i, id := range ids {
		in[i] = conversation.Thread{Team: team, Conversation: id}
	}
	return in
}

// changeConversations makes one change to those of the conversations that are in their teams.
func (s *Store) changeConversations(ctx context.Context, in []conversation.Thread, change func(c *conversation.Conversation) error) error {
	return s.write(ctx, func() error {
		for _, row := range s.conversationsIn(in) {
			c := row.Conversation
			if err := change(&c); err != nil {
				return err
			}
			if err := s.changeConversation(row, c); err != nil {
				return err
			}
		}
		return nil
	})
}

// LockConversations implements [conversation.ThreadSetStore].
func (s *Store) LockConversations(ctx context.Context, in ...conversation.Thread) ([]conversation.Conversation, error) {
	return lock(ctx, s, func() ([]conversation.Conversation, error) {
		return shown(s.conversationsIn(in), thatConversation), nil
	})
}

// HeldBy implements [conversation.ThreadSetStore]. What is nobody's is not the zero user's.
func (s *Store) HeldBy(ctx context.Context, who ...tenancy.Actor) ([]conversation.Thread, error) {
	return read(ctx, s, func() ([]conversation.Thread, error) {
		var held []conversation.Thread
		for _, a := range who {
			if a.User.IsZero() {
				continue
			}
			member := teamUser{a.Team, a.User}
			held = append(held, inOne(a.Team, s.assigned[member].ids())...)
			held = append(held, inOne(a.Team, s.guests[member].ids())...)
			for c := range listed(s.claimed, member) {
				held = append(held, conversation.Thread{Team: a.Team, Conversation: c.ID})
			}
			if delivering := s.delivering[member]; delivering != nil {
				for d := range merged(ascending, ascending.beginning(), delivering) {
					held = append(held, conversation.Thread{Team: a.Team, Conversation: d.Conversation})
				}
			}
		}
		slices.SortFunc(held, func(a, b conversation.Thread) int { return bytes.Compare(a.Conversation[:], b.Conversation[:]) })
		return slices.Compact(held), nil
	})
}

// UnassignConversations implements [conversation.ThreadSetStore].
func (s *Store) UnassignConversations(ctx context.Context, in ...conversation.Thread) error {
	return s.changeConversations(ctx, in, func(c *conversation.Conversation) error {
		c.Assignee = tenancy.UserID{}
		return nil
	})
}

// ReleaseConversations implements [conversation.ThreadSetStore].
func (s *Store) ReleaseConversations(ctx context.Context, in ...conversation.Thread) error {
	return s.changeConversations(ctx, in, func(c *conversation.Conversation) error {
		c.Claimant, c.ClaimedUntil = tenancy.UserID{}, time.Time{}
		return nil
	})
}

// CloseConversations implements [conversation.ThreadSetStore].
func (s *Store) CloseConversations(ctx context.Context, team tenancy.TeamID, outcome conversation.Label, ids ...tenancy.ConversationID) error {
	return s.changeConversations(ctx, inOne(team, ids), func(c *conversation.Conversation) error {
		c.Status, c.SnoozedUntil, c.Outcome = conversation.Closed, time.Time{}, outcome
		c.Claimant, c.ClaimedUntil = tenancy.UserID{}, time.Time{}
		return nil
	})
}

// MoveConversations implements [conversation.ThreadSetStore].
func (s *Store) MoveConversations(ctx context.Context, from, to tenancy.TeamID, ids ...tenancy.ConversationID) error {
	return s.changeConversations(ctx, inOne(from, ids), func(c *conversation.Conversation) error {
		contact, err := referred(s.addresses.get(contactAddress{to, c.Identity.Channel, c.Address}))
		if err != nil {
			return err
		}
		c.Team, c.Contact, c.Assignee = to, contact.ID, tenancy.UserID{}
		c.Claimant, c.ClaimedUntil = tenancy.UserID{}, time.Time{}
		return nil
	})
}
