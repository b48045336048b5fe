package memory

import (
	"cmp"
	"context"
	"math"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/tenancy"
)

type messageRow struct{ conversation.Message }

// thread is a conversation's messages by Seq: notes apart, so that who may not read them
// does not pay for them either.
type thread struct{ public, notes list[messageRow] }

func (t *thread) of(kind conversation.MessageKind) *list[messageRow] {
	if kind == conversation.NoteMessage {
		return &t.notes
	}
	return &t.public
}

func placeOf(seq int64) place { return place{at: seq} }

// InsertMessage implements [conversation.MessageStore].
func (s *Store) InsertMessage(ctx context.Context, m conversation.Message) error {
	return s.write(ctx, func() error {
		utc(&m.At)
		if err := cmp.Or(
			oneOf("kind", m.Kind, conversation.InboundMessage, conversation.OutboundMessage, conversation.NoteMessage, conversation.SystemMessage),
			between("sequence", m.Seq, 1, math.MaxInt64),
			s.users.mayHave(m.Author),
		); err != nil {
			return err
		}
		c, err := referred(s.conversations.get(m.Conversation))
		if err != nil {
			return err
		}
		seq := placeOf(m.Seq)
		if c.messages.public.get(seq) != nil || c.messages.notes.get(seq) != nil {
			return tenancy.ErrDuplicate
		}
		row := &messageRow{m}
		if err := cmp.Or(
			s.messages.insert(m.ID, row),
			s.messageKeys.move(conversation.MessageKey{}, m.Key, row),
		); err != nil {
			return err
		}
		enlist(s.log, row, func(_ *messageRow, visit func(*list[messageRow], place)) { visit(c.messages.of(m.Kind), seq) })
		return nil
	})
}

// Messages implements [conversation.MessageStore].
func (s *Store) Messages(ctx context.Context, id tenancy.ConversationID, r conversation.Range) ([]conversation.Message, error) {
	return read(ctx, s, func() ([]conversation.Message, error) {
		c := s.conversations.rows[id]
		if c == nil {
			return nil, nil
		}
		lists := []*list[messageRow]{&c.messages.public}
		if r.Notes {
			lists = append(lists, &c.messages.notes)
		}
		messages := merged(ascending, placeOf(r.After), lists...)
		return paged(messages, r.Limit, func(m *messageRow) (conversation.Message, bool) { return m.Message, true }), nil
	})
}

// MessageByKey implements [conversation.MessageStore].
func (s *Store) MessageByKey(ctx context.Context, key conversation.MessageKey) (conversation.Message, error) {
	return read(ctx, s, func() (conversation.Message, error) {
		row, err := s.messageKeys.get(key)
		if err != nil {
			return conversation.Message{}, err
		}
		return row.Message, nil
	})
}
