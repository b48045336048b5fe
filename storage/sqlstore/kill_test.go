package sqlstore_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

var kills = flag.Int("usher.kills", 10, "how many processes TestKilledProcess kills on each engine")

// What a process that is to be killed is told in its environment.
const (
	victimEngine = "USHER_TEST_VICTIM_ENGINE"
	victimDSN    = "USHER_TEST_VICTIM_DSN"
)

// A process that is killed at any instant leaves no change without its event and no event
// without its change, and whoever has to be told of an event is told, whether the process was
// writing it or handing it on.
func TestKilledProcess(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		dsn := e.dsn(t)
		store := e.migrated(t, e.connect(t, dsn, nil))
		told := map[string]bool{}
		hear := outbox.SinkFunc(func(_ context.Context, e outbox.Event) error {
			told[e.ID.String()] = true
			return nil
		})
		afterLeases := outbox.WithClock(func() time.Time { return time.Now().Add(time.Hour) })
		u, err := usher.New(store, usher.WithSink(lane, hear), usher.WithRelay(afterLeases))
		require.NoError(t, err)
		alice, err := u.Tenancy.Register(t.Context(), "host", tenancy.Profile{ExternalID: "alice", Email: "alice@acme.example"})
		require.NoError(t, err)
		account, err := u.Tenancy.CreateAccount(t.Context(), alice.ID, "Acme")
		require.NoError(t, err)
		team, err := u.Tenancy.CreateTeam(t.Context(), account.Holder(alice.ID), tenancy.TeamSpec{Name: "Sales", Identity: tenancy.Chat("sales")})
		require.NoError(t, err)

		for range *kills {
			runVictim(t, e, dsn, told)
		}
		actor := tenancy.Actor{User: alice.ID, Team: team.ID}
		events := requireWholeStreams(t, u, actor)
		members := 0
		page := tenancy.Page{Limit: tenancy.MaxLimit}
		for more := true; more; more = page.After != "" {
			list, err := u.Tenancy.Members(t.Context(), actor, page)
			require.NoError(t, err)
			members += len(list.Items)
			page.After = list.Next
		}
		assert.Equal(t, members, events[tenancy.MemberJoined])

		_, err = u.Relay.Drain(t.Context())
		require.NoError(t, err)
		var logged int
		require.NoError(t, e.connect(t, dsn, nil).QueryRowContext(t.Context(), "SELECT COUNT(*) FROM usher_events").Scan(&logged))
		assert.Len(t, told, logged)

		c, err := u.Conversations.Receive(t.Context(), "host", conversation.Inbound{To: tenancy.Chat("sales"), From: "visitor", ID: "last", Text: "Hi"})
		require.NoError(t, err)
		assert.Equal(t, c.LastSeq-1, int64(events[conversation.MessageReceived]))
		var seq int64
		for seq < c.LastSeq {
			messages, err := u.Conversations.Messages(t.Context(), actor, c.ID, seq, tenancy.MaxLimit)
			require.NoError(t, err)
			require.NotEmpty(t, messages)
			for _, m := range messages {
				seq++
				require.Equal(t, seq, m.Seq)
			}
		}
	})
}

// requireWholeStreams counts the team's events by kind, and requires each stream to be without
// gaps.
func requireWholeStreams(t *testing.T, u *usher.Usher, actor tenancy.Actor) map[string]int {
	t.Helper()
	kinds, highest, count := map[string]int{}, map[outbox.Stream]int64{}, map[outbox.Stream]int64{}
	page := tenancy.Page{Limit: tenancy.MaxLimit}
	for more := true; more; more = page.After != "" {
		list, err := u.Tenancy.Audit(t.Context(), actor, tenancy.AuditFilter{}, page)
		require.NoError(t, err)
		for _, e := range list.Items {
			kinds[e.Kind]++
			count[e.Stream]++
			highest[e.Stream] = max(highest[e.Stream], e.Sequence)
		}
		page.After = list.Next
	}
	assert.Equal(t, highest, count)
	return kinds
}

// runVictim starts this test again as a process of its own and kills it in the middle of its
// work: after some number of lines that it has written, wherever it is then. It writes a line for
// each event before it says that the event has arrived.
func runVictim(t *testing.T, e engine, dsn string, told map[string]bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	victim := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestVictim$")
	victim.Env = append(os.Environ(), victimEngine+"="+e.name, victimDSN+"="+dsn)
	out, err := victim.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, victim.Start())
	lines := bufio.NewScanner(out)
	for range 1 + rand.N(80) {
		require.True(t, lines.Scan(), "the process ended before it was killed: %s", lines.Text())
		told[lines.Text()] = true
	}
	require.NoError(t, victim.Process.Kill())
	for lines.Scan() { // what it said until then
		told[lines.Text()] = true
	}
	delete(told, working)
	require.Error(t, victim.Wait(), "it was killed")
}

// working is the line of a victim that has done its work once more.
const working = "working"

// TestVictim is what TestKilledProcess runs in another process: it works until it is killed.
func TestVictim(t *testing.T) {
	for _, e := range engines() {
		if e.name != os.Getenv(victimEngine) {
			continue
		}
		tell := outbox.SinkFunc(func(_ context.Context, e outbox.Event) error {
			_, err := fmt.Println(e.ID) //nolint:forbidigo // to whoever will kill it
			return err
		})
		u, err := usher.New(e.migrated(t, e.connect(t, os.Getenv(victimDSN), nil)), usher.WithSink(lane, tell))
		require.NoError(t, err)
		team, err := u.Tenancy.TeamByIdentity(t.Context(), "host", tenancy.Chat("sales"))
		require.NoError(t, err)
		for {
			id := tenancy.NewID[tenancy.UserID](tenancy.Env{}).String()
			user, err := u.Tenancy.Register(t.Context(), "host", tenancy.Profile{Email: id + "@acme.example"})
			require.NoError(t, err)
			_, err = u.Tenancy.Admit(t.Context(), "host", tenancy.Admission{Team: team.ID, User: user.ID, Role: rbac.Member})
			require.NoError(t, err)
			_, err = u.Conversations.Receive(t.Context(), "host", conversation.Inbound{To: tenancy.Chat("sales"), From: "visitor", ID: id, Text: "Hi"})
			require.NoError(t, err)
			_, err = u.Relay.Step(t.Context())
			require.NoError(t, err)
			fmt.Println(working) //nolint:forbidigo // to whoever will kill it
		}
	}
}
