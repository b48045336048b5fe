package memory

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// What a database checks by itself, beside keys: that a value is one of those listed
// or in its range.

func oneOf[S ~string](field string, value S, allowed ...S) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	names := make([]string, len(allowed))
	for i, a := range allowed {
		names[i] = string(a)
	}
	return &tenancy.InvalidError{Field: field, Reason: "must be one of " + strings.Join(names, ", ")}
}

func notEmpty(field, value string) error {
	if value != "" {
		return nil
	}
	return &tenancy.InvalidError{Field: field, Reason: "must not be empty"}
}

func between[N int | int64](field string, n, least, most N) error {
	if least <= n && n <= most {
		return nil
	}
	return &tenancy.InvalidError{Field: field, Reason: fmt.Sprintf("must be from %d to %d", least, most)}
}

func teamRole(role rbac.Role) error {
	if role.InTeam() {
		return nil
	}
	return &tenancy.InvalidError{Field: "role", Reason: "must be a role in a team"}
}

func channel(c tenancy.Channel) error {
	return oneOf("channel", c, tenancy.PhoneChannel, tenancy.ChatChannel)
}

// some is a copy of the items, nil where there are none.
func some[T any](items []T) []T { return append([]T(nil), items...) }

// sameVersion guards an update: the row must be as it was when the writer read it.
func sameVersion(stored, read int64) error {
	if stored != read {
		return tenancy.ErrStale
	}
	return nil
}

// utc brings a time to the form in which it is stored: UTC, cut to the microsecond.
func utc(t *time.Time) {
	if t.IsZero() {
		*t = time.Time{}
		return
	}
	*t = time.UnixMicro(t.UnixMicro()).UTC()
}
