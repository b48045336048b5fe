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

// Contact reads the contact of a conversation that the actor may see. To a guest its Notes
// are empty.
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
	if !v.standing.Allows(rbac.ReadNote) {
		c.Notes = ""
	}
	return c
}

func (c Contact) in(account tenancy.AccountID) tenancy.Place {
	return tenancy.Place{Account: account, Team: c.Team, Stream: outbox.Stream{Kind: outbox.ContactStream, ID: c.ID.UUID()}}
}

// contactIn finds the team's contact with an address, or makes it from what is known.
func (s *Service) contactIn(ctx context.Context, by tenancy.Principal, team tenancy.Team, known Contact, now time.Time) (Contact, error) {
	contact, err := s.store.ContactByAddress(ctx, team.ID, known.Channel, known.Address)
	if !notFound(err) {
		return contact, err
	}
	contact = Contact{
		ID: tenancy.NewID[tenancy.ContactID](s.env), Team: team.ID, Channel: known.Channel, Address: known.Address,
		Name: known.Name, Email: known.Email, CreatedAt: now, Version: 1,
	}
	if err := s.store.InsertContact(ctx, contact); err != nil {
		return Contact{}, err
	}
	return contact, s.store.Append(ctx, s.env.Event(by, now, contact.in(team.Account), ContactCreated,
		tenancy.Facts{"contact": contact.ID.String()}))
}
