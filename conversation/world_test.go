package conversation_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

// world is two accounts with the same names in them; the second is there to be left alone.
type world struct {
	*ushertest.World
	t                 *testing.T
	alice, bob, maria tenancy.Actor // manager, member and another member of Sales
	other             tenancy.Actor // manager of Sales in the other account
	roles             int           // that were made
}

func onEveryStore(t *testing.T, test func(t *testing.T, w *world), options ...usher.Option) {
	t.Helper()
	everystore.Run(t, func(t *testing.T, open func(*testing.T) storage.Store) { test(t, worldOn(t, open(t), options...)) })
}

// onTwoInstances runs the test on each store with a second instance of the host: on a handle of its own to
// the same database, or on the memory store itself, which is its own data.
func onTwoInstances(t *testing.T, test func(t *testing.T, w *world, second *usher.Usher), options ...usher.Option) {
	t.Helper()
	run := func(t *testing.T, a, b storage.Store) {
		w := worldOn(t, a, options...)
		second, err := usher.New(b, append([]usher.Option{usher.WithClock(w.Clock.Now)}, options...)...)
		require.NoError(t, err)
		test(t, w, second)
	}
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		store := everystore.Memory(t)
		run(t, store, store)
	})
	everystore.RunTwo(t, run)
}

func worldOn(t *testing.T, store storage.Store, options ...usher.Option) *world {
	t.Helper()
	// What is said stays queued, so that it can be changed, until a test hands it to a sender of its own.
	options = append([]usher.Option{usher.WithSender(nil)}, options...)
	w := &world{World: ushertest.NewWorldOn(t, store, options...), t: t}
	w.Account("globex").Team("Sales", ushertest.Manager("oscar"), ushertest.Member("bert"))
	w.other = w.Actor("oscar", "Sales")
	w.Account("acme").Team("Sales", ushertest.Manager("alice"), ushertest.Member("bob"), ushertest.Member("maria")).
		Team("Hiring", ushertest.Manager("dana"))
	w.alice, w.bob, w.maria = w.Actor("alice", "Sales"), w.Actor("bob", "Sales"), w.Actor("maria", "Sales")
	return w
}

// hello is a conversation of Sales with one message in it.
func (w *world) hello() conversation.Conversation {
	w.t.Helper()
	return w.Receive("Sales", "visitor-1", "Hi, is the job still open?")
}

// texts are the messages that the actor sees.
func (w *world) texts(actor tenancy.Actor, id tenancy.ConversationID) []string {
	w.t.Helper()
	found, err := w.Conversations.Messages(w.t.Context(), actor, id, 0, 0)
	require.NoError(w.t, err)
	var texts []string
	for _, m := range found {
		texts = append(texts, m.Text)
	}
	return texts
}

// log is every event of the team, oldest first.
func (w *world) log(team tenancy.TeamID) []outbox.Event {
	w.t.Helper()
	events, err := w.Store.TeamEvents(w.t.Context(), team.UUID(), outbox.LogFilter{}, time.Time{}, [16]byte{}, 10_000)
	require.NoError(w.t, err)
	for i, j := 0, len(events)-1; i < j; i, j = i+1, j-1 {
		events[i], events[j] = events[j], events[i]
	}
	return events
}

// kinds counts the team's events by kind.
func (w *world) kinds(team tenancy.TeamID) map[string]int {
	w.t.Helper()
	count := map[string]int{}
	for _, e := range w.log(team) {
		count[e.Kind]++
	}
	return count
}

// txStore is the store inside a transaction.
type txStore struct {
	storage.Store
	ctx context.Context
}

func (w *world) inTx(fn func(txStore) error) error {
	return w.Store.InTx(w.t.Context(), func(ctx context.Context) error { return fn(txStore{w.Store, ctx}) })
}

// join takes someone into Sales as a member.
func (w *world) join(name string) tenancy.UserID {
	w.t.Helper()
	user := w.User(name).ID
	_, err := w.Tenancy.Admit(w.t.Context(), ushertest.System, tenancy.Admission{Team: w.bob.Team, User: user, Role: rbac.Member})
	require.NoError(w.t, err)
	return user
}

// types runs a line that has to succeed.
func (w *world) types(actor tenancy.Actor, id tenancy.ConversationID, line string) conversation.Reply {
	w.t.Helper()
	reply, err := w.Conversations.Type(w.t.Context(), actor, id, line)
	require.NoError(w.t, err, line)
	return reply
}
