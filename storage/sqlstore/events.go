package sqlstore

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

type eventStatements struct {
	// count[n-1] draws numbers from the rows of n streams of one kind; insert writes the events.
	count  map[outbox.StreamKind]inserts
	insert map[outbox.StreamKind]inserts
	ofTeam map[logForm]pages
	// along reads a stream; notify tells those who listen of streams that grow. It is empty where
	// nobody is to be told.
	along, notify string
}

// logForm says what a filter of the log asks for beside the times.
type logForm struct{ kind, principal bool }

var logConditions = map[logForm]string{
	{}:                            ``,
	{kind: true}:                  `AND e.kind = ?`,
	{principal: true}:             `AND e.principal = ?`,
	{kind: true, principal: true}: `AND e.kind = ? AND e.principal = ?`,
}

// streams are the tables whose rows count the events of a stream, in the order of locks.
var streams = []struct {
	kind  outbox.StreamKind
	table string
}{
	{outbox.AccountStream, "usher_accounts"},
	{outbox.UserStream, "usher_users"},
	{outbox.TeamStream, "usher_teams"},
	{outbox.ContactStream, "usher_contacts"},
	{outbox.ConversationStream, "usher_conversations"},
}

const eventColumns = `e.id, e.stream_kind, e.stream_id, e.seq, e.account_id, e.team_id, e.kind, e.version,
	e.principal, e.occurred_at, e.payload`

func (c *compiler) events(notify string) eventStatements {
	s := eventStatements{
		count:  map[outbox.StreamKind]inserts{},
		insert: map[outbox.StreamKind]inserts{},
		ofTeam: map[logForm]pages{},
	}
	s.along = c.sql(`SELECT`, eventColumns, `FROM usher_events e
		WHERE e.stream_kind = ? AND e.stream_id = ? AND e.seq > ? ORDER BY e.seq LIMIT ?`)
	if notify != "" {
		s.notify = c.sql(notify)
	}
	for form, condition := range logConditions {
		s.ofTeam[form] = c.pages(newestFirst("e.occurred_at", "e.id"), `SELECT`, eventColumns, `FROM usher_events e
			WHERE e.team_id = ? AND e.occurred_at >= ? AND e.occurred_at <= ?`, condition)
	}
	for _, stream := range streams {
		s.count[stream.kind] = c.counts(stream.table)
		// The number is read from the row that count has locked, in the same statement: no engine
		// but PostgreSQL and SQLite can answer it with the UPDATE.
		s.insert[stream.kind] = c.inserts(`INSERT INTO usher_events (id, stream_kind, stream_id, seq, account_id, team_id,
			kind, version, principal, occurred_at, payload)`,
			`(?, ?, ?, (SELECT events FROM `+stream.table+` WHERE id = ?) - ?, `+list("?", 7)+`)`)
	}
	return s
}

// counts are the updates that count events along 1, 2 … 16 streams, by as many as each has.
func (c *compiler) counts(table string) inserts {
	var texts inserts
	for n := range texts {
		by, which := `?`, `= ?`
		if n > 0 {
			// The ELSE, which no row comes to, tells PostgreSQL that the others are numbers.
			by, which = `CASE id`+strings.Repeat(` WHEN ? THEN ?`, n+1)+` ELSE 0 END`, `IN (`+list("?", n+1)+`)`
		}
		texts[n] = c.sql(`UPDATE`, table, `SET events = events +`, by, `WHERE id`, which)
	}
	return texts
}

// eventFields are where eventColumns go.
func eventFields(e *outbox.Event) []any {
	return []any{
		&e.ID, &e.Stream.Kind, &e.Stream.ID, &e.Sequence, &e.Account, &e.Team, &e.Kind, &e.Version,
		&e.Principal, at(&e.At), (*payload)(&e.Payload),
	}
}

func scanEvent(r row) (outbox.Event, error) {
	var e outbox.Event
	err := r.Scan(eventFields(&e)...)
	return e, err
}

// Append implements [outbox.Appender]: one statement for every 16 streams of one kind and one for
// every 16 of their events, and one more where events wait in lanes (up to 16 times). [WithNotify] adds
// one for every 200 streams and teams.
func (s *Store) Append(ctx context.Context, events ...outbox.Event) error {
	if err := s.writable(ctx); err != nil {
		return err
	}
	ordered := slices.Clone(events)
	slices.SortStableFunc(ordered, func(a, b outbox.Event) int {
		return cmp.Or(cmp.Compare(place(a.Stream.Kind), place(b.Stream.Kind)),
			slices.Compare(a.Stream.ID[:], b.Stream.ID[:]))
	})
	for len(ordered) > 0 {
		n := together(ordered)
		if err := s.appendTo(ctx, ordered[0].Stream.Kind, ordered[:n]); err != nil {
			return err
		}
		ordered = ordered[n:]
	}
	if err := s.enqueue(ctx, events); err != nil {
		return err
	}
	return s.notify(ctx, events)
}

// together is how many of the events are counted by one statement: those of the first one's kind, of at
// most 16 streams.
func together(ordered []outbox.Event) int {
	streams := 1
	for n := 1; n < len(ordered); n++ {
		if ordered[n].Stream != ordered[n-1].Stream {
			streams++
		}
		if streams > manyRows || ordered[n].Stream.Kind != ordered[0].Stream.Kind {
			return n
		}
	}
	return len(ordered)
}

// place is where a kind of stream stands in the order of locks.
func place(kind outbox.StreamKind) int {
	return slices.IndexFunc(streams, func(s struct {
		kind  outbox.StreamKind
		table string
	}) bool {
		return s.kind == kind
	})
}

// appendTo writes events of one kind of stream, in the order of their streams, by one statement that
// counts and one that inserts.
func (s *Store) appendTo(ctx context.Context, kind outbox.StreamKind, events []outbox.Event) error {
	count, known := s.events.count[kind]
	if !known {
		return s.refuse(ctx, &tenancy.InvalidError{Field: "stream", Reason: "must be of a known kind"})
	}
	left := map[uuid.UUID]int{} // of each stream, those that are still to be written
	var streams []uuid.UUID
	for _, e := range events {
		if left[e.Stream.ID]++; left[e.Stream.ID] == 1 {
			streams = append(streams, e.Stream.ID)
		}
	}
	found, err := s.exec(ctx, count[len(streams)-1], countArgs(streams, left)...)
	if err != nil {
		return err
	}
	if found != int64(len(streams)) {
		return s.refuse(ctx, fmt.Errorf("%w: the stream's row does not exist", tenancy.ErrNotFound))
	}
	return insertAll(ctx, s, s.events.insert[kind], events, func(e outbox.Event) []any {
		left[e.Stream.ID]--
		return []any{
			e.ID, e.Stream.Kind, e.Stream.ID, e.Stream.ID, left[e.Stream.ID], e.Account, e.Team, e.Kind,
			e.Version, e.Principal, micros(e.At), string(e.Payload),
		}
	})
}

// countArgs are those of [compiler.counts].
func countArgs(streams []uuid.UUID, events map[uuid.UUID]int) (args []any) {
	if len(streams) == 1 {
		return []any{events[streams[0]], streams[0]}
	}
	for _, id := range streams {
		args = append(args, id, events[id])
	}
	for _, id := range streams {
		args = append(args, id)
	}
	return args
}

// TeamEvents implements [outbox.Log].
func (s *Store) TeamEvents(ctx context.Context, team uuid.UUID, filter outbox.LogFilter, before time.Time, id uuid.UUID, limit int) ([]outbox.Event, error) {
	since, last := int64(math.MinInt64), int64(math.MaxInt64)
	if !filter.Since.IsZero() {
		since = micros(filter.Since)
	}
	if !filter.Until.IsZero() {
		last = micros(filter.Until) - 1
	}
	args := []any{team, since, last}
	form := logForm{kind: filter.Kind != "", principal: filter.Principal != ""}
	if form.kind {
		args = append(args, filter.Kind)
	}
	if form.principal {
		args = append(args, filter.Principal)
	}
	return paged(ctx, s, scanEvent, s.events.ofTeam[form], tenancy.Keyset{At: before, ID: id, Limit: limit}, args...)
}
