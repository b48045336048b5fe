package memory

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/tenancy"
)

// invitationsIn are the invitations that are there in their teams, by id and each once.
func (s *Store) invitationsIn(in []invite.Whereabouts) []*invitationRow {
	return each(func(i invite.Whereabouts) (*invitationRow, error) { return s.invitation(i.Team, i.ID) }, in,
		func(i invite.Whereabouts) tenancy.InvitationID { return i.ID })
}

// LockInvitations implements [invite.SetStore].
func (s *Store) LockInvitations(ctx context.Context, in ...invite.Whereabouts) ([]invite.Record, error) {
	return lock(ctx, s, func() ([]invite.Record, error) { return shown(s.invitationsIn(in), record), nil })
}

// EndInvitations implements [invite.SetStore].
func (s *Store) EndInvitations(ctx context.Context, state invite.State, at time.Time, by string, in ...invite.Whereabouts) error {
	return s.write(ctx, func() error {
		for _, row := range s.invitationsIn(in) {
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

// invited names invitations in the order of their ids, each once.
func invited(rows map[tenancy.InvitationID]tenancy.TeamID) []invite.Whereabouts {
	var in []invite.Whereabouts
	for _, id := range tenancy.InOrder(slices.Collect(maps.Keys(rows))...) {
		in = append(in, invite.Whereabouts{Team: rows[id], ID: id})
	}
	return in
}

// PendingBy implements [invite.SetStore].
func (s *Store) PendingBy(ctx context.Context, inviters ...tenancy.Actor) ([]invite.Whereabouts, error) {
	return read(ctx, s, func() ([]invite.Whereabouts, error) {
		sent := map[tenancy.InvitationID]tenancy.TeamID{}
		for _, who := range inviters {
			for i := range merged(ascending, ascending.beginning(), s.invitedBy[teamUser{who.Team, who.User}]) {
				sent[i.ID] = i.Team
			}
		}
		return invited(sent), nil
	})
}

// PendingInto implements [invite.SetStore].
func (s *Store) PendingInto(ctx context.Context, team tenancy.TeamID, conversations ...tenancy.ConversationID) ([]invite.Whereabouts, error) {
	return read(ctx, s, func() ([]invite.Whereabouts, error) {
		sent := map[tenancy.InvitationID]tenancy.TeamID{}
		for _, id := range conversations {
			if into := s.invitedTo[id]; into != nil {
				for i := range merged(ascending, ascending.beginning(), &into[0]) {
					if i.Team == team {
						sent[i.ID] = team
					}
				}
			}
		}
		return invited(sent), nil
	})
}
