package tenancy

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/outbox"
)

// AuditFilter says what to read of an audit log. The zero value reads all.
type AuditFilter struct {
	// Kind is what happened, such as [MemberJoined].
	Kind string
	// By is on whose behalf it happened: [Self] for a user, or a [System].
	By Principal
	// Since and Until bound the time: Since is in, Until is out. Zero is no bound.
	Since time.Time
	Until time.Time
}

// MaxKind is the longest kind of event that can be asked for, in bytes.
const MaxKind = 60

// Audit lists what happened in the actor's team that the filter admits, newest first: the very
// events that were written with the changes. A filter costs as much as the team has events
// between its Since and Until.
//
// Errors: [*InvalidError], [rbac.ErrDenied].
func (s *Service) Audit(ctx context.Context, actor Actor, filter AuditFilter, page Page) (List[outbox.Event], error) {
	log, err := filter.log()
	if err != nil {
		return List[outbox.Event]{}, err
	}
	keyset, err := page.Keyset("audit", actor.Team, log)
	if err != nil {
		return List[outbox.Event]{}, err
	}
	if err := s.Check(ctx, actor, rbac.ReadAudit); err != nil {
		return List[outbox.Event]{}, err
	}
	events, err := s.store.TeamEvents(ctx, actor.Team.UUID(), log, keyset.At, keyset.ID, keyset.Limit)
	if err != nil {
		return List[outbox.Event]{}, err
	}
	return Paged(events, keyset, func(e outbox.Event) (time.Time, uuid.UUID) { return e.At, e.ID }, "audit", actor.Team, log), nil
}

func (f AuditFilter) log() (outbox.LogFilter, error) {
	if len(f.Kind) > MaxKind || !printable(f.Kind) {
		return outbox.LogFilter{}, &InvalidError{Field: "kind", Reason: "must be the kind of an event, such as member.joined"}
	}
	since, err := parseTime("since", f.Since)
	if err != nil {
		return outbox.LogFilter{}, err
	}
	until, err := parseTime("until", f.Until)
	if err != nil {
		return outbox.LogFilter{}, err
	}
	log := outbox.LogFilter{Kind: f.Kind, Since: since, Until: until}
	switch by := f.By.(type) {
	case nil:
		return log, nil
	case System:
		if err := by.Validate(); err != nil {
			return outbox.LogFilter{}, err
		}
	case Actor, Holder, Self:
	default:
		return outbox.LogFilter{}, &InvalidError{Field: "principal", Reason: "must be one of the kinds that usher has"}
	}
	log.Principal = f.By.Principal()
	return log, nil
}
