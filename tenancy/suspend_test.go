package tenancy_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

func TestSpec4_SuspendAndReactivate(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		team := s.team(alice, "Sales")
		manager := tenancy.Actor{User: alice.ID, Team: team.ID}
		bob := s.member(team, "Bob", rbac.Member)
		before := len(s.events(team.ID))

		m, err := s.people.Reactivate(ctx, manager, bob.User)
		require.NoError(t, err)
		assert.EqualValues(t, 1, m.Version, "an active member is active already")

		s.now = s.now.Add(time.Hour)
		m, err = s.people.Suspend(ctx, manager, bob.User)
		require.NoError(t, err)
		assert.Equal(t, tenancy.MembershipSuspended, m.Status)
		assert.Equal(t, s.now, m.EndedAt)
		assert.Equal(t, manager.Principal(), m.EndedBy)
		require.ErrorIs(t, s.people.Check(ctx, bob, rbac.ReadTeam), tenancy.ErrInactive, "it holds from the next call on")
		require.Len(t, s.left, 1, "what they held is freed")
		again, err := s.people.Suspend(ctx, manager, bob.User)
		require.NoError(t, err)
		assert.Equal(t, m, again)
		require.Len(t, s.left, 1)
		mine, err := s.people.MyTeams(ctx, bob.User, tenancy.Page{})
		require.NoError(t, err)
		assert.Empty(t, mine.Items)
		_, err = s.people.Switch(ctx, bob.User, team.ID)
		require.ErrorIs(t, err, tenancy.ErrNotFound)

		m, err = s.people.Reactivate(ctx, manager, bob.User)
		require.NoError(t, err)
		assert.Equal(t, rbac.Member, m.Role)
		assert.Zero(t, m.EndedAt)
		assert.Empty(t, m.EndedBy)
		require.NoError(t, s.people.Check(ctx, bob, rbac.ReadTeam))
		stored, err := s.store.Membership(ctx, team.ID, bob.User)
		require.NoError(t, err)
		assert.Equal(t, m, stored)
		assert.Equal(t, []string{tenancy.MemberSuspended, tenancy.MemberReactivated}, s.events(team.ID)[before:])

		require.NoError(t, s.people.Remove(ctx, manager, bob.User))
		_, err = s.people.Suspend(ctx, manager, bob.User)
		require.ErrorIs(t, err, tenancy.ErrNotFound, "who was removed is neither suspended")
		_, err = s.people.Reactivate(ctx, manager, bob.User)
		require.ErrorIs(t, err, tenancy.ErrNotFound, "nor reactivated")
	})
}

// Spec 4, C9: the expiry of a membership holds by the clock; the sweep only tidies, once.
func TestSpec4_Expiry(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		team := s.team(alice, "Sales")
		manager := tenancy.Actor{User: alice.ID, Team: team.ID}
		bob, carol := s.member(team, "Bob", rbac.Member), s.member(team, "Carol", rbac.Member)
		before := len(s.events(team.ID))
		end := s.now.Add(time.Hour)

		m, err := s.people.SetExpiry(ctx, manager, bob.User, end)
		require.NoError(t, err)
		assert.Equal(t, end, m.ExpiresAt)
		same, err := s.people.SetExpiry(ctx, manager, bob.User, end.In(time.FixedZone("elsewhere", 3600)))
		require.NoError(t, err)
		assert.Equal(t, m, same, "the same instant changes nothing")
		for _, past := range []time.Time{s.now, s.now.Add(-time.Hour)} {
			_, err = s.people.SetExpiry(ctx, manager, bob.User, past)
			require.ErrorIs(t, err, tenancy.ErrInvalid)
		}
		_, err = s.people.SetExpiry(ctx, manager, carol.User, end.Add(time.Hour))
		require.NoError(t, err)

		expired, err := s.people.ExpireMembers(ctx, host)
		require.NoError(t, err)
		assert.Zero(t, expired, "before its time nothing expires")
		s.now = end
		require.ErrorIs(t, s.people.Check(ctx, bob, rbac.ReadTeam), tenancy.ErrInactive, "no sweep is needed")
		_, err = s.people.SetExpiry(ctx, manager, bob.User, end.Add(time.Minute))
		require.NoError(t, err)
		require.NoError(t, s.people.Check(ctx, bob, rbac.ReadTeam), "a new expiry revives it")

		s.now = end.Add(time.Minute)
		expired, err = s.people.ExpireMembers(ctx, host)
		require.NoError(t, err)
		assert.Equal(t, 1, expired)
		expired, err = s.people.ExpireMembers(ctx, host)
		require.NoError(t, err)
		assert.Zero(t, expired, "it expires once")
		require.Len(t, s.left, 1, "what they held is freed")
		assert.Equal(t, bob.User, s.left[0].User)
		assert.Equal(t, []string{
			tenancy.MemberExpiryChanged, tenancy.MemberExpiryChanged, tenancy.MemberExpiryChanged, tenancy.MemberExpired,
		}, s.events(team.ID)[before:])
		require.NoError(t, s.people.Check(ctx, carol, rbac.ReadTeam))

		var status *tenancy.StatusError
		_, err = s.people.Reactivate(ctx, manager, bob.User)
		require.ErrorAs(t, err, &status, "to reactivate what has expired makes no sense")
		_, err = s.people.SetExpiry(ctx, manager, bob.User, time.Time{})
		require.NoError(t, err)
		_, err = s.people.Reactivate(ctx, manager, bob.User)
		require.NoError(t, err)
		require.NoError(t, s.people.Check(ctx, bob, rbac.ReadTeam))
	})
}
