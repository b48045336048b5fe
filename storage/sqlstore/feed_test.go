package sqlstore_test

import (
	"context"
	"iter"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/storage/outbox"
)

// A page of a team is one statement, and so is a look that finds nothing; what has happened since is put in
// order once, by one of those who follow, in one transaction. No connection is held while who follows waits.
func TestFollowingATeamCostsOneStatement(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		var r recorder
		db := e.connect(t, e.dsn(t), r.tap())
		store := e.migrated(t, db)
		s := stored(t, store, "followed")
		team := s.team.ID.UUID()
		happens := func(n int) {
			require.NoError(t, store.InTx(t.Context(), func(ctx context.Context) error {
				for range n {
					e := s.events()[0]
					e.ID = uuid.New()
					if err := store.Append(ctx, e); err != nil {
						return err
					}
				}
				return nil
			}))
		}
		mark, err := store.TeamMark(t.Context(), team)
		require.NoError(t, err)
		var pulls []func() ([]outbox.TeamEvent, error, bool)
		for range 2 {
			next, stop := iter.Pull2(store.FollowTeam(t.Context(), team, mark))
			t.Cleanup(stop)
			pulls = append(pulls, next)
		}
		page := func(follower int) ([]outbox.TeamEvent, []string) {
			r.take()
			found, err, more := pulls[follower]()
			require.NoError(t, err)
			require.True(t, more)
			assert.Zero(t, db.Stats().InUse)
			return found, r.take()
		}
		_, look := page(0)
		require.Len(t, look, 1)
		_, again := page(1)
		assert.Equal(t, look, again)
		var costs []int
		for _, n := range []int{1, 50} {
			happens(n)
			found, sent := page(0)
			for len(found) == 0 { // it had looked already
				found, sent = page(0)
			}
			assert.Len(t, found, n)
			costs = append(costs, len(sent))
			found, sent = page(1)
			assert.Len(t, found, n)
			assert.Equal(t, look, sent, "it is in order")
		}
		assert.LessOrEqual(t, slices.Max(costs), 8, "a look, five in a transaction that may take two to begin, and the page")
		assert.Equal(t, costs[0], costs[1], "however many they are")
	})
}
