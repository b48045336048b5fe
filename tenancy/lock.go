package tenancy

import "context"

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
