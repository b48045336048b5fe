package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"reflect"
	"time"

	"github.com/usher-go/usher/tenancy"
)

// A document is a column of JSON, for values of several parts that are read and written whole
// and never searched.

// encode is the text of a document. What JSON cannot hold, such as a text that is not UTF-8, is
// refused: encoders mend it, and two texts could become one.
func encode[T any](ctx context.Context, s *Store, field string, value T) (string, error) {
	text, err := json.Marshal(value)
	if err == nil {
		var back T
		if err = json.Unmarshal(text, &back); err == nil && reflect.DeepEqual(back, value) {
			return string(text), nil
		}
	}
	if err := s.writable(ctx); err != nil {
		return "", err
	}
	return "", s.refuse(ctx, &tenancy.InvalidError{Field: field, Reason: "must be valid UTF-8, with times up to the year 9999"})
}

// document reads what encode wrote, and leaves the value as it is where there is none.
func document[T any](to *T) sql.Scanner { return &documentText[T]{to} }

type documentText[T any] struct{ to *T }

func (d *documentText[T]) Scan(from any) error {
	var text optional
	if err := text.Scan(from); err != nil || text == "" {
		return err
	}
	return json.Unmarshal([]byte(text), d.to)
}

// some is a copy of the items, nil where there are none.
func some[T any](items []T) []T { return append([]T(nil), items...) }

// kept is a time as a column keeps it.
func kept(t time.Time) time.Time { return time.UnixMicro(t.UnixMicro()).UTC() }
