package webhook_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"

	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/storage/outbox/sinktest"
	"github.com/usher-go/usher/storage/outbox/webhook"
)

// endpoint is a receiver that verifies, and can refuse and stall.
type endpoint struct {
	t       *testing.T
	mu      sync.Mutex
	arrived []uuid.UUID
	refuses bool
	stalled chan struct{}
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sender has gone
	}
	e.mu.Lock()
	stalled := e.stalled
	e.mu.Unlock()
	if stalled != nil {
		select {
		case <-stalled:
		case <-r.Context().Done():
			return
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.refuses {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if err := webhook.Verify(r.Header, body, time.Now(), webhook.Tolerance, secret(e.t, vectorSecret)); err != nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	var event outbox.Event
	if err := json.Unmarshal(body, &event); err == nil {
		assert.Equal(e.t, r.Header.Get("webhook-id"), event.ID.String())
		e.arrived = append(e.arrived, event.ID)
	}
}

func TestContract(t *testing.T) {
	before := runtime.NumGoroutine()
	sinktest.Run(t, func(t *testing.T) sinktest.Subject {
		e := &endpoint{t: t}
		server := httptest.NewServer(e)
		t.Cleanup(server.Close)
		s, err := webhook.New(server.URL, []webhook.Secret{secret(t, vectorSecret)}, webhook.WithClient(server.Client()))
		if err != nil {
			t.Fatal(err)
		}
		return sinktest.Subject{
			Sink: s,
			Arrived: func() []uuid.UUID {
				e.mu.Lock()
				defer e.mu.Unlock()
				return append([]uuid.UUID(nil), e.arrived...)
			},
			Refuse: func(on bool) {
				e.mu.Lock()
				defer e.mu.Unlock()
				e.refuses = on
			},
			Stall: func(on bool) {
				e.mu.Lock()
				defer e.mu.Unlock()
				if on {
					e.stalled = make(chan struct{})
				} else if e.stalled != nil {
					close(e.stalled)
					e.stalled = nil
				}
			},
		}
	})
	deadline := time.Now().Add(10 * time.Second)
	for runtime.NumGoroutine() > before && time.Now().Before(deadline) {
		runtime.Gosched()
	}
	assert.LessOrEqual(t, runtime.NumGoroutine(), before, "a post leaves no goroutine")
}
