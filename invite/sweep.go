package invite

import (
	"context"
	"errors"

	"github.com/usher-go/usher/tenancy"
)

// sweeping is how many invitations a step of Sweep looks for.
const sweeping = 100

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
	page := tenancy.Keyset{Limit: sweeping}
	now := s.env.Now()
	var failed []error
	for {
		lapsed, err := s.store.LapsedInvitations(ctx, now, page)
		if err != nil {
			return expired, errors.Join(append(failed, err)...)
		}
		for _, l := range lapsed {
			done, err := s.sweep(ctx, by, l)
			if err != nil {
				failed = append(failed, err)
			} else if done {
				expired++
			}
		}
		if len(lapsed) < page.Limit || ctx.Err() != nil {
			return expired, errors.Join(failed...)
		}
		last := lapsed[len(lapsed)-1]
		page.At, page.ID = last.ExpiresAt, last.ID.UUID()
	}
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
