package memory

import (
	"cmp"
	"context"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/tenancy"
)

type contactRow struct {
	conversation.Contact
	stream       stream
	applications list[applicationRow] // by (CreatedAt, id)
}

// contactAddress is where a team's contact writes from.
type contactAddress struct {
	team    tenancy.TeamID
	channel tenancy.Channel
	address string
}

func addressOf(c conversation.Contact) contactAddress {
	return contactAddress{c.Team, c.Channel, c.Address}
}

// InsertContact implements [conversation.ContactStore].
func (s *Store) InsertContact(ctx context.Context, contacts ...conversation.Contact) error {
	return insertAll(ctx, s, contacts, func(c conversation.Contact) error {
		if err := cmp.Or(checkContact(&c), s.teams.has(c.Team)); err != nil {
			return err
		}
		c.Version = 1
		row := &contactRow{Contact: c}
		return cmp.Or(
			s.contacts.insert(c.ID, row),
			s.addresses.move(contactAddress{}, addressOf(c), row),
		)
	})
}

// UpdateContact implements [conversation.ContactStore].
func (s *Store) UpdateContact(ctx context.Context, c conversation.Contact) error {
	return s.write(ctx, func() error {
		row, err := s.contact(c.Team, c.ID)
		if err != nil {
			return err
		}
		if err := cmp.Or(sameVersion(row.Version, c.Version), checkContact(&c)); err != nil {
			return err
		}
		if err := s.addresses.move(addressOf(row.Contact), addressOf(c), row); err != nil {
			return err
		}
		c.Version++
		set(s.log, &row.Contact, c)
		return nil
	})
}

func checkContact(c *conversation.Contact) error {
	utc(&c.CreatedAt)
	return channel(c.Channel)
}

// contact finds one in the team.
func (s *Store) contact(team tenancy.TeamID, id tenancy.ContactID) (*contactRow, error) {
	row, err := s.contacts.get(id)
	if err != nil || row.Team != team {
		return nil, tenancy.ErrNotFound
	}
	return row, nil
}

// LockContact implements [conversation.ContactStore].
func (s *Store) LockContact(ctx context.Context, team tenancy.TeamID, id tenancy.ContactID) (conversation.Contact, error) {
	return lock(ctx, s, func() (conversation.Contact, error) { return contact(s.contact(team, id)) })
}

// Contact implements [conversation.ContactStore].
func (s *Store) Contact(ctx context.Context, team tenancy.TeamID, id tenancy.ContactID) (conversation.Contact, error) {
	return read(ctx, s, func() (conversation.Contact, error) { return contact(s.contact(team, id)) })
}

func contact(row *contactRow, err error) (conversation.Contact, error) {
	if err != nil {
		return conversation.Contact{}, err
	}
	return row.Contact, nil
}

// Contacts implements [conversation.ContactStore].
func (s *Store) Contacts(ctx context.Context, team tenancy.TeamID, ids ...tenancy.ContactID) ([]conversation.Contact, error) {
	return read(ctx, s, func() ([]conversation.Contact, error) {
		return shown(those(func(id tenancy.ContactID) (*contactRow, error) { return s.contact(team, id) }, ids), contact), nil
	})
}

// ContactsByAddress implements [conversation.ContactStore].
func (s *Store) ContactsByAddress(ctx context.Context, team tenancy.TeamID, channel tenancy.Channel, addresses ...string) ([]conversation.Contact, error) {
	return read(ctx, s, func() ([]conversation.Contact, error) {
		var ids []tenancy.ContactID
		for _, address := range addresses {
			if row, err := s.addresses.get(contactAddress{team, channel, address}); err == nil {
				ids = append(ids, row.ID)
			}
		}
		return shown(those(s.contacts.get, ids), contact), nil
	})
}
