package usher_test

import (
	"context"
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/tenancy"
)

// crowd is a number of teams, each of an account of its own and with ten users of its own: a manager and
// nine members, of whom the last one's membership ends some day.
type crowd int

const eachTeam = 10

var (
	crowdSince = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	crowdUntil = time.Date(2226, 3, 1, 12, 0, 0, 0, time.UTC)
)

// nth is the n-th id of its kind, from 0.
func nth[I ~[16]byte](n int) (id I) {
	id[6] = 0x70
	binary.BigEndian.PutUint64(id[8:], uint64(n)+1)
	return id
}

func (c crowd) users() int { return int(c) * eachTeam }

// actor is the n-th user in their team.
func (c crowd) actor(n int) tenancy.Actor {
	return tenancy.Actor{User: nth[tenancy.UserID](n), Team: nth[tenancy.TeamID](n / eachTeam)}
}

func (c crowd) membership(n int) tenancy.Membership {
	actor := c.actor(n)
	m := tenancy.Membership{
		Team: actor.Team, User: actor.User, Role: rbac.Member, Status: tenancy.MembershipActive, JoinedAt: crowdSince, Version: 1,
	}
	switch n % eachTeam {
	case 0:
		m.Role = rbac.Manager
	case eachTeam - 1:
		m.ExpiresAt = crowdUntil
	}
	return m
}

// team is the n-th team.
func (c crowd) team(n int) tenancy.Team {
	return tenancy.Team{
		ID: nth[tenancy.TeamID](n), Account: nth[tenancy.AccountID](n), Name: "Sales", NameKey: "sales",
		Status: tenancy.TeamActive, CreatedAt: crowdSince, Version: 1,
	}
}

// fill stores the crowd.
func (c crowd) fill(tb testing.TB, store storage.Store) {
	tb.Helper()
	c.fillPeople(tb, store)
	c.fillMemberships(tb, store)
}

// fillPeople stores the users, and their accounts and teams.
func (c crowd) fillPeople(tb testing.TB, store storage.Store) {
	tb.Helper()
	c.inBatches(tb, store, func(ctx context.Context, n int) error {
		for user := n * eachTeam; user < (n+1)*eachTeam; user++ {
			u := tenancy.User{ID: nth[tenancy.UserID](user), Name: "User", Status: tenancy.UserActive, CreatedAt: crowdSince, Version: 1}
			if err := store.InsertUser(ctx, u); err != nil {
				return err
			}
		}
		team := c.team(n)
		account := tenancy.Account{
			ID: team.Account, Name: "Acme", HeldBy: nth[tenancy.UserID](n * eachTeam), Status: tenancy.AccountActive,
			CreatedAt: crowdSince, Version: 1,
		}
		if err := store.InsertAccount(ctx, account); err != nil {
			return err
		}
		return store.InsertTeam(ctx, team)
	})
}

func (c crowd) fillMemberships(tb testing.TB, store storage.Store) {
	tb.Helper()
	c.inBatches(tb, store, func(ctx context.Context, n int) error {
		for user := n * eachTeam; user < (n+1)*eachTeam; user++ {
			if err := store.InsertMembership(ctx, c.membership(user)); err != nil {
				return err
			}
		}
		return nil
	})
}

// inBatches calls insert for each team, a hundred of them in a transaction.
func (c crowd) inBatches(tb testing.TB, store storage.Store, insert func(ctx context.Context, n int) error) {
	tb.Helper()
	const batch = 100
	for from := 0; from < int(c); from += batch {
		require.NoError(tb, store.InTx(tb.Context(), func(ctx context.Context) error {
			for n := from; n < min(from+batch, int(c)); n++ {
				if err := insert(ctx, n); err != nil {
					return err
				}
			}
			return nil
		}))
	}
}
