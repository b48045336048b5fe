package conversation

import (
	"context"
	"time"

	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

// Store keeps contacts, conversations and what hangs on them, and holds no rule of them. The
// general contract is that of [tenancy.Store]: scope, transactions, locks, versions, values.
//
// A conversation can move to another team, so only its own row carries the team. Messages,
// grants and deliveries are keyed by the conversation and reached through it: a caller has
// read or locked the conversation in the team first.
type Store interface {
	tenancy.Keeper
	EventStore
	ContactStore
	ThreadStore
	DeskStore
	EpisodeStore
	MessageStore
	WordStore
	GrantStore
	DeliveryStore
	OptOutStore
	ReadStore
}

// EventStore writes what happens and lets it be followed.
type EventStore interface {
	outbox.Appender
	outbox.Follower
	outbox.TeamFollower
}

// ContactStore keeps contacts, and why they are here. Channel and Address are unique within the team.
type ContactStore interface {
	ApplicationStore
	InsertContact(ctx context.Context, contacts ...Contact) error
	UpdateContact(ctx context.Context, c Contact) error
	LockContact(ctx context.Context, team tenancy.TeamID, id tenancy.ContactID) (Contact, error)
	Contact(ctx context.Context, team tenancy.TeamID, id tenancy.ContactID) (Contact, error)
	// Contacts lists the team's contacts with the ids, by id.
	Contacts(ctx context.Context, team tenancy.TeamID, ids ...tenancy.ContactID) ([]Contact, error)
	// ContactsByAddress lists the team's contacts with the addresses on the channel, by id.
	ContactsByAddress(ctx context.Context, team tenancy.TeamID, channel tenancy.Channel, addresses ...string) ([]Contact, error)
}

// ThreadStore keeps the conversations themselves. Identity and Address together are unique within
// the account.
type ThreadStore interface {
	ThreadSetStore
	ThreadSweepStore

	InsertConversation(ctx context.Context, c Conversation) error
	// UpdateConversation writes the row that is in the team given; c.Team may be another one,
	// which moves it.
	UpdateConversation(ctx context.Context, team tenancy.TeamID, c Conversation) error
	LockConversation(ctx context.Context, team tenancy.TeamID, id tenancy.ConversationID) (Conversation, error)
	Conversation(ctx context.Context, team tenancy.TeamID, id tenancy.ConversationID) (Conversation, error)
	// TeamOf tells in which team a conversation is.
	TeamOf(ctx context.Context, id tenancy.ConversationID) (tenancy.TeamID, error)
	// LockOpen takes all conversations of the team that are not closed until the transaction ends,
	// and answers them by id.
	LockOpen(ctx context.Context, team tenancy.TeamID) ([]Conversation, error)
	// ConversationsByAddress lists the conversations of a channel identity and a contact's address,
	// one at most for each account, in whatever team it is, newest first by (LastAt, id).
	ConversationsByAddress(ctx context.Context, identity tenancy.Identity, address string) ([]Conversation, error)
	// Conversations lists the conversations that scope and filter admit at the time of the scope,
	// newest first by the scope's [Scope.Key]. A filter that is not valid answers [tenancy.ErrInvalid].
	Conversations(ctx context.Context, scope Scope, filter Filter, page tenancy.Keyset) ([]Conversation, error)
}

// ThreadSetStore finds and writes several conversations at once.
type ThreadSetStore interface {
	// LockConversations takes the conversations in their teams until the transaction ends, and answers
	// them by id.
	LockConversations(ctx context.Context, in ...Thread) ([]Conversation, error)
	// HeldBy lists the conversations of which the users have anything in their teams, by conversation
	// id, each once: they are assigned or have claimed it, whatever the end of the claim, they have a
	// grant that is not revoked, whatever its expiry, or it waits for the end of a delivery by them, or
	// to them, from the team.
	HeldBy(ctx context.Context, who ...tenancy.Actor) ([]Thread, error)
	// UnassignConversations takes the assignee off the conversations in their teams.
	UnassignConversations(ctx context.Context, in ...Thread) error
	// ReleaseConversations takes the claim off the conversations in their teams.
	ReleaseConversations(ctx context.Context, in ...Thread) error
	// CloseConversations closes the team's conversations with the outcome, and nobody has claimed them
	// then. Their episodes are for EndEpisodes.
	CloseConversations(ctx context.Context, team tenancy.TeamID, outcome Label, ids ...tenancy.ConversationID) error
	// MoveConversations moves the conversations from one team to another, where nobody has been
	// given or has claimed them. Each has the contact there with its own channel and address; there
	// must be one, or the move refers to a row that does not exist.
	MoveConversations(ctx context.Context, from, to tenancy.TeamID, ids ...tenancy.ConversationID) error
}

// ThreadSweepStore finds the conversations in which time has something to do.
type ThreadSweepStore interface {
	// SnoozeEnded lists at most limit snoozed conversations, of all active teams of active accounts,
	// whose SnoozedUntil has come (it is not after now), by (SnoozedUntil, id).
	SnoozeEnded(ctx context.Context, now time.Time, limit int) ([]Thread, error)
	// Idle lists at most limit open conversations, of all active teams of active accounts that have
	// an AutoClose, in which nobody waits for a reply and whose IdleSince is at least that long before
	// now, in no particular order.
	Idle(ctx context.Context, now time.Time, limit int) ([]Thread, error)
}

// Thread names a conversation and the team that it was in when it was looked up.
type Thread struct {
	Team         tenancy.TeamID
	Conversation tenancy.ConversationID
}

// ThreadUser names a user in a [Thread].
type ThreadUser struct {
	Thread
	User tenancy.UserID
}

// EpisodeStore keeps episodes. (Conversation, Number) is unique.
type EpisodeStore interface {
	InsertEpisode(ctx context.Context, e Episode) error
	// EndEpisode writes ClosedAt, ClosedBy, ClosedOn and Outcome of the episode, and nothing else
	// of it. One that has ended, like one that is not there, is [tenancy.ErrNotFound].
	EndEpisode(ctx context.Context, e Episode) error
	// EndEpisodes ends those episodes of the conversations that go on, as the one given has ended.
	EndEpisodes(ctx context.Context, end Episode, ids ...tenancy.ConversationID) error
	// Episodes lists at most limit episodes of a conversation after the number given, by Number.
	Episodes(ctx context.Context, id tenancy.ConversationID, after int64, limit int) ([]Episode, error)
}

// DeskStore finds what waits for somebody at the desk.
type DeskStore interface {
	LoadStore

	// LockNext takes the first conversation of the line, by (NeedsReplySince, ID), until the
	// transaction ends, and answers it; ErrNotFound where there is none. It waits for nobody: what
	// another transaction has taken is passed over. What the user has in hand may be taken along
	// with what is answered.
	LockNext(ctx context.Context, team tenancy.TeamID, line Line) (Conversation, error)
	// Waits reports whether an open conversation of the team waits for a reply that is nobody's, if
	// the line has Free, or assigned to the user, if it has Assigned: whoever has claimed or
	// skipped it.
	Waits(ctx context.Context, team tenancy.TeamID, line Line) (bool, error)
	// Hand reads what the line's user has in hand.
	Hand(ctx context.Context, team tenancy.TeamID, line Line) (Hand, error)
	// LockAnswered takes the team's conversations that the user has claimed and that do not wait for
	// a reply, whatever the end of the claim, until the transaction ends, and answers them by id.
	LockAnswered(ctx context.Context, team tenancy.TeamID, user tenancy.UserID) ([]Conversation, error)
	// ClaimsEnded lists at most limit conversations, of all teams, whose claim has ended by the clock
	// (ClaimedUntil is not after now), by (ClaimedUntil, id).
	ClaimsEnded(ctx context.Context, now time.Time, limit int) ([]Thread, error)
	// InsertSkip keeps a skip in the place of an earlier one of the same conversation and user.
	InsertSkip(ctx context.Context, skip Skip) error
}

// LoadStore tells what the members of a team have in hand.
type LoadStore interface {
	// LockLoads takes the users' loads in the team until the transaction ends, and answers them by
	// user id, as they are at the time. It takes the loads and not the conversations: who gives a user
	// another one takes their load first, so that what is counted cannot grow meanwhile; it may
	// shrink. A user without a membership in the team is passed over.
	LockLoads(ctx context.Context, team tenancy.TeamID, at time.Time, users ...tenancy.UserID) ([]Load, error)
	// UpdateTurn writes the Turn of a load that the transaction has taken.
	UpdateTurn(ctx context.Context, team tenancy.TeamID, user tenancy.UserID, turn int64) error
}

// MessageStore keeps messages. (Conversation, Seq) is unique, and so are a Key and a Receipt that are
// not zero.
type MessageStore interface {
	InsertMessage(ctx context.Context, m Message) error
	// UpdateMessage writes what can change of a message: Text, Footer, Attachments, EditedAt, DeletedAt,
	// Status, Failure, HandedAt and Receipt. What else the row given says of it is not looked at.
	UpdateMessage(ctx context.Context, m Message) error
	Message(ctx context.Context, id tenancy.ConversationID, message tenancy.MessageID) (Message, error)
	// Messages lists the messages of the range by Seq.
	Messages(ctx context.Context, id tenancy.ConversationID, r Range) ([]Message, error)
	MessageByKey(ctx context.Context, key MessageKey) (Message, error)
	// FindMessage tells where a message is, in whatever team, and FindReceipt the one that has the
	// Receipt.
	FindMessage(ctx context.Context, message tenancy.MessageID) (Whereabouts, error)
	FindReceipt(ctx context.Context, receipt MessageKey) (Whereabouts, error)
}

// Whereabouts is where a message is now: what it takes to lock and to read it.
type Whereabouts struct {
	Team         tenancy.TeamID
	Conversation tenancy.ConversationID
	Message      tenancy.MessageID
}

// Range is the part of a conversation to read.
type Range struct {
	// After excludes the messages up to and including that sequence, Before those from that one
	// on; zero excludes none.
	After, Before int64
	// Newest takes the last Limit messages of those that are left, and not the first.
	Newest bool
	// Notes includes notes.
	Notes bool
	Limit int
}

// WordStore keeps by which words messages are found.
type WordStore interface {
	// InsertWords adds words by which a message of the team is found, which has none of them yet.
	// They stay with it when its conversation moves to another team.
	InsertWords(ctx context.Context, team tenancy.TeamID, m Message, words []Word) error
	// DeleteWords takes all words from a message. One that has none is left alone.
	DeleteWords(ctx context.Context, message tenancy.MessageID) error
	// Search lists the messages of the team that have all of the words, 1 to [MaxSearch], newest
	// first by (At, id); notes only if they are asked for. Another number of words answers [tenancy.ErrInvalid].
	Search(ctx context.Context, team tenancy.TeamID, words []Word, notes bool, page tenancy.Keyset) ([]Message, error)
}

// GrantStore keeps grants, one for each conversation and user.
type GrantStore interface {
	InsertGrant(ctx context.Context, g Grant) error
	UpdateGrant(ctx context.Context, g Grant) error
	Grant(ctx context.Context, id tenancy.ConversationID, user tenancy.UserID) (Grant, error)
	// RevokeGrants takes back those of the grants that are not revoked, at the time and by the
	// principal given.
	RevokeGrants(ctx context.Context, at time.Time, by string, keys ...GrantKey) error
	// Grants lists the grants of the conversations, whatever their state, by (conversation id, user id).
	Grants(ctx context.Context, ids ...tenancy.ConversationID) ([]Grant, error)
	// LapsedGrants lists at most limit grants, of all teams, that are not revoked and whose expiry
	// has come (it is not after now), by (ExpiresAt, conversation id, user id).
	LapsedGrants(ctx context.Context, now time.Time, limit int) ([]ThreadUser, error)
}

// GrantKey names a grant.
type GrantKey struct {
	Conversation tenancy.ConversationID
	User         tenancy.UserID
}

// DeliveryStore keeps deliveries. A conversation has at most one in the state pending.
type DeliveryStore interface {
	InsertDelivery(ctx context.Context, deliveries ...Delivery) error
	UpdateDelivery(ctx context.Context, d Delivery) error
	// Delivery reads a delivery from or to the team.
	Delivery(ctx context.Context, team tenancy.TeamID, id tenancy.DeliveryID) (Delivery, error)
	// PendingDelivery finds the one delivery of the conversation in the state pending.
	PendingDelivery(ctx context.Context, id tenancy.ConversationID) (Delivery, error)
	// PendingDeliveries lists the deliveries of the conversations in the state pending, by
	// conversation id.
	PendingDeliveries(ctx context.Context, ids ...tenancy.ConversationID) ([]Delivery, error)
	// EndDeliveries ends the pending deliveries of the conversations, in a state that is final, at the
	// time given.
	EndDeliveries(ctx context.Context, state DeliveryState, at time.Time, ids ...tenancy.ConversationID) error
	// DeliveriesTo lists the deliveries in the state pending that wait for the team, or for the user
	// in it, to accept them, and whose Deadline has not come at the time given, newest first by
	// (CreatedAt, id). The zero user is nobody.
	DeliveriesTo(ctx context.Context, team tenancy.TeamID, user tenancy.UserID, at time.Time, page tenancy.Keyset) ([]Delivery, error)
	// LapsedDeliveries lists at most limit conversations, of all teams, with a delivery in the state
	// pending whose Deadline has come (it is not after now), by (Deadline, conversation id).
	LapsedDeliveries(ctx context.Context, now time.Time, limit int) ([]Thread, error)
	// EraseRecipient takes a normal address, and the form in which it is displayed, out of all
	// deliveries to it, whatever their team and state; each has its next version then. The empty
	// address is nobody's and changes nothing.
	EraseRecipient(ctx context.Context, normal string) error
	// DeliveriesOf lists the deliveries from or to the team, newest first by (CreatedAt, id).
	DeliveriesOf(ctx context.Context, team tenancy.TeamID, page tenancy.Keyset) ([]Delivery, error)
	// Deliveries lists the deliveries of one conversation, oldest first by (CreatedAt, id).
	Deliveries(ctx context.Context, id tenancy.ConversationID) ([]Delivery, error)
}

// ApplicationStore keeps the applications of contacts. An ExternalID that is not empty is unique within
// the account.
type ApplicationStore interface {
	InsertApplication(ctx context.Context, a Application) error
	// UpdateApplication writes what can change of an application: its details and its Status. What else
	// the row given says of it is not looked at.
	UpdateApplication(ctx context.Context, a Application) error
	Application(ctx context.Context, team tenancy.TeamID, id tenancy.ApplicationID) (Application, error)
	// ApplicationByExternalID finds the application of the account with the external id, in whatever team.
	// None has the empty one.
	ApplicationByExternalID(ctx context.Context, account tenancy.AccountID, externalID string) (Application, error)
	// FirstApplication finds the contact's oldest application, by (CreatedAt, id).
	FirstApplication(ctx context.Context, team tenancy.TeamID, contact tenancy.ContactID) (Application, error)
	// Applications lists the contact's applications, newest first by (CreatedAt, id).
	Applications(ctx context.Context, team tenancy.TeamID, contact tenancy.ContactID, page tenancy.Keyset) ([]Application, error)
	// MoveApplications gives all applications of the contacts from one team to another, each to the
	// contact there with the channel and the address of its own; there must be one, or the move refers to
	// a row that does not exist.
	MoveApplications(ctx context.Context, from, to tenancy.TeamID, contacts ...tenancy.ContactID) error
}

// OptOutStore keeps opt-outs, one for each identity and address, over all accounts.
type OptOutStore interface {
	InsertOptOut(ctx context.Context, o OptOut) error
	UpdateOptOut(ctx context.Context, o OptOut) error
	LockOptOut(ctx context.Context, identity tenancy.Identity, address string) (OptOut, error)
	OptOut(ctx context.Context, identity tenancy.Identity, address string) (OptOut, error)
}

// ReadStore keeps how far users have read, one mark for each conversation and user.
type ReadStore interface {
	InsertReadMark(ctx context.Context, m ReadMark) error
	UpdateReadMark(ctx context.Context, m ReadMark) error
	LockReadMark(ctx context.Context, id tenancy.ConversationID, user tenancy.UserID) (ReadMark, error)
	ReadMark(ctx context.Context, id tenancy.ConversationID, user tenancy.UserID) (ReadMark, error)
	// Unread counts the messages after the reader's mark that are inbound, outbound or, where notes
	// are included, notes, that the reader did not write, that are not deleted, and that a guest's grant does not hide: in
	// each of the conversations given that the scope admits. Those with none are left out; the
	// others come by id.
	Unread(ctx context.Context, scope Scope, reader tenancy.UserID, notes bool, ids []tenancy.ConversationID) ([]UnreadCount, error)
}

// UnreadCount is how many messages of a conversation a reader has not read.
type UnreadCount struct {
	Conversation tenancy.ConversationID
	Messages     int
}
