package conversation

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

// move takes conversations of one team, of which there is one at least, to another team of the
// account, and leaves them as they are there. Both teams are locked, and so are the conversations.
// The facts are those of each one's event.
//
// Their guests come along, so that nobody who was let in is locked out by the move, and see what
// they saw; not those whose place in the team has ended by the clock. Their invitations that are still open do not, since nobody in the new team sent them;
// nor does a delivery that is pending.
//
// The contact's applications come along as well: they are why there is a conversation, and each has one
// status, which whoever works on it goes on with. To leave them was rejected, since the new team would
// not know what it was given, and to copy them, since a copy grows old the moment the other one is
// worked on. The old team keeps its cards, which say what each was about.
func (s *Service) move(ctx context.Context, by tenancy.Principal, threads []Conversation, target tenancy.Team, now time.Time, facts func(i int) tenancy.Facts) error {
	from, ids := threads[0].Team, idsOf(threads)
	if err := s.invites.Withdraw(ctx, by, from, ids...); err != nil {
		return err
	}
	if err := s.endPending(ctx, by, threads, OnCancel, now); err != nil {
		return err
	}
	contacts, err := s.contactsOf(ctx, by, threads, target, now)
	if err != nil {
		return err
	}
	revoked, err := s.bringGuests(ctx, by, threads, target, now)
	if err != nil {
		return err
	}
	if err := s.store.MoveConversations(ctx, from, target.ID, ids...); err != nil {
		return err
	}
	if err := s.store.MoveApplications(ctx, from, target.ID, contactIDs(threads)...); err != nil {
		return err
	}
	events := append(s.released(by, threads, "move", now), revoked...)
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
	known, err := s.store.Contacts(ctx, threads[0].Team, contactIDs(threads)...)
	if err != nil {
		return nil, err
	}
	return s.contactsIn(ctx, by, target, now, known...)
}

func contactIDs(threads []Conversation) []tenancy.ContactID {
	ids := make([]tenancy.ContactID, len(threads))
	for i, c := range threads {
		ids[i] = c.Contact
	}
	return ids
}

// bringGuests gives those who may see conversations a place in the team that these move to. Whose membership
// has ended by the clock, and no sweep has ended yet, is taken back as by the sweep, since the place there
// has no end. It answers the events of that.
func (s *Service) bringGuests(ctx context.Context, by tenancy.Principal, threads []Conversation, target tenancy.Team, now time.Time) (events []outbox.Event, err error) {
	grants, err := s.store.Grants(ctx, idsOf(threads)...)
	grants = slices.DeleteFunc(grants, func(g Grant) bool { return !g.LiveAt(now) })
	if err != nil || len(grants) == 0 {
		return nil, err
	}
	var guests []tenancy.UserID
	for _, g := range grants {
		guests = append(guests, g.User)
	}
	active, err := s.people.ActiveIn(ctx, threads[0].Team, now, tenancy.InOrder(guests...)...)
	if err != nil {
		return nil, err
	}
	var ended []GrantKey
	for _, g := range grants {
		if slices.Contains(active, g.User) {
			continue
		}
		ended = append(ended, GrantKey{g.Conversation, g.User})
		c := threads[slices.IndexFunc(threads, func(c Conversation) bool { return c.ID == g.Conversation })]
		events = append(events, s.event(by, now, c, GuestRevoked, tenancy.Facts{"user": g.User.String()}))
	}
	if err := s.store.RevokeGrants(ctx, now, by.Principal(), ended...); err != nil || len(active) == 0 {
		return events, err
	}
	return events, s.people.AdmitGuests(ctx, handover, target.ID, active...)
}

// keepReading gives the deliverer of a conversation that has moved a grant to read it, if that was
// wanted and they are in the team still that delivered it. Whoever sees it in the new team by their
// role is not held back by the grant, nor is a guest who sees more of it already.
func (s *Service) keepReading(ctx context.Context, c Conversation, d Delivery, now time.Time) error {
	if !d.KeepReading {
		return nil
	}
	err := s.eligible(ctx, d.FromTeam, d.By)
	if errors.Is(err, ErrNotRecipient) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := s.people.AdmitGuests(ctx, handover, c.Team, d.By); err != nil {
		return err
	}
	g := Grant{Conversation: c.ID, User: d.By, Inviter: d.By, FromSeq: 1, ReadOnly: true, AcceptedAt: now, Version: 1}
	old, err := s.store.Grant(ctx, c.ID, d.By)
	switch {
	case notFound(err):
		err = s.store.InsertGrant(ctx, g)
	case err == nil && old.LiveAt(now):
		return nil
	case err == nil:
		g.Version = old.Version
		err = s.store.UpdateGrant(ctx, g)
	}
	if err != nil {
		return err
	}
	return s.record(ctx, handover, now, c, GuestAdmitted, tenancy.Facts{"user": d.By.String(), "delivery": d.ID.String()})
}
