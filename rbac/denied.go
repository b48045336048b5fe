package rbac

import (
	"encoding/json"
	"errors"
	"fmt"
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
	// Outranked says that the permission itself was there, and not all that the role holds which was to be
	// acted on, or given.
	Outranked bool

	// grounds are the cells of the role itself, others those of all roles. They are turned into words when
	// somebody reads them: most refusals are only counted, and a list would cost each of them memory.
	grounds, others cells
}

// Denied returns the error for a role that was refused the permission; see [Rights.Denied].
func (p *Policy) Denied(role Role, perm Permission) error { return p.Rights(role).Denied(perm) }

// Denied returns the error for somebody with these rights who was refused the permission: a
// [*DeniedError], which is [ErrDenied]. It explains a refusal and does not decide one: call it after
// [Rights.Allows] said no.
func (r Rights) Denied(perm Permission) error {
	e := &DeniedError{Role: r.Role, Custom: r.Custom, Permission: perm, Name: r.table.name(perm), others: r.table.cells(perm)}
	for by := ByAccount; by <= ByGrant; by++ {
		if r.Allows(perm, by) {
			e.grounds |= cell(0, by)
		}
	}
	return e
}

// Outranked returns the error for somebody with these rights who has the permission and was refused, since
// they do not hold all that the other role holds: see [Rights.Covers]. It is a [*DeniedError] that does not say
// which role that is.
func (r Rights) Outranked(perm Permission) error {
	return &DeniedError{Role: r.Role, Custom: r.Custom, Permission: perm, Name: r.table.name(perm), Outranked: true}
}

// Has are the grounds on which the role does have the permission, none of which was given. Mostly empty.
func (e *DeniedError) Has() []Reach {
	var grounds []Reach
	for _, by := range reaches() {
		if e.grounds&cell(0, by) != 0 {
			grounds = append(grounds, by)
		}
	}
	return grounds
}

// Roles are the other roles that have the permission on some ground, highest first.
func (e *DeniedError) Roles() []Role {
	var roles []Role
	for _, role := range subjects() {
		if role != e.Role && e.others&(anyReach<<(role<<2)) != 0 {
			roles = append(roles, role)
		}
	}
	return roles
}

// written is a refusal as it is written down: with the cells that its words come from.
type written struct {
	Role            Role
	Custom          string `json:",omitempty"`
	Permission      Permission
	Name            string
	Outranked       bool  `json:",omitempty"`
	Grounds, Others cells `json:",omitempty"`
}

// MarshalJSON writes the refusal so that reading it again gives the same one, as long as the policy
// numbers its roles as it does.
func (e *DeniedError) MarshalJSON() ([]byte, error) {
	return json.Marshal(written{e.Role, e.Custom, e.Permission, e.Name, e.Outranked, e.grounds, e.others})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (e *DeniedError) UnmarshalJSON(text []byte) error {
	var w written
	err := json.Unmarshal(text, &w)
	if err == nil {
		*e = DeniedError{w.Role, w.Custom, w.Permission, w.Name, w.Outranked, w.Grounds, w.Others}
	}
	return err
}

// Is makes the error match [ErrDenied].
func (e *DeniedError) Is(target error) bool { return target == ErrDenied }

// Error reads, for example, `denied: member lacks "member: invite", which manager has`, or, with a custom
// role, `denied: member as "Scout" lacks …`.
func (e *DeniedError) Error() string {
	if e.Outranked {
		return fmt.Sprintf("denied: %s has %q but does not hold all that the other role holds", title(e.Role, e.Custom), e.Name)
	}
	if has := e.Has(); len(has) > 0 {
		grounds := make([]string, len(has))
		for i, by := range has {
			grounds[i] = by.where()
		}
		return fmt.Sprintf("denied: %s has %q only %s", title(e.Role, e.Custom), e.Name, strings.Join(grounds, " or "))
	}
	roles := e.Roles()
	names := make([]string, len(roles))
	for i, role := range roles {
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
