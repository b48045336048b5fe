package signup

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"
)

// provider is an OpenID provider at which everybody is signed in already and agrees. It checks what
// a real one checks: the client, the callback, PKCE, and that a code is used once.
type provider struct {
	now func() time.Time
	url string
	// says is what the next ID token says, beside what the protocol asks for.
	says map[string]any
	// state is what it gives back instead of what it got.
	state string

	mu    sync.Mutex
	asked map[string]url.Values // by code
	sent  []string              // the queries that browsers came with
}

const clientSecret = "s3cret/with:signs"

func serveProvider(t *testing.T, now func() time.Time) *provider {
	t.Helper()
	p, stop := newProvider(now)
	t.Cleanup(stop)
	return p
}

func newProvider(now func() time.Time) (p *provider, stop func()) {
	p = &provider{now: now, asked: map[string]url.Values{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	server := httptest.NewTLSServer(mux)
	p.url = server.URL
	return p, server.Close
}

func (p *provider) authorize(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	query := r.URL.Query()
	p.sent = append(p.sent, r.URL.RawQuery)
	code := "code-" + query.Get("nonce")
	p.asked[code] = query
	http.Redirect(w, r, query.Get("redirect_uri")+"?"+url.Values{"code": {code}, "state": {cmp.Or(p.state, query.Get("state"))}}.Encode(), http.StatusSeeOther)
}

func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	asked, found := p.asked[r.PostFormValue("code")]
	delete(p.asked, r.PostFormValue("code"))
	challenge := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	id, secret, _ := r.BasicAuth()
	if !found || id != "acme" || secret != url.QueryEscape(clientSecret) || r.PostFormValue("redirect_uri") != asked.Get("redirect_uri") ||
		asked.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(challenge[:]) {
		http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
		return
	}
	says := map[string]any{
		"iss": p.url, "aud": asked.Get("client_id"), "nonce": asked.Get("nonce"), "exp": p.now().Add(time.Minute).Unix(),
	}
	maps.Copy(says, p.says)
	payload, err := json.Marshal(says)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	part := base64.RawURLEncoding.EncodeToString
	answer, err := json.Marshal(map[string]string{
		"token_type": "Bearer", "access_token": "opaque",
		"id_token": part([]byte(`{"alg":"RS256"}`)) + "." + part(payload) + "." + part([]byte("signature")),
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_, _ = w.Write(answer)
}
