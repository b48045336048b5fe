package invite_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/invite/invitetest"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

func TestAcceptIntoTeam(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		user := w.user(bob)
		inv, token := w.invite(w.acme.alice, invite.ToTeam(bob, rbac.Member))
		w.clock.Advance(time.Hour)
		before := w.picture(w.globex)
		accepted, err := w.invites.Accept(w.ctx, user.ID, token)
		require.NoError(t, err)
		assert.Equal(t, invite.Accepted, accepted.State)
		assert.Equal(t, user.ID, accepted.AcceptedBy)
		assert.Equal(t, tenancy.Self(user.ID).Principal(), accepted.EndedBy)
		assert.Equal(t, w.clock.Now(), accepted.EndedAt)
		assert.Equal(t, w.stored(inv).Invitation, accepted)

		m := w.member(w.acme, user.ID)
		assert.Equal(t, rbac.Member, m.Role)
		assert.True(t, m.ActiveAt(w.clock.Now()))
		require.NoError(t, w.people.Check(w.ctx, tenancy.Actor{User: user.ID, Team: w.acme.team.ID}, rbac.SendMessage))

		events := w.events(w.acme)
		assert.Equal(t, []string{invite.InvitationCreated, invite.InvitationMailed, invite.InvitationAccepted, tenancy.MemberJoined}, events[len(events)-4:])
		_, facts := w.newest(w.acme, invite.InvitationAccepted)
		assert.Equal(t, tenancy.Facts{
			"invitation": inv.ID.String(), "kind": "team", "role": "member", "state": "accepted", "mailing": "1", "user": user.ID.String(),
		}, facts)
		assert.Equal(t, before, w.picture(w.globex))
		assert.Empty(t, w.desk.settled(w.acme.team.ID), "a team invitation is no business of the conversations")
	})
}

func TestAcceptIntoConversation(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		user := w.user(bob)
		_, token := w.invite(w.acme.mike, invite.ToConversation(bob, w.acme.conversation))
		accepted, err := w.invites.Accept(w.ctx, user.ID, token)
		require.NoError(t, err)
		assert.Equal(t, []invite.Invitation{accepted}, w.desk.settled(w.acme.team.ID))
		assert.Equal(t, rbac.Restricted, w.member(w.acme, user.ID).Role)

		_, token = w.invite(w.acme.mike, invite.ToConversation("gina@acme.example", w.acme.conversation))
		_, err = w.invites.Accept(w.ctx, w.acme.gina.User, token)
		require.NoError(t, err, "who is a guest already may become one of another conversation")
	})
}

func TestA1WrongUserIsRefusedAndRecorded(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		owner, eve := w.user(bob), w.user("eve@acme.example")
		inv, token := w.invite(w.acme.alice, invite.ToTeam(bob, rbac.Manager))
		guest, guestToken := w.invite(w.acme.alice, invite.ToConversation(bob, w.acme.conversation))
		calls := map[string]func(tenancy.UserID, invite.Token) (invite.Invitation, error){
			"accept": func(u tenancy.UserID, tok invite.Token) (invite.Invitation, error) {
				return w.invites.Accept(w.ctx, u, tok)
			},
			"decline": func(u tenancy.UserID, tok invite.Token) (invite.Invitation, error) {
				return w.invites.Decline(w.ctx, u, tok)
			},
		}
		for name, call := range calls {
			eve := w.user("eve-" + name + "@acme.example")
			for _, its := range []struct {
				inv   invite.Invitation
				token invite.Token
			}{{inv, token}, {guest, guestToken}} {
				before, row := w.picture(w.acme), w.stored(its.inv)
				answer, err := call(eve.ID, its.token)
				require.ErrorIs(t, err, invite.ErrWrongUser, name)
				require.ErrorIs(t, err, rbac.ErrDenied)
				require.NotErrorIs(t, err, invite.ErrUnverified)
				assert.Zero(t, answer)
				after := w.picture(w.acme)
				assert.Equal(t, row, w.stored(its.inv), "still pending and as it was")
				assert.Equal(t, before.Members, after.Members)
				assert.Equal(t, before.Settled, after.Settled)
				assert.Len(t, after.Events, len(before.Events)+1, "the refusal is recorded")
				event, facts := w.newest(w.acme, invite.InvitationRefused)
				assert.Equal(t, tenancy.Self(eve.ID).Principal(), event.Principal)
				assert.Equal(t, eve.ID.String(), facts["user"])
				assert.Equal(t, "another address", facts["reason"])
				assert.Equal(t, "pending", facts["state"])
			}
		}
		_, err := w.invites.Accept(w.ctx, owner.ID, token)
		require.NoError(t, err, "the right user can still accept")
		_, err = w.invites.Accept(w.ctx, eve.ID, token)
		require.ErrorIs(t, err, invite.ErrWrongUser, "the wrong user does not learn that it was accepted")
		assert.NotErrorIs(t, err, tenancy.ErrConflict)
		assert.Zero(t, w.member(w.acme, eve.ID))
	})
}

// Who tries the door for ever fills no log: a refusal goes on record once for each invitation, user and
// reason, with idempotency keys or without, until what is kept of keys is forgotten.
func TestA1ARefusalIsRecordedOnce(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		eve, mallory := w.user("eve@acme.example"), w.user("mallory@acme.example")
		inv, token := w.invite(w.acme.alice, invite.ToTeam(bob, rbac.Member))
		other, otherToken := w.invite(w.acme.alice, invite.ToTeam("cleo@acme.example", rbac.Member))
		refusals := func() (steps []string) {
			for _, i := range []invite.Invitation{inv, other} {
				found, err := w.invites.Inspect(w.ctx, host, w.acme.team.ID, i.ID)
				require.NoError(t, err)
				for _, step := range found.Steps {
					if step.Kind == invite.InvitationRefused {
						steps = append(steps, fmt.Sprint(step.By, i.Email, step.Reason))
					}
				}
			}
			return steps
		}
		by := func(user tenancy.User, i invite.Invitation, reason string) string {
			return fmt.Sprint(tenancy.Self(user.ID).Principal(), i.Email, reason)
		}
		refuse := func(ctx context.Context, user tenancy.User, token invite.Token, want error) {
			t.Helper()
			_, err := w.invites.Accept(ctx, user.ID, token)
			require.ErrorIs(t, err, want)
			_, err = w.invites.Decline(tenancy.WithKey(ctx, ""), user.ID, token)
			require.ErrorIs(t, err, want)
		}
		for _, key := range []string{"", "", "one", "one", "two"} {
			refuse(tenancy.WithKey(w.ctx, key), eve, token, invite.ErrWrongUser)
			require.Equal(t, []string{by(eve, inv, "another address")}, refusals())
		}
		refuse(w.ctx, mallory, token, invite.ErrWrongUser)
		refuse(tenancy.WithKey(w.ctx, "one"), eve, otherToken, invite.ErrWrongUser)
		_, err := w.people.ChangeEmail(w.ctx, host, eve.ID, "eve@acme.example", false)
		require.NoError(t, err)
		refuse(w.ctx, eve, token, invite.ErrUnverified)
		want := []string{
			by(eve, inv, "another address"), by(mallory, inv, "another address"), by(eve, inv, "address not verified"),
			by(eve, other, "another address"),
		}
		require.Equal(t, want, refusals())

		w.clock.Advance(time.Hour)
		_, err = w.people.ForgetKeys(w.ctx, host, w.clock.Now())
		require.NoError(t, err)
		refuse(w.ctx, mallory, token, invite.ErrWrongUser)
		refuse(w.ctx, mallory, token, invite.ErrWrongUser)
		assert.Len(t, refusals(), len(want)+1, "after a day or so it is news again")

		_, err = w.people.ChangeEmail(w.ctx, host, eve.ID, bob, true)
		require.NoError(t, err)
		first, err := w.invites.Accept(tenancy.WithKey(w.ctx, "one"), eve.ID, token)
		require.NoError(t, err, "what was refused can succeed under the key")
		again, err := w.invites.Accept(tenancy.WithKey(w.ctx, "one"), eve.ID, token)
		require.NoError(t, err)
		assert.Equal(t, first, again)
	})
}

func TestA2TheUserComesFromTheCallerOnly(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		_, token := w.invite(w.acme.alice, invite.ToTeam(bob, rbac.Member))
		before := w.picture(w.acme)
		_, err := w.invites.Accept(w.ctx, tenancy.UserID{}, token)
		require.ErrorIs(t, err, tenancy.ErrNoPrincipal)
		_, err = w.invites.Decline(w.ctx, tenancy.UserID{}, token)
		require.ErrorIs(t, err, tenancy.ErrNoPrincipal)
		_, err = w.invites.Accept(w.ctx, tenancy.NewID[tenancy.UserID](tenancy.Env{}), token)
		require.ErrorIs(t, err, tenancy.ErrNotFound)
		assert.Equal(t, before, w.picture(w.acme))
		_, err = w.store.UserByEmail(w.ctx, bob)
		require.ErrorIs(t, err, tenancy.ErrNotFound, "no user was made for the address")
	})
}

func TestA3ATokenOpensNothingOfAnotherAccount(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		shared := w.admit(w.globex, "shared@else.example", rbac.Member)
		inv, token := w.invite(w.acme.alice, invite.ToTeam("shared@else.example", rbac.Manager))
		acme, globex := w.picture(w.acme), w.picture(w.globex)

		// The other account's people can do nothing with it: not with the token, not with the id.
		_, err := w.invites.Accept(w.ctx, w.globex.alice.User, token)
		require.ErrorIs(t, err, invite.ErrWrongUser)
		for _, actor := range []tenancy.Actor{w.globex.alice, {User: w.globex.alice.User, Team: w.acme.team.ID}, {User: w.acme.alice.User, Team: w.globex.team.ID}} {
			_, err = w.invites.Revoke(w.ctx, actor, inv.ID)
			require.Equal(t, tenancy.ErrNotFound, err)
		}
		after := w.picture(w.acme)
		assert.Equal(t, acme.Invitations, after.Invitations)
		assert.Equal(t, acme.Members, after.Members)
		assert.Equal(t, globex, w.picture(w.globex))

		// The right user is in both; accepting changes the one and not the other.
		_, err = w.invites.Accept(w.ctx, shared.User, token)
		require.NoError(t, err)
		assert.Equal(t, rbac.Manager, w.member(w.acme, shared.User).Role)
		assert.Equal(t, globex, w.picture(w.globex))
	})
}

func TestA4AnyOtherByteIsNotFound(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		user := w.user(bob)
		_, token := w.invite(w.acme.alice, invite.ToTeam(bob, rbac.Member))
		text := token.Reveal()
		before := w.picture(w.acme)
		try := func(text string) {
			forged, err := invite.ParseToken(text)
			if err == nil {
				_, err = w.invites.Accept(w.ctx, user.ID, forged)
				require.Equal(t, tenancy.ErrNotFound, err)
				_, err = w.invites.Decline(w.ctx, user.ID, forged)
				require.Equal(t, tenancy.ErrNotFound, err)
				_, err = w.invites.Preview(w.ctx, forged)
			}
			require.Equal(t, tenancy.ErrNotFound, err)
		}
		for i := range text {
			for _, c := range []byte("AaZz09-_=\n") {
				if text[i] != c {
					try(text[:i] + string(c) + text[i+1:])
				}
			}
			try(text[:i] + text[i+1:])
			try(text[:i] + "A" + text[i:])
		}
		_, err := w.invites.Accept(w.ctx, user.ID, invite.Token{})
		require.Equal(t, tenancy.ErrNotFound, err, "no token finds no invitation that has none")
		assert.Equal(t, before, w.picture(w.acme))
	})
}

// An invitation that awaits its mail has no hash, and the zero token must not find it.
func TestA4TheZeroTokenFindsNoInvitationThatAwaitsItsMail(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		user := w.user(bob)
		_, err := w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam(bob, rbac.Member))
		require.NoError(t, err)
		_, err = w.invites.Accept(w.ctx, user.ID, invite.Token{})
		require.Equal(t, tenancy.ErrNotFound, err)
		_, err = w.invites.Preview(w.ctx, invite.Token{})
		require.Equal(t, tenancy.ErrNotFound, err)

		// No store is even asked.
		rules, err := policy()
		require.NoError(t, err)
		w.invites, err = invite.New(&invitetest.StoreMock{}, w.people, rules, tenancy.Env{}, invite.Limits{})
		require.NoError(t, err)
		_, err = w.invites.Preview(w.ctx, invite.Token{})
		require.Equal(t, tenancy.ErrNotFound, err)
	})
}

func TestA5AnEndedInvitationIsNeverUsableAgain(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		for _, setting := range settings[1:] {
			t.Run(setting.name, func(t *testing.T) {
				w := w.in(t)
				s := w.subject(invite.ToOneTeam, setting.name+"@acme.example")
				require.NoError(t, setting.bring(w, s))
				if setting.state == invite.Accepted {
					require.NoError(t, w.people.Remove(w.ctx, w.acme.alice, s.invitee))
				}
				before := w.picture(w.acme)
				for _, who := range []tenancy.UserID{w.acme.mike.User, w.globex.alice.User} {
					_, err := w.invites.Accept(w.ctx, who, s.token)
					require.ErrorIs(t, err, invite.ErrWrongUser)
				}
				err := accept(w, s)
				var state *invite.StateError
				require.ErrorAs(t, err, &state)
				assert.Equal(t, setting.state, state.State)
				assert.Equal(t, setting.state == invite.Expired, errors.Is(err, tenancy.ErrExpired))
				assert.Equal(t, before, w.picture(w.acme), "nothing changes, and nobody is let in")
			})
		}
	})
}

func TestSpec5_ASecondAcceptIsToldWithTheMembership(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		user := w.user(bob)
		inv, token := w.invite(w.acme.alice, invite.ToTeam(bob, rbac.Member))
		_, err := w.invites.Accept(w.ctx, user.ID, token)
		require.NoError(t, err)
		_, err = w.invites.Accept(w.ctx, user.ID, token)
		var accepted *invite.AcceptedError
		require.ErrorAs(t, err, &accepted)
		require.ErrorIs(t, err, tenancy.ErrConflict)
		assert.Equal(t, w.stored(inv).Invitation, accepted.Invitation)
		assert.Equal(t, w.member(w.acme, user.ID), accepted.Membership)

		// Also when the address has changed since: it was they who accepted.
		_, err = w.people.Register(w.ctx, host, tenancy.Profile{ExternalID: "idp|" + bob, Email: "robert@acme.example", Name: "Bob"})
		require.NoError(t, err)
		_, err = w.invites.Accept(w.ctx, user.ID, token)
		require.ErrorAs(t, err, &accepted)

		require.NoError(t, w.people.Remove(w.ctx, w.acme.alice, user.ID))
		_, err = w.invites.Accept(w.ctx, user.ID, token)
		require.ErrorAs(t, err, &accepted)
		assert.Zero(t, accepted.Membership, "a membership that has ended is none")
	})
}

func TestA7ExpiryIsExactAndNeedsNoSweep(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		user := w.user(bob)
		inv, token := w.invite(w.acme.alice, invite.ToTeam(bob, rbac.Member))
		before := w.picture(w.acme)
		for _, late := range []time.Duration{0, time.Microsecond, time.Hour} {
			w.clock.Set(inv.ExpiresAt.Add(late))
			_, err := w.invites.Accept(w.ctx, user.ID, token)
			require.ErrorIs(t, err, tenancy.ErrExpired)
			_, err = w.invites.Decline(w.ctx, user.ID, token)
			require.ErrorIs(t, err, tenancy.ErrExpired)
		}
		assert.Equal(t, before, w.picture(w.acme))
		w.clock.Set(inv.ExpiresAt.Add(-time.Microsecond))
		_, err := w.invites.Accept(w.ctx, user.ID, token)
		require.NoError(t, err)
	})
}

func TestA8TheInvitersAuthorityIsDecidedAnewAtAccept(t *testing.T) {
	for name, lose := range map[string]func(w *world, boss tenancy.Actor) error{
		"demoted to member": func(w *world, boss tenancy.Actor) error {
			_, err := w.people.ChangeRole(w.ctx, w.acme.alice, boss.User, rbac.Member)
			return err
		},
		"made a guest": func(w *world, boss tenancy.Actor) error {
			_, err := w.people.ChangeRole(w.ctx, w.acme.alice, boss.User, rbac.Restricted)
			return err
		},
		"suspended": func(w *world, boss tenancy.Actor) error {
			_, err := w.people.Suspend(w.ctx, w.acme.alice, boss.User)
			return err
		},
		"removed": func(w *world, boss tenancy.Actor) error {
			return w.people.Remove(w.ctx, w.acme.alice, boss.User)
		},
		"membership expired, before the sweep": func(w *world, boss tenancy.Actor) error {
			_, err := w.people.SetExpiry(w.ctx, w.acme.alice, boss.User, w.clock.Now().Add(time.Minute))
			w.clock.Advance(time.Minute)
			return err
		},
		"user suspended": func(w *world, boss tenancy.Actor) error { w.suspendUser(boss.User); return nil },
		"user deleted": func(w *world, boss tenancy.Actor) error {
			return w.people.DeleteUser(w.ctx, host, boss.User, tenancy.UserID{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			onEach(t, func(t *testing.T, w *world) {
				w.configure(w.acme, tenancy.Settings{KeepInvitations: true})
				user, boss := w.user(bob), w.admit(w.acme, "boss@acme.example", rbac.Manager)
				carl := w.user("carl@acme.example")
				inv, token := w.invite(boss, invite.ToTeam(bob, rbac.Manager))
				_, no := w.invite(boss, invite.ToTeam("carl@acme.example", rbac.Member))
				require.NoError(t, lose(w, boss))
				before := w.picture(w.acme)
				require.Equal(t, invite.Pending, w.stored(inv).State)
				_, err := w.invites.Accept(w.ctx, user.ID, token)
				require.ErrorIs(t, err, invite.ErrInviterLost)
				require.ErrorIs(t, err, rbac.ErrDenied)
				after := w.picture(w.acme)
				assert.Equal(t, before.Invitations, after.Invitations)
				assert.Equal(t, before.Members, after.Members)
				_, facts := w.newest(w.acme, invite.InvitationRefused)
				assert.Equal(t, "inviter may not", facts["reason"])
				assert.Equal(t, inv.ID.String(), facts["invitation"])

				_, err = w.invites.Decline(w.ctx, carl.ID, no)
				require.NoError(t, err, "to say no takes nobody's authority")

				// A team that trusts its inviters asks no more what has become of them.
				w.configure(w.acme, tenancy.Settings{KeepInvitations: true, TrustInviters: true})
				_, err = w.invites.Accept(w.ctx, user.ID, token)
				require.NoError(t, err)
				assert.Equal(t, rbac.Manager, w.member(w.acme, user.ID).Role)
			})
		})
	}
}

func TestA8TrustIsNoAuthorityToInvite(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.configure(w.acme, tenancy.Settings{KeepInvitations: true, TrustInviters: true})
		boss := w.admit(w.acme, "boss@acme.example", rbac.Manager)
		inv, _ := w.invite(boss, invite.ToTeam(bob, rbac.Manager))
		_, err := w.people.ChangeRole(w.ctx, w.acme.alice, boss.User, rbac.Member)
		require.NoError(t, err)
		_, err = w.invites.Resend(w.ctx, boss, inv.ID)
		require.ErrorIs(t, err, rbac.ErrDenied)
		_, err = w.invites.Create(w.ctx, boss, invite.ToTeam("carl@acme.example", rbac.Restricted))
		require.ErrorIs(t, err, rbac.ErrDenied)

		// What is no lack of authority is refused as ever: here, a conversation that is closed.
		_, token := w.invite(w.acme.mike, invite.ToConversation("dora@acme.example", w.acme.conversation))
		closed := errors.Join(tenancy.ErrConflict, errors.New("closed"))
		w.desk.fail(closed, nil)
		_, err = w.invites.Accept(w.ctx, w.user("dora@acme.example").ID, token)
		require.Equal(t, closed, err)
	})
}

func TestA8AConversationIsOfferedAnewAtAccept(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		user := w.user(bob)
		_, token := w.invite(w.acme.mike, invite.ToConversation(bob, w.acme.conversation))
		w.desk.open(w.globex.team.ID, w.acme.conversation) // it was delivered to another team
		_, err := w.invites.Accept(w.ctx, user.ID, token)
		require.ErrorIs(t, err, invite.ErrInviterLost)
		assert.Zero(t, w.member(w.acme, user.ID))

		w.desk.open(w.acme.team.ID, w.acme.conversation)
		closed := errors.Join(tenancy.ErrConflict, errors.New("closed"))
		w.desk.fail(closed, nil)
		_, err = w.invites.Accept(w.ctx, user.ID, token)
		require.Equal(t, closed, err, "what is no lack of authority is told as it is")
		w.desk.fail(nil, nil)
		_, err = w.invites.Accept(w.ctx, user.ID, token)
		require.NoError(t, err)
	})
}

func TestA11NothingOpensInASuspendedAccountOrArchivedTeam(t *testing.T) {
	for name, its := range freezes {
		t.Run(name, func(t *testing.T) {
			onEach(t, func(t *testing.T, w *world) {
				user := w.user(bob)
				inv, token := w.invite(w.acme.alice, invite.ToTeam(bob, rbac.Member))
				guest, guestToken := w.invite(w.acme.alice, invite.ToConversation(bob, w.acme.conversation))
				dead, deadToken := w.invite(w.acme.alice, invite.ToTeam("carl@acme.example", rbac.Member))
				_, err := w.invites.Revoke(w.ctx, w.acme.alice, dead.ID)
				require.NoError(t, err)
				require.NoError(t, its.freeze(w, w.acme))
				before := w.picture(w.acme)
				for _, tok := range []invite.Token{token, guestToken} {
					_, err = w.invites.Accept(w.ctx, user.ID, tok)
					require.ErrorIs(t, err, its.want)
				}
				for _, id := range []tenancy.InvitationID{inv.ID, guest.ID} {
					_, err = w.invites.Resend(w.ctx, w.acme.alice, id)
					require.ErrorIs(t, err, its.want)
					_, err = w.invites.Revoke(w.ctx, w.acme.alice, id)
					require.ErrorIs(t, err, its.want)
					_, err = w.invites.Get(w.ctx, w.acme.alice, id)
					require.NoError(t, err, "reading goes on")
				}
				_, err = w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam("new@acme.example", rbac.Member))
				require.ErrorIs(t, err, its.want)
				_, err = w.invites.List(w.ctx, w.acme.alice, invite.Filter{}, tenancy.Page{})
				require.NoError(t, err)
				assert.Equal(t, before, w.picture(w.acme))

				w.setMember(w.acme, w.acme.alice.User, func(m *tenancy.Membership) { m.Status = tenancy.MembershipSuspended })
				_, err = w.invites.Accept(w.ctx, user.ID, token)
				require.ErrorIs(t, err, its.want, "whatever became of the inviter")
				w.setMember(w.acme, w.acme.alice.User, func(m *tenancy.Membership) { m.Status = tenancy.MembershipActive })

				if its.thaw == nil {
					return
				}
				require.NoError(t, its.thaw(w, w.acme))
				_, err = w.invites.Resend(w.ctx, w.acme.alice, dead.ID)
				require.ErrorIs(t, err, tenancy.ErrConflict)
				assert.Equal(t, invite.Revoked, w.stored(dead).State)
				_, err = w.invites.Accept(w.ctx, w.user("carl@acme.example").ID, deadToken)
				require.ErrorIs(t, err, tenancy.ErrConflict, "what was revoked stays so")
				_, err = w.invites.Accept(w.ctx, user.ID, token)
				require.NoError(t, err)
			})
		})
	}
}

func TestB2AndB3OnlyAVerifiedAddressOpens(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		register := func(external, email string, verified bool) tenancy.User {
			u, err := w.people.Register(w.ctx, host, tenancy.Profile{ExternalID: external, Email: email, Verified: verified, Name: "U"})
			require.NoError(t, err)
			return u
		}
		squatter, other := register("1", bob, false), register("2", "else@acme.example", false)
		_, token := w.invite(w.acme.alice, invite.ToTeam(bob, rbac.Member))
		before := w.picture(w.acme)
		_, matching := w.invites.Accept(w.ctx, squatter.ID, token)
		_, differing := w.invites.Accept(w.ctx, other.ID, token)
		require.ErrorIs(t, matching, invite.ErrUnverified)
		require.ErrorIs(t, matching, invite.ErrWrongUser)
		assert.Equal(t, matching, differing, "the answer does not tell whether the address is the invited one")
		_, facts := w.newest(w.acme, invite.InvitationRefused)
		assert.Equal(t, "address not verified", facts["reason"])
		after := w.picture(w.acme)
		assert.Equal(t, before.Members, after.Members)
		assert.Equal(t, before.Invitations, after.Invitations)

		register("1", bob, true)
		_, err := w.invites.Accept(w.ctx, squatter.ID, token)
		require.NoError(t, err, "once the host vouches for it, it is theirs")
	})
}

func TestAUserWhoMayNotActAcceptsNothing(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		user := w.user(bob)
		_, token := w.invite(w.acme.alice, invite.ToTeam(bob, rbac.Member))
		w.suspendUser(user.ID)
		before := w.picture(w.acme)
		_, err := w.invites.Accept(w.ctx, user.ID, token)
		require.ErrorIs(t, err, tenancy.ErrInactive)
		_, err = w.invites.Decline(w.ctx, user.ID, token)
		require.ErrorIs(t, err, tenancy.ErrInactive)
		assert.Equal(t, before, w.picture(w.acme))
	})
}

func TestSpec5_8_AnExistingMemberIsAConflictAtAccept(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		user := w.user(bob)
		_, toTeam := w.invite(w.acme.alice, invite.ToTeam(bob, rbac.Manager))
		_, toConversation := w.invite(w.acme.alice, invite.ToConversation(bob, w.acme.conversation))
		w.admit(w.acme, bob, rbac.Member)
		check := func(tokens ...invite.Token) {
			before := w.picture(w.acme)
			for _, token := range tokens {
				_, err := w.invites.Accept(w.ctx, user.ID, token)
				var member *tenancy.MemberError
				require.ErrorAs(t, err, &member)
				assert.Equal(t, w.member(w.acme, user.ID), member.Membership)
			}
			assert.Equal(t, before, w.picture(w.acme), "no role is changed and nobody is revived in passing")
		}
		check(toTeam, toConversation)
		w.setMember(w.acme, user.ID, func(m *tenancy.Membership) { m.Status = tenancy.MembershipSuspended })
		check(toTeam, toConversation)
		w.setMember(w.acme, user.ID, func(m *tenancy.Membership) { m.Role = rbac.Restricted })
		check(toTeam, toConversation)
		w.setMember(w.acme, user.ID, func(m *tenancy.Membership) { m.Status, m.ExpiresAt = tenancy.MembershipActive, w.clock.Now() })
		check(toTeam, toConversation)
	})
}

func TestDeclineTwiceIsOnce(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		user := w.user(bob)
		_, token := w.invite(w.acme.mike, invite.ToConversation(bob, w.acme.conversation))
		require.NoError(t, freezes["suspended account"].freeze(w, w.acme))
		first, err := w.invites.Decline(w.ctx, user.ID, token)
		require.NoError(t, err, "to say no is possible also while the account is suspended")
		assert.Equal(t, invite.Declined, first.State)
		before := w.picture(w.acme)
		assert.Equal(t, []invite.Invitation{first}, before.Settled)
		w.clock.Advance(365 * 24 * time.Hour)
		again, err := w.invites.Decline(w.ctx, user.ID, token)
		require.NoError(t, err)
		assert.Equal(t, first, again)
		assert.Equal(t, before, w.picture(w.acme))

		// The address has a new owner, who has said nothing yet, and can no more.
		_, err = w.people.Register(w.ctx, host, tenancy.Profile{ExternalID: "idp|" + bob, Email: "robert@acme.example", Name: "Bob"})
		require.NoError(t, err)
		heir, err := w.people.Register(w.ctx, host, tenancy.Profile{ExternalID: "heir", Email: bob, Verified: true, Name: "Bob"})
		require.NoError(t, err)
		_, err = w.invites.Decline(w.ctx, heir.ID, token)
		var state *invite.StateError
		require.ErrorAs(t, err, &state)
		assert.Equal(t, invite.Declined, state.State)
	})
}

// late is a store in which a resend comes between the look-up of the token and the lock.
type late struct{ storage.Store }

func (l late) LockInvitation(ctx context.Context, team tenancy.TeamID, id tenancy.InvitationID) (invite.Record, error) {
	r, err := l.Store.LockInvitation(ctx, team, id)
	r.Hash = invite.TokenHash{1}
	return r, err
}

func TestA12ATokenThatDiesBeforeTheLockIsDead(t *testing.T) {
	w := newWorld(t, memory.New())
	s := w.subject(invite.ToOneTeam, bob)
	rules, err := policy()
	require.NoError(t, err)
	w.invites, err = invite.New(late{w.store}, w.people, rules, w.env(), invite.Limits{})
	require.NoError(t, err)
	before := w.picture(w.acme)
	require.Equal(t, tenancy.ErrNotFound, accept(w, s))
	require.Equal(t, tenancy.ErrNotFound, decline(w, s))
	assert.Equal(t, before, w.picture(w.acme))
}

// broken fails the nth write of a transaction.
type broken struct {
	storage.Store
	left int
}

var errBroken = errors.New("the disk is full")

func (b *broken) fail() bool { b.left--; return b.left == 0 }

func (b *broken) UpdateInvitation(ctx context.Context, r invite.Record) error {
	if b.fail() {
		return errBroken
	}
	return b.Store.UpdateInvitation(ctx, r)
}

func (b *broken) InsertMembership(ctx context.Context, m ...tenancy.Membership) error {
	if b.fail() {
		return errBroken
	}
	return b.Store.InsertMembership(ctx, m...)
}

func (b *broken) Append(ctx context.Context, events ...outbox.Event) error {
	if b.fail() {
		return errBroken
	}
	return b.Store.Append(ctx, events...)
}

func TestSpec5_1_AcceptIsAllOrNothing(t *testing.T) {
	flaky := &broken{Store: memory.New()}
	w := newWorld(t, flaky)
	user := w.user(bob)
	_, token := w.invite(w.acme.alice, invite.ToTeam(bob, rbac.Member))
	before := w.picture(w.acme)
	const writes = 4 // the invitation, its event, the membership, its event
	for n := 1; n <= writes; n++ {
		flaky.left = n
		answer, err := w.invites.Accept(w.ctx, user.ID, token)
		require.ErrorIs(t, err, errBroken, "write %d", n)
		assert.Zero(t, answer)
		assert.Equal(t, before, w.picture(w.acme), "write %d", n)
	}
	flaky.left = writes + 1
	_, err := w.invites.Accept(w.ctx, user.ID, token)
	require.NoError(t, err)
	assert.Equal(t, 1, flaky.left, "there are exactly as many writes as were broken")

	// A refusal that cannot be recorded is undone like the rest: what is told is what is on record.
	flaky.left = 0
	_, token = w.invite(w.acme.alice, invite.ToTeam("carl@acme.example", rbac.Member))
	before = w.picture(w.acme)
	flaky.left = 1
	_, err = w.invites.Accept(w.ctx, user.ID, token)
	require.ErrorIs(t, err, errBroken)
	require.NotErrorIs(t, err, invite.ErrWrongUser)
	assert.Equal(t, before, w.picture(w.acme))
}

func TestWhatTheAdmitterRefusesIsUndone(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		user := w.user(bob)
		inv, token := w.invite(w.acme.mike, invite.ToConversation(bob, w.acme.conversation))
		before := w.picture(w.acme)
		w.desk.fail(nil, errBroken)
		_, err := w.invites.Accept(w.ctx, user.ID, token)
		require.ErrorIs(t, err, errBroken)
		_, err = w.invites.Decline(w.ctx, user.ID, token)
		require.ErrorIs(t, err, errBroken)
		_, err = w.invites.Revoke(w.ctx, w.acme.mike, inv.ID)
		require.ErrorIs(t, err, errBroken)
		assert.Equal(t, before, w.picture(w.acme))
	})
}
