package conversation

import (
	"time"

	"github.com/usher-go/usher/tenancy"
)

// Grant lets one guest into one conversation. It exists from the moment the guest has
// accepted; before that there is only the invitation.
type Grant struct {
	Conversation tenancy.ConversationID
	User         tenancy.UserID
	Inviter      tenancy.UserID
	// FromSeq is the first message that the guest may see.
	FromSeq int64
	// ReadOnly lets them read and nothing else: see [KeepReading].
	ReadOnly   bool
	AcceptedAt time.Time
	// ExpiresAt ends the grant by the clock; zero means never.
	ExpiresAt time.Time
	// RevokedAt and RevokedBy tell when and by whom it was taken back. For one whose expiry has
	// come it is the sweep that has noted it, [Service.ExpireGuests].
	RevokedAt time.Time
	RevokedBy string
	Version   int64
}

// LiveAt reports whether the grant gives access at the time.
func (g Grant) LiveAt(now time.Time) bool {
	return g.RevokedAt.IsZero() && (g.ExpiresAt.IsZero() || now.Before(g.ExpiresAt))
}
