package everystore

import (
	"flag"
	"testing"

	"github.com/usher-go/usher/storage"
)

var rounds = flag.Int("usher.rounds", 0, "how often each race is run; 0 is what each test does usually")

// Rounds is how often a test is to run a race: usually as often as it says, and as often as the
// flag -usher.rounds says where that is given. Every test program that imports this package has
// the flag.
func Rounds(usually int) int {
	if *rounds > 0 {
		return *rounds
	}
	return usually
}

// RunTwo runs the test once for each store that can have two handles on one database, as two
// processes of a host have: all but the memory store, which is its own data.
func RunTwo(t *testing.T, test func(t *testing.T, a, b storage.Store)) {
	t.Helper()
	for _, d := range dialects {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			dsn := d.dsn(t)
			test(t, open(t, d.driver, dsn, d.adapt), open(t, d.driver, dsn, d.adapt))
		})
	}
}
