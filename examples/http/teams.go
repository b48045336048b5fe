package main

import (
	"context"
	"net/http"

	"github.com/usher-go/usher/tenancy"
	"github.com/usher-go/usher/tenancy/access"
)

func (s *server) signInPage(w http.ResponseWriter, r *http.Request) error {
	return s.show(w, r, "sign-in", directory())
}

func (s *server) signIn(w http.ResponseWriter, r *http.Request) error {
	user, err := s.register(r.Context(), r.PostFormValue("person"))
	if err != nil {
		return err
	}
	http.SetCookie(w, s.sessions.begin(user.ID))
	return back(w, r, "/")
}

func (s *server) signOut(w http.ResponseWriter, r *http.Request) error {
	http.SetCookie(w, s.sessions.end())
	return back(w, r, "/sign-in")
}

// home opens the team that the user has last switched to, if it is still theirs.
func (s *server) home(w http.ResponseWriter, r *http.Request, id tenancy.UserID) error {
	user, err := s.usher.Tenancy.User(r.Context(), id)
	if err != nil {
		return err
	}
	if _, err := s.usher.Tenancy.Standing(r.Context(), tenancy.Actor{User: id, Team: user.ActiveTeam}); err != nil {
		return back(w, r, "/teams")
	}
	return back(w, r, membersPath(user.ActiveTeam))
}

func (s *server) teams(w http.ResponseWriter, r *http.Request, id tenancy.UserID) error {
	user, err := s.usher.Tenancy.User(r.Context(), id)
	if err != nil {
		return err
	}
	teams, err := s.usher.Tenancy.MyTeams(r.Context(), id, tenancy.Page{After: tenancy.Cursor(r.FormValue("after"))})
	if err != nil {
		return err
	}
	return s.show(w, r, "teams", struct {
		User  tenancy.User
		Teams tenancy.List[tenancy.TeamOfUser]
	}{user, teams})
}

// createTeam makes an account with a first team: both, or neither.
func (s *server) createTeam(w http.ResponseWriter, r *http.Request, user tenancy.UserID) error {
	var team tenancy.Team
	err := s.store.InTx(r.Context(), func(ctx context.Context) error {
		account, err := s.usher.Tenancy.CreateAccount(ctx, user, r.PostFormValue("account"))
		if err != nil {
			return err
		}
		team, err = s.usher.Tenancy.CreateTeam(ctx, account.Holder(user), tenancy.TeamSpec{Name: r.PostFormValue("team")})
		return err
	})
	if err != nil {
		return err
	}
	return back(w, r, membersPath(team.ID))
}

func (s *server) switchTeam(w http.ResponseWriter, r *http.Request) error {
	actor := access.Actor(r.Context())
	team, err := s.usher.Tenancy.Switch(r.Context(), actor.User, actor.Team)
	if err != nil {
		return err
	}
	return back(w, r, membersPath(team.ID))
}

func membersPath(team tenancy.TeamID) string { return "/teams/" + team.String() + "/members" }
func managePath(team tenancy.TeamID) string  { return "/teams/" + team.String() + "/manage" }
