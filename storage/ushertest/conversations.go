package ushertest

import (
	"fmt"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/tenancy"
)

// Receive lets a contact write to the team, each time a new message.
func (w *World) Receive(team, contact, text string) conversation.Conversation {
	w.t.Helper()
	w.inbound++
	c, err := w.Conversations.Receive(w.t.Context(), System, conversation.Inbound{
		To: w.TeamNamed(team).Identity, From: contact, ID: fmt.Sprint("inbound-", w.inbound), Text: text,
	})
	w.must(err)
	return c
}

// Guest makes the person a guest of the conversation: invited by the actor, and accepted.
func (w *World) Guest(by tenancy.Actor, id tenancy.ConversationID, user string) tenancy.Actor {
	w.t.Helper()
	_, err := w.Invites.Create(w.t.Context(), by, invite.ToConversation(Email(user), id))
	w.must(err)
	guest := w.User(user).ID
	_, err = w.Invites.Accept(w.t.Context(), guest, w.Token(user))
	w.must(err)
	return tenancy.Actor{User: guest, Team: by.Team}
}
