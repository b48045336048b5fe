package rbac

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrDenied is what every [*DeniedError] is.
var ErrDenied = errors.New("denied")

// DeniedError says which right was missing. It is for the person who was refused and holds nothing about
// the object that was asked for.
type DeniedError struct {
	Role Role
	// Custom is the name of the account's own role on top of Role; empty for a plain role.
	Custom     string
	Permission Permission
	// Name is the permission as "object: action", also for a host's own.
	Name string
	// Has are the grounds on which the role does have the permission, none of which was given. Mostly
	// empty.
	Has []Reach
	// Roles are the other roles that have the permission on some ground, highest first.
	Roles []Role
}

// Denied returns the error for a role that was refused the permission; see [Rights.Denied].
func (p *Policy) Denied(role Role, perm Permission) error { return p.Rights(role).Denied(perm) }

// Denied returns the error for somebody with these rights who was refused the permission: a
// [*DeniedError], which is [ErrDenied]. It explains a refusal and does not decide one: call it after
// [Rights.Allows] said no.
func (r Rights) Denied(perm Permission) error {
	e := &DeniedError{Role: r.Role, Custom: r.Custom, Permission: perm, Name: r.table.name(perm)}
	for _, by := range reaches() {
		if r.Allows(perm, by) {
			e.Has = append(e.Has, by)
		}
	}
	for _, other := range subjects() {
		has := func(by Reach) bool { return r.table.allows(other, perm, by) }
		if other != r.Role && slices.ContainsFunc(reaches(), has) {
			e.Roles = append(e.Roles, other)
		}
	}
	return e
}

// Is makes the error match [ErrDenied].
func (e *DeniedError) Is(target error) bool { return target == ErrDenied }

// Error reads, for example, `denied: member lacks "member: invite", which manager has`, or, with a custom
// role, `denied: member as "Scout" lacks …`.
func (e *DeniedError) Error() string {
	if len(e.Has) > 0 {
		grounds := make([]string, len(e.Has))
		for i, by := range e.Has {
			grounds[i] = by.where()
		}
		return fmt.Sprintf("denied: %s has %q only %s", title(e.Role, e.Custom), e.Name, strings.Join(grounds, " or "))
	}
	names := make([]string, len(e.Roles))
	for i, role := range e.Roles {
		names[i] = role.String()
	}
	who := "no role has"
	switch last := len(names) - 1; {
	case last == 0:
		who = names[0] + " has"
	case last > 0:
		who = strings.Join(names[:last], ", ") + " and " + names[last] + " have"
	}
	return fmt.Sprintf("denied: %s lacks %q, which %s", title(e.Role, e.Custom), e.Name, who)
}

// title is how people call the role.
func title(role Role, custom string) string {
	if custom == "" {
		return role.String()
	}
	return fmt.Sprintf("%s as %q", role, custom)
}

// where says the ground to the person who was refused.
func (r Reach) where() string {
	switch r {
	case ByAccount:
		return "on an account that they hold"
	case ByTeam:
		return "in a team that they belong to"
	case ByGrant:
		return "in a conversation that was granted to them"
	}
	return "by " + r.String()
}
