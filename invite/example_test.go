package invite_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

// Alice invites Bob into her team; the relay mails him the link; he signs in at the host and
// accepts. Eve, who has got hold of the link, cannot.
func Example() {
	ctx := context.Background()
	check := func(err error) {
		if err != nil {
			log.Fatal(err)
		}
	}
	policy, err := rbac.NewPolicy()
	check(err)
	store := memory.New()
	env := tenancy.Env{Lanes: outbox.Lanes{invite.MailLane: invite.Mailed()}}
	people, err := tenancy.New(store, policy, env)
	check(err)
	invites, err := invite.New(store, people, policy, env, invite.Limits{})
	check(err)
	base, err := invite.ParseLinkBase("https://app.acme.example/join")
	check(err)
	mails := &invite.Captured{} // in a server: your mail service
	relay := outbox.NewRelay(store, outbox.Sinks{invite.MailLane: invites.Mailing(mails, base)})

	host := tenancy.System("sign-up")
	register := func(name string) tenancy.User {
		u, err := people.Register(ctx, host, tenancy.Profile{Email: name + "@acme.example", Verified: true, Name: name})
		check(err)
		return u
	}
	alice, bob, eve := register("Alice"), register("Bob"), register("Eve")
	acme, err := people.CreateAccount(ctx, alice.ID, "Acme Staffing")
	check(err)
	sales, err := people.CreateTeam(ctx, acme.Holder(alice.ID), tenancy.TeamSpec{Name: "Sales"})
	check(err)

	actor := tenancy.Actor{User: alice.ID, Team: sales.ID}
	_, err = invites.Create(ctx, actor, invite.ToTeam("bob@acme.example", rbac.Member))
	check(err)
	_, err = relay.Drain(ctx)
	check(err)
	mail := mails.Last("bob@acme.example")
	link, _, _ := strings.Cut(mail.Link(), "=")
	fmt.Println(mail.Subject(), "→", link)

	token, err := invite.ParseToken(mail.Token.Reveal()) // in a server: from the link's query
	check(err)
	_, err = invites.Accept(ctx, eve.ID, token)
	fmt.Println("Eve:", err)
	accepted, err := invites.Accept(ctx, bob.ID, token)
	check(err)
	fmt.Println("Bob:", accepted.State, "as", accepted.Role)
	_, err = invites.Accept(ctx, bob.ID, token)
	fmt.Println("Bob again:", errors.Is(err, tenancy.ErrConflict))
	fmt.Println("printed:", token)
	// Output:
	// Alice invites you to Sales → https://app.acme.example/join?token
	// Eve: denied: the invitation is for someone else
	// Bob: accepted as member
	// Bob again: true
	// printed: [invitation token]
}

// A link lets in as many as it says, whoever they are; those who may not use it find the team and ask, if
// their address is of a domain that the team has named.
func ExampleService_CreateLink() {
	ctx := context.Background()
	check := func(err error) {
		if err != nil {
			log.Fatal(err)
		}
	}
	policy, err := rbac.NewPolicy()
	check(err)
	store := memory.New()
	people, err := tenancy.New(store, policy, tenancy.Env{})
	check(err)
	invites, err := invite.New(store, people, policy, tenancy.Env{}, invite.Limits{})
	check(err)
	register := func(name string) tenancy.User {
		u, err := people.Register(ctx, tenancy.System("sign-up"), tenancy.Profile{Email: name + "@acme.example", Verified: true, Name: name})
		check(err)
		return u
	}
	alice, bob, cleo := register("Alice"), register("Bob"), register("Cleo")
	acme, err := people.CreateAccount(ctx, alice.ID, "Acme Staffing")
	check(err)
	sales, err := people.CreateTeam(ctx, acme.Holder(alice.ID), tenancy.TeamSpec{Name: "Sales"})
	check(err)
	actor := tenancy.Actor{User: alice.ID, Team: sales.ID}

	link, err := invites.CreateLink(ctx, actor, invite.LinkSpec{Uses: 1, Domain: "acme.example"})
	check(err)
	came, err := invites.Accept(ctx, bob.ID, link.Token)
	check(err)
	fmt.Println("link:", came.State, came.Uses, "of", came.MaxUses)
	_, err = invites.Accept(ctx, cleo.ID, link.Token)
	fmt.Println(err)

	_, err = people.Configure(ctx, actor, tenancy.Settings{JoinDomains: []string{"acme.example"}})
	check(err)
	teams, err := people.JoinableTeams(ctx, cleo.ID, tenancy.Page{})
	check(err)
	fmt.Println("to ask:", teams.Items[0].Name)
	request, err := invites.Ask(ctx, cleo.ID, teams.Items[0].Team)
	check(err)
	request, err = invites.AcceptRequest(ctx, actor, request.ID, rbac.Member)
	check(err)
	fmt.Println("request:", request.State, "as", request.Role)
	// Output:
	// link: accepted 1 of 1
	// conflict: the link is used up
	// to ask: Sales
	// request: accepted as member
}
