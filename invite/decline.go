package invite

import (
	"context"
	"time"

	"github.com/usher-go/usher/tenancy"
)

// Decline says no to an invitation. Only the user whom it is for can; it gives nobody anything,
// so it is possible also while the account or team can only be read. Declining it again changes
// nothing and succeeds.
//
// Errors: those of [Service.Accept] up to [*StateError].
func (s *Service) Decline(ctx context.Context, user tenancy.UserID, token Token) (Invitation, error) {
	return s.answer(ctx, user, token, "Decline", nil, s.decline)
}

func (s *Service) decline(ctx context.Context, a tenancy.Arrival, r Record, now time.Time) (Record, error) {
	by := tenancy.Self(a.User.ID)
	if r.State == Declined && r.EndedBy == by.Principal() {
		return r, nil
	}
	return s.step(ctx, by, now, r, OnDecline)
}
