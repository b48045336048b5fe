package conversation

import (
	"context"
	"fmt"
	"regexp"
	"time"

	"github.com/usher-go/usher/tenancy"
)

// Skip keeps a conversation out of one user's line until its end.
type Skip struct {
	Conversation tenancy.ConversationID
	User         tenancy.UserID
	EndsAt       time.Time
}

// SkipReason says why somebody passes a conversation by. It is a word and no text, since events
// hold no text: one of those here, or of the host's own, 1 to 32 small letters, digits and hyphens.
type SkipReason string

// The reasons that every desk has.
const (
	SkipLater     SkipReason = "later"
	SkipLanguage  SkipReason = "language"
	SkipExpertise SkipReason = "expertise"
	SkipConflict  SkipReason = "conflict-of-interest"
)

// The cool-down of a skip.
const (
	DefaultCooldown = 10 * time.Minute
	MaxCooldown     = 7 * 24 * time.Hour
)

var skipReason = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)

// Skip passes a conversation by: the actor's claim on it ends, and [Service.Next] does not offer it
// to them before the cool-down is over, 0 being [DefaultCooldown]; others get it as if nothing had
// been. A later skip takes the place of an earlier one.
//
// Errors: [*tenancy.InvalidError], [tenancy.ErrNotFound], [rbac.ErrDenied], [ErrClosed].
func (s *Service) Skip(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, reason SkipReason, cooldown time.Duration) (Conversation, error) {
	if !skipReason.MatchString(string(reason)) {
		return Conversation{}, &tenancy.InvalidError{Field: "reason", Reason: "must have 1 to 32 small letters, digits and hyphens"}
	}
	if cooldown < 0 || cooldown > MaxCooldown {
		return Conversation{}, &tenancy.InvalidError{Field: "cool-down", Reason: fmt.Sprintf("must be from 0 to %v", MaxCooldown)}
	}
	if cooldown == 0 {
		cooldown = DefaultCooldown
	}
	return s.change(ctx, actor, id, claiming, "Skip", []any{reason, cooldown}, func(ctx context.Context, c *Conversation, now time.Time) error {
		skip := Skip{Conversation: id, User: actor.User, EndsAt: now.Add(cooldown).Truncate(time.Microsecond)}
		if err := s.store.InsertSkip(ctx, skip); err != nil {
			return err
		}
		facts := tenancy.Facts{"user": actor.User.String(), "reason": string(reason), "until": skip.EndsAt.Format(time.RFC3339Nano)}
		if err := s.record(ctx, actor, now, *c, ConversationSkipped, facts); err != nil || c.Claimant != actor.User {
			return err
		}
		return s.release(ctx, actor, c, "skip", now)
	})
}
