package conversation_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/tenancy"
	"github.com/usher-go/usher/tenancy/access"
)

// The function below stands in docs/live.md, word for word; a test compares the two.

// live streams a conversation to a browser's EventSource, which resumes by itself.
func live(u *usher.Usher, actorOf func(*http.Request) tenancy.Actor) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var id tenancy.ConversationID
		if err := id.UnmarshalText([]byte(r.PathValue("conversation"))); err != nil {
			http.NotFound(w, r)
			return
		}
		after, err := strconv.ParseInt(r.Header.Get("Last-Event-ID"), 10, 64)
		if err != nil {
			after = 0 // it is the first time
		}
		w.Header().Set("Content-Type", "text/event-stream")
		begun := false
		for update, err := range u.Conversations.Watch(r.Context(), actorOf(r), id, after) {
			if err != nil {
				if begun {
					return
				}
				problem := access.ProblemOf(err) // an answer that is no stream keeps the EventSource from coming again
				http.Error(w, problem.Title, problem.Status)
				return
			}
			begun = true
			facts, err := json.Marshal(update.Facts)
			if err != nil {
				return
			}
			fmt.Fprintf(w, "id: %d\nevent: %s\ndata: %s\n\n", update.Seq, update.Kind, facts)
			if http.NewResponseController(w).Flush() != nil {
				return
			}
		}
	}
}

// A browser that comes again with its Last-Event-ID goes on where it was, and one that may not see the
// conversation any more is told so.
func TestLiveHandlerResumes(t *testing.T) {
	w := worldOn(t, everystore.Memory(t))
	c := w.hello()
	_, err := w.Conversations.Send(t.Context(), w.bob, c.ID, "It is")
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle("GET /conversations/{conversation}/live", live(w.Usher, func(*http.Request) tenancy.Actor { return w.bob }))
	server := httptest.NewServer(mux)
	defer server.Close()
	ask := func(last string) (status int, line string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/conversations/"+c.ID.String()+"/live", nil)
		require.NoError(t, err)
		r.Header.Set("Last-Event-ID", last)
		answer, err := server.Client().Do(r)
		require.NoError(t, err)
		defer func() { _ = answer.Body.Close() }()
		line, err = bufio.NewReader(answer.Body).ReadString('\n')
		require.NoError(t, err)
		return answer.StatusCode, strings.TrimSpace(line)
	}
	last := len(w.stream(c.ID))
	for after := range last {
		status, line := ask(strconv.Itoa(after))
		assert.Equal(t, http.StatusOK, status)
		assert.Equal(t, fmt.Sprintf("id: %d", after+1), line)
	}
	require.NoError(t, w.Tenancy.Remove(t.Context(), w.alice, w.bob.User))
	status, _ := ask("1")
	assert.Equal(t, http.StatusNotFound, status)
}

func TestTheDocsShowTheLiveHandler(t *testing.T) {
	source, err := os.ReadFile("live_test.go")
	require.NoError(t, err)
	page, err := os.ReadFile("../docs/live.md")
	require.NoError(t, err)
	_, code, _ := strings.Cut(string(source), "a test compares the two.\n\n")
	code, _, _ = strings.Cut(code, "\n\n// A browser that")
	assert.Contains(t, string(page), "```go\n"+code+"\n```")
}

// A watch tells what has happened and then waits for more; the texts are to be read by their ids.
func ExampleService_Watch() {
	ctx := context.Background()
	u, err := usher.New(memory.New())
	if err != nil {
		panic(err)
	}
	alice, _ := u.Tenancy.Register(ctx, "example", tenancy.Profile{Email: "alice@acme.example", Verified: true})
	acme, _ := u.Tenancy.CreateAccount(ctx, alice.ID, "Acme")
	sales, _ := u.Tenancy.CreateTeam(ctx, acme.Holder(alice.ID), tenancy.TeamSpec{Name: "Sales", Identity: tenancy.Phone("+15550100")})
	actor := tenancy.Actor{User: alice.ID, Team: sales.ID}
	conv, _ := u.Conversations.Receive(ctx, "gateway", conversation.Inbound{To: sales.Identity, From: "+15551230001", ID: "SM1", Text: "Hi!"})
	_, _ = u.Conversations.Send(ctx, actor, conv.ID, "Hello!")

	for update, err := range u.Conversations.Watch(ctx, actor, conv.ID, 0) {
		if err != nil {
			fmt.Println(err)
			break
		}
		fmt.Println(update.Seq, update.Kind)
		if update.Kind == conversation.MessageSent {
			break // or go on, for as long as ctx lives; what is kept of it is the Seq
		}
	}
	// Output:
	// 1 conversation.started
	// 2 message.received
	// 3 message.sent
}

// The position comes before the list, so what happens while it is read is told, and nothing of before.
func ExampleService_WatchTeam() {
	ctx := context.Background()
	u, err := usher.New(memory.New())
	if err != nil {
		panic(err)
	}
	alice, _ := u.Tenancy.Register(ctx, "example", tenancy.Profile{Email: "alice@acme.example", Verified: true})
	acme, _ := u.Tenancy.CreateAccount(ctx, alice.ID, "Acme")
	sales, _ := u.Tenancy.CreateTeam(ctx, acme.Holder(alice.ID), tenancy.TeamSpec{Name: "Sales", Identity: tenancy.Phone("+15550100")})
	actor := tenancy.Actor{User: alice.ID, Team: sales.ID}
	receive := func(from string) {
		_, _ = u.Conversations.Receive(ctx, "gateway", conversation.Inbound{To: sales.Identity, From: from, ID: "SM" + from, Text: "Hi!"})
	}
	receive("+15551230001")

	position, err := u.Conversations.TeamPosition(ctx, actor)
	if err != nil {
		panic(err)
	}
	page, err := u.Conversations.List(ctx, actor, conversation.Filter{}, tenancy.Page{})
	if err != nil {
		panic(err)
	}
	fmt.Println("listed:", len(page.Items))
	receive("+15551230002")
	for update, err := range u.Conversations.WatchTeam(ctx, actor, position) {
		if err != nil {
			fmt.Println(err)
			break
		}
		fmt.Println(update.Seq, update.Kind)
		if update.Kind == conversation.MessageReceived {
			break // or go on, for as long as ctx lives; what is kept is the last update.Position
		}
	}
	// Output:
	// listed: 1
	// 1 contact.created
	// 1 conversation.started
	// 2 message.received
}
