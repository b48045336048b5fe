package rbac_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/rbac"
)

var (
	publishing = rbac.Allow(rbac.Member, "jobpost", "publish", rbac.ByTeam)
	blastless  = rbac.Deny(rbac.Member, "blast", "send", rbac.ByTeam)
)

func TestReloadReplacesTheHostRows(t *testing.T) {
	policy := newPolicy(t, publishing)
	publish := find(t, policy, "jobpost", "publish")

	require.NoError(t, policy.Reload(blastless, rbac.Allow(rbac.Manager, "offer", "make", rbac.ByTeam)))
	require.NoError(t, policy.Stale())
	assert.False(t, policy.Allows(rbac.Member, rbac.SendBlast, rbac.ByTeam))
	assert.True(t, policy.Allows(rbac.Manager, rbac.SendBlast, rbac.ByTeam))
	offer := find(t, policy, "offer", "make")
	assert.Equal(t, publish+1, offer, "numbered after all that there ever were")
	assert.True(t, policy.Allows(rbac.Manager, offer, rbac.ByTeam))

	t.Run("what no row names any more", func(t *testing.T) {
		for _, role := range roles {
			for _, by := range reaches {
				assert.False(t, policy.Allows(role, publish, by))
			}
		}
		assert.Equal(t, "jobpost: publish", policy.Name(publish), "keeps its name")
		_, err := policy.Permission("jobpost", "publish")
		require.ErrorIs(t, err, rbac.ErrUnknownPermission)
		_, err = policy.ParsePermission("jobpost: publish")
		require.ErrorIs(t, err, rbac.ErrUnknownPermission)
		assert.EqualError(t, policy.Check(publish), "unknown permission: the policy does not name jobpost: publish")
		scout, err := policy.Custom("Scout", rbac.Member, []string{"jobpost: publish", "audit: read"})
		require.ErrorIs(t, err, rbac.ErrUnknownPermission)
		assert.True(t, scout.Allows(rbac.ReadAudit, rbac.ByTeam), "the role goes on without it")
		assert.False(t, scout.Allows(publish, rbac.ByTeam))
		assert.NotContains(t, policy.Markdown(), "jobpost")
		assert.Equal(t, append(rbac.Permissions(), offer), policy.Permissions())
	})

	require.NoError(t, policy.Reload(rbac.Allow(rbac.Restricted, "offer", "make", rbac.ByGrant), publishing))
	assert.Equal(t, publish, find(t, policy, "jobpost", "publish"), "keeps its number")
	assert.Equal(t, offer, find(t, policy, "offer", "make"))
	assert.True(t, policy.Allows(rbac.Member, publish, rbac.ByTeam))
	assert.True(t, policy.Allows(rbac.Member, rbac.SendBlast, rbac.ByTeam), "the rows before are gone")

	require.NoError(t, policy.Reload())
	assert.Equal(t, newPolicy(t).Markdown(), policy.Markdown(), "no rows, no host")

	var zero rbac.Policy
	require.NoError(t, zero.Reload(publishing))
	assert.Equal(t, publish, find(t, &zero, "jobpost", "publish"))
}

func TestAFailedReloadChangesNothingAndIsVisible(t *testing.T) {
	policy := newPolicy(t, publishing)
	publish := find(t, policy, "jobpost", "publish")
	require.NoError(t, policy.Check(rbac.SendBlast, publish))
	before := policy.Markdown()
	for name, rows := range map[string][]rbac.Row{
		"a malformed row":   {blastless, {}},
		"a row that is odd": {blastless, publishing, rbac.Deny(rbac.Restricted, "blast", "send", rbac.ByTeam)},
		"no row for a permission that the program asks for": {blastless},
		"no rows": nil,
	} {
		t.Run(name, func(t *testing.T) {
			err := policy.Reload(rows...)
			require.ErrorIs(t, err, rbac.ErrPolicy)
			assert.Equal(t, err, policy.Stale())
			assert.Equal(t, before, policy.Markdown())
			assert.True(t, policy.Allows(rbac.Member, rbac.SendBlast, rbac.ByTeam))
			assert.True(t, policy.Allows(rbac.Member, publish, rbac.ByTeam))
		})
	}
	err := policy.Reload()
	require.ErrorIs(t, err, rbac.ErrUnknownPermission)
	assert.EqualError(t, err, "policy refused: the program asks for what no row names any more: unknown permission: the policy does not name jobpost: publish")

	require.NoError(t, policy.Reload(blastless, publishing))
	require.NoError(t, policy.Stale(), "the next one heals")
	assert.False(t, policy.Allows(rbac.Member, rbac.SendBlast, rbac.ByTeam))
}

// A check that failed asks for nothing.
func TestAPermissionIsRememberedOnlyByACheckThatHeld(t *testing.T) {
	policy := newPolicy(t, publishing)
	publish := find(t, policy, "jobpost", "publish")
	require.Error(t, policy.Check(publish, publish+1))
	require.NoError(t, policy.Reload())
}

// Policies without rows share a table, and nothing else.
func TestReloadIsAboutOnePolicy(t *testing.T) {
	one, other := newPolicy(t), newPolicy(t)
	require.NoError(t, one.Reload(blastless))
	require.Error(t, one.Reload(rbac.Row{}))
	for _, policy := range []*rbac.Policy{other, newPolicy(t)} {
		assert.True(t, policy.Allows(rbac.Member, rbac.SendBlast, rbac.ByTeam))
		require.NoError(t, policy.Stale())
	}
}

// Rights stay what they were, and two that were made under different tables are compared by one.
func TestRightsDecideByOneTable(t *testing.T) {
	policy := newPolicy(t)
	before := policy.Rights(rbac.Member)
	require.NoError(t, policy.Reload(blastless))
	after := policy.Rights(rbac.Member)
	assert.True(t, before.Allows(rbac.SendBlast, rbac.ByTeam))
	assert.False(t, after.Allows(rbac.SendBlast, rbac.ByTeam))
	assert.True(t, after.Covers(before), "by the table after")
	assert.True(t, before.Covers(after), "by the table before")
}

// Two policies that differ in five places take turns. Whoever asks sees one of them whole.
func TestReadersSeeTheOldTableOrTheNewOne(t *testing.T) {
	const with, without = "publish", "withdraw"
	lines := func(action string) []rbac.Row {
		rows := []rbac.Row{rbac.Deny(rbac.Member, "data", map[string]string{with: "export", without: "import"}[action], rbac.ByTeam)}
		for i := range 2 {
			rows = append(rows, rbac.Allow(rbac.Member, fmt.Sprintf("object%d", i), action, rbac.ByTeam))
		}
		return rows
	}
	policy := newPolicy(t, append(lines(with), lines(without)[1:]...)...) // names all
	var first, second []rbac.Permission
	for i := range 2 {
		first = append(first, find(t, policy, fmt.Sprintf("object%d", i), with))
		second = append(second, find(t, policy, fmt.Sprintf("object%d", i), without))
	}
	require.NoError(t, policy.Reload(lines(with)...))

	stop := make(chan struct{})
	var readers, seen sync.WaitGroup
	seen.Add(4)
	for range 4 {
		readers.Go(func() {
			for n := 0; ; n++ {
				member := policy.Rights(rbac.Member)
				old := member.Allows(first[0], rbac.ByTeam)
				whole := member.Allows(first[1], rbac.ByTeam) == old &&
					member.Allows(second[0], rbac.ByTeam) != old && member.Allows(second[1], rbac.ByTeam) != old &&
					member.Allows(rbac.ExportData, rbac.ByTeam) != old && member.Allows(rbac.ImportData, rbac.ByTeam) == old
				if !whole || !policy.Covers(rbac.Manager, rbac.Member) || !policy.Covers(rbac.Member, rbac.Member) {
					t.Error("a mix of two policies")
				}
				if n == 0 {
					seen.Done()
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	seen.Wait()
	for i := range 10 {
		require.NoError(t, policy.Reload(lines([]string{without, with}[i%2])...))
		require.Error(t, policy.Reload(rbac.Row{}))
	}
	close(stop)
	readers.Wait()
}
