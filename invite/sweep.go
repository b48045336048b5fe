package invite

import (
	"context"

	"github.com/usher-go/usher/tenancy"
)

// Sweep tidies up after invitations whose time has passed, in all teams and accounts: it writes
// each down as expired, ends what waited for it and emits [InvitationExpired], once however many
// instances run it. Nothing depends on it being called: expiry holds by the clock. It works in
// archived teams and suspended accounts, too.
//
// Each invitation is a transaction of its own. One that cannot be written holds up no other: the
// answer is how many there were, also next to the errors of those that failed, which the next call
// tries again.
func (s *Service) Sweep(ctx context.Context, by tenancy.System) (expired int, err error) {
	if err := by.Validate(); err != nil {
		return 0, err
	}
	now := s.env.Now()
	return tenancy.Sweep(ctx, func(ctx context.Context, limit int) ([]Lapsed, error) {
		return s.store.LapsedInvitations(ctx, now, tenancy.Keyset{Limit: limit})
	}, func(ctx context.Context, l Lapsed) (bool, error) { return s.sweep(ctx, by, l) })
}

// sweep expires one, unless another instance was faster or it was sent again meanwhile.
func (s *Service) sweep(ctx context.Context, by tenancy.System, l Lapsed) (done bool, err error) {
	err = s.store.InTx(ctx, func(ctx context.Context) error {
		r, err := s.hold(ctx, l.Account, l.Team, l.ID)
		if err != nil {
			return err
		}
		after, err := s.lapseBy(ctx, by, r, s.env.Now())
		done = after.Version != r.Version
		return err
	})
	return done && err == nil, err
}

// hold locks what the invitation is into, and the invitation; a zero team is an offer of the account.
func (s *Service) hold(ctx context.Context, account tenancy.AccountID, team tenancy.TeamID, id tenancy.InvitationID) (Record, error) {
	if team.IsZero() {
		if _, err := s.people.LockAccount(ctx, account); err != nil && !frozen(err) {
			return Record{}, err
		}
		return s.store.LockOffer(ctx, account, id)
	}
	if _, err := s.people.Lock(ctx, team); err != nil && !frozen(err) {
		return Record{}, err
	}
	return s.store.LockInvitation(ctx, team, id)
}
