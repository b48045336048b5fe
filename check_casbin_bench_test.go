package usher_test

import (
	"testing"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/memory"
)

// casbinSetup is one way to keep teams in Casbin.
type casbinSetup struct {
	name  string
	model string
	// rule is the policy row that gives a role a permission in a team; shared says that one row
	// is for all teams.
	rule   func(team, role, object, action string) []string
	shared bool
	each   int // questions in a turn
}

const casbinRequest = `[request_definition]
r = sub, dom, obj, act
[role_definition]
g = _, _, _
[policy_effect]
e = some(where (p.eft == allow))
`

// The bars at 1,000 teams are a 50,000th of the time with rules for each team, which is RBAC with domains
// as Casbin's documentation shows it, and a hundredth of that of Casbin at its best.
var casbinSetups = []casbinSetup{
	{
		name: "domains", each: 2,
		model: casbinRequest + `[policy_definition]
p = sub, dom, obj, act
[matchers]
m = g(r.sub, p.sub, r.dom) && r.dom == p.dom && r.obj == p.obj && r.act == p.act`,
		rule: func(team, role, object, action string) []string { return []string{role, team, object, action} },
	},
	{
		name: "shared rules", each: 200, shared: true,
		model: casbinRequest + `[policy_definition]
p = sub, obj, act
[matchers]
m = r.obj == p.obj && r.act == p.act && g(r.sub, p.sub, r.dom)`,
		rule: func(_, role, object, action string) []string { return []string{role, object, action} },
	},
}

// casbinRights are ten permissions that members have, which Casbin is given for each of three roles:
// less than usher's own policy, to spare it rows.
var casbinRights = [][2]string{
	{"member", "list"}, {"team", "read"}, {"dashboard", "read"}, {"report", "read"}, {"conversation", "list all"},
	{"conversation", "read all"}, {"conversation", "start"}, {"conversation", "assign"}, {"conversation", "claim"}, {"conversation", "deliver"},
}

// enforcer holds the crowd.
func (c casbinSetup) enforcer(tb testing.TB, teams crowd) *casbin.Enforcer {
	tb.Helper()
	parsed, err := model.NewModelFromString(c.model)
	require.NoError(tb, err)
	e, err := casbin.NewEnforcer(parsed)
	require.NoError(tb, err)
	var rules, members [][]string
	for n := range int(teams) {
		if c.shared && n > 0 {
			break
		}
		for _, role := range rbac.TeamRoles() {
			for _, right := range casbinRights {
				rules = append(rules, c.rule(teams.team(n).ID.String(), role.String(), right[0], right[1]))
			}
		}
	}
	for n := range teams.users() {
		m := teams.membership(n)
		members = append(members, []string{m.User.String(), m.Role.String(), m.Team.String()})
	}
	for _, add := range []func() (bool, error){
		func() (bool, error) { return e.AddPolicies(rules) },
		func() (bool, error) { return e.AddGroupingPolicies(members) },
	} {
		added, err := add()
		require.NoError(tb, err)
		require.True(tb, added)
	}
	return e
}

// BenchmarkCasbin measures Tenancy.Check of the memory store against Casbin with the same memberships.
// Casbin knows of no account, user or expiry. Both are asked by the same 256 members, about each of
// casbinRights alike where the answer is yes: Casbin finds the first of them three times as fast as the
// last, and a miss costs it a look at all of them. Casbin has the texts of the ids at hand.
func BenchmarkCasbin(b *testing.B) {
	const teams crowd = 1_000
	store := memory.New()
	teams.fill(b, store)
	u := newUsher(b, store)
	questions := map[string]func(n int) [2]string{
		"allow": func(n int) [2]string { return casbinRights[n/eachTeam%len(casbinRights)] },
		"deny":  func(int) [2]string { return [2]string{"account", "close"} },
	}
	members := make([][2]string, teams.users())
	for n := range members {
		actor := teams.actor(n)
		members[n] = [2]string{actor.User.String(), actor.Team.String()}
	}
	for _, setup := range casbinSetups {
		b.Run(setup.name, func(b *testing.B) {
			e := setup.enforcer(b, teams)
			for _, name := range []string{"allow", "deny"} {
				b.Run(name, func(b *testing.B) {
					right := questions[name]
					perms := make([]rbac.Permission, teams.users())
					for n := range perms {
						perms[n] = permission(b, right(n))
					}
					subject := checking(b.Context(), u, teams, name, 20_000, func(n int) rbac.Permission { return perms[n] })
					inTurns(b, inTurn(teams.users()), subject, side{"casbin", setup.each, func(n int) error {
						member, asked := members[n], right(n)
						yes, err := e.Enforce(member[0], member[1], asked[0], asked[1])
						if err != nil {
							return err
						}
						return expected(name, yes)
					}})
				})
			}
		})
	}
}

// permission is the right by its name.
func permission(tb testing.TB, right [2]string) rbac.Permission {
	tb.Helper()
	policy, err := rbac.NewPolicy()
	require.NoError(tb, err)
	perm, err := policy.Permission(right[0], right[1])
	require.NoError(tb, err)
	return perm
}
