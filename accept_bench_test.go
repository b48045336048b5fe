package usher_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/sqlstore"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/tenancy"
)

// BenchmarkAcceptInvitation compares with a transaction that is written by hand and sends the same
// statements. The bar is 1.3 times as long; how many they are is pinned in testdata/statements.txt.
// Invitations are made and mailed before the clock runs.
func BenchmarkAcceptInvitation(b *testing.B) {
	everystore.Measured(b, func(b *testing.B, dialect string, store *sqlstore.Store, db *sql.DB) {
		if dialect == "mysql" {
			b.Skip("there is no bar for it")
		}
		w := newInviting(b, store)
		by := handAccept{hand{db, dialect}, w.actor.Team}
		const each = 20
		var costs, others, ratios []float64
		byUsher := func(i invited) error {
			_, err := w.u.Invites.Accept(b.Context(), i.user, i.token)
			return err
		}
		byHand := func(i invited) error { return by.accept(b.Context(), i) }
		for turn := 0; b.Loop(); turn++ {
			var cost, other float64
			if turn%2 == 0 { // who comes first after the invitations were made finds other caches
				cost = timed(b, w.invited(b, each), byUsher)
				other = timed(b, w.invited(b, each), byHand)
			} else {
				other = timed(b, w.invited(b, each), byHand)
				cost = timed(b, w.invited(b, each), byUsher)
			}
			costs, others, ratios = append(costs, cost), append(others, other), append(ratios, cost/other)
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(median(costs), "usher-ns")
		b.ReportMetric(median(others), "hand-ns")
		b.ReportMetric(median(ratios), "x-hand")
		w.requireAllIn(b)
	})
}

// timed is what one of them costs, in nanoseconds.
func timed(b *testing.B, each []invited, accept func(invited) error) float64 {
	b.Helper()
	start := time.Now()
	for _, i := range each {
		if err := accept(i); err != nil {
			b.Fatal(err)
		}
	}
	return float64(time.Since(start).Nanoseconds()) / float64(len(each))
}

// inviting is a team that invites.
type inviting struct {
	u     *usher.Usher
	mail  *invite.Captured
	actor tenancy.Actor
	n     int
}

type invited struct {
	user  tenancy.UserID
	token invite.Token
}

func newInviting(b *testing.B, store *sqlstore.Store) *inviting {
	b.Helper()
	w := &inviting{mail: &invite.Captured{}}
	var err error
	w.u, err = usher.New(store, usher.WithMailer(w.mail), usher.WithInviteURL("https://app.acme.example/join"))
	require.NoError(b, err)
	alice := w.register(b, "alice@acme.example")
	account, err := w.u.Tenancy.CreateAccount(b.Context(), alice, "Acme")
	require.NoError(b, err)
	team, err := w.u.Tenancy.CreateTeam(b.Context(), account.Holder(alice), tenancy.TeamSpec{Name: "Sales"})
	require.NoError(b, err)
	w.actor = tenancy.Actor{User: alice, Team: team.ID}
	return w
}

func (w *inviting) register(b *testing.B, email string) tenancy.UserID {
	b.Helper()
	u, err := w.u.Tenancy.Register(b.Context(), "bench", tenancy.Profile{Email: email, Verified: true, Name: "Somebody"})
	require.NoError(b, err)
	return u.ID
}

// invited are that many users, each with the token of an invitation.
func (w *inviting) invited(b *testing.B, n int) []invited {
	b.Helper()
	all := make([]invited, n)
	emails := make([]string, n)
	for i := range all {
		w.n++
		emails[i] = fmt.Sprintf("u%d@acme.example", w.n)
		all[i].user = w.register(b, emails[i])
		_, err := w.u.Invites.Create(b.Context(), w.actor, invite.ToTeam(emails[i], rbac.Member))
		require.NoError(b, err)
	}
	_, err := w.u.Relay.Drain(b.Context())
	require.NoError(b, err)
	for i := range all {
		all[i].token = w.mail.Last(emails[i]).Token
	}
	return all
}

// requireAllIn shows that both sides did their work.
func (w *inviting) requireAllIn(b *testing.B) {
	b.Helper()
	for i := 1; i <= w.n; i++ {
		m, err := w.u.Tenancy.MemberByEmail(b.Context(), w.actor, fmt.Sprintf("u%d@acme.example", i))
		require.NoError(b, err)
		require.Equal(b, rbac.Member, m.Role)
	}
}

// handAccept accepts an invitation by what usher sends, written out.
type handAccept struct {
	hand
	team tenancy.TeamID
}

const (
	handInvitation = `SELECT i.id, i.account_id, i.team_id, i.kind, i.conversation_id, i.email, i.email_display,
		i.role, i.role_id, i.inviter_id, i.state, i.mailing, i.token_hash, i.created_at, i.expires_at, i.mailed_at,
		i.ended_at, i.ended_by, i.accepted_by, i.terms, i.lasts, i.resends, i.resends_from, i.version FROM usher_invitations i WHERE `
	handTeam       = `SELECT id, account_id, name, name_key, channel, identity, status, settings, created_at, version FROM usher_teams WHERE id = ?`
	handAccount    = `SELECT id, name, holder_id, status, services, seat_rule, seat_limit, seat_pending, created_at, version FROM usher_accounts WHERE id = ?`
	handUser       = `SELECT id, external_id, email, email_display, verified_at, name, status, active_team_id, created_at, version FROM usher_users WHERE id = ?`
	handMembership = `SELECT team_id, user_id, role, role_id, status, joined_at, joined_by, expires_at, ended_at, ended_by, version
		FROM usher_memberships WHERE team_id = ? AND user_id = ?`
)

func (h handAccept) accept(ctx context.Context, i invited) error {
	return h.transaction(ctx, func(s *session) { (&accepting{s, h.team}).write(i) })
}

type accepting struct {
	*session
	team tenancy.TeamID
}

// arrive locks and reads the account, the user and the team, and whether the user is in it.
func (s *accepting) arrive(user tenancy.UserID) {
	team := s.row(handTeam, s.id(s.team))
	if s.err != nil || team == nil {
		return
	}
	account := team[1]
	if s.postgres() {
		s.exec(`UPDATE usher_accounts SET locks = locks + 1 WHERE id = ?`, account)
	}
	s.row(handAccount, account)
	s.lock("usher_users", user)
	s.row(handUser, s.id(user))
	s.lock("usher_teams", s.team)
	s.row(handTeam, s.id(s.team))
	if s.row(handMembership, s.id(s.team), s.id(user)) != nil {
		s.err = tenancy.ErrConflict
	}
}

func (s *accepting) write(i invited) {
	hash := i.token.Hash()
	found := s.row(handInvitation+`i.token_hash = ?`, hash[:])
	s.arrive(i.user)
	if s.err != nil || found == nil {
		return
	}
	if s.postgres() {
		s.exec(`UPDATE usher_invitations SET locks = locks + 1 WHERE id = ? AND team_id = ?`, found[0], s.id(s.team))
	}
	row := s.row(handInvitation+`i.id = ? AND i.team_id = ?`, found[0], s.id(s.team))
	if s.err != nil || row == nil {
		return
	}
	now := time.Now().UnixMicro()
	inviter := s.row(handAuthority, s.id(s.team), row[9])
	if s.err != nil || inviter == nil || row[10] != "pending" || now >= row[14].(int64) {
		s.err = tenancy.ErrConflict
		return
	}
	by := "user:" + i.user.String()
	s.exec(`UPDATE usher_invitations SET kind = ?, conversation_id = ?, email = ?, email_display = ?, role = ?, role_id = ?, inviter_id = ?,
		state = 'accepted', mailing = ?, token_hash = ?, pending_scope = NULL, pending_offer = NULL, expires_at = ?, mailed_at = ?,
		ended_at = ?, ended_by = ?, accepted_by = ?, terms = ?, lasts = ?, resends = ?, resends_from = ?, version = version + 1
		WHERE id = ? AND team_id = ? AND version = ?`,
		row[3], row[4], row[5], row[6], row[7], row[8], row[9], row[11], row[12], row[14], row[15], now, by, s.id(i.user),
		row[19], row[20], row[21], row[22], row[0], s.id(s.team), row[23])
	s.event(row[1], invite.InvitationAccepted, by, now, tenancy.Facts{
		"invitation": "x", "kind": "team", "mailing": "1", "role": "member", "state": "accepted", "user": i.user.String(),
	})
	s.arrive(i.user)
	s.row(handMembership, s.id(s.team), s.id(i.user))
	s.exec(`INSERT INTO usher_memberships (team_id, user_id, role, role_id, status, joined_at, joined_by, expires_at, ended_at,
		ended_by, version) VALUES (?, ?, 'member', NULL, 'active', ?, 'system:invitation', ?, ?, '', 1)`, s.id(s.team), s.id(i.user), now, nil, nil)
	s.event(row[1], tenancy.MemberJoined, "system:invitation", now, tenancy.Facts{"user": i.user.String(), "role": "member"})
}

func (s *accepting) event(account any, kind, by string, at int64, facts tenancy.Facts) {
	s.session.event(handEvent{
		table: "usher_teams", stream: "team", id: s.team, account: account, team: s.team, kind: kind, by: by, at: at, facts: facts,
	})
}
