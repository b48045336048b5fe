package invite_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/tenancy"
)

const bob = "bob@acme.example"

func TestCreateToTeam(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		inv, err := w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam(" Bob@ACME.example", rbac.Member))
		require.NoError(t, err)
		assert.Equal(t, invite.Invitation{
			ID: inv.ID, Account: w.acme.account.ID, Team: w.acme.team.ID, Kind: invite.ToOneTeam,
			Email: tenancy.Address{Display: "Bob@ACME.example", Normal: bob}, Role: rbac.Member,
			Inviter: w.acme.alice.User, State: invite.Pending, Mailing: 1,
			CreatedAt: start, ExpiresAt: start.Add(7 * 24 * time.Hour), Version: 1,
		}, inv)
		r := w.stored(inv)
		assert.Equal(t, inv, r.Invitation)
		assert.Equal(t, invite.TokenHash{}, r.Hash, "the token is made with the mail and not before")

		event, facts := w.newest(w.acme, invite.InvitationCreated)
		assert.Equal(t, w.acme.alice.Principal(), event.Principal)
		assert.Equal(t, tenancy.Facts{
			"invitation": inv.ID.String(), "kind": "team", "role": "member", "state": "pending", "mailing": "1",
		}, facts)
	})
}

func TestCreateToConversation(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		inv, err := w.invites.Create(w.ctx, w.acme.mike, invite.ToConversation(bob, w.acme.conversation, invite.ExpiresIn(time.Hour)))
		require.NoError(t, err)
		assert.Equal(t, invite.ToOneConversation, inv.Kind)
		assert.Equal(t, rbac.Restricted, inv.Role)
		assert.Equal(t, w.acme.conversation, inv.Conversation)
		assert.Equal(t, start.Add(time.Hour), inv.ExpiresAt)
		_, facts := w.newest(w.acme, invite.InvitationCreated)
		assert.Equal(t, w.acme.conversation.String(), facts["conversation"])
	})
}

func TestF8CreateRefusesBadInputAndChangesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		before := w.picture(w.acme)
		for name, r := range map[string]invite.Request{
			"no request":             {},
			"no address":             invite.ToTeam("", rbac.Member),
			"no domain":              invite.ToTeam("bob", rbac.Member),
			"a header in it":         invite.ToTeam("bob@acme.example\r\nBcc: eve@evil.example", rbac.Member),
			"a mebibyte":             invite.ToTeam(strings.Repeat("a", 1<<20)+"@acme.example", rbac.Member),
			"no role":                invite.ToTeam(bob, 0),
			"the holder":             invite.ToTeam(bob, rbac.Holder),
			"a role of tomorrow":     invite.ToTeam(bob, rbac.Role(200)),
			"no conversation":        invite.ToConversation(bob, tenancy.ConversationID{}),
			"no history to see":      invite.ToTeam(bob, rbac.Member, invite.WithHistory(tenancy.HistoryFromNow)),
			"an unknown history":     invite.ToConversation(bob, w.acme.conversation, invite.WithHistory("some")),
			"a microsecond too soon": invite.ToTeam(bob, rbac.Member, invite.ExpiresIn(time.Hour-time.Microsecond)),
			"a microsecond too late": invite.ToTeam(bob, rbac.Member, invite.ExpiresIn(30*24*time.Hour+time.Microsecond)),
			"expired from the start": invite.ToTeam(bob, rbac.Member, invite.ExpiresIn(0)),
			"before it is made":      invite.ToTeam(bob, rbac.Member, invite.ExpiresIn(-time.Hour)),
		} {
			_, err := w.invites.Create(w.ctx, w.acme.alice, r)
			var invalid *tenancy.InvalidError
			assert.ErrorAs(t, err, &invalid, name)
		}
		assert.Equal(t, before, w.picture(w.acme))

		for _, d := range []time.Duration{time.Hour, 30 * 24 * time.Hour} {
			_, err := w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam(fmt.Sprintf("b%.0f@acme.example", d.Hours()), rbac.Member, invite.ExpiresIn(d)))
			assert.NoError(t, err, "%s is allowed", d)
		}
	})
}

// Who may invite to what: SPEC 5.2 as a table.
func TestA8AndA17NobodyInvitesAboveTheirRights(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		request := func(role rbac.Role) invite.Request { return invite.ToTeam(bob, role) }
		guest := invite.ToConversation(bob, w.acme.conversation)
		before := w.picture(w.acme)
		for _, tt := range []struct {
			name  string
			actor tenancy.Actor
			r     invite.Request
			want  error
		}{
			{"a member to manager", w.acme.mike, request(rbac.Manager), rbac.ErrDenied},
			{"a member to member", w.acme.mike, request(rbac.Member), rbac.ErrDenied},
			{"a member to restricted", w.acme.mike, request(rbac.Restricted), rbac.ErrDenied},
			{"a guest to restricted", w.acme.gina, request(rbac.Restricted), rbac.ErrDenied},
			{"a guest to their conversation", w.acme.gina, guest, rbac.ErrDenied},
			{"nobody", tenancy.Actor{}, request(rbac.Member), tenancy.ErrNoPrincipal},
			{"nobody in the team", tenancy.Actor{Team: w.acme.team.ID}, guest, tenancy.ErrNoPrincipal},
			{"a stranger", tenancy.Actor{User: w.globex.alice.User, Team: w.acme.team.ID}, request(rbac.Member), tenancy.ErrNotFound},
			{"a stranger to a conversation", tenancy.Actor{User: w.globex.alice.User, Team: w.acme.team.ID}, guest, tenancy.ErrNotFound},
			{"into another team's conversation", w.acme.alice, invite.ToConversation(bob, w.globex.conversation), tenancy.ErrNotFound},
			{"into no known conversation", w.acme.alice, invite.ToConversation(bob, tenancy.NewID[tenancy.ConversationID](tenancy.Env{})), tenancy.ErrNotFound},
		} {
			_, err := w.invites.Create(w.ctx, tt.actor, tt.r)
			assert.ErrorIs(t, err, tt.want, tt.name)
		}
		assert.Equal(t, before, w.picture(w.acme))
		var denied *rbac.DeniedError
		_, err := w.invites.Create(w.ctx, w.acme.mike, request(rbac.Member))
		require.ErrorAs(t, err, &denied)
		assert.Equal(t, rbac.InviteMember, denied.Permission, "a denied error says what was missing")
	})
}

// under is a world with a host's own policy.
func under(t *testing.T, rows ...rbac.Row) *world {
	t.Helper()
	w := newWorld(t, memory.New())
	rules, err := rbac.NewPolicy(rows...)
	require.NoError(t, err)
	env := w.env()
	w.people, err = tenancy.New(w.store, rules, env)
	require.NoError(t, err)
	w.invites, err = invite.New(w.store, w.people, rules, env, invite.Limits{})
	require.NoError(t, err)
	w.invites.Bind(w.desk)
	return w
}

func TestA17ARightToInviteMembersIsNoneToInviteGuests(t *testing.T) {
	w := under(t, rbac.Deny(rbac.Member, "guest", "invite", rbac.ByTeam), rbac.Allow(rbac.Member, "member", "invite", rbac.ByTeam))
	_, err := w.invites.Create(w.ctx, w.acme.mike, invite.ToTeam(bob, rbac.Member))
	require.NoError(t, err)
	_, err = w.invites.Create(w.ctx, w.acme.mike, invite.ToConversation(bob, w.acme.conversation))
	require.ErrorIs(t, err, rbac.ErrDenied)
}

func TestA8WhoMayInviteDoesSoUpToTheirOwnRole(t *testing.T) {
	w := under(t, rbac.Allow(rbac.Member, "member", "invite", rbac.ByTeam))
	_, err := w.invites.Create(w.ctx, w.acme.mike, invite.ToTeam(bob, rbac.Manager))
	require.ErrorIs(t, err, rbac.ErrDenied)

	boss := w.admit(w.acme, "boss@acme.example", rbac.Manager)
	above, toManager := w.invite(boss, invite.ToTeam(bob, rbac.Manager))
	_, toMember := w.invite(boss, invite.ToTeam("carl@acme.example", rbac.Member))
	_, err = w.people.ChangeRole(w.ctx, w.acme.alice, boss.User, rbac.Member)
	require.NoError(t, err)
	_, err = w.invites.Resend(w.ctx, boss, above.ID)
	require.ErrorIs(t, err, rbac.ErrDenied)
	_, err = w.invites.Accept(w.ctx, w.user(bob).ID, toManager)
	require.ErrorIs(t, err, invite.ErrInviterLost)
	_, err = w.invites.Accept(w.ctx, w.user("carl@acme.example").ID, toMember)
	require.NoError(t, err)
}

func TestSpec5_5_OnePendingPerScopeAndAddress(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		first, err := w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam(bob, rbac.Member))
		require.NoError(t, err)
		before := w.picture(w.acme)
		for _, same := range []string{bob, "BOB@acme.example", " bob@Acme.Example "} {
			_, err = w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam(same, rbac.Manager))
			var pending *invite.PendingError
			require.ErrorAs(t, err, &pending)
			require.ErrorIs(t, err, tenancy.ErrConflict)
			assert.Equal(t, first, pending.Invitation)
			assert.Equal(t, "Same Name", pending.Inviter)
		}
		assert.Equal(t, before, w.picture(w.acme))

		guest, err := w.invites.Create(w.ctx, w.acme.mike, invite.ToConversation(bob, w.acme.conversation))
		require.NoError(t, err, "a conversation is another scope")
		_, err = w.invites.Create(w.ctx, w.acme.alice, invite.ToConversation(bob, w.acme.conversation))
		var pending *invite.PendingError
		require.ErrorAs(t, err, &pending)
		assert.Equal(t, guest, pending.Invitation)

		other := w.conversation(w.acme, "+15550100099")
		w.desk.open(w.acme.team.ID, other)
		_, err = w.invites.Create(w.ctx, w.acme.mike, invite.ToConversation(bob, other))
		require.NoError(t, err)
		_, err = w.invites.Create(w.ctx, w.globex.alice, invite.ToTeam(bob, rbac.Member))
		require.NoError(t, err, "another account's invitations are in nobody's way")
	})
}

func TestB1LookAlikeAddressesAreOthers(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		for _, address := range []string{"mike2@x.example", "mıke2@x.example", "kim@x.example", "\u212Aim@x.example", "sam@x.example", "ſam@x.example"} {
			inv, err := w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam(address, rbac.Member))
			if errors.Is(err, tenancy.ErrInvalid) {
				continue // a form that is not normal is refused outright
			}
			require.NoError(t, err, address)
			w.token(inv)
			assert.Equal(t, address, w.mail.Last(address).To.Display, "mail goes to the stored form")
		}
		eve := w.user("mıke3@x.example")
		_, token := w.invite(w.acme.alice, invite.ToTeam("mike3@x.example", rbac.Member))
		_, err := w.invites.Accept(w.ctx, eve.ID, token)
		require.ErrorIs(t, err, invite.ErrWrongUser)
	})
}

func TestSpec5_5_ALapsedInvitationMakesRoom(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		old, err := w.invites.Create(w.ctx, w.acme.mike, invite.ToConversation(bob, w.acme.conversation))
		require.NoError(t, err)
		w.clock.Set(old.ExpiresAt.Add(-time.Microsecond))
		_, err = w.invites.Create(w.ctx, w.acme.mike, invite.ToConversation(bob, w.acme.conversation))
		require.ErrorIs(t, err, tenancy.ErrConflict)
		w.clock.Set(old.ExpiresAt)
		anew, err := w.invites.Create(w.ctx, w.acme.mike, invite.ToConversation(bob, w.acme.conversation))
		require.NoError(t, err)

		r := w.stored(old)
		assert.Equal(t, invite.Expired, r.State)
		assert.Equal(t, old.ExpiresAt, r.EndedAt)
		assert.Equal(t, "system:invitation", r.EndedBy)
		assert.Equal(t, 1, count(w.events(w.acme))[invite.InvitationExpired])
		assert.Equal(t, []invite.Invitation{r.Invitation}, w.desk.settled(w.acme.team.ID), "the conversation's room hears of it")
		assert.Equal(t, invite.Pending, w.stored(anew).State)

		_, err = w.invites.Expire(w.ctx, host, old.Team, old.ID)
		require.NoError(t, err)
		assert.Equal(t, 1, count(w.events(w.acme))[invite.InvitationExpired], "it expires once")
	})
}

func TestMembersAreNotInvitedAgain(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		status := func(s tenancy.MembershipStatus) func(*tenancy.Membership) {
			return func(m *tenancy.Membership) { m.Status = s }
		}
		suspended := w.admit(w.acme, "sue@acme.example", rbac.Member)
		w.setMember(w.acme, suspended.User, status(tenancy.MembershipSuspended))
		idle := w.admit(w.acme, "ida@acme.example", rbac.Restricted)
		w.setMember(w.acme, idle.User, status(tenancy.MembershipSuspended))
		gone := w.admit(w.acme, "ron@acme.example", rbac.Member)
		require.NoError(t, w.people.Remove(w.ctx, w.acme.alice, gone.User))

		toTeam := func(who string) error {
			_, err := w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam(who+"@acme.example", rbac.Member))
			return err
		}
		toConversation := func(who string) error {
			_, err := w.invites.Create(w.ctx, w.acme.alice, invite.ToConversation(who+"@acme.example", w.acme.conversation))
			return err
		}
		for _, who := range []string{"alice", "mike", "gina", "sue", "ida"} {
			var member *tenancy.MemberError
			require.ErrorAs(t, toTeam(who), &member, who)
			require.ErrorIs(t, toTeam(who), tenancy.ErrConflict)
			assert.Equal(t, w.acme.team.ID, member.Membership.Team)
		}
		for _, who := range []string{"alice", "mike", "sue", "ida"} {
			var member *tenancy.MemberError
			require.ErrorAs(t, toConversation(who), &member, "%s has access already, or is suspended", who)
		}
		require.NoError(t, toConversation("gina"), "a guest can be invited into one more conversation")
		require.NoError(t, toTeam("ron"), "who was removed can be invited again")
		require.NoError(t, toConversation("ron"))
	})
}

// An unverified user with the address is nobody to the inviter either.
func TestF10AKnownAndAnUnknownAddressLookAlike(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.user("known@else.example")
		w.admit(w.globex, "rival@else.example", rbac.Manager)
		_, err := w.people.Register(w.ctx, host, tenancy.Profile{Email: "unverified@else.example", Name: "X"})
		require.NoError(t, err)

		look := func(address string) (invite.Invitation, tenancy.Facts, string) {
			inv, err := w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam(address, rbac.Member))
			require.NoError(t, err)
			_, facts := w.newest(w.acme, invite.InvitationCreated)
			w.token(inv)
			text := w.mail.Last(address).Text()
			text = strings.NewReplacer(address, "", w.mail.Last(address).Link(), "").Replace(text)
			inv.ID, inv.Email = tenancy.InvitationID{}, tenancy.Address{}
			delete(facts, "invitation")
			return inv, facts, text
		}
		inv, facts, text := look("nobody@else.example")
		for _, address := range []string{"known@else.example", "rival@else.example", "unverified@else.example"} {
			otherInv, otherFacts, otherText := look(address)
			assert.Equal(t, inv, otherInv, address)
			assert.Equal(t, facts, otherFacts, address)
			assert.Equal(t, text, otherText, address)
		}
	})
}

func TestWhoMayNotListMembersIsNotToldOfThem(t *testing.T) {
	w := under(t, rbac.Deny(rbac.Member, "member", "list", rbac.ByTeam))
	_, err := w.invites.Create(w.ctx, w.acme.mike, invite.ToConversation("alice@acme.example", w.acme.conversation))
	require.NoError(t, err)
}

func TestConversationsNeedAnAdmitter(t *testing.T) {
	w := newWorld(t, memory.New())
	rules, err := policy()
	require.NoError(t, err)
	unbound, err := invite.New(w.store, w.people, rules, tenancy.Env{Clock: w.clock.Now}, invite.Limits{})
	require.NoError(t, err)
	_, err = unbound.Create(w.ctx, w.acme.alice, invite.ToConversation(bob, w.acme.conversation))
	require.ErrorContains(t, err, "call Bind")
	_, err = unbound.Create(w.ctx, w.acme.alice, invite.ToTeam(bob, rbac.Member))
	require.NoError(t, err)
}

func TestNewRefusesAPolicyWithoutItsPermissions(t *testing.T) {
	_, err := invite.New(memory.New(), nil, &rbac.Policy{}, tenancy.Env{}, invite.Limits{})
	require.ErrorIs(t, err, rbac.ErrUnknownPermission)
}

// The caller's transaction takes the invitation along.
func TestCreateJoinsTheCallersTransaction(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		before, undo := w.picture(w.acme), errors.New("undo")
		err := w.store.InTx(w.ctx, func(ctx context.Context) error {
			if _, err := w.invites.Create(ctx, w.acme.alice, invite.ToTeam(bob, rbac.Member)); err != nil {
				return err
			}
			return undo
		})
		require.ErrorIs(t, err, undo)
		assert.Equal(t, before, w.picture(w.acme))
	})
}
