package sqlstore_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
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

var (
	tableBegins = regexp.MustCompile(`^CREATE TABLE (?:IF NOT EXISTS )?(\w+)`)
	columnSet   = regexp.MustCompile(`(\w+) IN \(('[^)]*)\)`)
)

// sets are the columns that hold a word of a set, with the set, as the migrations of one database or
// another have them: what one of them forgets is missed there.
func sets(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for _, dialect := range []string{"sqlite", "postgres", "mysql"} {
		text, err := os.ReadFile("migrations/" + dialect + "/0001_init.up.sql")
		require.NoError(t, err)
		table := ""
		for line := range strings.Lines(string(text)) {
			if begins := tableBegins.FindStringSubmatch(line); begins != nil {
				table = begins[1]
			}
			for _, set := range columnSet.FindAllStringSubmatch(line, -1) {
				found[table+"."+set[1]] = strings.Split(strings.ReplaceAll(set[2], "'", ""), ", ")
			}
		}
	}
	return found
}

// C7: values outside the set are refused by the database itself, also when nothing of usher
// stands between: in each column that has a set, on each database.
func TestC7ChecksRefuseByHand(t *testing.T) {
	columns := sets(t)
	require.Contains(t, columns, "usher_memberships.role")
	onEach(t, func(t *testing.T, e engine) {
		store, db := e.open(t)
		s := stored(t, store, "checked")
		require.NoError(t, store.InTx(t.Context(), func(ctx context.Context) error {
			return store.InsertOptOut(ctx, conversation.OptOut{
				Identity: s.conversation.Identity, Address: s.conversation.Address, Account: s.account.ID, Cause: conversation.ByContact, At: noon, Version: 1,
			})
		}))
		set := func(field, to string) error {
			table, column, _ := strings.Cut(field, ".")
			_, err := db.ExecContext(t.Context(), fmt.Sprintf("UPDATE %s SET %s = %s", table, column, to))
			return err
		}
		for field, valid := range columns {
			table, column, _ := strings.Cut(field, ".")
			var rows int
			require.NoError(t, db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&rows))
			require.Positive(t, rows, "%s has no row to try it on", table)
			require.NoError(t, set(field, column), "what is there is of the set")
			word := valid[len(valid)-1]
			for _, value := range []string{"", "owner", word + " ", strings.ToUpper(word), "\u200b" + word} {
				if !slices.Contains(valid, value) {
					require.Error(t, set(field, "'"+value+"'"), "%s = %q", field, value)
				}
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
