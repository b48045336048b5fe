package invite_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// second is another team of acme that alice manages.
func (w *world) second(name string) tenancy.Actor {
	w.t.Helper()
	team, err := w.people.CreateTeam(w.ctx, w.acme.holder(), tenancy.TeamSpec{Name: name, Identity: tenancy.Chat(name)})
	require.NoError(w.t, err)
	return tenancy.Actor{User: w.acme.alice.User, Team: team.ID}
}

func roles(teams ...tenancy.TeamID) (into []invite.TeamRole) {
	for _, team := range teams {
		into = append(into, invite.TeamRole{Team: team, Role: rbac.Member})
	}
	return into
}

func TestSpec5_BatchIsOneInvitationForEachTeamAndOneMail(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		support := w.second("support")
		into := roles(support.Team, w.acme.team.ID)
		into[0].Role = rbac.Manager
		made, err := w.invites.Batch(w.ctx, w.acme.alice, " Bob@acme.example", into)
		require.NoError(t, err)
		require.Len(t, made, 2)
		for i, inv := range made {
			assert.Equal(t, into[i].Team, inv.Team, "in the order of the teams given")
			assert.Equal(t, into[i].Role, inv.Role)
			assert.Equal(t, made[0].Batch, inv.Batch)
			assert.Equal(t, inv, w.stored(inv).Invitation)
		}
		assert.False(t, made[0].Batch.IsZero())
		asks := slices.DeleteFunc(kinds(w.accountLog(w.acme.account.ID)), func(kind string) bool { return kind != invite.InvitationBatched })
		assert.Len(t, asks, 1)

		w.drain()
		require.Len(t, w.mail.All(), 1, "one mail")
		mail := w.mail.Last(bob)
		assert.True(t, mail.Token.IsZero())
		assert.Empty(t, mail.Link())
		require.Len(t, mail.Batch, 2)
		assert.Equal(t, w.acme.account.Name, mail.Account)
		for _, one := range mail.Batch {
			assert.NotEqual(t, mail.Batch[0].Link() == one.Link(), one.Invitation != mail.Batch[0].Invitation, "each has a link of its own")
			for _, body := range []string{mail.Text(), mail.HTML()} {
				assert.Contains(t, body, one.Link())
				assert.Contains(t, body, one.Team)
			}
			shown, err := w.invites.Preview(w.ctx, one.Token)
			require.NoError(t, err)
			assert.Equal(t, one.Team, shown.Team)
			at := slices.IndexFunc(made, func(inv invite.Invitation) bool { return inv.ID == one.Invitation })
			seen, err := w.invites.Inspect(w.ctx, host, made[at].Team, one.Invitation)
			require.NoError(t, err)
			assert.Equal(t, []invite.Posting{{
				Number: 1, AskedAt: start, AskedBy: w.acme.alice.Principal(), BuiltAt: start, Builds: 1,
			}}, seen.Mails)
		}
		assert.NotContains(t, mail.Subject(), "\n")

		// Each is answered by itself.
		user := w.user(bob)
		joined, err := w.invites.Accept(w.ctx, user.ID, mail.Batch[0].Token)
		require.NoError(t, err)
		_, err = w.invites.Decline(w.ctx, user.ID, mail.Batch[1].Token)
		require.NoError(t, err)
		assert.Equal(t, mail.Batch[0].Invitation, joined.ID)
	})
}

func TestBatchMailListsWhatStillStands(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		support, desk, third := w.second("support"), w.second("desk"), w.second("third")
		made, err := w.invites.Batch(w.ctx, w.acme.alice, bob, roles(w.acme.team.ID, support.Team, desk.Team, third.Team))
		require.NoError(t, err)
		_, err = w.invites.Revoke(w.ctx, w.acme.alice, made[0].ID)
		require.NoError(t, err)
		_, err = w.invites.Resend(w.ctx, support, made[1].ID)
		require.NoError(t, err)
		w.drain()
		mails := w.mail.All()
		require.Len(t, mails, 2)
		for _, m := range mails {
			if len(m.Batch) == 0 {
				assert.Equal(t, made[1].ID, m.Invitation, "one that is sent again has a mail of its own")
				assert.Equal(t, 2, m.Mailing)
				continue
			}
			assert.ElementsMatch(t, []tenancy.InvitationID{made[2].ID, made[3].ID},
				[]tenancy.InvitationID{m.Batch[0].Invitation, m.Batch[1].Invitation})
		}
		// The event that comes again kills the tokens of the first mail.
		i := slices.IndexFunc(mails, func(m invite.Mail) bool { return len(m.Batch) > 0 })
		log := w.accountLog(w.acme.account.ID)
		ask := log[slices.IndexFunc(kinds(log), func(kind string) bool { return kind == invite.InvitationBatched })]
		_, err = w.people.Archive(w.ctx, desk, tenancy.Leftovers{})
		require.NoError(t, err)
		require.NoError(t, w.sink.Deliver(w.ctx, ask))
		last := w.mail.Last(bob)
		assert.Equal(t, made[3].ID, last.Invitation, "of one alone it is the mail of that one")
		for _, old := range mails[i].Batch {
			_, err = w.invites.Preview(w.ctx, old.Token)
			assert.Equal(t, old.Invitation == made[2].ID, err == nil, "A12: only the newest token works")
		}
	})
}

func TestBatchIsAllOrNone(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		support := w.second("support")
		member, err := w.people.CreateTeam(w.ctx, w.acme.holder(), tenancy.TeamSpec{Name: "Other", Identity: tenancy.Chat("other")})
		require.NoError(t, err)
		lead := tenancy.Actor{User: w.acme.alice.User, Team: member.ID}
		_, token := w.invite(lead, invite.ToTeam("mike@"+w.acme.domain, rbac.Manager))
		_, err = w.invites.Accept(w.ctx, w.acme.mike.User, token)
		require.NoError(t, err)
		require.NoError(t, w.people.Leave(w.ctx, lead))
		before := w.picture(w.acme)
		for name, c := range map[string]struct {
			team tenancy.TeamID
			is   error
		}{
			"a team of another account":             {w.globex.team.ID, tenancy.ErrNotFound},
			"a team that is none":                   {tenancy.TeamID{15: 1}, tenancy.ErrNotFound},
			"a team that the actor is in no longer": {member.ID, tenancy.ErrNotFound},
		} {
			_, err := w.invites.Batch(w.ctx, w.acme.alice, bob, roles(w.acme.team.ID, c.team))
			assert.Equal(t, c.is, err, name)
			assert.Equal(t, before, w.picture(w.acme), name)
		}
		_, err = w.invites.Batch(w.ctx, tenancy.Actor{User: w.acme.mike.User, Team: member.ID}, bob, roles(member.ID, w.acme.team.ID))
		assert.Equal(t, tenancy.ErrNotFound, err, "A17: a team where the actor is no manager is as one that is none")
		_, err = w.invites.Batch(w.ctx, w.acme.mike, bob, roles(w.acme.team.ID))
		require.ErrorIs(t, err, rbac.ErrDenied)
		_, err = w.invites.Create(w.ctx, support, invite.ToTeam(bob, rbac.Member))
		require.NoError(t, err)
		before = w.picture(w.acme)
		_, err = w.invites.Batch(w.ctx, w.acme.alice, bob, roles(w.acme.team.ID, support.Team))
		var pending *invite.PendingError
		require.ErrorAs(t, err, &pending)
		assert.Equal(t, before, w.picture(w.acme))
		made, err := w.invites.Batch(w.ctx, w.acme.alice, bob, roles(w.acme.team.ID, support.Team), invite.IfPending(invite.Return))
		require.NoError(t, err)
		assert.True(t, made[1].Batch.IsZero(), "what was pending stays as it was")
	})
}

func TestF8BatchRefusesBadInput(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		before := w.picture(w.acme)
		many := make([]invite.TeamRole, invite.MaxBatch+1)
		for i := range many {
			many[i] = invite.TeamRole{Team: tenancy.TeamID{15: byte(i)}, Role: rbac.Member}
		}
		for name, into := range map[string][]invite.TeamRole{
			"no team": nil, "too many": many, "one twice": roles(w.acme.team.ID, w.acme.team.ID),
			"no role": {{Team: w.acme.team.ID}}, "the holder": {{Team: w.acme.team.ID, Role: rbac.Holder}},
		} {
			_, err := w.invites.Batch(w.ctx, w.acme.alice, bob, into)
			require.ErrorIs(t, err, tenancy.ErrInvalid, name)
		}
		_, err := w.invites.Batch(w.ctx, w.acme.alice, "nobody", roles(w.acme.team.ID))
		require.ErrorIs(t, err, tenancy.ErrInvalid)
		_, err = w.invites.Batch(w.ctx, w.acme.alice, bob, many[:invite.MaxBatch])
		require.ErrorIs(t, err, tenancy.ErrNotFound, "as many as there may be")
		assert.Equal(t, before, w.picture(w.acme))
	})
}

func TestBatchCountsForTheAddressAndTakesOneSeat(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		support := w.second("support")
		taken, err := w.people.SeatsTaken(w.ctx, w.acme.holder())
		require.NoError(t, err)
		_, err = w.people.SetSeats(w.ctx, host, w.acme.account.ID, tenancy.Seats{Rule: tenancy.HardSeats, Limit: taken + 1, CountPending: true})
		require.NoError(t, err)
		_, err = w.invites.Batch(w.ctx, w.acme.alice, bob, roles(w.acme.team.ID, support.Team))
		require.NoError(t, err, "somebody in two teams takes one seat")
		w.bound(invite.Limits{PerAddress: 3})
		third, fourth := w.second("third"), w.second("fourth")
		_, err = w.invites.Batch(w.ctx, w.acme.alice, bob, roles(third.Team, fourth.Team))
		require.ErrorIs(t, err, tenancy.ErrLimit)
		ctx := tenancy.WithKey(w.ctx, "batch")
		first, err := w.invites.Batch(ctx, w.acme.alice, bob, roles(third.Team))
		require.NoError(t, err)
		w.clock.Advance(time.Minute)
		again, err := w.invites.Batch(ctx, w.acme.alice, bob, roles(third.Team))
		require.NoError(t, err)
		assert.Equal(t, first, again)
		_, err = w.invites.Batch(ctx, w.acme.alice, bob, roles(fourth.Team))
		require.ErrorIs(t, err, tenancy.ErrKeyReused)
	})
}

func TestA18BatchMailEscapesNames(t *testing.T) {
	token, err := invite.ParseToken(strings.Repeat("A", 43))
	require.NoError(t, err)
	one := invite.Mail{Kind: invite.ToOneTeam, Role: rbac.Member, Team: "<b>Sales\r\nBcc: eve@evil.example", Custom: "<i>", Token: token}
	m := invite.Mail{Kind: invite.ToOneTeam, Account: "A\r\ncme\u202e<u>", Inviter: "<s>Eve\n", Batch: []invite.Mail{one, one}}
	assert.Equal(t, "<s>Eve invites you to 2 teams of Acme<u>", m.Subject())
	for _, tag := range []string{"<b>", "<i>", "<u>", "<s>"} {
		assert.NotContains(t, m.HTML(), tag)
	}
	assert.NotContains(t, m.Text(), "\r")
	assert.NotContains(t, m.HTML(), "\nBcc")
}
