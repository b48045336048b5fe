package webhook

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"
)

// ErrGone says that the receiver answered 410: it wants no more events, and the sink should be
// taken out of the configuration.
var ErrGone = errors.New("webhook: the receiver wants no more events")

// StatusError says that the receiver answered with another status than 2xx.
type StatusError struct {
	Status int
	after  time.Duration
}

func (e *StatusError) Error() string {
	text := http.StatusText(e.Status) // not the receiver's own words
	if text == "" {
		text = "an unknown status"
	}
	return fmt.Sprintf("webhook: the receiver answered %d, %s", e.Status, text)
}

// Is makes an error for 410 also [ErrGone].
func (e *StatusError) Is(target error) bool { return target == ErrGone && e.Status == http.StatusGone }

// RetryAfter is how long the receiver wants to be left alone; zero if it has not said.
func (e *StatusError) RetryAfter() time.Duration { return e.after }

func statusError(answer *http.Response, now time.Time) error {
	e := &StatusError{Status: answer.StatusCode}
	if e.Status == http.StatusTooManyRequests || e.Status == http.StatusServiceUnavailable {
		e.after = retryAfter(answer.Header.Get("Retry-After"), now)
	}
	return e
}

// maxRetryAfter is the longest wait that a receiver can ask for.
const maxRetryAfter = 24 * time.Hour

// retryAfter reads seconds or a date; what is neither asks for nothing.
func retryAfter(text string, now time.Time) time.Duration {
	var after time.Duration
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		after = time.Duration(min(max(seconds, 0), int64(maxRetryAfter/time.Second))) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		after = at.Sub(now)
	}
	return min(max(after, 0), maxRetryAfter)
}

var errNoAnswer = errors.New("webhook: the connection broke, or what came was no answer")

// withoutText keeps of a client's error what is known to hold nothing of the path and query, the
// request or the answer: that the time was over, what the network said, what was wrong with the
// certificate.
func withoutText(err error) error {
	var network *net.OpError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("webhook: no answer yet: %w", context.Canceled)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("webhook: no answer in time: %w", context.DeadlineExceeded)
	case errors.As(err, &network):
		return fmt.Errorf("webhook: no answer: %w", network)
	case errors.As(err, &certificate):
		return fmt.Errorf("webhook: no answer: %w", certificate)
	}
	return errNoAnswer
}
