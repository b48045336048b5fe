package sqlstore

import (
	"context"

	"github.com/google/uuid"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/tenancy"
)

type applicationStatements struct {
	insert, update, exists, byID, byExternalID, first string
	listed                                            pages
	move                                              manyIDs
}

func (c *compiler) applications() applicationStatements {
	const find = `SELECT id, account_id, team_id, contact_id, source, medium, campaign, job, location, keyword, origin,
		external_id, status, created_at, version FROM usher_applications WHERE`
	return applicationStatements{
		insert: c.sql(`INSERT INTO usher_applications (id, account_id, team_id, contact_id, source, medium, campaign, job,
			location, keyword, origin, external_id, status, created_at, version) VALUES (`, list("?", 14), `, 1)`),
		update: c.sql(`UPDATE usher_applications SET source = ?, medium = ?, campaign = ?, job = ?, location = ?, keyword = ?,
			status = ?, version = version + 1 WHERE id = ? AND team_id = ? AND version = ?`),
		exists:       c.sql(`SELECT 1 FROM usher_applications WHERE id = ? AND team_id = ?`),
		byID:         c.sql(find, `id = ? AND team_id = ?`),
		byExternalID: c.sql(find, `account_id = ? AND external_id = ?`),
		first:        c.sql(find, `team_id = ? AND contact_id = ? ORDER BY created_at, id LIMIT 1`),
		listed:       c.pages(newestFirst("created_at", "id"), find, `team_id = ? AND contact_id = ?`),
		// Where there is no contact it names none, as a write that refers to nothing does.
		move: c.manyIDs(`UPDATE usher_applications SET contact_id = COALESCE((SELECT n.id FROM usher_contacts o
			JOIN usher_contacts n ON n.team_id = ? AND n.channel = o.channel AND n.address = o.address
			WHERE o.team_id = ? AND o.id = usher_applications.contact_id), ?), team_id = ?, version = version + 1
			WHERE team_id = ? AND contact_id IN ({ids})`),
	}
}

func scanApplication(r row) (conversation.Application, error) {
	var a conversation.Application
	err := r.Scan(id(&a.ID), id(&a.Account), id(&a.Team), id(&a.Contact), &a.Source, &a.Medium, &a.Campaign, &a.Job,
		&a.Location, &a.Keyword, &a.Origin, text(&a.ExternalID), &a.Status, at(&a.CreatedAt), &a.Version)
	return a, err
}

// InsertApplication implements [conversation.ApplicationStore].
func (s *Store) InsertApplication(ctx context.Context, a conversation.Application) error {
	_, err := s.exec(ctx, s.applications.insert, a.ID, a.Account, a.Team, a.Contact, a.Source, a.Medium, a.Campaign, a.Job,
		a.Location, a.Keyword, a.Origin, unless(a.ExternalID), a.Status, micros(a.CreatedAt))
	return err
}

// UpdateApplication implements [conversation.ApplicationStore].
func (s *Store) UpdateApplication(ctx context.Context, a conversation.Application) error {
	return s.update(ctx, s.applications.update, []any{
		a.Source, a.Medium, a.Campaign, a.Job, a.Location, a.Keyword, a.Status, a.ID, a.Team, a.Version,
	}, s.applications.exists, a.ID, a.Team)
}

// Application implements [conversation.ApplicationStore].
func (s *Store) Application(ctx context.Context, team tenancy.TeamID, id tenancy.ApplicationID) (conversation.Application, error) {
	return one(ctx, s, scanApplication, s.applications.byID, id, team)
}

// ApplicationByExternalID implements [conversation.ApplicationStore].
func (s *Store) ApplicationByExternalID(ctx context.Context, account tenancy.AccountID, externalID string) (conversation.Application, error) {
	return one(ctx, s, scanApplication, s.applications.byExternalID, account, unless(externalID))
}

// FirstApplication implements [conversation.ApplicationStore].
func (s *Store) FirstApplication(ctx context.Context, team tenancy.TeamID, contact tenancy.ContactID) (conversation.Application, error) {
	return one(ctx, s, scanApplication, s.applications.first, team, contact)
}

// Applications implements [conversation.ApplicationStore].
func (s *Store) Applications(ctx context.Context, team tenancy.TeamID, contact tenancy.ContactID, page tenancy.Keyset) ([]conversation.Application, error) {
	return paged(ctx, s, scanApplication, s.applications.listed, page, team, contact)
}

// MoveApplications implements [conversation.ApplicationStore].
func (s *Store) MoveApplications(ctx context.Context, from, to tenancy.TeamID, contacts ...tenancy.ContactID) error {
	_, err := execMany(ctx, s, s.applications.move, tenancy.InOrder(contacts...), to, from, s.dialect.id(uuid.Nil), to, from)
	return err
}
