package memory_test

import (
	"bytes"
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/tenancy"
)

// The lists of conversations, in every scope and filter, against a loop over all of them,
// while the conversations change.
func TestConversationListsAgainstALoop(t *testing.T) {
	const conversations, people = 1500, 3
	random := rand.New(rand.NewPCG(7, 0))
	s := open(t)
	do(t, s, func(ctx context.Context) error {
		for n := range people {
			if err := s.InsertUser(ctx, aUser(2+n)); err != nil {
				return err
			}
		}
		return nil
	})
	rows := map[tenancy.ConversationID]conversation.Conversation{}
	grants := map[tenancy.ConversationID]map[tenancy.UserID]conversation.Grant{}
	someone := func() tenancy.UserID { return id[tenancy.UserID](2 + random.IntN(people)) }
	spoil := func(c *conversation.Conversation) {
		c.LastAt = noon.Add(time.Duration(random.IntN(500)) * time.Second) // so that many are at one time
		c.Status = conversation.Statuses()[random.IntN(3)]
		c.NeedsReplySince = []time.Time{{}, noon}[random.IntN(2)]
		c.Assignee = []tenancy.UserID{{}, someone()}[random.IntN(2)]
	}
	do(t, s, func(ctx context.Context) error {
		for n := range conversations {
			c := aConversation(1 + n)
			spoil(&c)
			rows[c.ID], grants[c.ID] = c, map[tenancy.UserID]conversation.Grant{}
			if err := s.InsertConversation(ctx, c); err != nil {
				return err
			}
		}
		return nil
	})
	for range 2 {
		do(t, s, func(ctx context.Context) error {
			for range conversations {
				c := rows[id[tenancy.ConversationID](1+random.IntN(conversations))]
				spoil(&c)
				if err := s.UpdateConversation(ctx, c.Team, c); err != nil {
					return err
				}
				c.Version++
				rows[c.ID] = c

				user := someone()
				g, granted := grants[c.ID][user]
				if !granted {
					g = conversation.Grant{Conversation: c.ID, User: user, AcceptedAt: noon, Version: 1}
					if err := s.InsertGrant(ctx, g); err != nil {
						return err
					}
				} else {
					g.RevokedAt = []time.Time{{}, noon}[random.IntN(2)]
					g.ExpiresAt = []time.Time{{}, noon}[random.IntN(2)]
					if err := s.UpdateGrant(ctx, g); err != nil {
						return err
					}
					g.Version++
				}
				grants[c.ID][user] = g
			}
			return nil
		})
		for _, guest := range []tenancy.UserID{{}, id[tenancy.UserID](2), id[tenancy.UserID](9)} {
			for _, status := range append(conversation.Statuses(), "", "no such status") {
				for _, waiting := range []bool{false, true} {
					for _, assignee := range []tenancy.UserID{{}, id[tenancy.UserID](3)} {
						scope := conversation.Scope{Team: id[tenancy.TeamID](1), Guest: guest, At: noon}
						filter := conversation.Filter{Status: status, Waiting: waiting, Assignee: assignee}
						var want []conversation.Conversation
						for _, c := range rows {
							if scope.Admits(c, grants[c.ID][guest]) && filter.Admits(c, scope.At) {
								want = append(want, c)
							}
						}
						slices.SortFunc(want, func(a, b conversation.Conversation) int {
							by := a.LastAt.Compare(b.LastAt)
							if !guest.IsZero() {
								by = a.CreatedAt.Compare(b.CreatedAt)
							}
							return -cmp.Or(by, bytes.Compare(a.ID[:], b.ID[:]))
						})
						require.True(t, slices.Equal(want, pages(t, s, scope, filter, 20+random.IntN(200))), "%+v %+v", scope, filter)
					}
				}
			}
		}
	}
}

// pages reads a list to its end.
func pages(t *testing.T, s *memory.Store, scope conversation.Scope, filter conversation.Filter, limit int) []conversation.Conversation {
	t.Helper()
	var all []conversation.Conversation
	for page := (tenancy.Keyset{Limit: limit}); ; {
		some, err := s.Conversations(t.Context(), scope, filter, page)
		require.NoError(t, err)
		require.LessOrEqual(t, len(some), limit)
		all = append(all, some...)
		if len(some) < limit {
			return all
		}
		page.At, page.ID = scope.Key(some[len(some)-1])
	}
}

// A guest follows the conversation to another team.
func TestGuestsMoveWithTheConversation(t *testing.T) {
	s := openTwoTeams(t)
	c, other := aConversation(1), id[tenancy.TeamID](2)
	guest := aUser(2)
	do(t, s, func(ctx context.Context) error {
		return first(
			s.InsertUser(ctx, guest),
			s.InsertConversation(ctx, c),
			s.InsertGrant(ctx, conversation.Grant{Conversation: c.ID, User: guest.ID}),
		)
	})
	do(t, s, func(ctx context.Context) error {
		moved := c
		moved.Team, moved.Contact = other, id[tenancy.ContactID](2)
		return s.UpdateConversation(ctx, c.Team, moved)
	})
	for team, want := range map[tenancy.TeamID]int{c.Team: 0, other: 1} {
		require.Len(t, pages(t, s, conversation.Scope{Team: team, Guest: guest.ID, At: noon}, conversation.Filter{}, 10), want)
		require.Len(t, pages(t, s, conversation.Scope{Team: team}, conversation.Filter{}, 10), want)
		held, err := s.HeldBy(t.Context(), tenancy.Actor{User: guest.ID, Team: team})
		require.NoError(t, err)
		require.Len(t, held, want)
	}
	_, err := s.Conversation(t.Context(), c.Team, c.ID)
	require.ErrorIs(t, err, tenancy.ErrNotFound)
}
