package conversation

import (
	"context"
	"time"

	"github.com/usher-go/usher/tenancy"
)

// MaxSnooze is the longest time that a conversation can be snoozed for.
const MaxSnooze = 366 * 24 * time.Hour

var errUntil = &tenancy.InvalidError{Field: "until", Reason: "must be in the future, and within 366 days"}

// Snooze puts a conversation out of the way until the time given: it leaves the working list, and
// is open again when the time has come and [Service.Wake] has run, or before that when the contact
// writes or a member opens it. A snoozed one can be snoozed until another time; the same time
// again changes nothing. It can still be read, answered, assigned and delivered.
//
// Errors: [*tenancy.InvalidError] for a time that is not in the future or more than [MaxSnooze]
// away, [tenancy.ErrNotFound], [rbac.ErrDenied], [ErrClosed].
func (s *Service) Snooze(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, until time.Time) (Conversation, error) {
	until = until.UTC().Truncate(time.Microsecond)
	if year := until.Year(); year < 1 || year > 9999 { // a key could not keep it: RFC 3339 ends there
		return Conversation{}, errUntil
	}
	return s.change(ctx, actor, id, snoozing, "Snooze", until, func(ctx context.Context, c *Conversation, now time.Time) error {
		if !until.After(now) || until.Sub(now) > MaxSnooze {
			return errUntil
		}
		if c.Status == Snoozed && c.SnoozedUntil.Equal(until) {
			return nil
		}
		next, err := c.Status.After(OnSnooze)
		if err != nil {
			return err
		}
		if err := s.letGo(ctx, actor, c, "snooze", now); err != nil {
			return err
		}
		c.Status, c.SnoozedUntil = next, until
		if err := s.update(ctx, c); err != nil {
			return err
		}
		facts := tenancy.Facts{"until": until.Format(time.RFC3339Nano)}
		return s.record(ctx, actor, now, *c, ConversationSnoozed, episodeFacts(*c, OnSnooze, facts))
	})
}
