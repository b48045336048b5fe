package conversation

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/usher-go/usher/conversation/command"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// EditMessage replaces the text of the actor's own message or note; its attachments stay. Nobody puts
// words into another's mouth, so a manager deletes what others wrote and cannot edit it. It takes what
// writing the message takes: a note can be edited in a closed conversation, an answer cannot. What was
// handed to the [Sender] is final, since the contact may have read it. The same text changes nothing.
//
// Errors: [*tenancy.InvalidError], [tenancy.ErrNotFound] also for a message that the actor cannot
// see, [rbac.ErrDenied], [ErrClosed], [ErrDeleted], [ErrHandedOver].
func (s *Service) EditMessage(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, message tenancy.MessageID, text string) (Message, error) {
	return s.changeMessage(ctx, actor, id, message, "EditMessage", text, func(ctx context.Context, v view, m *Message, now time.Time) error {
		if err := v.mayEdit(*m, text); err != nil || m.Text == text {
			return err
		}
		m.Text, m.EditedAt = text, now
		return s.rewrite(ctx, actor, v.Conversation, m, now, edits)
	})
}

func (v view) mayEdit(m Message, text string) error {
	written, ok := m.Kind.writing()
	if !ok || m.Author != v.standing.Actor.User {
		return fmt.Errorf("only its author can edit a message: %w", rbac.ErrDenied)
	}
	if err := v.allows(written); err != nil {
		return err
	}
	switch {
	case !m.DeletedAt.IsZero():
		return ErrDeleted
	case !m.HandedAt.IsZero():
		return ErrHandedOver
	case m.Kind == OutboundMessage && len(text) <= MaxText && command.IsCommand(text):
		return errCommand
	}
	return said(text, m.Attachments)
}

// DeleteMessage takes the text and the attachments out of a message, and what it was found by. What is
// left is that it was there, whose it was and when; so no sequence gets a gap. Authors delete what they
// wrote, also in a closed conversation; whose role has "message: delete", as a manager's has, deletes
// any message, the contact's included. One that waits to be handed to the [Sender] is not sent any more;
// what was handed over cannot be called back. Deleting a deleted message changes nothing.
//
// Errors: [tenancy.ErrNotFound] also for a message that the actor cannot see, [rbac.ErrDenied].
func (s *Service) DeleteMessage(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, message tenancy.MessageID) (Message, error) {
	return s.changeMessage(ctx, actor, id, message, "DeleteMessage", nil, func(ctx context.Context, v view, m *Message, now time.Time) error {
		if err := v.mayDelete(*m); err != nil || !m.DeletedAt.IsZero() {
			return err
		}
		m.Text, m.Attachments, m.DeletedAt = "", nil, now
		return s.rewrite(ctx, actor, v.Conversation, m, now, deletes)
	})
}

func (v view) mayDelete(m Message) error {
	written, ok := m.Kind.writing()
	if ok && m.Author == v.standing.Actor.User {
		return v.may(written.permission)
	}
	return v.allows(deleting)
}

// writing is the act by which people write messages of the kind, if they do.
func (k MessageKind) writing() (what act, ok bool) {
	switch k {
	case OutboundMessage:
		return sending, true
	case NoteMessage:
		return noting, true
	default:
		return act{}, false
	}
}

// changeMessage runs fn on a message that the actor can see, in one transaction, and answers the
// message as fn left it.
func (s *Service) changeMessage(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, message tenancy.MessageID, name string, request any,
	fn func(ctx context.Context, v view, m *Message, now time.Time) error,
) (Message, error) {
	asked := []any{actor.Team, id, message, request}
	return tenancy.Do(ctx, s.store, s.env, actor, name, asked, func(ctx context.Context) (Message, error) {
		v, err := s.enter(ctx, actor, id, reading)
		if err != nil {
			return Message{}, err
		}
		m, err := s.store.Message(ctx, id, message)
		if err != nil {
			return Message{}, err
		}
		if !v.sees(m) {
			return Message{}, tenancy.ErrNotFound
		}
		if err := fn(ctx, v, &m, s.env.Now()); err != nil {
			return Message{}, err
		}
		return m, nil
	})
}

// change says what has become of a message, which for a note is not for everybody's eyes.
type change struct{ message, note string }

var (
	edits   = change{MessageEdited, NoteEdited}
	deletes = change{MessageDeleted, NoteDeleted}
)

// rewrite writes a message whose text has changed, and by which words it is found.
func (s *Service) rewrite(ctx context.Context, by tenancy.Principal, c Conversation, m *Message, now time.Time, to change) error {
	if err := s.updateMessage(ctx, m); err != nil {
		return err
	}
	if err := s.store.DeleteWords(ctx, m.ID); err != nil {
		return err
	}
	if err := s.store.InsertWords(ctx, c.Team, *m, Words(m.Text)); err != nil {
		return err
	}
	event := to.message
	if m.Kind == NoteMessage {
		event = to.note
	}
	return s.record(ctx, by, now, c, event, m.facts())
}

func (s *Service) updateMessage(ctx context.Context, m *Message) error {
	if err := s.store.UpdateMessage(ctx, *m); err != nil {
		return err
	}
	m.Version++
	return nil
}

// facts are what events say of a message.
func (m Message) facts() tenancy.Facts {
	return tenancy.Facts{"message": m.ID.String(), "seq": strconv.FormatInt(m.Seq, 10)}
}
