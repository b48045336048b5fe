package rbac_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/rbac"
)

func custom(t testing.TB, policy *rbac.Policy, base rbac.Role, permissions ...string) rbac.Rights {
	t.Helper()
	rights, err := policy.Custom("Scout", base, permissions)
	require.NoError(t, err)
	return rights
}

func TestSpec3_ACustomRoleIsItsRoleAndWhatItAdds(t *testing.T) {
	policy := newPolicy(t, rbac.Allow(rbac.Manager, "jobpost", "publish", rbac.ByTeam))
	publish := find(t, policy, "jobpost", "publish")
	for _, base := range rbac.TeamRoles() {
		scout := custom(t, policy, base, "audit: read", "jobpost: publish", "message: send", "audit: read")
		assert.Equal(t, base, scout.Role)
		assert.Equal(t, "Scout", scout.Custom)
		added := []rbac.Permission{rbac.ReadAudit, publish, rbac.SendMessage}
		for perm := rbac.Permission(0); perm <= publish+1; perm++ {
			for _, by := range reaches {
				want := policy.Allows(base, perm, by) || slices.Contains(added, perm) && by != rbac.ByAccount
				assert.Equal(t, want, scout.Allows(perm, by), "%s: %s by %s", base, policy.Name(perm), by)
				assert.Equal(t, policy.Allows(base, perm, by), policy.Rights(base).Allows(perm, by))
				assert.Equal(t, policy.Allows(base, perm, by), custom(t, policy, base).Allows(perm, by), "nothing added")
			}
		}
		for _, unknown := range []rbac.Reach{0, rbac.ByGrant + 1, 255} {
			assert.False(t, scout.Allows(rbac.ReadAudit, unknown))
		}
	}
	holder := custom(t, policy, rbac.Member, "audit: read")
	holder.Role = rbac.Holder
	assert.False(t, holder.Allows(rbac.ReadAudit, rbac.ByTeam), "the holder is no role in a team")
	var zero rbac.Rights
	assert.False(t, zero.Allows(rbac.ReadTeam, rbac.ByTeam))
	assert.False(t, zero.Covers(zero))
	assert.False(t, rbac.Rights{Role: rbac.Manager}.Covers(policy.Rights(rbac.Member)), "typed by hand, without a policy")
}

// What is stored and turns out to be unsound is refused at entry, and where it is met later the sound
// part of it goes on.
func TestD8_CustomRoles_UnsoundNamesAreRefusedAndGiveNothing(t *testing.T) {
	policy := newPolicy(t,
		rbac.Allow(rbac.Holder, "account", "see bill", rbac.ByAccount),
		rbac.Allow(rbac.Restricted, "scorecard", "fill in", rbac.ByGrant),
		rbac.Deny(rbac.Member, "blast", "send", rbac.ByTeam),
		rbac.Deny(rbac.Member, "data", "export", rbac.ByTeam),
		rbac.Deny(rbac.Manager, "data", "export", rbac.ByTeam),
	)
	before := policy.Markdown()
	for name, says := range map[string]string{
		"audit: erase":               `does not name "audit: erase"`,
		"Audit: read":                "does not name",
		" audit: read":               "does not name",
		"audit: read ":               "does not name",
		"audit:read":                 "does not name",
		"audit : read":               "does not name",
		"audit":                      "does not name",
		"":                           `does not name ""`,
		": ":                         "does not name",
		"*: *":                       "does not name",
		"audit: *":                   "does not name",
		"audit: read, member: list":  "does not name",
		"audit: read\x00":            `"audit: read\x00"`,
		"\u200baudit: read":          `"\u200baudit: read"`,
		"audit: read: read":          "does not name",
		"permission(12)":             "does not name",
		"manager":                    "does not name",
		strings.Repeat("x", 1<<20):   "does not name",
		"account: close":             `no role has "account: close" in a team`,
		"account: see bill":          `no role has "account: see bill" in a team`,
		"scorecard: fill in":         "in a team",
		"data: export":               `no role has "data: export" in a team`,
		"blast: send":                `the policy denies "blast: send" to member`,
		"p, member, a, b, team, all": "does not name",
	} {
		rights, err := policy.Custom("Scout", rbac.Member, []string{"audit: read", name, "member: invite"})
		require.ErrorIs(t, err, rbac.ErrCustom, "%.40q", name)
		_, unknown := policy.ParsePermission(name)
		assert.Equal(t, unknown != nil, errors.Is(err, rbac.ErrUnknownPermission), "%.40q", name)
		assert.Contains(t, err.Error(), says)
		assert.Less(t, len(err.Error()), 500)
		sound := custom(t, policy, rbac.Member, "audit: read", "member: invite")
		assert.True(t, rights.Covers(sound) && sound.Covers(rights), "the sound names, and no other: %.40q", name)
	}
	assert.Equal(t, before, policy.Markdown(), "no custom role changes the policy of the others")

	for _, base := range []rbac.Role{0, rbac.Holder, 99} {
		rights, err := policy.Custom("Scout", base, []string{"audit: read"})
		require.ErrorIs(t, err, rbac.ErrCustom)
		require.ErrorIs(t, err, rbac.ErrUnknownRole)
		assert.False(t, rights.Allows(rbac.ReadAudit, rbac.ByTeam))
	}
}

func TestACustomRoleHasAtMostMaxExtraPermissions(t *testing.T) {
	var rows []rbac.Row
	var names []string
	for i := range rbac.MaxExtra + 1 {
		rows = append(rows, rbac.Allow(rbac.Manager, fmt.Sprintf("object%d", i), "use", rbac.ByTeam))
		names = append(names, fmt.Sprintf("object%d: use", i))
	}
	policy := newPolicy(t, rows...)
	most := custom(t, policy, rbac.Member, names[:rbac.MaxExtra]...)
	for i, row := range rows {
		perm := find(t, policy, fmt.Sprintf("object%d", i), "use")
		assert.Equal(t, i < rbac.MaxExtra, most.Allows(perm, rbac.ByTeam), "%s", row)
	}
	none, err := policy.Custom("Scout", rbac.Member, names)
	require.ErrorIs(t, err, rbac.ErrCustom)
	assert.Contains(t, err.Error(), "129 permissions are too many, 128 may be added")
	assert.True(t, policy.Rights(rbac.Member).Covers(none), "base alone")
}

func TestSpec3_ADenyRowWinsOverACustomRole(t *testing.T) {
	policy := newPolicy(t,
		rbac.Deny(rbac.Member, "blast", "send", rbac.ByTeam),
		rbac.Deny(rbac.Restricted, "contact", "edit", rbac.ByGrant),
	)
	member, err := policy.Custom("Scout", rbac.Member, []string{"blast: send"})
	require.ErrorIs(t, err, rbac.ErrCustom)
	assert.False(t, member.Allows(rbac.SendBlast, rbac.ByTeam))
	assert.False(t, member.Allows(rbac.SendBlast, rbac.ByGrant))

	guest, err := policy.Custom("Scout", rbac.Restricted, []string{"contact: edit", "blast: send"})
	require.ErrorIs(t, err, rbac.ErrCustom)
	assert.False(t, guest.Allows(rbac.EditContact, rbac.ByGrant))
	assert.False(t, guest.Allows(rbac.EditContact, rbac.ByTeam), "a deny by one reach binds the whole permission")
	assert.True(t, guest.Allows(rbac.SendBlast, rbac.ByTeam), "the deny row is about member")
}

func TestSpec3_NobodyMakesACustomRoleAboveTheirOwn(t *testing.T) {
	policy := newPolicy(t, rbac.Deny(rbac.Manager, "blast", "send", rbac.ByTeam))
	manager, member, restricted := policy.Rights(rbac.Manager), policy.Rights(rbac.Member), policy.Rights(rbac.Restricted)
	auditor := custom(t, policy, rbac.Member, "audit: read")
	scout := custom(t, policy, rbac.Member, "audit: read", "member: invite")
	reader := custom(t, policy, rbac.Restricted, "conversation: read")
	blaster := custom(t, policy, rbac.Restricted, "blast: send")
	all := map[string]rbac.Rights{
		"manager": manager, "member": member, "restricted": restricted,
		"auditor": auditor, "scout": scout, "reader": reader, "blaster": blaster,
	}
	covers := map[string]string{
		"manager":    "restricted reader", // nothing that can send a blast
		"member":     "restricted reader blaster",
		"auditor":    "member restricted reader blaster",
		"scout":      "member auditor restricted reader blaster",
		"reader":     "restricted",
		"blaster":    "restricted",
		"restricted": "",
	}
	for a, maker := range all {
		for b, made := range all {
			want := a == b || slices.Contains(strings.Fields(covers[a]), b)
			assert.Equal(t, want, maker.Covers(made), "%s > %s", a, b)
		}
	}
	grant := newPolicy(t, rbac.Allow(rbac.Restricted, "message", "read note", rbac.ByGrant))
	assert.True(t, custom(t, grant, rbac.Restricted, "message: read note").Covers(grant.Rights(rbac.Restricted)))
	assert.False(t, grant.Rights(rbac.Restricted).Covers(custom(t, grant, rbac.Restricted, "message: read note")),
		"a right by grant does not cover one in the whole team")
}

func TestDeniedNamesTheCustomRole(t *testing.T) {
	policy := newPolicy(t)
	err := custom(t, policy, rbac.Member, "audit: read").Denied(rbac.InviteMember)
	require.ErrorIs(t, err, rbac.ErrDenied)
	assert.EqualError(t, err, `denied: member as "Scout" lacks "member: invite", which manager has`)
	err = custom(t, policy, rbac.Member, "audit: read").Denied(rbac.ReadAudit)
	assert.EqualError(t, err, `denied: member as "Scout" has "audit: read" only in a team that they belong to or in a conversation that was granted to them`)
	var denied *rbac.DeniedError
	require.ErrorAs(t, err, &denied)
	assert.Equal(t, "Scout", denied.Custom)
	assert.EqualError(t, rbac.Rights{}.Denied(rbac.ReadAudit), `denied: role(0) lacks "audit: read", which no role has`)
}

func TestRightsAllocateNothingAtDecisionTime(t *testing.T) {
	policy := newPolicy(t, rbac.Allow(rbac.Member, "jobpost", "publish", rbac.ByTeam))
	publish := find(t, policy, "jobpost", "publish")
	scout := custom(t, policy, rbac.Member, "audit: read")
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		scout.Allows(rbac.ReadAudit, rbac.ByTeam)
		scout.Allows(rbac.InviteMember, rbac.ByGrant)
		scout.Covers(policy.Rights(rbac.Manager))
		policy.Covers(rbac.Manager, rbac.Member)
		policy.Name(rbac.ReadAudit)
		policy.Name(publish)
		_, err := policy.ParsePermission("jobpost: publish")
		assert.NoError(t, err)
	}))
}
