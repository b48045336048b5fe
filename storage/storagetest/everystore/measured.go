package everystore

import (
	"database/sql"
	"testing"

	"github.com/usher-go/usher/storage/sqlstore"
)

// Measured runs the benchmark once for each dialect of SQL, with the store and the handle that it
// works on, for a baseline that asks the same database by hand.
func Measured(b *testing.B, benchmark func(b *testing.B, dialect string, store *sqlstore.Store, db *sql.DB)) {
	b.Helper()
	for _, d := range dialects {
		b.Run(d.name, func(b *testing.B) {
			db, err := sql.Open(d.driver, d.dsn(b))
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = db.Close() })
			benchmark(b, d.name, adapted(b, db, d.adapt), db)
		})
	}
}
