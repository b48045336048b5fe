package memory

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"time"

	"github.com/usher-go/usher/tenancy"
)

type operationName struct{ principal, key string }

type operationRow struct{ tenancy.Operation }

// operationLists: the oldest are forgotten first. Any id will do among those of one instant.
func (s *Store) operationLists(o *operationRow, visit func(*list[operationRow], place)) {
	id := sha256.Sum256([]byte(o.Principal + " " + o.Key)) // a principal has no space
	visit(&s.oldestOperations, placeAt(o.At, [16]byte(id[:16])))
}

// InsertOperation implements [tenancy.OperationStore].
func (s *Store) InsertOperation(ctx context.Context, o tenancy.Operation) error {
	return s.write(ctx, func() error {
		if err := cmp.Or(notEmpty("principal", o.Principal), notEmpty("key", o.Key)); err != nil {
			return err
		}
		utc(&o.At)
		o.Result = bytes.Clone(o.Result)
		row := &operationRow{o}
		if err := s.operations.insert(operationName{o.Principal, o.Key}, row); err != nil {
			return err
		}
		enlist(s.log, row, s.operationLists)
		return nil
	})
}

// Operation implements [tenancy.OperationStore].
func (s *Store) Operation(ctx context.Context, principal, key string) (tenancy.Operation, error) {
	return read(ctx, s, func() (tenancy.Operation, error) {
		row, err := s.operations.get(operationName{principal, key})
		if err != nil {
			return tenancy.Operation{}, err
		}
		o := row.Operation
		o.Result = bytes.Clone(o.Result)
		return o, nil
	})
}

// ForgetOperations implements [tenancy.OperationStore].
func (s *Store) ForgetOperations(ctx context.Context, before time.Time) (forgotten int, err error) {
	err = s.write(ctx, func() error {
		utc(&before)
		for len(s.oldestOperations.chunks) > 0 {
			row := s.oldestOperations.chunks[0][0].row
			if !row.At.Before(before) {
				return nil
			}
			if err := s.operations.move(operationName{row.Principal, row.Key}, operationName{}, row); err != nil {
				return err
			}
			delist(s.log, row, s.operationLists)
			forgotten++
		}
		return nil
	})
	return forgotten, err
}
