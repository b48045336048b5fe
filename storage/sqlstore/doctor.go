package sqlstore

import (
	"context"
	"strings"
	"time"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/tenancy"
)

// flaws says of each kind of broken invariant where it is: the account, the team and the subject
// of each finding, in any order. Each ? is the time.
var flaws = map[tenancy.Flaw]string{
	tenancy.FlawNoManager: `SELECT t.account_id, t.id AS team_id, t.id AS subject_id
		FROM usher_teams t JOIN usher_accounts a ON a.id = t.account_id
		WHERE t.status = 'active' AND NOT EXISTS (` + lastingManagers + ` AND m.team_id = t.id) AND a.status <> 'closed'`,
	tenancy.FlawNoHolder: `SELECT a.id AS account_id, NULL AS team_id, a.id AS subject_id
		FROM usher_accounts a JOIN usher_users u ON u.id = a.holder_id
		WHERE a.status <> 'closed' AND u.status = 'deleted'`,
	tenancy.FlawGhostMember: `SELECT t.account_id, m.team_id, m.user_id AS subject_id
		FROM usher_memberships m JOIN usher_users u ON u.id = m.user_id JOIN usher_teams t ON t.id = m.team_id
		WHERE u.status = 'deleted' AND m.status <> 'removed'`,
	tenancy.FlawForeignRole: `SELECT t.account_id, m.team_id, m.user_id AS subject_id
		FROM usher_memberships m JOIN usher_roles r ON r.id = m.role_id JOIN usher_teams t ON t.id = m.team_id
		WHERE r.account_id <> t.account_id`,
	tenancy.FlawNamedTombstone: `SELECT NULL AS account_id, NULL AS team_id, u.id AS subject_id FROM usher_users u
		WHERE u.status = 'deleted' AND (u.external_id IS NOT NULL OR u.email <> '' OR u.email_display <> ''
			OR u.verified_at IS NOT NULL OR u.name <> '` + tenancy.Tombstone + `')`,
	conversation.FlawAssignee: brokenConversation + `c.assignee_id IS NOT NULL AND NOT EXISTS (` + present("c.team_id", "c.assignee_id") + `)`,
	conversation.FlawClaimant: brokenConversation + `c.claimant_id IS NOT NULL AND NOT EXISTS (` + present("c.team_id", "c.claimant_id") + `)`,
	conversation.FlawDelivery: brokenConversation + `EXISTS (SELECT 1 FROM usher_deliveries d
		LEFT JOIN usher_invitations i ON i.id = d.invitation_id
		LEFT JOIN usher_teams t ON t.id = d.to_team_id
		WHERE d.pending_conversation = c.id AND (c.status = 'closed' OR CASE
			WHEN d.user_id IS NOT NULL THEN NOT EXISTS (` + present("d.from_team_id", "d.user_id") + `)
			WHEN d.to_team_id IS NOT NULL THEN t.status <> 'active'
			ELSE i.state IS NULL OR i.state <> 'pending' END))`,
	conversation.FlawGrant: brokenConversation + `EXISTS (SELECT 1 FROM usher_grants g
		WHERE g.conversation_id = c.id AND g.revoked_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > ?)
		AND NOT EXISTS (SELECT 1 FROM usher_memberships m
			WHERE m.team_id = c.team_id AND m.user_id = g.user_id AND m.status <> 'removed'))`,
	conversation.FlawCounter: brokenConversation + `(c.last_seq <> (SELECT COUNT(*) FROM usher_messages m WHERE m.conversation_id = c.id)
		OR c.last_seq <> (SELECT COALESCE(MAX(m.seq), 0) FROM usher_messages m WHERE m.conversation_id = c.id))`,
	// No text in the settings can look like the flag: JSON escapes its quotes.
	invite.FlawOrphanInvitation: `SELECT i.account_id, i.team_id, i.id AS subject_id
		FROM usher_invitations i JOIN usher_teams t ON t.id = i.team_id
		WHERE i.state = 'pending' AND i.expires_at > ? AND t.settings NOT LIKE '%"keep_invitations":true%'
		AND i.kind <> 'request'
		AND NOT EXISTS (` + present("i.team_id", "i.inviter_id") + `)`,
}

// present looks for an active member, by the columns that name the team and the user.
func present(team, user string) string {
	return `SELECT 1 FROM usher_memberships m JOIN usher_users u ON u.id = m.user_id
		WHERE m.team_id = ` + team + ` AND m.user_id = ` + user + ` AND m.status = 'active' AND u.status = 'active'`
}

// brokenConversation is the beginning of what looks for conversations.
const brokenConversation = `SELECT c.account_id, c.team_id, c.id AS subject_id FROM usher_conversations c WHERE `

func (c *compiler) flaws() map[tenancy.Flaw]string {
	statements := map[tenancy.Flaw]string{}
	for flaw, look := range flaws {
		statements[flaw] = c.sql(`SELECT f.account_id, f.team_id, f.subject_id FROM (`, look, `) f
			WHERE f.subject_id > ? OR f.subject_id = ? AND f.team_id > ?
			ORDER BY f.subject_id, f.team_id LIMIT ?`)
	}
	return statements
}

// Broken implements [tenancy.Store].
func (s *Store) Broken(ctx context.Context, flaw tenancy.Flaw, now time.Time, after tenancy.Finding, limit int) ([]tenancy.Finding, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	query, known := s.flaws[flaw]
	if !known {
		return nil, &tenancy.InvalidError{Field: "flaw", Reason: "must be one that the store knows"}
	}
	var args []any
	for range strings.Count(flaws[flaw], "?") {
		args = append(args, micros(now))
	}
	// The ids are bound as they are: the zero ones come before all others, and are not NULL.
	subject, team := s.dialect.id(after.Subject), s.dialect.id(after.Team)
	return all(ctx, s, func(r row) (tenancy.Finding, error) {
		found := tenancy.Finding{Flaw: flaw}
		err := r.Scan(&found.Account, &found.Team, &found.Subject)
		return found, err
	}, query, append(args, subject, subject, team, limit)...)
}
