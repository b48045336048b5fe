package memory

import (
	"context"
	"slices"
	"time"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// SeatsTaken implements [tenancy.AccountStore]. It looks at all people and pending invitations
// of the accounts.
func (s *Store) SeatsTaken(ctx context.Context, now time.Time, q tenancy.SeatQuery, accounts ...tenancy.AccountID) (map[tenancy.AccountID]int, error) {
	return read(ctx, s, func() (map[tenancy.AccountID]int, error) {
		taken := map[tenancy.AccountID]int{}
		for _, row := range those(s.accounts.get, accounts) {
			users := row.seated(now)
			var addresses map[string]bool
			if q.Pending {
				addresses = row.pending(now)
			}
			for user := range users {
				delete(addresses, verifiedAddress(user.User))
			}
			delete(users, s.users.rows[q.But])
			delete(addresses, q.ButEmail)
			taken[row.ID] = len(users) + len(addresses)
		}
		return taken, nil
	})
}

// seated are the users who take a seat.
func (a *accountRow) seated(now time.Time) map[*userRow]bool {
	users := map[*userRow]bool{}
	for t := range a.activeTeams {
		for m := range merged(ascending, ascending.beginning(), &t.members) {
			if m.ActiveAt(now) && (m.Role != rbac.Restricted || m.custom != nil) {
				users[m.user] = true
			}
		}
	}
	return users
}

// pending are the addresses that are invited to take a seat.
func (a *accountRow) pending(now time.Time) map[string]bool {
	addresses := map[string]bool{}
	for t := range a.activeTeams {
		for i := range merged(ascending, ascending.beginning(), &t.invitations[0]) {
			guest := i.Role == rbac.Restricted && i.Custom.IsZero()
			if i.Kind == invite.ToOneTeam && !guest && i.StateAt(now) == invite.Pending {
				addresses[i.Email.Normal] = true
			}
		}
	}
	return addresses
}

func (a *accountRow) activeTeams(yield func(*teamRow) bool) {
	for t := range merged(ascending, ascending.beginning(), &a.teams) {
		if t.Status == tenancy.TeamActive && !yield(t) {
			return
		}
	}
}

// Seated implements [tenancy.AccountStore]. It looks at as much as SeatsTaken does.
func (s *Store) Seated(ctx context.Context, account tenancy.AccountID, now time.Time, normals ...string) ([]string, error) {
	return read(ctx, s, func() ([]string, error) {
		row := s.accounts.rows[account]
		if row == nil {
			return nil, nil
		}
		seated := row.pending(now)
		for user := range row.seated(now) {
			seated[verifiedAddress(user.User)] = true
		}
		asked := slices.Compact(slices.Sorted(slices.Values(normals)))
		return slices.DeleteFunc(asked, func(normal string) bool { return normal == "" || !seated[normal] }), nil
	})
}
