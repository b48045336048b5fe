package conversation

import (
	"context"
	"fmt"
	"time"

	"github.com/usher-go/usher/tenancy"
)

// Load is what a member of a team has in hand.
type Load struct {
	User tenancy.UserID
	// Open counts the team's open conversations that are assigned to the user, or under their claim
	// while it lasts. A snoozed one is in nobody's way and does not count.
	Open int
	// Turn is the number of the user's last turn in [Service.AssignNext]; zero before the first.
	Turn int64
}

// full reports whether nothing more may be given; a capacity of zero is none.
func (l Load) full(capacity int) bool { return capacity > 0 && l.Open >= capacity }

// CapacityError says that a member has as many conversations in hand as one may have in the team: see
// the Capacity of [tenancy.Settings]. It is [tenancy.ErrLimit].
type CapacityError struct {
	User     tenancy.UserID
	Capacity int
}

func (e *CapacityError) Error() string {
	return fmt.Sprintf("limit exceeded: %s has the %d conversations that one member may have at once", e.User, e.Capacity)
}

// Is makes errors.Is(err, tenancy.ErrLimit) true.
func (e *CapacityError) Is(target error) bool { return target == tenancy.ErrLimit }

// inHandOf reports whether the conversation counts in the user's [Load] at the time.
func (c Conversation) inHandOf(user tenancy.UserID, at time.Time) bool {
	return c.Status == Open && (c.Assignee == user || c.ClaimantAt(at) == user)
}

// give is [Service.change] for what gives a conversation to a user: it is refused if that is one more
// than they may have. Their load is taken before the conversation, and counted then, so that however
// many are given to one user at once, no two take the same last place.
//
// A counter in a column was rejected: it would be a second truth, to be kept by everything that ends
// a claim, an assignment or a conversation, the clock included.
func (s *Service) give(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, what act, name string, request any, user tenancy.UserID,
	fn func(ctx context.Context, c *Conversation, now time.Time) error,
) (Conversation, error) {
	asked := []any{actor.Team, id, request}
	return tenancy.Do(ctx, s.store, s.env, actor, name, asked, func(ctx context.Context) (Conversation, error) {
		standing, err := s.people.Standing(ctx, actor)
		if err != nil {
			return Conversation{}, err
		}
		now := s.env.Now()
		load, err := s.lockLoad(ctx, standing, user, now)
		if err != nil {
			return Conversation{}, err
		}
		v, err := s.viewAs(ctx, standing, id, what, s.store.LockConversation)
		if err != nil {
			return Conversation{}, err
		}
		before := v.Conversation
		if err := fn(ctx, &v.Conversation, now); err != nil {
			return Conversation{}, err
		}
		if load.full(standing.Capacity) && !before.inHandOf(user, now) && v.inHandOf(user, now) {
			return Conversation{}, &CapacityError{User: user, Capacity: standing.Capacity}
		}
		return v.Conversation, nil
	})
}

// lockLoad takes a user's load, where the team bounds it; it is zero where nothing does, and for
// somebody who is not in the team.
func (s *Service) lockLoad(ctx context.Context, standing tenancy.Standing, user tenancy.UserID, now time.Time) (Load, error) {
	if standing.Capacity == 0 {
		return Load{}, nil
	}
	loads, err := s.store.LockLoads(ctx, standing.Actor.Team, now, user)
	if err != nil || len(loads) == 0 {
		return Load{}, err
	}
	return loads[0], nil
}
