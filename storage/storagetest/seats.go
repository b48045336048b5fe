package storagetest

import (
	"context"
	"strings"
	"time"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/tenancy"
)

func seatCases() []testCase {
	return []testCase{
		{name: "seats are taken by those who are more than guests", rule: ruleSeats, covers: []string{"SeatsTaken"}, run: seatsCase},
		{name: "seats are taken by pending invitations where they count", rule: rulePendingSeats, covers: []string{"SeatsTaken"}, run: pendingSeatsCase},
		{name: "seats of several accounts are counted in each", rule: ruleSeatsTaken, covers: []string{"SeatsTaken"}, run: seatsOfSeveralCase},
	}
}

// A hall is an account whose seats are counted, beside what must not count.
type hall struct {
	*world
	active, second, archived, foreign tenancy.Team
	now                               time.Time
	want                              int
}

func (w *world) hall() *hall {
	w.Helper()
	h := &hall{world: w, active: w.team(), foreign: w.team()}
	h.second, h.archived = w.teamIn(h.active.Account), w.aTeam(h.active.Account)
	h.archived.Status = tenancy.TeamArchived
	teams().store(w, h.archived)
	h.now = w.now().AddDate(0, 0, 1)
	return h
}

// seatsTaken are those of one account.
func seatsTaken(ctx context.Context, s storage.Store, account tenancy.AccountID, now time.Time, q tenancy.SeatQuery) (int, error) {
	taken, err := s.SeatsTaken(ctx, now, q, account)
	return taken[account], err
}

func (h *hall) counts(q tenancy.SeatQuery, want int, format string, args ...any) {
	h.Helper()
	answers(h.world, want, format, args...)(seatsTaken(h.ctx, h.store, h.active.Account, h.now, q))
}

// joins makes a membership, which takes as many more seats as is said.
func (h *hall) joins(what string, seats int, team tenancy.Team, change func(m *tenancy.Membership)) tenancy.Membership {
	h.Helper()
	m := h.aMembership(team.ID, h.user().ID)
	change(&m)
	memberships().store(h.world, m)
	h.want += seats
	h.counts(tenancy.SeatQuery{}, h.want, "SeatsTaken with %s", what)
	return m
}

func seatsCase(w *world) {
	h := w.hall()
	h.counts(tenancy.SeatQuery{}, 0, "SeatsTaken of teams without members: to hold the account takes none")
	manager := h.joins("a manager", 1, h.active, func(m *tenancy.Membership) { m.Role, m.ExpiresAt = rbac.Manager, time.Time{} })
	h.joins("the manager in a second team", 0, h.second, func(m *tenancy.Membership) { m.User = manager.User })
	h.joins("a member in the second team", 1, h.second, func(*tenancy.Membership) {})
	guest := h.joins("a guest", 0, h.active, func(m *tenancy.Membership) { m.Role = rbac.Restricted })
	h.joins("a guest in a custom role", 1, h.active, func(m *tenancy.Membership) {
		m.Role, m.Custom = rbac.Restricted, w.role(h.active.Account).ID
	})
	h.joins("a suspended member", 0, h.active, func(m *tenancy.Membership) { m.Status = tenancy.MembershipSuspended })
	h.joins("a removed member", 0, h.active, func(m *tenancy.Membership) { m.Status = tenancy.MembershipRemoved })
	h.joins("a member who has just expired", 0, h.active, func(m *tenancy.Membership) { m.ExpiresAt = h.now })
	h.joins("a member who is about to expire", 1, h.active, func(m *tenancy.Membership) { m.ExpiresAt = h.now.Add(time.Microsecond) })
	h.joins("a member of an archived team", 0, h.archived, func(*tenancy.Membership) {})
	h.joins("a member of another account's team", 0, h.foreign, func(*tenancy.Membership) {})
	invitedTo(h, h.active, func(*invite.Record) {})
	h.counts(tenancy.SeatQuery{}, h.want, "SeatsTaken beside a pending invitation, asked for users")

	h.counts(tenancy.SeatQuery{But: manager.User}, h.want-1, "SeatsTaken but for the manager of two teams")
	h.counts(tenancy.SeatQuery{But: guest.User}, h.want, "SeatsTaken but for a guest")
	h.counts(tenancy.SeatQuery{But: w.user().ID}, h.want, "SeatsTaken but for somebody else")
	fresh := w.aMembership(h.active.ID, w.user().ID)
	w.discard("a transaction that admits a member", func(ctx context.Context) error {
		if err := w.store.InsertMembership(ctx, fresh); err != nil {
			return err
		}
		answers(w, h.want+1, "SeatsTaken inside, after an insert")(seatsTaken(ctx, w.store, h.active.Account, h.now, tenancy.SeatQuery{}))
		return nil
	})
	h.counts(tenancy.SeatQuery{}, h.want, "SeatsTaken after the rollback")
	answers(w, 0, "SeatsTaken of an account without teams")(seatsTaken(w.ctx, w.store, w.account().ID, h.now, tenancy.SeatQuery{Pending: true}))
	answers(w, 0, "SeatsTaken of an account that does not exist")(seatsTaken(w.ctx, w.store, newID[tenancy.AccountID](w), h.now, tenancy.SeatQuery{Pending: true}))
}

// invitedTo stores an invitation that takes a seat unless it is changed.
func invitedTo(h *hall, team tenancy.Team, change func(r *invite.Record)) invite.Record {
	h.Helper()
	r := h.anInvitation(team)
	r.Role = rbac.Member
	change(&r)
	return invitations().store(h.world, r)
}

func pendingSeatsCase(w *world) {
	h := w.hall()
	pending := tenancy.SeatQuery{Pending: true}
	invites := func(what string, seats int, team tenancy.Team, change func(r *invite.Record)) invite.Record {
		h.Helper()
		r := invitedTo(h, team, change)
		h.want += seats
		h.counts(pending, h.want, "SeatsTaken with %s", what)
		return r
	}
	h.counts(pending, 0, "SeatsTaken of teams without invitations")
	first := invites("an invitation", 1, h.active, func(*invite.Record) {})
	invites("the same address in a second team", 0, h.second, func(r *invite.Record) { r.Email = first.Email })
	invites("an address in other letters", 1, h.second, func(r *invite.Record) { r.Email.Normal = strings.ToUpper(first.Email.Normal) })
	invites("a manager to be", 1, h.active, func(r *invite.Record) { r.Role = rbac.Manager })
	invites("a guest to be", 0, h.active, func(r *invite.Record) { r.Role = rbac.Restricted })
	invites("a guest to be, in a custom role", 1, h.active, func(r *invite.Record) {
		r.Role, r.Custom = rbac.Restricted, w.role(h.active.Account).ID
	})
	invites("a guest of a conversation", 0, h.active, func(r *invite.Record) {
		r.Kind, r.Conversation = invite.ToOneConversation, w.conversation(h.active).ID
	})
	for _, state := range []invite.State{invite.Expired, invite.Accepted, invite.Declined, invite.Revoked} {
		invites("an invitation that is "+string(state), 0, h.active, func(r *invite.Record) { r.State = state })
	}
	invites("an invitation that has just expired", 0, h.active, func(r *invite.Record) { r.ExpiresAt = h.now })
	invites("an invitation that is about to expire", 1, h.active, func(r *invite.Record) { r.ExpiresAt = h.now.Add(time.Microsecond) })
	invites("an invitation to an archived team", 0, h.archived, func(*invite.Record) {})
	invites("an invitation to another account's team", 0, h.foreign, func(*invite.Record) {})

	// Whoever has a seat takes no second one by their address.
	person := func(team tenancy.Team, verified bool, role rbac.Role) tenancy.User {
		u := w.aUser()
		if !verified {
			u.VerifiedAt = time.Time{}
		}
		stored(w, "InsertUser", u, w.store.InsertUser)
		m := w.aMembership(team.ID, u.ID)
		m.Role = role
		memberships().store(w, m)
		if role != rbac.Restricted && team.Account == h.active.Account {
			h.want++
		}
		return u
	}
	seated := person(h.second, true, rbac.Member)
	invites("the address of someone with a seat", 0, h.active, func(r *invite.Record) { r.Email = seated.Email })
	claimed := person(h.second, false, rbac.Member)
	invites("an address that someone with a seat only claims", 1, h.active, func(r *invite.Record) { r.Email = claimed.Email })
	guest := person(h.second, true, rbac.Restricted)
	invites("the address of a guest", 1, h.active, func(r *invite.Record) { r.Email = guest.Email })
	stranger := person(h.foreign, true, rbac.Member)
	invites("the address of someone with a seat elsewhere", 1, h.active, func(r *invite.Record) { r.Email = stranger.Email })

	h.counts(tenancy.SeatQuery{Pending: true, ButEmail: first.Email.Normal}, h.want-1, "SeatsTaken but for an address")
	h.counts(tenancy.SeatQuery{Pending: true, ButEmail: "nobody@x.example"}, h.want, "SeatsTaken but for an address that is not invited")
	h.counts(tenancy.SeatQuery{Pending: true, But: seated.ID}, h.want-1, "SeatsTaken but for a user whose address is invited: it is not counted instead")
	h.counts(tenancy.SeatQuery{Pending: true, But: seated.ID, ButEmail: first.Email.Normal}, h.want-2, "SeatsTaken but for a user and an address")
	h.counts(tenancy.SeatQuery{}, 2, "SeatsTaken asked for users")
}

func seatsOfSeveralCase(w *world) {
	now := w.now().AddDate(0, 0, 1)
	want, wantPending := map[tenancy.AccountID]int{}, map[tenancy.AccountID]int{}
	both := w.user()
	var ids []tenancy.AccountID
	for members := range 3 { // of the first account it is nobody
		team := w.team()
		for range members {
			w.member(team.ID, rbac.Member)
		}
		if members > 0 {
			m := w.aMembership(team.ID, both.ID)
			memberships().store(w, m)
			r := w.anInvitation(team)
			r.Role, r.ExpiresAt = rbac.Member, now.AddDate(0, 0, 1)
			invitations().store(w, r)
			r = w.anInvitation(w.teamIn(team.Account))
			r.Role, r.ExpiresAt, r.Email = rbac.Member, now.AddDate(0, 0, 1), both.Email // who has a seat
			invitations().store(w, r)
		}
		ids = append(ids, team.Account)
		want[team.Account], wantPending[team.Account] = members, members
		if members > 0 {
			want[team.Account], wantPending[team.Account] = members+1, members+2
		}
	}
	w.member(w.team().ID, rbac.Member)
	all := crowded(w, ids)
	answers(w, want, "SeatsTaken of several accounts")(w.store.SeatsTaken(w.ctx, now, tenancy.SeatQuery{}, all...))
	answers(w, wantPending, "SeatsTaken of several accounts, with pending invitations")(w.store.SeatsTaken(w.ctx, now, tenancy.SeatQuery{Pending: true}, all...))
	for id, n := range want {
		want[id] = max(n-1, 0)
	}
	answers(w, want, "SeatsTaken of several accounts but for somebody")(w.store.SeatsTaken(w.ctx, now, tenancy.SeatQuery{But: both.ID}, all...))
	answers(w, map[tenancy.AccountID]int{}, "SeatsTaken of no account")(w.store.SeatsTaken(w.ctx, now, tenancy.SeatQuery{}))
}
