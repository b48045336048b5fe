package memory

import (
	"context"
	"slices"
	"time"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/tenancy"
)

// invitee is whom an account invites, in whatever team.
type invitee struct {
	account tenancy.AccountID
	normal  string
}

// InvitationLoads implements [invite.AddressStore].
func (s *Store) InvitationLoads(ctx context.Context, inviter tenancy.UserID, now time.Time, teams ...tenancy.TeamID) ([]invite.TeamLoad, error) {
	return read(ctx, s, func() ([]invite.TeamLoad, error) {
		var loads []invite.TeamLoad
		for _, row := range those(s.teams.get, teams) {
			load := invite.TeamLoad{In: row.ID}
			for i := range merged(ascending, ascending.beginning(), &row.invitations[0]) {
				if i.StateAt(now) != invite.Pending || i.Kind == invite.ByRequest {
					continue
				}
				tally(&load.Team, i.ExpiresAt)
				if i.Inviter == inviter {
					tally(&load.Inviter, i.ExpiresAt)
				}
			}
			if load.Team.N > 0 {
				loads = append(loads, load)
			}
		}
		return loads, nil
	})
}

// tally counts one more, which counts until the time given.
func tally(t *invite.Tally, until time.Time) {
	t.N++
	if t.Until.IsZero() || until.Before(t.Until) {
		t.Until = until
	}
}

// InvitationsTo implements [invite.AddressStore].
func (s *Store) InvitationsTo(ctx context.Context, account tenancy.AccountID, since time.Time, normals ...string) ([]invite.Record, error) {
	return read(ctx, s, func() ([]invite.Record, error) {
		var found []invite.Record
		for _, normal := range slices.Compact(slices.Sorted(slices.Values(normals))) {
			for i := range merged(ascending, ascending.beginning(), s.invitedAs[invitee{account, normal}]) {
				if i.State == invite.Pending || i.State == invite.Revoked && i.CreatedAt.After(since) {
					found = append(found, i.Record)
				}
			}
		}
		slices.SortFunc(found, func(a, b invite.Record) int { return slices.Compare(a.ID[:], b.ID[:]) })
		return found, nil
	})
}

// EraseInvitations implements [invite.AddressStore]. It looks at all invitations: no list has the ended
// ones by their address.
func (s *Store) EraseInvitations(ctx context.Context, user tenancy.UserID, normal string) error {
	return s.write(ctx, func() error {
		for _, row := range s.invitations.rows {
			theirs := row.Email.Normal == normal || !user.IsZero() && (row.AcceptedBy == user || row.Kind == invite.ByRequest && row.Inviter == user)
			if row.State == invite.Pending || row.Email.IsZero() || !theirs {
				continue
			}
			r := row.Record
			r.Email = tenancy.Address{}
			r.Version++
			if err := s.changeInvitation(row, r); err != nil {
				return err
			}
		}
		return nil
	})
}
