package tenancy_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// Who is admitted as a guest and is in the team stays what they are, also suspended; who was removed comes
// back with nothing of what they had; and where one of them may not act, nobody comes in.
func TestGuestsAreAdmitted(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		team := s.team(alice, "Sales")
		boss := tenancy.Actor{User: alice.ID, Team: team.ID}
		member, barred, gone := s.member(team, "Member", rbac.Member), s.member(team, "Barred", rbac.Member), s.member(team, "Gone", rbac.Member)
		_, err := s.people.Suspend(ctx, boss, barred.User)
		require.NoError(t, err)
		_, err = s.people.GiveRole(ctx, boss, gone.User, s.custom(team.ID, "Auditor", "audit: read").ID)
		require.NoError(t, err)
		_, err = s.people.SetExpiry(ctx, boss, gone.User, s.now.Add(time.Minute))
		require.NoError(t, err)
		require.NoError(t, s.people.Remove(ctx, boss, gone.User))
		stranger, idle, deleted := s.user("Stranger").ID, s.user("Idle").ID, s.user("Deleted").ID
		_, err = s.people.SuspendUser(ctx, host, idle)
		require.NoError(t, err)
		require.NoError(t, s.people.DeleteUser(ctx, host, deleted, tenancy.UserID{}))
		told := s.events(team.ID)

		for who, answer := range map[tenancy.UserID]error{
			idle: tenancy.ErrInactive, deleted: tenancy.ErrInactive, tenancy.NewID[tenancy.UserID](tenancy.Env{}): tenancy.ErrNotFound,
		} {
			require.Equal(t, answer, s.people.AdmitGuests(ctx, host, team.ID, stranger, who))
		}
		assert.Equal(t, told, s.events(team.ID))
		before, err := s.store.Memberships(ctx, member, barred)
		require.NoError(t, err)

		s.now = s.now.Add(time.Hour)
		require.NoError(t, s.people.AdmitGuests(ctx, host, team.ID, member.User, barred.User, gone.User, stranger, stranger))
		after, err := s.store.Memberships(ctx, member, barred)
		require.NoError(t, err)
		assert.Equal(t, before, after)
		for _, id := range []tenancy.UserID{gone.User, stranger} {
			m, err := s.store.Membership(ctx, team.ID, id)
			require.NoError(t, err)
			assert.Equal(t, tenancy.Membership{
				Team: team.ID, User: id, Role: rbac.Restricted, Status: tenancy.MembershipActive, JoinedAt: s.now,
				JoinedBy: host.Principal(), Version: m.Version,
			}, m)
		}
		assert.Equal(t, append(told, tenancy.MemberJoined, tenancy.MemberJoined), s.events(team.ID))
	})
}
