package rbac

import (
	"fmt"
	"iter"
	"math"
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
	rows    [][]Row // by Permission: those that name it; none for one that an earlier table named

	includes []Row // the inclusions, in the order of the policy
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
func compile(conf string, rows []Row, before *table) (*table, error) {
	known := builtin[1:]
	if before != nil {
		known = before.names[1:]
	}
	if len(known)+len(rows) > math.MaxUint16 {
		return nil, fmt.Errorf("%w: %d permissions were named since the start, and no number may be left for those of %d rows", ErrPolicy, len(known), len(rows))
	}
	t := &table{numbers: make(map[name]Permission)}
	t.number(name{}) // no permission
	for _, n := range known {
		t.number(n)
	}
	for _, row := range rows {
		if row.includes() {
			t.includes = append(t.includes, row)
			continue
		}
		perm := t.number(row.right().name)
		t.rows[perm] = append(t.rows[perm], row)
	}
	for perm := range t.all() {
		if err := t.decide(conf, perm, slices.Concat(t.includes, t.rows[perm])); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrPolicy, err)
		}
	}
	return t, nil
}

// number returns the number of a permission, and gives it the next one if it has none.
func (t *table) number(n name) Permission {
	perm, known := t.numbers[n]
	if !known {
		perm = Permission(len(t.names)) //nolint:gosec // compile counts them
		t.numbers[n] = perm
		t.names = append(t.names, n)
		t.texts = append(t.texts, n.String())
		t.rights = append(t.rights, 0)
		t.denials = append(t.denials, 0)
		t.rows = append(t.rows, nil)
	}
	return perm
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

// knows reports whether a row names the permission.
func (t *table) knows(perm Permission) bool {
	return t != nil && int(perm) < len(t.rows) && len(t.rows[perm]) > 0
}

// check lists the permissions that no row names.
func (t *table) check(perms iter.Seq[Permission]) error {
	var missing []string
	for perm := range perms {
		if !t.knows(perm) {
			missing = append(missing, t.name(perm))
		}
	}
	if missing != nil {
		return fmt.Errorf("%w: the policy does not name %s", ErrUnknownPermission, strings.Join(missing, ", "))
	}
	return nil
}

// allows reads one cell. The upper bounds keep an unknown number from being another's bit.
func (t *table) allows(role Role, perm Permission, by Reach) bool {
	return role <= Holder && by <= ByGrant && t.cells(perm)&cell(role, by) != 0
}

// cells are those of all who have the permission; none have one that the table does not know.
func (t *table) cells(perm Permission) cells {
	if t == nil || int(perm) >= len(t.rights) {
		return 0
	}
	return t.rights[perm]
}

// lends reports whether a custom role on top of this one can bring the permission.
func (t *table) lends(base Role, perm Permission) bool {
	return base.InTeam() && t.knows(perm) &&
		t.rights[perm]&anyTeamRole != 0 && t.denials[perm]&(anyReach<<(base<<2)) == 0
}

// find is the number of a permission that a row names.
func (t *table) find(object, action string) (Permission, bool) {
	if t == nil {
		return 0, false
	}
	perm, ok := t.numbers[name{object, action}]
	return perm, ok && t.knows(perm)
}

// parse is find for a printed name. No object or action has a colon, so the first cut is the only one.
func (t *table) parse(text string) (Permission, bool) {
	object, action, _ := strings.Cut(text, ": ")
	return t.find(object, action)
}

// name is the printed name of a number, also of one that no row names any more.
func (t *table) name(perm Permission) string {
	if perm == 0 || t == nil || int(perm) >= len(t.texts) {
		return perm.String()
	}
	return t.texts[perm]
}

// all are the permissions that rows name, in the order of their numbers.
func (t *table) all() iter.Seq[Permission] {
	return func(yield func(Permission) bool) {
		if t == nil {
			return
		}
		for perm := range t.rows {
			if perm := Permission(perm); t.knows(perm) && !yield(perm) {
				return
			}
		}
	}
}
