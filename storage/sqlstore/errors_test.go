package sqlstore_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/storage/internal/testdb"
	"github.com/usher-go/usher/storage/sqlstore"
	"github.com/usher-go/usher/tenancy"
)

// whatShows is an error in every form that a program may log or send.
func whatShows(err error) string {
	encoded, _ := json.Marshal(err) //nolint:errchkjson // it prints what can be printed
	return fmt.Sprintf("%v %+v %#v %s %q", err, err, err, encoded, err)
}

// F13: whatever a database refuses, no word of its driver crosses the API, in no form of print.
func TestF13DriverTextNeverCrossesTheAPI(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		store, _ := e.open(t)
		const secret = "kilroy-was-here"
		s := stored(t, store, secret)
		again, orphan, invalid := newScene(secret), newScene("orphan"), newScene("invalid")
		again.user.ID = s.user.ID
		orphan.team.Name, invalid.user.Status = secret, tenancy.UserStatus(secret)
		for class, write := range map[error]func(ctx context.Context) error{
			tenancy.ErrDuplicate: func(ctx context.Context) error { return store.InsertUser(ctx, again.user) },
			tenancy.ErrNotFound:  func(ctx context.Context) error { return store.InsertTeam(ctx, orphan.team) },
			tenancy.ErrInvalid:   func(ctx context.Context) error { return store.InsertUser(ctx, invalid.user) },
		} {
			err := store.InTx(t.Context(), write)
			require.ErrorIs(t, err, class)
			shown := whatShows(err)
			for _, word := range []string{secret, "usher_", "constraint", "UNIQUE", "key", "violat", "pq:", "CONSTRAINT"} {
				require.NotContains(t, strings.ReplaceAll(shown, "ErrorString", ""), word)
			}
			var coded *sqlstore.Error
			require.ErrorAs(t, err, &coded)
			require.NotEmpty(t, coded.Code(), "the code helps an operator and tells nothing")
		}
	})
}

// The driver's own words reach the operator, if the host asks for them.
func TestErrorReport(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		var broken atomic.Bool
		tap := &testdb.Tap{Before: func(_ context.Context, call, query string) error {
			if broken.Load() && call == "query" {
				return fmt.Errorf("%s", driverText)
			}
			return nil
		}}
		var reported []error
		store := e.migrated(t, e.connect(t, e.dsn(t), tap), sqlstore.WithErrorReport(func(_ context.Context, err error) {
			reported = append(reported, err)
		}))
		broken.Store(true)
		_, err := store.User(t.Context(), newID[tenancy.UserID]())
		require.ErrorIs(t, err, tenancy.ErrUnavailable)
		require.NotContains(t, whatShows(err), "secret")
		require.Len(t, reported, 1)
		require.ErrorContains(t, reported[0], driverText)
	})
}

// C7: values outside the set are refused by the database itself, also when nothing of usher
// stands between.
func TestC7ChecksRefuseByHand(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		store, db := e.open(t)
		stored(t, store, "checked")
		for _, field := range []struct{ table, column, valid string }{
			{"usher_users", "status", "active"}, {"usher_accounts", "status", "active"}, {"usher_teams", "status", "active"},
			{"usher_teams", "channel", "chat"}, {"usher_roles", "base", "member"}, {"usher_memberships", "role", "manager"}, {"usher_memberships", "status", "active"},
			{"usher_contacts", "channel", "chat"}, {"usher_conversations", "channel", "chat"}, {"usher_conversations", "status", "open"},
			{"usher_episodes", "opened_on", "inbound"}, {"usher_messages", "kind", "inbound"}, {"usher_invitations", "kind", "team"}, {"usher_invitations", "role", "member"},
			{"usher_invitations", "state", "pending"}, {"usher_deliveries", "state", "pending"}, {"usher_events", "stream_kind", "team"},
		} {
			for _, value := range []string{"", "owner", field.valid + " ", strings.ToUpper(field.valid), "\u200b" + field.valid} {
				_, err := db.ExecContext(t.Context(), fmt.Sprintf("UPDATE %s SET %s = '%s'", field.table, field.column, value))
				require.Error(t, err, "%s.%s = %q", field.table, field.column, value)
			}
		}
	})
}

// What is true of the errors of a cancelled context, wherever it is cancelled.
func TestCancelledContext(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		var during atomic.Pointer[context.CancelFunc]
		tap := &testdb.Tap{Before: func(_ context.Context, call, query string) error {
			if cancel := during.Load(); cancel != nil && call != "next row" && word(query) != "COMMIT" && word(query) != "ROLLBACK" {
				(*cancel)()
			}
			return nil
		}}
		db := e.connect(t, e.dsn(t), tap)
		store := e.migrated(t, db)
		s := newScene("cancelled")
		ctx, cancel := context.WithCancel(t.Context())
		during.Store(&cancel)
		require.ErrorIs(t, store.InTx(ctx, func(ctx context.Context) error { return s.insert(ctx, store) }), context.Canceled)
		during.Store(nil)
		s.requireAbsent(t, store)
		_, err := store.User(ctx, s.user.ID)
		require.ErrorIs(t, err, context.Canceled)
		require.Zero(t, db.Stats().InUse)
		require.NoError(t, store.InTx(t.Context(), func(ctx context.Context) error { return s.insert(ctx, store) }))
		s.requireStored(t, store)
	})
}
