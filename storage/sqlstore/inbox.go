package sqlstore

import (
	"context"

	"github.com/google/uuid"

	"github.com/usher-go/usher/storage/outbox"
)

type inboxStatements struct{ mark string }

func (c *compiler) inbox() inboxStatements {
	return inboxStatements{mark: c.sql(`INSERT INTO usher_inbox (consumer, event_id) VALUES (?, ?) {pass over}`)}
}

// MarkSeen implements [outbox.InboxStore].
func (s *Store) MarkSeen(ctx context.Context, consumer string, event uuid.UUID) error {
	rows, err := s.exec(ctx, s.inbox.mark, consumer, event)
	if err == nil && rows != 1 {
		err = outbox.ErrSeen
	}
	return err
}
