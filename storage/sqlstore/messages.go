package sqlstore

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/tenancy"
)

type messageStatements struct {
	insert, update, exists, byID, byKey, find, findReceipt string
	// listed has a form for each way of reading a range.
	listed map[rangeForm]string
}

// rangeForm is how a range of messages is read.
type rangeForm struct{ newest, notes bool }

// messageColumns are those of a message m, in the order of [scanMessage].
const messageColumns = `m.id, m.conversation_id, m.seq, m.kind, m.author_id, m.body, m.footer, m.attachments, m.sent_at,
	m.edited_at, m.deleted_at, m.status, m.failure, m.handed_at, m.message_key, m.receipt_key, m.version`

func (c *compiler) messages() messageStatements {
	const (
		find  = `SELECT ` + messageColumns + ` FROM usher_messages m WHERE`
		where = `SELECT c.team_id, m.conversation_id, m.id FROM usher_messages m
			JOIN usher_conversations c ON c.id = m.conversation_id WHERE`
	)
	s := messageStatements{
		insert: c.sql(`INSERT INTO usher_messages (id, conversation_id, seq, kind, author_id, body, footer, attachments,
			sent_at, edited_at, deleted_at, status, failure, handed_at, message_key, receipt_key, version)
			VALUES (`, list("?", 16), `, 1)`),
		update: c.sql(`UPDATE usher_messages SET body = ?, footer = ?, attachments = ?, edited_at = ?, deleted_at = ?,
			status = ?, failure = ?, handed_at = ?, receipt_key = ?, version = version + 1
			WHERE conversation_id = ? AND id = ? AND version = ?`),
		exists:      c.sql(`SELECT 1 FROM usher_messages WHERE conversation_id = ? AND id = ?`),
		byID:        c.sql(find, `m.conversation_id = ? AND m.id = ?`),
		byKey:       c.sql(find, `m.message_key = ?`),
		find:        c.sql(where, `m.id = ?`),
		findReceipt: c.sql(where, `m.receipt_key = ?`),
		listed:      map[rangeForm]string{},
	}
	for bits := range 1 << 2 {
		form := rangeForm{newest: bits&1 != 0, notes: bits&2 != 0}
		condition, order := `m.conversation_id = ? AND m.seq > ? AND m.seq < ?`, `ORDER BY m.seq LIMIT ?`
		if !form.notes {
			condition += ` AND m.kind <> 'note'`
		}
		if form.newest {
			order = `ORDER BY m.seq DESC LIMIT ?`
		}
		s.listed[form] = c.sql(find, condition, order)
	}
	return s
}

func scanMessage(r row) (conversation.Message, error) {
	var m conversation.Message
	err := r.Scan(id(&m.ID), id(&m.Conversation), &m.Seq, &m.Kind, id(&m.Author), &m.Text, &m.Footer, document(&m.Attachments),
		at(&m.At), at(&m.EditedAt), at(&m.DeletedAt), &m.Status, &m.Failure, at(&m.HandedAt), hash((*[32]byte)(&m.Key)),
		hash((*[32]byte)(&m.Receipt)), &m.Version)
	return m, err
}

func scanWhereabouts(r row) (conversation.Whereabouts, error) {
	var w conversation.Whereabouts
	err := r.Scan(id(&w.Team), id(&w.Conversation), id(&w.Message))
	return w, err
}

// attachments is the column of a message's attachments, empty where there are none.
func (s *Store) attachments(ctx context.Context, m conversation.Message) (string, error) {
	if len(m.Attachments) == 0 {
		return "", nil
	}
	return encode(ctx, s, "attachments", m.Attachments)
}

// InsertMessage implements [conversation.MessageStore].
func (s *Store) InsertMessage(ctx context.Context, m conversation.Message) error {
	attachments, err := s.attachments(ctx, m)
	if err != nil {
		return err
	}
	_, err = s.exec(ctx, s.messages.insert, m.ID, m.Conversation, m.Seq, m.Kind, m.Author, m.Text, m.Footer, attachments,
		micros(m.At), m.EditedAt, m.DeletedAt, m.Status, m.Failure, m.HandedAt, digest(m.Key), digest(m.Receipt))
	return err
}

// UpdateMessage implements [conversation.MessageStore].
func (s *Store) UpdateMessage(ctx context.Context, m conversation.Message) error {
	attachments, err := s.attachments(ctx, m)
	if err != nil {
		return err
	}
	return s.update(ctx, s.messages.update, []any{
		m.Text, m.Footer, attachments, m.EditedAt, m.DeletedAt, m.Status, m.Failure, m.HandedAt, digest(m.Receipt),
		m.Conversation, m.ID, m.Version,
	}, s.messages.exists, m.Conversation, m.ID)
}

// Message implements [conversation.MessageStore].
func (s *Store) Message(ctx context.Context, id tenancy.ConversationID, message tenancy.MessageID) (conversation.Message, error) {
	return one(ctx, s, scanMessage, s.messages.byID, id, message)
}

// Messages implements [conversation.MessageStore].
func (s *Store) Messages(ctx context.Context, id tenancy.ConversationID, r conversation.Range) ([]conversation.Message, error) {
	found, err := all(ctx, s, scanMessage, s.messages.listed[rangeForm{newest: r.Newest, notes: r.Notes}],
		id, r.After, cmp.Or(r.Before, math.MaxInt64), r.Limit)
	if r.Newest {
		slices.Reverse(found)
	}
	return found, err
}

// MessageByKey implements [conversation.MessageStore].
func (s *Store) MessageByKey(ctx context.Context, key conversation.MessageKey) (conversation.Message, error) {
	return one(ctx, s, scanMessage, s.messages.byKey, digest(key))
}

// FindMessage implements [conversation.MessageStore].
func (s *Store) FindMessage(ctx context.Context, message tenancy.MessageID) (conversation.Whereabouts, error) {
	return one(ctx, s, scanWhereabouts, s.messages.find, message)
}

// FindReceipt implements [conversation.MessageStore].
func (s *Store) FindReceipt(ctx context.Context, receipt conversation.MessageKey) (conversation.Whereabouts, error) {
	return one(ctx, s, scanWhereabouts, s.messages.findReceipt, digest(receipt))
}
