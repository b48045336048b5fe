package access_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
	"github.com/usher-go/usher/tenancy/access"
)

// scene is a host: a world with two accounts, and a server on which people sign in by a header.
type scene struct {
	*ushertest.World
	t   testing.TB
	mux *http.ServeMux
	url string
}

func newScene(t testing.TB) *scene {
	t.Helper()
	return sceneOn(t, memory.New())
}

func sceneOn(t testing.TB, store storage.Store) *scene {
	t.Helper()
	s := &scene{World: ushertest.NewWorldOn(t, store), t: t, mux: http.NewServeMux()}
	s.Account("globex").Team("Research", ushertest.Manager("rick"))
	s.Account("acme").Team("Sales",
		ushertest.Manager("alice"), ushertest.Member("bob"), ushertest.Restricted("carol"), ushertest.Manager("mallory"))
	server := httptest.NewServer(s.mux)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// signedIn is the host's authentication: the header User holds a name.
func (s *scene) signedIn(r *http.Request) (tenancy.UserID, error) {
	name := r.Header.Get("User")
	if name == "" {
		return tenancy.UserID{}, nil
	}
	return s.User(name).ID, nil
}

// guard is one by the path value team.
func (s *scene) guard(options ...access.Option) *access.Guard {
	return access.New(s.Tenancy, s.signedIn, access.PathValue("team"), options...)
}

// welcome tells who was let in.
var welcome = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	actor := access.Actor(r.Context())
	_, _ = io.WriteString(w, actor.User.String()+" in "+actor.Team.String())
})

// answer is what a client sees.
type answer struct {
	status int
	header http.Header
	body   string
}

// get asks for a path as the user of that name; nobody, if it is empty.
func (s *scene) get(user, path string) answer {
	s.t.Helper()
	return s.do(s.request(http.MethodGet, user, path))
}

func (s *scene) request(method, user, path string) *http.Request {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, http.NoBody)
	require.NoError(s.t, err)
	r.Header.Set("User", user)
	return r
}

func (s *scene) do(r *http.Request) answer {
	s.t.Helper()
	response, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(s.t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(s.t, err)
	response.Header.Del("Date")
	return answer{response.StatusCode, response.Header, string(body)}
}

// refused requires that nobody was let in, and says why.
func (s *scene) refused(a answer, status int, kind string) {
	s.t.Helper()
	require.Equal(s.t, status, a.status, a.body)
	assert.Equal(s.t, "application/problem+json", a.header.Get("Content-Type"))
	assert.Equal(s.t, "no-store", a.header.Get("Cache-Control"))
	assert.Contains(s.t, a.body, `"type":"https://github.com/usher-go/usher/blob/main/docs/http.md#`+kind+`"`)
}
