package sqlstore

import (
	"time"

	"github.com/google/uuid"
)

// bind turns the values of the domains into those that a driver takes, in place. A zero id and
// a zero time are NULL.
func (s *Store) bind(args []any) []any {
	for i, arg := range args {
		switch value := arg.(type) {
		case interface{ UUID() uuid.UUID }:
			args[i] = s.id(value.UUID())
		case uuid.UUID:
			args[i] = s.id(value)
		case time.Time:
			if value.IsZero() {
				args[i] = nil
			} else {
				args[i] = value.UnixMicro()
			}
		}
	}
	return args
}

func (s *Store) id(id uuid.UUID) any {
	if id == uuid.Nil {
		return nil
	}
	return s.dialect.id(id)
}

// micros is a time for a column that is never NULL: the zero time has a number as well, and
// comes back as the zero time.
func micros(t time.Time) int64 { return t.UnixMicro() }

// unless is NULL for an empty text, which is how a key is left out of its unique index.
func unless[S ~string](empty S) any {
	if empty == "" {
		return nil
	}
	return string(empty)
}

// digest is NULL for the zero hash.
func digest[H ~[32]byte](hash H) any {
	if hash == (H{}) {
		return nil
	}
	return hash[:]
}
