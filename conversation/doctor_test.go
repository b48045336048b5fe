package conversation_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

// findings is what the Doctor finds in all rooms.
func (w *world) findings() []tenancy.Finding {
	w.t.Helper()
	var found []tenancy.Finding
	for finding, err := range w.Doctor(w.t.Context(), ushertest.System) {
		require.NoError(w.t, err)
		found = append(found, finding)
	}
	return found
}

// whole checks that no rule is broken anywhere.
func (w *world) whole() {
	w.t.Helper()
	assert.Empty(w.t, w.findings())
}

// eventful is a world in which most that can happen has happened, and which is whole all the same.
func (w *world) eventful() (first, second conversation.Conversation, pending conversation.Delivery) {
	w.t.Helper()
	ctx, t := w.t.Context(), w.t
	first, second, _ = w.busy()
	w.Guest(w.bob, first.ID, "carol")
	w.Guest(w.bob, second.ID, "carol")
	victor := w.Guest(w.bob, first.ID, "victor")
	require.NoError(t, w.Conversations.RevokeGuest(ctx, w.bob, first.ID, victor.User))
	_, err := w.Conversations.Note(ctx, w.bob, first.ID, "a note counts, too")
	require.NoError(t, err)
	moved := w.Receive("Sales", "visitor-4", "Hi")
	w.Guest(w.bob, moved.ID, "carol")
	_, err = w.Conversations.Deliver(ctx, w.bob, moved.ID, conversation.ToTeam(w.TeamNamed("Hiring").ID), conversation.Outcome{})
	require.NoError(t, err)
	pending, err = w.Conversations.Deliver(ctx, w.bob, second.ID, conversation.ToEmail("zoe@zoe.example"), conversation.Outcome{})
	require.NoError(t, err)
	_, err = w.Conversations.Deliver(ctx, w.bob, first.ID, conversation.ToUser(w.maria.User), conversation.Outcome{})
	require.NoError(t, err)
	_, err = w.Tenancy.Suspend(ctx, w.alice, w.maria.User)
	require.NoError(t, err)
	assigned, err := w.Conversations.Assign(ctx, w.bob, first.ID, w.bob.User)
	require.NoError(t, err)
	second = w.get(w.bob, second.ID)
	return assigned, second, pending
}

func TestADoctorHasNothingToSayOfAHealthyWorld(t *testing.T) {
	onEveryStore(t, func(t *testing.T, w *world) {
		w.eventful()
		w.whole()
		w.Clock.Advance(invite.DefaultExpiry + time.Hour)
		w.whole()
	})
}

func TestTheDoctorFindsEachFlaw(t *testing.T) {
	breaks := map[tenancy.Flaw]map[string]func(w *world, c conversation.Conversation, pending conversation.Delivery) error{
		conversation.FlawAssignee: {
			"somebody of another team": func(w *world, c conversation.Conversation, _ conversation.Delivery) error {
				return w.inTx(func(s txStore) error {
					c.Assignee = w.User("dana").ID
					return s.UpdateConversation(s.ctx, c.Team, c)
				})
			},
			"somebody who is suspended": func(w *world, c conversation.Conversation, _ conversation.Delivery) error {
				return w.inTx(func(s txStore) error {
					c.Assignee = w.maria.User
					return s.UpdateConversation(s.ctx, c.Team, c)
				})
			},
		},
		conversation.FlawClaimant: {
			"somebody who is suspended as a whole": func(w *world, c conversation.Conversation, _ conversation.Delivery) error {
				user := w.join("wanda")
				if _, err := w.Tenancy.SuspendUser(w.t.Context(), ushertest.System, user); err != nil {
					return err
				}
				return w.inTx(func(s txStore) error {
					c.Claimant, c.ClaimedUntil = user, w.Clock.Now()
					return s.UpdateConversation(s.ctx, c.Team, c)
				})
			},
			"somebody of another team": func(w *world, c conversation.Conversation, _ conversation.Delivery) error {
				return w.inTx(func(s txStore) error {
					c.Claimant, c.ClaimedUntil = w.User("dana").ID, w.Clock.Now()
					return s.UpdateConversation(s.ctx, c.Team, c)
				})
			},
			"somebody who is suspended": func(w *world, c conversation.Conversation, _ conversation.Delivery) error {
				return w.inTx(func(s txStore) error {
					c.Claimant, c.ClaimedUntil = w.maria.User, w.Clock.Now()
					return s.UpdateConversation(s.ctx, c.Team, c)
				})
			},
		},
		conversation.FlawDelivery: {
			"an invitation that was revoked": func(w *world, _ conversation.Conversation, pending conversation.Delivery) error {
				return w.inTx(func(s txStore) error {
					r, err := s.LockInvitation(s.ctx, pending.FromTeam, pending.Invitation)
					if err != nil {
						return err
					}
					r.State = invite.Revoked
					return s.UpdateInvitation(s.ctx, r)
				})
			},
			"no invitation": func(w *world, _ conversation.Conversation, pending conversation.Delivery) error {
				return w.inTx(func(s txStore) error {
					pending.Invitation = tenancy.InvitationID{}
					return s.UpdateDelivery(s.ctx, pending)
				})
			},
		},
		conversation.FlawGrant: {
			"a stranger": func(w *world, c conversation.Conversation, _ conversation.Delivery) error {
				return w.inTx(func(s txStore) error {
					g := conversation.Grant{Conversation: c.ID, User: w.User("dana").ID, Inviter: w.bob.User, FromSeq: 1, AcceptedAt: w.Clock.Now()}
					return s.InsertGrant(s.ctx, g)
				})
			},
			"two who were removed": func(w *world, c conversation.Conversation, _ conversation.Delivery) error {
				return w.inTx(func(s txStore) error {
					for _, name := range []string{"carol", "victor"} {
						m, err := s.Membership(s.ctx, c.Team, w.User(name).ID)
						if err != nil {
							return err
						}
						g, err := s.Grant(s.ctx, c.ID, m.User)
						if err != nil {
							return err
						}
						g.RevokedAt = time.Time{}
						if err := s.UpdateGrant(s.ctx, g); err != nil {
							return err
						}
						m.Status = tenancy.MembershipRemoved
						if err := s.UpdateMembership(s.ctx, m); err != nil {
							return err
						}
					}
					return nil
				})
			},
		},
		conversation.FlawCounter: {
			"too high": func(w *world, c conversation.Conversation, _ conversation.Delivery) error {
				return w.inTx(func(s txStore) error {
					c.LastSeq++
					return s.UpdateConversation(s.ctx, c.Team, c)
				})
			},
			"none": func(w *world, c conversation.Conversation, _ conversation.Delivery) error {
				return w.inTx(func(s txStore) error {
					c.LastSeq = 0
					return s.UpdateConversation(s.ctx, c.Team, c)
				})
			},
			"a gap": func(w *world, c conversation.Conversation, _ conversation.Delivery) error {
				return w.inTx(func(s txStore) error {
					c.LastSeq += 2
					m := conversation.Message{
						ID: tenancy.NewID[tenancy.MessageID](tenancy.Env{}), Conversation: c.ID, Seq: c.LastSeq,
						Kind: conversation.SystemMessage, Text: "x", At: w.Clock.Now(),
					}
					if err := s.InsertMessage(s.ctx, m); err != nil {
						return err
					}
					return s.UpdateConversation(s.ctx, c.Team, c)
				})
			},
		},
	}
	assert.ElementsMatch(t, conversation.Flaws(), slices.Collect(maps.Keys(breaks)), "each flaw is tried")
	for flaw, ways := range breaks {
		for how, spoil := range ways {
			t.Run(string(flaw)+", "+how, func(t *testing.T) {
				onEveryStore(t, func(t *testing.T, w *world) {
					c, second, pending := w.eventful()
					require.NoError(t, spoil(w, c, pending))
					if flaw == conversation.FlawDelivery {
						c = second
					}
					found := w.findings()
					if how == "two who were removed" { // carol is a guest of the other conversation, too
						found = slices.DeleteFunc(found, func(f tenancy.Finding) bool { return f.Subject == second.ID.UUID() && f.Flaw == flaw })
					}
					assert.Equal(t, []tenancy.Finding{{
						Flaw: flaw, Account: c.Account.UUID(), Team: c.Team.UUID(), Subject: c.ID.UUID(),
					}}, found)
				})
			})
		}
	}
}
