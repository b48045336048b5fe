package conversation

import (
	"context"
	"fmt"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// OpenConversationsError says that a team cannot be archived while conversations of it are open,
// and nothing was said of them. It is [tenancy.ErrConflict].
type OpenConversationsError struct {
	// Open is how many there are that are not closed.
	Open int
}

func (e *OpenConversationsError) Error() string {
	return fmt.Sprintf("conflict: the team has %d open conversations: close them or move them to another team", e.Open)
}

// Is makes errors.Is(err, tenancy.ErrConflict) true.
func (e *OpenConversationsError) Is(target error) bool { return target == tenancy.ErrConflict }

// Archive implements [tenancy.Archivist]. Closing takes the right to close conversations. Moving
// is a delivery of each, with a card whose outcome is [Archived]: it takes the right to deliver in
// both teams, and a target that the team's settings allow. What waits for somebody in the team to
// accept it has failed. It must run inside a transaction.
//
// Errors: [*OpenConversationsError], [rbac.ErrDenied], [ErrNotTarget], [tenancy.ErrTeamArchived],
// and [tenancy.ErrNotFound] for a target that the actor is not in, or of another account.
func (s *Service) Archive(ctx context.Context, a tenancy.Archival) error {
	// Asked whether or not anything is open: what the answer is must not depend on that.
	target, err := s.mayClear(ctx, a)
	if err != nil {
		return err
	}
	if err := s.failInto(ctx, a); err != nil {
		return err
	}
	open, err := s.store.LockOpen(ctx, a.Team.ID)
	if err != nil || len(open) == 0 {
		return err
	}
	if !a.Close && a.MoveTo.IsZero() {
		return &OpenConversationsError{Open: len(open)}
	}
	if a.Close {
		return s.closeAll(ctx, a, open)
	}
	return s.moveAll(ctx, a, open, target)
}

// failInto ends the deliveries that wait for the team to accept them.
func (s *Service) failInto(ctx context.Context, a tenancy.Archival) error {
	now := s.env.Now()
	for page := (tenancy.Keyset{Limit: tenancy.MaxLimit}); ; {
		waiting, err := s.store.DeliveriesTo(ctx, a.Team.ID, tenancy.UserID{}, now, page)
		if err != nil || len(waiting) == 0 {
			return err
		}
		page.At, page.ID = cardKey(waiting[len(waiting)-1])
		in := make([]Thread, len(waiting))
		for i, d := range waiting {
			in[i] = Thread{d.FromTeam, d.Conversation}
		}
		threads, err := s.store.LockConversations(ctx, in...)
		if err != nil {
			return err
		}
		if err := s.endPending(ctx, a.By, threads, OnFail, now); err != nil {
			return err
		}
	}
}

// closeAll closes conversations that are not closed, and ends their episodes.
func (s *Service) closeAll(ctx context.Context, a tenancy.Archival, open []Conversation) error {
	ids, now := idsOf(open), s.env.Now()
	if err := s.store.CloseConversations(ctx, a.Team.ID, "", ids...); err != nil {
		return err
	}
	if err := s.store.EndEpisodes(ctx, Episode{ClosedAt: now, ClosedBy: a.By.Principal(), ClosedOn: OnClose}, ids...); err != nil {
		return err
	}
	if err := s.endPending(ctx, a.By, open, OnCancel, now); err != nil {
		return err
	}
	events := s.released(a.By, open, "close", now)
	for _, c := range open {
		events = append(events, s.event(a.By, now, c, ConversationClosed, episodeFacts(c, OnClose, tenancy.Facts{"outcome": ""})))
	}
	return s.store.Append(ctx, events...)
}

func (s *Service) moveAll(ctx context.Context, a tenancy.Archival, open []Conversation, target tenancy.Team) error {
	now := s.env.Now()
	cards := make([]Delivery, len(open))
	for i, c := range open {
		cards[i] = Delivery{
			By: a.By.User, Recipient: ToTeam(target.ID), Outcome: Outcome{Status: Archived},
			Category: Archived.Category(), Version: 1,
		}
		s.issue(c, &cards[i], now)
	}
	return s.handOver(ctx, a.By, open, target, cards, now)
}

// mayClear decides whether the actor may do with open conversations what the archival says, and
// answers the team to move them to, if that is it.
func (s *Service) mayClear(ctx context.Context, a tenancy.Archival) (target tenancy.Team, err error) {
	switch {
	case a.Close:
		return target, s.people.Check(ctx, a.By, rbac.CloseConversation)
	case a.MoveTo.IsZero():
		return target, nil
	}
	if err := s.people.Check(ctx, a.By, rbac.DeliverConversation); err != nil {
		return target, err
	}
	if err := s.people.Check(ctx, tenancy.Actor{User: a.By.User, Team: a.MoveTo}, rbac.DeliverConversation); err != nil {
		return target, err
	}
	target, err = s.people.TeamByID(ctx, handover, a.MoveTo)
	switch {
	case err != nil:
		return target, err
	case target.Account != a.Team.Account:
		return target, tenancy.ErrNotFound
	case !delivers(a.Team, target):
		return target, ErrNotTarget
	}
	return target, nil
}
