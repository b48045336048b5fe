package access

import (
	"context"
	"net/http"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// Authenticate says which user has signed in at the host: from a session, a token, whatever the
// host goes by. When nobody has, it answers the zero UserID or [tenancy.ErrNoPrincipal] or,
// to say in the answer how to sign in, a [*SignInError]. Any other error keeps the request
// out as well, as that error.
type Authenticate func(r *http.Request) (tenancy.UserID, error)

// TeamOf says which team a request is about. What names no team is [tenancy.ErrNotFound], so
// that it is answered like another's team. [PathValue], [Header] and [Subdomain] make one; a host
// that goes by names of its own writes one.
type TeamOf func(r *http.Request) (tenancy.TeamID, error)

// Refusal answers a request that was not let in. [Refuse] is one.
type Refusal func(w http.ResponseWriter, r *http.Request, err error)

// Guard lets requests in. Build it with [New]; it is safe for concurrent use.
type Guard struct {
	people *tenancy.Service
	user   Authenticate
	team   TeamOf
	refuse Refusal
}

// Option configures [New].
type Option func(*Guard)

// WithRefusal sets who answers the requests that are not let in: to show a page in place of a
// problem, to send people to the page where they sign in, to log the error. It must not call the
// handler. It is [Refuse] otherwise.
func WithRefusal(refuse Refusal) Option { return func(g *Guard) { g.refuse = refuse } }

// New makes a guard. All three are needed, and none may be nil.
func New(people *tenancy.Service, user Authenticate, team TeamOf, options ...Option) *Guard {
	g := &Guard{people: people, user: user, team: team, refuse: Refuse}
	for _, set := range options {
		set(g)
	}
	return g
}

// Require lets in whose role has the permission in the whole team: a built-in one or one of the
// host's own, from [rbac.Policy.Permission]. Others are refused with the errors of
// [tenancy.Service.Check]: a stranger is told "not found", a colleague what was missing.
//
// A guest of one conversation has no permission in the whole team. For what guests may do, use
// [Guard.Member] and let the operation decide.
func (g *Guard) Require(perm rbac.Permission) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return g.admit(next, func(standing tenancy.Standing) error { return standing.Check(perm) })
	}
}

// Member lets in who has an active membership in the team, whatever their role and whatever the
// state of the account. Its errors are those of [tenancy.Service.Standing].
func (g *Guard) Member(next http.Handler) http.Handler {
	return g.admit(next, func(tenancy.Standing) error { return nil })
}

// admit is the door: everything that is not expressly let in is refused.
func (g *Guard) admit(next http.Handler, check func(tenancy.Standing) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		actor, err := g.enter(r, check)
		if err != nil {
			g.refuse(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), actorKey{}, actor)))
	})
}

func (g *Guard) enter(r *http.Request, check func(tenancy.Standing) error) (tenancy.Actor, error) {
	user, err := g.user(r)
	if err != nil {
		return tenancy.Actor{}, err
	}
	if user.IsZero() {
		return tenancy.Actor{}, tenancy.ErrNoPrincipal
	}
	team, err := g.team(r)
	if err != nil {
		return tenancy.Actor{}, err
	}
	if team.IsZero() { // asked for like any other, it would pass for a call without a principal
		return tenancy.Actor{}, tenancy.ErrNotFound
	}
	actor := tenancy.Actor{User: user, Team: team}
	standing, err := g.people.Standing(r.Context(), actor)
	if err != nil {
		return tenancy.Actor{}, err
	}
	return actor, check(standing)
}

type actorKey struct{}

// Actor is whom the guard let in. Where no guard stands in front it is the zero Actor, which
// every operation refuses with [tenancy.ErrNoPrincipal]: so there is no second result to forget.
func Actor(ctx context.Context) tenancy.Actor {
	actor, _ := ctx.Value(actorKey{}).(tenancy.Actor)
	return actor
}
