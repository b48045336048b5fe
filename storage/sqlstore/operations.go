package sqlstore

import (
	"context"
	"time"

	"github.com/usher-go/usher/tenancy"
)

type operationStatements struct{ insert, byKey, forget string }

func (c *compiler) operations() operationStatements {
	return operationStatements{
		insert: c.sql(`INSERT INTO usher_operations (principal, operation_key, request, result, ran_at)
			VALUES (`, list("?", 5), `)`),
		byKey: c.sql(`SELECT principal, operation_key, request, result, ran_at FROM usher_operations
			WHERE principal = ? AND operation_key = ?`),
		forget: c.sql(`DELETE FROM usher_operations WHERE ran_at < ?`),
	}
}

func scanOperation(r row) (tenancy.Operation, error) {
	var o tenancy.Operation
	err := r.Scan(&o.Principal, &o.Key, hash(&o.Request), (*payload)(&o.Result), at(&o.At))
	return o, err
}

// InsertOperation implements [tenancy.OperationStore].
func (s *Store) InsertOperation(ctx context.Context, o tenancy.Operation) error {
	_, err := s.exec(ctx, s.operations.insert, o.Principal, o.Key, o.Request[:], string(o.Result), micros(o.At))
	return err
}

// Operation implements [tenancy.OperationStore].
func (s *Store) Operation(ctx context.Context, principal, key string) (tenancy.Operation, error) {
	return one(ctx, s, scanOperation, s.operations.byKey, principal, key)
}

// ForgetOperations implements [tenancy.OperationStore].
func (s *Store) ForgetOperations(ctx context.Context, before time.Time) (int, error) {
	forgotten, err := s.exec(ctx, s.operations.forget, micros(before))
	return int(forgotten), err
}
