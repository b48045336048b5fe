package outbox_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/storage/outbox"
)

// A host runs the relay beside its server until it is told to stop. Here the source is a fake of
// this package's tests; a host gives it its store.
func ExampleRelay_Run() {
	store := &source{}
	store.add("member.joined", uuid.New())
	ctx, stop := context.WithCancel(context.Background())
	sink := outbox.SinkFunc(func(_ context.Context, e outbox.Event) error {
		fmt.Println("somebody has to know of", e.Kind)
		stop()
		return nil
	})
	log := slog.New(slog.NewTextHandler(os.Stdout, nil))
	relay := outbox.NewRelay(store, outbox.Sinks{"crm": sink},
		outbox.WithInterval(500*time.Millisecond),
		outbox.WithAttempts(10),
		outbox.WithErrors(func(err error) { log.Error("outbox", "error", err) }))
	fmt.Println(relay.Run(ctx))
	// Output:
	// somebody has to know of member.joined
	// context canceled
}

// Whoever runs the host looks at what could not be delivered, mends the cause, and replays.
func ExampleDeadLetters() {
	store := &source{}
	store.add("member.joined", uuid.New())
	ctx := context.Background()
	down := true
	sink := outbox.SinkFunc(func(_ context.Context, e outbox.Event) error {
		if down {
			return fmt.Errorf("no way through")
		}
		fmt.Println("delivered", e.Kind)
		return nil
	})
	relay := outbox.NewRelay(store, outbox.Sinks{"crm": sink}, outbox.WithAttempts(1))
	_, _ = relay.Drain(ctx)

	var at time.Time
	var id uuid.UUID
	for {
		letters, err := store.Buried(ctx, "crm", at, id, 100)
		if err != nil || len(letters) == 0 {
			break
		}
		for _, letter := range letters {
			fmt.Println("dead:", letter.Event.Kind, "after", letter.Attempts, "attempt")
			at, id = letter.At, letter.Event.ID
		}
	}
	down = false
	fmt.Println(store.Replay(ctx, "crm", id, time.Now()))
	_, _ = relay.Drain(ctx)
	// Output:
	// dead: member.joined after 1 attempt
	// <nil>
	// delivered member.joined
}

// The relay may deliver an event twice; what the function does in its transaction happens once.
func ExampleInbox() {
	store := &accounts{} // the host's database, or a store of usher
	inbox, err := outbox.NewInbox(store, "seats-on-the-bill")
	if err != nil {
		fmt.Println(err)
		return
	}
	event := uuid.New()
	for range 3 {
		done, err := inbox.Once(context.Background(), event, add) // add writes with the transaction in its ctx
		fmt.Println(done, err)
	}
	fmt.Println("seats:", store.state.total)
	// Output:
	// true <nil>
	// false <nil>
	// false <nil>
	// seats: 1
}

func ExampleEvent_MarshalJSON() {
	text, err := json.MarshalIndent(anEvent(), "", "  ")
	fmt.Println(string(text), err)
	// Output:
	// {
	//   "type": "member.joined",
	//   "id": "01000000-0000-0000-0000-000000000001",
	//   "stream": {
	//     "kind": "team",
	//     "id": "01000000-0000-0000-0000-000000000002"
	//   },
	//   "sequence": 7,
	//   "account": "01000000-0000-0000-0000-000000000003",
	//   "team": "01000000-0000-0000-0000-000000000002",
	//   "version": 1,
	//   "principal": "user:01000000-0000-0000-0000-000000000004",
	//   "time": "2026-03-01T09:00:00.000000Z",
	//   "data": {
	//     "role": "manager"
	//   }
	// } <nil>
}
