package sqlstore

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/storage/outbox"
)

type inboxStatements struct{ mark, forget string }

func (c *compiler) inbox() inboxStatements {
	return inboxStatements{
		mark:   c.sql(`INSERT INTO usher_inbox (consumer, event_id, seen_at) VALUES (?, ?, ?) {pass over}`),
		forget: c.sql(`DELETE FROM usher_inbox WHERE consumer = ? AND seen_at < ?`),
	}
}

// MarkSeen implements [outbox.InboxStore].
func (s *Store) MarkSeen(ctx context.Context, consumer string, event uuid.UUID, at time.Time) error {
	rows, err := s.exec(ctx, s.inbox.mark, consumer, event, micros(at))
	if err == nil && rows != 1 {
		err = outbox.ErrSeen
	}
	return err
}

// ForgetSeen implements [outbox.InboxStore].
func (s *Store) ForgetSeen(ctx context.Context, consumer string, before time.Time) (int, error) {
	forgotten, err := s.exec(ctx, s.inbox.forget, consumer, micros(before))
	return int(forgotten), err
}
