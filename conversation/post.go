package conversation

import (
	"context"

	"github.com/usher-go/usher/conversation/command"
	"github.com/usher-go/usher/tenancy"
)

// Post writes a message of a system's, such as a bot of the host's, to a conversation in whatever
// team: an [AutomaticMessage], which goes to the contact, or a [SystemMessage], which is a line for
// those who read the conversation. Neither is an answer by a person, so NeedsReplySince stays. A
// closed conversation takes no automatic message, and a system line only. [ClientID] is the system's
// own.
//
// Errors: [*tenancy.InvalidError], [tenancy.ErrNotFound], [tenancy.ErrAccountInactive], [ErrClosed],
// [*OptedOutError], [tenancy.ErrKeyReused].
func (s *Service) Post(ctx context.Context, by tenancy.System, id tenancy.ConversationID, kind MessageKind, text string, options ...SendOption) (Message, error) {
	event, ok := map[MessageKind]string{AutomaticMessage: MessageSent, SystemMessage: MessagePosted}[kind]
	if !ok {
		return Message{}, &tenancy.InvalidError{Field: "kind", Reason: "must be automatic or system"}
	}
	if err := by.Validate(); err != nil {
		return Message{}, err
	}
	if kind == AutomaticMessage && len(text) <= MaxText && command.IsCommand(text) {
		return Message{}, errCommand
	}
	m, err := draft(Message{Kind: kind, Text: text}, by.Principal(), options)
	if err != nil {
		return Message{}, err
	}
	request := []any{id, kind, text, m.Attachments}
	return tenancy.Do(ctx, s.store, s.env, by, "Post", request, func(ctx context.Context) (Message, error) {
		c, err := s.lockFound(ctx, func() (tenancy.TeamID, tenancy.ConversationID, error) {
			team, err := s.store.TeamOf(ctx, id)
			return team, id, err
		})
		if err != nil {
			return Message{}, err
		}
		seen, err := s.repeated(ctx, c, m)
		if err != nil {
			return Message{}, err
		}
		if seen != nil {
			return *seen, nil
		}
		account, err := s.people.AccountByID(ctx, by, c.Account)
		switch {
		case err != nil:
			return Message{}, err
		case account.Status != tenancy.AccountActive:
			return Message{}, tenancy.ErrAccountInactive
		case c.Status == Closed && kind == AutomaticMessage:
			return Message{}, ErrClosed
		}
		m := m
		m.At = s.env.Now()
		if kind == AutomaticMessage {
			if err := s.address(ctx, &c, m.Kind); err != nil {
				return Message{}, err
			}
		}
		return s.write(ctx, by, &c, m, event)
	})
}
