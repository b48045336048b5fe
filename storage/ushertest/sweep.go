package ushertest

// Sweep writes down what has ended by the clock, as the host's timer does: memberships and
// invitations. Rights and tokens end without it; what
// hangs on their end, such as the events, does not.
func (w *World) Sweep() {
	w.t.Helper()
	ctx := w.t.Context()
	_, err := w.Tenancy.ExpireMembers(ctx, System)
	w.must(err)
	_, err = w.Invites.Sweep(ctx, System)
	w.must(err)
}
