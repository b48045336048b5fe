package sqlstore

import (
	"context"
	"time"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/tenancy"
)

type deliveryStatements struct {
	insert                                                       inserts
	update, exists, byID, pending, lapsed, erase, ofConversation string
	pendingIn, end                                               manyIDs
	ofTeam, to                                                   pages
}

func (c *compiler) deliveries() deliveryStatements {
	const (
		columns = `d.id, d.conversation_id, d.account_id, d.from_team_id, d.by_id, d.user_id, d.email,
			d.email_display, d.to_team_id, d.outcome, d.category, d.rating, d.summary, d.application_id, d.source, d.medium,
			d.campaign, d.job, d.location, d.keyword, d.keep_open, d.keep_reading,
			d.state, d.invitation_id, d.deadline, d.reason, d.created_at, d.ended_at, d.version`
		find = `SELECT ` + columns + ` FROM usher_deliveries d WHERE`
	)
	newest := newestFirst("d.created_at", "d.id")
	// Two lists, each read along its own index and cut to a page before they are put together:
	// "from or to the team" in one condition would sort all of the team's deliveries.
	either := func(after string) string {
		side := func(condition string) string {
			return `SELECT * FROM (` + find + ` ` + condition + ` ` + after + ` ` + newest.by + `)`
		}
		return c.sql(`SELECT`, columns, `FROM (`, side(`d.from_team_id = ?`), `sent UNION ALL`,
			side(`d.to_team_id = ? AND d.from_team_id <> ?`), `received) d`, newest.by)
	}
	// What waits for a user and what waits for a team are read along an index each, as well.
	waiting := func(after string) string {
		side := func(condition string) string {
			return `SELECT * FROM (` + find + ` ` + condition + ` AND d.pending_conversation IS NOT NULL AND d.invitation_id IS NULL
				AND (d.deadline IS NULL OR d.deadline > ?) ` + after + ` ` + newest.by + `)`
		}
		return c.sql(`SELECT`, columns, `FROM (`, side(`d.from_team_id = ? AND d.user_id = ?`), `own UNION ALL`,
			side(`d.to_team_id = ?`), `team) d`, newest.by)
	}
	return deliveryStatements{
		insert: c.inserts(`INSERT INTO usher_deliveries (id, conversation_id, account_id, from_team_id, by_id,
			user_id, email, email_display, to_team_id, outcome, category, rating, summary, application_id, source, medium, campaign, job,
			location, keyword, keep_open, keep_reading, state,
			pending_conversation, invitation_id, deadline, reason, created_at, ended_at, version)`, `(`+list("?", 29)+`, 1)`),
		update: c.sql(`UPDATE usher_deliveries SET user_id = ?, email = ?, email_display = ?, to_team_id = ?,
			outcome = ?, category = ?, rating = ?, summary = ?, application_id = ?, source = ?, medium = ?, campaign = ?, job = ?,
			location = ?, keyword = ?, keep_open = ?, keep_reading = ?, state = ?,
			pending_conversation = ?, invitation_id = ?, deadline = ?, reason = ?, ended_at = ?, version = version + 1 WHERE id = ? AND conversation_id = ? AND version = ?`),
		exists: c.sql(`SELECT 1 FROM usher_deliveries WHERE id = ? AND conversation_id = ?`),
		byID: c.sql(`SELECT`, columns, `FROM (`, find, `d.id = ? AND d.from_team_id = ? UNION`,
			find, `d.id = ? AND d.to_team_id = ?) d`),
		pending:   c.sql(find, `d.pending_conversation = ?`),
		pendingIn: c.manyIDs(find, `d.pending_conversation IN ({ids}) ORDER BY d.pending_conversation`),
		end: c.manyIDs(`UPDATE usher_deliveries SET state = ?, ended_at = ?, pending_conversation = NULL, version = version + 1
			WHERE pending_conversation IN ({ids})`),
		lapsed: c.sql(`SELECT c.team_id, c.id FROM usher_deliveries d JOIN usher_conversations c ON c.id = d.conversation_id
			WHERE d.pending_conversation IS NOT NULL AND d.deadline <= ? ORDER BY d.deadline, d.pending_conversation LIMIT ?`),
		erase: c.sql(`UPDATE usher_deliveries SET email = '', email_display = '', version = version + 1
			WHERE email = ? AND email <> ''`),
		ofConversation: c.sql(find, `d.conversation_id = ? ORDER BY d.created_at, d.id`),
		ofTeam:         pages{first: either(``), after: either(newest.after)},
		to:             pages{first: waiting(``), after: waiting(newest.after)},
	}
}

func scanDelivery(r row) (conversation.Delivery, error) {
	var d conversation.Delivery
	err := r.Scan(id(&d.ID), id(&d.Conversation), id(&d.Account), id(&d.FromTeam), id(&d.By),
		id(&d.Recipient.User), &d.Recipient.Email.Normal, &d.Recipient.Email.Display, id(&d.Recipient.Team),
		&d.Outcome.Status, &d.Category, &d.Outcome.Rating, &d.Outcome.Summary, id(&d.Outcome.Application), &d.About.Source,
		&d.About.Medium, &d.About.Campaign, &d.About.Job, &d.About.Location, &d.About.Keyword, &d.KeepOpen, &d.KeepReading,
		&d.State, id(&d.Invitation), at(&d.Deadline), &d.Reason, at(&d.CreatedAt), at(&d.EndedAt), &d.Version)
	return d, err
}

// pendingConversation is the key that is unique among pending deliveries, NULL for all others.
func (s *Store) pendingConversation(d conversation.Delivery) any {
	if d.State != conversation.DeliveryPending {
		return nil
	}
	return s.id(d.Conversation.UUID())
}

// InsertDelivery implements [conversation.DeliveryStore].
func (s *Store) InsertDelivery(ctx context.Context, deliveries ...conversation.Delivery) error {
	return insertAll(ctx, s, s.deliveries.insert, deliveries, func(d conversation.Delivery) []any {
		return []any{
			d.ID, d.Conversation, d.Account, d.FromTeam, d.By,
			d.Recipient.User, d.Recipient.Email.Normal, d.Recipient.Email.Display, d.Recipient.Team,
			d.Outcome.Status, d.Category, d.Outcome.Rating, d.Outcome.Summary, d.Outcome.Application,
			d.About.Source, d.About.Medium, d.About.Campaign, d.About.Job, d.About.Location, d.About.Keyword, d.KeepOpen, d.KeepReading, d.State, s.pendingConversation(d),
			d.Invitation, d.Deadline, d.Reason, micros(d.CreatedAt), d.EndedAt,
		}
	})
}

// UpdateDelivery implements [conversation.DeliveryStore].
func (s *Store) UpdateDelivery(ctx context.Context, d conversation.Delivery) error {
	return s.update(ctx, s.deliveries.update, []any{
		d.Recipient.User, d.Recipient.Email.Normal, d.Recipient.Email.Display, d.Recipient.Team,
		d.Outcome.Status, d.Category, d.Outcome.Rating, d.Outcome.Summary, d.Outcome.Application,
		d.About.Source, d.About.Medium, d.About.Campaign, d.About.Job, d.About.Location, d.About.Keyword, d.KeepOpen, d.KeepReading, d.State, s.pendingConversation(d),
		d.Invitation, d.Deadline, d.Reason, d.EndedAt, d.ID, d.Conversation, d.Version,
	}, s.deliveries.exists, d.ID, d.Conversation)
}

// PendingDelivery implements [conversation.DeliveryStore].
func (s *Store) PendingDelivery(ctx context.Context, id tenancy.ConversationID) (conversation.Delivery, error) {
	return one(ctx, s, scanDelivery, s.deliveries.pending, id)
}

// PendingDeliveries implements [conversation.DeliveryStore].
func (s *Store) PendingDeliveries(ctx context.Context, ids ...tenancy.ConversationID) ([]conversation.Delivery, error) {
	return allMany(ctx, s, scanDelivery, s.deliveries.pendingIn, tenancy.InOrder(ids...))
}

// EndDeliveries implements [conversation.DeliveryStore].
func (s *Store) EndDeliveries(ctx context.Context, state conversation.DeliveryState, at time.Time, ids ...tenancy.ConversationID) error {
	_, err := execMany(ctx, s, s.deliveries.end, tenancy.InOrder(ids...), state, micros(at))
	return err
}

// Delivery implements [conversation.DeliveryStore].
func (s *Store) Delivery(ctx context.Context, team tenancy.TeamID, id tenancy.DeliveryID) (conversation.Delivery, error) {
	return one(ctx, s, scanDelivery, s.deliveries.byID, id, team, id, team)
}

// DeliveriesTo implements [conversation.DeliveryStore].
func (s *Store) DeliveriesTo(ctx context.Context, team tenancy.TeamID, user tenancy.UserID, at time.Time, page tenancy.Keyset) ([]conversation.Delivery, error) {
	query, place := s.deliveries.to.at(s, page)
	args := append([]any{team, user, micros(at)}, place...)
	args = append(append(args, team, micros(at)), place...)
	return all(ctx, s, scanDelivery, query, append(args, page.Limit)...)
}

// LapsedDeliveries implements [conversation.DeliveryStore].
func (s *Store) LapsedDeliveries(ctx context.Context, now time.Time, limit int) ([]conversation.Thread, error) {
	return all(ctx, s, scanThread, s.deliveries.lapsed, micros(now), limit)
}

// EraseRecipient implements [conversation.DeliveryStore].
func (s *Store) EraseRecipient(ctx context.Context, normal string) error {
	_, err := s.exec(ctx, s.deliveries.erase, normal)
	return err
}

// DeliveriesOf implements [conversation.DeliveryStore].
func (s *Store) DeliveriesOf(ctx context.Context, team tenancy.TeamID, page tenancy.Keyset) ([]conversation.Delivery, error) {
	query, place := s.deliveries.ofTeam.at(s, page)
	args := append([]any{team}, place...)
	args = append(append(args, team, team), place...)
	return all(ctx, s, scanDelivery, query, append(args, page.Limit)...)
}

// Deliveries implements [conversation.DeliveryStore].
func (s *Store) Deliveries(ctx context.Context, id tenancy.ConversationID) ([]conversation.Delivery, error) {
	return all(ctx, s, scanDelivery, s.deliveries.ofConversation, id)
}
