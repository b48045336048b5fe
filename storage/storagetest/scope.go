package storagetest

import (
	"slices"
	"time"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/tenancy"
)

func scopeCases() []testCase {
	return []testCase{
		{name: "scope and filter list what the predicate admits", rule: ruleConversations, covers: []string{"Conversations"}, run: scopeCase},
		{name: "scope turns to the microsecond", rule: ruleAdmits, covers: []string{"Conversations"}, run: scopeEdgeCase},
		{name: "filter values outside the set list nothing", rule: ruleConversations, covers: []string{"Conversations"}, run: scopeFilterCase},
	}
}

// A landscape is conversations of several teams with the grants of several guests, made at
// random: no grant, a live one, one that ends at the time in question or around it, a
// revoked one, and one that is both expired and revoked.
type landscape struct {
	teams   []tenancy.Team
	people  []tenancy.UserID
	threads []conversation.Conversation
	grants  map[tenancy.ConversationID]map[tenancy.UserID]conversation.Grant
	at      time.Time
}

func (w *world) landscape(threads int) landscape {
	w.Helper()
	account := w.account().ID
	l := landscape{
		teams:  []tenancy.Team{w.teamIn(account), w.teamIn(account), w.team()},
		grants: map[tenancy.ConversationID]map[tenancy.UserID]conversation.Grant{},
	}
	for range 4 {
		l.people = append(l.people, w.user().ID)
	}
	times := w.moments(threads)
	l.at = w.now()
	pick := func(n int) int { return w.random.IntN(n) }
	for i := range threads {
		c := w.aConversation(l.teams[pick(len(l.teams))])
		c.LastAt = times[i]
		c.Assignee = tenancy.UserID{}
		if pick(2) == 0 {
			c.Assignee = l.people[pick(len(l.people))]
		}
		if pick(2) == 0 {
			c.NeedsReplySince = time.Time{}
		}
		c.Claimant, c.ClaimedUntil = tenancy.UserID{}, time.Time{}
		if pick(2) == 0 {
			c.Claimant = l.people[pick(2)]
			c.ClaimedUntil = l.at.Add(time.Duration(pick(3)-1) * time.Microsecond)
		}
		c.Status = conversation.Statuses()[pick(3)]
		l.threads = append(l.threads, conversations().store(w, c))
		l.grants[c.ID] = map[tenancy.UserID]conversation.Grant{}
		for _, person := range l.people {
			g := w.aGrant(c.ID)
			g.User = person
			switch pick(7) {
			case 0, 1:
				continue
			case 2:
				g.ExpiresAt = time.Time{}
			case 3:
				g.ExpiresAt = l.at
			case 4:
				g.ExpiresAt = l.at.Add(time.Microsecond)
			case 5:
				g.ExpiresAt, g.RevokedAt = time.Time{}, l.at.Add(-time.Hour)
			case 6:
				g.ExpiresAt, g.RevokedAt = l.at.Add(-time.Hour), l.at.Add(time.Hour)
			}
			l.grants[c.ID][person] = grants().store(w, g)
		}
	}
	return l
}

// admits is the list by brute force: the predicate on every conversation there is.
func (l landscape) admits(scope conversation.Scope, f conversation.Filter) []conversation.Conversation {
	var list []conversation.Conversation
	for _, c := range l.threads {
		if scope.Admits(c, l.grants[c.ID][scope.Guest]) && f.Admits(c, scope.At) {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b conversation.Conversation) int {
		at, before := a.LastAt, b.LastAt
		if !scope.Guest.IsZero() {
			at, before = a.CreatedAt, b.CreatedAt
		}
		if c := before.Compare(at); c != 0 {
			return c
		}
		return slices.Compare(b.ID[:], a.ID[:])
	})
	return list
}

func scopeCase(w *world) {
	for range 1 + w.rounds/50 {
		l := w.landscape(24)
		guests := append([]tenancy.UserID{{}, newID[tenancy.UserID](w)}, l.people...)
		teams := []tenancy.TeamID{{}, newID[tenancy.TeamID](w)}
		for _, team := range l.teams {
			teams = append(teams, team.ID)
		}
		filters := []conversation.Filter{
			{}, {Status: conversation.Open}, {Status: conversation.Snoozed}, {Status: conversation.Closed}, {Waiting: true}, {Assignee: l.people[0]},
			{Status: conversation.Open, Waiting: true, Assignee: l.people[1]},
			{Unclaimed: true}, {Claimant: l.people[0]}, {Claimant: l.people[0], Unclaimed: true}, {Assignee: l.people[1], Unclaimed: true},
			{Status: conversation.Open, Waiting: true, Unclaimed: true}, {Status: conversation.Open, Waiting: true, Claimant: l.people[1]},
			{Claimant: l.people[0], Assignee: l.people[0]}, {Waiting: true, Claimant: l.people[1], Assignee: l.people[0]},
			{Queue: conversation.AgentQueue}, {Queue: conversation.AgentQueue, QueueOf: l.people[1]},
		}
		for queue := range conversation.AgentQueue {
			filters = append(filters, conversation.Filter{Queue: queue + 1, QueueOf: l.people[0]})
		}
		for _, team := range teams {
			for _, guest := range guests {
				for _, f := range filters {
					scope := conversation.Scope{Team: team, Guest: guest, At: l.at}
					lists(w, l.admits(scope, f), "Conversations in %+v with %+v", scope, f)(
						w.store.Conversations(w.ctx, scope, f, tenancy.Keyset{Limit: 100}))
					if w.Failed() {
						return
					}
				}
			}
		}
	}
}

// scopeEdgeCase asks at, before and after the moment in which grants end.
func scopeEdgeCase(w *world) {
	l := w.landscape(16)
	for _, at := range []time.Time{l.at, l.at.Add(-time.Microsecond), l.at.Add(time.Microsecond), l.at.Add(-time.Hour), l.at.AddDate(2, 0, 0), {}} {
		for _, guest := range l.people {
			scope := conversation.Scope{Team: l.teams[0].ID, Guest: guest, At: at}
			lists(w, l.admits(scope, conversation.Filter{}), "Conversations of a guest, %v from the moment in which grants end", at.Sub(l.at))(
				w.store.Conversations(w.ctx, scope, conversation.Filter{}, tenancy.Keyset{Limit: 100}))
		}
	}
}

func scopeFilterCase(w *world) {
	team := w.team()
	w.conversation(team)
	for _, status := range []conversation.Status{"Open", "open ", "%", "no-such-status", "' OR '1'='1"} {
		got, err := w.store.Conversations(w.ctx, conversation.Scope{Team: team.ID}, conversation.Filter{Status: status}, tenancy.Keyset{Limit: 10})
		w.refusedOrEmpty(len(got), err, "Conversations with the status %q", status)
	}
	for _, f := range []conversation.Filter{
		{Queue: conversation.AgentQueue + 1}, {Queue: 255}, {QueueOf: w.user().ID}, {Queue: conversation.Unclaimed, Waiting: true},
	} {
		_, err := w.store.Conversations(w.ctx, conversation.Scope{Team: team.ID}, f, tenancy.Keyset{Limit: 10})
		w.is(err, tenancy.ErrInvalid, "Conversations with %+v", f)
	}
	lists[conversation.Conversation](w, nil, "Conversations of an assignee without any")(
		w.store.Conversations(w.ctx, conversation.Scope{Team: team.ID}, conversation.Filter{Assignee: w.user().ID}, tenancy.Keyset{Limit: 10}))
}
