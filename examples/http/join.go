package main

import (
	"net/http"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/tenancy"
)

// preview shows an invitation to whoever has the link, signed in or not. It changes nothing, also
// when a mail program opens every link.
func (s *server) preview(w http.ResponseWriter, r *http.Request) error {
	token, err := invite.ParseToken(r.FormValue("token"))
	if err != nil {
		return err
	}
	preview, err := s.usher.Invites.Preview(r.Context(), token)
	if err != nil {
		return err
	}
	user, err := s.sessions.user(r)
	if err != nil {
		return err
	}
	return s.show(w, r, "join", struct {
		invite.Preview
		Open, SignedIn bool
		Token          string
	}{preview, preview.State == invite.Pending, !user.IsZero(), token.Reveal()})
}

// join accepts an invitation. Whether it is for this user, usher decides.
func (s *server) join(w http.ResponseWriter, r *http.Request, user tenancy.UserID) error {
	token, err := invite.ParseToken(r.PostFormValue("token"))
	if err != nil {
		return err
	}
	invitation, err := s.usher.Invites.Accept(r.Context(), user, token)
	if err != nil {
		return err
	}
	if _, err := s.usher.Tenancy.Switch(r.Context(), user, invitation.Team); err != nil {
		return err
	}
	return back(w, r, "/teams")
}
