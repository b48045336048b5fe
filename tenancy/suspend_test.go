package tenancy_test

import (
	"context"
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
		m, err = s.people.SetExpiry(ctx, manager, bob.User, time.Time{})
		require.NoError(t, err)
		assert.Equal(t, tenancy.MembershipActive, m.Status)
		assert.Zero(t, m.EndedAt)
		require.NoError(t, s.people.Check(ctx, bob, rbac.ReadTeam), "nor does it matter that the sweep came by")
		assert.Equal(t, []string{tenancy.MemberExpiryChanged, tenancy.MemberReactivated}, s.events(team.ID)[before+4:])
	})
}

// However late the sweep comes by, what it suspends ended when it expired, and another expiry revives it.
func TestSpec4_TheSweepMayComeLate(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		team := s.team(alice, "Sales")
		manager := tenancy.Actor{User: alice.ID, Team: team.ID}
		bob := s.member(team, "Bob", rbac.Member)
		end := s.now.Add(time.Hour)
		_, err := s.people.SetExpiry(ctx, manager, bob.User, end)
		require.NoError(t, err)
		s.now = end.Add(24 * time.Hour)
		expired, err := s.people.ExpireMembers(ctx, host)
		require.NoError(t, err)
		assert.Equal(t, 1, expired)
		m, err := s.store.Membership(ctx, team.ID, bob.User)
		require.NoError(t, err)
		assert.Equal(t, end, m.EndedAt)
		assert.Equal(t, host.Principal(), m.EndedBy)
		m, err = s.people.SetExpiry(ctx, manager, bob.User, s.now.Add(time.Hour))
		require.NoError(t, err)
		assert.Equal(t, tenancy.MembershipActive, m.Status)
		require.NoError(t, s.people.Check(ctx, bob, rbac.ReadTeam))
	})
}

// To end a membership earlier takes the right to suspend, and to make it last longer the right to reactivate
// as well.
func TestSpec4_WhoMaySuspendMakesNothingLonger(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		team := s.team(alice, "Sales")
		manager := tenancy.Actor{User: alice.ID, Team: team.ID}
		warden, bob := s.member(team, "Warden", rbac.Member), s.member(team, "Bob", rbac.Member)
		_, err := s.people.GiveRole(ctx, manager, warden.User, s.custom(team.ID, "Warden", "member: suspend").ID)
		require.NoError(t, err)
		end := s.now.Add(time.Hour)
		_, err = s.people.SetExpiry(ctx, warden, bob.User, end)
		require.NoError(t, err)
		for _, longer := range []time.Time{{}, end.Add(time.Microsecond)} {
			_, err = s.people.SetExpiry(ctx, warden, bob.User, longer)
			require.ErrorIs(t, err, rbac.ErrDenied)
			require.ErrorContains(t, err, "member: reactivate")
		}
		_, err = s.people.SetExpiry(ctx, warden, bob.User, end.Add(-time.Minute))
		require.NoError(t, err)
		_, err = s.people.SetExpiry(ctx, manager, bob.User, end)
		require.NoError(t, err)
	})
}

// A suspension is no expiry: another time does not end it, whether it came before or after the
// membership had expired.
func TestAnotherExpiryEndsNoSuspension(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		team := s.team(alice, "Sales")
		manager := tenancy.Actor{User: alice.ID, Team: team.ID}
		end := s.now.Add(time.Hour)
		for name, at := range map[string]time.Time{"Early": end.Add(-time.Minute), "Late": end.Add(time.Minute)} {
			s.now = end.Add(-time.Hour)
			who := s.member(team, name, rbac.Member)
			_, err := s.people.SetExpiry(ctx, manager, who.User, end)
			require.NoError(t, err)
			s.now = at
			_, err = s.people.Suspend(ctx, manager, who.User)
			require.NoError(t, err)
			s.now = end.Add(time.Hour)
			_, err = s.people.ExpireMembers(ctx, host)
			require.NoError(t, err)
			m, err := s.people.SetExpiry(ctx, manager, who.User, time.Time{})
			require.NoError(t, err)
			assert.Equal(t, tenancy.MembershipSuspended, m.Status, name)
			_, err = s.people.Reactivate(ctx, manager, who.User)
			require.NoError(t, err)
			require.NoError(t, s.people.Check(ctx, who, rbac.ReadTeam), name)
		}
	})
}

// Who is in the team for a time does not make it longer, by whatever permission they change the
// expiry of others; what ends it earlier they may.
func TestNobodyExtendsTheirOwnMembership(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		team := s.team(alice, "Sales")
		manager, bob := tenancy.Actor{User: alice.ID, Team: team.ID}, s.member(team, "Bob", rbac.Manager)
		end := s.now.Add(time.Hour)
		_, err := s.people.SetExpiry(ctx, manager, bob.User, end)
		require.NoError(t, err)
		before := s.events(team.ID)

		for _, longer := range []time.Time{{}, end.Add(time.Microsecond)} {
			_, err = s.people.SetExpiry(ctx, bob, bob.User, longer)
			require.ErrorIs(t, err, tenancy.ErrOwnExpiry)
			require.ErrorIs(t, err, rbac.ErrDenied)
		}
		_, err = s.people.SetExpiry(ctx, bob, bob.User, end)
		require.NoError(t, err, "the same again changes nothing")
		assert.Equal(t, before, s.events(team.ID))
		_, err = s.people.SetExpiry(ctx, bob, bob.User, end.Add(-time.Minute))
		require.NoError(t, err)
		carol := s.member(team, "Carol", rbac.Manager)
		_, err = s.people.SetExpiry(ctx, carol, carol.User, end)
		require.NoError(t, err, "who stays for ever may end it")
	})
}

// An expiry is kept in UTC to the microsecond, and answered as it is kept; what no calendar
// prints is refused, with an idempotency key or without.
func TestExpiriesAreKeptAsTheyAreAnswered(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		team := s.team(alice, "Sales")
		manager, bob := tenancy.Actor{User: alice.ID, Team: team.ID}, s.user("Bob")
		last := time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)
		for name, beyond := range map[string]time.Time{
			"one above": last.Add(time.Microsecond), "overflow": time.Date(300_000, 1, 1, 0, 0, 0, 0, time.UTC), "before Christ": time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC),
		} {
			for _, ctx := range []context.Context{ctx, tenancy.WithKey(ctx, name)} {
				_, err := s.people.Admit(ctx, host, tenancy.Admission{Team: team.ID, User: bob.ID, Role: rbac.Member, ExpiresAt: beyond})
				require.ErrorIs(t, err, tenancy.ErrInvalid, name)
				_, err = s.people.SetExpiry(ctx, manager, alice.ID, beyond)
				require.ErrorIs(t, err, tenancy.ErrInvalid, name)
			}
		}
		elsewhere := time.Date(2040, 1, 1, 0, 0, 0, 123456789, time.FixedZone("elsewhere", 3600))
		admitted, err := s.people.Admit(ctx, host, tenancy.Admission{Team: team.ID, User: bob.ID, Role: rbac.Member, ExpiresAt: elsewhere})
		require.NoError(t, err)
		kept, err := s.store.Membership(ctx, team.ID, bob.ID)
		require.NoError(t, err)
		assert.Equal(t, kept, admitted)
		at, err := s.people.SetExpiry(tenancy.WithKey(ctx, "last"), manager, bob.ID, last)
		require.NoError(t, err)
		kept, err = s.store.Membership(ctx, team.ID, bob.ID)
		require.NoError(t, err)
		assert.Equal(t, kept, at)
		assert.Equal(t, last, kept.ExpiresAt)
	})
}
