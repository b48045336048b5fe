package memory

import (
	"context"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/tenancy"
)

type useRow struct{ invite.Use }

// linkUser is a user at a link.
type linkUser struct {
	link tenancy.InvitationID
	user tenancy.UserID
}

// InsertUse implements [invite.LinkStore].
func (s *Store) InsertUse(ctx context.Context, u invite.Use) error {
	return s.write(ctx, func() error {
		utc(&u.At)
		link, err := referred(s.invitation(u.Team, u.Link))
		if err != nil {
			return err
		}
		if err := s.users.has(u.User); err != nil {
			return err
		}
		row := &useRow{u}
		if err := s.linkUses.insert(linkUser{u.Link, u.User}, row); err != nil {
			return err
		}
		enlist(s.log, row, func(row *useRow, visit func(*list[useRow], place)) {
			visit(&link.uses, placeAt(row.At, row.User))
		})
		return nil
	})
}

// Use implements [invite.LinkStore].
func (s *Store) Use(ctx context.Context, team tenancy.TeamID, link tenancy.InvitationID, user tenancy.UserID) (invite.Use, error) {
	return read(ctx, s, func() (invite.Use, error) {
		row, err := s.linkUses.get(linkUser{link, user})
		if err != nil || row.Team != team {
			return invite.Use{}, tenancy.ErrNotFound
		}
		return row.Use, nil
	})
}

// Uses implements [invite.LinkStore].
func (s *Store) Uses(ctx context.Context, team tenancy.TeamID, link tenancy.InvitationID, page tenancy.Keyset) ([]invite.Use, error) {
	return read(ctx, s, func() ([]invite.Use, error) {
		row, err := s.invitation(team, link)
		if err != nil {
			return nil, nil //nolint:nilerr // a link that is not there has let nobody in
		}
		uses := merged(ascending, ascending.start(page), &row.uses)
		return paged(uses, page.Limit, func(u *useRow) (invite.Use, bool) { return u.Use, true }), nil
	})
}
