package sqlstore

import (
	"context"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/tenancy"
)

type messageStatements struct {
	insert, listed, listedPublic, byKey string
}

func (c *compiler) messages() messageStatements {
	const (
		find = `SELECT id, conversation_id, seq, kind, author_id, body, footer, sent_at, message_key
			FROM usher_messages WHERE`
		bySeq = `ORDER BY seq LIMIT ?`
	)
	return messageStatements{
		insert: c.sql(`INSERT INTO usher_messages (id, conversation_id, seq, kind, author_id, body, footer, sent_at,
			message_key) VALUES (`, list("?", 9), `)`),
		listed:       c.sql(find, `conversation_id = ? AND seq > ?`, bySeq),
		listedPublic: c.sql(find, `conversation_id = ? AND seq > ? AND kind <> 'note'`, bySeq),
		byKey:        c.sql(find, `message_key = ?`),
	}
}

func scanMessage(r row) (conversation.Message, error) {
	var m conversation.Message
	err := r.Scan(id(&m.ID), id(&m.Conversation), &m.Seq, &m.Kind, id(&m.Author), &m.Text, &m.Footer, at(&m.At), hash((*[32]byte)(&m.Key)))
	return m, err
}

// InsertMessage implements [conversation.MessageStore].
func (s *Store) InsertMessage(ctx context.Context, m conversation.Message) error {
	_, err := s.exec(ctx, s.messages.insert, m.ID, m.Conversation, m.Seq, m.Kind, m.Author, m.Text, m.Footer,
		micros(m.At), digest(m.Key))
	return err
}

// Messages implements [conversation.MessageStore].
func (s *Store) Messages(ctx context.Context, id tenancy.ConversationID, r conversation.Range) ([]conversation.Message, error) {
	query := s.messages.listedPublic
	if r.Notes {
		query = s.messages.listed
	}
	return all(ctx, s, scanMessage, query, id, r.After, r.Limit)
}

// MessageByKey implements [conversation.MessageStore].
func (s *Store) MessageByKey(ctx context.Context, key conversation.MessageKey) (conversation.Message, error) {
	return one(ctx, s, scanMessage, s.messages.byKey, digest(key))
}
