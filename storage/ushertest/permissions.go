package ushertest

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/usher-go/usher/rbac"
)

// updating is the variable that lets [Permissions] write the file.
const updating = "USHER_TEST_UPDATE"

// Permissions compares every decision of the policy, which is every permission, role and reach,
// the host's own among them, with a file that is kept under version control. So a row that was
// changed shows in a review as the decisions that it changes, and none changes unseen:
//
//	func TestPermissions(t *testing.T) {
//		policy, err := rbac.NewPolicy(rows...) // or the Policy of a World or of a usher.Usher
//		...
//		ushertest.Permissions(t, policy, "testdata/permissions.golden")
//	}
//
// The test fails if the file differs or does not exist. Run it once with USHER_TEST_UPDATE=1 in
// the environment to write the file, and read the difference before it is committed. The file
// has a line for each permission, sorted by name, so the order of the rows does not matter.
func Permissions(t testing.TB, policy *rbac.Policy, golden string) {
	t.Helper()
	now := decisions(policy)
	if os.Getenv(updating) != "" {
		if err := write(golden, now); err != nil {
			t.Fatalf("ushertest: %v", err)
		}
		return
	}
	text, err := os.ReadFile(golden)
	before := strings.ReplaceAll(string(text), "\r\n", "\n") // as Git checks it out on Windows
	switch {
	case errors.Is(err, fs.ErrNotExist):
		t.Fatalf("ushertest: there is no %s to compare the policy with; run this test with %s=1 to write it", golden, updating)
	case err != nil:
		t.Fatalf("ushertest: %v", err)
	case before != now:
		t.Fatalf("ushertest: the policy decides otherwise than %s (- the file, + the policy):\n%s\nIf that is meant, run this test with %s=1 to write the file.",
			golden, difference(before, now), updating)
	}
}

// decisions are the lines of the file.
func decisions(policy *rbac.Policy) string {
	lines := []string{"# Every permission, and who has it by which reach. Whoever is not named is denied.\n"}
	perms := policy.Permissions()
	slices.SortFunc(perms, func(a, b rbac.Permission) int { return cmp.Compare(policy.Name(a), policy.Name(b)) })
	for _, perm := range perms {
		var who []string
		for _, role := range append(rbac.TeamRoles(), rbac.Holder) {
			for _, by := range []rbac.Reach{rbac.ByAccount, rbac.ByTeam, rbac.ByGrant} {
				if policy.Allows(role, perm, by) {
					who = append(who, fmt.Sprintf("%s by %s", role, by))
				}
			}
		}
		lines = append(lines, fmt.Sprintf("%s: %s\n", policy.Name(perm), cmp.Or(strings.Join(who, ", "), "nobody")))
	}
	return strings.Join(lines, "")
}

func write(golden, text string) error {
	if err := os.MkdirAll(filepath.Dir(golden), 0o755); err != nil {
		return err
	}
	return os.WriteFile(golden, []byte(text), 0o644)
}

// line is one that only one side has.
type line struct{ sign, text string }

// permission is what the line is about: "object: action".
func (l line) permission() string { return l.text[:max(0, strings.LastIndex(l.text, ": "))] }

// difference shows the lines that only one of the two has, each permission's together.
func difference(before, now string) string {
	var lines []line
	only := func(sign, in, notIn string) {
		known := slices.Collect(strings.Lines(notIn))
		for text := range strings.Lines(in) {
			if !slices.Contains(known, text) {
				lines = append(lines, line{sign, strings.TrimSuffix(text, "\n")})
			}
		}
	}
	only("-", before, now)
	only("+", now, before)
	slices.SortStableFunc(lines, func(a, b line) int { return cmp.Compare(a.permission(), b.permission()) })
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&b, "%s %s\n", l.sign, l.text)
	}
	return b.String()
}
