package signup

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"

	"github.com/usher-go/usher/tenancy"
)

// signUp is somebody who says who they are, which nobody has checked.
type signUp struct {
	email    tenancy.Address
	name     string
	password hashed
}

// signUp mails a code to whatever address was typed in. The answer is the same for every address.
func (h *Host) signUp(w http.ResponseWriter, r *http.Request) error {
	email, err := tenancy.ParseAddress(r.PostFormValue("email"))
	if err != nil {
		return err
	}
	password, err := h.hash(r.PostFormValue("password"))
	if err != nil {
		return err
	}
	h.post(email, h.signUps.put(signUp{email: email, name: r.PostFormValue("name"), password: password}))
	fmt.Fprintln(w, "We have mailed you a code.")
	return nil
}

// confirm takes the code that was mailed: now, and not before, the address is theirs. It takes the
// password too. Otherwise the owner of the address could confirm the account that somebody else
// has prepared for them, and who knows its password.
func (h *Host) confirm(w http.ResponseWriter, r *http.Request) error {
	s, found := h.signUps.take(r.PostFormValue("code"))
	if !found || !h.opens(s.password, r.PostFormValue("password")) {
		return errSignIn
	}
	user, err := h.usher.Tenancy.Register(r.Context(), "sign-up", tenancy.Profile{
		Email: s.email.Display, Verified: true, Name: s.name,
	})
	if err != nil {
		return err
	}
	h.remember(s.email, person{user: user.ID, password: s.password})
	return h.signIn(w, r, user.ID)
}

func (h *Host) signInByPassword(w http.ResponseWriter, r *http.Request) error {
	email, err := tenancy.ParseAddress(r.PostFormValue("email"))
	if err != nil {
		return errSignIn
	}
	p := h.known(email)
	if !h.opens(p.password, r.PostFormValue("password")) {
		return errSignIn
	}
	return h.signIn(w, r, p.user)
}

// known is who has the address; the zero person if nobody has.
func (h *Host) known(email tenancy.Address) person {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.people[email.Normal]
}

func (h *Host) remember(email tenancy.Address, p person) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.people[email.Normal] = p
}

// hashed is what is kept of a password. The zero hashed is that of none, and takes as long to
// compare.
type hashed struct{ salt, key []byte }

func (h *Host) hash(password string) (hashed, error) {
	if len(password) < 12 || len(password) > 1000 {
		return hashed{}, &tenancy.InvalidError{Field: "password", Reason: "must have 12 to 1000 bytes"}
	}
	salt := []byte(rand.Text())
	key, err := h.stretch(password, salt)
	return hashed{salt: salt, key: key}, err
}

func (h *Host) opens(kept hashed, password string) bool {
	key, err := h.stretch(password, kept.salt)
	return err == nil && subtle.ConstantTimeCompare(key, kept.key) == 1
}

func (h *Host) stretch(password string, salt []byte) ([]byte, error) {
	return pbkdf2.Key(sha256.New, password, salt, h.rounds, sha256.Size)
}
