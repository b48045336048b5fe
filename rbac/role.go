package rbac

import (
	"errors"
	"fmt"
)

// ErrUnknownRole is wrapped by the error for a text or a value that is no role in a team.
var ErrUnknownRole = errors.New("unknown role")

// Role says what a subject may do. The zero value is no role and has no rights. Store and send a role
// as its text, never as its number.
type Role uint8

const (
	// Manager runs the team: everything that a Member may do, and the team's people and settings.
	Manager Role = iota + 1
	// Member does the team's daily work in all of its conversations.
	Member
	// Restricted is a guest: it reaches only the conversations that were granted to it.
	Restricted
	// Holder is the account's holder. It is a subject of the policy and never a role in a team.
	Holder
)

var roleNames = [...]string{Manager: "manager", Member: "member", Restricted: "restricted", Holder: "holder"}

// TeamRoles returns the roles that a membership can have, highest first.
func TeamRoles() []Role { return []Role{Manager, Member, Restricted} }

// subjects are all subjects of the built-in policy.
func subjects() []Role { return append(TeamRoles(), Holder) }

// ParseRole returns the team role with exactly this text: "manager", "member" or "restricted". Nothing
// is trimmed or folded, since a text that is nearly a role is a mistake or an attack. The error for
// anything else wraps [ErrUnknownRole].
func ParseRole(text string) (Role, error) {
	for _, role := range TeamRoles() {
		if text == roleNames[role] {
			return role, nil
		}
	}
	return 0, fmt.Errorf("%w: %s is not one of manager, member, restricted", ErrUnknownRole, quote(text))
}

// InTeam reports whether a membership can have this role: not for Holder, the zero value or a number
// that is no role.
func (r Role) InTeam() bool { return r >= Manager && r <= Restricted }

func (r Role) known() bool { return r >= Manager && r <= Holder }

// String returns the role's text, and "role(N)" for a value that is no role.
func (r Role) String() string {
	if !r.known() {
		return fmt.Sprintf("role(%d)", uint8(r))
	}
	return roleNames[r]
}

// MarshalText returns the text of a team role. Holder and values that are no role are refused with
// [ErrUnknownRole], so that they never reach a row or a message as somebody's role in a team.
func (r Role) MarshalText() ([]byte, error) {
	if !r.InTeam() {
		return nil, fmt.Errorf("%w: %s is not one of manager, member, restricted", ErrUnknownRole, r)
	}
	return []byte(roleNames[r]), nil
}

// UnmarshalText is [ParseRole]; on an error the role keeps its value.
func (r *Role) UnmarshalText(text []byte) error {
	role, err := ParseRole(string(text))
	if err == nil {
		*r = role
	}
	return err
}
