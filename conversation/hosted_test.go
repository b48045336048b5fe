package conversation_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/conversation/command"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/storage/sqlite"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/tenancy"
)

// publishing lets members publish, and managers with them.
var publishing = usher.WithPolicy(rbac.Allow(rbac.Member, "jobpost", "publish", rbac.ByTeam))

// publish is a command of a host: run does it.
func publish(run func(ctx context.Context, call conversation.Call) (string, error)) usher.Option {
	return usher.WithCommand(conversation.Command{
		Spec: command.Spec{Name: "publish", Help: "publish a job post", Params: []command.Param{
			{Name: "title", Kind: command.Name, Required: true},
			{Name: "days", Kind: command.Integer, Named: true, Min: 1, Max: 90},
			{Name: "where", Kind: command.OneOf, Named: true, Values: []string{"here", "job board"}},
		}},
		Permission: "jobpost: publish",
		Run:        run,
	})
}

// handlers is a world whose ^publish does what is set in it.
type handlers struct {
	*world
	run func(ctx context.Context, call conversation.Call) (string, error)
}

func hostedOnEveryStore(t *testing.T, test func(t *testing.T, h *handlers)) {
	t.Helper()
	everystore.Run(t, func(t *testing.T, open func(*testing.T) storage.Store) {
		h := new(handlers)
		h.world = worldOn(t, open(t), publishing, publish(func(ctx context.Context, call conversation.Call) (string, error) {
			return h.run(ctx, call)
		}))
		test(t, h)
	})
}

func TestCommandsOfTheHost(t *testing.T) {
	hostedOnEveryStore(t, func(t *testing.T, h *handlers) {
		ctx := t.Context()
		c := h.hello()
		h.run = func(ctx context.Context, call conversation.Call) (string, error) {
			days, _ := call.Args.Int("days")
			_, err := h.Conversations.Note(ctx, call.Actor, call.Conversation.ID, "published "+call.Args["title"])
			return fmt.Sprintf("Published: %s for %d days, %s.", call.Args["title"], days, call.Args["where"]), err
		}
		reply := h.types(h.bob, c.ID, `^publish "Night nurse" days:30 where:"JOB BOARD"`)
		assert.Equal(t, conversation.Reply{Text: "Published: Night nurse for 30 days, job board."}, reply)
		assert.Equal(t, []string{"Hi, is the job still open?", "published Night nurse"}, h.texts(h.bob, c.ID), "what it wrote is there")

		for _, line := range []string{"^publish", "^publish x days:91", "^publish x where:there", "^publish x y"} {
			_, err := h.Conversations.Type(ctx, h.bob, c.ID, line)
			require.ErrorIs(t, err, tenancy.ErrInvalid, line)
		}
		reads := []string{"conversation: read all", "conversation: read"}
		reader := h.custom(rbac.Restricted, h.maria, reads...)
		_, err := h.Conversations.Type(ctx, reader, c.ID, "^publish x")
		var denied *rbac.DeniedError
		require.ErrorAs(t, err, &denied)
		assert.Equal(t, "jobpost: publish", denied.Name)
		assert.NotContains(t, h.types(reader, c.ID, "^help").Text, "publish")
		assert.Contains(t, h.types(h.bob, c.ID, "^help").Text, `^publish TITLE [days:1-90] [where:here|"job board"] — publish a job post`)
		publisher := h.custom(rbac.Restricted, h.maria, append(reads, h.Policy.Name(rbac.WriteNote), "jobpost: publish")...)
		h.types(publisher, c.ID, "^publish x")

		h.types(h.bob, c.ID, "^close")
		_, err = h.Conversations.Type(ctx, h.bob, c.ID, "^publish x")
		require.ErrorIs(t, err, conversation.ErrClosed)
		_, err = h.Conversations.Type(ctx, h.other, c.ID, "^publish x")
		require.ErrorIs(t, err, tenancy.ErrNotFound)
	})
}

// nothing is what a handler panics with that knows no better.
var nothing any

var errHost = errors.New("the job board is down")

func TestAFailedCommandOfTheHostLeavesNothing(t *testing.T) {
	hostedOnEveryStore(t, func(t *testing.T, h *handlers) {
		c := h.hello()
		for name, fails := range map[string]struct {
			end  func() (string, error)
			is   error
			says string
		}{
			"an error":           {func() (string, error) { return "ignored", errHost }, errHost, "^publish has failed: the job board is down"},
			"a typed error":      {func() (string, error) { return "", fmt.Errorf("full: %w", tenancy.ErrLimit) }, tenancy.ErrLimit, "^publish has failed: full: limit exceeded"},
			"a panic":            {func() (string, error) { panic("secret") }, tenancy.ErrUnavailable, "^publish has failed: unavailable: its handler panicked"},
			"a panic of nil":     {func() (string, error) { panic(nothing) }, tenancy.ErrUnavailable, "^publish has failed: unavailable: its handler panicked"},
			"too long a reply":   {func() (string, error) { return strings.Repeat("x", conversation.MaxText+1), nil }, tenancy.ErrUnavailable, "^publish has failed: unavailable: its handler answered what is no text, or more than 8192 bytes of it"},
			"a reply of no text": {func() (string, error) { return "\xff", nil }, tenancy.ErrUnavailable, "^publish has failed: unavailable: its handler answered what is no text, or more than 8192 bytes of it"},
		} {
			h.run = func(ctx context.Context, call conversation.Call) (string, error) {
				_, err := h.Conversations.Send(ctx, call.Actor, call.Conversation.ID, "half-written")
				require.NoError(t, err)
				_, err = h.Conversations.Assign(ctx, call.Actor, call.Conversation.ID, call.Actor.User)
				require.NoError(t, err)
				return fails.end()
			}
			before := h.log(h.bob.Team)
			for how, ctx := range map[string]context.Context{"plainly": t.Context(), "under a key": tenancy.WithKey(t.Context(), "1")} {
				_, err := h.Conversations.Type(ctx, h.bob, c.ID, "^publish x")
				var failed *conversation.HandlerError
				require.ErrorAs(t, err, &failed, "%s, %s", name, how)
				assert.Equal(t, "publish", failed.Command)
				require.ErrorIs(t, err, fails.is, "%s, %s", name, how)
				require.EqualError(t, err, fails.says)
				assert.Equal(t, failed.Panic != nil, strings.HasPrefix(name, "a panic"), name)
				assert.Equal(t, failed.Stack != nil, strings.HasPrefix(name, "a panic"), name)
			}
			assert.Equal(t, before, h.log(h.bob.Team), name)
			assert.Equal(t, []string{"Hi, is the job still open?"}, h.texts(h.bob, c.ID), name)
			assert.Zero(t, h.get(h.bob, c.ID).Assignee, name)
		}
		// An error of usher's that the handler swallows dooms the whole all the same.
		h.run = func(ctx context.Context, call conversation.Call) (string, error) {
			_, err := h.Conversations.Note(ctx, call.Actor, call.Conversation.ID, "half-written")
			require.NoError(t, err)
			_, err = h.Conversations.Note(ctx, call.Actor, call.Conversation.ID, "")
			require.Error(t, err)
			_, err = h.Conversations.Assign(ctx, call.Actor, call.Conversation.ID, h.other.User)
			require.Error(t, err)
			return "done", nil
		}
		_, err := h.Conversations.Type(t.Context(), h.bob, c.ID, "^publish x")
		require.Error(t, err)
		assert.Equal(t, []string{"Hi, is the job still open?"}, h.texts(h.bob, c.ID))
	})
}

func TestACommandOfTheHostRunsUnderTheChecks(t *testing.T) {
	hostedOnEveryStore(t, func(t *testing.T, h *handlers) {
		c := h.hello()
		var kept context.Context
		runs := 0
		h.run = func(ctx context.Context, call conversation.Call) (string, error) {
			runs++
			kept = ctx
			call.Args["title"] = "spoiled"
			assert.Equal(t, h.bob, call.Actor)
			seen, err := h.Conversations.Get(ctx, h.bob, c.ID)
			assert.Equal(t, seen, call.Conversation)
			require.NoError(t, err)
			_, err = h.Conversations.Note(ctx, call.Actor, call.Conversation.ID, "once")
			return "", err
		}
		// Once for each client id, like the others.
		for range 3 {
			reply, err := h.Conversations.Type(t.Context(), h.bob, c.ID, "^publish x", conversation.ClientID("1"))
			require.NoError(t, err)
			assert.Equal(t, conversation.Reply{}, reply)
		}
		assert.Equal(t, 1, runs)
		assert.Equal(t, []string{"Hi, is the job still open?", "once"}, h.texts(h.bob, c.ID))
		_, err := h.Conversations.Note(kept, h.bob, c.ID, "late")
		require.ErrorIs(t, err, tenancy.ErrTxDone)

		// What the actor may not do, the handler does not either.
		h.run = func(ctx context.Context, call conversation.Call) (string, error) {
			_, err := h.Invites.Create(ctx, call.Actor, invite.ToTeam("zoe@client.example", rbac.Member))
			return "", err
		}
		_, err = h.Conversations.Type(t.Context(), h.bob, c.ID, "^publish x")
		require.ErrorIs(t, err, rbac.ErrDenied)
	})
}

func TestCommandsThatCannotBe(t *testing.T) {
	run := func(context.Context, conversation.Call) (string, error) { return "", nil }
	good := conversation.Command{Spec: command.Spec{Name: "publish", Help: "publish"}, Permission: "jobpost: publish", Run: run}
	with := func(change func(*conversation.Command)) conversation.Command {
		c := good
		change(&c)
		return c
	}
	_, err := usher.New(memory.New(), publishing, usher.WithCommand(good))
	require.NoError(t, err)
	for want, bad := range map[string]conversation.Command{
		`the command "publish": it has no Run`:     with(func(c *conversation.Command) { c.Run = nil }),
		`"close" is declared twice`:                with(func(c *conversation.Command) { c.Name = "close" }),
		`"Publish": a name is`:                     with(func(c *conversation.Command) { c.Name = "Publish" }),
		`"": a name is`:                            with(func(c *conversation.Command) { c.Name = "" }),
		"the help must be one line":                with(func(c *conversation.Command) { c.Help = "" }),
		`parameter "X": a name is`:                 with(func(c *conversation.Command) { c.Params = []command.Param{{Name: "X"}} }),
		`the policy does not name "jobpost: burn"`: with(func(c *conversation.Command) { c.Permission = "jobpost: burn" }),
		`the policy does not name ""`:              with(func(c *conversation.Command) { c.Permission = "" }),
	} {
		_, err := usher.New(memory.New(), publishing, usher.WithCommand(bad))
		require.ErrorContains(t, err, want)
	}
	_, err = usher.New(memory.New(), publishing, usher.WithCommand(good), usher.WithCommand(with(func(c *conversation.Command) { c.WhenClosed = true })))
	require.ErrorContains(t, err, `"publish" is declared twice`)
	_, err = usher.New(memory.New(), usher.WithCommand(good))
	require.ErrorIs(t, err, rbac.ErrUnknownPermission)
	var many []usher.Option
	for i := range command.MaxCommands - len(conversation.Vocabulary()) + 1 {
		many = append(many, usher.WithCommand(with(func(c *conversation.Command) { c.Name = fmt.Sprint("c", i) })))
	}
	_, err = usher.New(memory.New(), append(many[1:], publishing)...)
	require.NoError(t, err)
	_, err = usher.New(memory.New(), append(many, publishing)...)
	require.ErrorContains(t, err, "at most 100 commands")
}

// In a transaction of the host's, a command writes the host's own rows too: they come and go with what
// usher wrote, and the rest of the transaction stays.
func TestACommandOfTheHostInItsTransaction(t *testing.T) {
	type inHand struct{}
	h := new(handlers)
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "host.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	store, err := sqlite.New(db)
	require.NoError(t, err)
	require.NoError(t, store.Migrate(t.Context()))
	h.world = worldOn(t, store, publishing, publish(func(ctx context.Context, call conversation.Call) (string, error) { return h.run(ctx, call) }))
	_, err = db.ExecContext(t.Context(), "CREATE TABLE posts (title TEXT)")
	require.NoError(t, err)
	c := h.hello()
	h.run = func(ctx context.Context, call conversation.Call) (string, error) {
		tx, _ := ctx.Value(inHand{}).(*sql.Tx)
		if _, err := tx.ExecContext(ctx, "INSERT INTO posts VALUES (?)", call.Args["title"]); err != nil {
			return "", err
		}
		_, err := h.Conversations.Note(ctx, call.Actor, call.Conversation.ID, "published "+call.Args["title"])
		if call.Args["title"] == "Intern" {
			return "", errHost
		}
		return "", err
	}
	tx, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	ctx, err := store.JoinTx(context.WithValue(t.Context(), inHand{}, tx), tx)
	require.NoError(t, err)
	_, err = h.Conversations.Type(ctx, h.bob, c.ID, "^publish Nurse")
	require.NoError(t, err)
	_, err = h.Conversations.Type(ctx, h.bob, c.ID, "^publish Intern")
	require.ErrorIs(t, err, errHost)
	reply, err := h.Conversations.Preview(ctx, h.bob, c.ID, "^note never")
	require.NoError(t, err, "a dry run leaves the rest of the transaction alone")
	require.NotNil(t, reply.Message)
	require.NoError(t, tx.Commit())
	var titles string
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT group_concat(title) FROM posts").Scan(&titles))
	assert.Equal(t, "Nurse", titles)
	assert.Equal(t, []string{"Hi, is the job still open?", "published Nurse"}, h.texts(h.bob, c.ID))
}

// Of identical lines with one client id at the same instant, on two instances, one runs the handler, and
// each gets its reply. What another run of it did before it was told is undone with its transaction.
func TestSpec6_ACommandAtOnceRunsOnce(t *testing.T) {
	var runs atomic.Int64
	everyInstance := func(service func() *conversation.Service) usher.Option {
		return publish(func(ctx context.Context, call conversation.Call) (string, error) {
			n := runs.Add(1)
			_, err := service().Note(ctx, call.Actor, call.Conversation.ID, "published "+call.Args["title"])
			return fmt.Sprint("run ", n), err
		})
	}
	test := func(t *testing.T, a, b storage.Store) {
		var here, there *usher.Usher
		w := worldOn(t, a, publishing, everyInstance(func() *conversation.Service { return here.Conversations }))
		here = w.Usher
		there, err := usher.New(b, usher.WithClock(w.Clock.Now), publishing,
			everyInstance(func() *conversation.Service { return there.Conversations }))
		require.NoError(t, err)
		for round := range everystore.Rounds(10) {
			c := w.Receive("Sales", fmt.Sprint("visitor-", round), "Hi")
			for _, line := range []string{"^publish Nurse", "^note filed"} {
				var calls []func() (conversation.Reply, error)
				for i := range 4 {
					on := []*usher.Usher{here, there}[i%2]
					calls = append(calls, func() (conversation.Reply, error) {
						return on.Conversations.Type(t.Context(), w.bob, c.ID, line, conversation.ClientID(fmt.Sprint(round, line)))
					})
				}
				replies := together(t, calls...)
				for _, reply := range replies {
					assert.Equal(t, replies[0], reply, line)
				}
			}
			assert.Equal(t, []string{"Hi", "published Nurse", "filed"}, w.texts(w.bob, c.ID))
		}
	}
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		store := memory.New()
		test(t, store, store)
	})
	everystore.RunTwo(t, test)
}

// The arguments are the handler's own each time that its transaction is run.
func TestACommandThatIsRunAgainHasItsArguments(t *testing.T) {
	h := new(handlers)
	again := &twice{Store: memory.New()}
	h.world = worldOn(t, again, publishing, publish(func(ctx context.Context, call conversation.Call) (string, error) { return h.run(ctx, call) }))
	c := h.hello()
	var titles []string
	h.run = func(_ context.Context, call conversation.Call) (string, error) {
		titles = append(titles, call.Args["title"])
		call.Args["title"] = "spoiled"
		return "", nil
	}
	again.on = true
	h.types(h.bob, c.ID, "^publish Nurse")
	assert.Equal(t, []string{"Nurse", "Nurse"}, titles)
}

// twice is a store that runs each transaction once in vain, as after a deadlock.
type twice struct {
	storage.Store
	on bool
}

func (s *twice) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	type inside struct{}
	if !s.on || ctx.Value(inside{}) != nil {
		return s.Store.InTx(ctx, fn)
	}
	ctx = context.WithValue(ctx, inside{}, true)
	undone := errors.New("in vain")
	err := s.Store.InTx(ctx, func(ctx context.Context) error { return errors.Join(fn(ctx), undone) })
	if !errors.Is(err, undone) {
		return err
	}
	return s.Store.InTx(ctx, fn)
}

// The conversation is the handler's until its transaction ends: what it was told of it, it finds.
func TestACommandOfTheHostHasItsConversationToItself(t *testing.T) {
	hostedOnEveryStore(t, func(t *testing.T, h *handlers) {
		c := h.hello()
		h.run = func(ctx context.Context, call conversation.Call) (string, error) {
			m, err := h.Conversations.Note(ctx, call.Actor, call.Conversation.ID, "x")
			if m.Seq != call.Conversation.LastSeq+1 {
				err = errors.Join(err, fmt.Errorf("message %d follows %d", m.Seq, call.Conversation.LastSeq))
			}
			return "", err
		}
		var calls []func() (conversation.Reply, error)
		for range 8 {
			calls = append(calls, func() (conversation.Reply, error) {
				return h.Conversations.Type(t.Context(), h.bob, c.ID, "^publish x")
			})
		}
		together(t, calls...)
	})
}
