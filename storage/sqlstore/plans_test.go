package sqlstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/storage/internal/testdb"
	"github.com/usher-go/usher/storage/sqlstore"
	"github.com/usher-go/usher/tenancy"
)

// explained is what an engine says of how it reads usher_conversations in one statement.
type explained struct {
	text string
	// indexes are those of which it reads a range. An access without one is whole, and so is one that
	// goes through all of an index; sorts says that what is found is put in order after that.
	indexes      []string
	whole, sorts bool
}

// explain asks the engine about a statement as it was sent.
func explain(t *testing.T, conn *sql.Conn, e engine, query string, args []driver.NamedValue) explained {
	t.Helper()
	values := make([]any, len(args))
	for i, arg := range args {
		values[i] = arg.Value
	}
	how := "EXPLAIN "
	if e.folder == "sqlite" {
		how = "EXPLAIN QUERY PLAN "
	}
	rows, err := conn.QueryContext(t.Context(), how+query, values...)
	require.NoError(t, err, query)
	defer func() { require.NoError(t, rows.Close()) }()
	columns, err := rows.Columns()
	require.NoError(t, err)
	var lines []string
	for rows.Next() {
		cells, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range cells {
			into[i] = &cells[i]
		}
		require.NoError(t, rows.Scan(into...))
		var line []string
		for i, cell := range cells {
			line = append(line, columns[i]+"="+cell.String)
		}
		lines = append(lines, strings.Join(line, " "))
	}
	require.NoError(t, rows.Err())
	text := strings.Join(lines, "\n")
	return map[string]func(string) explained{"sqlite": readSQLite, "postgres": readPostgres, "mysql": readMySQL}[e.folder](text)
}

var (
	sqliteAccess   = regexp.MustCompile(`(SEARCH|SCAN) (?:c|usher_conversations)\b(?: USING (?:COVERING )?INDEX (\w+))?`)
	postgresAccess = regexp.MustCompile(`(Seq Scan|Index Scan using \w+|Index Only Scan using \w+) on usher_conversations|Bitmap Index Scan on (usher_conversations\w+)`)
	mysqlAccess    = regexp.MustCompile(`table=(?:c|usher_conversations) .*?type=(\w+) .*?\bkey=(\w*)`)
)

func readSQLite(text string) explained {
	e := explained{text: text, sorts: strings.Contains(text, "TEMP B-TREE")}
	for _, found := range sqliteAccess.FindAllStringSubmatch(text, -1) {
		e.whole = e.whole || found[1] == "SCAN" || found[2] == ""
		e.indexes = append(e.indexes, found[2])
	}
	return e
}

func readPostgres(text string) explained {
	e := explained{text: text, sorts: strings.Contains(text, "Sort")}
	for _, at := range postgresAccess.FindAllStringSubmatchIndex(text, -1) {
		found := text[at[0]:at[1]]
		name := found[strings.LastIndex(found, " ")+1:]
		if _, after, using := strings.Cut(found, " using "); using {
			name, _, _ = strings.Cut(after, " ")
		}
		_, condition, _ := strings.Cut(text[at[1]:], "\n") // which the next line has, where there is one
		condition, _, _ = strings.Cut(condition, "\n")
		e.whole = e.whole || strings.HasPrefix(found, "Seq") || !strings.Contains(condition, "Index Cond")
		e.indexes = append(e.indexes, name)
	}
	return e
}

func readMySQL(text string) explained {
	e := explained{text: text, sorts: strings.Contains(text, "filesort")}
	for _, found := range mysqlAccess.FindAllStringSubmatch(text, -1) {
		e.whole = e.whole || found[1] == "ALL" || found[1] == "index"
		e.indexes = append(e.indexes, found[2])
	}
	return e
}

// crowdedDesk is a team with many conversations, of which each user has some in hand, beside another such team.
func crowdedDesk(t *testing.T, store *sqlstore.Store) (team tenancy.TeamID, user tenancy.UserID) {
	t.Helper()
	const threads, users = 1500, 15
	for _, name := range []string{"planned", "bystander"} {
		s := stored(t, store, name)
		if team.IsZero() {
			team, user = s.team.ID, s.user.ID
		}
		require.NoError(t, store.InTx(t.Context(), func(ctx context.Context) error {
			staff := []tenancy.UserID{s.user.ID}
			for i := range users {
				u := s.user
				u.ID, u.ExternalID, u.Email, u.VerifiedAt = newID[tenancy.UserID](), fmt.Sprint(name, i), tenancy.Address{}, time.Time{}
				if err := store.InsertUser(ctx, u); err != nil {
					return err
				}
				staff = append(staff, u.ID)
			}
			for i := range threads {
				c := s.conversation
				c.ID, c.Address, c.LastAt = newID[tenancy.ConversationID](), fmt.Sprint("visitor-", i), noon.Add(time.Duration(i)*time.Second)
				c.Status = []conversation.Status{conversation.Open, conversation.Open, conversation.Closed}[i%3]
				c.Assignee, c.NeedsReplySince = tenancy.UserID{}, c.LastAt
				if i%5 == 0 {
					c.NeedsReplySince = time.Time{}
				}
				switch i % 4 {
				case 0:
					c.Assignee = s.user.ID
				case 1:
					c.Assignee = staff[i/4%len(staff)]
				}
				if i%7 == 0 {
					c.Claimant, c.ClaimedUntil = staff[i/7%len(staff)], c.LastAt.Add(time.Hour)
				}
				if err := store.InsertConversation(ctx, c); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	return team, user
}

// asking is a connection to ask for plans. The servers know what is in their tables, as they do after a while
// by themselves. PostgreSQL finds it cheaper to read all there is while that is a thousand rows: it is asked
// what it does when it may not.
func (e engine) asking(t *testing.T, dsn string) *sql.Conn {
	t.Helper()
	conn, err := e.connect(t, dsn, nil).Conn(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	for _, setting := range map[string][]string{
		"postgres": {
			"ANALYZE usher_conversations", "ANALYZE usher_skips", "SET enable_seqscan = off", "SET enable_bitmapscan = off",
			"SET enable_hashjoin = off", "SET enable_mergejoin = off",
		},
		"mysql": {"ANALYZE TABLE usher_conversations"},
	}[e.folder] {
		_, err := conn.ExecContext(t.Context(), setting)
		require.NoError(t, err, setting)
	}
	return conn
}

// Hops, claims and what tidies up after them read a range of an index each, in its order: what they cost does
// not grow with what the team has closed, answered or given to others. The engine says so itself.
func TestSpec6_HopsAndClaimsReadARangeOfAnIndex(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		type statement struct {
			query string
			args  []driver.NamedValue
		}
		var sent []statement
		tap := &testdb.Tap{Sent: func(query string, args []driver.NamedValue) {
			sent = append(sent, statement{query, slices.Clone(args)})
		}}
		dsn := e.dsn(t)
		store := e.migrated(t, e.connect(t, dsn, tap))
		team, user := crowdedDesk(t, store)
		plain := e.asking(t, dsn)
		const queue, claimed, claims = "usher_conversations_queue", "usher_conversations_claimed", "usher_conversations_claims"
		free, load := queue, []string{"usher_conversations_load", queue, claimed}
		switch e.folder {
		case "postgres":
			free = "usher_conversations_free"
		case "mysql": // where foreign keys have indexes of their own, which it likes to combine
			load = append(load, "assignee_id")
		}
		next := func(line conversation.Line) func(ctx context.Context) error {
			line.User, line.At = user, noon.Add(time.Minute)
			return func(ctx context.Context) error { _, err := store.LockNext(ctx, team, line); return err }
		}
		line := conversation.Line{User: user, At: noon, Free: true, Assigned: true}
		for what, row := range map[string]struct {
			call func(ctx context.Context) error
			// by is what it may read a range of, and ordered says that the order comes with it.
			by      []string
			ordered bool
		}{
			"the next of what is free":     {next(conversation.Line{Free: true}), []string{free}, true},
			"the next of what is claimed":  {next(conversation.Line{Claimed: true}), []string{claimed}, true},
			"the next of what is assigned": {next(conversation.Line{Assigned: true}), []string{queue}, true},
			"what is in hand": {func(ctx context.Context) error { _, err := store.Hand(ctx, team, line); return err },
				load, true},
			"whether somebody waits": {func(ctx context.Context) error {
				_, free := store.Waits(ctx, team, conversation.Line{User: user, At: noon, Free: true})
				_, assigned := store.Waits(ctx, team, conversation.Line{User: user, At: noon, Assigned: true})
				return errors.Join(free, assigned)
			}, append(load, free), true},
			"what is answered": {func(ctx context.Context) error { _, err := store.LockAnswered(ctx, team, user); return err },
				[]string{claimed}, false},
			"the claims that have ended": {func(ctx context.Context) error {
				_, err := store.ClaimsEnded(ctx, noon.Add(time.Minute), 10)
				return err
			}, []string{claims}, true},
			"the loads": {func(ctx context.Context) error { _, err := store.LockLoads(ctx, team, noon, user); return err },
				load, false},
		} {
			sent = nil
			err := store.InTx(t.Context(), row.call)
			if !errors.Is(err, tenancy.ErrNotFound) {
				require.NoError(t, err, what)
			}
			asked := 0
			for _, s := range sent {
				if !strings.Contains(s.query, "usher_conversations") {
					continue
				}
				asked++
				plan := explain(t, plain, e, s.query, s.args)
				require.NotEmpty(t, plan.indexes, "%s: %s\n%s", what, s.query, plan.text)
				for _, index := range plan.indexes {
					require.Contains(t, row.by, index, "%s: %s\n%s", what, s.query, plan.text)
				}
				require.False(t, plan.whole, "%s: %s\n%s", what, s.query, plan.text)
				require.False(t, row.ordered && plan.sorts, "%s: %s\n%s", what, s.query, plan.text)
			}
			require.Positive(t, asked, what)
		}
	})
}
