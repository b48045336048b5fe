package routers

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy/access"
)

// Gin takes the guard through [ginMiddleware].
func Gin(guard *access.Guard) http.Handler {
	router := gin.New()
	team := router.Group("/teams/:team")
	team.POST("/blasts", ginMiddleware(guard.Require(rbac.SendBlast)), ginWelcome)
	team.GET("/inbox", ginMiddleware(guard.Member), ginWelcome)
	return router
}

// ginMiddleware makes middleware of net/http into gin's. It gives the request the path values, which
// gin keeps to itself, and it ends gin's chain where the middleware did not go on: gin runs the
// next handler unless it is told not to, so that with gin.WrapH in this place whoever is refused
// would be served all the same.
func ginMiddleware(middleware func(http.Handler) http.Handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		for _, p := range c.Params {
			c.Request.SetPathValue(p.Key, p.Value)
		}
		entered := false
		middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			entered = true
			c.Request = r
			c.Next()
		})).ServeHTTP(c.Writer, c.Request)
		if !entered {
			c.Abort()
		}
	}
}

func ginWelcome(c *gin.Context) {
	c.String(http.StatusOK, "%s", greeting(access.Actor(c.Request.Context())))
}
