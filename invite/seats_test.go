package invite_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// limit sets how many seats a side has. Two of them are taken from the start, by alice and mike; a
// guest takes none.
func (w *world) limit(s side, seats tenancy.Seats) {
	w.t.Helper()
	_, err := w.people.SetSeats(w.ctx, host, s.account.ID, seats)
	require.NoError(w.t, err)
}

// warnings counts the events that tell of too many people.
func (w *world) warnings(s side) int {
	w.t.Helper()
	return count(kinds(w.accountLog(s.account.ID)))[tenancy.AccountSeatsExceeded]
}

func TestSpec5_8_SeatsAtInviteAndAtAccept(t *testing.T) {
	full := func(limit, needed int) *tenancy.SeatsError { return &tenancy.SeatsError{Limit: limit, Needed: needed} }
	for _, c := range []struct {
		seats          tenancy.Seats
		create, accept *tenancy.SeatsError
		warned, again  int // events after the invitation, and after it was accepted
	}{
		{seats: tenancy.Seats{}},
		{seats: tenancy.Seats{Rule: tenancy.WarnSeats, Limit: 3}},
		{seats: tenancy.Seats{Rule: tenancy.WarnSeats, Limit: 3, CountPending: true}},
		{seats: tenancy.Seats{Rule: tenancy.WarnSeats, Limit: 2}, again: 1},
		{seats: tenancy.Seats{Rule: tenancy.WarnSeats, Limit: 2, CountPending: true}, warned: 1, again: 2},
		{seats: tenancy.Seats{Rule: tenancy.WarnSeats, Limit: 0, CountPending: true}, warned: 1, again: 2},
		{seats: tenancy.Seats{Rule: tenancy.HardSeats, Limit: 3}},
		{seats: tenancy.Seats{Rule: tenancy.HardSeats, Limit: 3, CountPending: true}},
		{seats: tenancy.Seats{Rule: tenancy.HardSeats, Limit: 2}, accept: full(2, 3)},
		{seats: tenancy.Seats{Rule: tenancy.HardSeats, Limit: 2, CountPending: true}, create: full(2, 3)},
		{seats: tenancy.Seats{Rule: tenancy.HardSeats, Limit: 0}, accept: full(0, 3)},
		{seats: tenancy.Seats{Rule: tenancy.HardSeats, Limit: 0, CountPending: true}, create: full(0, 3)},
	} {
		for _, role := range []rbac.Role{rbac.Manager, rbac.Member} {
			t.Run(fmt.Sprintf("%+v, %s", c.seats, role), func(t *testing.T) {
				onEach(t, func(t *testing.T, w *world) {
					w.limit(w.acme, c.seats)
					user, before := w.user(bob), w.picture(w.acme)
					inv, err := w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam(bob, role))
					if c.create != nil {
						var refused *tenancy.SeatsError
						require.ErrorAs(t, err, &refused)
						require.ErrorIs(t, err, tenancy.ErrLimit)
						assert.Equal(t, c.create, refused)
						assert.Equal(t, before, w.picture(w.acme), "refused before any row and any mail")
						return
					}
					require.NoError(t, err)
					assert.Equal(t, c.warned, w.warnings(w.acme))
					token := w.token(inv)
					before = w.picture(w.acme)
					_, err = w.invites.Accept(w.ctx, user.ID, token)
					if c.accept != nil {
						var refused *tenancy.SeatsError
						require.ErrorAs(t, err, &refused)
						assert.Equal(t, c.accept, refused)
						assert.Equal(t, before, w.picture(w.acme), "it is as it was")
						w.limit(w.acme, tenancy.Seats{Rule: tenancy.HardSeats, Limit: 3})
						_, err = w.invites.Accept(w.ctx, user.ID, token)
						require.NoError(t, err, "and can be accepted once there is a seat")
						return
					}
					require.NoError(t, err)
					assert.Equal(t, c.again, w.warnings(w.acme))
				})
			})
		}
	}
}

// Whoever has a seat needs no second one: an invitation that is sent again, somebody of another
// team, and of the invitations to one address all but the first.
func TestSeatsAreCountedOnceForEachPerson(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		second, err := w.people.CreateTeam(w.ctx, w.acme.holder(), tenancy.TeamSpec{Name: "Second"})
		require.NoError(t, err)
		there := tenancy.Actor{User: w.acme.alice.User, Team: second.ID}
		w.limit(w.acme, tenancy.Seats{Rule: tenancy.HardSeats, Limit: 3, CountPending: true})
		full := func(err error) {
			t.Helper()
			var refused *tenancy.SeatsError
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, tenancy.SeatsError{Limit: 3, Needed: 4}, *refused)
		}
		user := w.user(bob)
		inv, _ := w.invite(w.acme.alice, invite.ToTeam(bob, rbac.Member))
		_, err = w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam("carl@acme.example", rbac.Member))
		full(err)

		_, err = w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam(bob, rbac.Member))
		var pending *invite.PendingError
		require.ErrorAs(t, err, &pending, "what is in the way is the pending one, and not the seats")
		_, err = w.invites.Resend(w.ctx, w.acme.alice, inv.ID)
		require.NoError(t, err, "a pending one has its seat")
		_, _ = w.invite(there, invite.ToTeam(bob, rbac.Manager))
		_, mikes := w.invite(there, invite.ToTeam("mike@acme.example", rbac.Member))
		_, err = w.invites.Accept(w.ctx, w.acme.mike.User, mikes)
		require.NoError(t, err, "somebody in two teams takes one seat")

		// Guests take none, however they are invited.
		_, err = w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam("guest@acme.example", rbac.Restricted))
		require.NoError(t, err)
		_, guest := w.invite(w.acme.alice, invite.ToConversation("guest@acme.example", w.acme.conversation))
		_, err = w.invites.Accept(w.ctx, w.user("guest@acme.example").ID, guest)
		require.NoError(t, err)

		// One whose time has passed has lost its seat, and needs one to be sent again.
		w.clock.Set(w.stored(inv).ExpiresAt)
		carls, err := w.invites.Create(w.ctx, w.acme.alice, invite.ToTeam("carl@acme.example", rbac.Member))
		require.NoError(t, err)
		before := w.picture(w.acme)
		_, err = w.invites.Resend(w.ctx, w.acme.alice, inv.ID)
		full(err)
		assert.Equal(t, before, w.picture(w.acme))
		_, err = w.invites.Revoke(w.ctx, w.acme.alice, carls.ID)
		require.NoError(t, err)
		again, err := w.invites.Resend(w.ctx, w.acme.alice, inv.ID)
		require.NoError(t, err)

		// At accept one's own invitation does not count against one, and those of others do.
		_, err = w.invites.Accept(w.ctx, user.ID, w.token(again))
		require.NoError(t, err)
		w.limit(w.acme, tenancy.Seats{})
		token := w.token(w.mustCreate(invite.ToTeam("dora@acme.example", rbac.Member)))
		_ = w.mustCreate(invite.ToTeam("emil@acme.example", rbac.Member))
		w.limit(w.acme, tenancy.Seats{Rule: tenancy.HardSeats, Limit: 4, CountPending: true})
		_, err = w.invites.Accept(w.ctx, w.user("dora@acme.example").ID, token)
		var refused *tenancy.SeatsError
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, tenancy.SeatsError{Limit: 4, Needed: 5}, *refused)
	})
}

func (w *world) mustCreate(r invite.Request) invite.Invitation {
	w.t.Helper()
	inv, err := w.invites.Create(w.ctx, w.acme.alice, r)
	require.NoError(w.t, err)
	return inv
}

// The seats of one account are no business of another.
func TestSeatsAreThoseOfTheAccount(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.limit(w.globex, tenancy.Seats{Rule: tenancy.HardSeats, CountPending: true})
		_, token := w.invite(w.acme.alice, invite.ToTeam(bob, rbac.Member))
		_, err := w.invites.Accept(w.ctx, w.user(bob).ID, token)
		require.NoError(t, err)
		_, err = w.invites.Create(w.ctx, w.globex.alice, invite.ToTeam(bob, rbac.Member))
		require.ErrorIs(t, err, tenancy.ErrLimit)
	})
}
