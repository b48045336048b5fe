package tenancy

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/outbox"
)

// Audit lists what happened in the actor's team, newest first: the very events that were
// written with the changes.
func (s *Service) Audit(ctx context.Context, actor Actor, page Page) (List[outbox.Event], error) {
	keyset, err := page.Keyset("audit", actor.Team)
	if err != nil {
		return List[outbox.Event]{}, err
	}
	if err := s.Check(ctx, actor, rbac.ReadAudit); err != nil {
		return List[outbox.Event]{}, err
	}
	events, err := s.store.TeamEvents(ctx, actor.Team.UUID(), outbox.LogFilter{}, keyset.At, keyset.ID, keyset.Limit)
	if err != nil {
		return List[outbox.Event]{}, err
	}
	return Paged(events, keyset, func(e outbox.Event) (time.Time, uuid.UUID) { return e.At, e.ID }, "audit", actor.Team), nil
}
