package ushertest

import "slices"

// Sweep writes down what has ended by the clock, as the host's timer does: memberships, and the
// invitations into the teams of the world's accounts. Rights and tokens end without it; what
// hangs on their end, such as the events, does not.
func (w *World) Sweep() {
	w.t.Helper()
	ctx := w.t.Context()
	_, err := w.Tenancy.ExpireMembers(ctx, System)
	w.must(err)
	for _, account := range w.accounts {
		teams, err := w.Store.TeamsIn(ctx, account.ID, everything)
		w.must(err)
		for _, team := range teams {
			for _, inv := range slices.Backward(w.invitations(team.ID)) {
				_, err := w.Invites.Expire(ctx, System, team.ID, inv.ID)
				w.must(err)
			}
		}
	}
}
