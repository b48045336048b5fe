package routers

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
	"github.com/usher-go/usher/tenancy/access"
)

var routers = map[string]func(*access.Guard) http.Handler{"net/http": Mux, "chi": Chi, "gin": Gin, "echo": Echo}

// host is a world, and the guard of a host on which people sign in by a header.
type host struct {
	*ushertest.World
	guard *access.Guard
}

func newHost(t *testing.T) host {
	t.Helper()
	gin.SetMode(gin.TestMode) // which prints nothing
	w := ushertest.NewWorld(t)
	w.Account("globex").Team("Research", ushertest.Manager("rick"))
	w.Account("acme").Team("Sales", ushertest.Manager("alice"), ushertest.Member("bob"), ushertest.Restricted("carol"))
	people := map[string]tenancy.UserID{}
	for _, name := range []string{"alice", "bob", "carol", "rick"} {
		people[name] = w.User(name).ID
	}
	signedIn := func(r *http.Request) (tenancy.UserID, error) { return people[r.Header.Get("User")], nil }
	return host{w, access.New(w.Tenancy, signedIn, access.PathValue("team"))}
}

// serve answers a way to ask a server that stands until the test ends.
func serve(t *testing.T, handler http.Handler) func(method, path, user string) (int, string) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return func(method, path, user string) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, http.NoBody)
		require.NoError(t, err)
		r.Header.Set("User", user)
		response, err := server.Client().Do(r)
		require.NoError(t, err)
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		if response.StatusCode != http.StatusOK {
			assert.Equal(t, "application/problem+json", response.Header.Get("Content-Type"), path)
		}
		return response.StatusCode, string(body)
	}
}

// Every router answers alike, to the byte.
func TestTheSameDoor(t *testing.T) {
	h := newHost(t)
	team := h.TeamNamed("Sales").ID.String()
	const blasts, inbox = "/blasts", "/inbox"
	first := map[string]string{} // the answer of the router that was asked first
	for name, router := range routers {
		t.Run(name, func(t *testing.T) {
			ask := serve(t, router(h.guard))
			for _, c := range []struct {
				user, method, team, route string
				status                    int
			}{
				{"alice", http.MethodPost, team, blasts, http.StatusOK},
				{"bob", http.MethodPost, team, blasts, http.StatusOK},
				{"carol", http.MethodPost, team, blasts, http.StatusForbidden},
				{"carol", http.MethodGet, team, inbox, http.StatusOK},
				{"rick", http.MethodGet, team, inbox, http.StatusNotFound},
				{"bob", http.MethodPost, h.TeamNamed("Research").ID.String(), blasts, http.StatusNotFound},
				{"bob", http.MethodPost, "nonsense", blasts, http.StatusNotFound},
				{"bob", http.MethodPost, "%2e%2e", blasts, http.StatusNotFound},
				{"", http.MethodPost, team, blasts, http.StatusUnauthorized},
			} {
				status, body := ask(c.method, "/teams/"+c.team+c.route, c.user)
				require.Equal(t, c.status, status, "%+v: %s", c, body)
				if status == http.StatusOK {
					assert.Equal(t, h.User(c.user).ID.String()+" in "+c.team, body)
					continue
				}
				key := http.StatusText(c.status)
				if first[key] == "" {
					first[key] = body
				}
				assert.Equal(t, first[key], body, "one answer, and no handler after it")
			}
		})
	}
}

// Where the router has set no path value, nobody is let in.
func TestInTheWrongPlace(t *testing.T) {
	h := newHost(t)
	path := "/teams/" + h.TeamNamed("Sales").ID.String()
	wrong := map[string]http.Handler{"net/http": h.guard.Member(Mux(h.guard))}

	c := chi.NewRouter()
	c.Use(h.guard.Member)
	c.Get("/teams/{team}", welcome)
	wrong["chi, the outermost Use"] = c

	g := gin.New()
	g.GET("/teams/:team", gin.WrapH(h.guard.Member(http.HandlerFunc(welcome))))
	wrong["gin, without the path values"] = g

	e := echo.New()
	e.GET("/teams/:team", echoWelcome, echo.WrapMiddleware(h.guard.Member))
	wrong["echo, without the path values"] = e

	for name, handler := range wrong {
		t.Run(name, func(t *testing.T) {
			status, body := serve(t, handler)(http.MethodGet, path, "alice")
			assert.Equal(t, http.StatusInternalServerError, status)
			assert.Contains(t, body, "http.md#unrouted")
			assert.NotContains(t, body, h.User("alice").ID.String(), "nothing after it")
		})
	}
}
