package conversation

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/usher-go/usher/conversation/command"
	"github.com/usher-go/usher/tenancy"
)

// SendOption says more about a message to send.
type SendOption func(*sendOptions)

type sendOptions struct {
	clientID    string
	repeatable  bool
	attachments []Attachment
}

// ClientID is the sender's own id for a message, so that sending it again after a lost
// answer gives the first message and no second one, also where the conversation has been closed
// since. It is 1 to [MaxKey] bytes, and the author's own: two authors may use the same.
func ClientID(id string) SendOption {
	return func(o *sendOptions) { o.clientID, o.repeatable = id, true }
}

// Attach sends files along, at most [MaxAttachments] with one message. The text may be empty then.
func Attach(attachments ...Attachment) SendOption {
	return func(o *sendOptions) { o.attachments = append(o.attachments, attachments...) }
}

// Send says something to the contact. An answer by a person, guests included, clears
// NeedsReplySince. While somebody else has the conversation claimed no member can answer it; those
// who choose to ([tenancy.Service.SetAutoclaim]) claim it by answering. Message, conversation and event are one transaction.
//
// A text that begins with ^ is refused, since it would be a command that reached the
// contact; hand what people type to [Service.Type].
//
// The first message ever that goes to an address carries the team's opt-out text as its Footer, from when
// it is handed to the [Sender].
//
// Errors: [*tenancy.InvalidError], [tenancy.ErrNotFound], [rbac.ErrDenied], [ErrClosed],
// [*ClaimedError], [*OptedOutError], [tenancy.ErrKeyReused].
func (s *Service) Send(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, text string, options ...SendOption) (Message, error) {
	if len(text) <= MaxText && command.IsCommand(text) {
		return Message{}, errCommand
	}
	return s.say(ctx, actor, id, OutboundMessage, text, options)
}

// Note writes what only the team sees, also in a closed conversation. A note answers nobody:
// NeedsReplySince stays. The errors are those of [Service.Send].
func (s *Service) Note(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, text string, options ...SendOption) (Message, error) {
	return s.say(ctx, actor, id, NoteMessage, text, options)
}

// errCommand refuses what the contact would read as a command.
var errCommand = &tenancy.InvalidError{Field: "text", Reason: "must not begin with ^, which begins a command; to say it, have it typed as ^^"}

// chosen is what the options say.
func chosen(options []SendOption) (o sendOptions, err error) {
	for _, set := range options {
		set(&o)
	}
	if o.repeatable {
		err = validKey("client id", o.clientID)
	}
	return o, err
}

// draft is a message with what its options say, before it has a place in a conversation.
func draft(m Message, author string, options []SendOption) (Message, error) {
	o, err := chosen(options)
	if err != nil {
		return Message{}, err
	}
	if o.repeatable {
		m.Key = keyOf("outbound", author, o.clientID)
	}
	if m.Attachments, err = checked(o.attachments); err != nil {
		return Message{}, err
	}
	return m, said(m.Text, m.Attachments)
}

// said checks what a message says: a text, or files, or both.
func said(text string, attachments []Attachment) error {
	if text == "" && len(attachments) > 0 {
		return nil
	}
	return validText(text)
}

// say writes a message of the actor's.
func (s *Service) say(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, kind MessageKind, text string, options []SendOption) (Message, error) {
	m, err := draft(Message{Kind: kind, Author: actor.User, Text: text}, actor.User.String(), options)
	if err != nil {
		return Message{}, err
	}
	what, event := sending, MessageSent
	if kind == NoteMessage {
		what, event = noting, NoteWritten
	}
	request := []any{actor.Team, id, kind, text, m.Attachments}
	return tenancy.Do(ctx, s.store, s.env, actor, event, request, func(ctx context.Context) (Message, error) {
		v, refused := s.enter(ctx, actor, id, what)
		if refused != nil && !errors.Is(refused, ErrClosed) {
			return Message{}, refused
		}
		// Before a closed one refuses: what was said while it was open was said.
		seen, err := s.repeated(ctx, v.Conversation, m)
		if err != nil {
			return Message{}, err
		}
		if seen != nil {
			return *seen, nil
		}
		if refused != nil {
			return Message{}, refused
		}
		m := m
		m.At = s.env.Now()
		if kind == OutboundMessage {
			if err := s.answering(ctx, actor, &v, m.At); err != nil {
				return Message{}, err
			}
			if err := s.address(ctx, &v.Conversation, m.Kind); err != nil {
				return Message{}, err
			}
		}
		return s.write(ctx, actor, &v.Conversation, m, event)
	})
}

// address makes a message one to the contact, who has then been answered if a person wrote it.
func (s *Service) address(ctx context.Context, c *Conversation, kind MessageKind) error {
	if err := s.mayWrite(ctx, *c); err != nil {
		return err
	}
	if kind == OutboundMessage {
		c.NeedsReplySince = time.Time{}
	}
	return nil
}

// write gives a message its place at the end of a locked conversation.
func (s *Service) write(ctx context.Context, by tenancy.Principal, c *Conversation, m Message, event string) (Message, error) {
	c.LastSeq++
	m.At = c.latest(m.At)
	c.LastAt, c.IdleSince = m.At, m.At
	m.ID, m.Conversation, m.Seq, m.Version = tenancy.NewID[tenancy.MessageID](s.env), c.ID, c.LastSeq, 1
	if m.Kind.sent() {
		m.Status = StatusQueued
	}
	if err := s.store.InsertMessage(ctx, m); err != nil {
		return Message{}, err
	}
	if err := s.store.InsertWords(ctx, c.Team, m, Words(m.Text)); err != nil {
		return Message{}, err
	}
	if err := s.update(ctx, c); err != nil {
		return Message{}, err
	}
	return m, s.record(ctx, by, m.At, *c, event, m.facts())
}

// latest is the time, or that of the newest message if it is later. Instances differ by a little in what
// time it is, and who waits for the conversation has read the clock before; along the sequence time
// never goes back.
func (c Conversation) latest(now time.Time) time.Time {
	if now.Before(c.LastAt) {
		return c.LastAt
	}
	return now
}

// update writes a locked conversation that stays in its team.
func (s *Service) update(ctx context.Context, c *Conversation) error {
	if err := s.store.UpdateConversation(ctx, c.Team, *c); err != nil {
		return err
	}
	c.Version++
	return nil
}

// repeated finds the message that was written under the same key before, if there is one, as it is
// now. The key with another message is a mistake of the caller's, not a repetition; one that was edited
// or deleted since cannot be compared any more.
func (s *Service) repeated(ctx context.Context, c Conversation, m Message) (*Message, error) {
	if m.Key == (MessageKey{}) {
		return nil, nil
	}
	seen, err := s.store.MessageByKey(ctx, m.Key)
	switch {
	case notFound(err):
		return nil, nil
	case err != nil:
		return nil, err
	case seen.Conversation != c.ID, seen.Kind != m.Kind, seen.original() && !seen.says(m):
		return nil, tenancy.ErrKeyReused
	}
	return &seen, nil
}

// original reports whether a message says what it said at first.
func (m Message) original() bool { return m.EditedAt.IsZero() && m.DeletedAt.IsZero() }

func (m Message) says(other Message) bool {
	return m.Text == other.Text && slices.Equal(m.Attachments, other.Attachments)
}

// keyOf hashes what names a message. Each part is preceded by its length, so that no two
// lists of parts run together to the same key.
func keyOf(parts ...string) MessageKey {
	var all strings.Builder
	for _, part := range parts {
		all.WriteString(strconv.Itoa(len(part)))
		all.WriteByte(':')
		all.WriteString(part)
	}
	return sha256.Sum256([]byte(all.String()))
}
