package conversation

import (
	"time"

	"github.com/usher-go/usher/tenancy"
)

// ClaimantAt is who has the conversation claimed at the time; zero for nobody.
func (c Conversation) ClaimantAt(now time.Time) tenancy.UserID {
	if now.Before(c.ClaimedUntil) {
		return c.Claimant
	}
	return tenancy.UserID{}
}
