package conversation_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

// offers delivers a conversation to somebody who is asked to accept within an hour.
func (w *world) offers(id tenancy.ConversationID, to conversation.Recipient, options ...conversation.DeliverOption) conversation.Delivery {
	w.t.Helper()
	options = append(options, conversation.AskAcceptance(time.Hour))
	d, err := w.Conversations.Deliver(w.t.Context(), w.bob, id, to, conversation.Outcome{Status: conversation.Engaged, Rating: 4}, options...)
	require.NoError(w.t, err)
	require.Equal(w.t, conversation.DeliveryPending, d.State)
	return d
}

// card is the delivery as the team that delivered has it.
func (w *world) card(id tenancy.DeliveryID) conversation.Delivery {
	w.t.Helper()
	d, err := w.Store.Delivery(w.t.Context(), w.bob.Team, id)
	require.NoError(w.t, err)
	return d
}

// inbox is what the actor can accept.
func (w *world) inbox(actor tenancy.Actor) (ids []tenancy.DeliveryID) {
	w.t.Helper()
	list, err := w.Conversations.Inbox(w.t.Context(), actor, tenancy.Page{})
	require.NoError(w.t, err)
	for _, d := range list.Items {
		ids = append(ids, d.ID)
	}
	return ids
}

func TestAColleagueAccepts(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.hello()
		d := w.offers(c.ID, conversation.ToEmail(ushertest.Email("maria")))
		assert.Equal(t, c, w.get(w.bob, c.ID), "a pending delivery leaves the conversation where it was")
		assert.Equal(t, w.Clock.Now().Add(time.Hour), d.Deadline)
		assert.Equal(t, []tenancy.DeliveryID{d.ID}, w.inbox(w.maria))
		assert.Empty(t, w.inbox(w.alice), "it is maria's to answer")
		_, err := w.Conversations.Deliver(ctx, w.bob, c.ID, conversation.ToUser(w.bob.User), conversation.Outcome{})
		require.ErrorIs(t, err, conversation.ErrDeliveryPending, "at most one is pending")
		for _, other := range []tenancy.Actor{w.alice, w.bob} {
			_, err = w.Conversations.AcceptDelivery(ctx, other, d.ID)
			require.ErrorIs(t, err, conversation.ErrNotAddressee)
		}

		w.Clock.Advance(time.Hour - time.Microsecond)
		accepted, err := w.Conversations.AcceptDelivery(ctx, w.maria, d.ID)
		require.NoError(t, err)
		assert.Equal(t, conversation.DeliveryCompleted, accepted.State)
		assert.Equal(t, w.Clock.Now(), accepted.EndedAt)
		assert.Equal(t, accepted, w.card(d.ID))
		after := w.get(w.bob, c.ID)
		assert.Equal(t, w.maria.User, after.Assignee)
		assert.Equal(t, conversation.Engaged, after.Label)
		assert.Empty(t, w.inbox(w.maria))
		assert.Equal(t, 1, w.kinds(w.bob.Team)[conversation.DeliveryRequested])
		assert.Equal(t, 1, w.kinds(w.bob.Team)[conversation.DeliveryEnded])
		var over *conversation.DeliveryStateError
		_, err = w.Conversations.AcceptDelivery(ctx, w.maria, d.ID)
		require.ErrorAs(t, err, &over)
		assert.Equal(t, conversation.DeliveryCompleted, over.State)
		w.whole()
	})
}

func TestATeamAcceptsByItsCardAndReadsTheThreadOnlyThen(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c, dana := w.hello(), w.Actor("dana", "Hiring")
		d := w.offers(c.ID, conversation.ToTeam(dana.Team))
		assert.Equal(t, c, w.get(w.bob, c.ID))
		assert.Equal(t, []tenancy.DeliveryID{d.ID}, w.inbox(dana))
		_, err := w.Conversations.Get(ctx, dana, c.ID)
		require.ErrorIs(t, err, tenancy.ErrNotFound, "the card yes, the thread no")
		_, err = w.Conversations.Messages(ctx, dana, c.ID, 0, 0)
		require.ErrorIs(t, err, tenancy.ErrNotFound)
		for _, foreign := range []tenancy.Actor{w.other, w.inNowhere()} {
			_, err = w.Conversations.AcceptDelivery(ctx, foreign, d.ID)
			require.Error(t, err)
		}
		_, err = w.Conversations.AcceptDelivery(ctx, w.other, d.ID)
		require.Equal(t, tenancy.ErrNotFound, err)
		_, err = w.Conversations.CancelDelivery(ctx, dana, d.ID)
		require.ErrorIs(t, err, conversation.ErrNotAddressee, "only the team that delivers takes it back")

		_, err = w.Conversations.AcceptDelivery(ctx, dana, d.ID)
		require.NoError(t, err)
		moved := w.get(dana, c.ID)
		assert.Equal(t, dana.Team, moved.Team)
		assert.Equal(t, conversation.Engaged, moved.Label)
		_, err = w.Conversations.Get(ctx, w.bob, c.ID)
		require.ErrorIs(t, err, tenancy.ErrNotFound)
		assert.Equal(t, conversation.DeliveryCompleted, w.card(d.ID).State, "the card stays")
		w.whole()
	})
}

// inNowhere is somebody who has no place in Hiring but names it.
func (w *world) inNowhere() tenancy.Actor {
	return tenancy.Actor{User: w.bob.User, Team: w.TeamNamed("Hiring").ID}
}

func TestDeclineCancelAndExpiryLeaveTheConversation(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		dana := w.Actor("dana", "Hiring")
		for i, row := range []struct {
			end  func(d conversation.Delivery) error
			want conversation.DeliveryState
		}{
			{func(d conversation.Delivery) error {
				return first(w.Conversations.DeclineDelivery(ctx, dana, d.ID, strings.Repeat("x", conversation.MaxReason)))
			}, conversation.DeliveryDeclined},
			{func(d conversation.Delivery) error {
				return first(w.Conversations.CancelDelivery(ctx, w.maria, d.ID))
			}, conversation.DeliveryCancelled},
			{func(conversation.Delivery) error {
				w.Clock.Advance(time.Hour) // exactly
				n, err := w.Conversations.ExpireDeliveries(ctx, ushertest.System)
				assert.Equal(t, 1, n)
				return err
			}, conversation.DeliveryExpired},
			{func(d conversation.Delivery) error {
				w.Clock.Advance(time.Hour)
				_, err := w.Conversations.AcceptDelivery(ctx, dana, d.ID)
				require.ErrorIs(t, err, tenancy.ErrExpired, "by the clock, with no sweep")
				assert.Empty(t, w.inbox(dana))
				_, err = w.Conversations.Deliver(ctx, w.bob, d.Conversation, conversation.ToUser(w.maria.User), conversation.Outcome{})
				return err // and it stands in nobody's way
			}, conversation.DeliveryExpired},
		} {
			c := w.Receive("Sales", fmt.Sprint("visitor-", i), "Hi")
			d := w.offers(c.ID, conversation.ToTeam(dana.Team))
			before := w.kinds(w.bob.Team)[conversation.DeliveryEnded]
			require.NoError(t, row.end(d))
			assert.Equal(t, row.want, w.card(d.ID).State)
			assert.Equal(t, w.bob.Team, w.get(w.bob, c.ID).Team)
			for _, again := range []func() error{
				func() error { return first(w.Conversations.AcceptDelivery(ctx, dana, d.ID)) },
				func() error { return first(w.Conversations.DeclineDelivery(ctx, dana, d.ID, "")) },
				func() error { return first(w.Conversations.CancelDelivery(ctx, w.bob, d.ID)) },
			} {
				var over *conversation.DeliveryStateError
				require.ErrorAs(t, again(), &over)
				assert.Equal(t, row.want, over.State)
			}
			n, err := w.Conversations.ExpireDeliveries(ctx, ushertest.System)
			require.NoError(t, err)
			assert.Zero(t, n)
			if i < 3 {
				assert.Equal(t, before+1, w.kinds(w.bob.Team)[conversation.DeliveryEnded])
			}
		}
		w.whole()
	})
}

// What a pending delivery rests on ends it, in the same transaction.
func TestWhatEndsAPendingDelivery(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		hiring := conversation.ToTeam(w.TeamNamed("Hiring").ID)
		_, err := w.Tenancy.CreateTeam(ctx, w.Holder("acme"), tenancy.TeamSpec{Name: "Third"})
		require.NoError(t, err)
		for i, row := range []struct {
			name string
			to   conversation.Recipient
			end  func(d conversation.Delivery) error
			want conversation.DeliveryState
		}{
			{"closing", hiring, func(d conversation.Delivery) error {
				return first(w.Conversations.Close(ctx, w.maria, d.Conversation, ""))
			}, conversation.DeliveryCancelled},
			{"closing, of an e-mail delivery", conversation.ToEmail("zoe@zoe.example"), func(d conversation.Delivery) error {
				return first(w.Conversations.Close(ctx, w.maria, d.Conversation, ""))
			}, conversation.DeliveryCancelled},
			{"a target that is not allowed any more", hiring, func(d conversation.Delivery) error {
				w.configure(w.alice, func(s *tenancy.Settings) { s.DeliverTo = []tenancy.TeamID{} })
				_, err := w.Conversations.AcceptDelivery(ctx, w.Actor("dana", "Hiring"), d.ID)
				require.ErrorIs(t, err, conversation.ErrNotTarget)
				w.configure(w.alice, func(s *tenancy.Settings) { s.DeliverTo = nil })
				return nil
			}, conversation.DeliveryFailed},
			{"the recipient's suspension", conversation.ToUser(w.maria.User), func(conversation.Delivery) error {
				require.NoError(t, first(w.Tenancy.Suspend(ctx, w.alice, w.maria.User)))
				return first(w.Tenancy.Reactivate(ctx, w.alice, w.maria.User))
			}, conversation.DeliveryFailed},
			{"the recipient's demotion", conversation.ToUser(w.maria.User), func(conversation.Delivery) error {
				return first(w.Tenancy.ChangeRole(ctx, w.alice, w.maria.User, rbac.Restricted))
			}, conversation.DeliveryFailed},
			{"the target's archiving", hiring, func(conversation.Delivery) error {
				return first(w.Tenancy.Archive(ctx, w.Actor("dana", "Hiring"), tenancy.Leftovers{}))
			}, conversation.DeliveryFailed},
			{"the deliverer's removal", conversation.ToUser(w.alice.User), func(conversation.Delivery) error {
				return w.Tenancy.Remove(ctx, w.alice, w.bob.User)
			}, conversation.DeliveryCancelled},
		} {
			c := w.Receive("Sales", fmt.Sprint("visitor-", i), "Hi")
			d := w.offers(c.ID, row.to)
			before := w.kinds(w.bob.Team)[conversation.DeliveryEnded]
			require.NoError(t, row.end(d), row.name)
			after, err := w.Store.Conversation(ctx, c.Team, c.ID)
			require.NoError(t, err, "it has gone nowhere: %s", row.name)
			assert.Zero(t, after.Assignee, "nor to anybody: %s", row.name)
			assert.Equal(t, conversation.NewLabel, after.Label, "and its outcome counts for nothing: %s", row.name)
			assert.Equal(t, row.want, w.card(d.ID).State, row.name)
			assert.Equal(t, before+1, w.kinds(w.bob.Team)[conversation.DeliveryEnded], row.name)
			w.whole()
		}
	})
}

func TestArchivingTheTeamCancelsWhatItDelivers(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		closing := w.offers(w.hello().ID, conversation.ToTeam(w.TeamNamed("Hiring").ID))
		_, err := w.Tenancy.Archive(t.Context(), w.alice, tenancy.Leftovers{Close: true})
		require.NoError(t, err)
		assert.Equal(t, conversation.DeliveryCancelled, w.card(closing.ID).State)
		w.whole()
	})
	onEveryStore(t, func(t *testing.T, w *world) {
		alice := w.inHiring()
		moving := w.offers(w.hello().ID, conversation.ToUser(w.maria.User))
		_, err := w.Tenancy.Archive(t.Context(), w.alice, tenancy.Leftovers{MoveTo: alice.Team})
		require.NoError(t, err)
		assert.Equal(t, conversation.DeliveryCancelled, w.card(moving.ID).State)
		w.whole()
	})
}

func TestCancellingAnEmailDeliveryRevokesItsInvitation(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.hello()
		d := w.offers(c.ID, conversation.ToEmail("carol@carol.example"))
		assert.True(t, d.Deadline.IsZero(), "the invitation has the time")
		token := w.Token("carol")
		d, err := w.Conversations.CancelDelivery(ctx, w.maria, d.ID)
		require.NoError(t, err)
		assert.Equal(t, conversation.DeliveryCancelled, d.State)
		_, err = w.Invites.Accept(ctx, w.User("carol").ID, token)
		require.ErrorIs(t, err, tenancy.ErrConflict)
		late := w.offers(c.ID, conversation.ToEmail("carol@carol.example"))
		token = w.Token("carol")
		w.Clock.Advance(time.Hour)
		_, err = w.Invites.Accept(ctx, w.User("carol").ID, token)
		require.ErrorIs(t, err, tenancy.ErrExpired, "within the time that was given")
		_, err = w.Conversations.AcceptDelivery(ctx, w.maria, late.ID)
		require.ErrorIs(t, err, conversation.ErrNotAddressee)
		w.whole()
	})
}

func TestTermsOfADelivery(t *testing.T) {
	w := worldOn(t, everystore.Memory(t))
	c := w.hello()
	for _, within := range []time.Duration{-1, 1, conversation.MinAcceptance - 1, conversation.MaxAcceptance + 1} {
		_, err := w.Conversations.Deliver(t.Context(), w.bob, c.ID, conversation.ToUser(w.maria.User), conversation.Outcome{}, conversation.AskAcceptance(within))
		require.ErrorIs(t, err, tenancy.ErrInvalid, within)
	}
	_, err := w.Conversations.Deliver(t.Context(), w.bob, c.ID, conversation.ToUser(w.maria.User), conversation.Outcome{}, conversation.KeepReading())
	require.ErrorIs(t, err, tenancy.ErrInvalid)
	for _, within := range []time.Duration{0, conversation.MinAcceptance, conversation.MaxAcceptance} {
		d, err := w.Conversations.Deliver(t.Context(), w.bob, c.ID, conversation.ToUser(w.maria.User), conversation.Outcome{}, conversation.AskAcceptance(within))
		require.NoError(t, err)
		assert.Equal(t, within == 0, d.Deadline.IsZero())
		for _, reason := range []string{strings.Repeat("x", conversation.MaxReason+1), strings.Repeat("x", 1<<20), "a\x00"} {
			_, err = w.Conversations.DeclineDelivery(t.Context(), w.maria, d.ID, reason)
			require.ErrorIs(t, err, tenancy.ErrInvalid)
		}
		declined, err := w.Conversations.DeclineDelivery(t.Context(), w.maria, d.ID, "not mine")
		require.NoError(t, err)
		assert.Equal(t, "not mine", declined.Reason)
		for _, facts := range w.facts(w.bob.Team, conversation.DeliveryEnded) {
			assert.NotContains(t, fmt.Sprint(facts), "not mine", "events hold no text")
		}
	}
}

// Of {accept, decline, cancel, expire} at once, one counts: one terminal state, one event. Who answers does so
// in time by their own clock; the sweep's instance is an hour ahead.
func TestSpec6_AnswersAtOnceLeaveOneEnd(t *testing.T) {
	everystore.RunTwo(t, func(t *testing.T, a, b storage.Store) {
		w := worldOn(t, a)
		second, err := usher.New(b, usher.WithClock(w.Clock.Now))
		require.NoError(t, err)
		ahead, err := usher.New(b, usher.WithClock(w.hourAhead))
		require.NoError(t, err)
		dana := w.Actor("dana", "Hiring")
		counts := func(err error) (bool, error) {
			var over *conversation.DeliveryStateError
			if errors.As(err, &over) || errors.Is(err, tenancy.ErrNotFound) { // it has moved, for who closes it
				return false, nil
			}
			return err == nil, err
		}
		const closing = 4
		answers := []func(s *conversation.Service, d conversation.Delivery) (bool, error){
			func(s *conversation.Service, d conversation.Delivery) (bool, error) {
				return counts(first(s.AcceptDelivery(t.Context(), dana, d.ID)))
			},
			func(s *conversation.Service, d conversation.Delivery) (bool, error) {
				return counts(first(s.DeclineDelivery(t.Context(), dana, d.ID, "")))
			},
			func(s *conversation.Service, d conversation.Delivery) (bool, error) {
				return counts(first(s.CancelDelivery(t.Context(), w.maria, d.ID)))
			},
			func(*conversation.Service, conversation.Delivery) (bool, error) {
				n, err := ahead.Conversations.ExpireDeliveries(t.Context(), ushertest.System)
				return n == 1, err
			},
			closing: func(s *conversation.Service, d conversation.Delivery) (bool, error) {
				return counts(first(s.Close(t.Context(), w.maria, d.Conversation, "")))
			},
		}
		round := 0
		for range everystore.Rounds(2) {
			for i := range answers {
				for j := range i + 1 {
					round++
					w.Clock.Advance(2 * time.Hour) // past what the instance that is ahead has written
					c := w.Receive("Sales", fmt.Sprint("visitor-", round), "Hi")
					d := w.offers(c.ID, conversation.ToTeam(dana.Team))
					var calls []func() (bool, error)
					for k, answer := range []func(*conversation.Service, conversation.Delivery) (bool, error){answers[i], answers[j]} {
						on := []*conversation.Service{w.Conversations, second.Conversations}[k]
						calls = append(calls, func() (bool, error) { return answer(on, d) })
					}
					won := 0
					for _, counted := range together(t, calls...) {
						if counted {
							won++
						}
					}
					if i != closing { // which does not mind whether one is pending
						assert.Equal(t, 1, won, "answers %d and %d", i, j)
					}
					assert.False(t, w.card(d.ID).State.Can(conversation.OnAccept))
					ended, err := w.Store.TeamEvents(t.Context(), w.bob.Team.UUID(),
						outbox.LogFilter{Kind: conversation.DeliveryEnded, Since: w.Clock.Now()}, time.Time{}, [16]byte{}, 10)
					require.NoError(t, err)
					assert.Len(t, ended, 1, "answers %d and %d", i, j)
				}
			}
		}
		var sweeps []func() (int, error)
		d := w.offers(w.Receive("Sales", "visitor-last", "Hi").ID, conversation.ToTeam(dana.Team))
		w.Clock.Advance(time.Hour)
		for i := range 4 {
			on := []*conversation.Service{w.Conversations, second.Conversations}[i%2]
			sweeps = append(sweeps, func() (int, error) { return on.ExpireDeliveries(t.Context(), ushertest.System) })
		}
		expired := 0
		for _, n := range together(t, sweeps...) {
			expired += n
		}
		assert.Equal(t, 1, expired, "of many sweeps one writes it down")
		assert.Equal(t, conversation.DeliveryExpired, w.card(d.ID).State)
		w.whole()
	})
}

// hourAhead is the clock of an instance that is an hour ahead of the others.
func (w *world) hourAhead() time.Time { return w.Clock.Now().Add(time.Hour) }

func TestEveryDeliveryStateWithEveryEvent(t *testing.T) {
	for _, state := range append(conversation.DeliveryStates(), "") {
		for _, event := range conversation.DeliveryEvents() {
			next, err := state.After(event)
			if state == conversation.DeliveryPending == (event != conversation.OnDeliver && event != conversation.OnRequest) && (state == "" || state == conversation.DeliveryPending) {
				require.NoError(t, err)
				assert.Contains(t, conversation.DeliveryStates(), next)
				continue
			}
			require.ErrorIs(t, err, tenancy.ErrConflict, "%s: %s", state, event)
			assert.Equal(t, state == conversation.DeliveryExpired, errors.Is(err, tenancy.ErrExpired))
		}
	}
}

func TestDeliverersReadOn(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c, dana := w.hello(), w.Actor("dana", "Hiring")
		d := w.offers(c.ID, conversation.ToTeam(dana.Team), conversation.KeepReading())
		assert.True(t, d.KeepReading)
		_, err := w.Conversations.AcceptDelivery(ctx, dana, d.ID)
		require.NoError(t, err)
		bob := w.inNowhere() // bob, in Hiring
		assert.Equal(t, []string{"Hi, is the job still open?"}, w.texts(bob, c.ID))
		assert.Equal(t, []tenancy.ConversationID{c.ID}, w.sees(bob))
		for _, denied := range []error{
			first(w.Conversations.Send(ctx, bob, c.ID, "Hello")),
			first(w.Conversations.EditContact(ctx, bob, c.ID, conversation.ContactEdit{Name: ptr("Vera")})),
			w.Conversations.Check(ctx, bob, c.ID, rbac.SendMessage),
		} {
			require.ErrorIs(t, denied, conversation.ErrReadOnly)
			require.ErrorIs(t, denied, rbac.ErrDenied)
		}
		_, err = w.Conversations.MarkRead(ctx, bob, c.ID, 1)
		require.NoError(t, err)
		w.configureHistory(dana, tenancy.HistoryFromNow)
		w.Guest(dana, c.ID, "bob")
		assert.Len(t, w.texts(bob, c.ID), 1, "an invitation takes nothing away of what they see")
		w.say(bob, c.ID, "Hello")
		require.NoError(t, w.Conversations.RevokeGuest(ctx, dana, c.ID, bob.User))
		_, err = w.Conversations.Get(ctx, bob, c.ID)
		require.ErrorIs(t, err, tenancy.ErrNotFound, "the team that has it now takes it back")
		w.whole()
	})
}

func (w *world) configureHistory(actor tenancy.Actor, policy tenancy.HistoryPolicy) {
	w.t.Helper()
	w.configure(actor, func(s *tenancy.Settings) { s.History = policy })
}

func TestGuestsSeeWhatIsSaidFromNowOn(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.hello()
		w.configureHistory(w.alice, tenancy.HistoryFromNow)
		w.offers(c.ID, conversation.ToEmail(ushertest.Email("carol")))
		w.Clock.Advance(time.Minute)
		w.Receive("Sales", "visitor-1", "invited")
		carol := tenancy.Actor{User: w.User("carol").ID, Team: w.bob.Team}
		_, err := w.Invites.Accept(ctx, carol.User, w.Token("carol"))
		require.NoError(t, err)
		assert.Empty(t, w.texts(carol, c.ID))
		mark, err := w.Conversations.MarkRead(ctx, carol, c.ID, 99)
		require.NoError(t, err)
		assert.Zero(t, mark.Seq, "nor how much there was before")
		w.Receive("Sales", "visitor-1", "now")
		assert.Equal(t, []string{"now"}, w.texts(carol, c.ID))
	})
}

// An advocate delivers to a recruiter, the recruiter to a hiring manager who is no user yet, the
// recruiter's team back to the advocate's: the whole way stands in the history.
func TestAChainOfDeliveries(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c, recruiter := w.hello(), w.Actor("dana", "Hiring")
		there := w.offers(c.ID, conversation.ToTeam(recruiter.Team), conversation.KeepReading())
		_, err := w.Conversations.AcceptDelivery(ctx, recruiter, there.ID)
		require.NoError(t, err)
		w.Clock.Advance(time.Hour)
		on, err := w.Conversations.Deliver(ctx, recruiter, c.ID, conversation.ToEmail("hank@client.example"), conversation.Outcome{Status: conversation.Qualified})
		require.NoError(t, err)
		hank := tenancy.Actor{User: w.User("hank@client.example").ID, Team: recruiter.Team}
		_, err = w.Invites.Accept(ctx, hank.User, w.Token("hank@client.example"))
		require.NoError(t, err)
		w.say(hank, c.ID, "When can you start?")
		w.Clock.Advance(time.Hour)
		back, err := w.Conversations.Deliver(ctx, recruiter, c.ID, conversation.ToTeam(w.bob.Team), conversation.Outcome{})
		require.NoError(t, err)
		cards, err := w.Conversations.History(ctx, w.bob, c.ID)
		require.NoError(t, err)
		require.Len(t, cards, 3)
		for i, want := range []conversation.Delivery{there, on, back} {
			assert.Equal(t, want.ID, cards[i].ID)
			assert.Equal(t, conversation.DeliveryCompleted, cards[i].State)
		}
		assert.Equal(t, []string{"Hi, is the job still open?", "When can you start?"}, w.texts(w.bob, c.ID))
		hank.Team = w.bob.Team
		assert.Len(t, w.texts(hank, c.ID), 2, "the hiring manager goes along")
		w.whole()
	})
}

// The page in the docs is drawn from the table. `go generate ./conversation` writes it.
func TestDeliveryStatesInTheDocs(t *testing.T) {
	const page = "../docs/delivery-states.md"
	var b strings.Builder
	b.WriteString("# The states of a delivery\n\nWritten by `go generate ./conversation` from the table in `conversation/deliverystate.go`; do not edit.\n" +
		"What the states mean is in [deliveries](deliveries.md).\n\n```mermaid\nstateDiagram-v2\n")
	for _, state := range append([]conversation.DeliveryState{""}, conversation.DeliveryStates()...) {
		name := string(state)
		if name == "" {
			name = "[*]"
		}
		ends := true
		for _, event := range conversation.DeliveryEvents() {
			if next, err := state.After(event); err == nil {
				ends = false
				fmt.Fprintf(&b, "    %s --> %s: %s\n", name, next, event)
			}
		}
		if ends {
			fmt.Fprintf(&b, "    %s --> [*]\n", name)
		}
	}
	b.WriteString("```\n\nAny other event is refused with a `*conversation.DeliveryStateError`, which carries the state.\n")
	if *update {
		require.NoError(t, os.WriteFile(page, []byte(b.String()), 0o600))
	}
	got, err := os.ReadFile(page)
	require.NoError(t, err, "go generate ./conversation writes it")
	assert.Equal(t, b.String(), string(got), "go generate ./conversation brings it up to date")
}

func TestRepeatingAnAnswerUnderAKey(t *testing.T) {
	w := worldOn(t, everystore.Memory(t))
	d := w.offers(w.hello().ID, conversation.ToUser(w.maria.User))
	ctx := tenancy.WithKey(t.Context(), "once")
	once, err := w.Conversations.AcceptDelivery(ctx, w.maria, d.ID)
	require.NoError(t, err)
	again, err := w.Conversations.AcceptDelivery(ctx, w.maria, d.ID)
	require.NoError(t, err)
	assert.Equal(t, once, again)
}

// Who does not ask for it keeps nothing: neither the conversation nor a place in the other team.
func TestDeliverersAreOutUnlessTheyReadOn(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		c, hiring := w.hello(), w.TeamNamed("Hiring").ID
		_, err := w.Conversations.Deliver(t.Context(), w.bob, c.ID, conversation.ToTeam(hiring), conversation.Outcome{})
		require.NoError(t, err)
		for _, team := range []tenancy.TeamID{w.bob.Team, hiring} {
			_, err := w.Conversations.Get(t.Context(), tenancy.Actor{User: w.bob.User, Team: team}, c.ID)
			require.ErrorIs(t, err, tenancy.ErrNotFound)
		}
		_, err = w.Store.Membership(t.Context(), hiring, w.bob.User)
		require.ErrorIs(t, err, tenancy.ErrNotFound)
	})
}

// What has expired by the clock has expired: in every list, and for whatever ends it before a sweep has
// written it down.
func TestADeliveryExpiresByTheClockWhateverEndsIt(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ends := map[string]func(c conversation.Conversation) error{
			"close": func(c conversation.Conversation) error { return drop(w.Conversations.Close(ctx, w.bob, c.ID, "")) },
			"move": func(c conversation.Conversation) error {
				return drop(w.Conversations.Deliver(ctx, w.bob, c.ID, conversation.ToTeam(w.TeamNamed("Hiring").ID), conversation.Outcome{}))
			},
			"the recipient leaves": func(conversation.Conversation) error { return w.Tenancy.Leave(ctx, w.maria) },
		}
		for _, name := range slices.Sorted(maps.Keys(ends)) {
			c := w.Receive("Sales", strings.ReplaceAll(name, " ", "-"), "Hi")
			d := w.offers(c.ID, conversation.ToUser(w.maria.User))
			w.Clock.Advance(time.Hour)
			shown, err := w.Conversations.Deliveries(ctx, w.bob, tenancy.Page{Limit: 1})
			require.NoError(t, err)
			assert.Equal(t, conversation.DeliveryExpired, shown.Items[0].State, name)
			history, err := w.Conversations.History(ctx, w.bob, c.ID)
			require.NoError(t, err)
			assert.Equal(t, conversation.DeliveryExpired, history[0].State, name)
			assert.Equal(t, conversation.DeliveryPending, w.card(d.ID).State, "nobody has written it down")

			require.NoError(t, ends[name](c), name)
			assert.Equal(t, conversation.DeliveryExpired, w.card(d.ID).State, name)
			told := w.facts(w.bob.Team, conversation.DeliveryEnded)
			found := slices.IndexFunc(told, func(f tenancy.Facts) bool { return f["delivery"] == d.ID.String() })
			require.GreaterOrEqual(t, found, 0, name)
			assert.Equal(t, string(conversation.DeliveryExpired), told[found]["state"], name)
		}
		w.whole()
	})
}
