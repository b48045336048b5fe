package storagetest

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

func setCases() []testCase {
	return []testCase{
		{name: "users by their ids", rule: ruleUsers, covers: []string{"Users"}, run: usersCase},
		{name: "users by their addresses", rule: ruleUsersByEmail, covers: []string{"UsersByEmail"}, run: usersByEmailCase},
		{name: "addresses that have a seat", rule: ruleSeated, covers: []string{"Seated"}, run: seatedCase},
		{name: "invitations to addresses", rule: ruleInvitationsTo, covers: []string{"InvitationsTo"}, run: invitationsToCase},
		{name: "teams by their ids", rule: ruleTeams, covers: []string{"Teams"}, run: teamsCase},
		{name: "teams are locked by their ids", rule: ruleLockTeams, covers: []string{"LockTeams"}, run: lockTeamsCase},
		{name: "accounts by their ids", rule: ruleAccounts, covers: []string{"Accounts"}, run: accountsCase},
		{name: "accounts are locked by their ids", rule: ruleLockAccounts, covers: []string{"LockAccounts"}, run: lockAccountsCase},
		{
			name: "teams locked by their ids cannot change underneath", rule: ruleLockTeams, needs: RowLocks,
			covers: []string{"LockTeams"}, run: heldTeams,
		},
		{name: "accounts pass to another holder together", rule: ruleTransferAccounts, covers: []string{"TransferAccounts"}, run: transferAccountsCase},
		{name: "memberships in several teams are appointed", rule: ruleAppoint, covers: []string{"AppointMemberships"}, run: appointCase},
		{name: "memberships in several teams end", rule: ruleEndMemberships, covers: []string{"EndMemberships"}, run: endMembershipsCase},
		{name: "managers and roles of several teams", rule: ruleLastingRoles, covers: []string{"Managed", "LastingRoles"}, run: managersOfSeveralCase},
		{name: "conversations that several users hold in several teams", rule: ruleHeldBy, covers: []string{"HeldBy"}, run: heldInSeveralCase},
		{
			name: "conversations of several teams lose their assignees and claims", rule: ruleUnassign,
			covers: []string{"UnassignConversations", "ReleaseConversations", "LockConversations"}, run: severalTeamsCase,
		},
		{name: "invitations of several teams end", rule: ruleEndInvitations, covers: []string{"PendingBy", "LockInvitations", "EndInvitations"}, run: invitationsOfSeveralCase},
		{name: "authorities in several teams", rule: ruleAuthorities, covers: []string{"Authorities"}, run: authoritiesCase},
		{
			name: "a membership under authorities cannot change underneath", rule: ruleAuthorities, needs: RowLocks,
			covers: []string{"Authorities"}, run: heldAuthorities,
		},
		{name: "memberships by their users", rule: ruleMemberships, covers: []string{"Memberships"}, run: membershipsCase},
		{name: "memberships that were removed are renewed", rule: ruleRenew, covers: []string{"RenewMemberships"}, run: renewCase},
		{name: "invitations are locked by their ids", rule: ruleLockInvitations, covers: []string{"LockInvitations"}, run: lockInvitationsCase},
		{name: "invitations that are pending end", rule: ruleEndInvitations, covers: []string{"EndInvitations"}, run: endInvitationsCase},
		{name: "invitations pending into conversations", rule: rulePendingInto, covers: []string{"PendingInto"}, run: pendingIntoCase},
		{name: "contacts by their ids", rule: ruleContacts, covers: []string{"Contacts"}, run: contactsCase},
		{name: "contacts by their addresses", rule: ruleContactsByAddress, covers: []string{"ContactsByAddress"}, run: contactsByAddressCase},
		{name: "conversations are locked by their ids", rule: ruleLockConversations, covers: []string{"LockConversations"}, run: lockConversationsCase},
		{
			name: "conversations locked by their ids cannot change underneath", rule: ruleLockConversations, needs: RowLocks,
			covers: []string{"LockConversations"}, run: heldConversations,
		},
		{name: "conversations lose their assignee", rule: ruleUnassign, covers: []string{"UnassignConversations"}, run: unassignCase},
		{name: "conversations lose their claims", rule: ruleReleaseClaims, covers: []string{"ReleaseConversations"}, run: releaseClaimsCase},
		{name: "conversations are closed together", rule: ruleCloseAll, covers: []string{"CloseConversations"}, run: closeCase},
		{name: "conversations are moved together", rule: ruleMoveAll, covers: []string{"MoveConversations"}, run: moveAllCase},
		{name: "episodes end together", rule: ruleEndEpisodes, covers: []string{"EndEpisodes"}, run: endEpisodesCase},
		{name: "grants of a user are revoked", rule: ruleRevokeGrants, covers: []string{"RevokeGrants"}, run: revokeGrantsCase},
		{name: "grants of several conversations", rule: ruleGrants, covers: []string{"Grants"}, run: grantsOfSeveralCase},
		{name: "deliveries pending in conversations", rule: rulePendingDeliveries, covers: []string{"PendingDeliveries"}, run: pendingDeliveriesCase},
		{name: "deliveries that are pending end", rule: ruleEndDeliveries, covers: []string{"EndDeliveries"}, run: endDeliveriesCase},
		{name: "append of many events to many streams", rule: ruleAppend, covers: []string{"Append"}, run: appendManyCase},
	}
}

// crowded are the ids in another order, all but one of them twice, and among so many that name nothing
// that no statement is likely to hold them all. That one is the last.
func crowded[I ~[16]byte](w *world, ids []I) []I {
	crowd := slices.Concat(ids[1:], ids[1:])
	for range 600 {
		crowd = append(crowd, newID[I](w))
	}
	w.random.Shuffle(len(crowd), func(i, j int) { crowd[i], crowd[j] = crowd[j], crowd[i] })
	return append(crowd, ids[0])
}

// sorted are rows in the order of their ids.
func sorted[R any, I ~[16]byte](rows []R, id func(R) I) []R {
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(a, b R) int {
		of, other := id(a), id(b)
		return slices.Compare(of[:], other[:])
	})
	return rows
}

// idsOf are the ids of rows.
func idsOf[R any, I ~[16]byte](rows []R, id func(R) I) []I {
	ids := make([]I, len(rows))
	for i, r := range rows {
		ids[i] = id(r)
	}
	return ids
}

// readSet checks a read: of the rows it finds those in want, in their order, and passes over the others.
func readSet[R any, I ~[16]byte](w *world, method string, read func(ctx context.Context, ids ...I) ([]R, error), want []R, ids []I) {
	w.Helper()
	lists(w, want, "%s", method)(read(w.ctx, crowded(w, ids)...))
	lists[R](w, nil, "%s of none", method)(read(w.ctx))
	w.tx(method, func(ctx context.Context) error {
		lists(w, want, "%s inside a transaction", method)(read(ctx, crowded(w, ids)...))
		return nil
	})
}

// lockSet is readSet for a method that locks.
func lockSet[R any, I ~[16]byte](w *world, method string, lock func(ctx context.Context, ids ...I) ([]R, error), want []R, ids []I) {
	w.Helper()
	w.tx(method, func(ctx context.Context) error {
		lists(w, want, "%s", method)(lock(ctx, crowded(w, ids)...))
		lists[R](w, nil, "%s of none", method)(lock(ctx))
		return nil
	})
}

// writeSet checks a write: it changes the rows, with their next version, and spares the others.
func writeSet[R any, I ~[16]byte](w *world, method string, k kind[R], write func(ctx context.Context, ids ...I) error,
	rows, spared []R, ids []I, changed func(*R),
) {
	w.Helper()
	hold := func(after string) {
		w.Helper()
		for _, r := range slices.Concat(rows, spared) {
			k.holds(w, r, after)
		}
	}
	w.tx(method+" of none", func(ctx context.Context) error { return write(ctx) })
	hold(method + " of none")
	w.discard(method, func(ctx context.Context) error { return write(ctx, crowded(w, ids)...) })
	hold(method + " that was rolled back")
	w.tx(method, func(ctx context.Context) error { return write(ctx, crowded(w, ids)...) })
	for i := range rows {
		changed(&rows[i])
		*k.version(&rows[i])++
	}
	hold(method)
}

func usersCase(w *world) {
	var all []tenancy.User
	for i := range 5 {
		u := w.aUser()
		if i == 2 {
			u.Status = tenancy.UserDeleted
		}
		all = append(all, users().store(w, u))
	}
	id := func(u tenancy.User) tenancy.UserID { return u.ID }
	want := sorted(all[:4], id)
	readSet(w, "Users", w.store.Users, want, idsOf(want, id))
}

// crowdedTexts is crowded for texts.
func crowdedTexts(w *world, texts []string) []string {
	crowd := slices.Concat(texts[1:], texts[1:])
	for range 600 {
		crowd = append(crowd, newID[tenancy.UserID](w).String()+"@nobody.example")
	}
	w.random.Shuffle(len(crowd), func(i, j int) { crowd[i], crowd[j] = crowd[j], crowd[i] })
	return append(crowd, texts[0])
}

func usersByEmailCase(w *world) {
	id := func(u tenancy.User) tenancy.UserID { return u.ID }
	want := sorted([]tenancy.User{w.user(), w.user(), w.user()}, id)
	other := w.user()
	claims := w.aUser()
	claims.VerifiedAt = time.Time{}
	users().store(w, claims)
	var addresses []string
	for _, u := range want {
		addresses = append(addresses, u.Email.Normal)
	}
	crowd := append(crowdedTexts(w, addresses), "", "%", strings.ToUpper(other.Email.Normal), other.Email.Normal+" ", claims.Email.Normal)
	lists(w, want, "UsersByEmail")(w.store.UsersByEmail(w.ctx, crowd...))
	lists(w, []tenancy.User{other}, "UsersByEmail of one")(w.store.UsersByEmail(w.ctx, other.Email.Normal))
	lists[tenancy.User](w, nil, "UsersByEmail of none")(w.store.UsersByEmail(w.ctx))
}

func seatedCase(w *world) {
	h := w.hall()
	var want []string
	person := func(team tenancy.Team, verified bool, change func(m *tenancy.Membership)) string {
		u := w.aUser()
		if !verified {
			u.VerifiedAt = time.Time{}
		}
		users().store(w, u)
		m := w.aMembership(team.ID, u.ID)
		change(&m)
		memberships().store(w, m)
		return u.Email.Normal
	}
	as := func(role rbac.Role) func(*tenancy.Membership) { return func(m *tenancy.Membership) { m.Role = role } }
	seated := person(h.second, true, as(rbac.Member))
	want = append(want, seated, person(h.active, true, as(rbac.Manager)),
		person(h.active, true, func(m *tenancy.Membership) { m.ExpiresAt = h.now.Add(time.Microsecond) }))
	without := []string{
		person(h.active, true, as(rbac.Restricted)),
		person(h.active, false, as(rbac.Member)),
		person(h.archived, true, as(rbac.Member)),
		person(h.foreign, true, as(rbac.Member)),
		person(h.active, true, func(m *tenancy.Membership) { m.ExpiresAt = h.now }),
		person(h.active, true, func(m *tenancy.Membership) { m.Status = tenancy.MembershipRemoved }),
	}
	invites := func(team tenancy.Team, change func(r *invite.Record)) string {
		return invitedTo(h, team, change).Email.Normal
	}
	want = append(want, invites(h.active, func(*invite.Record) {}),
		invites(h.second, func(r *invite.Record) { r.ExpiresAt = h.now.Add(time.Microsecond) }),
		invites(h.active, func(r *invite.Record) { r.Role, r.Custom = rbac.Restricted, w.role(h.active.Account).ID }))
	without = append(without,
		invites(h.active, func(r *invite.Record) { r.Role = rbac.Restricted }),
		invites(h.active, func(r *invite.Record) { r.State = invite.Revoked }),
		invites(h.active, func(r *invite.Record) { r.ExpiresAt = h.now }),
		invites(h.archived, func(*invite.Record) {}),
		invites(h.foreign, func(*invite.Record) {}))
	invites(h.active, func(r *invite.Record) { r.Email.Normal, r.Email.Display = seated, seated }) // which is one all the same
	slices.Sort(want)
	crowd := append(crowdedTexts(w, want), append(without, "", "%", strings.ToUpper(seated))...)
	lists(w, want, "Seated")(w.store.Seated(w.ctx, h.active.Account, h.now, crowd...))
	lists(w, []string{seated}, "Seated of one")(w.store.Seated(w.ctx, h.active.Account, h.now, seated))
	lists[string](w, nil, "Seated of none")(w.store.Seated(w.ctx, h.active.Account, h.now))
	lists[string](w, nil, "Seated in an account that does not exist")(w.store.Seated(w.ctx, newID[tenancy.AccountID](w), h.now, seated))
}

func invitationsToCase(w *world) {
	team := w.team()
	second, foreign := w.teamIn(team.Account), w.team()
	since := w.now()
	to := func(team tenancy.Team, change func(r *invite.Record)) invite.Record {
		r := w.anInvitation(team)
		r.CreatedAt = since.Add(time.Microsecond)
		change(&r)
		return invitations().store(w, r)
	}
	first := to(team, func(*invite.Record) {})
	same := func(r *invite.Record) { r.Email = first.Email }
	guest := w.aGuestInvitation(w.conversation(team))
	guest.Email = first.Email
	invitations().store(w, guest)
	want := []invite.Record{
		first, to(second, same), guest,
		to(team, func(r *invite.Record) { r.ExpiresAt = r.CreatedAt }),
		to(team, func(r *invite.Record) { r.CreatedAt = since }),
		to(team, func(r *invite.Record) { r.State = invite.Revoked }),
		w.offer(team.Account),
	}
	other := to(team, func(*invite.Record) {})
	var addresses []string
	for _, r := range want {
		addresses = append(addresses, r.Email.Normal)
	}
	for _, state := range []invite.State{invite.Accepted, invite.Declined, invite.Expired} {
		to(second, func(r *invite.Record) { r.Email, r.State = first.Email, state })
	}
	to(second, func(r *invite.Record) { r.Email, r.State, r.CreatedAt = first.Email, invite.Revoked, since })
	elsewhere := to(foreign, same)
	want = sorted(want, func(r invite.Record) tenancy.InvitationID { return r.ID })
	crowd := append(crowdedTexts(w, addresses), "%", strings.ToUpper(other.Email.Normal))
	lists(w, want, "InvitationsTo")(w.store.InvitationsTo(w.ctx, team.Account, since, crowd...))
	lists(w, []invite.Record{other}, "InvitationsTo of one")(w.store.InvitationsTo(w.ctx, team.Account, since, other.Email.Normal))
	lists[invite.Record](w, nil, "InvitationsTo of none")(w.store.InvitationsTo(w.ctx, team.Account, since))
	lists(w, []invite.Record{elsewhere}, "InvitationsTo of another account")(w.store.InvitationsTo(w.ctx, foreign.Account, since, first.Email.Normal))
}

func membershipsCase(w *world) {
	team, elsewhere := w.team(), w.team()
	var all []tenancy.Membership
	for _, status := range []tenancy.MembershipStatus{tenancy.MembershipActive, tenancy.MembershipSuspended, tenancy.MembershipRemoved} {
		m := w.aMembership(team.ID, w.user().ID)
		m.Status = status
		all = append(all, memberships().store(w, m))
	}
	w.member(team.ID, rbac.Member)
	stranger := w.member(elsewhere.ID, rbac.Member)
	other := w.aMembership(elsewhere.ID, all[0].User)
	want := slices.Concat(all, []tenancy.Membership{memberships().store(w, other)})
	slices.SortFunc(want, func(a, b tenancy.Membership) int {
		return cmp.Or(slices.Compare(a.User[:], b.User[:]), slices.Compare(a.Team[:], b.Team[:]))
	})
	who := append(w.lost(team.ID), tenancy.Actor{User: stranger.User, Team: team.ID})
	for _, m := range want[1:] {
		who = append(who, tenancy.Actor{User: m.User, Team: m.Team}, tenancy.Actor{User: m.User, Team: m.Team})
	}
	w.random.Shuffle(len(who), func(i, j int) { who[i], who[j] = who[j], who[i] })
	who = append(who, tenancy.Actor{User: want[0].User, Team: want[0].Team}) // which is cut off first
	lists(w, want, "Memberships")(w.store.Memberships(w.ctx, who...))
	lists[tenancy.Membership](w, nil, "Memberships of none")(w.store.Memberships(w.ctx))
	w.tx("Memberships", func(ctx context.Context) error {
		lists(w, want, "Memberships inside a transaction")(w.store.Memberships(ctx, who...))
		return nil
	})
}

// writePairs is [writeSet] for a method that names users in their teams. Each of the users and each of the
// teams is named in other pairs than those of the memberships that it spares.
func writePairs(w *world, method string, write func(ctx context.Context, who ...tenancy.Actor) error,
	rows, spared []tenancy.Membership, also []tenancy.Actor, changed func(*tenancy.Membership),
) {
	w.Helper()
	hold := func(after string) {
		w.Helper()
		for _, m := range slices.Concat(rows, spared) {
			memberships().holds(w, m, after)
		}
	}
	who := append(w.lost(rows[0].Team), also...)
	for _, m := range rows[1:] {
		who = append(who, tenancy.Actor{User: m.User, Team: m.Team}, tenancy.Actor{User: m.User, Team: m.Team})
	}
	w.random.Shuffle(len(who), func(i, j int) { who[i], who[j] = who[j], who[i] })
	who = append(who, tenancy.Actor{User: rows[0].User, Team: rows[0].Team}) // which is cut off first
	w.tx(method+" of none", func(ctx context.Context) error { return write(ctx) })
	w.discard(method, func(ctx context.Context) error { return write(ctx, who...) })
	hold(method + " that was rolled back")
	w.tx(method, func(ctx context.Context) error { return write(ctx, who...) })
	for i := range rows {
		changed(&rows[i])
		rows[i].Version++
	}
	hold(method)
}

func renewCase(w *world) {
	team, elsewhere := w.team(), w.team()
	role := w.role(team.Account)
	member := func(team tenancy.TeamID, user tenancy.UserID, status tenancy.MembershipStatus) tenancy.Membership {
		m := w.aMembership(team, user)
		m.Status, m.Custom, m.EndedAt, m.EndedBy = status, role.ID, w.now(), "system:sweep"
		return memberships().store(w, m)
	}
	first, second := w.user().ID, w.user().ID
	rows := []tenancy.Membership{
		member(team.ID, first, tenancy.MembershipRemoved), member(elsewhere.ID, second, tenancy.MembershipRemoved),
	}
	spared := []tenancy.Membership{
		member(team.ID, w.user().ID, tenancy.MembershipActive), member(team.ID, w.user().ID, tenancy.MembershipSuspended),
		member(elsewhere.ID, first, tenancy.MembershipRemoved), member(team.ID, second, tenancy.MembershipRemoved),
	}
	at := w.now()
	writePairs(w, "RenewMemberships", func(ctx context.Context, who ...tenancy.Actor) error {
		return w.store.RenewMemberships(ctx, rbac.Restricted, at, "system:invitation", who...)
	}, rows, spared, actorsIn(team.ID, spared[0].User, spared[1].User), func(m *tenancy.Membership) {
		*m = tenancy.Membership{
			Team: m.Team, User: m.User, Role: rbac.Restricted, Status: tenancy.MembershipActive, JoinedAt: at, JoinedBy: "system:invitation",
			Version: m.Version,
		}
	})
	w.by(ruleInvalid)
	w.is(w.try(func(ctx context.Context) error {
		return w.store.RenewMemberships(ctx, 0, at, "system:invitation", actorsIn(elsewhere.ID, first)...)
	}), tenancy.ErrInvalid, "RenewMemberships in no role")
}

func appointCase(w *world) {
	team, elsewhere := w.team(), w.team()
	custom := w.role(team.Account).ID
	member := func(team tenancy.TeamID, user tenancy.UserID, change func(m *tenancy.Membership)) tenancy.Membership {
		m := w.aMembership(team, user) // which has an expiry
		m.Custom = custom
		change(&m)
		return memberships().store(w, m)
	}
	asItIs := func(*tenancy.Membership) {}
	first, second := w.user().ID, w.user().ID
	rows := []tenancy.Membership{
		member(team.ID, first, asItIs),
		member(elsewhere.ID, second, func(m *tenancy.Membership) { m.Custom, m.ExpiresAt = tenancy.RoleID{}, time.Time{} }),
		member(team.ID, w.user().ID, func(m *tenancy.Membership) { m.Role = rbac.Restricted }),
	}
	spared := []tenancy.Membership{
		member(elsewhere.ID, first, asItIs), member(team.ID, second, asItIs),
		member(team.ID, w.user().ID, func(m *tenancy.Membership) { m.Status = tenancy.MembershipSuspended }),
		member(team.ID, w.user().ID, func(m *tenancy.Membership) { m.Status = tenancy.MembershipRemoved }),
	}
	writePairs(w, "AppointMemberships", func(ctx context.Context, who ...tenancy.Actor) error {
		return w.store.AppointMemberships(ctx, rbac.Manager, who...)
	}, rows, spared, actorsIn(team.ID, spared[2].User, spared[3].User), func(m *tenancy.Membership) {
		m.Role, m.Custom, m.ExpiresAt = rbac.Manager, tenancy.RoleID{}, time.Time{}
	})
	w.by(ruleInvalid)
	w.is(w.try(func(ctx context.Context) error {
		return w.store.AppointMemberships(ctx, 0, actorsIn(elsewhere.ID, first)...)
	}), tenancy.ErrInvalid, "AppointMemberships in no role")
}

func invitationID(r invite.Record) tenancy.InvitationID { return r.ID }

// endedInvitation stores one that is no longer pending.
func (w *world) endedInvitation(team tenancy.Team) invite.Record {
	w.Helper()
	r := w.anInvitation(team)
	r.State, r.EndedAt, r.EndedBy = invite.Declined, w.now(), "system:sweep"
	return stored(w, "InsertInvitation", r, just(w.store.InsertInvitation))
}

func lockInvitationsCase(w *world) {
	team, elsewhere := w.team(), w.team()
	c := w.conversation(team)
	want := sorted([]invite.Record{
		w.invitation(team), w.endedInvitation(team), stored(w, "InsertInvitation", w.aGuestInvitation(c), just(w.store.InsertInvitation)), w.invitation(team),
	}, invitationID)
	foreign, offer := w.invitation(elsewhere), w.offer(team.Account)
	w.invitation(team)
	lockSet(w, "LockInvitations", func(ctx context.Context, ids ...tenancy.InvitationID) ([]invite.Record, error) {
		return w.store.LockInvitations(ctx, sentIn(team.ID, ids...)...)
	}, want, append(idsOf(want, invitationID), foreign.ID, offer.ID))
}

func endInvitationsCase(w *world) {
	team, elsewhere := w.team(), w.team()
	c := w.conversation(team)
	rows := []invite.Record{w.invitation(team), stored(w, "InsertInvitation", w.aGuestInvitation(c), just(w.store.InsertInvitation))}
	spared := []invite.Record{w.endedInvitation(team), w.invitation(elsewhere), w.invitation(team)}
	at := w.now()
	writeSet(w, "EndInvitations", invitations(), func(ctx context.Context, ids ...tenancy.InvitationID) error {
		return w.store.EndInvitations(ctx, invite.Revoked, at, "user:someone", sentIn(team.ID, ids...)...)
	}, rows, spared, append(idsOf(rows, invitationID), spared[0].ID, spared[1].ID), func(r *invite.Record) {
		r.State, r.EndedAt, r.EndedBy = invite.Revoked, at, "user:someone"
	})
	again := w.anInvitation(team)
	again.Email = rows[0].Email
	w.must(invitations().put(w, again), "InsertInvitation for an address whose invitation has ended")
	w.by(ruleInvalid)
	w.is(w.try(func(ctx context.Context) error {
		return w.store.EndInvitations(ctx, "over", at, "", sentIn(team.ID, spared[2].ID)...)
	}), tenancy.ErrInvalid, "EndInvitations in a state that there is not")
}

func pendingIntoCase(w *world) {
	team, elsewhere := w.team(), w.team()
	first, second, third, foreign := w.conversation(team), w.conversation(team), w.conversation(team), w.conversation(elsewhere)
	into := func(c conversation.Conversation, change func(*invite.Record)) tenancy.InvitationID {
		r := w.aGuestInvitation(c)
		change(&r)
		return stored(w, "InsertInvitation", r, just(w.store.InsertInvitation)).ID
	}
	asItIs := func(*invite.Record) {}
	want := byID([]tenancy.InvitationID{
		into(first, asItIs), into(first, asItIs), into(second, asItIs),
		into(second, func(r *invite.Record) { r.ExpiresAt = r.CreatedAt }), // its time has passed, and it is pending all the same
	})
	into(first, func(r *invite.Record) { r.State = invite.Revoked })
	into(third, asItIs)
	into(foreign, asItIs)
	w.invitation(team)
	readSet(w, "PendingInto", func(ctx context.Context, ids ...tenancy.ConversationID) ([]tenancy.InvitationID, error) {
		return pendingInto(ctx, w.store, team.ID, ids...)
	}, want, []tenancy.ConversationID{first.ID, second.ID, foreign.ID})
}

func contactsCase(w *world) {
	team, elsewhere := w.team(), w.team()
	id := func(c conversation.Contact) tenancy.ContactID { return c.ID }
	want := sorted([]conversation.Contact{w.contact(team.ID), w.contact(team.ID), w.contact(team.ID)}, id)
	foreign := w.contact(elsewhere.ID)
	w.contact(team.ID)
	readSet(w, "Contacts", func(ctx context.Context, ids ...tenancy.ContactID) ([]conversation.Contact, error) {
		return w.store.Contacts(ctx, team.ID, ids...)
	}, want, append(idsOf(want, id), foreign.ID))
}

func contactsByAddressCase(w *world) {
	team, elsewhere := w.team(), w.team()
	want := sorted([]conversation.Contact{w.contact(team.ID), w.contact(team.ID), w.contact(team.ID)},
		func(c conversation.Contact) tenancy.ContactID { return c.ID })
	foreign, other := w.contact(elsewhere.ID), w.contact(team.ID)
	onChat := w.aContact(team.ID)
	onChat.Channel, onChat.Address = tenancy.ChatChannel, want[0].Address
	contacts().store(w, onChat)
	addresses := []string{"", "%", foreign.Address, want[2].Address, want[0].Address, want[1].Address, want[0].Address}
	for range 600 {
		addresses = append(addresses, newID[tenancy.ContactID](w).String())
	}
	find := func(channel tenancy.Channel, addresses ...string) ([]conversation.Contact, error) {
		return w.store.ContactsByAddress(w.ctx, team.ID, channel, addresses...)
	}
	lists(w, want, "ContactsByAddress")(find(tenancy.PhoneChannel, addresses...))
	lists(w, []conversation.Contact{onChat}, "ContactsByAddress on another channel")(find(tenancy.ChatChannel, addresses...))
	lists[conversation.Contact](w, nil, "ContactsByAddress of none")(find(tenancy.PhoneChannel))
	lists(w, []conversation.Contact{other}, "ContactsByAddress of one")(find(tenancy.PhoneChannel, other.Address))
}

func conversationID(c conversation.Conversation) tenancy.ConversationID { return c.ID }

func lockConversationsCase(w *world) {
	team := w.team()
	closed := w.aConversation(team)
	closed.Status = conversation.Closed
	want := sorted([]conversation.Conversation{
		w.conversation(team), conversations().store(w, closed), w.conversation(team),
	}, conversationID)
	foreign := w.conversation(w.teamIn(team.Account))
	w.conversation(team)
	lockSet(w, "LockConversations", func(ctx context.Context, ids ...tenancy.ConversationID) ([]conversation.Conversation, error) {
		return w.store.LockConversations(ctx, inTeam(team.ID, ids...)...)
	}, want, append(idsOf(want, conversationID), foreign.ID))
}

// heldConversations is [held] for one of the conversations that LockConversations takes.
func heldConversations(w *world) {
	team := w.team()
	c, other := w.conversation(team), w.conversation(team)
	held(w, c, conversations(), "LockConversations", func(ctx context.Context, c conversation.Conversation) (conversation.Conversation, error) {
		locked, err := w.store.LockConversations(ctx, inTeam(team.ID, other.ID, c.ID)...)
		i := slices.IndexFunc(locked, func(found conversation.Conversation) bool { return found.ID == c.ID })
		if err != nil || i < 0 {
			return conversation.Conversation{}, err
		}
		return locked[i], nil
	})
}

// threads are two conversations of a team that a call names, and two that it must spare: one of
// another team that it names as well, and one that it does not.
func (w *world) threads(team tenancy.Team) (rows, spared []conversation.Conversation, ids []tenancy.ConversationID) {
	w.Helper()
	rows = []conversation.Conversation{w.conversation(team), w.conversation(team)}
	spared = []conversation.Conversation{w.conversation(w.teamIn(team.Account)), w.conversation(team)}
	return rows, spared, append(idsOf(rows, conversationID), spared[0].ID)
}

func unassignCase(w *world) {
	team := w.team()
	rows, spared, ids := w.threads(team)
	writeSet(w, "UnassignConversations", conversations(), func(ctx context.Context, ids ...tenancy.ConversationID) error {
		return w.store.UnassignConversations(ctx, inTeam(team.ID, ids...)...)
	}, rows, spared, ids, func(c *conversation.Conversation) { c.Assignee = tenancy.UserID{} })
	lists[tenancy.ConversationID](w, nil, "HeldBy the assignee, who was the assignee")(heldBy(w.ctx, w.store, team.ID, rows[0].Assignee))
}

const ruleReleaseClaims rule = "conversation.ThreadSetStore.ReleaseConversations — ReleaseConversations takes the claim off the conversations in their teams."

func releaseClaimsCase(w *world) {
	team := w.team()
	rows, spared, ids := w.threads(team)
	writeSet(w, "ReleaseConversations", conversations(), func(ctx context.Context, ids ...tenancy.ConversationID) error {
		return w.store.ReleaseConversations(ctx, inTeam(team.ID, ids...)...)
	}, rows, spared, ids, func(c *conversation.Conversation) { c.Claimant, c.ClaimedUntil = tenancy.UserID{}, time.Time{} })
	lists[tenancy.ConversationID](w, nil, "HeldBy who had claimed")(heldBy(w.ctx, w.store, team.ID, rows[0].Claimant))
}

func closeCase(w *world) {
	team := w.team()
	rows, spared, ids := w.threads(team)
	snoozed := w.aConversation(team)
	snoozed.Status, snoozed.SnoozedUntil = conversation.Snoozed, w.now()
	rows, ids = append(rows, conversations().store(w, snoozed)), append(ids, snoozed.ID)
	writeSet(w, "CloseConversations", conversations(), func(ctx context.Context, ids ...tenancy.ConversationID) error {
		return w.store.CloseConversations(ctx, team.ID, conversation.NotInterested, ids...)
	}, rows, spared, ids, func(c *conversation.Conversation) {
		c.Status, c.SnoozedUntil, c.Outcome = conversation.Closed, time.Time{}, conversation.NotInterested
		c.Claimant, c.ClaimedUntil = tenancy.UserID{}, time.Time{}
	})
	w.tx("LockOpen", func(ctx context.Context) error {
		lists(w, spared[1:], "LockOpen after CloseConversations")(w.store.LockOpen(ctx, team.ID))
		return nil
	})
}

func moveAllCase(w *world) {
	team := w.team()
	to := w.teamIn(team.Account)
	rows, spared, ids := w.threads(team)
	contacts := map[tenancy.ConversationID]tenancy.ContactID{}
	for _, c := range rows {
		there := w.aContact(to.ID)
		there.Channel, there.Address = c.Identity.Channel, c.Address
		contacts[c.ID] = stored(w, "InsertContact", there, just(w.store.InsertContact)).ID
	}
	var said []conversation.Message
	for i, c := range slices.Concat(rows, spared) {
		said = append(said, w.found(tenancy.Team{ID: c.Team}, c.ID, w.aMessage(c.ID, 1), conversation.Word(i+1)))
	}
	move := func(ctx context.Context, ids ...tenancy.ConversationID) error {
		return w.store.MoveConversations(ctx, team.ID, to.ID, ids...)
	}
	writeSet(w, "MoveConversations", conversations(), move, rows, spared, ids, func(c *conversation.Conversation) {
		c.Team, c.Contact, c.Assignee = to.ID, contacts[c.ID], tenancy.UserID{}
		c.Claimant, c.ClaimedUntil = tenancy.UserID{}, time.Time{}
	})
	all := tenancy.Keyset{Limit: 10}
	for i, team := range []tenancy.TeamID{to.ID, to.ID, spared[0].Team, team.ID} {
		lists(w, said[i:i+1], "Search in the team where the conversation is now")(
			w.store.Search(w.ctx, team, []conversation.Word{conversation.Word(i + 1)}, false, all))
	}
	lists(w, spared[1:], "Conversations of the team that they have left")(
		w.store.Conversations(w.ctx, conversation.Scope{Team: team.ID}, conversation.Filter{}, all))
	w.is(w.try(func(ctx context.Context) error { return move(ctx, spared[1].ID) }), tenancy.ErrNotFound,
		"MoveConversations to a team without the contact")
	conversations().holds(w, spared[1], "a refused move")
}

func endEpisodesCase(w *world) {
	k := episodes()
	first, second, third := w.conversation(w.team()).ID, w.conversation(w.team()).ID, w.conversation(w.team()).ID
	over := w.anEpisode(first, 1)
	over.ClosedAt, over.ClosedBy, over.ClosedOn = w.now(), "system:sweep", conversation.OnIdle
	rows := []conversation.Episode{k.store(w, w.anEpisode(first, 2)), k.store(w, w.anEpisode(second, 1))}
	spared := []conversation.Episode{k.store(w, over), k.store(w, w.anEpisode(third, 1))}
	hold := func(after string) {
		for _, e := range slices.Concat(rows, spared) {
			k.holds(w, e, after)
		}
	}
	end := conversation.Episode{ClosedAt: w.now(), ClosedBy: "user:someone", ClosedOn: conversation.OnClose, Outcome: "später"}
	ids := []tenancy.ConversationID{first, second}
	write := func(ctx context.Context, ids ...tenancy.ConversationID) error {
		return w.store.EndEpisodes(ctx, end, ids...)
	}
	w.tx("EndEpisodes of none", func(ctx context.Context) error { return write(ctx) })
	w.discard("EndEpisodes", func(ctx context.Context) error { return write(ctx, crowded(w, ids)...) })
	hold("EndEpisodes of none, and of some that was rolled back")
	w.tx("EndEpisodes", func(ctx context.Context) error { return write(ctx, crowded(w, ids)...) })
	for i := range rows {
		rows[i].ClosedAt, rows[i].ClosedBy, rows[i].ClosedOn, rows[i].Outcome = end.ClosedAt, end.ClosedBy, end.ClosedOn, end.Outcome
	}
	hold("EndEpisodes")
	w.by(ruleInvalid)
	end.ClosedOn = conversation.OnTimer
	w.is(w.try(func(ctx context.Context) error { return write(ctx, third) }), tenancy.ErrInvalid, "EndEpisodes on an event that ends none")
}

func revokeGrantsCase(w *world) {
	team := w.team()
	user := w.user().ID
	grant := func(user tenancy.UserID, change func(*conversation.Grant)) conversation.Grant {
		g := w.aGrant(w.conversation(team).ID)
		g.User = user
		change(&g)
		return grants().store(w, g)
	}
	asItIs := func(*conversation.Grant) {}
	rows := []conversation.Grant{
		grant(user, asItIs), grant(user, func(g *conversation.Grant) { g.ExpiresAt = g.AcceptedAt }),
	}
	spared := []conversation.Grant{
		grant(w.user().ID, asItIs),
		grant(user, func(g *conversation.Grant) { g.RevokedAt, g.RevokedBy = w.now(), "system:sweep" }),
		grant(user, asItIs), // in a conversation that is not named
	}
	of := func(g conversation.Grant) tenancy.ConversationID { return g.Conversation }
	at := w.now()
	writeSet(w, "RevokeGrants", grants(), func(ctx context.Context, ids ...tenancy.ConversationID) error {
		return w.store.RevokeGrants(ctx, at, "user:someone", keysOf(user, ids...)...)
	}, rows, spared, append(idsOf(rows, of), spared[0].Conversation, spared[1].Conversation), func(g *conversation.Grant) {
		g.RevokedAt, g.RevokedBy = at, "user:someone"
	})
	lapsed, err := w.store.LapsedGrants(w.ctx, w.now().AddDate(100, 0, 0), 1000)
	w.must(err, "LapsedGrants")
	for _, t := range lapsed {
		if t.Conversation == rows[1].Conversation {
			w.breaks("LapsedGrants lists a grant that RevokeGrants has revoked")
		}
	}
	lists(w, idsOf(spared[2:], of), "HeldBy a guest, after RevokeGrants")(heldBy(w.ctx, w.store, team.ID, user))
}

func grantsOfSeveralCase(w *world) {
	var want []conversation.Grant
	var ids []tenancy.ConversationID
	for range 3 {
		c := w.conversation(w.team()).ID
		ids = append(ids, c)
		for range 3 {
			want = append(want, w.grant(c))
		}
	}
	w.grant(w.conversation(w.team()).ID)
	slices.SortFunc(want, func(a, b conversation.Grant) int {
		return slices.Compare(slices.Concat(a.Conversation[:], a.User[:]), slices.Concat(b.Conversation[:], b.User[:]))
	})
	readSet(w, "Grants", w.store.Grants, want, ids)
}

func pendingDeliveriesCase(w *world) {
	of := func(d conversation.Delivery) tenancy.ConversationID { return d.Conversation }
	want := sorted([]conversation.Delivery{
		w.delivery(w.conversation(w.team())), w.delivery(w.conversation(w.team())), w.delivery(w.conversation(w.team())),
	}, of)
	over := w.aDelivery(w.conversation(w.team()))
	over.State, over.EndedAt = conversation.DeliveryCompleted, w.now()
	deliveries().store(w, over)
	w.delivery(w.conversation(w.team()))
	readSet(w, "PendingDeliveries", w.store.PendingDeliveries, want, append(idsOf(want, of), over.Conversation))
}

func endDeliveriesCase(w *world) {
	of := func(d conversation.Delivery) tenancy.ConversationID { return d.Conversation }
	first, second := w.conversation(w.team()), w.conversation(w.team())
	rows := []conversation.Delivery{w.delivery(first), w.delivery(second)}
	over := w.aDelivery(first)
	over.State, over.EndedAt = conversation.DeliveryDeclined, w.now()
	spared := []conversation.Delivery{deliveries().store(w, over), w.delivery(w.conversation(w.team()))}
	at := w.now()
	writeSet(w, "EndDeliveries", deliveries(), func(ctx context.Context, ids ...tenancy.ConversationID) error {
		return w.store.EndDeliveries(ctx, conversation.DeliveryExpired, at, ids...)
	}, rows, spared, idsOf(rows, of), func(d *conversation.Delivery) {
		d.State, d.EndedAt = conversation.DeliveryExpired, at
	})
	next := w.aDelivery(second)
	w.must(deliveries().put(w, next), "InsertDelivery where the pending one has ended")
	w.by(ruleInvalid)
	w.is(w.try(func(ctx context.Context) error {
		return w.store.EndDeliveries(ctx, "over", at, next.Conversation)
	}), tenancy.ErrInvalid, "EndDeliveries in a state that there is not")
}

// appendManyCase appends, in turns, to more streams of one kind than a statement is likely to hold,
// to each another number of events.
func appendManyCase(w *world) {
	const most = 40
	team := w.team()
	var streams []outbox.Stream
	for range most {
		streams = append(streams, outbox.Stream{Kind: outbox.ConversationStream, ID: w.conversation(team).ID.UUID()})
	}
	streams = append(streams, w.streams(team)...)
	var want []outbox.Event
	count := map[outbox.Stream]int64{}
	batch := func() (events []outbox.Event) {
		for turn := range 5 {
			for i, s := range streams {
				if i%5 < turn {
					continue
				}
				count[s]++
				e := w.anEvent(s, team)
				e.Sequence = count[s]
				events = append(events, e)
			}
		}
		want = append(want, events...)
		return events
	}
	w.tx("Append", func(ctx context.Context) error {
		want, count = nil, map[outbox.Stream]int64{}
		if err := w.store.Append(ctx, batch()...); err != nil {
			return err
		}
		return w.store.Append(ctx, batch()...)
	})
	lists(w, want, "TeamEvents after Append")(w.history(w.ctx, team), nil)

	// One stream among many that is not there refuses them all, whatever becomes of the error.
	w.by(ruleStream)
	streams = append(streams[:most:most], outbox.Stream{Kind: outbox.ConversationStream, ID: newID[tenancy.ConversationID](w).UUID()})
	before := slices.Clone(want)
	err := w.try(func(ctx context.Context) error {
		_ = w.store.Append(ctx, batch()...)
		return nil
	})
	w.is(err, tenancy.ErrNotFound, "a transaction that swallowed the error of an Append to a stream that is not there")
	lists(w, before, "TeamEvents after a refused Append")(w.history(w.ctx, team), nil)
}

// severalCase inserts more rows at once than a statement is likely to hold, and then again with one
// among them that is refused.
func (k kind[R]) severalCase(w *world) {
	const many = 20
	insert := func(rows []R) error {
		return w.try(func(ctx context.Context) error { return k.several(w.store, ctx, rows...) })
	}
	fresh := func() (rows []R) {
		for range many {
			rows = append(rows, k.fresh(w))
		}
		return rows
	}
	w.must(insert(nil), "%s of none", k.methods[inserts])
	rows := fresh()
	w.must(insert(rows), "%s of %d rows", k.methods[inserts], many)
	for _, r := range rows {
		k.holds(w, r, "an insert of several")
	}
	more := fresh()
	more[many-1] = k.rival(w, rows[0])
	w.is(insert(more), tenancy.ErrDuplicate, "%s of several rows, the last of which is there", k.methods[inserts])
	for _, r := range more[:many-1] {
		nothing[R](w, "%s after an insert of several that was refused", k.methods[gets])(k.get(w.store, w.ctx, r))
	}
	k.holds(w, rows[0], "a refused insert of several")
}
