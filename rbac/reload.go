package rbac

import "fmt"

// Reload replaces the host's rows by these, which are checked and compiled as [NewPolicy] does it. The
// new table takes the place of the old one in one step, for all who share the policy; on any error the
// old one stays in force as it was. [Rights] that were made before go on deciding by the old one.
//
// A permission keeps its number. One that no row names any more is denied to all, and has its number
// again when it comes back; new ones are numbered after all that there ever were. Rows that no longer
// name a permission that was asked for in [Policy.Check] are refused, as they would be at start.
//
// A custom role keeps what it holds, so rows that take a permission from Manager can leave one with more than
// any Manager has; the account's holder can then mend that by an edit of the role.
//
// The error wraps [ErrPolicy], and [Policy.Stale] returns it until a reload succeeds. A process of which
// one policy was reloaded through so many new names that no number is left has to be started anew.
func (p *Policy) Reload(rows ...Row) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	t, err := newTable(modelConf, policyCSV, rows, p.table.Load())
	if err == nil {
		if missing := t.check(p.asked.all()); missing != nil {
			err = fmt.Errorf("%w: the program asks for what no row names any more: %w", ErrPolicy, missing)
		}
	}
	if err == nil {
		p.table.Store(t)
	}
	p.stale = err
	return err
}

// Stale returns the error of the last [Policy.Reload], and nil if it succeeded or there was none: for a
// health check, since a program whose reload failed goes on with rows that its operator believes
// replaced. Text that [ParseRows] refuses never comes to a reload; its error is the caller's to show.
func (p *Policy) Stale() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stale
}
