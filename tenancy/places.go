package tenancy

import (
	"context"
	"slices"
	"time"
)

// places are the teams of memberships, locked, with the memberships.
type places struct {
	memberships []Membership
	teams       map[TeamID]Team
}

// departures are those of the memberships that are active: of the others their suspension has freed
// what there was.
func (p places) departures(by Principal, at time.Time) (all []Departure) {
	for _, m := range p.memberships {
		if m.Status == MembershipActive {
			all = append(all, Departure{Team: p.teams[m.Team], User: m.User, By: by, At: at})
		}
	}
	return all
}

// active are the teams that are.
func (p places) active() (ids []TeamID) {
	for id, team := range p.teams {
		if team.Status == TeamActive {
			ids = append(ids, id)
		}
	}
	return ids
}

// lockPlaces locks the user's teams until there are no others: a team that somebody took the user
// into meanwhile is locked late, which can only cost a retry. The user is locked.
func (s *Service) lockPlaces(ctx context.Context, user UserID) (places, error) {
	p := places{teams: map[TeamID]Team{}}
	for {
		memberships, err := s.store.MembershipsOf(ctx, user)
		if err != nil {
			return places{}, err
		}
		fresh := slices.DeleteFunc(teamsOf(memberships), func(id TeamID) bool {
			_, locked := p.teams[id]
			return locked
		})
		if len(fresh) == 0 {
			p.memberships = memberships
			return p, nil
		}
		if err := s.lockTeams(ctx, p.teams, fresh); err != nil {
			return places{}, err
		}
	}
}

// lockTeams locks teams that exist, and notes them.
func (s *Service) lockTeams(ctx context.Context, locked map[TeamID]Team, ids []TeamID) error {
	teams, err := s.store.LockTeams(ctx, ids...)
	for _, t := range teams {
		locked[t.ID] = t
	}
	if err == nil && len(teams) != len(ids) {
		err = ErrNotFound
	}
	return err
}

// teamsOf are the teams of memberships that are in the order of their teams, each once.
func teamsOf(members []Membership) []TeamID {
	var teams []TeamID
	for _, m := range members {
		teams = append(teams, m.Team)
	}
	return slices.Compact(teams)
}
