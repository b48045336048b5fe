package tenancy_test

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

// machine is one account in which anything may happen to anybody, in any order.
type machine struct {
	*scene
	rt    *rapid.T
	teams []tenancy.Team
	users []tenancy.User
	roles []tenancy.CustomRole
}

// C9, Spec 4.1, 4.7: whatever happens, every active team keeps a lasting manager; what changes
// nothing writes nothing, and what changes something is told; and every refusal is typed.
func TestC9_WhateverHappens(t *testing.T) {
	onEveryStore(t, func(t *testing.T, s *scene) {
		n, left := 0, 15 // on a database each step is some fifty statements
		if strings.HasSuffix(t.Name(), "memory") {
			left = math.MaxInt
		}
		rapid.Check(t, func(rt *rapid.T) {
			if left--; left < 0 {
				return
			}
			n++
			m := newMachine(s, rt, n)
			steps := rapid.IntRange(5, 25).Draw(rt, "steps")
			for range steps {
				name := rapid.SampledFrom(slices.Sorted(maps.Keys(moves))).Draw(rt, "move")
				m.step(name)
			}
		})
	})
}

func newMachine(s *scene, rt *rapid.T, n int) *machine {
	m := &machine{scene: s, rt: rt}
	for _, name := range []string{"owner", "ann", "ben", "cleo"} {
		m.users = append(m.users, s.user(fmt.Sprint(name, "-", n)))
	}
	m.teams = append(m.teams, s.team(m.users[0], "Sales"))
	holder := s.holder(m.teams[0].ID)
	hiring, err := s.people.CreateTeam(s.t.Context(), holder, tenancy.TeamSpec{Name: "Hiring"})
	require.NoError(rt, err)
	m.teams = append(m.teams, hiring)
	m.roles = append(m.roles, s.custom(hiring.ID, "Lead", "member: change role", "member: remove"), s.custom(hiring.ID, "Auditor", "audit: read"))
	for _, u := range m.users[1:] {
		_, err := s.people.Admit(s.t.Context(), host, tenancy.Admission{Team: m.teams[0].ID, User: u.ID, Role: rbac.Manager})
		require.NoError(rt, err)
	}
	return m
}

// pick draws one of several, by its number, so that a failure stays short.
func pick[T any](rt *rapid.T, what string, of []T) T {
	return of[rapid.IntRange(0, len(of)-1).Draw(rt, what)]
}

func (m *machine) team() tenancy.TeamID { return pick(m.rt, "team", m.teams).ID }
func (m *machine) user() tenancy.UserID { return pick(m.rt, "user", m.users).ID }
func (m *machine) role() tenancy.RoleID { return pick(m.rt, "custom", m.roles).ID }
func (m *machine) plain() rbac.Role     { return pick(m.rt, "role", rbac.TeamRoles()) }
func (m *machine) actor() tenancy.Actor {
	return tenancy.Actor{User: pick(m.rt, "actor", m.users).ID, Team: m.team()}
}

// later is a time from now on, or never.
func (m *machine) later() time.Time {
	minutes := rapid.IntRange(0, 3).Draw(m.rt, "minutes")
	if minutes == 0 {
		return time.Time{}
	}
	return m.now.Add(time.Duration(minutes) * time.Minute)
}

var moves = map[string]func(m *machine) error{
	"admit": func(m *machine) error {
		_, err := m.people.Admit(m.t.Context(), host, tenancy.Admission{Team: m.team(), User: m.user(), Role: m.plain(), ExpiresAt: m.later()})
		return err
	},
	"change role": func(m *machine) error {
		_, err := m.people.ChangeRole(m.t.Context(), m.actor(), m.user(), m.plain())
		return err
	},
	"give role": func(m *machine) error {
		_, err := m.people.GiveRole(m.t.Context(), m.actor(), m.user(), m.role())
		return err
	},
	"edit role": func(m *machine) error {
		permissions := rapid.SliceOfDistinct(rapid.SampledFrom([]string{"member: change role", "audit: read"}), rapid.ID[string]).Draw(m.rt, "permissions")
		id := m.role()
		_, err := m.people.EditRole(m.t.Context(), m.scene.holder(m.teams[0].ID), id,
			tenancy.RoleSpec{Name: "Role " + id.String(), Base: rbac.Member, Permissions: permissions})
		return err
	},
	"remove": func(m *machine) error { return m.people.Remove(m.t.Context(), m.actor(), m.user()) },
	"leave":  func(m *machine) error { return m.people.Leave(m.t.Context(), m.actor()) },
	"suspend": func(m *machine) error {
		_, err := m.people.Suspend(m.t.Context(), m.actor(), m.user())
		return err
	},
	"reactivate": func(m *machine) error {
		_, err := m.people.Reactivate(m.t.Context(), m.actor(), m.user())
		return err
	},
	"set expiry": func(m *machine) error {
		_, err := m.people.SetExpiry(m.t.Context(), m.actor(), m.user(), m.later())
		return err
	},
	"time passes": func(m *machine) error {
		m.now = m.now.Add(time.Duration(rapid.IntRange(1, 3).Draw(m.rt, "minutes")) * time.Minute)
		return nil
	},
	"sweep": func(m *machine) error {
		_, err := m.people.ExpireMembers(m.t.Context(), host)
		return err
	},
	"suspend user": func(m *machine) error {
		_, err := m.people.SuspendUser(m.t.Context(), host, m.user())
		return err
	},
	"reactivate user": func(m *machine) error {
		_, err := m.people.ReactivateUser(m.t.Context(), host, m.user())
		return err
	},
	"delete user": func(m *machine) error {
		return m.people.DeleteUser(m.t.Context(), host, m.user(), pick(m.rt, "successor", append([]tenancy.User{{}}, m.users...)).ID)
	},
	"archive": func(m *machine) error {
		_, err := m.people.Archive(m.t.Context(), m.actor(), tenancy.Leftovers{})
		return err
	},
	"restore": func(m *machine) error {
		_, err := m.people.Restore(m.t.Context(), m.actor())
		return err
	},
	"suspend account": func(m *machine) error {
		_, err := m.people.SuspendAccount(m.t.Context(), host, m.teams[0].Account)
		return err
	},
	"reactivate account": func(m *machine) error {
		_, err := m.people.ReactivateAccount(m.t.Context(), host, m.teams[0].Account)
		return err
	},
	"limit seats": func(m *machine) error {
		seats := tenancy.Seats{Rule: tenancy.HardSeats, Limit: rapid.IntRange(1, 5).Draw(m.rt, "seats")}
		_, err := m.people.SetSeats(m.t.Context(), host, m.teams[0].Account, seats)
		return err
	},
}

// step makes one move and looks at what it left.
func (m *machine) step(name string) {
	before, told := m.state(), m.tells()
	err := moves[name](m)
	after, now := m.state(), m.tells()
	if err != nil {
		m.refused(name, err)
		require.Equal(m.rt, before, after, "%s was refused and changed something", name)
	}
	changed := before.rows != after.rows
	require.Equal(m.rt, changed, now > told, "%s: what changes is told, and nothing else is (%v)", name, err)
	for team, managers := range after.managers {
		require.Positive(m.rt, managers, "%s left team %s without a lasting manager", name, team)
	}
	if after.seated > before.seated && name != "time passes" && after.limit >= 0 {
		require.LessOrEqual(m.rt, after.seated, after.limit, "%s seated too many", name)
	}
}

// tells counts the events of the account, its people and its teams. A sweep also expires members
// of the accounts of earlier rounds.
func (m *machine) tells() int {
	n := len(m.accountEvents(m.teams[0].Account))
	for _, u := range m.users {
		n += len(m.userEvents(u.ID))
	}
	for _, team := range m.teams {
		n += len(m.streamed(outbox.Stream{Kind: outbox.TeamStream, ID: team.ID.UUID()}))
	}
	return n
}

func (m *machine) refused(name string, err error) {
	for _, class := range []error{rbac.ErrDenied, tenancy.ErrNotFound, tenancy.ErrConflict, tenancy.ErrInvalid, tenancy.ErrLimit} {
		if errors.Is(err, class) {
			return
		}
	}
	m.rt.Fatalf("%s: %v is of no class", name, err)
}

// state is the account as its rows have it, folded by hand.
type state struct {
	rows     string
	managers map[tenancy.TeamID]int // lasting ones, of active teams
	seated   int
	limit    int // -1 without one
}

func (m *machine) state() state {
	ctx := m.t.Context()
	s := state{managers: map[tenancy.TeamID]int{}, limit: -1}
	account, err := m.store.Account(ctx, m.teams[0].Account)
	require.NoError(m.rt, err)
	if account.Seats.Rule == tenancy.HardSeats {
		s.limit = account.Seats.Limit
	}
	roles, err := m.store.RolesIn(ctx, account.ID)
	require.NoError(m.rt, err)
	manages := map[tenancy.RoleID]bool{}
	for _, r := range roles {
		manages[r.ID] = slices.Contains(r.Permissions, "member: change role")
	}
	rows := fmt.Sprint(account, roles)
	users := map[tenancy.UserID]tenancy.User{}
	for _, u := range m.users {
		users[u.ID], err = m.store.User(ctx, u.ID)
		require.NoError(m.rt, err)
		rows += fmt.Sprint(users[u.ID])
	}
	seated := map[tenancy.UserID]bool{}
	for _, known := range m.teams {
		team, err := m.store.Team(ctx, known.ID)
		require.NoError(m.rt, err)
		rows += fmt.Sprint(team)
		if team.Status == tenancy.TeamActive {
			s.managers[team.ID] = 0
		}
		for _, u := range m.users {
			user := users[u.ID]
			row, err := m.store.Membership(ctx, team.ID, u.ID)
			if errors.Is(err, tenancy.ErrNotFound) {
				continue
			}
			require.NoError(m.rt, err)
			rows += fmt.Sprint(row)
			if team.Status != tenancy.TeamActive || row.Status != tenancy.MembershipActive {
				continue
			}
			if row.ExpiresAt.IsZero() && user.Status == tenancy.UserActive && (row.Role == rbac.Manager || manages[row.Custom]) {
				s.managers[team.ID]++
			}
			if row.ActiveAt(m.now) && row.Role != rbac.Restricted {
				seated[u.ID] = true
			}
		}
	}
	s.rows, s.seated = rows, len(seated)
	return s
}
