package memory

import (
	"github.com/google/uuid"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/internal/follow"
	"github.com/usher-go/usher/tenancy"
)

// Store keeps everything in memory. Make one with [New]; it is safe for use by many
// goroutines.
//
// Rows point at the rows that they refer to and hold the lists that hang on them, so a
// decision costs one look-up, and a list costs what it returns.
type Store struct {
	gate gate
	log  *journal

	users       unique[tenancy.UserID, userRow]
	externalIDs unique[string, userRow]
	verified    unique[string, userRow]

	accounts unique[tenancy.AccountID, accountRow]

	teams       unique[tenancy.TeamID, teamRow]
	teamNames   unique[teamName, teamRow]
	identities  unique[tenancy.Identity, teamRow]
	autoClosing *list[teamRow]            // those that close what is idle, by id
	joinable    map[string]*list[teamRow] // by the domain that may ask, each by (CreatedAt, id)

	memberships unique[teamUser, membershipRow]
	expiring    *list[membershipRow] // active ones with an expiry, by (ExpiresAt, team, user)

	roles     unique[tenancy.RoleID, roleRow]
	roleNames unique[roleName, roleRow]

	invitations    unique[tenancy.InvitationID, invitationRow]
	tokens         unique[invite.TokenHash, invitationRow]
	pendingInvites unique[pendingInvite, invitationRow]
	pendingOffers  unique[tenancy.AccountID, invitationRow]
	pendingAsks    unique[teamUser, invitationRow]
	linkUses       unique[linkUser, useRow]
	batches        map[tenancy.BatchID]*list[invitationRow] // by team, then id
	requestsOf     map[tenancy.UserID]*list[invitationRow]  // by (CreatedAt, id)
	invitedTo      map[tenancy.ConversationID]*invitationLists
	invitedBy      map[teamUser]*list[invitationRow]
	invitedAs      map[invitee]*list[invitationRow]
	lapsing        *list[invitationRow] // pending ones, by (ExpiresAt, id)

	contacts  unique[tenancy.ContactID, contactRow]
	addresses unique[contactAddress, contactRow]

	applications         unique[tenancy.ApplicationID, applicationRow]
	recordedApplications unique[recordedApplication, applicationRow]

	conversations unique[tenancy.ConversationID, conversationRow]
	threads       unique[threadName, conversationRow]
	addressed     map[threadAddress]*list[conversationRow] // by (LastAt, id)
	snoozed       *list[conversationRow]                   // by (SnoozedUntil, id)
	assigned      map[teamUser]*desk
	guests        map[teamUser]*desk
	lapsingGrants *list[grantRow] // not revoked and with an expiry, by (ExpiresAt, conversation, user)

	queues  map[teamUser]*list[conversationRow] // waiting ones by who has them, or nobody, by (NeedsReplySince, id)
	claimed map[teamUser]*list[conversationRow] // by (NeedsReplySince, id)
	claims  list[conversationRow]               // by (ClaimedUntil, id)
	skips   unique[skipName, skipRow]
	turns   unique[teamUser, turnRow]

	messages    unique[tenancy.MessageID, messageRow]
	messageKeys unique[conversation.MessageKey, messageRow]
	receipts    unique[conversation.MessageKey, messageRow]
	words       map[teamWord]*list[messageRow] // by (At, id)

	deliveries        unique[tenancy.DeliveryID, deliveryRow]
	pendingDeliveries unique[tenancy.ConversationID, deliveryRow]
	delivering        map[teamUser]*list[deliveryRow] // pending ones by the user or to them, by conversation
	inbox             map[teamUser]*list[deliveryRow] // pending ones to accept, of the zero user for the team, by (CreatedAt, id)
	lapsingDeliveries *list[deliveryRow]              // pending ones with a deadline, by (Deadline, conversation)
	recipients        map[string]*list[deliveryRow]   // by normal address, then id

	optOuts   unique[threadAddress, optOutRow]
	readMarks unique[reader, readMarkRow]

	operations       unique[operationName, operationRow]
	oldestOperations list[operationRow]

	bells follow.Bells
	grown []uuid.UUID // the streams that the running transaction has appended to

	events     unique[uuid.UUID, eventRow]
	teamEvents map[uuid.UUID]*list[eventRow]
	feeds      map[uuid.UUID]*stream // of each team, in the order of commits
	outbox     unique[laneEvent, outboxRow]
	waiting    map[laneStream]*list[outboxRow] // by sequence
	due        map[string]*list[outboxRow]     // of each lane the first of each stream, by (dueAt, id)
	buried     map[string]*list[outboxRow]     // of each lane, by (buriedAt, id)
	seen       unique[sighting, seenRow]
	oldestSeen map[string]*list[seenRow]
}

var _ storage.Store = (*Store)(nil)

// New makes an empty store.
func New() *Store {
	log := &journal{}
	return &Store{
		gate: newGate(),
		log:  log,

		users:       newUnique[tenancy.UserID, userRow](log),
		externalIDs: newUnique[string, userRow](log),
		verified:    newUnique[string, userRow](log),

		accounts: newUnique[tenancy.AccountID, accountRow](log),

		teams:       newUnique[tenancy.TeamID, teamRow](log),
		teamNames:   newUnique[teamName, teamRow](log),
		identities:  newUnique[tenancy.Identity, teamRow](log),
		autoClosing: &list[teamRow]{},
		joinable:    map[string]*list[teamRow]{},

		memberships: newUnique[teamUser, membershipRow](log),
		expiring:    &list[membershipRow]{},

		roles:     newUnique[tenancy.RoleID, roleRow](log),
		roleNames: newUnique[roleName, roleRow](log),

		invitations:    newUnique[tenancy.InvitationID, invitationRow](log),
		tokens:         newUnique[invite.TokenHash, invitationRow](log),
		pendingInvites: newUnique[pendingInvite, invitationRow](log),
		pendingOffers:  newUnique[tenancy.AccountID, invitationRow](log),
		pendingAsks:    newUnique[teamUser, invitationRow](log),
		linkUses:       newUnique[linkUser, useRow](log),
		batches:        map[tenancy.BatchID]*list[invitationRow]{},
		requestsOf:     map[tenancy.UserID]*list[invitationRow]{},
		invitedTo:      map[tenancy.ConversationID]*invitationLists{},
		invitedBy:      map[teamUser]*list[invitationRow]{},
		invitedAs:      map[invitee]*list[invitationRow]{},
		lapsing:        &list[invitationRow]{},

		contacts:  newUnique[tenancy.ContactID, contactRow](log),
		addresses: newUnique[contactAddress, contactRow](log),

		applications:         newUnique[tenancy.ApplicationID, applicationRow](log),
		recordedApplications: newUnique[recordedApplication, applicationRow](log),

		conversations: newUnique[tenancy.ConversationID, conversationRow](log),
		threads:       newUnique[threadName, conversationRow](log),
		addressed:     map[threadAddress]*list[conversationRow]{},
		snoozed:       &list[conversationRow]{},
		assigned:      map[teamUser]*desk{},
		guests:        map[teamUser]*desk{},
		lapsingGrants: &list[grantRow]{},

		queues:  map[teamUser]*list[conversationRow]{},
		claimed: map[teamUser]*list[conversationRow]{},
		skips:   newUnique[skipName, skipRow](log),
		turns:   newUnique[teamUser, turnRow](log),

		messages:    newUnique[tenancy.MessageID, messageRow](log),
		messageKeys: newUnique[conversation.MessageKey, messageRow](log),
		receipts:    newUnique[conversation.MessageKey, messageRow](log),
		words:       map[teamWord]*list[messageRow]{},

		deliveries:        newUnique[tenancy.DeliveryID, deliveryRow](log),
		pendingDeliveries: newUnique[tenancy.ConversationID, deliveryRow](log),
		delivering:        map[teamUser]*list[deliveryRow]{},
		inbox:             map[teamUser]*list[deliveryRow]{},
		lapsingDeliveries: &list[deliveryRow]{},
		recipients:        map[string]*list[deliveryRow]{},

		optOuts:   newUnique[threadAddress, optOutRow](log),
		readMarks: newUnique[reader, readMarkRow](log),

		operations: newUnique[operationName, operationRow](log),

		events:     newUnique[uuid.UUID, eventRow](log),
		teamEvents: map[uuid.UUID]*list[eventRow]{},
		feeds:      map[uuid.UUID]*stream{},
		outbox:     newUnique[laneEvent, outboxRow](log),
		waiting:    map[laneStream]*list[outboxRow]{},
		due:        map[string]*list[outboxRow]{},
		buried:     map[string]*list[outboxRow]{},
		seen:       newUnique[sighting, seenRow](log),
		oldestSeen: map[string]*list[seenRow]{},
	}
}

// teamUser is a user in a team.
type teamUser struct {
	team tenancy.TeamID
	user tenancy.UserID
}

// lazily finds what the map holds for the key and makes it where there is nothing yet. What
// it makes is empty, so an undo may leave it behind.
func lazily[K comparable, V any](m map[K]*V, key K) *V {
	v := m[key]
	if v == nil {
		v = new(V)
		m[key] = v
	}
	return v
}
