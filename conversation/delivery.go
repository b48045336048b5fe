package conversation

import (
	"time"

	"github.com/usher-go/usher/tenancy"
)

// Delivery is the card of one hand-over: who gave which conversation to whom, with what
// outcome. It stays with both teams.
type Delivery struct {
	ID           tenancy.DeliveryID
	Conversation tenancy.ConversationID
	Account      tenancy.AccountID
	FromTeam     tenancy.TeamID
	By           tenancy.UserID
	Recipient    Recipient
	Outcome      Outcome
	State        DeliveryState
	// Invitation is the one that a delivery to an e-mail address waits for.
	Invitation tenancy.InvitationID
	CreatedAt  time.Time
	// EndedAt is when it left the state pending.
	EndedAt time.Time
	Version int64
}

// Recipient is who gets a conversation: exactly one of a member of the team, an e-mail
// address and another team of the account.
type Recipient struct {
	User  tenancy.UserID
	Email tenancy.Address
	Team  tenancy.TeamID
}

// DeliveryState is where a delivery stands.
type DeliveryState string

// The states of a delivery. Every state but pending is final.
const (
	DeliveryPending   DeliveryState = "pending"
	DeliveryCompleted DeliveryState = "completed"
	DeliveryDeclined  DeliveryState = "declined"
	DeliveryExpired   DeliveryState = "expired"
	DeliveryCancelled DeliveryState = "cancelled"
)
