package tenancy

import (
	"context"
	"slices"
)

// InOrder sorts ids as the rows are locked, each once.
func InOrder[K any](ids ...ID[K]) []ID[K] {
	sorted := slices.Clone(ids)
	slices.SortFunc(sorted, func(a, b ID[K]) int { return slices.Compare(a[:], b[:]) })
	return slices.Compact(sorted)
}

// Lock takes a team that must be at work until the transaction ends, for the other rooms: to
// accept into it, to move a conversation to it. It must run inside a transaction.
//
// Errors: [ErrNotFound], [ErrAccountInactive], [ErrTeamArchived].
func (s *Service) Lock(ctx context.Context, id TeamID) (Team, error) {
	team, err := s.store.LockTeam(ctx, id)
	if err != nil {
		return Team{}, err
	}
	account, err := s.store.Account(ctx, team.Account)
	if err != nil {
		return Team{}, err
	}
	return team, frozen(account.Status, team.Status)
}

// LockTeams is [Service.Lock] for several teams, whatever their state, without those that do not exist.
func (s *Service) LockTeams(ctx context.Context, ids ...TeamID) ([]Team, error) {
	return s.store.LockTeams(ctx, ids...)
}

// LockAccount is [Service.Lock] for an account as a whole.
//
// Errors: [ErrNotFound], [ErrAccountInactive].
func (s *Service) LockAccount(ctx context.Context, id AccountID) (Account, error) {
	account, err := s.store.LockAccount(ctx, id)
	if err != nil {
		return Account{}, err
	}
	return account, frozen(account.Status, TeamActive)
}

// lockAccountOf takes the account of a team, which must be locked before users and teams are. A
// team never passes to another account, so it can be found without a lock.
func (s *Service) lockAccountOf(ctx context.Context, id TeamID) (Account, error) {
	team, err := s.store.Team(ctx, id)
	if err != nil {
		return Account{}, err
	}
	return s.store.LockAccount(ctx, team.Account)
}

// enterUser locks a user who must be active.
func (s *Service) enterUser(ctx context.Context, id UserID) (User, error) {
	if id.IsZero() {
		return User{}, ErrNoPrincipal
	}
	user, err := s.store.LockUser(ctx, id)
	if err == nil && user.Status != UserActive {
		return User{}, ErrInactive
	}
	return user, err
}
