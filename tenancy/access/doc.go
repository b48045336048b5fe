// Package access is the door of a net/http server: a [Guard] takes the user whom the host has
// authenticated and the team that a request is about, and lets the request in, or answers it
// with a problem (RFC 9457).
//
//	guard := access.New(u.Tenancy, signedIn, access.PathValue("team"))
//	mux.Handle("POST /teams/{team}/blasts", guard.Require(rbac.SendBlast)(handler))
//
// The handler finds the principal with [Actor] and hands it to usher's operations:
//
//	sent, err := blasts.Send(r.Context(), access.Actor(r.Context()), …)
//	if err != nil {
//		access.Refuse(w, r, err)
//		return
//	}
//
// # The door and the room
//
// The door is a convenience, the operation is the authority. The guard asks once, before the
// handler runs, with one statement. Whoever is removed while the handler runs has passed the
// door; that is why each operation of usher asks again, in its own transaction. What the handler
// does besides, with the host's own tables, is as good as the question at the door, unless it
// is done in one transaction with an operation. The guard keeps nothing from one request to the
// next: a role that was changed is changed for the request that starts after.
//
// # Where a guard stands
//
// A guard stands around the handler of a route, not around the router: net/http sets path values
// while it routes, so that middleware around the whole mux sees none. A guard by [PathValue]
// that finds itself there lets nobody in and says why, with [ErrUnrouted].
//
// With chi it works as it is, in With, Group and Route. Gin and echo keep path values to
// themselves and need a few lines, which are in examples/routers with their tests: note that gin
// runs the next handler after a refusal unless it is told to abort.
package access

//go:generate go test -run TestStatusTableInTheDocs . -update
