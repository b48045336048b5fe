package rbac

import (
	"fmt"
	"slices"
	"strings"
)

//go:generate go test -run ^TestPermission(TableInTheDocs|sGolden)$ . -update

// Markdown returns the compiled table, a host's permissions included, for documentation. Permissions are
// grouped by object, and by who has them within it. The same policy always gives the same text.
func (p *Policy) Markdown() string {
	var b strings.Builder
	b.WriteString("| permission | Manager | Member | Restricted | Holder |\n")
	b.WriteString("|---|:-:|:-:|:-:|:-:|\n")
	for _, line := range p.table.Load().lines() {
		fmt.Fprintf(&b, "| %s: %s |", line.object, strings.Join(line.actions, ", "))
		for _, role := range subjects() {
			fmt.Fprintf(&b, " %s |", line.rights.mark(role))
		}
		b.WriteString("\n")
	}
	return b.String()
}

// line is one line of the table: the actions on one object that the same roles have.
type line struct {
	object  string
	actions []string
	rights  cells
}

// lines come in the order of the permissions' numbers, each object where it appears first.
func (t *table) lines() []line {
	var objects []string
	byObject := make(map[string][]line)
	for perm := range t.all() {
		n, rights := t.names[perm], t.rights[perm]
		same, seen := byObject[n.object]
		if !seen {
			objects = append(objects, n.object)
		}
		if i := slices.IndexFunc(same, func(l line) bool { return l.rights == rights }); i >= 0 {
			same[i].actions = append(same[i].actions, n.action)
		} else {
			byObject[n.object] = append(same, line{n.object, []string{n.action}, rights})
		}
	}
	var all []line
	for _, object := range objects {
		all = append(all, byObject[object]...)
	}
	return all
}

func (c cells) mark(role Role) string {
	switch {
	case c&(cell(role, ByTeam)|cell(role, ByAccount)) != 0:
		return "✓"
	case c&cell(role, ByGrant) != 0:
		return "granted"
	}
	return "–"
}
