package sqlstore

import (
	"context"
	"time"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/tenancy"
)

type grantStatements struct {
	insert, update, exists, byKey, lapsed string
	listed, revoke                        manyIDs
}

func (c *compiler) grants() grantStatements {
	const find = `SELECT conversation_id, user_id, inviter_id, from_seq, read_only, accepted_at, expires_at,
		revoked_at, revoked_by, version FROM usher_grants WHERE`
	return grantStatements{
		insert: c.sql(`INSERT INTO usher_grants (conversation_id, user_id, inviter_id, from_seq, read_only,
			accepted_at, expires_at, revoked_at, revoked_by, version) VALUES (`, list("?", 9), `, 1)`),
		update: c.sql(`UPDATE usher_grants SET inviter_id = ?, from_seq = ?, read_only = ?, accepted_at = ?, expires_at = ?,
			revoked_at = ?, revoked_by = ?, version = version + 1
			WHERE conversation_id = ? AND user_id = ? AND version = ?`),
		exists: c.sql(`SELECT 1 FROM usher_grants WHERE conversation_id = ? AND user_id = ?`),
		byKey:  c.sql(find, `conversation_id = ? AND user_id = ?`),
		listed: c.manyIDs(find, `conversation_id IN ({ids}) ORDER BY conversation_id, user_id`),
		revoke: c.manyIDs(`UPDATE usher_grants SET revoked_at = ?, revoked_by = ?, version = version + 1
			WHERE {conversation_id, user_id} AND revoked_at IS NULL`),
		lapsed: c.sql(`SELECT c.team_id, c.id, g.user_id FROM usher_grants g JOIN usher_conversations c ON c.id = g.conversation_id
			WHERE g.revoked_at IS NULL AND g.expires_at <= ? ORDER BY g.expires_at, g.conversation_id, g.user_id LIMIT ?`),
	}
}

func scanGrant(r row) (conversation.Grant, error) {
	var g conversation.Grant
	err := r.Scan(id(&g.Conversation), id(&g.User), id(&g.Inviter), &g.FromSeq, &g.ReadOnly, at(&g.AcceptedAt),
		at(&g.ExpiresAt), at(&g.RevokedAt), &g.RevokedBy, &g.Version)
	return g, err
}

// InsertGrant implements [conversation.GrantStore].
func (s *Store) InsertGrant(ctx context.Context, g conversation.Grant) error {
	_, err := s.exec(ctx, s.grants.insert, g.Conversation, g.User, g.Inviter, g.FromSeq, g.ReadOnly, micros(g.AcceptedAt),
		g.ExpiresAt, g.RevokedAt, g.RevokedBy)
	return err
}

// UpdateGrant implements [conversation.GrantStore].
func (s *Store) UpdateGrant(ctx context.Context, g conversation.Grant) error {
	return s.update(ctx, s.grants.update, []any{
		g.Inviter, g.FromSeq, g.ReadOnly, micros(g.AcceptedAt), g.ExpiresAt, g.RevokedAt, g.RevokedBy,
		g.Conversation, g.User, g.Version,
	}, s.grants.exists, g.Conversation, g.User)
}

// Grant implements [conversation.GrantStore].
func (s *Store) Grant(ctx context.Context, id tenancy.ConversationID, user tenancy.UserID) (conversation.Grant, error) {
	return one(ctx, s, scanGrant, s.grants.byKey, id, user)
}

// Grants implements [conversation.GrantStore].
func (s *Store) Grants(ctx context.Context, ids ...tenancy.ConversationID) ([]conversation.Grant, error) {
	return allMany(ctx, s, scanGrant, s.grants.listed, tenancy.InOrder(ids...))
}

// RevokeGrants implements [conversation.GrantStore].
func (s *Store) RevokeGrants(ctx context.Context, at time.Time, by string, keys ...conversation.GrantKey) error {
	_, err := execMany(ctx, s, s.grants.revoke, pairs(keys, func(k conversation.GrantKey) (identified, identified) {
		return k.Conversation, k.User
	}), micros(at), by)
	return err
}

// LapsedGrants implements [conversation.GrantStore].
func (s *Store) LapsedGrants(ctx context.Context, now time.Time, limit int) ([]conversation.ThreadUser, error) {
	return all(ctx, s, scanThreadUser, s.grants.lapsed, micros(now), limit)
}

func scanThreadUser(r row) (conversation.ThreadUser, error) {
	var t conversation.ThreadUser
	err := r.Scan(id(&t.Team), id(&t.Conversation), id(&t.User))
	return t, err
}
