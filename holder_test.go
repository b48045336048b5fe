package usher_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/tenancy"
)

// Spec 3: who holds the account is nobody in a team of it without a membership: to every operation that
// takes a permission in a team it is not found, like a team of somebody else. And a manager is nobody to
// the account.
func TestSpec3_AHolderIsNobodyInATeam(t *testing.T) {
	everystore.Run(t, func(t *testing.T, open func(*testing.T) storage.Store) {
		ctx := t.Context()
		s := newScene(t, open(t))
		holder := s.proper.holder
		require.NoError(t, s.Tenancy.Leave(ctx, tenancy.Actor{User: holder.User, Team: s.own.team}))
		before := s.events(t)
		p := s.proper
		p.actor.User, p.holder.User = holder.User, s.proper.actor.User
		for name, op := range operations {
			if op.asks != 0 {
				require.ErrorIs(t, op.call(ctx, s, p, s.own), tenancy.ErrNotFound, name)
			}
		}
		assert.Equal(t, before, s.events(t))
		_, err := s.Tenancy.Account(ctx, holder)
		require.NoError(t, err, "the account is theirs all the same")
	})
}

// B7: whatever a user may do, alone, in a team or as the holder of an account, changes nobody's address, nor
// whether it is verified, nor their external id, name or status. Only the host does that.
func TestB7_NoOperationOfAUserChangesWhoSomebodyIs(t *testing.T) {
	eachOperation(t, func(t *testing.T, s *scene, op operation) {
		everybody := func() []tenancy.User {
			var ids []tenancy.UserID
			for _, name := range []string{"acme-holder", "a-manager", "a-member", "a-target", "a-guest", "a-invited", "a-heir", "a-asker", "stranger"} {
				ids = append(ids, s.User(name).ID)
			}
			users, err := s.Store.Users(t.Context(), ids...)
			require.NoError(t, err)
			for i := range users { // which are their own to choose
				users[i].ActiveTeam, users[i].Autoclaim, users[i].Version = tenancy.TeamID{}, false, 0
			}
			return users
		}
		before := everybody()
		p := s.proper
		p.system = ""
		err := op.call(t.Context(), s, p, s.own)
		if errors.Is(err, tenancy.ErrNoPrincipal) {
			return // the host's own
		}
		require.NoError(t, err)
		assert.Equal(t, before, everybody())
	})
}
