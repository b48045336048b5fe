package tenancy_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// Spec 3: Check, Can, Explain and Capabilities give the same answer, for every permission and
// everybody, in whatever state they are.
func TestSpec3_DecisionsAgree(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		alice := s.user("Alice")
		team := s.team(alice, "Sales")
		manager := tenancy.Actor{User: alice.ID, Team: team.ID}
		auditor, suspended, expired := s.member(team, "Auditor", rbac.Restricted), s.member(team, "Sue", rbac.Member), s.member(team, "Ex", rbac.Manager)
		_, err := s.people.GiveRole(ctx, manager, auditor.User, s.custom(team.ID, "Auditor", "audit: read").ID)
		require.NoError(t, err)
		_, err = s.people.Suspend(ctx, manager, suspended.User)
		require.NoError(t, err)
		_, err = s.people.SetExpiry(ctx, manager, expired.User, s.now.Add(time.Hour))
		require.NoError(t, err)
		s.now = s.now.Add(time.Hour)
		everybody := map[string]tenancy.Actor{
			"manager": manager, "member": s.member(team, "Bob", rbac.Member), "restricted": s.member(team, "Rex", rbac.Restricted),
			"auditor": auditor, "suspended": suspended, "expired": expired,
			"stranger": {User: s.user("Stranger").ID, Team: team.ID}, "nobody": {},
		}
		policy, err := rbac.NewPolicy()
		require.NoError(t, err)
		agree := func(t *testing.T) {
			t.Helper()
			for who, actor := range everybody {
				all, err := s.people.Capabilities(ctx, actor)
				standing := err
				for _, perm := range policy.Permissions() {
					check := s.people.Check(ctx, actor, perm)
					can, err := s.people.Can(ctx, actor, perm)
					require.NoError(t, err)
					assert.Equal(t, check == nil, can, "%s, %s", who, policy.Name(perm))
					why, err := s.people.Explain(ctx, actor, perm, rbac.ByTeam)
					require.NoError(t, err)
					assert.Equal(t, check, why.Err, "%s, %s", who, policy.Name(perm))
					assert.Equal(t, check == nil, why.Allowed())
					if standing != nil {
						assert.Equal(t, standing, check)
						continue
					}
					assert.Equal(t, check, all.Of(perm), "%s, %s", who, policy.Name(perm))
				}
			}
		}
		agree(t)
		_, err = s.people.SuspendAccount(ctx, host, team.Account)
		require.NoError(t, err)
		agree(t)
	})
}

func TestExplainTellsRuleAndFacts(t *testing.T) {
	s := newScene(t)
	ctx := t.Context()
	alice := s.user("Alice")
	team := s.team(alice, "Sales")
	manager, bob := tenancy.Actor{User: alice.ID, Team: team.ID}, s.member(team, "Bob", rbac.Member)
	_, err := s.people.GiveRole(ctx, manager, bob.User, s.custom(team.ID, "Auditor", "audit: read").ID)
	require.NoError(t, err)
	_, err = s.people.SetExpiry(ctx, manager, bob.User, s.now.Add(time.Hour))
	require.NoError(t, err)
	for _, c := range []struct {
		actor tenancy.Actor
		perm  rbac.Permission
		want  string
	}{
		{bob, rbac.ReadAudit, `allowed
rule: member as "Auditor" has "audit: read" by team: the custom role adds it
membership: member, active, as "Auditor", until 2030-01-02T04:04:05.000006Z
user: active
team: active
account: active
`},
		{bob, rbac.ChangeRole, `refused: denied: member as "Auditor" lacks "member: change role", which manager has
rule: member as "Auditor" lacks "member: change role" by team: no row allows it
membership: member, active, as "Auditor", until 2030-01-02T04:04:05.000006Z
user: active
team: active
account: active
`},
		{tenancy.Actor{User: s.user("Stranger").ID, Team: team.ID}, rbac.ReadTeam, "refused: not found\nmembership: none\n"},
	} {
		why, err := s.people.Explain(ctx, c.actor, c.perm, rbac.ByTeam)
		require.NoError(t, err)
		assert.Equal(t, c.want, why.String())
	}
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	_, err = s.people.Explain(canceled, bob, rbac.ReadTeam, rbac.ByTeam)
	require.ErrorIs(t, err, context.Canceled, "no answer is not a no")
	_, err = s.people.Can(canceled, bob, rbac.ReadTeam)
	require.ErrorIs(t, err, context.Canceled)
}

// What a guest has by a grant is explained by the grant, and is not theirs in the whole team.
func TestSpec3_ExplainIsByTheReachThatIsAsked(t *testing.T) {
	s := newScene(t)
	ctx := t.Context()
	team := s.team(s.user("Alice"), "Sales")
	guest := s.member(team, "Gina", rbac.Restricted)
	byGrant, err := s.people.Explain(ctx, guest, rbac.SendMessage, rbac.ByGrant)
	require.NoError(t, err)
	require.NoError(t, byGrant.Err)
	assert.Equal(t, "p, restricted, message, send, grant, allow", byGrant.Rule.Row.String())
	byTeam, err := s.people.Explain(ctx, guest, rbac.SendMessage, rbac.ByTeam)
	require.NoError(t, err)
	require.ErrorIs(t, byTeam.Err, rbac.ErrDenied)
	assert.Zero(t, byTeam.Rule.Row)
}

// Every refusal can be explained, whoever was refused: what it rests on differs by the principal.
func TestExplainOfEveryPrincipal(t *testing.T) {
	s := newScene(t)
	ctx := t.Context()
	alice, sue := s.user("Alice"), s.user("Sue")
	team := s.team(alice, "Sales")
	holder := s.holder(team.ID)
	suspended, err := s.people.CreateAccount(ctx, sue.ID, "Sue's")
	require.NoError(t, err)
	_, err = s.people.SuspendUser(ctx, host, sue.ID)
	require.NoError(t, err)
	_, err = s.people.SuspendAccount(ctx, host, holder.Account)
	require.NoError(t, err)
	random := tenancy.NewID[tenancy.AccountID](tenancy.Env{})
	for _, c := range []struct {
		by   tenancy.Principal
		perm rbac.Permission
		want string
	}{
		{holder, rbac.ReadAccount, "allowed\nrule: holder has \"account: read\" by account: p, holder, account, read, account, allow\naccount: suspended, held by the user\nuser: active\n"},
		{holder, rbac.CloseAccount, "refused: conflict: the account is not active\nrule: holder has \"account: close\" by account: p, holder, account, close, account, allow\naccount: suspended, held by the user\nuser: active\n"},
		{holder, rbac.ReadAudit, "refused: denied: holder lacks \"audit: read\", which manager has\nrule: holder lacks \"audit: read\" by account: no row allows it\naccount: suspended, held by the user\nuser: active\n"},
		{suspended.Holder(sue.ID), rbac.ReadAccount, "refused: denied: the user or the membership is not active\nrule: holder has \"account: read\" by account: p, holder, account, read, account, allow\naccount: active, held by the user\nuser: suspended\n"},
		{tenancy.Holder{User: alice.ID, Account: suspended.ID}, rbac.ReadAccount, "refused: not found\naccount: active, held by somebody else\n"},
		{tenancy.Holder{User: alice.ID, Account: random}, rbac.ReadAccount, "refused: not found\naccount: none\n"},
		{tenancy.Holder{}, rbac.ReadAccount, "refused: denied: the call names no principal\naccount: none\n"},
		{host, rbac.ReadAccount, "allowed\nthe host: takes no permission\n"},
		{tenancy.System(""), rbac.ReadAccount, "refused: denied: the call names no principal\nthe host: takes no permission\n"},
		{tenancy.Self(alice.ID), rbac.ReadAccount, "allowed\nuser: active\n"},
		{tenancy.Self(sue.ID), rbac.ReadAccount, "refused: denied: the user or the membership is not active\nuser: suspended\n"},
		{nil, rbac.ReadAccount, "refused: denied: the call names no principal\n"},
	} {
		why, err := s.people.Explain(ctx, c.by, c.perm, rbac.ByTeam)
		require.NoError(t, err)
		assert.Equal(t, c.want, why.String())
		if by, ok := c.by.(tenancy.Holder); ok && c.perm == rbac.ReadAccount {
			_, refused := s.people.Account(ctx, by)
			assert.Equal(t, refused, why.Err, "it is the answer of the operation")
		}
	}
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	for _, by := range []tenancy.Principal{holder, tenancy.Self(alice.ID)} {
		_, err = s.people.Explain(canceled, by, rbac.ReadAccount, rbac.ByAccount)
		require.ErrorIs(t, err, context.Canceled)
	}
}

// What is said of a member is what the operations then do, for every pair of roles.
func TestCapabilitiesOnAMember(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		ctx := t.Context()
		team := s.team(s.user("Alice"), "Sales")
		holder := s.holder(team.ID)
		_, err := s.people.DefineRole(ctx, holder, tenancy.RoleSpec{Name: "Lead", Base: rbac.Member, Permissions: []string{"member: remove", "member: suspend"}})
		require.NoError(t, err)
		lead := s.custom(team.ID, "Lead").ID
		boss := tenancy.Actor{User: holder.User, Team: team.ID}
		people := map[string]func(name string) tenancy.Actor{
			"manager":    func(name string) tenancy.Actor { return s.member(team, name, rbac.Manager) },
			"member":     func(name string) tenancy.Actor { return s.member(team, name, rbac.Member) },
			"restricted": func(name string) tenancy.Actor { return s.member(team, name, rbac.Restricted) },
			"lead": func(name string) tenancy.Actor {
				actor := s.member(team, name, rbac.Member)
				_, err := s.people.GiveRole(ctx, boss, actor.User, lead)
				require.NoError(t, err)
				return actor
			},
		}
		for who, makeActor := range people {
			for whom, makeTarget := range people {
				actor, target := makeActor(who+"-acts-on-"+whom), makeTarget(whom+"-of-"+who)
				can, err := s.people.CapabilitiesOn(ctx, actor, target.User)
				if who == "restricted" {
					require.ErrorIs(t, err, rbac.ErrDenied)
					continue
				}
				require.NoError(t, err)
				_, suspended := s.people.Suspend(ctx, actor, target.User)
				assert.Equal(t, can.Of(rbac.SuspendMember), suspended, "%s suspends %s", who, whom)
				removed := s.people.Remove(ctx, actor, target.User)
				assert.Equal(t, can.Of(rbac.RemoveMember), removed, "%s removes %s", who, whom)
			}
		}
		gone := s.member(team, "Gone", rbac.Member)
		require.NoError(t, s.people.Remove(ctx, boss, gone.User))
		for _, nobody := range []tenancy.UserID{s.user("Stranger").ID, gone.User} {
			_, err = s.people.CapabilitiesOn(ctx, boss, nobody)
			require.ErrorIs(t, err, tenancy.ErrNotFound)
		}
	})
}

func TestCapabilitiesForAUserInterface(t *testing.T) {
	text, err := json.Marshal(tenancy.Capabilities{
		{Permission: rbac.ReadTeam, Name: "team: read"},
		{Permission: rbac.CloseAccount, Name: "account: close", Err: errors.New("not yours")},
	})
	require.NoError(t, err)
	assert.JSONEq(t, `[{"permission":"team: read","allowed":true},{"permission":"account: close","allowed":false,"why":"not yours"}]`, string(text))
	require.ErrorIs(t, tenancy.Capabilities{}.Of(rbac.ReadTeam), tenancy.ErrNotFound)
}

// An explanation is as structured as it is printable, whoever it is about.
func TestExplainAsJSON(t *testing.T) {
	s := newScene(t)
	ctx := t.Context()
	alice := s.user("Alice")
	team := s.team(alice, "Sales")
	bob := s.member(team, "Bob", rbac.Member)
	for _, c := range []struct {
		by   tenancy.Principal
		perm rbac.Permission
		want string
	}{
		{bob, rbac.ChangeRole, `{"by": "` + bob.Principal() + `", "permission": "member: change role", "allowed": false,
			"why": "denied: member lacks \"member: change role\", which manager has",
			"rule": "member lacks \"member: change role\" by team: no row allows it",
			"facts": ["membership: member, active", "user: active", "team: active", "account: active"]}`},
		{s.holder(team.ID), rbac.CloseAccount, `{"by": "` + s.holder(team.ID).Principal() + `", "permission": "account: close", "allowed": true,
			"rule": "holder has \"account: close\" by account: p, holder, account, close, account, allow",
			"facts": ["account: active, held by the user", "user: active"]}`},
		{host, rbac.ReadTeam, `{"by": "system:test", "permission": "team: read", "allowed": true, "facts": ["the host: takes no permission"]}`},
		{nil, rbac.ReadTeam, `{"permission": "team: read", "allowed": false, "why": "denied: the call names no principal", "facts": []}`},
	} {
		why, err := s.people.Explain(ctx, c.by, c.perm, rbac.ByTeam)
		require.NoError(t, err)
		told, err := json.Marshal(why)
		require.NoError(t, err)
		assert.JSONEq(t, c.want, string(told))
	}
}
