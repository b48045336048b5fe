package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/tenancy"
)

// receive is what a host does with a message that its telephone provider hands over.
func (s *stage) receive(ctx context.Context, _ *person, a args) (answer, error) {
	to, err := s.recipient(a)
	if err != nil {
		return answer{}, err
	}
	c, err := s.usher.Conversations.Receive(ctx, host, conversation.Inbound{
		To: to, From: a["NUMBER"], ID: rand.Text(), Text: a["TEXT"],
	})
	if err != nil {
		return answer{}, err
	}
	s.letters[a["NUMBER"]], s.threads[a["NUMBER"]] = to, c.ID
	s.numbers[c.ID], s.thread, s.team = a["NUMBER"], c.ID, c.Team
	if c.LastSeq == 1 {
		return done("a conversation with %s begins", s.teamName(ctx, c.Team)), nil
	}
	return done("message %d of the conversation, which is with %s", c.LastSeq, s.teamName(ctx, c.Team)), nil
}

// recipient is the number that a contact writes to.
func (s *stage) recipient(a args) (tenancy.Identity, error) {
	to, wrote := s.letters[a["NUMBER"]]
	if !wrote {
		to = s.first
	}
	if a["TEAM"] != "" {
		id, err := s.teamNamed(a["TEAM"])
		if err != nil {
			return tenancy.Identity{}, err
		}
		to = s.teams[id].Identity
	}
	if to.IsZero() {
		return to, fmt.Errorf("%w: the team has no number", tenancy.ErrNotFound)
	}
	return to, nil
}

// current is the conversation that the person has on their screen.
func (s *stage) current(who *person) (tenancy.ConversationID, error) {
	switch {
	case !who.thread.IsZero():
		return who.thread, nil
	case !s.thread.IsZero():
		return s.thread, nil
	}
	return tenancy.ConversationID{}, fmt.Errorf("%w: no contact has written yet", tenancy.ErrNotFound)
}

// say types a line: text to the contact, or a command.
func (s *stage) say(ctx context.Context, who *person, a args) (answer, error) {
	id, err := s.current(who)
	if err != nil {
		return answer{}, err
	}
	reply, err := s.usher.Conversations.Type(ctx, s.actor(who), id, a["TEXT"])
	if errors.Is(err, conversation.ErrDeliveryPending) {
		return s.deliveryLeftOver(ctx, who, id, err)
	}
	if err != nil {
		return s.leftOver(ctx, who, err)
	}
	who.thread = id
	if reply.Text == "" {
		return done("sent to %s", s.numbers[id]), nil
	}
	lines := strings.Split(strings.TrimSpace(reply.Text), "\n")
	return answer{text: "usher answers " + who.name + ": " + lines[0], more: lines[1:]}, nil
}

// deliveryLeftOver is leftOver for a delivery that waits for its invitation.
func (s *stage) deliveryLeftOver(ctx context.Context, who *person, id tenancy.ConversationID, pending error) (answer, error) {
	cards, err := s.usher.Conversations.History(ctx, s.actor(who), id)
	if err != nil {
		return answer{}, err
	}
	for _, d := range cards {
		if d.State == conversation.DeliveryPending && s.earlier(d.CreatedAt) {
			if _, err := s.mailed(d.Recipient.Email.Display); err == nil {
				return answer{}, pending
			}
			_, err := s.usher.Invites.Resend(ctx, s.actor(who), d.Invitation)
			return before("an earlier run did that and ended before the answer; the invitation is sent again"), err
		}
	}
	return answer{}, pending
}

// read opens a conversation on the person's screen.
func (s *stage) read(ctx context.Context, who *person, a args) (answer, error) {
	id, err := s.find(ctx, who, a["NUMBER"])
	if err != nil {
		return answer{}, err
	}
	c, err := s.usher.Conversations.Get(ctx, s.actor(who), id)
	if err != nil {
		return answer{}, err
	}
	messages, err := s.usher.Conversations.Messages(ctx, s.actor(who), id, c.LastSeq-screenful, screenful)
	if err != nil {
		return answer{}, err
	}
	contact, err := s.usher.Conversations.Contact(ctx, s.actor(who), id)
	if err != nil {
		return answer{}, err
	}
	who.thread, s.numbers[id] = id, c.Address
	return s.screen(ctx, c, contact, messages), nil
}

// screenful is how many messages fit on the screen.
const screenful = 6

// screen shows the end of a conversation as the reader sees it.
func (s *stage) screen(ctx context.Context, c conversation.Conversation, contact conversation.Contact, messages []conversation.Message) answer {
	shown := done("%s", c.Status)
	if c.Label != "" { // guests are told none
		shown.text += ", label " + string(c.Label)
	}
	if !c.Assignee.IsZero() {
		shown.text += ", assigned to " + s.userName(ctx, c.Assignee)
	}
	if c.LastSeq > screenful {
		shown.more = []string{"…"}
	}
	for _, m := range messages {
		author := cmp.Or(contact.Name, c.Address)
		switch m.Kind {
		case conversation.OutboundMessage:
			author = s.userName(ctx, m.Author)
		case conversation.NoteMessage:
			author = "note by " + s.userName(ctx, m.Author)
		case conversation.InboundMessage, conversation.AutomaticMessage, conversation.SystemMessage:
		}
		shown.more = append(shown.more, author+": "+strings.Join(strings.Fields(m.Text), " "))
	}
	return shown
}

// find looks for the conversation with a contact: the one that they wrote in last, or else one
// that the person may list.
func (s *stage) find(ctx context.Context, who *person, number string) (tenancy.ConversationID, error) {
	if id, known := s.threads[number]; known {
		return id, nil
	}
	mine, err := all(func(p tenancy.Page) (tenancy.List[conversation.Conversation], error) {
		return s.usher.Conversations.List(ctx, s.actor(who), conversation.Filter{}, p)
	})
	for _, c := range mine {
		if c.Address == number {
			return c.ID, nil
		}
	}
	if err == nil {
		err = fmt.Errorf("%w: %s sees no conversation with %s", tenancy.ErrNotFound, who.name, number)
	}
	return tenancy.ConversationID{}, err
}

// next gives the person the conversation that has waited longest of those that are theirs to answer.
func (s *stage) next(ctx context.Context, who *person, _ args) (answer, error) {
	c, err := s.usher.Conversations.Next(ctx, s.actor(who), conversation.AgentQueue)
	if err != nil {
		return answer{}, err
	}
	who.thread, s.numbers[c.ID] = c.ID, c.Address
	return done("the one with %s, which nobody else can answer now", c.Address), nil
}

func (s *stage) revokeGuest(ctx context.Context, who *person, a args) (answer, error) {
	id, err := s.current(who)
	if err != nil {
		return answer{}, err
	}
	other := s.person(a["PERSON"])
	err = s.usher.Conversations.RevokeGuest(ctx, s.actor(who), id, other.id)
	return done("%s does not see it any more", other.name), err
}

func (s *stage) editContact(ctx context.Context, who *person, a args) (answer, error) {
	id, err := s.current(who)
	if err != nil {
		return answer{}, err
	}
	value := a["VALUE"]
	edit := map[string]conversation.ContactEdit{
		"name": {Name: &value}, "email": {Email: &value}, "notes": {Notes: &value},
	}[a["FIELD"]]
	_, err = s.usher.Conversations.EditContact(ctx, s.actor(who), id, edit)
	return done("the contact's %s is saved", a["FIELD"]), err
}
