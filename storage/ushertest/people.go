package ushertest

import (
	"strings"
	"time"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// anHour is how long those who are Expired had: the least that an invitation is valid for.
const anHour = invite.MinExpiry

// Somebody is who comes into a team: a [Person] or an [Invitee].
type Somebody interface {
	// comeInto takes them into the team that was made last.
	comeInto(w *World)
	// lapsed says that their time is over when the test begins.
	lapsed() bool
}

// Person is somebody with a place in a team.
type Person struct {
	name    string
	role    rbac.Role
	custom  string
	expires bool
	lasts   time.Duration
	expired bool
	end     func(w *World, user tenancy.UserID) error
}

// Manager is a person with the role Manager.
func Manager(name string) Person { return Person{name: name, role: rbac.Manager} }

// Member is a person with the role Member.
func Member(name string) Person { return Person{name: name, role: rbac.Member} }

// Restricted is a person with the role Restricted, who sees nothing until they are a guest of
// a conversation.
func Restricted(name string) Person { return Person{name: name, role: rbac.Restricted} }

// As gives the person a custom role that [World.Role] has made, in place of the one they came
// in with.
func (p Person) As(role string) Person {
	p.custom = role
	return p
}

// Expiring ends the membership by the clock, so long after the person has come.
func (p Person) Expiring(after time.Duration) Person {
	p.expires, p.lasts = true, after
	return p
}

// Expired is a person whose membership has ended by the clock; [World.Sweep] writes it down.
func (p Person) Expired() Person {
	p.expired = true
	return p.Expiring(anHour)
}

// Suspended is a person who was suspended.
func (p Person) Suspended() Person {
	p.end = func(w *World, user tenancy.UserID) error {
		_, err := w.Tenancy.Suspend(w.t.Context(), w.boss(), user)
		return err
	}
	return p
}

// Removed is a person who was removed.
func (p Person) Removed() Person {
	p.end = func(w *World, user tenancy.UserID) error {
		return w.Tenancy.Remove(w.t.Context(), w.boss(), user)
	}
	return p
}

func (p Person) lapsed() bool { return p.expired }

func (p Person) comeInto(w *World) {
	w.t.Helper()
	admission := tenancy.Admission{Team: w.team.ID, User: w.User(p.name).ID, Role: p.role}
	if p.expires {
		admission.ExpiresAt = w.Clock.Now().Add(p.lasts)
	}
	_, err := w.Tenancy.Admit(w.t.Context(), System, admission)
	w.must(err)
	if p.custom != "" {
		role, ok := w.roles[p.custom]
		if !ok {
			w.t.Fatalf("ushertest: %s cannot come in as %q: make that role first", p.name, p.custom)
		}
		_, err := w.Tenancy.GiveRole(w.t.Context(), w.boss(), admission.User, role.ID)
		w.must(err)
	}
	if p.end != nil {
		w.must(p.end(w, admission.User))
	}
}

// Invitee is somebody whom the holder of the account has invited into a team, by mail.
type Invitee struct {
	name    string
	role    rbac.Role
	options []invite.Option
	expired bool
	end     func(w *World, invitation tenancy.InvitationID) error
}

// Invited is somebody with a pending invitation into the team, whose mail has arrived.
func Invited(name string, role rbac.Role) Invitee { return Invitee{name: name, role: role} }

// Expired is somebody who let the time of the invitation pass; [World.Sweep] writes it down.
func (i Invitee) Expired() Invitee {
	i.expired, i.options = true, []invite.Option{invite.ExpiresIn(anHour)}
	return i
}

// Declined is somebody who has declined the invitation.
func (i Invitee) Declined() Invitee {
	i.end = func(w *World, _ tenancy.InvitationID) error {
		_, err := w.Invites.Decline(w.t.Context(), w.User(i.name).ID, w.Token(i.name))
		return err
	}
	return i
}

// Revoked is somebody whose invitation was taken back.
func (i Invitee) Revoked() Invitee {
	i.end = func(w *World, invitation tenancy.InvitationID) error {
		_, err := w.Invites.Revoke(w.t.Context(), w.boss(), invitation)
		return err
	}
	return i
}

func (i Invitee) lapsed() bool { return i.expired }

func (i Invitee) comeInto(w *World) {
	w.t.Helper()
	inv, err := w.Invites.Create(w.t.Context(), w.boss(), invite.ToTeam(Email(i.name), i.role, i.options...))
	w.must(err)
	w.Post()
	if i.end != nil {
		w.must(i.end(w, inv.ID))
	}
}

// User is the person of that name, registered when first asked for and verified for their
// [Email].
func (w *World) User(name string) tenancy.User {
	w.t.Helper()
	if known, ok := w.users[name]; ok {
		return known
	}
	u, err := w.Tenancy.Register(w.t.Context(), System, tenancy.Profile{
		ExternalID: "ushertest:" + handle(name), Email: Email(name), Verified: true, Name: name,
	})
	w.must(err)
	w.users[name] = u
	return u
}

// Email is the address of the person of that name: bob@bob.example for Bob. Who is named by an
// address has that one.
func Email(name string) string {
	if strings.Contains(name, "@") {
		return name
	}
	name = handle(name)
	return name + "@" + name + ".example"
}

// handle is a name as it can stand in an address.
func handle(name string) string { return strings.ReplaceAll(strings.ToLower(name), " ", "-") }
