package ushertest

import (
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/tenancy"
)

// Link makes a link into the actor's team, with its token.
func (w *World) Link(by tenancy.Actor, spec invite.LinkSpec, options ...invite.Option) invite.Link {
	w.t.Helper()
	link, err := w.Invites.CreateLink(w.t.Context(), by, spec, options...)
	w.must(err)
	return link
}

// Comes lets the person in by the link, and answers them acting in its team.
func (w *World) Comes(user string, by invite.Link) tenancy.Actor {
	w.t.Helper()
	u := w.User(user)
	_, err := w.Invites.Accept(w.t.Context(), u.ID, by.Token)
	w.must(err)
	return tenancy.Actor{User: u.ID, Team: by.Team}
}

// Asks lets the person ask to join the team, whose settings must name the domain of their [Email]
// among the JoinDomains.
func (w *World) Asks(user, team string) invite.Invitation {
	w.t.Helper()
	request, err := w.Invites.Ask(w.t.Context(), w.User(user).ID, w.TeamNamed(team).ID)
	w.must(err)
	return request
}
