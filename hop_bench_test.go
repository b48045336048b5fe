package usher_test

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/sqlstore"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/tenancy"
)

// BenchmarkHop has 16 takers share out all that waits, 3,200 conversations, by usher's Next and by the best
// claim that each engine has by hand, which reads the same facts of the member and writes the same event. Each
// side must give out each conversation once. The bar is 1.5 times as long, and that a hop costs the same
// among a thousand conversations that are closed or another team's and among a hundred thousand.
func BenchmarkHop(b *testing.B) {
	everystore.Measured(b, func(b *testing.B, dialect string, store *sqlstore.Store, db *sql.DB) {
		waiting, others := 3_200, []int{1_000, 100_000}
		if testing.Short() {
			waiting, others = 64, others[:1]
		}
		w := &hopping{desk: newDesk(b, store), hand: hand{db, dialect}}
		w.takers(b)
		w.waiting(b, waiting)
		for _, n := range others {
			w.others(b, n)
			w.analyze(b, dialect, db)
			b.Run("others="+strconv.Itoa(n), func(b *testing.B) {
				by := &handHop{hand: w.hand, desk: w.desk}
				var costs, others, ratios []float64
				for turn := 0; b.Loop(); turn++ {
					var cost, other float64
					if turn%2 == 0 { // who comes first after the claims were taken off finds other caches
						cost, other = w.shareOut(b, w.next), w.shareOut(b, by.next)
					} else {
						other, cost = w.shareOut(b, by.next), w.shareOut(b, w.next)
					}
					costs, others, ratios = append(costs, cost), append(others, other), append(ratios, cost/other)
				}
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(median(costs), "usher-ns")
				b.ReportMetric(median(others), "hand-ns")
				b.ReportMetric(median(ratios), "x-hand")
			})
		}
	})
}

// hopping is a desk at which many take what waits.
type hopping struct {
	*desk
	hand
	staff   []tenancy.Actor
	waits   int // the conversations from waitsFrom on
	closed  int // those from 0 on, of which every other one is the other team's
	contact conversation.Contact
}

const (
	hopTakers = 16
	waitsFrom = 10_000_000
)

// takers are the members who hop.
func (w *hopping) takers(b *testing.B) {
	b.Helper()
	require.NoError(b, w.store.InTx(b.Context(), func(ctx context.Context) error {
		for n := range hopTakers {
			user := nth[tenancy.UserID](1_000 + n)
			u := tenancy.User{ID: user, Name: "Taker", Status: tenancy.UserActive, CreatedAt: crowdSince, Version: 1}
			if err := w.store.InsertUser(ctx, u); err != nil {
				return err
			}
			m := tenancy.Membership{
				Team: w.team.ID, User: user, Role: rbac.Member, Status: tenancy.MembershipActive, JoinedAt: crowdSince, Version: 1,
			}
			if err := w.store.InsertMembership(ctx, m); err != nil {
				return err
			}
			w.staff = append(w.staff, tenancy.Actor{User: user, Team: w.team.ID})
		}
		other := crowd(2).team(1)
		w.contact = w.desk.contact
		w.contact.ID, w.contact.Team = nth[tenancy.ContactID](1), other.ID
		return w.store.InsertContact(ctx, w.contact)
	}))
}

// waiting adds what is to be taken.
func (w *hopping) waiting(b *testing.B, rows int) {
	b.Helper()
	w.insert(b, rows, func(n int) conversation.Conversation {
		c := w.conversation(waitsFrom + n)
		c.Status, c.NeedsReplySince = conversation.Open, w.at(n)
		return c
	})
	w.waits = rows
}

// others adds what is not: closed conversations of the team, and ones that wait in the other team.
func (w *hopping) others(b *testing.B, rows int) {
	b.Helper()
	from := w.closed
	w.insert(b, rows-from, func(n int) conversation.Conversation {
		c := w.conversation(from + n)
		c.Status, c.NeedsReplySince = conversation.Closed, time.Time{}
		if n%2 == 0 {
			c.Team, c.Contact, c.Account = w.contact.Team, w.contact.ID, crowd(2).team(1).Account
			c.Status, c.NeedsReplySince = conversation.Open, w.at(n)
		}
		return c
	})
	w.closed = rows
}

func (w *hopping) insert(b *testing.B, rows int, row func(n int) conversation.Conversation) {
	b.Helper()
	const batch = 1_000
	for from := 0; from < rows; from += batch {
		require.NoError(b, w.store.InTx(b.Context(), func(ctx context.Context) error {
			for n := from; n < min(from+batch, rows); n++ {
				if err := w.store.InsertConversation(ctx, row(n)); err != nil {
					return err
				}
			}
			return nil
		}))
	}
}

// errNone ends a taker's work.
var errNone = errors.New("nothing is left")

func (w *hopping) next(ctx context.Context, actor tenancy.Actor) (tenancy.ConversationID, error) {
	c, err := w.u.Conversations.Next(ctx, actor, conversation.Unclaimed)
	if errors.Is(err, conversation.ErrAllTaken) {
		err = errNone
	}
	return c.ID, err
}

// shareOut has all takers take until nothing is left, and answers what one conversation costs, in
// nanoseconds of all takers' time together. Each must have been given out once.
func (w *hopping) shareOut(b *testing.B, next func(context.Context, tenancy.Actor) (tenancy.ConversationID, error)) float64 {
	b.Helper()
	w.release(b)
	taken := make([][]tenancy.ConversationID, len(w.staff))
	failed := make([]error, len(w.staff))
	var all sync.WaitGroup
	start := time.Now()
	for i, actor := range w.staff {
		all.Go(func() {
			for {
				id, err := next(b.Context(), actor)
				if err != nil {
					failed[i] = err
					return
				}
				taken[i] = append(taken[i], id)
			}
		})
	}
	all.Wait()
	cost := float64(time.Since(start).Nanoseconds()) / float64(w.waits)
	given := map[tenancy.ConversationID]bool{}
	for i, ids := range taken {
		require.ErrorIs(b, failed[i], errNone)
		for _, id := range ids {
			require.False(b, given[id], "a conversation was given out twice")
			given[id] = true
		}
	}
	require.Len(b, given, w.waits, "conversations were lost")
	return cost
}

// release takes all claims off again. PostgreSQL is made to throw away what the rows were before, so that no
// side steps over what the other one has left.
func (w *hopping) release(b *testing.B) {
	b.Helper()
	s := &session{hand: w.hand, ctx: b.Context(), on: w.db}
	s.exec(`UPDATE usher_conversations SET claimant_id = NULL, claimed_until = ? WHERE team_id = ? AND claimant_id IS NOT NULL`,
		time.Time{}.UnixMicro(), s.id(w.team.ID))
	if w.postgres() {
		s.exec(`VACUUM usher_conversations`)
	}
	require.NoError(b, s.err)
}

// handHop claims the next conversation by hand.
type handHop struct {
	hand
	*desk
	// turn is what a program that writes SQLite by hand has too, since its writers would be refused else.
	turn sync.Mutex
}

func (h *handHop) next(ctx context.Context, actor tenancy.Actor) (id tenancy.ConversationID, err error) {
	if h.dialect == "sqlite" {
		h.turn.Lock()
		defer h.turn.Unlock()
	}
	err = h.transaction(ctx, func(s *session) { id = h.claim(s, actor) })
	return id, err
}

// handWaits is the first that waits, is nobody's and was not skipped by the taker.
const handWaits = `usher_conversations c WHERE c.team_id = ? AND c.status = 'open' AND c.needs_reply_since IS NOT NULL
	AND c.assignee_id IS NULL AND c.claimed_until <= ? AND NOT EXISTS (SELECT 1 FROM usher_skips k
		WHERE k.conversation_id = c.id AND k.user_id = ? AND k.ends_at > ?)
	ORDER BY c.needs_reply_since, c.id LIMIT 1`

// claim finds, locks and claims: by one statement where the engine has one.
func (h *handHop) claim(s *session, actor tenancy.Actor) (taken tenancy.ConversationID) {
	const set = `UPDATE usher_conversations SET claimant_id = ?, claimed_until = ?, version = version + 1 WHERE id = `
	var share, skip string
	if h.dialect != "sqlite" {
		skip = ` FOR UPDATE SKIP LOCKED`
	}
	if h.postgres() {
		share = ` FOR SHARE`
	}
	if h.dialect == "mysql" {
		share = ` LOCK IN SHARE MODE`
	}
	s.row(strings.Replace(handAuthority, "user_id = ?)", "user_id = ?"+share+")", 1), s.id(h.team.ID), s.id(actor.User))
	now := time.Now()
	until := now.Add(conversation.ClaimLease)
	what := []any{s.id(h.team.ID), now.UnixMicro(), s.id(actor.User), now.UnixMicro()}
	how := []any{s.id(actor.User), until.UnixMicro()}
	var c []any
	if h.dialect == "mysql" {
		if c = s.row(handColumns+handWaits+skip, what...); c != nil {
			s.exec(set+`?`, append(how, c[0])...)
		}
	} else {
		columns := strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(handColumns, "SELECT"), "FROM "), "c.", "")
		c = s.row(set+`(SELECT c.id FROM `+handWaits+skip+`) RETURNING`+columns, append(how, what...)...)
	}
	if s.err != nil {
		return taken
	}
	if c == nil {
		s.err = errNone
		return taken
	}
	var id uuid.UUID
	s.err = id.Scan(c[0])
	taken = tenancy.ConversationID(id)
	s.event(handEvent{
		table: "usher_conversations", stream: "conversation", id: taken, account: c[1], team: h.team.ID,
		kind: conversation.ConversationClaimed, by: "user:" + actor.User.String(), at: now.UnixMicro(),
		facts: tenancy.Facts{"user": actor.User.String(), "until": until.Format(time.RFC3339Nano)},
	})
	return taken
}
