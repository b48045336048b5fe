package storagetest

import (
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/google/uuid"

	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

func followCases() []testCase {
	return []testCase{
		{
			name: "follow yields a stream from a sequence on", rule: ruleFollow,
			covers: []string{"Follow"}, run: followCase,
		}, {
			name: "follow yields what is committed while it waits", rule: ruleFollowWaits,
			covers: []string{"Follow"}, run: followWaitsCase,
		}, {
			name: "follow says that it waits", rule: ruleFollowEmpty,
			covers: []string{"Follow"}, run: followEmptyCase,
		}, {
			name: "follow ends with its context", rule: ruleFollowEnds,
			covers: []string{"Follow"}, run: followEndsCase,
		}, {
			name: "follow takes no part in a transaction", rule: ruleFollowTx,
			covers: []string{"Follow"}, run: followTxCase,
		}, {
			name: "followers beside writers see a stream without a gap", rule: ruleFollow,
			covers: []string{"Follow", "Append"}, run: followRaceCase,
		},
	}
}

// growing is a stream of a conversation, with the events that it has.
func (w *world) growing(team tenancy.Team, n int) (outbox.Stream, []outbox.Event) {
	w.Helper()
	stream := outbox.Stream{Kind: outbox.ConversationStream, ID: w.conversation(team).ID.UUID()}
	return stream, w.grow(team, stream, 0, n)
}

// grow appends n events to a stream that has some.
func (w *world) grow(team tenancy.Team, stream outbox.Stream, has, n int) []outbox.Event {
	w.Helper()
	var events []outbox.Event
	for i := range n {
		e := w.anEvent(stream, team)
		e.Sequence = int64(has + i + 1)
		events = append(events, e)
	}
	w.append(events...)
	return events
}

// until reads what is followed to the first empty page, or, where some are wanted, until it has so many.
func (w *world) until(next func() ([]outbox.Event, error, bool), some int) []outbox.Event {
	w.Helper()
	var found []outbox.Event
	for {
		page, err, more := next()
		w.must(err, "Follow")
		if !more {
			w.stop("Follow ended without an error")
		}
		found = append(found, page...)
		if some == 0 && len(page) == 0 || some > 0 && len(found) >= some {
			return found
		}
	}
}

func (w *world) follow(of outbox.Stream, after int64) (next func() ([]outbox.Event, error, bool), stop func()) {
	return iter.Pull2(w.store.Follow(w.ctx, of, after))
}

func followCase(w *world) {
	team := w.team()
	stream, want := w.growing(team, 150)
	w.growing(team, 2) // another one
	for _, s := range w.streams(team) {
		w.append(w.anEvent(s, team))
	}
	for _, after := range []int{0, 1, 63, 64, 65, 149, 150, 151} {
		next, stop := w.follow(stream, int64(after))
		found := w.until(next, 0)
		lists(w, want[min(after, len(want)):], "Follow after %d", after)(found, nil)
		for i := range found {
			copy(found[i].Payload, "spoiled") // shares no memory with the store
		}
		stop()
	}
	for _, s := range w.streams(team) {
		next, stop := w.follow(s, 0)
		w.until(next, 0)
		events := w.grow(team, s, 0, 1)
		if events[0].Sequence = w.until(next, 1)[0].Sequence; events[0].Sequence < 1 {
			w.breaks("Follow of %v yielded the sequence %d", s, events[0].Sequence)
		}
		stop()
	}
}

func followWaitsCase(w *world) {
	team := w.team()
	stream, want := w.growing(team, 3)
	next, stop := w.follow(stream, 0)
	defer stop()
	lists(w, want, "Follow")(w.until(next, 0), nil)
	w.discard("an append that is rolled back", func(ctx context.Context) error { return w.store.Append(ctx, w.anEvent(stream, team)) })
	for has := len(want); has < len(want)+3; has++ {
		grown := w.grow(team, stream, has, 1)
		lists(w, grown, "Follow, that waited,")(w.until(next, 1), nil)
	}
	grown := w.grow(team, stream, 6, 100)
	lists(w, grown, "Follow, of more than a page,")(w.until(next, len(grown)), nil)
}

func followEmptyCase(w *world) {
	stream, _ := w.growing(w.team(), 0)
	next, stop := w.follow(stream, 0)
	defer stop()
	for range 2 {
		if found := w.until(next, 0); len(found) > 0 {
			w.breaks("Follow of a stream without events yielded %s", shown(found))
		}
	}
	nowhere := outbox.Stream{Kind: outbox.ConversationStream, ID: newID[uuid.UUID](w)}
	next, end := w.follow(nowhere, 0)
	defer end()
	lists[outbox.Event](w, nil, "Follow of a stream that does not exist")(w.until(next, 0), nil)
}

func followEndsCase(w *world) {
	stream, _ := w.growing(w.team(), 70)
	for _, pages := range []int{0, 1, 3} { // before, between the pages, and while it waits
		ctx, cancel := context.WithCancel(w.ctx)
		next, stop := iter.Pull2(w.store.Follow(ctx, stream, 0))
		for range pages {
			_, err, _ := next()
			w.must(err, "Follow")
		}
		cancel()
		var err error
		for more := true; more && err == nil; {
			_, err, more = next()
		}
		w.is(err, context.Canceled, "Follow whose context ends after %d pages", pages)
		if _, _, more := next(); more {
			w.breaks("Follow went on after its error")
		}
		stop()
	}
}

func followTxCase(w *world) {
	stream, _ := w.growing(w.team(), 1)
	w.discard("a transaction that does nothing", func(ctx context.Context) error {
		for page, err := range w.store.Follow(ctx, stream, 0) {
			if err == nil {
				w.breaks("Follow inside a transaction yielded %s", shown(page))
			}
			break
		}
		return nil
	})
}

func followRaceCase(w *world) {
	const followers, writers = 16, 4
	team := w.team()
	stream, _ := w.growing(team, 0)
	events := make([][]outbox.Event, writers)
	for i := range events {
		for range w.rounds {
			events[i] = append(events[i], w.anEvent(stream, team))
		}
	}
	for _, err := range w.crowd(followers+writers, func(i int) error {
		if i < followers {
			return w.followAll(stream, writers*w.rounds)
		}
		for n, e := range events[i-followers] {
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
	}) {
		if err != nil {
			w.breaks("followers beside writers: %v", err)
			return
		}
	}
}

var errGap = errors.New("storagetest: Follow yielded an event out of its turn")

// followAll reads n events and breaks off in between, now and then, to resume.
func (w *world) followAll(stream outbox.Stream, n int) error {
	var seen int64
	for seen < int64(n) {
		for page, err := range w.store.Follow(w.ctx, stream, seen) {
			if err != nil {
				return err
			}
			for _, e := range page {
				if e.Sequence != seen+1 {
					return errGap
				}
				seen++
			}
			if slices.ContainsFunc(page, func(e outbox.Event) bool { return e.Sequence%5 == 0 || e.Sequence == int64(n) }) {
				break
			}
		}
	}
	return nil
}
