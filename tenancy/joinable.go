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

// JoinableTeams lists the teams that the user can ask to join, the oldest first: those at work that name the
// domain of the user's verified address among their [Settings.JoinDomains], and in which the user is not.
// Teams where a request of theirs is pending are among them; the invite room has those. It is what
// people see who have no invitation, so it tells nothing but the names: a team that names a domain shows
// itself to everybody there.
//
// A user who is not verified, or whose address is one of a public mail service, can ask nobody.
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
	domain := u.Email.Domain()
	if !u.Verified() || OwnDomain(domain) != nil {
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
