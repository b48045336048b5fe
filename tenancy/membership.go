package tenancy

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/outbox"
)

// Membership is a user in a team. Removal keeps the row, so that history keeps a name.
type Membership struct {
	Team TeamID
	User UserID
	Role rbac.Role
	// Custom is the custom role on top of Role, its base; zero for someone without one.
	Custom RoleID
	Status MembershipStatus
	// ExpiresAt ends the membership by the clock; zero means never.
	ExpiresAt time.Time
	// JoinedAt and JoinedBy tell when and by whom they were taken in: of who came back, the last time.
	JoinedAt time.Time
	JoinedBy string
	// EndedAt and EndedBy tell when and by whom it was suspended or removed.
	EndedAt time.Time
	EndedBy string
	Version int64
}

// ActiveAt reports whether the membership gives rights at the time: a membership that
// expires at t gives none at t.
func (m Membership) ActiveAt(now time.Time) bool {
	return m.Status == MembershipActive && (m.ExpiresAt.IsZero() || now.Before(m.ExpiresAt))
}

// MembershipStatus says whether a membership gives rights.
type MembershipStatus string

// The states of a membership.
const (
	MembershipActive    MembershipStatus = "active"
	MembershipSuspended MembershipStatus = "suspended"
	MembershipRemoved   MembershipStatus = "removed"
)

// Member is a membership with the person's name, address and status, for lists of members: a user who
// is suspended as a whole may do nothing here, whatever the membership says.
type Member struct {
	Membership
	Name       string
	Email      Address
	UserStatus UserStatus
}

// TeamOfUser is a membership with its team, for lists of a user's teams.
type TeamOfUser struct {
	Membership
	Team Team
	// CustomName and CustomPermissions are those of the membership's custom role; empty for
	// someone without one.
	CustomName        string
	CustomPermissions []string
}

// Admission is a user to take into a team.
type Admission struct {
	Team TeamID
	User UserID
	Role rbac.Role
	// Custom is a custom role of the account, in place of Role, which is then zero.
	Custom RoleID
	// ExpiresAt ends the membership by the clock; zero means never.
	ExpiresAt time.Time
}

// Admit takes a user into a team on the host's authority: for seeding, provisioning and
// accepted invitations. Someone who was removed comes back with the new role. The membership
// and its event are written in one transaction.
//
// Errors: [*InvalidError], [ErrNotFound], also for a role of another account, [ErrInactive] for a user who may not act,
// [ErrAccountInactive], [ErrTeamArchived], [*MemberError] for a user who is in the team, also
// a suspended one: nobody is revived in passing.
func (s *Service) Admit(ctx context.Context, by System, a Admission) (Membership, error) {
	if err := by.Validate(); err != nil {
		return Membership{}, err
	}
	if a.Custom.IsZero() && !a.Role.InTeam() || !a.Custom.IsZero() && a.Role != 0 {
		return Membership{}, &InvalidError{Field: "role", Reason: "must be manager, member or restricted, or else a custom role"}
	}
	var err error
	if a.ExpiresAt, err = parseTime("expiry", a.ExpiresAt); err != nil {
		return Membership{}, err
	}
	return Do(ctx, s.store, s.env, by, "Admit", []any{a}, func(ctx context.Context) (Membership, error) {
		arrival, err := s.Arrive(ctx, a.User, a.Team)
		if err != nil {
			return Membership{}, err
		}
		if err := arrival.Open(); err != nil {
			return Membership{}, err
		}
		now := s.env.Now()
		if err := validExpiry(a.ExpiresAt, now); err != nil {
			return Membership{}, err
		}
		m := Membership{Team: a.Team, User: a.User, Role: a.Role, JoinedAt: now, ExpiresAt: a.ExpiresAt}
		if !a.Custom.IsZero() {
			role, err := s.store.Role(ctx, arrival.Account.ID, a.Custom)
			if err != nil {
				return Membership{}, err
			}
			m.Role, m.Custom = role.Base, role.ID
		}
		if err := s.seatFor(ctx, by, now, arrival.Account, m); err != nil {
			return Membership{}, err
		}
		return s.join(ctx, by, arrival.Team, m)
	})
}

// join writes an active membership, over a removed one if there is one. The team is locked.
func (s *Service) join(ctx context.Context, by Principal, team Team, m Membership) (Membership, error) {
	m.Status, m.JoinedBy, m.Version = MembershipActive, by.Principal(), 1
	old, err := s.store.Membership(ctx, team.ID, m.User)
	switch {
	case errors.Is(err, ErrNotFound):
		err = s.store.InsertMembership(ctx, m)
	case err != nil:
		return Membership{}, err
	case old.Status != MembershipRemoved:
		return Membership{}, &MemberError{Membership: old}
	default:
		m.Version = old.Version
		err = s.store.UpdateMembership(ctx, m)
		m.Version++
	}
	if err != nil {
		return Membership{}, err
	}
	return m, s.store.Append(ctx, s.env.Event(by, m.JoinedAt, team.In(), MemberJoined,
		Facts{"user": m.User.String(), "role": m.roleName()}))
}

// Members lists the people of the actor's team by when they joined, without those removed.
func (s *Service) Members(ctx context.Context, actor Actor, page Page) (List[Member], error) {
	keyset, err := page.Keyset("members", actor.Team)
	if err != nil {
		return List[Member]{}, err
	}
	if err := s.Check(ctx, actor, rbac.ListMembers); err != nil {
		return List[Member]{}, err
	}
	members, err := s.store.Members(ctx, actor.Team, keyset)
	if err != nil {
		return List[Member]{}, err
	}
	return Paged(members, keyset, func(m Member) (time.Time, uuid.UUID) { return m.JoinedAt, m.User.UUID() }, "members", actor.Team), nil
}

// MemberByEmail finds someone in the actor's team by the address they are verified for.
func (s *Service) MemberByEmail(ctx context.Context, actor Actor, email string) (Membership, error) {
	address, err := ParseAddress(email)
	if err != nil {
		return Membership{}, err
	}
	if err := s.Check(ctx, actor, rbac.ListMembers); err != nil {
		return Membership{}, err
	}
	user, err := s.store.UserByEmail(ctx, address.Normal)
	if err != nil {
		return Membership{}, err
	}
	return s.present(ctx, actor.Team, user.ID)
}

// MembersByEmail is [Service.MemberByEmail] for several addresses in their normal form: it answers the
// memberships of those who are in the team, by the address.
func (s *Service) MembersByEmail(ctx context.Context, actor Actor, normals ...string) (map[string]Membership, error) {
	if err := s.Check(ctx, actor, rbac.ListMembers); err != nil {
		return nil, err
	}
	users, err := s.store.UsersByEmail(ctx, normals...)
	if err != nil {
		return nil, err
	}
	addresses := map[UserID]string{}
	var ids []UserID
	for _, u := range users {
		addresses[u.ID] = u.Email.Normal
		ids = append(ids, u.ID)
	}
	memberships, err := s.store.Memberships(ctx, actorsIn(actor.Team, ids...)...)
	found := map[string]Membership{}
	for _, m := range memberships {
		if m.Status != MembershipRemoved {
			found[addresses[m.User]] = m
		}
	}
	return found, err
}

// Remove ends the membership of someone in the actor's team. The row stays, so that history
// keeps a name; what they held goes back to the team in the same transaction. Removing
// someone who was removed changes nothing.
//
// Errors: [rbac.ErrDenied], [ErrNotFound], [ErrLastManager].
func (s *Service) Remove(ctx context.Context, actor Actor, user UserID) error {
	return s.do(ctx, actor, "Remove", []any{actor.Team, user}, func(ctx context.Context) error {
		team, standing, err := s.Enter(ctx, actor)
		if err != nil {
			return err
		}
		if err := standing.Check(rbac.RemoveMember); err != nil {
			return err
		}
		m, err := s.store.Membership(ctx, team.ID, user)
		if err != nil || m.Status == MembershipRemoved {
			return err
		}
		if err := s.coversMember(ctx, standing, rbac.RemoveMember, m); err != nil {
			return err
		}
		return s.end(ctx, actor, s.env.Now(), team, m, MemberRemoved)
	})
}

// Leave ends the actor's own membership. Everyone may leave but the last manager
// ([ErrLastManager]), also a team that is archived or whose account is suspended or closed. An archived
// team may lose its last manager, too: then nobody is left to [Service.Restore] it. So may a team of an
// account that is closed, which comes back no more. Who is suspended stays so and cannot leave
// ([ErrInactive]), or they would come back by the next link.
func (s *Service) Leave(ctx context.Context, actor Actor) error {
	return s.do(ctx, actor, "Leave", []any{actor.Team}, func(ctx context.Context) error {
		team, _, err := s.Enter(ctx, actor)
		if err != nil {
			return err
		}
		m, err := s.present(ctx, team.ID, actor.User)
		if err != nil {
			return err
		}
		return s.end(ctx, actor, s.env.Now(), team, m, MemberLeft)
	})
}

// do is [Do] for operations without a result.
func (s *Service) do(ctx context.Context, by Principal, name string, request []any, fn func(ctx context.Context) error) error {
	_, err := Do(ctx, s.store, s.env, by, name, request, func(ctx context.Context) (struct{}, error) { return struct{}{}, fn(ctx) })
	return err
}

// end removes a membership and all that hangs on it. The team is locked.
func (s *Service) end(ctx context.Context, by Principal, at time.Time, team Team, m Membership, kind string) error {
	if err := s.keepManager(ctx, team, m); err != nil {
		return err
	}
	return s.endAll(ctx, by, at, places{[]Membership{m}, map[TeamID]Team{team.ID: team}}, kind)
}

// endAll is end for teams that have other managers.
func (s *Service) endAll(ctx context.Context, by Principal, at time.Time, p places, kind string) error {
	var who []Actor
	var events []outbox.Event
	var departures []Departure
	for _, m := range p.memberships {
		team := p.teams[m.Team]
		who = append(who, Actor{User: m.User, Team: m.Team})
		events = append(events, s.memberEvent(by, at, team, m, kind, Facts{"role": m.roleName()}))
		departures = append(departures, Departure{Team: team, User: m.User, By: by, At: at})
	}
	// The custom role goes, so that it can be deleted; the event has it.
	if err := s.store.EndMemberships(ctx, at, by.Principal(), who...); err != nil {
		return err
	}
	if err := s.store.Append(ctx, events...); err != nil {
		return err
	}
	return s.depart(ctx, departures...)
}

// present finds a membership that is not removed.
func (s *Service) present(ctx context.Context, team TeamID, user UserID) (Membership, error) {
	m, err := s.store.Membership(ctx, team, user)
	if err == nil && m.Status == MembershipRemoved {
		return Membership{}, ErrNotFound
	}
	return m, err
}
