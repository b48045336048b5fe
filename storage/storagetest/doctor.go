package storagetest

import (
	"cmp"
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

func doctorCases() []testCase {
	covers := []string{"Broken"}
	return []testCase{
		{name: "broken: a team without a lasting manager", rule: ruleNoManager, covers: covers, run: noManagerCase},
		{name: "broken: an account without a holder", rule: ruleNoHolder, covers: covers, run: noHolderCase},
		{name: "broken: a membership of a deleted user", rule: ruleGhostMember, covers: covers, run: ghostCase},
		{name: "broken: a deleted user who can still be named", rule: ruleNamedTombstone, covers: covers, run: namedTombstoneCase},
		{name: "broken: a membership with another account's role", rule: ruleForeignRole, covers: covers, run: foreignRoleCase},
		{name: "broken: nothing of a kind that is not known", rule: ruleUnknownFlaw, covers: covers, run: unknownFlawCase},
	}
}

// diagnoses checks that the findings are found: at once, in pages, and from any place on.
func (w *world) diagnoses(flaw tenancy.Flaw, want []tenancy.Finding) {
	w.Helper()
	for i := range want {
		want[i].Flaw = flaw
	}
	order := func(a, b tenancy.Finding) int {
		return cmp.Or(slices.Compare(a.Subject[:], b.Subject[:]), slices.Compare(a.Team[:], b.Team[:]))
	}
	slices.SortFunc(want, order)
	now := w.now()
	for _, limit := range []int{1, 2, len(want), len(want) + 1} {
		var got []tenancy.Finding
		var after tenancy.Finding
		for range len(want) + 2 {
			page, err := w.store.Broken(w.ctx, flaw, now, after, limit)
			w.must(err, "Broken (%s)", flaw)
			got = append(got, page...)
			if len(page) < limit {
				break
			}
			after = page[len(page)-1]
		}
		lists(w, want, "Broken (%s) in pages of %d, put together,", flaw, limit)(got, nil)
	}
	w.by(ruleBroken)
	lists(w, want[:0], "Broken (%s) with a limit of 0", flaw)(w.store.Broken(w.ctx, flaw, now, tenancy.Finding{}, 0))
	for _, found := range want {
		for _, after := range []tenancy.Finding{
			{Subject: found.Subject}, {Subject: found.Subject, Team: found.Team}, {Subject: found.Subject, Team: uuid.Max},
			{Subject: newID[uuid.UUID](w)}, {Subject: uuid.Max}, {Team: uuid.Max},
		} {
			rest := slices.DeleteFunc(slices.Clone(want), func(f tenancy.Finding) bool { return order(f, after) <= 0 })
			lists(w, rest, "Broken (%s) after (%s, %s)", flaw, after.Subject, after.Team)(w.store.Broken(w.ctx, flaw, now, after, len(want)+1))
		}
	}
	w.tx("a transaction that looks for flaws", func(ctx context.Context) error {
		lists(w, want, "Broken (%s) inside", flaw)(w.store.Broken(ctx, flaw, now, tenancy.Finding{}, len(want)+1))
		return nil
	})
}

func noManagerCase(w *world) {
	var want []tenancy.Finding
	broken := func(t tenancy.Team) {
		want = append(want, tenancy.Finding{Account: t.Account.UUID(), Team: t.ID.UUID(), Subject: t.ID.UUID()})
	}
	broken(w.team())
	whole := w.team()
	w.member(whole.ID, rbac.Manager)
	archived := w.aTeam(whole.Account)
	archived.Status = tenancy.TeamArchived
	teams().store(w, archived)
	for _, status := range []tenancy.AccountStatus{tenancy.AccountSuspended, tenancy.AccountClosed} {
		account := w.anAccount()
		account.Status = status
		accounts().store(w, account)
		if team := w.teamIn(account.ID); status != tenancy.AccountClosed {
			broken(team)
		}
	}
	// Each of these has a manager who does not count.
	for _, spoil := range []func(m *tenancy.Membership){
		func(m *tenancy.Membership) { m.Role = rbac.Member },
		func(m *tenancy.Membership) { m.ExpiresAt = m.JoinedAt.AddDate(50, 0, 0) },
		func(m *tenancy.Membership) { m.Status = tenancy.MembershipSuspended },
		func(m *tenancy.Membership) { m.Status = tenancy.MembershipRemoved },
		func(m *tenancy.Membership) {
			m.Role, m.Custom = rbac.Member, w.role(whole.Account).ID // who manages by that is for the service to say
		},
		func(m *tenancy.Membership) { w.ends(m.User, tenancy.UserSuspended) },
		func(m *tenancy.Membership) { w.ends(m.User, tenancy.UserDeleted) },
	} {
		team := w.teamIn(whole.Account)
		m := w.aMembership(team.ID, w.user().ID)
		m.Role, m.ExpiresAt = rbac.Manager, m.EndedAt
		spoil(&m)
		memberships().store(w, m)
		broken(team)
	}
	w.diagnoses(tenancy.FlawNoManager, want)
}

// ends writes a user's status past all rules.
func (w *world) ends(user tenancy.UserID, status tenancy.UserStatus) {
	w.Helper()
	u, err := w.store.User(w.ctx, user)
	w.must(err, "User")
	u.Status = status
	w.must(updateUser(w, u), "UpdateUser")
}

func noHolderCase(w *world) {
	var want []tenancy.Finding
	for _, status := range []tenancy.AccountStatus{tenancy.AccountActive, tenancy.AccountSuspended, tenancy.AccountClosed} {
		for _, holder := range []tenancy.UserStatus{tenancy.UserActive, tenancy.UserSuspended, tenancy.UserDeleted} {
			a := w.anAccount()
			a.Status = status
			accounts().store(w, a)
			w.ends(a.HeldBy, holder)
			if status != tenancy.AccountClosed && holder == tenancy.UserDeleted {
				want = append(want, tenancy.Finding{Account: a.ID.UUID(), Subject: a.ID.UUID()})
			}
		}
	}
	w.diagnoses(tenancy.FlawNoHolder, want)
}

func ghostCase(w *world) {
	var want []tenancy.Finding
	teams := []tenancy.Team{w.team(), w.team()}
	for _, of := range []tenancy.UserStatus{tenancy.UserActive, tenancy.UserSuspended, tenancy.UserDeleted} {
		for _, status := range []tenancy.MembershipStatus{tenancy.MembershipActive, tenancy.MembershipSuspended, tenancy.MembershipRemoved} {
			user := w.user().ID
			for _, team := range teams { // one subject in two teams
				m := w.aMembership(team.ID, user)
				m.Status = status
				memberships().store(w, m)
				if of == tenancy.UserDeleted && status != tenancy.MembershipRemoved {
					want = append(want, tenancy.Finding{Account: team.Account.UUID(), Team: team.ID.UUID(), Subject: user.UUID()})
				}
			}
			w.ends(user, of)
		}
	}
	w.diagnoses(tenancy.FlawGhostMember, want)
}

func namedTombstoneCase(w *world) {
	var want []tenancy.Finding
	for _, left := range []func(u *tenancy.User){
		nil, // it has all
		func(*tenancy.User) {},
		func(u *tenancy.User) { u.Name = "Bob" },
		func(u *tenancy.User) { u.ExternalID = "auth0|bob" },
		func(u *tenancy.User) { u.Email = tenancy.Address{Display: "Bob@x.example", Normal: "bob@x.example"} },
	} {
		for _, status := range []tenancy.UserStatus{tenancy.UserActive, tenancy.UserSuspended, tenancy.UserDeleted} {
			u := w.user()
			if left != nil {
				u = tenancy.User{ID: u.ID, Name: tenancy.Tombstone, CreatedAt: u.CreatedAt, Version: u.Version}
				left(&u)
				if u.ExternalID != "" {
					u.ExternalID += string(status) // of which there is one
				}
			}
			u.Status = status
			w.must(updateUser(w, u), "UpdateUser")
			whole := left != nil && u == tenancy.User{ID: u.ID, Name: tenancy.Tombstone, Status: status, CreatedAt: u.CreatedAt, Version: u.Version}
			if status == tenancy.UserDeleted && !whole {
				want = append(want, tenancy.Finding{Subject: u.ID.UUID()})
			}
		}
	}
	w.diagnoses(tenancy.FlawNamedTombstone, want)
}

func foreignRoleCase(w *world) {
	var want []tenancy.Finding
	teams := []tenancy.Team{w.team(), w.team()}
	role := w.role(teams[0].Account)
	user := w.user().ID
	for i, team := range append(teams, w.teamIn(teams[1].Account)) {
		m := w.aMembership(team.ID, user)
		m.Custom = role.ID
		memberships().store(w, m)
		w.member(team.ID, rbac.Manager)
		if i > 0 {
			want = append(want, tenancy.Finding{Account: team.Account.UUID(), Team: team.ID.UUID(), Subject: user.UUID()})
		}
	}
	w.diagnoses(tenancy.FlawForeignRole, want)
}

func unknownFlawCase(w *world) {
	w.team()
	for _, flaw := range []tenancy.Flaw{"", "no such flaw", tenancy.FlawNoManager + " ", "Team without a lasting manager", "%"} {
		_, err := w.store.Broken(w.ctx, flaw, w.now(), tenancy.Finding{}, 10)
		w.is(err, tenancy.ErrInvalid, "Broken (%s)", flaw)
	}
}
