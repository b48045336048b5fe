package conversation

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// Close ends the work on a conversation, with what came of it if that can be said (the empty
// Label otherwise): one of [Labels] or of the team's own statuses, without regard to case. A closed
// conversation leaves the working list; the contact's next message or [Service.Open] opens it
// again. A delivery of it that is pending is cancelled; who was invited for it can still come in as
// a guest. Closing a closed one changes nothing.
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
		return s.close(ctx, actor, c, OnClose, status, now)
	})
}

// Open takes up a conversation again that was closed or snoozed. One that was closed begins a new
// [Episode], and someone who can no longer be responsible for it is no longer its assignee.
// Opening an open one changes nothing.
//
// Errors: [tenancy.ErrNotFound], [rbac.ErrDenied].
func (s *Service) Open(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID) (Conversation, error) {
	return s.change(ctx, actor, id, opening, "Open", nil, func(ctx context.Context, c *Conversation, now time.Time) error {
		if c.Status == Open {
			return nil
		}
		if err := s.resume(ctx, actor, c, OnOpen, now); err != nil {
			return err
		}
		return s.update(ctx, c)
	})
}

// close writes that a locked conversation is over.
func (s *Service) close(ctx context.Context, by tenancy.Principal, c *Conversation, on Event, outcome Label, now time.Time) error {
	if err := s.conclude(ctx, by, c, on, outcome, now); err != nil {
		return err
	}
	return s.update(ctx, c)
}

// conclude ends a conversation and its episode, if the state allows the event; the caller writes
// the row.
func (s *Service) conclude(ctx context.Context, by tenancy.Principal, c *Conversation, on Event, outcome Label, now time.Time) error {
	next, err := c.Status.After(on)
	if err != nil {
		return err
	}
	if err := s.letGo(ctx, by, c, "close", now); err != nil {
		return err
	}
	if err := s.endPending(ctx, by, []Conversation{*c}, OnCancel, now); err != nil {
		return err
	}
	c.Status, c.SnoozedUntil, c.Outcome = next, time.Time{}, outcome
	err = s.store.EndEpisode(ctx, Episode{
		Conversation: c.ID, Number: c.Episode, ClosedAt: now, ClosedBy: by.Principal(), ClosedOn: on, Outcome: outcome,
	})
	if err != nil {
		return err
	}
	return s.record(ctx, by, now, *c, ConversationClosed, episodeFacts(*c, on, tenancy.Facts{"outcome": string(outcome)}))
}

// resume makes a snoozed or closed conversation an open one, if the state allows the event; the
// caller writes the row. The event comes first in the stream, before whatever opened it. An open
// one stays as it is.
func (s *Service) resume(ctx context.Context, by tenancy.Principal, c *Conversation, on Event, now time.Time) error {
	from := c.Status
	next, err := from.After(on)
	if err != nil || next == from {
		return err
	}
	c.Status, c.SnoozedUntil, c.Outcome, c.IdleSince = next, time.Time{}, "", now
	if !from.begins() {
		return s.record(ctx, by, now, *c, ConversationWoken, episodeFacts(*c, on, nil))
	}
	c.Episode++
	if err := s.begin(ctx, by, *c, on, now); err != nil {
		return err
	}
	if err := s.record(ctx, by, now, *c, ConversationOpened, episodeFacts(*c, on, nil)); err != nil {
		return err
	}
	return s.recheck(ctx, by, c, now)
}

// recheck gives a conversation back to the team if its assignee can no longer be responsible; the
// caller writes the row.
func (s *Service) recheck(ctx context.Context, by tenancy.Principal, c *Conversation, now time.Time) error {
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

// episodeFacts are those of every event that changes the state.
func episodeFacts(c Conversation, on Event, facts tenancy.Facts) tenancy.Facts {
	if facts == nil {
		facts = tenancy.Facts{}
	}
	facts["on"], facts["episode"] = string(on), strconv.FormatInt(c.Episode, 10)
	return facts
}

// change runs fn on a conversation that the actor may act on, in one transaction, and
// answers the conversation as fn left it, as the actor may know it: a host's policy may let guests do more.
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
		return v.known(), err
	})
}

// eligible answers nil if the user may be responsible for the team's conversations: an
// active member who sees all of them and may answer, by their role or a custom one. Their membership is locked for share, so that a
// removal at the same instant comes before, and is seen, or after, and frees.
// What else they need to be allowed can be added.
func (s *Service) eligible(ctx context.Context, team tenancy.TeamID, user tenancy.UserID, also ...rbac.Permission) error {
	standing, err := s.people.Standing(ctx, tenancy.Actor{User: user, Team: team})
	switch {
	case notFound(err), errors.Is(err, rbac.ErrDenied):
		return ErrNotRecipient
	case err != nil:
		return err
	}
	if !answers(standing, also...) {
		return ErrNotRecipient
	}
	return nil
}

// answers reports whether somebody's role sees all of the team's conversations and may answer them, and
// allows what else is asked for.
func answers(standing tenancy.Standing, also ...rbac.Permission) bool {
	for _, perm := range slices.Concat(also, toAnswer) {
		if !standing.Allows(perm) {
			return false
		}
	}
	return true
}
