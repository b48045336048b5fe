package signup

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

const (
	carol  = "carol@client.example"
	secret = "correct horse battery"
)

// site is a host with its provider, its post and whoever was invited.
type site struct {
	*ushertest.World
	t        *testing.T
	host     *Host
	url      string
	client   *http.Client
	provider *provider

	mu    sync.Mutex
	posts []string // the host's own letters
	seen  []string // the addresses that were asked for
}

// open builds a host to which Carol was invited.
func open(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, World: ushertest.NewWorld(t).Account("acme").Team("Sales", ushertest.Manager("alice"), ushertest.Invited(carol, rbac.Member))}
	s.provider = serveProvider(t, s.Clock.Now)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.seen = append(s.seen, r.RequestURI)
		s.mu.Unlock()
		s.host.Handler().ServeHTTP(w, r)
	}))
	server.StartTLS()
	t.Cleanup(server.Close)
	s.url, s.client = server.URL, server.Client()
	s.host = New(s.Usher, s.post, Provider{
		Issuer: s.provider.url, Authorize: s.provider.url + "/authorize", Token: s.provider.url + "/token",
		ClientID: "acme", ClientSecret: clientSecret, Callback: s.url + "/provider", Client: server.Client(),
	}, s.Clock.Now)
	s.host.rounds = 1000 // the race detector makes them slow
	return s
}

func (s *site) post(to tenancy.Address, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.posts = append(s.posts, to.Display+" "+text)
}

// letter is the newest of the host's own, if it was for the address.
func (s *site) letter(to string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	require.NotEmpty(s.t, s.posts)
	text, found := strings.CutPrefix(s.posts[len(s.posts)-1], to+" ")
	require.True(s.t, found, "the newest letter is for %s", to)
	return text
}

// browser keeps cookies and follows where it is led, as browsers do.
type browser struct {
	s      *site
	client *http.Client
}

func (s *site) browser() *browser {
	jar, err := cookiejar.New(nil)
	require.NoError(s.t, err)
	return &browser{s: s, client: &http.Client{Transport: s.client.Transport, Jar: jar}}
}

func (b *browser) get(path string) string { return b.do(http.MethodGet, path, nil) }

func (b *browser) post(path string, fields ...string) string {
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return b.do(http.MethodPost, path, form)
}

func (b *browser) do(method, path string, form url.Values) string {
	b.s.t.Helper()
	r, err := http.NewRequestWithContext(b.s.t.Context(), method, b.s.url+path, strings.NewReader(form.Encode()))
	require.NoError(b.s.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := b.client.Do(r)
	require.NoError(b.s.t, err)
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	require.NoError(b.s.t, err)
	assert.Equal(b.s.t, "no-referrer", answer.Header.Get("Referrer-Policy"))
	assert.Equal(b.s.t, "no-store", answer.Header.Get("Cache-Control"))
	_, err = invite.ParseToken(answer.Request.URL.Query().Get("token"))
	assert.Error(b.s.t, err, "no page stays at an address with the token")
	return strings.TrimSpace(string(page))
}

// follow opens the link of the invitation.
func (b *browser) follow() string { return b.get("/join?token=" + b.s.Token(carol).Reveal()) }

const (
	shown    = "acme-holder invites you to Sales as member. Sign in, or sign up, with the address that it was mailed to."
	question = "acme-holder invites you to Sales as member. Accept?"
	wrong    = "The invitation is for another address than yours. Sign in with the one that it was mailed to."
)

// A team with terms: to register is one step, to join another, and what was agreed to is on record.
func TestTermsAreShownAndAgreedTo(t *testing.T) {
	s := open(t)
	_, err := s.Tenancy.Configure(t.Context(), s.Actor("alice", "Sales"), tenancy.Settings{Terms: "2026-01"})
	require.NoError(t, err)
	b := s.browser()
	b.follow()
	b.post("/password/sign-up", "email", carol, "name", "Carol", "password", secret)
	assert.Equal(t, "acme-holder invites you to Sales as member. Accept, and agree to the terms 2026-01?",
		b.post("/password/confirm", "code", s.letter(carol), "password", secret))
	refused := b.post("/join")
	assert.NotContains(t, refused, "Welcome")
	s.InvitationIs(carol, "Sales", invite.Pending)
	assert.Equal(t, refused, b.post("/join", "terms", "2025-12"), "the page was an old one")
	assert.Equal(t, "Welcome to Sales.", b.post("/join", "terms", "2026-01"))
	s.InvitationIs(carol, "Sales", invite.Accepted)
}

func TestPassword(t *testing.T) {
	s := open(t)
	b := s.browser()
	assert.Equal(t, shown, b.follow())
	assert.Equal(t, "We have mailed you a code.", b.post("/password/sign-up", "email", carol, "name", "Carol", "password", secret))
	s.InvitationIs(carol, "Sales", invite.Pending)
	assert.Equal(t, question, b.post("/password/confirm", "code", s.letter(carol), "password", secret))
	assert.Equal(t, "Welcome to Sales.", b.post("/join"))

	// Another day: the link again, in another browser.
	b = s.browser()
	assert.Equal(t, "acme-holder invites you to Sales as member. It was accepted: sign in to go in.", b.follow())
	assert.Equal(t, sorryFor(errSignIn), b.post("/password/sign-in", "email", carol, "password", "wrong horse battery"))
	assert.Equal(t, sorryFor(errSignIn), b.post("/password/sign-in", "email", "nobody@client.example", "password", ""))
	assert.Equal(t, "acme-holder invites you to Sales as member. It was accepted: go in.", b.post("/password/sign-in", "email", strings.ToUpper(carol), "password", secret))
	assert.Equal(t, "Welcome to Sales.", b.post("/join"), "accepted already: they go in")
}

// Mallory prepares an account with Carol's address and a password of his own. The code in Carol's
// mail is not enough to confirm it, and having the invitation's link is not either.
func TestNobodyPreparesAnAccountForAnother(t *testing.T) {
	s := open(t)
	mallory, victim := s.browser(), s.browser()
	mallory.follow()
	mallory.post("/password/sign-up", "email", carol, "password", "mallory's password")
	assert.Equal(t, sorryFor(tenancy.ErrNoPrincipal), mallory.post("/join"))
	assert.Equal(t, sorryFor(errSignIn), mallory.post("/password/confirm", "code", "guessed", "password", "mallory's password"))
	assert.Equal(t, sorryFor(errSignIn), victim.post("/password/confirm", "code", s.letter(carol), "password", secret))
	assert.Equal(t, sorryFor(errSignIn), mallory.post("/password/confirm", "code", s.letter(carol), "password", "mallory's password"), "a code works once")
	s.InvitationIs(carol, "Sales", invite.Pending)
}

func TestMagicLink(t *testing.T) {
	s := open(t)
	b := s.browser()
	assert.Equal(t, shown, b.follow())
	assert.Equal(t, "We have mailed you a link.", b.post("/letters", "email", carol))
	link := s.letter(carol)
	_, key, _ := strings.Cut(link, "?key=")
	for range 3 { // a mail scanner, and then Carol
		assert.Equal(t, "Sign in?", s.browser().get(link))
	}
	assert.Equal(t, question, b.post("/letter", "key", key))
	assert.Equal(t, "Welcome to Sales.", b.post("/join"))
	assert.Equal(t, sorryFor(errSignIn), s.browser().post("/letter", "key", key), "a letter is opened once")

	// Who signed up before is the same person, and no second one.
	b.post("/letters", "email", carol)
	_, key, _ = strings.Cut(s.letter(carol), "?key=")
	again := s.browser()
	again.follow()
	again.post("/letter", "key", key)
	assert.Equal(t, "Welcome to Sales.", again.post("/join"))

	b.post("/letters", "email", carol)
	_, key, _ = strings.Cut(s.letter(carol), "?key=")
	s.Clock.Advance(15 * time.Minute)
	assert.Equal(t, sorryFor(errSignIn), s.browser().post("/letter", "key", key), "a letter lasts a quarter of an hour")
}

func TestProvider(t *testing.T) {
	s := open(t)
	b := s.browser()
	assert.Equal(t, shown, b.follow())
	s.provider.says = map[string]any{"sub": "42", "email": "Carol@Client.example", "email_verified": true, "name": "Carol"}
	assert.Equal(t, question, b.post("/provider"))
	assert.Equal(t, "Welcome to Sales.", b.post("/join"))

	// The token of the invitation was in the link alone: not at the provider, and in no later address.
	token := s.Token(carol).Reveal()
	for _, sent := range s.provider.sent {
		assert.NotContains(t, sent, token)
	}
	for _, seen := range s.seen[1:] {
		assert.NotContains(t, seen, token)
	}
	assert.Contains(t, s.seen[0], token)
}

func TestProviderThatDoesNotSayTrue(t *testing.T) {
	for name, verified := range map[string]any{"false": false, "a text": "true", "a number": 1, "null": nil} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			b := s.browser()
			b.follow()
			s.provider.says = map[string]any{"sub": "42", "email": carol, "email_verified": verified}
			assert.Equal(t, question, b.post("/provider"))
			assert.Equal(t, "Show first that your address is yours.", b.post("/join"))
			s.InvitationIs(carol, "Sales", invite.Pending)
		})
	}
}

// What comes back is taken only from the browser that left, once, and only if it is the answer to
// what was asked.
func TestProviderAnswersThatWereNotAskedFor(t *testing.T) {
	for claim, value := range map[string]any{"iss": "https://evil.example", "aud": "another-client", "nonce": "another", "exp": 1, "sub": ""} {
		t.Run(claim, func(t *testing.T) {
			s := open(t)
			s.provider.says = map[string]any{"sub": "42", "email": carol, "email_verified": true, claim: value}
			assert.Equal(t, sorryFor(errSignIn), s.browser().post("/provider"))
		})
	}
	s := open(t)
	s.provider.says = map[string]any{"sub": "42", "email": carol, "email_verified": true}
	b := s.browser()
	b.post("/provider")
	back := s.seen[1]
	require.True(t, strings.HasPrefix(back, "/provider?code="), back)
	assert.Equal(t, sorryFor(errSignIn), b.get(back), "a second time")
	assert.Equal(t, sorryFor(errSignIn), s.browser().get(back), "in another browser")
	s.provider.state = "another"
	assert.Equal(t, sorryFor(errSignIn), s.browser().post("/provider"), "with another's state")
}

// The same address by another way to sign in is not silently the same person.
func TestProviderDoesNotTakeOverAnAddress(t *testing.T) {
	s := open(t)
	b := s.browser()
	b.post("/password/sign-up", "email", carol, "password", secret)
	b.post("/password/confirm", "code", s.letter(carol), "password", secret)
	s.provider.says = map[string]any{"sub": "42", "email": carol, "email_verified": true}
	assert.Equal(t, "You have an account with this address. Sign in the way you did before.", s.browser().post("/provider"))
}

func TestAnotherAddress(t *testing.T) {
	s := open(t)
	b := s.browser()
	b.follow()
	s.provider.says = map[string]any{"sub": "7", "email": "eve@rival.example", "email_verified": true}
	assert.Equal(t, question, b.post("/provider"))
	assert.Equal(t, wrong, b.post("/join"))
	s.InvitationIs(carol, "Sales", invite.Pending)

	s.provider.says = map[string]any{"sub": "42", "email": carol, "email_verified": true}
	assert.Equal(t, question, b.post("/provider"))
	assert.Equal(t, "Welcome to Sales.", b.post("/join"))
}

func TestExpired(t *testing.T) {
	s := open(t)
	b := s.browser()
	b.follow()
	s.provider.says = map[string]any{"sub": "42", "email": carol, "email_verified": true}
	b.post("/provider")
	s.Clock.Advance(invite.DefaultExpiry)
	assert.Equal(t, "acme-holder invites you to Sales as member. It has expired: ask for another.", b.follow())
	b.post("/provider") // the session has ended, too
	assert.Equal(t, "The invitation has expired. Ask for another.", b.post("/join"))
}

func TestRevoked(t *testing.T) {
	s := open(t)
	_, err := s.Invites.Revoke(t.Context(), s.Actor("alice", "Sales"), s.Invitation(carol, "Sales").ID)
	require.NoError(t, err)
	assert.Equal(t, "acme-holder invites you to Sales as member. It is no longer open: revoked.", s.browser().follow())
}

func TestALinkThatANewerMailReplaced(t *testing.T) {
	s := open(t)
	b, old := s.browser(), s.Token(carol).Reveal()
	_, err := s.Invites.Resend(t.Context(), s.Actor("alice", "Sales"), s.Invitation(carol, "Sales").ID)
	require.NoError(t, err)
	s.Post()
	assert.Equal(t, sorryFor(tenancy.ErrNotFound), b.get("/join?token="+old))
	assert.Equal(t, sorryFor(tenancy.ErrNotFound), b.get("/join?token=nonsense"))
	assert.Equal(t, shown, b.follow())
}

func TestTheLinkHasNoSideEffects(t *testing.T) {
	s := open(t)
	before := s.Events("Sales")
	for range 5 { // mail scanners, which keep no cookies
		assert.Equal(t, shown, s.browser().follow())
	}
	assert.Equal(t, before, s.Events("Sales"))
	s.InvitationIs(carol, "Sales", invite.Pending)
}

func sorryFor(err error) string {
	_, text := sorry(err)
	return text
}
