package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

//go:embed migrations
var migrationFiles embed.FS

// migration is one file: its number, and its statements in order.
type migration struct {
	version    int64
	statements []string
}

// readMigrations reads the files 0001_name.up.sql and so on. Each records its own version in
// usher_schema with its last statement, so that it makes no difference which tool ran it.
func readMigrations(files fs.FS) ([]migration, error) {
	names, err := fs.Glob(files, "*.up.sql")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var found []migration
	for _, name := range names {
		number, _, _ := strings.Cut(name, "_")
		version, err := strconv.ParseInt(number, 10, 64)
		if err != nil || version != int64(len(found)+1) {
			return nil, fmt.Errorf("usher: migration %s must have the number %d", name, len(found)+1)
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		found = append(found, migration{version: version, statements: splitStatements(string(text))})
	}
	if found == nil {
		return nil, fmt.Errorf("usher: there are no migrations for this dialect")
	}
	return found, nil
}

// splitStatements cuts a file after each semicolon at the end of a line and leaves out the
// lines that are comments. The files keep to that form; goose cuts them the same way.
func splitStatements(text string) []string {
	var statements []string
	var current strings.Builder
	for line := range strings.Lines(text) {
		if trimmed := strings.TrimSpace(line); trimmed == "" || strings.HasPrefix(trimmed, "--") {
			continue
		}
		current.WriteString(line)
		if strings.HasSuffix(strings.TrimSpace(line), ";") {
			statements = append(statements, strings.TrimSuffix(strings.TrimSpace(current.String()), ";"))
			current.Reset()
		}
	}
	return statements
}

// latest is the version of the schema that this program works with.
func (s *Store) latest() int64 { return s.migrations[len(s.migrations)-1].version }

// schemaVersion is the version of the schema in the database, 0 for none.
func (s *Store) schemaVersion(ctx context.Context, handle Tx) (int64, error) {
	tables, err := Value[int64](ctx, handle, s.dialect.HasSchema)
	if err != nil || tables == 0 {
		return 0, err
	}
	return Value[int64](ctx, handle, "SELECT COALESCE(MAX(version), 0) FROM usher_schema")
}

// Value reads the one value that a query without arguments answers, or the zero value if it
// answers none. It is for the parts of a dialect.
func Value[T any](ctx context.Context, handle Tx, query string) (T, error) {
	found, err := collect(ctx, handle, func(r row) (T, error) {
		var value T
		err := r.Scan(&value)
		return value, err
	}, query, nil)
	if err != nil || len(found) == 0 {
		var none T
		return none, err
	}
	return found[0], nil
}

// checkSchema answers a [*SchemaError] unless the database has the schema that this program
// works with. Once it was seen to be right, it is not asked again.
func (s *Store) checkSchema(ctx context.Context, handle Tx) error {
	if s.ready.Load() {
		return nil
	}
	if err := s.checkLocks(ctx, handle); err != nil {
		return err
	}
	have, err := s.schemaVersion(ctx, handle)
	if err != nil {
		return s.failure(ctx, err)
	}
	if have != s.latest() {
		return &SchemaError{Have: have, Want: s.latest()}
	}
	s.ready.Store(true)
	return nil
}

// checkLocks answers a [*LocksError] if the store takes its locks by updates and the handle's
// connections are not fit for it. All of a pool are alike, so one is looked at.
func (s *Store) checkLocks(ctx context.Context, handle Tx) error {
	if !s.updateLocks || s.dialect.CheckLocks == nil {
		return nil
	}
	conn, pinned := handle.(*sql.Conn)
	if !pinned {
		var err error
		if conn, err = s.db.Conn(ctx); err != nil {
			return s.failure(ctx, err)
		}
		defer conn.Close() // gives it back to the pool
	}
	err := s.dialect.CheckLocks(ctx, conn)
	var plain *LocksError
	switch {
	case errors.As(err, &plain):
		return plain
	case err != nil:
		return s.failure(ctx, err)
	}
	return nil
}

// Migrate makes the database's schema the one that this program works with. Nothing else does,
// and it may be left to goose or golang-migrate with the files of the adapter's Migrations.
//
// It may be called at every start and by several programs at once: one does the work, the
// others wait for it. It only goes forward; a database that a newer version of usher has
// migrated is refused with a [*SchemaError]. On SQLite and PostgreSQL all of it is one
// transaction. MySQL ends a transaction at each CREATE, so there each statement is written so
// that it can be run again, and a migration that was interrupted is finished by the next call.
func (s *Store) Migrate(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.persist(ctx, func() (*Error, error) {
		err := s.migrate(ctx)
		return asFailure(err), err
	})
}

func (s *Store) migrate(ctx context.Context) error {
	have, err := s.schemaVersion(ctx, s.db)
	if err != nil {
		return s.failure(ctx, err)
	}
	if have < s.latest() {
		if err := s.migrateLocked(ctx); err != nil {
			return err
		}
	}
	return s.checkSchema(ctx, s.db)
}

// migrateLocked applies what is missing, alone.
func (s *Store) migrateLocked(ctx context.Context) error {
	c, err := s.connect(ctx)
	if err != nil {
		return err
	}
	if err := c.start(ctx); err != nil {
		c.discard()
		return err
	}
	if err := s.lockMigrations(ctx, c.conn); err != nil {
		c.discard()
		return err
	}
	if err := s.applyMissing(ctx, c.conn); err != nil {
		c.discard() // which ends the transaction and the lock
		return err
	}
	if s.dialect.MigrateUnlock == "" {
		return c.commit(ctx)
	}
	// MySQL: the lock belongs to the connection, not to the transaction.
	if err := c.exec(ctx, "COMMIT", s.dialect.MigrateUnlock); err != nil {
		c.discard()
		return s.failure(ctx, err)
	}
	c.release()
	return nil
}

func (s *Store) lockMigrations(ctx context.Context, handle Tx) error {
	for s.dialect.MigrateLock != "" {
		taken, err := Value[int64](ctx, handle, s.dialect.MigrateLock)
		if err != nil {
			return s.failure(ctx, err)
		}
		if taken == 1 {
			return nil
		}
	}
	return nil
}

func (s *Store) applyMissing(ctx context.Context, handle Tx) error {
	have, err := s.schemaVersion(ctx, handle)
	if err != nil {
		return s.failure(ctx, err)
	}
	for _, m := range s.migrations {
		if m.version <= have {
			continue
		}
		for _, statement := range m.statements {
			if _, err := handle.ExecContext(ctx, statement); err != nil {
				return s.failure(ctx, err)
			}
		}
	}
	return nil
}
