package memory

import (
	"fmt"

	"github.com/usher-go/usher/tenancy"
)

// errReference is a foreign key without its row. Unlike a row that is just not there, it is
// a write that a database refuses.
var errReference = fmt.Errorf("%w: the row refers to one that does not exist", tenancy.ErrNotFound)

// referred is the row that another one refers to.
func referred[R any](row *R, err error) (*R, error) {
	if err != nil {
		return nil, errReference
	}
	return row, nil
}

// unique finds rows by a key that no two of them share. The zero key is no key: a row may do
// without, and none is ever found by it.
type unique[K comparable, R any] struct {
	rows map[K]*R
	log  *journal
}

func newUnique[K comparable, R any](log *journal) unique[K, R] {
	return unique[K, R]{rows: map[K]*R{}, log: log}
}

func (u unique[K, R]) get(key K) (*R, error) {
	row, ok := u.rows[key]
	if !ok {
		return nil, tenancy.ErrNotFound
	}
	return row, nil
}

// has answers errReference unless the key names a row.
func (u unique[K, R]) has(key K) error {
	_, err := referred(u.get(key))
	return err
}

// mayHave is has for a reference that may be left out.
func (u unique[K, R]) mayHave(key K) error {
	var none K
	if key == none {
		return nil
	}
	return u.has(key)
}

// insert adds a row by its primary key.
func (u unique[K, R]) insert(key K, row *R) error {
	var none K
	if key == none {
		return &tenancy.InvalidError{Field: "id", Reason: "must not be zero"}
	}
	return u.move(none, key, row)
}

// move gives the row another key, or its first one, or none any more.
func (u unique[K, R]) move(from, to K, row *R) error {
	var none K
	if from == to {
		return nil
	}
	if _, taken := u.rows[to]; taken {
		return tenancy.ErrDuplicate
	}
	if from != none {
		delete(u.rows, from)
		u.log.add(func() { u.rows[from] = row })
	}
	if to != none {
		u.rows[to] = row
		u.log.add(func() { delete(u.rows, to) })
	}
	return nil
}
