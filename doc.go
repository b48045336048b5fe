// Package usher is the people side of a chat, recruiting or support product, to embed in a Go
// server: accounts that hold teams, teams that hold users with one of three roles, e-mail
// invitations, guests who see one conversation and nothing else, and conversations that are
// assigned and delivered with a recorded outcome.
//
// It authenticates nobody and sends nothing by itself. The host says who the user is, and
// supplies the mailer; usher decides what that user may do, does it in one transaction and
// records it.
//
// # The rooms
//
//   - [github.com/usher-go/usher/rbac]: what a role may do.
//   - [github.com/usher-go/usher/tenancy]: who is where. Ids, principals, accounts, teams,
//     users, memberships. Below it access, the door of a net/http server.
//   - [github.com/usher-go/usher/invite]: how people get in.
//   - [github.com/usher-go/usher/conversation]: contacts, conversations, guests, deliveries.
//   - [github.com/usher-go/usher/storage]: what the rooms need of a store; below it the
//     adapters (memory, sqlite, …), the outbox and the conformance suite.
//
// A room may use those above it in this list and none below. [New] wires them.
//
// # Principals
//
// Every operation takes, after its context, on whose behalf it runs: an Actor (a user in a
// team), a Holder (a user as the holder of an account), a UserID (for acts on oneself) or a
// System (the host itself, by name). They are plain values; authority is checked in each call,
// against what is committed when it runs.
//
// # Errors
//
// Every error is of a class that errors.Is tells: [tenancy.ErrInvalid], [tenancy.ErrNotFound],
// [rbac.ErrDenied], [tenancy.ErrConflict], [tenancy.ErrExpired], [tenancy.ErrLimit] or
// [tenancy.ErrUnavailable]; or it is the error of a context that ended. To who may not know of
// a thing it is not found, like a random id.
//
// # Transactions
//
// Each operation is one transaction, events included. To do several as one, run them in the
// store's InTx with the context that it hands out.
package usher
