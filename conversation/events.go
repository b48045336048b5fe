package conversation

import (
	"context"
	"time"

	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

// The events of this room. Their payloads are [tenancy.Facts] with the names given; all on
// the stream of a conversation carry its id as conversation. Those that change its state have the
// [Event] that did it as on, and the number of the [Episode].
const (
	ContactCreated         = "contact.created"         // contact
	ContactEdited          = "contact.edited"          // contact, changed: a comma-separated list of fields
	ApplicationCreated     = "application.created"     // contact, application, origin
	ApplicationEdited      = "application.edited"      // contact, application, changed: a comma-separated list of fields
	ApplicationStatusSet   = "application.status"      // contact, application, status
	ConversationStarted    = "conversation.started"    // contact, on, episode
	ConversationSnoozed    = "conversation.snoozed"    // until, episode
	ConversationWoken      = "conversation.woken"      // on, episode: a snoozed one is open again
	ConversationClosed     = "conversation.closed"     // outcome, on, episode
	ConversationOpened     = "conversation.opened"     // on, episode: a closed one is open again
	ConversationAssigned   = "conversation.assigned"   // user, from: the earlier assignee
	ConversationUnassigned = "conversation.unassigned" // from: the earlier assignee
	ConversationClaimed    = "conversation.claimed"    // user, until
	ConversationReleased   = "conversation.released"   // user: whose claim it was, on: release, hop, skip, lease, take-over, close, snooze, deliver, move, leave
	ConversationSkipped    = "conversation.skipped"    // user, reason, until
	ConversationMoved      = "conversation.moved"      // from, to: the teams; delivery, unless a contact's message moved it; nobody is assigned then, and the contact's applications go along
	MessageReceived        = "message.received"        // message, seq
	MessageSent            = "message.sent"            // message, seq
	MessagePosted          = "message.posted"          // message, seq: a line of a system's
	MessageEdited          = "message.edited"          // message, seq
	MessageDeleted         = "message.deleted"         // message, seq
	MessageStatusChanged   = "message.status"          // message, seq, status
	NoteWritten            = "note.written"            // message, seq
	NoteEdited             = "note.edited"             // message, seq
	NoteDeleted            = "note.deleted"            // message, seq
	ContactOptedOut        = "contact.opted_out"       // cause: contact or user; message: the contact's, or the note with the reason
	ContactOptedIn         = "contact.opted_in"        // cause: whose wish the opt-out was
	GuestAdmitted          = "guest.admitted"          // user, and invitation or, for a deliverer who reads on, delivery
	GuestRevoked           = "guest.revoked"           // user
	DeliveryRequested      = "delivery.requested"      // delivery, and the recipient: user, team or invitation
	DeliveryEnded          = "delivery.ended"          // delivery, state, outcome, and the recipient: user, team or invitation
)

func (c Conversation) in() tenancy.Place {
	return tenancy.Place{
		Account: c.Account, Team: c.Team,
		Stream: outbox.Stream{Kind: outbox.ConversationStream, ID: c.ID.UUID()},
	}
}

// record appends one event to the conversation's stream.
func (s *Service) record(ctx context.Context, by tenancy.Principal, at time.Time, c Conversation, kind string, facts tenancy.Facts) error {
	return s.store.Append(ctx, s.event(by, at, c, kind, facts))
}

// event is one on the conversation's stream. Operations on many conversations append theirs at once.
func (s *Service) event(by tenancy.Principal, at time.Time, c Conversation, kind string, facts tenancy.Facts) outbox.Event {
	if facts == nil {
		facts = tenancy.Facts{}
	}
	facts["conversation"] = c.ID.String()
	return s.env.Event(by, at, c.in(), kind, facts)
}

func idsOf(threads []Conversation) []tenancy.ConversationID {
	ids := make([]tenancy.ConversationID, len(threads))
	for i, c := range threads {
		ids[i] = c.ID
	}
	return ids
}

// threadsOf name conversations in their teams.
func threadsOf(conversations []Conversation) []Thread {
	threads := make([]Thread, len(conversations))
	for i, c := range conversations {
		threads[i] = Thread{c.Team, c.ID}
	}
	return threads
}
