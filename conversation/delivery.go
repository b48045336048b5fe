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
	// About is what the application of the outcome said when it was delivered: the card stays as it is
	// when the application is edited, or goes along to another team.
	About ApplicationDetails
	// Category is what the status of the outcome meant to the team when it was delivered.
	Category Category
	// KeepOpen leaves the conversation open after a negative outcome.
	KeepOpen bool
	// KeepReading lets the deliverer read on after a move to another team.
	KeepReading bool
	State       DeliveryState
	// Invitation is the one that a delivery to an e-mail address waits for.
	Invitation tenancy.InvitationID
	// Deadline is until when a user or a team can accept; zero is without end, and a delivery to an
	// e-mail address ends with its invitation.
	Deadline time.Time
	// Reason is why the recipient declined; often empty.
	Reason    string
	CreatedAt time.Time
	// EndedAt is when it left the state pending.
	EndedAt time.Time
	Version int64
}

// StateAt is the state by the clock: a pending delivery has expired once its deadline has come, also
// while no sweep has written that down.
func (d Delivery) StateAt(now time.Time) DeliveryState {
	if d.State == DeliveryPending && !d.Deadline.IsZero() && !now.Before(d.Deadline) {
		return DeliveryExpired
	}
	return d.State
}

// Recipient is who gets a conversation: exactly one of a member of the team, an e-mail
// address and another team of the account.
type Recipient struct {
	User  tenancy.UserID
	Email tenancy.Address
	Team  tenancy.TeamID
}

// ToUser hands a conversation to a manager or member of the team.
func ToUser(user tenancy.UserID) Recipient { return Recipient{User: user} }

// ToEmail hands a conversation to whoever owns the address: a colleague like [ToUser], anyone
// else as a guest, once they have accepted.
func ToEmail(address string) Recipient { return Recipient{Email: tenancy.Address{Display: address}} }

// ToTeam hands a conversation over to another team of the account.
func ToTeam(team tenancy.TeamID) Recipient { return Recipient{Team: team} }

// checked answers the recipient with its address in normal form.
func (r Recipient) checked() (Recipient, error) {
	named := 0
	for _, is := range []bool{!r.User.IsZero(), r.Email != tenancy.Address{}, !r.Team.IsZero()} {
		if is {
			named++
		}
	}
	if named != 1 {
		return r, &tenancy.InvalidError{Field: "recipient", Reason: "must be exactly one of a user, an e-mail address and a team"}
	}
	if r.Email == (tenancy.Address{}) {
		return r, nil
	}
	var err error
	r.Email, err = tenancy.ParseAddress(r.Email.Display)
	return r, err
}
