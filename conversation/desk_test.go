package conversation_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

// queued makes conversations of Sales that wait, the first for longest.
func (w *world) queued(n int) []tenancy.ConversationID {
	w.t.Helper()
	var ids []tenancy.ConversationID
	for i := range n {
		w.Clock.Advance(time.Second)
		ids = append(ids, w.Receive("Sales", fmt.Sprint("queued-", i), "Hi").ID)
	}
	return ids
}

// next is the next conversation of the actor, or the error.
func (w *world) next(actor tenancy.Actor, queue conversation.Queue) (tenancy.ConversationID, error) {
	c, err := w.Conversations.Next(w.t.Context(), actor, queue)
	return c.ID, err
}

func (w *world) answers(actor tenancy.Actor, id tenancy.ConversationID) {
	w.t.Helper()
	_, err := w.Conversations.Send(w.t.Context(), actor, id, "Hello")
	require.NoError(w.t, err)
}

func TestClaim(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.hello()
		claimed, err := w.Conversations.Claim(ctx, w.bob, c.ID)
		require.NoError(t, err)
		assert.Equal(t, w.bob.User, claimed.Claimant)
		assert.Equal(t, w.Clock.Now().Add(conversation.ClaimLease), claimed.ClaimedUntil)
		assert.True(t, claimed.Assignee.IsZero(), "a claim is no assignment")
		assert.Equal(t, claimed, w.get(w.bob, c.ID))

		before := len(w.log(w.bob.Team))
		again, err := w.Conversations.Claim(ctx, w.bob, c.ID)
		require.NoError(t, err)
		assert.Equal(t, claimed, again)
		assert.Len(t, w.log(w.bob.Team), before, "a lease that has hardly begun is not renewed")

		var taken *conversation.ClaimedError
		_, err = w.Conversations.Claim(ctx, w.maria, c.ID)
		require.ErrorAs(t, err, &taken)
		require.ErrorIs(t, err, tenancy.ErrConflict)
		assert.Equal(t, conversation.ClaimedError{Claimant: w.bob.User, Name: "bob", Until: claimed.ClaimedUntil}, *taken, "the conflict names the winner")
		_, err = w.Conversations.Release(ctx, w.maria, c.ID)
		require.ErrorAs(t, err, &taken, "nobody ends another's claim")
		_, err = w.Conversations.Send(ctx, w.maria, c.ID, "Hello")
		require.ErrorAs(t, err, &taken, "two people do not answer at once")
		_, err = w.Conversations.Note(ctx, w.maria, c.ID, "bob is at it")
		require.NoError(t, err)

		w.Clock.Advance(conversation.ClaimLease / 2)
		renewed, err := w.Conversations.Claim(ctx, w.bob, c.ID)
		require.NoError(t, err)
		assert.Equal(t, w.Clock.Now().Add(conversation.ClaimLease), renewed.ClaimedUntil)

		w.Clock.Advance(conversation.ClaimLease - time.Microsecond)
		_, err = w.Conversations.Claim(ctx, w.maria, c.ID)
		require.ErrorAs(t, err, &taken)
		w.Clock.Advance(time.Microsecond)
		_, err = w.Conversations.Claim(ctx, w.maria, c.ID)
		require.NoError(t, err, "the lease ends to the microsecond, with no sweep")

		free, err := w.Conversations.Release(ctx, w.maria, c.ID)
		require.NoError(t, err)
		assert.True(t, free.Claimant.IsZero())
		before = len(w.log(w.bob.Team))
		_, err = w.Conversations.Release(ctx, w.maria, c.ID)
		require.NoError(t, err)
		assert.Len(t, w.log(w.bob.Team), before, "a no-op writes nothing")
	})
}

func TestConcurrentClaimsOneWins(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		for round := range everystore.Rounds(50) {
			c := w.Receive("Sales", fmt.Sprint("visitor-", round), "Hi")
			actors := []tenancy.Actor{w.alice, w.bob, w.maria}
			errs := make([]error, len(actors))
			var wg sync.WaitGroup
			start := make(chan struct{})
			for i, actor := range actors {
				wg.Go(func() {
					<-start
					_, errs[i] = w.Conversations.Claim(t.Context(), actor, c.ID)
				})
			}
			close(start)
			wg.Wait()
			winner := w.get(w.bob, c.ID).Claimant
			for i, err := range errs {
				var taken *conversation.ClaimedError
				if actors[i].User == winner {
					require.NoError(t, err)
					continue
				}
				require.ErrorAs(t, err, &taken)
				assert.Equal(t, winner, taken.Claimant)
			}
		}
	})
}

// What ends a claim, each with the one event that says why.
func TestWhatEndsAClaim(t *testing.T) {
	ends := map[string]func(w *world, id tenancy.ConversationID) error{
		"release": func(w *world, id tenancy.ConversationID) error {
			return first(w.Conversations.Release(w.t.Context(), w.bob, id))
		},
		"skip": func(w *world, id tenancy.ConversationID) error {
			return first(w.Conversations.Skip(w.t.Context(), w.bob, id, conversation.SkipLanguage, time.Hour))
		},
		"close": func(w *world, id tenancy.ConversationID) error {
			return first(w.Conversations.Close(w.t.Context(), w.maria, id, ""))
		},
		"snooze": func(w *world, id tenancy.ConversationID) error {
			return first(w.Conversations.Snooze(w.t.Context(), w.maria, id, w.Clock.Now().Add(time.Hour)))
		},
		"take-over": func(w *world, id tenancy.ConversationID) error {
			return first(w.Conversations.TakeOver(w.t.Context(), w.maria, id, w.maria.User))
		},
		"deliver": func(w *world, id tenancy.ConversationID) error {
			return first(w.Conversations.Deliver(w.t.Context(), w.bob, id, conversation.ToUser(w.maria.User), conversation.Outcome{}))
		},
		"move": func(w *world, id tenancy.ConversationID) error {
			return first(w.Conversations.Deliver(w.t.Context(), w.bob, id, conversation.ToTeam(w.TeamNamed("Hiring").ID), conversation.Outcome{}))
		},
		"leave": func(w *world, _ tenancy.ConversationID) error {
			return w.Tenancy.Remove(w.t.Context(), w.alice, w.bob.User)
		},
		"lease": func(w *world, _ tenancy.ConversationID) error {
			w.Clock.Advance(conversation.ClaimLease)
			return first(w.Conversations.EndClaims(w.t.Context(), ushertest.System))
		},
		"hop": func(w *world, id tenancy.ConversationID) error {
			w.answers(w.bob, id)
			w.queued(1)
			return first(w.Conversations.Next(w.t.Context(), w.bob, conversation.AgentQueue))
		},
	}
	for how, end := range ends {
		t.Run(how, func(t *testing.T) {
			onEveryStore(t, func(t *testing.T, w *world) {
				c := w.hello()
				_, err := w.Conversations.Claim(t.Context(), w.bob, c.ID)
				require.NoError(t, err)
				require.NoError(t, end(w, c.ID))
				team := w.bob.Team
				if how == "move" {
					team = w.TeamNamed("Hiring").ID
				}
				after, err := w.Store.Conversation(t.Context(), team, c.ID)
				require.NoError(t, err)
				assert.True(t, after.Claimant.IsZero())
				assert.True(t, after.ClaimedUntil.IsZero())
				var released []string
				for _, e := range w.log(w.bob.Team) {
					if e.Kind == conversation.ConversationReleased {
						released = append(released, string(e.Payload))
					}
				}
				require.Len(t, released, 1)
				assert.Contains(t, released[0], `"on":"`+how+`"`)
				assert.Contains(t, released[0], w.bob.User.String())
			})
		})
	}
}

func TestEndClaimsEmitsOnce(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		for _, id := range w.queued(5) {
			_, err := w.Conversations.Claim(t.Context(), w.bob, id)
			require.NoError(t, err)
		}
		_, err := w.Conversations.EndClaims(t.Context(), ushertest.System)
		require.NoError(t, err)
		assert.Zero(t, w.kinds(w.bob.Team)[conversation.ConversationReleased], "what lasts is let be")
		w.Clock.Advance(conversation.ClaimLease)
		var wg sync.WaitGroup
		ended := make([]int, 3)
		for i := range ended {
			wg.Go(func() {
				var err error
				ended[i], err = w.Conversations.EndClaims(t.Context(), ushertest.System)
				assert.NoError(t, err)
			})
		}
		wg.Wait()
		assert.Equal(t, 5, ended[0]+ended[1]+ended[2])
		assert.Equal(t, 5, w.kinds(w.bob.Team)[conversation.ConversationReleased])
	})
}

func TestAutoclaim(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.hello()
		carol := w.Guest(w.bob, c.ID, "carol")
		w.answers(w.maria, c.ID)
		assert.True(t, w.get(w.bob, c.ID).Claimant.IsZero(), "who does not choose to claims nothing")
		for _, user := range []tenancy.UserID{w.bob.User, carol.User} {
			_, err := w.Tenancy.SetAutoclaim(ctx, user, true)
			require.NoError(t, err)
		}
		w.answers(carol, c.ID)
		assert.True(t, w.get(w.bob, c.ID).Claimant.IsZero(), "a guest claims nothing")
		_, err := w.Conversations.Note(ctx, w.bob, c.ID, "hm")
		require.NoError(t, err)
		assert.True(t, w.get(w.bob, c.ID).Claimant.IsZero(), "nor does a note")
		w.answers(w.bob, c.ID)
		assert.Equal(t, w.bob.User, w.get(w.bob, c.ID).Claimant)
		w.answers(carol, c.ID) // whom another's claim does not stop
		assert.Equal(t, w.bob.User, w.get(w.bob, c.ID).Claimant)
	})
}

func TestAssignedErrorNamesTheWinnerToWhoMayList(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		c := w.hello()
		_, err := w.Conversations.Assign(t.Context(), w.bob, c.ID, w.maria.User)
		require.NoError(t, err)
		_, err = w.Conversations.Assign(t.Context(), w.bob, c.ID, w.bob.User)
		var taken *conversation.AssignedError
		require.ErrorAs(t, err, &taken)
		assert.Equal(t, conversation.AssignedError{Assignee: w.maria.User, Name: "maria"}, *taken)
		assert.Contains(t, err.Error(), "maria")
	})
}

func TestNextIsTheLongestWaitingOfTheQueue(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ids := w.queued(5)
		_, err := w.Conversations.Assign(ctx, w.bob, ids[0], w.maria.User)
		require.NoError(t, err)
		_, err = w.Conversations.Claim(ctx, w.maria, ids[1])
		require.NoError(t, err)
		_, err = w.Conversations.Assign(ctx, w.bob, ids[4], w.bob.User)
		require.NoError(t, err)

		got, err := w.next(w.bob, conversation.AgentQueue)
		require.NoError(t, err)
		assert.Equal(t, ids[2], got, "what is maria's, by a claim or an assignment, is not offered")
		assert.Equal(t, w.bob.User, w.get(w.bob, got).Claimant)
		got, err = w.next(w.bob, conversation.AgentQueue)
		require.NoError(t, err)
		assert.Equal(t, ids[2], got, "until it is answered it stays the next")
		got, err = w.next(w.bob, conversation.RecruiterQueue)
		require.NoError(t, err)
		assert.Equal(t, ids[4], got)
		got, err = w.next(w.bob, conversation.Unclaimed)
		require.NoError(t, err)
		assert.Equal(t, ids[3], got)
		got, err = w.next(w.maria, conversation.RecruiterQueue)
		require.NoError(t, err)
		assert.Equal(t, ids[0], got)

		_, err = w.next(w.alice, conversation.AgentQueue)
		require.ErrorIs(t, err, conversation.ErrAllTaken)
		require.NotErrorIs(t, err, conversation.ErrNothingWaiting)
		_, err = w.next(w.alice, conversation.RecruiterQueue)
		require.ErrorIs(t, err, conversation.ErrNothingWaiting, "nothing is assigned to alice")
		for i, id := range ids {
			actor := w.bob
			if i < 2 {
				actor = w.maria
			}
			w.answers(actor, id)
		}
		_, err = w.next(w.alice, conversation.AgentQueue)
		require.ErrorIs(t, err, conversation.ErrNothingWaiting)

		for _, queue := range []conversation.Queue{0, 8, 255} {
			_, err = w.next(w.bob, queue)
			require.ErrorIs(t, err, tenancy.ErrInvalid)
		}
	})
}

func TestNextOffersWhatTheClockHasFreed(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		id := w.queued(1)[0]
		_, err := w.next(w.bob, conversation.AgentQueue)
		require.NoError(t, err)
		w.Clock.Advance(conversation.ClaimLease - time.Microsecond)
		_, err = w.next(w.maria, conversation.AgentQueue)
		require.ErrorIs(t, err, conversation.ErrAllTaken)
		w.Clock.Advance(time.Microsecond)
		got, err := w.next(w.maria, conversation.AgentQueue)
		require.NoError(t, err)
		assert.Equal(t, id, got)
	})
}

func TestSkip(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ids := w.queued(2)
		got, err := w.next(w.bob, conversation.AgentQueue)
		require.NoError(t, err)
		require.Equal(t, ids[0], got)
		_, err = w.Conversations.Skip(ctx, w.bob, got, conversation.SkipExpertise, time.Hour)
		require.NoError(t, err)
		got, err = w.next(w.bob, conversation.AgentQueue)
		require.NoError(t, err)
		assert.Equal(t, ids[1], got, "who skips goes on")
		_, err = w.Conversations.Skip(ctx, w.bob, got, "my-own-reason", 0)
		require.NoError(t, err)
		_, err = w.next(w.bob, conversation.AgentQueue)
		require.ErrorIs(t, err, conversation.ErrAllTaken)
		w.Clock.Advance(conversation.DefaultCooldown)
		got, err = w.next(w.bob, conversation.AgentQueue)
		require.NoError(t, err)
		assert.Equal(t, ids[1], got, "after its cool-down it is offered again")
		got, err = w.next(w.maria, conversation.AgentQueue)
		require.NoError(t, err)
		assert.Equal(t, ids[0], got, "others are offered what bob has skipped")

		for _, reason := range []conversation.SkipReason{"", "two words", "Later", conversation.SkipReason(strings.Repeat("x", 33)), "\u200blater"} {
			_, err = w.Conversations.Skip(ctx, w.bob, ids[0], reason, 0)
			require.ErrorIs(t, err, tenancy.ErrInvalid)
		}
		for _, cooldown := range []time.Duration{-1, conversation.MaxCooldown + 1} {
			_, err = w.Conversations.Skip(ctx, w.bob, ids[0], conversation.SkipLater, cooldown)
			require.ErrorIs(t, err, tenancy.ErrInvalid)
		}
	})
}

func TestClaimCommands(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.hello()
		reply, err := w.Conversations.Type(ctx, w.bob, c.ID, "^claim")
		require.NoError(t, err)
		assert.Contains(t, reply.Text, "yours until")
		assert.Nil(t, reply.Message)
		assert.Equal(t, w.bob.User, w.get(w.bob, c.ID).Claimant)
		var taken *conversation.ClaimedError
		_, err = w.Conversations.Type(ctx, w.maria, c.ID, "^claim")
		require.ErrorAs(t, err, &taken)
		_, err = w.Conversations.Type(ctx, w.bob, c.ID, "^release")
		require.NoError(t, err)
		assert.True(t, w.get(w.bob, c.ID).Claimant.IsZero())
		_, err = w.Conversations.Type(ctx, w.Guest(w.bob, c.ID, "carol"), c.ID, "^claim")
		require.ErrorIs(t, err, rbac.ErrDenied)
	})
}

// A claim and the removal of the claimant at the same instant: it never stays with someone who is
// gone.
func TestNextAndRemoveAtOnce(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		for round := range everystore.Rounds(50) {
			c := w.Receive("Sales", fmt.Sprint("visitor-", round), "Hi")
			temp := tenancy.Actor{User: w.join(fmt.Sprint("temp", round)), Team: w.bob.Team}
			var wg sync.WaitGroup
			start := make(chan struct{})
			wg.Go(func() { <-start; _, _ = w.next(temp, conversation.AgentQueue) })
			wg.Go(func() { <-start; assert.NoError(t, w.Tenancy.Remove(t.Context(), w.alice, temp.User)) })
			close(start)
			wg.Wait()
			assert.True(t, w.get(w.bob, c.ID).Claimant.IsZero())
			w.answers(w.bob, c.ID)
		}
	})
}

// 3,200 conversations wait, and 16 people go through them at once: each is somebody's, none is
// anybody's twice, and none is lost.
func TestTakersShareOutWhatWaits(t *testing.T) {
	const waiting, takers = 3200, 16
	onEveryStore(t, func(t *testing.T, w *world) {
		actors := make([]tenancy.Actor, takers)
		for i := range actors {
			actors[i] = tenancy.Actor{User: w.join(fmt.Sprint("taker", i)), Team: w.bob.Team}
		}
		w.crowdWaits(waiting)
		var mu sync.Mutex
		taken := map[tenancy.ConversationID]tenancy.UserID{}
		var wg sync.WaitGroup
		start := make(chan struct{})
		for _, actor := range actors {
			wg.Go(func() {
				<-start
				for {
					id, err := w.next(actor, conversation.Unclaimed)
					if errors.Is(err, conversation.ErrAllTaken) {
						return
					}
					if !assert.NoError(t, err) {
						return
					}
					mu.Lock()
					other, twice := taken[id]
					taken[id] = actor.User
					mu.Unlock()
					if twice {
						t.Errorf("%s and %s got the same conversation", other, actor.User)
					}
				}
			})
		}
		close(start)
		wg.Wait()
		assert.Len(t, taken, waiting)
		for _, actor := range actors {
			held, err := w.Store.HeldBy(t.Context(), actor)
			require.NoError(t, err)
			for _, h := range held {
				assert.Equal(t, actor.User, taken[h.Conversation])
				delete(taken, h.Conversation)
			}
		}
		assert.Empty(t, taken, "each is claimed by who got it")
	})
}

// crowdWaits makes many conversations that wait, without their messages.
func (w *world) crowdWaits(n int) {
	w.t.Helper()
	c := w.hello()
	w.answers(w.bob, c.ID)
	c = w.get(w.bob, c.ID)
	require.NoError(w.t, w.inTx(func(s txStore) error {
		for i := range n {
			waiting := c
			waiting.ID, waiting.Address = tenancy.NewID[tenancy.ConversationID](tenancy.Env{}), fmt.Sprint("waiting-", i)
			waiting.NeedsReplySince = w.Clock.Now().Add(time.Duration(i) * time.Microsecond)
			if err := s.InsertConversation(s.ctx, waiting); err != nil {
				return err
			}
		}
		return nil
	}))
}

// A hop takes the rights to see all, to claim and to answer, and to claim by answering takes that to claim.
func TestSpec6_WhatHopsAndAutoclaimTake(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		rights := []string{w.Policy.Name(rbac.ReadConversations), w.Policy.Name(rbac.ClaimConversation), w.Policy.Name(rbac.SendMessage)}
		w.queued(1)
		for i, lacks := range rights {
			rest := append(slices.Clone(rights[:i]), rights[i+1:]...)
			who := w.custom(rbac.Restricted, w.maria, append(rest, w.Policy.Name(rbac.ReadConversation))...)
			_, err := w.next(who, conversation.AgentQueue)
			var denied *rbac.DeniedError
			require.ErrorAs(t, err, &denied, lacks)
			assert.Equal(t, lacks, denied.Name)
		}
		_, err := w.Tenancy.SetAutoclaim(ctx, w.maria.User, true)
		require.NoError(t, err)
		c := w.hello()
		w.custom(rbac.Restricted, w.maria, rights[0], rights[2], w.Policy.Name(rbac.ReadConversation))
		w.answers(w.maria, c.ID)
		assert.True(t, w.get(w.bob, c.ID).Claimant.IsZero(), "who may not claim claims nothing by answering")
		w.custom(rbac.Restricted, w.maria, append(rights, w.Policy.Name(rbac.ReadConversation))...)
		w.answers(w.maria, c.ID)
		assert.Equal(t, w.maria.User, w.get(w.bob, c.ID).Claimant)
	})
}
