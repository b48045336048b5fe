package main

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/tenancy"
)

// site is the server, on SQLite, with the mail captured.
type site struct {
	t    *testing.T
	url  string
	u    *usher.Usher
	mail *invite.Captured
	now  time.Time
	log  *bytes.Buffer
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, mail: new(invite.Captured), now: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC), log: new(bytes.Buffer)}
	store := everystore.SQLite(t)
	clock := func() time.Time { return s.now }
	var err error
	s.u, err = usher.New(store, usher.WithMailer(s.mail), usher.WithInviteURL("https://app.example/join"), usher.WithClock(clock))
	require.NoError(t, err)
	host, err := newServer(s.u, store, newSessions(clock), slog.New(slog.NewTextHandler(s.log, nil)))
	require.NoError(t, err)
	server := httptest.NewServer(host.handler())
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// browser is a person at the site: it keeps cookies and follows redirects.
type browser struct {
	*site
	client *http.Client
}

func (s *site) browser() browser {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(s.t, err)
	return browser{s, &http.Client{Jar: jar}}
}

// signIn is a browser in which a person of the directory has signed in.
func (s *site) signIn(person string) browser {
	s.t.Helper()
	b := s.browser()
	status, page := b.post("/sign-in", "person", person)
	require.Equal(s.t, http.StatusOK, status)
	require.Contains(s.t, page, "Teams of")
	return b
}

func (b browser) get(path string) (int, string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.url+path, http.NoBody)
	require.NoError(b.t, err)
	return b.do(r)
}

// post sends a form: names and values in turn.
func (b browser) post(path string, form ...string) (int, string) {
	b.t.Helper()
	return b.do(b.form(path, form...))
}

func (b browser) form(path string, form ...string) *http.Request {
	b.t.Helper()
	values := url.Values{}
	for i := 0; i < len(form); i += 2 {
		values.Set(form[i], form[i+1])
	}
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.url+path, strings.NewReader(values.Encode()))
	require.NoError(b.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

func (b browser) do(r *http.Request) (int, string) {
	b.t.Helper()
	response, err := b.client.Do(r)
	require.NoError(b.t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(b.t, err)
	assert.Contains(b.t, response.Header.Get("Content-Security-Policy"), "default-src 'none'")
	assert.Equal(b.t, "no-referrer", response.Header.Get("Referrer-Policy"))
	return response.StatusCode, string(body)
}

var teamLink = regexp.MustCompile(`/teams/([0-9a-f-]{36})/manage`)

// founded makes an account with a team, and answers the team's path.
func (b browser) founded(account, team string) string {
	b.t.Helper()
	status, page := b.post("/teams", "account", account, "team", team)
	require.Equal(b.t, http.StatusOK, status, page)
	found := teamLink.FindStringSubmatch(page)
	require.NotNil(b.t, found, page)
	return "/teams/" + found[1]
}

// invited lets the browser's user invite an address, and answers the token that was mailed.
func (b browser) invited(team, email, role string) string {
	b.t.Helper()
	status, page := b.post(team+"/invitations", "email", email, "role", role)
	require.Equal(b.t, http.StatusOK, status, page)
	require.Contains(b.t, page, email+" is invited as "+role)
	_, err := b.u.Relay.Drain(b.t.Context())
	require.NoError(b.t, err)
	return b.mail.Last(email).Token.Reveal()
}

// user is the id of a person of the directory.
func (s *site) user(person string) tenancy.UserID {
	s.t.Helper()
	user, err := (&server{usher: s.u}).register(s.t.Context(), person)
	require.NoError(s.t, err)
	return user.ID
}

func TestTheWholeWay(t *testing.T) {
	s := newSite(t)
	alice := s.signIn("alice")
	sales := alice.founded("Acme", "Sales")
	token := alice.invited(sales, "bob@acme.example", "member")

	// Whoever has the link sees what it is; only Bob can accept it.
	status, page := s.browser().get("/join?token=" + token)
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, page, "Alice invites you to Sales")
	assert.NotContains(t, page, "<form", "not signed in")
	status, page = s.signIn("mallory").post("/join", "token", token)
	assert.Equal(t, http.StatusForbidden, status)
	assert.Contains(t, page, "the invitation is for someone else")
	bob := s.signIn("bob")
	_, page = bob.get("/join?token=" + token)
	assert.Contains(t, page, "Join as member")
	status, page = bob.post("/join", "token", token)
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, page, "as member, the active one")
	status, page = bob.post("/join", "token", token)
	assert.Equal(t, http.StatusConflict, status)
	assert.Contains(t, page, "the invitation is accepted")

	// Bob sees his colleagues and may not manage them: neither the page nor what it does.
	_, page = bob.get(sales + "/members")
	assert.Contains(t, page, "<td>Alice</td>")
	for _, path := range []string{"/invitations", "/members/" + s.user("alice").String() + "/remove", "/members/" + s.user("bob").String() + "/role"} {
		status, page = bob.post(sales+path, "role", "manager", "email", "eve@rival.example")
		assert.Equal(t, http.StatusForbidden, status, path)
		assert.Contains(t, page, "Missing: member: ", path)
	}
	status, page = bob.get(sales + "/manage")
	assert.Equal(t, http.StatusForbidden, status)
	assert.Contains(t, page, "member lacks &#34;member: invite&#34;, which manager has")

	// What Alice changes holds for Bob's next request.
	status, _ = alice.post(sales+"/members/"+s.user("bob").String()+"/role", "role", "manager")
	require.Equal(t, http.StatusOK, status)
	status, _ = bob.get(sales + "/manage")
	assert.Equal(t, http.StatusOK, status)
	status, _ = alice.post(sales + "/members/" + s.user("bob").String() + "/remove")
	require.Equal(t, http.StatusOK, status)
	status, _ = bob.get(sales + "/manage")
	assert.Equal(t, http.StatusNotFound, status)
	_, page = bob.get("/")
	assert.Contains(t, page, "Teams of Bob", "his active team is his no more")
	assert.NotContains(t, page, "Sales")

	// The last manager stays.
	status, page = alice.post(sales + "/members/" + s.user("alice").String() + "/remove")
	assert.Equal(t, http.StatusConflict, status)
	assert.Contains(t, page, "at least one active manager")
}

// A stranger sees the same page for a team of others, a random one and nonsense.
func TestStranger(t *testing.T) {
	s := newSite(t)
	sales := s.signIn("alice").founded("Acme", "Sales")
	mallory := s.signIn("mallory")
	own := mallory.founded("Rivals", "Spies")
	random := "/teams/" + tenancy.NewID[tenancy.TeamID](tenancy.Env{}).String()
	for _, path := range []string{"/members", "/manage"} {
		status, first := mallory.get(sales + path)
		assert.Equal(t, http.StatusNotFound, status)
		for _, team := range []string{random, "/teams/sales"} {
			status, page := mallory.get(team + path)
			assert.Equal(t, http.StatusNotFound, status)
			assert.Equal(t, first, page)
		}
	}
	status, _ := mallory.post(sales + "/switch")
	assert.Equal(t, http.StatusNotFound, status)
	for _, user := range []string{s.user("alice").String(), "nonsense", tenancy.NewID[tenancy.UserID](tenancy.Env{}).String()} {
		status, _ = mallory.post(own+"/members/"+user+"/role", "role", "member")
		assert.Equal(t, http.StatusNotFound, status, "she is a manager, of another team")
	}
}

func TestSwitch(t *testing.T) {
	s := newSite(t)
	alice := s.signIn("alice")
	sales, hiring := alice.founded("Acme", "Sales"), alice.founded("Acme", "Hiring")
	for path, name := range map[string]string{sales: "Sales", hiring: "Hiring"} {
		status, page := alice.post(path + "/switch")
		assert.Equal(t, http.StatusOK, status)
		assert.Contains(t, page, "<h1>"+name+"</h1>")
		_, page = alice.get("/")
		assert.Contains(t, page, "<h1>"+name+"</h1>", "the next visit begins there")
	}
}

// Half a sign-up is none: a team whose name is refused leaves no account.
func TestCreateTeamRefused(t *testing.T) {
	s := newSite(t)
	alice := s.signIn("alice")
	status, page := alice.post("/teams", "account", "Acme", "team", strings.Repeat("x", tenancy.MaxName+1))
	assert.Equal(t, http.StatusUnprocessableEntity, status)
	assert.Contains(t, page, "team name")
	status, page = alice.post("/teams", "account", "Acme", "team", "Sales", "padding", strings.Repeat("x", maxForm))
	assert.Equal(t, http.StatusUnprocessableEntity, status, "a form that is too big is no form")
	assert.NotContains(t, page, "xxx")
	_, page = alice.get("/teams")
	assert.Contains(t, page, "None yet.")
}

// What people type is shown as text.
func TestEscaping(t *testing.T) {
	s := newSite(t)
	alice := s.signIn("alice")
	team := alice.founded("Acme", `<script>alert("x")</script>`)
	for _, path := range []string{"/teams", team + "/members", team + "/manage"} {
		_, page := alice.get(path)
		assert.Contains(t, page, "&lt;script&gt;", path)
		assert.NotContains(t, page, "<script", path)
	}
	status, page := alice.post(team+"/invitations", "email", "x@y.example", "role", "<script>")
	assert.Equal(t, http.StatusUnprocessableEntity, status)
	assert.NotContains(t, page, "<script")
}

// The page of another site cannot post with Alice's cookie.
func TestCrossOrigin(t *testing.T) {
	s := newSite(t)
	alice := s.signIn("alice")
	for header, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
		r := alice.form("/teams", "account", "Acme", "team", "Sales")
		r.Header.Set(header, value)
		status, _ := alice.do(r)
		assert.Equal(t, http.StatusForbidden, status)
	}
	_, page := alice.get("/teams")
	assert.Contains(t, page, "None yet.")
}

func TestNotSignedIn(t *testing.T) {
	s := newSite(t)
	sales := s.signIn("alice").founded("Acme", "Sales")
	nobody := s.browser()
	for _, path := range []string{"/", "/teams", sales + "/members", sales + "/manage", "/teams/nonsense/members"} {
		status, page := nobody.get(path)
		assert.Equal(t, http.StatusOK, status)
		assert.Contains(t, page, "<h1>Sign in</h1>", path)
	}
	status, page := nobody.post("/sign-in", "person", "trudy")
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, page, "<h1>Sign in</h1>")
	status, page = nobody.get("/api" + sales + "/members")
	assert.Equal(t, http.StatusUnauthorized, status)
	assert.Contains(t, page, "http.md#signed-out")
}

func TestSignOut(t *testing.T) {
	s := newSite(t)
	alice := s.signIn("alice")
	_, page := alice.post("/sign-out")
	assert.Contains(t, page, "<h1>Sign in</h1>")
	_, page = alice.get("/teams")
	assert.Contains(t, page, "<h1>Sign in</h1>")
}

func TestMembersJSON(t *testing.T) {
	s := newSite(t)
	alice := s.signIn("alice")
	sales := alice.founded("Acme", "Sales")
	carol := s.signIn("carol")
	status, _ := carol.post("/join", "token", alice.invited(sales, "carol@client.example", "restricted"))
	require.Equal(t, http.StatusOK, status)

	status, body := alice.get("/api" + sales + "/members")
	assert.Equal(t, http.StatusOK, status)
	assert.JSONEq(t, `{"members":[
		{"user":"`+s.user("alice").String()+`","name":"Alice","role":"manager"},
		{"user":"`+s.user("carol").String()+`","name":"Carol","role":"restricted"}]}`, body)
	status, body = carol.get("/api" + sales + "/members")
	assert.Equal(t, http.StatusForbidden, status)
	assert.Contains(t, body, `"permission":"member: list"`)
	status, body = alice.get("/api" + sales + "/members?after=nonsense")
	assert.Equal(t, http.StatusUnprocessableEntity, status)
	assert.Contains(t, body, `"field":"cursor"`)
	status, body = s.signIn("mallory").get("/api" + sales + "/members")
	assert.Equal(t, http.StatusNotFound, status)
	assert.Contains(t, body, "http.md#not-found")
}

func TestInvitationThatEnded(t *testing.T) {
	s := newSite(t)
	alice := s.signIn("alice")
	token := alice.invited(alice.founded("Acme", "Sales"), "bob@acme.example", "member")
	s.now = s.now.Add(invite.DefaultExpiry)
	bob := s.signIn("bob")
	_, page := bob.get("/join?token=" + token)
	assert.Contains(t, page, "The invitation is expired.")
	status, _ := bob.post("/join", "token", token)
	assert.Equal(t, http.StatusGone, status)
	for _, unknown := range []string{"", "nonsense", strings.Repeat("A", len(token))} {
		status, _ = bob.get("/join?token=" + unknown)
		assert.Equal(t, http.StatusNotFound, status)
		status, _ = bob.post("/join", "token", unknown)
		assert.Equal(t, http.StatusNotFound, status)
	}
}
