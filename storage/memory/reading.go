package memory

import (
	"bytes"
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/tenancy"
)

// reader is a user in a conversation.
type reader struct {
	conversation tenancy.ConversationID
	user         tenancy.UserID
}

type readMarkRow struct{ conversation.ReadMark }

// InsertReadMark implements [conversation.ReadStore].
func (s *Store) InsertReadMark(ctx context.Context, m conversation.ReadMark) error {
	return s.write(ctx, func() error {
		utc(&m.At)
		if err := cmp.Or(between("sequence", m.Seq, 0, math.MaxInt64), s.conversations.has(m.Conversation), s.users.has(m.User)); err != nil {
			return err
		}
		m.Version = 1
		return s.readMarks.insert(reader{m.Conversation, m.User}, &readMarkRow{m})
	})
}

// UpdateReadMark implements [conversation.ReadStore].
func (s *Store) UpdateReadMark(ctx context.Context, m conversation.ReadMark) error {
	return s.write(ctx, func() error {
		utc(&m.At)
		row, err := s.readMarks.get(reader{m.Conversation, m.User})
		if err != nil {
			return err
		}
		if err := cmp.Or(sameVersion(row.Version, m.Version), between("sequence", m.Seq, 0, math.MaxInt64)); err != nil {
			return err
		}
		m.Version++
		set(s.log, &row.ReadMark, m)
		return nil
	})
}

// LockReadMark implements [conversation.ReadStore].
func (s *Store) LockReadMark(ctx context.Context, id tenancy.ConversationID, user tenancy.UserID) (conversation.ReadMark, error) {
	return lock(ctx, s, func() (conversation.ReadMark, error) { return s.readMark(id, user) })
}

// ReadMark implements [conversation.ReadStore].
func (s *Store) ReadMark(ctx context.Context, id tenancy.ConversationID, user tenancy.UserID) (conversation.ReadMark, error) {
	return read(ctx, s, func() (conversation.ReadMark, error) { return s.readMark(id, user) })
}

func (s *Store) readMark(id tenancy.ConversationID, user tenancy.UserID) (conversation.ReadMark, error) {
	row, err := s.readMarks.get(reader{id, user})
	if err != nil {
		return conversation.ReadMark{}, err
	}
	return row.ReadMark, nil
}

// Unread implements [conversation.ReadStore].
func (s *Store) Unread(ctx context.Context, scope conversation.Scope, user tenancy.UserID, notes bool, ids []tenancy.ConversationID) ([]conversation.UnreadCount, error) {
	return read(ctx, s, func() ([]conversation.UnreadCount, error) {
		ids := slices.Clone(ids)
		slices.SortFunc(ids, func(a, b tenancy.ConversationID) int { return bytes.Compare(a[:], b[:]) })
		var counts []conversation.UnreadCount
		for _, id := range slices.Compact(ids) {
			c := s.conversations.rows[id]
			if c == nil || !scope.Admits(c.Conversation, c.grantOf(scope.Guest)) {
				continue
			}
			if n := s.unreadIn(c, scope, user, notes); n > 0 {
				counts = append(counts, conversation.UnreadCount{Conversation: id, Messages: n})
			}
		}
		return counts, nil
	})
}

func (s *Store) unreadIn(c *conversationRow, scope conversation.Scope, user tenancy.UserID, notes bool) int {
	after := int64(0)
	if mark := s.readMarks.rows[reader{c.ID, user}]; mark != nil {
		after = mark.Seq
	}
	if !scope.Guest.IsZero() {
		after = max(after, c.grantOf(scope.Guest).FromSeq-1)
	}
	lists := []*list[messageRow]{&c.messages.public}
	if notes {
		lists = append(lists, &c.messages.notes)
	}
	n := 0
	for m := range merged(ascending, placeOf(after), lists...) {
		if countable(m.Message) && (m.Author.IsZero() || m.Author != user) {
			n++
		}
	}
	return n
}

// countable are the messages that people, or the contact, have left for others to read.
func countable(m conversation.Message) bool {
	switch m.Kind {
	case conversation.InboundMessage, conversation.OutboundMessage, conversation.NoteMessage:
		return m.DeletedAt.IsZero()
	case conversation.AutomaticMessage, conversation.SystemMessage:
	}
	return false
}
