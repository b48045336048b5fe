package conversation

import (
	"time"

	"github.com/usher-go/usher/tenancy"
)

// Contact is the outside person that a team talks to: a candidate, a customer. A contact is
// never a user, and each team has its own contacts.
type Contact struct {
	ID   tenancy.ContactID
	Team tenancy.TeamID
	// Channel and Address are where the contact writes from; the address is unique in the
	// team on its channel and does not change.
	Channel tenancy.Channel
	Address string
	Name    string
	Email   tenancy.Address
	// Notes is what the team keeps about the contact.
	Notes     string
	CreatedAt time.Time
	Version   int64
}
