package sqlstore

import "github.com/usher-go/usher/conversation"

// The forms of a scope, as conditions on usher_conversations c.
const (
	teamScope = `c.team_id = ?`
	// A list of ids rather than EXISTS: a guest has few grants, the team many conversations.
	guestScope = `c.team_id = ? AND c.id IN (SELECT g.conversation_id FROM usher_grants g
		WHERE g.user_id = ? AND g.revoked_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > ?))`
)

// Where is a scope as SQL: one of two fixed conditions on the table usher_conversations under
// the name c, and its values, in usher's own types. It admits what [conversation.Scope.Admits]
// admits.
func Where(scope conversation.Scope) (condition string, values []any) {
	if scope.Guest.IsZero() {
		return teamScope, []any{scope.Team}
	}
	return guestScope, []any{scope.Team, scope.Guest, micros(scope.At)}
}
