package storagetest

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

// A paged list is one that is read in parts after a key. All of them are checked alike: a list
// that is right until two rows have the same time is the usual fault, so most rows have.
type paged[R any] struct {
	method string
	// newest says that the list begins with the newest.
	newest bool
	rows   []R
	key    func(R) (time.Time, uuid.UUID)
	list   func(ctx context.Context, page tenancy.Keyset) ([]R, error)
}

func pagingCases() []testCase {
	return []testCase{
		{name: "pages of members", rule: ruleMembers, covers: []string{"Members"}, run: membersPages},
		{name: "pages of a user's teams", rule: ruleTeamsOf, covers: []string{"TeamsOf"}, run: teamsOfPages},
		{name: "pages of offers", rule: ruleOffers, covers: []string{"Offers"}, run: offersPages},
		{name: "pages of a user's accounts", rule: ruleAccountsOf, covers: []string{"AccountsOf"}, run: accountsOfPages},
		{name: "pages of the teams that can be joined", rule: ruleJoinable, covers: []string{"JoinableTeams"}, run: joinablePages},
		{name: "pages of an account's teams", rule: ruleTeamsIn, covers: []string{"TeamsIn"}, run: teamsInPages},
		{name: "pages of invitations", rule: ruleInvitations, covers: []string{"Invitations"}, run: invitationsPages},
		{name: "pages of conversations", rule: ruleConversations, covers: []string{"Conversations"}, run: conversationsPages},
		{name: "pages of a guest's conversations", rule: ruleConversations, covers: []string{"Conversations"}, run: guestPages},
		{name: "pages of deliveries", rule: ruleDeliveriesOf, covers: []string{"DeliveriesOf"}, run: deliveriesPages},
		{name: "pages of dead letters", rule: ruleBuried, needs: Relaying, covers: []string{"Buried"}, run: deadLetterPages},
		{name: "pages of events", rule: ruleEvents, covers: []string{"TeamEvents"}, run: eventsPages},
	}
}

// order compares two keys as the list does.
func (p paged[R]) order(a, b R) int {
	at, id := p.key(a)
	bt, bid := p.key(b)
	c := at.Compare(bt)
	if c == 0 {
		c = slices.Compare(id[:], bid[:])
	}
	if p.newest {
		return -c
	}
	return c
}

// after is what a list must answer for a position, read off the whole.
func (p paged[R]) after(at time.Time, id uuid.UUID) []R {
	for i, r := range p.rows {
		rt, rid := p.key(r)
		c := rt.Compare(at)
		if c == 0 {
			c = slices.Compare(rid[:], id[:])
		}
		if p.newest {
			c = -c
		}
		if c > 0 {
			return p.rows[i:]
		}
	}
	return nil
}

func (p paged[R]) check(w *world) {
	w.Helper()
	slices.SortFunc(p.rows, p.order)
	n := len(p.rows)
	for _, limit := range []int{1, 2, 3, n - 1, n, n + 1, tenancy.MaxLimit + 1} {
		var all []R
		page := tenancy.Keyset{Limit: limit}
		for turn := 0; ; turn++ {
			got, err := p.list(w.ctx, page)
			if err != nil || len(got) > limit || turn > n+1 {
				w.breaks("%s, page %d of at most %d, answered %d rows with %s", p.method, turn+1, limit, len(got), show(err))
				return
			}
			all = append(all, got...)
			if len(got) < limit {
				break
			}
			page.At, page.ID = p.key(got[len(got)-1])
		}
		lists(w, p.rows, "%s in pages of %d, put together,", p.method, limit)(all, nil)
		if w.Failed() {
			return
		}
	}
	w.by(ruleKeyset)
	lists(w, p.rows[:0], "%s with a limit of 0", p.method)(p.list(w.ctx, tenancy.Keyset{}))

	// A position is a place in the order and not a row: the row may have moved on since.
	for range 4 * n {
		at, id := p.key(p.rows[w.random.IntN(n)])
		switch w.random.IntN(6) {
		case 0:
			id = uuid.UUID{}
		case 1:
			id = uuid.Max
		case 2:
			id = newID[uuid.UUID](w)
		case 3:
			at = at.Add(time.Microsecond)
		case 4:
			at = at.Add(-time.Microsecond)
		default:
			at = at.In(time.FixedZone("UTC-7", -7*3600)) // the same moment
		}
		want := p.after(at, id)
		want = want[:min(3, len(want))]
		lists(w, want, "%s after (%s, %s)", p.method, at.Format(time.RFC3339Nano), id)(p.list(w.ctx, tenancy.Keyset{At: at, ID: id, Limit: 3}))
	}
	// A cursor is not secret, so a forged one may name any place that its bits can (THREATS F3).
	for _, at := range []time.Time{time.UnixMicro(1), time.UnixMicro(math.MinInt64), time.UnixMicro(math.MaxInt64)} {
		for _, id := range []uuid.UUID{{}, uuid.Max} {
			lists(w, p.after(at, id), "%s after (%s, %s)", p.method, at.UTC().Format(time.RFC3339), id)(
				p.list(w.ctx, tenancy.Keyset{At: at.UTC(), ID: id, Limit: n + 1}))
		}
	}
}

// moments are n times, of which several are the same and some a microsecond apart.
func (w *world) moments(n int) []time.Time {
	base := w.now()
	list := make([]time.Time, n)
	for i := range list {
		list[i] = base.Add(time.Duration(i/3) * time.Microsecond)
		if i%5 == 0 {
			list[i] = base.Add(-time.Hour)
		}
	}
	w.random.Shuffle(n, func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

// enough rows for pages of three with several ties across their edges.
const enough = 17

func membersPages(w *world) {
	team, other := w.team(), w.team()
	p := paged[tenancy.Member]{
		method: "Members",
		key:    func(m tenancy.Member) (time.Time, uuid.UUID) { return m.JoinedAt, m.User.UUID() },
		list: func(ctx context.Context, page tenancy.Keyset) ([]tenancy.Member, error) {
			return w.store.Members(ctx, team.ID, page)
		},
	}
	for _, at := range w.moments(enough) {
		u := w.user()
		m := w.aMembership(team.ID, u.ID)
		m.JoinedAt = at
		memberships().store(w, m)
		p.rows = append(p.rows, tenancy.Member{Membership: m, Name: u.Name, Email: u.Email, UserStatus: u.Status})
		m.Team = other.ID
		memberships().store(w, m)
		gone := w.aMembership(team.ID, w.user().ID)
		gone.JoinedAt, gone.Status = at, tenancy.MembershipRemoved
		memberships().store(w, gone)
	}
	p.check(w)
}

func teamsOfPages(w *world) {
	user, other := w.user().ID, w.user().ID
	p := paged[tenancy.TeamOfUser]{
		method: "TeamsOf",
		key:    func(t tenancy.TeamOfUser) (time.Time, uuid.UUID) { return t.JoinedAt, t.Team.ID.UUID() },
		list: func(ctx context.Context, page tenancy.Keyset) ([]tenancy.TeamOfUser, error) {
			return w.store.TeamsOf(ctx, user, page)
		},
	}
	account := w.account().ID
	for i, at := range w.moments(enough) {
		team := w.teamIn(account)
		m := w.aMembership(team.ID, user)
		m.JoinedAt = at
		if i == 3 || i == 9 { // rows that are passed over must not make a page short
			m.Status = tenancy.MembershipSuspended
		} else {
			p.rows = append(p.rows, tenancy.TeamOfUser{Membership: m, Team: team})
		}
		memberships().store(w, m)
		m.User = other
		memberships().store(w, m)
	}
	p.check(w)
}

func accountsOfPages(w *world) {
	user := w.user().ID
	p := paged[tenancy.Account]{
		method: "AccountsOf",
		key:    func(a tenancy.Account) (time.Time, uuid.UUID) { return a.CreatedAt, a.ID.UUID() },
		list: func(ctx context.Context, page tenancy.Keyset) ([]tenancy.Account, error) {
			return w.store.AccountsOf(ctx, user, page)
		},
	}
	for i, at := range w.moments(enough) {
		a, beside := w.anAccount(), w.anAccount()
		a.HeldBy, a.CreatedAt, beside.CreatedAt = user, at, at
		if i%3 == 0 {
			a.Status = tenancy.AccountClosed
		}
		p.rows = append(p.rows, accounts().store(w, a))
		accounts().store(w, beside)
	}
	p.check(w)
}

func joinablePages(w *world) {
	const domain = "acme.example"
	user := w.user().ID
	p := paged[tenancy.Team]{
		method: "JoinableTeams",
		key:    func(t tenancy.Team) (time.Time, uuid.UUID) { return t.CreatedAt, t.ID.UUID() },
		list: func(ctx context.Context, page tenancy.Keyset) ([]tenancy.Team, error) {
			return w.store.JoinableTeams(ctx, domain, user, page)
		},
	}
	for _, at := range w.moments(enough) {
		t, archived := w.aTeam(w.account().ID), w.aTeam(w.account().ID)
		t.CreatedAt, archived.CreatedAt = at, at
		t.Settings.JoinDomains, archived.Settings.JoinDomains = []string{domain}, []string{domain}
		archived.Status = tenancy.TeamArchived
		p.rows = append(p.rows, teams().store(w, t))
		teams().store(w, archived)
	}
	p.check(w)
}

func teamsInPages(w *world) {
	account, other := w.account().ID, w.account().ID
	p := paged[tenancy.Team]{
		method: "TeamsIn",
		key:    func(t tenancy.Team) (time.Time, uuid.UUID) { return t.CreatedAt, t.ID.UUID() },
		list: func(ctx context.Context, page tenancy.Keyset) ([]tenancy.Team, error) {
			return w.store.TeamsIn(ctx, account, page)
		},
	}
	for i, at := range w.moments(enough) {
		t, beside := w.aTeam(account), w.aTeam(other)
		t.CreatedAt, beside.CreatedAt = at, at
		if i%3 == 0 {
			t.Status = tenancy.TeamArchived
		}
		p.rows = append(p.rows, teams().store(w, t))
		teams().store(w, beside)
	}
	p.check(w)
}

func invitationsPages(w *world) {
	team, other := w.team(), w.team()
	now := w.now()
	all := []invite.Record{}
	for i, at := range w.moments(enough) {
		for _, t := range []tenancy.Team{team, other} {
			r := w.anInvitation(t)
			r.CreatedAt, r.ExpiresAt = at, now.Add(time.Hour)
			if i%4 == 0 {
				r.ExpiresAt = now
			}
			if i%7 == 0 {
				r.State = invite.Revoked
			}
			invitations().store(w, r)
			if t.ID == team.ID {
				all = append(all, r)
			}
		}
	}
	for _, state := range []invite.State{"", invite.Pending, invite.Expired} {
		f := invite.Filter{State: state, Now: now}
		p := paged[invite.Record]{
			method: "Invitations", newest: true,
			key: func(r invite.Record) (time.Time, uuid.UUID) { return r.CreatedAt, r.ID.UUID() },
			list: func(ctx context.Context, page tenancy.Keyset) ([]invite.Record, error) {
				return w.store.Invitations(ctx, team.ID, f, page)
			},
		}
		for _, r := range all {
			if state == "" || r.StateAt(now) == state {
				p.rows = append(p.rows, r)
			}
		}
		w.by(ruleInvitations)
		p.check(w)
	}
}

func offersPages(w *world) {
	account, other := w.account().ID, w.account().ID
	p := paged[invite.Record]{
		method: "Offers", newest: true,
		key: func(r invite.Record) (time.Time, uuid.UUID) { return r.CreatedAt, r.ID.UUID() },
		list: func(ctx context.Context, page tenancy.Keyset) ([]invite.Record, error) {
			return w.store.Offers(ctx, account, page)
		},
	}
	for _, at := range w.moments(enough) {
		for _, id := range []tenancy.AccountID{account, other} {
			r := w.anOffer(id)
			r.CreatedAt, r.State = at, invite.Revoked
			offers().store(w, r)
			if id == account {
				p.rows = append(p.rows, r)
			}
		}
	}
	p.check(w)
}

func conversationsPages(w *world) {
	team, other := w.team(), w.team()
	all := []conversation.Conversation{}
	for i, at := range w.moments(enough) {
		for _, t := range []tenancy.Team{team, other} {
			c := w.aConversation(t)
			c.LastAt = at
			c.Status = conversation.Statuses()[i%3]
			if i%4 == 0 {
				c.NeedsReplySince = time.Time{}
			}
			conversations().store(w, c)
			if t.ID == team.ID {
				all = append(all, c)
			}
		}
	}
	for _, f := range []conversation.Filter{{}, {Status: conversation.Open}, {Status: conversation.Snoozed}, {Waiting: true}} {
		p := threadPages(w, conversation.Scope{Team: team.ID}, f)
		for _, c := range all {
			if (f.Status == "" || c.Status == f.Status) && (!f.Waiting || !c.NeedsReplySince.IsZero()) {
				p.rows = append(p.rows, c)
			}
		}
		w.by(ruleConversations)
		p.check(w)
	}
}

func guestPages(w *world) {
	team := w.team()
	guest := w.user().ID
	now := w.now()
	p := threadPages(w, conversation.Scope{Team: team.ID, Guest: guest, At: now}, conversation.Filter{})
	p.key = func(c conversation.Conversation) (time.Time, uuid.UUID) { return c.CreatedAt, c.ID.UUID() }
	for i, at := range w.moments(2 * enough) {
		c := w.aConversation(team)
		c.CreatedAt = at // and LastAt is of another order
		c.LastAt = w.now().Add(-time.Duration(i*i) * time.Hour)
		conversations().store(w, c)
		w.grant(c.ID)
		g := w.aGrant(c.ID)
		g.User, g.ExpiresAt = guest, now.Add(time.Microsecond)
		switch i % 4 {
		case 0:
			continue // no grant
		case 1:
			g.ExpiresAt = now
		default:
			p.rows = append(p.rows, c)
		}
		grants().store(w, g)
	}
	p.check(w)
}

func threadPages(w *world, scope conversation.Scope, f conversation.Filter) paged[conversation.Conversation] {
	return paged[conversation.Conversation]{
		method: "Conversations", newest: true,
		key: func(c conversation.Conversation) (time.Time, uuid.UUID) { return c.LastAt, c.ID.UUID() },
		list: func(ctx context.Context, page tenancy.Keyset) ([]conversation.Conversation, error) {
			return w.store.Conversations(ctx, scope, f, page)
		},
	}
}

func deliveriesPages(w *world) {
	team := w.team()
	other := w.teamIn(team.Account)
	p := paged[conversation.Delivery]{
		method: "DeliveriesOf", newest: true,
		key: func(d conversation.Delivery) (time.Time, uuid.UUID) { return d.CreatedAt, d.ID.UUID() },
		list: func(ctx context.Context, page tenancy.Keyset) ([]conversation.Delivery, error) {
			return w.store.DeliveriesOf(ctx, team.ID, page)
		},
	}
	here, there := w.conversation(team), w.conversation(other)
	for i, at := range w.moments(enough + 5) {
		from := here
		if i%2 == 0 {
			from = there
		}
		d := w.aDelivery(from)
		d.CreatedAt, d.State, d.EndedAt = at, conversation.DeliveryCompleted, w.now()
		switch i % 6 {
		case 0, 2: // from the other team to this one
			d.Recipient = conversation.Recipient{Team: team.ID}
		case 1: // from this one to itself: one card, not two
			d.Recipient = conversation.Recipient{Team: team.ID}
		case 3: // from this one to the other
			d.Recipient = conversation.Recipient{Team: other.ID}
		}
		deliveries().store(w, d)
		if i%6 != 4 { // the other team's own
			p.rows = append(p.rows, d)
		}
	}
	p.check(w)
}

func eventsPages(w *world) {
	team, other := w.team(), w.team()
	p := paged[outbox.Event]{
		method: "TeamEvents", newest: true,
		key: func(e outbox.Event) (time.Time, uuid.UUID) { return e.At, e.ID },
		list: func(ctx context.Context, page tenancy.Keyset) ([]outbox.Event, error) {
			return w.store.TeamEvents(ctx, team.ID.UUID(), outbox.LogFilter{}, page.At, page.ID, page.Limit)
		},
	}
	for i, at := range w.moments(enough) {
		e, beside := w.aTeamEvent(team), w.aTeamEvent(other)
		e.At, beside.At = at, at
		w.append(e, beside)
		e.Sequence = int64(i + 1)
		p.rows = append(p.rows, e)
	}
	p.check(w)
}

func deadLetterPages(w *world) {
	p := paged[outbox.DeadLetter]{
		method: "Buried",
		key:    func(d outbox.DeadLetter) (time.Time, uuid.UUID) { return d.At, d.Event.ID },
		list: func(ctx context.Context, page tenancy.Keyset) ([]outbox.DeadLetter, error) {
			return w.store.Buried(ctx, lane, page.At, page.ID, page.Limit)
		},
	}
	w.queue(enough+3, 2)
	due := w.take(w.now(), 100)
	if len(due) != enough+3 {
		w.stop("Take handed out %d events, want the first of each of %d streams", len(due), enough+3)
	}
	for i, at := range w.moments(len(due)) {
		if i < 3 { // an event that is delivered or waits is none
			w.must(w.store.Retry(w.ctx, due[i], at), "Retry")
			continue
		}
		w.must(w.store.Bury(w.ctx, due[i], at), "Bury")
		p.rows = append(p.rows, outbox.DeadLetter{Event: due[i].Event, Attempts: 1, At: at})
	}
	p.check(w)
}
