package ushertest

import (
	"slices"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/tenancy"
)

// Post delivers all mail that is due, all messages to contacts, and all events to the sinks.
func (w *World) Post() {
	w.t.Helper()
	_, err := w.Relay.Drain(w.t.Context())
	w.must(err)
}

// Mails delivers all mail that is due and lists what the person has got, oldest first.
func (w *World) Mails(user string) []invite.Mail {
	w.t.Helper()
	to, err := tenancy.ParseAddress(Email(user))
	w.must(err)
	w.Post()
	return slices.DeleteFunc(w.Mail.All(), func(m invite.Mail) bool { return m.To.Normal != to.Normal })
}

// Mailed delivers all mail that is due and answers the newest mail to the person. It ends the
// test if they have got none.
func (w *World) Mailed(user string) invite.Mail {
	w.t.Helper()
	mails := w.Mails(user)
	if len(mails) == 0 {
		w.t.Fatalf("ushertest: no mail was sent to %s", Email(user))
		return invite.Mail{}
	}
	return mails[len(mails)-1]
}

// NotMailed delivers all mail that is due and asserts that the person has got none.
func (w *World) NotMailed(user string) {
	w.t.Helper()
	if mails := w.Mails(user); len(mails) > 0 {
		w.t.Errorf("ushertest: %s should have got no mail, but got %q", Email(user), mails[len(mails)-1].Subject())
	}
}

// Token is the one in the newest mail to the person; see [World.Mailed].
func (w *World) Token(user string) invite.Token {
	w.t.Helper()
	return w.Mailed(user).Token
}
