package storagetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/tenancy"
)

func deskCases() []testCase {
	return []testCase{
		{name: "line is gone through from its first on", rule: ruleLockNext, covers: []string{"LockNext"}, run: lineCase},
		{name: "queues are listed as hops go through them", rule: ruleConversations, covers: []string{"Conversations"}, run: queueCase},
		{name: "line passes over what another transaction has taken", rule: ruleLockNextPasses, needs: RowLocks, covers: []string{"LockNext"}, run: lineTakenCase},
		{name: "line holds what it answers", rule: ruleLockNext, needs: RowLocks, covers: []string{"LockNext"}, run: lineHeldCase},
		{name: "line is shared out, nothing twice and nothing lost", rule: ruleLockNext, covers: []string{"LockNext"}, run: lineRaceCase},
		{name: "line that waits is told from none", rule: ruleWaits, covers: []string{"Waits"}, run: waitsCase},
		{name: "hand is what the user has claimed or is assigned", rule: ruleHand, covers: []string{"Hand"}, run: handCase},
		{name: "answered conversations that a user has claimed are locked", rule: ruleLockAnswered, covers: []string{"LockAnswered"}, run: answeredCase},
		{name: "claimed and assigned conversations of a user", rule: ruleHeldBy, covers: []string{"HeldBy"}, run: claimedCase},
		{name: "claims that have ended by the clock", rule: ruleClaimsEnded, covers: []string{"ClaimsEnded"}, run: claimsEndedCase},
		{name: "skip takes the place of an earlier one", rule: ruleSkip, covers: []string{"InsertSkip"}, run: skipCase},
		{name: "skip of what does not exist", rule: ruleMissing, covers: []string{"InsertSkip"}, run: skipRefsCase},
		{name: "skip that is rolled back is none", rule: ruleReads, covers: []string{"InsertSkip"}, run: skipRollbackCase},
	}
}

// An office is conversations of a team in every state that the desk tells apart, made at random,
// with those of another team beside them, and what two users have skipped.
type office struct {
	team    tenancy.Team
	me, you tenancy.UserID
	at      time.Time
	threads []conversation.Conversation
	skips   map[conversation.Skip]bool
}

func (w *world) office(threads int) office {
	w.Helper()
	account := w.account().ID
	o := office{team: w.teamIn(account), me: w.user().ID, you: w.user().ID, skips: map[conversation.Skip]bool{}}
	beside := w.teamIn(account)
	times := w.moments(threads)
	o.at = w.now()
	people := []tenancy.UserID{{}, o.me, o.you}
	ends := []time.Time{o.at.Add(-time.Hour), o.at.Add(-time.Microsecond), o.at, o.at.Add(time.Microsecond), o.at.Add(time.Hour)}
	pick := func(n int) int { return w.random.IntN(n) }
	for i := range threads {
		team := o.team
		if i%8 == 7 {
			team = beside
		}
		c := w.aConversation(team)
		c.NeedsReplySince = times[i]
		c.Assignee, c.Claimant, c.ClaimedUntil = people[pick(3)], people[pick(3)], time.Time{}
		if !c.Claimant.IsZero() {
			c.ClaimedUntil = ends[pick(len(ends))]
		}
		if pick(4) == 0 {
			c.NeedsReplySince = time.Time{}
		}
		if pick(6) == 0 {
			c.Status = conversation.Closed
		}
		o.threads = append(o.threads, conversations().store(w, c))
		for _, user := range people[1:] {
			if pick(4) == 0 {
				skip := conversation.Skip{Conversation: c.ID, User: user, EndsAt: ends[pick(len(ends))]}
				w.skip(skip)
				o.skips[skip] = true
			}
		}
	}
	return o
}

func (w *world) skip(s conversation.Skip) {
	w.Helper()
	w.tx("InsertSkip", func(ctx context.Context) error { return w.store.InsertSkip(ctx, s) })
}

// lines are all lines of both users, of somebody with nothing, and of nobody.
func (o office) lines(w *world) []conversation.Line {
	var lines []conversation.Line
	for _, user := range []tenancy.UserID{o.me, o.you, w.user().ID, {}} {
		for bits := range 8 {
			lines = append(lines, conversation.Line{
				User: user, At: o.at, Free: bits&1 != 0, Claimed: bits&2 != 0, Assigned: bits&4 != 0,
			})
		}
	}
	return lines
}

// line is a line by brute force.
func (o office) line(team tenancy.TeamID, l conversation.Line) []conversation.Conversation {
	var list []conversation.Conversation
	for _, c := range o.threads {
		if c.Team == team && holds(l, c) && !o.skipped(c, l) {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b conversation.Conversation) int {
		return cmp.Or(a.NeedsReplySince.Compare(b.NeedsReplySince), slices.Compare(a.ID[:], b.ID[:]))
	})
	return list
}

// holds is a line as the contract says it, skips aside.
func holds(l conversation.Line, c conversation.Conversation) bool {
	holder := c.ClaimantAt(l.At)
	free := l.Free && c.Assignee.IsZero() && holder.IsZero()
	claimed := l.Claimed && !holder.IsZero() && holder == l.User
	assigned := l.Assigned && !c.Assignee.IsZero() && c.Assignee == l.User && (holder.IsZero() || holder == l.User)
	return c.Status == conversation.Open && !c.NeedsReplySince.IsZero() && (free || claimed || assigned)
}

// queueCase lists what lines hold.
func queueCase(w *world) {
	for range 1 + w.rounds/50 {
		o := w.office(32)
		for _, line := range o.lines(w) {
			f := conversation.Filter{QueueOf: line.User}
			for part, in := range map[conversation.Queue]bool{
				conversation.Unclaimed: line.Free, conversation.ClaimedByMe: line.Claimed, conversation.AssignedToMe: line.Assigned,
			} {
				if in {
					f.Queue |= part
				}
			}
			if f.Queue == 0 {
				continue
			}
			var want []conversation.Conversation
			for _, c := range o.threads {
				if c.Team == o.team.ID && holds(line, c) {
					want = append(want, c)
				}
			}
			slices.SortFunc(want, func(a, b conversation.Conversation) int {
				return cmp.Or(b.LastAt.Compare(a.LastAt), slices.Compare(b.ID[:], a.ID[:]))
			})
			scope := conversation.Scope{Team: o.team.ID, At: o.at}
			lists(w, want, "Conversations with %+v", f)(w.store.Conversations(w.ctx, scope, f, tenancy.Keyset{Limit: 100}))
		}
	}
}

func (o office) skipped(c conversation.Conversation, l conversation.Line) bool {
	for skip := range o.skips {
		if skip.Conversation == c.ID && skip.User == l.User && l.At.Before(skip.EndsAt) {
			return true
		}
	}
	return false
}

func lineCase(w *world) {
	for range 1 + w.rounds/50 {
		o := w.office(32)
		for _, team := range []tenancy.TeamID{o.team.ID, newID[tenancy.TeamID](w), {}} {
			for _, line := range o.lines(w) {
				var got []conversation.Conversation
				w.discard("a transaction that goes through a line", func(ctx context.Context) error {
					got = nil
					for {
						c, err := w.store.LockNext(ctx, team, line)
						if errors.Is(err, tenancy.ErrNotFound) {
							return nil
						}
						if err != nil || len(got) > len(o.threads) {
							return cmp.Or(err, fmt.Errorf("the line does not end"))
						}
						got = append(got, c)
						c.Status = conversation.Closed
						if err := w.store.UpdateConversation(ctx, team, c); err != nil {
							return err
						}
					}
				})
				lists(w, o.line(team, line), "LockNext, again and again, in %+v", line)(got, nil)
				if w.Failed() {
					return
				}
			}
		}
	}
}

// waiting makes n conversations that wait and are nobody's, the first of them first in line.
func (w *world) waiting(team tenancy.Team, n int) []conversation.Conversation {
	w.Helper()
	list := make([]conversation.Conversation, n)
	for i := range list {
		c := w.aConversation(team)
		c.Assignee, c.Claimant, c.ClaimedUntil = tenancy.UserID{}, tenancy.UserID{}, time.Time{}
		list[i] = conversations().store(w, c)
	}
	return list
}

func lineTakenCase(w *world) {
	team := w.team()
	waiting := w.waiting(team, 2)
	line := conversation.Line{User: w.user().ID, At: w.now(), Free: true}
	var other *job
	var got conversation.Conversation
	w.tx("a transaction that takes the first of a line", func(ctx context.Context) error {
		first, err := w.store.LockNext(ctx, team.ID, line)
		if err != nil {
			return err
		}
		if other == nil {
			other = w.start(func() error {
				return w.store.InTx(w.ctx, func(ctx context.Context) (err error) {
					got, err = w.store.LockNext(ctx, team.ID, line)
					return err
				})
			})
		}
		other.early(w) // with one writer it cannot end now; otherwise it has
		first.Claimant, first.ClaimedUntil = line.User, line.At.Add(time.Hour)
		return w.store.UpdateConversation(ctx, team.ID, first)
	})
	w.must(other.wait(w), "a transaction that takes the next of a line")
	same(w, got, waiting[1], "LockNext while another transaction has the first")
}

func lineHeldCase(w *world) {
	team := w.team()
	c := w.waiting(team, 1)[0]
	line := conversation.Line{User: w.user().ID, At: w.now(), Free: true}
	held(w, c, conversations(), "LockNext", func(ctx context.Context, _ conversation.Conversation) (conversation.Conversation, error) {
		return w.store.LockNext(ctx, team.ID, line)
	})
}

// lineRaceCase lets a crowd empty a line at once.
func lineRaceCase(w *world) {
	const crowd, threads = 8, 24
	users := make([]tenancy.UserID, crowd)
	for i := range users {
		users[i] = w.user().ID
	}
	for range 1 + w.rounds/20 {
		team := w.team()
		waiting := w.waiting(team, threads)
		at := w.now()
		var mu sync.Mutex
		taken := map[tenancy.ConversationID]int{}
		take := func(i int) (err error) {
			var c conversation.Conversation
			for {
				err := w.store.InTx(w.ctx, func(ctx context.Context) (err error) {
					line := conversation.Line{User: users[i], At: at, Free: true}
					if c, err = w.store.LockNext(ctx, team.ID, line); err != nil {
						return err
					}
					c.Claimant, c.ClaimedUntil = users[i], at.Add(time.Hour)
					return w.store.UpdateConversation(ctx, team.ID, c)
				})
				if err != nil {
					return err
				}
				mu.Lock()
				taken[c.ID]++
				mu.Unlock()
			}
		}
		for _, err := range w.crowd(crowd, take) {
			if !w.is(err, tenancy.ErrNotFound, "LockNext at the end of a line that a crowd empties") {
				return
			}
		}
		for _, c := range waiting {
			if taken[c.ID] != 1 {
				w.breaks("a crowd of %d took a conversation of a line %d times, want once", crowd, taken[c.ID])
				return
			}
		}
	}
}

func waitsCase(w *world) {
	o := w.office(6)
	for _, line := range o.lines(w) {
		want := slices.ContainsFunc(o.threads, func(c conversation.Conversation) bool {
			return c.Team == o.team.ID && c.Status == conversation.Open && !c.NeedsReplySince.IsZero() &&
				(line.Free && c.Assignee.IsZero() || line.Assigned && !c.Assignee.IsZero() && c.Assignee == line.User)
		})
		answers(w, want, "Waits in %+v", line)(w.store.Waits(w.ctx, o.team.ID, line))
	}
	team := w.team()
	me := w.user().ID
	all := conversation.Line{User: me, At: w.now(), Free: true, Claimed: true, Assigned: true}
	waits := func(want bool, when string) {
		w.Helper()
		answers(w, want, "Waits %s", when)(w.store.Waits(w.ctx, team.ID, all))
	}
	waits(false, "in an empty team")
	c := w.waiting(team, 1)[0]
	waits(true, "with a conversation that is nobody's")
	w.skip(conversation.Skip{Conversation: c.ID, User: me, EndsAt: all.At.Add(time.Hour)})
	c.Claimant, c.ClaimedUntil = w.user().ID, all.At.Add(time.Hour)
	w.must(conversations().write(w, c), "UpdateConversation")
	waits(true, "with one that is skipped and claimed")
	c.Version++
	c.Assignee = w.user().ID
	w.must(conversations().write(w, c), "UpdateConversation")
	waits(false, "with one that is another's")
	c.Version++
	c.Assignee = me
	w.must(conversations().write(w, c), "UpdateConversation")
	waits(true, "with one that is the user's")
	c.Version++
	c.NeedsReplySince = time.Time{}
	w.must(conversations().write(w, c), "UpdateConversation")
	waits(false, "with one that does not wait")
}

func handCase(w *world) {
	for range 4 {
		o := w.office(5)
		for _, line := range o.lines(w) {
			inHand := line
			inHand.Free = false
			want := conversation.Hand{
				Waiting: len(o.line(o.team.ID, inHand)) > 0,
				Answered: slices.ContainsFunc(o.threads, func(c conversation.Conversation) bool {
					return c.Team == o.team.ID && !c.Claimant.IsZero() && c.Claimant == line.User && c.NeedsReplySince.IsZero()
				}),
			}
			answers(w, want, "Hand in %+v", line)(w.store.Hand(w.ctx, o.team.ID, line))
		}
	}
}

func answeredCase(w *world) {
	o := w.office(40)
	for _, user := range []tenancy.UserID{o.me, o.you, w.user().ID, {}} {
		var want []conversation.Conversation
		for _, c := range o.threads {
			if c.Team == o.team.ID && !c.Claimant.IsZero() && c.Claimant == user && c.NeedsReplySince.IsZero() {
				want = append(want, c)
			}
		}
		slices.SortFunc(want, func(a, b conversation.Conversation) int { return slices.Compare(a.ID[:], b.ID[:]) })
		w.tx("LockAnswered", func(ctx context.Context) error {
			lists(w, want, "LockAnswered")(w.store.LockAnswered(ctx, o.team.ID, user))
			return nil
		})
	}
}

func claimedCase(w *world) {
	o := w.office(40)
	for _, user := range []tenancy.UserID{o.me, o.you, w.user().ID, {}} {
		var want []tenancy.ConversationID
		for _, c := range o.threads {
			if c.Team == o.team.ID && !user.IsZero() && (c.Claimant == user || c.Assignee == user) {
				want = append(want, c.ID)
			}
		}
		lists(w, byID(want), "HeldBy the claimant")(heldBy(w.ctx, w.store, o.team.ID, user))
	}
}

func claimsEndedCase(w *world) {
	o := w.office(40)
	var ended []conversation.Conversation
	for _, c := range o.threads {
		if !c.Claimant.IsZero() && !c.ClaimedUntil.After(o.at) {
			ended = append(ended, c)
		}
	}
	slices.SortFunc(ended, func(a, b conversation.Conversation) int {
		return cmp.Or(a.ClaimedUntil.Compare(b.ClaimedUntil), slices.Compare(a.ID[:], b.ID[:]))
	})
	var want []conversation.Thread
	for _, c := range ended {
		want = append(want, conversation.Thread{Team: c.Team, Conversation: c.ID})
	}
	for _, limit := range []int{0, 1, 3, len(want), 1000} {
		lists(w, want[:min(limit, len(want))], "ClaimsEnded, at most %d", limit)(w.store.ClaimsEnded(w.ctx, o.at, limit))
	}
	lists[conversation.Thread](w, nil, "ClaimsEnded before there was a claim")(w.store.ClaimsEnded(w.ctx, o.at.AddDate(-1, 0, 0), 10))
}

func skipCase(w *world) {
	team := w.team()
	c := w.waiting(team, 1)[0]
	me, at := w.user().ID, w.now()
	offered := func(user tenancy.UserID, at time.Time, want bool, when string) {
		w.Helper()
		w.discard("LockNext", func(ctx context.Context) error {
			_, err := w.store.LockNext(ctx, team.ID, conversation.Line{User: user, At: at, Free: true})
			if errors.Is(err, tenancy.ErrNotFound) == want {
				w.breaks("LockNext %s answered %s", when, show(err))
			}
			return nil
		})
	}
	offered(me, at, true, "without a skip")
	for _, end := range []time.Duration{time.Hour, time.Minute, 2 * time.Hour, 2 * time.Hour} {
		w.skip(conversation.Skip{Conversation: c.ID, User: me, EndsAt: at.Add(end)})
		offered(me, at.Add(end-time.Microsecond), false, "just before the end of the skip")
		offered(me, at.Add(end), true, "at the end of the skip")
		offered(w.user().ID, at, true, "of another user")
	}
}

func skipRefsCase(w *world) {
	c, user := w.conversation(w.team()).ID, w.user().ID
	for what, skip := range map[string]conversation.Skip{
		"conversation": {Conversation: newID[tenancy.ConversationID](w), User: user, EndsAt: w.now()},
		"user":         {Conversation: c, User: newID[tenancy.UserID](w), EndsAt: w.now()},
	} {
		err := w.try(func(ctx context.Context) error { return w.store.InsertSkip(ctx, skip) })
		w.is(err, tenancy.ErrNotFound, "InsertSkip whose %s does not exist", what)
	}
}

func skipRollbackCase(w *world) {
	team := w.team()
	c := w.waiting(team, 1)[0]
	line := conversation.Line{User: w.user().ID, At: w.now(), Free: true}
	w.discard("a transaction that skips", func(ctx context.Context) error {
		skip := conversation.Skip{Conversation: c.ID, User: line.User, EndsAt: line.At.Add(time.Hour)}
		if err := w.store.InsertSkip(ctx, skip); err != nil {
			return err
		}
		nothing[conversation.Conversation](w, "LockNext after a skip in the same transaction")(w.store.LockNext(ctx, team.ID, line))
		return nil
	})
	w.discard("LockNext", func(ctx context.Context) error {
		answers(w, c, "LockNext after a skip that was rolled back")(w.store.LockNext(ctx, team.ID, line))
		return nil
	})
}
