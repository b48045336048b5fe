package storagetest

import (
	"context"
	"slices"
	"time"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/tenancy"
)

// The methods here take rows of several teams. Most cases ask them about one.

func inTeam(team tenancy.TeamID, ids ...tenancy.ConversationID) []conversation.Thread {
	in := make([]conversation.Thread, len(ids))
	for i, id := range ids {
		in[i] = conversation.Thread{Team: team, Conversation: id}
	}
	return in
}

func sentIn(team tenancy.TeamID, ids ...tenancy.InvitationID) []invite.Whereabouts {
	in := make([]invite.Whereabouts, len(ids))
	for i, id := range ids {
		in[i] = invite.Whereabouts{Team: team, ID: id}
	}
	return in
}

func keysOf(user tenancy.UserID, ids ...tenancy.ConversationID) []conversation.GrantKey {
	keys := make([]conversation.GrantKey, len(ids))
	for i, id := range ids {
		keys[i] = conversation.GrantKey{Conversation: id, User: user}
	}
	return keys
}

func actorsIn(team tenancy.TeamID, users ...tenancy.UserID) []tenancy.Actor {
	who := make([]tenancy.Actor, len(users))
	for i, user := range users {
		who[i] = tenancy.Actor{User: user, Team: team}
	}
	return who
}

// heldBy are the conversations of one team of which one user has something.
func heldBy(ctx context.Context, s storage.Store, team tenancy.TeamID, user tenancy.UserID) ([]tenancy.ConversationID, error) {
	held, err := s.HeldBy(ctx, tenancy.Actor{User: user, Team: team})
	var ids []tenancy.ConversationID
	for _, t := range held {
		if t.Team == team {
			ids = append(ids, t.Conversation)
		}
	}
	return ids, err
}

// pendingBy are the invitations that one user sent in one team.
func pendingBy(ctx context.Context, s storage.Store, team tenancy.TeamID, inviter tenancy.UserID) ([]tenancy.InvitationID, error) {
	return idsIn(s.PendingBy(ctx, tenancy.Actor{User: inviter, Team: team}))
}

// pendingInto are the ids of what PendingInto answers.
func pendingInto(ctx context.Context, s storage.Store, team tenancy.TeamID, conversations ...tenancy.ConversationID) ([]tenancy.InvitationID, error) {
	return idsIn(s.PendingInto(ctx, team, conversations...))
}

func idsIn(sent []invite.Whereabouts, err error) ([]tenancy.InvitationID, error) {
	var ids []tenancy.InvitationID
	for _, i := range sent {
		ids = append(ids, i.ID)
	}
	return ids, err
}

func hasOtherManager(ctx context.Context, s storage.Store, team tenancy.TeamID, but tenancy.UserID) (bool, error) {
	managed, err := s.Managed(ctx, but, team)
	return slices.Contains(managed, team), err
}

// lastingRoles are those in one team.
func lastingRoles(ctx context.Context, s storage.Store, team tenancy.TeamID, but tenancy.UserID) ([]tenancy.CustomRole, error) {
	held, err := s.LastingRoles(ctx, but, team)
	var roles []tenancy.CustomRole
	for _, r := range held {
		if r.Team == team {
			roles = append(roles, r.CustomRole)
		}
	}
	return roles, err
}

func teamID(t tenancy.Team) tenancy.TeamID { return t.ID }

// someTeams are two active teams of one account, one of another that is archived, and one that is not
// among those.
func (w *world) someTeams() []tenancy.Team {
	w.Helper()
	first := w.team()
	archived := w.aTeam(w.account().ID)
	archived.Status = tenancy.TeamArchived
	named := sorted([]tenancy.Team{first, w.teamIn(first.Account), teams().store(w, archived)}, teamID)
	w.team()
	return named
}

func teamsCase(w *world) {
	want := w.someTeams()
	readSet(w, "Teams", w.store.Teams, want, idsOf(want, teamID))
}

func lockTeamsCase(w *world) {
	want := w.someTeams()
	lockSet(w, "LockTeams", w.store.LockTeams, want, idsOf(want, teamID))
}

// heldTeams is [held] for one of the teams that LockTeams takes.
func heldTeams(w *world) {
	team, other := w.team(), w.team()
	held(w, team, teams(), "LockTeams", func(ctx context.Context, t tenancy.Team) (tenancy.Team, error) {
		locked, err := w.store.LockTeams(ctx, other.ID, t.ID)
		i := slices.IndexFunc(locked, func(found tenancy.Team) bool { return found.ID == t.ID })
		if err != nil || i < 0 {
			return tenancy.Team{}, err
		}
		return locked[i], nil
	})
}

func accountID(a tenancy.Account) tenancy.AccountID { return a.ID }

// someAccounts are accounts, one of them closed, beside another one.
func (w *world) someAccounts() []tenancy.Account {
	w.Helper()
	closed := w.account()
	closed.Status = tenancy.AccountClosed
	w.must(accounts().write(w, closed), "UpdateAccount")
	closed.Version++
	named := sorted([]tenancy.Account{w.account(), closed, w.account()}, accountID)
	w.account()
	return named
}

func accountsCase(w *world) {
	want := w.someAccounts()
	readSet(w, "Accounts", w.store.Accounts, want, idsOf(want, accountID))
}

func lockAccountsCase(w *world) {
	want := w.someAccounts()
	lockSet(w, "LockAccounts", w.store.LockAccounts, want, idsOf(want, accountID))
}

func transferAccountsCase(w *world) {
	rows := w.someAccounts()
	other, to := w.account(), w.user().ID
	writeSet(w, "TransferAccounts", accounts(), func(ctx context.Context, ids ...tenancy.AccountID) error {
		return w.store.TransferAccounts(ctx, to, ids...)
	}, rows, []tenancy.Account{other}, idsOf(rows, accountID), func(a *tenancy.Account) { a.HeldBy = to })
	held, err := w.store.AccountsOf(w.ctx, to, tenancy.Keyset{Limit: 10})
	lists(w, idsOf(rows, accountID), "AccountsOf who holds them now")(tenancy.InOrder(idsOf(held, accountID)...), err)
	w.by(ruleMissing)
	w.is(w.try(func(ctx context.Context) error {
		return w.store.TransferAccounts(ctx, newID[tenancy.UserID](w), other.ID)
	}), tenancy.ErrNotFound, "TransferAccounts to a user who does not exist")
}

// lost are so many users who are in no team.
func (w *world) lost(team tenancy.TeamID) []tenancy.Actor {
	var who []tenancy.Actor
	for range 600 {
		who = append(who, tenancy.Actor{User: newID[tenancy.UserID](w), Team: team})
	}
	return who
}

func endMembershipsCase(w *world) {
	a, b := w.team(), w.team()
	role := w.role(a.Account)
	user, other := w.user().ID, w.user().ID
	in := func(team tenancy.TeamID, user tenancy.UserID, change func(m *tenancy.Membership)) tenancy.Membership {
		m := w.aMembership(team, user)
		m.Status = tenancy.MembershipActive
		change(&m)
		return memberships().store(w, m)
	}
	asItIs := func(*tenancy.Membership) {}
	rows := []tenancy.Membership{
		in(a.ID, user, func(m *tenancy.Membership) { m.Custom = role.ID }),
		in(b.ID, other, func(m *tenancy.Membership) { m.Status = tenancy.MembershipSuspended }),
	}
	spared := []tenancy.Membership{
		in(b.ID, user, asItIs), in(a.ID, other, asItIs), // each is named, and each of the teams is
		in(a.ID, w.user().ID, func(m *tenancy.Membership) {
			m.Status, m.EndedAt, m.EndedBy = tenancy.MembershipRemoved, w.now(), "system:sweep"
		}),
	}
	who := []tenancy.Actor{
		{User: other, Team: b.ID}, {User: user, Team: a.ID}, {User: spared[2].User, Team: a.ID}, {User: other, Team: b.ID},
	}
	who = slices.Concat(who[:2], w.lost(a.ID), who[2:])
	at := w.now()
	hold := func(after string) {
		w.Helper()
		for _, m := range slices.Concat(rows, spared) {
			memberships().holds(w, m, after)
		}
	}
	w.tx("EndMemberships of none", func(ctx context.Context) error { return w.store.EndMemberships(ctx, at, "user:someone") })
	w.discard("EndMemberships", func(ctx context.Context) error { return w.store.EndMemberships(ctx, at, "user:someone", who...) })
	hold("EndMemberships that was rolled back")
	w.tx("EndMemberships", func(ctx context.Context) error { return w.store.EndMemberships(ctx, at, "user:someone", who...) })
	for i := range rows {
		m := &rows[i]
		m.Status, m.Custom, m.EndedAt, m.EndedBy = tenancy.MembershipRemoved, tenancy.RoleID{}, at, "user:someone"
		m.Version++
	}
	hold("EndMemberships")
	left, err := w.store.MembershipsOf(w.ctx, user)
	lists(w, spared[:1], "MembershipsOf after EndMemberships")(left, err)
	w.tx("DeleteRole", func(ctx context.Context) error { return w.store.DeleteRole(ctx, a.Account, role.ID) })
}

func authoritiesCase(w *world) {
	user, other := w.user().ID, w.user().ID
	first := w.team()
	role := w.role(first.Account)
	var want []tenancy.TeamAuthority
	for i, change := range []func(m *tenancy.Membership){
		func(*tenancy.Membership) {},
		func(m *tenancy.Membership) { m.Custom = role.ID },
		func(m *tenancy.Membership) { m.Status, m.EndedAt = tenancy.MembershipRemoved, w.now() },
	} {
		team := first
		if i > 0 {
			team = w.teamIn(first.Account)
		}
		m := w.aMembership(team.ID, user)
		change(&m)
		memberships().store(w, m)
		memberships().store(w, w.aMembership(team.ID, other))
		a := tenancy.TeamAuthority{Team: team.ID, Authority: tenancy.Authority{
			Account: team.Account, AccountStatus: tenancy.AccountActive, TeamStatus: tenancy.TeamActive, Capacity: team.Settings.Capacity,
			UserStatus: tenancy.UserActive, Autoclaim: true, Role: m.Role, Custom: m.Custom, Status: m.Status, ExpiresAt: m.ExpiresAt,
		}}
		if !m.Custom.IsZero() {
			a.CustomName, a.CustomPermissions = role.Name, role.Permissions
		}
		want = append(want, a)
	}
	id := func(a tenancy.TeamAuthority) tenancy.TeamID { return a.Team }
	want = sorted(want, id)
	foreign := w.member(w.team().ID, rbac.Manager)
	readSet(w, "Authorities", func(ctx context.Context, ids ...tenancy.TeamID) ([]tenancy.TeamAuthority, error) {
		return w.store.Authorities(ctx, user, ids...)
	}, want, append([]tenancy.TeamID{foreign.Team}, idsOf(want, id)...))
	lists[tenancy.TeamAuthority](w, nil, "Authorities of a user who does not exist")(
		w.store.Authorities(w.ctx, newID[tenancy.UserID](w), idsOf(want, id)...))
}

// heldAuthorities is [held] for one of the memberships that Authorities takes.
func heldAuthorities(w *world) {
	user := w.user().ID
	other := memberships().store(w, w.aMembership(w.team().ID, user))
	held(w, memberships().store(w, w.aMembership(w.team().ID, user)), memberships(), "Authorities",
		func(ctx context.Context, m tenancy.Membership) (tenancy.Membership, error) {
			if _, err := w.store.Authorities(ctx, m.User, other.Team, m.Team); err != nil {
				return tenancy.Membership{}, err
			}
			return w.store.Membership(ctx, m.Team, m.User)
		})
}

func managersOfSeveralCase(w *world) {
	a, b, c := w.team(), w.team(), w.team()
	first, second := w.role(a.Account), w.role(b.Account)
	me := w.member(a.ID, rbac.Manager)
	w.member(a.ID, rbac.Manager)
	w.member(b.ID, rbac.Manager)
	alone := w.aMembership(c.ID, me.User)
	alone.Role, alone.Custom, alone.Status, alone.ExpiresAt = rbac.Manager, tenancy.RoleID{}, tenancy.MembershipActive, time.Time{}
	memberships().store(w, alone)
	has := func(team tenancy.TeamID, user tenancy.UserID, role tenancy.CustomRole) tenancy.TeamRole {
		m := w.aMembership(team, user)
		m.Role, m.Custom, m.Status, m.ExpiresAt = role.Base, role.ID, tenancy.MembershipActive, time.Time{}
		memberships().store(w, m)
		return tenancy.TeamRole{Team: team, CustomRole: role}
	}
	want := []tenancy.TeamRole{has(a.ID, w.user().ID, first), has(b.ID, w.user().ID, first), has(b.ID, w.user().ID, second)}
	has(a.ID, w.user().ID, first)
	has(b.ID, me.User, w.role(b.Account))
	slices.SortFunc(want, func(x, y tenancy.TeamRole) int {
		if x.Team != y.Team {
			return slices.Compare(x.Team[:], y.Team[:])
		}
		return slices.Compare(x.ID[:], y.ID[:])
	})
	ids := crowded(w, []tenancy.TeamID{a.ID, b.ID, c.ID})
	lists(w, tenancy.InOrder(a.ID, b.ID), "Managed without a manager of all")(w.store.Managed(w.ctx, me.User, ids...))
	lists(w, tenancy.InOrder(a.ID, b.ID, c.ID), "Managed without nobody")(w.store.Managed(w.ctx, tenancy.UserID{}, ids...))
	lists[tenancy.TeamID](w, nil, "Managed of none")(w.store.Managed(w.ctx, me.User))
	roles, err := w.store.LastingRoles(w.ctx, me.User, ids...)
	slices.SortFunc(roles, func(x, y tenancy.TeamRole) int { // the order is that of each statement
		if x.Team != y.Team {
			return slices.Compare(x.Team[:], y.Team[:])
		}
		return slices.Compare(x.ID[:], y.ID[:])
	})
	lists(w, want, "LastingRoles of several teams")(roles, err)
	lists[tenancy.TeamRole](w, nil, "LastingRoles of no team")(w.store.LastingRoles(w.ctx, me.User))
}

func heldInSeveralCase(w *world) {
	a, b := w.team(), w.team()
	user, other := w.user().ID, w.user().ID
	held := func(team tenancy.Team, change func(c *conversation.Conversation)) conversation.Thread {
		c := w.aConversation(team)
		change(&c)
		conversations().store(w, c)
		return conversation.Thread{Team: team.ID, Conversation: c.ID}
	}
	granted := func(t conversation.Thread, user tenancy.UserID) {
		g := w.aGrant(t.Conversation)
		g.User, g.RevokedAt, g.RevokedBy = user, time.Time{}, ""
		grants().store(w, g)
	}
	delivering := func(t conversation.Thread, by tenancy.UserID) {
		c, err := w.store.Conversation(w.ctx, t.Team, t.Conversation)
		w.must(err, "Conversation")
		d := w.aDelivery(c)
		d.By = by
		deliveries().store(w, d)
	}
	asItIs := func(*conversation.Conversation) {}
	all := []conversation.Thread{
		held(a, func(c *conversation.Conversation) { c.Assignee = user }),
		held(b, func(c *conversation.Conversation) { c.Claimant, c.ClaimedUntil = other, w.now() }),
		held(a, asItIs), held(b, asItIs),
		held(a, func(c *conversation.Conversation) { c.Assignee, c.Claimant, c.ClaimedUntil = user, user, w.now() }), // in two ways
	}
	granted(all[2], user)
	delivering(all[3], other)
	// The same users, in the other of the teams.
	for _, team := range []tenancy.Team{a, b} {
		stranger := map[tenancy.TeamID]tenancy.UserID{a.ID: other, b.ID: user}[team.ID]
		held(team, func(c *conversation.Conversation) { c.Assignee = stranger })
		held(team, func(c *conversation.Conversation) { c.Claimant, c.ClaimedUntil = stranger, w.now() })
		granted(held(team, asItIs), stranger)
		delivering(held(team, asItIs), stranger)
	}
	want := sorted(all, func(t conversation.Thread) tenancy.ConversationID { return t.Conversation })
	who := slices.Concat([]tenancy.Actor{{User: other, Team: b.ID}}, w.lost(a.ID), []tenancy.Actor{{User: user, Team: a.ID}, {User: other, Team: b.ID}})
	lists(w, want, "HeldBy several users")(w.store.HeldBy(w.ctx, who...))
	lists[conversation.Thread](w, nil, "HeldBy nobody")(w.store.HeldBy(w.ctx))
	w.tx("HeldBy", func(ctx context.Context) error {
		lists(w, want, "HeldBy several users inside a transaction")(w.store.HeldBy(ctx, who...))
		return nil
	})
}

func severalTeamsCase(w *world) {
	a, b := w.team(), w.team()
	rows := sorted([]conversation.Conversation{w.conversation(a), w.conversation(b)}, conversationID)
	spared := []conversation.Conversation{w.conversation(a), w.conversation(b), w.conversation(a)}
	in := []conversation.Thread{
		{Team: rows[0].Team, Conversation: rows[0].ID}, {Team: rows[1].Team, Conversation: rows[1].ID},
		{Team: b.ID, Conversation: spared[0].ID}, {Team: a.ID, Conversation: spared[1].ID}, // each is in the other team
	}
	for range 300 {
		in = append(in, inTeam(a.ID, newID[tenancy.ConversationID](w))...)
	}
	in = append(in, in[0], in[1])
	hold := func(after string) {
		w.Helper()
		for _, c := range slices.Concat(rows, spared) {
			conversations().holds(w, c, after)
		}
	}
	w.tx("LockConversations", func(ctx context.Context) error {
		lists(w, rows, "LockConversations of several teams")(w.store.LockConversations(ctx, in...))
		return nil
	})
	w.tx("UnassignConversations", func(ctx context.Context) error { return w.store.UnassignConversations(ctx, in...) })
	for i := range rows {
		rows[i].Assignee = tenancy.UserID{}
		rows[i].Version++
	}
	hold("UnassignConversations of several teams")
	w.tx("ReleaseConversations", func(ctx context.Context) error { return w.store.ReleaseConversations(ctx, in...) })
	for i := range rows {
		rows[i].Claimant, rows[i].ClaimedUntil = tenancy.UserID{}, time.Time{}
		rows[i].Version++
	}
	hold("ReleaseConversations of several teams")
}

func invitationsOfSeveralCase(w *world) {
	a, b := w.team(), w.team()
	inviter, other := w.user().ID, w.user().ID
	by := func(team tenancy.Team, user tenancy.UserID) invite.Record {
		r := w.anInvitation(team)
		r.Inviter = user
		return stored(w, "InsertInvitation", r, just(w.store.InsertInvitation))
	}
	rows := sorted([]invite.Record{by(a, inviter), by(b, other)}, invitationID)
	spared := []invite.Record{by(a, other), by(b, inviter)}
	var want []invite.Whereabouts
	for _, r := range rows {
		want = append(want, invite.Whereabouts{Team: r.Team, ID: r.ID})
	}
	who := slices.Concat([]tenancy.Actor{{User: other, Team: b.ID}}, w.lost(a.ID), []tenancy.Actor{{User: inviter, Team: a.ID}})
	lists(w, want, "PendingBy several users")(w.store.PendingBy(w.ctx, who...))
	lists[invite.Whereabouts](w, nil, "PendingBy nobody")(w.store.PendingBy(w.ctx))
	in := append(slices.Clone(want), invite.Whereabouts{Team: b.ID, ID: spared[0].ID}, invite.Whereabouts{Team: a.ID, ID: spared[1].ID})
	at := w.now()
	w.tx("LockInvitations and EndInvitations", func(ctx context.Context) error {
		lists(w, rows, "LockInvitations of several teams")(w.store.LockInvitations(ctx, in...))
		return w.store.EndInvitations(ctx, invite.Revoked, at, "user:someone", in...)
	})
	for i := range rows {
		rows[i].State, rows[i].EndedAt, rows[i].EndedBy = invite.Revoked, at, "user:someone"
		rows[i].Version++
	}
	for _, r := range slices.Concat(rows, spared) {
		invitations().holds(w, r, "EndInvitations of several teams")
	}
}
