package rbac_test

import (
	"errors"
	"fmt"

	"github.com/usher-go/usher/rbac"
)

func Example() {
	policy, err := rbac.NewPolicy()
	if err != nil {
		panic(err)
	}

	fmt.Println("a member sends:", policy.Allows(rbac.Member, rbac.SendMessage, rbac.ByTeam))
	fmt.Println("a guest sends where granted:", policy.Allows(rbac.Restricted, rbac.SendMessage, rbac.ByGrant))
	fmt.Println("a guest sends elsewhere:", policy.Allows(rbac.Restricted, rbac.SendMessage, rbac.ByTeam))
	fmt.Println("the holder reads a conversation:", policy.Allows(rbac.Holder, rbac.ReadConversation, rbac.ByAccount))

	err = policy.Denied(rbac.Member, rbac.InviteMember)
	fmt.Println(errors.Is(err, rbac.ErrDenied), err)
	// Output:
	// a member sends: true
	// a guest sends where granted: true
	// a guest sends elsewhere: false
	// the holder reads a conversation: false
	// true denied: member lacks "member: invite", which manager has
}

// A host takes a right from members, adds a permission of its own and gives a group of rights to guests.
func ExampleNewPolicy_hostRows() {
	const reviewing = rbac.Bundle("reviewing")
	policy, err := rbac.NewPolicy(
		rbac.Deny(rbac.Member, "blast", "send", rbac.ByTeam),
		rbac.Allow(rbac.Member, "jobpost", "publish", rbac.ByTeam),
		rbac.Allow(reviewing, "scorecard", "read", rbac.ByGrant),
		rbac.Allow(reviewing, "scorecard", "fill in", rbac.ByGrant),
		rbac.Include(rbac.Restricted, reviewing),
	)
	if err != nil {
		panic(err)
	}
	publish, err := policy.Permission("jobpost", "publish")
	if err != nil {
		panic(err)
	}
	fillIn, err := policy.Permission("scorecard", "fill in")
	if err != nil {
		panic(err)
	}

	fmt.Println("member sends a blast:", policy.Allows(rbac.Member, rbac.SendBlast, rbac.ByTeam))
	fmt.Println("manager sends a blast:", policy.Allows(rbac.Manager, rbac.SendBlast, rbac.ByTeam))
	fmt.Println("manager may", policy.Name(publish)+":", policy.Allows(rbac.Manager, publish, rbac.ByTeam))
	fmt.Println("guest may", policy.Name(fillIn)+":", policy.Allows(rbac.Restricted, fillIn, rbac.ByGrant))
	// Output:
	// member sends a blast: false
	// manager sends a blast: true
	// manager may jobpost: publish: true
	// guest may scorecard: fill in: true
}

func ExampleParseRows() {
	rows, err := rbac.ParseRows(`
# members publish, but do not send blasts
p, member, jobpost, publish, team, allow
p, member, blast, send, team, deny
`)
	fmt.Println(len(rows), err)

	_, err = rbac.ParseRows("p, member, jobpost, *, team, allow")
	fmt.Println(err)
	// Output:
	// 2 <nil>
	// policy refused: row "p, member, jobpost, *, team, allow" in line 1: action "*" is not made of lower-case words (a-z, 0-9) joined by one space, '-' or '_', of at most 64 bytes
}

// Nobody grants what they do not hold.
func ExamplePolicy_Covers() {
	policy, err := rbac.NewPolicy()
	if err != nil {
		panic(err)
	}
	fmt.Println("manager makes a member:", policy.Covers(rbac.Manager, rbac.Member))
	fmt.Println("member makes a manager:", policy.Covers(rbac.Member, rbac.Manager))
	fmt.Println("member makes a guest:", policy.Covers(rbac.Member, rbac.Restricted))
	// Output:
	// manager makes a member: true
	// member makes a manager: false
	// member makes a guest: true
}

// An account makes a role of its own: a member who also reads the audit log.
func ExamplePolicy_Custom() {
	policy, err := rbac.NewPolicy()
	if err != nil {
		panic(err)
	}
	auditor, err := policy.Custom("Auditor", rbac.Member, []string{"audit: read"})
	if err != nil {
		panic(err)
	}
	fmt.Println("reads the audit log:", auditor.Allows(rbac.ReadAudit, rbac.ByTeam))
	fmt.Println("a manager may make it:", policy.Rights(rbac.Manager).Covers(auditor))
	fmt.Println("a member may make it:", policy.Rights(rbac.Member).Covers(auditor))
	fmt.Println(auditor.Denied(rbac.InviteMember))

	_, err = policy.Custom("Owner", rbac.Manager, []string{"account: close"})
	fmt.Println(err)
	// Output:
	// reads the audit log: true
	// a manager may make it: true
	// a member may make it: false
	// denied: member as "Auditor" lacks "member: invite", which manager has
	// custom role refused: no role has "account: close" in a team
}
