package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"time"

	"github.com/usher-go/usher/tenancy"
)

// sessions are the host's: a cookie that says who has signed in and until when, with a MAC. It
// says nothing of teams and roles: those are asked for in every request, so a session can be
// old and no right is. The key lives as long as the process.
type sessions struct {
	key []byte
	now func() time.Time
}

const (
	sessionCookie = "session"
	sessionLasts  = 8 * time.Hour
	idSize        = 16
	claimSize     = idSize + 8 // id, end in Unix seconds
)

var sessionText = base64.RawURLEncoding.Strict()

func newSessions(now func() time.Time) sessions {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // never fails since Go 1.24
	return sessions{key: key, now: now}
}

// begin is the cookie of a user who has signed in. Lax keeps other sites from posting with it, and
// lets a link in a mail in.
func (s sessions) begin(user tenancy.UserID) *http.Cookie {
	claim := binary.BigEndian.AppendUint64(user[:], uint64(s.now().Add(sessionLasts).Unix())) //nolint:gosec // after 1970
	return s.cookie(sessionText.EncodeToString(append(claim, s.mac(claim)...)), int(sessionLasts.Seconds()))
}

// end is the cookie that ends a session in the browser.
func (s sessions) end() *http.Cookie { return s.cookie("", -1) }

func (s sessions) cookie(value string, maxAge int) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // not Secure: the example listens on this machine only, without TLS
		Name: sessionCookie, Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

// user is who has signed in; zero for nobody, for a session that has ended and for a cookie that is
// not ours. It is an [access.Authenticate].
func (s sessions) user(r *http.Request) (tenancy.UserID, error) {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return tenancy.UserID{}, nil //nolint:nilerr // no cookie: nobody has signed in
	}
	raw, err := sessionText.DecodeString(cookie.Value)
	if err != nil || len(raw) != claimSize+sha256.Size {
		return tenancy.UserID{}, nil //nolint:nilerr // not ours
	}
	claim := raw[:claimSize]
	if !hmac.Equal(s.mac(claim), raw[claimSize:]) {
		return tenancy.UserID{}, nil
	}
	if uint64(s.now().Unix()) >= binary.BigEndian.Uint64(claim[idSize:]) { //nolint:gosec // after 1970
		return tenancy.UserID{}, nil
	}
	return tenancy.UserID(claim[:idSize]), nil
}

func (s sessions) mac(claim []byte) []byte {
	h := hmac.New(sha256.New, s.key)
	_, _ = h.Write(claim) // a hash never fails
	return h.Sum(nil)
}
