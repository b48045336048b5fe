package invite_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// The deletion of a user takes their address out of what has ended, on all sides, and leaves what
// is pending to whoever owns the address next.
func TestDeletingAUserErasesTheirAddress(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		user := w.user(bob)
		accepted, token := w.invite(w.acme.alice, invite.ToTeam(bob, rbac.Member))
		_, err := w.invites.Accept(w.ctx, user.ID, token)
		require.NoError(t, err)
		declined, token := w.invite(w.globex.alice, invite.ToTeam(bob, rbac.Member))
		_, err = w.invites.Decline(w.ctx, user.ID, token)
		require.NoError(t, err)
		lapsed, _ := w.invite(w.globex.alice, invite.ToConversation(bob, w.globex.conversation, invite.ExpiresIn(time.Hour)))
		w.clock.Advance(time.Hour)
		_, err = w.invites.Expire(w.ctx, host, lapsed.Team, lapsed.ID)
		require.NoError(t, err)
		offered, token := w.offer(w.globex.holder(), bob)
		_, err = w.invites.Decline(w.ctx, user.ID, token)
		require.NoError(t, err)
		pending, _ := w.invite(w.globex.alice, invite.ToTeam(bob, rbac.Member))

		// The same person under another address, and another person.
		_, err = w.people.ChangeEmail(w.ctx, host, user.ID, "robert@acme.example", true)
		require.NoError(t, err)
		second, token := w.invite(w.globex.alice, invite.ToConversation("robert@acme.example", w.globex.conversation))
		_, err = w.invites.Accept(w.ctx, user.ID, token)
		require.NoError(t, err)
		_, err = w.people.ChangeEmail(w.ctx, host, user.ID, bob, true)
		require.NoError(t, err)
		others, _ := w.invite(w.acme.alice, invite.ToTeam("carl@acme.example", rbac.Member))
		_, err = w.invites.Revoke(w.ctx, w.acme.alice, others.ID)
		require.NoError(t, err)

		listed := func(s side) int { return len(w.picture(s).Invitations) }
		acme, globex := listed(w.acme), listed(w.globex)
		require.NoError(t, w.people.DeleteUser(w.ctx, host, user.ID, tenancy.UserID{}))

		for _, inv := range []invite.Invitation{accepted, declined, lapsed, offered, second} {
			assert.Zero(t, w.stored(inv).Email, "%s, %s", inv.Kind, w.stored(inv).State)
		}
		assert.Equal(t, bob, w.stored(pending).Email.Normal)
		assert.Equal(t, invite.Pending, w.stored(pending).State)
		assert.Equal(t, "carl@acme.example", w.stored(others).Email.Normal)
		assert.Equal(t, acme, listed(w.acme), "invitations stay listed")
		assert.Equal(t, globex, listed(w.globex))
		assert.Equal(t, user.ID, w.stored(accepted).AcceptedBy, "with who did what")

		before := w.picture(w.globex)
		_, err = w.invites.Resend(w.ctx, w.globex.alice, lapsed.ID)
		var state *invite.StateError
		require.ErrorAs(t, err, &state, "what has no address goes nowhere")
		assert.Equal(t, invite.StateError{State: invite.Expired, Event: invite.OnResend}, *state)
		assert.Equal(t, before, w.picture(w.globex))

		heir, err := w.people.Register(w.ctx, host, tenancy.Profile{ExternalID: "heir", Email: bob, Verified: true, Name: "Bob"})
		require.NoError(t, err)
		_, err = w.invites.Accept(w.ctx, heir.ID, w.token(pending))
		require.NoError(t, err, "the pending one is for whoever owns the address")
	})
}

// Nobody takes an address along that they were not verified for.
func TestDeletingAnUnverifiedUserErasesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		squatter, err := w.people.Register(w.ctx, host, tenancy.Profile{ExternalID: "squatter", Email: bob, Name: "Bob"})
		require.NoError(t, err)
		inv, _ := w.invite(w.acme.alice, invite.ToTeam(bob, rbac.Member))
		_, err = w.invites.Revoke(w.ctx, w.acme.alice, inv.ID)
		require.NoError(t, err)
		before := w.picture(w.acme)
		require.NoError(t, w.people.DeleteUser(w.ctx, host, squatter.ID, tenancy.UserID{}))
		assert.Equal(t, before, w.picture(w.acme))
	})
}

func TestTheDoctorFindsInvitationsWhoseSenderHasGone(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		boss := w.admit(w.acme, "boss@acme.example", rbac.Manager)
		inv, _ := w.invite(boss, invite.ToTeam(bob, rbac.Member))
		_, _ = w.offer(w.acme.holder(), bob)
		diagnose := func() (found []tenancy.Finding) {
			for finding, err := range w.people.Diagnose(w.ctx, host, invite.Flaws()...) {
				require.NoError(t, err)
				found = append(found, finding)
			}
			return found
		}
		assert.Empty(t, diagnose())
		w.setMember(w.acme, boss.User, func(m *tenancy.Membership) { m.Status = tenancy.MembershipRemoved }) // as no operation does
		assert.Equal(t, []tenancy.Finding{{
			Flaw: invite.FlawOrphanInvitation, Account: inv.Account.UUID(), Team: inv.Team.UUID(), Subject: inv.ID.UUID(),
		}}, diagnose())
		w.configure(w.acme, tenancy.Settings{KeepInvitations: true})
		assert.Empty(t, diagnose(), "a team that keeps them has no such flaw")
	})
}
