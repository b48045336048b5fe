package sqlstore

import (
	"bytes"
	"cmp"
	"context"
	"iter"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/usher-go/usher/tenancy"
)

// A statement on several rows by their ids is written for 1, 2, 4 … 256 of them, the last places of
// one filled by repeating an id, so that the texts stay a finite set. More ids are several statements.
const (
	idSizes = 9
	maxIDs  = 1 << (idSizes - 1)
)

type manyIDs [idSizes]string

// manyIDs makes a statement for each size. The parts name the ids once, as {ids} or, where each is a
// [pair], by the columns of the two: {team_id, id}. They are the last arguments.
func (c *compiler) manyIDs(parts ...string) manyIDs {
	var texts manyIDs
	for size := range texts {
		n := 1 << size
		text := strings.ReplaceAll(strings.Join(parts, " "), "{ids}", list("?", n))
		texts[size] = c.sql(pairColumns.ReplaceAllStringFunc(text, func(columns string) string {
			first, second, _ := strings.Cut(strings.Trim(columns, "{}"), ", ")
			one := first + ` = ? AND ` + second + ` = ?`
			return `(` + one + strings.Repeat(` OR `+one, n-1) + `)`
		}))
	}
	return texts
}

// A pair is two ids of which neither alone says what is meant: a team's and that of what is in it. The
// engines have no common word for a list of rows to look in, so it is written out.
type pair [2]identified

type identified interface{ UUID() uuid.UUID }

var pairColumns = regexp.MustCompile(`\{[a-z._]+, [a-z._]+\}`)

// pairs are those of the values, each once, in the order of their second ids: by which rows are locked.
func pairs[V any](values []V, ids func(V) (first, second identified)) []pair {
	found := make([]pair, len(values))
	for i, v := range values {
		found[i][0], found[i][1] = ids(v)
	}
	slices.SortFunc(found, func(a, b pair) int {
		return cmp.Or(compareIDs(a[1], b[1]), compareIDs(a[0], b[0]))
	})
	return slices.CompactFunc(found, func(a, b pair) bool { return a == b })
}

func compareIDs(a, b identified) int {
	x, y := a.UUID(), b.UUID()
	return bytes.Compare(x[:], y[:])
}

// calls are the statements for the ids, each with its arguments.
func calls[I any](texts manyIDs, ids []I, args ...any) iter.Seq2[string, []any] {
	return func(yield func(string, []any) bool) {
		for len(ids) > 0 {
			chunk := ids[:min(len(ids), maxIDs)]
			ids = ids[len(chunk):]
			size, places := filled(chunk)
			if !yield(texts[size], append(append([]any{}, args...), places...)) {
				return
			}
		}
	}
}

// filled are the ids of one statement, and its size.
func filled[I any](ids []I) (size int, places []any) {
	for 1<<size < len(ids) {
		size++
	}
	for i := range 1 << size {
		switch id := any(ids[min(i, len(ids)-1)]).(type) {
		case pair:
			places = append(places, id[0], id[1])
		default:
			places = append(places, id)
		}
	}
	return size, places
}

// execMany writes the rows with the ids and answers how many it wrote.
func execMany[I any](ctx context.Context, s *Store, texts manyIDs, ids []I, args ...any) (written int64, err error) {
	if err := s.writable(ctx); err != nil {
		return 0, err
	}
	for query, args := range calls(texts, ids, args...) {
		n, err := s.exec(ctx, query, args...)
		if err != nil {
			return 0, err
		}
		written += n
	}
	return written, nil
}

// allMany reads the rows with the ids. Each chunk is in the statement's own order.
func allMany[T, I any](ctx context.Context, s *Store, scan func(row) (T, error), texts manyIDs, ids []I, args ...any) ([]T, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var found []T
	for query, args := range calls(texts, ids, args...) {
		more, err := all(ctx, s, scan, query, args...)
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	return found, nil
}

// lockAll takes rows and then reads them. What comes to be one of them between the two is not locked
// yet: then it takes them once more.
func lockAll[T any](ctx context.Context, s *Store, lock func() (int64, error), read func() ([]T, error)) ([]T, error) {
	if s.dialect.OneWriter {
		if err := s.writable(ctx); err != nil {
			return nil, err
		}
		return read()
	}
	for {
		locked, err := lock()
		if err != nil {
			return nil, err
		}
		found, err := read()
		if err != nil || int64(len(found)) == locked {
			return found, err
		}
	}
}

// manyRows is how many rows one INSERT holds at most; there is a text for each number of them.
const manyRows = 16

type inserts [manyRows]string

// inserts makes an insert for each number of rows.
func (c *compiler) inserts(into, row string) inserts {
	var texts inserts
	for n := range texts {
		texts[n] = c.sql(into, `VALUES`, list(row, n+1))
	}
	return texts
}

// insertAll writes new rows.
func insertAll[R any](ctx context.Context, s *Store, texts inserts, rows []R, args func(R) []any) error {
	if err := s.writable(ctx); err != nil {
		return err
	}
	for len(rows) > 0 {
		n := min(len(rows), manyRows)
		var values []any
		for _, r := range rows[:n] {
			values = append(values, args(r)...)
		}
		if _, err := s.exec(ctx, texts[n-1], values...); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// eachOnce are texts in the order of their bytes.
func eachOnce(texts []string) []string { return slices.Compact(slices.Sorted(slices.Values(texts))) }

// those are the pairs that name users in their teams.
func those(who []tenancy.Actor) []pair {
	return pairs(who, func(a tenancy.Actor) (identified, identified) { return a.Team, a.User })
}
