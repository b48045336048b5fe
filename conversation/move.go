package conversation

import (
	"context"
	"time"

	"github.com/usher-go/usher/tenancy"
)

// move takes conversations of one team, of which there is one at least, to another team of the
// account, and leaves them as they are there. Both teams are locked, and so are the conversations.
// The facts are those of each one's event.
//
// Their guests come along, so that nobody who was let in is locked out by the move, and see what
// they saw. Their invitations that are still open do not, since nobody in the new team sent them;
// nor does a delivery that waits for one.
func (s *Service) move(ctx context.Context, by tenancy.Principal, threads []Conversation, target tenancy.Team, now time.Time, facts func(i int) tenancy.Facts) error {
	from, ids := threads[0].Team, idsOf(threads)
	if err := s.invites.Withdraw(ctx, by, from, ids...); err != nil {
		return err
	}
	contacts, err := s.contactsOf(ctx, by, threads, target, now)
	if err != nil {
		return err
	}
	if err := s.bringGuests(ctx, ids, target, now); err != nil {
		return err
	}
	if err := s.store.MoveConversations(ctx, from, target.ID, ids...); err != nil {
		return err
	}
	events := s.released(by, threads, "move", now)
	for i := range threads {
		c := &threads[i]
		c.Team, c.Contact, c.Assignee = target.ID, contacts[c.address()].ID, tenancy.UserID{}
		c.Claimant, c.ClaimedUntil = tenancy.UserID{}, time.Time{}
		c.Version++
		told := facts(i)
		told["from"], told["to"] = from.String(), target.ID.String()
		events = append(events, s.event(by, now, *c, ConversationMoved, told))
	}
	return s.store.Append(ctx, events...)
}

// contactsOf finds or makes the contacts of conversations in the team that they move to.
func (s *Service) contactsOf(ctx context.Context, by tenancy.Principal, threads []Conversation, target tenancy.Team, now time.Time) (map[address]Contact, error) {
	var ids []tenancy.ContactID
	for _, c := range threads {
		ids = append(ids, c.Contact)
	}
	known, err := s.store.Contacts(ctx, threads[0].Team, ids...)
	if err != nil {
		return nil, err
	}
	return s.contactsIn(ctx, by, target, now, known...)
}

// bringGuests gives those who may see conversations a place in the team that these move to.
func (s *Service) bringGuests(ctx context.Context, ids []tenancy.ConversationID, target tenancy.Team, now time.Time) error {
	grants, err := s.store.Grants(ctx, ids...)
	if err != nil {
		return err
	}
	var guests []tenancy.UserID
	for _, g := range grants {
		if g.LiveAt(now) {
			guests = append(guests, g.User)
		}
	}
	if guests == nil {
		return nil
	}
	return s.people.AdmitGuests(ctx, handover, target.ID, guests...)
}
