package invite

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/usher-go/usher/tenancy"
)

// find reads the invitation of a token, whatever its state. A token that nobody knows, that a
// resend has replaced, and none at all are [tenancy.ErrNotFound].
func (s *Service) find(ctx context.Context, token Token) (Record, error) {
	if token.IsZero() {
		return Record{}, tenancy.ErrNotFound // a look-up of the zero hash would find who awaits a mail
	}
	r, err := s.store.InvitationByToken(ctx, token.Hash())
	if err == nil && !r.Hash.Equal(token.Hash()) {
		return Record{}, tenancy.ErrNotFound
	}
	return r, err
}

// reply is what the invited user does with the invitation that is theirs, in the transaction in
// which it is locked.
type reply func(ctx context.Context, a tenancy.Arrival, r Record, now time.Time) (Record, error)

// answer brings a user with a token before their invitation. The user comes from the caller's
// session and never from the token, and nothing here makes one (Discourse CVE-2022-39356).
//
// The row is found by the token without a lock, because its team, or the account that it offers,
// must be locked before it; it is compared with the token again once it is locked.
//
// A refusal is written down, once, and committed, and then answered. What the user said with the answer
// is part of the request.
func (s *Service) answer(ctx context.Context, user tenancy.UserID, token Token, name string, said []any, do reply) (Invitation, error) {
	if user.IsZero() {
		return Invitation{}, tenancy.ErrNoPrincipal
	}
	request := append([]any{token.Hash()}, said...)
	return tenancy.Do(ctx, s.store, s.env, tenancy.Self(user), name, request, func(ctx context.Context) (Invitation, error) {
		found, err := s.find(ctx, token)
		if err != nil {
			return Invitation{}, err
		}
		arrival, r, err := s.arrive(ctx, user, found)
		if err != nil {
			return Invitation{}, err
		}
		if !r.Hash.Equal(token.Hash()) {
			return Invitation{}, tenancy.ErrNotFound
		}
		now := s.env.Now()
		if err := r.isFor(arrival.User); err != nil {
			return Invitation{}, s.refused(ctx, arrival.User, r, now, err)
		}
		answered, err := do(ctx, arrival, r, now)
		if errors.Is(err, ErrInviterLost) || errors.Is(err, ErrRemovedBefore) {
			err = s.refused(ctx, arrival.User, r, now, err)
		}
		return answered.Invitation, err
	})
}

// arrive locks what the invitation opens, the user, and the invitation.
func (s *Service) arrive(ctx context.Context, user tenancy.UserID, found Record) (tenancy.Arrival, Record, error) {
	if found.Kind == ToOneAccount {
		a, err := s.people.ArriveAtAccount(ctx, user, found.Account)
		if err != nil {
			return tenancy.Arrival{}, Record{}, err
		}
		r, err := s.store.LockOffer(ctx, found.Account, found.ID)
		return a, r, err
	}
	a, err := s.people.Arrive(ctx, user, found.Team)
	if err != nil {
		return tenancy.Arrival{}, Record{}, err
	}
	r, err := s.store.LockInvitation(ctx, found.Team, found.ID)
	return a, r, err
}

// isFor answers nil if the invitation is the user's: they are verified for the invited address, or
// for an address that the link is for, or it was they who accepted it. Anyone else is told so and not what became of it.
func (r Record) isFor(u tenancy.User) error {
	switch {
	case r.AcceptedBy == u.ID:
		return nil
	case !u.Verified():
		return ErrUnverified
	case r.Kind == ByLink:
		return r.isForDomain(u.Email)
	case u.Email.Normal != r.Email.Normal:
		return ErrWrongUser
	}
	return nil
}

// reasons are the refusals as their events name them.
var reasons = []struct {
	refusal error
	reason  string
}{
	{ErrUnverified, "address not verified"},
	{ErrWrongUser, "another address"},
	{ErrWrongDomain, "another domain"},
	{ErrRemovedBefore, "removed before"},
	{ErrInviterLost, "inviter may not"},
}

// refused writes down that someone with the token was not let in, as long as the token could
// have let someone in, and answers the refusal. The invitation itself stays as it is.
func (s *Service) refused(ctx context.Context, user tenancy.User, r Record, now time.Time, refusal error) error {
	if r.StateAt(now) != Pending {
		return refusal
	}
	reason := reasonFor(refusal)
	if first, err := s.firstRefusal(ctx, user.ID, r, reason, now); err != nil || !first {
		return cmp.Or(err, tenancy.Refuse(refusal))
	}
	facts := r.facts()
	facts["user"], facts["reason"] = user.ID.String(), reason
	if err := s.store.Append(ctx, s.env.Event(tenancy.Self(user.ID), now, r.in(), InvitationRefused, facts)); err != nil {
		return err
	}
	return tenancy.Refuse(refusal)
}

func reasonFor(refusal error) string {
	for _, known := range reasons {
		if errors.Is(refusal, known.refusal) {
			return known.reason
		}
	}
	return ""
}

// firstRefusal reports whether the user was not refused at this invitation for this reason before, and
// notes that they are: somebody who tries the door for ever fills no log. It is kept beside what ran under
// idempotency keys, and as long; a count on the invitation was rejected, which anybody with the token could
// use up, and who came after them would go unseen. The invitation is locked.
func (s *Service) firstRefusal(ctx context.Context, user tenancy.UserID, r Record, reason string, now time.Time) (bool, error) {
	note := tenancy.Operation{Principal: "refused:" + r.ID.String(), Key: user.String() + " " + reason, Result: []byte("null"), At: now}
	_, err := s.store.Operation(ctx, note.Principal, note.Key)
	if !errors.Is(err, tenancy.ErrNotFound) {
		return false, err
	}
	return true, s.store.InsertOperation(ctx, note)
}
