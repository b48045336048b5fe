package conversation_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/conversation/command"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

func TestTypedCommands(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.hello()
		typed := func(line string) conversation.Reply {
			t.Helper()
			reply, err := w.Conversations.Type(ctx, w.bob, c.ID, line)
			require.NoError(t, err, line)
			return reply
		}
		get := func() conversation.Conversation {
			t.Helper()
			found, err := w.Conversations.Get(ctx, w.bob, c.ID)
			require.NoError(t, err)
			return found
		}
		assert.Equal(t, "Hello!", typed("Hello!").Message.Text)
		assert.Equal(t, "^_^", typed("^^_^").Message.Text)
		assert.Equal(t, conversation.NoteMessage, typed(`^note she said "yes"`).Message.Kind)

		for _, himself := range []string{"me", "ME", ushertest.Email("bob")} {
			assert.Equal(t, "The conversation is assigned to you.", typed("^assign "+himself).Text)
		}
		assert.Equal(t, w.bob.User, get().Assignee)
		_, err := w.Conversations.Type(ctx, w.bob, c.ID, "^assign "+ushertest.Email("maria"))
		var taken *conversation.AssignedError
		require.ErrorAs(t, err, &taken)
		given := typed("^assign " + ushertest.Email("maria") + " takeover:yes")
		assert.Equal(t, "The conversation is assigned to "+ushertest.Email("maria")+".", given.Text)
		assert.Equal(t, w.maria.User, get().Assignee)

		typed(`^close status:"not interested"`)
		assert.Equal(t, conversation.NotInterested, get().Outcome)
		typed("^open")
		assert.Equal(t, conversation.Open, get().Status)
		assert.Contains(t, typed("^help").Text, "^deliver")
		assert.Contains(t, typed("^help close").Text, "^close")
		assert.Contains(t, typed("^invite zoe@zoe.example").Text, "zoe@zoe.example")

		typed(`^deliver ` + ushertest.Email("bob") + ` status:"Qualified" rating:4 summary:"ready to start"`)
		history, err := w.Conversations.History(ctx, w.bob, c.ID)
		require.NoError(t, err)
		require.Len(t, history, 1)
		assert.Equal(t, conversation.Outcome{Status: conversation.Qualified, Rating: 4, Summary: "ready to start"}, history[0].Outcome)
		typed("^deliver hiring")
		_, err = w.Conversations.Get(ctx, w.bob, c.ID)
		require.ErrorIs(t, err, tenancy.ErrNotFound, "it moved")
		assert.Equal(t, []string{"Hi, is the job still open?", "Hello!", "^_^", `she said "yes"`}, w.texts(w.Actor("dana", "Hiring"), c.ID),
			"no command is in the conversation")
	})
}

// A line that is sent again, as after a lost answer, is one command, also where what it says is
// another time by then.
func TestACommandRunsOnceForEachClientIDAndKey(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		c := w.hello()
		ways := map[string]func(line, key string) (conversation.Reply, error){
			"client id": func(line, key string) (conversation.Reply, error) {
				return w.Conversations.Type(t.Context(), w.bob, c.ID, line, conversation.ClientID(key))
			},
			"key": func(line, key string) (conversation.Reply, error) {
				return w.Conversations.Type(tenancy.WithKey(t.Context(), key), w.bob, c.ID, line)
			},
			"both": func(line, key string) (conversation.Reply, error) {
				return w.Conversations.Type(tenancy.WithKey(t.Context(), "both-"+key), w.bob, c.ID, line, conversation.ClientID("both-"+key))
			},
		}
		for how, typed := range ways {
			first, err := typed("^snooze 2h", "1")
			require.NoError(t, err, how)
			until, before := w.get(w.bob, c.ID).SnoozedUntil, len(w.log(w.bob.Team))
			w.Clock.Advance(time.Minute)
			again, err := typed("^snooze 2h", "1")
			require.NoError(t, err, how)
			assert.Equal(t, first, again, how)
			assert.Equal(t, until, w.get(w.bob, c.ID).SnoozedUntil, how)
			assert.Len(t, w.log(w.bob.Team), before, how)
			_, err = typed("^close", "1")
			require.ErrorIs(t, err, tenancy.ErrKeyReused, how)

			note, err := typed("^note once", "2")
			require.NoError(t, err, how)
			again, err = typed("^note once", "2")
			require.NoError(t, err, how)
			assert.Equal(t, note, again, how)

			_, err = typed("^assign nobody@x.example", "3")
			require.Error(t, err, how)
			_, err = typed("^open", "3")
			require.NoError(t, err, "what failed keeps nothing: %s", how)
		}
		assert.Len(t, w.texts(w.bob, c.ID), 1+len(ways), "each note once")
		for _, id := range []string{"", strings.Repeat("x", conversation.MaxKey+1)} {
			_, err := w.Conversations.Type(t.Context(), w.bob, c.ID, "^open", conversation.ClientID(id))
			require.ErrorIs(t, err, tenancy.ErrInvalid)
		}
		_, err := w.Conversations.Type(t.Context(), w.other, c.ID, "^snooze 2h", conversation.ClientID("1"))
		require.ErrorIs(t, err, tenancy.ErrNotFound, "a stranger's id is their own")
	})
}

// F6: an unknown or failed command is never sent, and unknown and forbidden targets answer alike.
func TestF6_FailedCommandsReachNobody(t *testing.T) {
	w := worldOn(t, everystore.Memory(t))
	c := w.hello()
	for _, line := range []string{
		"^", "^ close", "^nonsense", "^close\nnow", "^deliver", "^deliver a b c", "^assign", "^note", "^deliver x rating:9",
		"^deliver x status:Hired", "^invite nobody", "\u200b^clsoe", "＾close it now please", "^" + strings.Repeat("x", 4000), "^assign nobody@x.example",
	} {
		_, err := w.Conversations.Type(t.Context(), w.bob, c.ID, line)
		require.Error(t, err, "%.40q", line)
	}
	_, err := w.Conversations.Type(t.Context(), w.bob, c.ID, "^nonsense")
	require.ErrorIs(t, err, tenancy.ErrInvalid)
	var parser *command.Error
	require.ErrorAs(t, err, &parser)
	assert.Equal(t, []string{"Hi, is the job still open?"}, w.texts(w.bob, c.ID))

	_, unknown := w.Conversations.Type(t.Context(), w.bob, c.ID, "^deliver Nowhere")
	w.Account("initech").Team("Elsewhere")
	_, foreign := w.Conversations.Type(t.Context(), w.bob, c.ID, "^deliver Elsewhere")
	require.ErrorIs(t, unknown, tenancy.ErrNotFound)
	assert.Equal(t, unknown, foreign)

	_, stranger := w.Conversations.Type(t.Context(), w.other, c.ID, "^nonsense")
	require.ErrorIs(t, stranger, tenancy.ErrNotFound, "to strangers nothing is said about the command")
}

func TestF8_TypedLines(t *testing.T) {
	w := worldOn(t, everystore.Memory(t))
	c := w.hello()
	_, err := w.Conversations.Type(t.Context(), w.bob, c.ID, strings.Repeat("x", conversation.MaxText))
	require.NoError(t, err)
	for _, line := range []string{strings.Repeat("x", conversation.MaxText+1), strings.Repeat("^", 1<<20), strings.Repeat("\u200b", 1<<20)} {
		_, err := w.Conversations.Type(t.Context(), w.bob, c.ID, line)
		require.ErrorIs(t, err, tenancy.ErrInvalid)
	}
}

// What a command answers is for its author: no message, event or update has it, and a colleague who sends the
// same line with the same id has an answer of their own.
func TestSpec6_TheReplyIsItsAuthorsOnly(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.hello()
		carol := w.Guest(w.bob, c.ID, "carol")
		typed := func(actor tenancy.Actor, line string) (conversation.Reply, error) {
			return w.Conversations.Type(ctx, actor, c.ID, line, conversation.ClientID("same"+line))
		}
		for _, line := range []string{"^claim", "^help", "^stat all", "^read"} {
			before := len(w.stream(c.ID))
			reply, err := typed(w.bob, line)
			require.NoError(t, err, line)
			require.NotEmpty(t, reply.Text, line)
			assert.Nil(t, reply.Message, line)
			for _, actor := range []tenancy.Actor{w.bob, w.maria, carol} {
				assert.Equal(t, []string{"Hi, is the job still open?"}, w.texts(actor, c.ID), line)
			}
			for _, e := range w.stream(c.ID)[before:] {
				assert.NotContains(t, string(e.Payload), reply.Text, line)
			}
			_, err = typed(carol, line)
			require.ErrorIs(t, err, rbac.ErrDenied, line)
		}
		var taken *conversation.ClaimedError
		_, err := typed(w.maria, "^claim")
		require.ErrorAs(t, err, &taken, "bob's answer is not hers")
		mine, err := typed(w.maria, "^read")
		require.NoError(t, err)
		assert.NotEmpty(t, mine.Text)
		mark, err := w.Conversations.ReadMark(ctx, w.maria, c.ID)
		require.NoError(t, err)
		assert.EqualValues(t, 1, mark.Seq, "and her command has run")
	})
}

// F6: who types names does not learn who is registered, or where: an address that cannot be assigned to is
// answered like any other, and one that is invited like any other.
func TestF6_NamesOfPeopleAreNotTold(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.hello()
		w.Guest(w.bob, c.ID, "carol")
		w.join("gone")
		require.NoError(t, w.Tenancy.Remove(ctx, w.alice, w.User("gone").ID))
		w.User("registered")
		people := []string{"nobody", "registered", "dana", "oscar", "carol", "gone"}
		for _, line := range []string{"^assign %s", "^assign %s takeover:yes"} {
			for _, name := range people {
				for _, run := range []func(context.Context, tenancy.Actor, tenancy.ConversationID, string) (conversation.Reply, error){
					w.Conversations.Preview,
					func(ctx context.Context, a tenancy.Actor, id tenancy.ConversationID, line string) (conversation.Reply, error) {
						return w.Conversations.Type(ctx, a, id, line)
					},
				} {
					_, err := run(ctx, w.bob, c.ID, fmt.Sprintf(line, ushertest.Email(name)))
					require.Equal(t, conversation.ErrNotRecipient, err, "%s: %s", line, name)
				}
			}
		}
		for _, line := range []string{"^invite %s", "^deliver %s"} {
			for i, name := range []string{"nobody-else", "registered", "dana", "oscar"} {
				visitor := w.Receive("Sales", fmt.Sprint(line[1:7], i), "Hi")
				reply := w.types(w.bob, visitor.ID, fmt.Sprintf(line, ushertest.Email(name)))
				assert.Equal(t, w.types(w.bob, w.Receive("Sales", fmt.Sprint(line[1:7], i, "-again"), "Hi").ID, fmt.Sprintf(line, "fresh-"+fmt.Sprint(i)+"@nowhere.example")).Text,
					strings.ReplaceAll(reply.Text, ushertest.Email(name), "fresh-"+fmt.Sprint(i)+"@nowhere.example"), "%s: %s", line, name)
			}
		}
	})
}

// Files come along with what is said and noted; a command that has no use for them says so, rather than to
// lose them.
func TestFilesComeAlongWithANote(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		c := w.hello()
		typed := func(line string) (conversation.Reply, error) {
			return w.Conversations.Type(t.Context(), w.bob, c.ID, line, conversation.Attach(file(1)))
		}
		for _, line := range []string{"Here you are", "^note their CV", "^^here"} {
			reply, err := typed(line)
			require.NoError(t, err, line)
			assert.Equal(t, []conversation.Attachment{file(1)}, w.message(*reply.Message).Attachments, line)
		}
		before := len(w.log(w.bob.Team))
		for _, line := range []string{"^close", "^help", "^deliver " + ushertest.Email("maria")} {
			_, err := typed(line)
			var invalid *tenancy.InvalidError
			require.ErrorAs(t, err, &invalid, line)
			assert.Equal(t, "attachments", invalid.Field, line)
		}
		assert.Len(t, w.log(w.bob.Team), before)
		w.types(w.bob, c.ID, "^assign ME")
		assert.Equal(t, w.bob.User, w.get(w.bob, c.ID).Assignee)
	})
}
