package rbac

import (
	"errors"
	"fmt"
)

// ErrCustom is wrapped by every error about a custom role. The message names the permission and says
// what is wrong with it.
var ErrCustom = errors.New("custom role refused")

// MaxExtra is how many permissions a custom role may add to its role.
const MaxExtra = 128

// Rights is what somebody may do: a role, and the permissions that a custom role of their account puts
// on top of it. [Policy.Rights] and [Policy.Custom] make it. It decides by the policy as it was then, so
// all that is asked of one value fits together; make it anew for each decision, with what was just read,
// and do not keep it. The zero value has no rights.
type Rights struct {
	Role Role
	// Custom is the name of the custom role, for people to read; empty for a plain role.
	Custom string

	extra set
	table *table
}

// Rights returns the rights of a plain role.
func (p *Policy) Rights(role Role) Rights { return Rights{Role: role, table: p.table.Load()} }

// Custom returns the rights of a custom role: those of base, a role in a team, and the permissions with
// these names, as [Policy.Name] prints them. What it adds counts in the whole team. A deny row of the
// policy wins over it: what is denied to base by any reach cannot be added, whatever other roles have.
//
// The error wraps [ErrCustom]: for a base that is no role in a team, for more than [MaxExtra] names, for
// a name that the policy does not have ([ErrUnknownPermission]), and for a permission that no role has in
// a team, such as the holder's. Names that repeat add nothing. Refuse to store a role that gives an
// error, and one that its maker does not cover: [Rights.Covers].
//
// Next to an error about single names come the rights without them, and next to one about the number of
// names those of base alone. So a role that was stored before the host took a permission out of its
// policy goes on without it: decide with the rights and leave the error.
func (p *Policy) Custom(name string, base Role, permissions []string) (Rights, error) {
	if !base.InTeam() {
		return Rights{}, fmt.Errorf("%w: %w: %s is not one of manager, member, restricted", ErrCustom, ErrUnknownRole, base)
	}
	r := p.Rights(base)
	r.Custom = name
	if len(permissions) > MaxExtra {
		return r, fmt.Errorf("%w: %d permissions are too many, %d may be added to a role", ErrCustom, len(permissions), MaxExtra)
	}
	var refused error
	for _, text := range permissions {
		if err := r.add(text); err != nil && refused == nil {
			refused = err
		}
	}
	return r, refused
}

func (r *Rights) add(text string) error {
	perm, known := r.table.parse(text)
	if !known {
		return fmt.Errorf("%w: %w: the policy does not name %s", ErrCustom, ErrUnknownPermission, quote(text))
	}
	r.extra.add(perm) // also what is refused below: it gives nothing, and Explain can say why
	switch {
	case r.table.rights[perm]&anyTeamRole == 0:
		return fmt.Errorf("%w: no role has %q in a team", ErrCustom, text)
	case !r.table.lends(r.Role, perm):
		return fmt.Errorf("%w: the policy denies %q to %s", ErrCustom, text, r.Role)
	}
	return nil
}

// Allows reports whether the permission is among the rights by this reach: because the role has it, or
// because the custom role adds it, which is in the whole team and hence in a conversation that was granted,
// too. Whatever the policy does not know is denied. It takes no lock and allocates nothing.
func (r Rights) Allows(perm Permission, by Reach) bool {
	return r.table.allows(r.Role, perm, by) || r.adds(perm) && (by == ByTeam || by == ByGrant)
}

// adds reports whether the custom role brings the permission. It asks the table again, so that rights
// which are compared by another table than their own are still decided by one.
func (r Rights) adds(perm Permission) bool { return r.extra.has(perm) && r.table.lends(r.Role, perm) }

// Covers reports whether the rights hold everything that the other ones hold, so that granting those
// gives away nothing that is lacking here. A right in the whole team covers the same right in granted
// conversations. A value that is no role covers nothing and is covered by nothing.
func (r Rights) Covers(other Rights) bool {
	if r.table == nil || !r.Role.known() || !other.Role.known() {
		return false
	}
	other.table = r.table // both are decided by one policy, even if it was reloaded in between
	for perm := range r.table.all() {
		for _, by := range reaches() {
			if other.Allows(perm, by) && !r.Allows(perm, by) && !(by == ByGrant && r.Allows(perm, ByTeam)) {
				return false
			}
		}
	}
	return true
}
