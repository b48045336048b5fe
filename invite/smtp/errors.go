package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
	"unicode"
)

// Error says at which step a mail failed, and why. It holds no text of the server, which may
// quote the mail, nor the address that the mail was for.
type Error struct {
	// Code is the server's reply, such as 550; 0 if it was not a reply that ended it.
	Code int
	// Status is the enhanced status code of the reply (RFC 3463), such as "5.1.1"; empty if the
	// server sent none.
	Status string

	step      string
	permanent bool
	cause     error
}

// Permanent reports whether this mail will never go, however often it is tried: its recipient or
// its content was refused for good. All else may pass, refused credentials too: once someone has
// mended the configuration, the mail goes out.
func (e *Error) Permanent() bool { return e.permanent }

func (e *Error) Error() string {
	if e.Code == 0 {
		return fmt.Sprintf("smtp: %s: %v", e.step, e.cause)
	}
	return strings.TrimSpace(fmt.Sprintf("smtp: %s: the server refused with %d %s", e.step, e.Code, e.Status))
}

// Unwrap is the error of the context, the network or the certificate, if it was one of those.
func (e *Error) Unwrap() error { return e.cause }

// What can be wrong without a reply that says so.
var (
	errNoMessage = errors.New("the message could not be built")
	errNoTLS     = errors.New("the server does not offer STARTTLS, and nothing is sent in the open")
	errNoAuth    = errors.New("the server offers neither PLAIN nor LOGIN to sign in with")
	errNoUTF8    = errors.New("an address that is not ASCII before the @ needs SMTPUTF8, which the server does not offer")
	errTooMuch   = errors.New("the server talks without end")
	errBabble    = errors.New("the server's answer was not understood")
)

// failure tells what is known of an error of the library. Only what is listed here is passed on:
// the library puts the server's words into some of its errors.
func failure(ctx context.Context, step string, err error) *Error {
	e := &Error{step: step}
	var reply *textproto.Error
	switch {
	case errors.As(err, &reply):
		e.Code, e.Status = reply.Code, status(reply)
		e.permanent = reply.Code/100 == 5 && (step == recipient || step == content)
	case errors.Is(err, errNoUTF8):
		e.permanent, e.cause = true, err
	case ctx.Err() != nil:
		e.cause = ctx.Err()
	default:
		e.cause = known(err)
	}
	return e
}

func known(err error) error {
	for _, own := range []error{errNoTLS, errNoAuth, errTooMuch} {
		if errors.Is(err, own) {
			return own
		}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return io.ErrUnexpectedEOF
	}
	var network net.Error
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &certificate):
		return &brief{certificate}
	case errors.As(err, &record):
		return &brief{record}
	case errors.As(err, &network):
		return &brief{network}
	}
	return errBabble
}

// brief keeps the text of an error short and on one line: a certificate can hold any names.
type brief struct{ error }

// maxBrief is how much of such a text is kept, in characters.
const maxBrief = 200

func (b *brief) Error() string {
	text := []rune(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, b.error.Error()))
	return string(text[:min(len(text), maxBrief)])
}

func (b *brief) Unwrap() error { return b.error }

// status is the enhanced status code with which a reply begins, if it is one of the reply's
// class and of the form that RFC 3463 gives it.
func status(reply *textproto.Error) string {
	first, _, _ := strings.Cut(reply.Msg, " ")
	parts := strings.Split(first, ".")
	if len(parts) != 3 || parts[0] != fmt.Sprint(reply.Code/100) {
		return ""
	}
	for _, part := range parts {
		if part == "" || len(part) > 3 || strings.Trim(part, "0123456789") != "" {
			return ""
		}
	}
	return first
}
