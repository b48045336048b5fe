package invite_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

func facts(t *testing.T, e outbox.Event) tenancy.Facts {
	t.Helper()
	var f tenancy.Facts
	require.NoError(t, json.Unmarshal(e.Payload, &f))
	return f
}

// accounts is all that an offer can change of a side's account.
type accounts struct {
	Account tenancy.Account
	Offers  []invite.Record
	Events  []outbox.Event
}

func (w *world) accounts(s side) accounts {
	w.t.Helper()
	a := accounts{Events: w.accountLog(s.account.ID)}
	var err error
	a.Account, err = w.store.Account(w.ctx, s.account.ID)
	require.NoError(w.t, err)
	a.Offers, err = w.store.Offers(w.ctx, s.account.ID, tenancy.Keyset{Limit: 100})
	require.NoError(w.t, err)
	return a
}

func TestAcceptingAnOfferPassesTheAccountOn(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		user, alice := w.user(bob), w.acme.alice.User
		foreign, team := w.accounts(w.globex), w.picture(w.acme)
		w.clock.Advance(time.Hour)
		inv, err := w.invites.Offer(w.ctx, w.acme.holder(), " Bob@Acme.example", invite.ExpiresIn(48*time.Hour))
		require.NoError(t, err)
		assert.Equal(t, invite.Invitation{
			ID: inv.ID, Account: w.acme.account.ID, Kind: invite.ToOneAccount,
			Email:   tenancy.Address{Display: "Bob@Acme.example", Normal: bob},
			Inviter: alice, State: invite.Pending, Mailing: 1,
			CreatedAt: w.clock.Now(), ExpiresAt: w.clock.Now().Add(48 * time.Hour), Version: 1,
		}, inv)
		assert.Equal(t, alice, w.holderOf(w.acme.account.ID), "an offer alone moves nothing")

		token := w.token(inv)
		mail := w.mail.Last(bob)
		assert.Equal(t, "Staffing", mail.Account)
		assert.Empty(t, mail.Team)
		assert.Equal(t, "Same Name offers you the account Staffing", mail.Subject())
		assert.Contains(t, mail.Text(), "become the holder of the account Staffing")
		assert.Contains(t, mail.Text(), token.Reveal())
		seen, err := w.invites.Preview(w.ctx, token)
		require.NoError(t, err)
		assert.Equal(t, invite.Preview{
			Account: "Staffing", Inviter: "Same Name", Kind: invite.ToOneAccount, ExpiresAt: inv.ExpiresAt, State: invite.Pending,
		}, seen)
		_, err = json.Marshal(seen)
		require.NoError(t, err, "a role that is none is left out")

		accepted, err := w.invites.Accept(tenancy.WithKey(w.ctx, "once"), user.ID, token)
		require.NoError(t, err)
		assert.Equal(t, invite.Accepted, accepted.State)
		assert.Equal(t, user.ID, w.holderOf(w.acme.account.ID))
		same, err := w.invites.Accept(tenancy.WithKey(w.ctx, "once"), user.ID, token)
		require.NoError(t, err)
		assert.Equal(t, accepted, same)

		log := w.accountLog(w.acme.account.ID)
		log = log[len(log)-4:]
		assert.Equal(t, []string{invite.InvitationCreated, invite.InvitationMailed, invite.InvitationAccepted, tenancy.AccountTransferred}, kinds(log))
		assert.Equal(t, tenancy.Facts{
			"invitation": inv.ID.String(), "kind": "account", "account": w.acme.account.ID.String(),
			"state": "accepted", "mailing": "1", "user": user.ID.String(),
		}, facts(t, log[2]))
		assert.Equal(t, tenancy.Facts{
			"account": w.acme.account.ID.String(), "from": alice.String(), "to": user.ID.String(),
		}, facts(t, log[3]))

		_, err = w.people.CreateTeam(w.ctx, w.acme.holder(), tenancy.TeamSpec{Name: "Mine"})
		require.ErrorIs(t, err, tenancy.ErrNotFound, "who held it does no more")
		heir := w.acme.account.Holder(user.ID)
		list, err := w.invites.Offers(w.ctx, heir, tenancy.Page{})
		require.NoError(t, err)
		assert.Equal(t, []invite.Invitation{accepted}, list.Items, "offers stay listed")
		_, err = w.people.CreateTeam(w.ctx, heir, tenancy.TeamSpec{Name: "Ours"})
		require.NoError(t, err)
		assert.Equal(t, team, w.picture(w.acme), "the people of the teams are who they were")
		assert.Equal(t, foreign, w.accounts(w.globex))

		var already *invite.AcceptedError
		_, err = w.invites.Accept(w.ctx, user.ID, token)
		require.ErrorAs(t, err, &already)
		assert.Equal(t, accepted, already.Invitation)
	})
}

func TestA1A2B2B3AnOfferIsForTheOwnerOfTheAddressOnly(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		eve := w.user("eve@acme.example")
		squatter, err := w.people.Register(w.ctx, host, tenancy.Profile{ExternalID: "squatter", Email: bob, Name: "Bob"})
		require.NoError(t, err)
		inv, token := w.offer(w.acme.holder(), bob)
		for who, want := range map[tenancy.UserID]error{
			eve.ID: invite.ErrWrongUser, squatter.ID: invite.ErrUnverified,
			w.acme.mike.User: invite.ErrWrongUser, w.globex.alice.User: invite.ErrWrongUser,
		} {
			before := w.accounts(w.acme)
			_, err := w.invites.Accept(w.ctx, who, token)
			require.ErrorIs(t, err, want)
			_, err = w.invites.Decline(w.ctx, who, token)
			require.ErrorIs(t, err, want)
			after := w.accounts(w.acme)
			assert.Equal(t, before.Account, after.Account)
			assert.Equal(t, before.Offers, after.Offers)
			refusals := after.Events[len(before.Events):]
			require.Equal(t, []string{invite.InvitationRefused}, kinds(refusals), "once, whatever they try")
			assert.Equal(t, who.String(), facts(t, refusals[0])["user"])
		}
		_, err = w.invites.Accept(w.ctx, tenancy.UserID{}, token)
		require.ErrorIs(t, err, tenancy.ErrNoPrincipal)

		_, err = w.people.ChangeEmail(w.ctx, host, squatter.ID, bob, true)
		require.NoError(t, err)
		w.clock.Set(inv.ExpiresAt)
		_, err = w.invites.Accept(w.ctx, squatter.ID, token)
		require.ErrorIs(t, err, tenancy.ErrExpired)
		w.clock.Set(inv.ExpiresAt.Add(-time.Microsecond))
		_, err = w.invites.Accept(w.ctx, squatter.ID, token)
		require.NoError(t, err, "once the host vouches for it, it is theirs")
	})
}

// A10, C1: whoever does not hold the account cannot tell its offers from ones that do not exist.
func TestA10OffersAreTheHoldersOnly(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		inv, _ := w.offer(w.acme.holder(), bob)
		own, _ := w.offer(w.globex.holder(), bob)
		into := w.mustCreate(invite.ToTeam(bob, rbac.Member))
		acme, globex, team := w.accounts(w.acme), w.accounts(w.globex), w.picture(w.acme)
		random := tenancy.NewID[tenancy.InvitationID](tenancy.Env{})
		for name, holder := range map[string]tenancy.Holder{
			"the other account's holder": w.globex.holder(), "and in this account": w.acme.account.Holder(w.globex.alice.User),
			"a member": w.acme.account.Holder(w.acme.mike.User), "in no account that exists": {User: w.acme.alice.User, Account: tenancy.NewID[tenancy.AccountID](tenancy.Env{})},
		} {
			for _, id := range []tenancy.InvitationID{inv.ID, random} {
				_, err := w.invites.RevokeOffer(w.ctx, holder, id)
				require.Equal(t, tenancy.ErrNotFound, err, name)
				_, err = w.invites.ResendOffer(w.ctx, holder, id)
				require.Equal(t, tenancy.ErrNotFound, err, name)
			}
			if holder == w.globex.holder() {
				continue
			}
			_, err := w.invites.Offer(w.ctx, holder, "carl@acme.example")
			require.Equal(t, tenancy.ErrNotFound, err, name)
			_, err = w.invites.Offers(w.ctx, holder, tenancy.Page{})
			require.Equal(t, tenancy.ErrNotFound, err, name)
		}
		list, err := w.invites.Offers(w.ctx, w.globex.holder(), tenancy.Page{})
		require.NoError(t, err)
		require.Len(t, list.Items, 1)
		assert.Equal(t, own.ID, list.Items[0].ID)

		// An offer is no invitation of a team, and the other way round.
		_, err = w.invites.Revoke(w.ctx, w.acme.alice, inv.ID)
		require.Equal(t, tenancy.ErrNotFound, err)
		_, err = w.invites.Resend(w.ctx, w.acme.alice, inv.ID)
		require.Equal(t, tenancy.ErrNotFound, err)
		_, err = w.invites.Get(w.ctx, w.acme.alice, inv.ID)
		require.Equal(t, tenancy.ErrNotFound, err)
		_, err = w.invites.Expire(w.ctx, host, tenancy.TeamID{}, inv.ID)
		require.Equal(t, tenancy.ErrNotFound, err)
		_, err = w.invites.RevokeOffer(w.ctx, w.acme.holder(), into.ID)
		require.Equal(t, tenancy.ErrNotFound, err)
		_, err = w.invites.ExpireOffer(w.ctx, host, w.globex.account.ID, inv.ID)
		require.Equal(t, tenancy.ErrNotFound, err)
		assert.Equal(t, acme, w.accounts(w.acme))
		assert.Equal(t, globex, w.accounts(w.globex))
		assert.Equal(t, team, w.picture(w.acme))
	})
}

func TestOneOfferOfAnAccountIsPending(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		first, old := w.offer(w.acme.holder(), bob)
		for _, email := range []string{bob, "carl@acme.example"} {
			_, err := w.invites.Offer(w.ctx, w.acme.holder(), email)
			var pending *invite.PendingError
			require.ErrorAs(t, err, &pending)
			assert.Equal(t, first.ID, pending.Invitation.ID)
		}
		_, err := w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam(bob, rbac.Member))
		require.NoError(t, err, "an invitation of the same address into a team is another matter")

		again, err := w.invites.ResendOffer(w.ctx, w.acme.holder(), first.ID)
		require.NoError(t, err)
		_, err = w.invites.Accept(w.ctx, w.user(bob).ID, old)
		require.Equal(t, tenancy.ErrNotFound, err, "A12: the old token is dead")

		w.clock.Set(again.ExpiresAt)
		second, err := w.invites.Offer(w.ctx, w.acme.holder(), "carl@acme.example")
		require.NoError(t, err, "one whose time has passed makes room")
		assert.Equal(t, invite.Expired, w.stored(first).State)
		_, err = w.invites.ResendOffer(w.ctx, w.acme.holder(), first.ID)
		var pending *invite.PendingError
		require.ErrorAs(t, err, &pending)
		_, err = w.invites.RevokeOffer(w.ctx, w.acme.holder(), second.ID)
		require.NoError(t, err)
		revived, err := w.invites.ResendOffer(w.ctx, w.acme.holder(), first.ID)
		require.NoError(t, err)
		assert.Equal(t, invite.Pending, revived.State)
		list, err := w.invites.Offers(w.ctx, w.acme.holder(), tenancy.Page{Limit: 1})
		require.NoError(t, err)
		assert.Equal(t, second.ID, list.Items[0].ID, "newest first")
		list, err = w.invites.Offers(w.ctx, w.acme.holder(), tenancy.Page{Limit: 1, After: list.Next})
		require.NoError(t, err)
		assert.Equal(t, first.ID, list.Items[0].ID)
	})
}

func TestAnOfferToTheHolderIsAConflict(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		before := w.accounts(w.acme)
		_, err := w.invites.Offer(w.ctx, w.acme.holder(), "Alice@acme.example")
		require.ErrorIs(t, err, invite.ErrHoldsAlready)
		require.ErrorIs(t, err, tenancy.ErrConflict)
		assert.Equal(t, before, w.accounts(w.acme))

		inv, token := w.offer(w.acme.holder(), bob)
		_, err = w.people.ChangeEmail(w.ctx, host, w.acme.alice.User, bob, true)
		require.NoError(t, err)
		_, err = w.invites.Accept(w.ctx, w.acme.alice.User, token)
		require.ErrorIs(t, err, invite.ErrHoldsAlready)
		_, err = w.invites.ResendOffer(w.ctx, w.acme.holder(), inv.ID)
		require.ErrorIs(t, err, invite.ErrHoldsAlready)
		assert.Equal(t, invite.Pending, w.stored(inv).State)
	})
}

// Whoever holds the account no more gives it to nobody, whatever the teams' policies are; and who
// holds it now can take the offer back.
func TestA8AnOfferOfSomebodyWhoHoldsTheAccountNoMoreIsWorthNothing(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.configure(w.acme, tenancy.Settings{KeepInvitations: true, TrustInviters: true})
		user, heir := w.user(bob), w.user("heir@acme.example")
		inv, token := w.offer(w.acme.holder(), bob)
		require.NoError(t, w.people.DeleteUser(w.ctx, host, w.acme.alice.User, heir.ID))
		before := w.accounts(w.acme)
		require.Equal(t, heir.ID, before.Account.HeldBy)
		_, err := w.invites.Accept(w.ctx, user.ID, token)
		require.ErrorIs(t, err, invite.ErrInviterLost)
		after := w.accounts(w.acme)
		assert.Equal(t, before.Account, after.Account)
		assert.Equal(t, before.Offers, after.Offers)
		require.Len(t, after.Events, len(before.Events)+1)
		assert.Equal(t, "inviter may not", facts(t, after.Events[len(before.Events)])["reason"])

		holder := w.acme.account.Holder(heir.ID)
		_, err = w.invites.ResendOffer(w.ctx, holder, inv.ID)
		require.ErrorIs(t, err, invite.ErrInviterLost)
		_, err = w.invites.RevokeOffer(w.ctx, holder, inv.ID)
		require.NoError(t, err)
		_, token = w.offer(holder, bob)
		_, err = w.invites.Accept(w.ctx, user.ID, token)
		require.NoError(t, err)
		assert.Equal(t, user.ID, w.holderOf(w.acme.account.ID))
	})
}

func TestAnOfferOfAHolderWhoMayNotActIsWorthNothing(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		user := w.user(bob)
		_, token := w.offer(w.acme.holder(), bob)
		w.suspendUser(w.acme.alice.User)
		_, err := w.invites.Accept(w.ctx, user.ID, token)
		require.ErrorIs(t, err, invite.ErrInviterLost)
		_, err = w.invites.Offer(w.ctx, w.acme.holder(), bob)
		require.ErrorIs(t, err, tenancy.ErrInactive)
		assert.Equal(t, w.acme.alice.User, w.holderOf(w.acme.account.ID))
	})
}

func TestA11AnAccountThatCanOnlyBeReadIsNotPassedOn(t *testing.T) {
	for _, how := range []string{"suspended account", "closed account"} {
		t.Run(how, func(t *testing.T) {
			onEach(t, func(t *testing.T, w *world) {
				user := w.user(bob)
				inv, token := w.offer(w.acme.holder(), bob)
				require.NoError(t, freezes[how].freeze(w, w.acme))
				before := w.accounts(w.acme)
				_, err := w.invites.Accept(w.ctx, user.ID, token)
				require.ErrorIs(t, err, tenancy.ErrAccountInactive)
				_, err = w.invites.ResendOffer(w.ctx, w.acme.holder(), inv.ID)
				require.ErrorIs(t, err, tenancy.ErrAccountInactive)
				_, err = w.invites.RevokeOffer(w.ctx, w.acme.holder(), inv.ID)
				require.ErrorIs(t, err, tenancy.ErrAccountInactive)
				_, err = w.invites.Offer(w.ctx, w.acme.holder(), "carl@acme.example")
				require.ErrorIs(t, err, tenancy.ErrAccountInactive)
				list, err := w.invites.Offers(w.ctx, w.acme.holder(), tenancy.Page{})
				require.NoError(t, err, "reading goes on")
				assert.Len(t, list.Items, 1)
				require.NoError(t, w.sink.Deliver(w.ctx, before.Events[1]), "the mail is skipped")
				assert.Equal(t, before, w.accounts(w.acme))
				if freezes[how].thaw == nil {
					_, err = w.invites.Decline(w.ctx, user.ID, token)
					require.NoError(t, err, "to say no is possible all the same")
					return
				}
				require.NoError(t, freezes[how].thaw(w, w.acme))
				_, err = w.invites.Accept(w.ctx, user.ID, token)
				require.NoError(t, err)
			})
		})
	}
}

func TestF8OfferRefusesBadInput(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		before := w.accounts(w.acme)
		for _, email := range []string{"", "bob", "bob@acme.example, eve@acme.example", "bob@acme.example\r\nBcc: eve@acme.example"} {
			_, err := w.invites.Offer(w.ctx, w.acme.holder(), email)
			require.ErrorIs(t, err, tenancy.ErrInvalid, "%q", email)
		}
		for _, lasts := range []time.Duration{0, -1, invite.MinExpiry - 1, invite.MaxExpiry + 1} {
			_, err := w.invites.Offer(w.ctx, w.acme.holder(), bob, invite.ExpiresIn(lasts))
			require.ErrorIs(t, err, tenancy.ErrInvalid)
		}
		_, err := w.invites.Offers(w.ctx, w.acme.holder(), tenancy.Page{After: "forged"})
		require.ErrorIs(t, err, tenancy.ErrInvalid)
		for _, holder := range []tenancy.Holder{{}, {User: w.acme.alice.User}, {Account: w.acme.account.ID}} {
			_, err := w.invites.Offer(w.ctx, holder, bob)
			require.ErrorIs(t, err, tenancy.ErrNoPrincipal)
		}
		_, err = w.invites.ExpireOffer(w.ctx, "", w.acme.account.ID, tenancy.InvitationID{})
		require.ErrorIs(t, err, tenancy.ErrNoPrincipal)
		assert.Equal(t, before, w.accounts(w.acme))
	})
}

// An offer that an earlier holder made does not stand in the way of the present holder's.
func TestAnOfferOfAnEarlierHolderMakesRoom(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		heir := w.user("heir@acme.example")
		lost, _ := w.offer(w.acme.holder(), "first@acme.example")
		require.NoError(t, w.people.DeleteUser(w.ctx, host, w.acme.alice.User, heir.ID))
		holder := w.acme.account.Holder(heir.ID)
		fresh, err := w.invites.Offer(w.ctx, holder, "second@acme.example")
		require.NoError(t, err)
		listed, err := w.invites.Offers(w.ctx, holder, tenancy.Page{})
		require.NoError(t, err)
		states := map[tenancy.InvitationID]invite.State{}
		for _, offer := range listed.Items {
			states[offer.ID] = offer.State
		}
		require.Equal(t, map[tenancy.InvitationID]invite.State{lost.ID: invite.Revoked, fresh.ID: invite.Pending}, states)
	})
}
