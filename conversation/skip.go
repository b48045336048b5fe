package conversation

import (
	"time"

	"github.com/usher-go/usher/tenancy"
)

// Skip keeps a conversation out of one user's line until its end.
type Skip struct {
	Conversation tenancy.ConversationID
	User         tenancy.UserID
	EndsAt       time.Time
}
