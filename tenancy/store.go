package tenancy

import (
	"context"
	"time"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/outbox"
)

// Store keeps what this room owns and holds no rule of it. What follows is true of every
// method of every room's store.
//
// Scope. A method that touches a team's rows takes the team and answers [ErrNotFound] for a
// row of another team. Only the look-ups that come before a team is known do without: by
// user, account, external id, address, identity, token or lease.
//
// Transactions. Methods that write (Insert…, Update…, Append) or lock (Lock…) must be called
// inside InTx and answer [ErrNoTx] outside. Reads may run inside, where they see the
// transaction's own writes, or outside, where they see what is committed.
//
// Locks. Lock… takes the row until the transaction ends and then reads it, so what it
// answers cannot change underneath. Transactions lock in one order: account, user, team,
// membership, invitation, conversation, contact, each by id.
//
// Versions. Insert… stores version 1. Update… writes the row whose Version is the one that
// was read and stores the next version; another version answers [ErrStale]. A missing row
// answers [ErrNotFound].
//
// Values. Texts are compared byte for byte: case, accents and trailing spaces count. Times
// come back in UTC to the microsecond, a zero time comes back zero. An empty list inside a row
// comes back nil, but for [Settings.DeliverTo], where empty is not nil. What is returned shares
// no memory with the store. A unique key that is taken answers [ErrDuplicate].
//
// Refusals. A row that refers to one that does not exist answers [ErrNotFound], a value outside
// its set [ErrInvalid]. After one of these, or [ErrDuplicate], the transaction can only be
// rolled back, also if the error is swallowed: PostgreSQL knows no other way, so no store does.
// What a row is made with and no operation changes (its id, its owner, when it was made) is
// not for updates to change.
//
// Sets. A method that takes several rows or ids does what it does to all of them, whatever their
// number and order, and to each once; none at all changes and finds nothing. It costs statements for
// every so many of them and not for each. One that is not there, or in another team, it passes over.
// What it changes has its next version then; what is decided about the rows, the caller has locked.
//
// A cancelled context ends every method with the context's error, and changes nothing.
type Store interface {
	Transactor
	OperationStore
	outbox.Appender
	outbox.Log
	UserStore
	AccountStore
	TeamStore
	MembershipStore
	ManagerStore
	StaffStore
	RoleStore
	// Broken looks for one kind of broken invariant and answers at most limit findings, by
	// Subject and then by Team, strictly after the finding given; the zero Finding starts at the
	// beginning. Now is the time by which expiry is judged. A flaw that the store does not know
	// answers [ErrInvalid].
	Broken(ctx context.Context, flaw Flaw, now time.Time, after Finding, limit int) ([]Finding, error)
}

// Transactor runs transactions, which ride in the context.
type Transactor interface {
	// InTx calls fn with a context that carries a transaction and commits if fn returns nil.
	// Inside another InTx of the same store it joins: the outermost call commits.
	//
	// An error of fn rolls back, also when an outer fn swallows it: the outermost call then
	// answers that error. A panic rolls back and goes on. The context must not be used
	// after InTx has returned: store methods then answer [ErrTxDone]. Inside fn, use fn's
	// context: the outer one is outside the transaction, and waits for it where the store
	// has one writer.
	//
	// The outermost fn may run more than once, when the database asks for a retry or a
	// unique key was taken by a faster transaction; it must set what it hands out anew.
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// UserStore keeps users. ExternalID is unique where it is not empty; the normal form of the
// address is unique among users with a VerifiedAt.
type UserStore interface {
	InsertUser(ctx context.Context, u User) error
	UpdateUser(ctx context.Context, u User) error
	LockUser(ctx context.Context, id UserID) (User, error)
	User(ctx context.Context, id UserID) (User, error)
	// Users lists those of the users who exist, by id.
	Users(ctx context.Context, ids ...UserID) ([]User, error)
	UserByExternalID(ctx context.Context, externalID string) (User, error)
	// UserByEmail finds the user who is verified for the address.
	UserByEmail(ctx context.Context, normal string) (User, error)
	// UsersByEmail lists the users who are verified for one of the addresses, by id.
	UsersByEmail(ctx context.Context, normals ...string) ([]User, error)
}

// AccountStore keeps accounts.
type AccountStore interface {
	InsertAccount(ctx context.Context, a Account) error
	UpdateAccount(ctx context.Context, a Account) error
	LockAccount(ctx context.Context, id AccountID) (Account, error)
	// LockAccounts takes the accounts until the transaction ends, and answers them by id.
	LockAccounts(ctx context.Context, ids ...AccountID) ([]Account, error)
	Account(ctx context.Context, id AccountID) (Account, error)
	// Accounts lists those of the accounts that exist, by id.
	Accounts(ctx context.Context, ids ...AccountID) ([]Account, error)
	// AccountsOf lists the accounts that the user holds, whatever their state, by (CreatedAt,
	// account id).
	AccountsOf(ctx context.Context, user UserID, page Keyset) ([]Account, error)
	// TransferAccounts makes the user the holder of the accounts.
	TransferAccounts(ctx context.Context, to UserID, ids ...AccountID) error
	// SeatsTaken counts, for each of the accounts, the seats that are taken at the time, as [Seats] defines
	// them. It may cost as much as the accounts have people.
	SeatsTaken(ctx context.Context, now time.Time, q SeatQuery, accounts ...AccountID) (map[AccountID]int, error)
	// Seated lists which of the addresses take a seat of the account at the time, pending
	// invitations included, in the order of their bytes.
	Seated(ctx context.Context, account AccountID, now time.Time, normals ...string) ([]string, error)
}

// TeamStore keeps teams. NameKey is unique within the account; an Identity that is not zero
// is unique among the teams that are active and have not released it.
type TeamStore interface {
	InsertTeam(ctx context.Context, t Team) error
	UpdateTeam(ctx context.Context, t Team) error
	LockTeam(ctx context.Context, id TeamID) (Team, error)
	// LockTeams takes the teams until the transaction ends, and answers them by id.
	LockTeams(ctx context.Context, ids ...TeamID) ([]Team, error)
	Team(ctx context.Context, id TeamID) (Team, error)
	// Teams lists those of the teams that exist, by id.
	Teams(ctx context.Context, ids ...TeamID) ([]Team, error)
	TeamByName(ctx context.Context, account AccountID, nameKey string) (Team, error)
	// TeamByIdentity finds the active team that has the identity and has not released it.
	TeamByIdentity(ctx context.Context, identity Identity) (Team, error)
	// ReleaseIdentities releases the identities of all teams of the account, whose rows stay as
	// they are. An update of an active team takes its identity again.
	ReleaseIdentities(ctx context.Context, account AccountID) error
	// TeamsIn lists the teams of the account, whatever their state, by (CreatedAt, team id).
	TeamsIn(ctx context.Context, account AccountID, page Keyset) ([]Team, error)
	// JoinableTeams lists the active teams of active accounts that have the domain among their
	// JoinDomains, and in which the user has no membership but a removed one, by (CreatedAt, team id).
	JoinableTeams(ctx context.Context, domain string, user UserID, page Keyset) ([]Team, error)
}

// MembershipStore keeps memberships, one for each team and user.
type MembershipStore interface {
	MembershipSetStore
	InsertMembership(ctx context.Context, memberships ...Membership) error
	UpdateMembership(ctx context.Context, m Membership) error
	Membership(ctx context.Context, team TeamID, user UserID) (Membership, error)
	// Authority reads all that a decision about a user in a team rests on, in one statement.
	// Inside a transaction the membership is locked for share until its end. It answers
	// ErrNotFound when the team, the user or the membership does not exist; states are for
	// the service to judge.
	Authority(ctx context.Context, team TeamID, user UserID) (Authority, error)
	// Members lists the memberships of a team that are not removed, by (JoinedAt, user id).
	Members(ctx context.Context, team TeamID, page Keyset) ([]Member, error)
	// TeamsOf lists the teams in which the user's membership is active, whatever its expiry, with
	// what its custom role is there, by (JoinedAt, team id).
	TeamsOf(ctx context.Context, user UserID, page Keyset) ([]TeamOfUser, error)
	// MembershipsOf lists the user's memberships that are not removed, by team id.
	MembershipsOf(ctx context.Context, user UserID) ([]Membership, error)
	// Lapsed lists at most limit active memberships whose expiry has come (it is not after now),
	// by (ExpiresAt, team id, user id).
	Lapsed(ctx context.Context, now time.Time, limit int) ([]Membership, error)
}

// MembershipSetStore takes several memberships at once.
type MembershipSetStore interface {
	// Memberships lists the memberships of the users in their teams, whatever their state, by (user id,
	// team id).
	Memberships(ctx context.Context, who ...Actor) ([]Membership, error)
	// Authorities lists what [MembershipStore].Authority answers of the user in each of the teams, with
	// the same lock, by team id.
	Authorities(ctx context.Context, user UserID, teams ...TeamID) ([]TeamAuthority, error)
	// RenewMemberships makes the removed ones among the memberships of the users in their teams new ones:
	// active from the time given and by the principal, in the role, without a custom role and without an
	// expiry. All others stay as they are.
	RenewMemberships(ctx context.Context, role rbac.Role, at time.Time, by string, who ...Actor) error
	// AppointMemberships puts the active ones among the memberships of the users in their teams into the
	// role, without a custom role and without an expiry. All others stay as they are.
	AppointMemberships(ctx context.Context, role rbac.Role, who ...Actor) error
	// EndMemberships removes those memberships of the users in their teams that are not removed, at
	// the time and by the principal given: without a custom role from then on.
	EndMemberships(ctx context.Context, at time.Time, by string, who ...Actor) error
}

// ManagerStore finds who lastingly has a role in a team: with an active membership without an expiry,
// as an active user.
type ManagerStore interface {
	// Managed lists those of the teams in which someone but the user is lastingly Manager, by id. The
	// zero user leaves nobody out.
	Managed(ctx context.Context, but UserID, teams ...TeamID) ([]TeamID, error)
	// LastingRoles lists the custom roles that someone but the user lastingly has in each of the teams,
	// each once, by (team id, role id).
	LastingRoles(ctx context.Context, but UserID, teams ...TeamID) ([]TeamRole, error)
}

// TeamRole is a custom role that somebody has in a team.
type TeamRole struct {
	Team TeamID
	CustomRole
}

// StaffStore finds those who do a team's work.
type StaffStore interface {
	// Staff lists what [MembershipStore].Authority answers, without a lock, of each active user with
	// an active membership in the team, whatever its expiry, that is not plainly Restricted: a guest
	// without a custom role is no staff. It lists them by user id.
	Staff(ctx context.Context, team TeamID) ([]Colleague, error)
}

// Colleague is one of a team's staff.
type Colleague struct {
	User UserID
	Authority
}

// RoleStore keeps custom roles. NameKey is unique within the account. A role of another account
// is not found.
type RoleStore interface {
	InsertRole(ctx context.Context, r CustomRole) error
	UpdateRole(ctx context.Context, r CustomRole) error
	// DeleteRole deletes a role that no membership refers to, or [ErrConflict].
	DeleteRole(ctx context.Context, account AccountID, id RoleID) error
	Role(ctx context.Context, account AccountID, id RoleID) (CustomRole, error)
	// RolesIn lists the account's roles by (CreatedAt, id), all of them.
	RolesIn(ctx context.Context, account AccountID) ([]CustomRole, error)
	// MembersWithRole lists the memberships that have the role and are not removed, by (team id,
	// user id).
	MembersWithRole(ctx context.Context, account AccountID, id RoleID) ([]Membership, error)
}

// Authority is what a decision about a user in a team rests on.
type Authority struct {
	Account       AccountID
	AccountStatus AccountStatus
	TeamStatus    TeamStatus
	// Capacity is the team's: see [Settings].
	Capacity   int
	UserStatus UserStatus
	// Role, Custom, Status and ExpiresAt are those of the [Membership], of which nothing else bears on a
	// decision: what every request asks first is to read no more than it needs.
	Role      rbac.Role
	Custom    RoleID
	Status    MembershipStatus
	ExpiresAt time.Time
	// Autoclaim is the user's choice: see [User.Autoclaim].
	Autoclaim bool
	// CustomName and CustomPermissions are those of the membership's custom role; empty for
	// someone without one.
	CustomName        string
	CustomPermissions []string
}

// TeamAuthority is the authority of somebody in one of several teams.
type TeamAuthority struct {
	Team TeamID
	Authority
}
