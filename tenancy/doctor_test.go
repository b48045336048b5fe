package tenancy_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// diagnosed are the findings among the flaws of this room.
func (s *scene) diagnosed() []tenancy.Finding {
	s.t.Helper()
	var found []tenancy.Finding
	for f, err := range s.people.Diagnose(s.t.Context(), host, tenancy.Flaws()...) {
		require.NoError(s.t, err)
		found = append(found, f)
	}
	return found
}

// Spec 4.9: each flaw is found where it is, and nothing else is.
func TestSpec4_9_Doctor(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		team := s.team(alice, "Sales")
		foreign := s.team(s.user("Oscar"), "Sales")
		bob := s.member(team, "Bob", rbac.Member)
		manager := tenancy.Actor{User: alice.ID, Team: team.ID}
		require.Empty(t, s.diagnosed(), "a healthy world")

		s.set(manager, func(m *tenancy.Membership) { m.Role = rbac.Member })
		assert.Equal(t, []tenancy.Finding{{
			Flaw: tenancy.FlawNoManager, Account: team.Account.UUID(), Team: team.ID.UUID(), Subject: team.ID.UUID(),
		}}, s.diagnosed())
		s.set(manager, func(m *tenancy.Membership) { m.Role = rbac.Manager })

		theirs, err := s.people.DefineRole(ctx, s.holder(foreign.ID), tenancy.RoleSpec{Name: "R", Base: rbac.Member})
		require.NoError(t, err)
		s.set(bob, func(m *tenancy.Membership) { m.Custom = theirs.ID })
		assert.Equal(t, []tenancy.Finding{{
			Flaw: tenancy.FlawForeignRole, Account: team.Account.UUID(), Team: team.ID.UUID(), Subject: bob.User.UUID(),
		}}, s.diagnosed())
		s.set(bob, func(m *tenancy.Membership) { m.Custom = tenancy.RoleID{} })

		s.ghost(bob.User, tenancy.UserDeleted)
		assert.Equal(t, []tenancy.Finding{{
			Flaw: tenancy.FlawGhostMember, Account: team.Account.UUID(), Team: team.ID.UUID(), Subject: bob.User.UUID(),
		}}, s.diagnosed())
		s.ghost(bob.User, tenancy.UserActive)

		gone := s.user("Gone")
		require.NoError(t, s.people.DeleteUser(ctx, host, gone.ID, tenancy.UserID{}))
		assert.Empty(t, s.diagnosed(), "a deletion leaves a tombstone")
		require.NoError(t, s.store.InTx(ctx, func(ctx context.Context) error { // and a restored table what was under it
			u, err := s.store.User(ctx, gone.ID)
			if err != nil {
				return err
			}
			u.Name = gone.Name
			return s.store.UpdateUser(ctx, u)
		}))
		assert.Equal(t, []tenancy.Finding{{Flaw: tenancy.FlawNamedTombstone, Subject: gone.ID.UUID()}}, s.diagnosed())
		s.ghost(gone.ID, tenancy.UserDeleted)

		s.ghost(alice.ID, tenancy.UserDeleted)
		var flaws []tenancy.Flaw
		for _, f := range s.diagnosed() {
			flaws = append(flaws, f.Flaw)
		}
		assert.Equal(t, []tenancy.Flaw{tenancy.FlawNoManager, tenancy.FlawNoHolder, tenancy.FlawGhostMember}, flaws)
		for f, err := range s.people.Diagnose(ctx, host, tenancy.Flaws()...) {
			require.NoError(t, err)
			assert.NotZero(t, f)
			break // a reader may stop
		}
	})
}

// ghost writes the status of a user as no operation does; who is deleted has no name any more.
func (s *scene) ghost(id tenancy.UserID, status tenancy.UserStatus) {
	s.t.Helper()
	require.NoError(s.t, s.store.InTx(s.t.Context(), func(ctx context.Context) error {
		u, err := s.store.User(ctx, id)
		if err != nil {
			return err
		}
		if u.Status = status; status == tenancy.UserDeleted {
			u = tenancy.User{ID: u.ID, Name: tenancy.Tombstone, Status: status, CreatedAt: u.CreatedAt, Version: u.Version}
		}
		return s.store.UpdateUser(ctx, u)
	}))
}

func TestDoctorPagesAndRefuses(t *testing.T) {
	s := newScene(t)
	alice := s.user("Alice")
	for n := range tenancy.MaxLimit + 5 {
		team := s.team(alice, string(rune('a'+n%26))+string(rune('a'+n/26)))
		s.set(tenancy.Actor{User: alice.ID, Team: team.ID}, func(m *tenancy.Membership) { m.Role = rbac.Restricted })
	}
	assert.Len(t, s.diagnosed(), tenancy.MaxLimit+5)
	for _, err := range s.people.Diagnose(t.Context(), "") {
		require.ErrorIs(t, err, tenancy.ErrNoPrincipal)
	}
	for _, err := range s.people.Diagnose(t.Context(), host, "no such flaw") {
		require.ErrorIs(t, err, tenancy.ErrInvalid)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range s.people.Diagnose(ctx, host, tenancy.Flaws()...) {
		require.ErrorIs(t, err, context.Canceled)
	}
}
