package storagetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/storage"
)

// Run runs the suite against the stores that open makes. Each case runs in a subtest on its
// own, and calls open at least once: every call must answer a fresh, empty, migrated store
// and register its closing with t.Cleanup. Cases of one group run in parallel; Run returns
// when all have ended.
func Run(t *testing.T, open func(t *testing.T) storage.Store, options ...Option) {
	t.Helper()
	cfg := defaults()
	for _, option := range options {
		option(&cfg)
	}
	if err := cfg.check(); err != nil {
		t.Fatal(err)
	}
	for _, g := range groups() {
		t.Run(g.name, func(t *testing.T) {
			for _, c := range g.cases {
				t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
					t.Parallel()
					for _, capability := range []Capability{c.needs, c.also} {
						if reason, excluded := cfg.without[capability]; excluded {
							t.Skipf("the store is without %q: %s", capability, reason)
						}
					}
					c.on(t, func() storage.Store { return open(t) }, cfg.rounds)
				})
			}
		})
	}
}

// Option changes how [Run] works. Without any, everything is checked.
type Option func(*config)

// Rounds sets how often the cases that look for races and those on random worlds repeat.
// The default of 20 finds what is plainly unguarded in seconds; a thousand is for the night.
// An adapter's test is the place for a flag that sets it.
func Rounds(n int) Option { return func(c *config) { c.rounds = n } }

// Without leaves out the cases that need the capability. The reason is shown with each
// skipped case and must not be empty: it is where the users of an adapter read what it
// cannot do.
func Without(c Capability, reason string) Option {
	return func(cfg *config) { cfg.without[c] = reason }
}

// Capability names a part of the contract that a store may be unable to keep by its nature.
// There is no other way to leave out a case.
type Capability string

const (
	// RowLocks: Lock… holds a row against every other transaction on the same data. A cluster
	// whose locks are local to a node is without, unless it takes each lock as an update; its
	// conflicts show at commit.
	RowLocks Capability = "row locks"
	// Relaying: Take and what settles an event work, dead letters among it. A store whose events leave by another road, such
	// as change data capture, is without.
	Relaying Capability = "relaying"
)

type config struct {
	rounds  int
	without map[Capability]string
}

func defaults() config { return config{rounds: 20, without: map[Capability]string{}} }

func (c config) check() error {
	if c.rounds < 1 {
		return fmt.Errorf("storagetest: Rounds(%d): there must be at least one round", c.rounds)
	}
	for capability, reason := range c.without {
		switch capability {
		case RowLocks, Relaying:
		default:
			return fmt.Errorf("storagetest: there is no capability %q", capability)
		}
		if strings.TrimSpace(reason) == "" {
			return fmt.Errorf("storagetest: Without(%q) must give a reason", capability)
		}
	}
	return nil
}

// A group is the cases of one idea, in a file of that name.
type group struct {
	name  string
	cases []testCase
}

// A testCase checks one rule on a fresh store.
type testCase struct {
	name string
	// rule is the sentence that a failure quotes.
	rule rule
	// covers names the methods of the store whose own answers the case checks.
	covers []string
	// needs and also are the capabilities without which the case makes no sense; mostly empty.
	needs, also Capability
	run         func(w *world)
}

// caseLimit and roundLimit, for each round, bound every context of a case. They are no measure of
// speed: they turn a hang into a failure with a sentence, and are generous for a slow machine under
// the race detector.
const (
	caseLimit  = 2 * time.Minute
	roundLimit = 10 * time.Second
)

// on runs the case. It takes a testing.TB, not a *testing.T, so that the suite's own tests can
// watch a case fail.
func (c testCase) on(tb testing.TB, open func() storage.Store, rounds int) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), caseLimit+time.Duration(rounds)*roundLimit)
	defer cancel()
	c.run(newWorld(ctx, tb, c, open, rounds))
}

func groups() []group {
	return []group{
		{"users", userCases()},
		{"accounts", accountCases()},
		{"teams", teamCases()},
		{"memberships", membershipCases()},
		{"roles", roleCases()},
		{"seats", seatCases()},
		{"doctor", slices.Concat(doctorCases(), threadDoctorCases())},
		{"operations", operationCases()},
		{"invitations", invitationCases()},
		{"contacts", contactCases()},
		{"applications", applicationCases()},
		{"conversations", conversationCases()},
		{"desk", deskCases()},
		{"loads", loadCases()},
		{"episodes", episodeCases()},
		{"sweeps", sweepCases()},
		{"messages", messageCases()},
		{"words", wordCases()},
		{"grants", grantCases()},
		{"optouts", optOutCases()},
		{"reading", readingCases()},
		{"deliveries", deliveryCases()},
		{"sets", setCases()},
		{"paging", pagingCases()},
		{"scope", scopeCases()},
		{"texts", textCases()},
		{"memory", memoryCases()},
		{"methods", methodCases()},
		{"transactions", txCases()},
		{"locks", lockCases()},
		{"races", raceCases()},
		{"outbox", outboxCases()},
		{"follow", followCases()},
		{"follow a team", feedCases()},
		{"lanes", laneCases()},
		{"relay", relayCases()},
		{"deadletters", deadLetterCases()},
		{"inbox", inboxCases()},
	}
}
