package memory

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/tenancy"
)

type messageRow struct {
	conversation.Message
	thread *conversationRow
	words  []conversation.Word
}

// copied is the message as a caller may keep it.
func (m *messageRow) copied() conversation.Message {
	message := m.Message
	message.Attachments = some(message.Attachments)
	return message
}

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
			oneOf("kind", m.Kind, conversation.InboundMessage, conversation.OutboundMessage, conversation.AutomaticMessage,
				conversation.NoteMessage, conversation.SystemMessage),
			between("sequence", m.Seq, 1, math.MaxInt64),
			s.users.mayHave(m.Author),
			checkMessage(&m),
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
		m.Version = 1
		row := &messageRow{Message: m, thread: c}
		if err := cmp.Or(
			s.messages.insert(m.ID, row),
			s.messageKeys.move(conversation.MessageKey{}, m.Key, row),
			s.receipts.move(conversation.MessageKey{}, m.Receipt, row),
		); err != nil {
			return err
		}
		enlist(s.log, row, func(_ *messageRow, visit func(*list[messageRow], place)) { visit(c.messages.of(m.Kind), seq) })
		return nil
	})
}

// UpdateMessage implements [conversation.MessageStore].
func (s *Store) UpdateMessage(ctx context.Context, m conversation.Message) error {
	return s.write(ctx, func() error {
		row, err := s.message(m.Conversation, m.ID)
		if err != nil {
			return err
		}
		if err := cmp.Or(
			sameVersion(row.Version, m.Version),
			checkMessage(&m),
			s.receipts.move(row.Receipt, m.Receipt, row),
		); err != nil {
			return err
		}
		next := row.Message
		next.Text, next.Footer, next.Attachments, next.EditedAt, next.DeletedAt = m.Text, m.Footer, m.Attachments, m.EditedAt, m.DeletedAt
		next.Status, next.Failure, next.HandedAt, next.Receipt = m.Status, m.Failure, m.HandedAt, m.Receipt
		next.Version++
		set(s.log, &row.Message, next)
		return nil
	})
}

// checkMessage looks at what can change of a message.
func checkMessage(m *conversation.Message) error {
	utc(&m.EditedAt)
	utc(&m.DeletedAt)
	utc(&m.HandedAt)
	m.Attachments = some(m.Attachments)
	return oneOf("status", m.Status, "", conversation.StatusQueued, conversation.StatusSent, conversation.StatusFailed,
		conversation.StatusDelivered, conversation.StatusRead)
}

// message finds one in the conversation.
func (s *Store) message(id tenancy.ConversationID, message tenancy.MessageID) (*messageRow, error) {
	row, err := s.messages.get(message)
	if err != nil || row.Conversation != id {
		return nil, tenancy.ErrNotFound
	}
	return row, nil
}

func thatMessage(row *messageRow, err error) (conversation.Message, error) {
	if err != nil {
		return conversation.Message{}, err
	}
	return row.copied(), nil
}

// Message implements [conversation.MessageStore].
func (s *Store) Message(ctx context.Context, id tenancy.ConversationID, message tenancy.MessageID) (conversation.Message, error) {
	return read(ctx, s, func() (conversation.Message, error) { return thatMessage(s.message(id, message)) })
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
		way, from := ascending, placeOf(r.After)
		if r.Newest {
			way, from = descending, placeOf(cmp.Or(r.Before, math.MaxInt64))
		}
		var found []conversation.Message
		for m := range merged(way, from, lists...) {
			if len(found) >= r.Limit || m.Seq <= r.After || r.Before != 0 && m.Seq >= r.Before {
				break
			}
			found = append(found, m.copied())
		}
		if r.Newest {
			slices.Reverse(found)
		}
		return found, nil
	})
}

// MessageByKey implements [conversation.MessageStore].
func (s *Store) MessageByKey(ctx context.Context, key conversation.MessageKey) (conversation.Message, error) {
	return read(ctx, s, func() (conversation.Message, error) { return thatMessage(s.messageKeys.get(key)) })
}

// FindMessage implements [conversation.MessageStore].
func (s *Store) FindMessage(ctx context.Context, message tenancy.MessageID) (conversation.Whereabouts, error) {
	return read(ctx, s, func() (conversation.Whereabouts, error) { return whereabouts(s.messages.get(message)) })
}

// FindReceipt implements [conversation.MessageStore].
func (s *Store) FindReceipt(ctx context.Context, receipt conversation.MessageKey) (conversation.Whereabouts, error) {
	return read(ctx, s, func() (conversation.Whereabouts, error) { return whereabouts(s.receipts.get(receipt)) })
}

func whereabouts(m *messageRow, err error) (conversation.Whereabouts, error) {
	if err != nil {
		return conversation.Whereabouts{}, err
	}
	return conversation.Whereabouts{Team: m.thread.Team, Conversation: m.Conversation, Message: m.ID}, nil
}
