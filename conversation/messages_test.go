package conversation_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

// Pages from the beginning and from the end hold the same messages, for those who see all and for a
// guest who does not see the notes.
func TestMessagesAreReadBothWays(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx, c := t.Context(), w.hello()
		guest := w.Guest(w.bob, c.ID, "gina")
		for i := range 9 {
			w.say(w.bob, c.ID, fmt.Sprint("answer ", i))
			if i%3 == 0 {
				_, err := w.Conversations.Note(ctx, w.bob, c.ID, fmt.Sprint("note ", i))
				require.NoError(t, err)
			}
		}
		for _, actor := range []tenancy.Actor{w.bob, guest} {
			whole, err := w.Conversations.Messages(ctx, actor, c.ID, 0, 0)
			require.NoError(t, err)
			for _, limit := range []int{1, 2, 5, len(whole), len(whole) + 1} {
				var onwards, back []conversation.Message
				for after := int64(0); ; {
					page, err := w.Conversations.Messages(ctx, actor, c.ID, after, limit)
					require.NoError(t, err)
					if len(page) == 0 {
						break
					}
					onwards, after = append(onwards, page...), page[len(page)-1].Seq
				}
				for before := int64(0); ; {
					page, err := w.Conversations.MessagesBefore(ctx, actor, c.ID, before, limit)
					require.NoError(t, err)
					if len(page) == 0 {
						break
					}
					back, before = append(slices.Clone(page), back...), page[0].Seq
					if before == 1 {
						break
					}
				}
				assert.Equal(t, whole, onwards)
				assert.Equal(t, whole, back)
			}
		}
		for _, limit := range []int{-1, tenancy.MaxLimit + 1} {
			_, err := w.Conversations.MessagesBefore(ctx, w.bob, c.ID, 0, limit)
			require.ErrorIs(t, err, tenancy.ErrInvalid)
		}
		_, err := w.Conversations.MessagesBefore(ctx, w.bob, c.ID, -1, 0)
		require.ErrorIs(t, err, tenancy.ErrInvalid)
	})
}

func file(i int) conversation.Attachment {
	return conversation.Attachment{Name: fmt.Sprintf("cv-%d.pdf", i), MediaType: "application/pdf", Size: int64(i), Ref: fmt.Sprint("files/", i)}
}

func TestAttachmentsComeAlong(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		in := conversation.Inbound{To: w.TeamNamed("Sales").Identity, From: "visitor-1", ID: "SM1", Attachments: []conversation.Attachment{
			{Name: " e\u0301te\u0301.png ", MediaType: "IMAGE/PNG", Ref: "https://files.example/1?sig=a:b"},
		}}
		for range 2 {
			c, err := w.Conversations.Receive(t.Context(), ushertest.System, in)
			require.NoError(t, err)
			found, err := w.Conversations.Messages(t.Context(), w.bob, c.ID, 0, 0)
			require.NoError(t, err)
			require.Len(t, found, 1, "the same message again")
			assert.Empty(t, found[0].Text, "a file may say enough")
			assert.Equal(t, []conversation.Attachment{{Name: "été.png", MediaType: "image/png", Ref: "https://files.example/1?sig=a:b"}}, found[0].Attachments)
		}
		in.Attachments = []conversation.Attachment{file(1)}
		_, err := w.Conversations.Receive(t.Context(), ushertest.System, in)
		require.ErrorIs(t, err, tenancy.ErrKeyReused, "the id with another file")

		c := w.Receive("Sales", "visitor-2", "Hi")
		first := w.say(w.bob, c.ID, "", conversation.Attach(file(1), file(2)), conversation.ClientID("k1"))
		assert.Equal(t, []conversation.Attachment{file(1), file(2)}, w.message(first).Attachments)
		_, err = w.Conversations.Send(t.Context(), w.bob, c.ID, "", conversation.Attach(file(1)), conversation.ClientID("k1"))
		require.ErrorIs(t, err, tenancy.ErrKeyReused)
	})
}

func TestF8_AttachmentsRefused(t *testing.T) {
	w := worldOn(t, everystore.Memory(t))
	c := w.hello()
	send := func(files ...conversation.Attachment) error {
		_, err := w.Conversations.Send(t.Context(), w.bob, c.ID, "", conversation.Attach(files...))
		return err
	}
	for name, spoil := range map[string]func(*conversation.Attachment){
		"no name":             func(a *conversation.Attachment) { a.Name = "" },
		"F7 bidi name":        func(a *conversation.Attachment) { a.Name = "cv\u202efdp.exe" },
		"long name":           func(a *conversation.Attachment) { a.Name = strings.Repeat("x", tenancy.MaxName+1) },
		"huge name":           func(a *conversation.Attachment) { a.Name = strings.Repeat("x", 1<<20) },
		"no type":             func(a *conversation.Attachment) { a.MediaType = "" },
		"half a type":         func(a *conversation.Attachment) { a.MediaType = "image" },
		"type with a charset": func(a *conversation.Attachment) { a.MediaType = "text/plain; charset=utf-8" },
		"long type": func(a *conversation.Attachment) {
			a.MediaType = "a/" + strings.Repeat("x", conversation.MaxMediaType-1)
		},
		"negative size":      func(a *conversation.Attachment) { a.Size = -1 },
		"no ref":             func(a *conversation.Attachment) { a.Ref = "" },
		"long ref":           func(a *conversation.Attachment) { a.Ref = strings.Repeat("x", conversation.MaxRef+1) },
		"ref with a space":   func(a *conversation.Attachment) { a.Ref = "a b" },
		"ref not in ASCII":   func(a *conversation.Attachment) { a.Ref = "été" },
		"script":             func(a *conversation.Attachment) { a.Ref = "javascript:alert(1)" },
		"script in disguise": func(a *conversation.Attachment) { a.Ref = "JaVaScRiPt:alert(1)" },
		"data":               func(a *conversation.Attachment) { a.Ref = "data:text/html,x" },
		"local file":         func(a *conversation.Attachment) { a.Ref = "file:///etc/passwd" },
		"plain http":         func(a *conversation.Attachment) { a.Ref = "http://files.example/1" },
		"URL with a secret":  func(a *conversation.Attachment) { a.Ref = "https://user:secret@files.example/1" },
		"URL of no host":     func(a *conversation.Attachment) { a.Ref = "https:///1" },
		"no URL":             func(a *conversation.Attachment) { a.Ref = "https:files" },
	} {
		a := file(1)
		spoil(&a)
		require.ErrorIs(t, send(a), tenancy.ErrInvalid, name)
	}
	var many []conversation.Attachment
	for i := range conversation.MaxAttachments + 1 {
		many = append(many, file(i))
	}
	require.ErrorIs(t, send(many...), tenancy.ErrInvalid)
	require.ErrorIs(t, send(make([]conversation.Attachment, 1<<20)...), tenancy.ErrInvalid)
	require.ErrorIs(t, send(), tenancy.ErrInvalid, "neither text nor file")
	require.NoError(t, send(many[1:]...))
	require.NoError(t, send(conversation.Attachment{
		Name: strings.Repeat("x", tenancy.MaxName), MediaType: "a/" + strings.Repeat("x", conversation.MaxMediaType-2), Size: 1<<63 - 1, Ref: strings.Repeat("x", conversation.MaxRef),
	}))
}

func TestPostIsNoAnswer(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx, c := t.Context(), w.hello()
		waiting := c.NeedsReplySince
		m, err := w.Conversations.Post(ctx, "bot", c.ID, conversation.AutomaticMessage, "We are closed.", conversation.ClientID("k1"))
		require.NoError(t, err)
		assert.Equal(t, conversation.StatusQueued, m.Status)
		assert.True(t, m.Author.IsZero())
		line, err := w.Conversations.Post(ctx, "bot", c.ID, conversation.SystemMessage, "Bob was invited.")
		require.NoError(t, err)
		assert.Empty(t, line.Status, "nobody is sent a system line")
		seen, err := w.Conversations.Get(ctx, w.bob, c.ID)
		require.NoError(t, err)
		assert.Equal(t, waiting, seen.NeedsReplySince, "only a person's answer clears it")
		guest := w.Guest(w.bob, c.ID, "gina")
		assert.Equal(t, []string{"Hi, is the job still open?", "We are closed.", "Bob was invited."}, w.texts(guest, c.ID))

		again, err := w.Conversations.Post(ctx, "bot", c.ID, conversation.AutomaticMessage, "We are closed.", conversation.ClientID("k1"))
		require.NoError(t, err)
		assert.Equal(t, m, again)
		_, err = w.Conversations.Post(ctx, "another", c.ID, conversation.AutomaticMessage, "We are open.", conversation.ClientID("k1"))
		require.NoError(t, err, "another system's ids are its own")

		_, err = w.Conversations.Deliver(ctx, w.bob, c.ID, conversation.ToTeam(w.TeamNamed("Hiring").ID), conversation.Outcome{})
		require.NoError(t, err)
		_, err = w.Conversations.Post(ctx, "bot", c.ID, conversation.SystemMessage, "Welcome.")
		require.NoError(t, err, "wherever the conversation is now")
	})
}

func TestPostRefuses(t *testing.T) {
	w := worldOn(t, everystore.Memory(t))
	ctx, c := t.Context(), w.hello()
	post := func(kind conversation.MessageKind, text string) error {
		_, err := w.Conversations.Post(ctx, "bot", c.ID, kind, text)
		return err
	}
	for _, kind := range []conversation.MessageKind{"", "inbound", "outbound", "note", "Automatic"} {
		require.ErrorIs(t, post(kind, "Hi"), tenancy.ErrInvalid, kind)
	}
	for _, text := range []string{"", "^close", "\xff", strings.Repeat("x", conversation.MaxText+1)} {
		require.ErrorIs(t, post(conversation.AutomaticMessage, text), tenancy.ErrInvalid)
	}
	_, err := w.Conversations.Post(ctx, "bot", tenancy.NewID[tenancy.ConversationID](tenancy.Env{}), conversation.SystemMessage, "Hi")
	require.ErrorIs(t, err, tenancy.ErrNotFound)
	_, err = w.Conversations.Close(ctx, w.bob, c.ID, "")
	require.NoError(t, err)
	require.ErrorIs(t, post(conversation.AutomaticMessage, "Hi"), conversation.ErrClosed)
	require.NoError(t, post(conversation.SystemMessage, "Hi"))
	_, err = w.Tenancy.SuspendAccount(ctx, ushertest.System, w.TeamNamed("Sales").Account)
	require.NoError(t, err)
	require.ErrorIs(t, post(conversation.SystemMessage, "Hi"), tenancy.ErrAccountInactive)
}
