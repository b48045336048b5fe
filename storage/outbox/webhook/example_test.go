package webhook_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/storage/outbox/webhook"
)

// The receiver verifies the bytes that came, reads the event, and answers. Repeats can be told by
// the event's id; with [outbox.Inbox], their effects happen once.
func Example() {
	secret, err := webhook.ParseSecret(webhook.GenerateSecret()) // from the configuration of both sides
	if err != nil {
		fmt.Println(err)
		return
	}
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil || webhook.Verify(r.Header, body, time.Now(), webhook.Tolerance, secret) != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		var event outbox.Event
		if err := json.Unmarshal(body, &event); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		fmt.Println("received", event.Kind, string(event.Payload))
	}))
	defer receiver.Close()

	sink, err := webhook.New(receiver.URL, []webhook.Secret{secret})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(sink.Deliver(context.Background(), anEvent())) // a relay does this
	// Output:
	// received member.joined {"role":"manager"}
	// <nil>
}
