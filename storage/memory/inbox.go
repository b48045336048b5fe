package memory

import (
	"cmp"
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

// sighting is that a consumer has seen an event.
type sighting struct {
	consumer string
	event    uuid.UUID
}

type seenRow struct {
	sighting

	at time.Time
}

// seenLists: the oldest of each consumer are forgotten first.
func (s *Store) seenLists(row *seenRow, visit func(*list[seenRow], place)) {
	visit(lazily(s.oldestSeen, row.consumer), placeAt(row.at, row.event))
}

// MarkSeen implements [outbox.InboxStore].
func (s *Store) MarkSeen(ctx context.Context, consumer string, event uuid.UUID, at time.Time) error {
	return s.write(ctx, func() error {
		if err := cmp.Or(notEmpty("consumer", consumer), notZero("event", event)); err != nil {
			return err
		}
		utc(&at)
		row := &seenRow{sighting{consumer, event}, at}
		if s.seen.rows[row.sighting] != nil {
			return outbox.ErrSeen // not ErrDuplicate, which would end the transaction
		}
		if err := s.seen.insert(row.sighting, row); err != nil {
			return err
		}
		enlist(s.log, row, s.seenLists)
		return nil
	})
}

// ForgetSeen implements [outbox.InboxStore].
func (s *Store) ForgetSeen(ctx context.Context, consumer string, before time.Time) (forgotten int, err error) {
	err = s.write(ctx, func() error {
		utc(&before)
		oldest := s.oldestSeen[consumer]
		for oldest != nil && len(oldest.chunks) > 0 {
			row := oldest.chunks[0][0].row
			if !row.at.Before(before) {
				return nil
			}
			if err := s.seen.move(row.sighting, sighting{}, row); err != nil {
				return err
			}
			delist(s.log, row, s.seenLists)
			forgotten++
		}
		return nil
	})
	return forgotten, err
}

func notZero(field string, id uuid.UUID) error {
	if id != uuid.Nil {
		return nil
	}
	return &tenancy.InvalidError{Field: field, Reason: "must not be zero"}
}
