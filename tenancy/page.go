package tenancy

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Limits of a [Page].
const (
	DefaultLimit = 50
	MaxLimit     = 200
)

// Page asks for a part of a list: at most Limit items (0 means [DefaultLimit], more than
// [MaxLimit] is invalid) after the cursor that an earlier answer gave.
type Page struct {
	Limit int
	After Cursor
}

// Cursor is a place in a list, opaque to its holder. It is bound to the list and filter it
// was given for, and refused anywhere else. It grants nothing: each call checks its actor.
type Cursor string

// List is one page of an answer. Next is empty on the last page.
type List[T any] struct {
	Items []T
	Next  Cursor
}

// Keyset is a page as a [Store] sees it: at most Limit rows strictly after the row with the
// key (At, ID), in the order that the method documents. The zero At starts at the beginning.
type Keyset struct {
	At    time.Time
	ID    uuid.UUID
	Limit int
}

// A cursor is version, binding, time in microseconds, id; all before base64.
const (
	cursorVersion = 1
	bindingSize   = 8
	cursorSize    = 1 + bindingSize + 8 + 16
)

var cursorText = base64.RawURLEncoding.Strict()

// Keyset decodes the page for the list that binding describes: its name, its scope and its
// filter. It asks for one row more than the page holds, which tells [Paged] whether there is
// a next page. The error is an [*InvalidError].
func (p Page) Keyset(binding ...any) (Keyset, error) {
	limit := p.Limit
	if limit == 0 {
		limit = DefaultLimit
	}
	if limit < 0 || limit > MaxLimit {
		return Keyset{}, &InvalidError{Field: "limit", Reason: fmt.Sprintf("must be from 1 to %d", MaxLimit)}
	}
	if p.After == "" {
		return Keyset{Limit: limit + 1}, nil
	}
	bad := &InvalidError{Field: "cursor", Reason: "must be one that this list gave, unchanged"}
	if len(p.After) != cursorText.EncodedLen(cursorSize) {
		return Keyset{}, bad
	}
	raw, err := cursorText.DecodeString(string(p.After))
	if err != nil || raw[0] != cursorVersion || [bindingSize]byte(raw[1:1+bindingSize]) != bind(binding) {
		return Keyset{}, bad
	}
	at := int64(binary.BigEndian.Uint64(raw[1+bindingSize:])) //nolint:gosec // a round trip of the same bits
	return Keyset{At: time.UnixMicro(at).UTC(), ID: uuid.UUID(raw[1+bindingSize+8:]), Limit: limit + 1}, nil
}

// Paged cuts what a store answered to the page that was asked for. Key gives an item's place
// in the list's order.
func Paged[T any](items []T, page Keyset, key func(T) (time.Time, uuid.UUID), binding ...any) List[T] {
	if len(items) < page.Limit {
		return List[T]{Items: items}
	}
	items = items[:page.Limit-1]
	at, id := key(items[len(items)-1])
	raw := make([]byte, 0, cursorSize)
	raw = append(raw, cursorVersion)
	binds := bind(binding)
	raw = append(raw, binds[:]...)
	raw = binary.BigEndian.AppendUint64(raw, uint64(at.UnixMicro()))
	raw = append(raw, id[:]...)
	return List[T]{Items: items, Next: Cursor(cursorText.EncodeToString(raw))}
}

// bind hashes what a cursor belongs to. %#v quotes strings, so no two lists print alike.
func bind(binding []any) [bindingSize]byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "%#v", binding))
	return [bindingSize]byte(sum[:bindingSize])
}
