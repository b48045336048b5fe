package access

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/usher-go/usher/tenancy"
)

// ErrUnrouted says that the guard stands where the router has set no path value: around the whole
// router, or around a route without that wildcard. It is a mistake in the host's routes, and
// lets nobody in.
var ErrUnrouted = errors.New("the guard is not on a route that names the team")

// PathValue takes the team's id from the wildcard of that name in the route's pattern: "team" for
// /teams/{team}/blasts. What is no id is not found, like another's.
func PathValue(name string) TeamOf {
	return func(r *http.Request) (tenancy.TeamID, error) {
		value := r.PathValue(name)
		if value == "" && !strings.Contains(r.Pattern, "{"+name) { // where it does, a wildcard matched nothing
			return tenancy.TeamID{}, fmt.Errorf("%w: it wants the path value %q; wrap the handler of a route with this wildcard, not the router", ErrUnrouted, name)
		}
		return teamID(value)
	}
}

// Header takes the team's id from a header, such as X-Team. What is no id is not found, like
// another's; a request without the header, or with several, is a [*tenancy.InvalidError]. An
// answer that may be cached should name the header in Vary.
func Header(name string) TeamOf {
	return func(r *http.Request) (tenancy.TeamID, error) {
		values := r.Header.Values(name)
		if len(values) != 1 { // with two, a proxy may have read the other one
			return tenancy.TeamID{}, &tenancy.InvalidError{Field: "header " + http.CanonicalHeaderKey(name), Reason: "must name the team, once"}
		}
		return teamID(values[0])
	}
}

func teamID(text string) (tenancy.TeamID, error) {
	id, err := tenancy.ParseID[tenancy.TeamID](text)
	if err != nil {
		return tenancy.TeamID{}, tenancy.ErrNotFound
	}
	return id, nil
}
