// Package conversation is the thread between a team and an outside person: messages, notes,
// who is responsible, who was let in as a guest, and to whom it was delivered with what outcome.
//
// A contact's message ([Service.Receive]) opens a conversation with the team that has the
// identity. Members see all of their team's conversations; guests see the ones whose invitation
// they have accepted, from their first message on, without the team's notes. One gate decides
// who sees a conversation, for get, list, messages and everything that acts on it: to whom may
// not see it, it is not found.
//
// A conversation is open, snoozed or closed; one table in state.go says what leads where, and
// docs/conversation-states.md draws it. From each opening to the next closing is an [Episode].
// What happens by the clock alone is done by sweeps that the host calls: [Service.Wake],
// [Service.CloseIdle], [Service.ExpireGuests], [Service.ExpireDeliveries] and [Service.EndClaims].
//
// [Service.Assign] says who is responsible, [Service.Claim] who is answering now, and [Service.Next]
// leads to what has waited longest.
//
// [Service.Deliver] hands a conversation to a colleague, to an e-mail address or to another team
// of the account. [Service.Type] takes what a person typed, commands included, and never sends a
// command to the contact. One table in vocabulary.go says what the commands are, and [WithCommand]
// adds the host's own; [Service.Complete] and [Service.Preview] are for user interfaces.
package conversation

//go:generate go test -run "(States|Commands)InTheDocs" . -update
