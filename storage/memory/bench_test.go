package memory_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/tenancy"
)

// byHand is what Authority is compared with: the same facts in plain maps.
type byHand struct {
	mu          sync.RWMutex
	accounts    map[tenancy.AccountID]tenancy.Account
	teams       map[tenancy.TeamID]tenancy.Team
	users       map[tenancy.UserID]tenancy.User
	memberships map[[32]byte]tenancy.Membership
}

func pair(team tenancy.TeamID, user tenancy.UserID) (key [32]byte) {
	copy(key[:16], team[:])
	copy(key[16:], user[:])
	return key
}

func (h *byHand) authority(_ context.Context, team tenancy.TeamID, user tenancy.UserID) (tenancy.Authority, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	m, ok := h.memberships[pair(team, user)]
	if !ok {
		return tenancy.Authority{}, tenancy.ErrNotFound
	}
	t := h.teams[team]
	return tenancy.Authority{
		Account: t.Account, AccountStatus: h.accounts[t.Account].Status,
		TeamStatus: t.Status, UserStatus: h.users[user].Status,
		Role: m.Role, Status: m.Status, ExpiresAt: m.ExpiresAt,
	}, nil
}

// sizes are all that are given, with -short only those that show that it runs.
func sizes(all ...int) []int {
	if !testing.Short() {
		return all
	}
	return slices.DeleteFunc(all, func(size int) bool { return size > 1_000 })
}

// Ten users in each team, as many accounts as teams. Store and maps take turns, so that a
// busy machine slows both.
func BenchmarkAuthority(b *testing.B) {
	const each = 10
	for _, teams := range sizes(10, 1_000, 100_000) {
		b.Run(fmt.Sprint("teams=", teams), func(b *testing.B) {
			s := memory.New()
			hand := &byHand{
				accounts: map[tenancy.AccountID]tenancy.Account{}, teams: map[tenancy.TeamID]tenancy.Team{},
				users: map[tenancy.UserID]tenancy.User{}, memberships: map[[32]byte]tenancy.Membership{},
			}
			for n := range teams {
				do(b, s, func(ctx context.Context) error {
					var account tenancy.Account
					for i := range each {
						u := aUser(1 + n*each + i)
						hand.users[u.ID] = u
						if err := s.InsertUser(ctx, u); err != nil {
							return err
						}
						account = tenancy.Account{ID: id[tenancy.AccountID](1 + n), HeldBy: u.ID, Status: tenancy.AccountActive}
					}
					team := tenancy.Team{ID: id[tenancy.TeamID](1 + n), Account: account.ID, NameKey: "sales", Status: tenancy.TeamActive}
					hand.accounts[account.ID], hand.teams[team.ID] = account, team
					if err := first(s.InsertAccount(ctx, account), s.InsertTeam(ctx, team)); err != nil {
						return err
					}
					for i := range each {
						m := aMembership(1+n, 1+n*each+i)
						hand.memberships[pair(m.Team, m.User)] = m
						if err := s.InsertMembership(ctx, m); err != nil {
							return err
						}
					}
					return nil
				})
			}
			var inStore, inMaps time.Duration
			random, ctx := rand.New(rand.NewPCG(1, 1)), context.Background()
			const turn = 1000
			asked := make([]int, turn)
			measure := func(authority func(context.Context, tenancy.TeamID, tenancy.UserID) (tenancy.Authority, error)) time.Duration {
				for i := range asked {
					asked[i] = random.IntN(teams * each)
				}
				start := time.Now()
				for _, n := range asked {
					if _, err := authority(ctx, id[tenancy.TeamID](1+n/each), id[tenancy.UserID](1+n)); err != nil {
						b.Fatal(err)
					}
				}
				return time.Since(start)
			}
			b.ReportAllocs()
			turns := 0
			for b.Loop() {
				inStore += measure(s.Authority)
				inMaps += measure(hand.authority)
				turns++
			}
			b.ReportMetric(float64(inStore.Nanoseconds())/float64(turns*turn), "ns/store")
			b.ReportMetric(float64(inMaps.Nanoseconds())/float64(turns*turn), "ns/maps")
			b.ReportMetric(float64(inStore)/float64(inMaps), "store/maps")
		})
	}
}

// Neither a commit nor a page may cost more where more is stored.
func BenchmarkConversations(b *testing.B) {
	for _, rows := range sizes(1_000, 100_000, 1_000_000) {
		s := open(b)
		for n := 0; n < rows; n += 1000 {
			do(b, s, func(ctx context.Context) error {
				for i := range 1000 {
					if err := s.InsertConversation(ctx, aConversation(1+n+i)); err != nil {
						return err
					}
				}
				return nil
			})
		}
		ctx, team := context.Background(), id[tenancy.TeamID](1)
		list := func(b *testing.B, page tenancy.Keyset) {
			b.Helper()
			for b.Loop() {
				items, err := s.Conversations(ctx, conversation.Scope{Team: team}, conversation.Filter{}, page)
				require.NoError(b, err)
				require.Len(b, items, page.Limit)
			}
		}
		b.Run(fmt.Sprint("first page/rows=", rows), func(b *testing.B) { list(b, tenancy.Keyset{Limit: 50}) })
		b.Run(fmt.Sprint("deep page/rows=", rows), func(b *testing.B) {
			c := aConversation(100)
			list(b, tenancy.Keyset{At: c.LastAt, ID: c.ID.UUID(), Limit: 50})
		})
		b.Run(fmt.Sprint("commit/rows=", rows), func(b *testing.B) {
			random, last := rand.New(rand.NewPCG(1, 1)), noon.AddDate(1, 0, 0)
			for b.Loop() {
				err := s.InTx(ctx, func(ctx context.Context) error {
					c, err := s.LockConversation(ctx, team, id[tenancy.ConversationID](1+random.IntN(rows)))
					if err != nil {
						return err
					}
					last = last.Add(time.Second)
					c.LastAt = last
					return s.UpdateConversation(ctx, team, c)
				})
				require.NoError(b, err)
			}
		})
	}
}
