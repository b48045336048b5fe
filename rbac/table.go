package rbac

import (
	"fmt"
	"iter"
	"slices"
	"strings"
)

// table is one compiled policy. It never changes. A nil table names no permission and denies everything.
type table struct {
	names   []name   // by Permission; index 0 is no permission
	texts   []string // the names as they are printed
	numbers map[name]Permission
	rights  []cells // by Permission: what the roles have
	denials []cells // by Permission: what deny rows bind
}

// cells are bits about one permission, one for each role and reach.
type cells uint32

// cell is the bit of a known role and reach. The bits of the zero role and the zero reach are never set.
func cell(role Role, by Reach) cells { return 1 << (role<<2 | Role(by)) }

const (
	// anyReach are the cells of the role zero, to be moved to those of another one.
	anyReach cells = 1<<ByAccount | 1<<ByTeam | 1<<ByGrant
	// anyTeamRole are the cells by which a permission is a right in a team.
	anyTeamRole cells = 1<<(Manager<<2|Role(ByTeam)) | 1<<(Member<<2|Role(ByTeam)) | 1<<(Restricted<<2|Role(ByTeam))
)

// compile asks Casbin for every cell of the table once. Only what it was told yes to is set.
//
// Each permission is asked of an enforcer that holds the inclusions and this permission's own rows: no
// other row can match, since the matcher compares object and action first. One enforcer with all rows
// gives the same table, as the differential test shows, but scans them all for every cell, so the time
// grows with the square of the rows: twice as long for the built-in policy, a second instead of a tenth
// for the largest that is allowed.
func compile(conf string, rows []Row) (*table, error) {
	t := &table{
		names: make([]name, 1), texts: make([]string, 1), numbers: make(map[name]Permission),
		rights: make([]cells, 1), denials: make([]cells, 1),
	}
	for _, n := range builtin[1:] {
		t.number(n)
	}
	var includes []Row
	naming := make(map[name][]Row)
	for _, row := range rows {
		if row.includes() {
			includes = append(includes, row)
			continue
		}
		n := row.right().name
		naming[n] = append(naming[n], row)
		t.number(n)
	}
	for perm := range t.all() {
		if err := t.decide(conf, perm, slices.Concat(includes, naming[t.names[perm]])); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrPolicy, err)
		}
	}
	return t, nil
}

// number gives the permission a number, if it has none.
func (t *table) number(n name) {
	if _, known := t.numbers[n]; known {
		return
	}
	t.numbers[n] = Permission(len(t.names)) //nolint:gosec // MaxRows keeps it small
	t.names = append(t.names, n)
	t.texts = append(t.texts, n.String())
	t.rights = append(t.rights, 0)
	t.denials = append(t.denials, 0)
}

// decide fills in the cells of one permission.
func (t *table) decide(conf string, perm Permission, rows []Row) error {
	ask, err := casbinDecide(conf, rows)
	if err != nil {
		return err
	}
	n := t.names[perm]
	for _, role := range subjects() {
		for _, by := range reaches() {
			yes, err := ask(role.String(), n.object, n.action, by.String())
			if err != nil {
				return err
			}
			if yes {
				t.rights[perm] |= cell(role, by)
			}
			denied := func(row Row) bool {
				return row.denies() && row.right() == (right{role.String(), n, by.String()})
			}
			if slices.ContainsFunc(rows, denied) {
				t.denials[perm] |= cell(role, by)
			}
		}
	}
	return nil
}

// knows reports whether the number is a permission of the table.
func (t *table) knows(perm Permission) bool { return perm != 0 && t != nil && int(perm) < len(t.names) }

// allows reads one cell. The upper bounds keep an unknown number from being another's bit.
func (t *table) allows(role Role, perm Permission, by Reach) bool {
	return t != nil && int(perm) < len(t.rights) && role <= Holder && by <= ByGrant &&
		t.rights[perm]&cell(role, by) != 0
}

// lends reports whether a custom role on top of this one can bring the permission.
func (t *table) lends(base Role, perm Permission) bool {
	return base.InTeam() && t.knows(perm) &&
		t.rights[perm]&anyTeamRole != 0 && t.denials[perm]&(anyReach<<(base<<2)) == 0
}

// find is the number of a name.
func (t *table) find(object, action string) (Permission, bool) {
	if t == nil {
		return 0, false
	}
	perm, ok := t.numbers[name{object, action}]
	return perm, ok
}

// name is the printed name of a number.
func (t *table) name(perm Permission) string {
	if !t.knows(perm) {
		return fmt.Sprintf("permission(%d)", uint16(perm))
	}
	return t.texts[perm]
}

// parse is the number of a printed name. No object or action has a colon, so the first cut is the only
// one.
func (t *table) parse(text string) (Permission, bool) {
	object, action, _ := strings.Cut(text, ": ")
	return t.find(object, action)
}

// all are the permissions of the table, in the order of their numbers.
func (t *table) all() iter.Seq[Permission] {
	return func(yield func(Permission) bool) {
		for perm := Permission(1); t.knows(perm) && yield(perm); perm++ {
		}
	}
}
