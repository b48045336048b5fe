package conversation_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

// find are the texts that a search finds, newest first.
func (w *world) find(actor tenancy.Actor, words string) []string {
	w.t.Helper()
	found, err := w.Conversations.Search(w.t.Context(), actor, words, tenancy.Page{})
	require.NoError(w.t, err)
	var texts []string
	for _, m := range found.Items {
		texts = append(texts, m.Text)
	}
	return texts
}

// What a word is: the same answers on all stores, since they are given in Go.
func TestWhatASearchFinds(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		for i, text := range []string{
			"Grüße aus Köln, don't wait!", "STRASSE 12", "naïve café", "面接は明日です", "Ünïcode ﬁne ①", "e-mail bob@acme.example", "v2.10 at 9:30",
		} {
			w.Receive("Sales", fmt.Sprint("visitor-", i), text)
			w.Clock.Advance(time.Second)
		}
		for words, want := range map[string][]string{
			"grusse":                             {"Grüße aus Köln, don't wait!"},
			"gruße":                              {"Grüße aus Köln, don't wait!"},
			"GRÜSSE köln":                        {"Grüße aus Köln, don't wait!"},
			"straße":                             {"STRASSE 12"},
			"dont":                               {"Grüße aus Köln, don't wait!"},
			"don’t":                              {"Grüße aus Köln, don't wait!"},
			"Cafe":                               {"naïve café"},
			"cafe\u0301":                         {"naïve café"},
			"caf":                                nil,
			"明日":                                 {"面接は明日です"},
			"面接":                                 {"面接は明日です"},
			"会社":                                 nil,
			"fine 1":                             {"Ünïcode ﬁne ①"},
			"acme":                               {"e-mail bob@acme.example"},
			"9 30":                               {"v2.10 at 9:30"},
			"cafe naive":                         {"naïve café"},
			"cafe köln":                          nil,
			"12, strasse!?":                      {"STRASSE 12"},
			"12 12 12 12 12 12 12 12 12 strasse": {"STRASSE 12"},
		} {
			assert.Equal(t, want, w.find(w.bob, words), "search for %q", words)
		}
	})
}

func TestSearchKeepsToTheScope(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.Receive("Sales", "visitor-1", "interview contact")
		in := conversation.Inbound{From: "visitor-1", ID: "elsewhere", Text: "interview elsewhere"}
		other, err := w.Store.Team(ctx, w.other.Team)
		require.NoError(t, err)
		in.To = other.Identity
		_, err = w.Conversations.Receive(ctx, ushertest.System, in)
		require.NoError(t, err)
		w.Clock.Advance(time.Second)
		note, err := w.Conversations.Note(ctx, w.bob, c.ID, "interview note")
		require.NoError(t, err)
		w.Clock.Advance(time.Second)
		m := w.say(w.bob, c.ID, "interview answer")
		assert.Equal(t, []string{"interview answer", "interview note", "interview contact"}, w.find(w.bob, "interview"))
		assert.Equal(t, []string{"interview elsewhere"}, w.find(w.other, "interview"), "another account")

		reader := w.custom(rbac.Restricted, w.maria, "conversation: read all", "conversation: read")
		assert.Equal(t, []string{"interview answer", "interview contact"}, w.find(reader, "interview"), "who reads no notes finds none")

		_, err = w.Conversations.EditMessage(ctx, w.bob, c.ID, m.ID, "appointment")
		require.NoError(t, err)
		_, err = w.Conversations.DeleteMessage(ctx, w.bob, c.ID, note.ID)
		require.NoError(t, err)
		assert.Equal(t, []string{"interview contact"}, w.find(w.bob, "interview"), "by what they say now")
		assert.Equal(t, []string{"appointment"}, w.find(w.bob, "appointment"))

		_, err = w.Conversations.Close(ctx, w.bob, c.ID, "")
		require.NoError(t, err)
		assert.Equal(t, []string{"appointment"}, w.find(w.bob, "appointment"), "a closed conversation stays in search")
		_, err = w.Conversations.Open(ctx, w.bob, c.ID)
		require.NoError(t, err)
		_, err = w.Conversations.Deliver(ctx, w.bob, c.ID, conversation.ToTeam(w.TeamNamed("Hiring").ID), conversation.Outcome{})
		require.NoError(t, err)
		assert.Empty(t, w.find(w.bob, "interview"), "what has moved is the other team's")
		assert.Equal(t, []string{"interview contact"}, w.find(w.Actor("dana", "Hiring"), "interview"))
	})
}

func TestGuestsDoNotSearch(t *testing.T) {
	w := worldOn(t, everystore.Memory(t))
	guest := w.Guest(w.bob, w.hello().ID, "gina")
	_, err := w.Conversations.Search(t.Context(), guest, "job", tenancy.Page{})
	require.ErrorIs(t, err, rbac.ErrDenied)
}

func TestF8_SearchRefuses(t *testing.T) {
	w := worldOn(t, everystore.Memory(t))
	for _, text := range []string{
		"", " ", "?!", "\xff", "%", strings.Repeat("x", conversation.MaxQuery+1), strings.Repeat("x", 1<<20), "a b c d e f g h i",
	} {
		_, err := w.Conversations.Search(t.Context(), w.bob, text, tenancy.Page{})
		require.ErrorIs(t, err, tenancy.ErrInvalid, "%.20q", text)
	}
	for _, text := range []string{strings.Repeat("x", conversation.MaxQuery), "a b c d e f g h", "'; DROP TABLE usher_messages; --", "a_b%"} {
		_, err := w.Conversations.Search(t.Context(), w.bob, text, tenancy.Page{})
		require.NoError(t, err, "%.20q", text)
	}
}

// F3: a cursor belongs to the words and the actor that it was given for.
func TestSearchGoesOnByItsCursor(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		var want []string
		for i := range 7 {
			text := fmt.Sprint("message ", i)
			w.Receive("Sales", fmt.Sprint("visitor-", i%2), text)
			want = append([]string{text}, want...)
		}
		var got []string
		var second tenancy.Cursor
		for page := (tenancy.Page{Limit: 3}); ; {
			found, err := w.Conversations.Search(ctx, w.bob, "message", page)
			require.NoError(t, err)
			for _, m := range found.Items {
				got = append(got, m.Text)
			}
			if found.Next == "" {
				break
			}
			page.After, second = found.Next, found.Next
		}
		assert.Equal(t, want, got)
		for name, search := range map[string]func() error{
			"other words": func() error {
				_, err := w.Conversations.Search(ctx, w.bob, "3 message", tenancy.Page{After: second})
				return err
			},
			"another actor": func() error {
				_, err := w.Conversations.Search(ctx, w.maria, "message", tenancy.Page{After: second})
				return err
			},
			"a cut one": func() error {
				_, err := w.Conversations.Search(ctx, w.bob, "message", tenancy.Page{After: second[1:]})
				return err
			},
			"another list": func() error {
				_, err := w.Conversations.List(ctx, w.bob, conversation.Filter{}, tenancy.Page{After: second})
				return err
			},
		} {
			require.ErrorIs(t, search(), tenancy.ErrInvalid, name)
		}
	})
}

func TestWordsAreBounded(t *testing.T) {
	var text strings.Builder
	for i := range conversation.MaxWords + 10 {
		fmt.Fprintf(&text, "w%d ", i)
	}
	words := conversation.Words(text.String())
	require.Len(t, words, conversation.MaxWords)
	assert.Equal(t, conversation.Words("w0"), words[:1], "the first ones")
	assert.Empty(t, conversation.Words("?! ... 👋"))
	assert.Len(t, conversation.Words("a A á Á"), 1, "different ones")
}
