package rbac

import "fmt"

// Reach is the ground on which a subject comes to an object. One right on two grounds is two cells of
// the table: a Member reads every conversation of the team, a guest only the granted ones. The zero
// value is no ground and reaches nothing.
type Reach uint8

const (
	// ByAccount: the subject holds the account. Only [Holder] has rights by it.
	ByAccount Reach = iota + 1
	// ByTeam: a membership in the team that owns the object.
	ByTeam
	// ByGrant: an accepted guest grant on that one conversation. It reaches the conversation, its
	// public messages and its contact.
	ByGrant
)

var reachNames = [...]string{ByAccount: "account", ByTeam: "team", ByGrant: "grant"}

func reaches() []Reach { return []Reach{ByAccount, ByTeam, ByGrant} }

func (r Reach) known() bool { return r >= ByAccount && r <= ByGrant }

// String returns the word that policy rows use: "account", "team" or "grant"; "reach(N)" for a value
// that is no reach.
func (r Reach) String() string {
	if !r.known() {
		return fmt.Sprintf("reach(%d)", uint8(r))
	}
	return reachNames[r]
}
