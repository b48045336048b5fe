package storagetest

import (
	"context"
	"time"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/tenancy"
)

func episodes() kind[conversation.Episode] {
	type row = conversation.Episode
	return kind[row]{
		name: "episode", methods: []string{"InsertEpisode", "", "Episodes"},
		fresh:  func(w *world) row { return w.anEpisode(w.conversation(w.team()).ID, 1) },
		insert: storage.Store.InsertEpisode,
		// Episodes have no point read either; see messages.
		get: func(s storage.Store, ctx context.Context, e row) (row, error) {
			list, err := s.Episodes(ctx, e.Conversation, e.Number-1, 1)
			switch {
			case err != nil:
				return row{}, err
			case len(list) == 0 || list[0].Number != e.Number:
				return row{}, tenancy.ErrNotFound
			}
			return list[0], nil
		},
		stray: func(w *world, e row) row { return w.anEpisode(e.Conversation, e.Number+1) },
		rival: func(w *world, e row) row {
			rival := w.anEpisode(e.Conversation, e.Number)
			rival.OpenedOn = conversation.OnStart
			return rival
		},
		times: []timeField[row]{
			{"OpenedAt", false, func(e *row) *time.Time { return &e.OpenedAt }},
			{"ClosedAt", true, func(e *row) *time.Time { return &e.ClosedAt }},
		},
		enums: []enumField[row]{
			{"OpenedOn", "inbound", func(e *row, v string) { e.OpenedOn = conversation.Event(v) }, nil},
			{"ClosedOn", "close", nil, []func(e *row){
				func(e *row) { e.ClosedOn = conversation.OnInbound },
				func(e *row) { e.ClosedOn = "Close" },
				func(e *row) { e.ClosedOn = "close " },
			}},
		},
		refs: []refField[row]{
			{"Conversation", func(w *world, e *row) { e.Conversation = newID[tenancy.ConversationID](w) }},
		},
	}
}

func episodeCases() []testCase {
	return append(episodes().cases(),
		testCase{
			name: "episodes are listed by number", rule: ruleEpisodes,
			covers: []string{"Episodes"}, run: episodeListCase,
		},
		testCase{
			name: "episode ends once and keeps how it began", rule: ruleEndEpisode,
			covers: []string{"EndEpisode"}, run: endEpisodeCase,
		},
	)
}

func episodeListCase(w *world) {
	c, other := w.conversation(w.team()), w.conversation(w.team())
	var want []conversation.Episode
	for _, number := range []int64{3, 1, 5, 2, 4} {
		episodes().store(w, w.anEpisode(c.ID, number))
	}
	elsewhere := episodes().store(w, w.anEpisode(other.ID, 1))
	all, err := w.store.Episodes(w.ctx, c.ID, 0, 10)
	w.must(err, "Episodes")
	for i, e := range all {
		if e.Number != int64(i+1) {
			w.breaks("Episodes answered number %d at place %d", e.Number, i+1)
		}
		want = append(want, e)
	}
	for after := range int64(7) {
		for _, limit := range []int{0, 1, 2, 10} {
			rest := want[min(int(after), len(want)):]
			lists(w, rest[:min(limit, len(rest))], "Episodes, at most %d after %d", limit, after)(w.store.Episodes(w.ctx, c.ID, after, limit))
		}
	}
	lists(w, want, "Episodes after a number that none has")(w.store.Episodes(w.ctx, c.ID, -3, 10))
	lists(w, []conversation.Episode{elsewhere}, "Episodes of another conversation")(w.store.Episodes(w.ctx, other.ID, 0, 10))
	lists[conversation.Episode](w, nil, "Episodes of a conversation that does not exist")(
		w.store.Episodes(w.ctx, newID[tenancy.ConversationID](w), 0, 10))
}

func endEpisodeCase(w *world) {
	c := w.conversation(w.team())
	open, bystander := w.anEpisode(c.ID, 1), w.anEpisode(c.ID, 2)
	elsewhere := w.anEpisode(w.conversation(w.team()).ID, 1)
	for _, e := range []conversation.Episode{open, bystander, elsewhere} {
		episodes().store(w, e)
	}
	end := func(e conversation.Episode) error {
		return w.try(func(ctx context.Context) error { return w.store.EndEpisode(ctx, e) })
	}
	ended := conversation.Episode{
		Conversation: c.ID, Number: 1, FirstSeq: 99, OpenedAt: w.now(), OpenedBy: "somebody else", OpenedOn: conversation.OnOpen,
		ClosedAt: w.now().Add(999 * time.Nanosecond), ClosedBy: tenancy.System("sweep").Principal(),
		ClosedOn: conversation.OnIdle, Outcome: "später",
	}
	bad := ended
	bad.ClosedOn = conversation.OnTimer
	w.is(end(bad), tenancy.ErrInvalid, "EndEpisode with ClosedOn = timer")
	episodes().holds(w, open, "a refused end")
	w.discard("a transaction that ends an episode", func(ctx context.Context) error { return w.store.EndEpisode(ctx, ended) })
	episodes().holds(w, open, "the rollback of its end")

	want := open
	want.ClosedAt, want.ClosedBy, want.ClosedOn, want.Outcome = ended.ClosedAt.Truncate(time.Microsecond), ended.ClosedBy, ended.ClosedOn, ended.Outcome
	w.must(end(ended), "EndEpisode")
	episodes().holds(w, want, "its end")
	again := ended
	again.ClosedAt, again.ClosedOn, again.Outcome = w.now().Add(time.Hour), conversation.OnClose, ""
	w.is(end(again), tenancy.ErrNotFound, "EndEpisode of one that has ended")
	episodes().holds(w, want, "a second end")
	for _, missing := range []conversation.Episode{{Conversation: c.ID, Number: 3}, {Conversation: newID[tenancy.ConversationID](w), Number: 2}} {
		again.Conversation, again.Number = missing.Conversation, missing.Number
		w.is(end(again), tenancy.ErrNotFound, "EndEpisode of one that is not there")
	}
	episodes().holds(w, bystander, "the end of another")
	episodes().holds(w, elsewhere, "the end of another conversation's")
}
