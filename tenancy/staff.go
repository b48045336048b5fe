package tenancy

import (
	"context"

	"github.com/usher-go/usher/rbac"
)

// Able lists who has all of the permissions in the whole team now, by user id, for the other rooms: to
// share work out among them. It costs one statement, and as much as the team has staff; its guests
// do not count. Nobody is locked by it, so what is then decided about one of them needs their
// [Service.Standing].
func (s *Service) Able(ctx context.Context, team TeamID, perms ...rbac.Permission) ([]UserID, error) {
	staff, err := s.store.Staff(ctx, team)
	if err != nil {
		return nil, err
	}
	var able []UserID
	for _, c := range staff {
		standing, err := s.judge(Actor{User: c.User, Team: team}, &c.Authority)
		if err == nil && standing.allowsAll(perms) {
			able = append(able, c.User)
		}
	}
	return able, nil
}

func (st Standing) allowsAll(perms []rbac.Permission) bool {
	for _, perm := range perms {
		if !st.Allows(perm) {
			return false
		}
	}
	return true
}
