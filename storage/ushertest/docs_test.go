package ushertest_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
	"github.com/usher-go/usher/tenancy/access"
)

// The tests below stand in docs/testing.md and the README, word for word; the last one compares.

func TestWorldOfTheDocs(t *testing.T) {
	w := ushertest.NewWorld(t).
		Account("acme").
		Team("sales", ushertest.Manager("alice"), ushertest.Manager("bob").Suspended()).
		Team("support", ushertest.Member("dave"), ushertest.Invited("carol", rbac.Member).Expired())

	w.Allowed(w.Actor("alice", "sales"), rbac.InviteMember)
	w.Denied(w.Actor("bob", "sales"), rbac.InviteMember)
	w.InvitationIs("carol", "support", invite.Expired)
	w.NotMember("dave", "sales")
}

func TestOnlyManagersRemove(t *testing.T) {
	w := ushertest.NewWorld(t).Account("acme").
		Team("sales", ushertest.Manager("alice"), ushertest.Member("bob"), ushertest.Member("carol"))
	server := newServer(w.Usher) // yours
	remove := func(by, whom string) int {
		path := "/teams/" + w.TeamNamed("sales").ID.String() + "/members/" + w.User(whom).ID.String()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodDelete, path, nil)
		signIn(r, w.User(by)) // yours
		answer := httptest.NewRecorder()
		server.ServeHTTP(answer, r)
		return answer.Code
	}

	if got := remove("bob", "carol"); got != http.StatusForbidden {
		t.Errorf("a member removes: %d", got)
	}
	w.MemberIs("carol", "sales", rbac.Member, tenancy.MembershipActive)
	if got := remove("alice", "carol"); got != http.StatusNoContent {
		t.Errorf("a manager removes: %d", got)
	}
	w.NotMember("carol", "sales")
	w.HasEvent("sales", tenancy.MemberRemoved, tenancy.Facts{"user": w.User("carol").ID.String()})
}

func TestInvitationLastsAWeek(t *testing.T) {
	w := ushertest.NewWorld(t).Account("acme").Team("sales", ushertest.Invited("carol@client.example", rbac.Member))

	w.Clock.Advance(invite.DefaultExpiry)
	_, err := w.Invites.Accept(t.Context(), w.User("carol@client.example").ID, w.Token("carol@client.example"))
	if !errors.Is(err, tenancy.ErrExpired) {
		t.Errorf("after a week: %v", err)
	}
	w.NotMember("carol@client.example", "sales")

	w.Sweep() // as your timer does
	w.HasEvent("sales", invite.InvitationExpired, nil)
}

func TestTheAnswerReachesTheContact(t *testing.T) {
	w := ushertest.NewWorld(t).Account("acme").Team("sales", ushertest.Member("bob"))
	c := w.Receive("sales", "visitor-1", "Is the job still open?")
	w.NotTexted("visitor-1")

	if _, err := w.Conversations.Send(t.Context(), w.Actor("bob", "sales"), c.ID, "Yes, it is."); err != nil {
		t.Fatal(err)
	}
	if got := w.Texted("visitor-1"); got.Text != "Yes, it is." || got.Footer == "" {
		t.Errorf("the first answer, which says how to opt out, is %+v", got)
	}

	w.Receive("sales", "visitor-1", "STOP")
	_, err := w.Conversations.Send(t.Context(), w.Actor("bob", "sales"), c.ID, "Are you sure?")
	if !errors.Is(err, conversation.ErrOptedOut) {
		t.Errorf("after a STOP: %v", err)
	}
}

func TestGuestSeesOneConversation(t *testing.T) {
	w := ushertest.NewWorld(t).Account("acme").Team("sales", ushertest.Member("bob"))
	shown, hidden := w.Receive("sales", "visitor-1", "Hi!"), w.Receive("sales", "visitor-2", "Hello?")
	gina := w.Guest(w.Actor("bob", "sales"), shown.ID, "gina")

	w.AllowedIn(shown.ID, gina, rbac.SendMessage)
	w.DeniedIn(shown.ID, gina, rbac.WriteNote)
	w.NotFound(w.Conversations.Check(t.Context(), gina, hidden.ID, rbac.ReadConversation))
	w.NotMailed("bob")
}

// newServer is a host.
func newServer(u *usher.Usher) http.Handler {
	guard := access.New(u.Tenancy, func(r *http.Request) (tenancy.UserID, error) {
		return tenancy.ParseID[tenancy.UserID](r.Header.Get("User"))
	}, access.PathValue("team"))
	mux := http.NewServeMux()
	mux.Handle("DELETE /teams/{team}/members/{user}", guard.Require(rbac.RemoveMember)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, err := tenancy.ParseID[tenancy.UserID](r.PathValue("user"))
		if err == nil {
			err = u.Tenancy.Remove(r.Context(), access.Actor(r.Context()), user)
		}
		if err != nil {
			access.Refuse(w, r, err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})))
	return mux
}

func signIn(r *http.Request, as tenancy.User) { r.Header.Set("User", as.ID.String()) }

func TestDocsShowWhatIsCompiled(t *testing.T) {
	source, err := os.ReadFile("docs_test.go")
	require.NoError(t, err)
	for file, snippets := range map[string]int{"../../docs/testing.md": 5, "../../README.md": 1} {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for block := range strings.SplitSeq(string(text), "```go\n") {
			block, _, _ = strings.Cut(block, "```\n")
			if !strings.Contains(block, "ushertest.NewWorld(t)") {
				continue
			}
			snippets--
			if !strings.HasPrefix(block, "func ") {
				block = strings.ReplaceAll("\t"+strings.TrimSuffix(block, "\n"), "\n", "\n\t") + "\n"
				block = strings.ReplaceAll(block, "\n\t\n", "\n\n")
			}
			assert.Contains(t, string(source), block, file)
		}
		assert.Zero(t, snippets, "snippets of %s", file)
	}
}

func TestDocsShowAFailure(t *testing.T) {
	said := failure(t, func(tb testing.TB) {
		w := ushertest.NewWorld(tb).Account("acme").Team("sales", ushertest.Member("bob"))
		w.Allowed(w.Actor("bob", "sales"), rbac.RemoveMember)
	})
	text, err := os.ReadFile("../../docs/testing.md")
	require.NoError(t, err)
	assert.Contains(t, string(text), "    "+strings.ReplaceAll(strings.TrimSpace(said), "\n", "\n    ")+"\n\n")
}
