package tenancy

import (
	"context"
	"errors"
)

// Arrival is a user at the door of a team: who they are, and what they are in the team already.
type Arrival struct {
	User User
	Team Team
	// Membership is zero for someone who has none, and for someone who was removed.
	Membership Membership

	frozen error
}

// Arrive locks a user and then a team, for the user to answer an invitation: nothing about the
// two and what stands between them changes until the transaction ends. It is what
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
	if a.User, err = s.store.LockUser(ctx, user); err != nil {
		return Arrival{}, err
	}
	if a.User.Status != UserActive {
		return Arrival{}, ErrInactive
	}
	a.Team, err = s.Lock(ctx, team)
	switch {
	case errors.Is(err, ErrAccountInactive), errors.Is(err, ErrTeamArchived):
		a.frozen = err
	case err != nil:
		return Arrival{}, err
	}
	a.Membership, err = s.present(ctx, team, user)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Arrival{}, err
	}
	return a, nil
}

// Open answers nil if somebody can be taken into the team now, and otherwise
// [ErrAccountInactive] or [ErrTeamArchived].
func (a Arrival) Open() error { return a.frozen }

// TeamByID reads a team on the host's authority, whatever its state.
func (s *Service) TeamByID(ctx context.Context, by System, id TeamID) (Team, error) {
	if err := by.Validate(); err != nil {
		return Team{}, err
	}
	return s.store.Team(ctx, id)
}
