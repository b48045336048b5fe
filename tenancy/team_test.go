package tenancy_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

func TestCreateTeam(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		account, err := s.people.CreateAccount(ctx, alice.ID, "Acme")
		require.NoError(t, err)
		holder := account.Holder(alice.ID)
		sales, err := s.people.CreateTeam(ctx, holder, tenancy.TeamSpec{Name: "Sales", Identity: tenancy.Phone("+15550100")})
		require.NoError(t, err)

		assert.Equal(t, []string{tenancy.TeamCreated, tenancy.MemberJoined}, s.events(sales.ID))
		members, err := s.people.Members(ctx, tenancy.Actor{User: alice.ID, Team: sales.ID}, tenancy.Page{})
		require.NoError(t, err)
		require.Len(t, members.Items, 1)
		assert.Equal(t, rbac.Manager, members.Items[0].Role, "the maker is the first manager")
		assert.Equal(t, "Alice", members.Items[0].Name)

		for _, same := range []string{"Sales", "sales", " SALES ", "Ｓａｌｅｓ"} {
			_, err = s.people.CreateTeam(ctx, holder, tenancy.TeamSpec{Name: same})
			require.ErrorIs(t, err, tenancy.ErrNameTaken, same)
		}
		_, err = s.people.CreateTeam(ctx, holder, tenancy.TeamSpec{Name: "Support", Identity: tenancy.Phone("+15550100")})
		require.ErrorIs(t, err, tenancy.ErrIdentityTaken)
		_, err = s.people.CreateTeam(ctx, holder, tenancy.TeamSpec{Name: strings.Repeat("\ufdfa", tenancy.MaxName)})
		require.ErrorIs(t, err, tenancy.ErrInvalid, "a name that is longer than it looks")
		_, err = s.people.CreateTeam(ctx, holder, tenancy.TeamSpec{Name: strings.Repeat("😀", tenancy.MaxName)})
		require.NoError(t, err)
		for _, odd := range []tenancy.Identity{
			tenancy.Phone("5550100"), tenancy.Phone("+05550100"), tenancy.Phone("+1 555 0100"), tenancy.Phone("+1234567890123456"),
			tenancy.Chat("Acme"), tenancy.Chat("a"), tenancy.Chat("-acme"), {Channel: "fax", Value: "+15550100"}, {Channel: tenancy.PhoneChannel},
		} {
			_, err = s.people.CreateTeam(ctx, holder, tenancy.TeamSpec{Name: "Odd", Identity: odd})
			require.ErrorIs(t, err, tenancy.ErrInvalid, odd)
		}

		oscar := s.user("Oscar")
		other, err := s.people.CreateAccount(ctx, oscar.ID, "Acme")
		require.NoError(t, err, "account names are nobody's")
		_, err = s.people.CreateTeam(ctx, other.Holder(oscar.ID), tenancy.TeamSpec{Name: "Sales"})
		require.NoError(t, err, "team names are unique within the account")
		_, err = s.people.CreateTeam(ctx, other.Holder(oscar.ID), tenancy.TeamSpec{Name: "Phones", Identity: tenancy.Phone("+15550100")})
		require.ErrorIs(t, err, tenancy.ErrIdentityTaken, "identities over all accounts")
		_, err = s.people.CreateTeam(ctx, account.Holder(oscar.ID), tenancy.TeamSpec{Name: "Mine"})
		require.ErrorIs(t, err, tenancy.ErrNotFound, "only its holder knows of an account")
	})
}

func TestSuspendedAccountCanOnlyBeRead(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		team := s.team(alice, "Sales")
		bob := s.member(team, "Bob", rbac.Member)
		actor := tenancy.Actor{User: alice.ID, Team: team.ID}
		require.NoError(t, s.store.InTx(ctx, func(ctx context.Context) error {
			a, err := s.store.LockAccount(ctx, team.Account)
			if err != nil {
				return err
			}
			a.Status = tenancy.AccountSuspended
			return s.store.UpdateAccount(ctx, a)
		}))

		_, err := s.people.Members(ctx, actor, tenancy.Page{})
		require.NoError(t, err)
		_, err = s.people.Audit(ctx, actor, tenancy.AuditFilter{}, tenancy.Page{})
		require.NoError(t, err)
		require.ErrorIs(t, s.people.Check(ctx, actor, rbac.SendBlast), tenancy.ErrAccountInactive)
		_, err = s.people.ChangeRole(ctx, actor, bob.User, rbac.Manager)
		require.ErrorIs(t, err, tenancy.ErrAccountInactive)
		_, err = s.people.CreateTeam(ctx, tenancy.Holder{User: alice.ID, Account: team.Account}, tenancy.TeamSpec{Name: "More"})
		require.ErrorIs(t, err, tenancy.ErrAccountInactive)
		_, err = s.people.Admit(ctx, host, tenancy.Admission{Team: team.ID, User: s.user("Carol").ID, Role: rbac.Member})
		require.ErrorIs(t, err, tenancy.ErrAccountInactive)
		require.NoError(t, s.people.Leave(ctx, bob), "whoever wants to leave may")
	})
}
