package usher_test

import (
	"context"
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/sqlstore"
	"github.com/usher-go/usher/tenancy"
)

// benchmarkSelect compares with one SELECT of the same facts, through the same handle and like usher's
// unprepared: what the decision rests on, whose account it is, and what a refusal calls the role. The bar is 1.3 times as long; that it is one statement, too, is pinned in
// testdata/statements.txt.
func benchmarkSelect(b *testing.B, dialect string, store *sqlstore.Store, db *sql.DB) {
	const teams crowd = 1_000
	teams.fill(b, store)
	u, hand := newUsher(b, store), newSelect(b, dialect, db)
	for _, name := range []string{"allow", "deny"} {
		b.Run(name, func(b *testing.B) {
			inTurns(b, atRandom(teams.users()), checking(b.Context(), u, teams, name, 50, only(asked[name])), side{"select", 50, func(n int) error {
				yes, err := hand.check(b.Context(), teams.actor(n), asked[name])
				if err != nil {
					return err
				}
				return expected(name, yes)
			}})
		})
	}
}

// handSelect decides like usher, by a statement of its own.
type handSelect struct {
	db     *sql.DB
	query  string
	id     func([16]byte) any
	rights roleBits
}

func newSelect(tb testing.TB, dialect string, db *sql.DB) handSelect {
	tb.Helper()
	h := handSelect{db: db, rights: newRoleBits(tb), query: `SELECT m.role, m.role_id, m.status, m.expires_at, u.status, u.autoclaim, t.status, a.id, a.status,
			r.name, r.permissions
		FROM usher_memberships m JOIN usher_teams t ON t.id = m.team_id JOIN usher_accounts a ON a.id = t.account_id
		JOIN usher_users u ON u.id = m.user_id LEFT JOIN usher_roles r ON r.id = m.role_id
		WHERE m.team_id = ? AND m.user_id = ?`}
	h.id = func(id [16]byte) any { return id[:] }
	if dialect == "postgres" {
		h.query = strings.Replace(strings.Replace(h.query, "?", "$1", 1), "?", "$2", 1)
		h.id = func(id [16]byte) any { return tenancy.UserID(id).String() }
	}
	return h
}

func (h handSelect) check(ctx context.Context, actor tenancy.Actor, perm rbac.Permission) (bool, error) {
	var roleName, membership, user, team, account string
	var expires sql.NullInt64
	var accountID, roleID []byte
	var autoclaim bool
	var custom, permissions sql.NullString
	err := h.db.QueryRowContext(ctx, h.query, h.id(actor.Team), h.id(actor.User)).
		Scan(&roleName, &roleID, &membership, &expires, &user, &autoclaim, &team, &accountID, &account, &custom, &permissions)
	if err != nil {
		return false, err
	}
	role, err := rbac.ParseRole(roleName)
	return err == nil && membership == "active" && user == "active" && team == "active" && account == "active" &&
		(!expires.Valid || time.Now().UnixMicro() < expires.Int64) && h.rights.allow(role, perm), err
}
