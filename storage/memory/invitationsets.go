package memory

import (
	"context"
	"time"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/tenancy"
)

// invitationsOf finds invitations in the team.
func (s *Store) invitationsOf(team tenancy.TeamID) func(tenancy.InvitationID) (*invitationRow, error) {
	return func(id tenancy.InvitationID) (*invitationRow, error) { return s.invitation(team, id) }
}

// LockInvitations implements [invite.SetStore].
func (s *Store) LockInvitations(ctx context.Context, team tenancy.TeamID, ids ...tenancy.InvitationID) ([]invite.Record, error) {
	return lock(ctx, s, func() ([]invite.Record, error) { return shown(those(s.invitationsOf(team), ids), record), nil })
}

// EndInvitations implements [invite.SetStore].
func (s *Store) EndInvitations(ctx context.Context, team tenancy.TeamID, state invite.State, at time.Time, by string, ids ...tenancy.InvitationID) error {
	return s.write(ctx, func() error {
		for _, row := range those(s.invitationsOf(team), ids) {
			if row.State != invite.Pending {
				continue
			}
			r := row.Record
			r.State, r.EndedAt, r.EndedBy, r.Version = state, at, by, r.Version+1
			if _, err := s.checkInvitation(&r); err != nil {
				return err
			}
			if err := s.changeInvitation(row, r); err != nil {
				return err
			}
		}
		return nil
	})
}

// PendingBy implements [invite.SetStore].
func (s *Store) PendingBy(ctx context.Context, team tenancy.TeamID, inviter tenancy.UserID) ([]tenancy.InvitationID, error) {
	return read(ctx, s, func() ([]tenancy.InvitationID, error) {
		var ids []tenancy.InvitationID
		for i := range merged(ascending, ascending.beginning(), s.invitedBy[teamUser{team, inviter}]) {
			ids = append(ids, i.ID)
		}
		return ids, nil
	})
}

// PendingInto implements [invite.SetStore].
func (s *Store) PendingInto(ctx context.Context, team tenancy.TeamID, conversations ...tenancy.ConversationID) ([]tenancy.InvitationID, error) {
	return read(ctx, s, func() ([]tenancy.InvitationID, error) {
		var ids []tenancy.InvitationID
		for _, id := range conversations {
			if into := s.invitedTo[id]; into != nil {
				for i := range merged(ascending, ascending.beginning(), &into[0]) {
					if i.Team == team {
						ids = append(ids, i.ID)
					}
				}
			}
		}
		return tenancy.InOrder(ids...), nil
	})
}
