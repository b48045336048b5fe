package rbac

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestExplainNamesTheRuleThatDecided(t *testing.T) {
	p, err := NewPolicy(sample()...)
	require.NoError(t, err)
	scout, _ := p.Custom("Scout", Member, []string{"audit: read", "blast: send"})
	guest, _ := p.Custom("Helper", Restricted, []string{"contact: edit"})
	fillIn, err := p.Permission("scorecard", "fill in")
	require.NoError(t, err)
	readCard, err := p.Permission("scorecard", "read")
	require.NoError(t, err)
	for _, c := range []struct {
		rights Rights
		perm   Permission
		by     Reach
		says   string
	}{
		{p.Rights(Member), SendMessage, ByTeam, `member has "message: send" by team: p, member, message, send, team, allow`},
		{p.Rights(Manager), SendMessage, ByTeam, `manager has "message: send" by team: p, member, message, send, team, allow via g, manager, member`},
		{p.Rights(Manager), readCard, ByGrant, `manager has "scorecard: read" by grant: p, inner, scorecard, read, grant, allow via g, manager, member via g, member, outer via g, outer, inner`},
		{p.Rights(Restricted), readCard, ByGrant, `restricted has "scorecard: read" by grant: p, inner, scorecard, read, grant, allow via g, restricted, inner`},
		{p.Rights(Member), SendBlast, ByTeam, `member lacks "blast: send" by team: p, member, blast, send, team, deny`},
		{p.Rights(Member), fillIn, ByTeam, `member lacks "scorecard: fill in" by team: p, member, scorecard, fill in, team, deny`},
		{p.Rights(Member), SendBlast, ByGrant, `member lacks "blast: send" by grant: no row allows it`},
		{p.Rights(Restricted), SendBlast, ByTeam, `restricted lacks "blast: send" by team: no row allows it`},
		{p.Rights(Holder), CloseAccount, ByAccount, `holder has "account: close" by account: p, holder, account, close, account, allow`},
		{scout, ReadAudit, ByTeam, `member as "Scout" has "audit: read" by team: the custom role adds it`},
		{scout, ReadTeam, ByTeam, `member as "Scout" has "team: read" by team: p, member, team, read, team, allow`},
		{scout, SendBlast, ByGrant, `member as "Scout" lacks "blast: send" by grant: p, member, blast, send, team, deny`},
		{guest, EditContact, ByTeam, `restricted as "Helper" lacks "contact: edit" by team: p, restricted, contact, edit, grant, deny`},
		{p.Rights(Member), 999, ByTeam, `member lacks "permission(999)" by team: no row allows it`},
		{Rights{}, ReadTeam, ByTeam, `role(0) lacks "team: read" by team: no row allows it`},
		{p.Rights(Member), ReadTeam, 0, `member lacks "team: read" by reach(0): no row allows it`},
	} {
		assert.Equal(t, c.says, c.rights.Explain(c.perm, c.by).String())
	}
	why := p.Rights(Manager).Explain(SendMessage, ByTeam)
	assert.True(t, why.Allowed)
	assert.Equal(t, "p, member, message, send, team, allow", why.Row.String())
	require.Len(t, why.Via, 1)
	assert.Equal(t, "g, manager, member", why.Via[0].String())
}

// In every cell the reason agrees with the table, and is a proof that holds by the rows alone.
func TestExplainAgreesWithTheTable(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 3))
	for name, host := range map[string][]Row{"built-in": nil, "with host rows": sample()} {
		t.Run(name, func(t *testing.T) {
			p, err := NewPolicy(host...)
			require.NoError(t, err)
			for _, role := range subjects() {
				requireProof(t, p.Rights(role), host)
			}
			for _, base := range TeamRoles() {
				var names []string
				for perm := range p.table.Load().all() {
					if random.IntN(2) == 0 {
						names = append(names, p.Name(perm))
					}
				}
				rights, _ := p.Custom("Scout", base, names)
				requireProof(t, rights, host)
			}
		})
	}
}

func requireProof(t *testing.T, rights Rights, host []Row) {
	t.Helper()
	lines := slices.Collect(strings.Lines(policyCSV))
	for _, row := range host {
		lines = append(lines, row.String()+"\n")
	}
	stands := func(row Row) bool { return slices.Contains(lines, row.String()+"\n") }
	for perm := range rights.table.all() {
		n := rights.table.names[perm]
		for _, by := range reaches() {
			why := rights.Explain(perm, by)
			require.Equal(t, rights.Allows(perm, by), why.Allowed, "%s", why)
			who := rights.Role.String()
			deniedByReach := stands(Deny(rights.Role, n.object, n.action, by))
			for _, row := range why.Via {
				require.True(t, stands(row) && row.fields[0] == "g" && row.fields[1] == who, "%s", why)
				who = row.fields[2]
			}
			about := strings.Join([]string{"p", who, n.object, n.action}, ", ")
			switch {
			case why.Added:
				require.True(t, why.Allowed && why.Row.fields == nil && !rights.table.allows(rights.Role, perm, by), "%s", why)
			case why.Allowed:
				require.Equal(t, about+", "+by.String()+", allow", why.Row.String())
				require.True(t, stands(why.Row) && !deniedByReach, "%s", why)
			case why.Row.fields != nil:
				require.True(t, stands(why.Row) && why.Row.denies(), "%s", why)
				require.True(t, strings.HasPrefix(why.Row.String(), about+", "), "%s", why)
				require.True(t, deniedByReach || rights.Custom != "", "%s", why)
			default:
				require.False(t, deniedByReach, "%s", why)
			}
		}
	}
}
