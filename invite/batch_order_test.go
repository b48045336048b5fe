package invite_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

// several are teams of acme that alice manages, in the order in which they are locked.
func (w *world) several(n int) []tenancy.TeamID {
	w.t.Helper()
	var teams []tenancy.TeamID
	for i := range n {
		teams = append(teams, w.second(fmt.Sprint("team-", i)).Team)
	}
	return tenancy.InOrder(teams...)
}

// there is alice in another of her teams.
func (w *world) there(team tenancy.TeamID) tenancy.Actor {
	return tenancy.Actor{User: w.acme.alice.User, Team: team}
}

// sent are the invitations in the teams, in words that do not tell one from another of the same.
func (w *world) sent(ctx context.Context, teams []tenancy.TeamID) (all []string) {
	w.t.Helper()
	for i, team := range teams {
		list, err := w.store.Invitations(ctx, team, invite.Filter{}, tenancy.Keyset{Limit: 100})
		require.NoError(w.t, err)
		for _, r := range list {
			all = append(all, fmt.Sprint(i, " ", r.State, " ", r.Role, " ", r.Custom, " ", r.Inviter == w.acme.alice.User, " ", r.EndedBy, " ", r.CreatedAt, " ", r.ExpiresAt))
		}
	}
	slices.Sort(all)
	return all
}

func TestBatchCountsForTheAddressWithinItself(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		teams := w.several(3)
		w.bound(invite.Limits{PerAddress: 3})
		short, err := w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam(bob, rbac.Member, invite.ExpiresIn(time.Hour)))
		require.NoError(t, err)
		before := w.sent(w.ctx, teams)
		_, err = w.invites.Batch(w.ctx, w.acme.alice, bob, roles(teams...))
		assert.Equal(t, &invite.LimitError{Quota: invite.AddressQuota, Limit: 3, Until: short.ExpiresAt}, err)
		assert.Equal(t, before, w.sent(w.ctx, teams), "none of them is made")
		_, err = w.invites.Batch(w.ctx, w.acme.alice, bob, roles(teams[:2]...))
		require.NoError(t, err, "at the limit")

		// What is replaced counts until an hour after it was made, beside the one that replaces it.
		_, err = w.invites.Batch(w.ctx, w.acme.alice, bob, roles(teams[0]), invite.IfPending(invite.Replace))
		assert.Equal(t, &invite.LimitError{Quota: invite.AddressQuota, Limit: 3, Until: start.Add(time.Hour)}, err)
		w.clock.Set(start.Add(time.Hour))
		_, err = w.invites.Batch(w.ctx, w.acme.alice, bob, roles(teams...), invite.IfPending(invite.Replace))
		require.NoError(t, err, "all three, and of what was there none counts any more")
	})
}

// One that is replaced, or has lapsed, makes room in its team for its successor; one that stays leaves none.
func TestBatchCountsForTheTeamAndTheInviter(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		teams := w.several(2)
		for _, of := range []struct {
			limits invite.Limits
			quota  invite.Quota
		}{{invite.Limits{PerTeam: 1}, invite.TeamQuota}, {invite.Limits{PerInviter: 1}, invite.InviterQuota}} {
			w.bound(of.limits)
			email := fmt.Sprintf("%d.%d@acme.example", of.limits.PerTeam, of.limits.PerInviter)
			_, err := w.invites.Batch(w.ctx, w.acme.alice, email, roles(teams...))
			require.NoError(t, err, "one in each")
			made, err := w.invites.Batch(w.ctx, w.acme.alice, email, roles(teams...), invite.IfPending(invite.Replace))
			require.NoError(t, err)
			_, err = w.invites.Revoke(w.ctx, w.there(teams[0]), made[0].ID)
			require.NoError(t, err)
			before := w.sent(w.ctx, teams)
			_, err = w.invites.Batch(w.ctx, w.acme.alice, "carl@acme.example", roles(teams...), invite.IfPending(invite.Replace))
			assert.Equal(t, &invite.LimitError{Quota: of.quota, Limit: 1, Until: made[1].ExpiresAt}, err)
			assert.Equal(t, before, w.sent(w.ctx, teams))
			w.clock.Set(made[1].ExpiresAt)
		}
	})
}

func TestBatchReturnsReplacesAndExpiresWhatIsPending(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		teams := w.several(4)
		lead := w.defines(w.acme, tenancy.RoleSpec{Name: "Lead", Base: rbac.Member})
		lapsed, err := w.invites.Create(w.ctx, w.there(teams[1]), invite.ToTeam(bob, rbac.Member, invite.ExpiresIn(time.Hour)))
		require.NoError(t, err)
		w.clock.Advance(time.Hour)
		same := w.invited(w.there(teams[0]), bob)
		other, err := w.invites.Create(w.ctx, w.there(teams[3]), invite.ToTeam(bob, rbac.Manager))
		require.NoError(t, err)
		into := roles(teams[2], teams[0], teams[1])
		into[0].Role, into[0].Custom = 0, lead.ID
		before := w.sent(w.ctx, teams)

		_, err = w.invites.Batch(w.ctx, w.acme.alice, bob, append(slices.Clone(into), roles(teams[3])...), invite.IfPending(invite.Return))
		var pending *invite.PendingError
		require.ErrorAs(t, err, &pending, "one that offers another role is not what was asked for")
		assert.Equal(t, other, pending.Invitation)
		assert.NotEmpty(t, pending.Inviter)
		assert.Equal(t, before, w.sent(w.ctx, teams))

		made, err := w.invites.Batch(w.ctx, w.acme.alice, bob, into, invite.IfPending(invite.Return))
		require.NoError(t, err)
		require.Len(t, made, 3)
		assert.Equal(t, same, made[1], "as it was, in its place")
		assert.Equal(t, lead.ID, made[0].Custom)
		assert.Equal(t, rbac.Member, made[0].Role, "the base of the custom role")
		assert.Equal(t, made[0].Batch, made[2].Batch)
		assert.Equal(t, invite.Expired, w.stored(lapsed).State)
		assert.Equal(t, "system:invitation", w.stored(lapsed).EndedBy)

		before = w.sent(w.ctx, teams)
		again, err := w.invites.Batch(w.ctx, w.acme.alice, bob, into, invite.IfPending(invite.Return))
		require.NoError(t, err)
		assert.Equal(t, made, again)
		assert.Equal(t, before, w.sent(w.ctx, teams))
		asks := slices.DeleteFunc(kinds(w.accountLog(w.acme.account.ID)), func(kind string) bool { return kind != invite.InvitationBatched })
		assert.Len(t, asks, 1, "a batch that makes nothing asks for no mail")

		replaced, err := w.invites.Batch(w.ctx, w.acme.alice, bob, append(slices.Clone(into), roles(teams[3])...), invite.IfPending(invite.Replace))
		require.NoError(t, err)
		for _, old := range append(made, other) {
			r := w.stored(old)
			assert.Equal(t, invite.Revoked, r.State)
			assert.Equal(t, w.acme.alice.Principal(), r.EndedBy)
		}
		for i, inv := range replaced {
			assert.Equal(t, replaced[0].Batch, inv.Batch)
			assert.Equal(t, inv, w.stored(inv).Invitation)
			assert.Equal(t, append(slices.Clone(into), roles(teams[3])...)[i].Team, inv.Team)
		}
	})
}

// Whoever has a seat only by an invitation that is replaced has none when its successor is made, and has one
// as long as the invitation stands: as with one call for each team after the other.
func TestBatchTakesOneSeatAfterWhatItReplaced(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		teams := w.several(3)
		over := tenancy.Seats{Rule: tenancy.HardSeats, Limit: 1, CountPending: true} // alice and mike are more
		batch := func() error {
			_, err := w.invites.Batch(w.ctx, w.acme.alice, bob, roles(teams...), invite.IfPending(invite.Replace))
			return err
		}
		first := w.invited(w.there(teams[0]), bob)
		w.limit(w.acme, over)
		assert.Equal(t, &tenancy.SeatsError{Limit: 1, Needed: 3}, batch())
		assert.Equal(t, invite.Pending, w.stored(first).State, "all or none")
		w.limit(w.acme, tenancy.Seats{})
		_, err := w.invites.Revoke(w.ctx, w.there(teams[0]), first.ID)
		require.NoError(t, err)

		last := w.invited(w.there(teams[2]), bob)
		w.limit(w.acme, over)
		require.NoError(t, batch(), "the seat is that of the last one until the first has it")
		assert.Equal(t, invite.Revoked, w.stored(last).State)

		w.limit(w.acme, tenancy.Seats{Rule: tenancy.WarnSeats, Limit: 1, CountPending: true})
		into := roles(teams...)
		into[0].Role = rbac.Restricted
		_, err = w.invites.Batch(w.ctx, w.acme.alice, "carl@acme.example", into)
		require.NoError(t, err)
		assert.Equal(t, 1, w.warnings(w.acme), "two of three take the one seat")
	})
}

// warnings is a store that counts the events of too many people.
type warnings struct {
	storage.Store
	n int
}

func (s *warnings) Append(ctx context.Context, events ...outbox.Event) error {
	for _, e := range events {
		if e.Kind == tenancy.AccountSeatsExceeded {
			s.n++
		}
	}
	return s.Store.Append(ctx, events...)
}

// take is how many there were since it was asked last.
func (s *warnings) take() (n int) {
	n, s.n = s.n, 0
	return n
}

// A batch decides what one Create for each team decides, in the order in which the teams are locked.
func TestBatchDecidesAsCreatesInOrder(t *testing.T) {
	outcomes := map[string]int{}
	for seed := range uint64(250) {
		random := rand.New(rand.NewPCG(seed, 7))
		store := &warnings{Store: memory.New()}
		w := newWorld(t, store)
		teams := w.several(4)
		lead := w.defines(w.acme, tenancy.RoleSpec{Name: "Lead", Base: rbac.Member})
		user := w.user(bob)
		may := map[tenancy.TeamID]bool{}
		for _, team := range teams {
			may[team] = true
			prior := []invite.Request{
				invite.ToTeam(bob, rbac.Member), invite.ToTeam(bob, rbac.Restricted),
				invite.ToTeam(bob, rbac.Member, invite.ExpiresIn(time.Hour)), invite.ToTeamAs(bob, lead.ID),
			}
			switch n := random.IntN(20); {
			case n < 8:
				_, err := w.invites.Create(w.ctx, w.there(team), prior[n%4])
				require.NoError(t, err)
			case n == 8:
				_, err := w.people.Admit(w.ctx, host, tenancy.Admission{Team: team, User: user.ID, Role: rbac.Restricted})
				require.NoError(t, err)
			case n == 9:
				at, err := w.store.Team(w.ctx, team)
				require.NoError(t, err)
				s := w.acme
				s.team, s.alice = at, w.there(team)
				w.configure(s, tenancy.Settings{InviteDomains: []string{"client.example"}})
			case n == 10:
				may[team] = false
				s := w.acme
				s.team.ID = team
				w.setMember(s, w.acme.alice.User, func(m *tenancy.Membership) { m.Role = rbac.Member })
			}
		}
		w.clock.Advance(time.Hour)
		into := roles(teams...)
		for i := range into {
			switch n := random.IntN(12); n {
			case 0:
				into[i].Custom = lead.ID
			case 1:
				into[i].Custom = tenancy.RoleID{15: 1}
			case 2, 3, 4:
				into[i].Role = rbac.Restricted
			}
		}
		w.limit(w.acme, []tenancy.Seats{
			{}, {Rule: tenancy.HardSeats, Limit: 2, CountPending: true}, {Rule: tenancy.HardSeats, Limit: 3, CountPending: true},
			{Rule: tenancy.WarnSeats, Limit: 1, CountPending: true}, {Rule: tenancy.HardSeats, Limit: 0},
		}[random.IntN(5)])
		w.bound([]invite.Limits{{}, {PerAddress: 3}, {PerTeam: 1}, {PerInviter: 1}}[random.IntN(4)])
		rule := invite.IfPending([]invite.PendingRule{invite.Refuse, invite.Replace, invite.Return}[random.IntN(3)])

		store.take()
		var want error
		var sent []string
		var warned int
		undone := errors.New("undone")
		err := w.store.InTx(w.ctx, func(ctx context.Context) error {
			for _, to := range into {
				r := invite.ToTeam(bob, to.Role, rule)
				if !to.Custom.IsZero() {
					r = invite.ToTeamAs(bob, to.Custom, rule)
				}
				if _, want = w.invites.Create(ctx, w.there(to.Team), r); want != nil {
					if !may[to.Team] {
						want = tenancy.ErrNotFound
					}
					return undone
				}
			}
			sent = w.sent(ctx, teams)
			warned = store.take()
			return undone
		})
		require.ErrorIs(t, err, undone)

		random.Shuffle(len(into), func(i, j int) { into[i], into[j] = into[j], into[i] })
		store.take()
		made, err := w.invites.Batch(w.ctx, w.acme.alice, bob, into, rule)
		require.Equal(t, want, err, "seed %d", seed)
		outcomes[fmt.Sprintf("%T", err)]++
		if err != nil {
			continue
		}
		assert.Equal(t, sent, w.sent(w.ctx, teams), "seed %d", seed)
		assert.Equal(t, warned, store.take(), "seed %d", seed)
		for i, inv := range made {
			assert.Equal(t, into[i].Team, inv.Team, "seed %d", seed)
		}
	}
	for _, kind := range []string{"<nil>", "*invite.PendingError", "*invite.LimitError", "*invite.DomainError", "*tenancy.MemberError", "*tenancy.SeatsError"} {
		assert.Greater(t, outcomes[kind], 3, "%s in %v", kind, outcomes)
	}
}
