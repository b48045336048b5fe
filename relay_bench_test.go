package usher_test

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/storage/sqlstore"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/tenancy"
)

// BenchmarkRelay measures what it costs to hand on an event: a relay whose sink does nothing, against
// a poll and a mark by hand of the same rows, in a lane of their own. The bar is 1.5 times as long.
func BenchmarkRelay(b *testing.B) { everystore.Measured(b, benchmarkRelay) }

const (
	relayed    = 64 // the events of a turn, each of a stream of its own
	relayBatch = 16
)

func benchmarkRelay(b *testing.B, dialect string, store *sqlstore.Store, db *sql.DB) {
	const teams crowd = relayed
	teams.fillPeople(b, store)
	nobody := outbox.SinkFunc(func(context.Context, outbox.Event) error { return nil })
	relay := outbox.NewRelay(store, outbox.Sinks{"usher": nobody}, outbox.WithBatch(relayBatch))
	hand := newHandRelay(dialect, db)
	var costs, others, ratios []float64
	for b.Loop() {
		tellBoth(b, store)
		cost, by := handingOn(b, relay.Step), handingOn(b, hand.step)
		costs, others, ratios = append(costs, cost), append(others, by), append(ratios, cost/by)
	}
	b.ReportMetric(0, "ns/op") // of both sides and the writing of the events: of no meaning
	b.ReportMetric(median(costs), "usher-ns")
	b.ReportMetric(median(others), "hand-ns")
	b.ReportMetric(median(ratios), "x-hand")
	b.ReportMetric(1e9/median(costs), "events/s")
}

// tellBoth writes an event to each team, for both sides.
func tellBoth(b *testing.B, store storage.Store) {
	b.Helper()
	require.NoError(b, store.InTx(b.Context(), func(ctx context.Context) error {
		for n := range relayed {
			team := nth[uuid.UUID](n)
			if err := store.Append(ctx, outbox.Event{
				ID: uuid.Must(uuid.NewV7()), Stream: outbox.Stream{Kind: outbox.TeamStream, ID: team}, Team: team,
				Kind: tenancy.TeamRenamed, Version: 1, Principal: "system:test", At: time.Now(),
				Payload: []byte(`{"team":"` + team.String() + `"}`), Lanes: []string{"usher", "hand"},
			}); err != nil {
				return err
			}
		}
		return nil
	}))
}

// handingOn is what one event costs, in nanoseconds.
func handingOn(b *testing.B, step func(context.Context) (int, error)) float64 {
	b.Helper()
	start := time.Now()
	for left := relayed; left > 0; {
		n, err := step(b.Context())
		if err != nil || n == 0 {
			b.Fatalf("%d of %d events were not handed on: %v", left, relayed, err)
		}
		left -= n
	}
	return float64(time.Since(start).Nanoseconds()) / relayed
}

// handRelay leases a batch in one transaction and deletes each row once it was handed on. Like a relay
// it hands out the first event of a stream alone, and to one of several.
type handRelay struct {
	db                *sql.DB
	poll, lease, mark string
}

func newHandRelay(dialect string, db *sql.DB) handRelay {
	h := handRelay{db: db, poll: `SELECT o.event_id, e.kind, e.payload, e.seq FROM usher_outbox o JOIN usher_events e ON e.id = o.event_id
		WHERE o.lane = 'hand' AND o.due_at <= ? AND NOT EXISTS (SELECT 1 FROM usher_outbox b WHERE b.lane = o.lane
			AND b.stream_kind = o.stream_kind AND b.stream_id = o.stream_id AND b.due_at IS NOT NULL AND b.seq < o.seq)
		ORDER BY o.due_at, o.event_id LIMIT ` + strconv.Itoa(relayBatch)}
	if dialect != "sqlite" {
		h.poll += ` FOR UPDATE SKIP LOCKED`
	}
	h.lease = `UPDATE usher_outbox SET due_at = ?, attempts = attempts + 1, leased = 1 WHERE lane = 'hand' AND event_id IN (?` +
		strings.Repeat(`, ?`, relayBatch-1) + `)`
	h.mark = `DELETE FROM usher_outbox WHERE lane = 'hand' AND event_id = ? AND due_at = ?`
	if dialect == "postgres" {
		for _, query := range []*string{&h.poll, &h.lease, &h.mark} {
			for n := 1; strings.Contains(*query, "?"); n++ {
				*query = strings.Replace(*query, "?", "$"+strconv.Itoa(n), 1)
			}
		}
	}
	return h
}

func (h handRelay) step(ctx context.Context) (int, error) {
	until := time.Now().Add(time.Minute).UnixMicro()
	ids, err := h.take(ctx, until)
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		if _, err := h.db.ExecContext(ctx, h.mark, id, until); err != nil {
			return 0, err
		}
	}
	return len(ids), nil
}

// take answers a full batch, of which there are always enough.
func (h handRelay) take(ctx context.Context, until int64) (ids []any, err error) {
	tx, err := h.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }()
	rows, err := tx.QueryContext(ctx, h.poll, time.Now().UnixMicro())
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id any
		var kind string
		var payload []byte
		var sequence int64
		if err := rows.Scan(&id, &kind, &payload, &sequence); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if _, err := tx.ExecContext(ctx, h.lease, append([]any{until}, ids...)...); err != nil {
		return nil, err
	}
	return ids, tx.Commit()
}
