package sqlstore

import (
	"context"
	"database/sql"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// Dialect is what differs from engine to engine. It is data, so that there is one copy of the
// SQL; the adapters hold the values.
type Dialect struct {
	// Name is the engine's name, for errors.
	Name string
	// Folder is where the engine's migrations are, below migrations/.
	Folder string

	// Numbered says that placeholders are $1, $2 …; otherwise they are ?.
	Numbered bool
	// TextIDs says that ids are bound in their text form, for a column of the type uuid;
	// otherwise as 16 bytes.
	TextIDs bool

	// Begin are the statements that start a transaction on a pinned connection: READ
	// COMMITTED, or the engine's only writer.
	Begin []string
	// OneWriter says that transactions exclude each other. Locks of rows are then not needed,
	// and usher's writers wait for each other in this process, fairly and until their context
	// ends, before they compete with those of other processes.
	OneWriter bool

	// ShareLock locks what the sub-select before it has read, for share. Empty: not needed.
	ShareLock string
	// SkipLocked locks what the select before it has read and leaves out what others have
	// locked. Empty: not needed.
	SkipLocked string

	// PassOver ends an insert and makes it pass over a row whose key exists, and over no other
	// error. The insert waits for whoever is writing that key. It counts one row if it wrote the
	// row, and none or two if not.
	PassOver string

	// NoIndex stands before a column that is to be compared without using an index. Empty: the
	// engine finds out by itself.
	NoIndex string

	// ByKey stands behind the table of an update that locks rows by their primary key, and keeps the
	// engine to that key. Empty: it looks again at a row that it has waited for. One that does not, and
	// came to the row by another index, takes it for gone when that has changed meanwhile.
	ByKey string

	// HasSchema counts the tables named usher_schema in the place where usher's would be.
	HasSchema string
	// MigrateLock keeps other migrators out. It runs after Begin and answers 1 when the lock
	// was taken, 0 to be asked again. Empty: Begin does it.
	MigrateLock string
	// MigrateUnlock ends MigrateLock, after the transaction. Empty: the transaction's end does it.
	MigrateUnlock string

	// Notify tells those who listen of streams that grow, by a text with their ids, at the commit of
	// the transaction. Listen makes a connection listen. Empty: the engine has nothing like it.
	Notify, Listen string

	// CheckLocks refuses connections on which the locks of WithUpdateLocks would not hold. Nil:
	// there are none.
	CheckLocks func(ctx context.Context, conn *sql.Conn) error

	// CheckTx refuses a host's transaction in which usher's rules would not hold.
	CheckTx func(ctx context.Context, db *sql.DB, tx Tx) error

	// Classify says what an error of the driver means, by its exact code.
	Classify func(err error) Failure
}

// Failure is what an error of a driver means.
type Failure struct {
	Class Class
	// Code is the engine's own code, empty when the error did not come from the engine.
	Code string
}

// Class is a kind of failure.
type Class int

// The classes of failure.
const (
	// Unknown is everything that is none of the others: the database could not do it.
	Unknown Class = iota
	// Duplicate is a unique key that is taken.
	Duplicate
	// Missing is a foreign key whose row does not exist, or is to be deleted.
	Missing
	// Invalid is a value that a check, a type or a length refuses.
	Invalid
	// Retry is a conflict with another transaction; this one was or must be rolled back, and
	// can be run again.
	Retry
)

// id is an id in the form that the dialect binds.
func (d Dialect) id(id uuid.UUID) any {
	if d.TextIDs {
		return id.String()
	}
	return id[:]
}

// compiler turns the statements as they are written into those of the dialect, and remembers
// them: what it has made when New returns is all that a store will ever send.
type compiler struct {
	dialect   Dialect
	fragments *strings.Replacer
	texts     []string
}

func newCompiler(d Dialect) *compiler { return &compiler{dialect: d, fragments: d.fragments()} }

// fragments puts the dialect's fragments where a statement names them.
func (d Dialect) fragments() *strings.Replacer {
	return strings.NewReplacer("{share lock}", d.ShareLock, "{skip locked}", d.SkipLocked,
		"{pass over}", d.PassOver, "{no index}", d.NoIndex, "{by key}", d.ByKey)
}

// sql makes a statement of the parts, with one space between them.
func (c *compiler) sql(parts ...string) string {
	text := c.fragments.Replace(strings.Join(parts, " "))
	if c.dialect.Numbered {
		text = numbered(text)
	}
	c.texts = append(c.texts, text)
	return text
}

// numbered replaces each ? by $1, $2 and so on. The statements have no ? in literals.
func numbered(text string) string {
	var out strings.Builder
	n := 0
	for part := range strings.SplitSeq(text, "?") {
		if n > 0 {
			out.WriteByte('$')
			out.WriteString(strconv.Itoa(n))
		}
		out.WriteString(part)
		n++
	}
	return out.String()
}

// list is n times text, with commas between.
func list(text string, n int) string {
	return strings.TrimSuffix(strings.Repeat(text+", ", n), ", ")
}
