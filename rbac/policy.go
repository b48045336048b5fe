package rbac

import (
	_ "embed"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

//go:embed model.conf
var modelConf string

//go:embed policy.csv
var policyCSV string

// Policy is the table of who may do what, compiled from the embedded policy and the host's rows. It is safe
// for concurrent use and changes only as a whole, by [Policy.Reload]. The zero value names no permission
// and denies everything. Share it by its pointer.
type Policy struct {
	table atomic.Pointer[table]

	mu    sync.Mutex // of what follows, and of storing a table
	asked set        // what Check was asked for
	stale error
}

// NewPolicy compiles the built-in policy and the host's rows. The order of the rows changes no decision;
// a permission that they add is numbered where it appears first. Rows that are malformed or do not fit
// are refused with an error that wraps [ErrPolicy], names the row and says what is allowed.
//
// It takes about 15 ms, and a tenth of a second with the most rows that are allowed: build it once, at
// start, and share it. Without rows the table is compiled once in a process, for the sake of test suites
// that build many worlds; each policy that shares it is reloaded for itself.
func NewPolicy(extra ...Row) (*Policy, error) {
	build := plainTable
	if len(extra) > 0 {
		build = func() (*table, error) { return newTable(modelConf, policyCSV, extra, nil) }
	}
	t, err := build()
	if err != nil {
		return nil, err
	}
	p := new(Policy)
	p.table.Store(t)
	return p, nil
}

var plainTable = sync.OnceValues(func() (*table, error) { return newTable(modelConf, policyCSV, nil, nil) })

// newTable numbers the permissions of the table before as they were, if there is one.
func newTable(conf, csv string, extra []Row, before *table) (*table, error) {
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
	return compile(conf, rows, before)
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

// Allows reports whether the role has the permission by this reach. Whatever the policy does not know
// is denied: the zero value or an unknown number of role, permission or reach. It is a look-up in an
// array: no lock, no allocation. [Rights.Allows] is the same for a custom role.
func (p *Policy) Allows(role Role, perm Permission, by Reach) bool {
	return p.table.Load().allows(role, perm, by)
}

// Covers is [Rights.Covers] for two plain roles.
func (p *Policy) Covers(a, b Role) bool { return p.Rights(a).Covers(p.Rights(b)) }

// Permissions returns all permissions that the policy names, the host's own among them, in the order of
// their numbers.
func (p *Policy) Permissions() []Permission { return slices.Collect(p.table.Load().all()) }

// Permission returns the permission with exactly this object and action: a built-in one or one that the
// host's rows added. The error for any other wraps [ErrUnknownPermission].
func (p *Policy) Permission(object, action string) (Permission, error) {
	perm, ok := p.table.Load().find(object, action)
	if !ok {
		return 0, fmt.Errorf("%w: the policy does not name object %s, action %s", ErrUnknownPermission, quote(object), quote(action))
	}
	return perm, nil
}

// ParsePermission returns the permission that [Policy.Name] prints as exactly this text; nothing is
// trimmed or folded. The error for any other text wraps [ErrUnknownPermission].
func (p *Policy) ParsePermission(text string) (Permission, error) {
	perm, ok := p.table.Load().parse(text)
	if !ok {
		return 0, fmt.Errorf("%w: the policy does not name %s", ErrUnknownPermission, quote(text))
	}
	return perm, nil
}

// Name returns "object: action", also for a host's permission, and "permission(N)" for a number that the
// policy never named. It is the form to store.
func (p *Policy) Name(perm Permission) string { return p.table.Load().name(perm) }

// Check reports whether the policy names each of the permissions. Call it at start with all that the
// program will ask for: a permission that no row names would be denied to everybody for ever. The error
// wraps [ErrUnknownPermission] and lists those that are missing. A policy that was checked is not
// reloaded into one that would fail the check.
func (p *Policy) Check(perms ...Permission) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.table.Load().check(slices.Values(perms)); err != nil {
		return err
	}
	for _, perm := range perms {
		p.asked.add(perm)
	}
	return nil
}
