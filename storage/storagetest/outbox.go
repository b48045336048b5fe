package storagetest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

func outboxCases() []testCase {
	return []testCase{
		{
			name: "append counts along each stream", rule: ruleAppend,
			covers: []string{"Append", "TeamEvents"}, run: appendCase,
		}, {
			name: "append and updates of the row leave each other alone", rule: ruleSequence,
			covers: []string{"Append"}, run: appendVersionCase,
		}, {
			name: "append wants the row of its stream", rule: ruleStream,
			covers: []string{"Append"}, run: streamCase,
		}, {
			name: "append that is rolled back leaves no gap", rule: ruleSequence,
			covers: []string{"Append"}, run: gapCase,
		}, {
			name: "append takes an event id once", rule: ruleDuplicate,
			covers: []string{"Append"}, run: eventIDCase,
		}, {
			name: "events come back as they were appended", rule: ruleTimes,
			covers: []string{"Append", "TeamEvents"}, run: eventValuesCase,
		}, {
			name: "events of a team are its own", rule: ruleEvents,
			covers: []string{"TeamEvents"}, run: teamEventsCase,
		},
		{
			name: "events are filtered before the page is cut", rule: ruleFilter,
			covers: []string{"TeamEvents"}, run: logFilterCase,
		},
		{
			name: "events are bounded to the microsecond", rule: ruleTimesOf,
			covers: []string{"TeamEvents"}, run: logTimesCase,
		},
	}
}

// streams makes a stream of each kind, whose rows exist.
func (w *world) streams(team tenancy.Team) []outbox.Stream {
	w.Helper()
	return []outbox.Stream{
		{Kind: outbox.AccountStream, ID: team.Account.UUID()},
		{Kind: outbox.UserStream, ID: w.user().ID.UUID()},
		{Kind: outbox.TeamStream, ID: team.ID.UUID()},
		{Kind: outbox.ContactStream, ID: w.contact(team.ID).ID.UUID()},
		{Kind: outbox.ConversationStream, ID: w.conversation(team).ID.UUID()},
	}
}

// history lists a team's events, oldest first.
func (w *world) history(ctx context.Context, team tenancy.Team) []outbox.Event {
	w.Helper()
	list, err := w.store.TeamEvents(ctx, team.ID.UUID(), outbox.LogFilter{}, time.Time{}, uuid.Nil, 1000)
	w.must(err, "TeamEvents")
	for i, j := 0, len(list)-1; i < j; i, j = i+1, j-1 {
		list[i], list[j] = list[j], list[i]
	}
	return list
}

func appendCase(w *world) {
	team := w.team()
	streams := w.streams(team)
	var want []outbox.Event
	for turn := range 3 {
		var batch []outbox.Event
		for range 2 { // each stream twice in one call, in turns
			for _, s := range streams {
				e := w.anEvent(s, team)
				e.Sequence = 99 // Append sets it, whatever was there
				batch = append(batch, e)
				e.Sequence = int64(len(want)/len(streams)) + 1
				want = append(want, e)
			}
		}
		w.tx("a transaction that appends in two calls", func(ctx context.Context) error {
			if err := w.store.Append(ctx); err != nil {
				return err
			}
			if err := w.store.Append(ctx, batch[:3+turn]...); err != nil {
				return err
			}
			if err := w.store.Append(ctx, batch[3+turn:]...); err != nil {
				return err
			}
			lists(w, want, "TeamEvents inside, after Append")(w.history(ctx, team), nil)
			return nil
		})
	}
	lists(w, want, "TeamEvents after Append")(w.history(w.ctx, team), nil)
}

// appendVersionCase: the counter of a stream lives in the row that the stream follows. It is
// no part of the row's version, and an update of the row must not set it back.
func appendVersionCase(w *world) {
	t := w.town()
	e := func() outbox.Event { return w.aTeamEvent(t.team) }
	first, second, third := e(), e(), e()
	w.append(first)
	teams().holds(w, t.team, "an append to its stream")
	renamed := t.team
	renamed.Name = "renamed"
	w.tx("a transaction that locks, appends and updates", func(ctx context.Context) error {
		locked, err := w.store.LockTeam(ctx, t.team.ID)
		if err != nil {
			return err
		}
		if err := w.store.Append(ctx, second); err != nil {
			return err
		}
		locked.Name = renamed.Name
		return w.store.UpdateTeam(ctx, locked)
	})
	renamed.Version = 2
	teams().holds(w, renamed, "an append and an update")
	w.append(third)
	first.Sequence, second.Sequence, third.Sequence = 2, 3, 4 // the town has one already
	lists(w, []outbox.Event{t.event, first, second, third}, "TeamEvents after updates of the team")(w.history(w.ctx, t.team), nil)

	// The same for each other kind of row.
	moved := t.thread
	moved.Team, moved.Contact, moved.Version = t.sibling.ID, w.contact(t.sibling.ID).ID, 2
	stream := map[outbox.StreamKind]uuid.UUID{
		outbox.AccountStream: t.account.ID.UUID(), outbox.UserStream: t.user.ID.UUID(),
		outbox.ContactStream: t.contact.ID.UUID(), outbox.ConversationStream: t.thread.ID.UUID(),
	}
	update := map[outbox.StreamKind]string{
		outbox.AccountStream: "UpdateAccount", outbox.UserStream: "UpdateUser",
		outbox.ContactStream: "UpdateContact", outbox.ConversationStream: "UpdateConversation",
	}
	for kind, id := range stream {
		before, after := w.anEvent(outbox.Stream{Kind: kind, ID: id}, t.stranger), w.anEvent(outbox.Stream{Kind: kind, ID: id}, t.stranger)
		w.append(before)
		w.tx(update[kind]+" after an append", func(ctx context.Context) error { return calls()[update[kind]].do(ctx, w.store, t) })
		if kind == outbox.ConversationStream { // a stream stays one when its conversation moves
			w.tx("UpdateConversation that moves", func(ctx context.Context) error {
				return w.store.UpdateConversation(ctx, t.team.ID, moved)
			})
		}
		w.append(after)
		before.Sequence, after.Sequence = 1, 2
		for _, e := range w.history(w.ctx, t.stranger) {
			if e.ID == before.ID {
				same(w, e, before, "the first event of the %s stream", kind)
			}
			if e.ID == after.ID {
				same(w, e, after, "the event of the %s stream after an update of its row", kind)
			}
		}
	}
	if n := len(w.history(w.ctx, t.stranger)); n != 2*len(stream) {
		w.breaks("TeamEvents has %d events, want %d", n, 2*len(stream))
	}
}

func streamCase(w *world) {
	team := w.team()
	good := w.aTeamEvent(team)
	for _, s := range w.streams(team) {
		s.ID = newID[uuid.UUID](w)
		lost := w.anEvent(s, team)
		w.is(w.try(func(ctx context.Context) error { return w.store.Append(ctx, good, lost) }), tenancy.ErrNotFound,
			"Append to the stream of a %s that does not exist", s.Kind)
	}
	for _, kind := range []outbox.StreamKind{"", "Team", "team ", "no-such-kind", outbox.UserStream} {
		lost := w.anEvent(outbox.Stream{Kind: kind, ID: team.ID.UUID()}, team)
		err := w.try(func(ctx context.Context) error { return w.store.Append(ctx, good, lost) })
		if !errors.Is(err, tenancy.ErrNotFound) && !errors.Is(err, tenancy.ErrInvalid) {
			w.breaks("Append to a stream of the kind %q with a team's id answered %s, want ErrNotFound or ErrInvalid", kind, show(err))
		}
	}
	lists[outbox.Event](w, nil, "TeamEvents after refused appends")(w.history(w.ctx, team), nil)
	w.append(good)
	good.Sequence = 1
	lists(w, []outbox.Event{good}, "TeamEvents after refused appends and a good one")(w.history(w.ctx, team), nil)
}

func gapCase(w *world) {
	team := w.team()
	var want []outbox.Event
	for n := range int64(4) {
		lost, kept := w.aTeamEvent(team), w.aTeamEvent(team)
		w.discard("a transaction that appends", func(ctx context.Context) error { return w.store.Append(ctx, lost, w.aTeamEvent(team)) })
		w.append(kept)
		kept.Sequence = n + 1
		want = append(want, kept)
	}
	lists(w, want, "TeamEvents after rolled back appends")(w.history(w.ctx, team), nil)
}

func eventIDCase(w *world) {
	team := w.team()
	first := w.aTeamEvent(team)
	w.append(first)
	again := w.aTeamEvent(w.team())
	again.ID = first.ID
	w.is(w.try(func(ctx context.Context) error { return w.store.Append(ctx, again) }), tenancy.ErrDuplicate, "Append with an id that is taken")
	twice := w.aTeamEvent(team)
	w.is(w.try(func(ctx context.Context) error { return w.store.Append(ctx, twice, twice) }), tenancy.ErrDuplicate, "Append of one event twice")
	first.Sequence = 1
	lists(w, []outbox.Event{first}, "TeamEvents after refused appends")(w.history(w.ctx, team), nil)
}

func eventValuesCase(w *world) {
	team := w.team()
	bare := w.aTeamEvent(team)
	bare.Account, bare.Principal, bare.Payload = uuid.Nil, "", json.RawMessage(`{}`)
	odd := w.aTeamEvent(team)
	odd.At = time.Date(2026, 3, 29, 1, 59, 59, 999_999_999, time.FixedZone("UTC+5:45", 20_700))
	// Spaces, order of keys and escapes are the writer's: a signature over the payload must hold.
	odd.Payload = json.RawMessage("{\"b\": 1,\n\"a\" :\"\\u00e9é👋\",\"n\":1.10,\"big\":12345678901234567890}")
	odd.Version, odd.Kind = 1<<20, "conversation.delivered"
	w.append(bare, odd)
	bare.Sequence, odd.Sequence = 1, 2
	odd.At = odd.At.UTC().Truncate(time.Microsecond)
	lists(w, []outbox.Event{bare, odd}, "TeamEvents")(w.history(w.ctx, team), nil)
}

// theLog appends events of few kinds and principals, of which two each have the same time, and
// answers them newest first.
func (w *world) theLog(team tenancy.Team, start time.Time, kinds, people []string) []outbox.Event {
	w.Helper()
	other := w.team()
	var all []outbox.Event
	for i := range 24 {
		e, beside := w.aTeamEvent(team), w.aTeamEvent(other)
		e.Kind, e.Principal, e.At = kinds[i%len(kinds)], people[i%3%len(people)], start.Add(time.Duration(i/2)*time.Microsecond)
		beside.Kind, beside.Principal, beside.At = e.Kind, e.Principal, e.At
		w.append(e, beside)
		e.Sequence = int64(i + 1)
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b outbox.Event) int {
		return cmp.Or(b.At.Compare(a.At), slices.Compare(b.ID[:], a.ID[:]))
	})
	return all
}

func logFilterCase(w *world) {
	team, start := w.team(), w.now()
	kinds := []string{"member.joined", "member.joined ", "Member.joined", "member.left"}
	people := []string{tenancy.System("sign-up").Principal(), tenancy.Self(w.user().ID).Principal()}
	all := w.theLog(team, start, kinds, people)
	for _, kind := range append([]string{"", "no such kind", "%"}, kinds...) {
		for _, principal := range append([]string{"", "system:Sign-up"}, people...) {
			w.filtered(team, all, outbox.LogFilter{Kind: kind, Principal: principal})
			w.filtered(team, all, outbox.LogFilter{Kind: kind, Principal: principal, Since: start.Add(2 * time.Microsecond), Until: start.Add(9 * time.Microsecond)})
		}
	}
}

func logTimesCase(w *world) {
	team, start := w.team(), w.now()
	kind := "member.joined"
	all := w.theLog(team, start, []string{kind, "member.left"}, []string{"system:test"})
	ends := []time.Time{
		{}, start, start.Add(3 * time.Microsecond), start.Add(11 * time.Microsecond), start.Add(12 * time.Microsecond), start.AddDate(1, 0, 0),
		start.Add(5 * time.Microsecond).In(time.FixedZone("UTC-7", -7*3600)),
	}
	for _, since := range ends {
		for _, until := range ends {
			w.filtered(team, all, outbox.LogFilter{Since: since, Until: until})
			w.filtered(team, all, outbox.LogFilter{Kind: kind, Since: since, Until: until})
		}
	}
}

// filtered reads a log in pages of three, and compares it with what the filter admits of all.
func (w *world) filtered(team tenancy.Team, all []outbox.Event, f outbox.LogFilter) {
	w.Helper()
	var want, got []outbox.Event
	for _, e := range all {
		if (f.Kind == "" || f.Kind == e.Kind) && (f.Principal == "" || f.Principal == e.Principal) &&
			!e.At.Before(f.Since) && (f.Until.IsZero() || e.At.Before(f.Until)) {
			want = append(want, e)
		}
	}
	var at time.Time
	var id uuid.UUID
	for range all {
		page, err := w.store.TeamEvents(w.ctx, team.ID.UUID(), f, at, id, 3)
		w.must(err, "TeamEvents with %+v", f)
		got = append(got, page...)
		if len(page) < 3 {
			break
		}
		at, id = page[2].At, page[2].ID
	}
	lists(w, want, "TeamEvents with %+v", f)(got, nil)
}

func teamEventsCase(w *world) {
	a, b := w.team(), w.team()
	nobody := tenancy.Team{ID: tenancy.TeamID{}, Account: a.Account}
	inA, inB := w.aTeamEvent(a), w.aTeamEvent(b)
	ofAccount := w.anEvent(outbox.Stream{Kind: outbox.AccountStream, ID: a.Account.UUID()}, nobody)
	// An event belongs to the team that it names, whatever its stream.
	there := w.anEvent(outbox.Stream{Kind: outbox.TeamStream, ID: a.ID.UUID()}, b)
	w.append(inA, inB, ofAccount, there)
	inA.Sequence, inB.Sequence, there.Sequence = 1, 1, 2
	lists(w, []outbox.Event{inA}, "TeamEvents")(w.history(w.ctx, a), nil)
	lists(w, []outbox.Event{inB, there}, "TeamEvents")(w.history(w.ctx, b), nil)
	lists[outbox.Event](w, nil, "TeamEvents of no team: an event without a team is nobody's to list")(w.history(w.ctx, nobody), nil)
	lists[outbox.Event](w, nil, "TeamEvents with a limit of 0")(w.store.TeamEvents(w.ctx, a.ID.UUID(), outbox.LogFilter{}, time.Time{}, uuid.Nil, 0))
}
