package invite_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

func TestRevoke(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		inv, _ := w.invite(w.acme.mike, invite.ToConversation(bob, w.acme.conversation))
		w.clock.Advance(time.Minute)
		revoked, err := w.invites.Revoke(w.ctx, w.acme.alice, inv.ID)
		require.NoError(t, err, "whoever has the right may, not only who sent it")
		assert.Equal(t, invite.Revoked, revoked.State)
		assert.Equal(t, w.acme.alice.Principal(), revoked.EndedBy)
		assert.Equal(t, w.clock.Now(), revoked.EndedAt)
		assert.Equal(t, []invite.Invitation{revoked}, w.desk.settled(w.acme.team.ID))

		before := w.picture(w.acme)
		again, err := w.invites.Revoke(w.ctx, w.acme.alice, inv.ID)
		require.NoError(t, err)
		assert.Equal(t, revoked, again)
		var state *invite.StateError
		_, err = w.invites.Revoke(w.ctx, w.acme.mike, inv.ID)
		require.ErrorAs(t, err, &state, "for another it is no repetition")
		assert.Equal(t, before, w.picture(w.acme))
	})
}

func TestA12AfterAResendOnlyTheNewestTokenWorks(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		user := w.user(bob)
		inv, first := w.invite(w.acme.alice, invite.ToTeam(bob, rbac.Member))
		w.clock.Advance(24 * time.Hour)
		resent, err := w.invites.Resend(w.ctx, w.acme.alice, inv.ID)
		require.NoError(t, err)
		assert.Equal(t, 2, resent.Mailing)
		assert.Equal(t, w.clock.Now().Add(invite.DefaultExpiry), resent.ExpiresAt)
		assert.Zero(t, resent.MailedAt)
		assert.Equal(t, inv.CreatedAt, resent.CreatedAt)
		assert.Equal(t, invite.TokenHash{}, w.stored(inv).Hash)

		_, err = w.invites.Accept(w.ctx, user.ID, first)
		require.Equal(t, tenancy.ErrNotFound, err, "the old one died with the resend, before the new mail was built")
		second := w.token(inv)
		_, err = w.invites.Resend(w.ctx, w.acme.alice, inv.ID, invite.ExpiresIn(time.Hour))
		require.NoError(t, err)
		third := w.token(inv)
		for _, old := range []invite.Token{first, second} {
			_, err = w.invites.Accept(w.ctx, user.ID, old)
			require.Equal(t, tenancy.ErrNotFound, err)
			_, err = w.invites.Decline(w.ctx, user.ID, old)
			require.Equal(t, tenancy.ErrNotFound, err)
			_, err = w.invites.Preview(w.ctx, old)
			require.Equal(t, tenancy.ErrNotFound, err)
		}
		assert.Equal(t, w.clock.Now().Add(time.Hour), w.stored(inv).ExpiresAt)
		_, err = w.invites.Accept(w.ctx, user.ID, third)
		require.NoError(t, err)
		assert.Equal(t, 2, count(w.events(w.acme))[invite.InvitationResent])
	})
}

func TestResendRevivesAnExpiredInvitation(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		user := w.user(bob)
		inv, old := w.invite(w.acme.mike, invite.ToConversation(bob, w.acme.conversation))
		w.clock.Set(inv.ExpiresAt)
		resent, err := w.invites.Resend(w.ctx, w.acme.mike, inv.ID)
		require.NoError(t, err)
		assert.Equal(t, invite.Pending, resent.State)
		assert.Zero(t, resent.EndedAt)
		assert.Empty(t, resent.EndedBy)
		events := w.events(w.acme)
		assert.Equal(t, []string{invite.InvitationExpired, invite.InvitationResent}, events[len(events)-2:])
		require.Len(t, w.desk.settled(w.acme.team.ID), 1)
		assert.Equal(t, invite.Expired, w.desk.settled(w.acme.team.ID)[0].State, "what waited for it ends, sweep or no sweep")
		_, err = w.invites.Accept(w.ctx, user.ID, old)
		require.Equal(t, tenancy.ErrNotFound, err)
		_, err = w.invites.Accept(w.ctx, user.ID, w.token(inv))
		require.NoError(t, err)
	})
}

func TestResendOfAnExpiredOneWhileAnotherIsPending(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		old, err := w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam(bob, rbac.Member))
		require.NoError(t, err)
		w.clock.Set(old.ExpiresAt)
		anew, err := w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam(bob, rbac.Member))
		require.NoError(t, err)
		before := w.picture(w.acme)
		_, err = w.invites.Resend(w.ctx, w.acme.alice, old.ID)
		var pending *invite.PendingError
		require.ErrorAs(t, err, &pending)
		assert.Equal(t, anew, pending.Invitation)
		assert.Equal(t, before, w.picture(w.acme))

		w.clock.Set(anew.ExpiresAt)
		_, err = w.invites.Resend(w.ctx, w.acme.alice, old.ID)
		require.NoError(t, err, "one that lapsed is in nobody's way")
		assert.Equal(t, invite.Expired, w.stored(anew).State)
	})
}

func TestA8ResendTakesTheAuthorityOfCreate(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		team, err := w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam(bob, rbac.Member))
		require.NoError(t, err)
		guest, err := w.invites.Create(w.ctx, w.acme.mike, invite.ToConversation(bob, w.acme.conversation))
		require.NoError(t, err)
		before := w.picture(w.acme)
		for _, actor := range []tenancy.Actor{w.acme.mike, w.acme.gina} {
			_, err = w.invites.Resend(w.ctx, actor, team.ID)
			require.ErrorIs(t, err, rbac.ErrDenied)
			_, err = w.invites.Revoke(w.ctx, actor, team.ID)
			require.ErrorIs(t, err, rbac.ErrDenied)
			_, err = w.invites.Get(w.ctx, actor, team.ID)
			require.ErrorIs(t, err, rbac.ErrDenied)
		}
		w.desk.open(w.globex.team.ID, w.acme.conversation)
		_, err = w.invites.Resend(w.ctx, w.acme.mike, guest.ID)
		require.ErrorIs(t, err, tenancy.ErrNotFound, "the conversation is no longer theirs to offer")
		assert.Equal(t, before, w.picture(w.acme))
		_, err = w.invites.Revoke(w.ctx, w.acme.mike, guest.ID)
		require.NoError(t, err, "taking back is always possible")

		w.admit(w.acme, bob, rbac.Member)
		_, err = w.invites.Resend(w.ctx, w.acme.alice, team.ID)
		var member *tenancy.MemberError
		require.ErrorAs(t, err, &member, "and not to someone who came in another way")
	})
}

func TestResendRefusesBadTerms(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		inv, err := w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam(bob, rbac.Member))
		require.NoError(t, err)
		_, err = w.invites.Resend(w.ctx, w.acme.alice, inv.ID, invite.ExpiresIn(time.Minute))
		require.ErrorIs(t, err, tenancy.ErrInvalid)
	})
}

// Every operation that takes an id, with the id of another account's invitation: the same answer
// as for an id that names nothing, and nothing changes in either.
func TestA10ForeignIdsAreNotFound(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		var foreign []tenancy.InvitationID
		for _, r := range []invite.Request{invite.ToTeam(bob, rbac.Member), invite.ToConversation(bob, w.globex.conversation)} {
			inv, _ := w.invite(w.globex.alice, r)
			foreign = append(foreign, inv.ID)
		}
		ids := append(slices.Clone(foreign), tenancy.NewID[tenancy.InvitationID](tenancy.Env{}), tenancy.InvitationID{})
		operations := map[string]func(tenancy.Actor, tenancy.InvitationID) (invite.Invitation, error){
			"get": func(a tenancy.Actor, id tenancy.InvitationID) (invite.Invitation, error) {
				return w.invites.Get(w.ctx, a, id)
			},
			"revoke": func(a tenancy.Actor, id tenancy.InvitationID) (invite.Invitation, error) {
				return w.invites.Revoke(w.ctx, a, id)
			},
			"resend": func(a tenancy.Actor, id tenancy.InvitationID) (invite.Invitation, error) {
				return w.invites.Resend(w.ctx, a, id)
			},
			"expire": func(a tenancy.Actor, id tenancy.InvitationID) (invite.Invitation, error) {
				return w.invites.Expire(w.ctx, host, a.Team, id)
			},
		}
		acme, globex := w.picture(w.acme), w.picture(w.globex)
		for name, operation := range operations {
			for _, actor := range []tenancy.Actor{w.acme.alice, w.acme.mike} {
				for _, id := range ids {
					answer, err := operation(actor, id)
					assert.Equal(t, tenancy.ErrNotFound, err, name)
					assert.Zero(t, answer)
				}
			}
			if name == "expire" {
				continue // takes no actor
			}
			for _, id := range ids {
				_, err := operation(w.acme.gina, id)
				require.ErrorIs(t, err, rbac.ErrDenied, "a guest is told the same of every id")
				_, err = operation(tenancy.Actor{User: w.acme.alice.User, Team: w.globex.team.ID}, id)
				require.Equal(t, tenancy.ErrNotFound, err, "a stranger is told the same of every id")
				_, err = operation(tenancy.Actor{}, id)
				require.ErrorIs(t, err, tenancy.ErrNoPrincipal)
			}
		}
		_, err := w.invites.Expire(w.ctx, "", w.globex.team.ID, foreign[0])
		require.ErrorIs(t, err, tenancy.ErrNoPrincipal)

		list, err := w.invites.List(w.ctx, w.acme.alice, invite.Filter{Conversation: w.globex.conversation}, tenancy.Page{})
		require.NoError(t, err)
		assert.Empty(t, list.Items)
		list, err = w.invites.List(w.ctx, w.acme.alice, invite.Filter{}, tenancy.Page{})
		require.NoError(t, err)
		assert.Empty(t, list.Items)
		assert.Equal(t, acme, w.picture(w.acme))
		assert.Equal(t, globex, w.picture(w.globex))
	})
}

func TestA19WhoGoesTakesTheirInvitationsAlong(t *testing.T) {
	for name, depart := range map[string]func(w *world, boss tenancy.Actor) error{
		"removed": func(w *world, boss tenancy.Actor) error { return w.people.Remove(w.ctx, w.acme.alice, boss.User) },
		"left":    func(w *world, boss tenancy.Actor) error { return w.people.Leave(w.ctx, boss) },
		"made a guest": func(w *world, boss tenancy.Actor) error {
			_, err := w.people.ChangeRole(w.ctx, w.acme.alice, boss.User, rbac.Restricted)
			return err
		},
		"suspended": func(w *world, boss tenancy.Actor) error {
			_, err := w.people.Suspend(w.ctx, w.acme.alice, boss.User)
			return err
		},
		"suspended everywhere": func(w *world, boss tenancy.Actor) error {
			_, err := w.people.SuspendUser(w.ctx, host, boss.User)
			return err
		},
		"deleted": func(w *world, boss tenancy.Actor) error {
			return w.people.DeleteUser(w.ctx, host, boss.User, tenancy.UserID{})
		},
		"expired": func(w *world, boss tenancy.Actor) error {
			_, err := w.people.SetExpiry(w.ctx, w.acme.alice, boss.User, w.clock.Now().Add(time.Minute))
			if err != nil {
				return err
			}
			w.clock.Advance(time.Minute)
			_, err = w.people.ExpireMembers(w.ctx, host)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			onEach(t, func(t *testing.T, w *world) {
				user, boss := w.user(bob), w.admit(w.acme, "boss@acme.example", rbac.Manager)
				elsewhere := tenancy.Actor{User: boss.User, Team: w.globex.team.ID}
				_, err := w.people.Admit(w.ctx, host, tenancy.Admission{Team: elsewhere.Team, User: boss.User, Role: rbac.Manager})
				require.NoError(t, err)
				lapsed, err := w.invites.Create(w.ctx, boss, invite.ToTeam("late@acme.example", rbac.Member, invite.ExpiresIn(time.Hour)))
				require.NoError(t, err)
				w.clock.Advance(2 * time.Hour)
				inv, token := w.invite(boss, invite.ToTeam(bob, rbac.Member))
				guest, guestToken := w.invite(boss, invite.ToConversation(bob, w.acme.conversation))
				others, _ := w.invite(w.acme.alice, invite.ToTeam("carl@acme.example", rbac.Member))
				away, _ := w.invite(elsewhere, invite.ToTeam(bob, rbac.Member))
				revoked := count(w.events(w.acme))[invite.InvitationRevoked]

				require.NoError(t, depart(w, boss))

				assert.Equal(t, invite.Revoked, w.stored(inv).State)
				assert.Equal(t, invite.Revoked, w.stored(guest).State)
				assert.Equal(t, invite.Expired, w.stored(lapsed).State)
				assert.Equal(t, invite.Pending, w.stored(others).State)
				everywhere := name == "suspended everywhere" || name == "deleted"
				assert.Equal(t, everywhere, w.stored(away).State == invite.Revoked, "in another team they are still who they were")
				assert.Equal(t, revoked+2, count(w.events(w.acme))[invite.InvitationRevoked])
				assert.Equal(t, 1, count(w.events(w.acme))[invite.InvitationExpired])
				assert.Equal(t, []invite.Invitation{w.stored(guest).Invitation}, w.desk.settled(w.acme.team.ID))
				for _, tok := range []invite.Token{token, guestToken} {
					_, err = w.invites.Accept(w.ctx, user.ID, tok)
					require.ErrorIs(t, err, tenancy.ErrConflict)
				}
				if name == "deleted" {
					return // and does not come back
				}
				if everywhere {
					_, err = w.people.ReactivateUser(w.ctx, host, boss.User)
					require.NoError(t, err)
				}
				switch w.member(w.acme, boss.User).Status { // who is back has no invitations back
				case tenancy.MembershipActive:
					_, err = w.people.ChangeRole(w.ctx, w.acme.alice, boss.User, rbac.Manager)
				case tenancy.MembershipSuspended:
					if _, err = w.people.SetExpiry(w.ctx, w.acme.alice, boss.User, time.Time{}); err == nil {
						_, err = w.people.Reactivate(w.ctx, w.acme.alice, boss.User)
					}
				case tenancy.MembershipRemoved:
					_, err = w.people.Admit(w.ctx, host, tenancy.Admission{Team: boss.Team, User: boss.User, Role: rbac.Manager})
				}
				require.NoError(t, err)
				require.NoError(t, w.people.Check(w.ctx, boss, rbac.InviteMember))
				_, err = w.invites.Accept(w.ctx, user.ID, token)
				require.ErrorIs(t, err, tenancy.ErrConflict)
			})
		})
	}
}

// A team may keep the invitations of those who go. Nobody comes in on them unless it trusts its
// inviters, too, or the inviter is back.
func TestA19ATeamMayKeepTheInvitationsOfThoseWhoGo(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		for _, trust := range []bool{false, true} {
			t.Run(fmt.Sprintf("trust %v", trust), func(t *testing.T) {
				w := w.in(t)
				w.configure(w.acme, tenancy.Settings{KeepInvitations: true, TrustInviters: trust})
				email := fmt.Sprintf("bob.%v@acme.example", trust)
				user, boss := w.user(email), w.admit(w.acme, fmt.Sprintf("boss.%v@acme.example", trust), rbac.Manager)
				inv, token := w.invite(boss, invite.ToTeam(email, rbac.Member))
				guest, guestToken := w.invite(boss, invite.ToConversation(email, w.acme.conversation))
				before := count(w.events(w.acme))
				_, err := w.people.Suspend(w.ctx, w.acme.alice, boss.User)
				require.NoError(t, err)
				assert.Equal(t, invite.Pending, w.stored(inv).State)
				assert.Equal(t, invite.Pending, w.stored(guest).State)
				assert.Equal(t, before[invite.InvitationRevoked], count(w.events(w.acme))[invite.InvitationRevoked])
				if trust {
					_, err = w.invites.Accept(w.ctx, user.ID, guestToken)
					require.NoError(t, err)
					require.NoError(t, w.people.Remove(w.ctx, w.acme.alice, user.ID))
				} else {
					for _, tok := range []invite.Token{token, guestToken} {
						_, err = w.invites.Accept(w.ctx, user.ID, tok)
						require.ErrorIs(t, err, invite.ErrInviterLost)
					}
					_, err = w.people.Reactivate(w.ctx, w.acme.alice, boss.User)
					require.NoError(t, err)
				}
				_, err = w.invites.Accept(w.ctx, user.ID, token)
				require.NoError(t, err)
			})
		}
	})
}

func TestWithdrawEndsTheInvitationsOfAConversationThatLeaves(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		lapsed, err := w.invites.Create(w.ctx, w.acme.mike, invite.ToConversation("late@acme.example", w.acme.conversation, invite.ExpiresIn(time.Hour)))
		require.NoError(t, err)
		w.clock.Advance(2 * time.Hour)
		inv, err := w.invites.Create(w.ctx, w.acme.mike, invite.ToConversation(bob, w.acme.conversation))
		require.NoError(t, err)
		others, err := w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam(bob, rbac.Member))
		require.NoError(t, err)
		require.NoError(t, w.store.InTx(w.ctx, func(ctx context.Context) error {
			return w.invites.Withdraw(ctx, w.acme.alice, w.acme.team.ID, w.acme.conversation)
		}))
		assert.Equal(t, invite.Revoked, w.stored(inv).State)
		assert.Equal(t, w.acme.alice.Principal(), w.stored(inv).EndedBy)
		assert.Equal(t, invite.Expired, w.stored(lapsed).State)
		assert.Equal(t, invite.Pending, w.stored(others).State)
		require.NoError(t, w.store.InTx(w.ctx, func(ctx context.Context) error {
			return w.invites.Withdraw(ctx, w.acme.alice, w.acme.team.ID, tenancy.ConversationID{})
		}))
		assert.Equal(t, invite.Pending, w.stored(others).State, "no conversation is not the team")
	})
}

func TestSpec5_14_ListAndGet(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		var all []invite.Invitation
		for i := range 5 {
			inv, err := w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam(fmt.Sprintf("p%d@acme.example", i), rbac.Member))
			require.NoError(t, err)
			all = append([]invite.Invitation{inv}, all...)
			w.clock.Advance(time.Second)
		}
		guest, err := w.invites.Create(w.ctx, w.acme.mike, invite.ToConversation(bob, w.acme.conversation, invite.ExpiresIn(time.Hour)))
		require.NoError(t, err)
		all = append([]invite.Invitation{guest}, all...)

		var listed []invite.Invitation
		page := tenancy.Page{Limit: 4}
		for {
			list, err := w.invites.List(w.ctx, w.acme.alice, invite.Filter{}, page)
			require.NoError(t, err)
			listed = append(listed, list.Items...)
			if list.Next == "" {
				break
			}
			page.After = list.Next
		}
		assert.Equal(t, all, listed, "newest first")

		_, err = w.invites.List(w.ctx, w.acme.alice, invite.Filter{State: invite.Pending}, page)
		require.ErrorIs(t, err, tenancy.ErrInvalid, "a cursor belongs to its filter")
		_, err = w.invites.List(w.ctx, w.globex.alice, invite.Filter{}, page)
		require.ErrorIs(t, err, tenancy.ErrInvalid, "and to its team")
		_, err = w.invites.List(w.ctx, w.acme.alice, invite.Filter{State: "Pending"}, tenancy.Page{})
		require.ErrorIs(t, err, tenancy.ErrInvalid)

		w.clock.Advance(time.Hour)
		states := func(state invite.State) int {
			list, err := w.invites.List(w.ctx, w.acme.alice, invite.Filter{State: state, Now: start}, tenancy.Page{})
			require.NoError(t, err)
			for _, inv := range list.Items {
				assert.Equal(t, state, inv.State)
			}
			return len(list.Items)
		}
		assert.Equal(t, 5, states(invite.Pending))
		assert.Equal(t, 1, states(invite.Expired), "expired by the clock, whatever the row says")
		got, err := w.invites.Get(w.ctx, w.acme.mike, guest.ID)
		require.NoError(t, err)
		assert.Equal(t, invite.Expired, got.State)
		assert.Equal(t, invite.Pending, w.stored(guest).State, "reading writes nothing")

		of := invite.Filter{Conversation: w.acme.conversation}
		list, err := w.invites.List(w.ctx, w.acme.mike, of, tenancy.Page{})
		require.NoError(t, err, "a member sees who is invited to a conversation")
		require.Len(t, list.Items, 1)
		_, err = w.invites.List(w.ctx, w.acme.mike, invite.Filter{}, tenancy.Page{})
		require.ErrorIs(t, err, rbac.ErrDenied, "and not who is invited into the team")
		for _, filter := range []invite.Filter{{}, of} {
			_, err = w.invites.List(w.ctx, w.acme.gina, filter, tenancy.Page{})
			require.ErrorIs(t, err, rbac.ErrDenied)
			_, err = w.invites.List(w.ctx, tenancy.Actor{User: w.globex.alice.User, Team: w.acme.team.ID}, filter, tenancy.Page{})
			require.ErrorIs(t, err, tenancy.ErrNotFound)
			_, err = w.invites.List(w.ctx, tenancy.Actor{}, filter, tenancy.Page{})
			require.ErrorIs(t, err, tenancy.ErrNoPrincipal)
		}
	})
}

func TestA14PreviewShowsSixThingsAndChangesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		user := w.user(bob)
		inv, token := w.invite(w.acme.alice, invite.ToTeam(bob, rbac.Member))
		before := w.picture(w.acme)
		for range 10 {
			seen, err := w.invites.Preview(w.ctx, token)
			require.NoError(t, err)
			assert.Equal(t, invite.Preview{
				Team: "Sales", Inviter: "Same Name", Role: rbac.Member, Kind: invite.ToOneTeam,
				ExpiresAt: inv.ExpiresAt, State: invite.Pending,
			}, seen)
		}
		w.clock.Set(inv.ExpiresAt)
		seen, err := w.invites.Preview(w.ctx, token)
		require.NoError(t, err)
		assert.Equal(t, invite.Expired, seen.State)
		assert.Equal(t, before, w.picture(w.acme))
		w.clock.Set(inv.ExpiresAt.Add(-time.Microsecond))
		_, err = w.invites.Accept(w.ctx, user.ID, token)
		require.NoError(t, err)
		seen, err = w.invites.Preview(w.ctx, token)
		require.NoError(t, err)
		assert.Equal(t, invite.Accepted, seen.State)
	})
}

func TestACancelledContextChangesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		user := w.user(bob)
		inv, token := w.invite(w.acme.alice, invite.ToTeam(bob, rbac.Member))
		before := w.picture(w.acme)
		ctx, cancel := context.WithCancel(w.ctx)
		cancel()
		for name, call := range map[string]func() error{
			"create": func() error {
				_, err := w.invites.Create(ctx, w.acme.alice, invite.ToTeam("x@acme.example", rbac.Member))
				return err
			},
			"accept":   func() error { _, err := w.invites.Accept(ctx, user.ID, token); return err },
			"decline":  func() error { _, err := w.invites.Decline(ctx, user.ID, token); return err },
			"revoke":   func() error { _, err := w.invites.Revoke(ctx, w.acme.alice, inv.ID); return err },
			"resend":   func() error { _, err := w.invites.Resend(ctx, w.acme.alice, inv.ID); return err },
			"expire":   func() error { _, err := w.invites.Expire(ctx, host, inv.Team, inv.ID); return err },
			"get":      func() error { _, err := w.invites.Get(ctx, w.acme.alice, inv.ID); return err },
			"preview":  func() error { _, err := w.invites.Preview(ctx, token); return err },
			"list":     func() error { _, err := w.invites.List(ctx, w.acme.alice, invite.Filter{}, tenancy.Page{}); return err },
			"offer":    func() error { _, err := w.invites.Offer(ctx, w.acme.holder(), bob); return err },
			"offers":   func() error { _, err := w.invites.Offers(ctx, w.acme.holder(), tenancy.Page{}); return err },
			"withdraw": func() error { return w.invites.Withdraw(ctx, w.acme.alice, w.acme.team.ID, w.acme.conversation) },
		} {
			require.ErrorIs(t, call(), context.Canceled, name)
		}
		assert.Equal(t, before, w.picture(w.acme))
	})
}
