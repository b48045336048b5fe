package memory

import (
	"bytes"
	"iter"
	"math"
	"slices"
	"sort"
	"time"

	"github.com/usher-go/usher/tenancy"
)

// place is where a row stands in a list: by a time in microseconds or a sequence, then by id,
// then by a second id where a row is named by two.
type place struct {
	at   int64
	id   [16]byte
	also [16]byte
}

func placeAt[I ~[16]byte](at time.Time, id I) place { return place{at: at.UnixMicro(), id: id} }
func placeByID[I ~[16]byte](id I) place             { return place{id: id} }

func (p place) compare(q place) int {
	switch {
	case p.at < q.at:
		return -1
	case p.at > q.at:
		return 1
	}
	if byID := bytes.Compare(p.id[:], q.id[:]); byID != 0 {
		return byID
	}
	return bytes.Compare(p.also[:], q.also[:])
}

// direction is the way in which a list is read.
type direction bool

const (
	ascending  direction = false
	descending direction = true
)

// start is the place from which a page is read, itself excluded.
func (d direction) start(page tenancy.Keyset) place {
	if !page.At.IsZero() {
		return placeAt(page.At, page.ID)
	}
	return d.beginning()
}

// beginning is a place before all others.
func (d direction) beginning() place {
	if d == ascending {
		return place{at: math.MinInt64}
	}
	last := [16]byte(bytes.Repeat([]byte{0xff}, 16))
	return place{at: math.MaxInt64, id: last, also: last}
}

// list keeps rows in the order of their places, which are distinct. The zero list is empty.
//
// It is cut into chunks, so that a change among a million rows moves half a chunk, and a
// list of one row is a slice of one. That is a B-tree of two levels: more of them would pay
// off from some ten million rows in one list.
type list[R any] struct{ chunks [][]entry[R] }

type entry[R any] struct {
	place
	row *R
}

const chunkSize = 256

// find answers where the place is, or where it would be inserted: the chunk may be one past
// the last.
func (l *list[R]) find(p place) (chunk, i int, found bool) {
	chunk = sort.Search(len(l.chunks), func(c int) bool {
		entries := l.chunks[c]
		return entries[len(entries)-1].compare(p) >= 0
	})
	if chunk == len(l.chunks) {
		return chunk, 0, false
	}
	i, found = slices.BinarySearchFunc(l.chunks[chunk], p, func(e entry[R], p place) int { return e.compare(p) })
	return chunk, i, found
}

// get answers the row at the place, or nil.
func (l *list[R]) get(p place) *R {
	chunk, i, found := l.find(p)
	if !found {
		return nil
	}
	return l.chunks[chunk][i].row
}

// first answers the row at the first place, or nil; the list may be nil too.
func (l *list[R]) first() *R {
	if l == nil || len(l.chunks) == 0 {
		return nil
	}
	return l.chunks[0][0].row
}

// count answers how many rows there are.
func (l *list[R]) count() (n int) {
	for _, chunk := range l.chunks {
		n += len(chunk)
	}
	return n
}

func (l *list[R]) insert(p place, row *R) {
	c, i, _ := l.find(p)
	if c == len(l.chunks) { // after all others: the last chunk is filled up, never split
		if c > 0 && len(l.chunks[c-1]) < chunkSize {
			c--
			i = len(l.chunks[c])
		} else {
			l.chunks = append(l.chunks, nil)
		}
	}
	if len(l.chunks[c]) == chunkSize {
		const half = chunkSize / 2
		l.chunks = slices.Insert(l.chunks, c+1, slices.Clone(l.chunks[c][half:]))
		l.chunks[c] = slices.Delete(l.chunks[c], half, chunkSize)
		if i > half {
			c, i = c+1, i-half
		}
	}
	l.chunks[c] = slices.Insert(l.chunks[c], i, entry[R]{p, row})
}

func (l *list[R]) remove(p place) {
	c, i, found := l.find(p)
	if !found {
		return
	}
	l.chunks[c] = slices.Delete(l.chunks[c], i, i+1)
	if len(l.chunks[c]) == 0 {
		l.chunks = slices.Delete(l.chunks, c, c+1)
	}
	// Neighbours that have become small are joined. A list whose rows keep moving to its
	// newest end would else keep a whole chunk for each row that stays behind.
	l.join(c)
	l.join(c - 1)
}

// join makes one chunk of c and its right neighbour if that leaves room to grow.
func (l *list[R]) join(c int) {
	if c < 0 || c+1 >= len(l.chunks) || len(l.chunks[c])+len(l.chunks[c+1]) > chunkSize/2 {
		return
	}
	l.chunks[c] = append(l.chunks[c], l.chunks[c+1]...)
	l.chunks = slices.Delete(l.chunks, c+1, c+2)
}

// cursor is a position in a list.
type cursor[R any] struct {
	chunks   [][]entry[R]
	chunk, i int
	way      direction
}

// seek is the position of the first row after the place, in the direction given.
func (l *list[R]) seek(p place, way direction) cursor[R] {
	chunk, i, found := l.find(p)
	c := cursor[R]{l.chunks, chunk, i, way}
	if way == descending || found {
		c.next()
	}
	return c
}

func (c *cursor[R]) ok() bool { return 0 <= c.chunk && c.chunk < len(c.chunks) }

func (c *cursor[R]) entry() *entry[R] { return &c.chunks[c.chunk][c.i] }

func (c *cursor[R]) next() {
	if c.way == ascending {
		if c.i++; c.i == len(c.chunks[c.chunk]) {
			c.chunk, c.i = c.chunk+1, 0
		}
		return
	}
	if c.i--; c.i < 0 {
		if c.chunk--; c.chunk >= 0 {
			c.i = len(c.chunks[c.chunk]) - 1
		}
	}
}

// merged reads several lists as if they were one, from after the place on. A list may be nil.
func merged[R any](way direction, from place, lists ...*list[R]) iter.Seq[*R] {
	return func(yield func(*R) bool) {
		cursors := make([]cursor[R], 0, len(lists))
		for _, l := range lists {
			if l == nil {
				continue
			}
			if c := l.seek(from, way); c.ok() {
				cursors = append(cursors, c)
			}
		}
		for len(cursors) > 0 {
			next := 0
			for i := range cursors {
				order := cursors[i].entry().compare(cursors[next].entry().place)
				if way == ascending && order < 0 || way == descending && order > 0 {
					next = i
				}
			}
			if !yield(cursors[next].entry().row) {
				return
			}
			if cursors[next].next(); !cursors[next].ok() {
				cursors = slices.Delete(cursors, next, next+1)
			}
		}
	}
}

// paged takes what show admits from the rows until there are enough.
func paged[R, T any](rows iter.Seq[*R], limit int, show func(*R) (T, bool)) []T {
	if limit <= 0 {
		return nil
	}
	var items []T
	for row := range rows {
		if item, ok := show(row); ok {
			items = append(items, item)
		}
		if len(items) == limit {
			break
		}
	}
	return items
}

// stands calls visit with every list in which a row stands and its place there. Each kind of
// row has one such function, for going in and for going out, so the two cannot disagree.
type stands[R any] func(row *R, visit func(*list[R], place))

// enlist puts a new row into its lists.
func enlist[R any](log *journal, row *R, in stands[R]) {
	in(row, func(l *list[R], p place) {
		l.insert(p, row)
		log.add(func() { l.remove(p) })
	})
}

// delist takes a row out of its lists.
func delist[R any](log *journal, row *R, in stands[R]) {
	in(row, func(l *list[R], p place) {
		l.remove(p)
		log.add(func() { l.insert(p, row) })
	})
}

// relist makes a change that may alter where the row stands.
func relist[R any](log *journal, row *R, in stands[R], change func()) {
	delist(log, row, in)
	change()
	enlist(log, row, in)
}
