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
		known, err := s.store.Memberships(ctx, actorsIn(team, users)...)
		if err != nil {
			return err
		}
		strangers, former := apart(users, known)
		// The account and the users are not locked, since this runs in operations that have locked
		// the team; DeleteUser looks again once it has the teams.
		if err := s.activeUsers(ctx, slices.Concat(strangers, former)); err != nil {
			return err
		}
		return s.joinAsGuests(ctx, by, s.env.Now(), t, strangers, former)
	})
}

// ActiveIn lists those of the users who are active in the team at the time, guests among them, by user id,
// for the other rooms: no sweep need have ended the others yet. It costs one statement. Nobody is locked by
// it, so the caller has locked the team.
func (s *Service) ActiveIn(ctx context.Context, team TeamID, at time.Time, users ...UserID) ([]UserID, error) {
	known, err := s.store.Memberships(ctx, actorsIn(team, users)...)
	var active []UserID
	for _, m := range known {
		if m.ActiveAt(at) {
			active = append(active, m.User)
		}
	}
	return active, err
}

// actorsIn are the users in one team.
func actorsIn(team TeamID, users []UserID) []Actor {
	who := make([]Actor, len(users))
	for i, user := range users {
		who[i] = Actor{User: user, Team: team}
	}
	return who
}

// apart tells users who have no membership from those whose membership was removed.
func apart(users []UserID, known []Membership) (strangers, former []UserID) {
	status := map[UserID]MembershipStatus{}
	for _, m := range known {
		status[m.User] = m.Status
	}
	for _, user := range users {
		switch status[user] {
		case "":
			strangers = append(strangers, user)
		case MembershipRemoved:
			former = append(former, user)
		case MembershipActive, MembershipSuspended:
		}
	}
	return strangers, former
}

// joinAsGuests makes strangers, and those who were in the team before, Restricted members of it. The
// team is locked.
func (s *Service) joinAsGuests(ctx context.Context, by Principal, at time.Time, team Team, strangers, former []UserID) error {
	var fresh []Membership
	var events []outbox.Event
	for _, user := range strangers {
		fresh = append(fresh, Membership{
			Team: team.ID, User: user, Role: rbac.Restricted, Status: MembershipActive, JoinedAt: at, JoinedBy: by.Principal(),
		})
	}
	for _, user := range slices.Concat(strangers, former) {
		events = append(events, s.env.Event(by, at, team.In(), MemberJoined, Facts{"user": user.String(), "role": rbac.Restricted.String()}))
	}
	if err := s.store.InsertMembership(ctx, fresh...); err != nil {
		return err
	}
	if err := s.store.RenewMemberships(ctx, team.ID, rbac.Restricted, at, by.Principal(), former...); err != nil {
		return err
	}
	return s.store.Append(ctx, events...)
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
