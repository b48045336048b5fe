package conversation

import (
	"context"
	"time"

	"github.com/usher-go/usher/tenancy"
)

// move takes a conversation to another team of the account; the caller writes the row, which is
// still stored in the team that move answers. Both teams are locked.
//
// Its guests come along, so that nobody who was let in is locked out by the move, and see what
// they saw. Their invitations that are still open do not, since nobody in the new team sent them;
// nor does a delivery that waits for one.
func (s *Service) move(ctx context.Context, by tenancy.Principal, c *Conversation, target tenancy.Team, now time.Time, facts tenancy.Facts) (from tenancy.TeamID, err error) {
	from = c.Team
	if err := s.invites.Withdraw(ctx, by, from, c.ID); err != nil {
		return from, err
	}
	known, err := s.store.Contact(ctx, from, c.Contact)
	if err != nil {
		return from, err
	}
	contact, err := s.contactIn(ctx, by, target, known, now)
	if err != nil {
		return from, err
	}
	grants, err := s.store.Grants(ctx, c.ID)
	if err != nil {
		return from, err
	}
	for _, g := range grants {
		if !g.LiveAt(now) {
			continue
		}
		if _, err := s.people.AdmitGuest(ctx, handover, target.ID, g.User); err != nil {
			return from, err
		}
	}
	if err := s.letGo(ctx, by, c, "move", now); err != nil {
		return from, err
	}
	c.Team, c.Contact, c.Assignee = target.ID, contact.ID, tenancy.UserID{}
	facts["from"], facts["to"] = from.String(), target.ID.String()
	return from, s.record(ctx, by, now, *c, ConversationMoved, facts)
}
