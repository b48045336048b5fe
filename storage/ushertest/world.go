package ushertest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/tenancy"
)

// System is the principal of what the world does by itself.
const System = tenancy.System("ushertest")

// World is usher with people in it. Its methods end the test when something goes wrong, so a
// world is built in one expression:
//
//	w := ushertest.NewWorld(t).Account("acme").Team("sales", ushertest.Manager("alice"), ushertest.Member("bob"))
type World struct {
	*usher.Usher
	// Store is what the world lives on.
	Store storage.Store
	// Clock stands at 2030-01-02 03:04:05 UTC until it is advanced.
	Clock *Clock
	// Mail has what was mailed; see [World.Post].
	Mail *invite.Captured

	t       testing.TB
	account tenancy.Account
	users   map[string]tenancy.User
	teams   map[string]tenancy.Team
	inbound int
}

// NewWorld makes an empty world on a new in-memory store.
func NewWorld(t testing.TB) *World { return NewWorldOn(t, memory.New()) }

// NewWorldOn makes an empty world on the store given, which must be empty and migrated.
func NewWorldOn(t testing.TB, store storage.Store, options ...usher.Option) *World {
	t.Helper()
	w := &World{
		Store: store,
		Clock: &Clock{now: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)},
		Mail:  new(invite.Captured),
		t:     t,
		users: map[string]tenancy.User{},
		teams: map[string]tenancy.Team{},
	}
	options = append([]usher.Option{
		usher.WithClock(w.Clock.Now),
		usher.WithMailer(w.Mail),
		usher.WithInviteURL("https://app.example/join"),
	}, options...)
	var err error
	w.Usher, err = usher.New(store, options...)
	w.must(err)
	return w
}

func (w *World) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatalf("ushertest: %v", err)
	}
}

// User is the person of that name, registered when first asked for and verified for their
// [Email].
func (w *World) User(name string) tenancy.User {
	w.t.Helper()
	if known, ok := w.users[name]; ok {
		return known
	}
	u, err := w.Tenancy.Register(w.t.Context(), System, tenancy.Profile{
		ExternalID: "ushertest:" + handle(name), Email: Email(name), Verified: true, Name: name,
	})
	w.must(err)
	w.users[name] = u
	return u
}

// Email is the address of the person of that name: bob@bob.example for Bob.
func Email(name string) string {
	name = handle(name)
	return name + "@" + name + ".example"
}

// handle is a name as it can stand in an address.
func handle(name string) string { return strings.ReplaceAll(strings.ToLower(name), " ", "-") }

// Account makes an account, in which the teams that follow are made. Its holder is the user
// "<name>-holder", who is also the first manager of each team.
func (w *World) Account(name string) *World {
	w.t.Helper()
	var err error
	w.account, err = w.Tenancy.CreateAccount(w.t.Context(), w.User(name+"-holder").ID, name)
	w.must(err)
	return w
}

// Person is someone to take into a team.
type Person struct {
	Name string
	Role rbac.Role
}

// Manager is a person with the role Manager.
func Manager(name string) Person { return Person{name, rbac.Manager} }

// Member is a person with the role Member.
func Member(name string) Person { return Person{name, rbac.Member} }

// Restricted is a person with the role Restricted, who sees nothing until they are a guest of
// a conversation.
func Restricted(name string) Person { return Person{name, rbac.Restricted} }

// Team makes a team with people in it, in the account that was made last. Its identity is
// the chat handle "<team>.<account>".
func (w *World) Team(name string, people ...Person) *World {
	w.t.Helper()
	team, err := w.Tenancy.CreateTeam(w.t.Context(), w.account.Holder(w.account.HeldBy), tenancy.TeamSpec{
		Name: name, Identity: tenancy.Chat(handle(name) + "." + handle(w.account.Name)),
	})
	w.must(err)
	w.teams[name] = team
	for _, p := range people {
		_, err := w.Tenancy.Admit(w.t.Context(), System, tenancy.Admission{Team: team.ID, User: w.User(p.Name).ID, Role: p.Role})
		w.must(err)
	}
	return w
}

// TeamNamed is the team of that name that was made last.
func (w *World) TeamNamed(name string) tenancy.Team {
	w.t.Helper()
	team, ok := w.teams[name]
	if !ok {
		w.t.Fatalf("ushertest: there is no team %q", name)
	}
	return team
}

// Actor is the person acting in the team.
func (w *World) Actor(user, team string) tenancy.Actor {
	w.t.Helper()
	return tenancy.Actor{User: w.User(user).ID, Team: w.TeamNamed(team).ID}
}

// Receive lets a contact write to the team, each time a new message.
func (w *World) Receive(team, contact, text string) conversation.Conversation {
	w.t.Helper()
	w.inbound++
	c, err := w.Conversations.Receive(w.t.Context(), System, conversation.Inbound{
		To: w.TeamNamed(team).Identity, From: contact, ID: fmt.Sprint("inbound-", w.inbound), Text: text,
	})
	w.must(err)
	return c
}

// Post delivers all mail that is due.
func (w *World) Post() {
	w.t.Helper()
	_, err := w.Relay.Drain(w.t.Context())
	w.must(err)
}

// Token delivers all mail that is due and takes the token from the newest mail to the person.
func (w *World) Token(user string) invite.Token {
	w.t.Helper()
	w.Post()
	mail := w.Mail.Last(Email(user))
	if mail.Token.IsZero() {
		w.t.Fatalf("ushertest: no mail was sent to %s", Email(user))
	}
	return mail.Token
}

// Guest makes the person a guest of the conversation: invited by the actor, and accepted.
func (w *World) Guest(by tenancy.Actor, id tenancy.ConversationID, user string) tenancy.Actor {
	w.t.Helper()
	_, err := w.Invites.Create(w.t.Context(), by, invite.ToConversation(Email(user), id))
	w.must(err)
	guest := w.User(user).ID
	_, err = w.Invites.Accept(w.t.Context(), guest, w.Token(user))
	w.must(err)
	return tenancy.Actor{User: guest, Team: by.Team}
}
