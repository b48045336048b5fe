package webhook_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/storage/outbox/webhook"
)

// The vector that the libraries of https://github.com/standard-webhooks/standard-webhooks are
// tested with.
const (
	vectorSecret    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	vectorID        = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	vectorTime      = 1614265330
	vectorBody      = `{"test": 2432232314}`
	vectorSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
)

var now = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

func secret(t testing.TB, text string) webhook.Secret {
	t.Helper()
	s, err := webhook.ParseSecret(text)
	require.NoError(t, err)
	return s
}

func anEvent() outbox.Event {
	id := uuid.MustParse("0195d3a0-0000-7000-8000-000000000001")
	return outbox.Event{
		ID: id, Stream: outbox.Stream{Kind: outbox.TeamStream, ID: id}, Sequence: 1, Team: id, Kind: "member.joined",
		Version: 1, Principal: "system:test", At: now, Payload: json.RawMessage(`{"role":"manager"}`),
	}
}

// post is what a receiver got.
type post struct {
	header http.Header
	body   []byte
	method string
}

// receiver serves what answer says, and notes what it got.
func receiver(t testing.TB, answer http.HandlerFunc) (url string, got *[]post) {
	t.Helper()
	got = &[]post{}
	var mu sync.Mutex
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the sender has gone
		}
		mu.Lock()
		*got = append(*got, post{r.Header, body, r.Method})
		mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/hooks?key=marked-path", got
}

func ok(http.ResponseWriter, *http.Request) {}

func sink(t testing.TB, url string, options ...webhook.Option) *webhook.Sink {
	t.Helper()
	s, err := webhook.New(url, []webhook.Secret{secret(t, vectorSecret)},
		append([]webhook.Option{webhook.WithClock(func() time.Time { return now })}, options...)...)
	require.NoError(t, err)
	return s
}

func TestThePublishedVector(t *testing.T) {
	s := secret(t, vectorSecret)
	assert.Equal(t, vectorSignature, s.Sign(vectorID, time.Unix(vectorTime, 0), []byte(vectorBody)))
	header := http.Header{}
	header.Set("webhook-id", vectorID)
	header.Set("webhook-timestamp", strconv.Itoa(vectorTime))
	header.Set("webhook-signature", vectorSignature)
	require.NoError(t, webhook.Verify(header, []byte(vectorBody), time.Unix(vectorTime, 0), webhook.Tolerance, s))
}

func TestAPostIsSignedAndHoldsTheEvent(t *testing.T) {
	url, got := receiver(t, ok)
	e := anEvent()
	s := sink(t, url)
	for range 2 {
		require.NoError(t, s.Deliver(t.Context(), e))
	}
	require.Len(t, *got, 2)
	for _, p := range *got {
		assert.Equal(t, http.MethodPost, p.method)
		assert.Equal(t, "application/json", p.header.Get("Content-Type"))
		assert.Equal(t, e.ID.String(), p.header.Get("webhook-id"), "repeats can be told by it")
		assert.Equal(t, strconv.FormatInt(now.Unix(), 10), p.header.Get("webhook-timestamp"))

		// Computed here from the words of the specification, not with the package.
		key, err := base64.StdEncoding.DecodeString("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
		require.NoError(t, err)
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte("0195d3a0-0000-7000-8000-000000000001.1772355600." + string(p.body)))
		assert.Equal(t, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)), p.header.Get("webhook-signature"))

		var arrived outbox.Event
		require.NoError(t, json.Unmarshal(p.body, &arrived))
		assert.Equal(t, e, arrived)
		require.NoError(t, webhook.Verify(p.header, p.body, now, webhook.Tolerance, secret(t, vectorSecret)))
	}
}

func TestTheTimestampIsThatOfTheAttempt(t *testing.T) {
	url, got := receiver(t, ok)
	at := now
	s := sink(t, url, webhook.WithClock(func() time.Time { at = at.Add(time.Hour); return at }))
	for range 2 {
		require.NoError(t, s.Deliver(t.Context(), anEvent()))
	}
	assert.Equal(t, "1772359200", (*got)[0].header.Get("webhook-timestamp"))
	assert.Equal(t, "1772362800", (*got)[1].header.Get("webhook-timestamp"))
	assert.Equal(t, (*got)[0].header.Get("webhook-id"), (*got)[1].header.Get("webhook-id"))
}

func TestRotation(t *testing.T) {
	url, got := receiver(t, ok)
	older, newer, other := secret(t, vectorSecret), secret(t, webhook.GenerateSecret()), secret(t, webhook.GenerateSecret())
	secrets := []webhook.Secret{newer, older}
	s, err := webhook.New(url, secrets, webhook.WithClock(func() time.Time { return now }))
	require.NoError(t, err)
	secrets[0] = other // the sink has its own
	require.NoError(t, s.Deliver(t.Context(), anEvent()))
	p := (*got)[0]
	assert.Len(t, strings.Fields(p.header.Get("webhook-signature")), 2)
	for _, known := range [][]webhook.Secret{{older}, {newer}, {other, older}, {newer, other, {}}} {
		require.NoError(t, webhook.Verify(p.header, p.body, now, webhook.Tolerance, known...))
	}
	for _, known := range [][]webhook.Secret{nil, {other}, {{}}, {{}, other}} {
		require.ErrorIs(t, webhook.Verify(p.header, p.body, now, webhook.Tolerance, known...), webhook.ErrSignature)
	}
}

func TestTolerance(t *testing.T) {
	s := secret(t, vectorSecret)
	sent := time.Unix(vectorTime, 0)
	header := func(timestamp string) http.Header {
		return http.Header{
			webhook.HeaderID: {vectorID}, webhook.HeaderTimestamp: {timestamp},
			webhook.HeaderSignature: {vectorSignature},
		}
	}
	for _, tt := range []struct {
		off  time.Duration
		want error
	}{
		{0, nil}, {5 * time.Minute, nil}, {-5 * time.Minute, nil},
		{5*time.Minute + 1, webhook.ErrTimestamp}, {-5*time.Minute - 1, webhook.ErrTimestamp},
		{1 << 62, webhook.ErrTimestamp}, {-1 << 62, webhook.ErrTimestamp},
	} {
		err := webhook.Verify(header("1614265330"), []byte(vectorBody), sent.Add(tt.off), webhook.Tolerance, s)
		require.ErrorIs(t, err, tt.want, tt.off)
	}
	require.ErrorIs(t, webhook.Verify(header("1614265330"), []byte(vectorBody), time.Time{}, webhook.Tolerance, s), webhook.ErrTimestamp)
	for _, timestamp := range []string{"", "now", "1614265331", "1614265330.0", "+1614265330", "01614265330", "99999999999999999999", "-1"} {
		require.ErrorIs(t, webhook.Verify(header(timestamp), []byte(vectorBody), sent, webhook.Tolerance, s), webhook.ErrSignature, timestamp)
	}
	// The largest timestamps do not overflow into the present.
	for _, seconds := range []int64{1<<63 - 1, -1 << 63, 0, 1 << 40} {
		h := header(strconv.FormatInt(seconds, 10))
		h.Set(webhook.HeaderSignature, s.Sign(vectorID, time.Unix(seconds, 0), []byte(vectorBody)))
		require.ErrorIs(t, webhook.Verify(h, []byte(vectorBody), sent, webhook.Tolerance, s), webhook.ErrTimestamp, seconds)
	}
}

func TestWhatWasTouchedDoesNotVerify(t *testing.T) {
	s := secret(t, vectorSecret)
	sent := time.Unix(vectorTime, 0)
	verify := func(id, signature, body string) error {
		return webhook.Verify(http.Header{
			webhook.HeaderID: {id}, webhook.HeaderTimestamp: {"1614265330"}, webhook.HeaderSignature: {signature},
		}, []byte(body), sent, webhook.Tolerance, s)
	}
	require.NoError(t, verify(vectorID, "v1a,AAAA v2,x "+vectorSignature+" v1,", vectorBody), "others are passed over")
	bare := strings.TrimPrefix(vectorSignature, "v1,")
	for _, signature := range []string{
		"", "v1", "v1,", bare, "v2," + bare, "V1," + bare, "v1a," + bare, "v1, " + bare, vectorSignature[:len(vectorSignature)-1],
		vectorSignature + "=", strings.Replace(vectorSignature, "g0", "g1", 1), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OF=",
	} {
		require.ErrorIs(t, verify(vectorID, signature, vectorBody), webhook.ErrSignature, signature)
	}
	require.ErrorIs(t, verify("", vectorSignature, vectorBody), webhook.ErrSignature)
	require.ErrorIs(t, verify(vectorID+"x", vectorSignature, vectorBody), webhook.ErrSignature)
	require.ErrorIs(t, verify(vectorID, vectorSignature, ""), webhook.ErrSignature)
	require.ErrorIs(t, verify(vectorID, vectorSignature, vectorBody+"\n"), webhook.ErrSignature)

	// The text "a.1614265330.1614265330.x" could be cut in two ways.
	signature := s.Sign("a", sent, []byte("1614265330.x"))
	require.NoError(t, verify("a", signature, "1614265330.x"))
	require.ErrorIs(t, verify("a.1614265330", signature, "x"), webhook.ErrSignature)

	require.ErrorIs(t, webhook.Verify(nil, nil, sent, webhook.Tolerance, s), webhook.ErrSignature)
}

func TestStatuses(t *testing.T) {
	var elsewhere atomic.Int64
	other, _ := receiver(t, func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) })
	for status := 200; status < 600; status++ {
		if http.StatusText(status) == "" && status%100 != 99 {
			continue
		}
		url, _ := receiver(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", other)
			w.Header().Set("Retry-After", "120")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "marked-answer")
		})
		err := sink(t, url).Deliver(t.Context(), anEvent())
		if status < 300 {
			require.NoError(t, err)
			continue
		}
		var answered *webhook.StatusError
		require.ErrorAs(t, err, &answered)
		assert.Equal(t, status, answered.Status)
		assert.Equal(t, status == http.StatusGone, errors.Is(err, webhook.ErrGone))
		assert.Contains(t, err.Error(), strconv.Itoa(status))
		want := time.Duration(0)
		if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
			want = 2 * time.Minute
		}
		assert.Equal(t, want, answered.RetryAfter())
		unmarked(t, err)
	}
	assert.Zero(t, elsewhere.Load(), "a redirect was followed")
}

func TestRetryAfter(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"": 0, "soon": 0, "-5": 0, "0": 0, "1.5": 0, "90": 90 * time.Second, "999999999999999999": 24 * time.Hour,
		now.Add(time.Hour).Format(http.TimeFormat):        time.Hour,
		now.Add(-time.Hour).Format(http.TimeFormat):       0,
		now.Add(1000 * time.Hour).Format(http.TimeFormat): 24 * time.Hour,
	} {
		url, _ := receiver(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", text)
			w.WriteHeader(http.StatusServiceUnavailable)
		})
		err := sink(t, url).Deliver(t.Context(), anEvent())
		var answered *webhook.StatusError
		require.ErrorAs(t, err, &answered)
		assert.Equal(t, want, answered.RetryAfter(), text)
	}
}

// marked are words that no error may hold: they stand in the secret, the path, the query, the
// payload and the answer of these tests.
func unmarked(t *testing.T, err error) {
	t.Helper()
	require.Error(t, err)
	for _, text := range []string{err.Error(), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err)} {
		for _, word := range []string{"marked", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "hooks", "manager"} {
			assert.NotContains(t, text, word)
		}
	}
}

func TestNoAnswer(t *testing.T) {
	for name, answer := range map[string]func(net.Conn){
		"nothing":   func(net.Conn) {},
		"nonsense":  func(c net.Conn) { _, _ = io.WriteString(c, "marked-nonsense\r\n\r\n") },
		"half":      func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 200 marked\r\nmarked: 1") },
		"bad field": func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nmarked\r\n\r\n") },
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				conn, _, err := http.NewResponseController(w).Hijack()
				if assert.NoError(t, err) {
					answer(conn)
					assert.NoError(t, conn.Close())
				}
			}))
			defer server.Close()
			unmarked(t, sink(t, server.URL+"/hooks?key=marked-path").Deliver(t.Context(), anEvent()))
		})
	}
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	err = sink(t, "http://"+listener.Addr().String()+"/hooks?key=marked-path").Deliver(t.Context(), anEvent())
	unmarked(t, err)
	var network *net.OpError
	require.ErrorAs(t, err, &network)
}

func TestACertificateThatIsNotTrusted(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(ok))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	defer server.Close()
	err := sink(t, server.URL+"/hooks").Deliver(t.Context(), anEvent())
	unmarked(t, err)
	require.ErrorContains(t, err, "certificate")
	require.NoError(t, sink(t, server.URL+"/hooks", webhook.WithClient(server.Client())).Deliver(t.Context(), anEvent()))
}

func TestTheContextEndsAPost(t *testing.T) {
	release := make(chan struct{})
	url, _ := receiver(t, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	err := sink(t, url).Deliver(ctx, anEvent())
	unmarked(t, err)
	require.ErrorIs(t, err, context.DeadlineExceeded)

	err = sink(t, url, webhook.WithTimeout(20*time.Millisecond)).Deliver(t.Context(), anEvent())
	unmarked(t, err)
	require.ErrorIs(t, err, context.DeadlineExceeded)

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	err = sink(t, url).Deliver(ended, anEvent())
	unmarked(t, err)
	require.ErrorIs(t, err, context.Canceled)
}

// The receiver has taken the event, whatever becomes of the rest of its answer.
func TestAnAnswerThatDoesNotEndIsAnAnswer(t *testing.T) {
	release := make(chan struct{})
	url, _ := receiver(t, func(w http.ResponseWriter, _ *http.Request) {
		assert.NoError(t, http.NewResponseController(w).Flush())
		<-release
	})
	defer close(release)
	// Slow machines may not see the header in time; then it is an error that says so.
	err := sink(t, url, webhook.WithTimeout(time.Second)).Deliver(t.Context(), anEvent())
	if err != nil {
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}
}

// An answer without end costs no more than the limit: the status has said it all.
func TestAnEndlessAnswerIsCutShort(t *testing.T) {
	url, _ := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		out := bufio.NewWriter(w)
		for r.Context().Err() == nil {
			if _, err := out.Write(bytes.Repeat([]byte("x"), 1<<16)); err != nil {
				return
			}
		}
	})
	require.NoError(t, sink(t, url).Deliver(t.Context(), anEvent()))
}

func TestAPayloadThatIsNotJSONIsNotSent(t *testing.T) {
	url, got := receiver(t, ok)
	e := anEvent()
	e.Payload = json.RawMessage(`marked`)
	unmarked(t, sink(t, url).Deliver(t.Context(), e))
	assert.Empty(t, *got)
}

func TestEndpoints(t *testing.T) {
	secrets := []webhook.Secret{secret(t, vectorSecret)}
	for _, endpoint := range []string{
		"https://app.acme.example", "https://app.acme.example:8443/hooks?a=b", "http://localhost/x", "http://localhost:80",
		"http://127.0.0.1:8080/x", "http://127.9.9.9/x", "http://[::1]:8080/x", "https://10.0.0.1/private-is-the-hosts-choice",
	} {
		_, err := webhook.New(endpoint, secrets)
		require.NoError(t, err, endpoint)
	}
	for _, endpoint := range []string{
		"", "marked", "/marked", "//marked/x", "http://marked.example/x", "http://localhost.marked.example", "http://10.0.0.1/x",
		"http://0.0.0.0/marked", "http://127.0.0.1.marked.example", "ftp://localhost/marked", "HTTPS:marked", "https:///marked", "https://:443/marked",
		"https://user:marked@a.example/", "https://marked@a.example/", "https://a.example/#marked", "https://a.example/#", "https://a.example/%zz?marked",
		"https://a.example/marked\n", "javascript:marked", "http://2130706433/marked", "http://localhost@marked.example/",
	} {
		_, err := webhook.New(endpoint, secrets)
		require.Error(t, err, endpoint)
		assert.NotContains(t, err.Error(), "marked")
	}
	for _, none := range [][]webhook.Secret{nil, {}, {{}}, {secrets[0], {}}} {
		_, err := webhook.New("https://a.example/", none)
		require.Error(t, err)
	}
}

func TestOptionsThatMakeNoSenseLeaveTheDefault(t *testing.T) {
	url, got := receiver(t, ok)
	s := sink(t, url, webhook.WithClient(nil), webhook.WithClock(nil), webhook.WithTimeout(-1))
	require.NoError(t, s.Deliver(t.Context(), anEvent()))
	p := (*got)[0]
	require.NoError(t, webhook.Verify(p.header, p.body, time.Now(), time.Minute, secret(t, vectorSecret)))
}
