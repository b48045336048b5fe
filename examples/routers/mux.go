package routers

import (
	"io"
	"net/http"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
	"github.com/usher-go/usher/tenancy/access"
)

// Mux is net/http's own router.
func Mux(guard *access.Guard) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /teams/{team}/blasts", guard.Require(rbac.SendBlast)(http.HandlerFunc(welcome)))
	mux.Handle("GET /teams/{team}/inbox", guard.Member(http.HandlerFunc(welcome)))
	return mux
}

// welcome is a handler of the host's.
func welcome(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, greeting(access.Actor(r.Context()))) // to a client that may have gone
}

func greeting(actor tenancy.Actor) string {
	return actor.User.String() + " in " + actor.Team.String()
}
