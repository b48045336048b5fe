package conversation_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

// completed are the lines that the choices at the bar of a line make of it.
func (w *world) completed(actor tenancy.Actor, id tenancy.ConversationID, line string) []string {
	w.t.Helper()
	cursor := strings.Index(line, "|")
	found, err := w.Conversations.Complete(w.t.Context(), actor, id, strings.Replace(line, "|", "", 1), cursor)
	require.NoError(w.t, err, line)
	require.Equal(w.t, cursor, found.To, line)
	require.LessOrEqual(w.t, found.From, cursor, line)
	lines := []string{}
	for _, choice := range found.Choices {
		lines = append(lines, line[:found.From]+choice.Text)
	}
	return lines
}

func TestSpec6_Completion(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		c := w.hello()
		bob, maria, alice := ushertest.Email("bob"), ushertest.Email("maria"), ushertest.Email("alice")
		w.Guest(w.bob, c.ID, "carol")
		w.Team("Night Team")
		w.configure(w.alice, func(s *tenancy.Settings) {
			s.Statuses = []tenancy.OutcomeStatus{{Label: "Not Reached", Category: tenancy.Neutral}}
		})
		for line, want := range map[string][]string{
			"^o|":                            {"^open", "^opt-out", "^opt-in"},
			"^O|pqrst":                       {"^open", "^opt-out", "^opt-in"},
			" ＾cl|":                          nil, // filled in below: its caret is not an ASCII one
			"^assign |":                      {"^assign me", "^assign " + ushertest.Email("acme-holder"), "^assign " + alice, "^assign " + bob, "^assign " + maria, "^assign takeover:yes"},
			"^assign m|":                     {"^assign me", "^assign " + maria},
			"^assign me |":                   {"^assign me takeover:yes"},
			"^assign me t|":                  {"^assign me takeover:yes"},
			"^close |":                       {"^close status:"},
			"^close status:n|":               {"^close status:New", `^close status:"Not Qualified"`, `^close status:"Not Interested"`, `^close status:"Not Eligible for Hire"`, `^close status:"Not Reached"`},
			`^close status:"not R|`:          {`^close status:"Not Reached"`},
			"^snooze t|":                     {"^snooze tomorrow"},
			"^deliver N|":                    {`^deliver "Night Team"`},
			"^deliver hi|":                   {"^deliver Hiring"},
			"^deliver Hiring keep|":          {"^deliver Hiring keep-open:yes", "^deliver Hiring keep-reading:yes"},
			"^deliver Hiring keep-reading:|": {"^deliver Hiring keep-reading:yes"},
			"^deliver Hiring a|":             {"^deliver Hiring ask:yes", "^deliver Hiring accept-within:"},
			"^deliver Hiring rating:|":       {},
			"^invite |":                      {"^invite history:", "^invite expires:"},
			"^stat |":                        {"^stat working", "^stat all"},
			"^help s|":                       {"^help snooze", "^help stat"},
			"^claim |":                       {},
			"^note |":                        {},
			"^nonsense |":                    {},
			"^deliver x:|":                   {},
			"Hello ^d|":                      {},
			"^^d|":                           {},
			"|":                              {},
		} {
			if want == nil {
				want = []string{" ＾claim", " ＾close"}
			}
			assert.Equal(t, want, w.completed(w.bob, c.ID, line), line)
		}
		found, err := w.Conversations.Complete(t.Context(), w.bob, c.ID, "^assign mar", 11)
		require.NoError(t, err)
		assert.Equal(t, conversation.Completion{From: 8, To: 11, Choices: []conversation.Choice{{Text: maria, Help: w.User("maria").Name}}}, found)
		for _, cursor := range []int{-1, 4, 1 << 30} {
			found, err := w.Conversations.Complete(t.Context(), w.bob, c.ID, "^cl", cursor)
			require.NoError(t, err)
			assert.Empty(t, found.Choices)
		}
		before := w.log(w.bob.Team)
		w.completed(w.bob, c.ID, "^deliver |")
		assert.Equal(t, before, w.log(w.bob.Team))
	})
}

// F6: nothing is offered that the actor may not do or see, and to guests and strangers nothing is said.
func TestF6_CompletionOffersWhatIsAllowed(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		c := w.hello()
		w.User("maria") // is suspended, and so nobody to assign to
		w.suspend(w.maria)
		assert.NotContains(t, w.completed(w.bob, c.ID, "^assign |"), "^assign "+ushertest.Email("maria"))
		w.Account("initech").Team("Elsewhere")
		assert.Empty(t, w.completed(w.bob, c.ID, "^deliver El|"), "another account's")

		nina := tenancy.Actor{User: w.join("nina"), Team: w.bob.Team}
		reads := []string{"conversation: read all", "conversation: read"}
		reader := w.custom(rbac.Restricted, nina, reads...)
		assert.Equal(t, []string{"^help"}, w.completed(reader, c.ID, "^|"))
		for _, line := range []string{"^deliver |", "^assign |", "^close status:|", "^deliver x |", "^deliver x status:|", "^nonsense |"} {
			assert.Empty(t, w.completed(reader, c.ID, line), line)
		}
		assert.Equal(t, []string{"^help help"}, w.completed(reader, c.ID, "^help |"))
		deliverer := w.custom(rbac.Restricted, nina, append(reads, "conversation: deliver", "conversation: assign")...)
		assert.Equal(t, []string{"^assign me", "^assign takeover:yes"}, w.completed(deliverer, c.ID, "^assign |"), "who may not list members is offered none")
		for _, line := range w.completed(deliverer, c.ID, "^deliver |") {
			assert.Contains(t, line, ":", "who may not read the team is offered no other one: %s", line)
		}
		w.types(w.bob, c.ID, "^close")
		assert.Empty(t, w.completed(w.bob, c.ID, "^deliver |"), "a closed conversation cannot be delivered")
		assert.Empty(t, w.completed(w.bob, c.ID, "^del|"))

		for _, line := range []string{"^", "^deliver ", "Hello"} {
			_, err := w.Conversations.Complete(t.Context(), w.other, c.ID, line, len(line))
			require.ErrorIs(t, err, tenancy.ErrNotFound, line)
		}
	})
}

// What is offered for a value works: to type it is not refused for what it names.
func TestWhatIsOfferedIsAccepted(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		c := w.hello()
		w.Guest(w.bob, c.ID, "carol")
		w.Team("Night Team", ushertest.Manager("nora")).Team("Archive").ArchiveTeam()
		w.suspend(w.maria)
		lines := []string{}
		for _, begun := range []string{"^assign |", "^deliver |", "^close status:|", "^deliver " + ushertest.Email("bob") + " status:|", "^snooze |", "^stat |", "^help |"} {
			for _, line := range w.completed(w.bob, c.ID, begun) {
				if !strings.Contains(line[len(begun)-1:], ":") || strings.Contains(begun, "status") || strings.Contains(line, "Night") {
					lines = append(lines, line)
				}
			}
		}
		require.Greater(t, len(lines), 40)
		require.Contains(t, lines, `^deliver "Night Team"`)
		for _, line := range lines {
			_, err := w.Conversations.Preview(t.Context(), w.bob, c.ID, line)
			require.NoError(t, err, line)
		}
	})
}

func TestF8_Completion(t *testing.T) {
	w := worldOn(t, everystore.Memory(t))
	c := w.hello()
	long := "^note " + strings.Repeat("x", conversation.MaxText-6)
	_, err := w.Conversations.Complete(t.Context(), w.bob, c.ID, long, 5)
	require.NoError(t, err)
	for _, line := range []string{long + "x", strings.Repeat("^", 1<<20)} {
		_, err := w.Conversations.Complete(t.Context(), w.bob, c.ID, line, 5)
		require.ErrorIs(t, err, tenancy.ErrInvalid)
		_, err = w.Conversations.Preview(t.Context(), w.bob, c.ID, line)
		require.ErrorIs(t, err, tenancy.ErrInvalid)
	}
	members, err := w.Tenancy.Members(t.Context(), w.bob, tenancy.Page{})
	require.NoError(t, err)
	for n := len(members.Items) + 1; n <= conversation.MaxOffered+1; n++ {
		w.join(fmt.Sprintf("nr-%d", n))
	}
	offered := func(typed string) int { return len(w.completed(w.bob, c.ID, "^assign "+typed+"|")) }
	assert.Equal(t, conversation.MaxChoices, offered(""))
	assert.Equal(t, conversation.MaxChoices, offered("nr-"))
	assert.Equal(t, 1, offered(fmt.Sprintf("nr-%d", conversation.MaxOffered)))
	assert.Equal(t, 0, offered(fmt.Sprintf("nr-%d", conversation.MaxOffered+1)))
}

func TestCompletionOfTheHostsCommands(t *testing.T) {
	ran := false
	w := worldOn(t, everystore.Memory(t), publishing, publish(func(context.Context, conversation.Call) (string, error) {
		ran = true
		return "", nil
	}))
	c := w.hello()
	assert.Equal(t, []string{"^publish"}, w.completed(w.bob, c.ID, "^pu|"))
	assert.Equal(t, []string{"^publish x days:", "^publish x where:"}, w.completed(w.bob, c.ID, "^publish x |"))
	assert.Equal(t, []string{`^publish x where:"job board"`}, w.completed(w.bob, c.ID, "^publish x where:j|"))
	reply, err := w.Conversations.Preview(t.Context(), w.bob, c.ID, "^publish x")
	require.NoError(t, err)
	assert.Equal(t, conversation.Reply{Text: "^publish would run."}, reply)
	_, err = w.Conversations.Preview(t.Context(), w.bob, c.ID, "^publish")
	require.ErrorIs(t, err, tenancy.ErrInvalid)
	reader := w.custom(rbac.Restricted, w.maria, "conversation: read all", "conversation: read")
	_, err = w.Conversations.Preview(t.Context(), reader, c.ID, "^publish x")
	require.ErrorIs(t, err, rbac.ErrDenied)
	assert.Empty(t, w.completed(reader, c.ID, "^publish x |"))
	assert.False(t, ran, "nothing of this runs it")
}
