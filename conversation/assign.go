package conversation

import (
	"context"
	"time"

	"github.com/usher-go/usher/tenancy"
)

// Assign makes one active manager or member of the team responsible for a conversation that
// nobody is responsible for. When several try at once one wins; the others get an
// [*AssignedError] that names the winner, and may [Service.TakeOver]. Assigning it to who
// has it changes nothing.
//
// Errors: [tenancy.ErrNotFound], [rbac.ErrDenied], [ErrClosed], [ErrNotRecipient],
// [*AssignedError], [*CapacityError].
func (s *Service) Assign(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, user tenancy.UserID) (Conversation, error) {
	return s.give(ctx, actor, id, assigning, "Assign", user, user, func(ctx context.Context, c *Conversation, now time.Time) error {
		if !c.Assignee.IsZero() && c.Assignee != user {
			return s.assigned(ctx, actor, *c)
		}
		return s.assign(ctx, actor, c, user, now)
	})
}

// assigned is the conflict with who has the conversation.
func (s *Service) assigned(ctx context.Context, actor tenancy.Actor, c Conversation) error {
	name, err := s.nameOf(ctx, actor, c.Assignee)
	if err != nil {
		return err
	}
	return &AssignedError{Assignee: c.Assignee, Name: name}
}

// TakeOver assigns a conversation whoever has it now, and ends the claim of whoever else is at it. It
// is a decision about this one conversation, as a delivery is, and stops at nobody's capacity. The
// errors are those of [Service.Assign] but the last two.
func (s *Service) TakeOver(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, user tenancy.UserID) (Conversation, error) {
	return s.change(ctx, actor, id, assigning, "TakeOver", user, func(ctx context.Context, c *Conversation, now time.Time) error {
		if c.Claimant.IsZero() || c.Claimant == user {
			return s.assign(ctx, actor, c, user, now)
		}
		if c.Assignee == user {
			return s.release(ctx, actor, c, "take-over", now)
		}
		if err := s.letGo(ctx, actor, c, "take-over", now); err != nil {
			return err
		}
		return s.assign(ctx, actor, c, user, now)
	})
}

// Unassign gives a conversation back to the team. Errors: [tenancy.ErrNotFound],
// [rbac.ErrDenied], [ErrClosed].
func (s *Service) Unassign(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID) (Conversation, error) {
	return s.change(ctx, actor, id, assigning, "Unassign", nil, func(ctx context.Context, c *Conversation, now time.Time) error {
		if c.Assignee.IsZero() {
			return nil
		}
		return s.unassign(ctx, actor, c, now)
	})
}

func (s *Service) assign(ctx context.Context, by tenancy.Principal, c *Conversation, user tenancy.UserID, now time.Time) error {
	if c.Assignee == user && !user.IsZero() {
		return nil
	}
	if err := s.eligible(ctx, c.Team, user); err != nil {
		return err
	}
	facts := tenancy.Facts{"user": user.String()}
	if !c.Assignee.IsZero() {
		facts["from"] = c.Assignee.String()
	}
	c.Assignee = user
	if err := s.update(ctx, c); err != nil {
		return err
	}
	return s.record(ctx, by, now, *c, ConversationAssigned, facts)
}

func (s *Service) unassign(ctx context.Context, by tenancy.Principal, c *Conversation, now time.Time) error {
	from := c.Assignee
	c.Assignee = tenancy.UserID{}
	if err := s.update(ctx, c); err != nil {
		return err
	}
	return s.record(ctx, by, now, *c, ConversationUnassigned, tenancy.Facts{"from": from.String()})
}
