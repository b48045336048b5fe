package conversation

import (
	"context"
	"fmt"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// Queue is what [Service.Next] chooses from: the union of what it names, always of conversations
// that are open and wait for a reply. That they wait is not a choice, since the order is by how long.
type Queue uint8

// The parts of a queue.
const (
	// Unclaimed are those that are nobody's: neither claimed nor assigned.
	Unclaimed Queue = 1 << iota
	// ClaimedByMe are those that the actor has claimed.
	ClaimedByMe
	// AssignedToMe are those that are assigned to the actor, unless somebody else is at them.
	AssignedToMe

	// AgentQueue is for those who answer whatever comes in: what is theirs, and what is nobody's.
	AgentQueue = Unclaimed | ClaimedByMe | AssignedToMe
	// RecruiterQueue is for those who answer what is assigned to them.
	RecruiterQueue = AssignedToMe
)

// The ways in which there is no next conversation.
var (
	// ErrNothingWaiting: nobody waits for a reply in that queue.
	ErrNothingWaiting = fmt.Errorf("%w: no conversation waits for a reply", tenancy.ErrNotFound)
	// ErrAllTaken: somebody waits, but others are at it, or the actor has skipped it.
	ErrAllTaken = fmt.Errorf("%w: each conversation that waits is claimed by somebody else, or was skipped", tenancy.ErrConflict)
)

// Next claims the conversation of the queue that has waited longest, for the actor to answer. However
// many ask at once, no two get the same one. Until it is answered, skipped or released, or its lease
// ends, it is the actor's, and a queue with [ClaimedByMe] leads to it again in its turn: use
// [Service.Skip] to pass it by. What the actor has claimed and answered is released by going on.
//
// It takes the rights to see all conversations, to claim and to answer. What somebody is writing to
// at the very instant counts as taken.
//
// Errors: [*tenancy.InvalidError], [tenancy.ErrNotFound], [rbac.ErrDenied], [ErrNothingWaiting],
// [ErrAllTaken]. After the last two nothing has changed.
func (s *Service) Next(ctx context.Context, actor tenancy.Actor, queue Queue) (Conversation, error) {
	if queue == 0 || queue&^AgentQueue != 0 {
		return Conversation{}, &tenancy.InvalidError{Field: "queue", Reason: "must be made of Unclaimed, ClaimedByMe and AssignedToMe"}
	}
	return tenancy.Do(ctx, s.store, s.env, actor, "Next", []any{actor.Team, queue}, func(ctx context.Context) (Conversation, error) {
		if err := s.mayHop(ctx, actor); err != nil {
			return Conversation{}, err
		}
		line := Line{
			User: actor.User, At: s.env.Now(),
			Free: queue&Unclaimed != 0, Claimed: queue&ClaimedByMe != 0, Assigned: queue&AssignedToMe != 0,
		}
		c, err := s.hop(ctx, actor, line)
		if notFound(err) {
			err = s.none(ctx, actor, line)
		}
		return c, err
	})
}

func (s *Service) mayHop(ctx context.Context, actor tenancy.Actor) error {
	standing, err := s.people.Standing(ctx, actor)
	if err != nil {
		return err
	}
	for _, perm := range []rbac.Permission{rbac.ClaimConversation, rbac.ReadConversations, rbac.SendMessage} {
		if err := standing.Check(perm); err != nil {
			return err
		}
	}
	return nil
}

// hop goes on to the next of the line. One look at the actor's hand saves the statements that most
// hops do not need.
func (s *Service) hop(ctx context.Context, actor tenancy.Actor, line Line) (Conversation, error) {
	hand, err := s.store.Hand(ctx, actor.Team, line)
	if err != nil {
		return Conversation{}, err
	}
	if hand.Answered {
		if err := s.leaveAnswered(ctx, actor, line); err != nil {
			return Conversation{}, err
		}
	}
	if !hand.Waiting {
		line.Claimed, line.Assigned = false, false
	}
	c, err := s.store.LockNext(ctx, actor.Team, line)
	if err != nil {
		return Conversation{}, err
	}
	renewed, err := s.lease(ctx, actor, &c, line.At)
	if err != nil || !renewed {
		return c, err
	}
	err = s.update(ctx, &c)
	return c, err
}

// leaveAnswered releases what the actor has claimed and answered.
func (s *Service) leaveAnswered(ctx context.Context, actor tenancy.Actor, line Line) error {
	answered, err := s.store.LockAnswered(ctx, actor.Team, actor.User)
	if err != nil {
		return err
	}
	for _, c := range answered {
		if err := s.release(ctx, actor, &c, "hop", line.At); err != nil {
			return err
		}
	}
	return nil
}

// none says why there was no next conversation.
func (s *Service) none(ctx context.Context, actor tenancy.Actor, line Line) error {
	waits, err := s.store.Waits(ctx, actor.Team, line)
	switch {
	case err != nil:
		return err
	case waits:
		return ErrAllTaken
	}
	return ErrNothingWaiting
}
