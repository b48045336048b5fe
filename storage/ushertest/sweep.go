package ushertest

import (
	"context"

	"github.com/usher-go/usher/tenancy"
)

// Sweep writes down what has ended by the clock, as the host's timer does: memberships, invitations
// and guests' times, snoozes, deliveries, claims, and what teams close when it is idle. Rights and tokens
// end without it; what hangs on their end, such as the events, does not.
func (w *World) Sweep() {
	w.t.Helper()
	for _, sweep := range []func(context.Context, tenancy.System) (int, error){
		w.Tenancy.ExpireMembers, w.Invites.Sweep, w.Conversations.Wake, w.Conversations.CloseIdle,
		w.Conversations.ExpireGuests, w.Conversations.ExpireDeliveries, w.Conversations.EndClaims,
	} {
		_, err := sweep(w.t.Context(), System)
		w.must(err)
	}
}
