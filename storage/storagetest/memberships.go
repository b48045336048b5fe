package storagetest

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/tenancy"
)

func memberships() kind[tenancy.Membership] {
	return kind[tenancy.Membership]{
		name: "membership", methods: []string{"InsertMembership", "UpdateMembership", "Membership", ""},
		fresh: func(w *world) tenancy.Membership {
			team := w.team()
			m := w.aMembership(team.ID, w.user().ID)
			m.Custom = w.role(team.Account).ID
			return m
		},
		insert: eachOf(storage.Store.InsertMembership), several: storage.Store.InsertMembership, update: storage.Store.UpdateMembership,
		get: func(s storage.Store, ctx context.Context, m tenancy.Membership) (tenancy.Membership, error) {
			return s.Membership(ctx, m.Team, m.User)
		},
		version: func(m *tenancy.Membership) *int64 { return &m.Version },
		stray: func(w *world, m tenancy.Membership) tenancy.Membership {
			return w.aMembership(m.Team, w.user().ID)
		},
		rival: func(w *world, m tenancy.Membership) tenancy.Membership {
			rival := w.aMembership(m.Team, m.User)
			rival.Role = rbac.Manager
			return rival
		},
		changes: []change[tenancy.Membership]{
			{"the role", func(w *world, m *tenancy.Membership) { m.Role = rbac.Restricted }},
			{"suspension", func(w *world, m *tenancy.Membership) {
				m.Status, m.EndedAt, m.EndedBy = tenancy.MembershipSuspended, w.now(), tenancy.Self(w.user().ID).Principal()
			}},
			{"removal", func(w *world, m *tenancy.Membership) {
				m.Status, m.EndedAt, m.EndedBy = tenancy.MembershipRemoved, w.now(), "system:sweep"
			}},
			{"joining again", func(w *world, m *tenancy.Membership) {
				m.Role, m.Status, m.JoinedAt, m.JoinedBy = rbac.Manager, tenancy.MembershipActive, w.now(), "system:invitation"
				m.ExpiresAt, m.EndedAt, m.EndedBy = time.Time{}, time.Time{}, ""
			}},
			{"the custom role", func(w *world, m *tenancy.Membership) { m.Custom = w.role(w.account().ID).ID }},
			{"to no custom role", func(w *world, m *tenancy.Membership) { m.Custom = tenancy.RoleID{} }},
			{"back to a custom role", func(w *world, m *tenancy.Membership) { m.Custom = w.role(w.account().ID).ID }},
			{"the expiry", func(w *world, m *tenancy.Membership) { m.ExpiresAt = w.now() }},
		},
		times: []timeField[tenancy.Membership]{
			{"JoinedAt", false, func(m *tenancy.Membership) *time.Time { return &m.JoinedAt }},
			{"ExpiresAt", true, func(m *tenancy.Membership) *time.Time { return &m.ExpiresAt }},
			{"EndedAt", true, func(m *tenancy.Membership) *time.Time { return &m.EndedAt }},
		},
		enums: []enumField[tenancy.Membership]{
			{"Status", "active", func(m *tenancy.Membership, v string) { m.Status = tenancy.MembershipStatus(v) }, nil},
			{"Role", "", nil, badRoles(func(m *tenancy.Membership, r rbac.Role) { m.Role = r })},
		},
		refs: []refField[tenancy.Membership]{
			{"Team", func(w *world, m *tenancy.Membership) { m.Team = newID[tenancy.TeamID](w) }},
			{"User", func(w *world, m *tenancy.Membership) { m.User = newID[tenancy.UserID](w) }},
			{"Custom", func(w *world, m *tenancy.Membership) { m.Custom = newID[tenancy.RoleID](w) }},
		},
	}
}

// badRoles are the numbers that are no role in a team; the holder of an account has none.
func badRoles[R any](set func(*R, rbac.Role)) []func(*R) {
	var bad []func(*R)
	for _, role := range []rbac.Role{0, rbac.Holder, 5, 255} {
		bad = append(bad, func(r *R) { set(r, role) })
	}
	return bad
}

func membershipCases() []testCase {
	return append(memberships().cases(),
		testCase{
			name: "membership is one for each team and user", rule: ruleOneMembership,
			covers: []string{"InsertMembership", "Membership"}, run: oneMembershipCase,
		},
		testCase{
			name: "authority reads all that a decision rests on", rule: ruleAuthority,
			covers: []string{"Authority"}, run: authorityCase,
		},
		testCase{
			name: "members lists who is not removed", rule: ruleMembers,
			covers: []string{"Members"}, run: membersCase,
		},
		testCase{
			name: "teams of a user are those of active memberships", rule: ruleTeamsOf,
			covers: []string{"TeamsOf"}, run: teamsOfCase,
		},
		testCase{
			name: "other manager must be lasting and active", rule: ruleOtherManager,
			covers: []string{"Managed"}, run: otherManagerCase,
		},
		testCase{
			name: "lasting roles are the custom ones of lasting members", rule: ruleLastingRoles,
			covers: []string{"LastingRoles", "Managed"}, run: lastingRolesCase,
		},
		testCase{
			name: "authority tells of the custom role", rule: ruleCustomRights,
			covers: []string{"Authority"}, run: customAuthorityCase,
		},
		testCase{
			name: "memberships of a user are those not removed", rule: ruleMembershipsOf,
			covers: []string{"MembershipsOf"}, run: membershipsOfCase,
		},
		testCase{
			name: "lapsed memberships are active and past their expiry", rule: ruleLapsed,
			covers: []string{"Lapsed"}, run: lapsedCase,
		},
	)
}

func oneMembershipCase(w *world) {
	a, b := w.team(), w.team()
	inA := w.member(a.ID, rbac.Manager)
	inB := w.aMembership(b.ID, inA.User)
	memberships().store(w, inB)
	memberships().holds(w, inA, "the same user joined another team")
	memberships().holds(w, inB, "the same user was in another team")
	removed := inA
	removed.Status, removed.EndedAt = tenancy.MembershipRemoved, w.now()
	w.must(memberships().write(w, removed), "UpdateMembership that removes")
	w.is(memberships().put(w, w.aMembership(a.ID, inA.User)), tenancy.ErrDuplicate, "InsertMembership over a removed one: removal keeps the row")
}

func authorityCase(w *world) {
	team := w.team()
	m := memberships().store(w, w.aMembership(team.ID, w.user().ID))
	want := tenancy.Authority{
		Account: team.Account, AccountStatus: tenancy.AccountActive, TeamStatus: tenancy.TeamActive, Capacity: team.Settings.Capacity,
		UserStatus: tenancy.UserActive, Autoclaim: true,
		Role: m.Role, Custom: m.Custom, Status: m.Status, ExpiresAt: m.ExpiresAt,
	}
	check := func(after string) {
		w.Helper()
		answers(w, want, "Authority outside, %s", after)(w.store.Authority(w.ctx, team.ID, m.User))
		w.tx("a transaction that reads Authority", func(ctx context.Context) error {
			answers(w, want, "Authority inside, %s", after)(w.store.Authority(ctx, team.ID, m.User))
			return nil
		})
	}
	check("when all is active")

	// It judges nothing: each state is told as it is.
	account, err := w.store.Account(w.ctx, team.Account)
	w.must(err, "Account")
	account.Status, want.AccountStatus = tenancy.AccountSuspended, tenancy.AccountSuspended
	w.must(accounts().write(w, account), "UpdateAccount")
	check("when the account is suspended")
	team.Status, want.TeamStatus = tenancy.TeamArchived, tenancy.TeamArchived
	w.must(teams().write(w, team), "UpdateTeam")
	check("when the team is archived")
	user, err := w.store.User(w.ctx, m.User)
	w.must(err, "User")
	user.Status, want.UserStatus = tenancy.UserDeleted, tenancy.UserDeleted
	w.must(updateUser(w, user), "UpdateUser")
	check("when the user is deleted")
	m.Status, m.EndedAt, m.EndedBy = tenancy.MembershipRemoved, w.now(), "system:sweep"
	w.must(memberships().write(w, m), "UpdateMembership")
	want.Status = m.Status
	check("when the membership is removed")

	// Inside, it sees what the transaction has just done.
	other := w.aMembership(team.ID, w.user().ID)
	w.discard("a transaction that admits a member", func(ctx context.Context) error {
		if err := w.store.InsertMembership(ctx, other); err != nil {
			return err
		}
		fresh := want
		fresh.UserStatus, fresh.Role, fresh.Status, fresh.ExpiresAt = tenancy.UserActive, other.Role, other.Status, other.ExpiresAt
		answers(w, fresh, "Authority inside, after the insert of the membership")(w.store.Authority(ctx, team.ID, other.User))
		return nil
	})
	nothing[tenancy.Authority](w, "Authority after the rollback")(w.store.Authority(w.ctx, team.ID, other.User))
	nothing[tenancy.Authority](w, "Authority in a team that does not exist")(w.store.Authority(w.ctx, newID[tenancy.TeamID](w), m.User))
	nothing[tenancy.Authority](w, "Authority of a user who does not exist")(w.store.Authority(w.ctx, team.ID, newID[tenancy.UserID](w)))
	nothing[tenancy.Authority](w, "Authority of the zero user in the zero team")(w.store.Authority(w.ctx, tenancy.TeamID{}, tenancy.UserID{}))
	nothing[tenancy.Authority](w, "Authority in another team")(w.store.Authority(w.ctx, w.team().ID, m.User))
}

func membersCase(w *world) {
	team := w.team()
	first := w.member(team.ID, rbac.Manager)
	var want []tenancy.Member
	add := func(m tenancy.Membership) {
		u, err := w.store.User(w.ctx, m.User)
		w.must(err, "User")
		want = append(want, tenancy.Member{Membership: m, Name: u.Name, Email: u.Email, UserStatus: u.Status})
	}
	add(first)
	for i, status := range []tenancy.MembershipStatus{tenancy.MembershipActive, tenancy.MembershipSuspended, tenancy.MembershipRemoved, tenancy.MembershipActive} {
		m := w.aMembership(team.ID, w.user().ID)
		m.Status = status
		if i == 3 {
			m.ExpiresAt = m.JoinedAt.Add(time.Microsecond) // expired for long: the list tells, it does not judge
		}
		memberships().store(w, m)
		if status != tenancy.MembershipRemoved {
			add(m)
		}
	}
	w.member(w.teamIn(team.Account).ID, rbac.Member)
	page := tenancy.Keyset{Limit: 10}
	lists(w, want, "Members")(w.store.Members(w.ctx, team.ID, page))

	// A changed name shows, and a suspended user is still a member.
	u, err := w.store.User(w.ctx, first.User)
	w.must(err, "User")
	u.Name, u.Status = "New Name", tenancy.UserSuspended
	w.must(updateUser(w, u), "UpdateUser")
	want[0].Name, want[0].UserStatus = "New Name", tenancy.UserSuspended
	lists(w, want, "Members after a user's name has changed")(w.store.Members(w.ctx, team.ID, page))
	lists[tenancy.Member](w, nil, "Members of a team without any")(w.store.Members(w.ctx, w.team().ID, page))
	w.by(ruleReads)
	w.discard("a transaction that removes a member", func(ctx context.Context) error {
		gone := first
		gone.Status, gone.EndedAt = tenancy.MembershipRemoved, w.now()
		if err := w.store.UpdateMembership(ctx, gone); err != nil {
			return err
		}
		lists(w, want[1:], "Members inside, after a removal")(w.store.Members(ctx, team.ID, page))
		return nil
	})
	lists(w, want, "Members after the rollback of a removal")(w.store.Members(w.ctx, team.ID, page))
}

func teamsOfCase(w *world) {
	user := w.user()
	var want []tenancy.TeamOfUser
	for _, status := range []tenancy.MembershipStatus{tenancy.MembershipActive, tenancy.MembershipSuspended, tenancy.MembershipActive, tenancy.MembershipRemoved} {
		team := w.team()
		if len(want) == 1 {
			team.Status = tenancy.TeamArchived
			w.must(teams().write(w, team), "UpdateTeam")
			team.Version++
		}
		m := w.aMembership(team.ID, user.ID)
		m.Status, m.ExpiresAt = status, m.JoinedAt // expired at once, which is for the service to judge
		var role tenancy.CustomRole
		if len(want) == 1 {
			role = w.role(team.Account)
			m.Role, m.Custom = role.Base, role.ID
		}
		memberships().store(w, m)
		w.member(team.ID, rbac.Manager)
		if status == tenancy.MembershipActive {
			want = append(want, tenancy.TeamOfUser{Membership: m, Team: team, CustomName: role.Name, CustomPermissions: role.Permissions})
		}
	}
	lists(w, want, "TeamsOf")(w.store.TeamsOf(w.ctx, user.ID, tenancy.Keyset{Limit: 10}))
	lists[tenancy.TeamOfUser](w, nil, "TeamsOf a user without any")(w.store.TeamsOf(w.ctx, w.user().ID, tenancy.Keyset{Limit: 10}))
	lists[tenancy.TeamOfUser](w, nil, "TeamsOf a user who does not exist")(w.store.TeamsOf(w.ctx, newID[tenancy.UserID](w), tenancy.Keyset{Limit: 10}))
}

func otherManagerCase(w *world) {
	team, elsewhere := w.team(), w.team()
	me := w.member(team.ID, rbac.Manager)
	w.member(elsewhere.ID, rbac.Manager)
	answers(w, false, "Managed when there is only the user")(hasOtherManager(w.ctx, w.store, team.ID, me.User))

	// Each of these comes close and does not count.
	near := map[string]func(m *tenancy.Membership){
		"a member":                  func(m *tenancy.Membership) { m.Role = rbac.Member },
		"a restricted user":         func(m *tenancy.Membership) { m.Role = rbac.Restricted },
		"a manager who will expire": func(m *tenancy.Membership) { m.ExpiresAt = m.JoinedAt.AddDate(50, 0, 0) },
		"a suspended manager":       func(m *tenancy.Membership) { m.Status = tenancy.MembershipSuspended },
		"a removed manager":         func(m *tenancy.Membership) { m.Status = tenancy.MembershipRemoved },
	}
	for name, spoil := range near {
		m := w.aMembership(team.ID, w.user().ID)
		m.Role, m.ExpiresAt = rbac.Manager, time.Time{}
		spoil(&m)
		memberships().store(w, m)
		answers(w, false, "Managed beside %s", name)(hasOtherManager(w.ctx, w.store, team.ID, me.User))
	}
	for _, status := range []tenancy.UserStatus{tenancy.UserSuspended, tenancy.UserDeleted} {
		m := w.member(team.ID, rbac.Manager)
		u, err := w.store.User(w.ctx, m.User)
		w.must(err, "User")
		u.Status = status
		w.must(updateUser(w, u), "UpdateUser")
		answers(w, false, "Managed beside a manager whose user is %s", status)(hasOtherManager(w.ctx, w.store, team.ID, me.User))
	}
	second := w.member(team.ID, rbac.Manager)
	answers(w, true, "Managed beside a lasting manager")(hasOtherManager(w.ctx, w.store, team.ID, me.User))
	answers(w, true, "Managed seen from the other manager")(hasOtherManager(w.ctx, w.store, team.ID, second.User))
	answers(w, true, "Managed but for someone who is not in the team")(hasOtherManager(w.ctx, w.store, team.ID, w.user().ID))
	answers(w, true, "Managed but for nobody")(hasOtherManager(w.ctx, w.store, team.ID, tenancy.UserID{}))
	w.discard("a transaction that demotes", func(ctx context.Context) error {
		second.Role = rbac.Member
		if err := w.store.UpdateMembership(ctx, second); err != nil {
			return err
		}
		answers(w, false, "Managed inside, after the other was demoted")(hasOtherManager(ctx, w.store, team.ID, me.User))
		return nil
	})
	answers(w, true, "Managed after the rollback of a demotion")(hasOtherManager(w.ctx, w.store, team.ID, me.User))
	if has, err := hasOtherManager(w.ctx, w.store, newID[tenancy.TeamID](w), me.User); has {
		w.breaks("Managed of a team that does not exist answered true, %s", show(err))
	}
}

func lastingRolesCase(w *world) {
	team, elsewhere := w.team(), w.team()
	a, b, former := w.role(team.Account), w.role(team.Account), w.role(team.Account)
	add := func(team tenancy.TeamID, role tenancy.RoleID, spoil func(m *tenancy.Membership)) tenancy.Membership {
		m := w.aMembership(team, w.user().ID)
		m.Role, m.Custom, m.ExpiresAt = rbac.Restricted, role, time.Time{}
		spoil(&m)
		return memberships().store(w, m)
	}
	asIs := func(*tenancy.Membership) {}
	has := func(what string, but tenancy.UserID, want ...tenancy.CustomRole) {
		w.Helper()
		slices.SortFunc(want, func(a, b tenancy.CustomRole) int { return slices.Compare(a.ID[:], b.ID[:]) })
		lists(w, want, "LastingRoles %s", what)(lastingRoles(w.ctx, w.store, team.ID, but))
	}
	w.member(team.ID, rbac.Manager)
	w.member(team.ID, rbac.Member)
	add(elsewhere.ID, w.role(elsewhere.Account).ID, asIs)
	for name, spoil := range map[string]func(m *tenancy.Membership){
		"a suspended member":  func(m *tenancy.Membership) { m.Status = tenancy.MembershipSuspended },
		"a removed member":    func(m *tenancy.Membership) { m.Status = tenancy.MembershipRemoved },
		"one who will expire": func(m *tenancy.Membership) { m.ExpiresAt = m.JoinedAt.AddDate(50, 0, 0) },
		"a suspended user":    func(m *tenancy.Membership) { w.ends(m.User, tenancy.UserSuspended) },
		"a deleted user":      func(m *tenancy.Membership) { w.ends(m.User, tenancy.UserDeleted) },
	} {
		add(team.ID, former.ID, spoil)
		has("beside "+name, tenancy.UserID{})
	}
	first := add(team.ID, a.ID, asIs)
	has("of one", tenancy.UserID{}, a)
	has("but for the only one", first.User)
	w.discard("a transaction that gives another role", func(ctx context.Context) error {
		m := first
		m.Custom = b.ID
		if err := w.store.UpdateMembership(ctx, m); err != nil {
			return err
		}
		lists(w, []tenancy.CustomRole{b}, "LastingRoles inside")(lastingRoles(ctx, w.store, team.ID, tenancy.UserID{}))
		return nil
	})
	add(team.ID, a.ID, func(m *tenancy.Membership) { m.Role = rbac.Member })
	add(team.ID, b.ID, asIs)
	has("of several, each once", tenancy.UserID{}, a, b)
	has("but for one of two", first.User, a, b)
	answers(w, false, "Managed beside custom roles")(hasOtherManager(w.ctx, w.store, elsewhere.ID, tenancy.UserID{}))

	// They are the roles as they are now.
	a.Permissions = nil
	w.must(roles().write(w, a), "UpdateRole")
	a.Version++
	has("after an edit", tenancy.UserID{}, a, b)
	lists[tenancy.CustomRole](w, nil, "LastingRoles of a team that does not exist")(
		lastingRoles(w.ctx, w.store, newID[tenancy.TeamID](w), tenancy.UserID{}))
}

func customAuthorityCase(w *world) {
	team := w.team()
	role := w.role(team.Account)
	m := w.aMembership(team.ID, w.user().ID)
	m.Custom = role.ID
	memberships().store(w, m)
	want := tenancy.Authority{
		Account: team.Account, AccountStatus: tenancy.AccountActive, TeamStatus: tenancy.TeamActive, Capacity: team.Settings.Capacity,
		UserStatus: tenancy.UserActive, Autoclaim: true, Role: m.Role, Custom: m.Custom, Status: m.Status, ExpiresAt: m.ExpiresAt,
		CustomName: role.Name, CustomPermissions: role.Permissions,
	}
	check := func(after string) {
		w.Helper()
		answers(w, want, "Authority outside, %s", after)(w.store.Authority(w.ctx, team.ID, m.User))
		w.tx("a transaction that reads Authority", func(ctx context.Context) error {
			answers(w, want, "Authority inside, %s", after)(w.store.Authority(ctx, team.ID, m.User))
			return nil
		})
	}
	check("in a custom role")
	role.Name, role.Permissions = "Renamed", nil
	w.must(roles().write(w, role), "UpdateRole")
	want.CustomName, want.CustomPermissions = role.Name, nil
	check("after the role was renamed and its permissions taken away")
	m.Custom = tenancy.RoleID{}
	w.must(memberships().write(w, m), "UpdateMembership")
	want.Custom, want.CustomName = tenancy.RoleID{}, ""
	check("after the custom role was taken away")
}

func membershipsOfCase(w *world) {
	user := w.user().ID
	byTeam := map[tenancy.TeamID]tenancy.Membership{}
	var ids []tenancy.TeamID
	for _, status := range []tenancy.MembershipStatus{
		tenancy.MembershipActive, tenancy.MembershipSuspended, tenancy.MembershipRemoved, tenancy.MembershipActive, tenancy.MembershipSuspended,
	} {
		team := w.team()
		m := w.aMembership(team.ID, user)
		m.Status, m.ExpiresAt = status, m.JoinedAt // expired at once, which is for the service to judge
		if len(ids) == 3 {
			team.Status = tenancy.TeamArchived
			w.must(teams().write(w, team), "UpdateTeam")
			m.Custom = w.role(team.Account).ID
		}
		memberships().store(w, m)
		w.member(team.ID, rbac.Manager)
		if status != tenancy.MembershipRemoved {
			byTeam[team.ID] = m
			ids = append(ids, team.ID)
		}
	}
	var want []tenancy.Membership
	for _, id := range byID(ids) {
		want = append(want, byTeam[id])
	}
	lists(w, want, "MembershipsOf")(w.store.MembershipsOf(w.ctx, user))
	lists[tenancy.Membership](w, nil, "MembershipsOf a user without any")(w.store.MembershipsOf(w.ctx, w.user().ID))
	lists[tenancy.Membership](w, nil, "MembershipsOf a user who does not exist")(w.store.MembershipsOf(w.ctx, newID[tenancy.UserID](w)))
	w.discard("a transaction that removes one", func(ctx context.Context) error {
		gone := want[0]
		gone.Status = tenancy.MembershipRemoved
		if err := w.store.UpdateMembership(ctx, gone); err != nil {
			return err
		}
		lists(w, want[1:], "MembershipsOf inside, after a removal")(w.store.MembershipsOf(ctx, user))
		return nil
	})
	lists(w, want, "MembershipsOf after the rollback of a removal")(w.store.MembershipsOf(w.ctx, user))
}

func lapsedCase(w *world) {
	now := w.now()
	var want []tenancy.Membership
	for _, team := range []tenancy.TeamID{w.team().ID, w.team().ID} {
		for _, expiry := range []time.Duration{0, -time.Microsecond, time.Microsecond, -time.Hour, 0, 0} {
			for _, status := range []tenancy.MembershipStatus{tenancy.MembershipActive, tenancy.MembershipSuspended, tenancy.MembershipRemoved} {
				m := w.aMembership(team, w.user().ID)
				m.Status, m.ExpiresAt = status, now.Add(expiry)
				memberships().store(w, m)
				if status == tenancy.MembershipActive && expiry <= 0 {
					want = append(want, m)
				}
			}
		}
		w.member(team, rbac.Manager) // for good
	}
	slices.SortFunc(want, func(a, b tenancy.Membership) int {
		return cmp.Or(a.ExpiresAt.Compare(b.ExpiresAt), slices.Compare(a.Team[:], b.Team[:]), slices.Compare(a.User[:], b.User[:]))
	})
	for _, limit := range []int{0, 1, 3, len(want), len(want) + 1} {
		lists(w, want[:min(limit, len(want))], "Lapsed, at most %d", limit)(w.store.Lapsed(w.ctx, now, limit))
	}
	lists[tenancy.Membership](w, nil, "Lapsed before the first expiry")(w.store.Lapsed(w.ctx, now.Add(-2*time.Hour), 10))
	lists[tenancy.Membership](w, nil, "Lapsed at the zero time")(w.store.Lapsed(w.ctx, time.Time{}, 10))

	// What is dealt with is gone: suspended, or given a longer life.
	first, second := want[0], want[1]
	first.Status, second.ExpiresAt = tenancy.MembershipSuspended, now.AddDate(1, 0, 0)
	w.must(memberships().write(w, first), "UpdateMembership")
	w.must(memberships().write(w, second), "UpdateMembership")
	lists(w, want[2:], "Lapsed after one was suspended and one prolonged")(w.store.Lapsed(w.ctx, now, 100))
}
