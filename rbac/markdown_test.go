package rbac_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/ushertest"
)

var update = flag.Bool("update", false, "write the permission table into the docs, and the golden file")

const begin, end = "<!-- permissions:begin -->\n", "<!-- permissions:end -->\n"

// The docs show the compiled policy. `go generate ./rbac` runs this test with -update, which writes the
// table between the markers of each file. README.md may have no markers; docs/permissions.md must.
func TestPermissionTableInTheDocs(t *testing.T) {
	table := newPolicy(t).Markdown()
	for _, file := range []string{"../docs/permissions.md", "../README.md"} {
		text, err := os.ReadFile(file)
		if file == "../README.md" && (os.IsNotExist(err) || err == nil && !strings.Contains(string(text), begin)) {
			continue
		}
		require.NoError(t, err)
		before, rest, found := strings.Cut(string(text), begin)
		require.True(t, found, "%s needs the line %s", file, begin)
		_, after, found := strings.Cut(rest, end)
		require.True(t, found, "%s needs the line %s", file, end)
		current := before + begin + table + end + after
		if *update {
			require.NoError(t, os.WriteFile(file, []byte(current), 0o644))
			continue
		}
		assert.Equal(t, current, string(text), "%s does not show the policy; run: go generate ./rbac", file)
	}
}

// The same helper is the hosts', for their own rows.
func TestPermissionsGolden(t *testing.T) {
	if *update {
		t.Setenv("USHER_TEST_UPDATE", "1")
	}
	ushertest.Permissions(t, newPolicy(t), "testdata/permissions.golden")
}

func TestMarkdownIsDeterministic(t *testing.T) {
	first := newPolicy(t).Markdown()
	for range 3 {
		assert.Equal(t, first, newPolicy(t).Markdown())
	}
}

func TestMarkdownShowsHostRows(t *testing.T) {
	table := newPolicy(t,
		rbac.Deny(rbac.Member, "blast", "send", rbac.ByTeam),
		rbac.Allow(rbac.Restricted, "scorecard", "read", rbac.ByGrant),
		rbac.Allow(rbac.Holder, "account", "see bill", rbac.ByAccount),
	).Markdown()
	for _, line := range []string{
		"| member: list | ✓ | ✓ | – | – |",
		"| member: invite, remove, change role, suspend, reactivate | ✓ | – | – | – |",
		"| conversation: read, mark read | ✓ | ✓ | granted | – |",
		"| blast: create, cancel | ✓ | ✓ | – | – |",
		"| blast: send | ✓ | – | – | – |",
		"| account: read, rename, add service, remove service, create team, manage roles, transfer, close, see bill | – | – | – | ✓ |",
		"| scorecard: read | – | – | granted | – |",
	} {
		assert.Contains(t, table, line+"\n")
	}
}
