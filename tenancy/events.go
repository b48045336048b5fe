package tenancy

import "github.com/usher-go/usher/storage/outbox"

// The events of this room. Their payloads are [Facts] with the names given.
const (
	UserRegistered    = "user.registered"     // user
	UserUpdated       = "user.updated"        // user, changed: a comma-separated list of fields
	UserSwitched      = "user.switched"       // user, team
	AccountCreated    = "account.created"     // account, holder
	TeamCreated       = "team.created"        // team
	MemberJoined      = "member.joined"       // user, role
	MemberRoleChanged = "member.role_changed" // user, from, to
	MemberRemoved     = "member.removed"      // user, role
	MemberLeft        = "member.left"         // user, role
)

// In is the place of what happens among a team's people.
func (t Team) In() Place {
	return Place{Account: t.Account, Team: t.ID, Stream: outbox.Stream{Kind: outbox.TeamStream, ID: t.ID.UUID()}}
}

func (a Account) in() Place {
	return Place{Account: a.ID, Stream: outbox.Stream{Kind: outbox.AccountStream, ID: a.ID.UUID()}}
}

func (u User) in() Place {
	return Place{Stream: outbox.Stream{Kind: outbox.UserStream, ID: u.ID.UUID()}}
}
