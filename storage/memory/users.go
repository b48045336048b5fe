package memory

import (
	"cmp"
	"context"

	"github.com/usher-go/usher/tenancy"
)

type userRow struct {
	tenancy.User
	facts    *userFacts
	accounts list[accountRow]    // those that the user holds, by (CreatedAt, id)
	teams    list[membershipRow] // active memberships, by (JoinedAt, team)
	places   list[membershipRow] // not removed, by team
	stream   stream
}

// InsertUser implements [tenancy.UserStore].
func (s *Store) InsertUser(ctx context.Context, u tenancy.User) error {
	return s.write(ctx, func() error {
		if err := checkUser(&u); err != nil {
			return err
		}
		u.Version = 1
		facts := userFactsOf(u)
		row := &userRow{User: u, facts: &facts}
		return cmp.Or(
			s.users.insert(u.ID, row),
			s.externalIDs.move("", u.ExternalID, row),
			s.verified.move("", verifiedAddress(u), row),
		)
	})
}

// UpdateUser implements [tenancy.UserStore].
func (s *Store) UpdateUser(ctx context.Context, u tenancy.User) error {
	return s.write(ctx, func() error {
		row, err := s.users.get(u.ID)
		if err != nil {
			return err
		}
		if err := cmp.Or(sameVersion(row.Version, u.Version), checkUser(&u)); err != nil {
			return err
		}
		u.Version++
		if err := cmp.Or(
			s.externalIDs.move(row.ExternalID, u.ExternalID, row),
			s.verified.move(verifiedAddress(row.User), verifiedAddress(u), row),
		); err != nil {
			return err
		}
		set(s.log, &row.User, u)
		set(s.log, row.facts, userFactsOf(u))
		return nil
	})
}

// checkUser says what a database would refuse, and cuts the times as it would.
func checkUser(u *tenancy.User) error {
	utc(&u.VerifiedAt)
	utc(&u.CreatedAt)
	return oneOf("status", u.Status, tenancy.UserActive, tenancy.UserSuspended, tenancy.UserDeleted)
}

// verifiedAddress is the address that the user has proven to own, or empty.
func verifiedAddress(u tenancy.User) string {
	if !u.Verified() {
		return ""
	}
	return u.Email.Normal
}

// LockUser implements [tenancy.UserStore].
func (s *Store) LockUser(ctx context.Context, id tenancy.UserID) (tenancy.User, error) {
	return lock(ctx, s, func() (tenancy.User, error) { return user(s.users.get(id)) })
}

// User implements [tenancy.UserStore].
func (s *Store) User(ctx context.Context, id tenancy.UserID) (tenancy.User, error) {
	return read(ctx, s, func() (tenancy.User, error) { return user(s.users.get(id)) })
}

// Users implements [tenancy.UserStore].
func (s *Store) Users(ctx context.Context, ids ...tenancy.UserID) ([]tenancy.User, error) {
	return read(ctx, s, func() ([]tenancy.User, error) { return shown(those(s.users.get, ids), user), nil })
}

// UserByExternalID implements [tenancy.UserStore].
func (s *Store) UserByExternalID(ctx context.Context, externalID string) (tenancy.User, error) {
	return read(ctx, s, func() (tenancy.User, error) { return user(s.externalIDs.get(externalID)) })
}

// UserByEmail implements [tenancy.UserStore].
func (s *Store) UserByEmail(ctx context.Context, normal string) (tenancy.User, error) {
	return read(ctx, s, func() (tenancy.User, error) { return user(s.verified.get(normal)) })
}

func user(row *userRow, err error) (tenancy.User, error) {
	if err != nil {
		return tenancy.User{}, err
	}
	return row.User, nil
}

// UsersByEmail implements [tenancy.UserStore].
func (s *Store) UsersByEmail(ctx context.Context, normals ...string) ([]tenancy.User, error) {
	return read(ctx, s, func() ([]tenancy.User, error) {
		var ids []tenancy.UserID
		for _, normal := range normals {
			if row, err := s.verified.get(normal); err == nil {
				ids = append(ids, row.ID)
			}
		}
		return shown(those(s.users.get, ids), user), nil
	})
}
