package invite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// MaxLinkUses is how many users a link can let in at most.
const MaxLinkUses = 1000

// LinkSpec describes a link to make.
type LinkSpec struct {
	// Uses is how many users can come in by the link, from 1 to [MaxLinkUses].
	Uses int
	// Role is what each of them becomes; zero is Member. A link can be passed on, so nobody becomes
	// a Manager by one unless it says so here.
	Role rbac.Role
	// Domain lets in only those who are verified for an address of this domain, such as acme.example,
	// and not of one below it; empty asks for none. The domains of public mail services are refused.
	Domain string
}

// Link is a link into a team with its token, which is shown this once: nobody can read it later.
type Link struct {
	Invitation
	// Token opens the link; see [LinkBase.Link]. It is zero where the call repeats an earlier one
	// under its idempotency key, since only the hash of the token was kept: renew the link then.
	Token Token `json:"-"`
}

// CreateLink makes a link by which several users can come into the actor's team, without being
// invited one by one. It is an invitation of the kind [ByLink]: [Service.Preview] shows it to whoever
// has it, [Service.Accept] lets them in, [Service.Get], [Service.List] and [Service.Revoke] are for
// those who may invite members. How long it is good for is said by [ExpiresIn].
//
// It takes the right to invite members, and a role that is not above the actor's own. A link counts
// for the [Limits] as one invitation of the team and of its maker. It takes no seat before somebody
// comes in.
//
// Errors: [*tenancy.InvalidError], [rbac.ErrDenied], [*LimitError], [tenancy.ErrAccountInactive],
// [tenancy.ErrTeamArchived].
func (s *Service) CreateLink(ctx context.Context, actor tenancy.Actor, spec LinkSpec, options ...Option) (Link, error) {
	draft, err := spec.checked()
	if err != nil {
		return Link{}, err
	}
	choices, err := choose(options)
	if err != nil {
		return Link{}, err
	}
	request := []any{actor.Team, draft, choices.lasts}
	return tenancy.Do(ctx, s.store, s.env, actor, "CreateLink", request, func(ctx context.Context) (Link, error) {
		team, standing, err := s.people.Enter(ctx, actor)
		if err != nil {
			return Link{}, err
		}
		inv := draft
		inv.Account, inv.Team, inv.Inviter = team.Account, team.ID, actor.User
		if inv, err = s.mayOffer(ctx, standing, inv); err != nil {
			return Link{}, err
		}
		now := s.env.Now()
		if err := s.room(ctx, inv, now); err != nil {
			return Link{}, err
		}
		token := mintToken()
		inv, err = s.open(ctx, actor, Record{Invitation: inv, Hash: token.Hash()}, now, choices.lasts)
		return Link{Invitation: inv, Token: token}, err
	})
}

// checked is the link as an invitation without a maker. The error is a [*tenancy.InvalidError].
func (l LinkSpec) checked() (Invitation, error) {
	bad := func(field, reason string) (Invitation, error) {
		return Invitation{}, &tenancy.InvalidError{Field: field, Reason: reason}
	}
	if l.Uses < 1 || l.Uses > MaxLinkUses {
		return bad("uses", fmt.Sprintf("must be from 1 to %d", MaxLinkUses))
	}
	if l.Role == 0 {
		l.Role = rbac.Member
	}
	if !l.Role.InTeam() {
		return bad("role", "must be manager, member or restricted")
	}
	inv := Invitation{Kind: ByLink, Role: l.Role, MaxUses: l.Uses}
	if l.Domain == "" {
		return inv, nil
	}
	domain, err := tenancy.ParseDomain(l.Domain)
	if err == nil {
		err = tenancy.OwnDomain(domain)
	}
	if err != nil {
		return Invitation{}, err
	}
	inv.Domain = domain
	return inv, nil
}

// RenewLink gives a pending or expired link a new token, which is good for as long as the link was
// first, or as [ExpiresIn] says; from the commit on the old one opens nothing. Who came in stays, and
// the uses that are left are those that were left. Invitations by mail and other links are as they
// were. It takes what [Service.CreateLink] takes.
//
// Errors: those of CreateLink, and [tenancy.ErrNotFound] for what is no link of the team,
// [*StateError] for one that is used up or revoked.
func (s *Service) RenewLink(ctx context.Context, actor tenancy.Actor, id tenancy.InvitationID, options ...Option) (Link, error) {
	choices, err := chooseAgain(options)
	if err != nil {
		return Link{}, err
	}
	request := []any{actor.Team, id, choices.lasts, choices.timed}
	return tenancy.Do(ctx, s.store, s.env, actor, "RenewLink", request, func(ctx context.Context) (Link, error) {
		r, standing, err := s.takeKind(ctx, actor, id, ByLink)
		if err != nil {
			return Link{}, err
		}
		if _, err := s.mayOffer(ctx, standing, r.Invitation); err != nil {
			return Link{}, err
		}
		now := s.env.Now()
		if r, err = s.lapse(ctx, r, now); err != nil {
			return Link{}, err
		}
		if r.State == Expired {
			if err := s.room(ctx, r.Invitation, now); err != nil {
				return Link{}, err
			}
		}
		token := mintToken()
		if choices.timed {
			r.Lasts = choices.lasts
		}
		r.Hash, r.ExpiresAt = token.Hash(), now.Add(r.Lasts)
		r.EndedAt, r.EndedBy = time.Time{}, ""
		r, err = s.step(ctx, actor, now, r, OnResend)
		return Link{Invitation: r.Invitation, Token: token}, err
	})
}

// takeKind locks the actor's team and an invitation of one kind in it.
func (s *Service) takeKind(ctx context.Context, actor tenancy.Actor, id tenancy.InvitationID, kind Kind) (Record, tenancy.Standing, error) {
	_, standing, err := s.people.Enter(ctx, actor)
	if err != nil {
		return Record{}, tenancy.Standing{}, err
	}
	r, err := s.take(ctx, standing, id)
	if err == nil && r.Kind != kind {
		err = tenancy.ErrNotFound
	}
	return r, standing, err
}

// LinkUses lists who came in by a link of the actor's team and when, the first first, also of a link
// that has ended and of users who are no longer in the team. Who may make links may read it.
//
// Errors: [*tenancy.InvalidError], [rbac.ErrDenied], [tenancy.ErrNotFound] for what is no link of the
// team.
func (s *Service) LinkUses(ctx context.Context, actor tenancy.Actor, id tenancy.InvitationID, page tenancy.Page) (tenancy.List[Use], error) {
	var none tenancy.List[Use]
	binding := []any{"link uses", actor.Team, id}
	keyset, err := page.Keyset(binding...)
	if err != nil {
		return none, err
	}
	inv, err := s.Get(ctx, actor, id)
	if err != nil {
		return none, err
	}
	if inv.Kind != ByLink {
		return none, tenancy.ErrNotFound
	}
	uses, err := s.store.Uses(ctx, actor.Team, id, keyset)
	if err != nil {
		return none, err
	}
	return tenancy.Paged(uses, keyset, func(u Use) (time.Time, uuid.UUID) { return u.At, u.User.UUID() }, binding...), nil
}

// isForDomain answers nil if a link lets in the owner of the address. Domains are compared as a
// whole, in their normal form.
func (r Record) isForDomain(a tenancy.Address) error {
	if r.Domain != "" && r.Domain != a.Domain() {
		return ErrWrongDomain
	}
	return nil
}

// accepted reports whether the invitation was accepted: a link by the user, any other by anyone.
func (s *Service) accepted(ctx context.Context, r Record, user tenancy.UserID) (bool, error) {
	if r.Kind != ByLink {
		return r.State == Accepted, nil
	}
	_, err := s.store.Use(ctx, r.Team, r.ID, user)
	if errors.Is(err, tenancy.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// shutsOut refuses somebody whom another removed from the team, where the invitation is not made out
// to them. Who has left by themselves comes back as they came.
func (r Record) shutsOut(a tenancy.Arrival) error {
	removed := !a.Former.User.IsZero() && a.Former.EndedBy != tenancy.Self(a.User.ID).Principal()
	if r.Kind == ByLink && removed {
		return ErrRemovedBefore
	}
	return nil
}

// count takes one use of a link that is locked, and says which event of the table it is that somebody
// comes in: with the last use a link is accepted, as any other invitation is with its only one.
func (s *Service) count(ctx context.Context, r Record, now time.Time) (Record, Event, error) {
	if r.Kind != ByLink {
		return r, OnAccept, nil
	}
	event := OnUse
	if r.Uses++; r.Uses == r.MaxUses {
		event = OnAccept
	}
	return r, event, s.store.InsertUse(ctx, Use{Team: r.Team, Link: r.ID, User: r.AcceptedBy, At: now})
}
