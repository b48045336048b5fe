package invite_test

import (
	"context"
	"fmt"
	"slices"
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

// opened lets people of client.example ask to join the acme team.
func (w *world) opened() {
	w.t.Helper()
	w.configure(w.acme, tenancy.Settings{JoinDomains: []string{"client.example"}})
}

// asks has someone with an address ask to join the acme team.
func (w *world) asks(email string, consents ...invite.Consent) invite.Invitation {
	w.t.Helper()
	inv, err := w.invites.Ask(w.ctx, w.user(email).ID, w.acme.team.ID, consents...)
	require.NoError(w.t, err)
	return inv
}

func TestRequestToJoinIsAccepted(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.opened()
		ask := w.asks("Ana@client.example")
		assert.Equal(t, invite.ByRequest, ask.Kind)
		assert.Zero(t, ask.Role)
		assert.Zero(t, w.member(w.acme, ask.Inviter))
		event, facts := w.newest(w.acme, invite.InvitationCreated)
		assert.Equal(t, tenancy.Self(ask.Inviter).Principal(), event.Principal)
		assert.NotContains(t, facts, "role")

		list, err := w.invites.List(w.ctx, w.acme.alice, invite.Filter{Kind: invite.ByRequest, State: invite.Pending}, tenancy.Page{})
		require.NoError(t, err)
		assert.Equal(t, []invite.Invitation{ask}, list.Items)
		got, err := w.invites.Get(w.ctx, w.acme.alice, ask.ID)
		require.NoError(t, err)
		assert.Equal(t, ask, got)

		accepted, err := w.invites.AcceptRequest(w.ctx, w.acme.alice, ask.ID, rbac.Member)
		require.NoError(t, err)
		assert.Equal(t, invite.Accepted, accepted.State)
		assert.Equal(t, rbac.Member, accepted.Role)
		assert.Equal(t, ask.Inviter, accepted.AcceptedBy)
		assert.Equal(t, w.acme.alice.Principal(), accepted.EndedBy)
		assert.Equal(t, rbac.Member, w.member(w.acme, ask.Inviter).Role)
		_, facts = w.newest(w.acme, invite.InvitationAccepted)
		assert.Equal(t, "member", facts["role"])

		var ended *invite.StateError
		_, err = w.invites.AcceptRequest(w.ctx, w.acme.alice, ask.ID, rbac.Manager)
		require.ErrorAs(t, err, &ended)
		var member *tenancy.MemberError
		_, err = w.invites.Ask(w.ctx, ask.Inviter, w.acme.team.ID)
		require.ErrorAs(t, err, &member)
		mine, err := w.invites.MyRequests(w.ctx, ask.Inviter, tenancy.Page{})
		require.NoError(t, err)
		assert.Equal(t, []invite.Invitation{accepted}, mine.Items)
	})
}

// A team is found only by those whose verified address is of one of its domains; to all others it is
// like one that does not exist.
func TestTeamIsFoundByItsDomainsOnly(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		nobody := w.user("ana@client.example").ID
		_, err := w.invites.Ask(w.ctx, nobody, w.acme.team.ID)
		require.ErrorIs(t, err, tenancy.ErrNotFound, "a team that names no domain lets nobody ask")
		w.opened()
		unverified, err := w.people.Register(w.ctx, host, tenancy.Profile{ExternalID: "u", Email: "u@client.example", Name: "U"})
		require.NoError(t, err)
		before := w.picture(w.acme)
		for _, address := range []string{"a@evilclient.example", "a@sub.client.example", "a@client.example.evil.example"} {
			_, err := w.invites.Ask(w.ctx, w.user(address).ID, w.acme.team.ID)
			require.ErrorIs(t, err, tenancy.ErrNotFound, address)
		}
		_, err = w.invites.Ask(w.ctx, unverified.ID, w.acme.team.ID)
		require.ErrorIs(t, err, tenancy.ErrNotFound)
		_, err = w.invites.Ask(w.ctx, nobody, tenancy.NewID[tenancy.TeamID](tenancy.Env{}))
		require.ErrorIs(t, err, tenancy.ErrNotFound)
		_, err = w.invites.Ask(w.ctx, nobody, w.globex.team.ID)
		require.ErrorIs(t, err, tenancy.ErrNotFound)
		assert.Equal(t, before, w.picture(w.acme))
		for name, freeze := range freezes {
			if freeze.thaw == nil {
				continue
			}
			require.NoError(t, freeze.freeze(w, w.acme), name)
			_, err := w.invites.Ask(w.ctx, nobody, w.acme.team.ID)
			require.ErrorIs(t, err, freeze.want, name)
			_, err = w.invites.Ask(w.ctx, w.user("a@evilclient.example").ID, w.acme.team.ID)
			require.ErrorIs(t, err, tenancy.ErrNotFound, name)
			require.NoError(t, freeze.thaw(w, w.acme), name)
		}
		_, err = w.people.Configure(w.ctx, w.acme.alice, tenancy.Settings{JoinDomains: []string{"gmail.com"}})
		require.ErrorIs(t, err, tenancy.ErrInvalid)
	})
}

func TestRequestIsPendingOnce(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.opened()
		w.invite(w.acme.alice, invite.ToTeam("ana@client.example", rbac.Member)) // is no request
		ask := w.asks("ana@client.example")
		_, err := w.invites.Ask(w.ctx, ask.Inviter, w.acme.team.ID)
		var pending *invite.PendingError
		require.ErrorAs(t, err, &pending)
		assert.Equal(t, ask.ID, pending.Invitation.ID)
		w.clock.Advance(invite.DefaultExpiry)
		_, err = w.invites.AcceptRequest(w.ctx, w.acme.alice, ask.ID, rbac.Member)
		require.ErrorIs(t, err, tenancy.ErrExpired, "exactly at its time")
		again := w.asks("ana@client.example")
		assert.NotEqual(t, ask.ID, again.ID)
		assert.Equal(t, invite.Expired, w.stored(ask).State)
	})
}

func TestRequestIsDeclinedOrWithdrawn(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.opened()
		ask := w.asks("ana@client.example")
		for range 2 {
			declined, err := w.invites.DeclineRequest(w.ctx, w.acme.alice, ask.ID)
			require.NoError(t, err)
			assert.Equal(t, invite.Declined, declined.State)
		}
		var ended *invite.StateError
		_, err := w.invites.WithdrawRequest(w.ctx, ask.Inviter, w.acme.team.ID, ask.ID)
		require.ErrorAs(t, err, &ended)
		other := w.asks("ana@client.example")
		for range 2 {
			withdrawn, err := w.invites.WithdrawRequest(w.ctx, ask.Inviter, w.acme.team.ID, other.ID)
			require.NoError(t, err)
			assert.Equal(t, invite.Revoked, withdrawn.State)
		}
		_, err = w.invites.AcceptRequest(w.ctx, w.acme.alice, other.ID, rbac.Member)
		require.ErrorAs(t, err, &ended)
		assert.Zero(t, w.member(w.acme, ask.Inviter))
		invited, _ := w.invite(w.acme.alice, invite.ToTeam("ana@client.example", rbac.Member))
		for name, id := range map[string]tenancy.InvitationID{"an invitation": invited.ID, "a random id": {1}} {
			_, err := w.invites.WithdrawRequest(w.ctx, ask.Inviter, w.acme.team.ID, id)
			require.ErrorIs(t, err, tenancy.ErrNotFound, name)
			_, err = w.invites.AcceptRequest(w.ctx, w.acme.alice, id, rbac.Member)
			require.ErrorIs(t, err, tenancy.ErrNotFound, name)
			_, err = w.invites.DeclineRequest(w.ctx, w.acme.alice, id)
			require.ErrorIs(t, err, tenancy.ErrNotFound, name)
		}
		theirs := w.asks("ben@client.example")
		_, err = w.invites.WithdrawRequest(w.ctx, ask.Inviter, w.acme.team.ID, theirs.ID)
		require.ErrorIs(t, err, tenancy.ErrNotFound, "somebody else's")
	})
}

// A8, A10 for requests: who may not invite, or is of another team, answers none; and nobody lets in
// with a role above their own.
func TestRequestIsAnsweredByWhoMayInvite(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.opened()
		ask := w.asks("ana@client.example")
		before := w.picture(w.acme)
		for actor, want := range map[tenancy.Actor]error{w.acme.mike: rbac.ErrDenied, w.acme.gina: rbac.ErrDenied, w.globex.alice: tenancy.ErrNotFound} {
			_, err := w.invites.AcceptRequest(w.ctx, actor, ask.ID, rbac.Member)
			require.ErrorIs(t, err, want)
			_, err = w.invites.DeclineRequest(w.ctx, actor, ask.ID)
			require.ErrorIs(t, err, want)
		}
		for _, role := range []rbac.Role{0, rbac.Holder, 99} {
			_, err := w.invites.AcceptRequest(w.ctx, w.acme.alice, ask.ID, role)
			require.ErrorIs(t, err, tenancy.ErrInvalid)
		}
		_, err := w.people.SetSeats(w.ctx, host, w.acme.account.ID, tenancy.Seats{Rule: tenancy.HardSeats, Limit: 2})
		require.NoError(t, err)
		var full *tenancy.SeatsError
		_, err = w.invites.AcceptRequest(w.ctx, w.acme.alice, ask.ID, rbac.Member)
		require.ErrorAs(t, err, &full)
		assert.Equal(t, before, w.picture(w.acme))
		_, err = w.invites.AcceptRequest(w.ctx, w.acme.alice, ask.ID, rbac.Restricted)
		require.NoError(t, err, "a guest takes no seat")
	})
}

func TestRequestOfWhoHasChangedSince(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.opened()
		moved, joined, gone, away := w.asks("moved@client.example"), w.asks("joined@client.example"), w.asks("gone@client.example"), w.asks("away@client.example")
		_, err := w.people.ChangeEmail(w.ctx, host, moved.Inviter, "moved@elsewhere.example", true)
		require.NoError(t, err)
		_, err = w.invites.AcceptRequest(w.ctx, w.acme.alice, moved.ID, rbac.Member)
		require.ErrorIs(t, err, invite.ErrAddressChanged)

		_, err = w.people.Admit(w.ctx, host, tenancy.Admission{Team: w.acme.team.ID, User: joined.Inviter, Role: rbac.Restricted})
		require.NoError(t, err)
		var member *tenancy.MemberError
		_, err = w.invites.AcceptRequest(w.ctx, w.acme.alice, joined.ID, rbac.Manager)
		require.ErrorAs(t, err, &member, "a guest becomes no manager in passing")

		w.suspendUser(away.Inviter)
		_, err = w.invites.AcceptRequest(w.ctx, w.acme.alice, away.ID, rbac.Member)
		require.ErrorIs(t, err, tenancy.ErrInactive)

		require.NoError(t, w.people.DeleteUser(w.ctx, host, gone.Inviter, tenancy.UserID{}))
		r := w.stored(gone)
		assert.Equal(t, invite.Revoked, r.State, "a deleted user asks for nothing")
		assert.Zero(t, r.Email)
		assert.Equal(t, invite.Pending, w.stored(away).State)
	})
}

// A16 for requests: bounded for the team, and for the user whatever became of them.
func TestA16_RequestsAreBounded(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.opened()
		w.bound(invite.Limits{RequestsPerTeam: 2, RequestsPerDay: 3})
		w.asks("a@client.example")
		w.clock.Advance(time.Hour)
		w.asks("b@client.example")
		cleo := w.user("c@client.example").ID
		var over *invite.LimitError
		_, err := w.invites.Ask(w.ctx, cleo, w.acme.team.ID)
		require.ErrorAs(t, err, &over)
		assert.Equal(t, invite.LimitError{Quota: invite.AskedQuota, Limit: 2, Until: start.Add(invite.DefaultExpiry)}, *over)
		w.invite(w.acme.alice, invite.ToTeam("x@client.example", rbac.Member)) // counts for itself
		w.clock.Advance(invite.DefaultExpiry - time.Hour)
		for range 3 {
			ask, err := w.invites.Ask(w.ctx, cleo, w.acme.team.ID)
			require.NoError(t, err)
			_, err = w.invites.DeclineRequest(w.ctx, w.acme.alice, ask.ID)
			require.NoError(t, err)
		}
		before := w.picture(w.acme)
		_, err = w.invites.Ask(w.ctx, cleo, w.acme.team.ID)
		require.ErrorAs(t, err, &over)
		assert.Equal(t, invite.LimitError{Quota: invite.AskingQuota, Limit: 3, Until: w.clock.Now().Add(24 * time.Hour)}, *over)
		assert.Equal(t, before, w.picture(w.acme))
		w.clock.Advance(24 * time.Hour)
		_, err = w.invites.Ask(w.ctx, cleo, w.acme.team.ID)
		require.NoError(t, err)
	})
}

// Of two managers who answer at once, on two handles, and the user who withdraws, one is heard.
func TestRequestIsAnsweredOnce(t *testing.T) {
	everystore.RunTwo(t, func(t *testing.T, a, b storage.Store) {
		w := newWorld(t, a)
		other := w.on(b)
		w.opened()
		acts := map[string]func(w *world, ask invite.Invitation) error{
			"accept": func(w *world, ask invite.Invitation) error {
				_, err := w.invites.AcceptRequest(w.ctx, w.acme.alice, ask.ID, rbac.Member)
				return err
			},
			"decline": func(w *world, ask invite.Invitation) error {
				_, err := w.invites.DeclineRequest(w.ctx, w.acme.alice, ask.ID)
				return err
			},
			"withdraw": func(w *world, ask invite.Invitation) error {
				_, err := w.invites.WithdrawRequest(w.ctx, ask.Inviter, w.acme.team.ID, ask.ID)
				return err
			},
		}
		n := 0
		for _, pair := range [][2]string{{"accept", "decline"}, {"accept", "withdraw"}, {"decline", "withdraw"}, {"accept", "accept"}} {
			for range everystore.Rounds(50) {
				n++
				ask := w.asks(fmt.Sprintf("asker-%d@client.example", n))
				var errs [2]error
				var done sync.WaitGroup
				barrier := make(chan struct{})
				for i, handle := range []*world{w, other} {
					done.Go(func() { <-barrier; errs[i] = acts[pair[i]](handle, ask) })
				}
				close(barrier)
				done.Wait()
				require.NotEqual(t, errs[0] == nil, errs[1] == nil, "%v: %v", pair, errs)
				for _, err := range errs {
					var ended *invite.StateError
					require.True(t, err == nil || assert.ErrorAs(t, err, &ended))
				}
				require.Equal(t, w.stored(ask).State == invite.Accepted, !w.member(w.acme, ask.Inviter).User.IsZero())
			}
		}
	})
}

// The terms of a team are agreed to with the request, and hold when it is answered.
func TestRequestComesWithTheTerms(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.configure(w.acme, tenancy.Settings{JoinDomains: []string{"client.example"}, Terms: "2026-01"})
		ana := w.user("ana@client.example").ID
		var needs *invite.TermsError
		_, err := w.invites.Ask(w.ctx, ana, w.acme.team.ID)
		require.ErrorAs(t, err, &needs)
		assert.Equal(t, "2026-01", needs.Needed)
		ask := w.asks("ana@client.example", invite.Terms("2026-01"))
		w.configure(w.acme, tenancy.Settings{JoinDomains: []string{"client.example"}, Terms: "2026-02"})
		_, err = w.invites.AcceptRequest(w.ctx, w.acme.alice, ask.ID, rbac.Member)
		require.ErrorAs(t, err, &needs)
		w.configure(w.acme, tenancy.Settings{JoinDomains: []string{"client.example"}, Terms: "2026-01"})
		accepted, err := w.invites.AcceptRequest(w.ctx, w.acme.alice, ask.ID, rbac.Member)
		require.NoError(t, err)
		assert.Equal(t, "2026-01", accepted.Terms)
	})
}

// The answer to a request is asked for through the outbox, and holds no link. What the user took back
// is answered by nobody.
func TestRequestIsAnsweredByMail(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.opened()
		yes, no, back, gone := w.asks("yes@client.example"), w.asks("no@client.example"), w.asks("back@client.example"), w.asks("gone@client.example")
		w.drain()
		require.Empty(t, w.mail.All())
		_, err := w.invites.AcceptRequest(w.ctx, w.acme.alice, yes.ID, rbac.Member)
		require.NoError(t, err)
		for _, ask := range []invite.Invitation{no, gone} {
			_, err = w.invites.DeclineRequest(w.ctx, w.acme.alice, ask.ID)
			require.NoError(t, err)
		}
		_, err = w.invites.WithdrawRequest(w.ctx, back.Inviter, w.acme.team.ID, back.ID)
		require.NoError(t, err)
		require.NoError(t, w.people.DeleteUser(w.ctx, host, gone.Inviter, tenancy.UserID{}))
		w.drain()
		require.Len(t, w.mail.All(), 2)
		m := w.mail.Last("yes@client.example")
		assert.Equal(t, invite.Accepted, m.Answer)
		assert.Equal(t, "You are in the team Sales", m.Subject())
		assert.Equal(t, "Your request to join the team Sales was accepted. You are in it as member.\n", m.Text())
		assert.Equal(t, "<p>Your request to join the team Sales was accepted. You are in it as member.</p>\n", m.HTML())
		assert.True(t, m.Token.IsZero())
		assert.Empty(t, m.Link())
		m = w.mail.Last("no@client.example")
		assert.Equal(t, invite.Declined, m.Answer)
		assert.Equal(t, "Your request to join Sales was declined", m.Subject())
		assert.Equal(t, "Your request to join the team Sales was declined.\n", m.Text())
	})
}

// The request says whose address it was, also when they have another one since.
func TestDeletingAUserErasesTheAddressTheyAskedWith(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.opened()
		declined := w.asks("first@client.example")
		_, err := w.invites.DeclineRequest(w.ctx, w.acme.alice, declined.ID)
		require.NoError(t, err)
		_, err = w.people.ChangeEmail(w.ctx, host, declined.Inviter, "second@client.example", true)
		require.NoError(t, err)
		pending, err := w.invites.Ask(w.ctx, declined.Inviter, w.acme.team.ID)
		require.NoError(t, err)
		_, err = w.people.ChangeEmail(w.ctx, host, declined.Inviter, "third@client.example", false)
		require.NoError(t, err)
		sent, _ := w.invite(w.acme.alice, invite.ToTeam("first@client.example", rbac.Member))
		_, err = w.invites.Revoke(w.ctx, w.acme.alice, sent.ID)
		require.NoError(t, err)

		require.NoError(t, w.people.DeleteUser(w.ctx, host, declined.Inviter, tenancy.UserID{}))
		assert.Zero(t, w.stored(declined).Email)
		assert.Zero(t, w.stored(pending).Email)
		assert.Equal(t, sent.Email, w.stored(sent).Email, "what others sent is not the user's own")
	})
}

// C1: somebody who is suspended as a whole is told that, and not which teams there are.
func TestC1_ASuspendedUserLearnsOfNoTeam(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.opened()
		eve := w.user("eve@client.example")
		_, err := w.people.SuspendUser(w.ctx, host, eve.ID)
		require.NoError(t, err)
		_, there := w.invites.Ask(w.ctx, eve.ID, w.acme.team.ID)
		_, nowhere := w.invites.Ask(w.ctx, eve.ID, tenancy.TeamID{15: 1})
		require.ErrorIs(t, there, tenancy.ErrInactive)
		assert.Equal(t, there, nowhere)
	})
}

// Spec 5.8: the domain is asked for when somebody is let in, also by a request.
func TestSpec5_8_RequestIsAcceptedForAllowedDomains(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.opened()
		asked := w.asks("eve@client.example")
		team, err := w.people.Team(w.ctx, w.acme.alice)
		require.NoError(t, err)
		allowed := team.Settings
		allowed.InviteDomains = []string{"acme.example"}
		_, err = w.people.Configure(w.ctx, w.acme.alice, allowed)
		require.NoError(t, err)
		_, err = w.invites.AcceptRequest(w.ctx, w.acme.alice, asked.ID, rbac.Member)
		var refused *invite.DomainError
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, "client.example", refused.Domain)
		allowed.InviteDomains = []string{"acme.example", "client.example"}
		_, err = w.people.Configure(w.ctx, w.acme.alice, allowed)
		require.NoError(t, err)
		_, err = w.invites.AcceptRequest(w.ctx, w.acme.alice, asked.ID, rbac.Member)
		require.NoError(t, err)
	})
}

// What is listed is what can be asked, for whoever it is.
func TestSpec5_JoinableTeamsAreThoseThatCanBeAsked(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		join := tenancy.Settings{JoinDomains: []string{"client.example"}}
		var teams []tenancy.Team
		team := func(name string) tenancy.Actor {
			made, err := w.people.CreateTeam(w.ctx, w.acme.holder(), tenancy.TeamSpec{Name: name})
			require.NoError(t, err)
			teams = append(teams, made)
			return tenancy.Actor{User: w.acme.alice.User, Team: made.ID}
		}
		for name, settings := range map[string]tenancy.Settings{
			"Open": join, "Open, too": {JoinDomains: []string{"a.example", "client.example", "gmx.example"}},
			"Silent": {}, "Of others": {JoinDomains: []string{"sub.client.example"}}, "No more": join, "Archived": join,
		} {
			manager := team(name)
			_, err := w.people.Configure(w.ctx, manager, settings)
			require.NoError(t, err)
			switch name {
			case "No more":
				_, err = w.people.Configure(w.ctx, manager, tenancy.Settings{})
			case "Archived":
				_, err = w.people.Archive(w.ctx, manager, tenancy.Leftovers{})
			}
			require.NoError(t, err)
		}
		w.configure(w.globex, join)
		_, err := w.people.SuspendAccount(w.ctx, host, w.globex.account.ID)
		require.NoError(t, err)
		teams = append(teams, w.globex.team)
		slips := team("By hand") // its settings were not written by Configure
		require.NoError(t, w.store.InTx(w.ctx, func(ctx context.Context) error {
			row, err := w.store.LockTeam(ctx, slips.Team)
			require.NoError(t, err)
			row.Settings.JoinDomains = []string{"client.example", "gmail.com"}
			return w.store.UpdateTeam(ctx, row)
		}))

		open := slices.IndexFunc(teams, func(t tenancy.Team) bool { return t.Name == "Open" })
		place := side{team: teams[open], alice: tenancy.Actor{User: w.acme.alice.User, Team: teams[open].ID}}
		member := w.admit(place, "member@client.example", rbac.Member)
		suspended := w.admit(place, "suspended@client.example", rbac.Member)
		_, err = w.people.Suspend(w.ctx, place.alice, suspended.User)
		require.NoError(t, err)
		removed := w.admit(place, "removed@client.example", rbac.Member)
		require.NoError(t, w.people.Remove(w.ctx, place.alice, removed.User))
		unverified, err := w.people.Register(w.ctx, host, tenancy.Profile{ExternalID: "u", Email: "u@client.example", Name: "U"})
		require.NoError(t, err)
		for who, names := range map[tenancy.UserID][]string{
			w.user("a@client.example").ID: {"Open", "Open, too", "By hand"}, member.User: {"Open, too", "By hand"},
			suspended.User: {"Open, too", "By hand"}, removed.User: {"Open", "Open, too", "By hand"},
			w.user("a@sub.client.example").ID: {"Of others"}, w.user("a@xclient.example").ID: nil,
			w.user("a@gmail.com").ID: nil, unverified.ID: nil,
		} {
			var listed []tenancy.TeamID
			var named []string
			for page := (tenancy.Page{Limit: 1}); ; {
				list, err := w.people.JoinableTeams(w.ctx, who, page)
				require.NoError(t, err)
				for _, j := range list.Items {
					listed, named = append(listed, j.Team), append(named, j.Name)
				}
				if page.After = list.Next; page.After == "" {
					break
				}
			}
			assert.ElementsMatch(t, names, named)
			for _, team := range teams {
				_, err := w.invites.Ask(w.ctx, who, team.ID)
				assert.Equal(t, slices.Contains(listed, team.ID), err == nil, "%s: %v", team.Name, err)
			}
		}
		w.suspendUser(removed.User)
		_, err = w.people.JoinableTeams(w.ctx, removed.User, tenancy.Page{})
		require.ErrorIs(t, err, tenancy.ErrInactive)
		_, err = w.people.JoinableTeams(w.ctx, tenancy.UserID{}, tenancy.Page{})
		require.ErrorIs(t, err, tenancy.ErrNoPrincipal)
	})
}
