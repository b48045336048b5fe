package tenancy

import (
	"context"
	"errors"
	"slices"

	"github.com/usher-go/usher/rbac"
)

// Standing is what an actor is in their team, as read a moment ago. Hold it no longer than
// the transaction it was read in.
type Standing struct {
	Actor   Actor
	Account AccountID
	Role    rbac.Role
	// Custom is the custom role on top of Role, its base; zero for someone without one.
	Custom RoleID
	// Autoclaim is the user's choice: see [User.Autoclaim].
	Autoclaim bool
	// Capacity is the team's: see [Settings].
	Capacity int

	rights rbac.Rights
	policy *rbac.Policy
	// frozen is why nothing but reading is left; nil in an active team of an active account.
	frozen error
}

// Standing reads what the actor is in their team; the other rooms decide with it. It answers
// [ErrNoPrincipal], [ErrNotFound] for a stranger and for a removed member, and [ErrInactive]
// for a suspended or expired one.
func (s *Service) Standing(ctx context.Context, actor Actor) (Standing, error) {
	if actor.User.IsZero() || actor.Team.IsZero() {
		return Standing{}, ErrNoPrincipal
	}
	a, err := s.store.Authority(ctx, actor.Team, actor.User)
	if err != nil {
		return Standing{}, err
	}
	return s.judge(actor, &a)
}

// judge says what the actor is by what was read.
func (s *Service) judge(actor Actor, a *Authority) (Standing, error) {
	switch {
	case a.Status == MembershipRemoved:
		return Standing{}, ErrNotFound
	case a.UserStatus != UserActive || !s.active(a):
		return Standing{}, ErrInactive
	}
	return Standing{
		Actor: actor, Account: a.Account, Role: a.Role, Custom: a.Custom,
		Autoclaim: a.Autoclaim, Capacity: a.Capacity,
		rights: s.rights(a.Role, a.CustomName, a.CustomPermissions),
		policy: s.policy, frozen: frozen(a.AccountStatus, a.TeamStatus),
	}, nil
}

// active is [Membership.ActiveAt] now. Most memberships never expire, and to read the clock takes longer
// than all else that is decided here.
func (s *Service) active(a *Authority) bool {
	return a.Status == MembershipActive && (a.ExpiresAt.IsZero() || s.env.Now().Before(a.ExpiresAt))
}

// Enter locks the actor's team and then reads their standing, so that nothing about the
// team's people changes until the transaction ends. It must run inside one.
func (s *Service) Enter(ctx context.Context, actor Actor) (Team, Standing, error) {
	if actor.User.IsZero() || actor.Team.IsZero() {
		return Team{}, Standing{}, ErrNoPrincipal
	}
	team, err := s.store.LockTeam(ctx, actor.Team)
	if err != nil {
		return Team{}, Standing{}, err
	}
	standing, err := s.Standing(ctx, actor)
	return team, standing, err
}

// EnterAccount is [Service.Enter] for what may take one of the account's seats: it locks the
// account before the team. It must run inside a transaction.
func (s *Service) EnterAccount(ctx context.Context, actor Actor) (Account, Team, Standing, error) {
	if actor.User.IsZero() || actor.Team.IsZero() {
		return Account{}, Team{}, Standing{}, ErrNoPrincipal
	}
	account, err := s.lockAccountOf(ctx, actor.Team)
	if err != nil {
		return Account{}, Team{}, Standing{}, err
	}
	team, standing, err := s.Enter(ctx, actor)
	return account, team, standing, err
}

// Entered is a team that is locked, and what an actor is in it.
type Entered struct {
	Team     Team
	Standing Standing
}

// EnterTeams is [Service.EnterAccount] for an actor who acts in several teams of the account of their own
// one: it locks the account and then all the teams, their own among them, and answers them in the order
// of their ids. A team of another account, and another team where the user is not active, is
// [ErrNotFound]. It must run inside a transaction.
func (s *Service) EnterTeams(ctx context.Context, actor Actor, ids ...TeamID) (Account, []Entered, error) {
	if actor.User.IsZero() || actor.Team.IsZero() {
		return Account{}, nil, ErrNoPrincipal
	}
	account, err := s.lockAccountOf(ctx, actor.Team)
	if err != nil {
		return Account{}, nil, err
	}
	all := InOrder(append([]TeamID{actor.Team}, ids...)...)
	teams, err := s.store.LockTeams(ctx, all...)
	if err == nil && (len(teams) != len(all) || slices.ContainsFunc(teams, func(t Team) bool { return t.Account != account.ID })) {
		err = ErrNotFound
	}
	if err != nil {
		return Account{}, nil, err
	}
	entered, err := s.standings(ctx, actor, teams)
	return account, entered, err
}

// standings are what the actor is in several teams, which are locked.
func (s *Service) standings(ctx context.Context, actor Actor, teams []Team) ([]Entered, error) {
	var ids []TeamID
	for _, team := range teams {
		ids = append(ids, team.ID)
	}
	authorities, err := s.store.Authorities(ctx, actor.User, ids...)
	if err != nil {
		return nil, err
	}
	in := map[TeamID]Authority{}
	for _, a := range authorities {
		in[a.Team] = a.Authority
	}
	entered := make([]Entered, len(teams))
	for i, team := range teams {
		a, found := in[team.ID]
		if !found {
			return nil, ErrNotFound
		}
		at := Actor{User: actor.User, Team: team.ID}
		standing, err := s.judge(at, &a)
		if at != actor && errors.Is(err, rbac.ErrDenied) {
			err = ErrNotFound
		}
		if err != nil {
			return nil, err
		}
		entered[i] = Entered{Team: team, Standing: standing}
	}
	return entered, nil
}

// Check answers nil if the actor's role has the permission in the whole team, and otherwise
// an error that says what was missing: a [*rbac.DeniedError], or one of the answers of
// [Service.Standing], or [ErrAccountInactive] and [ErrTeamArchived] where only reading is
// left. It costs one statement.
func (s *Service) Check(ctx context.Context, actor Actor, perm rbac.Permission) error {
	standing, err := s.Standing(ctx, actor)
	if err != nil {
		return err
	}
	return standing.check(perm, rbac.ByTeam)
}

// Check is [Service.Check] without reading anything anew.
func (st Standing) Check(perm rbac.Permission) error { return st.check(perm, rbac.ByTeam) }

// CheckGranted is Check for a permission on the one conversation that the actor holds a live
// grant for.
func (st Standing) CheckGranted(perm rbac.Permission) error { return st.check(perm, rbac.ByGrant) }

func (st *Standing) check(perm rbac.Permission, reach rbac.Reach) error {
	if !st.rights.Allows(perm, reach) {
		return st.rights.Denied(perm)
	}
	if st.frozen != nil && !perm.Reads() {
		return st.frozen
	}
	return nil
}

// Allows reports whether the role has the permission in the whole team, whatever the state
// of the account.
func (st Standing) Allows(perm rbac.Permission) bool { return st.rights.Allows(perm, rbac.ByTeam) }

// AllowsGranted is Allows for the one conversation that the actor holds a live grant for.
func (st Standing) AllowsGranted(perm rbac.Permission) bool {
	return st.rights.Allows(perm, rbac.ByGrant)
}

// Covers answers nil if the actor may act on, and grant, every one of the roles: nobody
// grants what they do not hold. The error is a [*rbac.DeniedError].
func (st Standing) Covers(perm rbac.Permission, roles ...rbac.Role) error {
	for _, role := range roles {
		if err := st.covers(perm, st.policy.Rights(role)); err != nil {
			return err
		}
	}
	return nil
}

// CoversCustom is [Standing.Covers] for a custom role of the account.
func (st Standing) CoversCustom(perm rbac.Permission, role CustomRole) error {
	return st.covers(perm, rightsOfRole(st.policy, role.Base, role.Name, role.Permissions))
}

func (st Standing) covers(perm rbac.Permission, rights rbac.Rights) error {
	switch {
	case st.rights.Covers(rights):
		return nil
	case st.Allows(perm):
		return st.rights.Outranked(perm)
	}
	return st.rights.Denied(perm)
}

// frozen says why only reading is left, if so.
func frozen(account AccountStatus, team TeamStatus) error {
	switch {
	case account != AccountActive:
		return ErrAccountInactive
	case team != TeamActive:
		return ErrTeamArchived
	}
	return nil
}
