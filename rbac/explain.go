package rbac

import (
	"fmt"
	"slices"
	"strings"
)

// Reason says which rule decided about one permission.
type Reason struct {
	// Allowed is the answer of [Rights.Allows].
	Allowed    bool
	Role       Role
	Custom     string // as in [Rights]
	Permission Permission
	Name       string // of the permission, as "object: action"
	By         Reach
	// Row is the policy row that decided: one that allows, or the one that denies. It is the zero Row
	// if the custom role decided, or if there is no such row, for what no row allows is denied.
	Row Row
	// Via are the inclusions that lead from the role to the subject of an allow row, in their order;
	// none if the row is about the role itself. If there are several ways, it is a shortest one.
	Via []Row
	// Added says that the policy does not give the permission to the role and the custom role adds it.
	Added bool
}

// Explain returns the rule that decides whether the rights have the permission by this reach. It reads
// the rows, so it is for people who ask why, and not for each request.
func (r Rights) Explain(perm Permission, by Reach) Reason {
	why := Reason{
		Allowed: r.Allows(perm, by), Role: r.Role, Custom: r.Custom,
		Permission: perm, Name: r.table.name(perm), By: by,
	}
	switch {
	case !r.table.knows(perm):
	case r.table.allows(r.Role, perm, by):
		why.Row, why.Via = r.table.allowing(r.Role, perm, by)
	case why.Allowed:
		why.Added = true
	default:
		why.Row = r.denying(perm, by)
	}
	return why
}

// allowing finds the row by which the role has the permission, by going along the inclusions.
func (t *table) allowing(role Role, perm Permission, by Reach) (Row, []Row) {
	reached := map[string][]Row{role.String(): nil}
	for queue := []string{role.String()}; len(queue) > 0; queue = queue[1:] {
		who := queue[0]
		wanted := right{who, t.names[perm], by.String()}
		i := slices.IndexFunc(t.rows[perm], func(row Row) bool { return !row.denies() && row.right() == wanted })
		if i >= 0 {
			return t.rows[perm][i], reached[who]
		}
		for _, row := range t.includes {
			from, to := row.fields[1], row.fields[2]
			if _, seen := reached[to]; from == who && !seen {
				reached[to] = append(slices.Clip(reached[who]), row)
				queue = append(queue, to)
			}
		}
	}
	return Row{}, nil
}

// denying finds the row that binds the role. What a custom role would add is denied by any reach.
func (r Rights) denying(perm Permission, by Reach) Row {
	for _, row := range r.table.rows[perm] {
		at := row.right()
		if row.denies() && at.subject == r.Role.String() && (at.reach == by.String() || r.extra.has(perm)) {
			return row
		}
	}
	return Row{}
}

// String reads, for example,
// `manager has "message: send" by team: p, member, message, send, team, allow via g, manager, member`.
func (w Reason) String() string {
	has, because := "lacks", "no row allows it"
	if w.Allowed {
		has = "has"
	}
	switch {
	case w.Added:
		because = "the custom role adds it"
	case w.Row.fields != nil:
		because = w.Row.String()
	}
	var via strings.Builder
	for _, row := range w.Via {
		fmt.Fprintf(&via, " via %s", row)
	}
	return fmt.Sprintf("%s %s %q by %s: %s%s", title(w.Role, w.Custom), has, w.Name, w.By, because, &via)
}
