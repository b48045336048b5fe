package conversation_test

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/conversation/command"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

func TestSpec6_TheCommands(t *testing.T) {
	var names []string
	for _, v := range conversation.Vocabulary() {
		names = append(names, "^"+v.Name)
		service, method := reflect.TypeFor[*conversation.Service](), v.Calls
		if of, found := strings.CutPrefix(method, "invite."); found {
			service, method = reflect.TypeFor[*invite.Service](), of
		}
		_, exists := service.MethodByName(method)
		assert.True(t, exists, "^%s calls %s, which is no method", v.Name, v.Calls)
		for _, param := range v.Offers {
			assert.Contains(t, strings.ToLower(v.Explained), param, "^%s completes what is no parameter", v.Name)
		}
	}
	assert.ElementsMatch(t, strings.Fields(
		"^assign ^claim ^release ^close ^open ^snooze ^deliver ^invite ^opt-out ^opt-in ^read ^unread ^note ^stat ^help"), names)
	w := worldOn(t, everystore.Memory(t))
	assert.Len(t, w.Conversations.Commands(), len(names))
}

// examples is a line of each command that works in an open conversation that nobody has.
func (w *world) examples() map[string]string {
	return map[string]string{
		"assign": "^assign me", "claim": "^claim", "release": "^release", "close": "^close", "open": "^open", "snooze": "^snooze 2h",
		"deliver": "^deliver " + ushertest.Email("maria"), "invite": "^invite zoe@zoe.example", "note": "^note filed", "read": "^read",
		"unread": "^unread", "opt-out": "^opt-out said so", "opt-in": "^opt-in said so", "stat": "^stat", "help": "^help",
	}
}

// F6: each command is refused to whoever lacks its permission, as its method refuses them, whatever it
// names, and the refusal names what is missing. With the permission it runs.
func TestF6_CommandsTakeTheirPermission(t *testing.T) {
	for _, v := range conversation.Vocabulary() {
		t.Run(v.Name, func(t *testing.T) {
			w := worldOn(t, everystore.Memory(t))
			c := w.hello()
			line := w.examples()[v.Name]
			rest := []string{"conversation: read all", "message: send"}
			for _, perm := range []rbac.Permission{rbac.ListMembers, rbac.ReadTeam, rbac.ReadConversation} {
				if perm != v.Permission {
					rest = append(rest, w.Policy.Name(perm))
				}
			}
			if v.Permission != rbac.ReadConversation {
				actor := w.custom(rbac.Restricted, w.maria, rest...)
				for _, refused := range []string{line, strings.Replace(line, ushertest.Email("maria"), "Nowhere", 1)} {
					before := len(w.log(w.bob.Team))
					_, err := w.Conversations.Type(t.Context(), actor, c.ID, refused)
					var denied *rbac.DeniedError
					require.ErrorAs(t, err, &denied, refused)
					assert.Equal(t, v.Permission, denied.Permission, refused)
					assert.Len(t, w.log(w.bob.Team), before)
				}
				assert.NotContains(t, w.types(actor, c.ID, "^help").Text, v.Explained[:len(v.Name)+2])
				w.custom(rbac.Restricted, w.maria, append(rest, w.Policy.Name(v.Permission))...)
			}
			if v.Name == "deliver" { // maria has the rights of a colleague, but bob is one whoever is asked
				line = "^deliver " + ushertest.Email("bob")
			}
			w.types(w.maria, c.ID, line)
		})
	}
}

func TestSpec6_DeliverWithEveryOption(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		fresh := func(visitor string) tenancy.ConversationID { return w.Receive("Sales", visitor, "Hi").ID }
		last := func(actor tenancy.Actor, id tenancy.ConversationID) conversation.Delivery {
			history, err := w.Conversations.History(t.Context(), actor, id)
			require.NoError(t, err)
			require.NotEmpty(t, history)
			return history[len(history)-1]
		}
		id := fresh("v1")
		reply := w.types(w.bob, id, `^deliver `+ushertest.Email("maria")+` status:"not qualified" rating:2 summary:"no licence: asked twice" keep-open:yes`)
		assert.Equal(t, "The conversation is delivered to "+ushertest.Email("maria")+": Not Qualified.", reply.Text)
		d := last(w.bob, id)
		assert.Equal(t, conversation.ToUser(w.maria.User), d.Recipient)
		assert.Equal(t, conversation.Outcome{Status: conversation.NotQualified, Rating: 2, Summary: "no licence: asked twice"}, d.Outcome)
		assert.True(t, d.KeepOpen)
		assert.Equal(t, conversation.Open, w.get(w.bob, id).Status)

		id = fresh("v2")
		w.types(w.bob, id, `^deliver hiring keep-reading:yes`)
		dana := w.Actor("dana", "Hiring")
		assert.True(t, last(dana, id).KeepReading)
		assert.Equal(t, w.TeamNamed("Hiring").ID, w.get(dana, id).Team)

		id = fresh("v3")
		reply = w.types(w.bob, id, `^deliver Hiring accept-within:2d`)
		assert.Equal(t, "Hiring is asked; the delivery completes when they accept.", reply.Text)
		d = last(w.bob, id)
		assert.Equal(t, conversation.DeliveryPending, d.State)
		assert.Equal(t, 48*time.Hour, d.Deadline.Sub(d.CreatedAt))

		id = fresh("v4")
		w.types(w.bob, id, `^deliver `+ushertest.Email("maria")+` ask:yes`)
		d = last(w.bob, id)
		assert.Equal(t, conversation.DeliveryPending, d.State)
		assert.Zero(t, d.Deadline)

		id = fresh("v5")
		reply = w.types(w.bob, id, `^deliver zoe@client.example accept-within:5h`)
		assert.Equal(t, "zoe@client.example is invited; the delivery completes when they accept.", reply.Text)
		inv, err := w.Store.Invitation(t.Context(), w.bob.Team, last(w.bob, id).Invitation)
		require.NoError(t, err)
		assert.Equal(t, 5*time.Hour, inv.ExpiresAt.Sub(inv.CreatedAt))

		id = fresh("v6")
		for _, line := range []string{
			"^deliver " + ushertest.Email("maria") + " keep-reading:yes", "^deliver Hiring accept-within:31d", "^deliver Hiring accept-within:0m status:Hired",
			"^deliver Hiring keep-open:no", "^deliver Hiring ask:yes keep-open:yes ask:yes",
		} {
			_, err := w.Conversations.Type(t.Context(), w.bob, id, line)
			require.ErrorIs(t, err, tenancy.ErrInvalid, line)
		}
		history, err := w.Conversations.History(t.Context(), w.bob, id)
		require.NoError(t, err)
		assert.Empty(t, history)
	})
}

// F6: a team that cannot be delivered to, for whatever reason, is answered like none.
func TestF6_NamesOfTeamsAreNotTold(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		c := w.hello()
		w.Team("Archive").ArchiveTeam()
		w.Account("initech").Team("Elsewhere")
		w.configure(w.alice, func(s *tenancy.Settings) { s.DeliverTo = []tenancy.TeamID{} })
		for what, name := range map[string]string{
			"unknown": "Nowhere", "another account's": "Elsewhere", "not on the list": "Hiring", "archived": "Archive", "their own": "Sales",
		} {
			for _, run := range []func(string) (conversation.Reply, error){
				func(line string) (conversation.Reply, error) {
					return w.Conversations.Type(t.Context(), w.bob, c.ID, line)
				},
				func(line string) (conversation.Reply, error) {
					return w.Conversations.Preview(t.Context(), w.bob, c.ID, line)
				},
			} {
				_, err := run("^deliver " + command.Write(name))
				require.ErrorIs(t, err, tenancy.ErrNotFound, what)
				require.EqualError(t, err, "not found: there is no team of this name to deliver to", what)
			}
			for _, line := range []string{"^deliver " + name[:3], "^deliver " + name} {
				found, err := w.Conversations.Complete(t.Context(), w.bob, c.ID, line, len(line))
				require.NoError(t, err)
				for _, choice := range found.Choices {
					assert.NotEqual(t, name, choice.Text, what)
				}
			}
		}
	})
}

// An inviter can show less of the history than the team does, and not more.
func TestInviteWithHistory(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.hello()
		sees := func(guest, option string) []string {
			t.Helper()
			w.types(w.bob, c.ID, "^invite "+ushertest.Email(guest)+option)
			w.Clock.Advance(time.Minute)
			w.say(w.bob, c.ID, guest+" is invited")
			actor := tenancy.Actor{User: w.User(guest).ID, Team: w.bob.Team}
			_, err := w.Invites.Accept(ctx, actor.User, w.Token(guest))
			require.NoError(t, err)
			w.Clock.Advance(time.Minute)
			w.say(w.bob, c.ID, guest+" is here")
			return w.texts(actor, c.ID)
		}
		assert.Equal(t, []string{"Hi, is the job still open?", "ann is invited", "ann is here"}, sees("ann", ""))
		assert.Equal(t, []string{"ben is invited", "ben is here"}, sees("ben", " history:invitation"))
		assert.Equal(t, []string{"cem is here"}, sees("cem", " history:now"))
		w.configureHistory(w.alice, tenancy.HistoryFromInvitation)
		assert.Equal(t, []string{"dan is invited", "dan is here"}, sees("dan", ""))
		assert.Equal(t, []string{"eva is here"}, sees("eva", " history:now"))
		w.configureHistory(w.alice, tenancy.HistoryFromNow)
		assert.Equal(t, []string{"fay is here"}, sees("fay", " history:invitation"), "not more than the team shows")
		_, err := w.Conversations.Type(ctx, w.bob, c.ID, "^invite gus@gus.example history:all")
		require.ErrorIs(t, err, tenancy.ErrInvalid)
	})
}

func TestInviteWithAnExpiry(t *testing.T) {
	w := worldOn(t, everystore.Memory(t))
	c := w.hello()
	w.types(w.bob, c.ID, "^invite zoe@client.example expires:2d")
	list, err := w.Invites.List(t.Context(), w.alice, invite.Filter{}, tenancy.Page{})
	require.NoError(t, err)
	require.Len(t, list.Items, 1)
	assert.Equal(t, 48*time.Hour, list.Items[0].ExpiresAt.Sub(list.Items[0].CreatedAt))
	assert.Equal(t, tenancy.HistoryAll, list.Items[0].History)
	for _, line := range []string{"^invite ann@client.example expires:59m", "^invite ann@client.example expires:31d", "^invite ann@client.example expires:soon"} {
		_, err := w.Conversations.Type(t.Context(), w.bob, c.ID, line)
		require.ErrorIs(t, err, tenancy.ErrInvalid, line)
	}
}

// ^help lists what its author may do here, and no more.
func TestHelpListsWhatCanBeDoneHere(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		c := w.hello()
		listed := func(actor tenancy.Actor) (names []string) {
			for line := range strings.SplitSeq(w.types(actor, c.ID, "^help").Text, "\n") {
				names = append(names, strings.TrimPrefix(strings.Fields(line)[0], "^"))
			}
			return names
		}
		var all, closed []string
		for _, v := range conversation.Vocabulary() {
			all = append(all, v.Name)
			if v.WhenClosed {
				closed = append(closed, v.Name)
			}
		}
		assert.Equal(t, all, listed(w.bob))
		assert.Equal(t, []string{"help"}, listed(w.custom(rbac.Restricted, w.maria, "conversation: read all", "conversation: read")))
		assert.Equal(t, []string{"close", "stat", "help"},
			listed(w.custom(rbac.Restricted, w.maria, "conversation: read all", "conversation: read", "conversation: close", "report: read")))
		assert.Equal(t, `^invite EMAIL [history:invitation|now] [expires:3d] — invite someone into this conversation, as a guest
  EMAIL — an e-mail address
  history:invitation|now — what they see: from the invitation on, or from its acceptance on; as the team has it where nothing is said
  expires:3d — how long the invitation can be accepted; 7d where nothing is said`, w.types(w.bob, c.ID, "^help ^INVITE").Text)
		w.types(w.bob, c.ID, "^close")
		assert.Equal(t, closed, listed(w.bob))
		assert.NotContains(t, closed, "deliver")
		assert.Contains(t, w.types(w.bob, c.ID, "^help claim").Text, "\n  not here: conflict: the conversation is closed")
		_, err := w.Conversations.Type(t.Context(), w.bob, c.ID, "^help clsoe")
		var parser *command.Error
		require.ErrorAs(t, err, &parser)
		require.ErrorIs(t, err, tenancy.ErrInvalid)
	})
}

// Whoever is no member of the team types text and nothing else, by whatever way it comes in.
func TestSpec6_OnlyTheTeamRunsCommands(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.hello()
		carol := w.Guest(w.bob, c.ID, "carol")
		w.Receive("Sales", "visitor-1", "^close")
		w.Receive("Sales", "visitor-1", "^opt-out please")
		for _, line := range []string{"^close", "^help", "^note x", "^nonsense", "^", "＾close"} {
			_, err := w.Conversations.Type(ctx, carol, c.ID, line)
			require.ErrorIs(t, err, rbac.ErrDenied, line)
			_, err = w.Conversations.Preview(ctx, carol, c.ID, line)
			require.ErrorIs(t, err, rbac.ErrDenied, line)
			_, err = w.Conversations.Complete(ctx, carol, c.ID, line, len(line))
			require.ErrorIs(t, err, rbac.ErrDenied, line)
			for _, say := range []func() error{
				func() error { _, err := w.Conversations.Send(ctx, w.bob, c.ID, line); return err },
				func() error { _, err := w.Conversations.Send(ctx, carol, c.ID, line); return err },
				func() error {
					_, err := w.Conversations.Post(ctx, "import", c.ID, conversation.AutomaticMessage, line)
					return err
				},
			} {
				require.ErrorIs(t, say(), tenancy.ErrInvalid, line)
			}
		}
		assert.Equal(t, "^close, I said", w.types(carol, c.ID, "^^close, I said").Message.Text, "a guest can say it")
		assert.Equal(t, conversation.Open, w.get(w.bob, c.ID).Status)
		assert.Equal(t, []string{"Hi, is the job still open?", "^close", "^opt-out please", "^close, I said"}, w.texts(w.bob, c.ID))
	})
}

// The docs show the table. go generate ./conversation runs this test with -update, which writes it between
// the marks.
func TestCommandsInTheDocs(t *testing.T) {
	const page, begin, end = "../docs/commands.md", "<!-- commands:begin -->\n", "<!-- commands:end -->\n"
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	before, rest, found := strings.Cut(string(text), begin)
	require.True(t, found)
	_, after, found := strings.Cut(rest, end)
	require.True(t, found)
	want := before + begin + commandsTable() + end + after
	if *update {
		require.NoError(t, os.WriteFile(page, []byte(want), 0o600))
		return
	}
	assert.Equal(t, want, string(text), "go generate ./conversation brings it up to date")
}

func commandsTable() string {
	var b strings.Builder
	b.WriteString("| command | takes | in a closed one | is |\n|---|---|:-:|---|\n")
	for _, v := range conversation.Vocabulary() {
		closed := map[bool]string{true: "✓", false: "–"}[v.WhenClosed]
		method := v.Calls
		if !strings.Contains(method, ".") {
			method = "Conversations." + method
		}
		fmt.Fprintf(&b, "| `^%s` | %s | %s | `%s` |\n", v.Name, v.Permission, closed, strings.Replace(method, "invite.", "Invites.", 1))
	}
	b.WriteString("\n```text\n")
	for _, v := range conversation.Vocabulary() {
		b.WriteString(v.Explained + "\n")
	}
	b.WriteString("```\n")
	return b.String()
}
