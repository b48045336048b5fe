package conversation_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/tenancy"
)

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

// deskOf is the account of the examples: Alice manages the team Sales, and Bob is a member of it.
func deskOf(ctx context.Context) (u *usher.Usher, alice, bob tenancy.Actor) {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	u = must(usher.New(memory.New(), usher.WithClock(func() time.Time { now = now.Add(time.Second); return now })))
	register := func(name string) tenancy.UserID {
		p := tenancy.Profile{Email: name + "@acme.example", Verified: true, Name: name}
		return must(u.Tenancy.Register(ctx, "sign-up", p)).ID
	}
	alice.User, bob.User = register("Alice"), register("Bob")
	acme := must(u.Tenancy.CreateAccount(ctx, alice.User, "Acme Staffing"))
	sales := must(u.Tenancy.CreateTeam(ctx, acme.Holder(alice.User), tenancy.TeamSpec{Name: "Sales", Identity: tenancy.Phone("+15550100")}))
	must(u.Tenancy.Admit(ctx, "sign-up", tenancy.Admission{Team: sales.ID, User: bob.User, Role: rbac.Member}))
	alice.Team, bob.Team = sales.ID, sales.ID
	return u, alice, bob
}

// wrote is what a contact writes to Sales.
func wrote(ctx context.Context, u *usher.Usher, from, text string) conversation.Conversation {
	in := conversation.Inbound{To: tenancy.Phone("+15550100"), From: from, ID: from + text, Text: text}
	return must(u.Conversations.Receive(ctx, "gateway", in))
}

// Two contacts wait. Alice and Bob each get one, and there is none for who asks again.
func ExampleService_Next() {
	ctx := context.Background()
	u, alice, bob := deskOf(ctx)
	wrote(ctx, u, "+15551230001", "Is the job still open?")
	wrote(ctx, u, "+15551230002", "When can I start?")

	first := must(u.Conversations.Next(ctx, alice, conversation.AgentQueue))
	second := must(u.Conversations.Next(ctx, bob, conversation.AgentQueue))
	fmt.Println("Alice answers", first.Address)
	fmt.Println("Bob answers", second.Address)

	must(u.Conversations.Send(ctx, bob, second.ID, "On Monday!"))
	_, err := u.Conversations.Next(ctx, bob, conversation.AgentQueue)
	fmt.Println("all taken:", errors.Is(err, conversation.ErrAllTaken))

	must(u.Conversations.Send(ctx, alice, first.ID, "It is."))
	_, err = u.Conversations.Next(ctx, alice, conversation.AgentQueue)
	fmt.Println("nothing waiting:", errors.Is(err, conversation.ErrNothingWaiting))
	// Output:
	// Alice answers +15551230001
	// Bob answers +15551230002
	// all taken: true
	// nothing waiting: true
}

// Four conversations are given out in turn, and no more than two to each.
func ExampleService_AssignNext() {
	ctx := context.Background()
	u, alice, _ := deskOf(ctx)
	must(u.Tenancy.Configure(ctx, alice, tenancy.Settings{Capacity: 2}))
	given := map[tenancy.UserID]int{}
	for n := range 4 {
		c := wrote(ctx, u, fmt.Sprint("+1555123000", n), "Hi")
		c = must(u.Conversations.AssignNext(ctx, alice, c.ID, conversation.RoundRobin))
		given[c.Assignee]++
	}
	for _, n := range given {
		fmt.Println(n, "each")
	}
	_, err := u.Conversations.AssignNext(ctx, alice, wrote(ctx, u, "+15551230009", "Hi").ID, conversation.RoundRobin)
	fmt.Println(err)
	// Output:
	// 2 each
	// 2 each
	// limit exceeded: nobody in the team has room for another conversation
}

// Alice asks Bob to take a conversation. He does not, so it stays where it is, and she gives it to him.
func ExampleService_Deliver() {
	ctx := context.Background()
	u, alice, bob := deskOf(ctx)
	c := wrote(ctx, u, "+15551230001", "I would like to apply.")
	outcome := conversation.Outcome{Status: conversation.Qualified, Rating: 4, Summary: "ready to start"}

	asked := must(u.Conversations.Deliver(ctx, alice, c.ID, conversation.ToUser(bob.User), outcome, conversation.AskAcceptance(time.Hour)))
	for _, card := range must(u.Conversations.Inbox(ctx, bob, tenancy.Page{})).Items {
		fmt.Println("Bob is asked:", card.Outcome.Summary)
	}
	asked = must(u.Conversations.DeclineDelivery(ctx, bob, asked.ID, "I am away this week"))
	fmt.Println(asked.State, "because:", asked.Reason)

	given := must(u.Conversations.Deliver(ctx, alice, c.ID, conversation.ToUser(bob.User), outcome))
	c = must(u.Conversations.Get(ctx, bob, c.ID))
	fmt.Println(given.State, "and Bob's:", c.Assignee == bob.User)
	// Output:
	// Bob is asked: ready to start
	// declined because: I am away this week
	// completed and Bob's: true
}

// The host's applicant system knows why a contact writes, and the team finds another reason. A delivery says
// what came of the one that it is about.
func ExampleService_RecordApplication() {
	ctx := context.Background()
	u, alice, bob := deskOf(ctx)
	c := wrote(ctx, u, "+15551230001", "I would like to apply.")
	must(u.Conversations.RecordApplication(ctx, "ats", conversation.ApplicationRecord{
		To: tenancy.Phone("+15550100"), From: "+15551230001", ExternalID: "ats/4711", Origin: conversation.FromIntegration,
		ApplicationDetails: conversation.ApplicationDetails{Job: "Driver"},
	}))
	must(u.Conversations.Apply(ctx, alice, c.ID, conversation.ApplicationDetails{Job: "Cook"}))

	active := must(u.Conversations.ActiveApplication(ctx, alice, c.ID))
	fmt.Println("active:", active.Job)
	outcome := conversation.Outcome{Status: conversation.Qualified}
	card := must(u.Conversations.Deliver(ctx, alice, c.ID, conversation.ToUser(bob.User), outcome))
	fmt.Println("delivered about:", card.About.Job)
	for _, a := range must(u.Conversations.Applications(ctx, bob, c.ID, tenancy.Page{})).Items {
		fmt.Println(a.Job, "from", a.Origin, "is", a.Status)
	}
	// Output:
	// active: Driver
	// delivered about: Driver
	// Cook from chat is New
	// Driver from integration is Qualified
}
