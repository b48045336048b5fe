package invite_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

func TestSpec5_14_InspectTellsWhoDidWhatWhen(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		user, eve := w.user(bob), w.user("eve@acme.example")
		inv, first := w.invite(w.acme.alice, invite.ToTeam(bob, rbac.Member, invite.ExpiresIn(time.Hour)))
		_, _ = w.invite(w.acme.alice, invite.ToTeam("carl@acme.example", rbac.Member)) // somebody else's
		w.clock.Advance(time.Minute)
		_, err := w.invites.Accept(w.ctx, eve.ID, first)
		require.ErrorIs(t, err, invite.ErrWrongUser)
		w.clock.Set(inv.ExpiresAt)
		_, err = w.invites.Sweep(w.ctx, host)
		require.NoError(t, err)
		boss := w.admit(w.acme, "boss@acme.example", rbac.Manager)
		again, err := w.invites.Resend(w.ctx, boss, inv.ID)
		require.NoError(t, err)
		w.clock.Advance(time.Second)
		_ = w.token(again) // built, and the mailer failed
		w.clock.Advance(time.Second)
		token := w.token(again)
		_, err = w.invites.Accept(w.ctx, user.ID, token)
		require.NoError(t, err)

		found, err := w.invites.Inspect(w.ctx, host, inv.Team, inv.ID)
		require.NoError(t, err)
		assert.Equal(t, w.stored(inv).Invitation, found.Invitation)
		assert.Equal(t, "Same Name", found.Inviter)
		alice, resent := w.acme.alice.Principal(), inv.ExpiresAt
		assert.Equal(t, []invite.Step{
			{Kind: invite.InvitationCreated, At: start, By: alice, State: invite.Pending, Mailing: 1},
			{Kind: invite.InvitationMailed, At: start, By: "system:mailing", State: invite.Pending, Mailing: 1},
			{Kind: invite.InvitationRefused, At: start.Add(time.Minute), By: tenancy.Self(eve.ID).Principal(), State: invite.Pending, Mailing: 1, Reason: "another address"},
			{Kind: invite.InvitationExpired, At: resent, By: host.Principal(), State: invite.Expired, Mailing: 1},
			{Kind: invite.InvitationResent, At: resent, By: boss.Principal(), State: invite.Pending, Mailing: 2},
			{Kind: invite.InvitationMailed, At: resent.Add(time.Second), By: "system:mailing", State: invite.Pending, Mailing: 2},
			{Kind: invite.InvitationMailed, At: resent.Add(2 * time.Second), By: "system:mailing", State: invite.Pending, Mailing: 2},
			{Kind: invite.InvitationAccepted, At: resent.Add(2 * time.Second), By: tenancy.Self(user.ID).Principal(), State: invite.Accepted, Mailing: 2},
		}, found.Steps)
		assert.Equal(t, []invite.Posting{
			{Number: 1, AskedAt: start, AskedBy: alice, BuiltAt: start, Builds: 1},
			{Number: 2, AskedAt: resent, AskedBy: boss.Principal(), BuiltAt: resent.Add(2 * time.Second), Builds: 2},
		}, found.Mails)

		byManager, err := w.invites.History(w.ctx, w.acme.alice, inv.ID)
		require.NoError(t, err)
		assert.Equal(t, found, byManager)
		text, err := json.Marshal(found)
		require.NoError(t, err)
		for _, shown := range []string{string(text), fmt.Sprintf("%+v %#v", found, found)} {
			assert.NotContains(t, shown, first.Reveal())
			assert.NotContains(t, shown, token.Reveal())
		}
	})
}

func TestInspectOfAnOfferIsThatOfItsAccount(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		s := w.subject(invite.ToOneAccount, bob)
		require.NoError(t, resend(w, s))
		found, err := w.invites.InspectOffer(w.ctx, host, s.inv.Account, s.inv.ID)
		require.NoError(t, err)
		assert.Len(t, found.Steps, 3)
		assert.Len(t, found.Mails, 2)
		assert.Equal(t, w.stored(s.inv).Invitation, found.Invitation)
		_, err = w.invites.InspectOffer(w.ctx, host, w.acme.account.ID, s.inv.ID)
		require.Equal(t, tenancy.ErrNotFound, err)
		_, err = w.invites.Inspect(w.ctx, host, w.acme.team.ID, s.inv.ID)
		require.Equal(t, tenancy.ErrNotFound, err)
	})
}

func TestWhoMayReadTheHistoryOfAnInvitation(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		toTeam, _ := w.invite(w.acme.alice, invite.ToTeam(bob, rbac.Member))
		guest, _ := w.invite(w.acme.mike, invite.ToConversation(bob, w.acme.conversation))
		for _, inv := range []invite.Invitation{toTeam, guest} {
			for _, tt := range []struct {
				who  tenancy.Actor
				want error
			}{
				{w.acme.alice, nil},
				{w.acme.mike, rbac.ErrDenied},
				{w.acme.gina, rbac.ErrDenied},
				{w.globex.alice, tenancy.ErrNotFound},
				{tenancy.Actor{User: w.globex.alice.User, Team: w.acme.team.ID}, tenancy.ErrNotFound},
				{tenancy.Actor{}, tenancy.ErrNoPrincipal},
			} {
				_, err := w.invites.History(w.ctx, tt.who, inv.ID)
				require.ErrorIs(t, err, tt.want)
			}
			_, err := w.invites.Inspect(w.ctx, "", inv.Team, inv.ID)
			require.ErrorIs(t, err, tenancy.ErrNoPrincipal)
			_, err = w.invites.Inspect(w.ctx, host, w.globex.team.ID, inv.ID)
			require.Equal(t, tenancy.ErrNotFound, err)
		}
	})
}
