package outbox_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/storage/outbox"
)

// accounts is a consumer's database: one transaction at a time, which works on a copy.
type accounts struct {
	mu      sync.Mutex
	state   ledger
	retries int // how often InTx runs fn in vain before it counts
	err     error
}

type ledger struct {
	seen  map[string]time.Time
	total int
}

type ledgerKey struct{}

func (a *accounts) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	if ctx.Value(ledgerKey{}) != nil {
		return fn(ctx)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for try := 0; ; try++ {
		tx := &ledger{seen: map[string]time.Time{}, total: a.state.total}
		maps.Copy(tx.seen, a.state.seen)
		if err := fn(context.WithValue(ctx, ledgerKey{}, tx)); err != nil {
			return err
		}
		if try == a.retries {
			a.state = *tx
			return nil
		}
	}
}

func (a *accounts) MarkSeen(ctx context.Context, consumer string, event uuid.UUID, at time.Time) error {
	if a.err != nil {
		return a.err
	}
	tx, ok := ctx.Value(ledgerKey{}).(*ledger)
	if !ok {
		return errors.New("outside a transaction")
	}
	key := consumer + " " + event.String()
	if _, seen := tx.seen[key]; seen {
		return outbox.ErrSeen
	}
	tx.seen[key] = at
	return nil
}

func (a *accounts) ForgetSeen(ctx context.Context, consumer string, before time.Time) (int, error) {
	if a.err != nil {
		return 0, a.err
	}
	tx, ok := ctx.Value(ledgerKey{}).(*ledger)
	if !ok {
		return 0, errors.New("outside a transaction")
	}
	kept := len(tx.seen)
	maps.DeleteFunc(tx.seen, func(key string, at time.Time) bool {
		return strings.HasPrefix(key, consumer+" ") && at.Before(before)
	})
	return kept - len(tx.seen), nil
}

func add(ctx context.Context) error {
	tx, _ := ctx.Value(ledgerKey{}).(*ledger)
	tx.total++
	return nil
}

func inbox(t *testing.T, store outbox.InboxStore, consumer string) *outbox.Inbox {
	t.Helper()
	in, err := outbox.NewInbox(store, consumer)
	require.NoError(t, err)
	return in
}

func TestOnceIsOnceForEachConsumer(t *testing.T) {
	store, event := &accounts{}, uuid.New()
	for i, in := range []*outbox.Inbox{inbox(t, store, "bills"), inbox(t, store, "mails")} {
		for try := range 3 {
			done, err := in.Once(t.Context(), event, add)
			require.NoError(t, err)
			assert.Equal(t, try == 0, done)
			assert.Equal(t, i+1, store.state.total)
		}
	}
}

func TestOnceAmongMany(t *testing.T) {
	store, event := &accounts{}, uuid.New()
	in := inbox(t, store, "bills")
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			_, err := in.Once(t.Context(), event, add)
			assert.NoError(t, err)
		})
	}
	all.Wait()
	assert.Equal(t, 1, store.state.total)
}

func TestWhatFailsIsNotSeen(t *testing.T) {
	store, event := &accounts{}, uuid.New()
	in := inbox(t, store, "bills")
	for _, failure := range []error{errDown, outbox.ErrSeen} {
		done, err := in.Once(t.Context(), event, func(ctx context.Context) error {
			return errors.Join(add(ctx), failure)
		})
		require.ErrorIs(t, err, failure)
		assert.False(t, done)
	}
	assert.PanicsWithValue(t, "no", func() {
		_, _ = in.Once(t.Context(), event, func(ctx context.Context) error { _ = add(ctx); panic("no") })
	})
	assert.Zero(t, store.state.total)
	done, err := in.Once(t.Context(), event, add)
	require.NoError(t, err)
	assert.True(t, done)
	assert.Equal(t, 1, store.state.total)
}

func TestOnceTellsOfTheStoresErrors(t *testing.T) {
	store := &accounts{err: errDown}
	done, err := inbox(t, store, "bills").Once(t.Context(), uuid.New(), func(context.Context) error {
		t.Error("it is not known whether the event was seen")
		return nil
	})
	require.ErrorIs(t, err, errDown)
	assert.False(t, done)
}

func TestOnceInATransactionThatIsRunAgain(t *testing.T) {
	store := &accounts{retries: 2}
	done, err := inbox(t, store, "bills").Once(t.Context(), uuid.New(), add)
	require.NoError(t, err)
	assert.True(t, done)
	assert.Equal(t, 1, store.state.total)
}

// What was handled is forgotten by its age and by its consumer, and can then be handled again.
func TestAnInboxForgets(t *testing.T) {
	store, event := &accounts{}, uuid.New()
	bills, mails := inbox(t, store, "bills"), inbox(t, store, "mails")
	once := func(in *outbox.Inbox) bool {
		done, err := in.Once(t.Context(), event, add)
		require.NoError(t, err)
		return done
	}
	forget := func(in *outbox.Inbox, before time.Time) int {
		n, err := in.Forget(t.Context(), before)
		require.NoError(t, err)
		return n
	}
	require.True(t, once(bills))
	require.True(t, once(mails))
	assert.Zero(t, forget(bills, time.Now().Add(-time.Hour)), "it is younger than that")
	assert.False(t, once(bills))
	assert.Equal(t, 1, forget(bills, time.Now().Add(time.Hour)))
	assert.True(t, once(bills))
	assert.False(t, once(mails), "each consumer forgets its own")
	store.err = errDown
	n, err := bills.Forget(t.Context(), time.Now().Add(time.Hour))
	require.ErrorIs(t, err, errDown)
	assert.Zero(t, n)
}

// A repeated event must not undo what the transaction around it does.
func TestOnceInsideATransaction(t *testing.T) {
	store, event := &accounts{}, uuid.New()
	in := inbox(t, store, "bills")
	for want := 2; want <= 3; want++ {
		require.NoError(t, store.InTx(t.Context(), func(ctx context.Context) error {
			require.NoError(t, add(ctx))
			done, err := in.Once(ctx, event, add)
			assert.Equal(t, want == 2, done)
			return err
		}))
		assert.Equal(t, want, store.state.total)
	}
}

func TestAnInboxAsASink(t *testing.T) {
	store := &accounts{}
	e := outbox.Event{ID: uuid.New(), Kind: "member.joined"}
	sink := inbox(t, store, "bills").Sink(func(ctx context.Context, got outbox.Event) error {
		assert.Equal(t, e, got)
		return add(ctx)
	})
	for range 3 {
		require.NoError(t, sink.Deliver(t.Context(), e))
	}
	assert.Equal(t, 1, store.state.total)
	require.Error(t, sink.Deliver(t.Context(), outbox.Event{}), "all events without an id would be one")
}

func TestConsumersNames(t *testing.T) {
	for _, name := range []string{"a", "0", "bills", "acme.bills-2_new", strings.Repeat("x", outbox.MaxConsumer)} {
		_, err := outbox.NewInbox(&accounts{}, name)
		require.NoError(t, err, name)
	}
	for _, name := range []string{
		"", " ", "Bills", "bills ", "bi lls", "bills\x00", "bïlls", "b/ills", "b'ills", "\xff", "K",
		strings.Repeat("x", outbox.MaxConsumer+1), strings.Repeat("x", 1<<20),
	} {
		_, err := outbox.NewInbox(&accounts{}, name)
		require.Error(t, err, name)
		assert.Less(t, len(err.Error()), 200)
	}
	_, err := outbox.NewInbox(nil, "bills")
	require.Error(t, err)
}
