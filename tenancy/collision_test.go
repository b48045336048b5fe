package tenancy_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"

	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/storage/sqlite"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/tenancy"
)

// neighbours are addresses that one comparison or another takes for the same: of ASCII letters,
// of Unicode letters, of databases (which fold case, ignore accents and trailing spaces) and of
// domains.
var neighbours = []struct {
	one, other string
	same       bool
}{
	{"bob@acme.example", " BOB@Acme.EXAMPLE\n", true},
	{"bob@acme.example", "bob@acme.exampl", false},
	{"bob@bücher.example", "Bob@XN--bcher-kva.example", true},
	{"bob@bücher.example", "bob@bucher.example", false},
	{"bob@straße.example", "bob@strasse.example", false},
	{"straße@acme.example", "strasse@acme.example", false},
	{"jürgen@acme.example", "JÜRGEN@acme.example", false},
	{"jürgen@acme.example", "jurgen@acme.example", false},
	{"mike@acme.example", "mıke@acme.example", false},
	{"sam@acme.example", "ſam@acme.example", false},
	{"σας@acme.example", "σασ@acme.example", false},
	{"ば@acme.example", "ぱ@acme.example", false},
	{"a_b@acme.example", "a%b@acme.example", false},
	{"bob+jobs@acme.example", "bob@acme.example", false},
	{"b.ob@acme.example", "bob@acme.example", false},
}

// B1: two addresses are one to a store if, and only if, their normal forms are equal.
func TestB1_EqualNormalFormsCollideOnEveryStore(t *testing.T) {
	everystore.Run(t, func(t *testing.T, open func(t *testing.T) storage.Store) {
		store := open(t)
		for _, n := range neighbours {
			one, other := parsed(t, n.one), parsed(t, n.other)
			assert.Equal(t, n.same, one.Normal == other.Normal, "%q and %q", n.one, n.other)
			collide(t, store, one, other)
			collide(t, store, other, one)
		}
	})
}

func FuzzEqualNormalFormsCollide(f *testing.F) {
	for _, n := range neighbours {
		f.Add(n.one, n.other)
	}
	stores := []storage.Store{memory.New(), sqliteFor(f)}
	f.Fuzz(func(t *testing.T, one, other string) {
		a, err := tenancy.ParseAddress(one)
		if err != nil {
			return
		}
		// The other text is seldom an address; what programs make of the first one often is.
		for _, look := range []string{other, a.Normal, strings.ToUpper(one), strings.ToLower(one), norm.NFKC.String(one), "\t" + a.Display + " "} {
			b, err := tenancy.ParseAddress(look)
			if err != nil {
				continue
			}
			for _, store := range stores {
				collide(t, store, a, b)
			}
		}
	})
}

func parsed(t *testing.T, text string) tenancy.Address {
	t.Helper()
	a, err := tenancy.ParseAddress(text)
	require.NoError(t, err, "%q", text)
	return a
}

// collide asks the store for a user who is verified for an address, beside one who is verified for
// another: it must refuse just the same address. Nothing stays behind.
func collide(t *testing.T, store storage.Store, one, other tenancy.Address) {
	t.Helper()
	same, undo := one.Normal == other.Normal, errors.New("undo")
	err := store.InTx(t.Context(), func(ctx context.Context) error {
		require.NoError(t, store.InsertUser(ctx, verifiedFor(one)), "%q", one)
		_, err := store.UserByEmail(ctx, other.Normal)
		assert.Equal(t, same, err == nil, "the look-up of %q finds %q: %v", other, one, err)
		err = store.InsertUser(ctx, verifiedFor(other))
		assert.Equal(t, same, errors.Is(err, tenancy.ErrConflict), "%q beside %q: %v", other, one, err)
		assert.Equal(t, same, err != nil, "%q beside %q: %v", other, one, err)
		return undo
	})
	require.ErrorIs(t, err, undo)
}

func verifiedFor(a tenancy.Address) tenancy.User {
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	return tenancy.User{
		ID: tenancy.UserID(uuid.New()), Email: a, VerifiedAt: now, Name: "Somebody",
		Status: tenancy.UserActive, CreatedAt: now, Version: 1,
	}
}

// sqliteFor is one store for all inputs: to make one takes longer than to ask it.
func sqliteFor(f *testing.F) storage.Store {
	f.Helper()
	db, err := sql.Open("sqlite", filepath.Join(f.TempDir(), "usher.db"))
	require.NoError(f, err)
	f.Cleanup(func() { _ = db.Close() })
	store, err := sqlite.New(db)
	require.NoError(f, err)
	require.NoError(f, store.Migrate(f.Context()))
	return store
}
