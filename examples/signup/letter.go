package signup

import (
	"fmt"
	"net/http"

	"github.com/usher-go/usher/tenancy"
)

// sendLetter mails a link to whatever address was typed in. It is a letter of the host's own, and
// not the invitation: it opens an account, once and for a quarter of an hour.
func (h *Host) sendLetter(w http.ResponseWriter, r *http.Request) error {
	email, err := tenancy.ParseAddress(r.PostFormValue("email"))
	if err != nil {
		return err
	}
	h.post(email, "/letter?key="+h.letters.put(email))
	fmt.Fprintln(w, "We have mailed you a link.")
	return nil
}

// showLetter is where the link leads: to a button, since mail scanners follow links and press none.
func (h *Host) showLetter(w http.ResponseWriter, _ *http.Request) error {
	fmt.Fprintln(w, "Sign in?")
	return nil
}

// openLetter signs in whoever reads the mail of the address. The first time it makes them a user.
func (h *Host) openLetter(w http.ResponseWriter, r *http.Request) error {
	email, found := h.letters.take(r.PostFormValue("key"))
	if !found {
		return errSignIn
	}
	p := h.known(email)
	if p.user.IsZero() {
		user, err := h.usher.Tenancy.Register(r.Context(), "sign-in", tenancy.Profile{Email: email.Display, Verified: true})
		if err != nil {
			return err
		}
		p = person{user: user.ID}
		h.remember(email, p)
	}
	return h.signIn(w, r, p.user)
}
