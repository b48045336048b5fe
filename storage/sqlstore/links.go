package sqlstore

import (
	"context"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/tenancy"
)

func scanUse(r row) (invite.Use, error) {
	var u invite.Use
	err := r.Scan(id(&u.Team), id(&u.Link), id(&u.User), at(&u.At))
	return u, err
}

// InsertUse implements [invite.LinkStore].
func (s *Store) InsertUse(ctx context.Context, u invite.Use) error {
	_, err := s.exec(ctx, s.invitations.links.insert, u.Team, u.Link, u.User, micros(u.At))
	return err
}

// Use implements [invite.LinkStore].
func (s *Store) Use(ctx context.Context, team tenancy.TeamID, link tenancy.InvitationID, user tenancy.UserID) (invite.Use, error) {
	return one(ctx, s, scanUse, s.invitations.links.byUser, link, team, user)
}

// Uses implements [invite.LinkStore].
func (s *Store) Uses(ctx context.Context, team tenancy.TeamID, link tenancy.InvitationID, page tenancy.Keyset) ([]invite.Use, error) {
	return paged(ctx, s, scanUse, s.invitations.links.listed, page, link, team)
}
