package usher_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/sqlstore"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

var update = flag.Bool("update", false, "write what each operation sends into testdata/statements.txt")

const pins = "testdata/statements.txt"

// cost is what one operation sends to one dialect.
type cost struct{ statements, roundTrips int }

// Each operation sends as many statements as testdata/statements.txt says, with those that
// begin and end its transaction. A number that changes is a decision: look at what is sent, and
// then run this test with -update.
func TestStatementsOfOperations(t *testing.T) {
	var mu sync.Mutex
	found := map[string]map[string]cost{}
	t.Run("dialects", func(t *testing.T) { // ends when all have
		everystore.Recorded(t, func(t *testing.T, dialect string, store *sqlstore.Store, r *everystore.Recorder) {
			costs := map[string]cost{}
			p := player{store: store, recorder: r}
			for _, name := range slices.Sorted(maps.Keys(operations)) {
				sent, trips := p.play(t, name, 0)
				costs[name] = cost{len(sent), trips}
				requireScoped(t, store, name, sent)
			}
			mu.Lock()
			defer mu.Unlock()
			found[dialect] = costs
		})
	})
	switch {
	case t.Failed():
		return
	case len(found) < 3:
		t.Skip("not every dialect has a server here; see storage/internal/testdb for how to get one")
	}
	table := pinned(t, found)
	if *update {
		require.NoError(t, os.WriteFile(pins, []byte(table), 0o644))
		return
	}
	golden, err := os.ReadFile(pins)
	require.NoError(t, err)
	want, got := strings.Split(string(golden), "\n"), strings.Split(table, "\n")
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("%s lacks this line, or has other numbers: if these are right, run this test with -update, or put it there:\n%s", pins, line)
		}
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("%s has this line, which is no longer so: run this test with -update, or take it out:\n%s", pins, line)
		}
	}
}

// pinned is the table as it is kept.
func pinned(t *testing.T, found map[string]map[string]cost) string {
	t.Helper()
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "operation\tsqlite\tpostgres\tmysql\tround trips of mysql without interpolateParams")
	for _, name := range slices.Sorted(maps.Keys(operations)) {
		of := func(dialect string) cost { return found[dialect][name] }
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\n", name, of("sqlite").statements, of("postgres").statements, of("mysql").statements, of("mysql").roundTrips)
		for _, dialect := range []string{"sqlite", "postgres"} {
			assert.Equal(t, of(dialect).statements, of(dialect).roundTrips, "%s on %s: one round trip for each statement", name, dialect)
		}
	}
	require.NoError(t, w.Flush())
	return text.String()
}

// No operation sends more for more rows: one that reads sends the same statements for 50 as for one,
// and one that writes as many. The rows that one statement takes are counted in 16 and in 256; what is
// beyond takes another for each so many. This is the services' doing, and the same in all dialects.
func TestStatementsDoNotGrow(t *testing.T) {
	store, recorder := everystore.RecordedSQLite(t)
	p := player{store: store, recorder: recorder}
	few := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(operations)) {
		few[name], _ = p.play(t, name, 1)
		if !writes(few[name]) {
			continue
		}
		many, _ := p.play(t, name, 4)
		assert.Len(t, many, len(few[name]), "with more of everything %s sends more: give the store a method for all of them\n%s", name, strings.Join(many, "\n"))
	}
	maps.DeleteFunc(few, func(_ string, sent []string) bool { return writes(sent) })
	require.Greater(t, len(few), 15)
	for name, want := range few {
		many, _ := p.play(t, name, 50)
		assert.Equal(t, want, many, "%s of 50 rows sends other statements than of one", name)
	}
}

// To invite many sends no more than to invite one, up to what one statement holds.
func TestStatementsOfBulkDoNotGrow(t *testing.T) {
	store, recorder := everystore.RecordedSQLite(t)
	s := newScene(t, store)
	send := func(batch string, n int) []string {
		var rows []invite.Row
		for i := range n {
			rows = append(rows, invite.Row{Email: fmt.Sprintf("%s-%d@new.example", batch, i)})
		}
		recorder.Take()
		_, err := s.Invites.Bulk(t.Context(), s.proper.actor, invite.BulkSpec{Rows: rows})
		require.NoError(t, err)
		sent, _ := recorder.Take()
		return sent
	}
	one := send("one", 1)
	assert.Len(t, send("many", 16), len(one))
	assert.Less(t, len(send("more", 160)), len(one)+3*10, "another for each 16 rows in each of three tables")
}

// To invite one address into many teams sends no more than into one, whatever is in the way there and in
// whatever role. Where seats count, what the first replaces ends before its seat is looked for, and that of
// the others after it: that is twice at most.
func TestStatementsOfBatchDoNotGrow(t *testing.T) {
	email := ushertest.Email("invited")
	for name, ways := range map[string][]string{
		"nothing in the way": {"free"}, "lapsed ones": {"lapsed"}, "replaced ones": {"replaced"},
		"some of each": {"free", "lapsed", "replaced"},
	} {
		for what, seats := range map[string]tenancy.Seats{
			"": {}, ", with seats": {Rule: tenancy.WarnSeats, CountPending: true},
		} {
			t.Run(name+what, func(t *testing.T) {
				store, recorder := everystore.RecordedSQLite(t)
				send := func(ofEach int) []string {
					recorder.Empty(t)
					w := ushertest.NewWorldOn(t, store).Account("acme").Role("Lead", rbac.Restricted, rbac.ReadConversation)
					_, err := w.Tenancy.SetSeats(t.Context(), ushertest.System, w.Holder("acme").Account, seats)
					require.NoError(t, err)
					own, err := w.Tenancy.AccountRoles(t.Context(), w.Holder("acme"))
					require.NoError(t, err)
					var into []invite.TeamRole
					for n := range ofEach {
						for _, way := range ways {
							team := fmt.Sprint(way, " ", n)
							w.Team(team, ushertest.Manager("alice"))
							to := invite.TeamRole{Team: w.TeamNamed(team).ID, Role: rbac.Member}
							if n%2 == 0 {
								to.Role, to.Custom = 0, own[0].ID
							}
							into = append(into, to)
						}
					}
					before := func(way string, options ...invite.Option) {
						for n := range ofEach {
							if slices.Contains(ways, way) {
								_, err := w.Invites.Create(t.Context(), w.Actor("alice", fmt.Sprint(way, " ", n)), invite.ToTeam(email, rbac.Member, options...))
								require.NoError(t, err)
							}
						}
					}
					before("lapsed", invite.ExpiresIn(invite.MinExpiry))
					w.Clock.Advance(invite.MinExpiry)
					before("replaced")
					recorder.Take()
					_, err = w.Invites.Batch(t.Context(), w.Actor("alice", ways[0]+" 0"), email, into, invite.IfPending(invite.Replace))
					require.NoError(t, err)
					sent, _ := recorder.Take()
					return sent
				}
				one, many := send(1), send(5)
				if !seats.CountPending {
					assert.Len(t, many, len(one), strings.Join(many, "\n"))
					return
				}
				assert.LessOrEqual(t, len(many), len(one)+8, "%s\n\n%s", strings.Join(one, "\n"), strings.Join(many, "\n"))
			})
		}
	}
}

// player plays operations in scenes of one database.
type player struct {
	store    *sqlstore.Store
	recorder *everystore.Recorder
	scene    *scene // nil after an operation that wrote
	size     int
}

// play answers what an operation sends in a new scene that has grown to the size given.
func (p *player) play(t *testing.T, name string, size int) (sent []string, roundTrips int) {
	t.Helper()
	if p.scene == nil || p.size != size {
		p.recorder.Empty(t)
		p.scene, p.size = newScene(t, p.store), size
		p.scene.grow(t, size)
	}
	p.recorder.Take()
	require.NoError(t, operations[name].call(t.Context(), p.scene, p.scene.proper, p.scene.own), name)
	sent, roundTrips = p.recorder.Take()
	if writes(sent) {
		p.scene = nil
	}
	return sent, roundTrips
}

var writing = regexp.MustCompile(`^(INSERT|UPDATE|DELETE)`)

func writes(sent []string) bool { return slices.ContainsFunc(sent, writing.MatchString) }

// grow adds n of everything that lists show and that operations act on.
func (s *scene) grow(t *testing.T, n int) {
	t.Helper()
	manager := s.proper.actor
	for i := range n {
		name := fmt.Sprint("more-", i)
		member := s.User(name).ID
		_, err := s.Tenancy.Admit(t.Context(), ushertest.System, tenancy.Admission{Team: s.own.team, User: member, Role: rbac.Member})
		require.NoError(t, err)
		_, err = s.Invites.Create(t.Context(), manager, invite.ToTeam(ushertest.Email("invited-"+name), rbac.Member))
		require.NoError(t, err)
		s.Guest(manager, s.own.conversation, "guest-"+name)
		s.Comes("user-"+name, s.Link(manager, invite.LinkSpec{Uses: 1}))
		s.use(t, "used-"+name)
		s.ask(t, name)
		s.Receive("Sales", "visitor-1", "Hi again")
		_, err = s.Conversations.Assign(t.Context(), manager, s.Receive("Sales", name, "Hi").ID, s.own.user)
		require.NoError(t, err)
		_, err = s.Conversations.Deliver(t.Context(), manager, s.Receive("Sales", "out-"+name, "Hi").ID, conversation.ToUser(member), conversation.Outcome{})
		require.NoError(t, err)
		team, err := s.Tenancy.CreateTeam(t.Context(), s.proper.holder, tenancy.TeamSpec{Name: name})
		require.NoError(t, err)
		for _, user := range []tenancy.UserID{s.proper.self, s.member.User, s.stranger} {
			_, err = s.Tenancy.Admit(t.Context(), ushertest.System, tenancy.Admission{Team: team.ID, User: user, Role: rbac.Member})
			require.NoError(t, err)
		}
	}
}

var (
	ofConversation = regexp.MustCompile(`(?s)usher_(messages|grants|deliveries|read_marks)\b.*\b(conversation_id|pending_conversation) (=|IN) |^INSERT INTO usher_(messages|grants|deliveries|read_marks)`)
	foundInTeam    = regexp.MustCompile(`(?s)usher_conversations.*\b(team_id = |channel = )|^INSERT INTO usher_conversations`)
	// Deliver looks for a delivery that has lapsed, whose invitation is locked before the
	// conversation, and passes over one from another team by itself.
	lapsed = regexp.MustCompile(`WHERE d.pending_conversation = `)
	frames = regexp.MustCompile(`^(BEGIN|COMMIT|ROLLBACK|SET|START|PRAGMA)\b`)
)

// requireScoped: what has no team of its own but that of its conversation is only touched after
// the conversation was found in its team. Nothing is sent that is not in the store's list, of
// which sqlstore's own tests show that each binds its team.
func requireScoped(t *testing.T, store *sqlstore.Store, name string, sent []string) {
	t.Helper()
	known, found := store.Statements(), false
	for _, text := range sent {
		_, listed := slices.BinarySearch(known, text)
		assert.True(t, listed || frames.MatchString(text), "%s sends what is not in Statements: %s", name, text)
		found = found || foundInTeam.MatchString(text)
		lapses := strings.HasPrefix(name, "conversation.Deliver") && lapsed.MatchString(text)
		assert.True(t, found || lapses || !ofConversation.MatchString(text), "%s looks into a conversation before it was found in its team: %s", name, text)
	}
}

// use notes somebody more who came in by the scene's link, beyond the uses that it has.
func (s *scene) use(t *testing.T, name string) {
	t.Helper()
	user := s.User(name).ID
	require.NoError(t, s.Store.InTx(t.Context(), func(ctx context.Context) error {
		return s.Store.InsertUse(ctx, invite.Use{Team: s.own.team, Link: s.own.link, User: user, At: s.Clock.Now()})
	}))
}

// ask notes one more request of the asker that has ended, beyond how many a user can make.
func (s *scene) ask(t *testing.T, name string) {
	t.Helper()
	asked, err := s.Store.Invitation(t.Context(), s.own.team, s.own.request)
	require.NoError(t, err)
	asked.ID, asked.State = tenancy.NewID[tenancy.InvitationID](tenancy.Env{}), invite.Revoked
	require.NoError(t, s.Store.InTx(t.Context(), func(ctx context.Context) error { return s.Store.InsertInvitation(ctx, asked) }), name)
}
