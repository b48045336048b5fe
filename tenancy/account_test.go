package tenancy_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

func TestSpec4_ServicesOfAnAccount(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		holder := s.holder(s.team(alice, "Sales").ID)
		before := len(s.accountEvents(holder.Account))

		_, err := s.people.AddService(ctx, holder, "sms", 2)
		require.NoError(t, err)
		_, err = s.people.AddService(ctx, holder, "voice", 1)
		require.NoError(t, err)
		a, err := s.people.AddService(ctx, holder, "sms", 5)
		require.NoError(t, err)
		want := []tenancy.AccountService{
			{Key: "sms", Quantity: 5, AddedAt: s.now, AddedBy: holder.Principal()},
			{Key: "voice", Quantity: 1, AddedAt: s.now, AddedBy: holder.Principal()},
		}
		assert.Equal(t, want, a.Services)
		same, err := s.people.AddService(ctx, holder, "sms", 5)
		require.NoError(t, err)
		assert.Equal(t, a.Version, same.Version, "the same quantity again changes nothing")

		a, err = s.people.RemoveService(ctx, holder, "sms")
		require.NoError(t, err)
		again, err := s.people.RemoveService(ctx, holder, "sms")
		require.NoError(t, err)
		assert.Equal(t, a, again, "what is not booked changes nothing")
		read, err := s.people.Account(ctx, holder)
		require.NoError(t, err)
		assert.Equal(t, want[1:], read.Services)
		assert.Equal(t, []string{
			tenancy.AccountServiceAdded, tenancy.AccountServiceAdded, tenancy.AccountServiceAdded, tenancy.AccountServiceRemoved,
		}, s.accountEvents(holder.Account)[before:])
	})
}

func TestServicesAreBounded(t *testing.T) {
	s := newScene(t)
	ctx := t.Context()
	holder := s.holder(s.team(s.user("Alice"), "Sales").ID)
	for _, key := range []string{"", "SMS", "two words", "a\x00", "é", strings.Repeat("k", tenancy.MaxServiceKey+1), strings.Repeat("k", 1<<20)} {
		_, err := s.people.AddService(ctx, holder, key, 1)
		require.ErrorIs(t, err, tenancy.ErrInvalid, "%.20q", key)
		_, err = s.people.RemoveService(ctx, holder, key)
		require.ErrorIs(t, err, tenancy.ErrInvalid)
	}
	for _, quantity := range []int{0, -1, tenancy.MaxServiceQuantity + 1} {
		_, err := s.people.AddService(ctx, holder, "sms", quantity)
		require.ErrorIs(t, err, tenancy.ErrInvalid)
	}
	_, err := s.people.AddService(ctx, holder, strings.Repeat("k", tenancy.MaxServiceKey), tenancy.MaxServiceQuantity)
	require.NoError(t, err)
	for n := range tenancy.MaxServices - 1 {
		_, err := s.people.AddService(ctx, holder, fmt.Sprint("s", n), 1)
		require.NoError(t, err)
	}
	_, err = s.people.AddService(ctx, holder, "one-too-many", 1)
	require.ErrorIs(t, err, tenancy.ErrLimit)
	_, err = s.people.AddService(ctx, holder, "s1", 2)
	require.NoError(t, err, "another quantity of what is booked is no new service")
}

func TestAccountsAreTheirHolders(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice, oscar := s.user("Alice"), s.user("Oscar")
		team := s.team(alice, "Sales")
		s.team(oscar, "Sales")
		holder := s.holder(team.ID)
		stranger := tenancy.Holder{User: oscar.ID, Account: holder.Account}
		for name, try := range map[string]func(tenancy.Holder) error{
			"Account":       func(h tenancy.Holder) error { _, err := s.people.Account(ctx, h); return err },
			"Teams":         func(h tenancy.Holder) error { _, err := s.people.Teams(ctx, h, tenancy.Page{}); return err },
			"RenameAccount": func(h tenancy.Holder) error { _, err := s.people.RenameAccount(ctx, h, "Mine"); return err },
			"AddService":    func(h tenancy.Holder) error { _, err := s.people.AddService(ctx, h, "sms", 1); return err },
			"RemoveService": func(h tenancy.Holder) error { _, err := s.people.RemoveService(ctx, h, "sms"); return err },
			"SeatsTaken":    func(h tenancy.Holder) error { _, err := s.people.SeatsTaken(ctx, h); return err },
			"CloseAccount":  func(h tenancy.Holder) error { _, err := s.people.CloseAccount(ctx, h); return err },
		} {
			require.ErrorIs(t, try(stranger), tenancy.ErrNotFound, name)
			require.ErrorIs(t, try(tenancy.Holder{User: alice.ID}), tenancy.ErrNoPrincipal, name)
			require.NoError(t, try(holder), name) // CloseAccount may come first or last
			if name == "CloseAccount" {
				s.reopen(t, holder.Account)
			}
		}
		mine, err := s.people.MyAccounts(ctx, alice.ID, tenancy.Page{})
		require.NoError(t, err)
		require.Len(t, mine.Items, 1)
		assert.Equal(t, "Mine", mine.Items[0].Name)
		teams, err := s.people.Teams(ctx, holder, tenancy.Page{})
		require.NoError(t, err)
		require.Len(t, teams.Items, 1)
		assert.Equal(t, team.ID, teams.Items[0].ID)
	})
}

// reopen writes an account as active, which no operation does with a closed one.
func (s *scene) reopen(t *testing.T, id tenancy.AccountID) {
	t.Helper()
	require.NoError(t, s.store.InTx(t.Context(), func(ctx context.Context) error {
		a, err := s.store.Account(ctx, id)
		if err != nil {
			return err
		}
		a.Status = tenancy.AccountActive
		return s.store.UpdateAccount(ctx, a)
	}))
}

// Spec 2: an identity is unique among live teams over all accounts, and an account that is closed has
// none.
func TestSpec2_AClosedAccountFreesItsIdentities(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		account := func(name string) tenancy.Holder {
			u := s.user(name)
			a, err := s.people.CreateAccount(ctx, u.ID, name)
			require.NoError(t, err)
			return a.Holder(u.ID)
		}
		acme, globex := account("Acme"), account("Globex")
		phone, chat := tenancy.Phone("+4915112345678"), tenancy.Chat("jobs")
		sales, err := s.people.CreateTeam(ctx, acme, tenancy.TeamSpec{Name: "Sales", Identity: phone})
		require.NoError(t, err)
		_, err = s.people.CreateTeam(ctx, acme, tenancy.TeamSpec{Name: "Jobs", Identity: chat})
		require.NoError(t, err)
		take := func(name string, identity tenancy.Identity) error {
			_, err := s.people.CreateTeam(ctx, globex, tenancy.TeamSpec{Name: name, Identity: identity})
			return err
		}
		_, err = s.people.SuspendAccount(ctx, host, acme.Account)
		require.NoError(t, err)
		require.ErrorIs(t, take("Sales", phone), tenancy.ErrIdentityTaken, "a suspended account keeps its own")
		_, err = s.people.ReactivateAccount(ctx, host, acme.Account)
		require.NoError(t, err)

		_, err = s.people.CloseAccount(ctx, acme)
		require.NoError(t, err)
		_, err = s.people.TeamByIdentity(ctx, host, phone)
		require.ErrorIs(t, err, tenancy.ErrNotFound)
		require.NoError(t, take("Sales", phone))
		require.NoError(t, take("Jobs", chat))
		found, err := s.people.TeamByIdentity(ctx, host, phone)
		require.NoError(t, err)
		assert.Equal(t, globex.Account, found.Account)
		was, err := s.people.TeamByID(ctx, host, sales.ID)
		require.NoError(t, err)
		assert.Equal(t, sales, was, "what it was stays on record")
	})
}

// Spec 4.7, 4.8: a suspended account can be read and reactivated; a closed one only read.
func TestSpec4_8_AccountStatus(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		team := s.team(alice, "Sales")
		bob := s.member(team, "Bob", rbac.Member)
		actor, holder := tenancy.Actor{User: alice.ID, Team: team.ID}, s.holder(team.ID)
		before := len(s.accountEvents(team.Account))

		a, err := s.people.SuspendAccount(ctx, host, team.Account)
		require.NoError(t, err)
		assert.Equal(t, tenancy.AccountSuspended, a.Status)
		again, err := s.people.SuspendAccount(ctx, host, team.Account)
		require.NoError(t, err)
		assert.Equal(t, a, again, "suspending again changes nothing")

		_, err = s.people.Members(ctx, actor, tenancy.Page{})
		require.NoError(t, err)
		_, err = s.people.Account(ctx, holder)
		require.NoError(t, err)
		for name, try := range map[string]func() error{
			"Check":      func() error { return s.people.Check(ctx, actor, rbac.SendBlast) },
			"ChangeRole": func() error { _, err := s.people.ChangeRole(ctx, actor, bob.User, rbac.Manager); return err },
			"Suspend":    func() error { _, err := s.people.Suspend(ctx, actor, bob.User); return err },
			"SetExpiry":  func() error { _, err := s.people.SetExpiry(ctx, actor, bob.User, s.now.Add(1e9)); return err },
			"RenameTeam": func() error { _, err := s.people.RenameTeam(ctx, actor, "More"); return err },
			"Configure": func() error {
				_, err := s.people.Configure(ctx, actor, tenancy.Settings{TimeZone: "Europe/Berlin"})
				return err
			},
			"Archive":       func() error { _, err := s.people.Archive(ctx, actor, tenancy.Leftovers{}); return err },
			"CreateTeam":    func() error { _, err := s.people.CreateTeam(ctx, holder, tenancy.TeamSpec{Name: "More"}); return err },
			"RenameAccount": func() error { _, err := s.people.RenameAccount(ctx, holder, "More"); return err },
			"AddService":    func() error { _, err := s.people.AddService(ctx, holder, "sms", 1); return err },
			"CloseAccount":  func() error { _, err := s.people.CloseAccount(ctx, holder); return err },
			"DefineRole": func() error {
				_, err := s.people.DefineRole(ctx, holder, tenancy.RoleSpec{Name: "R", Base: rbac.Member})
				return err
			},
			"Admit": func() error {
				_, err := s.people.Admit(ctx, host, tenancy.Admission{Team: team.ID, User: s.user("Carol").ID, Role: rbac.Member})
				return err
			},
		} {
			require.ErrorIs(t, try(), tenancy.ErrAccountInactive, name)
		}

		_, err = s.people.ReactivateAccount(ctx, host, team.Account)
		require.NoError(t, err)
		require.NoError(t, s.people.Check(ctx, actor, rbac.SendBlast))
		closed, err := s.people.CloseAccount(ctx, holder)
		require.NoError(t, err)
		again, err = s.people.CloseAccount(ctx, holder)
		require.NoError(t, err)
		assert.Equal(t, closed, again)
		var status *tenancy.StatusError
		_, err = s.people.ReactivateAccount(ctx, host, team.Account)
		require.ErrorAs(t, err, &status)
		_, err = s.people.SuspendAccount(ctx, host, team.Account)
		require.ErrorAs(t, err, &status)
		require.ErrorIs(t, s.people.Check(ctx, actor, rbac.SendBlast), tenancy.ErrAccountInactive)
		assert.Equal(t, []string{tenancy.AccountStatusChanged, tenancy.AccountStatusChanged, tenancy.AccountStatusChanged},
			s.accountEvents(team.Account)[before:])
	})
}
