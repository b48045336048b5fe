package rbac_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/rbac"
)

func TestDeniedSaysWhatWasMissingAndWhoHasIt(t *testing.T) {
	policy := newPolicy(t,
		rbac.Allow(rbac.Manager, "jobpost", "publish", rbac.ByTeam),
		rbac.Deny(rbac.Manager, "audit", "read", rbac.ByTeam),
	)
	publish := find(t, policy, "jobpost", "publish")
	for _, c := range []struct {
		role rbac.Role
		perm rbac.Permission
		want string
	}{
		{rbac.Member, rbac.InviteMember, `denied: member lacks "member: invite", which manager has`},
		{rbac.Restricted, rbac.SendBlast, `denied: restricted lacks "blast: send", which manager and member have`},
		{rbac.Holder, rbac.ReadConversation, `denied: holder lacks "conversation: read", which manager, member and restricted have`},
		{rbac.Manager, rbac.CloseAccount, `denied: manager lacks "account: close", which holder has`},
		{rbac.Restricted, rbac.SendMessage, `denied: restricted has "message: send" only in a conversation that was granted to them`},
		{rbac.Member, rbac.SendMessage, `denied: member has "message: send" only in a team that they belong to`},
		{rbac.Holder, rbac.CloseAccount, `denied: holder has "account: close" only on an account that they hold`},
		{rbac.Member, publish, `denied: member lacks "jobpost: publish", which manager has`},
		{rbac.Member, rbac.ReadAudit, `denied: member lacks "audit: read", which no role has`},
		{0, rbac.InviteMember, `denied: role(0) lacks "member: invite", which manager has`},
		{rbac.Manager, 999, `denied: manager lacks "permission(999)", which no role has`},
	} {
		err := policy.Denied(c.role, c.perm)
		require.ErrorIs(t, err, rbac.ErrDenied)
		assert.Equal(t, c.want, err.Error())

		var denied *rbac.DeniedError
		require.ErrorAs(t, fmt.Errorf("remove member: %w", err), &denied)
		assert.Equal(t, c.role, denied.Role)
		assert.Equal(t, c.perm, denied.Permission)
		assert.Equal(t, policy.Name(c.perm), denied.Name)
	}
	require.NotErrorIs(t, policy.Denied(rbac.Member, rbac.InviteMember), rbac.ErrUnknownRole)
}

func TestDeniedToWhoIsOutranked(t *testing.T) {
	policy := newPolicy(t)
	lead, err := policy.Custom("Lead", rbac.Member, []string{"member: remove"})
	require.NoError(t, err)
	refused := lead.Outranked(rbac.RemoveMember)
	require.ErrorIs(t, refused, rbac.ErrDenied)
	require.EqualError(t, refused, `denied: member as "Lead" has "member: remove" but does not hold all that the other role holds`)
	var denied, read *rbac.DeniedError
	require.ErrorAs(t, refused, &denied)
	text, err := json.Marshal(denied)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &read))
	assert.Equal(t, denied, read)
	assert.True(t, read.Outranked)
}

func TestDeniedIsReadAsItWasWritten(t *testing.T) {
	policy := newPolicy(t)
	for _, role := range rbac.TeamRoles() {
		for _, perm := range rbac.Permissions() {
			var denied, read *rbac.DeniedError
			require.ErrorAs(t, policy.Denied(role, perm), &denied)
			text, err := json.Marshal(denied)
			require.NoError(t, err)
			require.NoError(t, json.Unmarshal(text, &read))
			assert.Equal(t, denied, read)
			assert.Equal(t, denied.Error(), read.Error())
		}
	}
}
