package conversation

import (
	"time"

	"github.com/usher-go/usher/tenancy"
)

// Conversation is the thread between a contact and a team on one channel. An account has one for
// each pair of identity and contact address, wherever it lives now: a delivery to another
// team moves it and keeps the channel, so the contact sees one thread.
type Conversation struct {
	ID      tenancy.ConversationID
	Account tenancy.AccountID
	// Team owns the conversation now.
	Team tenancy.TeamID
	// Contact is the contact in the owning team.
	Contact tenancy.ContactID
	// Identity is the team identity that the contact first wrote to, Address the contact's
	// address on that channel.
	Identity tenancy.Identity
	Address  string
	Status   Status
	// SnoozedUntil is when a snoozed conversation wakes by itself; zero for any other.
	SnoozedUntil time.Time
	// Episode is the number of the [Episode] that goes on, or was the last one to end.
	Episode int64
	// Label is where the conversation stands in the team's work: [NewLabel], until a delivery with
	// [Engaged], [Disengaged] or [Delivered] completes. Other outcomes leave it as it is, the team's own among them.
	Label Label
	// Outcome is what a closed conversation was closed with; empty where nothing was said.
	Outcome Label
	// Assignee is the member who is responsible; zero while it is the whole team.
	Assignee tenancy.UserID
	// Claimant is the member who has claimed the conversation to answer it, and ClaimedUntil the
	// end of that claim; both are zero where nobody has. A claim that has ended by the clock stays
	// in the row until the next one or the sweep: ask [Conversation.ClaimantAt].
	Claimant     tenancy.UserID
	ClaimedUntil time.Time
	// LastSeq is the sequence of the newest message, and LastAt its time.
	LastSeq int64
	LastAt  time.Time
	// IdleSince is since when nothing has happened: no message, opening or waking.
	IdleSince time.Time
	// NeedsReplySince is the time of the first message of the contact that nobody has
	// answered; zero when there is none. Only a contact's message sets it, only a human
	// public reply clears it.
	NeedsReplySince time.Time
	// FirstSentAt is when a message first went to the contact; zero until the [Sender] has taken one.
	FirstSentAt time.Time
	CreatedAt   time.Time
	Version     int64
}

// ToGuest is what a guest may know of a conversation: who is talking to whom, and whether it is open.
// The rest tells what the team does about it, or of messages that the guest may not see: every
// note moves LastSeq, and every change the version. It is a list of what is shown, so that a new field is
// hidden until somebody thinks of it.
func (c Conversation) ToGuest() Conversation {
	return Conversation{
		ID: c.ID, Account: c.Account, Team: c.Team, Contact: c.Contact,
		Identity: c.Identity, Address: c.Address, Status: c.Status,
	}
}
