package tenancy

import (
	"github.com/google/uuid"
)

// ID names one row of kind K: a UUIDv7 made by the library, never by the caller. Ids of
// different kinds are different types, so a TeamID does not compile where a UserID is meant.
// The zero ID names nothing.
//
// One generic type was preferred to a copy of the same five methods for every kind.
type ID[K any] uuid.UUID

// The kinds of ids. They all live here, and not with their entities, because a room may
// have to name what a later room owns: an invitation names the conversation it opens.
type (
	AccountID      = ID[Account]
	UserID         = ID[User]
	TeamID         = ID[Team]
	RoleID         = ID[CustomRole]
	InvitationID   = ID[invitationKind]
	BatchID        = ID[batchKind]
	ContactID      = ID[contactKind]
	ConversationID = ID[conversationKind]
	MessageID      = ID[messageKind]
	DeliveryID     = ID[deliveryKind]
	ApplicationID  = ID[applicationKind]

	invitationKind   struct{}
	batchKind        struct{}
	contactKind      struct{}
	conversationKind struct{}
	messageKind      struct{}
	deliveryKind     struct{}
	applicationKind  struct{}
)

// ParseID reads the canonical 36-character form of an id, and nothing else: a URN, braces,
// missing hyphens and surrounding space are refused, so that an id has one spelling. The
// error is an [*InvalidError].
func ParseID[I ~[16]byte](text string) (I, error) {
	const canonical = 36
	if len(text) != canonical {
		return I{}, &InvalidError{Field: "id", Reason: "must be a UUID of 36 characters, such as 01890a5d-ac96-774b-bcce-b302099a8057"}
	}
	id, err := uuid.Parse(text)
	if err != nil {
		return I{}, &InvalidError{Field: "id", Reason: "must be a UUID of hexadecimal digits and hyphens"}
	}
	return I(id), nil
}

// UUID is the id as a plain UUID, for code that must treat all kinds alike.
func (id ID[K]) UUID() uuid.UUID { return uuid.UUID(id) }

// IsZero reports whether the id names nothing.
func (id ID[K]) IsZero() bool { return id == ID[K]{} }

func (id ID[K]) String() string { return uuid.UUID(id).String() }

// MarshalText gives the canonical form; the zero id marshals as the empty text.
func (id ID[K]) MarshalText() ([]byte, error) {
	if id.IsZero() {
		return nil, nil
	}
	return []byte(id.String()), nil
}

// UnmarshalText reads what MarshalText wrote.
func (id *ID[K]) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*id = ID[K]{}
		return nil
	}
	parsed, err := ParseID[ID[K]](string(text))
	if err != nil {
		return err
	}
	*id = parsed
	return nil
}
