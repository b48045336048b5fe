package memory

import (
	"cmp"
	"context"
	"slices"

	"github.com/usher-go/usher/tenancy"
)

type teamRow struct {
	account *accountRow
	tenancy.Team
	facts         *teamFacts
	live          tenancy.Identity    // what the team keeps others from taking, or zero
	members       list[membershipRow] // not removed, by (JoinedAt, user)
	managers      list[membershipRow] // lasting members who may be managers, by user
	invitations   invitationLists
	conversations desk
	idle          list[conversationRow] // open and answered, by (IdleSince, id)
	deliveries    list[deliveryRow]     // from or to the team, by (CreatedAt, id)
	stream        stream
}

// teamLists are those in which the team stands.
func (s *Store) teamLists(t *teamRow, visit func(*list[teamRow], place)) {
	visit(&t.account.teams, placeAt(t.CreatedAt, t.ID))
	if t.Settings.AutoClose != 0 {
		visit(s.autoClosing, placeByID(t.ID))
	}
	for _, domain := range t.Settings.JoinDomains {
		visit(lazily(s.joinable, domain), placeAt(t.CreatedAt, t.ID))
	}
}

// teamName is a team's name as it is compared.
type teamName struct {
	account tenancy.AccountID
	key     string
}

// InsertTeam implements [tenancy.TeamStore].
func (s *Store) InsertTeam(ctx context.Context, t tenancy.Team) error {
	return s.write(ctx, func() error {
		if err := checkTeam(&t); err != nil {
			return err
		}
		account, err := referred(s.accounts.get(t.Account))
		if err != nil {
			return err
		}
		t.Version = 1
		facts := teamFactsOf(t)
		row := &teamRow{Team: t, facts: &facts, account: account}
		if err := cmp.Or(
			s.teams.insert(t.ID, row),
			s.teamNames.move(teamName{}, teamName{t.Account, t.NameKey}, row),
			s.identify(row, liveIdentity(t)),
		); err != nil {
			return err
		}
		enlist(s.log, row, s.teamLists)
		return nil
	})
}

// UpdateTeam implements [tenancy.TeamStore].
func (s *Store) UpdateTeam(ctx context.Context, t tenancy.Team) error {
	return s.write(ctx, func() error {
		row, err := s.teamOf(t.Account, t.ID)
		if err != nil {
			return err
		}
		if err := cmp.Or(sameVersion(row.Version, t.Version), checkTeam(&t)); err != nil {
			return err
		}
		t.Version++
		if err := cmp.Or(
			s.teamNames.move(teamName{row.Account, row.NameKey}, teamName{t.Account, t.NameKey}, row),
			s.identify(row, liveIdentity(t)),
		); err != nil {
			return err
		}
		relist(s.log, row, s.teamLists, func() {
			set(s.log, &row.Team, t)
			set(s.log, row.facts, teamFactsOf(t))
		})
		return nil
	})
}

func checkTeam(t *tenancy.Team) error {
	utc(&t.CreatedAt)
	t.Settings = copied(t.Settings)
	if err := oneOf("status", t.Status, tenancy.TeamActive, tenancy.TeamArchived); err != nil {
		return err
	}
	if t.Identity.IsZero() {
		return nil
	}
	return channel(t.Identity.Channel)
}

// identify gives the team the identity that it keeps others from taking, or none.
func (s *Store) identify(row *teamRow, live tenancy.Identity) error {
	if err := s.identities.move(row.live, live, row); err != nil {
		return err
	}
	set(s.log, &row.live, live)
	return nil
}

// ReleaseIdentities implements [tenancy.TeamStore].
func (s *Store) ReleaseIdentities(ctx context.Context, account tenancy.AccountID) error {
	return s.write(ctx, func() error {
		row := s.accounts.rows[account]
		if row == nil {
			return nil
		}
		for t := range merged(ascending, ascending.beginning(), &row.teams) {
			if err := s.identify(t, tenancy.Identity{}); err != nil {
				return err
			}
		}
		return nil
	})
}

// liveIdentity is the identity that a team in this state takes, or zero.
func liveIdentity(t tenancy.Team) tenancy.Identity {
	if t.Status != tenancy.TeamActive {
		return tenancy.Identity{}
	}
	return t.Identity
}

// teamOf finds a team of the account.
func (s *Store) teamOf(account tenancy.AccountID, id tenancy.TeamID) (*teamRow, error) {
	row, err := s.teams.get(id)
	if err != nil || row.Account != account {
		return nil, tenancy.ErrNotFound
	}
	return row, nil
}

// LockTeam implements [tenancy.TeamStore].
func (s *Store) LockTeam(ctx context.Context, id tenancy.TeamID) (tenancy.Team, error) {
	return lock(ctx, s, func() (tenancy.Team, error) { return team(s.teams.get(id)) })
}

// LockTeams implements [tenancy.TeamStore].
func (s *Store) LockTeams(ctx context.Context, ids ...tenancy.TeamID) ([]tenancy.Team, error) {
	return lock(ctx, s, func() ([]tenancy.Team, error) { return shown(those(s.teams.get, ids), team), nil })
}

// Teams implements [tenancy.TeamStore].
func (s *Store) Teams(ctx context.Context, ids ...tenancy.TeamID) ([]tenancy.Team, error) {
	return read(ctx, s, func() ([]tenancy.Team, error) { return shown(those(s.teams.get, ids), team), nil })
}

// Team implements [tenancy.TeamStore].
func (s *Store) Team(ctx context.Context, id tenancy.TeamID) (tenancy.Team, error) {
	return read(ctx, s, func() (tenancy.Team, error) { return team(s.teams.get(id)) })
}

// TeamByName implements [tenancy.TeamStore].
func (s *Store) TeamByName(ctx context.Context, account tenancy.AccountID, nameKey string) (tenancy.Team, error) {
	return read(ctx, s, func() (tenancy.Team, error) { return team(s.teamNames.get(teamName{account, nameKey})) })
}

// TeamByIdentity implements [tenancy.TeamStore].
func (s *Store) TeamByIdentity(ctx context.Context, identity tenancy.Identity) (tenancy.Team, error) {
	return read(ctx, s, func() (tenancy.Team, error) { return team(s.identities.get(identity)) })
}

func team(row *teamRow, err error) (tenancy.Team, error) {
	if err != nil {
		return tenancy.Team{}, err
	}
	return row.copy(), nil
}

// copy shares no memory with the row.
func (t *teamRow) copy() tenancy.Team {
	team := t.Team
	team.Settings = copied(team.Settings)
	return team
}

func copied(s tenancy.Settings) tenancy.Settings {
	s.Statuses = some(s.Statuses)
	s.DeliverTo = slices.Clone(s.DeliverTo) // nil and empty mean different things
	s.JoinDomains, s.InviteDomains = some(s.JoinDomains), some(s.InviteDomains)
	return s
}

// TeamsIn implements [tenancy.TeamStore].
func (s *Store) TeamsIn(ctx context.Context, account tenancy.AccountID, page tenancy.Keyset) ([]tenancy.Team, error) {
	return read(ctx, s, func() ([]tenancy.Team, error) {
		row := s.accounts.rows[account]
		if row == nil {
			return nil, nil
		}
		teams := merged(ascending, ascending.start(page), &row.teams)
		return paged(teams, page.Limit, func(t *teamRow) (tenancy.Team, bool) { return t.copy(), true }), nil
	})
}

// JoinableTeams implements [tenancy.TeamStore].
func (s *Store) JoinableTeams(ctx context.Context, domain string, user tenancy.UserID, page tenancy.Keyset) ([]tenancy.Team, error) {
	return read(ctx, s, func() ([]tenancy.Team, error) {
		teams := merged(ascending, ascending.start(page), s.joinable[domain])
		return paged(teams, page.Limit, func(t *teamRow) (tenancy.Team, bool) {
			m, err := s.memberships.get(teamUser{t.ID, user})
			outside := err != nil || m.Status == tenancy.MembershipRemoved
			return t.copy(), outside && t.Status == tenancy.TeamActive && t.account.Status == tenancy.AccountActive
		}), nil
	})
}
