package conversation_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/conversation/command"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/tenancy"
)

// desk is what the examples begin with: a team, one of its members, and a conversation.
func desk(ctx context.Context, options ...usher.Option) (u *usher.Usher, actor tenancy.Actor, conv tenancy.ConversationID) {
	u, err := usher.New(memory.New(), options...)
	if err != nil {
		panic(err)
	}
	alice, _ := u.Tenancy.Register(ctx, "example", tenancy.Profile{Email: "alice@acme.example", Verified: true, Name: "Alice"})
	acme, _ := u.Tenancy.CreateAccount(ctx, alice.ID, "Acme")
	sales, _ := u.Tenancy.CreateTeam(ctx, acme.Holder(alice.ID), tenancy.TeamSpec{Name: "Sales", Identity: tenancy.Phone("+15550100")})
	_, _ = u.Tenancy.CreateTeam(ctx, acme.Holder(alice.ID), tenancy.TeamSpec{Name: "Hiring"})
	c, _ := u.Conversations.Receive(ctx, "gateway", conversation.Inbound{To: sales.Identity, From: "+15551230001", ID: "SM1", Text: "Hi!"})
	return u, tenancy.Actor{User: alice.ID, Team: sales.ID}, c.ID
}

// What a person types is text for the contact, or a command, whose reply is for the person.
func ExampleService_Type() {
	ctx := context.Background()
	u, actor, conv := desk(ctx)
	for _, line := range []string{"Hello!", "^^_^", "^assign me", `^close status:"Not Interested"`, "^clsoe", "^deliver Hiring"} {
		reply, err := u.Conversations.Type(ctx, actor, conv, line)
		switch {
		case err != nil:
			fmt.Println("error:", err)
		case reply.Message != nil:
			fmt.Println("sent:", reply.Message.Text)
		default:
			fmt.Println("reply:", reply.Text)
		}
	}
	// Output:
	// sent: Hello!
	// sent: ^_^
	// reply: The conversation is assigned to you.
	// reply: The conversation is closed.
	// error: there is no command "clsoe"; the nearest is ^close; text that begins with ^ is written with ^^
	// error: conflict: the conversation is closed, and a member has to open it first
}

// A choice takes the place of what is typed from From to the cursor.
func ExampleService_Complete() {
	ctx := context.Background()
	u, actor, conv := desk(ctx)
	for _, line := range []string{"^o", "^deliver h", "^deliver Hiring status:not"} {
		found, err := u.Conversations.Complete(ctx, actor, conv, line, len(line))
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, choice := range found.Choices {
			fmt.Println(line[:found.From] + choice.Text)
		}
	}
	// Output:
	// ^open
	// ^opt-out
	// ^opt-in
	// ^deliver Hiring
	// ^deliver Hiring status:"Not Qualified"
	// ^deliver Hiring status:"Not Interested"
	// ^deliver Hiring status:"Not Eligible for Hire"
}

// A preview says what a line would do, and does not do it.
func ExampleService_Preview() {
	ctx := context.Background()
	u, actor, conv := desk(ctx)
	reply, err := u.Conversations.Preview(ctx, actor, conv, "^deliver Hiring status:Qualified")
	fmt.Println(reply.Text, err)
	_, err = u.Conversations.Preview(ctx, actor, conv, "^deliver Support")
	fmt.Println(err)
	c, err := u.Conversations.Get(ctx, actor, conv)
	fmt.Println(c.Status, c.Team == actor.Team, err)
	// Output:
	// The conversation is delivered to Hiring: Qualified. <nil>
	// not found: there is no team of this name to deliver to
	// open true <nil>
}

// How long the two sides let each other wait.
func ExampleService_Responses() {
	ctx := context.Background()
	u, actor, conv := desk(ctx)
	_, _ = u.Conversations.Send(ctx, actor, conv, "Hello!")
	r, err := u.Conversations.Responses(ctx, actor, conv, conversation.WorkingHours)
	fmt.Println(len(r.Agent), len(r.Contact), err)
	// Output:
	// 1 0 <nil>
}

// A command of the host's own, with a permission of its own. What it writes through usher is part of
// the command's transaction.
func ExampleWithCommand() {
	ctx := context.Background()
	var u *usher.Usher
	publish := conversation.Command{
		Spec: command.Spec{Name: "publish", Help: "publish a job post", Params: []command.Param{
			{Name: "title", Kind: command.Name, Required: true},
			{Name: "days", Kind: command.Integer, Named: true, Min: 1, Max: 90},
		}},
		Permission: "jobpost: publish",
		Run: func(ctx context.Context, call conversation.Call) (string, error) {
			title := call.Args["title"]
			if title == "Intern" {
				return "", errors.New("no more interns this year")
			}
			_, err := u.Conversations.Note(ctx, call.Actor, call.Conversation.ID, "published: "+title)
			return "Published: " + title, err
		},
	}
	u, actor, conv := desk(ctx, usher.WithPolicy(rbac.Allow(rbac.Member, "jobpost", "publish", rbac.ByTeam)), usher.WithCommand(publish))
	for _, line := range []string{`^publish "Night nurse" days:30`, "^publish Intern", "^publish x days:91"} {
		reply, err := u.Conversations.Type(ctx, actor, conv, line)
		fmt.Println(reply.Text, err)
	}
	// Output:
	// Published: Night nurse <nil>
	//  ^publish has failed: no more interns this year
	//  ^publish: days must be a whole number from 1 to 90, not "91" (usage: ^publish TITLE [days:1-90])
}
