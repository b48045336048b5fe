package tenancy

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/usher-go/usher/rbac"
)

// RenameTeam gives the actor's team another name. The same name changes nothing.
//
// Errors: [*InvalidError], [rbac.ErrDenied], [ErrNameTaken].
func (s *Service) RenameTeam(ctx context.Context, actor Actor, name string) (Team, error) {
	name, key, err := keyedName("team name", name)
	if err != nil {
		return Team{}, err
	}
	return Do(ctx, s.store, s.env, actor, "RenameTeam", []any{actor.Team, name}, func(ctx context.Context) (Team, error) {
		team, err := s.enterSettings(ctx, actor)
		if err != nil || team.Name == name {
			return team, err
		}
		other, err := s.store.TeamByName(ctx, team.Account, key)
		if err == nil && other.ID != team.ID {
			return Team{}, ErrNameTaken
		}
		if err != nil && !errors.Is(err, ErrNotFound) {
			return Team{}, err
		}
		team.Name, team.NameKey = name, key
		return s.updateTeam(ctx, actor, s.env.Now(), team, TeamRenamed, Facts{})
	})
}

// Configure replaces the settings of the actor's team: read them with [Service.Team], change what
// is to change, and give them all. What changes nothing writes nothing.
//
// Errors: [*InvalidError], [rbac.ErrDenied], [ErrNotFound] for a team to deliver to that is not
// one of the account's.
func (s *Service) Configure(ctx context.Context, actor Actor, settings Settings) (Team, error) {
	settings, err := settings.parse()
	if err != nil {
		return Team{}, err
	}
	return Do(ctx, s.store, s.env, actor, "Configure", []any{actor.Team, settings}, func(ctx context.Context) (Team, error) {
		team, err := s.enterSettings(ctx, actor)
		if err != nil || reflect.DeepEqual(team.Settings, settings) {
			return team, err
		}
		if err := s.sameAccount(ctx, team.Account, settings.DeliverTo); err != nil {
			return Team{}, err
		}
		team.Settings = settings
		return s.updateTeam(ctx, actor, s.env.Now(), team, TeamConfigured, Facts{})
	})
}

// sameAccount answers [ErrNotFound] unless all of the teams are the account's.
func (s *Service) sameAccount(ctx context.Context, account AccountID, ids []TeamID) error {
	if len(ids) == 0 {
		return nil
	}
	teams, err := s.store.Teams(ctx, ids...)
	if err == nil && (len(teams) != len(InOrder(ids...)) || slices.ContainsFunc(teams, func(t Team) bool { return t.Account != account })) {
		err = ErrNotFound
	}
	return err
}

func (s *Service) enterSettings(ctx context.Context, actor Actor) (Team, error) {
	team, standing, err := s.Enter(ctx, actor)
	if err != nil {
		return Team{}, err
	}
	return team, standing.Check(rbac.ConfigureTeam)
}

// updateTeam writes a change of a team that is locked, and its event.
func (s *Service) updateTeam(ctx context.Context, by Principal, at time.Time, team Team, kind string, facts Facts) (Team, error) {
	if err := s.store.UpdateTeam(ctx, team); err != nil {
		return Team{}, err
	}
	team.Version++
	facts["team"] = team.ID.String()
	return team, s.store.Append(ctx, s.env.Event(by, at, team.In(), kind, facts))
}

// Limits of the [Settings].
const (
	MaxStatuses   = 50
	MaxDeliverTo  = 200
	MaxTimeZone   = 60 // bytes
	MinAutoClose  = time.Minute
	MaxAutoClose  = 366 * 24 * time.Hour
	MaxCapacity   = 1000
	MaxDomains    = 100
	MaxTerms      = 60  // bytes
	MaxOptOutText = 160 // characters
	minutesOfADay = 24 * 60
)

// parse checks the settings and brings them into the one form in which they are kept.
func (s Settings) parse() (Settings, error) {
	if err := s.checkClock(); err != nil {
		return Settings{}, err
	}
	if s.AutoClose != 0 && (s.AutoClose < MinAutoClose || s.AutoClose > MaxAutoClose || s.AutoClose%time.Second != 0) {
		return Settings{}, &InvalidError{Field: "auto-close", Reason: "must be whole seconds from a minute to 366 days, or 0 for never"}
	}
	if !s.History.Known() {
		return Settings{}, &InvalidError{Field: "history", Reason: "must be invitation or now, or empty for all"}
	}
	if !s.ActiveApplication.Known() {
		return Settings{}, &InvalidError{Field: "active application", Reason: "must be latest, or empty for the first"}
	}
	if s.AutoAssign != "" && !s.AutoAssign.Known() {
		return Settings{}, &InvalidError{Field: "automatic assignment", Reason: "must be round-robin or least-loaded, or empty for none"}
	}
	if s.Capacity < 0 || s.Capacity > MaxCapacity {
		return Settings{}, &InvalidError{Field: "capacity", Reason: fmt.Sprintf("must be from 1 to %d, or 0 for any number", MaxCapacity)}
	}
	if len(s.DeliverTo) > MaxDeliverTo {
		return Settings{}, &InvalidError{Field: "teams to deliver to", Reason: fmt.Sprintf("must be at most %d", MaxDeliverTo)}
	}
	if s.DeliverTo != nil { // empty says none, which is not the same as nil
		s.DeliverTo = append([]TeamID{}, InOrder(s.DeliverTo...)...)
	}
	if len(s.Terms) > MaxTerms || !printable(s.Terms) {
		return Settings{}, &InvalidError{Field: "terms", Reason: fmt.Sprintf("must be a version of at most %d bytes of printable ASCII without spaces", MaxTerms)}
	}
	var err error
	if s.OptOutText, err = line("opt-out text", s.OptOutText, MaxOptOutText); err != nil {
		return Settings{}, err
	}
	if s.InviteDomains, err = parseDomains(s.InviteDomains); err != nil {
		return Settings{}, err
	}
	if s.JoinDomains, err = parseOwnDomains(s.JoinDomains); err != nil {
		return Settings{}, err
	}
	s.Statuses, err = parseStatuses(s.Statuses)
	return s, err
}

// checkClock checks when the team works.
func (s Settings) checkClock() error {
	if len(s.TimeZone) > MaxTimeZone {
		return &InvalidError{Field: "time zone", Reason: fmt.Sprintf("must have at most %d bytes", MaxTimeZone)}
	}
	// Local would mean something else on every machine.
	if _, err := time.LoadLocation(s.TimeZone); err != nil || s.TimeZone == "Local" {
		return &InvalidError{Field: "time zone", Reason: "must be an IANA name that this machine knows, such as Europe/Berlin"}
	}
	for _, day := range s.Hours {
		if free := day == (Hours{}); !free && (day.From < 0 || day.From >= day.To || day.To > minutesOfADay) {
			return &InvalidError{Field: "working hours", Reason: "must be in minutes since midnight, from before to, at most 1440; both 0 for a free day"}
		}
	}
	return nil
}

// parseOwnDomains are domains that can be a team's own.
func parseOwnDomains(given []string) ([]string, error) {
	domains, err := parseDomains(given)
	for _, domain := range domains {
		if err == nil {
			err = OwnDomain(domain)
		}
	}
	return domains, err
}

func parseStatuses(given []OutcomeStatus) ([]OutcomeStatus, error) {
	if len(given) > MaxStatuses {
		return nil, &InvalidError{Field: "statuses", Reason: fmt.Sprintf("must be at most %d", MaxStatuses)}
	}
	var statuses []OutcomeStatus
	seen := map[string]bool{}
	for _, status := range given {
		label, key, err := keyedName("status", status.Label)
		if err != nil {
			return nil, err
		}
		if seen[key] {
			return nil, &InvalidError{Field: "statuses", Reason: fmt.Sprintf("must have %q once", label)}
		}
		seen[key] = true
		switch status.Category {
		case Positive, Neutral, Negative:
		default:
			return nil, &InvalidError{Field: "category", Reason: "must be positive, neutral or negative"}
		}
		statuses = append(statuses, OutcomeStatus{Label: label, Category: status.Category})
	}
	return statuses, nil
}
