package conversation

import (
	"time"

	"github.com/usher-go/usher/tenancy"
)

// Message is one entry of a conversation. Seq counts 1, 2, 3 … without gaps; order, paging
// and resuming all use it.
type Message struct {
	ID           tenancy.MessageID
	Conversation tenancy.ConversationID
	Seq          int64
	Kind         MessageKind
	// Author is the user who wrote an outbound message or a note. An inbound message is the
	// contact's, a system one nobody's; both have the zero id.
	Author tenancy.UserID
	// Text is what was said, and Attachments what came along; a message has one of them at least,
	// until it is deleted.
	Text        string
	Attachments []Attachment
	// Footer goes to the contact below the text: the opt-out text, on the first message ever. It is
	// added when the message is handed to the [Sender], since only then is it the first one: without a
	// Sender no message has one. Two that are handed over before either was taken both carry it.
	Footer string
	// At is when it was written. It never goes back along the sequence, whatever the clocks of several
	// instances say.
	At time.Time
	// EditedAt is when the text was last changed, DeletedAt when the message was deleted: what is
	// left of it then is that it was there. Zero means never.
	EditedAt, DeletedAt time.Time
	// Status is how far a message to the contact has come; empty for all others.
	Status SendStatus
	// Failure says why a message has failed, in the words of the [Sender] or the provider.
	Failure string
	// HandedAt is when the message was first handed to the [Sender], and is final since.
	HandedAt time.Time
	// Key makes a repeated message the same message; zero means that it cannot be repeated.
	Key MessageKey
	// Receipt is a hash of the provider's id of a message that was sent; zero where there is none.
	Receipt MessageKey
	Version int64
}

// MessageKind says who a message is from and who sees it.
type MessageKind string

// The kinds of messages. Inbound ones are the contact's, outbound ones what a person said to the
// contact and automatic ones what a system did. Notes are the team's own: neither the contact nor a
// guest sees them. System messages are for whoever reads the conversation, and are sent to nobody.
const (
	InboundMessage   MessageKind = "inbound"
	OutboundMessage  MessageKind = "outbound"
	AutomaticMessage MessageKind = "automatic"
	NoteMessage      MessageKind = "note"
	SystemMessage    MessageKind = "system"
)

// sent reports whether messages of the kind go to the contact.
func (k MessageKind) sent() bool { return k == OutboundMessage || k == AutomaticMessage }

// MessageKey is a hash of what names a message to somebody else: the team's identity and the
// provider's message id, or the author and the client's id.
type MessageKey [32]byte
