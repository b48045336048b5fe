package memory

import (
	"context"

	"github.com/usher-go/usher/tenancy"
)

// insertAll writes new rows.
func insertAll[R any](ctx context.Context, s *Store, rows []R, insert func(R) error) error {
	return s.write(ctx, func() error {
		for _, r := range rows {
			if err := insert(r); err != nil {
				return err
			}
		}
		return nil
	})
}

// those are the rows that are there, by id and each once.
func those[K, R any](find func(tenancy.ID[K]) (*R, error), ids []tenancy.ID[K]) []*R {
	var rows []*R
	for _, id := range tenancy.InOrder(ids...) {
		if row, err := find(id); err == nil {
			rows = append(rows, row)
		}
	}
	return rows
}

// shown is what the rows hold.
func shown[R, V any](rows []*R, show func(*R, error) (V, error)) []V {
	var values []V
	for _, row := range rows {
		value, _ := show(row, nil) // fails for no row only
		values = append(values, value)
	}
	return values
}
