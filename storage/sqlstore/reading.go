package sqlstore

import (
	"context"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/tenancy"
)

type readingStatements struct {
	insert, update, lock, exists, byKey string
	// unread has a form for each kind of reader, for 1, 2, 4 … conversations.
	unread map[unreadForm][unreadSizes]string
}

type unreadForm struct{ guest, notes bool }

// unreadSizes is enough for [tenancy.MaxLimit] conversations, with the last places filled by
// repeating one.
const unreadSizes = 9

func (c *compiler) reading() readingStatements {
	const key = `conversation_id = ? AND user_id = ?`
	s := readingStatements{
		insert: c.sql(`INSERT INTO usher_read_marks (conversation_id, user_id, seq, marked_at, version) VALUES (?, ?, ?, ?, 1)`),
		update: c.sql(`UPDATE usher_read_marks SET seq = ?, marked_at = ?, version = version + 1 WHERE`, key, `AND version = ?`),
		lock:   c.sql(`UPDATE usher_read_marks SET locks = locks + 1 WHERE`, key),
		exists: c.sql(`SELECT 1 FROM usher_read_marks WHERE`, key),
		byKey:  c.sql(`SELECT conversation_id, user_id, seq, marked_at, version FROM usher_read_marks WHERE`, key),
		unread: map[unreadForm][unreadSizes]string{},
	}
	for _, form := range []unreadForm{{}, {guest: true}, {notes: true}, {guest: true, notes: true}} {
		scope, hidden, kinds := teamScope, ``, `m.kind IN ('inbound', 'outbound')`
		if form.guest {
			scope = guestScope
			hidden = `AND m.seq >= (SELECT g.from_seq FROM usher_grants g WHERE g.conversation_id = c.id AND g.user_id = ?)`
		}
		if form.notes {
			kinds = `m.kind IN ('inbound', 'outbound', 'note')`
		}
		var sizes [unreadSizes]string
		for size := range sizes {
			sizes[size] = c.sql(`SELECT c.id, COUNT(*) FROM usher_conversations c
				LEFT JOIN usher_read_marks r ON r.conversation_id = c.id AND r.user_id = ?
				JOIN usher_messages m ON m.conversation_id = c.id AND m.seq > COALESCE(r.seq, 0) AND m.deleted_at IS NULL
				WHERE`, scope, `AND c.id IN (`, list("?", 1<<size), `) AND`, kinds, `
				AND (m.author_id IS NULL OR m.author_id <> ?)`, hidden, `GROUP BY c.id ORDER BY c.id`)
		}
		s.unread[form] = sizes
	}
	return s
}

func scanReadMark(r row) (conversation.ReadMark, error) {
	var m conversation.ReadMark
	err := r.Scan(id(&m.Conversation), id(&m.User), &m.Seq, at(&m.At), &m.Version)
	return m, err
}

func scanUnread(r row) (conversation.UnreadCount, error) {
	var u conversation.UnreadCount
	err := r.Scan(id(&u.Conversation), &u.Messages)
	return u, err
}

// InsertReadMark implements [conversation.ReadStore].
func (s *Store) InsertReadMark(ctx context.Context, m conversation.ReadMark) error {
	_, err := s.exec(ctx, s.reading.insert, m.Conversation, m.User, m.Seq, micros(m.At))
	return err
}

// UpdateReadMark implements [conversation.ReadStore].
func (s *Store) UpdateReadMark(ctx context.Context, m conversation.ReadMark) error {
	return s.update(ctx, s.reading.update, []any{m.Seq, micros(m.At), m.Conversation, m.User, m.Version},
		s.reading.exists, m.Conversation, m.User)
}

// LockReadMark implements [conversation.ReadStore].
func (s *Store) LockReadMark(ctx context.Context, id tenancy.ConversationID, user tenancy.UserID) (conversation.ReadMark, error) {
	if err := s.lock(ctx, s.reading.lock, id, user); err != nil {
		return conversation.ReadMark{}, err
	}
	return s.ReadMark(ctx, id, user)
}

// ReadMark implements [conversation.ReadStore].
func (s *Store) ReadMark(ctx context.Context, id tenancy.ConversationID, user tenancy.UserID) (conversation.ReadMark, error) {
	return one(ctx, s, scanReadMark, s.reading.byKey, id, user)
}

// Unread implements [conversation.ReadStore].
func (s *Store) Unread(ctx context.Context, scope conversation.Scope, reader tenancy.UserID, notes bool, ids []tenancy.ConversationID) ([]conversation.UnreadCount, error) {
	if len(ids) == 0 {
		return nil, ctx.Err()
	}
	size := 0
	for 1<<size < len(ids) {
		size++
	}
	if size >= unreadSizes {
		return nil, &tenancy.InvalidError{Field: "conversations", Reason: "must be at most 256"}
	}
	_, scoped := scopeForm(scope)
	args := append([]any{reader}, scoped...)
	for i := range 1 << size {
		args = append(args, ids[min(i, len(ids)-1)])
	}
	args = append(args, s.dialect.id(reader.UUID()))
	form := unreadForm{guest: !scope.Guest.IsZero(), notes: notes}
	if form.guest {
		args = append(args, scope.Guest)
	}
	return all(ctx, s, scanUnread, s.reading.unread[form][size], args...)
}
