package invite

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// BulkSpec says whom to invite at once, and how.
type BulkSpec struct {
	// Rows are the people, such as [ParseBulk] reads them; see [Limits.PerBulk].
	Rows []Row
	// DryRun writes and mails nothing, and answers what would be.
	DryRun bool
	// AllOrNothing writes and mails nothing where a row cannot be invited, which is a [*BulkError].
	AllOrNothing bool
}

// RowResult is what became of a row. Where there was nothing against it, Err is nil.
type RowResult struct {
	Row     Row
	Outcome Outcome
	// Invitation is the new one of a row that was Invited, which a dry run has not, and the pending
	// one of a row that was left Unchanged.
	Invitation Invitation `json:",omitzero"`
	// Err is why a row was not invited: what [Service.Create] would have answered, a
	// [*RepeatedRowError], or an [*AmbiguousRowError].
	Err error `json:"-"`
}

// Outcome is what became of a row.
type Outcome string

// The outcomes.
const (
	Invited Outcome = "invited"
	// Unchanged: an invitation that offers the same is pending, and stays; see [Return].
	Unchanged Outcome = "unchanged"
	// Waiting: an invitation to the address is pending; Err is a [*PendingError].
	Waiting Outcome = "pending"
	// InTeam: the owner of the address is in the team; Err is a [*tenancy.MemberError].
	InTeam Outcome = "member"
	// Repeated: an earlier row says the same; Err is a [*RepeatedRowError].
	Repeated Outcome = "duplicate"
	// Ambiguous: rows with the same address name several roles; Err is an [*AmbiguousRowError].
	Ambiguous Outcome = "conflict"
	// Rejected: Err says why.
	Rejected Outcome = "rejected"
)

// holdsUp reports whether the outcome keeps all others from being written, where it is all or nothing.
func (o Outcome) holdsUp() bool { return o != Invited && o != Unchanged && o != Repeated }

// Bulk invites the owners of many addresses into the actor's team, as [Service.Create] does with
// [ToTeam] and [ToTeamAs], and answers what became of each row, in their order. Addresses are compared
// in their normal form. What is said of one row keeps no other from being invited, unless all or
// nothing is asked for. The options hold for all of them.
//
// All is counted first: more rows, pending invitations or seats than there may be refuse the call as a
// whole, so that it is never chance who is invited. The limit of one address refuses its row. A row that
// replaces a pending invitation makes no room in the account's seats for others.
//
// All that is written is written in one transaction, by set, and an event for each invitation asks for
// its mail. A dry run answers what would be if nothing changed, and remembers no idempotency key.
//
// Errors: [*tenancy.InvalidError] for no rows and for the options, [rbac.ErrDenied],
// [tenancy.ErrNotFound], [*LimitError], [*tenancy.SeatsError], [*BulkError],
// [tenancy.ErrAccountInactive], [tenancy.ErrTeamArchived].
func (s *Service) Bulk(ctx context.Context, actor tenancy.Actor, spec BulkSpec, options ...Option) ([]RowResult, error) {
	choices, err := choose(options)
	if err != nil {
		return nil, err
	}
	if len(spec.Rows) == 0 {
		return nil, &tenancy.InvalidError{Field: "rows", Reason: "must be one at least"}
	}
	if len(spec.Rows) > s.limits.PerBulk {
		return nil, &LimitError{Quota: BulkQuota, Limit: s.limits.PerBulk}
	}
	if spec.DryRun {
		return s.rehearse(ctx, actor, spec, choices)
	}
	request := []any{actor.Team, spec.Rows, spec.AllOrNothing, choices.lasts, choices.pending}
	kept, err := tenancy.Do(ctx, s.store, s.env, actor, "Bulk", request, func(ctx context.Context) ([]keptRow, error) {
		b, err := s.plan(ctx, actor, spec, choices)
		if err != nil {
			return nil, err
		}
		err = s.carryOut(ctx, b)
		return keep(b.rows), err
	})
	return restore(kept), err
}

// rehearse is Bulk without writing.
func (s *Service) rehearse(ctx context.Context, actor tenancy.Actor, spec BulkSpec, c choices) (rows []RowResult, err error) {
	err = s.store.InTx(ctx, func(ctx context.Context) error {
		b, err := s.plan(ctx, actor, spec, c)
		rows = b.rows
		return err
	})
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// RepeatedRowError says that an earlier row has the same address and role. It is [tenancy.ErrConflict].
type RepeatedRowError struct {
	// Line is that of the earlier row.
	Line int
}

func (e *RepeatedRowError) Error() string {
	return fmt.Sprintf("conflict: the row repeats line %d", e.Line)
}

// Is makes errors.Is(err, tenancy.ErrConflict) true.
func (e *RepeatedRowError) Is(target error) bool { return target == tenancy.ErrConflict }

// AmbiguousRowError says that another row has the same address and another role, so that nobody can
// tell which is meant: neither is invited. It is [tenancy.ErrConflict].
type AmbiguousRowError struct {
	// Line is that of the first row with the address, or of the second in the error of the first.
	Line int
}

func (e *AmbiguousRowError) Error() string {
	return fmt.Sprintf("conflict: line %d has the same address and another role", e.Line)
}

// Is makes errors.Is(err, tenancy.ErrConflict) true.
func (e *AmbiguousRowError) Is(target error) bool { return target == tenancy.ErrConflict }

// BulkError says that nobody was invited, since not all could be. It is [tenancy.ErrConflict].
type BulkError struct {
	// Rows are what each row would have become by itself.
	Rows []RowResult
}

func (e *BulkError) Error() string {
	held := 0
	for _, r := range e.Rows {
		if r.Outcome.holdsUp() {
			held++
		}
	}
	return fmt.Sprintf("conflict: %d of %d rows cannot be invited, so none was", held, len(e.Rows))
}

// Is makes errors.Is(err, tenancy.ErrConflict) true.
func (e *BulkError) Is(target error) bool { return target == tenancy.ErrConflict }

// keptRow is a result as it is kept under an idempotency key: with its error.
type keptRow struct {
	RowResult
	Why reason `json:",omitzero"`
}

// reason is one of the errors that a row can have, in the field that has its type.
type reason struct {
	Invalid   *tenancy.InvalidError `json:",omitempty"`
	Denied    *rbac.DeniedError     `json:",omitempty"`
	Domain    *DomainError          `json:",omitempty"`
	Member    *tenancy.MemberError  `json:",omitempty"`
	Pending   *PendingError         `json:",omitempty"`
	Limit     *LimitError           `json:",omitempty"`
	Repeated  *RepeatedRowError     `json:",omitempty"`
	Ambiguous *AmbiguousRowError    `json:",omitempty"`
}

func keep(rows []RowResult) []keptRow {
	kept := make([]keptRow, len(rows))
	for i, r := range rows {
		kept[i].RowResult = r
		for field := range kept[i].Why.fields() {
			if errors.As(r.Err, field.Addr().Interface()) {
				break
			}
		}
	}
	return kept
}

func restore(kept []keptRow) []RowResult {
	if kept == nil {
		return nil
	}
	rows := make([]RowResult, len(kept))
	for i, k := range kept {
		rows[i] = k.RowResult
		rows[i].Err = k.Why.err()
	}
	return rows
}

func (r *reason) err() error {
	for field := range r.fields() {
		if err, _ := reflect.TypeAssert[error](field); !field.IsNil() {
			return err
		}
	}
	return nil
}

// fields are those of the errors. Each is named once, where it is declared: one that was forgotten in a
// list beside it would come back as no error at all.
func (r *reason) fields() iter.Seq[reflect.Value] {
	return func(yield func(reflect.Value) bool) {
		errs := reflect.ValueOf(r).Elem()
		for i := range errs.NumField() {
			if !yield(errs.Field(i)) {
				return
			}
		}
	}
}
