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
	Text   string
	// Footer goes to the contact below the text: the opt-out text, on the first message ever.
	Footer string
	At     time.Time
	// Key makes a repeated message the same message; zero means that it cannot be repeated.
	Key MessageKey
}

// MessageKind says who a message is from and who sees it.
type MessageKind string

// The kinds of messages. Notes are the team's own: neither the contact nor a guest sees them.
const (
	InboundMessage  MessageKind = "inbound"
	OutboundMessage MessageKind = "outbound"
	NoteMessage     MessageKind = "note"
	SystemMessage   MessageKind = "system"
)

// MessageKey is a hash of what names a message where it comes from: the team's identity and
// the provider's message id, or the author and the client's id.
type MessageKey [32]byte
