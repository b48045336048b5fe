package conversation_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"iter"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

// pullTeam watches a team, one update at a time.
func (w *world) pullTeam(actor tenancy.Actor, after conversation.Position) (next func() (conversation.TeamUpdate, error)) {
	pulled, stop := iter.Pull2(w.Conversations.WatchTeam(w.t.Context(), actor, after))
	w.t.Cleanup(stop)
	return func() (conversation.TeamUpdate, error) {
		u, err, more := pulled()
		require.True(w.t, more, "a watch ends with an error")
		return u, err
	}
}

// position is the one of now.
func (w *world) position(actor tenancy.Actor) conversation.Position {
	w.t.Helper()
	at, err := w.Conversations.TeamPosition(w.t.Context(), actor)
	require.NoError(w.t, err)
	return at
}

// toldOf are the updates after a position, up to a new conversation, which everybody is told of.
func (w *world) toldOf(actor tenancy.Actor, after conversation.Position) []conversation.TeamUpdate {
	w.t.Helper()
	end := w.Receive("Sales", fmt.Sprint("the-end-", rand.Uint64()), "Bye")
	var found []conversation.TeamUpdate
	for u, err := range w.Conversations.WatchTeam(w.t.Context(), actor, after) {
		require.NoError(w.t, err)
		if u.Conversation != end.ID && u.Facts["contact"] != end.Contact.String() {
			found = append(found, u)
		} else if u.Kind == conversation.MessageReceived {
			return found
		}
	}
	return found
}

// A watch of a team that is broken off anywhere is resumed with the next update, and the whole is the log of
// the team, along each stream in its order.
func TestWatchTeamResumesExactly(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		c, _ := w.busyThread(false)
		w.Receive("Hiring", "visitor-1", "of another team")
		logged := map[string]bool{}
		for _, e := range w.log(w.alice.Team) {
			if e.Stream.Kind != outbox.AccountStream {
				logged[fmt.Sprint(e.Kind, e.Sequence, e.At.UnixMicro(), e.Principal)] = true
			}
		}
		all := w.toldOf(w.alice, "")
		require.Len(t, all, len(logged), "and nothing twice")
		last := map[tenancy.ConversationID]int64{}
		for i, u := range all {
			assert.True(t, logged[fmt.Sprint(u.Kind, u.Seq, u.At.UnixMicro(), u.By)], u.Kind)
			if !u.Conversation.IsZero() {
				assert.Equal(t, last[u.Conversation]+1, u.Seq)
				last[u.Conversation] = u.Seq
				assert.Equal(t, u.Facts["conversation"], u.Conversation.String())
			}
			if i%7 == 0 {
				next := w.pullTeam(w.alice, u.Position)
				for _, want := range all[i+1 : min(i+4, len(all))] {
					got, err := next()
					require.NoError(t, err)
					require.Equal(t, want, got)
				}
			}
		}
		assert.Equal(t, int64(len(w.stream(c.ID))), last[c.ID])
	})
}

// A watch from now on tells nothing of before, and all that is committed later.
func TestWatchTeamFromNow(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		w.busyThread(false)
		next := w.pullTeam(w.bob, w.position(w.bob))
		for range 3 {
			done := make(chan conversation.TeamUpdate, 1)
			go func() {
				u, err := next()
				assert.NoError(t, err)
				done <- u
			}()
			m, err := w.Conversations.Note(t.Context(), w.maria, w.hello().ID, "waits")
			require.NoError(t, err)
			u := <-done // what hello told
			for u.Kind != conversation.NoteWritten {
				u, err = next()
				require.NoError(t, err)
			}
			assert.Equal(t, m.ID.String(), u.Facts["message"])
		}
	})
}

// Who watches is told what their role lets them read for themselves.
func TestWatchTeamTellsWhatTheRoleMayRead(t *testing.T) {
	w := worldOn(t, everystore.Memory(t))
	ctx := t.Context()
	start := w.position(w.alice)
	w.busyThread(false)
	_, err := w.Invites.Create(ctx, w.alice, invite.ToTeam("new@new.example", rbac.Member))
	require.NoError(t, err)
	_, err = w.Tenancy.RenameTeam(ctx, w.alice, "Sales 2")
	require.NoError(t, err)
	_, err = w.Tenancy.RenameTeam(ctx, w.alice, "Sales")
	require.NoError(t, err)
	name := "Vera"
	_, err = w.Conversations.EditContact(ctx, w.bob, w.hello().ID, conversation.ContactEdit{Name: &name})
	require.NoError(t, err)
	w.applies(w.hello().ID, "Driver")
	narrow := tenancy.Actor{User: w.join("mo"), Team: w.bob.Team}
	w.custom(rbac.Restricted, narrow, "conversation: read", "conversation: read all")
	objects := func(actor tenancy.Actor) map[string]int {
		found := map[string]int{}
		for _, u := range w.toldOf(actor, start) {
			object, _, _ := strings.Cut(u.Kind, ".")
			if found[object]++; u.Conversation.IsZero() {
				assert.NotContains(t, []string{"conversation", "message", "note", "guest", "delivery"}, object)
			}
		}
		return found
	}
	manager, member, least := objects(w.alice), objects(w.bob), objects(narrow)
	for _, object := range []string{"team", "member", "contact", "application", "invitation", "conversation", "message", "note", "guest", "delivery"} {
		assert.Positive(t, manager[object], object)
		assert.Equal(t, object != "invitation", member[object] > 0, "%s; managers alone list invitations", object)
	}
	for _, object := range []string{"team", "member", "invitation", "note"} {
		assert.Zero(t, least[object], object)
	}
	assert.Positive(t, least["message"])
}

// D1, D3: what ends the right to read a team's conversations ends its streams: the update that is handed out
// next is not, whether it happened before or after. What leaves the right alone leaves the stream.
func TestD1_D3_RevocationCutsTeamStreams(t *testing.T) {
	for name, depart := range routes {
		t.Run(name, func(t *testing.T) {
			onEveryStore(t, func(t *testing.T, w *world) {
				c := w.hello()
				who := tenancy.Actor{User: w.join("mo"), Team: w.bob.Team}
				waits, lags := w.pullTeam(who, w.position(who)), w.pullTeam(who, "")
				_, err := w.Conversations.Note(t.Context(), w.bob, c.ID, "one to wait for")
				require.NoError(t, err)
				require.NoError(t, first(waits()))
				require.NoError(t, first(lags()), "and there is more for it to hand out")

				require.NoError(t, depart(w, who))
				_, denied := w.Conversations.Search(t.Context(), who, "hello", tenancy.Page{})
				require.Error(t, denied)
				w.Receive("Sales", "visitor-2", "And now?")
				for _, next := range []func() (conversation.TeamUpdate, error){waits, lags} {
					_, err := next()
					require.EqualError(t, err, denied.Error())
				}
				_, err = w.Conversations.TeamPosition(t.Context(), who)
				require.EqualError(t, err, denied.Error())
			})
		})
	}
}

// D1: what only freezes a team freezes no stream, and one in which nothing happens is cut too.
func TestD1_AQuietTeamStreamIsCut(t *testing.T) {
	w := worldOn(t, everystore.Memory(t))
	c := w.hello()
	at := w.position(w.bob)
	next := w.pullTeam(w.bob, at)
	_, err := w.Conversations.Note(t.Context(), w.alice, c.ID, "hm")
	require.NoError(t, err)
	require.NoError(t, first(next()))
	_, err = w.Tenancy.SuspendAccount(t.Context(), ushertest.System, c.Account)
	require.NoError(t, err)
	again := w.pullTeam(w.bob, at)
	require.NoError(t, first(again()), "a suspended account is read on")
	_, err = w.Tenancy.ReactivateAccount(t.Context(), ushertest.System, c.Account)
	require.NoError(t, err)
	require.NoError(t, w.Tenancy.Remove(t.Context(), w.alice, w.bob.User)) // tells nothing that bob may still hear
	w.Clock.Advance(15 * time.Second)
	require.ErrorIs(t, first(next()), tenancy.ErrNotFound)
}

// E2: of a conversation that has moved away the old team is told where to, and nothing else, also not what was
// still to be handed out; the new team is told from the move on.
func TestE2_AMoveLeavesATeamsStream(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		dana := w.Actor("dana", "Hiring")
		start, there := w.position(w.bob), w.position(dana)
		c := w.hello()
		lags := w.pullTeam(w.bob, start)
		require.NoError(t, first(lags()))
		_, err := w.Conversations.Note(ctx, w.bob, c.ID, "for Sales")
		require.NoError(t, err)
		_, err = w.Conversations.Deliver(ctx, w.bob, c.ID, conversation.ToTeam(dana.Team), conversation.Outcome{})
		require.NoError(t, err)
		said, err := w.Conversations.Send(ctx, dana, c.ID, "Hello from Hiring")
		require.NoError(t, err)
		u, err := lags()
		require.NoError(t, err)
		for u.Conversation.IsZero() {
			u, err = lags()
			require.NoError(t, err)
		}
		assert.Equal(t, conversation.DeliveryEnded, u.Kind, "the very next of it")
		assert.Equal(t, dana.Team.String(), u.Facts["team"])
		var kinds []string
		for _, u := range w.toldOf(w.bob, start) {
			if u.Conversation == c.ID {
				kinds = append(kinds, u.Kind)
			}
		}
		assert.Equal(t, []string{conversation.DeliveryEnded}, kinds)

		kinds = nil
		for u, err := range w.Conversations.WatchTeam(ctx, dana, there) {
			require.NoError(t, err)
			if u.Conversation == c.ID {
				kinds = append(kinds, u.Kind)
			}
			if u.Facts["message"] == said.ID.String() {
				break
			}
		}
		require.NotEmpty(t, kinds)
		assert.Equal(t, conversation.ConversationMoved, kinds[0])
		assert.NotContains(t, kinds, conversation.NoteWritten, "which was Sales's")
	})
}

// E3: who is told of a conversation in the team's stream is who finds it by Get, and guests watch theirs one by one.
func TestE3_TeamStreamsAndGetAgree(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		start := w.position(w.alice)
		open, guest := w.busyThread(false)
		other := w.Receive("Sales", "visitor-9", "Hi")
		for _, actor := range []tenancy.Actor{w.alice, w.bob, w.maria} {
			told := map[tenancy.ConversationID]bool{}
			for _, u := range w.toldOf(actor, start) {
				told[u.Conversation] = true
			}
			for _, id := range []tenancy.ConversationID{open.ID, other.ID} {
				_, err := w.Conversations.Get(t.Context(), actor, id)
				assert.Equal(t, err == nil, told[id])
			}
		}
		for _, actor := range []tenancy.Actor{
			guest, w.other, w.Actor("dana", "Hiring"), {User: w.User("stranger").ID, Team: w.bob.Team}, {User: w.other.User, Team: w.bob.Team}, {},
		} {
			if actor == w.other || actor == w.Actor("dana", "Hiring") {
				require.ErrorIs(t, first(w.pullTeam(actor, start)()), tenancy.ErrInvalid, "a position is good in its own team")
				continue
			}
			_, denied := w.Conversations.Search(t.Context(), actor, "hello", tenancy.Page{})
			require.Error(t, denied)
			for _, after := range []conversation.Position{"", w.position(tenancy.Actor{User: w.alice.User, Team: w.alice.Team})} {
				err := first(w.pullTeam(actor, after)())
				if actor.Team.IsZero() && after != "" {
					require.ErrorIs(t, err, tenancy.ErrInvalid)
					continue
				}
				require.EqualError(t, err, denied.Error())
			}
		}
	})
}

// F3: a position that was forged, cut or is another team's is refused, and never more.
func TestF3_PositionsAreChecked(t *testing.T) {
	w := worldOn(t, everystore.Memory(t))
	w.hello()
	good := w.position(w.bob)
	assert.Len(t, good, 66)
	raw, err := base64.RawURLEncoding.DecodeString(string(good))
	require.NoError(t, err)
	changed := func(at int, to byte) conversation.Position {
		other := append([]byte{}, raw...)
		other[at] = to
		return conversation.Position(base64.RawURLEncoding.EncodeToString(other))
	}
	for _, bad := range []conversation.Position{
		"x", good[:65], good + "A", good + "=", good[1:], conversation.Position(strings.Repeat("A", 1<<20)), "\x00",
		changed(0, 2), changed(1, raw[1]+1), changed(16, raw[16]+1), changed(17, 0x80), changed(41, 0xff),
		w.position(w.other),
	} {
		var invalid *tenancy.InvalidError
		require.ErrorAs(t, first(w.pullTeam(w.bob, bad)()), &invalid)
		assert.Equal(t, "position", invalid.Field)
	}
	for _, far := range []conversation.Position{changed(17, 0x7f), changed(24, 0)} { // well formed
		assert.NotNil(t, w.pullTeam(w.bob, far))
	}
}

// A watch ends with its context, fails inside a transaction, and leaves nothing.
func TestWatchTeamEnds(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		w.hello()
		ctx, cancel := context.WithCancel(t.Context())
		next, stop := iter.Pull2(w.Conversations.WatchTeam(ctx, w.bob, w.position(w.bob)))
		defer stop()
		ended := make(chan error, 1)
		go func() {
			_, err, _ := next()
			ended <- err
		}()
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
		require.NoError(t, w.inTx(func(s txStore) error {
			for _, err := range w.Conversations.WatchTeam(s.ctx, w.bob, "") {
				assert.Error(t, err)
			}
			_, err := w.Conversations.TeamPosition(s.ctx, w.bob)
			assert.Error(t, err)
			return nil
		}))
	})
	w := worldOn(t, everystore.Memory(t))
	w.hello()
	before := runtime.NumGoroutine()
	for range 50 {
		for _, err := range w.Conversations.WatchTeam(t.Context(), w.bob, "") {
			require.NoError(t, err)
			break
		}
	}
	assert.LessOrEqual(t, runtime.NumGoroutine(), before)
}

// Watchers who break off and resume at random, beside writers in many conversations, see each of them whole and
// in its order.
func TestTeamWatchersBesideWriters(t *testing.T) {
	everystore.Run(t, func(t *testing.T, open func(*testing.T) storage.Store) {
		w := worldOn(t, open(t))
		w.watchBesideWriters(w.Conversations)
	})
}

// So they do on two instances, and a position of one is good on the other.
func TestTeamWatchersOnTwoInstances(t *testing.T) {
	everystore.RunTwo(t, func(t *testing.T, a, b storage.Store) {
		w := worldOn(t, a)
		there, err := usher.New(b, usher.WithClock(w.Clock.Now), usher.WithIDs(uuid.New))
		require.NoError(t, err)
		w.watchBesideWriters(w.Conversations, there.Conversations)
	})
}

func (w *world) watchBesideWriters(instances ...*conversation.Service) {
	const watchers, writers, threads, each = 6, 6, 5, 5
	var ids []tenancy.ConversationID
	for i := range threads {
		ids = append(ids, w.Receive("Sales", fmt.Sprint("visitor-", i), "Hi").ID)
	}
	start := w.position(w.bob)
	begun := map[tenancy.ConversationID]int64{}
	for _, id := range ids {
		begun[id] = int64(len(w.stream(id)))
	}
	var all sync.WaitGroup
	barrier := make(chan struct{})
	seen := make([]map[tenancy.ConversationID]int64, watchers)
	for i := range watchers {
		all.Go(func() {
			<-barrier
			seen[i] = w.watchAll(start, writers*each, instances)
		})
	}
	for i := range writers {
		all.Go(func() {
			<-barrier
			for n := range each {
				_, err := instances[i%len(instances)].Note(w.t.Context(), w.alice, ids[(i+n*n)%threads], "so many")
				assert.NoError(w.t, err)
			}
		})
	}
	close(barrier)
	all.Wait()
	for _, id := range ids {
		for _, by := range seen {
			assert.Equal(w.t, int64(len(w.stream(id))), begun[id]+by[id])
		}
	}
}

// watchAll watches until so many updates have come, with breaks, each time on any of the instances, and counts
// them by conversation. Each must be the next of its conversation.
func (w *world) watchAll(after conversation.Position, n int, instances []*conversation.Service) map[tenancy.ConversationID]int64 {
	seen, last := map[tenancy.ConversationID]int64{}, map[tenancy.ConversationID]int64{}
	for n > 0 {
		few := 1 + rand.IntN(7)
		for u, err := range instances[rand.IntN(len(instances))].WatchTeam(w.t.Context(), w.maria, after) {
			if !assert.NoError(w.t, err) {
				return nil
			}
			if before, begun := last[u.Conversation]; begun && !assert.Equal(w.t, before+1, u.Seq) {
				return nil
			}
			last[u.Conversation], after = u.Seq, u.Position
			seen[u.Conversation]++
			n, few = n-1, few-1
			if n == 0 || few == 0 {
				break
			}
		}
	}
	return seen
}
