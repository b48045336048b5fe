package memory

import (
	"bytes"
	"context"
	"slices"

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
	return each(find, ids, func(id tenancy.ID[K]) tenancy.ID[K] { return id })
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

// each are the rows that are there of those named, each once, in the order of their ids.
func each[N comparable, K, R any](find func(N) (*R, error), named []N, id func(N) tenancy.ID[K]) []*R {
	names := slices.Clone(named)
	slices.SortFunc(names, func(a, b N) int {
		x, y := id(a), id(b)
		return bytes.Compare(x[:], y[:])
	})
	var rows []*R
	seen := map[N]bool{}
	for _, name := range names {
		if row, err := find(name); err == nil && !seen[name] {
			seen[name] = true
			rows = append(rows, row)
		}
	}
	return rows
}
