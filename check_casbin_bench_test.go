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
// Casbin knows of no account, user or expiry.
func BenchmarkCasbin(b *testing.B) {
	const teams crowd = 1_000
	store := memory.New()
	teams.fill(b, store)
	u := newUsher(b, store)
	right := map[string][2]string{"allow": {"team", "read"}, "deny": {"account", "close"}}
	for _, setup := range casbinSetups {
		b.Run(setup.name, func(b *testing.B) {
			e := setup.enforcer(b, teams)
			for _, name := range []string{"allow", "deny"} {
				b.Run(name, func(b *testing.B) {
					inTurns(b, inTurn(teams.users()), checking(b.Context(), u, teams, name, 20_000), side{"casbin", setup.each, func(n int) error {
						actor := teams.actor(n)
						yes, err := e.Enforce(actor.User.String(), actor.Team.String(), right[name][0], right[name][1])
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
