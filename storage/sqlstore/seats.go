package sqlstore

import (
	"context"
	"time"

	"github.com/usher-go/usher/tenancy"
)

// The two kinds of seats, each as a number.
const (
	// seated are the places in active teams of an account that take a seat.
	seated = `FROM usher_teams t JOIN usher_memberships m ON m.team_id = t.id
		WHERE t.account_id = ? AND t.status = 'active' AND m.status = 'active'
		AND (m.expires_at IS NULL OR m.expires_at > ?) AND (m.role <> 'restricted' OR m.role_id IS NOT NULL)`

	seatsOfUsers = `(SELECT COUNT(DISTINCT m.user_id) ` + seated + ` AND m.user_id <> ?)`

	// invitedToSeat are the pending invitations that take one.
	invitedToSeat = `FROM usher_invitations i JOIN usher_teams o ON o.id = i.team_id
		WHERE i.account_id = ? AND i.state = 'pending' AND i.expires_at > ? AND i.kind = 'team'
		AND (i.role <> 'restricted' OR i.role_id IS NOT NULL) AND o.status = 'active'`

	seatsOfAddresses = `(SELECT COUNT(DISTINCT i.email) ` + invitedToSeat + ` AND i.email <> ?
		AND i.email NOT IN (SELECT u.verified_email FROM usher_users u
			WHERE u.verified_email IS NOT NULL AND u.id IN (SELECT m.user_id ` + seated + `)))`
)

// SeatsTaken implements [tenancy.AccountStore] with one statement.
func (s *Store) SeatsTaken(ctx context.Context, account tenancy.AccountID, now time.Time, q tenancy.SeatQuery) (int, error) {
	at := micros(now)
	// The id is bound as it is: no user at all is NULL elsewhere, which is different from nobody.
	args := []any{account, at, s.dialect.id(q.But.UUID())}
	query := s.accounts.seats
	if q.Pending {
		query = s.accounts.seatsAndPending
		args = append(args, account, at, q.ButEmail, account, at)
	}
	return one(ctx, s, scanNumber, query, args...)
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
