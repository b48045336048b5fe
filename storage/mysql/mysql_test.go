package mysql_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/internal/testdb"
	"github.com/usher-go/usher/storage/mysql"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/storage/sqlstore"
	"github.com/usher-go/usher/storage/storagetest"
	"github.com/usher-go/usher/tenancy"
)

// With every lock taken by an update, the store is the same to its callers.
func TestConformanceWithGalera(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storage.Store {
		return open(t, connect(t, testdb.MySQL(t, "mysql", "?interpolateParams=true")), mysql.WithGalera())
	}, storagetest.Rounds(3))
}

// Where statements are prepared, a node's rollback can go unnoticed.
func TestGaleraRefusesPreparedStatements(t *testing.T) {
	db := connect(t, testdb.MySQL(t, "mysql", ""))
	open(t, db)
	store, err := mysql.New(db, mysql.WithGalera())
	require.NoError(t, err)
	for _, err := range []error{
		store.Migrate(t.Context()),
		store.InTx(t.Context(), func(context.Context) error { return nil }),
		func() error { _, err := store.User(t.Context(), tenancy.UserID{1}); return err }(),
	} {
		require.ErrorIs(t, err, tenancy.ErrUnavailable)
		var locks *sqlstore.LocksError
		require.ErrorAs(t, err, &locks)
		require.ErrorContains(t, err, "interpolateParams=true")
	}
	require.Zero(t, db.Stats().InUse)
}

// Nothing rests on the DSN.
func TestAnyDSN(t *testing.T) {
	for _, parameters := range []string{
		"", "?parseTime=true", "?parseTime=true&loc=Asia%2FKathmandu", "?clientFoundRows=true", "?multiStatements=true",
		"?interpolateParams=true", "?charset=latin1", "?charset=utf8mb4&collation=utf8mb4_general_ci", "?columnsWithAlias=true",
		"?sql_mode=ANSI_QUOTES", "?sql_mode=%27NO_BACKSLASH_ESCAPES%27", "?sql_mode=%27%27", "?tx_isolation=%27SERIALIZABLE%27", "?time_zone=%27%2B05%3A45%27",
	} {
		t.Run(parameters, func(t *testing.T) {
			t.Parallel()
			plain := testdb.MySQL(t, "mysql", "")
			store, reader := open(t, connect(t, plain+parameters)), open(t, connect(t, plain))
			w := newWorld("Zoë 李 👋 it's \\ \"quoted\" ")
			require.NoError(t, store.InTx(t.Context(), func(ctx context.Context) error { return w.insert(ctx, store) }))
			for _, s := range []*sqlstore.Store{store, reader} { // what is stored does not depend on who reads it either
				user, err := s.UserByExternalID(t.Context(), w.user.ExternalID)
				require.NoError(t, err)
				require.Equal(t, w.user, user)
				membership, err := s.Membership(t.Context(), w.team.ID, w.user.ID)
				require.NoError(t, err)
				require.Equal(t, w.membership, membership)
			}
			// How an insert that finds its key is counted depends on clientFoundRows.
			for _, want := range []error{nil, outbox.ErrSeen, outbox.ErrSeen} {
				err := store.InTx(t.Context(), func(ctx context.Context) error { return store.MarkSeen(ctx, "bills", w.user.ID.UUID(), time.Now()) })
				require.ErrorIs(t, err, want)
			}
			// An update that changes nothing but the version, and one at an old version.
			require.NoError(t, store.InTx(t.Context(), func(ctx context.Context) error {
				if _, err := store.LockTeam(ctx, w.team.ID); err != nil {
					return err
				}
				return store.UpdateTeam(ctx, w.team)
			}))
			err := store.InTx(t.Context(), func(ctx context.Context) error { return store.UpdateTeam(ctx, w.team) })
			require.ErrorIs(t, err, tenancy.ErrStale)
			w.user.ID, w.user.ExternalID, w.user.Status = tenancy.NewID[tenancy.UserID](tenancy.Env{}), "", "active "
			err = store.InTx(t.Context(), func(ctx context.Context) error { return store.InsertUser(ctx, w.user) })
			require.ErrorIs(t, err, tenancy.ErrInvalid)
		})
	}
}

// Authority locks the membership and nothing else: the team's row, which every operation on its
// people changes, stays free, or two operations that both decide first would be a deadlock.
func TestAuthorityLocksOnlyTheMembership(t *testing.T) {
	dsn := testdb.MySQL(t, "mysql", "")
	store := open(t, connect(t, dsn))
	other := connect(t, dsn+"?innodb_lock_wait_timeout=1")
	w := newWorld("one")
	require.NoError(t, store.InTx(t.Context(), func(ctx context.Context) error { return w.insert(ctx, store) }))
	require.NoError(t, store.InTx(t.Context(), func(ctx context.Context) error {
		if _, err := store.Authority(ctx, w.team.ID, w.user.ID); err != nil {
			return err
		}
		for table, free := range map[string]bool{
			"usher_teams": true, "usher_accounts": true, "usher_users": true, "usher_roles": true, "usher_memberships": false,
		} {
			_, err := other.ExecContext(t.Context(), "UPDATE "+table+" SET version = version + 1")
			if free {
				require.NoError(t, err, table)
			} else {
				require.ErrorContains(t, err, "1205", table)
			}
		}
		return nil
	}))
}

// A world is what a decision rests on.
type world struct {
	user       tenancy.User
	account    tenancy.Account
	team       tenancy.Team
	role       tenancy.CustomRole
	membership tenancy.Membership
}

func newWorld(text string) world {
	at := time.Date(2026, 3, 1, 12, 0, 0, 123_456_000, time.UTC)
	w := world{user: tenancy.User{
		ID: tenancy.NewID[tenancy.UserID](tenancy.Env{}), ExternalID: text, Name: text, Status: tenancy.UserActive,
		VerifiedAt: at, Email: tenancy.Address{Normal: text, Display: text}, CreatedAt: at, Version: 1,
	}}
	w.account = tenancy.Account{
		ID: tenancy.NewID[tenancy.AccountID](tenancy.Env{}), Name: text, HeldBy: w.user.ID, Status: tenancy.AccountActive,
		CreatedAt: at, Version: 1,
	}
	w.team = tenancy.Team{
		ID: tenancy.NewID[tenancy.TeamID](tenancy.Env{}), Account: w.account.ID, Name: text, NameKey: text,
		Status: tenancy.TeamActive, CreatedAt: at, Version: 1,
	}
	w.role = tenancy.CustomRole{
		ID: tenancy.NewID[tenancy.RoleID](tenancy.Env{}), Account: w.account.ID, Name: text, NameKey: text,
		Base: rbac.Member, CreatedAt: at, Version: 1,
	}
	w.membership = tenancy.Membership{
		Team: w.team.ID, User: w.user.ID, Role: rbac.Manager, Custom: w.role.ID, Status: tenancy.MembershipActive, JoinedAt: at, Version: 1,
	}
	return w
}

func (w world) insert(ctx context.Context, store *sqlstore.Store) error {
	if err := store.InsertUser(ctx, w.user); err != nil {
		return err
	}
	if err := store.InsertAccount(ctx, w.account); err != nil {
		return err
	}
	if err := store.InsertTeam(ctx, w.team); err != nil {
		return err
	}
	if err := store.InsertRole(ctx, w.role); err != nil {
		return err
	}
	return store.InsertMembership(ctx, w.membership)
}
