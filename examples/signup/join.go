package signup

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/tenancy"
	"github.com/usher-go/usher/tenancy/access"
)

const invitationCookie = "__Host-invitation"

// join shows an invitation to whoever has the link, signed in or not. It changes nothing, however
// often a mail scanner follows the link. The token goes from the address into a cookie, where it
// waits until they have signed in.
func (h *Host) join(w http.ResponseWriter, r *http.Request) error {
	if text := r.URL.Query().Get("token"); text != "" {
		token, err := invite.ParseToken(text)
		if err != nil {
			return err
		}
		http.SetCookie(w, cookie(invitationCookie, token.Reveal(), time.Hour))
		http.Redirect(w, r, "/join", http.StatusSeeOther)
		return nil
	}
	token, err := invited(r)
	if err != nil {
		return err
	}
	preview, err := h.usher.Invites.Preview(r.Context(), token)
	if err != nil {
		return err
	}
	user, err := h.user(r)
	if err != nil {
		return err
	}
	show(w, preview, !user.IsZero())
	return nil
}

// accept lets in whoever has signed in. Whether the invitation is for them, usher decides.
func (h *Host) accept(w http.ResponseWriter, r *http.Request) error {
	user, err := h.user(r)
	if err != nil {
		return err
	}
	token, err := invited(r)
	if err != nil {
		return err
	}
	// The form says which terms the page has shown; usher compares them with those that the team asks for.
	invitation, err := h.usher.Invites.Accept(r.Context(), user, token, invite.Terms(r.PostFormValue("terms")))
	var before *invite.AcceptedError
	if errors.As(err, &before) && before.Membership.Status == tenancy.MembershipActive {
		invitation, err = before.Invitation, nil // a second click, or the old link: they are in
	}
	if err != nil {
		return err
	}
	http.SetCookie(w, cookie(invitationCookie, "", -time.Second))
	http.Redirect(w, r, "/teams/"+invitation.Team.String(), http.StatusSeeOther)
	return nil
}

// invited is the token of the invitation that led to the sign-in.
func invited(r *http.Request) (invite.Token, error) {
	c, err := r.Cookie(invitationCookie)
	if err != nil {
		return invite.Token{}, tenancy.ErrNotFound
	}
	return invite.ParseToken(c.Value)
}

// show is text/plain; on a page of HTML the names are to be escaped.
func show(w http.ResponseWriter, p invite.Preview, signedIn bool) {
	fmt.Fprintf(w, "%s invites you to %s as %s. %s\n", p.Inviter, p.Team, p.Role, next(p, signedIn)) //nolint:gosec // not HTML
}

// next is what the page of an invitation asks for.
func next(p invite.Preview, signedIn bool) string {
	switch {
	case p.State == invite.Expired:
		return "It has expired: ask for another."
	case p.State == invite.Accepted && !signedIn:
		return "It was accepted: sign in to go in."
	case p.State == invite.Accepted:
		return "It was accepted: go in."
	case p.State != invite.Pending:
		return "It is no longer open: " + string(p.State) + "."
	case !signedIn:
		return "Sign in, or sign up, with the address that it was mailed to."
	case p.Terms != "":
		return "Accept, and agree to the terms " + p.Terms + "?"
	default:
		return "Accept?"
	}
}

// sorry says what somebody can do about a refusal. ErrUnverified comes before ErrWrongUser, which
// it is as well.
func sorry(err error) (status int, text string) {
	for _, known := range []struct {
		err    error
		status int
		text   string
	}{
		{errSignIn, http.StatusUnauthorized, "That did not work. Try again, or another way to sign in."},
		{tenancy.ErrNoPrincipal, http.StatusUnauthorized, "Sign in first."},
		{tenancy.ErrEmailTaken, http.StatusConflict, "You have an account with this address. Sign in the way you did before."},
		{invite.ErrUnverified, http.StatusForbidden, "Show first that your address is yours."},
		{invite.ErrWrongUser, http.StatusForbidden, "The invitation is for another address than yours. Sign in with the one that it was mailed to."},
		{invite.ErrInviterLost, http.StatusForbidden, "Whoever invited you may no longer do so. Ask somebody else in the team."},
		{tenancy.ErrExpired, http.StatusGone, "The invitation has expired. Ask for another."},
		{tenancy.ErrNotFound, http.StatusNotFound, "There is no such invitation. If you have got more than one mail, take the link in the newest."},
	} {
		if errors.Is(err, known.err) {
			return known.status, known.text
		}
	}
	problem := access.ProblemOf(err)
	return problem.Status, problem.Title
}
