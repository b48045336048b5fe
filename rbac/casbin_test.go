package rbac

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The tests of this file look behind the public API, at the enforcer that the table was compiled from.

// oracle asks Casbin with all rows in one enforcer, as a program would that had no table.
func oracle(t testing.TB, host []Row) decide {
	t.Helper()
	base, err := parse(policyCSV)
	require.NoError(t, err)
	rows, err := combine(base, host)
	require.NoError(t, err)
	ask, err := casbinDecide(modelConf, rows)
	require.NoError(t, err)
	return ask
}

// requireSameAsEnforce compares every cell of the table with Enforce, and with what the rows mean when
// they are read by hand.
func requireSameAsEnforce(t testing.TB, p *Policy, host []Row) {
	t.Helper()
	ask := oracle(t, host)
	meaning := read(t, host)
	for n, perm := range p.table.Load().numbers {
		for _, role := range subjects() {
			for _, by := range reaches() {
				enforced, err := ask(role.String(), n.object, n.action, by.String())
				require.NoError(t, err)
				if got := p.Allows(role, perm, by); got != enforced || got != meaning(role.String(), n, by.String()) {
					t.Fatalf("%s, %s by %s: table %v, Enforce %v, rows read by hand %v; host rows %v",
						role, n, by, got, enforced, meaning(role.String(), n, by.String()), host)
				}
			}
		}
	}
}

// read is a third opinion, which shares no code with the table or with Casbin: a right holds if no row
// denies it to just this role and a row allows it to somebody that the role is or inherits.
func read(t testing.TB, host []Row) func(role string, n name, reach string) bool {
	t.Helper()
	var lines [][]string
	for line := range strings.SplitSeq(policyCSV, "\n") {
		if line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, strings.Split(line, ", "))
		}
	}
	for _, row := range host {
		lines = append(lines, strings.Split(row.String(), ", "))
	}
	var allowed func(who string, n name, reach string) bool
	allowed = func(who string, n name, reach string) bool {
		for _, l := range lines {
			switch {
			case l[0] == "g" && l[1] == who && allowed(l[2], n, reach):
				return true
			case l[0] == "p" && strings.Join(l[1:], "|") == strings.Join([]string{who, n.object, n.action, reach, "allow"}, "|"):
				return true
			}
		}
		return false
	}
	return func(role string, n name, reach string) bool {
		for _, l := range lines {
			if l[0] == "p" && strings.Join(l[1:], "|") == strings.Join([]string{role, n.object, n.action, reach, "deny"}, "|") {
				return false
			}
		}
		return allowed(role, n, reach)
	}
}

// sample is a host's policy that uses every kind of row.
func sample() []Row {
	return []Row{
		Deny(Member, "blast", "send", ByTeam),
		Deny(Manager, "data", "export", ByTeam),
		Deny(Restricted, "contact", "edit", ByGrant),
		Allow(Member, "jobpost", "publish", ByTeam),
		Allow(Restricted, "message", "read note", ByGrant),
		Allow(Holder, "account", "see bill", ByAccount),
		Allow(Bundle("inner"), "scorecard", "read", ByGrant),
		Allow(Bundle("outer"), "scorecard", "fill in", ByTeam),
		Include(Bundle("outer"), "inner"),
		Include(Restricted, "inner"),
		Include(Member, "outer"),
		Deny(Member, "scorecard", "fill in", ByTeam),
	}
}

func TestTableEqualsEnforce(t *testing.T) {
	for name, host := range map[string][]Row{"built-in": nil, "with host rows": sample()} {
		t.Run(name, func(t *testing.T) {
			p, err := NewPolicy(host...)
			require.NoError(t, err)
			requireSameAsEnforce(t, p, host)
		})
	}
}

// Random host policies, grown row by row from those that fit: decided as Casbin decides them.
func TestTableEqualsEnforceOnRandomRows(t *testing.T) {
	base, err := parse(policyCSV)
	require.NoError(t, err)
	random := rand.New(rand.NewPCG(1, 1))
	row := func() Row {
		object, action := pick(random, "message", "blast", "jobpost"), pick(random, "send", "publish")
		role, by := pick(random, Manager, Member, Restricted), pick(random, ByTeam, ByTeam, ByGrant)
		bundle := pick(random, Bundle("a"), "b", "c")
		switch random.IntN(4) {
		case 0:
			return Include(pick[Subject](random, role, pick(random, Bundle("a"), "b", "c")), bundle)
		case 1:
			return Allow(bundle, object, action, by)
		case 2:
			return Allow(role, object, action, by)
		default:
			return Deny(role, object, action, by)
		}
	}
	refusals, kinds := 0, make(map[string]int)
	for range 5 {
		// The bundles exist from the start, or most rows would wait for their other half.
		rows := []Row{
			Allow(Bundle("a"), "jobpost", "print", ByTeam), Include(Manager, "a"),
			Allow(Bundle("b"), "jobpost", "print", ByGrant), Include(Restricted, "b"),
			Allow(Bundle("c"), "jobpost", "print", ByTeam), Include(Bundle("a"), "c"),
		}
		for range 25 {
			more := slices.Concat(rows, []Row{row()})
			if _, err := combine(base, more); err != nil {
				require.ErrorIs(t, err, ErrPolicy)
				refusals++
				continue
			}
			rows = more
		}
		p, err := NewPolicy(rows...)
		require.NoError(t, err)
		requireSameAsEnforce(t, p, rows)
		for _, row := range rows[6:] {
			kinds[row.fields[0]+row.fields[len(row.fields)-1]]++
		}
	}
	assert.Positive(t, refusals)
	assert.Greater(t, kinds["pallow"], 20)
	assert.Greater(t, kinds["pdeny"], 10)
	assert.Greater(t, kinds["ga"]+kinds["gb"]+kinds["gc"], 10)
}

func pick[T any](random *rand.Rand, from ...T) T { return from[random.IntN(len(from))] }

// What combine keeps from Casbin, shown on Casbin itself: when one of these fails, Casbin has changed,
// and the rule may be looked at again.
func TestWhyRowsAreCheckedBeforeCasbin(t *testing.T) {
	raw := func(fields ...string) Row { return Row{fields: fields} }
	base, err := parse(policyCSV)
	require.NoError(t, err)
	load := func(rows ...Row) (decide, error) {
		return casbinDecide(modelConf, slices.Concat(base, rows))
	}

	t.Run("a short row is taken and breaks every later question", func(t *testing.T) {
		ask, err := load(raw("p", "member", "jobpost"))
		require.NoError(t, err)
		_, err = ask("member", "message", "send", "team")
		require.Error(t, err)
	})
	t.Run("an unknown effect is taken and ignored", func(t *testing.T) {
		ask, err := load(raw("p", "member", "blast", "send", "team", "Deny"))
		require.NoError(t, err)
		yes, err := ask("member", "blast", "send", "team")
		require.NoError(t, err)
		assert.True(t, yes, "so what its writer believes denied is allowed")
	})
	t.Run("depth is cut silently", func(t *testing.T) {
		var rows []Row
		for i := range 11 {
			rows = append(rows, raw("g", fmt.Sprintf("b%d", i), fmt.Sprintf("b%d", i+1)))
		}
		ask, err := load(append(rows, raw("p", "b11", "deep", "right", "team", "allow"))...)
		require.NoError(t, err)
		far, err := ask("b0", "deep", "right", "team")
		require.NoError(t, err)
		near, err := ask("b1", "deep", "right", "team")
		require.NoError(t, err)
		assert.False(t, far, "eleven steps")
		assert.True(t, near, "ten steps")
		assert.Less(t, MaxDepth, 10)
	})
	t.Run("a role included gives all its rights away", func(t *testing.T) {
		ask, err := load(raw("g", "restricted", "manager"))
		require.NoError(t, err)
		yes, err := ask("restricted", "member", "change role", "team")
		require.NoError(t, err)
		assert.True(t, yes)
	})
	t.Run("a bundle is a subject to Casbin, and none to the table", func(t *testing.T) {
		yes, err := oracle(t, sample())("inner", "scorecard", "read", "grant")
		require.NoError(t, err)
		assert.True(t, yes)
		_, err = ParseRole("inner")
		require.ErrorIs(t, err, ErrUnknownRole)
	})
	t.Run("a batch with a row twice", func(t *testing.T) {
		// Within one batch the second is skipped; a batch that meets an older row is dropped as a whole
		// without an error, so casbinDecide adds all at once and looks at the answer.
		ask, err := load(base[len(base)-1])
		require.NoError(t, err)
		yes, err := ask("holder", "account", "close", "account")
		require.NoError(t, err)
		assert.True(t, yes)
	})
}

// The constants and the policy file hold each other: neither has a permission that the other lacks.
func TestBuiltInPermissionsAreExactlyThoseOfThePolicyFile(t *testing.T) {
	_, err := newTable(modelConf, strings.Replace(policyCSV, "p, member, blast, send, team, allow\n", "", 1), nil, nil)
	require.ErrorIs(t, err, ErrPolicy)
	assert.Contains(t, err.Error(), `does not name "blast: send"`)

	_, err = newTable(modelConf, policyCSV+"p, member, blast, sned, team, allow\n", nil, nil)
	require.ErrorIs(t, err, ErrPolicy)
	assert.Contains(t, err.Error(), `no built-in permission is called "blast: sned"`)

	_, err = newTable(modelConf, policyCSV+"p, member, blast, send\n", nil, nil)
	require.ErrorIs(t, err, ErrPolicy)

	_, err = newTable("[no model]", policyCSV, nil, nil)
	require.ErrorIs(t, err, ErrPolicy)
}

// A custom role decides as Casbin would if its permissions were a bundle that the role includes, with a
// deny row winning over both. (It never is one: the rows of accounts do not come into the policy.)
func TestCustomRoleEqualsABundleOfTheRole(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 2))
	for name, host := range map[string][]Row{"built-in": nil, "with host rows": sample()} {
		t.Run(name, func(t *testing.T) {
			p, err := NewPolicy(host...)
			require.NoError(t, err)
			for _, base := range TeamRoles() {
				for range 5 {
					requireSameAsBundle(t, p, host, base, random)
				}
			}
		})
	}
}

func requireSameAsBundle(t *testing.T, p *Policy, host []Row, base Role, random *rand.Rand) {
	t.Helper()
	var extra []string
	rows := slices.Concat(host, []Row{Allow(Bundle("custom"), "nothing", "at all", ByTeam), Include(base, "custom")})
	for perm := range p.table.Load().all() {
		n := p.table.Load().names[perm]
		somebody := func(role Role) bool { return p.Allows(role, perm, ByTeam) }
		if random.IntN(3) > 0 || !slices.ContainsFunc(TeamRoles(), somebody) {
			continue
		}
		extra = append(extra, n.String())
		rows = append(rows, Allow(Bundle("custom"), n.object, n.action, ByTeam), Allow(Bundle("custom"), n.object, n.action, ByGrant))
	}
	rights, err := p.Custom("Scout", base, extra)
	if err != nil {
		require.ErrorContains(t, err, "the policy denies", "the only reason that is left")
	}
	ask := oracle(t, rows)
	for n, perm := range p.table.Load().numbers {
		for _, by := range reaches() {
			enforced, err := ask(base.String(), n.object, n.action, by.String())
			require.NoError(t, err)
			if got := rights.Allows(perm, by); got != enforced && !deniesAny(host, base, n) {
				t.Fatalf("%s with %q, %s by %s: rights %v, Enforce %v", base, extra, n, by, got, enforced)
			} else if deniesAny(host, base, n) && got != p.Allows(base, perm, by) {
				t.Fatalf("%s with %q, %s by %s: %v in spite of the deny row", base, extra, n, by, got)
			}
		}
	}
}

// deniesAny reads by hand whether a row denies the permission to the role, by whatever reach.
func deniesAny(rows []Row, role Role, n name) bool {
	return slices.ContainsFunc(rows, func(row Row) bool {
		return strings.HasPrefix(row.String(), fmt.Sprintf("p, %s, %s, %s, ", role, n.object, n.action)) && strings.HasSuffix(row.String(), ", deny")
	})
}

// The table after a reload is the table that a start with the same rows gives, but for the numbers.
func TestTableEqualsEnforceAfterReloads(t *testing.T) {
	p, err := NewPolicy(Allow(Member, "old", "right", ByTeam))
	require.NoError(t, err)
	for _, host := range [][]Row{sample(), nil, sample()[:4]} {
		require.NoError(t, p.Reload(host...))
		requireSameAsEnforce(t, p, host)
	}
}

func TestNumbersRunOut(t *testing.T) {
	before := &table{names: make([]name, 1)}
	for i := range math.MaxUint16 - len(sample()) {
		before.names = append(before.names, name{"object", fmt.Sprint(i)})
	}
	_, err := compile(modelConf, sample(), before)
	require.NoError(t, err)
	before.names = append(before.names, name{"object", "one too many"})
	_, err = compile(modelConf, sample(), before)
	require.ErrorIs(t, err, ErrPolicy)
	assert.Contains(t, err.Error(), "no number may be left")
}
