package sqlstore

import (
	"context"

	"github.com/usher-go/usher/tenancy"
)

// pages are the two forms of a list's statement: its first page, and the page after a key.
type pages struct{ first, after string }

// order is how a list is sorted and how it goes on after a key. The condition repeats the time,
// because a row comparison such as (at, id) < (?, ?) is not a range to MySQL's optimizer.
type order struct{ after, by string }

func oldestFirst(at, id string) order {
	return order{
		after: `AND ` + at + ` >= ? AND (` + at + ` > ? OR ` + id + ` > ?)`,
		by:    `ORDER BY ` + at + `, ` + id + ` LIMIT ?`,
	}
}

func newestFirst(at, id string) order {
	return order{
		after: `AND ` + at + ` <= ? AND (` + at + ` < ? OR ` + id + ` < ?)`,
		by:    `ORDER BY ` + at + ` DESC, ` + id + ` DESC LIMIT ?`,
	}
}

// pages makes both forms of a list. The parts end in a condition.
func (c *compiler) pages(o order, parts ...string) pages {
	first := append(append([]string{}, parts...), o.by)
	after := append(append([]string{}, parts...), o.after, o.by)
	return pages{first: c.sql(first...), after: c.sql(after...)}
}

// at is the statement of a page, and the values of its place in the list and its limit. A statement
// of several lists has them once for each.
func (p pages) at(s *Store, page tenancy.Keyset) (query string, place []any) {
	if page.At.IsZero() {
		return p.first, []any{page.Limit}
	}
	return p.after, []any{micros(page.At), micros(page.At), s.dialect.id(page.ID), page.Limit}
}

// paged reads one page.
func paged[T any](ctx context.Context, s *Store, scan func(row) (T, error), p pages, page tenancy.Keyset, args ...any) ([]T, error) {
	query, place := p.at(s, page)
	return all(ctx, s, scan, query, append(args, place...)...)
}
