package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite"

	"github.com/usher-go/usher/storage/sqlite"
	"github.com/usher-go/usher/tenancy"
)

// exampleFile is a database for an example, and how to be rid of it.
func exampleFile(parameters string) (db *sql.DB, remove func()) {
	dir, err := os.MkdirTemp("", "usher-example-")
	must(err)
	db, err = sql.Open("sqlite", "file:"+filepath.Join(dir, "acme.db")+parameters)
	must(err)
	return db, func() {
		_ = db.Close()
		_ = os.RemoveAll(dir)
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// The host opens the database and decides when its schema is changed.
func ExampleNew() {
	db, remove := exampleFile("") // a handle that the host has opened
	defer remove()
	ctx := context.Background()

	store, err := sqlite.New(db)
	must(err)
	_, err = store.User(ctx, tenancy.UserID{})
	fmt.Println(err)

	must(store.Migrate(ctx))
	_, err = store.User(ctx, tenancy.UserID{})
	fmt.Println(err)
	// Output:
	// unavailable: the database has no tables of usher: call Migrate first
	// not found
}

// What usher writes in the host's own transaction is committed or vanishes with it. Store
// methods stand here for the operations of usher's services, which take the same context.
func Example_joinTx() {
	db, remove := exampleFile("?_pragma=foreign_keys(1)")
	defer remove()
	ctx := context.Background()
	store, err := sqlite.New(db)
	must(err)
	must(store.Migrate(ctx))
	_, err = db.ExecContext(ctx, `CREATE TABLE customers (name TEXT)`)
	must(err)

	tx, err := db.BeginTx(ctx, nil)
	must(err)
	_, err = tx.ExecContext(ctx, `INSERT INTO customers (name) VALUES ('Acme')`)
	must(err)
	joined, err := store.JoinTx(ctx, tx)
	must(err)
	alice := tenancy.User{
		ID: tenancy.NewID[tenancy.UserID](tenancy.Env{}), ExternalID: "auth0|42", Name: "Alice",
		Status: tenancy.UserActive, CreatedAt: time.Now(),
	}
	err = store.InTx(joined, func(ctx context.Context) error { return store.InsertUser(ctx, alice) })
	must(err)
	must(tx.Rollback()) // the host has changed its mind
	_, err = store.UserByExternalID(ctx, "auth0|42")
	fmt.Println(err)
	// Output: not found
}
