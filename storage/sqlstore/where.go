package sqlstore

import "github.com/usher-go/usher/conversation"

// The forms of a scope, as conditions on usher_conversations c.
const (
	teamScope = `c.team_id = ?`
	// A list of ids rather than EXISTS, and a team that is only compared: a guest has few grants
	// and the team many conversations, so the way is from the grants to the conversations.
	guestScope = `{no index}c.team_id = ? AND c.id IN (SELECT g.conversation_id FROM usher_grants g
		WHERE g.user_id = ? AND g.revoked_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > ?))`
)

// Where is a scope as SQL: one of two fixed conditions on the table usher_conversations under
// the name c, with ? for each value, and the values as the engine's drivers take them. It admits
// what [conversation.Scope.Admits] admits.
func (s *Store) Where(scope conversation.Scope) (condition string, values []any) {
	form, values := scopeForm(scope)
	return s.fragments.Replace(form), s.bind(values)
}

// scopeForm is a scope's condition as it is written here, with the values not yet bound.
func scopeForm(scope conversation.Scope) (condition string, values []any) {
	if scope.Guest.IsZero() {
		return teamScope, []any{scope.Team}
	}
	return guestScope, []any{scope.Team, scope.Guest, micros(scope.At)}
}
