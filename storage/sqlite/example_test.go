package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"
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
	if err != nil {
		log.Fatal(err)
	}
	db, err = sql.Open("sqlite", "file:"+filepath.Join(dir, "acme.db")+parameters)
	if err != nil {
		log.Fatal(err)
	}
	return db, func() {
		_ = db.Close()
		_ = os.RemoveAll(dir)
	}
}

// The host opens the database and decides when its schema is changed.
func ExampleNew() {
	db, remove := exampleFile("") // sql.Open("sqlite", "file:acme.db")
	defer remove()
	ctx := context.Background()

	store, err := sqlite.New(db)
	if err != nil {
		log.Fatal(err)
	}
	_, err = store.User(ctx, tenancy.UserID{})
	fmt.Println(err)

	if err := store.Migrate(ctx); err != nil {
		log.Fatal(err)
	}
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
	if err != nil {
		log.Fatal(err)
	}
	if err := store.Migrate(ctx); err != nil {
		log.Fatal(err)
	}
	if _, err := db.ExecContext(ctx, `CREATE TABLE customers (name TEXT)`); err != nil {
		log.Fatal(err)
	}

	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO customers (name) VALUES ('Acme')`); err != nil {
		log.Fatal(err)
	}
	joined, err := store.JoinTx(ctx, tx)
	if err != nil {
		log.Fatal(err)
	}
	alice := tenancy.User{
		ID: tenancy.NewID[tenancy.UserID](tenancy.Env{}), ExternalID: "auth0|42", Name: "Alice",
		Status: tenancy.UserActive, CreatedAt: time.Now(),
	}
	err = store.InTx(joined, func(ctx context.Context) error { return store.InsertUser(ctx, alice) })
	if err != nil {
		log.Fatal(err)
	}
	if err := tx.Rollback(); err != nil { // the host has changed its mind
		log.Fatal(err)
	}
	_, err = store.UserByExternalID(ctx, "auth0|42")
	fmt.Println(err)
	// Output: not found
}
