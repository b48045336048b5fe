package ushertest

import (
	"math"
	"slices"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/tenancy"
)

// AccountNamed is the account of that name that was made last, as it was made.
func (w *World) AccountNamed(name string) tenancy.Account {
	w.t.Helper()
	for _, account := range slices.Backward(w.accounts) {
		if account.Name == name {
			return account
		}
	}
	w.t.Fatalf("ushertest: there is no account %q", name)
	return tenancy.Account{}
}

// Holder is the user who made the account, acting as its holder.
func (w *World) Holder(account string) tenancy.Holder {
	w.t.Helper()
	a := w.AccountNamed(account)
	return a.Holder(a.HeldBy)
}

// TeamNamed is the team of that name that was made last, as it was made.
func (w *World) TeamNamed(name string) tenancy.Team {
	w.t.Helper()
	team, ok := w.teams[name]
	if !ok {
		w.t.Fatalf("ushertest: there is no team %q", name)
	}
	return team
}

// Actor is the person acting in the team, whether or not they are in it.
func (w *World) Actor(user, team string) tenancy.Actor {
	w.t.Helper()
	return tenancy.Actor{User: w.User(user).ID, Team: w.TeamNamed(team).ID}
}

// Membership is what the person is in the team now, or was until they were removed.
func (w *World) Membership(user, team string) tenancy.Membership {
	w.t.Helper()
	m, err := w.Store.Membership(w.t.Context(), w.TeamNamed(team).ID, w.User(user).ID)
	if err != nil {
		w.t.Fatalf("ushertest: %s has no membership in %s: %v", user, team, err)
	}
	return m
}

// Invitation is the newest invitation of the person into the team, or into one of its
// conversations, in its state of now.
func (w *World) Invitation(user, team string) invite.Invitation {
	w.t.Helper()
	to, err := tenancy.ParseAddress(Email(user))
	w.must(err)
	for _, inv := range w.invitations(w.TeamNamed(team).ID) {
		if inv.Email.Normal == to.Normal {
			inv.State = inv.StateAt(w.Clock.Now())
			return inv
		}
	}
	w.t.Fatalf("ushertest: %s was not invited into %s", user, team)
	return invite.Invitation{}
}

// invitations are those of the team, newest first.
func (w *World) invitations(team tenancy.TeamID) []invite.Invitation {
	w.t.Helper()
	records, err := w.Store.Invitations(w.t.Context(), team, invite.Filter{Now: w.Clock.Now()}, everything)
	w.must(err)
	all := make([]invite.Invitation, len(records))
	for i, r := range records {
		all[i] = r.Invitation
	}
	return all
}

// everything is the page that has all of a list.
var everything = tenancy.Keyset{Limit: math.MaxInt32}

// name is what the test calls the user or team with the id, and otherwise the id.
func (w *World) name(id string) string {
	for name, user := range w.users {
		if user.ID.String() == id {
			return name
		}
	}
	for name, team := range w.teams {
		if team.ID.String() == id {
			return name
		}
	}
	return id
}
