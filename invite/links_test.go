package invite_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/tenancy"
)

func (w *world) link(spec invite.LinkSpec, options ...invite.Option) invite.Link {
	w.t.Helper()
	link, err := w.invites.CreateLink(w.ctx, w.acme.alice, spec, options...)
	require.NoError(w.t, err)
	return link
}

func TestLinkLetsInAsManyAsItSays(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		link := w.link(invite.LinkSpec{Uses: 2})
		assert.Equal(t, invite.Pending, link.State)
		assert.Zero(t, link.Mailing)
		w.drain()
		assert.Empty(t, w.mail.All(), "nobody mails a link")

		ana, ben, cleo := w.user("ana@one.example"), w.user("ben@two.example"), w.user("cleo@three.example")
		preview, err := w.invites.Preview(w.ctx, link.Token)
		require.NoError(t, err)
		assert.Equal(t, invite.Preview{
			Team: "Sales", Inviter: "Same Name", Role: rbac.Member, Kind: invite.ByLink, ExpiresAt: link.ExpiresAt, State: invite.Pending,
		}, preview)

		used, err := w.invites.Accept(w.ctx, ana.ID, link.Token)
		require.NoError(t, err)
		assert.Equal(t, 1, used.Uses)
		assert.Equal(t, invite.Pending, used.State)
		assert.Equal(t, rbac.Member, w.member(w.acme, ana.ID).Role)
		_, facts := w.newest(w.acme, invite.InvitationUsed)
		assert.Equal(t, ana.ID.String(), facts["user"])
		assert.Equal(t, "1", facts["uses"])

		w.clock.Advance(time.Minute)
		last, err := w.invites.Accept(w.ctx, ben.ID, link.Token)
		require.NoError(t, err)
		assert.Equal(t, invite.Accepted, last.State)
		_, facts = w.newest(w.acme, invite.InvitationAccepted)
		assert.Equal(t, ben.ID.String(), facts["user"])

		_, err = w.invites.Accept(w.ctx, cleo.ID, link.Token)
		var ended *invite.StateError
		require.ErrorAs(t, err, &ended)
		assert.Equal(t, invite.StateError{State: invite.Accepted, Event: invite.OnAccept}, *ended)
		require.EqualError(t, err, "conflict: the link is used up")
		assert.Zero(t, w.member(w.acme, cleo.ID))

		uses, err := w.invites.LinkUses(w.ctx, w.acme.alice, link.ID, tenancy.Page{})
		require.NoError(t, err)
		assert.Equal(t, []invite.Use{
			{Team: w.acme.team.ID, Link: link.ID, User: ana.ID, At: start},
			{Team: w.acme.team.ID, Link: link.ID, User: ben.ID, At: start.Add(time.Minute)},
		}, uses.Items)
	})
}

// A repeated accept by the same user does not use up another, whatever became of them since.
func TestLinkCountsEachUserOnce(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		link := w.link(invite.LinkSpec{Uses: 3})
		ana := w.user("ana@one.example")
		_, err := w.invites.Accept(tenancy.WithKey(w.ctx, "join"), ana.ID, link.Token)
		require.NoError(t, err)
		again := func() *invite.AcceptedError {
			var accepted *invite.AcceptedError
			_, err := w.invites.Accept(w.ctx, ana.ID, link.Token)
			require.ErrorAs(t, err, &accepted)
			assert.Equal(t, 1, w.stored(link.Invitation).Uses)
			return accepted
		}
		assert.Equal(t, w.member(w.acme, ana.ID), again().Membership)
		same, err := w.invites.Accept(tenancy.WithKey(w.ctx, "join"), ana.ID, link.Token)
		require.NoError(t, err, "the same key answers the first result")
		assert.Equal(t, 1, same.Uses)
		require.NoError(t, w.people.Leave(w.ctx, tenancy.Actor{User: ana.ID, Team: w.acme.team.ID}))
		assert.Zero(t, again().Membership)

		// The same user can come in by another link, if nobody put them out.
		other := w.link(invite.LinkSpec{Uses: 1})
		_, err = w.invites.Accept(w.ctx, ana.ID, other.Token)
		require.NoError(t, err)
		require.NoError(t, w.people.Remove(w.ctx, w.acme.alice, ana.ID))
		before := w.picture(w.acme)
		_, err = w.invites.Accept(w.ctx, ana.ID, w.link(invite.LinkSpec{Uses: 1}).Token)
		require.ErrorIs(t, err, invite.ErrRemovedBefore)
		require.ErrorIs(t, err, rbac.ErrDenied)
		assert.Equal(t, before.Members, w.picture(w.acme).Members)
		_, facts := w.newest(w.acme, invite.InvitationRefused)
		assert.Equal(t, "removed before", facts["reason"])
	})
}

// Spec 4.2: nobody raises themselves by leaving and coming back by a link: what a manager has taken from
// them stays taken.
func TestSpec4_2_LeavingAndALinkGiveNothingBack(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		link := w.link(invite.LinkSpec{Uses: 10})
		alice := w.acme.alice
		demote := func(user tenancy.UserID) error {
			_, err := w.people.ChangeRole(w.ctx, alice, user, rbac.Restricted)
			return err
		}
		for name, lessen := range map[string]func(user tenancy.UserID) error{
			"role": demote,
			"time": func(user tenancy.UserID) error {
				_, err := w.people.SetExpiry(w.ctx, alice, user, w.clock.Now().Add(time.Hour))
				return err
			},
			"place": func(user tenancy.UserID) error {
				if err := w.people.Remove(w.ctx, alice, user); err != nil {
					return err
				}
				return w.people.AdmitGuests(w.ctx, host, w.acme.team.ID, user)
			},
		} {
			actor := w.admit(w.acme, name+"@acme.example", rbac.Member)
			require.NoError(t, lessen(actor.User), name)
			require.NoError(t, w.people.Leave(w.ctx, actor), name)
			_, err := w.invites.Accept(w.ctx, actor.User, link.Token)
			require.ErrorIs(t, err, invite.ErrRemovedBefore, name)
			assert.Equal(t, tenancy.MembershipRemoved, w.member(w.acme, actor.User).Status, name)
		}

		guest := w.admit(w.acme, "ana@acme.example", rbac.Member)
		require.NoError(t, demote(guest.User))
		require.NoError(t, w.people.Leave(w.ctx, guest))
		_, err := w.invites.Accept(w.ctx, guest.User, w.link(invite.LinkSpec{Uses: 1, Role: rbac.Restricted}).Token)
		require.NoError(t, err, "as what they were they come back")
	})
}

// A6: a link with N uses admits exactly N, however many come at once and on however many handles.
func TestA6_LinkAdmitsExactlyAsManyAsItSays(t *testing.T) {
	everystore.RunTwo(t, func(t *testing.T, a, b storage.Store) {
		w := newWorld(t, a)
		handles := []*world{w, w.on(b)}
		const takers, uses = 64, 5
		people := make([]tenancy.UserID, takers)
		for i := range people {
			people[i] = w.user(fmt.Sprintf("taker-%d@one.example", i)).ID
		}
		for range everystore.Rounds(5) {
			link := w.link(invite.LinkSpec{Uses: uses})
			errs := make([]error, takers)
			var ready, done sync.WaitGroup
			barrier := make(chan struct{})
			for i := range takers {
				ready.Add(1)
				done.Go(func() {
					ready.Done()
					<-barrier
					_, errs[i] = handles[i%2].invites.Accept(w.ctx, people[i], link.Token)
				})
			}
			ready.Wait()
			close(barrier)
			done.Wait()
			admitted := map[tenancy.UserID]bool{}
			for i, err := range errs {
				if err == nil {
					admitted[people[i]] = true
					continue
				}
				var ended *invite.StateError
				require.ErrorAs(t, err, &ended)
			}
			require.Len(t, admitted, uses)
			r := w.stored(link.Invitation)
			assert.Equal(t, uses, r.Uses)
			assert.Equal(t, invite.Accepted, r.State)
			list, err := w.invites.LinkUses(w.ctx, w.acme.alice, link.ID, tenancy.Page{})
			require.NoError(t, err)
			require.Len(t, list.Items, uses)
			for _, u := range list.Items {
				require.True(t, admitted[u.User])
				require.Equal(t, tenancy.MembershipActive, w.member(w.acme, u.User).Status)
				require.NoError(t, w.people.Leave(w.ctx, tenancy.Actor{User: u.User, Team: w.acme.team.ID}))
			}
		}
	})
}

func TestLinkAsksForADomainAsAWhole(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		link := w.link(invite.LinkSpec{Uses: 9, Domain: "Client.Example"})
		assert.Equal(t, "client.example", link.Domain)
		preview, err := w.invites.Preview(w.ctx, link.Token)
		require.NoError(t, err)
		assert.Equal(t, "client.example", preview.Domain)
		for _, address := range []string{"a@evilclient.example", "a@client.example.evil.example", "a@sub.client.example", "client.example@evil.example"} {
			_, err := w.invites.Accept(w.ctx, w.user(address).ID, link.Token)
			require.ErrorIs(t, err, invite.ErrWrongDomain, address)
			require.ErrorIs(t, err, rbac.ErrDenied)
			_, facts := w.newest(w.acme, invite.InvitationRefused)
			assert.Equal(t, "another domain", facts["reason"])
		}
		unverified, err := w.people.Register(w.ctx, host, tenancy.Profile{ExternalID: "u", Email: "u@client.example", Name: "U"})
		require.NoError(t, err)
		_, err = w.invites.Accept(w.ctx, unverified.ID, link.Token)
		require.ErrorIs(t, err, invite.ErrUnverified)
		assert.Zero(t, w.stored(link.Invitation).Uses)
		_, err = w.invites.Accept(w.ctx, w.user("a@CLIENT.example").ID, link.Token)
		require.NoError(t, err)
	})
}

// A12 for links: a renewed one has a new token, and nothing else is touched.
func TestRenewedLinkForgetsItsOldToken(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		mailed, mailedToken := w.invite(w.acme.alice, invite.ToTeam("bob@client.example", rbac.Member))
		other := w.link(invite.LinkSpec{Uses: 1})
		link := w.link(invite.LinkSpec{Uses: 2}, invite.ExpiresIn(time.Hour))
		_, err := w.invites.Accept(w.ctx, w.user("ana@one.example").ID, link.Token)
		require.NoError(t, err)
		before := []invite.Record{w.stored(mailed), w.stored(other.Invitation)}

		w.clock.Advance(time.Hour)
		late := w.user("late@one.example").ID
		_, err = w.invites.Accept(w.ctx, late, link.Token)
		require.ErrorIs(t, err, tenancy.ErrExpired, "exactly at its time")
		renewed, err := w.invites.RenewLink(w.ctx, w.acme.alice, link.ID)
		require.NoError(t, err)
		assert.Equal(t, link.ID, renewed.ID)
		assert.Equal(t, invite.Pending, renewed.State)
		assert.Equal(t, 1, renewed.Uses)
		assert.Equal(t, w.clock.Now().Add(time.Hour), renewed.ExpiresAt, "as long as before")
		_, err = w.invites.Accept(w.ctx, late, link.Token)
		require.ErrorIs(t, err, tenancy.ErrNotFound)
		_, err = w.invites.Preview(w.ctx, link.Token)
		require.ErrorIs(t, err, tenancy.ErrNotFound)
		_, err = w.invites.Accept(w.ctx, late, renewed.Token)
		require.NoError(t, err)
		_, err = w.invites.RenewLink(w.ctx, w.acme.alice, link.ID)
		var ended *invite.StateError
		require.ErrorAs(t, err, &ended, "it is used up")

		after := []invite.Record{w.stored(mailed), w.stored(other.Invitation)}
		assert.Equal(t, before, after)
		_, err = w.invites.Accept(w.ctx, w.user("bob@client.example").ID, mailedToken)
		require.NoError(t, err)
		_, err = w.invites.RenewLink(w.ctx, w.acme.alice, mailed.ID)
		require.ErrorIs(t, err, tenancy.ErrNotFound, "a mailed invitation is no link")
		_, err = w.invites.Resend(w.ctx, w.acme.alice, other.ID)
		require.ErrorAs(t, err, &ended, "a link is not mailed")
	})
}

func TestLinkOfNoUse(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		for name, spec := range map[string]invite.LinkSpec{
			"no uses": {}, "fewer": {Uses: -1}, "too many": {Uses: invite.MaxLinkUses + 1},
			"a holder": {Uses: 1, Role: rbac.Holder}, "no role": {Uses: 1, Role: 99},
			"no domain": {Uses: 1, Domain: "client"}, "a public one": {Uses: 1, Domain: "Gmail.com"},
		} {
			_, err := w.invites.CreateLink(w.ctx, w.acme.alice, spec)
			require.ErrorIs(t, err, tenancy.ErrInvalid, name)
		}
		w.link(invite.LinkSpec{Uses: invite.MaxLinkUses})
		_, err := w.invites.CreateLink(w.ctx, w.acme.mike, invite.LinkSpec{Uses: 1})
		require.ErrorIs(t, err, rbac.ErrDenied, "a member makes no links")

		link := w.link(invite.LinkSpec{Uses: 5, Role: rbac.Manager})
		var ended *invite.StateError
		_, err = w.invites.Decline(w.ctx, w.user("ana@one.example").ID, link.Token)
		require.ErrorAs(t, err, &ended, "a link is nobody's to decline")
		assert.Equal(t, invite.Pending, w.stored(link.Invitation).State)
		var member *tenancy.MemberError
		_, err = w.invites.Accept(w.ctx, w.acme.mike.User, link.Token)
		require.ErrorAs(t, err, &member, "whoever is in the team changes no role by a link")
		assert.Zero(t, w.stored(link.Invitation).Uses)
		_, err = w.invites.Revoke(w.ctx, w.acme.alice, link.ID)
		require.NoError(t, err)
		_, err = w.invites.Accept(w.ctx, w.user("ana@one.example").ID, link.Token)
		require.ErrorAs(t, err, &ended)
	})
}

// A8, A11 and A19 for links: what the maker lost, the link lost.
func TestLinkIsWorthWhatItsMakerIs(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		ana := w.user("ana@one.example").ID
		zoe := w.admit(w.acme, "zoe@acme.example", rbac.Manager)
		of := func() invite.Link {
			link, err := w.invites.CreateLink(w.ctx, zoe, invite.LinkSpec{Uses: 5})
			require.NoError(t, err)
			return link
		}
		demoted, gone := of(), of()
		_, err := w.people.ChangeRole(w.ctx, w.acme.alice, zoe.User, rbac.Member)
		require.NoError(t, err)
		_, err = w.invites.Accept(w.ctx, ana, demoted.Token)
		require.ErrorIs(t, err, invite.ErrInviterLost)
		require.NoError(t, w.people.Remove(w.ctx, w.acme.alice, zoe.User))
		assert.Equal(t, invite.Revoked, w.stored(gone.Invitation).State)

		link := w.link(invite.LinkSpec{Uses: 5})
		for name, freeze := range freezes {
			if freeze.thaw == nil {
				continue
			}
			require.NoError(t, freeze.freeze(w, w.acme), name)
			_, err := w.invites.Accept(w.ctx, ana, link.Token)
			require.ErrorIs(t, err, freeze.want, name)
			_, err = w.invites.RenewLink(w.ctx, w.acme.alice, link.ID)
			require.ErrorIs(t, err, freeze.want, name)
			require.NoError(t, freeze.thaw(w, w.acme), name)
		}
		_, err = w.invites.Accept(w.ctx, ana, link.Token)
		require.NoError(t, err)
	})
}

func TestLinkTakesASeatWithEachUse(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		_, err := w.people.SetSeats(w.ctx, host, w.acme.account.ID, tenancy.Seats{Rule: tenancy.HardSeats, Limit: 3, CountPending: true})
		require.NoError(t, err)
		link := w.link(invite.LinkSpec{Uses: 5}) // alice and mike have two of three
		_, err = w.invites.Accept(w.ctx, w.user("ana@one.example").ID, link.Token)
		require.NoError(t, err)
		var full *tenancy.SeatsError
		_, err = w.invites.Accept(w.ctx, w.user("ben@one.example").ID, link.Token)
		require.ErrorAs(t, err, &full)
		assert.Equal(t, 1, w.stored(link.Invitation).Uses)
	})
}

// A9 for links: the call shows the token once, and nothing else ever does.
func TestA9_LinkTokenIsShownOnce(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		ctx := tenancy.WithKey(w.ctx, "make")
		link, err := w.invites.CreateLink(ctx, w.acme.alice, invite.LinkSpec{Uses: 1})
		require.NoError(t, err)
		secret := link.Token.Reveal()
		require.NotEmpty(t, secret)
		again, err := w.invites.CreateLink(ctx, w.acme.alice, invite.LinkSpec{Uses: 1})
		require.NoError(t, err)
		assert.Equal(t, link.Invitation, again.Invitation)
		assert.True(t, again.Token.IsZero(), "a repetition has none")
		text, err := json.Marshal(link)
		require.NoError(t, err)
		got, err := w.invites.Get(w.ctx, w.acme.alice, link.ID)
		require.NoError(t, err)
		all := fmt.Sprintf("%v %+v %#v %s %+v %+v", link, link, link, text, got, w.picture(w.acme))
		assert.NotContains(t, all, secret)
		base, err := invite.ParseLinkBase(linkBase)
		require.NoError(t, err)
		assert.Equal(t, linkBase+"?token="+secret, base.Link(link.Token))
	})
}

// A10 and A3 for links.
func TestA10_ForeignLinkIsNotFound(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		link := w.link(invite.LinkSpec{Uses: 1})
		before := w.picture(w.acme)
		for name, call := range map[string]func(tenancy.Actor) error{
			"renew":  func(a tenancy.Actor) error { _, err := w.invites.RenewLink(w.ctx, a, link.ID); return err },
			"revoke": func(a tenancy.Actor) error { _, err := w.invites.Revoke(w.ctx, a, link.ID); return err },
			"uses": func(a tenancy.Actor) error {
				_, err := w.invites.LinkUses(w.ctx, a, link.ID, tenancy.Page{})
				return err
			},
		} {
			require.ErrorIs(t, call(w.globex.alice), tenancy.ErrNotFound, name)
			require.ErrorIs(t, call(w.acme.mike), rbac.ErrDenied, name)
		}
		list, err := w.invites.List(w.ctx, w.globex.alice, invite.Filter{Kind: invite.ByLink}, tenancy.Page{})
		require.NoError(t, err)
		assert.Empty(t, list.Items)
		assert.Equal(t, before, w.picture(w.acme))
		list, err = w.invites.List(w.ctx, w.acme.alice, invite.Filter{Kind: invite.ByLink, State: invite.Pending}, tenancy.Page{})
		require.NoError(t, err)
		require.Len(t, list.Items, 1)
		assert.Equal(t, link.Invitation, list.Items[0])
		_, err = w.invites.List(w.ctx, w.acme.alice, invite.Filter{Kind: "links"}, tenancy.Page{})
		require.ErrorIs(t, err, tenancy.ErrInvalid)
	})
}

// A16: links count for the limits of the team and of their maker, before anything is written.
func TestA16_LinksAreBounded(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.bound(invite.Limits{PerInviter: 2})
		w.link(invite.LinkSpec{Uses: 1})
		link := w.link(invite.LinkSpec{Uses: 1}, invite.ExpiresIn(time.Hour))
		before := w.picture(w.acme)
		_, err := w.invites.CreateLink(w.ctx, w.acme.alice, invite.LinkSpec{Uses: 1})
		var over *invite.LimitError
		require.ErrorAs(t, err, &over)
		assert.Equal(t, invite.InviterQuota, over.Quota)
		assert.Equal(t, before, w.picture(w.acme))
		w.clock.Advance(time.Hour)
		w.link(invite.LinkSpec{Uses: 1})
		_, err = w.invites.RenewLink(w.ctx, w.acme.alice, link.ID)
		require.ErrorAs(t, err, &over, "an expired one needs room as a new one does")
	})
}

// Each racing pair of what can happen to a link ends in one order of the two.
func TestLinkRaces(t *testing.T) {
	type act func(ctx context.Context, w *world, link invite.Link) error
	acts := map[string]act{
		"use": func(ctx context.Context, w *world, link invite.Link) error {
			_, err := w.invites.Accept(ctx, w.acme.mike.User, link.Token)
			return err
		},
		"revoke": func(ctx context.Context, w *world, link invite.Link) error {
			_, err := w.invites.Revoke(ctx, w.acme.alice, link.ID)
			return err
		},
		"renew": func(ctx context.Context, w *world, link invite.Link) error {
			_, err := w.invites.RenewLink(ctx, w.acme.alice, link.ID)
			return err
		},
	}
	onEach(t, func(t *testing.T, w *world) {
		require.NoError(t, w.people.Leave(w.ctx, w.acme.mike))
		for _, pair := range [][2]string{{"use", "revoke"}, {"use", "renew"}, {"renew", "revoke"}, {"use", "use"}} {
			for range everystore.Rounds(50) {
				link := w.link(invite.LinkSpec{Uses: 1})
				var errs [2]error
				var done sync.WaitGroup
				barrier := make(chan struct{})
				for i, name := range pair {
					done.Go(func() { <-barrier; errs[i] = acts[name](w.ctx, w, link) })
				}
				close(barrier)
				done.Wait()
				r := w.stored(link.Invitation)
				in := w.member(w.acme, w.acme.mike.User).Status == tenancy.MembershipActive
				require.Equal(t, r.State == invite.Accepted, in, "%v: %v", pair, errs)
				require.Equal(t, r.Uses == 1, in)
				require.True(t, errs[0] == nil || errs[1] == nil, "%v: %v", pair, errs)
				for _, err := range errs {
					ok := err == nil || errors.Is(err, tenancy.ErrConflict) || errors.Is(err, tenancy.ErrNotFound)
					require.True(t, ok, "%v", err)
				}
				if in {
					require.NoError(t, w.people.Leave(w.ctx, w.acme.mike))
				}
				if r.State == invite.Pending { // renewed: one link less is pending
					require.NoError(t, acts["revoke"](w.ctx, w, link))
				}
			}
		}
		joined := 0
		for _, kind := range w.events(w.acme) {
			if strings.HasSuffix(kind, tenancy.MemberLeft) {
				joined++
			}
		}
		assert.Positive(t, joined)
	})
}

// What a team asks of those who are invited by mail, it asks of those who come by a link.
func TestLinkHoldsToTheRulesOfItsTeam(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.configure(w.acme, tenancy.Settings{InviteDomains: []string{"client.example"}, Terms: "2026-01"})
		link := w.link(invite.LinkSpec{Uses: 2})
		var foreign *invite.DomainError
		_, err := w.invites.Accept(w.ctx, w.user("a@elsewhere.example").ID, link.Token, invite.Terms("2026-01"))
		require.ErrorAs(t, err, &foreign)
		ana := w.user("ana@client.example").ID
		var needs *invite.TermsError
		_, err = w.invites.Accept(w.ctx, ana, link.Token)
		require.ErrorAs(t, err, &needs)
		assert.Zero(t, w.stored(link.Invitation).Uses)
		_, err = w.invites.Accept(w.ctx, ana, link.Token, invite.Terms("2026-01"))
		require.NoError(t, err)
	})
}
