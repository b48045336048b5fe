package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/internal/follow"
	"github.com/usher-go/usher/tenancy"
)

// Store keeps usher's rows in a SQL database. It is safe for concurrent use; it holds no
// connection, no goroutine and no rule, but for what [WithNotify] asks for while somebody follows.
type Store struct {
	db      *sql.DB
	dialect Dialect

	migrations  []migration
	ready       atomic.Bool   // the schema was seen to be the right one
	writer      chan struct{} // holds one token where there is one writer
	wait        time.Duration
	updateLocks bool
	errorReport func(ctx context.Context, err error)
	polling     time.Duration
	bells       follow.Bells
	turns       follow.Turns
	ear         *ear // nil without WithNotify

	fragments     *strings.Replacer
	texts         []string
	users         userStatements
	accounts      accountStatements
	teams         teamStatements
	memberships   membershipStatements
	roles         roleStatements
	flaws         map[tenancy.Flaw]string
	invitations   invitationStatements
	contacts      contactStatements
	applications  applicationStatements
	conversations conversationStatements
	desk          deskStatements
	loads         loadStatements
	episodes      episodeStatements
	messages      messageStatements
	words         wordStatements
	grants        grantStatements
	deliveries    deliveryStatements
	optOuts       optOutStatements
	reading       readingStatements
	operations    operationStatements
	events        eventStatements
	feed          feedStatements
	outbox        outboxStatements
	inbox         inboxStatements
}

var _ storage.Store = (*Store)(nil)

// Option changes how a [Store] works.
type Option func(*Store)

// WithErrorReport passes on the driver's errors that usher has no name for, in their own words,
// for the operator's log. They may quote values of rows, so they are for nobody else.
func WithErrorReport(report func(ctx context.Context, err error)) Option {
	return func(s *Store) { s.errorReport = report }
}

// WithWait sets how long a transaction waits for its turn where the engine has one writer, as
// long as its context lives. The default is 10 seconds.
func WithWait(wait time.Duration) Option {
	return func(s *Store) { s.wait = wait }
}

// WithUpdateLocks takes every lock by an update of the row, also those for share. It costs one
// statement and lets two operations of one user wait for each other; it is for clusters where
// locks of rows are local to a node and only updates are certified.
func WithUpdateLocks() Option {
	return func(s *Store) { s.updateLocks = true }
}

// WithPolling sets how often one who follows a stream looks for more, with one statement each time
// that costs the same however much there is. The default is a second.
func WithPolling(interval time.Duration) Option {
	return func(s *Store) { s.polling = interval }
}

const (
	defaultWait    = 10 * time.Second
	defaultPolling = time.Second
)

// New makes a store of the host's database. It does not touch the database.
func New(db *sql.DB, dialect Dialect, options ...Option) (*Store, error) {
	if db == nil {
		return nil, errors.New("usher: the store needs a *sql.DB")
	}
	migrations, err := readMigrations(Migrations(dialect.Folder))
	if err != nil {
		return nil, err
	}
	s := &Store{db: db, dialect: dialect, migrations: migrations, writer: make(chan struct{}, 1), wait: defaultWait, polling: defaultPolling}
	for _, option := range options {
		option(s)
	}
	if s.wait <= 0 {
		return nil, fmt.Errorf("usher: the time to wait must be more than zero, not %v", s.wait)
	}
	if s.polling <= 0 {
		return nil, fmt.Errorf("usher: the interval of polling must be more than zero, not %v", s.polling)
	}
	notify := ""
	if s.ear != nil {
		if notify = dialect.Notify; notify == "" || s.ear.wait == nil {
			return nil, fmt.Errorf("usher: WithNotify needs a function that waits, and %s to have notifications", dialect.Name)
		}
	}
	c := newCompiler(dialect)
	s.users = c.users()
	s.accounts = c.accounts()
	s.teams = c.teams()
	s.memberships = c.memberships()
	s.roles = c.roles()
	s.flaws = c.flaws()
	s.invitations = c.invitations()
	s.contacts = c.contacts()
	s.applications = c.applications()
	s.conversations = c.conversations()
	s.desk = c.desk()
	s.loads = c.loads()
	s.episodes = c.episodes()
	s.messages = c.messages()
	s.words = c.words()
	s.grants = c.grants()
	s.deliveries = c.deliveries()
	s.optOuts = c.optOuts()
	s.reading = c.reading()
	s.operations = c.operations()
	s.events = c.events(notify)
	s.feed = c.feed()
	s.outbox = c.outbox()
	s.inbox = c.inbox()
	s.fragments = c.fragments
	s.texts = slices.Compact(slices.Sorted(slices.Values(c.texts)))
	return s, nil
}

// Statements lists the texts of all statements that the store's methods send, sorted. It is
// the same list whatever was stored or asked; statements of transactions and migrations are
// not in it.
func (s *Store) Statements() []string { return slices.Clone(s.texts) }

// Migrations are the files that make the schema of a dialect, by its folder: plain SQL, only
// forward, which goose and golang-migrate read as they are.
func Migrations(folder string) fs.FS {
	files, err := fs.Sub(migrationFiles, "migrations/"+folder)
	if err != nil {
		panic(err) // only an invalid path fails, and the folders are constants
	}
	return files
}
