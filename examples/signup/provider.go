package signup

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/usher-go/usher/tenancy"
)

// Provider is an OpenID provider that the host believes about addresses. All of it is
// configuration, Callback too: the address of this host's own /provider.
type Provider struct {
	Issuer, Authorize, Token string
	ClientID, ClientSecret   string
	Callback                 string
	Client                   *http.Client
}

// trip is what the host keeps while somebody is at the provider.
type trip struct{ nonce, verifier string }

const tripCookie = "__Host-trip"

// leave sends the browser to the provider. The state is in a cookie, so that what comes back is
// taken from the browser that left and from no other. The invitation's token stays here.
func (h *Host) leave(w http.ResponseWriter, r *http.Request) error {
	t := trip{nonce: rand.Text(), verifier: rand.Text() + rand.Text()}
	state := h.trips.put(t)
	challenge := sha256.Sum256([]byte(t.verifier))
	http.SetCookie(w, cookie(tripCookie, state, 10*time.Minute))
	http.Redirect(w, r, h.provider.Authorize+"?"+url.Values{
		"response_type": {"code"}, "scope": {"openid email profile"},
		"client_id": {h.provider.ClientID}, "redirect_uri": {h.provider.Callback},
		"state": {state}, "nonce": {t.nonce},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"},
	}.Encode(), http.StatusSeeOther)
	return nil
}

// comeBack registers whoever the provider vouches for.
func (h *Host) comeBack(w http.ResponseWriter, r *http.Request) error {
	state, err := r.Cookie(tripCookie)
	if err != nil || state.Value != r.URL.Query().Get("state") {
		return errSignIn
	}
	t, found := h.trips.take(state.Value)
	if !found {
		return errSignIn
	}
	who, err := h.provider.claims(r.Context(), r.URL.Query().Get("code"), t)
	if err != nil || !who.meant(h.provider, t, h.trips.now()) {
		return errSignIn
	}
	user, err := h.usher.Tenancy.Register(r.Context(), "sign-in", who.profile())
	if err != nil {
		return err
	}
	return h.signIn(w, r, user.ID)
}

// claims are what an ID token says of somebody. One that is for several audiences is refused.
type claims struct {
	Issuer        string          `json:"iss"`
	Audience      string          `json:"aud"`
	Subject       string          `json:"sub"`
	Expires       int64           `json:"exp"`
	Nonce         string          `json:"nonce"`
	Email         string          `json:"email"`
	EmailVerified json.RawMessage `json:"email_verified"`
	Name          string          `json:"name"`
}

// meant reports whether the claims are the answer to what was asked.
func (c claims) meant(p Provider, t trip, now time.Time) bool {
	return c.Issuer == p.Issuer && c.Audience == p.ClientID && c.Subject != "" && c.Nonce == t.nonce && now.Unix() < c.Expires
}

// profile is what usher is told. Who they are is the issuer and the subject, and never the address,
// which may be somebody else's next year. The address is verified if the provider says true: a
// claim that is missing, or the text "true", is no word to rely on.
func (c claims) profile() tenancy.Profile {
	return tenancy.Profile{
		ExternalID: c.Issuer + "|" + c.Subject,
		Email:      c.Email, Verified: string(c.EmailVerified) == "true", Name: c.Name,
	}
}

// claims trades the code for an ID token. It comes from the provider itself over TLS, which then
// stands for the signature (OpenID Connect Core, section 3.1.3.7); a token that came by way of the
// browser would have to be checked with the provider's keys.
func (p Provider) claims(ctx context.Context, code string, t trip) (claims, error) {
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {p.Callback}, "code_verifier": {t.verifier}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.Token, strings.NewReader(form.Encode()))
	if err != nil {
		return claims{}, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(url.QueryEscape(p.ClientID), url.QueryEscape(p.ClientSecret))
	response, err := p.Client.Do(request)
	if err != nil {
		return claims{}, err
	}
	defer response.Body.Close()
	var answer struct {
		IDToken string `json:"id_token"`
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxForm)).Decode(&answer); err != nil {
		return claims{}, err
	}
	parts := strings.Split(answer.IDToken, ".")
	if response.StatusCode != http.StatusOK || len(parts) != 3 {
		return claims{}, fmt.Errorf("the provider answered %d and no ID token", response.StatusCode)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return claims{}, err
	}
	var c claims
	err = json.Unmarshal(payload, &c)
	return c, err
}
