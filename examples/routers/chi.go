package routers

import (
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy/access"
)

// Chi takes the guard as it is: chi sets the request's path values. They are there from With,
// Group and Route on, and not yet in a Use of the outermost router.
func Chi(guard *access.Guard) http.Handler {
	router := chi.NewRouter()
	router.Route("/teams/{team}", func(team chi.Router) {
		team.With(guard.Require(rbac.SendBlast)).Post("/blasts", welcome)
		team.Group(func(members chi.Router) {
			members.Use(guard.Member)
			members.Get("/inbox", welcome)
		})
	})
	return router
}
