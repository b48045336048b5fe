package main

import (
	"encoding/json"
	"net/http"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
	"github.com/usher-go/usher/tenancy/access"
)

// roster is what the pages of a team show.
type roster struct {
	Team        tenancy.Team
	Me          tenancy.UserID
	Members     tenancy.List[tenancy.Member]
	Invitations tenancy.List[invite.Invitation]
	Roles       []rbac.Role
}

func (s *server) roster(r *http.Request) (roster, error) {
	actor := access.Actor(r.Context())
	team, err := s.usher.Tenancy.Team(r.Context(), actor)
	if err != nil {
		return roster{}, err
	}
	members, err := s.usher.Tenancy.Members(r.Context(), actor, tenancy.Page{After: tenancy.Cursor(r.FormValue("after"))})
	return roster{Team: team, Me: actor.User, Members: members, Roles: rbac.TeamRoles()}, err
}

func (s *server) members(w http.ResponseWriter, r *http.Request) error {
	page, err := s.roster(r)
	if err != nil {
		return err
	}
	return s.show(w, r, "members", page)
}

func (s *server) manage(w http.ResponseWriter, r *http.Request) error {
	page, err := s.roster(r)
	if err != nil {
		return err
	}
	page.Invitations, err = s.usher.Invites.List(r.Context(), access.Actor(r.Context()), invite.Filter{State: invite.Pending}, tenancy.Page{})
	if err != nil {
		return err
	}
	return s.show(w, r, "manage", page)
}

func (s *server) invite(w http.ResponseWriter, r *http.Request) error {
	actor := access.Actor(r.Context())
	role, err := rbac.ParseRole(r.PostFormValue("role"))
	if err != nil {
		return err
	}
	if _, err := s.usher.Invites.Create(r.Context(), actor, invite.ToTeam(r.PostFormValue("email"), role)); err != nil {
		return err
	}
	return back(w, r, managePath(actor.Team))
}

func (s *server) changeRole(w http.ResponseWriter, r *http.Request) error {
	actor := access.Actor(r.Context())
	user, err := userOf(r)
	if err != nil {
		return err
	}
	role, err := rbac.ParseRole(r.PostFormValue("role"))
	if err != nil {
		return err
	}
	if _, err := s.usher.Tenancy.ChangeRole(r.Context(), actor, user, role); err != nil {
		return err
	}
	return back(w, r, membersPath(actor.Team)) // who has made themselves a member may not manage any more
}

func (s *server) remove(w http.ResponseWriter, r *http.Request) error {
	actor := access.Actor(r.Context())
	user, err := userOf(r)
	if err != nil {
		return err
	}
	if err := s.usher.Tenancy.Remove(r.Context(), actor, user); err != nil {
		return err
	}
	if user == actor.User {
		return back(w, r, "/teams")
	}
	return back(w, r, managePath(actor.Team))
}

// userOf is the member whom the path names: what is no id is not found, like a stranger's.
func userOf(r *http.Request) (tenancy.UserID, error) {
	user, err := tenancy.ParseID[tenancy.UserID](r.PathValue("user"))
	if err != nil {
		return tenancy.UserID{}, tenancy.ErrNotFound
	}
	return user, nil
}

// membersJSON is the list for programs; what goes wrong is a problem and not a page.
func (s *server) membersJSON(w http.ResponseWriter, r *http.Request) {
	page, err := s.roster(r)
	if err != nil {
		access.Refuse(w, r, err)
		return
	}
	type member struct {
		User tenancy.UserID `json:"user"`
		Name string         `json:"name"`
		Role rbac.Role      `json:"role"`
	}
	members := []member{}
	for _, m := range page.Members.Items {
		members = append(members, member{m.User, m.Name, m.Role})
	}
	body, err := json.Marshal(struct {
		Members []member       `json:"members"`
		Next    tenancy.Cursor `json:"next,omitempty"`
	}{members, page.Members.Next})
	if err != nil {
		access.Refuse(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(body) // to a client that may have gone
}
