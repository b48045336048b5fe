package tenancy

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// JoinableTeam is a team that a user can ask to join.
type JoinableTeam struct {
	Team TeamID
	Name string
}

// JoinDomain is the domain by which the user can ask teams to let them in: that of their address, if it is
// verified and none of a public mail service; empty for who can ask nobody.
func (u User) JoinDomain() string {
	domain := u.Email.Domain()
	if !u.Verified() || OwnDomain(domain) != nil {
		return ""
	}
	return domain
}

// JoinableTeams lists the teams that the user can ask to join, the oldest first: those at work that name
// [User.JoinDomain] among their [Settings.JoinDomains], and in which the user is not. Teams where a request
// of theirs is pending are among them; the invite room has those. It is what people see who have no
// invitation, so it tells nothing but names and ids: a team that names a domain shows itself to everybody there.
//
// Errors: [*InvalidError], [ErrNoPrincipal], [ErrNotFound], [ErrInactive].
func (s *Service) JoinableTeams(ctx context.Context, user UserID, page Page) (List[JoinableTeam], error) {
	var list List[JoinableTeam]
	keyset, err := page.Keyset("joinable teams", user)
	if err != nil {
		return list, err
	}
	u, err := s.activeUser(ctx, user)
	if err != nil {
		return list, err
	}
	domain := u.JoinDomain()
	if domain == "" {
		return list, nil
	}
	teams, err := s.store.JoinableTeams(ctx, domain, user, keyset)
	if err != nil {
		return list, err
	}
	found := Paged(teams, keyset, func(t Team) (time.Time, uuid.UUID) { return t.CreatedAt, t.ID.UUID() }, "joinable teams", user)
	for _, t := range found.Items {
		list.Items = append(list.Items, JoinableTeam{Team: t.ID, Name: t.Name})
	}
	list.Next = found.Next
	return list, nil
}
