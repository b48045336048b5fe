package access

import (
	"context"
	"net/http"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// docs is the page that describes the types of problems, one heading each.
const docs = "https://github.com/usher-go/usher/blob/main/docs/http.md#"

// class is how the errors of one class are told to a client.
type class struct {
	err    error
	anchor string
	status int
	title  string
	// detail is what all errors of the class say; empty where each speaks for itself.
	detail string
}

// classes are searched from the top, since an error can be of two: nobody signed in is also
// denied, and an invitation that has expired is also a conflict.
var classes = [...]class{
	{tenancy.ErrNoPrincipal, "signed-out", http.StatusUnauthorized, "Nobody is signed in", "The request does not say who makes it."},
	{tenancy.ErrNotFound, "not-found", http.StatusNotFound, "Not found", "There is nothing here for you."},
	{rbac.ErrDenied, "denied", http.StatusForbidden, "Not allowed", ""},
	{tenancy.ErrExpired, "expired", http.StatusGone, "Its time has passed", ""},
	{tenancy.ErrConflict, "conflict", http.StatusConflict, "Not in this state", ""},
	{tenancy.ErrInvalid, "invalid", http.StatusUnprocessableEntity, "The input breaks a rule", ""},
	{rbac.ErrUnknownRole, "invalid", http.StatusUnprocessableEntity, "The input breaks a rule", ""},
	{tenancy.ErrLimit, "limit", http.StatusTooManyRequests, "A limit is reached", ""},
	{tenancy.ErrUnavailable, "unavailable", http.StatusServiceUnavailable, "Not available now", "Try again later."},
	{context.DeadlineExceeded, "unavailable", http.StatusServiceUnavailable, "Not available now", "Try again later."},
	{context.Canceled, "unavailable", http.StatusServiceUnavailable, "Not available now", "Try again later."},
	{ErrUnrouted, "unrouted", http.StatusInternalServerError, "A mistake in the server's routes", ""},
}
