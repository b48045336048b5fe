package conversation

import (
	"time"

	"github.com/usher-go/usher/tenancy"
)

// DeliverOption says more about a delivery.
type DeliverOption func(*terms)

// terms are what the options say.
type terms struct {
	KeepOpen, KeepReading, Ask bool
	Within                     time.Duration
}

// Limits of what [AskAcceptance] takes.
const (
	MinAcceptance = time.Minute
	MaxAcceptance = 30 * 24 * time.Hour
)

// KeepOpen leaves the conversation open although the outcome is negative.
func KeepOpen() DeliverOption { return func(t *terms) { t.KeepOpen = true } }

// KeepReading lets the deliverer read the conversation on after it has moved to another team, by a
// grant that the new team can revoke as it does any guest's. They read what guests read, as a guest
// of that team, and send nothing. It is for deliveries to a team.
func KeepReading() DeliverOption { return func(t *terms) { t.KeepReading = true } }

// AskAcceptance leaves the delivery pending, and the conversation where it is, until the recipient
// has accepted: the user, or somebody in the team. It can be accepted within the time given, from
// [MinAcceptance] to [MaxAcceptance]; 0 is without end. The owner of an e-mail address who is no
// colleague is asked in any case, and for them the time is how long the invitation can be accepted:
// from [invite.MinExpiry] to [invite.MaxExpiry], and [invite.DefaultExpiry] where it is 0 or nothing is said.
func AskAcceptance(within time.Duration) DeliverOption {
	return func(t *terms) { t.Ask, t.Within = true, within }
}

func (t terms) validate(to Recipient) error {
	switch {
	case t.KeepReading && to.Team.IsZero():
		return &tenancy.InvalidError{Field: "keep reading", Reason: "is for a delivery to a team"}
	case t.Within != 0 && (t.Within < MinAcceptance || t.Within > MaxAcceptance):
		return &tenancy.InvalidError{Field: "time to accept", Reason: "must be from a minute to 30 days, or 0 for no end"}
	}
	return nil
}
