package invite_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/tenancy"
)

// bound sets the limits of the world's invitations.
func (w *world) bound(l invite.Limits) {
	w.t.Helper()
	rules, err := policy()
	require.NoError(w.t, err)
	w.invites, err = invite.New(w.store, w.people, rules, w.env(), l)
	require.NoError(w.t, err)
	w.invites.Bind(w.desk)
}

func (w *world) invited(actor tenancy.Actor, email string) invite.Invitation {
	w.t.Helper()
	inv, err := w.invites.Create(w.ctx, actor, invite.ToTeam(email, rbac.Member))
	require.NoError(w.t, err)
	return inv
}

// requireLimit wants a refusal that says all and left nothing behind.
func (w *world) requireLimit(want *invite.LimitError, call func() (invite.Invitation, error)) {
	w.t.Helper()
	before := w.picture(w.acme)
	offers, err := w.store.Offers(w.ctx, w.acme.account.ID, tenancy.Keyset{Limit: 100})
	require.NoError(w.t, err)
	_, err = call()
	require.ErrorIs(w.t, err, tenancy.ErrLimit)
	var got *invite.LimitError
	require.ErrorAs(w.t, err, &got)
	assert.Equal(w.t, want, got)
	assert.Equal(w.t, before, w.picture(w.acme), "no row, no event and so no mail")
	after, err := w.store.Offers(w.ctx, w.acme.account.ID, tenancy.Keyset{Limit: 100})
	require.NoError(w.t, err)
	assert.Equal(w.t, offers, after)
}

func TestA16PendingInvitationsOfATeamAreLimited(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.bound(invite.Limits{PerTeam: 3})
		w.invited(w.globex.alice, "other@client.example") // counts elsewhere
		short, err := w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam("a@client.example", rbac.Member, invite.ExpiresIn(time.Hour)))
		require.NoError(t, err)
		kept := w.invited(w.acme.alice, "b@client.example")
		_, err = w.invites.Create(w.ctx, w.acme.mike, invite.ToConversation("c@client.example", w.acme.conversation))
		require.NoError(t, err, "at the limit")
		one := func() (invite.Invitation, error) {
			return w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam("d@client.example", rbac.Restricted))
		}
		w.requireLimit(&invite.LimitError{Quota: invite.TeamQuota, Limit: 3, Until: short.ExpiresAt}, one)
		_, err = w.invites.Resend(w.ctx, w.acme.alice, kept.ID)
		require.NoError(t, err, "which adds none")

		w.clock.Set(short.ExpiresAt.Add(-time.Microsecond))
		w.requireLimit(&invite.LimitError{Quota: invite.TeamQuota, Limit: 3, Until: short.ExpiresAt}, one)
		w.clock.Set(short.ExpiresAt)
		_, err = one()
		require.NoError(t, err, "when the error said")
		w.requireLimit(&invite.LimitError{Quota: invite.TeamQuota, Limit: 3, Until: kept.ExpiresAt}, func() (invite.Invitation, error) {
			return w.invites.Resend(w.ctx, w.acme.alice, short.ID)
		})
	})
}

func TestA16PendingInvitationsFromOneInviterAreLimited(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.bound(invite.Limits{PerInviter: 2})
		first := w.invited(w.acme.alice, "a@client.example")
		w.clock.Advance(time.Minute)
		w.invited(w.acme.alice, "b@client.example")
		w.requireLimit(&invite.LimitError{Quota: invite.InviterQuota, Limit: 2, Until: first.ExpiresAt}, func() (invite.Invitation, error) {
			return w.invites.Create(w.ctx, w.acme.alice, invite.ToConversation("c@client.example", w.acme.conversation))
		})
		_, err := w.invites.Create(w.ctx, w.acme.mike, invite.ToConversation("c@client.example", w.acme.conversation))
		require.NoError(t, err, "another inviter")
		_, err = w.invites.Revoke(w.ctx, w.acme.alice, first.ID)
		require.NoError(t, err)
		w.invited(w.acme.alice, "d@client.example")
	})
}

// What is counted is the account, its offers included; a foreign account neither counts nor shows.
func TestA16InvitationsToOneAddressAreLimited(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.bound(invite.Limits{PerAddress: 2})
		holder := w.acme.account.Holder(w.acme.alice.User)
		team, err := w.people.CreateTeam(w.ctx, holder, tenancy.TeamSpec{Name: "Support"})
		require.NoError(t, err)
		support := tenancy.Actor{User: w.acme.alice.User, Team: team.ID}

		w.invited(w.globex.alice, bob)
		_, err = w.invites.Create(w.ctx, w.globex.alice, invite.ToConversation(bob, w.globex.conversation))
		require.NoError(t, err)

		first := w.invited(w.acme.alice, bob)
		second := w.invited(support, "Bob@ACME.example")
		w.requireLimit(&invite.LimitError{Quota: invite.AddressQuota, Limit: 2, Until: first.ExpiresAt}, func() (invite.Invitation, error) {
			return w.invites.Create(w.ctx, w.acme.mike, invite.ToConversation(bob, w.acme.conversation))
		})
		w.requireLimit(&invite.LimitError{Quota: invite.AddressQuota, Limit: 2, Until: first.ExpiresAt}, func() (invite.Invitation, error) {
			return w.invites.Offer(w.ctx, holder, bob)
		})
		w.invited(w.acme.alice, "carol@acme.example")

		// Taking it back makes no room before the hour is over.
		_, err = w.invites.Revoke(w.ctx, support, second.ID)
		require.NoError(t, err)
		again := func() (invite.Invitation, error) { return w.invites.Offer(w.ctx, holder, bob) }
		w.requireLimit(&invite.LimitError{Quota: invite.AddressQuota, Limit: 2, Until: start.Add(time.Hour)}, again)
		w.clock.Set(start.Add(time.Hour))
		_, err = again()
		require.NoError(t, err)
	})
}

func TestA16ResendsAreLimited(t *testing.T) {
	for _, kind := range everyKind {
		t.Run(string(kind), func(t *testing.T) {
			onEach(t, func(t *testing.T, w *world) {
				w.bound(invite.Limits{ResendsPerHour: 2})
				s := w.subject(kind, bob)
				again := func() (invite.Invitation, error) { return invite.Invitation{}, resend(w, s) }
				w.clock.Advance(time.Minute)
				first := w.clock.Now()
				err := resend(w, s)
				require.NoError(t, err)
				w.clock.Advance(time.Minute)
				err = resend(w, s)
				require.NoError(t, err, "at the limit")
				w.requireLimit(&invite.LimitError{Quota: invite.ResendQuota, Limit: 2, Until: first.Add(time.Hour)}, again)
				w.clock.Set(first.Add(time.Hour - time.Microsecond))
				w.requireLimit(&invite.LimitError{Quota: invite.ResendQuota, Limit: 2, Until: first.Add(time.Hour)}, again)
				w.clock.Set(first.Add(time.Hour))
				for range 2 {
					err = resend(w, s)
					require.NoError(t, err, "in the next hour")
				}
				w.requireLimit(&invite.LimitError{Quota: invite.ResendQuota, Limit: 2, Until: first.Add(2 * time.Hour)}, again)
			})
		})
	}
}

func TestA16ConcurrentInvitationsStopAtTheLimit(t *testing.T) {
	everystore.RunTwo(t, func(t *testing.T, a, b storage.Store) {
		w := newWorld(t, a)
		handles := []*world{w, w.on(b)}
		for _, h := range handles {
			h.bound(invite.Limits{PerTeam: 5})
		}
		calls := make([]func() error, 16)
		for i := range calls {
			calls[i] = func() error {
				_, err := handles[i%2].invites.Create(w.ctx, w.acme.alice, invite.ToTeam(fmt.Sprintf("n%d@client.example", i), rbac.Member))
				return err
			}
		}
		made := 0
		for _, err := range together(calls...) {
			if err == nil {
				made++
				continue
			}
			require.ErrorIs(t, err, tenancy.ErrLimit)
		}
		assert.Equal(t, 5, made)
		assert.Equal(t, 5, count(w.events(w.acme))[invite.InvitationCreated])
	})
}

func TestLimitsHaveDefaultsAndAreNeverNegative(t *testing.T) {
	w := newWorld(t, memory.New())
	rules, err := policy()
	require.NoError(t, err)
	for _, bad := range []invite.Limits{{PerTeam: -1}, {PerInviter: -1}, {PerAddress: -1}, {ResendsPerHour: -1}} {
		_, err := invite.New(w.store, w.people, rules, tenancy.Env{}, bad)
		require.ErrorIs(t, err, tenancy.ErrInvalid)
	}
	inv := w.invited(w.acme.alice, bob)
	for range invite.DefaultResendsPerHour {
		_, err := w.invites.Resend(w.ctx, w.acme.alice, inv.ID)
		require.NoError(t, err)
	}
	_, err = w.invites.Resend(w.ctx, w.acme.alice, inv.ID)
	require.EqualError(t, err, "limit exceeded: at most 5 resends of an invitation in an hour; the next place is free at 2026-03-01T10:00:00Z at the latest")
}
