// Package signup is a host with three ways to sign in (a password, a link by mail, an OpenID
// provider), and invitations that people accept whichever they take. docs/sign-up.md tells why each
// step is as it is. What the pages look like is left out; the rest is to be copied.
package signup

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/tenancy"
	"github.com/usher-go/usher/tenancy/access"
)

// Post sends a letter of the host's own, such as a code.
type Post func(to tenancy.Address, text string)

// Host is a server with usher behind it. What it knows of its own is in memory, where a host that
// is more than an example has its database.
type Host struct {
	usher    *usher.Usher
	post     Post
	provider Provider

	sessions vault[tenancy.UserID]
	signUps  vault[signUp]
	letters  vault[tenancy.Address]
	trips    vault[trip]

	rounds int // of PBKDF2
	mu     sync.Mutex
	people map[string]person
}

// person is somebody whose address the host has verified itself. The people of a provider are not
// among them: usher knows those by their ExternalID.
type person struct {
	user     tenancy.UserID
	password hashed
}

// New builds a host. The clock is that of its own secrets.
func New(u *usher.Usher, post Post, p Provider, now func() time.Time) *Host {
	return &Host{
		usher: u, post: post, provider: p,
		sessions: newVault[tenancy.UserID](now, 8*time.Hour),
		signUps:  newVault[signUp](now, 15*time.Minute),
		letters:  newVault[tenancy.Address](now, 15*time.Minute),
		trips:    newVault[trip](now, 10*time.Minute),
		rounds:   600_000,
		people:   map[string]person{},
	}
}

// maxForm is the most that a form may hold, in bytes.
const maxForm = 64 << 10

// Handler is the routes. What changes anything is a POST.
func (h *Host) Handler() http.Handler {
	team := access.New(h.usher.Tenancy, h.user, access.PathValue("team"))
	mux := http.NewServeMux()
	mux.Handle("GET /join", page(h.join))
	mux.Handle("POST /join", page(h.accept))
	mux.Handle("POST /password/sign-up", page(h.signUp))
	mux.Handle("POST /password/confirm", page(h.confirm))
	mux.Handle("POST /password/sign-in", page(h.signInByPassword))
	mux.Handle("POST /letters", page(h.sendLetter))
	mux.Handle("GET /letter", page(h.showLetter))
	mux.Handle("POST /letter", page(h.openLetter))
	mux.Handle("POST /provider", page(h.leave))
	mux.Handle("GET /provider", page(h.comeBack))
	mux.Handle("GET /teams/{team}", team.Member(page(h.team)))
	return secured(http.NewCrossOriginProtection().Handler(http.MaxBytesHandler(mux, maxForm)))
}

// secured sees to it that no page tells another site, or a cache, the secret in its address.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}

// page is a handler whose error is shown as a page.
func page(show func(w http.ResponseWriter, r *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := show(w, r); err != nil {
			status, text := sorry(err)
			w.WriteHeader(status)
			fmt.Fprintln(w, text)
		}
	})
}

func (h *Host) team(w http.ResponseWriter, r *http.Request) error {
	actor := access.Actor(r.Context())
	team, err := h.usher.Tenancy.TeamByID(r.Context(), "page", actor.Team)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "Welcome to %s.\n", team.Name)
	return nil
}

const sessionCookie = "__Host-session"

// signIn begins a session, and leads back to the invitation if there is one.
func (h *Host) signIn(w http.ResponseWriter, r *http.Request, user tenancy.UserID) error {
	http.SetCookie(w, cookie(sessionCookie, h.sessions.put(user), 8*time.Hour))
	http.Redirect(w, r, "/join", http.StatusSeeOther)
	return nil
}

// user is who has signed in; zero for nobody. It is an [access.Authenticate].
func (h *Host) user(r *http.Request) (tenancy.UserID, error) {
	c, err := r.Cookie(sessionCookie)
	if err != nil {
		return tenancy.UserID{}, nil //nolint:nilerr // no cookie: nobody has signed in
	}
	user, _ := h.sessions.get(c.Value)
	return user, nil
}

// cookie is for this site, this browser and TLS alone. Lax, and not Strict, since people come from
// a mail program or a provider.
func cookie(name, value string, lasts time.Duration) *http.Cookie {
	return &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: int(lasts.Seconds()),
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

// errSignIn is all that somebody learns who could not sign in.
var errSignIn = errors.New("signup: not signed in")
