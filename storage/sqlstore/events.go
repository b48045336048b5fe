package sqlstore

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

// eventRows is how many events one INSERT holds at most, so that the texts stay a finite set.
const eventRows = 16

type eventStatements struct {
	// count draws numbers from a stream's row; insert[n-1] writes n events of one stream.
	count  map[outbox.StreamKind]string
	insert map[outbox.StreamKind][eventRows]string
	ofTeam map[logForm]pages
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

func (c *compiler) events() eventStatements {
	s := eventStatements{
		count:  map[outbox.StreamKind]string{},
		insert: map[outbox.StreamKind][eventRows]string{},
		ofTeam: map[logForm]pages{},
	}
	for form, condition := range logConditions {
		s.ofTeam[form] = c.pages(newestFirst("e.occurred_at", "e.id"), `SELECT`, eventColumns, `FROM usher_events e
			WHERE e.team_id = ? AND e.occurred_at >= ? AND e.occurred_at <= ?`, condition)
	}
	for _, stream := range streams {
		s.count[stream.kind] = c.sql(`UPDATE`, stream.table, `SET events = events + ? WHERE id = ?`)
		// The number is read from the row that count has locked, in the same statement: no engine
		// but PostgreSQL and SQLite can answer it with the UPDATE.
		values := `(?, ?, ?, (SELECT events FROM ` + stream.table + ` WHERE id = ?) - ?, ` + list("?", 7) + `)`
		var inserts [eventRows]string
		for n := range inserts {
			inserts[n] = c.sql(`INSERT INTO usher_events (id, stream_kind, stream_id, seq, account_id, team_id,
				kind, version, principal, occurred_at, payload) VALUES`, list(values, n+1))
		}
		s.insert[stream.kind] = inserts
	}
	return s
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

// Append implements [outbox.Appender]: two statements for each stream, whatever the number of
// its events (up to 16), and one more where events wait in lanes (up to 16 times).
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
		stream := ordered[0].Stream
		n := 1
		for n < len(ordered) && ordered[n].Stream == stream {
			n++
		}
		if err := s.appendTo(ctx, stream, ordered[:n]); err != nil {
			return err
		}
		ordered = ordered[n:]
	}
	return s.enqueue(ctx, events)
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

// appendTo writes the events of one stream.
func (s *Store) appendTo(ctx context.Context, stream outbox.Stream, events []outbox.Event) error {
	count, known := s.events.count[stream.Kind]
	if !known {
		return s.refuse(ctx, &tenancy.InvalidError{Field: "stream", Reason: "must be of a known kind"})
	}
	found, err := s.exec(ctx, count, len(events), stream.ID)
	if err != nil {
		return err
	}
	if found == 0 {
		return fmt.Errorf("%w: the stream's row does not exist", tenancy.ErrNotFound)
	}
	inserts := s.events.insert[stream.Kind]
	for left := len(events); left > 0; {
		chunk := events[len(events)-left:][:min(left, eventRows)]
		args := make([]any, 0, len(chunk)*12)
		for _, e := range chunk {
			left--
			args = append(args, e.ID, e.Stream.Kind, e.Stream.ID, e.Stream.ID, left, e.Account, e.Team, e.Kind,
				e.Version, e.Principal, micros(e.At), string(e.Payload))
		}
		if _, err := s.exec(ctx, inserts[len(chunk)-1], args...); err != nil {
			return err
		}
	}
	return nil
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
