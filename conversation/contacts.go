package conversation

import (
	"context"
	"strings"
	"time"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

// ContactEdit says what to change; nil leaves as it is.
type ContactEdit struct {
	Name *string
	// Email is an address, or empty to take it away.
	Email *string
	// Notes are the team's own, like the notes of a conversation.
	Notes *string
}

// Contact reads the contact of a conversation that the actor may see. A guest learns who it is, see
// [Contact.ToGuest]; to a role that reads no notes its Notes are empty.
func (s *Service) Contact(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID) (Contact, error) {
	v, err := s.look(ctx, actor, id, readContact)
	if err != nil {
		return Contact{}, err
	}
	contact, err := s.store.Contact(ctx, v.Team, v.Contact)
	return contact.to(v), err
}

// EditContact changes the contact of a conversation that the actor may see. What it does not
// change it does not write.
//
// Errors: [*tenancy.InvalidError], [tenancy.ErrNotFound], [rbac.ErrDenied] also for a guest
// who edits Notes.
func (s *Service) EditContact(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, edit ContactEdit) (Contact, error) {
	asked := []any{actor.Team, id, edit}
	return tenancy.Do(ctx, s.store, s.env, actor, "EditContact", asked, func(ctx context.Context) (Contact, error) {
		v, err := s.enter(ctx, actor, id, editContact)
		if err != nil {
			return Contact{}, err
		}
		if edit.Notes != nil {
			if err := v.standing.Check(rbac.WriteNote); err != nil {
				return Contact{}, err
			}
		}
		contact, err := s.store.LockContact(ctx, v.Team, v.Contact)
		if err != nil {
			return Contact{}, err
		}
		changed, err := edit.apply(&contact)
		if err != nil || len(changed) == 0 {
			return contact.to(v), err
		}
		if err := s.store.UpdateContact(ctx, contact); err != nil {
			return Contact{}, err
		}
		contact.Version++
		facts := tenancy.Facts{"contact": contact.ID.String(), "changed": strings.Join(changed, ",")}
		return contact.to(v), s.store.Append(ctx, s.env.Event(actor, s.env.Now(), contact.in(v.Account), ContactEdited, facts))
	})
}

// apply makes the changes and names the fields that differ from before.
func (e ContactEdit) apply(c *Contact) (changed []string, err error) {
	before := *c
	if e.Name != nil {
		if c.Name, err = tenancy.Name("contact name", *e.Name); err != nil {
			return nil, err
		}
	}
	if e.Email != nil {
		c.Email = tenancy.Address{}
		if *e.Email != "" {
			if c.Email, err = tenancy.ParseAddress(*e.Email); err != nil {
				return nil, err
			}
		}
	}
	if e.Notes != nil {
		if c.Notes = *e.Notes; c.Notes != "" {
			if err := validText(c.Notes); err != nil {
				return nil, err
			}
		}
	}
	if c.Name != before.Name {
		changed = append(changed, "name")
	}
	if c.Email != before.Email {
		changed = append(changed, "e-mail")
	}
	if c.Notes != before.Notes {
		changed = append(changed, "notes")
	}
	return changed, nil
}

// to is the contact as the viewer may see it.
func (c Contact) to(v view) Contact {
	switch {
	case v.guest():
		return c.ToGuest()
	case !v.standing.Allows(rbac.ReadNote):
		c.Notes = ""
	}
	return c
}

func (c Contact) in(account tenancy.AccountID) tenancy.Place {
	return tenancy.Place{Account: account, Team: c.Team, Stream: outbox.Stream{Kind: outbox.ContactStream, ID: c.ID.UUID()}}
}

// address is where a contact is on a channel.
type address struct {
	channel tenancy.Channel
	value   string
}

func (c Contact) address() address      { return address{c.Channel, c.Address} }
func (c Conversation) address() address { return address{c.Identity.Channel, c.Address} }

// contactsIn finds the team's contacts with the addresses of those that are known, or makes them
// from what is known.
func (s *Service) contactsIn(ctx context.Context, by tenancy.Principal, team tenancy.Team, now time.Time, known ...Contact) (map[address]Contact, error) {
	there := map[address]Contact{}
	sought := map[tenancy.Channel][]string{}
	for _, c := range known {
		sought[c.Channel] = append(sought[c.Channel], c.Address)
	}
	for channel, addresses := range sought {
		found, err := s.store.ContactsByAddress(ctx, team.ID, channel, addresses...)
		if err != nil {
			return nil, err
		}
		for _, c := range found {
			there[c.address()] = c
		}
	}
	var made []Contact
	var events []outbox.Event
	for _, c := range known {
		if _, has := there[c.address()]; has {
			continue
		}
		c = Contact{
			ID: tenancy.NewID[tenancy.ContactID](s.env), Team: team.ID, Channel: c.Channel, Address: c.Address,
			Name: c.Name, Email: c.Email, CreatedAt: now, Version: 1,
		}
		there[c.address()] = c
		made = append(made, c)
		events = append(events, s.env.Event(by, now, c.in(team.Account), ContactCreated, tenancy.Facts{"contact": c.ID.String()}))
	}
	if err := s.store.InsertContact(ctx, made...); err != nil {
		return nil, err
	}
	return there, s.store.Append(ctx, events...)
}
