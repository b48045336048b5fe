package invite_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/tenancy"
)

func TestSpec5_6_OnlyAddressesOfTheTeamsDomainsAreInvited(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.configure(w.acme, tenancy.Settings{InviteDomains: []string{"Client.example", "bücher.example", "client.example"}})
		for _, address := range []string{"bob@client.example", "carl@CLIENT.example", "bob@bücher.example", "eve@xn--bcher-kva.example"} {
			for _, r := range []invite.Request{invite.ToTeam(address, rbac.Member), invite.ToConversation(address, w.acme.conversation)} {
				_, err := w.invites.Create(w.ctx, w.acme.alice, r)
				require.NoError(t, err, address)
			}
		}
		before := w.picture(w.acme)
		for _, address := range []string{
			bob, "bob@client.example.evil.example", "bob@evilclient.example", "bob@sub.client.example", "bob@example.client", "client.example@evil.example",
		} {
			for _, r := range []invite.Request{invite.ToTeam(address, rbac.Member), invite.ToConversation(address, w.acme.conversation)} {
				_, err := w.invites.Create(w.ctx, w.acme.alice, r)
				var refused *invite.DomainError
				require.ErrorAs(t, err, &refused, address)
				require.ErrorIs(t, err, rbac.ErrDenied)
				_, domain, _ := strings.Cut(address, "@")
				assert.Equal(t, &invite.DomainError{Domain: domain, Allowed: []string{"client.example", "xn--bcher-kva.example"}}, refused)
			}
		}
		assert.Equal(t, before, w.picture(w.acme))
		_, err := w.invites.Create(w.ctx, w.globex.alice, invite.ToTeam(bob, rbac.Member))
		require.NoError(t, err, "another team has settings of its own")
		_, err = w.invites.Offer(w.ctx, w.acme.holder(), bob)
		require.NoError(t, err, "an account is no team")
	})
}

func TestSpec5_8_DomainsAreCheckedAnewAtResendAndAccept(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		user := w.user(bob)
		inv, token := w.invite(w.acme.alice, invite.ToTeam(bob, rbac.Member))
		_, guestToken := w.invite(w.acme.mike, invite.ToConversation(bob, w.acme.conversation))
		w.configure(w.acme, tenancy.Settings{InviteDomains: []string{"client.example"}, TrustInviters: true})
		before := w.picture(w.acme)
		want := &invite.DomainError{Domain: "acme.example", Allowed: []string{"client.example"}}
		var refused *invite.DomainError
		for _, token := range []invite.Token{token, guestToken} {
			_, err := w.invites.Accept(w.ctx, user.ID, token)
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, want, refused)
		}
		_, err := w.invites.Resend(w.ctx, w.acme.alice, inv.ID)
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, want, refused)
		assert.Equal(t, before, w.picture(w.acme), "and it stays as it was")
		w.configure(w.acme, tenancy.Settings{InviteDomains: []string{"acme.example"}})
		_, err = w.invites.Accept(w.ctx, user.ID, token)
		require.NoError(t, err)
	})
}

func TestSpec5_9_TermsAreAgreedToByAccepting(t *testing.T) {
	for _, kind := range []invite.Kind{invite.ToOneTeam, invite.ToOneConversation} {
		t.Run(string(kind), func(t *testing.T) {
			onEach(t, func(t *testing.T, w *world) {
				s := w.subject(kind, bob)
				w.configure(w.acme, tenancy.Settings{Terms: "2026-01"})
				seen, err := w.invites.Preview(w.ctx, s.token)
				require.NoError(t, err)
				assert.Equal(t, "2026-01", seen.Terms)
				before := w.picture(w.acme)
				for _, consents := range [][]invite.Consent{nil, {invite.Terms("")}, {invite.Terms("2025-12")}, {invite.Terms(strings.Repeat("x", 1<<20))}} {
					_, err := w.invites.Accept(w.ctx, s.invitee, s.token, consents...)
					var refused *invite.TermsError
					require.ErrorAs(t, err, &refused)
					require.ErrorIs(t, err, tenancy.ErrConflict)
					assert.Equal(t, &invite.TermsError{Needed: "2026-01"}, refused)
				}
				assert.Equal(t, before, w.picture(w.acme), "registered and not joined")
				assert.False(t, w.isIn(s))
				accepted, err := w.invites.Accept(w.ctx, s.invitee, s.token, invite.Terms("2026-01"))
				require.NoError(t, err)
				assert.Equal(t, "2026-01", accepted.Terms)
				assert.Equal(t, "2026-01", w.stored(s.inv).Terms)
				_, facts := w.newest(w.acme, invite.InvitationAccepted)
				assert.Equal(t, "2026-01", facts["terms"])
				assert.True(t, w.isIn(s))
			})
		})
	}
}

func TestTermsThatNobodyAskedForAreNotKept(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		s := w.subject(invite.ToOneTeam, bob)
		accepted, err := w.invites.Accept(w.ctx, s.invitee, s.token, invite.Terms("2026-01"))
		require.NoError(t, err)
		assert.Empty(t, accepted.Terms)
		_, facts := w.newest(w.acme, invite.InvitationAccepted)
		assert.NotContains(t, facts, "terms")
		declined := w.subject(invite.ToOneTeam, "carl@acme.example")
		w.configure(w.acme, tenancy.Settings{Terms: "2026-01"})
		require.NoError(t, decline(w, declined), "to say no takes no consent")
	})
}

// defines makes a custom role in a side's account.
func (w *world) defines(s side, spec tenancy.RoleSpec) tenancy.CustomRole {
	w.t.Helper()
	role, err := w.people.DefineRole(w.ctx, s.holder(), spec)
	require.NoError(w.t, err)
	return role
}

var auditor = tenancy.RoleSpec{Name: "Auditor", Base: rbac.Restricted, Permissions: []string{"audit: read"}}

func TestAcceptIntoACustomRole(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		user, role := w.user(bob), w.defines(w.acme, auditor)
		inv, token := w.invite(w.acme.alice, invite.ToTeamAs(bob, role.ID))
		assert.Equal(t, rbac.Restricted, inv.Role)
		assert.Equal(t, role.ID, inv.Custom)
		assert.Equal(t, "Auditor", w.mail.Last(bob).Custom)
		assert.Contains(t, w.mail.Last(bob).Text(), "join the team Sales as Auditor")
		_, facts := w.newest(w.acme, invite.InvitationCreated)
		assert.Equal(t, role.ID.String(), facts["role"])
		seen, err := w.invites.Preview(w.ctx, token)
		require.NoError(t, err)
		assert.Equal(t, "Auditor", seen.Custom)
		_, err = w.invites.Accept(w.ctx, user.ID, token)
		require.NoError(t, err)
		m := w.member(w.acme, user.ID)
		assert.Equal(t, role.ID, m.Custom)
		assert.Equal(t, rbac.Restricted, m.Role)
		require.NoError(t, w.people.Check(w.ctx, tenancy.Actor{User: user.ID, Team: w.acme.team.ID}, rbac.ReadAudit))
		_, facts = w.newest(w.acme, tenancy.MemberJoined)
		assert.Equal(t, role.ID.String(), facts["role"])
	})
}

func TestA8NobodyInvitesToACustomRoleAboveTheirRights(t *testing.T) {
	w := under(t, rbac.Allow(rbac.Member, "member", "invite", rbac.ByTeam))
	role := w.defines(w.acme, auditor)
	less := w.defines(w.acme, tenancy.RoleSpec{Name: "Sender", Base: rbac.Restricted, Permissions: []string{"message: send"}})
	_, err := w.invites.Create(w.ctx, w.acme.mike, invite.ToTeamAs(bob, role.ID))
	require.ErrorIs(t, err, rbac.ErrDenied)
	_, err = w.invites.Create(w.ctx, w.acme.mike, invite.ToTeamAs(bob, less.ID))
	require.NoError(t, err)
	foreign := w.defines(w.globex, auditor)
	for _, id := range []tenancy.RoleID{foreign.ID, tenancy.NewID[tenancy.RoleID](tenancy.Env{})} {
		_, err = w.invites.Create(w.ctx, w.acme.alice, invite.ToTeamAs(bob, id))
		require.Equal(t, tenancy.ErrNotFound, err)
	}
	_, err = w.invites.Create(w.ctx, w.acme.alice, invite.ToTeamAs(bob, tenancy.RoleID{}))
	require.ErrorIs(t, err, tenancy.ErrInvalid)
}

// A role that grows while its invitation waits is measured against the inviter as they are then.
func TestA8ACustomRoleIsMeasuredAnewAtAccept(t *testing.T) {
	w := under(t, rbac.Allow(rbac.Member, "member", "invite", rbac.ByTeam))
	spec := tenancy.RoleSpec{Name: "Sender", Base: rbac.Restricted, Permissions: []string{"message: send"}}
	role := w.defines(w.acme, spec)
	inv, token := w.invite(w.acme.mike, invite.ToTeamAs(bob, role.ID))
	spec.Permissions = append(spec.Permissions, "audit: read")
	_, err := w.people.EditRole(w.ctx, w.acme.holder(), role.ID, spec)
	require.NoError(t, err)
	_, err = w.invites.Accept(w.ctx, w.user(bob).ID, token)
	require.ErrorIs(t, err, invite.ErrInviterLost)
	assert.Equal(t, invite.Pending, w.stored(inv).State)
}

func TestSpec5_8_ARoleThatIsDeletedCannotBeAccepted(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.configure(w.acme, tenancy.Settings{TrustInviters: true})
		role := w.defines(w.acme, auditor)
		inv, token := w.invite(w.acme.alice, invite.ToTeamAs(bob, role.ID))
		require.NoError(t, w.people.DeleteRole(w.ctx, w.acme.holder(), role.ID))
		before := w.picture(w.acme)
		user := w.user(bob)
		_, err := w.invites.Accept(w.ctx, user.ID, token)
		require.ErrorIs(t, err, invite.ErrRoleGone)
		require.ErrorIs(t, err, tenancy.ErrConflict)
		_, err = w.invites.Resend(w.ctx, w.acme.alice, inv.ID)
		require.ErrorIs(t, err, invite.ErrRoleGone)
		assert.Equal(t, before, w.picture(w.acme))
		seen, err := w.invites.Preview(w.ctx, token)
		require.NoError(t, err)
		assert.Empty(t, seen.Custom)
		_, err = w.invites.Revoke(w.ctx, w.acme.alice, inv.ID)
		require.NoError(t, err)
	})
}

// A custom role takes a seat whatever its base.
func TestACustomRoleTakesASeat(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		role := w.defines(w.acme, auditor)
		_, token := w.invite(w.acme.alice, invite.ToTeamAs(bob, role.ID))
		w.limit(w.acme, tenancy.Seats{Rule: tenancy.HardSeats, Limit: 3, CountPending: true})
		_, err := w.invites.Create(w.ctx, w.acme.alice, invite.ToTeamAs("carl@acme.example", role.ID))
		var full *tenancy.SeatsError
		require.ErrorAs(t, err, &full)
		assert.Equal(t, tenancy.SeatsError{Limit: 3, Needed: 4}, *full)
		w.limit(w.acme, tenancy.Seats{Rule: tenancy.HardSeats, Limit: 2})
		_, err = w.invites.Accept(w.ctx, w.user(bob).ID, token)
		require.ErrorAs(t, err, &full)
		assert.Equal(t, tenancy.SeatsError{Limit: 2, Needed: 3}, *full)
	})
}

func TestAGuestOfTheConversationIsToldThatTheyAreIn(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		user := w.user(bob)
		_, token := w.invite(w.acme.mike, invite.ToConversation(bob, w.acme.conversation))
		_, err := w.invites.Accept(w.ctx, user.ID, token)
		require.NoError(t, err)
		before := w.picture(w.acme)
		_, err = w.invites.Create(w.ctx, w.acme.mike, invite.ToConversation(bob, w.acme.conversation))
		var guest *invite.GuestError
		require.ErrorAs(t, err, &guest)
		require.ErrorIs(t, err, tenancy.ErrConflict)
		assert.Equal(t, w.member(w.acme, user.ID), guest.Membership)
		assert.Equal(t, w.acme.conversation, guest.Conversation)
		assert.Equal(t, before, w.picture(w.acme))

		other := w.conversation(w.acme, "+15550100099")
		w.desk.open(w.acme.team.ID, other)
		_, token = w.invite(w.acme.mike, invite.ToConversation(bob, other))
		w.desk.guests[user.ID] = append(w.desk.guests[user.ID], other) // let in by another way meanwhile
		_, err = w.invites.Accept(w.ctx, user.ID, token)
		require.ErrorAs(t, err, &guest)
		assert.Equal(t, other, guest.Conversation)
	})
}

func TestAnAcceptedErrorNamesWhatWasAccepted(t *testing.T) {
	w := newWorld(t, memory.New())
	s := w.subject(invite.ToOneTeam, bob)
	require.NoError(t, accept(w, s))
	require.EqualError(t, accept(w, s), "conflict: the user has accepted the invitation to Sales before")
	o := w.subject(invite.ToOneAccount, "carl@acme.example")
	require.NoError(t, accept(w, o))
	require.EqualError(t, accept(w, o), "conflict: the user has accepted the invitation to Staffing before")
}
