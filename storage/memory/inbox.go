package memory

import (
	"cmp"
	"context"

	"github.com/google/uuid"

	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

// sighting is that a consumer has seen an event. It is its own key.
type sighting struct {
	consumer string
	event    uuid.UUID
}

// MarkSeen implements [outbox.InboxStore].
func (s *Store) MarkSeen(ctx context.Context, consumer string, event uuid.UUID) error {
	return s.write(ctx, func() error {
		if err := cmp.Or(notEmpty("consumer", consumer), notZero("event", event)); err != nil {
			return err
		}
		key := sighting{consumer, event}
		if s.seen.rows[key] != nil {
			return outbox.ErrSeen // not ErrDuplicate, which would end the transaction
		}
		return s.seen.insert(key, &key)
	})
}

func notZero(field string, id uuid.UUID) error {
	if id != uuid.Nil {
		return nil
	}
	return &tenancy.InvalidError{Field: field, Reason: "must not be zero"}
}
