package rbac

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzD8_HostRows: whatever text a host hands in, it is refused with ErrPolicy, or it is decided as
// Enforce decides it and moves no decision that its rows do not name. The policy of another program
// (here: one that was compiled before) never moves.
func FuzzD8_HostRows(f *testing.F) {
	for _, text := range []string{
		"",
		"p, member, jobpost, publish, team, allow",
		"p, member, blast, send, team, deny",
		"p, manager, data, export, team, deny\np, restricted, scorecard, read, grant, allow",
		"g, restricted, a\ng, a, b\np, b, x, y, team, allow",
		"g, a, b\ng, b, a\np, b, x, y, team, allow",
		"g, restricted, manager",
		"p, *, *, *, team, allow",
		"p, restricted, conversation, read all, team, Deny",
		"p, member, jobpost",
		"p, holder, conversation, read, team, allow",
		"p, holder, account, see bill, account, allow",
		"p, member\x00, jobpost\u200b, \"publish\", team, allow # x",
		"p, manager, member, change role, team, deny",
		"p,member,a,b,team,allow\np,member,a,b,team,deny",
		"# only a comment\r\n\r\n",
	} {
		f.Add(text)
	}
	plain, err := NewPolicy()
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, text string) {
		rows, err := ParseRows(text)
		if err != nil {
			if !errors.Is(err, ErrPolicy) || rows != nil || len(err.Error()) > 1500 {
				t.Fatalf("%v, %d rows", err, len(rows))
			}
			return
		}
		p, err := NewPolicy(rows...)
		if err != nil {
			if !errors.Is(err, ErrPolicy) || p != nil || len(err.Error()) > 1500 {
				t.Fatalf("%v", err)
			}
			return
		}
		requireSameAsEnforce(t, p, rows)
		for _, role := range subjects() {
			requireProof(t, p.Rights(role), rows)
		}

		named := make(map[name]bool)
		for _, row := range rows {
			if !row.includes() {
				named[row.right().name] = true
			}
		}
		for _, perm := range Permissions() {
			for _, role := range subjects() {
				for _, by := range reaches() {
					was, is := plain.Allows(role, perm, by), p.Allows(role, perm, by)
					if was != is && !named[builtin[perm]] {
						t.Fatalf("%s, %s by %s: was %v, is %v, and no row names it", role, perm, by, was, is)
					}
					if is && (role == Holder) != (by == ByAccount) {
						t.Fatalf("%s has %s by %s", role, perm, by)
					}
				}
			}
		}
	})
}

// FuzzQuestions: for any four strings the table and Enforce give the same answer.
func FuzzQuestions(f *testing.F) {
	for _, q := range [][4]string{
		{"member", "message", "send", "team"},
		{"restricted", "message", "send", "grant"},
		{"holder", "account", "close", "account"},
		{"Manager ", "member", "invite", "team"},
		{"\u200bmanager", "member", "invite", "team"},
		{"", "", "", ""},
		{"*", "*", "*", "*"},
		{"member", "message,send", "team", ""},
		{"manager", "member: invite", "", "team"},
		{`member" || "1" == "1`, "blast", "send", "team"},
		{"eval(true)", "r.object", "p.action", "{}"},
		{"manager\x00member", "blast", "send", "team"},
	} {
		f.Add(q[0], q[1], q[2], q[3])
	}
	p, err := NewPolicy()
	require.NoError(f, err)
	ask := oracle(f, nil)
	f.Fuzz(func(t *testing.T, role, object, action, reach string) {
		enforced, err := ask(role, object, action, reach)
		if err != nil {
			t.Fatal(err)
		}
		perm, err := p.Permission(object, action)
		if (err == nil) != (perm != 0) || err != nil && !errors.Is(err, ErrUnknownPermission) {
			t.Fatalf("%d, %v", perm, err)
		}
		allowed := false
		for _, r := range subjects() {
			for _, by := range reaches() {
				if r.String() == role && by.String() == reach {
					allowed = p.Allows(r, perm, by)
				}
			}
		}
		if allowed != enforced {
			t.Fatalf("table %v, Enforce %v", allowed, enforced)
		}
		if parsed, err := ParseRole(role); err == nil && parsed.String() != role {
			t.Fatalf("%q became %v", role, parsed)
		}
	})
}

// FuzzD8_CustomRoles: whatever names an account stores for a role, it is refused or gives exactly those
// permissions on top of its base, and moves no decision about anybody else.
func FuzzD8_CustomRoles(f *testing.F) {
	for _, text := range []string{
		"", "audit: read", "audit: read\nmember: invite", "account: close", "blast: send", "data: export",
		"*: *", "audit: read\x00", "p, member, audit, read, team, allow", "g, member, manager", "scorecard: read",
		" audit: read", "audit:read", "Audit: Read", "audit: read: read", ": ", "\u200baudit: read",
	} {
		f.Add(text, uint8(Member))
	}
	p, err := NewPolicy(sample()...)
	require.NoError(f, err)
	before := p.Markdown()
	f.Fuzz(func(t *testing.T, text string, number uint8) {
		base, names := Role(number), strings.Split(text, "\n")
		rights, err := p.Custom("Scout", base, names)
		if err != nil && (!errors.Is(err, ErrCustom) || len(err.Error()) > 1000) {
			t.Fatal(err)
		}
		for perm := range p.table.Load().all() {
			for _, by := range reaches() {
				was, is := p.Allows(base, perm, by), rights.Allows(perm, by)
				if was && !is && base.InTeam() {
					t.Fatalf("%s lost %s by %s", base, p.Name(perm), by)
				}
				if is && !was && (!slices.Contains(names, p.Name(perm)) || by == ByAccount || deniesAny(sample(), base, p.table.Load().names[perm])) {
					t.Fatalf("%s gained %s by %s from %q", base, p.Name(perm), by, text)
				}
				if err == nil && !is && by == ByTeam && slices.Contains(names, p.Name(perm)) {
					t.Fatalf("%s did not get %s, and no error", base, p.Name(perm))
				}
			}
		}
		if p.Markdown() != before {
			t.Fatal("the policy has changed")
		}
	})
}

// FuzzD5_NamesAreKeysInOneWay: over any strings, two pairs are the same permission only if they are the
// same pair, and a text is a permission only if it is the permission's name.
func FuzzD5_NamesAreKeysInOneWay(f *testing.F) {
	f.Add("blast", "send", "blast", "send")
	f.Add("blast: send", "", "blast", "send")
	f.Add("blast", ": send", "blast: ", "send")
	f.Add("member", "change role", "member change", "role")
	f.Add("a:b", "c", "a", "b:c")
	f.Add("blast$$send", "", "blast\x00send", "")
	p, err := NewPolicy(sample()...)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, object, action, otherObject, otherAction string) {
		a, errA := p.Permission(object, action)
		b, errB := p.Permission(otherObject, otherAction)
		if errA == nil && errB == nil && (a == b) != (object == otherObject && action == otherAction) {
			t.Fatalf("%q %q and %q %q are both %s", object, action, otherObject, otherAction, p.Name(a))
		}
		for _, text := range []string{object, object + ": " + action, object + action, object + ":" + action} {
			if perm, err := p.ParsePermission(text); err == nil && p.Name(perm) != text {
				t.Fatalf("%q was read as %s", text, p.Name(perm))
			} else if err != nil && (perm != 0 || !errors.Is(err, ErrUnknownPermission)) {
				t.Fatal(perm, err)
			}
		}
		if perm, err := p.ParsePermission(object + ": " + action); errA == nil && (err != nil || perm != a) {
			t.Fatalf("%q: %q is %s", object, action, p.Name(perm))
		}
	})
}
