package storagetest

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

func feedCases() []testCase {
	return []testCase{
		{
			name: "follow team yields the team's events and resumes at each", rule: ruleFeed,
			covers: []string{"FollowTeam"}, run: feedCase,
		}, {
			name: "follow team yields more than a batch in order", rule: ruleFeedStreams,
			covers: []string{"FollowTeam"}, run: feedPastCase,
		}, {
			name: "follow team yields what comes late", rule: ruleFeed,
			covers: []string{"FollowTeam"}, run: feedLateCase,
		}, {
			name: "follow team waits, says so and ends with its context", rule: ruleFeedRest,
			covers: []string{"FollowTeam"}, run: feedWaitsCase,
		}, {
			name: "team mark is the mark of now", rule: ruleTeamMark,
			covers: []string{"TeamMark", "FollowTeam"}, run: teamMarkCase,
		}, {
			name: "follow team and team mark take no part in a transaction", rule: ruleTeamMarkTx,
			covers: []string{"TeamMark", "FollowTeam"}, run: feedTxCase,
		}, {
			name: "followers of a team beside writers to many streams lose nothing", rule: ruleFeed,
			covers: []string{"FollowTeam", "Append"}, run: feedRaceCase,
		},
	}
}

// fed reads what is followed to the first empty page, or, where some are wanted, until it has so many.
func (w *world) fed(team tenancy.Team, after outbox.Mark) []outbox.TeamEvent {
	w.Helper()
	var found []outbox.TeamEvent
	for page, err := range w.store.FollowTeam(w.ctx, team.ID.UUID(), after) {
		w.must(err, "FollowTeam")
		if len(page) == 0 {
			break
		}
		found = append(found, page...)
	}
	return found
}

// inOrder checks that events are those that were appended, each once, and along each stream in order.
func (w *world) inOrder(found []outbox.TeamEvent, appended []outbox.Event, what string) {
	w.Helper()
	want := map[uuid.UUID]outbox.Event{}
	for _, e := range appended {
		want[e.ID] = e
	}
	last := map[outbox.Stream]int64{}
	for i, e := range found {
		known, ours := want[e.ID]
		if !ours {
			w.breaks("%s yielded what it should not, or twice: %s", what, shown(e.Event))
			continue
		}
		delete(want, e.ID)
		known.Sequence = e.Sequence
		same(w, e.Event, known, "%s", what)
		if e.Sequence <= last[e.Stream] {
			w.breaks("%s yielded %d of a stream after %d", what, e.Sequence, last[e.Stream])
		}
		last[e.Stream] = e.Sequence
		if i > 0 && e.Mark().Compare(found[i-1].Mark()) <= 0 {
			w.breaks("%s yielded %+v after %+v", what, e.Mark(), found[i-1].Mark())
		}
	}
	if len(want) > 0 {
		w.breaks("%s left out %d of %d events", what, len(want), len(appended))
	}
}

// busy appends to all kinds of streams of a team, in turns.
func (w *world) busy(team tenancy.Team, turns int) []outbox.Event {
	w.Helper()
	streams := w.streams(team)
	for range 3 {
		streams = append(streams, outbox.Stream{Kind: outbox.ConversationStream, ID: w.conversation(team).ID.UUID()})
	}
	var appended []outbox.Event
	for range turns {
		for _, stream := range streams {
			e := w.anEvent(stream, team)
			w.append(e)
			appended = append(appended, e)
		}
	}
	return appended
}

func feedCase(w *world) {
	team, other := w.team(), w.team()
	appended := w.busy(team, 12)
	w.busy(other, 1)
	elsewhere := w.aTeamEvent(team) // on the team's stream, and not of it
	elsewhere.Team = uuid.Nil
	w.append(elsewhere)
	found := w.fed(team, outbox.Mark{})
	w.inOrder(found, appended, "FollowTeam")
	for i := range found {
		rest := w.fed(team, found[i].Mark())
		if len(found[i+1:]) == 0 && len(rest) == 0 {
			continue
		}
		if !same(w, rest, found[i+1:], "FollowTeam after the mark of event %d of %d", i+1, len(found)) {
			return
		}
	}
	if len(found) > 0 {
		copy(found[0].Payload, "spoiled") // shares no memory with the store
		w.inOrder(w.fed(team, outbox.Mark{}), appended, "FollowTeam again")
	}
	if found := w.fed(tenancy.Team{ID: newID[tenancy.TeamID](w)}, outbox.Mark{}); len(found) > 0 {
		w.breaks("FollowTeam of a team that does not exist yielded %d events", len(found))
	}
}

// feedPastCase has more events than one may put in order at a time, whose ids and times say nothing of
// their order.
func feedPastCase(w *world) {
	team := w.team()
	var appended []outbox.Event
	var streams []outbox.Stream
	for range 5 {
		streams = append(streams, outbox.Stream{Kind: outbox.ConversationStream, ID: w.conversation(team).ID.UUID()})
	}
	var batch []outbox.Event
	for i := range 700 {
		e := w.anEvent(streams[i*i%len(streams)], team)
		e.At = e.At.Add(-time.Duration(i) * time.Hour)
		batch, appended = append(batch, e), append(appended, e)
		if len(batch) == 100 {
			w.append(batch...)
			batch = nil
		}
	}
	w.inOrder(w.fed(team, outbox.Mark{}), appended, "FollowTeam of what nobody has followed yet")
}

// feedLateCase appends what was made earlier than all that was followed: a lower id, a lower time, a
// lower stream.
func feedLateCase(w *world) {
	team := w.team()
	low := outbox.Stream{Kind: outbox.ConversationStream, ID: w.conversation(team).ID.UUID()}
	high := outbox.Stream{Kind: outbox.ConversationStream, ID: w.conversation(team).ID.UUID()}
	late := []outbox.Event{w.anEvent(low, team), w.anEvent(high, team), w.aTeamEvent(team)}
	soon := []outbox.Event{w.anEvent(high, team), w.anEvent(low, team), w.aTeamEvent(team)}
	w.append(soon...)
	found := w.fed(team, outbox.Mark{})
	w.inOrder(found, soon, "FollowTeam")
	for i, e := range late {
		w.append(e)
		more := w.fed(team, found[len(found)-1].Mark())
		w.inOrder(more, late[i:i+1], "FollowTeam, after a later one,")
		found = append(found, more...)
	}
	same(w, w.fed(team, outbox.Mark{}), found, "FollowTeam from the beginning")
}

func feedWaitsCase(w *world) {
	team := w.team()
	ctx, cancel := context.WithCancel(w.ctx)
	next, stop := iter.Pull2(w.store.FollowTeam(ctx, team.ID.UUID(), outbox.Mark{}))
	defer stop()
	until := func(some int) (found []outbox.TeamEvent) {
		for {
			page, err, more := next()
			w.must(err, "FollowTeam")
			if !more {
				w.stop("FollowTeam ended without an error")
			}
			found = append(found, page...)
			if some == 0 && len(page) == 0 || some > 0 && len(found) >= some {
				return found
			}
		}
	}
	for range 2 {
		if found := until(0); len(found) > 0 {
			w.breaks("FollowTeam of a team without events yielded %s", shown(found))
		}
	}
	w.discard("an append that is rolled back", func(ctx context.Context) error { return w.store.Append(ctx, w.aTeamEvent(team)) })
	for _, n := range []int{1, 1, 3, 100} {
		var appended []outbox.Event
		for range n {
			appended = append(appended, w.aTeamEvent(team))
		}
		w.append(appended...)
		w.inOrder(until(n), appended, "FollowTeam, that waited,")
	}
	cancel()
	var err error
	for more := true; more && err == nil; {
		_, err, more = next()
	}
	w.is(err, context.Canceled, "FollowTeam whose context ends")
	if _, _, more := next(); more {
		w.breaks("FollowTeam went on after its error")
	}
}

func teamMarkCase(w *world) {
	team := w.team()
	mark := func() outbox.Mark {
		m, err := w.store.TeamMark(w.ctx, team.ID.UUID())
		w.must(err, "TeamMark")
		return m
	}
	after := func(m outbox.Mark, want []outbox.Event, what string) {
		w.Helper()
		w.inOrder(w.fed(team, m), want, what)
	}
	empty := mark()
	after(empty, nil, "FollowTeam after the mark of a team without events")
	first := w.busy(team, 60) // more than are put in order at a time
	full := mark()
	after(full, nil, "FollowTeam after the mark of now")
	after(empty, first, "FollowTeam after an early mark")
	w.discard("an append that is rolled back", func(ctx context.Context) error { return w.store.Append(ctx, w.aTeamEvent(team)) })
	second := w.busy(team, 1)
	after(full, second, "FollowTeam after a mark")
	after(empty, slices.Concat(first, second), "FollowTeam after an early mark")
	after(mark(), nil, "FollowTeam after the mark of now")
}

func feedTxCase(w *world) {
	team := w.team()
	w.busy(team, 1)
	w.discard("a transaction that does nothing", func(ctx context.Context) error {
		for page, err := range w.store.FollowTeam(ctx, team.ID.UUID(), outbox.Mark{}) {
			if err == nil {
				w.breaks("FollowTeam inside a transaction yielded %s", shown(page))
			}
			break
		}
		if mark, err := w.store.TeamMark(ctx, team.ID.UUID()); err == nil {
			w.breaks("TeamMark inside a transaction answered %+v", mark)
		}
		return nil
	})
}

// feedRaceCase: writers commit to streams that some of them share, in any order, and take some of it
// back; followers break off and resume all the while.
func feedRaceCase(w *world) {
	const followers, writers, streams = 6, 6, 4
	team := w.team()
	var threads []conversation.Conversation
	for range streams {
		threads = append(threads, w.conversation(team))
	}
	events := make([][]outbox.Event, writers)
	var all []outbox.Event
	for i := range events {
		for n := range 2 * w.rounds {
			thread := threads[(i+n*n)%streams]
			events[i] = append(events[i], w.anEvent(outbox.Stream{Kind: outbox.ConversationStream, ID: thread.ID.UUID()}, team))
		}
		all = append(all, events[i]...)
	}
	found := make([][]outbox.TeamEvent, followers)
	for _, err := range w.crowd(followers+writers, func(i int) (err error) {
		if i < followers {
			found[i], err = w.followTeamTo(team, len(all), i+1)
			return err
		}
		return w.appendEach(events[i-followers])
	}) {
		if err != nil {
			w.breaks("followers of a team beside writers: %v", err)
			return
		}
	}
	for i := range found {
		w.inOrder(found[i], all, "FollowTeam beside writers")
	}
	same(w, found[1:], slices.Repeat(found[:1], followers-1), "FollowTeam of several followers")
}

// appendEach appends each event in a transaction of its own; every third is rolled back first.
func (w *world) appendEach(events []outbox.Event) error {
	for n, e := range events {
		err := w.store.InTx(w.ctx, func(ctx context.Context) error {
			if err := w.store.Append(ctx, e); err != nil || n%3 != 2 {
				return err
			}
			return errDiscard
		})
		if errors.Is(err, errDiscard) {
			err = w.store.InTx(w.ctx, func(ctx context.Context) error { return w.store.Append(ctx, e) })
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// followTeamTo reads n events, the first of their streams, and breaks off after each few, to resume.
func (w *world) followTeamTo(team tenancy.Team, n, few int) ([]outbox.TeamEvent, error) {
	var found []outbox.TeamEvent
	var mark outbox.Mark
	last := map[outbox.Stream]int64{}
	for len(found) < n {
		left := few
		for page, err := range w.store.FollowTeam(w.ctx, team.ID.UUID(), mark) {
			if err != nil {
				return found, err
			}
			page = page[:min(left, len(page))]
			found, left = append(found, page...), left-len(page)
			for _, e := range page {
				if e.Sequence != last[e.Stream]+1 {
					return found, errGap
				}
				last[e.Stream], mark = e.Sequence, e.Mark()
			}
			if left == 0 || len(found) >= n {
				break
			}
		}
	}
	return found, nil
}
