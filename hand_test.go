package usher_test

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/usher-go/usher/tenancy"
)

// hand is a database on which a baseline does by hand what usher does, with statements of its own.
type hand struct {
	db      *sql.DB
	dialect string
}

func (h hand) postgres() bool { return h.dialect == "postgres" }

func (h hand) id(id [16]byte) any {
	if h.postgres() {
		return uuid.UUID(id).String()
	}
	return id[:]
}

func (h hand) sql(text string) string {
	if !h.postgres() {
		return text
	}
	for n := 1; strings.Contains(text, "?"); n++ {
		text = strings.Replace(text, "?", "$"+strconv.Itoa(n), 1)
	}
	return text
}

// transaction runs one by hand; the first error of the session ends it.
func (h hand) transaction(ctx context.Context, fn func(*session)) error {
	conn, err := h.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	s := &session{hand: h, ctx: ctx, on: conn}
	for _, text := range handBegin[h.dialect] {
		s.exec(text)
	}
	fn(s)
	if s.err != nil {
		_, _ = conn.ExecContext(ctx, `ROLLBACK`)
		return s.err
	}
	s.exec(`COMMIT`)
	return s.err
}

// handBegin is how a transaction begins, as usher's do.
var handBegin = map[string][]string{
	"sqlite":   {`PRAGMA foreign_keys = ON`, `BEGIN IMMEDIATE`},
	"postgres": {`BEGIN ISOLATION LEVEL READ COMMITTED`},
	"mysql":    {`SET TRANSACTION ISOLATION LEVEL READ COMMITTED`, `START TRANSACTION READ WRITE`},
}

// session is what is sent one after the other, until the first error.
type session struct {
	hand
	ctx context.Context
	on  interface {
		ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
		QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	}
	err error
}

func (s *session) exec(text string, args ...any) {
	if s.err == nil {
		_, s.err = s.on.ExecContext(s.ctx, s.sql(text), args...)
	}
}

// lock takes a row where the engine locks rows.
func (s *session) lock(table string, id [16]byte) {
	if s.dialect != "sqlite" {
		s.exec(`UPDATE `+table+` SET locks = locks + 1 WHERE id = ?`, s.id(id))
	}
}

// row reads all of a row, or nil if there is none.
func (s *session) row(text string, args ...any) []any {
	rows := s.rows(text, args...)
	if len(rows) == 0 {
		return nil
	}
	return rows[0]
}

// rows reads all of all rows.
func (s *session) rows(text string, args ...any) (all [][]any) {
	if s.err != nil {
		return nil
	}
	rows, err := s.on.QueryContext(s.ctx, s.sql(text), args...)
	if err != nil {
		s.err = err
		return nil
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		s.err = err
		return nil
	}
	for rows.Next() {
		values := make([]any, len(columns))
		into := make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if s.err = rows.Scan(into...); s.err != nil {
			return nil
		}
		all = append(all, values)
	}
	s.err = rows.Err()
	return all
}

// handEvent is an event of a stream that nobody is told of.
type handEvent struct {
	table, stream string // of the stream
	id            [16]byte
	account       any
	team          tenancy.TeamID
	kind, by      string
	at            int64
	facts         tenancy.Facts
}

func (s *session) event(e handEvent) {
	payload, err := json.Marshal(e.facts)
	s.err = cmp.Or(s.err, err)
	s.exec(`UPDATE `+e.table+` SET events = events + ? WHERE id = ?`, 1, s.id(e.id))
	s.exec(`INSERT INTO usher_events (id, stream_kind, stream_id, seq, account_id, team_id, kind, version, principal, occurred_at, payload)
		VALUES (?, ?, ?, (SELECT events FROM `+e.table+` WHERE id = ?) - ?, ?, ?, ?, ?, ?, ?, ?)`,
		s.id(uuid.Must(uuid.NewV7())), e.stream, s.id(e.id), s.id(e.id), 0, e.account, s.id(e.team), e.kind, 1, e.by, e.at, string(payload))
}

// handAuthority reads all that a decision about a member needs.
const handAuthority = `SELECT m.role, m.role_id, m.status, m.expires_at, a.status, t.status, u.status, r.name, r.permissions
	FROM (SELECT * FROM usher_memberships WHERE team_id = ? AND user_id = ?) m
	JOIN usher_teams t ON t.id = m.team_id JOIN usher_accounts a ON a.id = t.account_id
	JOIN usher_users u ON u.id = m.user_id LEFT JOIN usher_roles r ON r.id = m.role_id`
