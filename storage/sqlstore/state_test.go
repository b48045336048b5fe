package sqlstore_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// A ledger reads all that a database holds, tells what changed between two readings, and can undo
// it. It knows the tables from the migrations, so that a new one is in it by itself.
type ledger struct {
	t      *testing.T
	db     *sql.DB
	dollar bool // the placeholders are $1, $2
	tables []table
}

type table struct {
	name string
	key  []string
}

// A state is the rows of every table by their primary key, without the counters by which rows are
// locked, which mean nothing. The empty key has the columns' names.
type state []map[string]row

type row []any

var (
	createTable = regexp.MustCompile(`(?s)\nCREATE TABLE (?:IF NOT EXISTS )?(\w+) \((.*?)\n\)`)
	primaryKey  = regexp.MustCompile(`(?m)^\t(?:PRIMARY KEY \(([\w, ]+)\)|(\w+) .*PRIMARY KEY)`)
)

// ledger reads past any tap, by a handle of its own.
func (e engine) ledger(t *testing.T, dsn string) *ledger {
	t.Helper()
	if e.folder == "postgres" {
		e.driver = "pgx" // lib/pq cannot write a uuid as it reads it
	}
	l := &ledger{t: t, db: e.connect(t, dsn, nil), dollar: e.folder == "postgres"}
	text, err := os.ReadFile("migrations/" + e.folder + "/0001_init.up.sql")
	require.NoError(t, err)
	for _, found := range createTable.FindAllStringSubmatch(string(text), -1) {
		key := primaryKey.FindStringSubmatch(found[2])
		require.NotNil(t, key, "the primary key of %s", found[1])
		l.tables = append(l.tables, table{found[1], strings.Split(key[1]+key[2], ", ")})
	}
	require.Greater(t, len(l.tables), 10)
	return l
}

func (l *ledger) read() state {
	l.t.Helper()
	s := make(state, len(l.tables))
	for i, table := range l.tables {
		s[i] = l.rows(table)
	}
	return s
}

// reread is the state with the rows that the tables named have now.
func (l *ledger) reread(s state, written map[string]bool) state {
	l.t.Helper()
	s = slices.Clone(s)
	for i, table := range l.tables {
		if written[table.name] {
			s[i] = l.rows(table)
		}
	}
	return s
}

func (l *ledger) rows(table table) map[string]row {
	l.t.Helper()
	found, err := l.db.QueryContext(l.t.Context(), "SELECT * FROM "+table.name)
	require.NoError(l.t, err)
	defer found.Close()
	names, err := found.Columns()
	require.NoError(l.t, err)
	width := len(names)
	names = slices.DeleteFunc(names, func(name string) bool { return name == "locks" }) // the last column
	columns := make(row, len(names))
	for i, name := range names {
		columns[i] = name
	}
	rows := map[string]row{"": columns}
	for found.Next() {
		r, cells := make(row, width), make([]any, width)
		for i := range r {
			cells[i] = &r[i]
		}
		require.NoError(l.t, found.Scan(cells...))
		rows[r.key(columns, table.key)] = r[:len(columns)]
	}
	require.NoError(l.t, found.Err())
	return rows
}

// of are the cells of the columns named.
func (r row) of(columns row, names []string) []any {
	cells := make([]any, len(names))
	for i, name := range names {
		cells[i] = r[slices.Index(columns, any(name))]
	}
	return cells
}

// key is what tells the row from all others of its table.
func (r row) key(columns row, names []string) string {
	var key []byte
	for _, cell := range r.of(columns, names) {
		switch cell := cell.(type) {
		case []byte:
			key = append(key, cell...)
		case string:
			key = append(key, cell...)
		default:
			key = fmt.Append(key, cell)
		}
		key = append(key, 0)
	}
	return string(key)
}

func (r row) equal(other row) bool {
	return slices.EqualFunc(r, other, func(a, b any) bool {
		raw, ok := a.([]byte)
		if !ok {
			return a == b
		}
		other, ok := b.([]byte)
		return ok && bytes.Equal(raw, other)
	})
}

// A difference is one row that is not as it was: nil where there is none.
type difference struct {
	table    table
	columns  row
	old, now row
}

// changes are what differs, by table, parents first.
func (l *ledger) changes(before, after state) []difference {
	var all []difference
	for i, table := range l.tables {
		columns := before[i][""]
		for key, old := range before[i] {
			if now := after[i][key]; now == nil || !old.equal(now) {
				all = append(all, difference{table, columns, old, now})
			}
		}
		for key, now := range after[i] {
			if before[i][key] == nil {
				all = append(all, difference{table, columns, nil, now})
			}
		}
	}
	return all
}

// undo makes the database again what it was before the changes.
func (l *ledger) undo(changes []difference) {
	l.t.Helper()
	tx, err := l.db.BeginTx(l.t.Context(), nil)
	require.NoError(l.t, err)
	defer tx.Rollback()
	for _, c := range changes { // what is new may have the place of what it replaced
		for _, column := range c.columns {
			if name := text(column); c.old == nil && strings.HasPrefix(name, "pending_") {
				l.exec(tx, "UPDATE "+c.table.name+" SET "+name+" = NULL WHERE "+c.where(), c.now.of(c.columns, c.table.key))
			}
		}
	}
	for _, c := range changes {
		switch {
		case c.old == nil:
		case c.now == nil:
			l.exec(tx, "INSERT INTO "+c.table.name+" ("+c.list(", ")+") VALUES (?"+strings.Repeat(", ?", len(c.old)-1)+")", c.old)
		default:
			l.exec(tx, "UPDATE "+c.table.name+" SET "+c.list(" = ?, ")+" = ? WHERE "+c.where(), slices.Concat(c.old, c.old.of(c.columns, c.table.key)))
		}
	}
	for _, c := range slices.Backward(changes) { // what referred to them is as it was; children first
		if c.old == nil {
			l.exec(tx, "DELETE FROM "+c.table.name+" WHERE "+c.where(), c.now.of(c.columns, c.table.key))
		}
	}
	require.NoError(l.t, tx.Commit())
}

// list is the names of the columns.
func (c difference) list(between string) string {
	names := make([]string, len(c.columns))
	for i, name := range c.columns {
		names[i] = text(name)
	}
	return strings.Join(names, between)
}

func (c difference) where() string { return strings.Join(c.table.key, " = ? AND ") + " = ?" }

func (l *ledger) exec(tx *sql.Tx, query string, args []any) {
	l.t.Helper()
	for n := 1; l.dollar && strings.Contains(query, "?"); n++ {
		query = strings.Replace(query, "?", fmt.Sprintf("$%d", n), 1)
	}
	_, err := tx.ExecContext(context.WithoutCancel(l.t.Context()), query, args...)
	require.NoError(l.t, err, query)
}

var anID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// text is a cell to be read, with an id as ids are printed.
func text(cell any) string {
	var id uuid.UUID
	switch bytes, ok := cell.([]byte); {
	case !ok:
		return fmt.Sprint(cell)
	case utf8.Valid(bytes):
		return string(bytes)
	case len(bytes) == len(id):
		copy(id[:], bytes)
		return id.String()
	default:
		return fmt.Sprintf("%d bytes", len(bytes))
	}
}

// ids are all that the state names.
func (s state) ids() map[string]bool {
	ids := map[string]bool{}
	for _, rows := range s {
		for _, r := range rows {
			for _, cell := range r {
				for _, id := range anID.FindAllString(text(cell), -1) {
					ids[id] = true
				}
			}
		}
	}
	return ids
}

// told is the changes in sorted lines that two runs of one operation have in common: an id that
// was not known before is only a new id.
func told(changes []difference, known map[string]bool) []string {
	lines := make([]string, len(changes))
	for i, c := range changes {
		line := c.table.name
		for column, cell := range c.now {
			line += fmt.Sprintf(" %s=%s", c.columns[column], withoutNew(text(cell), known))
		}
		if c.now == nil {
			line += fmt.Sprintf(" deleted: %s", withoutNew(text(fmt.Sprint(c.old.of(c.columns, c.table.key))), known))
		}
		lines[i] = line
	}
	slices.Sort(lines)
	return lines
}

func withoutNew(text string, known map[string]bool) string {
	return anID.ReplaceAllStringFunc(text, func(id string) string {
		if known[id] {
			return id
		}
		return "(new)"
	})
}
