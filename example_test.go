package usher_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/storage/sqlite"
	"github.com/usher-go/usher/tenancy"
)

// The function below stands in the README, word for word; a test compares the two.

func firstDay(ctx context.Context, db *sql.DB, mailer invite.Mailer) error {
	store, err := sqlite.New(db)
	if err != nil {
		return err
	}
	if err := store.Migrate(ctx); err != nil {
		return err
	}
	u, err := usher.New(store, usher.WithMailer(mailer), usher.WithInviteURL("https://app.acme.example/join"))
	if err != nil {
		return err
	}

	// The host has authenticated Alice; usher learns who she is.
	alice, err := u.Tenancy.Register(ctx, "sign-up", tenancy.Profile{ExternalID: "auth0|42", Email: "alice@acme.example", Verified: true, Name: "Alice"})
	if err != nil {
		return err
	}
	acme, err := u.Tenancy.CreateAccount(ctx, alice.ID, "Acme Staffing")
	if err != nil {
		return err
	}
	sales, err := u.Tenancy.CreateTeam(ctx, acme.Holder(alice.ID), tenancy.TeamSpec{Name: "Sales", Identity: tenancy.Phone("+15550100")})
	if err != nil {
		return err
	}

	// From here on she acts in her team. Her authority is checked in each call.
	actor := tenancy.Actor{User: alice.ID, Team: sales.ID}
	if _, err := u.Invites.Create(ctx, actor, invite.ToTeam("bob@acme.example", rbac.Member)); err != nil {
		return err
	}
	if _, err := u.Relay.Drain(ctx); err != nil { // mails what is due; in a server, Relay.Run does
		return err
	}

	// A contact writes, and is answered.
	conv, err := u.Conversations.Receive(ctx, "sms-gateway", conversation.Inbound{To: sales.Identity, From: "+15551230001", ID: "SM1", Text: "Hi!"})
	if err != nil {
		return err
	}
	_, err = u.Conversations.Type(ctx, actor, conv.ID, "Hello, how can I help?")
	return err
}

func Example() {
	dir, err := os.MkdirTemp("", "usher")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	db, err := sql.Open("sqlite", filepath.Join(dir, "usher.db"))
	if err != nil {
		panic(err)
	}
	defer func() { _ = db.Close() }()

	var mail invite.Captured
	fmt.Println(firstDay(context.Background(), db, &mail))
	fmt.Println(mail.Last("bob@acme.example").Subject())
	// Output:
	// <nil>
	// Alice invites you to Sales
}

// May they? If not, the error says what was missing.
func ExampleUsher_Check() {
	ctx := context.Background()
	u, err := usher.New(memory.New())
	if err != nil {
		panic(err)
	}
	alice, _ := u.Tenancy.Register(ctx, "example", tenancy.Profile{Email: "alice@acme.example", Verified: true})
	carol, _ := u.Tenancy.Register(ctx, "example", tenancy.Profile{Email: "carol@client.example", Verified: true})
	acme, _ := u.Tenancy.CreateAccount(ctx, alice.ID, "Acme")
	sales, _ := u.Tenancy.CreateTeam(ctx, acme.Holder(alice.ID), tenancy.TeamSpec{Name: "Sales"})
	_, _ = u.Tenancy.Admit(ctx, "example", tenancy.Admission{Team: sales.ID, User: carol.ID, Role: rbac.Restricted})

	fmt.Println(u.Check(ctx, tenancy.Actor{User: alice.ID, Team: sales.ID}, rbac.SendBlast))
	err = u.Check(ctx, tenancy.Actor{User: carol.ID, Team: sales.ID}, rbac.SendBlast)
	fmt.Println(errors.Is(err, rbac.ErrDenied), err)
	// Output:
	// <nil>
	// true denied: restricted lacks "blast: send", which manager and member have
}

func TestReadmeShowsWhatIsCompiled(t *testing.T) {
	source, err := os.ReadFile("example_test.go")
	require.NoError(t, err)
	_, shown, found := strings.Cut(string(source), "\nfunc firstDay")
	require.True(t, found)
	shown, _, found = strings.Cut(shown, "\n}\n")
	require.True(t, found)
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	assert.Contains(t, string(readme), "```go\nfunc firstDay"+shown+"\n}\n```")
}
