package main

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/postgres"
	"github.com/usher-go/usher/storage/sqlite"
	"github.com/usher-go/usher/storage/sqlstore"
	"github.com/usher-go/usher/tenancy"
)

// app is a host with a table of its own beside usher's.
type app struct {
	db    *sql.DB
	store *sqlstore.Store
	usher *usher.Usher
	out   io.Writer
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("hosttx", flag.ContinueOnError)
	flags.SetOutput(out)
	dsn := flags.String("dsn", "", "a PostgreSQL database to use; its tables are made if they are not there")
	if err := flags.Parse(args); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "usher-hosttx")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()

	a := &app{out: out}
	if a.db, a.store, err = open(*dsn, dir); err != nil { //nolint:contextcheck // New takes no context
		return err
	}
	defer func() { _ = a.db.Close() }()
	if err := a.store.Migrate(ctx); err != nil {
		return err
	}
	if a.usher, err = usher.New(a.store); err != nil {
		return err
	}
	if _, err := a.db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS customers (account TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL)`); err != nil {
		return err
	}
	return a.play(ctx)
}

// open picks the adapter; nothing after it depends on which it is.
func open(dsn, dir string) (*sql.DB, *sqlstore.Store, error) {
	if dsn != "" {
		db, err := sql.Open("pgx", dsn)
		if err != nil {
			return nil, nil, err
		}
		store, err := postgres.New(db)
		return db, store, err
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "app.db"))
	if err != nil {
		return nil, nil, err
	}
	store, err := sqlite.New(db)
	return db, store, err
}

// play signs up two customers; the second wants a handle that the first has.
func (a *app) play(ctx context.Context) error {
	handle := tenancy.Chat("jobs-" + tenancy.NewID[tenancy.TeamID](tenancy.Env{}).String())
	for _, customer := range []string{"Acme", "Globex"} {
		before, err := a.customers(ctx)
		if err != nil {
			return err
		}
		err = a.signUp(ctx, customer, handle)
		fmt.Fprintf(a.out, "%s signs up: %v\n", customer, outcome(err))
		after, err := a.customers(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(a.out, "  rows added to the host's own table: %d\n", after-before)
	}
	return nil
}

func (a *app) customers(ctx context.Context) (rows int, err error) {
	err = a.db.QueryRowContext(ctx, "SELECT COUNT(*) FROM customers").Scan(&rows)
	return rows, err
}

func outcome(err error) string {
	if err != nil {
		return "rolled back, " + err.Error()
	}
	return "committed"
}

// signUp is the host's own operation. Whatever fails in it, usher's part or the host's, all of
// it is undone: the deferred Rollback does nothing after a Commit.
func (a *app) signUp(ctx context.Context, customer string, handle tenancy.Identity) error {
	tx, err := a.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	joined, err := a.store.JoinTx(ctx, tx)
	if err != nil {
		return err
	}

	owner, err := a.usher.Tenancy.Register(joined, "sign-up", tenancy.Profile{Email: "owner@acme.example", Name: "Olive"})
	if err != nil {
		return err
	}
	account, err := a.usher.Tenancy.CreateAccount(joined, owner.ID, customer)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO customers (name, account) VALUES ($1, $2)", customer, account.ID.String()); err != nil {
		return err
	}
	team, err := a.usher.Tenancy.CreateTeam(joined, account.Holder(owner.ID), tenancy.TeamSpec{Name: "Sales", Identity: handle})
	if err != nil {
		return err
	}
	actor := tenancy.Actor{User: owner.ID, Team: team.ID}
	if _, err := a.usher.Invites.Create(joined, actor, invite.ToTeam("bob@acme.example", rbac.Member)); err != nil {
		return err
	}
	return tx.Commit()
}
