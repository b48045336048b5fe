package invite_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/tenancy"
)

func TestSpec5_5_ReplaceRevokesThePendingOne(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		user := w.user(bob)
		old, oldToken := w.invite(w.acme.alice, invite.ToTeam(bob, rbac.Member))
		w.clock.Advance(time.Minute)
		boss := w.admit(w.acme, "boss@acme.example", rbac.Manager)
		replace := invite.IfPending(invite.Replace)
		anew, token := w.invite(boss, invite.ToTeam("BOB@acme.example", rbac.Manager, replace))
		require.NotEqual(t, old.ID, anew.ID)
		r := w.stored(old)
		assert.Equal(t, invite.Revoked, r.State)
		assert.Equal(t, boss.Principal(), r.EndedBy)
		assert.Equal(t, w.clock.Now(), r.EndedAt)
		log := w.events(w.acme)
		assert.Equal(t, []string{invite.InvitationRevoked, invite.InvitationCreated, invite.InvitationMailed}, log[len(log)-3:])

		_, err := w.invites.Accept(w.ctx, user.ID, oldToken)
		var state *invite.StateError
		require.ErrorAs(t, err, &state)
		_, err = w.invites.Accept(w.ctx, user.ID, token)
		require.NoError(t, err)
		assert.Equal(t, rbac.Manager, w.member(w.acme, user.ID).Role)

		// Where none is pending there is nothing to replace.
		_, err = w.invites.Create(w.ctx, boss, invite.ToTeam("carl@acme.example", rbac.Member, replace))
		require.NoError(t, err)
		assert.Equal(t, 1, count(w.events(w.acme))[invite.InvitationRevoked])
	})
}

func TestReplaceOfAGuestInvitationTellsTheConversation(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		old, _ := w.invite(w.acme.mike, invite.ToConversation(bob, w.acme.conversation))
		toTeam, _ := w.invite(w.acme.alice, invite.ToTeam(bob, rbac.Member))
		_, err := w.invites.Create(w.ctx, w.acme.mike, invite.ToConversation(bob, w.acme.conversation, invite.IfPending(invite.Replace)))
		require.NoError(t, err)
		assert.Equal(t, []invite.Invitation{w.stored(old).Invitation}, w.desk.settled(w.acme.team.ID))
		assert.Equal(t, invite.Pending, w.stored(toTeam).State, "another scope is left alone")
	})
}

func TestReplaceTakesTheRightToRevoke(t *testing.T) {
	w := under(t, rbac.Deny(rbac.Member, "guest", "revoke", rbac.ByTeam))
	old, _ := w.invite(w.acme.mike, invite.ToConversation(bob, w.acme.conversation))
	before := w.picture(w.acme)
	_, err := w.invites.Create(w.ctx, w.acme.mike, invite.ToConversation(bob, w.acme.conversation, invite.IfPending(invite.Replace)))
	require.ErrorIs(t, err, rbac.ErrDenied)
	assert.Equal(t, before, w.picture(w.acme))
	assert.Equal(t, invite.Pending, w.stored(old).State)
}

// An invitation that is replaced counts for its address until an hour is over, so that replacing is
// no way round the limit.
func TestA16ReplacingDoesNotGoRoundTheLimit(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.bound(invite.Limits{PerAddress: 3})
		request := invite.ToTeam(bob, rbac.Member, invite.IfPending(invite.Replace))
		for range 3 {
			_, err := w.invites.Create(w.ctx, w.acme.alice, request)
			require.NoError(t, err)
		}
		w.requireLimit(&invite.LimitError{Quota: invite.AddressQuota, Limit: 3, Until: start.Add(time.Hour)}, func() (invite.Invitation, error) {
			return w.invites.Create(w.ctx, w.acme.alice, request)
		})
	})
}

func TestSpec5_5_ReturnAnswersThePendingOneAsItIs(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		old, token := w.invite(w.acme.alice, invite.ToTeam(bob, rbac.Member))
		guest, _ := w.invite(w.acme.mike, invite.ToConversation(bob, w.acme.conversation))
		old, guest = w.stored(old).Invitation, w.stored(guest).Invitation
		w.clock.Advance(time.Minute)
		before := w.picture(w.acme)
		again := invite.IfPending(invite.Return)
		found, err := w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam("BOB@acme.example", rbac.Member, again, invite.ExpiresIn(time.Hour)))
		require.NoError(t, err)
		assert.Equal(t, old, found)
		found, err = w.invites.Create(w.ctx, w.acme.alice, invite.ToConversation(bob, w.acme.conversation, again))
		require.NoError(t, err)
		assert.Equal(t, guest, found)
		_, err = w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam(bob, rbac.Manager, again))
		var pending *invite.PendingError
		require.ErrorAs(t, err, &pending, "another role is not what was asked for")
		assert.Equal(t, old, pending.Invitation)
		less := invite.WithHistory(tenancy.HistoryFromNow)
		_, err = w.invites.Create(w.ctx, w.acme.mike, invite.ToConversation(bob, w.acme.conversation, again, less))
		require.ErrorAs(t, err, &pending, "nor is more of the history")
		assert.Equal(t, guest, pending.Invitation)
		_, err = w.invites.Create(w.ctx, w.acme.mike, invite.ToTeam(bob, rbac.Member, again))
		require.ErrorIs(t, err, rbac.ErrDenied, "and it is shown to those only who may invite")
		assert.Equal(t, before, w.picture(w.acme), "nothing is written, and no mail asked for")
		_, err = w.invites.Accept(w.ctx, w.user(bob).ID, token)
		require.NoError(t, err)

		_, err = w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam("carl@acme.example", rbac.Member, again))
		require.NoError(t, err, "where none is pending one is made")
		w.clock.Advance(invite.DefaultExpiry)
		carl, err := w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam("carl@acme.example", rbac.Member, again))
		require.NoError(t, err, "one whose time has passed is not returned")
		assert.Equal(t, w.clock.Now(), carl.CreatedAt)
	})
}

func TestPendingRulesOfOffers(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		first, err := w.invites.Offer(w.ctx, w.acme.holder(), bob)
		require.NoError(t, err)
		found, err := w.invites.Offer(w.ctx, w.acme.holder(), bob, invite.IfPending(invite.Return))
		require.NoError(t, err)
		assert.Equal(t, first, found)
		_, err = w.invites.Offer(w.ctx, w.acme.holder(), "carl@acme.example", invite.IfPending(invite.Return))
		var pending *invite.PendingError
		require.ErrorAs(t, err, &pending, "somebody else is not who was asked for")
		assert.Equal(t, first, pending.Invitation)
		second, err := w.invites.Offer(w.ctx, w.acme.holder(), "carl@acme.example", invite.IfPending(invite.Replace))
		require.NoError(t, err)
		assert.Equal(t, invite.Revoked, w.stored(first).State)
		assert.Equal(t, invite.Pending, w.stored(second).State)
	})
}

// An expired invitation is not sent again beside a pending one, and sending again takes no rule.
func TestSpec5_5_AResendBesideAPendingOneIsAConflict(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		old, err := w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam(bob, rbac.Member, invite.ExpiresIn(time.Hour)))
		require.NoError(t, err)
		w.clock.Set(old.ExpiresAt)
		anew := w.mustCreate(invite.ToTeam(bob, rbac.Member))
		before := w.picture(w.acme)
		_, err = w.invites.Resend(w.ctx, w.acme.alice, old.ID)
		var pending *invite.PendingError
		require.ErrorAs(t, err, &pending)
		assert.Equal(t, anew, pending.Invitation)
		for _, rule := range []invite.PendingRule{invite.Replace, invite.Return} {
			_, err = w.invites.Resend(w.ctx, w.acme.alice, old.ID, invite.IfPending(rule))
			require.ErrorIs(t, err, tenancy.ErrInvalid)
			_, err = w.invites.ResendOffer(w.ctx, w.acme.holder(), old.ID, invite.IfPending(rule))
			require.ErrorIs(t, err, tenancy.ErrInvalid)
		}
		assert.Equal(t, before, w.picture(w.acme))
	})
}

func TestPendingRulesOutsideTheSetAreInvalid(t *testing.T) {
	w := newWorld(t, memory.New())
	for _, rule := range []invite.PendingRule{-1, 3} {
		_, err := w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam(bob, rbac.Member, invite.IfPending(rule)))
		require.ErrorIs(t, err, tenancy.ErrInvalid)
	}
}

func TestAPendingErrorSaysWhatAUserInterfaceShows(t *testing.T) {
	w := newWorld(t, memory.New())
	w.mustCreate(invite.ToTeam("Bob@ACME.example", rbac.Member))
	_, err := w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam(bob, rbac.Member))
	require.EqualError(t, err, "conflict: an invitation to Bob@ACME.example is pending already, until 2026-03-08T09:00:00Z")
	w.letAsk()
	ana := w.user("ana@acme.example").ID
	for range 2 {
		_, err = w.invites.Ask(w.ctx, ana, w.acme.team.ID)
	}
	require.EqualError(t, err, "conflict: a request to join from ana@acme.example is pending already, until 2026-03-08T09:00:00Z")
}

// What was first asked for is what a resend lasts, until another time is asked for.
func TestAResendLastsAsLongAsTheFirstTime(t *testing.T) {
	for _, kind := range everyKind {
		t.Run(string(kind), func(t *testing.T) {
			onEach(t, func(t *testing.T, w *world) {
				s := w.subjectFor(kind, bob, invite.ExpiresIn(90*time.Minute))
				again := func(options ...invite.Option) {
					w.clock.Advance(time.Hour)
					require.NoError(t, resendWith(w, s, options...))
				}
				again()
				assert.Equal(t, w.clock.Now().Add(90*time.Minute), w.stored(s.inv).ExpiresAt)
				again(invite.ExpiresIn(3 * time.Hour))
				assert.Equal(t, w.clock.Now().Add(3*time.Hour), w.stored(s.inv).ExpiresAt)
				w.clock.Advance(4 * time.Hour) // also after it has expired
				again()
				assert.Equal(t, w.clock.Now().Add(3*time.Hour), w.stored(s.inv).ExpiresAt)
			})
		})
	}
}
