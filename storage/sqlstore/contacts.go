package sqlstore

import (
	"bytes"
	"context"
	"slices"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/tenancy"
)

type contactStatements struct {
	insert                     inserts
	update, lock, exists, byID string
	byIDs, byAddresses         manyIDs
}

func (c *compiler) contacts() contactStatements {
	const find = `SELECT id, team_id, channel, address, name, email, email_display, notes, created_at, version
		FROM usher_contacts WHERE`
	return contactStatements{
		insert: c.inserts(`INSERT INTO usher_contacts (id, team_id, channel, address, name, email, email_display,
			notes, created_at, version)`, `(`+list("?", 9)+`, 1)`),
		update: c.sql(`UPDATE usher_contacts SET channel = ?, address = ?, name = ?, email = ?,
			email_display = ?, notes = ?, version = version + 1 WHERE id = ? AND team_id = ? AND version = ?`),
		lock:        c.sql(`UPDATE usher_contacts {by key} SET locks = locks + 1 WHERE id = ? AND team_id = ?`),
		exists:      c.sql(`SELECT 1 FROM usher_contacts WHERE id = ? AND team_id = ?`),
		byID:        c.sql(find, `id = ? AND team_id = ?`),
		byIDs:       c.manyIDs(find, `team_id = ? AND id IN ({ids}) ORDER BY id`),
		byAddresses: c.manyIDs(find, `team_id = ? AND channel = ? AND address IN ({ids})`),
	}
}

func scanContact(r row) (conversation.Contact, error) {
	var c conversation.Contact
	err := r.Scan(id(&c.ID), id(&c.Team), &c.Channel, &c.Address, &c.Name, &c.Email.Normal, &c.Email.Display,
		&c.Notes, at(&c.CreatedAt), &c.Version)
	return c, err
}

// InsertContact implements [conversation.ContactStore].
func (s *Store) InsertContact(ctx context.Context, contacts ...conversation.Contact) error {
	return insertAll(ctx, s, s.contacts.insert, contacts, func(c conversation.Contact) []any {
		return []any{
			c.ID, c.Team, c.Channel, c.Address, c.Name, c.Email.Normal, c.Email.Display, c.Notes, micros(c.CreatedAt),
		}
	})
}

// UpdateContact implements [conversation.ContactStore].
func (s *Store) UpdateContact(ctx context.Context, c conversation.Contact) error {
	return s.update(ctx, s.contacts.update, []any{
		c.Channel, c.Address, c.Name, c.Email.Normal, c.Email.Display, c.Notes, c.ID, c.Team, c.Version,
	}, s.contacts.exists, c.ID, c.Team)
}

// LockContact implements [conversation.ContactStore].
func (s *Store) LockContact(ctx context.Context, team tenancy.TeamID, id tenancy.ContactID) (conversation.Contact, error) {
	if err := s.lock(ctx, s.contacts.lock, id, team); err != nil {
		return conversation.Contact{}, err
	}
	return s.Contact(ctx, team, id)
}

// Contact implements [conversation.ContactStore].
func (s *Store) Contact(ctx context.Context, team tenancy.TeamID, id tenancy.ContactID) (conversation.Contact, error) {
	return one(ctx, s, scanContact, s.contacts.byID, id, team)
}

// Contacts implements [conversation.ContactStore].
func (s *Store) Contacts(ctx context.Context, team tenancy.TeamID, ids ...tenancy.ContactID) ([]conversation.Contact, error) {
	return allMany(ctx, s, scanContact, s.contacts.byIDs, tenancy.InOrder(ids...), team)
}

// ContactsByAddress implements [conversation.ContactStore].
func (s *Store) ContactsByAddress(ctx context.Context, team tenancy.TeamID, channel tenancy.Channel, addresses ...string) ([]conversation.Contact, error) {
	addresses = slices.Compact(slices.Sorted(slices.Values(addresses)))
	found, err := allMany(ctx, s, scanContact, s.contacts.byAddresses, addresses, team, channel)
	slices.SortFunc(found, func(a, b conversation.Contact) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return found, err
}
