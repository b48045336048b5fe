package sqlstore

import (
	"context"
	"time"

	"github.com/usher-go/usher/tenancy"
)

// The two kinds of seats, each as a number for the account a.
const (
	// seated are the places in teams, and takesSeat is which of them take one.
	seated    = `FROM usher_teams t JOIN usher_memberships m ON m.team_id = t.id WHERE`
	takesSeat = `t.status = 'active' AND m.status = 'active'
		AND (m.expires_at IS NULL OR m.expires_at > ?) AND (m.role <> 'restricted' OR m.role_id IS NOT NULL)`

	seatsOfUsers = `(SELECT COUNT(DISTINCT m.user_id) ` + seated + ` t.account_id = a.id AND ` + takesSeat + ` AND m.user_id <> ?)`

	// invitedToSeat are the invitations into teams, and stillInvited is which of them take a seat.
	invitedToSeat = `FROM usher_invitations i JOIN usher_teams o ON o.id = i.team_id WHERE`
	stillInvited  = `i.state = 'pending' AND i.expires_at > ? AND i.kind = 'team'
		AND (i.role <> 'restricted' OR i.role_id IS NOT NULL) AND o.status = 'active'`

	// An address is looked for among those with a seat by itself, whose user is found by it.
	seatsOfAddresses = `(SELECT COUNT(DISTINCT i.email) ` + invitedToSeat + ` i.account_id = a.id AND ` + stillInvited + ` AND i.email <> ?
		AND NOT EXISTS (SELECT 1 FROM usher_teams t JOIN usher_memberships m ON m.team_id = t.id JOIN usher_users u ON u.id = m.user_id
			WHERE t.account_id = a.id AND ` + takesSeat + ` AND u.verified_email = i.email))`
)

// SeatsTaken implements [tenancy.AccountStore].
func (s *Store) SeatsTaken(ctx context.Context, now time.Time, q tenancy.SeatQuery, accounts ...tenancy.AccountID) (map[tenancy.AccountID]int, error) {
	at := micros(now)
	// The id is bound as it is: no user at all is NULL elsewhere, which is different from nobody.
	texts, args := s.accounts.seats, []any{at, s.dialect.id(q.But.UUID())}
	if q.Pending {
		texts, args = s.accounts.seatsAndPending, append(args, at, q.ButEmail, at)
	}
	taken := map[tenancy.AccountID]int{}
	_, err := allMany(ctx, s, func(r row) (n int, err error) {
		var account tenancy.AccountID
		err = r.Scan(id(&account), &n)
		taken[account] = n
		return n, err
	}, texts, tenancy.InOrder(accounts...), args...)
	return taken, err
}

// Seated implements [tenancy.AccountStore].
func (s *Store) Seated(ctx context.Context, account tenancy.AccountID, now time.Time, normals ...string) ([]string, error) {
	normals = eachOnce(normals)
	users, err := allMany(ctx, s, scanText, s.accounts.seatedUsers, normals, account, micros(now))
	if err != nil {
		return nil, err
	}
	invited, err := allMany(ctx, s, scanText, s.accounts.seatedInvited, normals, account, micros(now))
	return eachOnce(append(users, invited...)), err
}

func scanText(r row) (string, error) {
	var text string
	err := r.Scan(&text)
	return text, err
}
