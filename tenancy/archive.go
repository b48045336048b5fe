package tenancy

import (
	"context"
	"errors"
	"time"

	"github.com/usher-go/usher/rbac"
)

// Leftovers says what becomes of the conversations that a team has not closed when it is archived.
// The zero value is nothing: there must be none.
type Leftovers struct {
	// Close closes them.
	Close bool
	// MoveTo moves them to another active team of the account, in which the actor may take
	// conversations; zero for none. It cannot be combined with Close.
	MoveTo TeamID
}

// Archival is the archiving of a team, as the other rooms hear of it.
type Archival struct {
	Team Team
	By   Actor
	Leftovers
}

// Archivist is the room that owns a team's conversations. Both teams are locked. Whether the other
// one is at work, of the same account, and what the actor may do in it, is for the room to check.
type Archivist interface {
	// Archive deals with what is open, as the archival says, or refuses with an error that is
	// [ErrConflict].
	Archive(ctx context.Context, a Archival) error
}

// BindArchivist names who deals with the conversations of a team that is archived. It belongs to
// the construction of the rooms, before the first call.
func (s *Service) BindArchivist(a Archivist) { s.archivist = a }

// Archive ends the work of the actor's team: from the commit on it can only be read, its identity
// is free, and its members take no seats. Conversations that are not closed are dealt with as
// open says, in the same transaction. Archiving it again changes nothing.
//
// Errors: [rbac.ErrDenied], [*InvalidError], [ErrNotFound] for a team to move to that the actor is
// not in or that is of another account, [ErrAccountInactive], and [ErrConflict] where conversations
// are open and nothing is said of them.
func (s *Service) Archive(ctx context.Context, actor Actor, open Leftovers) (Team, error) {
	if open.Close && !open.MoveTo.IsZero() || open.MoveTo == actor.Team && !actor.Team.IsZero() {
		return Team{}, &InvalidError{Field: "leftovers", Reason: "must be closed, or moved to another team"}
	}
	return Do(ctx, s.store, s.env, actor, "Archive", []any{actor.Team, open}, func(ctx context.Context) (Team, error) {
		team, standing, err := s.enterArchive(ctx, actor, open.MoveTo)
		if err != nil {
			return Team{}, err
		}
		switch err := standing.Check(rbac.ArchiveTeam); {
		case errors.Is(err, ErrTeamArchived):
			return team, nil
		case err != nil:
			return Team{}, err
		}
		if err := s.archivist.Archive(ctx, Archival{Team: team, By: actor, Leftovers: open}); err != nil {
			return Team{}, err
		}
		return s.changeTeamStatus(ctx, actor, s.env.Now(), team, TeamArchived)
	})
}

// Restore puts an archived team of the actor's back to work, with the identity that it had.
// Restoring an active team changes nothing.
//
// Errors: [rbac.ErrDenied], [ErrAccountInactive], [ErrIdentityTaken] if another team has taken its
// identity since, [*SeatsError], [ErrLastManager] if no lasting manager is left in it.
func (s *Service) Restore(ctx context.Context, actor Actor) (Team, error) {
	return Do(ctx, s.store, s.env, actor, "Restore", []any{actor.Team}, func(ctx context.Context) (Team, error) {
		account, team, standing, err := s.EnterAccount(ctx, actor)
		switch {
		case err != nil:
			return Team{}, err
		case !standing.Allows(rbac.ArchiveTeam):
			return Team{}, standing.rights.Denied(rbac.ArchiveTeam)
		case account.Status != AccountActive:
			return Team{}, ErrAccountInactive
		case team.Status == TeamActive:
			return team, nil
		}
		if err := s.managed(ctx, team.ID); err != nil {
			return Team{}, err
		}
		if !team.Identity.IsZero() {
			if _, err := s.store.TeamByIdentity(ctx, team.Identity); !errors.Is(err, ErrNotFound) {
				return Team{}, orTaken(err, ErrIdentityTaken)
			}
		}
		now := s.env.Now()
		if team, err = s.changeTeamStatus(ctx, actor, now, team, TeamActive); err != nil {
			return Team{}, err
		}
		return team, s.seatAll(ctx, actor, now, account)
	})
}

// enterArchive locks the actor's team and the one to move to, in the order of their ids. Nobody
// locks a team that they are not in. Who is in it is read without a lock, since the locks of
// memberships come after those of teams: it can but be too early, and then the team is not found.
func (s *Service) enterArchive(ctx context.Context, actor Actor, target TeamID) (Team, Standing, error) {
	var absent error
	if !target.IsZero() && !actor.Team.IsZero() {
		if _, absent = s.present(ctx, target, actor.User); absent == nil {
			for _, id := range InOrder(actor.Team, target) {
				if _, err := s.store.LockTeam(ctx, id); err != nil {
					return Team{}, Standing{}, err
				}
			}
		}
	}
	team, standing, err := s.Enter(ctx, actor)
	if err == nil && standing.Allows(rbac.ArchiveTeam) { // who may not archive learns nothing of teams
		err = absent
	}
	return team, standing, err
}

func (s *Service) changeTeamStatus(ctx context.Context, by Principal, at time.Time, team Team, to TeamStatus) (Team, error) {
	from := team.Status
	team.Status = to
	return s.updateTeam(ctx, by, at, team, TeamStatusChanged, Facts{"from": string(from), "to": string(to)})
}

// nothingOpen stands in until an Archivist is bound: there are no conversations then.
type nothingOpen struct{}

func (nothingOpen) Archive(context.Context, Archival) error { return nil }
