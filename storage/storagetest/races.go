package storagetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

func raceCases() []testCase {
	return []testCase{
		{
			name: "races for a locked row have one winner", rule: ruleLocks,
			covers: []string{"LockTeam", "LockInvitation"}, run: func(w *world) { acceptOnce(w, true) },
		}, {
			name: "races for a version have one winner", rule: ruleUpdate,
			covers: []string{"UpdateInvitation"}, run: func(w *world) { acceptOnce(w, false) },
		}, {
			name: "races under a lock lose no update", rule: ruleLocks,
			covers: []string{"LockConversation", "UpdateConversation", "InsertMessage"}, run: lostUpdateCase,
		}, {
			name: "races for a last manager leave one", rule: ruleLocks,
			covers: []string{"LockTeam", "Managed"}, run: lastManagerCase,
		}, {
			name: "races for a unique key run the closure again", rule: ruleRerun,
			covers: []string{"InTx"}, run: rerunCase,
		}, {
			name: "races of a slow and a fast writer of one key", rule: ruleRerun,
			covers: []string{"InTx"}, run: slowWriterCase,
		}, {
			name: "races that lock in opposite orders both end well", rule: ruleRerun, needs: RowLocks,
			covers: []string{"InTx"}, run: deadlockCase,
		}, {
			name: "races of appends leave no gap in a stream", rule: ruleSequence,
			covers: []string{"Append"}, run: sequenceCase,
		},
	}
}

// A crowd of this many is what A6 of the threats asks for.
const takers = 64

var errTaken = errors.New("storagetest: somebody else was faster")

// acceptOnce lets a crowd accept one invitation. With the lock it is the way that services
// go; without it, the version is the second line.
func acceptOnce(w *world, lock bool) {
	people := make([]tenancy.UserID, takers)
	for i := range people {
		people[i] = w.user().ID
	}
	for round := range w.rounds {
		team := w.team()
		r := w.invitation(team)
		members := make([]tenancy.Membership, takers)
		events := make([]outbox.Event, takers)
		for i, user := range people {
			members[i], events[i] = w.aMembership(team.ID, user), w.aTeamEvent(team)
		}
		accept := func(ctx context.Context, i int) error {
			load := w.store.Invitation
			if lock {
				if _, err := w.store.LockTeam(ctx, team.ID); err != nil {
					return err
				}
				load = w.store.LockInvitation
			}
			present, err := load(ctx, team.ID, r.ID)
			if err != nil {
				return err
			}
			if present.State != invite.Pending {
				return errTaken
			}
			present.State, present.AcceptedBy = invite.Accepted, people[i]
			if err := w.store.UpdateInvitation(ctx, present); err != nil {
				return err
			}
			if err := w.store.InsertMembership(ctx, members[i]); err != nil {
				return err
			}
			return w.store.Append(ctx, events[i])
		}
		winner, won := 0, 0
		for i, err := range w.crowd(takers, func(i int) error {
			return w.store.InTx(w.ctx, func(ctx context.Context) error { return accept(ctx, i) })
		}) {
			switch {
			case err == nil:
				winner, won = i, won+1
			case errors.Is(err, errTaken), !lock && errors.Is(err, tenancy.ErrStale):
			default:
				w.breaks("round %d: one of %d takers got %s, want to win or to see that it is taken", round, takers, show(err))
				return
			}
		}
		if won != 1 {
			w.breaks("round %d: %d of %d takers accepted one invitation", round, won, takers)
			return
		}
		r.State, r.AcceptedBy, r.Version = invite.Accepted, people[winner], 2
		invitations().holds(w, r, "a race")
		list, err := w.store.Members(w.ctx, team.ID, tenancy.Keyset{Limit: takers})
		w.must(err, "Members")
		if len(list) != 1 || list[0].Membership != members[winner] {
			w.breaks("round %d: after a race with one winner there are %d members", round, len(list))
		}
		events[winner].Sequence = 1
		lists(w, events[winner:winner+1], "TeamEvents after a race with one winner")(
			w.store.TeamEvents(w.ctx, team.ID.UUID(), outbox.LogFilter{}, time.Time{}, uuid.Nil, takers))
		if w.Failed() {
			return
		}
	}
}

// lostUpdateCase counts in a row that everyone locks, as messages draw their sequence.
// Each of them changes what conversations are found by, so that a store that came to the row by such a way
// does not take it for gone when it has waited for another.
func lostUpdateCase(w *world) {
	const writers = 8 // an even number, so that the last leaves it as the first found it
	team := w.team()
	c := w.aConversation(team)
	waiting := w.now()
	c.LastSeq, c.NeedsReplySince = 0, waiting
	conversations().store(w, c)
	for round := range w.rounds {
		messages := make([]conversation.Message, writers)
		for i := range messages {
			messages[i] = w.aMessage(c.ID, 0)
		}
		for _, err := range w.crowd(writers, func(i int) error {
			return w.store.InTx(w.ctx, func(ctx context.Context) error {
				present, err := w.store.LockConversation(ctx, team.ID, c.ID)
				if err != nil {
					return err
				}
				present.LastSeq++
				present.LastAt = present.LastAt.Add(time.Second)
				if present.NeedsReplySince.IsZero() {
					present.NeedsReplySince = waiting
				} else {
					present.NeedsReplySince = time.Time{}
				}
				m := messages[i]
				m.Seq = present.LastSeq
				if err := w.store.InsertMessage(ctx, m); err != nil {
					return err
				}
				return w.store.UpdateConversation(ctx, team.ID, present)
			})
		}) {
			if err != nil {
				w.breaks("round %d: a writer that locked before it read got %s", round, show(err))
				return
			}
		}
		c.LastSeq += writers
		c.LastAt = c.LastAt.Add(writers * time.Second)
		c.Version += writers
		conversations().holds(w, c, fmt.Sprintf("%d updates under a lock", c.LastSeq))
		list, err := w.store.Messages(w.ctx, c.ID, conversation.Range{Notes: true, Limit: 1_000_000})
		w.must(err, "Messages")
		for i, m := range list {
			if m.Seq != int64(i+1) {
				w.breaks("message %d of a conversation has the sequence %d", i+1, m.Seq)
				return
			}
		}
		if w.Failed() {
			return
		}
	}
}

// lastManagerCase lets two managers demote each other under the lock of the team (THREATS
// C9). The invariant is over two rows, so versions do not keep it: only the lock does.
func lastManagerCase(w *world) {
	for range w.rounds {
		team := w.team()
		pair := []tenancy.Membership{w.member(team.ID, rbac.Manager), w.member(team.ID, rbac.Manager)}
		errs := w.crowd(2, func(i int) error {
			return w.store.InTx(w.ctx, func(ctx context.Context) error {
				if _, err := w.store.LockTeam(ctx, team.ID); err != nil {
					return err
				}
				other, err := hasOtherManager(ctx, w.store, team.ID, pair[i].User)
				if err != nil {
					return err
				}
				if !other {
					return errTaken
				}
				m := pair[i]
				m.Role = rbac.Member
				return w.store.UpdateMembership(ctx, m)
			})
		})
		has, err := hasOtherManager(w.ctx, w.store, team.ID, tenancy.UserID{})
		w.must(err, "Managed")
		won, refused := 0, 0
		for _, err := range errs {
			switch {
			case err == nil:
				won++
			case errors.Is(err, errTaken):
				refused++
			}
		}
		if !has || won != 1 || refused != 1 {
			w.breaks("two managers demoted themselves under the team's lock: answers %v, a manager is left: %t", errs, has)
			return
		}
	}
}

// rerunCase registers one external id from many sides at once. Each looks before it writes;
// whoever is too late for the insert is run again and finds what the faster one wrote.
func rerunCase(w *world) {
	const writers = 16
	for round := range w.rounds {
		candidates := make([]tenancy.User, writers)
		for i := range candidates {
			candidates[i] = w.aUser()
			candidates[i].ExternalID = fmt.Sprintf("auth0|round %d", round)
		}
		found := make([]tenancy.User, writers)
		for _, err := range w.crowd(writers, func(i int) error {
			return w.store.InTx(w.ctx, func(ctx context.Context) error {
				u, err := w.store.UserByExternalID(ctx, candidates[i].ExternalID)
				if errors.Is(err, tenancy.ErrNotFound) {
					u, err = candidates[i], w.store.InsertUser(ctx, candidates[i])
				}
				found[i] = u
				return err
			})
		}) {
			if err != nil {
				w.breaks("round %d: one of %d writers that looked before it wrote got %s", round, writers, show(err))
				return
			}
		}
		for _, u := range found {
			if u != found[0] {
				w.breaks("round %d: writers of one external id ended with two users:\n%s", round, difference(u, found[0]))
				return
			}
		}
	}
}

// slowWriterCase makes the race of rerunCase certain where a store lets two transactions run
// at once: both have looked before either writes.
func slowWriterCase(w *world) {
	slow, fast := w.aUser(), w.aUser()
	fast.ExternalID = slow.ExternalID
	var runs atomic.Int32
	var other *job
	var once sync.Once
	found := tenancy.User{}
	err := w.store.InTx(w.ctx, func(ctx context.Context) error {
		runs.Add(1)
		u, err := w.store.UserByExternalID(ctx, slow.ExternalID)
		if errors.Is(err, tenancy.ErrNotFound) {
			once.Do(func() {
				other = w.start(func() error { return w.put(fast) })
				other.early(w) // with one writer it cannot end now; otherwise it has
			})
			u, err = slow, w.store.InsertUser(ctx, slow)
		}
		found = u
		return err
	})
	w.must(err, "InTx of a writer that looked before it wrote")
	answers(w, found, "UserByExternalID after a race of two writers")(w.store.UserByExternalID(w.ctx, slow.ExternalID))
	switch err := other.wait(w); {
	case err == nil && found != fast:
		w.breaks("two writers of one external id both succeeded")
	case err == nil && runs.Load() < 2:
		w.breaks("the closure ran once, and found what another transaction wrote after it had looked")
	case err != nil && !errors.Is(err, tenancy.ErrDuplicate):
		w.breaks("the second writer of an external id got %s, want ErrDuplicate", show(err))
	}
}

func (w *world) put(u tenancy.User) error {
	return w.store.InTx(w.ctx, func(ctx context.Context) error { return w.store.InsertUser(ctx, u) })
}

// deadlockCase locks against the contract's order on purpose. A database then ends one of
// the two, and InTx has to run it again: services must never see this as their error.
func deadlockCase(w *world) {
	a, b := w.team(), w.team()
	var turns [2]struct {
		once sync.Once
		has  chan struct{}
	}
	for i := range turns {
		turns[i].has = make(chan struct{})
	}
	for i, err := range w.crowd(2, func(i int) error {
		first, second := a.ID, b.ID
		if i == 1 {
			first, second = second, first
		}
		return w.store.InTx(w.ctx, func(ctx context.Context) error {
			if _, err := w.store.LockTeam(ctx, first); err != nil {
				return err
			}
			turns[i].once.Do(func() { close(turns[i].has) })
			wait, cancel := context.WithTimeout(ctx, shortly)
			defer cancel()
			select { // until the other has its first lock too, if the store lets it
			case <-turns[1-i].has:
			case <-wait.Done():
			}
			team, err := w.store.LockTeam(ctx, second)
			if err != nil {
				return err
			}
			team.Name += "!"
			return w.store.UpdateTeam(ctx, team)
		})
	}) {
		if err != nil {
			w.breaks("transaction %d of two that locked in opposite orders got %s", i+1, show(err))
		}
	}
	a.Name, b.Name = a.Name+"!", b.Name+"!"
	a.Version, b.Version = 2, 2
	teams().holds(w, a, "transactions that locked in opposite orders")
	teams().holds(w, b, "transactions that locked in opposite orders")
}

// sequenceCase appends to two streams from many sides; every third transaction rolls back.
func sequenceCase(w *world) {
	const writers = 9
	team := w.team()
	c := w.conversation(team)
	thread := outbox.Stream{Kind: outbox.ConversationStream, ID: c.ID.UUID()}
	committed := 0
	for range w.rounds {
		events := make([][]outbox.Event, writers)
		for i := range events {
			events[i] = []outbox.Event{w.aTeamEvent(team), w.anEvent(thread, team), w.aTeamEvent(team)}
		}
		for i, err := range w.crowd(writers, func(i int) error {
			return w.store.InTx(w.ctx, func(ctx context.Context) error {
				if err := w.store.Append(ctx, events[i]...); err != nil {
					return err
				}
				if i%3 == 0 {
					return errDiscard
				}
				return nil
			})
		}) {
			if discarded := i%3 == 0; discarded != errors.Is(err, errDiscard) || !discarded && err != nil {
				w.breaks("Append beside others: the transaction answered %s", show(err))
				return
			}
		}
		committed += writers - writers/3
	}
	list, err := w.store.TeamEvents(w.ctx, team.ID.UUID(), outbox.LogFilter{}, time.Time{}, uuid.Nil, 1_000_000)
	w.must(err, "TeamEvents")
	seen := map[outbox.Stream]map[int64]bool{{Kind: outbox.TeamStream, ID: team.ID.UUID()}: {}, thread: {}}
	for _, e := range list {
		if seen[e.Stream][e.Sequence] {
			w.breaks("two events of one stream have the sequence %d", e.Sequence)
		}
		seen[e.Stream][e.Sequence] = true
	}
	for stream, sequences := range seen {
		want := committed
		if stream.Kind == outbox.TeamStream {
			want *= 2
		}
		for n := range int64(want) {
			if !sequences[n+1] {
				w.breaks("the %s stream has no event %d, of %d that were committed", stream.Kind, n+1, want)
				return
			}
		}
		if len(sequences) != want {
			w.breaks("the %s stream has %d events, of %d that were committed", stream.Kind, len(sequences), want)
		}
	}
}
