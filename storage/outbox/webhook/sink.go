package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/usher-go/usher/storage/outbox"
)

// Sink posts events to one endpoint. It is an [outbox.Sink].
//
//   - An answer of 2xx is done.
//   - Any other, redirects included (none is followed), is a [*StatusError]: the event comes
//     again. With 429 and 503 the receiver's Retry-After is heard.
//   - 410 is also [ErrGone]: the receiver wants no more events. Nothing is thrown away for that,
//     since a 410 may be a mistake: the events come again and become dead letters in the end. A
//     host that hears of ErrGone ([outbox.WithErrors]) takes the sink out of its configuration, and
//     what is left in its lane out of the store ([outbox.Source.ForgetLane]).
//   - No answer in time, or none at all, is an error that says why as far as that holds nothing
//     of the path and query, the request or the answer.
//
// Of an answer's body no more than 4 KiB are read, and nothing is kept.
type Sink struct {
	endpoint string
	secrets  []Secret
	client   *http.Client
	clock    func() time.Time
	timeout  time.Duration
}

// Option changes how a [Sink] works.
type Option func(*Sink)

// WithClient sets the client to send with: its transport decides on proxies, certificates and
// addresses that may be reached. Its cookies and its rule for redirects are not used.
func WithClient(client *http.Client) Option { return func(s *Sink) { s.client = client } }

// WithClock sets the clock, which is the system's otherwise. It should be a true one: receivers
// compare timestamps with their own.
func WithClock(clock func() time.Time) Option { return func(s *Sink) { s.clock = clock } }

// WithTimeout sets the longest time for one post: 20 seconds, unless set. The context that Deliver
// is given may end it earlier.
func WithTimeout(d time.Duration) Option { return func(s *Sink) { s.timeout = d } }

// New makes a sink for the endpoint, which must be an absolute https address without user
// information and fragment; http is allowed for localhost and for loopback addresses only. Each
// post is signed with all of the secrets: one usually, two while a receiver moves from an old
// secret to a new one. An option that makes no sense leaves the default.
func New(endpoint string, secrets []Secret, options ...Option) (*Sink, error) {
	if err := check(endpoint); err != nil {
		return nil, err
	}
	if len(secrets) == 0 || slices.ContainsFunc(secrets, Secret.IsZero) {
		return nil, errors.New("webhook: a sink needs a secret to sign with, and none may be zero")
	}
	s := &Sink{endpoint: endpoint, secrets: slices.Clone(secrets)}
	for _, set := range options {
		set(s)
	}
	if s.client == nil {
		s.client = http.DefaultClient
	}
	s.client = &http.Client{
		Transport: s.client.Transport,
		Timeout:   s.client.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // a redirect would take a signed post elsewhere
		},
	}
	if s.clock == nil {
		s.clock = time.Now
	}
	if s.timeout <= 0 {
		s.timeout = 20 * time.Second
	}
	return s, nil
}

// check does not show the address in its errors: a path or a query may hold a secret.
func check(endpoint string) error {
	u, err := url.Parse(endpoint)
	switch {
	case err != nil || u.Opaque != "" || u.Hostname() == "":
		return errors.New("webhook: the endpoint must be an absolute address, such as https://app.acme.example/hooks")
	case u.User != nil || strings.Contains(endpoint, "#"):
		return errors.New("webhook: the endpoint must have no user information and no fragment")
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		return errors.New("webhook: the endpoint must be https; http is for localhost only")
	}
	return nil
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// maxAnswer is how much of an answer's body is read, for the connection to be used again.
const maxAnswer = 4 << 10

// Deliver posts one event.
func (s *Sink) Deliver(ctx context.Context, e outbox.Event) error {
	body, err := json.Marshal(e)
	if err != nil {
		return errors.New("webhook: the event's payload is not JSON") // err would show some of it
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.endpoint, bytes.NewReader(body))
	if err != nil {
		return errors.New("webhook: the endpoint is not an address to post to") // err would show it
	}
	now := s.clock()
	s.sign(request.Header, e.ID.String(), now, body)
	answer, err := s.client.Do(request)
	if err != nil {
		return withoutText(err)
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, answer.Body, maxAnswer) // the status has said it all
	if answer.StatusCode/100 == 2 {
		return nil
	}
	return statusError(answer, now)
}

func (s *Sink) sign(header http.Header, id string, now time.Time, body []byte) {
	signatures := make([]string, len(s.secrets))
	for i, secret := range s.secrets {
		signatures[i] = secret.Sign(id, now, body)
	}
	header.Set("Content-Type", "application/json")
	header.Set("User-Agent", "usher")
	header.Set(HeaderID, id)
	header.Set(HeaderTimestamp, strconv.FormatInt(now.Unix(), 10))
	header.Set(HeaderSignature, strings.Join(signatures, " "))
}
