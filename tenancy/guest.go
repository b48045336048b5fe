package tenancy

import (
	"context"
	"slices"
	"time"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/outbox"
)

// AdmitGuests makes sure that users have a place in the team for conversations to be granted to
// them: whoever is in the team stays what they are, also suspended, and anyone else becomes
// Restricted. All of it is one transaction. A guest takes no seat.
//
// Errors: [ErrNotFound], [ErrInactive] for a user who may not act, [ErrAccountInactive],
// [ErrTeamArchived].
func (s *Service) AdmitGuests(ctx context.Context, by System, team TeamID, users ...UserID) error {
	if err := by.Validate(); err != nil {
		return err
	}
	users = InOrder(users...)
	return s.do(ctx, by, "AdmitGuests", []any{team, users}, func(ctx context.Context) error {
		t, err := s.Lock(ctx, team)
		if err != nil {
			return err
		}
		known, err := s.store.Memberships(ctx, actorsIn(team, users...)...)
		if err != nil {
			return err
		}
		strangers, former := apart(actorsIn(team, users...), known)
		// The account and the users are not locked, since this runs in operations that have locked
		// the team; DeleteUser looks again once it has the teams.
		if err := s.activeUsers(ctx, usersOf(slices.Concat(strangers, former))); err != nil {
			return err
		}
		return s.joinAll(ctx, by, s.env.Now(), rbac.Restricted, map[TeamID]Team{team: t}, strangers, former)
	})
}

// ActiveIn lists those of the users who are active in the team at the time, guests among them, by user id,
// for the other rooms: no sweep need have ended the others yet. It costs one statement. Nobody is locked by
// it, so the caller has locked the team.
func (s *Service) ActiveIn(ctx context.Context, team TeamID, at time.Time, users ...UserID) ([]UserID, error) {
	known, err := s.store.Memberships(ctx, actorsIn(team, users...)...)
	var active []UserID
	for _, m := range known {
		if m.ActiveAt(at) {
			active = append(active, m.User)
		}
	}
	return active, err
}

// apart tells those who have no membership from those whose membership was removed.
func apart(who []Actor, known []Membership) (strangers, former []Actor) {
	status := map[Actor]MembershipStatus{}
	for _, m := range known {
		status[Actor{User: m.User, Team: m.Team}] = m.Status
	}
	for _, a := range who {
		switch status[a] {
		case "":
			strangers = append(strangers, a)
		case MembershipRemoved:
			former = append(former, a)
		case MembershipActive, MembershipSuspended:
		}
	}
	return strangers, former
}

// joinAll takes strangers, and those who were in their teams before, into these in a role and for good. The
// teams are locked.
func (s *Service) joinAll(ctx context.Context, by Principal, at time.Time, role rbac.Role, teams map[TeamID]Team, strangers, former []Actor) error {
	var fresh []Membership
	var events []outbox.Event
	for _, a := range strangers {
		fresh = append(fresh, Membership{
			Team: a.Team, User: a.User, Role: role, Status: MembershipActive, JoinedAt: at, JoinedBy: by.Principal(),
		})
	}
	for _, a := range slices.Concat(strangers, former) {
		events = append(events, s.env.Event(by, at, teams[a.Team].In(), MemberJoined, Facts{"user": a.User.String(), "role": role.String()}))
	}
	if err := s.store.InsertMembership(ctx, fresh...); err != nil {
		return err
	}
	if err := s.store.RenewMemberships(ctx, role, at, by.Principal(), former...); err != nil {
		return err
	}
	return s.store.Append(ctx, events...)
}

func usersOf(who []Actor) []UserID {
	var users []UserID
	for _, a := range who {
		users = append(users, a.User)
	}
	return users
}

// activeUsers is activeUser for all of them.
func (s *Service) activeUsers(ctx context.Context, ids []UserID) error {
	users, err := s.store.Users(ctx, ids...)
	if err != nil {
		return err
	}
	if len(users) < len(ids) {
		return ErrNotFound
	}
	for _, u := range users {
		if u.Status != UserActive {
			return ErrInactive
		}
	}
	return nil
}
