package invite

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// Ask is an invitation the other way round: a user who is verified for an address of one of the
// team's [tenancy.Settings.JoinDomains] asks to be let in. It is of the kind [ByRequest], with the
// user as its Inviter and without a role: whoever may invite members finds it with [Service.List] and
// says [Service.AcceptRequest] or [Service.DeclineRequest]; the user can take it back with
// [Service.WithdrawRequest]. Either answer is mailed to the user.
//
// [tenancy.Service.JoinableTeams] lists the teams that the user can ask. Any other is not found, like one
// that does not exist, whatever the reason: nobody learns of teams by asking. A request stands for [DefaultExpiry]. Where the team asks
// for consent to [tenancy.Settings.Terms], it is given with the request, with [Terms].
//
// One request of a user can be pending in a team, beside an invitation to them. One whose time has
// passed makes room. What was declined can be asked again, within the [Limits].
//
// Errors: [tenancy.ErrNoPrincipal], [*tenancy.InvalidError], [tenancy.ErrNotFound],
// [tenancy.ErrInactive] for a user who may not act, [*tenancy.MemberError] for someone who is in the
// team, also if they are suspended, [tenancy.ErrAccountInactive], [tenancy.ErrTeamArchived],
// [*TermsError], [*PendingError], [*LimitError].
func (s *Service) Ask(ctx context.Context, user tenancy.UserID, team tenancy.TeamID, consents ...Consent) (Invitation, error) {
	if user.IsZero() {
		return Invitation{}, tenancy.ErrNoPrincipal
	}
	given := agreed(consents)
	by, request := tenancy.Self(user), []any{team, given.terms}
	return tenancy.Do(ctx, s.store, s.env, by, "Ask", request, func(ctx context.Context) (Invitation, error) {
		a, err := s.people.Arrive(ctx, user, team)
		if err != nil {
			return Invitation{}, err
		}
		if err := mayAsk(a); err != nil {
			return Invitation{}, err
		}
		terms, err := given.to(a.Team)
		if err != nil {
			return Invitation{}, err
		}
		now := s.env.Now()
		inv := Invitation{Account: a.Account.ID, Team: team, Kind: ByRequest, Email: a.User.Email, Inviter: user, Terms: terms}
		if err := s.makeRoomToAsk(ctx, inv, now); err != nil {
			return Invitation{}, err
		}
		if err := s.roomToAsk(ctx, inv, now); err != nil {
			return Invitation{}, err
		}
		return s.open(ctx, by, Record{Invitation: inv}, now, DefaultExpiry)
	})
}

// mayAsk answers nil if the user may know of the team and ask to join it.
func mayAsk(a tenancy.Arrival) error {
	if !a.Membership.User.IsZero() {
		return &tenancy.MemberError{Membership: a.Membership}
	}
	if domain := a.User.JoinDomain(); domain == "" || !slices.Contains(a.Team.Settings.JoinDomains, domain) {
		return tenancy.ErrNotFound
	}
	return a.Open()
}

// makeRoomToAsk sees to it that no other request of the user is pending in the team.
func (s *Service) makeRoomToAsk(ctx context.Context, inv Invitation, now time.Time) error {
	other, err := s.store.PendingRequest(ctx, inv.Team, inv.Inviter)
	if errors.Is(err, tenancy.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if other, err = s.lapse(ctx, other, now); err != nil || other.State != Pending {
		return err
	}
	return s.stands(ctx, other)
}

// AcceptRequest lets in whoever asks, with a role that is not above the actor's own. The request, the
// membership and the events are written in one transaction. It takes the right to invite members.
// Accepting it again answers a [*StateError]: the user is in the team.
//
// Errors: [*tenancy.InvalidError], [rbac.ErrDenied], [tenancy.ErrNotFound] for what is no request to
// join the actor's team, [*StateError], [*tenancy.MemberError] for a user who came in by another way,
// [ErrAddressChanged], [*DomainError], [*TermsError] where the team has other terms by now than the user agreed to,
// who has to ask anew, [tenancy.ErrInactive] also for a user who may not act any more,
// [*tenancy.SeatsError], [tenancy.ErrAccountInactive], [tenancy.ErrTeamArchived].
func (s *Service) AcceptRequest(ctx context.Context, actor tenancy.Actor, id tenancy.InvitationID, role rbac.Role) (Invitation, error) {
	if !role.InTeam() {
		return Invitation{}, &tenancy.InvalidError{Field: "role", Reason: "must be manager, member or restricted"}
	}
	request := []any{actor.Team, id, role}
	return tenancy.Do(ctx, s.store, s.env, actor, "AcceptRequest", request, func(ctx context.Context) (Invitation, error) {
		a, r, standing, err := s.takeRequest(ctx, actor, id)
		if err != nil {
			return Invitation{}, err
		}
		r.Role = role
		if _, err := s.mayOffer(ctx, standing, r.Invitation); err != nil {
			return Invitation{}, err
		}
		now := s.env.Now()
		if _, err := r.Kind.After(r.StateAt(now), OnAccept); err != nil {
			return Invitation{}, err
		}
		if err := s.conflict(ctx, r.Invitation, a.Membership, now); err != nil {
			return Invitation{}, err
		}
		if !a.User.Verified() || a.User.Email.Normal != r.Email.Normal {
			return Invitation{}, ErrAddressChanged
		}
		if err := invitable(a.Team, r.Email); err != nil {
			return Invitation{}, err
		}
		if _, err := (consent{r.Terms}).to(a.Team); err != nil {
			return Invitation{}, err
		}
		r.AcceptedBy = r.Inviter
		r, err = s.step(ctx, actor, now, r, OnAccept)
		return r.Invitation, err
	})
}

// takeRequest locks the account, the user who asks, the team, and the request. The request is found
// without a lock, because the user must be locked before the team, and read again once it is locked.
func (s *Service) takeRequest(ctx context.Context, actor tenancy.Actor, id tenancy.InvitationID) (tenancy.Arrival, Record, tenancy.Standing, error) {
	fail := func(err error) (tenancy.Arrival, Record, tenancy.Standing, error) {
		return tenancy.Arrival{}, Record{}, tenancy.Standing{}, err
	}
	found, err := s.Get(ctx, actor, id)
	if err != nil {
		return fail(err)
	}
	if found.Kind != ByRequest {
		return fail(tenancy.ErrNotFound)
	}
	a, err := s.people.Arrive(ctx, found.Inviter, actor.Team)
	if err != nil {
		return fail(err)
	}
	standing, err := s.people.Standing(ctx, actor)
	if err != nil {
		return fail(err)
	}
	r, err := s.store.LockInvitation(ctx, actor.Team, id)
	return a, r, standing, err
}

// DeclineRequest says no to whoever asks to join the actor's team. It takes the right to invite
// members. Declining it again changes nothing and succeeds for the same actor.
//
// Errors: [rbac.ErrDenied], [tenancy.ErrNotFound] for what is no request to join the actor's team,
// [*StateError], [tenancy.ErrAccountInactive], [tenancy.ErrTeamArchived].
func (s *Service) DeclineRequest(ctx context.Context, actor tenancy.Actor, id tenancy.InvitationID) (Invitation, error) {
	return tenancy.Do(ctx, s.store, s.env, actor, "DeclineRequest", []any{actor.Team, id}, func(ctx context.Context) (Invitation, error) {
		r, standing, err := s.takeKind(ctx, actor, id, ByRequest)
		if err != nil {
			return Invitation{}, err
		}
		if err := standing.Check(rights[ByRequest].offer); err != nil {
			return Invitation{}, err
		}
		if r.State == Declined && r.EndedBy == actor.Principal() {
			return r.Invitation, nil
		}
		r, err = s.step(ctx, actor, s.env.Now(), r, OnDecline)
		return r.Invitation, err
	})
}

// WithdrawRequest takes the user's own request to join a team back, also while the team can only be
// read. Withdrawing it again changes nothing and succeeds.
//
// Errors: [tenancy.ErrNoPrincipal], [tenancy.ErrInactive], [tenancy.ErrNotFound] for what is no
// request of the user, [*StateError].
func (s *Service) WithdrawRequest(ctx context.Context, user tenancy.UserID, team tenancy.TeamID, id tenancy.InvitationID) (Invitation, error) {
	if user.IsZero() {
		return Invitation{}, tenancy.ErrNoPrincipal
	}
	by, request := tenancy.Self(user), []any{team, id}
	return tenancy.Do(ctx, s.store, s.env, by, "WithdrawRequest", request, func(ctx context.Context) (Invitation, error) {
		if _, err := s.people.Arrive(ctx, user, team); err != nil {
			return Invitation{}, err
		}
		r, err := s.store.LockInvitation(ctx, team, id)
		if err == nil && (r.Kind != ByRequest || r.Inviter != user) {
			err = tenancy.ErrNotFound
		}
		if err != nil {
			return Invitation{}, err
		}
		return s.revoke(ctx, by, r)
	})
}

// MyRequests lists the user's own requests to join whatever team, newest first, ended ones included.
// States are as with [Service.Get].
//
// Errors: [*tenancy.InvalidError], [tenancy.ErrNoPrincipal], [tenancy.ErrNotFound],
// [tenancy.ErrInactive].
func (s *Service) MyRequests(ctx context.Context, user tenancy.UserID, page tenancy.Page) (tenancy.List[Invitation], error) {
	var none tenancy.List[Invitation]
	binding := []any{"my requests", user}
	keyset, err := page.Keyset(binding...)
	if err != nil {
		return none, err
	}
	if user.IsZero() {
		return none, tenancy.ErrNoPrincipal
	}
	u, err := s.people.User(ctx, user)
	if err == nil && u.Status != tenancy.UserActive {
		err = tenancy.ErrInactive
	}
	if err != nil {
		return none, err
	}
	records, err := s.store.RequestsOf(ctx, user, keyset)
	if err != nil {
		return none, err
	}
	return shown(records, s.env.Now(), keyset, binding), nil
}

// withdrawAll takes back the pending requests of a user who is deleted. Their teams are locked by id, as
// everybody locks them: two users who have asked the same teams can be deleted at once.
func (s *Service) withdrawAll(ctx context.Context, e tenancy.Erasure) error {
	pending, err := s.pendingRequests(ctx, e.User)
	if err != nil || len(pending) == 0 {
		return err
	}
	var teams []tenancy.TeamID
	for _, r := range pending {
		teams = append(teams, r.Team)
	}
	if _, err := s.people.LockTeams(ctx, teams...); err != nil {
		return err
	}
	return s.takeBack(ctx, e.By, e.At, pending)
}

// pendingRequests are the user's requests that nobody has answered.
func (s *Service) pendingRequests(ctx context.Context, user tenancy.UserID) (pending []Whereabouts, err error) {
	for page := (tenancy.Keyset{Limit: tenancy.MaxLimit}); ; {
		requests, err := s.store.RequestsOf(ctx, user, page)
		if err != nil {
			return nil, err
		}
		for _, r := range requests {
			if r.State == Pending {
				pending = append(pending, Whereabouts{r.Team, r.ID})
			}
		}
		if len(requests) < page.Limit {
			return pending, nil
		}
		last := requests[len(requests)-1]
		page.At, page.ID = last.CreatedAt, last.ID.UUID()
	}
}
