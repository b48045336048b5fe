package sqlstore

import (
	"database/sql"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// What follows reads columns into the domains' types, whichever form a driver gives them.
// Errors here mean that a row was damaged; their text stays inside, like a driver's.

func id[K any](to *tenancy.ID[K]) sql.Scanner { return (*uuid.UUID)(to) }

func at(to *time.Time) sql.Scanner { return (*instant)(to) }

func text(to *string) sql.Scanner { return (*optional)(to) }

func hash(to *[32]byte) sql.Scanner { return (*sum)(to) }

func role(to *rbac.Role) sql.Scanner { return (*roleText)(to) }

var errColumn = errors.New("a column holds what usher did not write")

type instant time.Time

func (t *instant) Scan(from any) error {
	var at int64
	switch value := from.(type) {
	case nil:
		*t = instant{}
		return nil
	case int64:
		at = value
	case []byte: // how MySQL's text protocol sends a number
		var err error
		if at, err = strconv.ParseInt(string(value), 10, 64); err != nil {
			return err
		}
	default:
		return errColumn
	}
	*t = instant(time.UnixMicro(at).UTC())
	return nil
}

type optional string

func (s *optional) Scan(from any) error {
	switch value := from.(type) {
	case nil:
		*s = ""
	case string:
		*s = optional(value)
	case []byte:
		*s = optional(value)
	default:
		return errColumn
	}
	return nil
}

type sum [32]byte

func (h *sum) Scan(from any) error {
	switch value := from.(type) {
	case nil:
		*h = sum{}
		return nil
	case []byte:
		if len(value) != len(h) {
			return errColumn
		}
		*h = sum(value)
		return nil
	default:
		return errColumn
	}
}

type payload json.RawMessage

func (p *payload) Scan(from any) error {
	var text optional
	if err := text.Scan(from); err != nil {
		return err
	}
	*p = nil
	if text != "" {
		*p = payload(text)
	}
	return nil
}

type roleText rbac.Role

func (r *roleText) Scan(from any) error {
	var text optional
	if err := text.Scan(from); err != nil || text == "" {
		return err
	}
	return (*rbac.Role)(r).UnmarshalText([]byte(text))
}

// scanFlag reads a row of one truth value.
func scanFlag(r row) (bool, error) {
	var flag bool
	err := r.Scan(&flag)
	return flag, err
}

// scanID reads a row of one id.
func scanID[I ~[16]byte](r row) (I, error) {
	var found uuid.UUID
	err := r.Scan(&found)
	return I(found), err
}

// scanNumber reads a row of one number.
func scanNumber(r row) (int, error) {
	var number int
	err := r.Scan(&number)
	return number, err
}
