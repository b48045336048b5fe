package sqlstore_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/internal/testdb"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/storage/sqlstore"
	"github.com/usher-go/usher/tenancy"
)

// Whichever call of the driver fails, before or after it was done, lost commits included: who
// repeats the operation under its key ends where a day without faults ends, with the same
// events, each of them once.
func TestRepeatingUnderAKeyConverges(t *testing.T) {
	faults := []struct {
		name  string
		fault error
		after bool
	}{
		{"refused", errors.New(driverText), false},
		{"connection lost with the answer", driver.ErrBadConn, true},
	}
	onEach(t, func(t *testing.T, e engine) {
		// A day is long: on a server every seventh call fails, on SQLite each one.
		stride := int64(7)
		if e.name == "sqlite" {
			stride = 1
		}
		for _, f := range faults {
			var left atomic.Int64
			left.Store(-1)
			hook := func(context.Context, string, string) error {
				if left.Add(-1) == 0 {
					return f.fault
				}
				return nil
			}
			faulty := &testdb.Tap{Before: hook}
			if f.after {
				faulty = &testdb.Tap{After: hook}
			}
			db := e.connect(t, e.dsn(t), faulty)
			d := newDay(t, e.migrated(t, db), &left)
			want := d.run(0, -1)
			require.Len(t, want, 16)
			for n, failed := int64(1), true; failed; n += stride {
				require.Equal(t, want, d.run(int(n), n), "%s, call %d", f.name, n)
				failed = left.Load() <= 0
				left.Store(-1)
				require.Zero(t, db.Stats().InUse, "%s, call %d", f.name, n)
			}
		}
	})
}

// day is a row of operations that each depend on the ones before.
type day struct {
	t     *testing.T
	usher *usher.Usher
	store *sqlstore.Store
	left  *atomic.Int64
	mark  string
	steps int
}

func newDay(t *testing.T, store *sqlstore.Store, left *atomic.Int64) *day {
	t.Helper()
	u, err := usher.New(store)
	require.NoError(t, err)
	return &day{t: t, usher: u, store: store, left: left}
}

// step runs one operation under a key of its own, and again until it succeeds.
func step[T any](d *day, operation func(ctx context.Context) (T, error)) T {
	d.t.Helper()
	d.steps++
	ctx := tenancy.WithKey(d.t.Context(), fmt.Sprintf("%s step %d", d.mark, d.steps))
	result, err := operation(ctx)
	if err != nil {
		require.ErrorIs(d.t, err, tenancy.ErrUnavailable)
		require.NotContains(d.t, whatShows(err), "secret")
		result, err = operation(ctx)
	}
	require.NoError(d.t, err)
	return result
}

// run plays the day with other names than before, fails the call given, and answers what
// happened in the two teams.
func (d *day) run(number int, call int64) []string {
	d.mark, d.steps = fmt.Sprintf("day %d", number), 0
	person := func(name string) tenancy.User {
		return step(d, func(ctx context.Context) (tenancy.User, error) {
			return d.usher.Tenancy.Register(ctx, "host", tenancy.Profile{Email: fmt.Sprintf("%s-%d@acme.example", name, number), Verified: true})
		})
	}
	identity := tenancy.Chat(fmt.Sprintf("day-%d", number))
	d.left.Store(call)

	alice, bob := person("alice"), person("bob")
	account := step(d, func(ctx context.Context) (tenancy.Account, error) {
		return d.usher.Tenancy.CreateAccount(ctx, alice.ID, d.mark)
	})
	team := func(name string, identity tenancy.Identity) tenancy.Team {
		return step(d, func(ctx context.Context) (tenancy.Team, error) {
			return d.usher.Tenancy.CreateTeam(ctx, account.Holder(alice.ID), tenancy.TeamSpec{Name: name, Identity: identity})
		})
	}
	sales, hiring := team("Sales", identity), team("Hiring", tenancy.Identity{})
	step(d, func(ctx context.Context) (tenancy.Membership, error) {
		return d.usher.Tenancy.Admit(ctx, "host", tenancy.Admission{Team: sales.ID, User: bob.ID, Role: rbac.Member})
	})
	actor := tenancy.Actor{User: alice.ID, Team: sales.ID}
	step(d, func(ctx context.Context) (invite.Invitation, error) {
		return d.usher.Invites.Create(ctx, actor, invite.ToTeam(fmt.Sprintf("carol-%d@acme.example", number), rbac.Member))
	})
	c := step(d, func(ctx context.Context) (conversation.Conversation, error) {
		return d.usher.Conversations.Receive(ctx, "host", conversation.Inbound{To: identity, From: "visitor", ID: d.mark, Text: "Hi"})
	})
	step(d, func(ctx context.Context) (conversation.Message, error) {
		return d.usher.Conversations.Send(ctx, actor, c.ID, "Hello")
	})
	step(d, func(ctx context.Context) (conversation.Conversation, error) {
		return d.usher.Conversations.Assign(ctx, actor, c.ID, bob.ID)
	})
	step(d, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, d.usher.Tenancy.Remove(ctx, actor, bob.ID)
	})
	step(d, func(ctx context.Context) (conversation.Delivery, error) {
		return d.usher.Conversations.Deliver(ctx, actor, c.ID, conversation.ToTeam(hiring.ID), conversation.Outcome{})
	})

	var kinds []string
	for _, team := range []tenancy.Team{sales, hiring} {
		events, err := d.store.TeamEvents(d.t.Context(), team.ID.UUID(), outbox.LogFilter{}, time.Time{}, [16]byte{}, 100)
		if err != nil { // the fault may be left for here
			events, err = d.store.TeamEvents(d.t.Context(), team.ID.UUID(), outbox.LogFilter{}, time.Time{}, [16]byte{}, 100)
		}
		require.NoError(d.t, err)
		for _, e := range events {
			kinds = append(kinds, fmt.Sprintf("%s %s %d", e.Kind, e.Stream.Kind, e.Sequence))
		}
	}
	return kinds
}
