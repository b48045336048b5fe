package conversation

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// Queue is what [Service.Next] chooses from, and [Service.List] lists: the union of what it names, always of conversations
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

func (q Queue) validate() error {
	if q == 0 || q&^AgentQueue != 0 {
		return &tenancy.InvalidError{Field: "queue", Reason: "must be made of Unclaimed, ClaimedByMe and AssignedToMe"}
	}
	return nil
}

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
// Who has as many conversations in hand as the team's capacity allows is led to those of them that
// wait, and given none of what is nobody's.
//
// Errors: [*tenancy.InvalidError], [tenancy.ErrNotFound], [rbac.ErrDenied], [ErrNothingWaiting],
// [ErrAllTaken], [*CapacityError]. After the last three nothing has changed.
func (s *Service) Next(ctx context.Context, actor tenancy.Actor, queue Queue) (Conversation, error) {
	if err := queue.validate(); err != nil {
		return Conversation{}, err
	}
	return tenancy.Do(ctx, s.store, s.env, actor, "Next", []any{actor.Team, queue}, func(ctx context.Context) (Conversation, error) {
		standing, err := s.mayHop(ctx, actor)
		if err != nil {
			return Conversation{}, err
		}
		line := queue.Line(actor.User, s.env.Now())
		c, err := s.hop(ctx, standing, line)
		if notFound(err) {
			err = s.none(ctx, actor, line)
		}
		return c, err
	})
}

func (s *Service) mayHop(ctx context.Context, actor tenancy.Actor) (tenancy.Standing, error) {
	standing, err := s.people.Standing(ctx, actor)
	if err != nil {
		return standing, err
	}
	for _, perm := range slices.Concat([]rbac.Permission{rbac.ClaimConversation}, toAnswer) {
		if err := standing.Check(perm); err != nil {
			return standing, err
		}
	}
	return standing, nil
}

// hop goes on to the next of the line. One look at the actor's hand saves the statements that most
// hops do not need.
func (s *Service) hop(ctx context.Context, standing tenancy.Standing, line Line) (Conversation, error) {
	actor, asked := standing.Actor, line
	load, err := s.lockLoad(ctx, standing, actor.User, line.At)
	if err != nil {
		return Conversation{}, err
	}
	hand, err := s.store.Hand(ctx, actor.Team, line)
	if err != nil {
		return Conversation{}, err
	}
	if hand.Answered {
		if err := s.leaveAnswered(ctx, actor, line); err != nil {
			return Conversation{}, err
		}
		if load, err = s.lockLoad(ctx, standing, actor.User, line.At); err != nil {
			return Conversation{}, err
		}
	}
	if !hand.Waiting {
		line.Claimed, line.Assigned = false, false
	}
	full := line.Free && load.full(standing.Capacity)
	line.Free = line.Free && !full
	c, err := s.store.LockNext(ctx, actor.Team, line)
	if full && notFound(err) {
		return Conversation{}, s.tooMany(ctx, standing, asked)
	}
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

// tooMany says why somebody whose hands are full got no next conversation.
func (s *Service) tooMany(ctx context.Context, standing tenancy.Standing, line Line) error {
	err := s.none(ctx, standing.Actor, line)
	if errors.Is(err, ErrAllTaken) {
		return &CapacityError{User: standing.Actor.User, Capacity: standing.Capacity}
	}
	return err
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
