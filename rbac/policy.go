package rbac

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"
)

//go:embed model.conf
var modelConf string

//go:embed policy.csv
var policyCSV string

// Policy is the table of who may do what, compiled from the embedded policy and the host's rows. It never
// changes and is safe for concurrent use. The zero value names no permission and denies everything.
type Policy struct {
	names   []name // by Permission; index 0 is no permission
	numbers map[name]Permission
	rights  []cells // by Permission
}

// cells are the rights to one permission, a bit for each role and reach.
type cells uint32

// cell is the bit of a known role and reach. The bits of the zero role and the zero reach are never set.
func cell(role Role, by Reach) cells { return 1 << (role<<2 | Role(by)) }

// NewPolicy compiles the built-in policy and the host's rows. The order of the rows changes no decision;
// a permission that they add is numbered where it appears first. Rows that are malformed or do not fit
// are refused with an error that wraps [ErrPolicy], names the row and says what is allowed.
//
// It takes about 15 ms, and a tenth of a second with the most rows that are allowed: build it once, at
// start, and share it. Without rows it is compiled once in a process, for the sake of test suites that
// build many worlds.
func NewPolicy(extra ...Row) (*Policy, error) {
	if len(extra) == 0 {
		return plainPolicy()
	}
	return newPolicy(modelConf, policyCSV, extra)
}

var plainPolicy = sync.OnceValues(func() (*Policy, error) { return newPolicy(modelConf, policyCSV, nil) })

func newPolicy(conf, csv string, extra []Row) (*Policy, error) {
	base, err := parse(csv)
	if err != nil {
		return nil, err
	}
	rows, err := combine(base, extra)
	if err != nil {
		return nil, err
	}
	if err := checkBuiltin(base); err != nil {
		return nil, err
	}
	return compile(conf, rows)
}

// checkBuiltin holds the constants and the policy file to each other: a constant without a row would be
// denied to all, and a row without a constant could be asked for by nobody.
func checkBuiltin(base []Row) error {
	known := make(map[name]bool)
	for _, n := range builtin[1:] {
		known[n] = false
	}
	for _, row := range base {
		if row.includes() {
			continue
		}
		if _, ok := known[row.right().name]; !ok {
			return row.refuse("no built-in permission is called %q", row.right().name)
		}
		known[row.right().name] = true
	}
	for _, n := range builtin[1:] {
		if !known[n] {
			return fmt.Errorf("%w: the built-in policy does not name %q", ErrPolicy, n)
		}
	}
	return nil
}

// compile asks Casbin for every cell of the table once. Only what it was told yes to is set.
//
// Each permission is asked of an enforcer that holds the inclusions and this permission's own rows: no
// other row can match, since the matcher compares object and action first. One enforcer with all rows
// gives the same table, as the differential test shows, but scans them all for every cell, so the time
// grows with the square of the rows: twice as long for the built-in policy, a second instead of a tenth
// for the largest that is allowed.
func compile(conf string, rows []Row) (*Policy, error) {
	p := &Policy{names: slices.Clone(builtin[:]), numbers: make(map[name]Permission)}
	for perm, n := range p.names[1:] {
		p.numbers[n] = Permission(perm + 1)
	}
	var includes []Row
	naming := make(map[name][]Row)
	next := Permission(len(builtin)) // the number of the host's first; MaxRows keeps it far from the end
	for _, row := range rows {
		if row.includes() {
			includes = append(includes, row)
			continue
		}
		n := row.right().name
		naming[n] = append(naming[n], row)
		if _, named := p.numbers[n]; !named {
			p.numbers[n] = next
			p.names = append(p.names, n)
			next++
		}
	}
	p.rights = make([]cells, len(p.names))
	for n, perm := range p.numbers {
		ask, err := casbinDecide(conf, slices.Concat(includes, naming[n]))
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrPolicy, err)
		}
		for _, role := range subjects() {
			for _, by := range reaches() {
				yes, err := ask(role.String(), n.object, n.action, by.String())
				if err != nil {
					return nil, fmt.Errorf("%w: %w", ErrPolicy, err)
				}
				if yes {
					p.rights[perm] |= cell(role, by)
				}
			}
		}
	}
	return p, nil
}

// Allows reports whether the role has the permission by this reach. Whatever the policy does not know
// is denied: the zero value or an unknown number of role, permission or reach. It is a look-up in an
// array: no lock, no allocation.
func (p *Policy) Allows(role Role, perm Permission, by Reach) bool {
	// The upper bounds keep an unknown number from being another's bit.
	return int(perm) < len(p.rights) && role <= Holder && by <= ByGrant &&
		p.rights[perm]&cell(role, by) != 0
}

// Covers reports whether a holds everything that b holds, so that granting b gives away nothing that a
// lacks. A right in the whole team covers the same right in granted conversations. A value that is no
// role covers nothing and is covered by nothing.
func (p *Policy) Covers(a, b Role) bool {
	if !a.known() || !b.known() {
		return false
	}
	for perm := range p.rights {
		for _, by := range reaches() {
			perm := Permission(perm)
			if p.Allows(b, perm, by) && !p.Allows(a, perm, by) &&
				!(by == ByGrant && p.Allows(a, perm, ByTeam)) {
				return false
			}
		}
	}
	return true
}

// Permission returns the permission with exactly this object and action: a built-in one or one that the
// host's rows added. The error for any other wraps [ErrUnknownPermission].
func (p *Policy) Permission(object, action string) (Permission, error) {
	perm, ok := p.numbers[name{object, action}]
	if !ok {
		return 0, fmt.Errorf("%w: the policy does not name object %s, action %s", ErrUnknownPermission, quote(object), quote(action))
	}
	return perm, nil
}

// Name returns "object: action", also for a host's permission, and "permission(N)" for a number that the
// policy does not know.
func (p *Policy) Name(perm Permission) string {
	if perm == 0 || int(perm) >= len(p.names) {
		return fmt.Sprintf("permission(%d)", uint16(perm))
	}
	return p.names[perm].String()
}

// Check reports whether the policy names each of the permissions. Call it at start with all that the
// program will ask for: a permission that no row names would be denied to everybody for ever. The error
// wraps [ErrUnknownPermission] and lists those that are missing.
func (p *Policy) Check(perms ...Permission) error {
	var missing []string
	for _, perm := range perms {
		if perm == 0 || int(perm) >= len(p.names) {
			missing = append(missing, perm.String())
		}
	}
	if missing != nil {
		return fmt.Errorf("%w: the policy does not name %s", ErrUnknownPermission, strings.Join(missing, ", "))
	}
	return nil
}
