package tenancy

import (
	"cmp"
	"context"
	"errors"
)

// Arrival is a user at the door of a team, or of an account: who they are, and what they are in
// the team already.
type Arrival struct {
	Account Account
	User    User
	// Team is zero at the door of an account.
	Team Team
	// Membership is zero for someone who has none, and for someone who was removed.
	Membership Membership
	// Former is the membership of someone who was removed or has left; zero for anyone else.
	Former Membership

	frozen error
}

// Arrive locks an account, a user and a team, for the user to answer an invitation: nothing about
// the three and what stands between them changes until the transaction ends. It is what
// [Service.Enter] is for those who are in the team. It must run inside a transaction.
//
// Errors: [ErrNoPrincipal], [ErrNotFound], [ErrInactive] for a user who may not act at all. A
// team that can only be read is no error: see [Arrival.Open].
func (s *Service) Arrive(ctx context.Context, user UserID, team TeamID) (Arrival, error) {
	if user.IsZero() {
		return Arrival{}, ErrNoPrincipal
	}
	var a Arrival
	var err error
	if a.Account, err = s.lockAccountOf(ctx, team); err != nil {
		if !errors.Is(err, ErrNotFound) {
			return Arrival{}, err
		}
		_, inactive := s.enterUser(ctx, user) // who may not act does not learn which teams there are
		return Arrival{}, cmp.Or(inactive, err)
	}
	if a.User, err = s.enterUser(ctx, user); err != nil {
		return Arrival{}, err
	}
	if a.Team, err = s.store.LockTeam(ctx, team); err != nil {
		return Arrival{}, err
	}
	a.frozen = frozen(a.Account.Status, a.Team.Status)
	m, err := s.store.Membership(ctx, team, user)
	switch {
	case errors.Is(err, ErrNotFound):
	case err != nil:
		return Arrival{}, err
	case m.Status == MembershipRemoved:
		a.Former = m
	default:
		a.Membership = m
	}
	return a, nil
}

// ArriveAtAccount is [Service.Arrive] for somebody who is to hold the account: it locks the
// account and the user.
func (s *Service) ArriveAtAccount(ctx context.Context, user UserID, account AccountID) (Arrival, error) {
	if user.IsZero() {
		return Arrival{}, ErrNoPrincipal
	}
	var a Arrival
	var err error
	if a.Account, err = s.store.LockAccount(ctx, account); err != nil {
		return Arrival{}, err
	}
	a.frozen = frozen(a.Account.Status, TeamActive)
	a.User, err = s.enterUser(ctx, user)
	return a, err
}

// Open answers nil if somebody can be taken in now, and otherwise
// [ErrAccountInactive] or [ErrTeamArchived].
func (a Arrival) Open() error { return a.frozen }

// AccountByID reads an account on the host's authority, whatever its state.
func (s *Service) AccountByID(ctx context.Context, by System, id AccountID) (Account, error) {
	if err := by.Validate(); err != nil {
		return Account{}, err
	}
	return s.store.Account(ctx, id)
}

// RoleByID reads a custom role of an account on the host's authority.
func (s *Service) RoleByID(ctx context.Context, by System, account AccountID, id RoleID) (CustomRole, error) {
	if err := by.Validate(); err != nil {
		return CustomRole{}, err
	}
	return s.store.Role(ctx, account, id)
}

// RolesByAccount lists the custom roles of an account on the host's authority, by when they were made.
func (s *Service) RolesByAccount(ctx context.Context, by System, account AccountID) ([]CustomRole, error) {
	if err := by.Validate(); err != nil {
		return nil, err
	}
	return s.store.RolesIn(ctx, account)
}

// TeamByID reads a team on the host's authority, whatever its state.
func (s *Service) TeamByID(ctx context.Context, by System, id TeamID) (Team, error) {
	if err := by.Validate(); err != nil {
		return Team{}, err
	}
	return s.store.Team(ctx, id)
}

// TeamsByAccount lists the teams of an account on the host's authority, whatever their state, by when they
// were made.
func (s *Service) TeamsByAccount(ctx context.Context, by System, account AccountID, page Page) (List[Team], error) {
	if err := by.Validate(); err != nil {
		return List[Team]{}, err
	}
	return s.teams(ctx, account, page)
}

// NamesOf are the names of users, for the other rooms; of who does not exist there is none.
func (s *Service) NamesOf(ctx context.Context, by System, ids ...UserID) (map[UserID]string, error) {
	if err := by.Validate(); err != nil || len(ids) == 0 {
		return nil, err
	}
	users, err := s.store.Users(ctx, ids...)
	names := map[UserID]string{}
	for _, u := range users {
		names[u.ID] = u.Name
	}
	return names, err
}
