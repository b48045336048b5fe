package conversation_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

// unguarded is a store without any guard, to show that the race of answers to a delivery sees a missing
// one: a transaction is nothing, so that each write commits alone, a lock only reads, and an update
// overwrites whatever version there is. Two who read a delivery meet, so that the worst interleaving is
// the only one.
type unguarded struct {
	storage.Store
	meeting chan struct{}
}

func (u unguarded) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	return fn(ctx)
}

func (u unguarded) LockConversation(ctx context.Context, team tenancy.TeamID, id tenancy.ConversationID) (conversation.Conversation, error) {
	return u.Conversation(ctx, team, id)
}

// meet waits until somebody else has read, too.
func (u unguarded) meet() {
	select {
	case u.meeting <- struct{}{}:
	case <-u.meeting:
	}
}

func (u unguarded) Delivery(ctx context.Context, team tenancy.TeamID, id tenancy.DeliveryID) (conversation.Delivery, error) {
	defer u.meet()
	return u.Store.Delivery(ctx, team, id)
}

// LapsedDeliveries and PendingDelivery are the two reads of a sweep, as an answer has two of the delivery.
func (u unguarded) LapsedDeliveries(ctx context.Context, now time.Time, limit int) ([]conversation.Thread, error) {
	found, err := u.Store.LapsedDeliveries(ctx, now, limit)
	if len(found) > 0 {
		u.meet()
	}
	return found, err
}

func (u unguarded) PendingDelivery(ctx context.Context, id tenancy.ConversationID) (conversation.Delivery, error) {
	defer u.meet()
	return u.Store.PendingDelivery(ctx, id)
}

func (u unguarded) UpdateDelivery(ctx context.Context, d conversation.Delivery) error {
	return u.Store.InTx(ctx, func(ctx context.Context) error {
		present, err := u.Store.Delivery(ctx, d.FromTeam, d.ID)
		if err != nil {
			return err
		}
		d.Version = present.Version
		return u.Store.UpdateDelivery(ctx, d)
	})
}

func (u unguarded) UpdateConversation(ctx context.Context, team tenancy.TeamID, c conversation.Conversation) error {
	return u.Store.InTx(ctx, func(ctx context.Context) error {
		present, err := u.Store.LockConversation(ctx, team, c.ID)
		if err != nil {
			return err
		}
		c.Version = present.Version
		return u.Store.UpdateConversation(ctx, team, c)
	})
}

func (u unguarded) Append(ctx context.Context, events ...outbox.Event) error {
	return u.Store.InTx(ctx, func(ctx context.Context) error { return u.Store.Append(ctx, events...) })
}

// What [TestSpec6_AnswersAtOnceLeaveOneEnd] asks of every store fails on one without guards: both answers
// count, and the delivery ends twice.
func TestTheRaceOfAnswersSeesAMissingGuard(t *testing.T) {
	answers := map[string]func(w *world, s *conversation.Service, d conversation.Delivery) error{
		"accept": func(w *world, s *conversation.Service, d conversation.Delivery) error {
			return first(s.AcceptDelivery(w.t.Context(), w.maria, d.ID))
		},
		"decline": func(w *world, s *conversation.Service, d conversation.Delivery) error {
			return first(s.DeclineDelivery(w.t.Context(), w.maria, d.ID, ""))
		},
		"cancel": func(w *world, s *conversation.Service, d conversation.Delivery) error {
			return first(s.CancelDelivery(w.t.Context(), w.alice, d.ID))
		},
		"expire": nil, // by the instance that is an hour ahead
	}
	for one, answer := range answers {
		for other, rival := range answers {
			t.Run(one+" and "+other, func(t *testing.T) {
				w := worldOn(t, memory.New())
				d := w.offers(w.hello().ID, conversation.ToUser(w.maria.User))
				store := unguarded{w.Store, make(chan struct{})}
				u, err := usher.New(store, usher.WithClock(w.Clock.Now))
				require.NoError(t, err)
				ahead, err := usher.New(store, usher.WithClock(w.hourAhead))
				require.NoError(t, err)
				var both sync.WaitGroup
				for _, of := range []func(*world, *conversation.Service, conversation.Delivery) error{answer, rival} {
					both.Go(func() {
						if of == nil {
							assert.NoError(t, first(ahead.Conversations.ExpireDeliveries(t.Context(), ushertest.System)))
							return
						}
						assert.NoError(t, of(w, u.Conversations, d))
					})
				}
				both.Wait()
				assert.Equal(t, 2, w.kinds(w.bob.Team)[conversation.DeliveryEnded])
			})
		}
	}
}

// neverOver is a store in which what waits for a team is found again and again, and never pending.
type neverOver struct{ storage.Store }

func (neverOver) PendingDeliveries(context.Context, ...tenancy.ConversationID) ([]conversation.Delivery, error) {
	return nil, nil
}

// Archiving goes through what waits for the team once, also where nothing can be done about it.
func TestArchivingEndsWhateverIsFound(t *testing.T) {
	w := worldOn(t, memory.New())
	d := w.offers(w.hello().ID, conversation.ToTeam(w.TeamNamed("Hiring").ID))
	u, err := usher.New(neverOver{w.Store}, usher.WithClock(w.Clock.Now))
	require.NoError(t, err)
	_, err = u.Tenancy.Archive(t.Context(), w.Actor("dana", "Hiring"), tenancy.Leftovers{})
	require.NoError(t, err)
	assert.Equal(t, conversation.DeliveryPending, w.card(d.ID).State)
}
