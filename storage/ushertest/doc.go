// Package ushertest is for the tests of servers that use usher. It builds small worlds in one
// expression: accounts, teams, and people and invitations in every state, on the in-memory
// store, with a clock in the test's hand, the same ids in every run, and captured what goes out: the
// mail, and the messages to contacts.
//
// A [World] also asserts what a server's test has to say: who may do what ([World.Allowed]),
// what became of somebody ([World.MemberIs]), who got mail ([World.Mailed]) or a message ([World.Texted]) and what happened
// ([World.HasEvent]). [Permissions] keeps a golden file of what a policy decides.
//
// The guide docs/testing.md in the repository shows it at work.
package ushertest
