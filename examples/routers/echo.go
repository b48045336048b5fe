package routers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy/access"
)

// Echo takes the guard through its own WrapMiddleware, behind [echoPathValues].
func Echo(guard *access.Guard) http.Handler {
	router := echo.New()
	team := router.Group("/teams/:team", echoPathValues)
	team.POST("/blasts", echoWelcome, echo.WrapMiddleware(guard.Require(rbac.SendBlast)))
	team.GET("/inbox", echoWelcome, echo.WrapMiddleware(guard.Member))
	return router
}

// echoPathValues gives the request the path values, which echo keeps to itself.
func echoPathValues(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		values := c.ParamValues()
		for i, name := range c.ParamNames() {
			c.Request().SetPathValue(name, values[i])
		}
		return next(c)
	}
}

func echoWelcome(c echo.Context) error {
	return c.String(http.StatusOK, greeting(access.Actor(c.Request().Context())))
}
