package conversation_test

import (
	"context"
	"iter"
	"maps"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

// pull watches a conversation, one update at a time.
func (w *world) pull(actor tenancy.Actor, id tenancy.ConversationID, after int64) (next func() (conversation.Update, error)) {
	pulled, stop := iter.Pull2(w.Conversations.Watch(w.t.Context(), actor, id, after))
	w.t.Cleanup(stop)
	return func() (conversation.Update, error) {
		u, err, more := pulled()
		require.True(w.t, more, "a watch ends with an error")
		return u, err
	}
}

// watched are the updates after a sequence, up to the last event, which the actor must be told of.
func (w *world) watched(actor tenancy.Actor, id tenancy.ConversationID, after int64) []conversation.Update {
	w.t.Helper()
	var found []conversation.Update
	last := int64(len(w.stream(id)))
	for u, err := range w.Conversations.Watch(w.t.Context(), actor, id, after) {
		require.NoError(w.t, err)
		found = append(found, u)
		if u.Seq == last {
			return found
		}
	}
	return found
}

// stream is every event of the conversation, in order.
func (w *world) stream(id tenancy.ConversationID) []outbox.Event {
	w.t.Helper()
	var events []outbox.Event
	for page, err := range w.Store.Follow(w.t.Context(), outbox.Stream{Kind: outbox.ConversationStream, ID: id.UUID()}, 0) {
		require.NoError(w.t, err)
		if len(page) == 0 {
			break
		}
		events = append(events, page...)
	}
	return events
}

// busyThread is a conversation in which everything has happened, with a guest who was let in half-way.
func (w *world) busyThread(hidden bool) (conversation.Conversation, tenancy.Actor) {
	w.t.Helper()
	ctx, must := w.t.Context(), func(err error) { w.t.Helper(); require.NoError(w.t, err) }
	if hidden {
		w.configure(w.alice, func(s *tenancy.Settings) { s.History = tenancy.HistoryFromInvitation })
	}
	c := w.hello()
	old, err := w.Conversations.Send(ctx, w.bob, c.ID, "It is")
	must(err)
	oldNote, err := w.Conversations.Note(ctx, w.bob, c.ID, "seems nice")
	must(err)
	must(first(w.Conversations.Close(ctx, w.bob, c.ID, "")))
	must(first(w.Conversations.Open(ctx, w.bob, c.ID)))
	w.Clock.Advance(time.Minute)
	guest := w.Guest(w.bob, c.ID, "carol")
	w.Clock.Advance(time.Minute)
	must(first(w.Conversations.EditMessage(ctx, w.bob, c.ID, old.ID, "It is, still")))
	must(first(w.Conversations.DeleteMessage(ctx, w.bob, c.ID, old.ID)))
	must(first(w.Conversations.EditMessage(ctx, w.bob, c.ID, oldNote.ID, "seems very nice")))
	must(first(w.Conversations.Assign(ctx, w.alice, c.ID, w.bob.User)))
	must(first(w.Conversations.Claim(ctx, w.bob, c.ID)))
	said, err := w.Conversations.Send(ctx, guest, c.ID, "Hello from me")
	must(err)
	must(first(w.Conversations.EditMessage(ctx, guest, c.ID, said.ID, "Hello from me too")))
	must(first(w.Conversations.Note(ctx, w.bob, c.ID, "our client")))
	must(first(w.Conversations.OptOut(ctx, w.bob, c.ID, "said so")))
	must(first(w.Conversations.OptIn(ctx, w.bob, c.ID, "changed their mind")))
	w.Guest(w.bob, c.ID, "dave")
	must(first(w.Conversations.Deliver(ctx, w.bob, c.ID, conversation.ToUser(w.maria.User), conversation.Outcome{})))
	must(first(w.Conversations.Close(ctx, w.bob, c.ID, "")))
	w.Receive("Sales", "visitor-1", "One more thing")
	return c, guest
}

// A watch that is broken off anywhere is resumed with the next event, and the whole is the stream.
func TestWatchResumesExactly(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		c, _ := w.busyThread(false)
		events := w.stream(c.ID)
		require.Greater(t, len(events), 20)
		all := w.watched(w.bob, c.ID, 0)
		require.Len(t, all, len(events))
		for i, u := range all {
			e := events[i]
			assert.Equal(t, int64(i+1), u.Seq)
			assert.Equal(t, []any{e.Kind, e.At, e.Principal}, []any{u.Kind, u.At, u.By})
			assert.Equal(t, c.ID.String(), u.Facts["conversation"])
		}
		for after := range len(events) - 1 {
			assert.Equal(t, all[after:], w.watched(w.bob, c.ID, int64(after)), after)
		}
	})
}

// An update that is committed later reaches who waits; one that is not committed never does.
func TestWatchWaits(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		c := w.hello()
		last := int64(len(w.stream(c.ID)))
		for range 3 {
			m, err := w.Conversations.Send(t.Context(), w.maria, c.ID, "And?")
			require.NoError(t, err)
			var u conversation.Update
			next := w.pull(w.bob, c.ID, last)
			u, err = next()
			require.NoError(t, err)
			assert.Equal(t, conversation.MessageSent, u.Kind)
			assert.Equal(t, m.ID.String(), u.Facts["message"])

			done := make(chan conversation.Update, 1)
			go func() {
				u, err := next()
				assert.NoError(t, err)
				done <- u
			}()
			_, err = w.Conversations.Note(t.Context(), w.maria, c.ID, "waits")
			require.NoError(t, err)
			u = <-done
			assert.Equal(t, conversation.NoteWritten, u.Kind)
			last = u.Seq
		}
	})
}

// cuts are the ways to lose the sight of a conversation, beyond those to lose a membership.
var cuts = map[string]func(w *world, c conversation.Conversation, who tenancy.Actor) error{
	"revoke the guest": func(w *world, c conversation.Conversation, who tenancy.Actor) error {
		return w.Conversations.RevokeGuest(w.t.Context(), w.alice, c.ID, who.User)
	},
	"let the grant expire": func(w *world, c conversation.Conversation, who tenancy.Actor) error {
		return w.inTx(func(s txStore) error {
			g, err := s.Grant(s.ctx, c.ID, who.User)
			if err != nil {
				return err
			}
			g.ExpiresAt = w.Clock.Now()
			return s.UpdateGrant(s.ctx, g)
		})
	},
	"close": func(w *world, c conversation.Conversation, _ tenancy.Actor) error {
		return first(w.Conversations.Close(w.t.Context(), w.alice, c.ID, ""))
	},
	"move": func(w *world, c conversation.Conversation, _ tenancy.Actor) error {
		return first(w.Conversations.Deliver(w.t.Context(), w.alice, c.ID, conversation.ToTeam(w.TeamNamed("Hiring").ID), conversation.Outcome{}))
	},
	"archive": func(w *world, _ conversation.Conversation, _ tenancy.Actor) error {
		return first(w.Tenancy.Archive(w.t.Context(), w.alice, tenancy.Leftovers{Close: true}))
	},
	"suspend the account": func(w *world, c conversation.Conversation, _ tenancy.Actor) error {
		return first(w.Tenancy.SuspendAccount(w.t.Context(), ushertest.System, c.Account))
	},
}

// D1, D3: what ends the right to read a conversation cuts its streams: the update that is handed out
// next is not, whether it happened before or after. What leaves the right alone leaves the stream.
func TestD1_D3_RevocationCutsStreams(t *testing.T) {
	all := maps.Clone(cuts)
	for name, depart := range routes {
		all[name] = func(w *world, _ conversation.Conversation, who tenancy.Actor) error { return depart(w, who) }
	}
	for name, cut := range all {
		t.Run(name, func(t *testing.T) {
			onEveryStore(t, func(t *testing.T, w *world) {
				for _, side := range []string{"member", "guest"} {
					c := w.Receive("Sales", "visitor-"+side, "Hi")
					who := tenancy.Actor{User: w.join("mo-" + side), Team: w.bob.Team}
					if side == "guest" {
						who = w.Guest(w.bob, c.ID, "carol")
					} else if name == "revoke the guest" || name == "let the grant expire" {
						continue // a member has no grant
					}
					if side == "guest" && name == "change the role" {
						continue // it is theirs already
					}
					waits, lags := w.pull(who, c.ID, int64(len(w.stream(c.ID)))-1), w.pull(who, c.ID, 0)
					if side == "member" {
						require.NoError(t, first(waits()))
					}
					require.NoError(t, first(lags()), "and there is more for it to hand out")

					require.NoError(t, cut(w, c, who))
					_, denied := w.Conversations.Get(t.Context(), who, c.ID)
					require.NoError(t, first(w.Conversations.Receive(t.Context(), ushertest.System, conversation.Inbound{
						To: c.Identity, From: "visitor-" + side, ID: "next-" + side, Text: "Still there?",
					})))
					for _, next := range []func() (conversation.Update, error){waits, lags} {
						_, err := next()
						if denied == nil {
							require.NoError(t, err)
							continue
						}
						require.EqualError(t, err, denied.Error(), "as Get answers")
						require.ErrorIs(t, err, class(denied))
					}
					if name == "archive" || name == "suspend the account" {
						return // there is no team to go on with
					}
				}
			})
		})
	}
}

// class is what kind of refusal it is.
func class(err error) error {
	if notFound := tenancy.ErrNotFound; err.Error() == notFound.Error() {
		return notFound
	}
	return rbac.ErrDenied
}

// D1: nobody waits for ever for what they may not see: a stream in which nothing happens is cut too.
func TestD1_AQuietStreamIsCut(t *testing.T) {
	w := worldOn(t, everystore.Memory(t))
	c := w.hello()
	next := w.pull(w.bob, c.ID, int64(len(w.stream(c.ID)))-1)
	require.NoError(t, first(next()))
	require.NoError(t, w.Tenancy.Remove(t.Context(), w.alice, w.bob.User))
	w.Clock.Advance(15 * time.Second)
	require.ErrorIs(t, first(next()), tenancy.ErrNotFound)
}

// E1, E2: guests hear of the messages that they can read, and of nothing else but the conversation's
// state since they came: no notes, no people, nothing of before, also not that it was edited or deleted.
func TestE2_AGuestsStreamIsWhatTheyCanRead(t *testing.T) {
	for _, hidden := range []bool{false, true} {
		t.Run(map[bool]string{true: "history hidden", false: "history shown"}[hidden], func(t *testing.T) {
			onEveryStore(t, func(t *testing.T, w *world) {
				c, guest := w.busyThread(hidden)
				readable, err := w.Conversations.Messages(t.Context(), guest, c.ID, 0, 0)
				require.NoError(t, err)
				var want, got []string
				for _, m := range readable {
					want = append(want, m.ID.String())
				}
				kinds := map[string]int{}
				for _, u := range w.watched(guest, c.ID, 0) {
					kinds[u.Kind]++
					assert.Empty(t, u.By)
					if message := u.Facts["message"]; message != "" {
						assert.Contains(t, want, message, u.Kind)
					}
					if u.Kind == conversation.MessageReceived || u.Kind == conversation.MessageSent {
						got = append(got, u.Facts["message"])
					}
					for name := range u.Facts {
						assert.Contains(t, []string{"conversation", "message", "seq", "status"}, name, u.Kind)
					}
				}
				assert.Equal(t, want, got, "list and stream are one")
				edits, deletes := 2, 1
				if hidden {
					edits, deletes = 1, 0
				}
				assert.Equal(t, edits, kinds[conversation.MessageEdited])
				assert.Equal(t, deletes, kinds[conversation.MessageDeleted])
				assert.Equal(t, 1, kinds[conversation.ConversationClosed], "the earlier one was before them")
				delete(kinds, conversation.MessageStatusChanged)
				for kind := range kinds {
					assert.Contains(t, []string{
						conversation.MessageReceived, conversation.MessageSent, conversation.MessageEdited, conversation.MessageDeleted,
						conversation.ConversationClosed, conversation.ConversationOpened,
					}, kind)
				}
			})
		})
	}
}

// E3: for all actors and conversations a watch begins exactly where Get succeeds.
func TestE3_StreamsAndGetAgree(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		open, guest := w.busyThread(false)
		other := w.Receive("Sales", "visitor-9", "Hi")
		hiring := w.Receive("Hiring", "visitor-9", "Hi")
		actors := []tenancy.Actor{
			w.alice, w.bob, w.maria, w.other, guest, w.Actor("dana", "Hiring"),
			{User: w.User("stranger").ID, Team: w.bob.Team}, {User: guest.User, Team: w.TeamNamed("Hiring").ID}, {},
		}
		for _, actor := range actors {
			for _, id := range []tenancy.ConversationID{open.ID, other.ID, hiring.ID, {}} {
				_, denied := w.Conversations.Get(t.Context(), actor, id)
				err := first(w.pull(actor, id, 0)())
				assert.Equal(t, denied, err)
			}
		}
	})
}

// A role that may not read notes does not hear of them.
func TestWatchTellsOfNotesWhoMayReadThem(t *testing.T) {
	w := worldOn(t, everystore.Memory(t))
	c, _ := w.busyThread(false)
	count := func(updates []conversation.Update) (notes int) {
		for _, u := range updates {
			switch u.Kind {
			case conversation.NoteWritten, conversation.NoteEdited, conversation.NoteDeleted:
				notes++
			}
		}
		return notes
	}
	assert.Equal(t, 5, count(w.watched(w.bob, c.ID, 0)), "two that were written and edited once, and the reasons for opting out and in")
	who := tenancy.Actor{User: w.join("mo"), Team: w.bob.Team}
	w.custom(rbac.Restricted, who, "conversation: read", "conversation: read all", "conversation: list all")
	updates := w.watched(who, c.ID, 0)
	assert.Zero(t, count(updates))
	assert.Len(t, updates, len(w.stream(c.ID))-5, "and of all else")
}

func TestWatchRefusesANegativeSequence(t *testing.T) {
	w := worldOn(t, everystore.Memory(t))
	var invalid *tenancy.InvalidError
	require.ErrorAs(t, first(w.pull(w.bob, w.hello().ID, -1)()), &invalid)
	assert.Equal(t, "after", invalid.Field)
}

// A watch ends with its context, while it waits as well, and fails inside a transaction.
func TestWatchEndsWithItsContext(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		c := w.hello()
		ctx, cancel := context.WithCancel(t.Context())
		next, stop := iter.Pull2(w.Conversations.Watch(ctx, w.bob, c.ID, int64(len(w.stream(c.ID)))-1))
		defer stop()
		_, err, _ := next()
		require.NoError(t, err)
		ended := make(chan error, 1)
		go func() {
			_, err, _ := next()
			ended <- err
		}()
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
		_, _, more := next()
		assert.False(t, more)
		require.NoError(t, w.inTx(func(s txStore) error {
			for _, err := range w.Conversations.Watch(s.ctx, w.bob, c.ID, 0) {
				assert.Error(t, err)
			}
			return nil
		}))
	})
}

// Sixteen watchers beside writers see the whole stream, in order.
func TestWatchersBesideWriters(t *testing.T) {
	everystore.Run(t, func(t *testing.T, open func(*testing.T) storage.Store) {
		const watchers, writers, each = 16, 4, 6
		w := worldOn(t, open(t))
		c := w.hello()
		last := int64(len(w.stream(c.ID))) + writers*each
		var all sync.WaitGroup
		barrier := make(chan struct{})
		for range watchers {
			all.Go(func() {
				<-barrier
				seen := int64(0)
				for u, err := range w.Conversations.Watch(t.Context(), w.maria, c.ID, 0) {
					seen++
					if !assert.NoError(t, err) || !assert.Equal(t, seen, u.Seq) || u.Seq == last {
						return
					}
				}
			})
		}
		for range writers {
			all.Go(func() {
				<-barrier
				for range each {
					_, err := w.Conversations.Note(t.Context(), w.bob, c.ID, "so many")
					assert.NoError(t, err)
				}
			})
		}
		close(barrier)
		all.Wait()
	})
}

// Nothing is left of a watch that is broken off, that ended, or that nobody began.
func TestAWatchLeavesNothing(t *testing.T) {
	w := worldOn(t, everystore.Memory(t))
	c := w.hello()
	before := runtime.NumGoroutine()
	for range 100 {
		w.Conversations.Watch(t.Context(), w.bob, c.ID, 0)
		for _, err := range w.Conversations.Watch(t.Context(), w.bob, c.ID, 0) {
			require.NoError(t, err)
			break
		}
		for _, err := range w.Conversations.Watch(t.Context(), w.other, c.ID, 0) {
			require.ErrorIs(t, err, tenancy.ErrNotFound)
		}
	}
	assert.LessOrEqual(t, runtime.NumGoroutine(), before)
}
