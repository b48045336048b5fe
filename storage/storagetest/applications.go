package storagetest

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/tenancy"
)

func applications() kind[conversation.Application] {
	type row = conversation.Application
	return kind[row]{
		name: "application", methods: []string{"InsertApplication", "UpdateApplication", "Application", ""},
		fresh:  func(w *world) row { return w.anApplication(w.teamContact(w.team())) },
		insert: storage.Store.InsertApplication, update: storage.Store.UpdateApplication,
		get: func(s storage.Store, ctx context.Context, a row) (row, error) {
			return s.Application(ctx, a.Team, a.ID)
		},
		version: func(a *row) *int64 { return &a.Version },
		stray:   func(w *world, a row) row { a.ID = newID[tenancy.ApplicationID](w); return a },
		rival: func(w *world, a row) row {
			rival := w.anApplication(w.teamContact(w.team()))
			rival.ID = a.ID
			return rival
		},
		changes: []change[row]{
			{"the status", func(w *world, a *row) { a.Status = "a status of the team's own" }},
			{"the details", func(w *world, a *row) {
				a.ApplicationDetails = conversation.ApplicationDetails{
					Source: "s'", Medium: `m"`, Campaign: "c%", Job: "Šofér", Location: "l\\", Keyword: "k;--",
				}
			}},
			{"to nothing", func(w *world, a *row) { a.ApplicationDetails = conversation.ApplicationDetails{} }},
		},
		times: []timeField[row]{
			{"CreatedAt", false, func(a *row) *time.Time { return &a.CreatedAt }},
		},
		refs: []refField[row]{
			{"Account", func(w *world, a *row) { a.Account = newID[tenancy.AccountID](w) }},
			{"Team", func(w *world, a *row) { a.Team = newID[tenancy.TeamID](w) }},
			{"Contact", func(w *world, a *row) { a.Contact = newID[tenancy.ContactID](w) }},
			{"Contact in its team", func(w *world, a *row) { a.Contact = w.contact(w.team().ID).ID }},
		},
	}
}

func applicationCases() []testCase {
	return append(applications().cases(),
		testCase{
			name: "application origins outside the set are invalid", rule: ruleInvalid,
			covers: []string{"InsertApplication"}, run: originsCase,
		},
		testCase{
			name: "application keeps what an update does not write", rule: ruleUpdateApplication,
			covers: []string{"UpdateApplication"}, run: keptApplicationCase,
		},
		testCase{
			name: "application external ids are unique in the account", rule: ruleRecorded,
			covers: []string{"InsertApplication", "ApplicationByExternalID"}, run: recordedCase,
		},
		testCase{
			name: "application that is first", rule: ruleFirstApplication,
			covers: []string{"FirstApplication"}, run: firstApplicationCase,
		},
		testCase{
			name: "pages of applications", rule: ruleApplications,
			covers: []string{"Applications"}, run: applicationsPages,
		},
		testCase{
			name: "applications are moved together", rule: ruleMoveApplications,
			covers: []string{"MoveApplications", "Applications"}, run: moveApplicationsCase,
		},
	)
}

func originsCase(w *world) {
	k := applications()
	for _, origin := range conversation.Origins() {
		a := k.fresh(w)
		a.Origin = origin
		k.holds(w, k.store(w, a), "an insert from "+string(origin))
		for _, value := range nearly(string(origin)) {
			bad := k.fresh(w)
			bad.Origin = conversation.Origin(value)
			w.is(k.put(w, bad), tenancy.ErrInvalid, "InsertApplication with Origin = %q", value)
			nothing[conversation.Application](w, "Application after an insert with a bad Origin")(k.get(w.store, w.ctx, bad))
		}
	}
}

func keptApplicationCase(w *world) {
	k := applications()
	a := k.store(w, k.fresh(w))
	given := a
	given.Account, given.Contact = newID[tenancy.AccountID](w), newID[tenancy.ContactID](w)
	given.Origin, given.ExternalID, given.CreatedAt = "nothing", "another", w.now().Add(time.Hour)
	given.Job, given.Status = "Welder", conversation.Qualified
	w.must(k.write(w, given), "UpdateApplication")
	a.Job, a.Status, a.Version = "Welder", conversation.Qualified, 2
	k.holds(w, a, "an update that gave more than can change")
	answers(w, a, "ApplicationByExternalID after it")(w.store.ApplicationByExternalID(w.ctx, a.Account, a.ExternalID))
}

func recordedCase(w *world) {
	k := applications()
	team, other := w.team(), w.team()
	sibling := w.teamIn(team.Account)
	find := func(account tenancy.AccountID, externalID string) (conversation.Application, error) {
		return w.store.ApplicationByExternalID(w.ctx, account, externalID)
	}
	a := k.store(w, w.anApplication(w.teamContact(team)))
	answers(w, a, "ApplicationByExternalID")(find(a.Account, a.ExternalID))
	nothing[conversation.Application](w, "ApplicationByExternalID in another account")(find(other.Account, a.ExternalID))
	for _, id := range []string{"unknown", a.ExternalID + " ", "%", ""} {
		nothing[conversation.Application](w, "ApplicationByExternalID of %q", id)(find(a.Account, id))
	}
	rival := w.anApplication(w.teamContact(sibling))
	rival.ExternalID = a.ExternalID
	w.is(k.put(w, rival), tenancy.ErrDuplicate, "InsertApplication with an external id that another team has taken")
	nothing[conversation.Application](w, "Application after a refused insert")(w.store.Application(w.ctx, rival.Team, rival.ID))
	there := w.anApplication(w.teamContact(other))
	there.ExternalID = a.ExternalID
	k.store(w, there)
	answers(w, there, "ApplicationByExternalID of the same id in another account")(find(other.Account, a.ExternalID))
	for range 2 { // however many have none
		chat := w.anApplication(w.teamContact(team))
		chat.ExternalID, chat.Origin = "", conversation.FromChat
		k.holds(w, k.store(w, chat), "an insert without an external id")
	}
	nothing[conversation.Application](w, "ApplicationByExternalID of the empty id")(find(a.Account, ""))
}

func firstApplicationCase(w *world) {
	k := applications()
	team := w.team()
	who, at := w.teamContact(team), w.now()
	first := func() (conversation.Application, error) {
		return w.store.FirstApplication(w.ctx, team.ID, who.contact.ID)
	}
	nothing[conversation.Application](w, "FirstApplication of a contact without any")(first())
	add := func(who contactIn, at time.Time) conversation.Application {
		a := w.anApplication(who)
		a.CreatedAt = at
		return k.store(w, a)
	}
	a := add(who, at)
	add(who, at.Add(time.Microsecond))
	add(w.teamContact(team), at.Add(-time.Hour)) // another contact's
	answers(w, a, "FirstApplication")(first())
	older := add(who, at.Add(-time.Microsecond))
	answers(w, older, "FirstApplication after an older one")(first())
	tied := add(who, older.CreatedAt)
	if slices.Compare(tied.ID[:], older.ID[:]) < 0 {
		older = tied
	}
	answers(w, older, "FirstApplication of two of one moment")(first())
	nothing[conversation.Application](w, "FirstApplication in another team")(w.store.FirstApplication(w.ctx, w.teamIn(team.Account).ID, who.contact.ID))
}

func applicationsPages(w *world) {
	team := w.team()
	who, other := w.teamContact(team), w.teamContact(team)
	p := paged[conversation.Application]{
		method: "Applications", newest: true,
		key: func(a conversation.Application) (time.Time, uuid.UUID) { return a.CreatedAt, a.ID.UUID() },
		list: func(ctx context.Context, page tenancy.Keyset) ([]conversation.Application, error) {
			return w.store.Applications(ctx, team.ID, who.contact.ID, page)
		},
	}
	for _, at := range w.moments(enough) {
		a, foreign := w.anApplication(who), w.anApplication(other)
		a.CreatedAt, foreign.CreatedAt = at, at
		p.rows = append(p.rows, applications().store(w, a))
		applications().store(w, foreign)
	}
	p.check(w)
	whole := tenancy.Keyset{Limit: 50}
	lists[conversation.Application](w, nil, "Applications in another team")(w.store.Applications(w.ctx, w.teamIn(team.Account).ID, who.contact.ID, whole))
	lists[conversation.Application](w, nil, "Applications of a contact without any")(w.store.Applications(w.ctx, team.ID, w.contact(team.ID).ID, whole))
}

func moveApplicationsCase(w *world) {
	k := applications()
	from := w.team()
	to := w.teamIn(from.Account)
	leaving, staying := []contactIn{w.teamContact(from), w.teamContact(from)}, w.teamContact(from)
	there := map[tenancy.ContactID]contactIn{}
	for _, who := range leaving {
		beside := w.aContact(to.ID)
		beside.Channel, beside.Address = who.contact.Channel, who.contact.Address
		there[who.contact.ID] = contactIn{to, stored(w, "InsertContact", beside, just(w.store.InsertContact))}
	}
	var rows []conversation.Application
	for _, who := range append(leaving, leaving[0]) {
		rows = append(rows, k.store(w, w.anApplication(who)))
	}
	before := k.store(w, w.anApplication(there[leaving[0].contact.ID]))
	elsewhere := w.teamContact(w.teamIn(from.Account))
	spared := []conversation.Application{k.store(w, w.anApplication(elsewhere)), k.store(w, w.anApplication(staying)), before}
	move := func(ctx context.Context, ids ...tenancy.ContactID) error {
		return w.store.MoveApplications(ctx, from.ID, to.ID, ids...)
	}
	ids := []tenancy.ContactID{leaving[0].contact.ID, leaving[1].contact.ID, elsewhere.contact.ID}
	writeSet(w, "MoveApplications", k, move, rows, spared, ids, func(a *conversation.Application) {
		a.Team, a.Contact = to.ID, there[a.Contact].contact.ID
	})
	whole := tenancy.Keyset{Limit: 50}
	lists(w, []conversation.Application{before, rows[2], rows[0]}, "Applications of the contact that they came to")(
		w.store.Applications(w.ctx, to.ID, before.Contact, whole))
	lists[conversation.Application](w, nil, "Applications of the contact that they left")(
		w.store.Applications(w.ctx, from.ID, leaving[0].contact.ID, whole))
	w.is(w.try(func(ctx context.Context) error { return move(ctx, staying.contact.ID) }), tenancy.ErrNotFound,
		"MoveApplications to a team without the contact")
	k.holds(w, spared[1], "a refused move")
	bare := w.contact(from.ID)
	w.tx("MoveApplications of a contact without any", func(ctx context.Context) error { return move(ctx, bare.ID) })
}
