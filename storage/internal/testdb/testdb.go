// Package testdb gives the tests of the adapters a place of their own on a real server.
//
// A server is the one whose DSN is in USHER_TEST_POSTGRES or USHER_TEST_MYSQL; without, one is
// started from the machine's own binaries, as an unprivileged user, on a socket in a temporary
// folder, once for the test process, and is gone when that ends, however it ends. Without
// binaries the test is skipped and says how to get a server, unless USHER_TEST_REQUIRE, a list
// such as postgres,mysql, names it: then it fails.
//
// The package imports no driver: the caller names the one that it has imported.
package testdb

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Postgres makes a schema and answers the DSN of connections that work in it. The schema is
// dropped when the test ends. The driver is the name under which pgx or pq is registered.
func Postgres(t testing.TB, driver string) string {
	t.Helper()
	server := serverDSN(t, "postgres", "USHER_TEST_POSTGRES", "postgres://user@localhost/test", postgres)
	admin := administer(t, driver, server)
	schema := uniqueName()
	run(t, admin, "CREATE SCHEMA "+schema)
	t.Cleanup(func() { run(t, admin, "DROP SCHEMA "+schema+" CASCADE") })
	dsn, err := url.Parse(server)
	if err != nil || dsn.Scheme == "" {
		t.Fatalf("testdb: USHER_TEST_POSTGRES must be a URL such as postgres://user@localhost/test")
	}
	query := dsn.Query()
	query.Set("search_path", schema)
	dsn.RawQuery = query.Encode()
	return dsn.String()
}

// MySQL makes a database and answers the DSN of connections to it, in go-sql-driver's form,
// with the parameters given, such as "?parseTime=true". The database is dropped when the test
// ends.
func MySQL(t testing.TB, driver, parameters string) string {
	t.Helper()
	server := serverDSN(t, "mysql", "USHER_TEST_MYSQL", "user:password@tcp(localhost:3306)/", mysql)
	admin := administer(t, driver, server)
	name := uniqueName()
	run(t, admin, "CREATE DATABASE "+name)
	t.Cleanup(func() { run(t, admin, "DROP DATABASE "+name) })
	address, _, found := cutLast(server, "/")
	if !found {
		t.Fatalf("testdb: USHER_TEST_MYSQL must have the form user:password@tcp(localhost:3306)/")
	}
	return address + "/" + name + parameters
}

func cutLast(text, at string) (before, after string, found bool) {
	i := strings.LastIndex(text, at)
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+len(at):], true
}

var serial atomic.Int64

// uniqueName is one that no other test uses, also not in another process on the same server.
func uniqueName() string {
	return fmt.Sprintf("usher_test_%d_%d_%d", os.Getpid(), time.Now().UnixNano(), serial.Add(1))
}

// server starts a server, once.
type server func() (dsn string, err error)

var (
	postgres server = sync.OnceValues(startPostgres)
	mysql    server = sync.OnceValues(startMySQL)
)

func serverDSN(t testing.TB, name, variable, example string, start server) string {
	t.Helper()
	if dsn := os.Getenv(variable); dsn != "" {
		return dsn
	}
	dsn, err := start()
	if err == nil {
		return dsn
	}
	how := fmt.Sprintf("no %s server: set %s to a DSN such as %s, or install its server so that one can be started (%v)", name, variable, example, err)
	if slices.Contains(strings.Split(os.Getenv("USHER_TEST_REQUIRE"), ","), name) {
		t.Fatal(how + "; USHER_TEST_REQUIRE asks for it")
	}
	t.Skip(how)
	return ""
}

var handles sync.Map // driver and DSN → *sql.DB, for as long as the process lives

func administer(t testing.TB, driver, dsn string) *sql.DB {
	t.Helper()
	key := driver + " " + dsn
	if db, found := handles.Load(key); found {
		return db.(*sql.DB) //nolint:errcheck // nothing else is stored
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatalf("testdb: %v", err)
	}
	db.SetMaxIdleConns(1)
	known, loaded := handles.LoadOrStore(key, db)
	if loaded {
		_ = db.Close()
	}
	return known.(*sql.DB) //nolint:errcheck // nothing else is stored
}

func run(t testing.TB, db *sql.DB, statement string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := db.ExecContext(ctx, statement); err != nil {
		t.Fatalf("testdb: %s: %v", statement, err)
	}
}
