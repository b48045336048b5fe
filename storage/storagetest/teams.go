package storagetest

import (
	"context"
	"time"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/tenancy"
)

func teams() kind[tenancy.Team] {
	return kind[tenancy.Team]{
		name: "team", methods: []string{"InsertTeam", "UpdateTeam", "Team", "LockTeam"},
		fresh:  func(w *world) tenancy.Team { return w.aTeam(w.account().ID) },
		insert: storage.Store.InsertTeam, update: storage.Store.UpdateTeam,
		lock: func(s storage.Store, ctx context.Context, t tenancy.Team) (tenancy.Team, error) {
			return s.LockTeam(ctx, t.ID)
		},
		get: func(s storage.Store, ctx context.Context, t tenancy.Team) (tenancy.Team, error) {
			return s.Team(ctx, t.ID)
		},
		version: func(t *tenancy.Team) *int64 { return &t.Version },
		stray:   func(w *world, t tenancy.Team) tenancy.Team { return w.aTeam(t.Account) },
		rival: func(w *world, t tenancy.Team) tenancy.Team {
			rival := w.aTeam(t.Account)
			rival.ID = t.ID
			return rival
		},
		changes: []change[tenancy.Team]{
			{"the name", func(w *world, t *tenancy.Team) { t.Name, t.NameKey = "Vertrieb Süd", "vertrieb süd" }},
			{"the identity", func(w *world, t *tenancy.Team) { t.Identity = tenancy.Chat("acme-jobs") }},
			{"to no identity", func(w *world, t *tenancy.Team) { t.Identity = tenancy.Identity{} }},
			{"back to an identity", func(w *world, t *tenancy.Team) { t.Identity = tenancy.Phone("+15559990001") }},
			{"the time zone", func(w *world, t *tenancy.Team) { t.Settings.TimeZone = "" }},
			{"the hours", func(w *world, t *tenancy.Team) {
				t.Settings.Hours[0], t.Settings.Hours[6] = tenancy.Hours{From: 1, To: 1439}, tenancy.Hours{}
			}},
			{"the statuses", func(w *world, t *tenancy.Team) {
				t.Settings.Statuses = []tenancy.OutcomeStatus{{Label: "<&> \"'\\\u2028 \x01", Category: tenancy.Negative}}
			}},
			{"to no statuses", func(w *world, t *tenancy.Team) { t.Settings.Statuses = nil }},
			{"deliveries to none", func(w *world, t *tenancy.Team) { t.Settings.DeliverTo = []tenancy.TeamID{} }},
			{"deliveries to all", func(w *world, t *tenancy.Team) { t.Settings.DeliverTo = nil }},
			{"deliveries to one", func(w *world, t *tenancy.Team) { t.Settings.DeliverTo = []tenancy.TeamID{t.ID} }},
			{"closing what is idle", func(w *world, t *tenancy.Team) { t.Settings.AutoClose = time.Minute }},
			{"to closing nothing", func(w *world, t *tenancy.Team) { t.Settings.AutoClose = 0 }},
			{"the history", func(w *world, t *tenancy.Team) { t.Settings.History = tenancy.HistoryFromInvitation }},
			{"the invitations", func(w *world, t *tenancy.Team) { t.Settings.KeepInvitations = false }},
			{"the inviters", func(w *world, t *tenancy.Team) { t.Settings.TrustInviters = false }},
			{"to no settings", func(w *world, t *tenancy.Team) { t.Settings = tenancy.Settings{} }},
			{"the status", func(w *world, t *tenancy.Team) { t.Status = tenancy.TeamArchived }},
			{"back to active", func(w *world, t *tenancy.Team) { t.Status = tenancy.TeamActive }},
		},
		times: []timeField[tenancy.Team]{
			{"CreatedAt", false, func(t *tenancy.Team) *time.Time { return &t.CreatedAt }},
		},
		enums: []enumField[tenancy.Team]{
			{"Status", "active", func(t *tenancy.Team, v string) { t.Status = tenancy.TeamStatus(v) }, nil},
			{"Identity.Channel", "phone", func(t *tenancy.Team, v string) { t.Identity.Channel = tenancy.Channel(v) }, nil},
		},
		refs: []refField[tenancy.Team]{
			{"Account", func(w *world, t *tenancy.Team) { t.Account = newID[tenancy.AccountID](w) }},
		},
	}
}

func teamCases() []testCase {
	return append(teams().cases(),
		testCase{
			name: "team names are unique in the account", rule: ruleTeamKeys,
			covers: []string{"InsertTeam", "UpdateTeam", "TeamByName"}, run: teamNameCase,
		},
		testCase{
			name: "team identities are unique among the active", rule: ruleTeamKeys,
			covers: []string{"InsertTeam", "UpdateTeam", "TeamByIdentity"}, run: teamIdentityCase,
		},
		testCase{
			name: "team identities of an account are released", rule: ruleRelease,
			covers: []string{"ReleaseIdentities", "UpdateTeam", "TeamByIdentity"}, run: releaseCase,
		},
		testCase{
			name: "team look-ups inside a transaction", rule: ruleReads,
			covers: []string{"TeamByName", "TeamByIdentity"}, run: teamLookupsCase,
		},
		testCase{
			name: "team settings tell empty from nil where it matters", rule: ruleEmpty,
			covers: []string{"InsertTeam", "Team"}, run: settingsCase,
		},
		testCase{
			name: "teams of an account are listed in every state", rule: ruleTeamsIn,
			covers: []string{"TeamsIn"}, run: teamsInCase,
		},
		testCase{
			name: "teams are found by the domains that may ask to join", rule: ruleJoinable,
			covers: []string{"InsertTeam", "UpdateTeam", "JoinableTeams"}, run: joinableCase,
		},
	)
}

func teamNameCase(w *world) {
	account, other := w.account().ID, w.account().ID
	a, b := w.teamIn(account), w.teamIn(account)
	answers(w, a, "TeamByName")(w.store.TeamByName(w.ctx, account, a.NameKey))
	answers(w, b, "TeamByName")(w.store.TeamByName(w.ctx, account, b.NameKey))
	nothing[tenancy.Team](w, "TeamByName of a name that no team has")(w.store.TeamByName(w.ctx, account, "no such team"))
	nothing[tenancy.Team](w, "TeamByName in another account")(w.store.TeamByName(w.ctx, other, a.NameKey))
	nothing[tenancy.Team](w, "TeamByName in the zero account")(w.store.TeamByName(w.ctx, tenancy.AccountID{}, a.NameKey))

	rival := w.aTeam(account)
	rival.NameKey = a.NameKey
	w.is(teams().put(w, rival), tenancy.ErrDuplicate, "InsertTeam with a name key that is taken")
	moved := b
	moved.NameKey = a.NameKey
	w.is(teams().write(w, moved), tenancy.ErrDuplicate, "UpdateTeam to a name key that is taken")
	teams().holds(w, b, "a refused update")

	// Names are compared by key; the name itself is free. Other accounts have their own names.
	sameName := w.aTeam(account)
	sameName.Name = a.Name
	teams().store(w, sameName)
	elsewhere := w.aTeam(other)
	elsewhere.NameKey = a.NameKey
	teams().store(w, elsewhere)
	answers(w, elsewhere, "TeamByName in the account with a team of the same name")(w.store.TeamByName(w.ctx, other, a.NameKey))
	answers(w, a, "TeamByName beside an account with a team of the same name")(w.store.TeamByName(w.ctx, account, a.NameKey))

	// An archived team keeps its name, and can be found by it.
	a.Status = tenancy.TeamArchived
	w.must(teams().write(w, a), "UpdateTeam that archives")
	a.Version++
	answers(w, a, "TeamByName of an archived team")(w.store.TeamByName(w.ctx, account, a.NameKey))
	w.is(teams().put(w, rival), tenancy.ErrDuplicate, "InsertTeam with the name key of an archived team")
}

func teamIdentityCase(w *world) {
	a, b := w.team(), w.team()
	answers(w, a, "TeamByIdentity")(w.store.TeamByIdentity(w.ctx, a.Identity))
	nothing[tenancy.Team](w, "TeamByIdentity of an identity that no team has")(w.store.TeamByIdentity(w.ctx, tenancy.Phone("+15550000000")))
	nothing[tenancy.Team](w, "TeamByIdentity of the value on another channel")(
		w.store.TeamByIdentity(w.ctx, tenancy.Identity{Channel: tenancy.ChatChannel, Value: a.Identity.Value}))

	rival := w.aTeam(b.Account)
	rival.Identity = a.Identity
	w.is(teams().put(w, rival), tenancy.ErrDuplicate, "InsertTeam with the identity of an active team of another account")
	moved := b
	moved.Identity = a.Identity
	w.is(teams().write(w, moved), tenancy.ErrDuplicate, "UpdateTeam to the identity of an active team")
	teams().holds(w, b, "a refused update")

	// The same value on another channel is another identity.
	chat := w.aTeam(b.Account)
	chat.Identity = tenancy.Identity{Channel: tenancy.ChatChannel, Value: a.Identity.Value}
	teams().store(w, chat)
	answers(w, chat, "TeamByIdentity on the chat channel")(w.store.TeamByIdentity(w.ctx, chat.Identity))

	// Teams without an identity are not each other, and nobody finds them.
	for range 2 {
		mute := w.aTeam(b.Account)
		mute.Identity = tenancy.Identity{}
		teams().store(w, mute)
		teams().holds(w, mute, "an insert without an identity")
	}
	nothing[tenancy.Team](w, "TeamByIdentity of the zero identity")(w.store.TeamByIdentity(w.ctx, tenancy.Identity{}))

	// Archiving frees the identity; who comes back must find it free.
	a.Status = tenancy.TeamArchived
	w.must(teams().write(w, a), "UpdateTeam that archives")
	a.Version++
	teams().holds(w, a, "archiving: the row keeps its identity")
	nothing[tenancy.Team](w, "TeamByIdentity of an archived team")(w.store.TeamByIdentity(w.ctx, a.Identity))
	teams().store(w, rival)
	answers(w, rival, "TeamByIdentity of an identity with a new owner")(w.store.TeamByIdentity(w.ctx, a.Identity))
	back := a
	back.Status = tenancy.TeamActive
	w.is(teams().write(w, back), tenancy.ErrDuplicate, "UpdateTeam that reactivates with an identity that is taken")
	teams().holds(w, a, "a refused reactivation")
	for range 2 { // any number of archived teams may have had it
		shelved := w.aTeam(b.Account)
		shelved.Identity, shelved.Status = a.Identity, tenancy.TeamArchived
		teams().store(w, shelved)
	}
	answers(w, rival, "TeamByIdentity beside archived teams")(w.store.TeamByIdentity(w.ctx, a.Identity))
}

func releaseCase(w *world) {
	account := w.account().ID
	a, b, other := w.teamIn(account), w.teamIn(account), w.team()
	release := func(account tenancy.AccountID) {
		w.Helper()
		w.tx("a transaction that releases", func(ctx context.Context) error { return w.store.ReleaseIdentities(ctx, account) })
	}
	w.discard("a transaction that releases", func(ctx context.Context) error {
		if err := w.store.ReleaseIdentities(ctx, account); err != nil {
			return err
		}
		nothing[tenancy.Team](w, "TeamByIdentity inside")(w.store.TeamByIdentity(ctx, a.Identity))
		return nil
	})
	answers(w, a, "TeamByIdentity after a rollback")(w.store.TeamByIdentity(w.ctx, a.Identity))

	for range 2 { // releasing again changes nothing
		release(account)
		for _, t := range []tenancy.Team{a, b} {
			teams().holds(w, t, "a release: the row keeps its identity and its version")
			nothing[tenancy.Team](w, "TeamByIdentity of a released identity")(w.store.TeamByIdentity(w.ctx, t.Identity))
		}
	}
	answers(w, other, "TeamByIdentity of another account's team")(w.store.TeamByIdentity(w.ctx, other.Identity))
	release(newID[tenancy.AccountID](w))

	// Released is free for others, and taken again by an update if it still is.
	rival := w.aTeam(other.Account)
	rival.Identity = a.Identity
	teams().store(w, rival)
	answers(w, rival, "TeamByIdentity of an identity with a new owner")(w.store.TeamByIdentity(w.ctx, a.Identity))
	w.is(teams().write(w, a), tenancy.ErrDuplicate, "UpdateTeam of a team whose identity was taken since")
	w.must(teams().write(w, b), "UpdateTeam of a team whose identity is free")
	b.Version++
	answers(w, b, "TeamByIdentity after an update")(w.store.TeamByIdentity(w.ctx, b.Identity))
	release(account)
	archived := b
	archived.Status = tenancy.TeamArchived
	w.must(teams().write(w, archived), "UpdateTeam that archives a team without its identity")
	answers(w, rival, "TeamByIdentity beside a team that has released the same")(w.store.TeamByIdentity(w.ctx, rival.Identity))
}

func teamLookupsCase(w *world) {
	t := w.aTeam(w.account().ID)
	w.discard("a transaction that makes a team", func(ctx context.Context) error {
		if err := w.store.InsertTeam(ctx, t); err != nil {
			return err
		}
		answers(w, t, "TeamByName inside")(w.store.TeamByName(ctx, t.Account, t.NameKey))
		answers(w, t, "TeamByIdentity inside")(w.store.TeamByIdentity(ctx, t.Identity))
		return nil
	})
	nothing[tenancy.Team](w, "TeamByName after the rollback")(w.store.TeamByName(w.ctx, t.Account, t.NameKey))
	nothing[tenancy.Team](w, "TeamByIdentity after the rollback")(w.store.TeamByIdentity(w.ctx, t.Identity))
	teams().store(w, t)
}

func settingsCase(w *world) {
	for _, deliverTo := range [][]tenancy.TeamID{nil, {}, {{}}} {
		t := w.aTeam(w.account().ID)
		t.Settings.DeliverTo, t.Settings.Statuses = deliverTo, []tenancy.OutcomeStatus{}
		t.Settings.JoinDomains, t.Settings.InviteDomains = []string{}, []string{}
		teams().store(w, t)
		t.Settings.Statuses, t.Settings.JoinDomains, t.Settings.InviteDomains = nil, nil, nil
		teams().holds(w, t, "an insert with settings")
		lists(w, []tenancy.Team{t}, "TeamsIn")(w.store.TeamsIn(w.ctx, t.Account, tenancy.Keyset{Limit: 5}))
		answers(w, t, "TeamByName")(w.store.TeamByName(w.ctx, t.Account, t.NameKey))
		answers(w, t, "TeamByIdentity")(w.store.TeamByIdentity(w.ctx, t.Identity))
		m := w.member(t.ID, rbac.Manager)
		lists(w, []tenancy.TeamOfUser{{Membership: m, Team: t}}, "TeamsOf")(w.store.TeamsOf(w.ctx, m.User, tenancy.Keyset{Limit: 5}))
		w.tx("a transaction that locks", func(ctx context.Context) error {
			answers(w, t, "LockTeam")(w.store.LockTeam(ctx, t.ID))
			return nil
		})
	}
}

func teamsInCase(w *world) {
	account, page := w.account().ID, tenancy.Keyset{Limit: 10}
	a, b := w.teamIn(account), w.aTeam(account)
	b.Status = tenancy.TeamArchived
	teams().store(w, b)
	other := w.team()
	lists(w, []tenancy.Team{a, b}, "TeamsIn")(w.store.TeamsIn(w.ctx, account, page))
	lists(w, []tenancy.Team{other}, "TeamsIn another account")(w.store.TeamsIn(w.ctx, other.Account, page))
	lists[tenancy.Team](w, nil, "TeamsIn an account without any")(w.store.TeamsIn(w.ctx, w.account().ID, page))
	lists[tenancy.Team](w, nil, "TeamsIn an account that does not exist")(w.store.TeamsIn(w.ctx, newID[tenancy.AccountID](w), page))
	fresh := w.aTeam(account)
	w.discard("a transaction that makes a team", func(ctx context.Context) error {
		if err := w.store.InsertTeam(ctx, fresh); err != nil {
			return err
		}
		lists(w, []tenancy.Team{a, b, fresh}, "TeamsIn inside, after an insert")(w.store.TeamsIn(ctx, account, page))
		return nil
	})
	lists(w, []tenancy.Team{a, b}, "TeamsIn after the rollback")(w.store.TeamsIn(w.ctx, account, page))
}

func joinableCase(w *world) {
	const domain = "acme.example"
	user, page := w.user().ID, tenancy.Keyset{Limit: 10}
	t := w.aTeam(w.account().ID)
	t.Settings.JoinDomains = []string{domain, "zeta.example"}
	t = teams().store(w, t)
	joinable := func(what string, want ...tenancy.Team) {
		w.Helper()
		lists(w, want, "JoinableTeams %s", what)(w.store.JoinableTeams(w.ctx, domain, user, page))
	}
	write := func(what string, change func()) {
		w.Helper()
		change()
		w.must(teams().write(w, t), "UpdateTeam %s", what)
		t.Version++
	}
	w.team() // of other domains
	joinable("of a new team", t)
	lists(w, []tenancy.Team{t}, "JoinableTeams of its other domain")(w.store.JoinableTeams(w.ctx, "zeta.example", user, page))
	lists[tenancy.Team](w, nil, "JoinableTeams of a domain below")(w.store.JoinableTeams(w.ctx, "sub."+domain, user, page))
	lists[tenancy.Team](w, nil, "JoinableTeams of no domain")(w.store.JoinableTeams(w.ctx, "", user, page))

	write("without the domain", func() { t.Settings.JoinDomains = []string{"zeta.example"} })
	joinable("after it named others")
	w.discard("a transaction that names it", func(ctx context.Context) error {
		named := t
		named.Settings.JoinDomains = []string{domain}
		if err := w.store.UpdateTeam(ctx, named); err != nil {
			return err
		}
		named.Version++
		lists(w, []tenancy.Team{named}, "JoinableTeams inside")(w.store.JoinableTeams(ctx, domain, user, page))
		return nil
	})
	joinable("after the rollback")
	write("with the domain", func() { t.Settings.JoinDomains = []string{domain} })
	joinable("after it named it again", t)
	write("that archives", func() { t.Status = tenancy.TeamArchived })
	joinable("while it is archived")
	write("that restores", func() { t.Status = tenancy.TeamActive })

	account, err := w.store.Account(w.ctx, t.Account)
	w.must(err, "Account")
	for _, status := range []tenancy.AccountStatus{tenancy.AccountSuspended, tenancy.AccountClosed} {
		account.Status = status
		w.must(accounts().write(w, account), "UpdateAccount to %s", status)
		account.Version++
		joinable("of a " + string(status) + " account")
	}
	account.Status = tenancy.AccountActive
	w.must(accounts().write(w, account), "UpdateAccount")

	m := w.aMembership(t.ID, user)
	memberships().store(w, m)
	for _, status := range []tenancy.MembershipStatus{tenancy.MembershipActive, tenancy.MembershipSuspended} {
		m.Status = status
		w.must(memberships().write(w, m), "UpdateMembership to %s", status)
		m.Version++
		joinable("to who is in it, " + string(status))
		lists(w, []tenancy.Team{t}, "JoinableTeams to somebody else")(w.store.JoinableTeams(w.ctx, domain, w.user().ID, page))
	}
	m.Status = tenancy.MembershipRemoved
	w.must(memberships().write(w, m), "UpdateMembership to removed")
	joinable("to who was removed", t)
}
