package access_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/tenancy"
	"github.com/usher-go/usher/tenancy/access"
)

// A guard where the router has not been yet, or on a route that names no team, is a mistake of
// the host's and lets nobody in; it says so.
func TestGuardInTheWrongPlace(t *testing.T) {
	s := newScene(t)
	inner := http.NewServeMux()
	inner.Handle("/teams/{team}", welcome)
	s.mux.Handle("/", s.guard().Member(inner))
	s.mux.Handle("/other/{other}", s.guard().Member(welcome))
	team := s.TeamNamed("Sales").ID.String()
	for _, path := range []string{"/teams/" + team, "/other/" + team} {
		a := s.get("alice", path)
		s.refused(a, http.StatusInternalServerError, "unrouted")
		assert.Contains(t, a.body, `wrap the handler of a route with this wildcard`)
		assert.NotContains(t, a.body, team)
	}
}

// A wildcard that matched nothing is what a client can ask for: not found, and no alarm.
func TestEmptyPathValue(t *testing.T) {
	s := newScene(t)
	s.mux.Handle("/rest/{team...}", s.guard().Member(welcome))
	s.refused(s.get("alice", "/rest/"), http.StatusNotFound, "not-found")
	assert.Equal(t, http.StatusOK, s.get("alice", "/rest/"+s.TeamNamed("Sales").ID.String()).status)
}

func TestHeader(t *testing.T) {
	s := newScene(t)
	s.mux.Handle("/", access.New(s.Tenancy, s.signedIn, access.Header("x-team")).Member(welcome))
	team, foreign := s.TeamNamed("Sales").ID.String(), s.TeamNamed("Research").ID.String()
	ask := func(values ...string) answer {
		r := s.request(http.MethodGet, "alice", "/")
		r.Header["X-Team"] = values
		return s.do(r)
	}
	assert.Equal(t, http.StatusOK, ask(team).status)
	strange := ask(foreign)
	s.refused(strange, http.StatusNotFound, "not-found")
	assert.Equal(t, strange, ask("nonsense"))
	assert.Equal(t, strange, ask(""))
	assert.Equal(t, strange, ask(team+","+team))
	for _, values := range [][]string{nil, {team, team}, {team, foreign}, {foreign, team}} {
		a := ask(values...)
		s.refused(a, http.StatusUnprocessableEntity, "invalid")
		assert.Contains(t, a.body, `"detail":"header X-Team must name the team, once"`)
		assert.Contains(t, a.body, `"field":"header X-Team"`)
	}
}

func TestSubdomain(t *testing.T) {
	s := newScene(t)
	ids := map[string]tenancy.TeamID{"acme": s.TeamNamed("Sales").ID, "globex": s.TeamNamed("Research").ID, "xn--bcher-kva": s.TeamNamed("Sales").ID}
	broken := errors.New("dial tcp 10.0.0.1:5432: connection refused")
	bySubdomain, err := access.Subdomain("App.Example", func(_ context.Context, label string) (tenancy.TeamID, error) {
		if label == "broken" {
			return tenancy.TeamID{}, broken
		}
		id, known := ids[label]
		if !known {
			return tenancy.TeamID{}, tenancy.ErrNotFound
		}
		return id, nil
	})
	require.NoError(t, err)
	s.mux.Handle("/", access.New(s.Tenancy, s.signedIn, bySubdomain).Member(welcome))
	ask := func(host string) answer {
		r := s.request(http.MethodGet, "alice", "/")
		r.Host = host
		r.Header.Set("X-Forwarded-Host", "acme.app.example")
		return s.do(r)
	}
	for _, host := range []string{"acme.app.example", "acme.app.example:8443", "ACME.App.EXAMPLE", "acme.app.example.", "acme.app.example.:80", "xn--bcher-kva.app.example", "acme.app.example:"} {
		assert.Equal(t, http.StatusOK, ask(host).status, host)
	}
	strange := ask("globex.app.example")
	s.refused(strange, http.StatusNotFound, "not-found")
	for _, host := range []string{
		"nobody.app.example", "app.example", ".app.example", "acme.app.example.evil.example", "acme.example", "acmeapp.example",
		"a.acme.app.example", "acme..app.example", "acme.app.example..", "-acme.app.example", "acme-.app.example", "ac_me.app.example",
		"acme.app.example:80:80", "acme.app.example:http", "[::1]:80", "127.0.0.1", "localhost", "%61cme.app.example",
		strings.Repeat("a", 64) + ".app.example", strings.Repeat("a.", 200) + "app.example", "acme.app.example:" + strings.Repeat("0", 300),
	} {
		assert.Equal(t, strange, ask(host), host)
	}
	a := ask("broken.app.example")
	assert.Equal(t, http.StatusInternalServerError, a.status)
	assert.NotContains(t, a.body, "10.0.0.1")
}

func TestSubdomainRefuses(t *testing.T) {
	for _, base := range []string{"", ".", "app.example.", ".app.example", "app.example:80", "app..example", "*.example", "https://app.example", "bücher.example", strings.Repeat("a.", 127) + "a"} {
		_, err := access.Subdomain(base, nil)
		require.ErrorIs(t, err, tenancy.ErrInvalid, base)
	}
}

// Whatever a client sends as Host, the host's function sees one label or nothing.
func FuzzSubdomain(f *testing.F) {
	for _, host := range []string{"acme.app.example:8443", "ACME.APP.EXAMPLE.", "a.b.app.example", "\x00.app.example", "\u212a.app.example", "app.example", "::1"} {
		f.Add(host)
	}
	team := tenancy.NewID[tenancy.TeamID](tenancy.Env{})
	f.Fuzz(func(t *testing.T, host string) {
		var asked string
		bySubdomain, err := access.Subdomain("app.example", func(_ context.Context, label string) (tenancy.TeamID, error) {
			asked = label
			return team, nil
		})
		require.NoError(t, err)
		got, err := bySubdomain(&http.Request{Host: host})
		if err != nil {
			require.ErrorIs(t, err, tenancy.ErrNotFound)
			require.Empty(t, asked)
			require.Zero(t, got)
			return
		}
		require.Regexp(t, `^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`, asked)
		require.Regexp(t, `^(?i:`+asked+`\.app\.example)\.?(:[0-9]*)?$`, host)
		require.NotRegexp(t, `[^ -~]`, host, "the Kelvin sign is no k")
	})
}

// Whatever a client sends as the team, it is let in by the one spelling of its id or told
// "not found".
func FuzzTeam(f *testing.F) {
	s := newScene(f)
	team, alice := s.TeamNamed("Sales").ID.String(), s.User("alice").ID
	signedIn := func(*http.Request) (tenancy.UserID, error) { return alice, nil }
	for _, value := range []string{team, strings.ToUpper(team), "", "..", "urn:uuid:" + team, "{" + team + "}", team + "\x00", "'; DROP TABLE teams;--", "\xff"} {
		f.Add(value)
	}
	strange := ""
	f.Fuzz(func(t *testing.T, value string) {
		for name, byTeam := range map[string]access.TeamOf{"path value": access.PathValue("team"), "header": access.Header("X-Team")} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			r.Pattern = "/{team}"
			r.SetPathValue("team", value)
			r.Header.Set("X-Team", value)
			w := httptest.NewRecorder()
			access.New(s.Tenancy, signedIn, byTeam).Member(welcome).ServeHTTP(w, r)
			if w.Code == http.StatusOK {
				require.Equal(t, team, strings.ToLower(value), name)
				continue
			}
			require.Equal(t, http.StatusNotFound, w.Code, name)
			if strange == "" {
				strange = w.Body.String()
			}
			require.Equal(t, strange, w.Body.String(), name)
		}
	})
}
