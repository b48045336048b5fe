package invite_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

// office is Alice with an account of two teams, and the mailbox of all.
type office struct {
	invites        *invite.Service
	relay          *outbox.Relay
	mails          *invite.Captured
	sales, support tenancy.Actor // Alice in each
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func newOffice(ctx context.Context) office {
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
	mails := &invite.Captured{}
	alice, err := people.Register(ctx, "sign-up", tenancy.Profile{Email: "alice@acme.example", Verified: true, Name: "Alice"})
	check(err)
	acme, err := people.CreateAccount(ctx, alice.ID, "Acme Staffing")
	check(err)
	team := func(name string) tenancy.Actor {
		made, err := people.CreateTeam(ctx, acme.Holder(alice.ID), tenancy.TeamSpec{Name: name})
		check(err)
		return tenancy.Actor{User: alice.ID, Team: made.ID}
	}
	return office{
		invites: invites, mails: mails, sales: team("Sales"), support: team("Support"),
		relay: outbox.NewRelay(store, outbox.Sinks{invite.MailLane: invites.Mailing(mails, base)}),
	}
}

// A manager uploads a file, looks at what would become of it, and sends it off.
func ExampleService_Bulk() {
	ctx := context.Background()
	o := newOffice(ctx)
	file := "email,role\n" +
		"bob@acme.example,manager\n" +
		"carol@acme.example,\n" +
		"BOB@acme.example,manager\n" +
		"alice@acme.example,member\n" +
		"dave@acme,boss\n"

	rows, err := invite.ParseBulk(strings.NewReader(file))
	check(err)
	dry, err := o.invites.Bulk(ctx, o.sales, invite.BulkSpec{Rows: rows, DryRun: true})
	check(err)
	for _, r := range dry {
		if r.Err != nil {
			fmt.Printf("line %d: %s: %v\n", r.Row.Line, r.Outcome, r.Err)
		} else {
			fmt.Printf("line %d: %s\n", r.Row.Line, r.Outcome)
		}
	}
	_, err = o.invites.Bulk(tenancy.WithKey(ctx, "upload 42"), o.sales, invite.BulkSpec{Rows: rows})
	check(err)
	_, err = o.relay.Drain(ctx)
	check(err)
	fmt.Println("mails:", len(o.mails.All()))
	// Output:
	// line 2: invited
	// line 3: invited
	// line 4: duplicate: conflict: the row repeats line 2
	// line 5: member: conflict: the user is already in the team as manager (active)
	// line 6: rejected: e-mail must have a valid domain of two or more labels after the @
	// mails: 2
}

// Somebody who is to work in two teams gets one mail, with a link for each.
func ExampleService_Batch() {
	ctx := context.Background()
	o := newOffice(ctx)
	_, err := o.invites.Batch(ctx, o.sales, "bob@acme.example", []invite.TeamRole{
		{Team: o.sales.Team, Role: rbac.Manager},
		{Team: o.support.Team, Role: rbac.Member},
	})
	check(err)
	_, err = o.relay.Drain(ctx)
	check(err)
	mail := o.mails.Last("bob@acme.example")
	fmt.Println(mail.Subject())
	for _, one := range mail.Batch {
		link, _, _ := strings.Cut(one.Link(), "=")
		fmt.Println(one.Team, "as", one.Role, "→", link)
	}
	// Output:
	// Alice invites you to 2 teams of Acme Staffing
	// Sales as manager → https://app.acme.example/join?token
	// Support as member → https://app.acme.example/join?token
}
