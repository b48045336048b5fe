package access

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// Problem is an error as the client may see it: the members of RFC 9457, and two of usher's own.
type Problem struct {
	// Type names the class of error; its page says more. It is "about:blank" for errors that are
	// not usher's.
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	// Permission is the one that was missing, as "object: action".
	Permission string `json:"permission,omitempty"`
	// Field is the input that is wrong.
	Field string `json:"field,omitempty"`
}

// ProblemOf finds the class of an error. Every error of usher has one; an error of the host's
// that wraps one is of that class. Whatever else it is, is an internal error that says nothing.
//
// Signed out, not found and unavailable always say the same. In the other classes Detail is the
// sentence of the error next to the class: of fmt.Errorf("order %d: %w", n, conversation.ErrClosed)
// it is what ErrClosed says, and what the host has put around it is for the host's log.
func ProblemOf(err error) Problem {
	for _, c := range &classes {
		if errors.Is(err, c.err) {
			return c.problem(err)
		}
	}
	return Problem{Type: "about:blank", Title: http.StatusText(http.StatusInternalServerError), Status: http.StatusInternalServerError}
}

func (c class) problem(err error) Problem {
	p := Problem{Type: docs + c.anchor, Title: c.title, Status: c.status, Detail: c.detail}
	if c.detail != "" {
		return p // the same to everybody
	}
	p.Detail = sentence(err, c.err)
	var denied *rbac.DeniedError
	if errors.As(err, &denied) {
		p.Permission = denied.Name
	}
	var invalid *tenancy.InvalidError
	if errors.As(err, &invalid) {
		p.Field = invalid.Field
	}
	return p
}

// sentence is what the error next to the class says, without the name of the class. The errors
// around it are not heard, nor is one that wraps the class beside something else, such as what
// a driver said.
func sentence(err, class error) string {
	for err != class { //nolint:errorlint // walks the chain, link by link
		inner := inside(err, class)
		if inner == nil {
			return strings.TrimPrefix(err.Error(), class.Error()+": ")
		}
		err = inner
	}
	return ""
}

// inside is the next error of the class in the chain. It is nil where err itself speaks for the
// class: as a type, or in the words "class: sentence".
func inside(err, class error) error {
	switch outer := err.(type) { //nolint:errorlint // as above
	case interface{ Unwrap() error }:
		inner := outer.Unwrap()
		speaks := inner == class && strings.HasPrefix(err.Error(), class.Error()+": ") //nolint:errorlint // as above
		if !speaks && errors.Is(inner, class) {
			return inner
		}
	case interface{ Unwrap() []error }:
		for _, inner := range outer.Unwrap() {
			if errors.Is(inner, class) {
				return inner
			}
		}
	}
	return nil
}

// SignInError says that nobody is signed in, and how one can. It is [tenancy.ErrNoPrincipal].
type SignInError struct {
	// Challenge is the value of WWW-Authenticate, such as `Bearer realm="acme"`.
	Challenge string
}

func (e *SignInError) Error() string { return "nobody is signed in" }

// Unwrap is [tenancy.ErrNoPrincipal].
func (e *SignInError) Unwrap() error { return tenancy.ErrNoPrincipal }

// sessionChallenge stands in WWW-Authenticate, which a 401 must have, when the host names no scheme: one
// that no browser knows, so that none asks for a password.
const sessionChallenge = "Session"

// Refuse answers a request with the [ProblemOf] an error, as application/problem+json. No cache
// keeps it, whatever it depends on. The error itself goes nowhere: a host that wants it in its
// log writes it there first. Call it before anything of the answer is written.
func Refuse(w http.ResponseWriter, _ *http.Request, err error) {
	p := ProblemOf(err)
	body, failed := json.Marshal(p)
	if failed != nil {
		panic(failed) // strings and a number always marshal
	}
	header := w.Header()
	if p.Status == http.StatusUnauthorized {
		header.Set("WWW-Authenticate", challenge(err))
	}
	header.Del("Content-Length") // of the answer that the handler had begun to prepare
	header.Set("Content-Type", "application/problem+json")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) // to a client that may have gone
}

func challenge(err error) string {
	var signIn *SignInError
	if errors.As(err, &signIn) && signIn.Challenge != "" {
		return signIn.Challenge
	}
	return sessionChallenge
}
