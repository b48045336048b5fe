package tenancy

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/rbac"
)

// Team shares one identity, its contacts and its conversations among its members.
type Team struct {
	ID       TeamID
	Account  AccountID
	Name     string
	Identity Identity
	Status   TeamStatus
	// NameKey is what names are compared by; a store keeps it unique within the account.
	NameKey   string
	Settings  Settings
	CreatedAt time.Time
	Version   int64
}

// ToGuest is what somebody may know of a team who is in it and may not read it: what it is called and how it
// is reached. It is a list of what is shown, so that a new field is hidden until somebody thinks of it.
func (t Team) ToGuest() Team {
	return Team{ID: t.ID, Account: t.Account, Name: t.Name, Identity: t.Identity, Status: t.Status}
}

// TeamStatus says whether a team works.
type TeamStatus string

// The states of a team. An archived one can only be read, and its identity is free.
const (
	TeamActive   TeamStatus = "active"
	TeamArchived TeamStatus = "archived"
)

// TeamSpec describes a team to create. The identity may be left out.
type TeamSpec struct {
	Name     string
	Identity Identity
}

// CreateTeam makes a team in the holder's account; the holder becomes its first manager. The
// team, the membership and their events are written in one transaction.
//
// Errors: [*InvalidError], [ErrNotFound] for an account that the user does not hold,
// [ErrAccountInactive], [ErrNameTaken], [ErrIdentityTaken], [*SeatsError].
func (s *Service) CreateTeam(ctx context.Context, holder Holder, spec TeamSpec) (Team, error) {
	name, key, err := keyedName("team name", spec.Name)
	if err != nil {
		return Team{}, err
	}
	if !spec.Identity.IsZero() {
		if err := spec.Identity.Validate(); err != nil {
			return Team{}, err
		}
	}
	request := []any{holder.Account, name, spec.Identity}
	return Do(ctx, s.store, s.env, holder, "CreateTeam", request, func(ctx context.Context) (Team, error) {
		account, err := s.enterAccount(ctx, holder, rbac.CreateTeam)
		if err != nil {
			return Team{}, err
		}
		now := s.env.Now()
		team := Team{
			ID: NewID[TeamID](s.env), Account: account.ID, Name: name, NameKey: key,
			Identity: spec.Identity, Status: TeamActive, CreatedAt: now, Version: 1,
		}
		if err := s.teamIsNew(ctx, team); err != nil {
			return Team{}, err
		}
		if err := s.store.InsertTeam(ctx, team); err != nil {
			return Team{}, err
		}
		if err := s.store.Append(ctx, s.env.Event(holder, now, team.In(), TeamCreated,
			Facts{"team": team.ID.String()})); err != nil {
			return Team{}, err
		}
		manager := Membership{Team: team.ID, User: holder.User, Role: rbac.Manager, JoinedAt: now}
		if err := s.seatFor(ctx, holder, now, account, manager); err != nil {
			return Team{}, err
		}
		_, err = s.join(ctx, holder, team, manager)
		return team, err
	})
}

// teamIsNew looks for what the unique keys would refuse, to say which of them it was.
func (s *Service) teamIsNew(ctx context.Context, team Team) error {
	if _, err := s.store.TeamByName(ctx, team.Account, team.NameKey); !errors.Is(err, ErrNotFound) {
		return orTaken(err, ErrNameTaken)
	}
	if team.Identity.IsZero() {
		return nil
	}
	if _, err := s.store.TeamByIdentity(ctx, team.Identity); !errors.Is(err, ErrNotFound) {
		return orTaken(err, ErrIdentityTaken)
	}
	return nil
}

// orTaken answers the error of a look-up, or the conflict if the look-up found something.
func orTaken(err, taken error) error {
	if err != nil {
		return err
	}
	return taken
}

// Team reads the actor's team.
func (s *Service) Team(ctx context.Context, actor Actor) (Team, error) {
	if err := s.Check(ctx, actor, rbac.ReadTeam); err != nil {
		return Team{}, err
	}
	return s.store.Team(ctx, actor.Team)
}

// TeamByName finds a team of the actor's account by its name, compared as names are: without
// regard to case, width and spacing.
func (s *Service) TeamByName(ctx context.Context, actor Actor, name string) (Team, error) {
	name, err := Name("team name", name)
	if err != nil {
		return Team{}, err
	}
	standing, err := s.Standing(ctx, actor)
	if err != nil {
		return Team{}, err
	}
	if err := standing.Check(rbac.ReadTeam); err != nil {
		return Team{}, err
	}
	return s.store.TeamByName(ctx, standing.Account, nameKey(name))
}

// TeamByIdentity finds the active team that shows the identity to its contacts: where a
// first message goes.
func (s *Service) TeamByIdentity(ctx context.Context, by System, identity Identity) (Team, error) {
	if err := by.Validate(); err != nil {
		return Team{}, err
	}
	if err := identity.Validate(); err != nil {
		return Team{}, err
	}
	return s.store.TeamByIdentity(ctx, identity)
}

// MyTeams lists the teams in which the user has an active membership, by when they joined. A
// page may hold fewer teams than its limit where memberships have expired. A team in which their role, be it
// custom, may not read the team is shown as [Team.ToGuest] has it, as by [Service.Switch].
func (s *Service) MyTeams(ctx context.Context, user UserID, page Page) (List[TeamOfUser], error) {
	keyset, err := page.Keyset("my teams", user)
	if err != nil {
		return List[TeamOfUser]{}, err
	}
	if _, err := s.activeUser(ctx, user); err != nil {
		return List[TeamOfUser]{}, err
	}
	teams, err := s.store.TeamsOf(ctx, user, keyset)
	if err != nil {
		return List[TeamOfUser]{}, err
	}
	list := Paged(teams, keyset, func(t TeamOfUser) (time.Time, uuid.UUID) { return t.JoinedAt, t.Team.ID.UUID() }, "my teams", user)
	now := s.env.Now()
	list.Items = slices.DeleteFunc(list.Items, func(t TeamOfUser) bool { return !t.ActiveAt(now) })
	for i, t := range list.Items {
		if !s.rights(t.Role, t.CustomName, t.CustomPermissions).Allows(rbac.ReadTeam, rbac.ByTeam) {
			list.Items[i].Team = t.Team.ToGuest()
		}
	}
	return list, nil
}

// Switch makes a team the user's active one. It works only for a team in which the user has
// an active membership; any other is [ErrNotFound].
//
// The active team is a preference, for the host to open the right page: no operation reads
// an authority from it. Switching to the active team changes nothing.
func (s *Service) Switch(ctx context.Context, user UserID, team TeamID) (Team, error) {
	return Do(ctx, s.store, s.env, Self(user), "Switch", []any{team}, func(ctx context.Context) (Team, error) {
		if user.IsZero() {
			return Team{}, ErrNoPrincipal
		}
		u, err := s.store.LockUser(ctx, user)
		if err != nil {
			return Team{}, err
		}
		standing, err := s.Standing(ctx, Actor{User: user, Team: team})
		if err != nil {
			if errors.Is(err, rbac.ErrDenied) {
				return Team{}, ErrNotFound
			}
			return Team{}, err
		}
		found, err := s.store.Team(ctx, team)
		if !standing.Allows(rbac.ReadTeam) {
			found = found.ToGuest()
		}
		if err != nil || u.ActiveTeam == team {
			return found, err
		}
		u.ActiveTeam = team
		if err := s.store.UpdateUser(ctx, u); err != nil {
			return Team{}, err
		}
		return found, s.store.Append(ctx, s.env.Event(Self(user), s.env.Now(), u.in(), UserSwitched,
			Facts{"user": user.String(), "team": team.String()}))
	})
}
