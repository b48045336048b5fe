package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/storage/internal/testdb"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/storage/sqlstore"
	"github.com/usher-go/usher/tenancy"
)

// A recorder notes the statements that reach the driver.
type recorder struct {
	mu   sync.Mutex
	seen []string
}

func (r *recorder) tap() *testdb.Tap {
	return &testdb.Tap{Before: func(_ context.Context, call, query string) error {
		if call == "exec" || call == "query" {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.seen = append(r.seen, query)
		}
		return nil
	}}
}

// take answers what was seen since the last take.
func (r *recorder) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	seen := r.seen
	r.seen = nil
	return seen
}

// frame is what begins and ends a transaction.
var frame = map[string]int{"sqlite": 3, "postgres-pgx": 2, "postgres-pq": 2, "mysql": 3}

// Each method costs the statements that are listed here, whatever is stored.
func TestStatementCounts(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		var r recorder
		store := e.migrated(t, e.connect(t, e.dsn(t), r.tap()))
		s := stored(t, store, "counted")
		stored(t, store, "bystander")
		lock := 2 // an update that takes the row, and a read
		if e.name == "sqlite" {
			lock = 1
		}
		page := tenancy.Keyset{Limit: 10}
		count := func(want int, method string, call func(ctx context.Context) error) {
			t.Helper()
			r.take()
			require.NoError(t, call(t.Context()), method)
			require.Len(t, r.take(), want, method)
		}
		within := func(want int, method string, call func(ctx context.Context) error) {
			t.Helper()
			count(frame[e.name]+want, method, func(ctx context.Context) error { return store.InTx(ctx, call) })
		}
		reads := map[string]func(ctx context.Context) error{
			"User":       func(ctx context.Context) error { _, err := store.User(ctx, s.user.ID); return err },
			"Authority":  func(ctx context.Context) error { _, err := store.Authority(ctx, s.team.ID, s.user.ID); return err },
			"Members":    func(ctx context.Context) error { _, err := store.Members(ctx, s.team.ID, page); return err },
			"TeamsOf":    func(ctx context.Context) error { _, err := store.TeamsOf(ctx, s.user.ID, page); return err },
			"AccountsOf": func(ctx context.Context) error { _, err := store.AccountsOf(ctx, s.user.ID, page); return err },
			"SeatsTaken": func(ctx context.Context) error {
				_, err := store.SeatsTaken(ctx, noon, tenancy.SeatQuery{Pending: true}, s.account.ID)
				return err
			},
			"InvitationLoads": func(ctx context.Context) error {
				_, err := store.InvitationLoads(ctx, s.user.ID, noon, s.team.ID)
				return err
			},
			"Authorities": func(ctx context.Context) error {
				_, err := store.Authorities(ctx, s.user.ID, s.team.ID)
				return err
			},
			"Lapsed": func(ctx context.Context) error { _, err := store.Lapsed(ctx, noon, 10); return err },
			"Broken": func(ctx context.Context) error {
				_, err := store.Broken(ctx, tenancy.FlawNoManager, noon, tenancy.Finding{}, 10)
				return err
			},
			"Invitations": func(ctx context.Context) error {
				_, err := store.Invitations(ctx, s.team.ID, invite.Filter{}, page)
				return err
			},
			"Uses": func(ctx context.Context) error {
				_, err := store.Uses(ctx, s.team.ID, s.invitation.ID, page)
				return err
			},
			"JoinableTeams": func(ctx context.Context) error {
				_, err := store.JoinableTeams(ctx, "acme.example", s.user.ID, page)
				return err
			},
			"PendingRequest": func(ctx context.Context) error {
				_, err := store.PendingRequest(ctx, s.team.ID, s.user.ID)
				require.ErrorIs(t, err, tenancy.ErrNotFound)
				return nil
			},
			"RequestsOf": func(ctx context.Context) error { _, err := store.RequestsOf(ctx, s.user.ID, page); return err },
			"RequestLoad": func(ctx context.Context) error {
				_, err := store.RequestLoad(ctx, s.invitation.Invitation, noon)
				return err
			},
			"Batch": func(ctx context.Context) error {
				_, err := store.Batch(ctx, s.account.ID, tenancy.BatchID(s.user.ID))
				return err
			},
			"Conversations": func(ctx context.Context) error {
				_, err := store.Conversations(ctx, conversation.Scope{Team: s.team.ID, Guest: s.user.ID, At: noon}, conversation.Filter{}, page)
				return err
			},
			"Application": func(ctx context.Context) error {
				_, err := store.Application(ctx, s.team.ID, s.application.ID)
				return err
			},
			"ApplicationByExternalID": func(ctx context.Context) error {
				_, err := store.ApplicationByExternalID(ctx, s.account.ID, s.application.ExternalID)
				return err
			},
			"FirstApplication": func(ctx context.Context) error {
				_, err := store.FirstApplication(ctx, s.team.ID, s.contact.ID)
				return err
			},
			"Applications": func(ctx context.Context) error {
				_, err := store.Applications(ctx, s.team.ID, s.contact.ID, page)
				return err
			},
			"Messages": func(ctx context.Context) error {
				_, err := store.Messages(ctx, s.conversation.ID, conversation.Range{Limit: 10})
				return err
			},
			"FindReceipt": func(ctx context.Context) error {
				_, err := store.FindReceipt(ctx, s.message.Receipt)
				return err
			},
			"Search": func(ctx context.Context) error {
				_, err := store.Search(ctx, s.team.ID, []conversation.Word{1, 2, 3}, true, page)
				return err
			},
			"ConversationsByAddress": func(ctx context.Context) error {
				_, err := store.ConversationsByAddress(ctx, s.team.Identity, s.contact.Address)
				return err
			},
			"LapsedGrants": func(ctx context.Context) error { _, err := store.LapsedGrants(ctx, noon, 10); return err },
			"Hand": func(ctx context.Context) error {
				_, err := store.Hand(ctx, s.team.ID, conversation.Line{User: s.user.ID, At: noon, Claimed: true, Assigned: true})
				return err
			},
			"Waits": func(ctx context.Context) error {
				_, err := store.Waits(ctx, s.team.ID, conversation.Line{User: s.user.ID, At: noon, Free: true})
				return err
			},
			"HeldBy": func(ctx context.Context) error {
				_, err := store.HeldBy(ctx, tenancy.Actor{User: s.user.ID, Team: s.team.ID})
				return err
			},
			"Managed": func(ctx context.Context) error { _, err := store.Managed(ctx, s.user.ID, s.team.ID); return err },
			"LastingRoles": func(ctx context.Context) error {
				_, err := store.LastingRoles(ctx, s.user.ID, s.team.ID)
				return err
			},
			"Teams":    func(ctx context.Context) error { _, err := store.Teams(ctx, s.team.ID); return err },
			"Accounts": func(ctx context.Context) error { _, err := store.Accounts(ctx, s.account.ID); return err },
			"PendingBy": func(ctx context.Context) error {
				_, err := store.PendingBy(ctx, tenancy.Actor{User: s.user.ID, Team: s.team.ID})
				return err
			},
			"ClaimsEnded": func(ctx context.Context) error { _, err := store.ClaimsEnded(ctx, noon, 10); return err },
			"SnoozeEnded": func(ctx context.Context) error { _, err := store.SnoozeEnded(ctx, noon, 10); return err },
			"Idle":        func(ctx context.Context) error { _, err := store.Idle(ctx, noon, 10); return err },
			"Episodes":    func(ctx context.Context) error { _, err := store.Episodes(ctx, s.conversation.ID, 0, 10); return err },
			"Delivery":    func(ctx context.Context) error { _, err := store.Delivery(ctx, s.team.ID, s.delivery.ID); return err },
			"DeliveriesTo": func(ctx context.Context) error {
				_, err := store.DeliveriesTo(ctx, s.team.ID, s.user.ID, noon, page)
				return err
			},
			"LapsedDeliveries": func(ctx context.Context) error { _, err := store.LapsedDeliveries(ctx, noon, 10); return err },
			"DeliveriesOf":     func(ctx context.Context) error { _, err := store.DeliveriesOf(ctx, s.team.ID, page); return err },
			"TeamEvents": func(ctx context.Context) error {
				_, err := store.TeamEvents(ctx, s.team.ID.UUID(), outbox.LogFilter{}, time.Time{}, uuid.Nil, 10)
				return err
			},
		}
		for method, call := range reads {
			count(1, method+" outside", call)
			within(1, method+" inside", call)
		}
		within(0, "InTx", func(context.Context) error { return nil })
		within(lock, "LockTeam", func(ctx context.Context) error { _, err := store.LockTeam(ctx, s.team.ID); return err })
		within(lock, "LockTeams", func(ctx context.Context) error { _, err := store.LockTeams(ctx, s.team.ID, s.team.ID); return err })
		within(lock, "LockAccounts", func(ctx context.Context) error { _, err := store.LockAccounts(ctx, s.team.Account); return err })
		within(lock, "LockConversation", func(ctx context.Context) error {
			_, err := store.LockConversation(ctx, s.team.ID, s.conversation.ID)
			return err
		})
		within(lock, "LockOpen", func(ctx context.Context) error { _, err := store.LockOpen(ctx, s.team.ID); return err })
		within(lock, "LockAnswered", func(ctx context.Context) error {
			_, err := store.LockAnswered(ctx, s.team.ID, s.user.ID)
			return err
		})
		none := func(err error) error {
			if errors.Is(err, tenancy.ErrNotFound) {
				return nil
			}
			return err
		}
		within(1, "LockNext of what is free", func(ctx context.Context) error {
			_, err := store.LockNext(ctx, s.team.ID, conversation.Line{User: newID[tenancy.UserID](), At: noon, Free: true})
			return none(err)
		})
		within(3, "LockNext", func(ctx context.Context) error {
			_, err := store.LockNext(ctx, s.team.ID, conversation.Line{User: newID[tenancy.UserID](), At: noon, Free: true, Claimed: true, Assigned: true})
			return none(err)
		})
		within(2*lock+1, "LockLoads, the first time", func(ctx context.Context) error {
			_, err := store.LockLoads(ctx, s.team.ID, noon, s.user.ID)
			return err
		})
		within(1, "MoveApplications", func(ctx context.Context) error {
			return store.MoveApplications(ctx, newID[tenancy.TeamID](), s.team.ID, s.contact.ID)
		})
		within(1, "UpdateTurn", func(ctx context.Context) error { return store.UpdateTurn(ctx, s.team.ID, s.user.ID, 1) })
		within(2, "InsertSkip", func(ctx context.Context) error {
			return store.InsertSkip(ctx, conversation.Skip{Conversation: s.conversation.ID, User: s.user.ID, EndsAt: noon})
		})
		within(1, "EndEpisode", func(ctx context.Context) error {
			return store.EndEpisode(ctx, conversation.Episode{
				Conversation: s.conversation.ID, Number: 1, ClosedAt: noon, ClosedOn: conversation.OnClose,
			})
		})
		within(1, "EraseRecipient", func(ctx context.Context) error { return store.EraseRecipient(ctx, "nobody@acme.example") })
		within(2, "UpdateTeam", func(ctx context.Context) error { return store.UpdateTeam(ctx, s.team) })
		team := s.team
		for _, domains := range []struct {
			named string
			want  int
		}{{"acme.example client.example", 3}, {"client.example acme.example", 2}, {"acme.example", 4}, {"", 3}} {
			within(domains.want, "UpdateTeam that names "+domains.named, func(ctx context.Context) error {
				team.Version++
				team.Settings.JoinDomains = strings.Fields(domains.named)
				return store.UpdateTeam(ctx, team)
			})
		}
		within(1, "InsertMessage", func(ctx context.Context) error {
			m := s.message
			m.ID, m.Seq, m.Key, m.Receipt = newID[tenancy.MessageID](), 2, conversation.MessageKey{}, conversation.MessageKey{}
			return store.InsertMessage(ctx, m)
		})
		for n, want := range map[int]int{0: 0, 1: 1, 32: 1, 33: 2, conversation.MaxWords: 8} {
			within(want, fmt.Sprintf("InsertWords of %d words", n), func(ctx context.Context) error {
				words := make([]conversation.Word, n)
				for i := range words {
					words[i] = conversation.Word(1000*n + i)
				}
				return store.InsertWords(ctx, s.team.ID, s.message, words)
			})
		}
		within(1, "DeleteWords", func(ctx context.Context) error { return store.DeleteWords(ctx, s.message.ID) })
		within(1, "UpdateConversation", func(ctx context.Context) error {
			c := s.conversation
			return store.UpdateConversation(ctx, c.Team, c)
		})
		within(2, "Append of one event that nobody is told of", func(ctx context.Context) error {
			e := s.events()[0]
			e.Lanes = nil
			return store.Append(ctx, e)
		})
		within(3, "Append of one event", func(ctx context.Context) error { return store.Append(ctx, s.events()[0]) })
		within(5, "Append of three events to streams of two kinds", func(ctx context.Context) error { return store.Append(ctx, s.events()...) })
		within(5, "Append of 20 events to one stream", func(ctx context.Context) error {
			var many []outbox.Event
			for range 20 {
				many = append(many, s.events()[0])
			}
			return store.Append(ctx, many...)
		})
		var due []outbox.Due
		count(frame[e.name]+3, "Take", func(ctx context.Context) (err error) {
			due, err = store.Take(ctx, lane, noon, noon.Add(time.Hour), 100)
			return err
		})
		require.Len(t, due, 4)
		count(frame[e.name]+1, "Done", func(ctx context.Context) error { return store.Done(ctx, due[0]) })
		count(frame[e.name]+1, "Retry", func(ctx context.Context) error { return store.Retry(ctx, due[1], noon) })
		count(frame[e.name]+1, "Bury", func(ctx context.Context) error { return store.Bury(ctx, due[2], noon) })
		count(1, "Buried", func(ctx context.Context) error {
			_, err := store.Buried(ctx, lane, time.Time{}, uuid.Nil, 10)
			return err
		})
		count(frame[e.name]+5, "Replay", func(ctx context.Context) error { return store.Replay(ctx, lane, due[2].ID, noon) })
		count(frame[e.name]+1, "ForgetLane", func(ctx context.Context) error { _, err := store.ForgetLane(ctx, lane); return err })
		within(1, "MarkSeen", func(ctx context.Context) error { return store.MarkSeen(ctx, "bills", due[0].ID, noon) })
		within(1, "ForgetSeen", func(ctx context.Context) error { _, err := store.ForgetSeen(ctx, "bills", noon); return err })
		count(frame[e.name]+1, "Take before anything was due", func(ctx context.Context) error {
			_, err := store.Take(ctx, lane, time.UnixMicro(-1), noon, 100)
			return err
		})
	})
}

// F1: whatever is asked for, only the statements of a fixed list are sent, and no value is ever
// a part of one.
func TestF1StatementsAreAFiniteSet(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		var r recorder
		store := e.migrated(t, e.connect(t, e.dsn(t), r.tap()))
		hostile := []string{"'; DROP TABLE usher_users; --", "%", "_", "\\", "$1", "?", "kilroy", "{share lock}", "\u202e", "0x00"}
		s := newScene("kilroy")
		require.NoError(t, store.InTx(t.Context(), func(ctx context.Context) error { return s.insert(ctx, store) }))
		r.take()
		random := rand.New(rand.NewPCG(1, 2))
		for range 300 {
			pick := func() string { return hostile[random.IntN(len(hostile))] }
			maybe := func() bool { return random.IntN(2) == 0 }
			page := tenancy.Keyset{Limit: 1 + random.IntN(100)}
			if maybe() {
				page.At, page.ID = noon.Add(time.Duration(random.Int64N(1e12))), newID[uuid.UUID]()
			}
			var invitations invite.Filter
			invitations.State = []invite.State{"", invite.Pending, invite.Expired, invite.Revoked, invite.State(pick())}[random.IntN(5)]
			scope, filter := conversation.Scope{Team: s.team.ID, At: noon}, conversation.Filter{Waiting: maybe()}
			if maybe() {
				invitations.Conversation, scope.Guest = s.conversation.ID, s.user.ID
			}
			if maybe() {
				filter.Status = conversation.Status(pick())
			}
			if maybe() {
				filter.Assignee = s.user.ID
			}
			ask(t, store, s, pick(), page, scope, filter, invitations)
			_ = store.InTx(t.Context(), func(ctx context.Context) error {
				n := newScene(pick())
				return n.insert(ctx, store)
			})
			_, _ = store.Take(t.Context(), []string{lane, pick()}[random.IntN(2)], noon, noon.Add(time.Minute), 1+random.IntN(400))
		}
		known := store.Statements()
		for _, text := range r.take() {
			switch word(text) {
			case "BEGIN", "COMMIT", "ROLLBACK", "SET", "START", "PRAGMA":
				continue
			}
			_, found := slices.BinarySearch(known, text)
			require.True(t, found, "a statement that New did not make: %s", text)
		}
		for _, text := range known {
			require.NotContains(t, text, "{", "a fragment was left out")
			for _, value := range hostile[6:7] {
				require.NotContains(t, text, value)
			}
			require.False(t, strings.Contains(text, "SELECT *") && !strings.Contains(text, "FROM ("), text)
		}
		again := e.migrated(t, e.connect(t, e.dsn(t), nil))
		require.Equal(t, again.Statements(), known)
	})
}

// several are so many ids of nothing.
func several[I ~[16]byte](n int) []I {
	ids := make([]I, n)
	for i := range ids {
		ids[i] = newID[I]()
	}
	return ids
}

func ask(t *testing.T, store *sqlstore.Store, s scene, text string, page tenancy.Keyset, scope conversation.Scope, filter conversation.Filter, invitations invite.Filter) {
	t.Helper()
	ctx := t.Context()
	for _, read := range []func() error{
		func() error { _, err := store.UserByExternalID(ctx, text); return err },
		func() error { _, err := store.UserByEmail(ctx, text); return err },
		func() error {
			words := append(conversation.Words(text), make([]conversation.Word, conversation.MaxSearch)...)
			_, err := store.Search(ctx, s.team.ID, words[:1+page.Limit%conversation.MaxSearch], filter.Waiting, page)
			return err
		},
		func() error { _, err := store.TeamByName(ctx, s.account.ID, text); return err },
		func() error { _, err := store.TeamByIdentity(ctx, tenancy.Chat(text)); return err },
		func() error {
			_, err := store.ContactsByAddress(ctx, s.team.ID, tenancy.Channel(text), text)
			return err
		},
		func() error { _, err := store.ConversationsByAddress(ctx, tenancy.Phone(text), text); return err },
		func() error {
			_, err := store.InvitationLoads(ctx, s.user.ID, page.At, several[tenancy.TeamID](page.Limit)...)
			return err
		},
		func() error {
			_, err := store.Authorities(ctx, s.user.ID, several[tenancy.TeamID](page.Limit)...)
			return err
		},
		func() error { _, err := store.Invitations(ctx, s.team.ID, invitations, page); return err },
		func() error { _, err := store.Conversations(ctx, scope, filter, page); return err },
		func() error { _, err := store.DeliveriesOf(ctx, s.team.ID, page); return err },
		func() error {
			_, err := store.TeamEvents(ctx, s.team.ID.UUID(), outbox.LogFilter{Kind: text, Principal: text}, page.At, page.ID, page.Limit)
			return err
		},
		func() error { _, err := store.Members(ctx, s.team.ID, page); return err },
		func() error { _, err := store.Users(ctx, several[tenancy.UserID](page.Limit)...); return err },
		func() error {
			var who []tenancy.Actor
			for _, user := range several[tenancy.UserID](7 * page.Limit) {
				who = append(who, tenancy.Actor{User: user, Team: s.team.ID})
			}
			_, err := store.Memberships(ctx, who...)
			return err
		},
		func() error {
			_, err := store.Grants(ctx, several[tenancy.ConversationID](page.Limit)...)
			return err
		},
		func() error {
			_, err := store.ContactsByAddress(ctx, s.team.ID, tenancy.Channel(text), make([]string, page.Limit)...)
			return err
		},
		func() error {
			_, err := store.UsersByEmail(ctx, append(make([]string, page.Limit), text)...)
			return err
		},
		func() error {
			_, err := store.InvitationsTo(ctx, s.account.ID, page.At, append(make([]string, page.Limit), text)...)
			return err
		},
		func() error {
			_, err := store.Seated(ctx, s.account.ID, page.At, append(make([]string, page.Limit), text)...)
			return err
		},
		func() error { _, err := store.TeamsOf(ctx, s.user.ID, page); return err },
	} {
		if err := read(); err != nil {
			require.ErrorIs(t, err, tenancy.ErrNotFound)
		}
	}
}

// The scope as SQL and the scope as a predicate admit the same conversations.
func TestWhereIsTheScope(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		store, db := e.open(t)
		mine, other := stored(t, store, "mine"), stored(t, store, "other")
		expired := newScene("expired")
		expired.grant.ExpiresAt = noon
		require.NoError(t, store.InTx(t.Context(), func(ctx context.Context) error { return expired.insert(ctx, store) }))
		for _, guest := range []tenancy.UserID{{}, mine.user.ID, other.user.ID, expired.user.ID} {
			for _, s := range []scene{mine, other, expired} {
				for _, at := range []time.Time{noon.Add(-time.Microsecond), noon} {
					scope := conversation.Scope{Team: s.team.ID, Guest: guest, At: at}
					condition, values := store.Where(scope)
					if e.folder == "postgres" {
						for n := range values {
							condition = strings.Replace(condition, "?", fmt.Sprintf("$%d", n+1), 1)
						}
					}
					var found int
					query := "SELECT COUNT(*) FROM usher_conversations c WHERE " + condition
					require.NoError(t, db.QueryRowContext(t.Context(), query, values...).Scan(&found))
					grant := conversation.Grant{}
					if guest == s.user.ID {
						grant = s.grant
					}
					require.Equal(t, scope.Admits(s.conversation, grant), found == 1, "%+v", scope)
					listed, err := store.Conversations(t.Context(), scope, conversation.Filter{}, tenancy.Keyset{Limit: 10})
					require.NoError(t, err)
					require.Len(t, listed, found)
				}
			}
		}
	})
}
