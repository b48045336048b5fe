package rbac_test

import (
	"bytes"
	"log"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/quick"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/rbac"
)

func newPolicy(t testing.TB, rows ...rbac.Row) *rbac.Policy {
	t.Helper()
	policy, err := rbac.NewPolicy(rows...)
	require.NoError(t, err)
	return policy
}

func find(t testing.TB, policy *rbac.Policy, object, action string) rbac.Permission {
	t.Helper()
	perm, err := policy.Permission(object, action)
	require.NoError(t, err)
	return perm
}

var (
	roles   = []rbac.Role{rbac.Manager, rbac.Member, rbac.Restricted, rbac.Holder}
	reaches = []rbac.Reach{rbac.ByAccount, rbac.ByTeam, rbac.ByGrant}
)

// spec3 is the table of SPEC 3, typed by hand and not derived from the policy: T is by team, G by grant,
// A by account.
//
//nolint:dupword // the letters of a row repeat
const spec3 = `
permission                     manager member restricted holder
member: list                   T       T      -          -
team: read                     T       T      -          -
dashboard: read                T       T      -          -
report: read                   T       T      -          -
member: invite                 T       -      -          -
member: remove                 T       -      -          -
member: change role            T       -      -          -
member: suspend                T       -      -          -
member: reactivate             T       -      -          -
team: change settings          T       -      -          -
team: archive                  T       -      -          -
audit: read                    T       -      -          -
conversation: list all         T       T      -          -
conversation: read all         T       T      -          -
conversation: start            T       T      -          -
conversation: assign           T       T      -          -
conversation: claim            T       T      -          -
conversation: deliver          T       T      -          -
conversation: close            T       T      -          -
conversation: open             T       T      -          -
conversation: snooze           T       T      -          -
conversation: read             T       T      G          -
conversation: mark read        T       T      G          -
message: send                  T       T      G          -
message: write note            T       T      -          -
message: read note             T       T      -          -
message: delete                T       -      -          -
guest: invite                  T       T      -          -
guest: revoke                  T       T      -          -
contact: read                  T       T      G          -
contact: create                T       T      -          -
contact: edit                  T       T      G          -
contact: merge                 T       T      -          -
contact: opt out               T       T      -          -
contact: opt in                T       T      -          -
application: create            T       T      -          -
application: edit              T       T      -          -
application: set status        T       T      -          -
data: import                   T       T      -          -
data: export                   T       T      -          -
list: manage                   T       T      -          -
blast: create                  T       T      -          -
blast: send                    T       T      -          -
blast: cancel                  T       T      -          -
content: manage                T       T      -          -
account: read                  -       -      -          A
account: rename                -       -      -          A
account: add service           -       -      -          A
account: remove service        -       -      -          A
account: create team           -       -      -          A
account: manage roles          -       -      -          A
account: transfer              -       -      -          A
account: close                 -       -      -          A
`

func TestSpec3_ThePolicyIsTheTable(t *testing.T) {
	policy := newPolicy(t)
	letters := map[rbac.Reach]string{rbac.ByAccount: "A", rbac.ByTeam: "T", rbac.ByGrant: "G"}
	seen := make(map[rbac.Permission]bool)
	for _, line := range strings.Split(strings.TrimSpace(spec3), "\n")[1:] {
		columns := strings.Fields(line)
		rights := columns[len(columns)-4:]
		wanted := strings.Join(columns[:len(columns)-4], " ")
		object, action, _ := strings.Cut(wanted, ": ")
		perm := find(t, policy, object, action)
		assert.Equal(t, wanted, perm.String())
		assert.Equal(t, wanted, policy.Name(perm))
		seen[perm] = true
		for i, role := range roles {
			for _, by := range reaches {
				assert.Equal(t, rights[i] == letters[by], policy.Allows(role, perm, by), "%s: %s by %s", role, wanted, by)
			}
		}
	}
	for _, perm := range rbac.Permissions() {
		assert.True(t, seen[perm], "%s is not in the table", perm)
	}
	assert.Len(t, rbac.Permissions(), len(seen))
}

func TestSpec3_ConstantsHaveTheirNames(t *testing.T) {
	// A sample over the whole list: a name that slipped by one line would be another right.
	for perm, name := range map[rbac.Permission]string{
		rbac.ListMembers: "member: list", rbac.InviteMember: "member: invite", rbac.ChangeRole: "member: change role",
		rbac.ConfigureTeam: "team: change settings", rbac.ReadAudit: "audit: read",
		rbac.ListConversations: "conversation: list all", rbac.ReadConversations: "conversation: read all",
		rbac.ReadConversation: "conversation: read", rbac.MarkConversationRead: "conversation: mark read",
		rbac.SendMessage: "message: send", rbac.WriteNote: "message: write note", rbac.ReadNote: "message: read note",
		rbac.InviteGuest: "guest: invite", rbac.EditContact: "contact: edit", rbac.OptInContact: "contact: opt in",
		rbac.SetApplicationStatus: "application: set status", rbac.ExportData: "data: export",
		rbac.ManageLists: "list: manage", rbac.SendBlast: "blast: send", rbac.ManageContent: "content: manage",
		rbac.ReadAccount: "account: read", rbac.CreateTeam: "account: create team", rbac.ManageRoles: "account: manage roles", rbac.CloseAccount: "account: close",
	} {
		assert.Equal(t, name, perm.String())
	}
	assert.Equal(t, "permission(0)", rbac.Permission(0).String())
	assert.Equal(t, "permission(65535)", rbac.Permission(math.MaxUint16).String())
}

func TestSpec3_DefaultDeny(t *testing.T) {
	policy := newPolicy(t, rbac.Allow(rbac.Member, "jobpost", "publish", rbac.ByTeam))
	last := find(t, policy, "jobpost", "publish")
	deny := func(role rbac.Role, perm rbac.Permission, by rbac.Reach) {
		if policy.Allows(role, perm, by) { // plain, for there are millions
			t.Fatalf("role %d has permission %d by reach %d", role, perm, by)
		}
	}
	for role := range 256 {
		for by := range 256 {
			for _, perm := range []rbac.Permission{0, last + 1, last + 2, 1 << 8, 1 << 15, math.MaxUint16} {
				deny(rbac.Role(role), perm, rbac.Reach(by))
			}
			if role == 0 || role > int(rbac.Holder) || by == 0 || by > int(rbac.ByGrant) {
				for perm := range last + 1 {
					deny(rbac.Role(role), perm, rbac.Reach(by))
				}
			}
		}
	}
	var zero rbac.Policy
	for _, perm := range rbac.Permissions() {
		require.False(t, zero.Allows(rbac.Manager, perm, rbac.ByTeam), "the zero policy denies")
	}
}

func TestSpec3_HolderHasNoWayIntoATeam(t *testing.T) {
	policy := newPolicy(t)
	for _, perm := range rbac.Permissions() {
		assert.False(t, policy.Allows(rbac.Holder, perm, rbac.ByTeam), "%s", perm)
		assert.False(t, policy.Allows(rbac.Holder, perm, rbac.ByGrant), "%s", perm)
		for _, role := range rbac.TeamRoles() {
			assert.False(t, policy.Allows(role, perm, rbac.ByAccount), "%s: %s", role, perm)
		}
	}
}

func TestSpec3_ManagerInheritsMember(t *testing.T) {
	policy := newPolicy(t, rbac.Allow(rbac.Member, "jobpost", "publish", rbac.ByTeam))
	publish := find(t, policy, "jobpost", "publish")
	assert.True(t, policy.Allows(rbac.Member, publish, rbac.ByTeam))
	assert.True(t, policy.Allows(rbac.Manager, publish, rbac.ByTeam))
	assert.False(t, policy.Allows(rbac.Restricted, publish, rbac.ByTeam))
	assert.False(t, policy.Allows(rbac.Holder, publish, rbac.ByTeam))
	assert.False(t, policy.Allows(rbac.Member, publish, rbac.ByGrant), "a right by team is not one by grant")

	policy = newPolicy(t, rbac.Allow(rbac.Manager, "jobpost", "publish", rbac.ByTeam))
	assert.False(t, policy.Allows(rbac.Member, find(t, policy, "jobpost", "publish"), rbac.ByTeam), "not the other way round")
}

func TestSpec3_DenyBindsExactlyTheRoleItNames(t *testing.T) {
	policy := newPolicy(t, rbac.Deny(rbac.Member, "blast", "send", rbac.ByTeam))
	assert.False(t, policy.Allows(rbac.Member, rbac.SendBlast, rbac.ByTeam))
	assert.True(t, policy.Allows(rbac.Manager, rbac.SendBlast, rbac.ByTeam), "the manager keeps what the member lost")
	assert.True(t, policy.Allows(rbac.Member, rbac.CreateBlast, rbac.ByTeam), "nothing else changes")

	policy = newPolicy(t, rbac.Deny(rbac.Manager, "data", "export", rbac.ByTeam))
	assert.False(t, policy.Allows(rbac.Manager, rbac.ExportData, rbac.ByTeam), "deny wins over what is inherited")
	assert.True(t, policy.Allows(rbac.Member, rbac.ExportData, rbac.ByTeam))
	assert.False(t, policy.Covers(rbac.Manager, rbac.Member), "and the manager no longer covers the member")
}

func TestSpec3_DenyWinsInAnyOrder(t *testing.T) {
	const bundle = rbac.Bundle("publishing")
	rows := []rbac.Row{
		rbac.Deny(rbac.Member, "jobpost", "publish", rbac.ByTeam),
		rbac.Allow(bundle, "jobpost", "publish", rbac.ByTeam),
		rbac.Include(rbac.Member, bundle),
	}
	for range rows {
		rows = append(rows[1:], rows[0])
		policy := newPolicy(t, rows...)
		publish := find(t, policy, "jobpost", "publish")
		assert.False(t, policy.Allows(rbac.Member, publish, rbac.ByTeam))
		assert.True(t, policy.Allows(rbac.Manager, publish, rbac.ByTeam))
	}
}

func TestSpec3_HostPermissionsAreNumberedAfterTheBuiltIn(t *testing.T) {
	policy := newPolicy(t,
		rbac.Allow(rbac.Manager, "jobpost", "publish", rbac.ByTeam),
		rbac.Allow(rbac.Member, "conversation", "print", rbac.ByTeam),
		rbac.Allow(rbac.Holder, "account", "see bill", rbac.ByAccount),
	)
	first := rbac.Permission(len(rbac.Permissions()) + 1)
	assert.Equal(t, first, find(t, policy, "jobpost", "publish"))
	assert.Equal(t, first+1, find(t, policy, "conversation", "print"))
	assert.Equal(t, first+2, find(t, policy, "account", "see bill"))
	assert.Equal(t, "jobpost: publish", policy.Name(first))
	assert.Equal(t, "permission(54)", first.String(), "only the policy knows the name")
	assert.Equal(t, "permission(0)", policy.Name(0))
	assert.Equal(t, "permission(57)", policy.Name(first+3))
	assert.True(t, policy.Allows(rbac.Holder, first+2, rbac.ByAccount))
}

func TestSpec3_UnnamedPermissionIsAStartUpError(t *testing.T) {
	policy := newPolicy(t, rbac.Allow(rbac.Manager, "jobpost", "publish", rbac.ByTeam))
	publish := find(t, policy, "jobpost", "publish")
	require.NoError(t, policy.Check())
	require.NoError(t, policy.Check(append(rbac.Permissions(), publish)...))

	err := newPolicy(t).Check(rbac.SendMessage, publish, 0)
	require.ErrorIs(t, err, rbac.ErrUnknownPermission)
	assert.Equal(t, "unknown permission: the policy does not name permission(54), permission(0)", err.Error())

	var zero rbac.Policy
	err = zero.Check(rbac.SendMessage)
	require.ErrorIs(t, err, rbac.ErrUnknownPermission)
	assert.Contains(t, err.Error(), "message: send")
}

// A pair of strings is one key in one way only: neither joined nor trimmed nor folded.
func TestD5_NoPermissionIsFoundByAnotherSpelling(t *testing.T) {
	policy := newPolicy(t)
	for _, pair := range [][2]string{
		{"", ""}, {"blast", ""}, {"", "send"}, {"blast: send", ""}, {"", "blast: send"}, {"blast:", "send"}, {"blast", ": send"},
		{"blast ", "send"}, {"blast", " send"}, {"Blast", "send"}, {"blast", "SEND"}, {"blast,send", ""}, {"blast", "send,team"},
		{"blas", "tsend"}, {"blastsend", ""}, {"blast\x00send", ""}, {"blast", "send\x00"}, {"*", "*"}, {"blast", "*"}, {"*", "send"},
		{"blast$$send", ""}, {"member", "change  role"}, {"member", "change-role"}, {"member change", "role"}, {"\u200bblast", "send"},
		{"send", "blast"}, {strings.Repeat("a", 1<<20), strings.Repeat("b", 1<<20)},
	} {
		perm, err := policy.Permission(pair[0], pair[1])
		require.ErrorIs(t, err, rbac.ErrUnknownPermission, "%.40q", pair)
		assert.Zero(t, perm)
		assert.Less(t, len(err.Error()), 1000)
	}
}

// The same for arbitrary texts: each finds what is called exactly so, and nothing else.
func TestD5_APermissionHasOneSpelling(t *testing.T) {
	policy := newPolicy(t)
	names := map[string]rbac.Permission{}
	for _, perm := range policy.Permissions() {
		names[policy.Name(perm)] = perm
	}
	one := func(pick uint16, junk string, at uint8) bool {
		name := policy.Name(policy.Permissions()[int(pick)%len(names)])
		i := int(at) % (len(name) + 1)
		for _, text := range []string{name, name[:i] + junk + name[i:], name[:i], name[i:], junk} {
			perm, err := policy.ParsePermission(text)
			if want, known := names[text]; known != (err == nil) || perm != want {
				return false
			}
			object, action, cut := strings.Cut(text, ": ")
			if found, err := policy.Permission(object, action); cut && (found != perm || (err == nil) != (perm != 0)) {
				return false
			}
		}
		return true
	}
	require.NoError(t, quick.Check(one, &quick.Config{MaxCount: 5000}))
}

func TestSpec3_NobodyGrantsWhatTheyDoNotHold(t *testing.T) {
	for name, c := range map[string]struct {
		rows   []rbac.Row
		covers string // pairs "a>b" that hold besides a>a
	}{
		"built-in": {nil, "manager>member manager>restricted member>restricted"},
		"member lost a right": {
			[]rbac.Row{rbac.Deny(rbac.Member, "blast", "send", rbac.ByTeam)},
			"manager>member manager>restricted member>restricted",
		},
		"manager lost a right": {
			[]rbac.Row{rbac.Deny(rbac.Manager, "blast", "send", rbac.ByTeam)},
			"manager>restricted member>restricted",
		},
		"member lost what a guest has": {
			[]rbac.Row{rbac.Deny(rbac.Member, "message", "send", rbac.ByTeam)},
			"manager>member manager>restricted",
		},
		"a guest got something of its own": {
			[]rbac.Row{rbac.Allow(rbac.Restricted, "scorecard", "fill in", rbac.ByGrant)},
			"manager>member",
		},
		"a right by grant does not cover one by team": {
			[]rbac.Row{
				rbac.Allow(rbac.Restricted, "scorecard", "fill in", rbac.ByTeam),
				rbac.Allow(rbac.Member, "scorecard", "fill in", rbac.ByGrant),
			},
			"manager>member",
		},
	} {
		t.Run(name, func(t *testing.T) {
			policy := newPolicy(t, c.rows...)
			for _, a := range roles {
				for _, b := range roles {
					want := a == b || strings.Contains(c.covers, a.String()+">"+b.String())
					assert.Equal(t, want, policy.Covers(a, b), "%s > %s", a, b)
				}
				for _, unknown := range []rbac.Role{0, rbac.Holder + 1, 255} {
					assert.False(t, policy.Covers(a, unknown), "no role can be granted")
					assert.False(t, policy.Covers(unknown, a), "no role grants")
					assert.False(t, policy.Covers(unknown, unknown))
				}
			}
		})
	}
}

func TestSpec4_8_ReadsIsExactlyReadingListingAndExporting(t *testing.T) {
	for _, perm := range rbac.Permissions() {
		_, action, _ := strings.Cut(perm.String(), ": ")
		reads := action == "export"
		for word := range strings.FieldsSeq(action) {
			reads = reads || word == "read" || word == "list"
		}
		if action == "mark read" {
			reads = false // it moves the reader's cursor
		}
		assert.Equal(t, reads, perm.Reads(), "%s", perm)
	}
	for _, perm := range []rbac.Permission{0, rbac.CloseAccount + 1, math.MaxUint16} {
		assert.False(t, perm.Reads(), "what usher does not know may change something")
	}
}

func TestPolicyIsSafeForConcurrentUse(t *testing.T) {
	policy := newPolicy(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				assert.True(t, policy.Allows(rbac.Member, rbac.SendMessage, rbac.ByTeam))
				assert.True(t, policy.Covers(rbac.Manager, rbac.Member))
				send, err := policy.Permission("blast", "send")
				assert.True(t, err == nil && send == rbac.SendBlast)
				assert.NotEmpty(t, policy.Denied(rbac.Member, rbac.InviteMember).Error())
				assert.NotEmpty(t, policy.Markdown())
			}
		})
	}
	wg.Go(func() {
		other, err := rbac.NewPolicy() // compiling another one disturbs nobody
		assert.True(t, err == nil && other.Allows(rbac.Member, rbac.SendMessage, rbac.ByTeam))
	})
	wg.Wait()
}

func TestAllowsAllocatesNothing(t *testing.T) {
	policy := newPolicy(t)
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		policy.Allows(rbac.Member, rbac.SendMessage, rbac.ByTeam)
		policy.Allows(rbac.Restricted, rbac.SendMessage, rbac.ByTeam)
	}))
}

// Casbin has a logger of its own and a global one. Neither may write to the host's log.
func TestNothingIsLogged(t *testing.T) {
	var written bytes.Buffer
	old := log.Writer()
	log.SetOutput(&written)
	defer log.SetOutput(old)
	policy := newPolicy(t)
	policy.Allows(rbac.Member, rbac.SendMessage, rbac.ByTeam)
	_, err := rbac.NewPolicy(rbac.Row{})
	require.Error(t, err)
	assert.Empty(t, written.String())
}
