package tenancy

import "github.com/usher-go/usher/storage/outbox"

// The events of this room. Their payloads are [Facts] with the names given.
const (
	UserRegistered        = "user.registered"         // user
	UserUpdated           = "user.updated"            // user, changed: a comma-separated list of fields
	UserSwitched          = "user.switched"           // user, team
	UserStatusChanged     = "user.status_changed"     // user, from, to
	UserErased            = "user.erased"             // user
	AccountCreated        = "account.created"         // account, holder
	AccountRenamed        = "account.renamed"         // account
	AccountServiceAdded   = "account.service_added"   // account, service, from, to: quantities
	AccountServiceRemoved = "account.service_removed" // account, service, from: a quantity
	AccountSeatsChanged   = "account.seats_changed"   // account, rule, limit
	AccountSeatsExceeded  = "account.seats_exceeded"  // account, needed, limit
	AccountStatusChanged  = "account.status_changed"  // account, from, to
	AccountTransferred    = "account.transferred"     // account, from, to: users
	RoleDefined           = "role.defined"            // account, role
	RoleEdited            = "role.edited"             // account, role
	RoleDeleted           = "role.deleted"            // account, role
	TeamCreated           = "team.created"            // team
	TeamRenamed           = "team.renamed"            // team
	TeamConfigured        = "team.configured"         // team
	TeamStatusChanged     = "team.status_changed"     // team, from, to
	MemberJoined          = "member.joined"           // user, role
	MemberRoleChanged     = "member.role_changed"     // user, from, to: roles, or the ids of custom ones
	MemberRemoved         = "member.removed"          // user, role
	MemberSuspended       = "member.suspended"        // user, role
	MemberReactivated     = "member.reactivated"      // user, role
	MemberExpiryChanged   = "member.expiry_changed"   // user, expires: RFC 3339, empty for never
	MemberExpired         = "member.expired"          // user, role
	MemberLeft            = "member.left"             // user, role
)

// In is the place of what happens among a team's people.
func (t Team) In() Place {
	return Place{Account: t.Account, Team: t.ID, Stream: outbox.Stream{Kind: outbox.TeamStream, ID: t.ID.UUID()}}
}

// In is the place of what happens to an account as a whole.
func (a Account) In() Place {
	return Place{Account: a.ID, Stream: outbox.Stream{Kind: outbox.AccountStream, ID: a.ID.UUID()}}
}

func (u User) in() Place {
	return Place{Stream: outbox.Stream{Kind: outbox.UserStream, ID: u.ID.UUID()}}
}
