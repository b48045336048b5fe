package rbac_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/rbac"
)

// refused builds a policy with text as rows and expects a refusal that shows the row or name and says
// what is allowed.
func refused(t *testing.T, text, says string) {
	t.Helper()
	rows, err := rbac.ParseRows(text)
	if err == nil {
		var policy *rbac.Policy
		policy, err = rbac.NewPolicy(rows...)
		assert.Nil(t, policy)
	}
	require.ErrorIs(t, err, rbac.ErrPolicy, "%.60q", text)
	assert.Contains(t, err.Error(), says)
	assert.Less(t, len(err.Error()), 1500, "the echo is bounded")
}

func TestSpec3_MalformedRowsAreRefused(t *testing.T) {
	for name, c := range map[string]struct{ text, says string }{
		"too few columns":         {"p, member, jobpost, publish, team", "5 columns instead of 6: p, role, object, action, reach, effect"},
		"too many columns":        {"p, member, jobpost, publish, team, allow, x", "7 columns instead of 6"},
		"one column":              {"p", "1 columns instead of 6"},
		"g with too few":          {"g, member", "2 columns instead of 3: g, role, bundle"},
		"g with a domain":         {"g, member, reviewing, team1", "4 columns instead of 3"},
		"unknown kind":            {"p2, member, jobpost, publish, team, allow", `starts with "p2"; allowed are p and g`},
		"upper-case kind":         {"P, member, jobpost, publish, team, allow", "allowed are p and g"},
		"unknown effect":          {"p, member, jobpost, publish, team, Deny", `effect "Deny" is not one of allow, deny`},
		"no effect":               {"p, member, jobpost, publish, team,", `effect "" is not one of`},
		"unknown reach":           {"p, member, jobpost, publish, everywhere, allow", `reach "everywhere" is not one of account, team, grant`},
		"no reach":                {"p, member, jobpost, publish, , allow", `reach ""`},
		"no role":                 {"p, , jobpost, publish, team, allow", `role ""`},
		"no object":               {"p, member, , publish, team, allow", `object ""`},
		"no action":               {"p, member, jobpost, , team, allow", `action ""`},
		"unknown role":            {"p, membre, jobpost, publish, team, allow", `"membre" is no role (manager, member, restricted, holder) and no bundle that a row includes`},
		"upper-case role":         {"p, Member, jobpost, publish, team, allow", `role "Member"`},
		"bundle nobody includes":  {"p, reviewing, scorecard, read, grant, allow", "no bundle that a row includes"},
		"bundle without rows":     {"g, member, reviewing", `bundle "reviewing" has no rows of its own`},
		"a role included":         {"g, restricted, manager", "a role cannot be included"},
		"the inheritance again":   {"g, manager, member", "a role cannot be included"},
		"the holder included":     {"g, manager, holder", "a role cannot be included"},
		"a role through a bundle": {"g, restricted, up\ng, up, manager", "a role cannot be included"},
		"includes itself":         {"p, a, x, y, team, allow\ng, a, a\ng, member, a", "includes itself"},
		"circle":                  {"p, a, x, y, team, allow\ng, member, a\ng, a, b\ng, b, c\ng, c, a", "includes itself"},
		"circle no role reaches":  {"p, a, x, y, team, allow\ng, a, b\ng, b, a", "includes itself"},
		"conflict":                {"p, member, jobpost, publish, team, allow\np, member, jobpost, publish, team, deny", "opposite effect"},
		"conflict, deny first":    {"p, member, blast, send, team, deny\np, member, blast, send, team, allow", "opposite effect"},
		"deny for a bundle":       {"p, a, x, y, team, allow\ng, member, a\np, a, x, y, team, deny", "deny binds exactly the role it names"},
		"deny misspelt":           {"p, member, blast, sned, team, deny", "it takes nothing away"},
		"deny by the wrong reach": {"p, restricted, message, send, team, deny", "restricted has no such right by team"},
		"deny of what it has not": {"p, restricted, blast, send, team, deny", "it takes nothing away"},
		"last manager":            {"p, manager, member, change role, team, deny", "a team could lose its last"},
		"team role by account":    {"p, manager, account, rename, account, allow", "manager a right by account"},
		"holder by team":          {"p, holder, conversation, read, team, allow", "holder has rights by account only"},
		"holder by grant":         {"p, holder, conversation, read, grant, allow", "holder has rights by account only"},
		"holder by a bundle":      {"p, a, conversation, read, team, allow\ng, holder, a", "would give holder a right by team"},
		"team role by a bundle":   {"p, a, account, close, account, allow\ng, holder, a\ng, member, a", "a right by account"},
		"quoted":                  {`p, "member", jobpost, publish, team, allow`, `role "\"member\""`},
		"byte order mark":         {"\ufeffp, member, jobpost, publish, team, allow", `starts with "\ufeffp"`},
		"line number":             {"# comment\n\np, member, jobpost, publish, team, allow\np, member, x", "in line 4"},
		"carriage return within":  {"p, member, job\rpost, publish, team, allow", "object"},
	} {
		t.Run(name, func(t *testing.T) { refused(t, c.text, c.says) })
	}
}

func TestC12_WildcardsSeparatorsAndInvisibleCharactersAreRefused(t *testing.T) {
	bad := []string{
		"", " ", "*", "job*", "**", "?", "job?", ".*", "[a-z]", "(x)", "{x}", "^job", "job$", "+", "~", "!", "=",
		"a/b", "/", "a:b", "::", "a;b", "a|b", "a&b", "a.b", "a$$b", "$$", "#", "a#b", "a\\b", "a@b", "a%b", "a'b", `a"b`, "`a`", "<a>",
		"a\x00b", "\x00", "a\x1fb", "a\x7fb", "a\tb", "a\nb", "a\rb", "a\u0085b", "a\u00a0b", "a\u2028b",
		"\u200bjobpost", "jobpost\u200b", "job\u200dpost", "\ufeffjobpost", "\u202ejobpost", "\u2066x", "\u00adx", "\u3164",
		"Jobpost", "jobPost", "JOBPOST", "jobpоst" /* Cyrillic о */, "ｊobpost", "jöbpost", "日本", "\xff", "a\xffb", "\xed\xa0\x80",
		" jobpost", "jobpost ", "job  post", "-job", "job-", "job--post", "_", "job_", "job -post", "-",
		strings.Repeat("a", rbac.MaxName+1), strings.Repeat("a", 1<<20),
		"member, jobpost", "p, member", "eval(p_eft)", "r.role == p.role", "true || r", "' || '1'=='1",
	}
	for _, name := range bad {
		for what, rows := range map[string][]rbac.Row{
			"object":          {rbac.Allow(rbac.Member, name, "publish", rbac.ByTeam)},
			"action":          {rbac.Allow(rbac.Member, "jobpost", name, rbac.ByTeam)},
			"denied object":   {rbac.Deny(rbac.Member, name, "send", rbac.ByTeam)},
			"denied action":   {rbac.Deny(rbac.Member, "blast", name, rbac.ByTeam)},
			"bundle":          {rbac.Allow(rbac.Bundle(name), "jobpost", "publish", rbac.ByTeam), rbac.Include(rbac.Member, rbac.Bundle(name))},
			"nested bundle":   {rbac.Allow(rbac.Bundle("a"), "x", "y", rbac.ByTeam), rbac.Include(rbac.Member, rbac.Bundle(name)), rbac.Include(rbac.Bundle(name), "a")},
			"included bundle": {rbac.Include(rbac.Member, rbac.Bundle(name))},
		} {
			policy, err := rbac.NewPolicy(rows...)
			require.ErrorIs(t, err, rbac.ErrPolicy, "%s %.40q", what, name)
			assert.Nil(t, policy)
			assert.Contains(t, err.Error(), "lower-case words", "%s %.40q", what, name)
			assert.Less(t, len(err.Error()), 1500)
			for _, c := range err.Error() {
				require.True(t, c >= ' ' && c < 0x7f || c == '…', "the error shows no raw character: %q", err)
			}
		}
	}
}

func TestConstructorsNeverPanic(t *testing.T) {
	for name, row := range map[string]rbac.Row{
		"zero row":            {},
		"zero role":           rbac.Allow(rbac.Role(0), "jobpost", "publish", rbac.ByTeam),
		"unknown role":        rbac.Allow(rbac.Role(77), "jobpost", "publish", rbac.ByTeam),
		"zero reach":          rbac.Allow(rbac.Member, "jobpost", "publish", 0),
		"unknown reach":       rbac.Allow(rbac.Member, "jobpost", "publish", 9),
		"nil subject":         rbac.Allow(nil, "jobpost", "publish", rbac.ByTeam),
		"nil subject include": rbac.Include(nil, "reviewing"),
		"deny unknown role":   rbac.Deny(77, "blast", "send", rbac.ByTeam),
		"no bundle":           rbac.Include(rbac.Member, ""),
		"bundle like a role":  rbac.Include(rbac.Restricted, "manager"),
		"unknown includes":    rbac.Include(rbac.Role(0), "reviewing"),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := rbac.NewPolicy(row)
			require.ErrorIs(t, err, rbac.ErrPolicy)
			t.Log(err)
		})
	}
}

// A bundle that is called like a role would be that role.
func TestABundleIsNeverARole(t *testing.T) {
	for _, role := range roles {
		_, err := rbac.NewPolicy(
			rbac.Allow(rbac.Bundle(role.String()), "x", "y", rbac.ByTeam),
			rbac.Include(rbac.Bundle("a"), rbac.Bundle(role.String())),
			rbac.Include(rbac.Restricted, "a"),
		)
		require.ErrorIs(t, err, rbac.ErrPolicy)
		assert.Contains(t, err.Error(), "a role cannot be included")
	}
}

func TestBundlesGiveTheirRightsToAllWhoIncludeThem(t *testing.T) {
	const outer, inner = rbac.Bundle("outer"), rbac.Bundle("inner")
	policy := newPolicy(t,
		rbac.Include(rbac.Restricted, inner),
		rbac.Include(rbac.Member, outer),
		rbac.Include(outer, inner),
		rbac.Allow(inner, "scorecard", "read", rbac.ByGrant),
	)
	read := find(t, policy, "scorecard", "read")
	for _, role := range rbac.TeamRoles() {
		assert.True(t, policy.Allows(role, read, rbac.ByGrant), "%s", role)
		assert.False(t, policy.Allows(role, read, rbac.ByTeam), "%s", role)
	}
	assert.False(t, policy.Allows(rbac.Holder, read, rbac.ByGrant))
}

func TestRowsThatAreRepeatedAddNothing(t *testing.T) {
	row := rbac.Allow(rbac.Member, "jobpost", "publish", rbac.ByTeam)
	again := rbac.Allow(rbac.Member, "blast", "send", rbac.ByTeam) // as the built-in policy has it
	once, twice := newPolicy(t, row), newPolicy(t, again, row, row, again)
	assert.Equal(t, once.Markdown(), twice.Markdown())
}

func TestTheOrderOfRowsChangesNoDecision(t *testing.T) {
	rows := []rbac.Row{
		rbac.Allow(rbac.Member, "jobpost", "publish", rbac.ByTeam),
		rbac.Deny(rbac.Member, "blast", "send", rbac.ByTeam),
		rbac.Allow(rbac.Bundle("a"), "jobpost", "erase", rbac.ByTeam),
		rbac.Include(rbac.Manager, "a"),
	}
	reversed := []rbac.Row{rows[3], rows[2], rows[1], rows[0]}
	a, b := newPolicy(t, rows...), newPolicy(t, reversed...)
	for _, name := range [][2]string{{"jobpost", "publish"}, {"jobpost", "erase"}, {"blast", "send"}} {
		for _, role := range roles {
			for _, by := range reaches {
				assert.Equal(t, a.Allows(role, find(t, a, name[0], name[1]), by), b.Allows(role, find(t, b, name[0], name[1]), by))
			}
		}
	}
}

// chain makes role include n bundles, one through the other; the last has a right.
func chain(role rbac.Role, n int) []rbac.Row {
	rows := []rbac.Row{rbac.Include(role, "b1")}
	for i := 1; i < n; i++ {
		rows = append(rows, rbac.Include(rbac.Bundle(fmt.Sprintf("b%d", i)), rbac.Bundle(fmt.Sprintf("b%d", i+1))))
	}
	return append(rows, rbac.Allow(rbac.Bundle(fmt.Sprintf("b%d", n)), "deep", "right", rbac.ByTeam))
}

func TestLimitsAtTheMaximumAndOneAbove(t *testing.T) {
	t.Run("depth", func(t *testing.T) {
		for role, most := range map[rbac.Role]int{
			rbac.Restricted: rbac.MaxDepth,
			rbac.Manager:    rbac.MaxDepth,
			rbac.Member:     rbac.MaxDepth - 1, // the manager's inheritance is one
		} {
			policy := newPolicy(t, chain(role, most)...)
			assert.True(t, policy.Allows(role, find(t, policy, "deep", "right"), rbac.ByTeam), "the deepest right holds")
			if role == rbac.Member {
				assert.True(t, policy.Allows(rbac.Manager, find(t, policy, "deep", "right"), rbac.ByTeam))
			}
			_, err := rbac.NewPolicy(chain(role, most+1)...)
			require.ErrorIs(t, err, rbac.ErrPolicy)
			assert.Contains(t, err.Error(), "at most 8")
		}
	})
	t.Run("name", func(t *testing.T) {
		longest := strings.Repeat("a", rbac.MaxName)
		policy := newPolicy(t, rbac.Allow(rbac.Bundle(longest), longest, longest, rbac.ByTeam), rbac.Include(rbac.Member, rbac.Bundle(longest)))
		assert.True(t, policy.Allows(rbac.Member, find(t, policy, longest, longest), rbac.ByTeam))
		_, err := rbac.NewPolicy(rbac.Allow(rbac.Member, longest+"a", "x", rbac.ByTeam))
		require.ErrorIs(t, err, rbac.ErrPolicy)
	})
	t.Run("rows", func(t *testing.T) {
		var rows []rbac.Row
		var text strings.Builder
		for i := range rbac.MaxRows + 1 {
			rows = append(rows, rbac.Allow(rbac.Member, fmt.Sprintf("object%d", i), "use", rbac.ByTeam))
			fmt.Fprintln(&text, rows[i])
		}
		policy := newPolicy(t, rows[:rbac.MaxRows]...)
		assert.True(t, policy.Allows(rbac.Manager, find(t, policy, "object255", "use"), rbac.ByTeam))
		_, err := rbac.NewPolicy(rows...)
		require.ErrorIs(t, err, rbac.ErrPolicy)
		assert.Contains(t, err.Error(), "257 rows are too many, 256 may be added")
		_, err = rbac.ParseRows(text.String())
		require.ErrorIs(t, err, rbac.ErrPolicy)
	})
	t.Run("text", func(t *testing.T) {
		_, err := rbac.ParseRows("#" + strings.Repeat("x", 64<<10-1))
		require.NoError(t, err)
		_, err = rbac.ParseRows("#" + strings.Repeat("x", 64<<10))
		require.ErrorIs(t, err, rbac.ErrPolicy)
	})
}

// Many paths through few bundles must not take the time of all paths.
func TestManyPathsAreCheckedQuickly(t *testing.T) {
	var rows []rbac.Row
	for level := range rbac.MaxDepth - 1 {
		for i := range 5 {
			for j := range 5 {
				rows = append(rows, rbac.Include(rbac.Bundle(fmt.Sprintf("l%d-%d", level, i)), rbac.Bundle(fmt.Sprintf("l%d-%d", level+1, j))))
			}
		}
	}
	for i := range 5 {
		rows = append(rows,
			rbac.Include(rbac.Manager, rbac.Bundle(fmt.Sprintf("l0-%d", i))),
			rbac.Allow(rbac.Bundle(fmt.Sprintf("l7-%d", i)), "deep", "right", rbac.ByTeam))
	}
	policy := newPolicy(t, rows...)
	assert.True(t, policy.Allows(rbac.Manager, find(t, policy, "deep", "right"), rbac.ByTeam))
	assert.False(t, policy.Allows(rbac.Member, find(t, policy, "deep", "right"), rbac.ByTeam))
}

func TestParseRowsReadsWhatRowsPrint(t *testing.T) {
	rows := []rbac.Row{
		rbac.Allow(rbac.Member, "jobpost", "set price", rbac.ByTeam),
		rbac.Deny(rbac.Restricted, "contact", "edit", rbac.ByGrant),
		rbac.Include(rbac.Member, "pricing"),
		rbac.Allow(rbac.Bundle("pricing"), "offer", "make", rbac.ByTeam),
	}
	text := ""
	for _, row := range rows {
		text += row.String() + "\r\n"
	}
	parsed, err := rbac.ParseRows("# a comment, with *\r\n\r\n  # another\r\n" + text)
	require.NoError(t, err)
	require.Len(t, parsed, len(rows))
	for i := range rows {
		assert.Equal(t, rows[i].String(), parsed[i].String())
	}
	assert.Equal(t, newPolicy(t, rows...).Markdown(), newPolicy(t, parsed...).Markdown())

	parsed, err = rbac.ParseRows("p,member,jobpost,set price,team,allow") // no line end, no space
	require.NoError(t, err)
	assert.Equal(t, "p, member, jobpost, set price, team, allow", parsed[0].String())

	for _, nothing := range []string{"", "\n", "# only\n", " \t \n"} {
		parsed, err = rbac.ParseRows(nothing)
		require.NoError(t, err)
		assert.Empty(t, parsed)
	}
}
