package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// InboxStore is what an [Inbox] needs of the database in which the consumer keeps its effects.
// usher's own stores are such stores; a consumer elsewhere needs a table with the primary key
// (consumer, event).
type InboxStore interface {
	// InTx calls fn with a context that carries a transaction and commits if fn returns nil; an
	// error of fn rolls back. Inside another InTx of the same store it joins: the outermost call
	// commits. It may call fn more than once.
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
	// MarkSeen notes, in the caller's transaction, that the consumer has seen the event, at the time
	// given. It answers ErrSeen if that was noted before, and the transaction can go on then; it
	// must therefore be one insert that passes over a key that exists, not one that fails; the
	// first time stays. While another transaction has noted the same and is not over, it waits for
	// its end. It fails outside a transaction. A consumer's name is as [NewInbox] allows it.
	MarkSeen(ctx context.Context, consumer string, event uuid.UUID, at time.Time) error
	// ForgetSeen deletes, in the caller's transaction, what the consumer has seen before the time
	// given and answers how many events that were. It fails outside a transaction.
	ForgetSeen(ctx context.Context, consumer string, before time.Time) (int, error)
}

// Inbox makes the effects of events happen exactly once: a relay delivers at least once, and the
// inbox notes in the consumer's own transaction which events it has handled. Effects outside of
// that transaction, such as a mail, can still be repeated.
type Inbox struct {
	store    InboxStore
	consumer string
}

// MaxConsumer is the longest name of a consumer, in bytes.
const MaxConsumer = 64

// NewInbox makes the inbox of one consumer. The name tells it from the other consumers in the
// same store, who each see every event once, and must stay the same: under another name all
// events are new. It has 1 to 64 of the characters a-z, 0-9, dot, hyphen and underscore.
func NewInbox(store InboxStore, consumer string) (*Inbox, error) {
	if store == nil {
		return nil, errors.New("outbox: an inbox needs a store")
	}
	if !validConsumer(consumer) {
		return nil, fmt.Errorf("outbox: a consumer's name must have 1 to %d of a-z, 0-9, '.', '-' and '_'", MaxConsumer)
	}
	return &Inbox{store: store, consumer: consumer}, nil
}

func validConsumer(name string) bool {
	for _, c := range []byte(name) {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '.', c == '-', c == '_':
		default:
			return false
		}
	}
	return name != "" && len(name) <= MaxConsumer
}

// Once calls fn in a transaction if this consumer has not seen the event, and notes in the same
// transaction that it has. It reports whether fn was called and its work stands: false and no
// error means that the event was handled before.
//
// An error of fn rolls back and is answered, a panic rolls back and goes on; the event is then
// as good as unseen. The transaction rides in the context that fn is given. Inside a
// transaction of the store, Once joins it: the work stands when that commits.
func (i *Inbox) Once(ctx context.Context, event uuid.UUID, fn func(ctx context.Context) error) (bool, error) {
	if event == uuid.Nil {
		return false, errors.New("outbox: an event without an id cannot be told from another")
	}
	var done bool
	err := i.store.InTx(ctx, func(ctx context.Context) error {
		done = false // InTx may call again
		err := i.store.MarkSeen(ctx, i.consumer, event, time.Now())
		switch {
		case errors.Is(err, ErrSeen):
			return nil // an error would undo the work of a transaction that was joined
		case err != nil:
			return err
		}
		done = true
		return fn(ctx)
	})
	if err != nil {
		return false, err
	}
	return done, nil
}

// Sink makes a sink of a function that is called in a transaction, once for each event.
func (i *Inbox) Sink(fn func(ctx context.Context, e Event) error) Sink {
	return SinkFunc(func(ctx context.Context, e Event) error {
		_, err := i.Once(ctx, e.ID, func(ctx context.Context) error { return fn(ctx, e) })
		return err
	})
}

// Forget forgets the events that this consumer has handled before the time given, by this
// machine's clock, and answers how many that were. One that is delivered again after that is
// handled again, so keep what a relay may still repeat: longer than its retries go on (some
// eight hours, see [WithAttempts]), and than a dead letter waits for its replay. Unless it is
// called from time to time, the inbox keeps growing.
func (i *Inbox) Forget(ctx context.Context, before time.Time) (forgotten int, err error) {
	err = i.store.InTx(ctx, func(ctx context.Context) error {
		forgotten, err = i.store.ForgetSeen(ctx, i.consumer, before)
		return err
	})
	if err != nil {
		return 0, err
	}
	return forgotten, nil
}
