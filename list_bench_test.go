package usher_test

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/sqlstore"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/tenancy"
)

// BenchmarkListConversations reads pages of 50 from the beginning and from the middle of a team's
// list, against a keyset query by hand after one that reads the same facts of the member. The bar is
// 1.5 times as long; a page of a million must not take 1.5 times as long as one of a thousand, nor one from
// the middle 1.3 times as long as the first.
func BenchmarkListConversations(b *testing.B) {
	everystore.Measured(b, func(b *testing.B, dialect string, store *sqlstore.Store, db *sql.DB) {
		if dialect == "mysql" {
			b.Skip("there is no bar for it")
		}
		sizes := []int{1_000, 100_000, 1_000_000}
		if dialect != "sqlite" {
			sizes = sizes[:2] // a million rows, each sent to a server, take longer than they are worth
		}
		if testing.Short() {
			sizes = sizes[:1]
		}
		w := newDesk(b, store)
		for _, size := range sizes {
			w.grow(b, size)
			w.analyze(b, dialect, db)
			b.Run("rows="+strconv.Itoa(size), func(b *testing.B) {
				for _, place := range []string{"first", "middle"} {
					var after tenancy.Cursor
					if place == "middle" {
						after = w.middle(b, size)
					}
					b.Run(place, func(b *testing.B) {
						inTurns(b, atRandom(1), w.listing(b.Context(), w.member, 50, after), w.byHand(b, dialect, db, handPage(place, size)))
					})
				}
			})
		}
	})
}

// BenchmarkListScope lists what a guest of 20 conversations sees among 10,000, against the join by
// hand. The bar is 1.5 times as long.
func BenchmarkListScope(b *testing.B) {
	b.Run("guest", func(b *testing.B) {
		everystore.Measured(b, func(b *testing.B, dialect string, store *sqlstore.Store, db *sql.DB) {
			if dialect == "mysql" {
				b.Skip("there is no bar for it")
			}
			rows := 10_000
			if testing.Short() {
				rows = 1_000
			}
			w := newDesk(b, store)
			w.grow(b, rows)
			w.grant(b, 20)
			w.analyze(b, dialect, db)
			inTurns(b, atRandom(1), w.listing(b.Context(), w.guest, 20, ""), w.byHand(b, dialect, db, handGuest))
		})
	})
}

// desk is a team with a member, a guest and a number of conversations.
type desk struct {
	u             *usher.Usher
	store         storage.Store
	team          tenancy.Team
	contact       conversation.Contact
	member, guest tenancy.Actor
	rows          int
}

func newDesk(b *testing.B, store storage.Store) *desk {
	b.Helper()
	const teams crowd = 2 // the second is there to be left alone
	teams.fill(b, store)
	w := &desk{u: newUsher(b, store), store: store, team: teams.team(0), member: teams.actor(1)}
	w.guest = tenancy.Actor{User: nth[tenancy.UserID](11), Team: w.team.ID}
	w.contact = conversation.Contact{
		ID: nth[tenancy.ContactID](0), Team: w.team.ID, Channel: tenancy.ChatChannel, Address: "visitor", CreatedAt: crowdSince, Version: 1,
	}
	guest := teams.membership(2)
	guest.User, guest.Role = w.guest.User, rbac.Restricted
	require.NoError(b, store.InTx(b.Context(), func(ctx context.Context) error {
		if err := store.InsertMembership(ctx, guest); err != nil {
			return err
		}
		return store.InsertContact(ctx, w.contact)
	}))
	return w
}

// at is when the n-th conversation was last written to.
func (w *desk) at(n int) time.Time { return crowdSince.Add(time.Duration(n) * time.Second) }

// grow adds conversations, one in four of them open, until there are as many.
func (w *desk) grow(b *testing.B, rows int) {
	b.Helper()
	const batch = 1_000
	for w.rows < rows {
		require.NoError(b, w.store.InTx(b.Context(), func(ctx context.Context) error {
			for range batch {
				if err := w.store.InsertConversation(ctx, w.conversation(w.rows)); err != nil {
					return err
				}
				w.rows++
			}
			return nil
		}))
	}
}

func (w *desk) conversation(n int) conversation.Conversation {
	c := conversation.Conversation{
		ID: nth[tenancy.ConversationID](n), Account: w.team.Account, Team: w.team.ID, Contact: w.contact.ID,
		Identity: tenancy.Chat("acme"), Address: fmt.Sprint("visitor-", n),
		Status: conversation.Closed, Episode: 1, Label: conversation.NewLabel, LastAt: w.at(n), IdleSince: w.at(n), CreatedAt: w.at(n), Version: 1,
	}
	if n%4 == 0 {
		c.Status, c.NeedsReplySince = conversation.Open, w.at(n)
	}
	return c
}

// grant lets the guest see that many conversations, from all over the list.
func (w *desk) grant(b *testing.B, n int) {
	b.Helper()
	require.NoError(b, w.store.InTx(b.Context(), func(ctx context.Context) error {
		for i := range n {
			g := conversation.Grant{
				Conversation: nth[tenancy.ConversationID](i * (w.rows / n)), User: w.guest.User, Inviter: w.member.User,
				AcceptedAt: crowdSince, Version: 1,
			}
			if err := w.store.InsertGrant(ctx, g); err != nil {
				return err
			}
		}
		return nil
	}))
}

// analyze lets the engine look at how much there is, as a database that is in use has done.
func (w *desk) analyze(b *testing.B, dialect string, db *sql.DB) {
	b.Helper()
	text := "ANALYZE"
	if dialect == "mysql" {
		text = "ANALYZE TABLE usher_conversations"
	}
	_, err := db.ExecContext(b.Context(), text)
	require.NoError(b, err)
}

// listing is usher's side. Every page is full.
func (w *desk) listing(ctx context.Context, actor tenancy.Actor, limit int, after tenancy.Cursor) side {
	return side{"usher", 20, func(int) error {
		page, err := w.u.Conversations.List(ctx, actor, conversation.Filter{}, tenancy.Page{Limit: limit, After: after})
		if err == nil && len(page.Items) != limit {
			err = fmt.Errorf("usher listed %d conversations", len(page.Items))
		}
		return err
	}}
}

// middle is where the second half of the list begins.
func (w *desk) middle(b *testing.B, rows int) (after tenancy.Cursor) {
	b.Helper()
	for range rows / 2 / tenancy.MaxLimit {
		page, err := w.u.Conversations.List(b.Context(), w.member, conversation.Filter{}, tenancy.Page{Limit: tenancy.MaxLimit, After: after})
		require.NoError(b, err)
		after = page.Next
	}
	return after
}

// byHand is the other side: what the actor is, and then the rows.
func (w *desk) byHand(b *testing.B, dialect string, db *sql.DB, list func(w *desk, s *session) int) side {
	b.Helper()
	h := hand{db, dialect}
	return side{"hand", 20, func(int) error {
		s := &session{hand: h, ctx: b.Context(), on: db}
		s.row(handAuthority, s.id(w.team.ID), s.id(w.member.User))
		want := list(w, s)
		if s.err == nil && want != 0 {
			s.err = fmt.Errorf("by hand %d rows were missing", want)
		}
		return s.err
	}}
}

const handColumns = `SELECT c.id, c.account_id, c.team_id, c.contact_id, c.channel, c.identity, c.address, c.status, c.snoozed_until,
	c.episode, c.label, c.outcome, c.assignee_id, c.claimant_id, c.claimed_until, c.last_seq, c.last_at, c.idle_since,
	c.needs_reply_since, c.first_sent_at, c.created_at, c.version FROM `

// handRow is a conversation as a host would read it.
type handRow struct {
	id, account, team, contact                         uuid.UUID
	assignee, claimant                                 uuid.NullUUID
	channel, identity, address, status, label, outcome string
	episode, lastSeq, version                          int64
	claimedUntil, lastAt, idleSince, createdAt         time.Time
	snoozedUntil, needsReplySince, firstSentAt         sql.NullTime
}

// threads reads rows into values, as whoever asks for them has to, and answers how many they are.
func (s *session) threads(text string, args ...any) int {
	rows, err := s.on.QueryContext(s.ctx, s.sql(text), args...)
	if err != nil {
		s.err = err
		return 0
	}
	defer func() { _ = rows.Close() }()
	var all []handRow
	for rows.Next() {
		var r handRow
		var claimed, last, idle, created int64
		var snoozed, waits, sent sql.NullInt64
		if s.err = rows.Scan(&r.id, &r.account, &r.team, &r.contact, &r.channel, &r.identity, &r.address, &r.status, &snoozed, &r.episode,
			&r.label, &r.outcome, &r.assignee, &r.claimant, &claimed, &r.lastSeq, &last, &idle, &waits, &sent, &created, &r.version); s.err != nil {
			return 0
		}
		r.claimedUntil, r.lastAt, r.idleSince, r.createdAt = moment(claimed), moment(last), moment(idle), moment(created)
		r.snoozedUntil, r.needsReplySince, r.firstSentAt = maybe(snoozed), maybe(waits), maybe(sent)
		all = append(all, r)
	}
	s.err = rows.Err()
	return len(all)
}

func moment(micros int64) time.Time { return time.UnixMicro(micros).UTC() }

func maybe(micros sql.NullInt64) sql.NullTime {
	return sql.NullTime{Time: moment(micros.Int64), Valid: micros.Valid}
}

// handPage reads a page and answers how many rows it lacks.
func handPage(place string, size int) func(w *desk, s *session) int {
	return func(w *desk, s *session) int {
		const limit = 50
		if place == "first" {
			return limit - s.threads(handColumns+`usher_conversations c WHERE c.team_id = ? ORDER BY c.last_at DESC, c.id DESC LIMIT ?`,
				s.id(w.team.ID), limit)
		}
		last := size - size/2/tenancy.MaxLimit*tenancy.MaxLimit
		return limit - s.threads(handColumns+`usher_conversations c WHERE c.team_id = ? AND (c.last_at, c.id) < (?, ?)
			ORDER BY c.last_at DESC, c.id DESC LIMIT ?`, s.id(w.team.ID), w.at(last).UnixMicro(), s.id(nth[tenancy.ConversationID](last)), limit)
	}
}

func handGuest(w *desk, s *session) int {
	const limit = 20
	return limit - s.threads(handColumns+`usher_grants g JOIN usher_conversations c ON c.id = g.conversation_id
		WHERE g.user_id = ? AND g.revoked_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > ?) AND c.team_id = ?
		ORDER BY c.created_at DESC, c.id DESC LIMIT ?`, s.id(w.guest.User), time.Now().UnixMicro(), s.id(w.team.ID), limit+1)
}
