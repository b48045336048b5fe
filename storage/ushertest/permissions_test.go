package ushertest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/ushertest"
)

// hiring is what a host adds to the policy.
func hiring() []rbac.Row {
	return []rbac.Row{
		rbac.Allow(rbac.Member, "jobpost", "publish", rbac.ByTeam),
		rbac.Allow(rbac.Restricted, "scorecard", "fill in", rbac.ByGrant),
		rbac.Allow(rbac.Member, "scorecard", "fill in", rbac.ByTeam),
		rbac.Deny(rbac.Member, "blast", "send", rbac.ByTeam),
	}
}

// recorder takes what a failing test says, instead of failing.
type recorder struct {
	testing.TB
	said string
}

func (r *recorder) Helper() {}
func (r *recorder) Fatalf(format string, args ...any) {
	r.said = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// says runs Permissions and returns how it failed, or nothing.
func says(t *testing.T, golden string, rows ...rbac.Row) string {
	t.Helper()
	policy, err := rbac.NewPolicy(rows...)
	require.NoError(t, err)
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		ushertest.Permissions(r, policy, golden)
	}()
	<-done
	return r.said
}

func TestPermissionsFailsWithInstructions(t *testing.T) {
	golden := filepath.Join(t.TempDir(), "testdata", "permissions.golden")
	assert.Contains(t, says(t, golden, hiring()...), "there is no "+golden+" to compare the policy with; run this test with USHER_TEST_UPDATE=1 to write it")
	require.NoFileExists(t, golden, "it is written only when asked for")

	t.Setenv("USHER_TEST_UPDATE", "1")
	assert.Empty(t, says(t, golden, hiring()...))
	t.Setenv("USHER_TEST_UPDATE", "")
	assert.Empty(t, says(t, golden, hiring()...))

	written, err := os.ReadFile(golden)
	require.NoError(t, err)
	for _, line := range []string{
		"jobpost: publish: manager by team, member by team",
		"scorecard: fill in: manager by team, member by team, restricted by grant",
		"blast: send: manager by team",
		"account: close: holder by account",
	} {
		assert.Contains(t, string(written), "\n"+line+"\n")
	}
	windows := strings.ReplaceAll(string(written), "\n", "\r\n")
	require.NoError(t, os.WriteFile(golden, []byte(windows), 0o600))
	assert.Empty(t, says(t, golden, hiring()...), "line ends are Git's matter")

	reordered := hiring()
	reordered[0], reordered[3] = reordered[3], reordered[0]
	assert.Empty(t, says(t, golden, reordered...), "the order of the rows does not matter")

	assert.Contains(t, says(t, golden, append(hiring()[1:], rbac.Allow(rbac.Restricted, "scorecard", "read", rbac.ByGrant))...), `(- the file, + the policy):
- jobpost: publish: manager by team, member by team
+ scorecard: read: restricted by grant

If that is meant, run this test with USHER_TEST_UPDATE=1`)
	assert.Contains(t, says(t, golden, hiring()[:3]...), `:
- blast: send: manager by team
+ blast: send: manager by team, member by team

`)
	assert.Contains(t, says(t, t.TempDir(), hiring()...), "is a directory")
}

// One row more or less, about any role, reach or permission, is seen.
func TestPermissionsSeesEveryCell(t *testing.T) {
	golden := filepath.Join(t.TempDir(), "permissions.golden")
	t.Setenv("USHER_TEST_UPDATE", "1")
	require.Empty(t, says(t, golden))
	t.Setenv("USHER_TEST_UPDATE", "")
	plain, err := rbac.NewPolicy()
	require.NoError(t, err)
	for _, perm := range []rbac.Permission{rbac.ListMembers, rbac.SendMessage, rbac.EditContact, rbac.CloseAccount} {
		object, action, _ := strings.Cut(perm.String(), ": ")
		for _, role := range append(rbac.TeamRoles(), rbac.Holder) {
			for _, by := range []rbac.Reach{rbac.ByAccount, rbac.ByTeam, rbac.ByGrant} {
				change := rbac.Allow(role, object, action, by)
				if plain.Allows(role, perm, by) {
					change = rbac.Deny(role, object, action, by)
				}
				if _, err := rbac.NewPolicy(change); err != nil {
					continue // no such right
				}
				assert.NotEmpty(t, says(t, golden, change), "%s", change)
			}
		}
	}
}
