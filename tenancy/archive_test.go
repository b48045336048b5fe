package tenancy_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

func TestSpec4_8_ArchiveAndRestore(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		account := s.holder(s.team(alice, "Other").ID)
		phone := tenancy.TeamSpec{Name: "Sales", Identity: tenancy.Phone("+15550100")}
		team, err := s.people.CreateTeam(ctx, account, phone)
		require.NoError(t, err)
		manager := tenancy.Actor{User: alice.ID, Team: team.ID}
		bob := s.member(team, "Bob", rbac.Member)
		before := len(s.events(team.ID))

		same, err := s.people.Restore(ctx, manager)
		require.NoError(t, err)
		assert.Equal(t, team, same, "an active team is at work already")
		_, err = s.people.Archive(ctx, bob, tenancy.Leftovers{})
		require.ErrorIs(t, err, rbac.ErrDenied)
		archived, err := s.people.Archive(ctx, manager, tenancy.Leftovers{})
		require.NoError(t, err)
		assert.Equal(t, tenancy.TeamArchived, archived.Status)
		again, err := s.people.Archive(ctx, manager, tenancy.Leftovers{})
		require.NoError(t, err)
		assert.Equal(t, archived, again)

		_, err = s.people.Members(ctx, bob, tenancy.Page{})
		require.NoError(t, err, "it can be read")
		require.ErrorIs(t, s.people.Check(ctx, bob, rbac.SendMessage), tenancy.ErrTeamArchived)
		_, err = s.people.Admit(ctx, host, tenancy.Admission{Team: team.ID, User: s.user("Carol").ID, Role: rbac.Member})
		require.ErrorIs(t, err, tenancy.ErrTeamArchived)

		taken, err := s.people.CreateTeam(ctx, account, tenancy.TeamSpec{Name: "New sales", Identity: phone.Identity})
		require.NoError(t, err, "its identity is free")
		_, err = s.people.Restore(ctx, manager)
		require.ErrorIs(t, err, tenancy.ErrIdentityTaken)
		_, err = s.people.Archive(ctx, tenancy.Actor{User: alice.ID, Team: taken.ID}, tenancy.Leftovers{})
		require.NoError(t, err)
		_, err = s.people.Restore(ctx, bob)
		require.ErrorIs(t, err, rbac.ErrDenied)
		restored, err := s.people.Restore(ctx, manager)
		require.NoError(t, err)
		assert.Equal(t, tenancy.TeamActive, restored.Status)
		require.NoError(t, s.people.Check(ctx, bob, rbac.SendMessage))
		found, err := s.people.TeamByIdentity(ctx, host, phone.Identity)
		require.NoError(t, err)
		assert.Equal(t, team.ID, found.ID)
		assert.Equal(t, []string{tenancy.MemberJoined, tenancy.TeamStatusChanged, tenancy.TeamStatusChanged}, s.events(team.ID)[before-1:])
	})
}

// An archived team needs no manager, and without a lasting one it stays archived.
func TestRestoreNeedsALastingManager(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.managed("Alice")
		team, err := s.store.Team(ctx, alice.Team)
		require.NoError(t, err)
		bob := s.member(team, "Bob", rbac.Manager)
		_, err = s.people.SetExpiry(ctx, alice, bob.User, s.now.Add(1e12))
		require.NoError(t, err)
		_, err = s.people.Archive(ctx, alice, tenancy.Leftovers{})
		require.NoError(t, err)
		require.NoError(t, s.people.Leave(ctx, alice))
		_, err = s.people.Restore(ctx, bob)
		require.ErrorIs(t, err, tenancy.ErrLastManager)
	})
}

// C1, C2: a team to move to that the actor is not in is not found, like one that does not exist.
func TestC2_ArchiveChecksTheTeamToMoveTo(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		team := s.team(alice, "Sales")
		manager, bob := tenancy.Actor{User: alice.ID, Team: team.ID}, s.member(team, "Bob", rbac.Member)
		left, err := s.people.CreateTeam(ctx, s.holder(team.ID), tenancy.TeamSpec{Name: "Left"})
		require.NoError(t, err)
		s.member(left, "Carol", rbac.Manager)
		require.NoError(t, s.people.Leave(ctx, tenancy.Actor{User: alice.ID, Team: left.ID}))
		room := &archivist{}
		s.people.BindArchivist(room)

		for name, target := range map[string]tenancy.TeamID{
			"random":        tenancy.NewID[tenancy.TeamID](tenancy.Env{}),
			"foreign":       s.team(s.user("Oscar"), "Foreign").ID,
			"of my account": left.ID,
		} {
			_, err := s.people.Archive(ctx, manager, tenancy.Leftovers{MoveTo: target})
			require.Equal(t, tenancy.ErrNotFound, err, name)
			_, err = s.people.Archive(ctx, bob, tenancy.Leftovers{MoveTo: target})
			require.ErrorIs(t, err, rbac.ErrDenied, name)
		}
		assert.Empty(t, room.told)
		_, err = s.people.Archive(ctx, tenancy.Actor{User: alice.ID}, tenancy.Leftovers{MoveTo: team.ID})
		require.ErrorIs(t, err, tenancy.ErrNoPrincipal)
	})
}

// archivist refuses, or notes what it was told.
type archivist struct {
	told   []tenancy.Archival
	refuse error
}

func (a *archivist) Archive(_ context.Context, archival tenancy.Archival) error {
	a.told = append(a.told, archival)
	return a.refuse
}

func TestArchiveAsksForTheConversations(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		team := s.team(alice, "Sales")
		manager := tenancy.Actor{User: alice.ID, Team: team.ID}
		target, err := s.people.CreateTeam(ctx, s.holder(team.ID), tenancy.TeamSpec{Name: "Hiring"})
		require.NoError(t, err)
		room := &archivist{refuse: errors.New("not now")}
		s.people.BindArchivist(room)

		for _, odd := range []tenancy.Leftovers{{Close: true, MoveTo: target.ID}, {MoveTo: team.ID}} {
			_, err = s.people.Archive(ctx, manager, odd)
			require.ErrorIs(t, err, tenancy.ErrInvalid)
		}
		_, err = s.people.Archive(ctx, manager, tenancy.Leftovers{MoveTo: target.ID})
		require.ErrorIs(t, err, room.refuse)
		kept, err := s.people.Team(ctx, manager)
		require.NoError(t, err)
		assert.Equal(t, team, kept)
		room.refuse, room.told = nil, nil
		_, err = s.people.Archive(ctx, manager, tenancy.Leftovers{MoveTo: target.ID})
		require.NoError(t, err)
		require.Len(t, room.told, 1)
		assert.Equal(t, tenancy.Archival{Team: team, By: manager, Leftovers: tenancy.Leftovers{MoveTo: target.ID}}, room.told[0])
	})
}
