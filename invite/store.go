package invite

import (
	"context"
	"time"

	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

// Store keeps invitations and holds no rule of them. The general contract is that of
// [tenancy.Store]: scope, transactions, locks, versions, values.
type Store interface {
	tenancy.Keeper
	outbox.Appender
	InvitationStore
	SetStore
	OfferStore
	AddressStore
	LinkStore
	RequestStore
	BatchStore
	SweepStore
}

// InvitationStore keeps the invitations one by one.
type InvitationStore interface {
	// InsertInvitation stores new invitations. While one is pending, no other pending one
	// may have the same scope and normal address: the scope of a conversation invitation is
	// its conversation, that of any other its team. Only one offer of an account (the kind
	// [ToOneAccount], which alone has no team and no role) may be pending, whatever its address.
	// Only one request to join a team (the kind [ByRequest], which needs no role) may be pending
	// from the same user. Of links (the kind [ByLink]) and requests no address is unique.
	//
	// A link alone has MaxUses, at least 1, and no more Uses than that; other numbers are
	// [tenancy.ErrInvalid].
	InsertInvitation(ctx context.Context, records ...Record) error
	// UpdateInvitation writes the changed record; the same uniqueness holds. Its scope is the
	// team, or the account for an offer.
	UpdateInvitation(ctx context.Context, r Record) error
	// LockInvitation takes and reads the row. The team comes first in the order of locks.
	LockInvitation(ctx context.Context, team tenancy.TeamID, id tenancy.InvitationID) (Record, error)
	Invitation(ctx context.Context, team tenancy.TeamID, id tenancy.InvitationID) (Record, error)
	// InvitationByToken finds an invitation by the hash of its token, whatever its state.
	InvitationByToken(ctx context.Context, hash TokenHash) (Record, error)
	// Invitations lists a team's invitations that the filter admits, newest first by
	// (CreatedAt, id).
	Invitations(ctx context.Context, team tenancy.TeamID, filter Filter, page tenancy.Keyset) ([]Record, error)
	// InvitationEvents lists the events of this room that name the invitation, from its CreatedAt on:
	// at most limit, the newest first by their sequence. What it costs grows with the events of the
	// invitation's team, or of the account that it offers, since then.
	InvitationEvents(ctx context.Context, i Invitation, limit int) ([]outbox.Event, error)
}

// SetStore finds, takes and ends several invitations of teams at once.
type SetStore interface {
	// LockInvitations takes the invitations in their teams and answers them by id.
	LockInvitations(ctx context.Context, in ...Whereabouts) ([]Record, error)
	// EndInvitations ends those of the invitations in their teams that are in the state pending: in
	// another state, at the time and by the principal given.
	EndInvitations(ctx context.Context, state State, at time.Time, by string, in ...Whereabouts) error
	// PendingBy lists the invitations in the state pending that the users sent in their teams, by id.
	PendingBy(ctx context.Context, inviters ...tenancy.Actor) ([]Whereabouts, error)
	// PendingInto lists the team's invitations in the state pending into the conversations, by id.
	PendingInto(ctx context.Context, team tenancy.TeamID, conversations ...tenancy.ConversationID) ([]Whereabouts, error)
}

// Whereabouts is where an invitation is: what it takes to lock and to read it.
type Whereabouts struct {
	Team tenancy.TeamID
	ID   tenancy.InvitationID
}

// OfferStore keeps the offers of accounts, by their account; they are stored and written as the
// other invitations are.
type OfferStore interface {
	// LockOffer takes and reads an offer of the account, which the other methods that take an id
	// never find. The account comes first in the order of locks.
	LockOffer(ctx context.Context, account tenancy.AccountID, id tenancy.InvitationID) (Record, error)
	// Offer reads an offer of the account as LockOffer does, without a lock.
	Offer(ctx context.Context, account tenancy.AccountID, id tenancy.InvitationID) (Record, error)
	// PendingOffer finds the account's offer in the state pending, also when its time has passed.
	PendingOffer(ctx context.Context, account tenancy.AccountID) (Record, error)
	// Offers lists the account's offers, newest first by (CreatedAt, id).
	Offers(ctx context.Context, account tenancy.AccountID, page tenancy.Keyset) ([]Record, error)
}

// AddressStore looks at the invitations across teams: for the limits, and for one address.
type AddressStore interface {
	// InvitationLoads counts what new invitations from the inviter would come on top of in each of the
	// teams, of whatever kind but requests, in the state pending and with time left: in the team, and in
	// it from the inviter. They come by team id; a team without any is left out.
	InvitationLoads(ctx context.Context, inviter tenancy.UserID, now time.Time, teams ...tenancy.TeamID) ([]TeamLoad, error)
	// InvitationsTo lists the account's invitations and offers to the normal addresses that are in
	// the state pending, also when their time has passed, or revoked and created after the time
	// given; whatever their team or kind, by id.
	InvitationsTo(ctx context.Context, account tenancy.AccountID, since time.Time, normals ...string) ([]Record, error)

	// EraseInvitations takes both forms of the address out of the invitations, of whatever team or
	// account, that are not in the state pending and that the user accepted or asked for, or that
	// were for the normal address. An empty address is nobody's. Each that it changes gets the next version.
	EraseInvitations(ctx context.Context, user tenancy.UserID, normal string) error
}

// LinkStore keeps who came in by which link.
type LinkStore interface {
	// InsertUse stores that a user came in by a link of the team, once for each link and user.
	InsertUse(ctx context.Context, u Use) error
	// Use finds whether and when the user came in by the link.
	Use(ctx context.Context, team tenancy.TeamID, link tenancy.InvitationID, user tenancy.UserID) (Use, error)
	// Uses lists who came in by a link, by (At, user id).
	Uses(ctx context.Context, team tenancy.TeamID, link tenancy.InvitationID, page tenancy.Keyset) ([]Use, error)
}

// Use is a user who came in by a link.
type Use struct {
	Team tenancy.TeamID
	Link tenancy.InvitationID
	User tenancy.UserID
	At   time.Time
}

// RequestStore looks at the requests to join; they are stored and written as the other invitations
// are.
type RequestStore interface {
	// PendingRequest finds the user's request to join the team in the state pending, also when its
	// time has passed.
	PendingRequest(ctx context.Context, team tenancy.TeamID, user tenancy.UserID) (Record, error)
	// RequestsOf lists the user's requests to join whatever team, newest first by (CreatedAt, id).
	RequestsOf(ctx context.Context, user tenancy.UserID, page tenancy.Keyset) ([]Record, error)
	// RequestLoad counts the requests that one like the invitation given would come on top of: in
	// its team those in the state pending with time left, and of its inviter those to whatever team
	// that were made less than a day ago, whatever became of them.
	RequestLoad(ctx context.Context, like Invitation, now time.Time) (Load, error)
}

// BatchStore keeps the invitations that go out in one mail.
type BatchStore interface {
	// Batch lists the invitations of a batch in an account, whatever their state, by team id.
	Batch(ctx context.Context, account tenancy.AccountID, batch tenancy.BatchID) ([]Record, error)
}

// SweepStore finds what the clock has ended, in all teams and accounts.
type SweepStore interface {
	// LapsedInvitations lists the invitations in the state pending whose time has passed (their
	// ExpiresAt is not after now), by (ExpiresAt, id).
	LapsedInvitations(ctx context.Context, now time.Time, page tenancy.Keyset) ([]Lapsed, error)
}

// Lapsed is an invitation whose time has passed, and where it is: the Team is zero for an offer of
// the account.
type Lapsed struct {
	ID        tenancy.InvitationID
	Account   tenancy.AccountID
	Team      tenancy.TeamID
	ExpiresAt time.Time
}

// Record is an invitation as it is stored: with the hash of its token, which no list, event
// or result carries. The hash is zero while no token is alive.
type Record struct {
	Invitation
	Hash TokenHash
	// Lasts is how long it was asked to be open, and how long it is again when it is sent again.
	Lasts time.Duration
	// Resends is how often it was sent again since ResendsFrom, which is zero before the first time.
	Resends     int
	ResendsFrom time.Time
}

// Load is what a new invitation would come on top of in its team; see [Limits].
type Load struct{ Team, Inviter Tally }

// TeamLoad is the load of one of several teams.
type TeamLoad struct {
	In tenancy.TeamID
	Load
}

// Tally is how many there are, and when the first of them stops counting by the clock; the zero
// time if there is none.
type Tally struct {
	N     int
	Until time.Time
}

// Filter narrows a list of invitations. The zero Filter admits all.
type Filter struct {
	// State admits the invitations in that state at Now: a pending one whose time has
	// passed is expired. Empty admits every state.
	State State
	// Conversation admits the invitations into one conversation.
	Conversation tenancy.ConversationID
	// Kind admits the invitations of one kind. It is not asked beside a Conversation, which
	// has one kind only.
	Kind Kind
	// Now is the time that decides between pending and expired. The service sets it.
	Now time.Time
}
