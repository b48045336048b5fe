package ushertest

import "github.com/usher-go/usher/conversation"

// Texts delivers what is due, as [World.Post] does, and lists the messages that were sent to the contact
// with the address, of whatever team, oldest first.
func (w *World) Texts(contact string) []conversation.Outgoing {
	w.t.Helper()
	w.Post()
	return w.Sent.To(contact)
}

// Texted delivers what is due and answers the newest message to the contact. It ends the test if they
// have got none.
func (w *World) Texted(contact string) conversation.Outgoing {
	w.t.Helper()
	texts := w.Texts(contact)
	if len(texts) == 0 {
		w.t.Fatalf("ushertest: no message was sent to %s", contact)
		return conversation.Outgoing{}
	}
	return texts[len(texts)-1]
}

// NotTexted delivers what is due and asserts that the contact has got no message.
func (w *World) NotTexted(contact string) {
	w.t.Helper()
	if texts := w.Texts(contact); len(texts) > 0 {
		w.t.Errorf("ushertest: %s should have got no message, but got %q", contact, texts[len(texts)-1].Text)
	}
}
