package main

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"html/template"
	"log/slog"
	"net/http"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/tenancy"
	"github.com/usher-go/usher/tenancy/access"
)

// server is the host.
type server struct {
	usher    *usher.Usher
	store    storage.Store
	sessions sessions
	log      *slog.Logger
	pages    *template.Template
}

//go:embed pages.html style.css
var files embed.FS

func newServer(u *usher.Usher, store storage.Store, sessions sessions, log *slog.Logger) (*server, error) {
	pages, err := template.ParseFS(files, "pages.html")
	if err != nil {
		return nil, err
	}
	return &server{usher: u, store: store, sessions: sessions, log: log, pages: pages}, nil
}

// maxForm is the most that a form may hold, in bytes.
const maxForm = 64 << 10

// handler is the routes. Each is guarded where it stands, since the path values that the guard
// reads are set by the mux.
func (s *server) handler() http.Handler {
	team := access.New(s.usher.Tenancy, s.sessions.user, access.PathValue("team"), access.WithRefusal(s.refuse))
	api := access.New(s.usher.Tenancy, s.sessions.user, access.PathValue("team"))

	mux := http.NewServeMux()
	mux.Handle("GET /{$}", s.self(s.home))
	mux.Handle("GET /sign-in", s.page(s.signInPage))
	mux.Handle("POST /sign-in", s.page(s.signIn))
	mux.Handle("POST /sign-out", s.page(s.signOut))
	mux.Handle("GET /teams", s.self(s.teams))
	mux.Handle("POST /teams", s.self(s.createTeam))
	mux.Handle("POST /teams/{team}/switch", team.Member(s.page(s.switchTeam)))
	mux.Handle("GET /teams/{team}/members", team.Require(rbac.ListMembers)(s.page(s.members)))
	mux.Handle("GET /teams/{team}/manage", team.Require(rbac.InviteMember)(s.page(s.manage)))
	mux.Handle("POST /teams/{team}/invitations", team.Require(rbac.InviteMember)(s.page(s.invite)))
	mux.Handle("POST /teams/{team}/members/{user}/role", team.Require(rbac.ChangeRole)(s.page(s.changeRole)))
	mux.Handle("POST /teams/{team}/members/{user}/remove", team.Require(rbac.RemoveMember)(s.page(s.remove)))
	mux.Handle("GET /join", s.page(s.preview))
	mux.Handle("POST /join", s.self(s.join))
	mux.Handle("GET /api/teams/{team}/members", api.Require(rbac.ListMembers)(http.HandlerFunc(s.membersJSON)))
	mux.Handle("GET /style.css", http.FileServerFS(files))

	// Another site may neither post here with the user's cookie, nor frame a page, nor learn from
	// Referer the token in an invitation's link.
	return secured(http.NewCrossOriginProtection().Handler(http.MaxBytesHandler(mux, maxForm)))
}

func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}

// page is a handler whose error is shown as a page.
func (s *server) page(show func(w http.ResponseWriter, r *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := show(w, r); err != nil {
			s.refuse(w, r, err)
		}
	})
}

// self is a page for whoever has signed in, in whatever team.
func (s *server) self(show func(w http.ResponseWriter, r *http.Request, user tenancy.UserID) error) http.Handler {
	return s.page(func(w http.ResponseWriter, r *http.Request) error {
		user, err := s.sessions.user(r)
		if err != nil {
			return err
		}
		if user.IsZero() {
			return tenancy.ErrNoPrincipal
		}
		return show(w, r, user)
	})
}

// refuse sends people who have not signed in to where they can, and shows others what was wrong.
// It is the guard's Refusal as well.
func (s *server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, tenancy.ErrNoPrincipal) {
		http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
		return
	}
	problem := access.ProblemOf(err)
	if problem.Status >= http.StatusInternalServerError {
		s.log.ErrorContext(r.Context(), "request failed", "route", r.Pattern, "error", err)
	}
	s.render(r.Context(), w, problem.Status, "problem", problem)
}

func (s *server) show(w http.ResponseWriter, r *http.Request, name string, data any) error {
	s.render(r.Context(), w, http.StatusOK, name, data)
	return nil
}

// render writes a page, whole or not at all.
func (s *server) render(ctx context.Context, w http.ResponseWriter, status int, name string, data any) {
	var page bytes.Buffer
	if err := s.pages.ExecuteTemplate(&page, name, data); err != nil {
		s.log.ErrorContext(ctx, "page failed", "page", name, "error", err)
		http.Error(w, "The page could not be built.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = page.WriteTo(w) // to a client that may have gone
}

// back sends the browser to a page after a form was done, so that reloading does it no second time.
func back(w http.ResponseWriter, r *http.Request, path string) error {
	http.Redirect(w, r, path, http.StatusSeeOther)
	return nil
}
