package invite

import (
	"context"
	"time"

	"github.com/usher-go/usher/tenancy"
)

// Resend asks for a new mail of a pending or expired invitation, which can then be accepted for
// another [DefaultExpiry], or as long as [ExpiresIn] says. The old token dies at the commit, the
// new one is made when the mail is. It takes what [Service.Create] takes, and is refused for the
// same reasons.
//
// One whose time has passed is written down as expired first, so that what waited for it ends
// whether or not a sweep came by before.
//
// Errors: those of Create, and [tenancy.ErrNotFound], [*StateError].
func (s *Service) Resend(ctx context.Context, actor tenancy.Actor, id tenancy.InvitationID, options ...Option) (Invitation, error) {
	terms, err := parseTerms(options)
	if err != nil {
		return Invitation{}, err
	}
	request := []any{actor.Team, id, terms.lasts}
	return tenancy.Do(ctx, s.store, s.env, actor, "Resend", request, func(ctx context.Context) (Invitation, error) {
		standing, r, err := s.take(ctx, actor, id)
		if err != nil {
			return Invitation{}, err
		}
		if err := s.mayOffer(ctx, standing, r.Invitation); err != nil {
			return Invitation{}, err
		}
		now := s.env.Now()
		if r, err = s.lapse(ctx, r, now); err != nil {
			return Invitation{}, err
		}
		if _, err := r.State.After(OnResend); err != nil {
			return Invitation{}, err
		}
		if err := s.colleague(ctx, standing, r.Invitation, now); err != nil {
			return Invitation{}, err
		}
		if err := s.makeRoom(ctx, r.Invitation, now); err != nil {
			return Invitation{}, err
		}
		r.Hash = TokenHash{}
		r.Mailing++
		r.ExpiresAt = now.Add(terms.lasts)
		r.MailedAt, r.EndedAt, r.EndedBy = time.Time{}, time.Time{}, ""
		r, err = s.step(ctx, actor, now, r, OnResend)
		return r.Invitation, err
	})
}
