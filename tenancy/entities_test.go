package tenancy_test

import (
	"encoding"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// Spec 2: an id of one kind is none of another, so that a TeamID does not compile where a UserID is meant;
// and each kind prints as text that it reads again.
func TestSpec2_IDsOfDifferentKindsAreDifferentTypes(t *testing.T) {
	kinds := []any{
		new(tenancy.AccountID), new(tenancy.UserID), new(tenancy.TeamID), new(tenancy.RoleID), new(tenancy.InvitationID), new(tenancy.BatchID),
		new(tenancy.ContactID), new(tenancy.ConversationID), new(tenancy.MessageID), new(tenancy.DeliveryID),
	}
	for i, a := range kinds {
		for j, b := range kinds {
			assert.Equal(t, i == j, reflect.TypeOf(a).Elem().AssignableTo(reflect.TypeOf(b).Elem()), "%T to %T", a, b)
		}
		text := tenancy.NewID[tenancy.UserID](tenancy.Env{}).String()
		require.NoError(t, a.(encoding.TextUnmarshaler).UnmarshalText([]byte(text)))
		written, err := a.(encoding.TextMarshaler).MarshalText()
		require.NoError(t, err)
		assert.Equal(t, text, string(written))
		assert.Equal(t, text, fmt.Sprint(a))
	}
}

// Spec 2: every time is the clock's, in UTC and to the microsecond, in what is answered as in what is kept;
// and every change of a row is its next version.
func TestSpec2_TimesAndVersions(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		elsewhere := time.FixedZone("elsewhere", -7*3600)
		s.now = time.Date(2031, 5, 6, 7, 8, 9, 123456789, elsewhere)
		at := time.Date(2031, 5, 6, 14, 8, 9, 123456000, time.UTC)

		alice := s.user("Alice")
		team := s.team(alice, "Sales")
		boss, holder := tenancy.Actor{User: alice.ID, Team: team.ID}, s.holder(team.ID)
		bob := s.member(team, "Bob", rbac.Member)
		account, err := s.people.AddService(ctx, holder, "sms", 1)
		require.NoError(t, err)
		role := s.custom(team.ID, "Lead", "member: change role")
		suspended, err := s.people.Suspend(ctx, boss, bob.User)
		require.NoError(t, err)
		for name, is := range map[string]time.Time{
			"user": alice.CreatedAt, "verified": alice.VerifiedAt, "account": account.CreatedAt, "service": account.Services[0].AddedAt,
			"team": team.CreatedAt, "role": role.CreatedAt, "joined": suspended.JoinedAt, "suspended": suspended.EndedAt,
		} {
			assert.Equal(t, at, is, name)
		}

		// kept is each row as the store has it.
		kept := func() []any {
			u, err := s.store.User(ctx, alice.ID)
			require.NoError(t, err)
			a, err := s.store.Account(ctx, account.ID)
			require.NoError(t, err)
			now, err := s.store.Team(ctx, team.ID)
			require.NoError(t, err)
			r, err := s.store.Role(ctx, account.ID, role.ID)
			require.NoError(t, err)
			m, err := s.store.Membership(ctx, team.ID, bob.User)
			require.NoError(t, err)
			return []any{u, a, now, r, m}
		}
		assert.Equal(t, []any{alice, account, team, role, suspended}, kept())

		account, err = s.people.RenameAccount(ctx, holder, "Acme")
		require.NoError(t, err)
		assert.EqualValues(t, 3, account.Version, "made, given a service, renamed")
		renamed, err := s.people.RenameTeam(ctx, boss, "Outreach")
		require.NoError(t, err)
		assert.Equal(t, team.Version+1, renamed.Version)
		edited, err := s.people.EditRole(ctx, holder, role.ID, tenancy.RoleSpec{Name: "Auditor", Base: rbac.Member, Permissions: []string{"audit: read"}})
		require.NoError(t, err)
		assert.Equal(t, role.Version+1, edited.Version)
		active, err := s.people.Reactivate(ctx, boss, bob.User)
		require.NoError(t, err)
		assert.Equal(t, suspended.Version+1, active.Version)
		moved, err := s.people.ChangeEmail(ctx, host, alice.ID, "alice@new.example", true)
		require.NoError(t, err)
		assert.Equal(t, alice.Version+1, moved.Version)
		assert.Equal(t, []any{moved, account, renamed, edited, active}, kept())
	})
}

// Spec 2: a membership tells when and by whom somebody joined and went. Who comes back has joined anew.
func TestSpec2_AMembershipTellsWhenAndByWhom(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		team := s.team(alice, "Sales")
		boss := tenancy.Actor{User: alice.ID, Team: team.ID}
		bob := s.member(team, "Bob", rbac.Member)
		is := func(who tenancy.Actor, joinedAt time.Time, joinedBy tenancy.Principal, endedAt time.Time, endedBy string) {
			t.Helper()
			m, err := s.store.Membership(ctx, who.Team, who.User)
			require.NoError(t, err)
			assert.Equal(t, []any{joinedAt, joinedBy.Principal(), endedAt, endedBy}, []any{m.JoinedAt, m.JoinedBy, m.EndedAt, m.EndedBy})
		}
		first := s.now
		is(boss, first, tenancy.Self(alice.ID), time.Time{}, "")
		is(bob, first, host, time.Time{}, "")
		s.now = s.now.Add(time.Hour)
		_, err := s.people.Suspend(ctx, boss, bob.User)
		require.NoError(t, err)
		is(bob, first, host, s.now, boss.Principal())
		_, err = s.people.Reactivate(ctx, boss, bob.User)
		require.NoError(t, err)
		is(bob, first, host, time.Time{}, "")
		require.NoError(t, s.people.Leave(ctx, bob))
		is(bob, first, host, s.now, bob.Principal())
		s.now = s.now.Add(time.Hour)
		_, err = s.people.Admit(ctx, "provisioning", tenancy.Admission{Team: team.ID, User: bob.User, Role: rbac.Member})
		require.NoError(t, err)
		is(bob, s.now, tenancy.System("provisioning"), time.Time{}, "")
		require.NoError(t, s.people.DeleteUser(ctx, host, bob.User, tenancy.UserID{}))
		is(bob, s.now, tenancy.System("provisioning"), s.now, host.Principal())
	})
}

// Spec 2: a membership that was removed keeps the name of who had it for the history, and is not listed.
func TestSpec2_RemovalKeepsANameForTheHistory(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		team := s.team(alice, "Sales")
		boss := tenancy.Actor{User: alice.ID, Team: team.ID}
		bob := s.member(team, "Bob", rbac.Member)
		require.NoError(t, s.people.Remove(ctx, boss, bob.User))
		m, err := s.store.Membership(ctx, team.ID, bob.User)
		require.NoError(t, err)
		assert.Equal(t, rbac.Member, m.Role, "what they were")
		names, err := s.people.NamesOf(ctx, host, bob.User)
		require.NoError(t, err)
		assert.Equal(t, map[tenancy.UserID]string{bob.User: "Bob"}, names)
		members, err := s.people.Members(ctx, boss, tenancy.Page{})
		require.NoError(t, err)
		require.Len(t, members.Items, 1)
		assert.Equal(t, alice.ID, members.Items[0].User)
	})
}
