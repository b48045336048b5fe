package conversation

import (
	"context"
	"fmt"
	"time"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

// ClaimLease is how long a claim lasts. Whoever claims again or writes to the contact has it for
// as long from then on; a lease of which more than half is left is not renewed, so that a
// conversation in full swing does not write a claim with each message.
const ClaimLease = 15 * time.Minute

// ClaimantAt is who has the conversation claimed at the time; zero for nobody.
func (c Conversation) ClaimantAt(now time.Time) tenancy.UserID {
	if now.Before(c.ClaimedUntil) {
		return c.Claimant
	}
	return tenancy.UserID{}
}

// ClaimedError says that somebody else is answering the conversation at the moment. It is
// [tenancy.ErrConflict].
type ClaimedError struct {
	Claimant tenancy.UserID
	// Name is the claimant's, for those who may list members; empty for others.
	Name string
	// Until is the end of the claim, if it is not renewed.
	Until time.Time
}

func (e *ClaimedError) Error() string {
	return fmt.Sprintf("conflict: the conversation is claimed by %s until %s", nameOr(e.Name, e.Claimant), e.Until.Format(time.RFC3339))
}

// Is makes errors.Is(err, tenancy.ErrConflict) true.
func (e *ClaimedError) Is(target error) bool { return target == tenancy.ErrConflict }

// Claim takes a conversation for the actor to answer, for [ClaimLease]. It is no assignment: it
// says who is at it now. While it lasts no other member can answer or claim the conversation; it
// ends by the clock, by [Service.Release], [Service.Skip] and [Service.TakeOver], when the
// conversation is closed, snoozed, moved or delivered to somebody else, and when the claimant goes
// on to the next one by [Service.Next] after they have answered. Of several who claim at once one
// wins; the others get a [*ClaimedError] that names the winner.
//
// Errors: [tenancy.ErrNotFound], [rbac.ErrDenied], [ErrClosed], [*ClaimedError], [*CapacityError].
func (s *Service) Claim(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID) (Conversation, error) {
	return s.give(ctx, actor, id, claiming, "Claim", nil, actor.User, func(ctx context.Context, c *Conversation, now time.Time) error {
		if err := s.unclaimed(ctx, actor, *c, now); err != nil {
			return err
		}
		renewed, err := s.lease(ctx, actor, c, now)
		if err != nil || !renewed {
			return err
		}
		return s.update(ctx, c)
	})
}

// Release ends the actor's claim on a conversation. Where nobody has one it changes nothing.
//
// Errors: [tenancy.ErrNotFound], [rbac.ErrDenied], [*ClaimedError] for another's claim.
func (s *Service) Release(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID) (Conversation, error) {
	return s.change(ctx, actor, id, releasing, "Release", nil, func(ctx context.Context, c *Conversation, now time.Time) error {
		if err := s.unclaimed(ctx, actor, *c, now); err != nil || c.Claimant != actor.User {
			return err
		}
		return s.release(ctx, actor, c, "release", now)
	})
}

// EndClaims tidies up after claims whose lease has run out, each with its event, once however many
// instances run it. Claims end by the clock and do not wait for it. Each is a transaction of its
// own; the answer is as that of [Service.Wake].
func (s *Service) EndClaims(ctx context.Context, by tenancy.System) (ended int, err error) {
	return sweep(ctx, s, by, s.store.ClaimsEnded, Thread.thread, func(ctx context.Context, _ Thread, c *Conversation, now time.Time) (bool, error) {
		if c.Claimant.IsZero() || now.Before(c.ClaimedUntil) {
			return false, nil
		}
		return true, s.release(ctx, by, c, "lease", now)
	})
}

// unclaimed answers nil unless somebody but the actor has the conversation claimed.
func (s *Service) unclaimed(ctx context.Context, actor tenancy.Actor, c Conversation, now time.Time) error {
	holder := c.ClaimantAt(now)
	if holder.IsZero() || holder == actor.User {
		return nil
	}
	name, err := s.nameOf(ctx, actor, holder)
	if err != nil {
		return err
	}
	return &ClaimedError{Claimant: holder, Name: name, Until: c.ClaimedUntil}
}

// answering is what a message to the contact does to claims. Another's refuses a member's, since two
// would be answering at once, and guests are let through: they were asked. The author's own goes on,
// and begins if that is how they like it. The caller writes the row.
func (s *Service) answering(ctx context.Context, actor tenancy.Actor, v *view, now time.Time) error {
	if v.guest() {
		return nil
	}
	if err := s.unclaimed(ctx, actor, v.Conversation, now); err != nil {
		return err
	}
	if v.ClaimantAt(now).IsZero() && !(v.standing.Autoclaim && v.standing.Allows(rbac.ClaimConversation)) {
		return nil
	}
	_, err := s.lease(ctx, actor, &v.Conversation, now)
	return err
}

// lease gives a conversation that nobody else has claimed to the actor, and answers whether that
// changes anything; the caller writes the row.
func (s *Service) lease(ctx context.Context, actor tenancy.Actor, c *Conversation, now time.Time) (bool, error) {
	if c.Claimant == actor.User && c.ClaimedUntil.Sub(now) > ClaimLease/2 {
		return false, nil
	}
	c.Claimant, c.ClaimedUntil = actor.User, now.Add(ClaimLease)
	facts := tenancy.Facts{"user": actor.User.String(), "until": c.ClaimedUntil.Format(time.RFC3339Nano)}
	return true, s.record(ctx, actor, now, *c, ConversationClaimed, facts)
}

// release ends the claim on a locked conversation.
func (s *Service) release(ctx context.Context, by tenancy.Principal, c *Conversation, on string, now time.Time) error {
	if err := s.letGo(ctx, by, c, on, now); err != nil {
		return err
	}
	return s.update(ctx, c)
}

// letGo ends the claim on a conversation, if there is one; the caller writes the row.
func (s *Service) letGo(ctx context.Context, by tenancy.Principal, c *Conversation, on string, now time.Time) error {
	if c.Claimant.IsZero() {
		return nil
	}
	facts := tenancy.Facts{"user": c.Claimant.String(), "on": on}
	c.Claimant, c.ClaimedUntil = tenancy.UserID{}, time.Time{}
	return s.record(ctx, by, now, *c, ConversationReleased, facts)
}

// released are the events of claims that end with what is done to several conversations at once; the
// store takes the claims off.
func (s *Service) released(by tenancy.Principal, threads []Conversation, on string, now time.Time) []outbox.Event {
	var events []outbox.Event
	for _, c := range threads {
		if !c.Claimant.IsZero() {
			events = append(events, s.event(by, now, c, ConversationReleased, tenancy.Facts{"user": c.Claimant.String(), "on": on}))
		}
	}
	return events
}

// nameOf is the name of a member, for an actor who may list members; empty for others.
func (s *Service) nameOf(ctx context.Context, actor tenancy.Actor, user tenancy.UserID) (string, error) {
	standing, err := s.people.Standing(ctx, actor)
	if err != nil || standing.Check(rbac.ListMembers) != nil {
		return "", err
	}
	found, err := s.people.User(ctx, user)
	return found.Name, err
}

// nameOr is how a conflict calls who has won it.
func nameOr(name string, user tenancy.UserID) string {
	if name == "" {
		return user.String()
	}
	return name
}
