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

// ToGuest is what a guest may know of a contact: who it is and how to reach them. The rest tells what the
// team knows of them from elsewhere: the version moves with its notes, and a contact may be older than the
// conversation. It is a list of what is shown, as that of [Conversation.ToGuest] is.
func (c Contact) ToGuest() Contact {
	return Contact{ID: c.ID, Team: c.Team, Channel: c.Channel, Address: c.Address, Name: c.Name, Email: c.Email}
}
