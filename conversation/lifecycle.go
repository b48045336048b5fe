package conversation

import (
	"context"
	"errors"
	"time"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// Close ends the work on a conversation, with what came of it if that can be said (the empty
// Label otherwise): one of [Labels] or of the team's own statuses, without regard to case. A closed conversation leaves the working list; the contact's next message
// or [Service.Open] opens it again. Closing a closed one changes nothing.
//
// Errors: [*tenancy.InvalidError], which lists the statuses, [tenancy.ErrNotFound],
// [rbac.ErrDenied].
func (s *Service) Close(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, outcome Label) (Conversation, error) {
	return s.change(ctx, actor, id, closing, "Close", outcome, func(ctx context.Context, c *Conversation, now time.Time) error {
		var status Label
		if outcome != "" {
			var err error
			if status, _, err = s.status(ctx, c.Team, outcome); err != nil {
				return err
			}
		}
		if c.Status == Closed {
			return nil
		}
		return s.close(ctx, actor, c, status, now)
	})
}

func (s *Service) close(ctx context.Context, by tenancy.Principal, c *Conversation, outcome Label, now time.Time) error {
	c.Status, c.Outcome = Closed, outcome
	if err := s.update(ctx, c); err != nil {
		return err
	}
	return s.record(ctx, by, now, *c, ConversationClosed, tenancy.Facts{"outcome": string(outcome)})
}

// Open takes up a closed conversation again. Someone who can no longer be responsible for it
// is no longer its assignee. Opening an open one changes nothing.
//
// Errors: [tenancy.ErrNotFound], [rbac.ErrDenied].
func (s *Service) Open(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID) (Conversation, error) {
	return s.change(ctx, actor, id, opening, "Open", nil, func(ctx context.Context, c *Conversation, now time.Time) error {
		if c.Status == Open {
			return nil
		}
		if err := s.reopen(ctx, actor, c, now); err != nil {
			return err
		}
		return s.update(ctx, c)
	})
}

// reopen makes a closed conversation an open one; the caller writes the row. The event comes
// first in the stream, before whatever opened it.
func (s *Service) reopen(ctx context.Context, by tenancy.Principal, c *Conversation, now time.Time) error {
	if c.Status == Open {
		return nil
	}
	c.Status, c.Outcome = Open, ""
	if err := s.record(ctx, by, now, *c, ConversationOpened, nil); err != nil {
		return err
	}
	if c.Assignee.IsZero() {
		return nil
	}
	err := s.eligible(ctx, c.Team, c.Assignee)
	if !errors.Is(err, ErrNotRecipient) {
		return err
	}
	from := c.Assignee
	c.Assignee = tenancy.UserID{}
	return s.record(ctx, by, now, *c, ConversationUnassigned, tenancy.Facts{"from": from.String()})
}

// change runs fn on a conversation that the actor may act on, in one transaction, and
// answers the conversation as fn left it.
func (s *Service) change(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, what act, name string, request any,
	fn func(ctx context.Context, c *Conversation, now time.Time) error,
) (Conversation, error) {
	asked := []any{actor.Team, id, request}
	return tenancy.Do(ctx, s.store, s.env, actor, name, asked, func(ctx context.Context) (Conversation, error) {
		v, err := s.enter(ctx, actor, id, what)
		if err != nil {
			return Conversation{}, err
		}
		err = fn(ctx, &v.Conversation, s.env.Now())
		return v.Conversation, err
	})
}

// eligible answers nil if the user may be responsible for the team's conversations: an
// active member who sees all of them and may answer, by their role or a custom one. Their membership is locked for share, so that a
// removal at the same instant comes before, and is seen, or after, and frees.
func (s *Service) eligible(ctx context.Context, team tenancy.TeamID, user tenancy.UserID) error {
	standing, err := s.people.Standing(ctx, tenancy.Actor{User: user, Team: team})
	switch {
	case notFound(err), errors.Is(err, rbac.ErrDenied):
		return ErrNotRecipient
	case err != nil:
		return err
	case !standing.Allows(rbac.ReadConversations), !standing.Allows(rbac.SendMessage):
		return ErrNotRecipient
	}
	return nil
}
