package usher_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/storage/sqlstore"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/tenancy"
)

// BenchmarkAppend says something in conversations, by one writer and by 16 with a conversation each,
// against transactions written by hand that send the same statements. The bar is 1.3 times as long.
func BenchmarkAppend(b *testing.B) {
	everystore.Measured(b, func(b *testing.B, dialect string, store *sqlstore.Store, db *sql.DB) {
		if dialect == "mysql" {
			b.Skip("there is no bar for it")
		}
		w := newDesk(b, store)
		w.grow(b, 64)
		w.introduce(b)
		for _, writers := range []int{1, maxWriters} {
			b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
				by := &handSend{hand: hand{db, dialect}, desk: w}
				var costs, others, ratios []float64
				for b.Loop() {
					cost, other := appending(b, writers, w.say), appending(b, writers, by.say)
					costs, others, ratios = append(costs, cost), append(others, other), append(ratios, cost/other)
				}
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(median(costs), "usher-ns")
				b.ReportMetric(median(others), "hand-ns")
				b.ReportMetric(median(ratios), "x-hand")
				w.requireNoGaps(b)
			})
		}
	})
}

const (
	maxWriters = 16
	saidEach   = 8 // by each writer in a turn
	said       = "Tuesday at nine would suit us"
)

// spoken is the n-th open conversation.
func spoken(n int) tenancy.ConversationID { return nth[tenancy.ConversationID](4 * n) }

// appending is what one message costs, in nanoseconds of all writers' time together.
func appending(b *testing.B, writers int, say func(ctx context.Context, id tenancy.ConversationID, key string) error) float64 {
	b.Helper()
	var all sync.WaitGroup
	var failed atomic.Pointer[error]
	turn := uuid.NewString()
	start := time.Now()
	for writer := range writers {
		all.Go(func() {
			for i := range saidEach {
				if err := say(b.Context(), spoken(writer), fmt.Sprint(turn, writer, i)); err != nil {
					failed.Store(&err)
				}
			}
		})
	}
	all.Wait()
	if err := failed.Load(); err != nil {
		b.Fatal(*err)
	}
	return float64(time.Since(start).Nanoseconds()) / float64(writers*saidEach)
}

func (w *desk) say(ctx context.Context, id tenancy.ConversationID, key string) error {
	_, err := w.u.Conversations.Send(ctx, w.member, id, said, conversation.ClientID(key))
	return err
}

// introduce says the first thing to each contact, which costs more.
func (w *desk) introduce(b *testing.B) {
	b.Helper()
	for n := range maxWriters {
		require.NoError(b, w.say(b.Context(), spoken(n), fmt.Sprint("first ", n)))
	}
}

// requireNoGaps shows that both sides did their work.
func (w *desk) requireNoGaps(b *testing.B) {
	b.Helper()
	for n := range maxWriters {
		c, err := w.u.Conversations.Get(b.Context(), w.member, spoken(n))
		require.NoError(b, err)
		last, err := w.u.Conversations.MessagesBefore(b.Context(), w.member, spoken(n), 0, tenancy.MaxLimit)
		require.NoError(b, err)
		require.NotEmpty(b, last)
		for i, m := range last {
			require.Equal(b, c.LastSeq-int64(len(last)-1-i), m.Seq)
			require.Equal(b, said, m.Text)
		}
	}
}

// handSend says something by what usher sends, written out.
type handSend struct {
	hand
	*desk
	// turn is what a program that writes SQLite by hand has too, since its writers would be refused else.
	turn sync.Mutex
}

func (h *handSend) say(ctx context.Context, id tenancy.ConversationID, key string) error {
	if !h.postgres() {
		h.turn.Lock()
		defer h.turn.Unlock()
	}
	return h.transaction(ctx, func(s *session) { h.write(s, id, sha256.Sum256([]byte(key))) })
}

func (h *handSend) write(s *session, id tenancy.ConversationID, key [32]byte) {
	share := ""
	if h.postgres() {
		share = " FOR SHARE"
	}
	s.row(strings.Replace(handAuthority, "user_id = ?)", "user_id = ?"+share+")", 1), s.id(h.team.ID), s.id(h.member.User))
	s.lock("usher_conversations", id)
	c := s.row(handColumns+`usher_conversations c WHERE c.id = ? AND c.team_id = ?`, s.id(id), s.id(h.team.ID))
	if s.row(`SELECT m.id, m.conversation_id, m.body FROM usher_messages m WHERE m.message_key = ?`, key[:]) != nil || c == nil {
		return
	}
	s.row(`SELECT channel, identity, address, account_id, cause, caused_by, caused_at, reason, message_id, lifted_at, lifted_by, version
		FROM usher_opt_outs WHERE channel = ? AND identity = ? AND address = ?`, c[4], c[5], c[6])
	if s.err != nil {
		return
	}
	now := time.Now().UnixMicro()
	message, by := uuid.Must(uuid.NewV7()), "user:"+h.member.User.String()
	seq := c[15].(int64) + 1
	s.exec(`INSERT INTO usher_messages (id, conversation_id, seq, kind, author_id, body, footer, attachments, sent_at, edited_at, deleted_at,
		status, failure, handed_at, message_key, receipt_key, version) VALUES (?, ?, ?, 'outbound', ?, ?, '', '', ?, ?, ?, 'queued', '', ?, ?, ?, 1)`,
		s.id(message), s.id(id), seq, s.id(h.member.User), said, now, nil, nil, nil, key[:], nil)
	var words []any
	found := conversation.Words(said)
	for _, word := range found {
		words = append(words, s.id(h.team.ID), int64(word), now, s.id(message))
	}
	s.exec(`INSERT INTO usher_words (team_id, word, sent_at, message_id) VALUES (?, ?, ?, ?)`+strings.Repeat(`, (?, ?, ?, ?)`, len(found)-1), words...)
	s.exec(`UPDATE usher_conversations SET team_id = ?, contact_id = ?, channel = ?, identity = ?, address = ?, status = ?, snoozed_until = ?,
		episode = ?, label = ?, outcome = ?, assignee_id = ?, claimant_id = ?, claimed_until = ?, last_seq = ?, last_at = ?, idle_since = ?,
		needs_reply_since = ?, first_sent_at = ?, version = version + 1 WHERE id = ? AND team_id = ? AND version = ?`,
		c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10], c[11], c[12], c[13], c[14], seq, now, now, nil, c[19], c[0], c[2], c[21])
	s.event(handEvent{
		table: "usher_conversations", stream: "conversation", id: id, account: c[1], team: h.team.ID,
		kind: conversation.MessageSent, by: by, at: now,
		facts: tenancy.Facts{"message": message.String(), "seq": fmt.Sprint(seq)},
	})
}
