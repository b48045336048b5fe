package rbac_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/rbac"
)

func TestTeamRolesAreTheThree(t *testing.T) {
	assert.Equal(t, []rbac.Role{rbac.Manager, rbac.Member, rbac.Restricted}, rbac.TeamRoles())
	for _, role := range rbac.TeamRoles() {
		assert.True(t, role.InTeam())
		parsed, err := rbac.ParseRole(role.String())
		require.NoError(t, err)
		assert.Equal(t, role, parsed)
	}
}

// A returned slice is the caller's: changing it changes no role.
func TestTeamRolesAreNotAliased(t *testing.T) {
	rbac.TeamRoles()[0] = rbac.Holder
	rbac.Permissions()[0] = 0
	assert.Equal(t, rbac.Manager, rbac.TeamRoles()[0])
	assert.Equal(t, rbac.ListMembers, rbac.Permissions()[0])
}

func TestHolderIsNoRoleInATeam(t *testing.T) {
	for _, role := range []rbac.Role{0, rbac.Holder, rbac.Holder + 1, 255} {
		assert.False(t, role.InTeam(), "%v", role)
		_, err := role.MarshalText()
		require.ErrorIs(t, err, rbac.ErrUnknownRole, "%v", role)
	}
	assert.Equal(t, "holder", rbac.Holder.String())
	assert.Equal(t, "role(0)", rbac.Role(0).String())
	assert.Equal(t, "role(200)", rbac.Role(200).String())
}

func TestC7_RoleOutsideTheSetIsRefused(t *testing.T) {
	for _, text := range []string{
		"", " ", "Manager", "MANAGER", "Manager ", "manager ", " manager", "manager\n", "manager\x00",
		"\u200bmanager", "manager\u200b", "\ufeffmanager", "\u202emanager", "mаnager" /* Cyrillic а */, "ｍanager",
		"holder", "owner", "admin", "recruiter", "agent", "guest", "role(1)", "1", "*", "manager,member", "member|manager",
		"\xff\xfe", strings.Repeat("manager", 1<<17),
	} {
		role, err := rbac.ParseRole(text)
		require.ErrorIs(t, err, rbac.ErrUnknownRole, "%.40q", text)
		assert.Zero(t, role)
		assert.Contains(t, err.Error(), "manager, member, restricted", "the error says what is allowed")
		assert.Less(t, len(err.Error()), 600, "the echo is bounded")
		for _, c := range []byte(err.Error()[:strings.LastIndex(err.Error(), " is not one")]) {
			require.True(t, c >= ' ' && c < 0x7f || c > 0x7f && len(text) > 80, "the echo is printable ASCII: %q", err)
		}

		kept := rbac.Member
		require.ErrorIs(t, kept.UnmarshalText([]byte(text)), rbac.ErrUnknownRole)
		assert.Equal(t, rbac.Member, kept, "a refused text changes nothing")
	}
}

func TestC7_RoleInJSON(t *testing.T) {
	type invitation struct{ Role rbac.Role }
	text, err := json.Marshal(invitation{rbac.Restricted})
	require.NoError(t, err)
	assert.JSONEq(t, `{"Role":"restricted"}`, string(text))

	var read invitation
	require.NoError(t, json.Unmarshal(text, &read))
	assert.Equal(t, rbac.Restricted, read.Role)

	for _, bad := range []string{`{"Role":""}`, `{"Role":"Manager "}`, `{"Role":"\u200bmanager"}`, `{"Role":"holder"}`, `{"Role":1}`} {
		read = invitation{rbac.Restricted}
		require.Error(t, json.Unmarshal([]byte(bad), &read), bad)
		assert.Equal(t, rbac.Restricted, read.Role, bad)
	}
	for _, role := range []rbac.Role{0, rbac.Holder, 99} {
		_, err := json.Marshal(invitation{role})
		require.ErrorIs(t, err, rbac.ErrUnknownRole)
	}
}
