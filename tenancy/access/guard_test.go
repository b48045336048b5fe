package access_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
	"github.com/usher-go/usher/tenancy/access"
)

// Every role is let in to exactly what the policy gives it in the whole team, and whoever is not
// is told what was missing.
func TestEveryRoleAtEveryDoor(t *testing.T) {
	s := newScene(t)
	for _, perm := range rbac.Permissions() {
		s.mux.Handle(fmt.Sprintf("GET /teams/{team}/%d", perm), s.guard().Require(perm)(welcome))
	}
	team := s.TeamNamed("Sales").ID
	let := 0
	for user, role := range map[string]rbac.Role{"alice": rbac.Manager, "bob": rbac.Member, "carol": rbac.Restricted} {
		for _, perm := range rbac.Permissions() {
			a := s.get(user, fmt.Sprintf("/teams/%s/%d", team, perm))
			if s.Policy.Allows(role, perm, rbac.ByTeam) {
				let++
				require.Equal(t, http.StatusOK, a.status, "%s: %s", user, perm)
				assert.Equal(t, s.User(user).ID.String()+" in "+team.String(), a.body)
				continue
			}
			s.refused(a, http.StatusForbidden, "denied")
			assert.Contains(t, a.body, `"permission":"`+perm.String()+`"`)
			assert.Contains(t, a.body, `"detail":"`+role.String()+" ")
		}
	}
	assert.Positive(t, let)
}

func TestMemberNeedsNoPermission(t *testing.T) {
	s := newScene(t)
	s.mux.Handle("/teams/{team}", s.guard().Member(welcome))
	for _, user := range []string{"alice", "bob", "carol"} {
		assert.Equal(t, http.StatusOK, s.get(user, "/teams/"+s.TeamNamed("Sales").ID.String()).status)
	}
	s.refused(s.get("rick", "/teams/"+s.TeamNamed("Sales").ID.String()), http.StatusNotFound, "not-found")
}

func TestHostsOwnPermission(t *testing.T) {
	w := ushertest.NewWorldOn(t, memory.New(), usher.WithPolicy(rbac.Allow(rbac.Member, "scorecard", "fill in", rbac.ByTeam)))
	s := &scene{World: w, t: t, mux: http.NewServeMux()}
	s.Account("acme").Team("Sales", ushertest.Member("bob"), ushertest.Restricted("carol"))
	server := httptest.NewServer(s.mux)
	t.Cleanup(server.Close)
	s.url = server.URL
	perm, err := s.Policy.Permission("scorecard", "fill in")
	require.NoError(t, err)
	s.mux.Handle("/teams/{team}", s.guard().Require(perm)(welcome))
	s.mux.Handle("/unknown/{team}", s.guard().Require(perm+1)(welcome))
	team := s.TeamNamed("Sales").ID.String()

	assert.Equal(t, http.StatusOK, s.get("bob", "/teams/"+team).status)
	a := s.get("carol", "/teams/"+team)
	s.refused(a, http.StatusForbidden, "denied")
	assert.Contains(t, a.body, `"permission":"scorecard: fill in"`)
	s.refused(s.get("bob", "/unknown/"+team), http.StatusForbidden, "denied")
}

// A stranger sees one and the same answer, byte for byte, whatever they ask for.
func TestC1_StrangersLearnNothing(t *testing.T) {
	everystore.Run(t, func(t *testing.T, open func(*testing.T) storage.Store) {
		s := sceneOn(t, open(t))
		s.mux.Handle("/require/{team}", s.guard().Require(rbac.SendBlast)(welcome))
		s.mux.Handle("/member/{team}", s.guard().Member(welcome))
		require.NoError(t, s.Tenancy.Remove(t.Context(), s.Actor("alice", "Sales"), s.User("mallory").ID))
		removed := s.TeamNamed("Sales").ID.String()
		var first answer
		for _, path := range []string{"/require/", "/member/"} {
			for i, who := range []struct{ user, team string }{
				{"bob", s.TeamNamed("Research").ID.String()},
				{"bob", tenancy.NewID[tenancy.TeamID](tenancy.Env{}).String()},
				{"bob", "00000000-0000-0000-0000-000000000000"},
				{"bob", s.User("bob").ID.String()},
				{"bob", "sales"},
				{"bob", "%00"},
				{"bob", "%F0%9F%98%80"},
				{"nobody knows", removed},
				{"mallory", removed},
			} {
				a := s.get(who.user, path+who.team)
				s.refused(a, http.StatusNotFound, "not-found")
				if i == 0 && path == "/require/" {
					first = a
				}
				assert.Equal(t, first, a, who)
			}
		}
	})
}

func TestNobodySignedIn(t *testing.T) {
	s := newScene(t)
	answers := map[string]error{
		"/zero":      nil,
		"/none":      tenancy.ErrNoPrincipal,
		"/challenge": &access.SignInError{Challenge: `Bearer realm="acme"`},
		"/plain":     &access.SignInError{},
	}
	for path, err := range answers {
		guard := access.New(s.Tenancy, func(*http.Request) (tenancy.UserID, error) { return tenancy.UserID{}, err }, access.PathValue("team"))
		s.mux.Handle(path+"/{team}", guard.Require(rbac.SendBlast)(welcome))
	}
	for path := range answers {
		for _, team := range []string{s.TeamNamed("Sales").ID.String(), "nonsense"} {
			a := s.get("", path+"/"+team)
			s.refused(a, http.StatusUnauthorized, "signed-out")
			want := "Session"
			if path == "/challenge" {
				want = `Bearer realm="acme"`
			}
			assert.Equal(t, want, a.header.Get("WWW-Authenticate"), path)
		}
	}
}

// Whatever the host's functions answer beside an id, nobody is let in, and the text of it stays
// with the host.
func TestHostFailsClosed(t *testing.T) {
	s := newScene(t)
	team := s.TeamNamed("Sales").ID
	for _, c := range []struct {
		err    error
		status int
	}{
		{errors.New("pq: password authentication failed for user admin"), http.StatusInternalServerError},
		{fmt.Errorf("sessions of admin: %w", tenancy.ErrUnavailable), http.StatusServiceUnavailable},
		{fmt.Errorf("sessions of admin: %w", tenancy.ErrNotFound), http.StatusNotFound},
		{fmt.Errorf("sessions of admin: %w", context.DeadlineExceeded), http.StatusServiceUnavailable},
	} {
		// Beside the error stand ids that would open the door.
		byUser := access.New(s.Tenancy, func(*http.Request) (tenancy.UserID, error) { return s.User("alice").ID, c.err }, access.PathValue("team"))
		byTeam := access.New(s.Tenancy, s.signedIn, func(*http.Request) (tenancy.TeamID, error) { return team, c.err })
		for _, guard := range []*access.Guard{byUser, byTeam} {
			mux := http.NewServeMux()
			mux.Handle("/{team}", guard.Member(welcome))
			w := httptest.NewRecorder()
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/"+team.String(), nil)
			r.Header.Set("User", "alice")
			mux.ServeHTTP(w, r)
			assert.Equal(t, c.status, w.Code, c.err)
			assert.NotContains(t, w.Body.String(), "admin")
		}
	}
}

// A team that the host's function does not name is not found: it is no call without a principal.
func TestZeroTeam(t *testing.T) {
	s := newScene(t)
	guard := access.New(s.Tenancy, s.signedIn, func(*http.Request) (tenancy.TeamID, error) { return tenancy.TeamID{}, nil })
	s.mux.Handle("/", guard.Member(welcome))
	s.refused(s.get("alice", "/"), http.StatusNotFound, "not-found")
}

// D1: the next request after a change goes by it.
func TestD1_TheNextRequest(t *testing.T) {
	everystore.Run(t, func(t *testing.T, open func(*testing.T) storage.Store) {
		s := sceneOn(t, open(t))
		s.mux.Handle("/teams/{team}", s.guard().Require(rbac.SendBlast)(welcome))
		path := "/teams/" + s.TeamNamed("Sales").ID.String()
		alice, bob := s.Actor("alice", "Sales"), s.User("bob").ID
		change := func(role rbac.Role) {
			_, err := s.Tenancy.ChangeRole(t.Context(), alice, bob, role)
			require.NoError(t, err)
		}
		require.Equal(t, http.StatusOK, s.get("bob", path).status)
		change(rbac.Restricted)
		s.refused(s.get("bob", path), http.StatusForbidden, "denied")
		change(rbac.Member)
		require.Equal(t, http.StatusOK, s.get("bob", path).status)
		require.NoError(t, s.Tenancy.Remove(t.Context(), alice, bob))
		s.refused(s.get("bob", path), http.StatusNotFound, "not-found")
	})
}

func TestMembershipThatExpired(t *testing.T) {
	s := newScene(t)
	s.mux.Handle("/teams/{team}", s.guard().Member(welcome))
	team := s.TeamNamed("Sales").ID
	_, err := s.Tenancy.Admit(t.Context(), ushertest.System, tenancy.Admission{
		Team: team, User: s.User("temp").ID, Role: rbac.Member, ExpiresAt: s.Clock.Now().Add(time.Hour),
	})
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, s.get("temp", "/teams/"+team.String()).status)
	s.Clock.Advance(time.Hour)
	a := s.get("temp", "/teams/"+team.String())
	s.refused(a, http.StatusForbidden, "denied")
	assert.Contains(t, a.body, "the user or the membership is not active")
	assert.NotContains(t, a.body, `"permission"`)
}

// In a suspended account and in an archived team what reads goes on.
func TestFrozen(t *testing.T) {
	freeze := map[string]func(s *scene) error{
		"the account is not active": func(s *scene) error {
			return s.Store.InTx(t.Context(), func(ctx context.Context) error {
				account, err := s.Store.Account(ctx, s.TeamNamed("Sales").Account)
				if err != nil {
					return err
				}
				account.Status = tenancy.AccountSuspended
				return s.Store.UpdateAccount(ctx, account)
			})
		},
		"the team is archived": func(s *scene) error {
			return s.Store.InTx(t.Context(), func(ctx context.Context) error {
				team, err := s.Store.Team(ctx, s.TeamNamed("Sales").ID)
				if err != nil {
					return err
				}
				team.Status = tenancy.TeamArchived
				return s.Store.UpdateTeam(ctx, team)
			})
		},
	}
	for why, freeze := range freeze {
		t.Run(why, func(t *testing.T) {
			s := newScene(t)
			s.mux.Handle("/write/{team}", s.guard().Require(rbac.SendBlast)(welcome))
			s.mux.Handle("/read/{team}", s.guard().Require(rbac.ListMembers)(welcome))
			s.mux.Handle("/member/{team}", s.guard().Member(welcome))
			require.NoError(t, freeze(s))
			team := s.TeamNamed("Sales").ID.String()
			a := s.get("bob", "/write/"+team)
			s.refused(a, http.StatusConflict, "conflict")
			assert.Contains(t, a.body, `"detail":"`+why+`"`)
			assert.Equal(t, http.StatusOK, s.get("bob", "/read/"+team).status)
			assert.Equal(t, http.StatusOK, s.get("bob", "/member/"+team).status)
			s.refused(s.get("carol", "/write/"+team), http.StatusForbidden, "denied")
			s.refused(s.get("rick", "/write/"+team), http.StatusNotFound, "not-found")
		})
	}
}

func TestCancelledRequest(t *testing.T) {
	everystore.Run(t, func(t *testing.T, open func(*testing.T) storage.Store) {
		s := sceneOn(t, open(t))
		s.mux.Handle("/teams/{team}", s.guard().Member(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			t.Error("let in")
		})))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/teams/"+s.TeamNamed("Sales").ID.String(), nil)
		r.Header.Set("User", "alice")
		w := httptest.NewRecorder()
		s.mux.ServeHTTP(w, r)
		assert.Equal(t, http.StatusServiceUnavailable, w.Code)
	})
}

// HEAD has the head of GET and no body.
func TestHead(t *testing.T) {
	s := newScene(t)
	s.mux.Handle("GET /teams/{team}", s.guard().Member(welcome))
	path := "/teams/" + s.TeamNamed("Sales").ID.String()
	assert.Equal(t, http.StatusOK, s.do(s.request(http.MethodHead, "bob", path)).status)
	get, head := s.get("rick", path), s.do(s.request(http.MethodHead, "rick", path))
	assert.Empty(t, head.body)
	assert.NotEmpty(t, get.body)
	get.body = ""
	assert.Equal(t, get, head)
}

func TestWithRefusal(t *testing.T) {
	s := newScene(t)
	var heard error
	guard := s.guard(access.WithRefusal(func(w http.ResponseWriter, r *http.Request, err error) {
		heard = err
		http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
	}))
	s.mux.Handle("/teams/{team}", guard.Require(rbac.InviteMember)(welcome))
	a := s.get("bob", "/teams/"+s.TeamNamed("Sales").ID.String())
	assert.Equal(t, http.StatusSeeOther, a.status)
	require.ErrorIs(t, heard, rbac.ErrDenied)
	assert.NotContains(t, a.body, " in ")
}

// The inner of two guards is the one that counts, and each has to let in.
func TestGuardInGuard(t *testing.T) {
	s := newScene(t)
	byHeader := access.New(s.Tenancy, s.signedIn, access.Header("X-Team"))
	s.mux.Handle("/teams/{team}", s.guard().Member(byHeader.Member(welcome)))
	r := s.request(http.MethodGet, "acme-holder", "/teams/"+s.TeamNamed("Sales").ID.String())
	r.Header.Set("X-Team", s.TeamNamed("Research").ID.String())
	s.refused(s.do(r), http.StatusNotFound, "not-found")
}

// Without a guard there is no actor, and no operation that would take it.
func TestActorWithoutAGuard(t *testing.T) {
	s := newScene(t)
	assert.Zero(t, access.Actor(t.Context()))
	_, err := s.Tenancy.Members(t.Context(), access.Actor(t.Context()), tenancy.Page{})
	require.ErrorIs(t, err, tenancy.ErrNoPrincipal)
	assert.Equal(t, http.StatusUnauthorized, access.ProblemOf(err).Status)
}
