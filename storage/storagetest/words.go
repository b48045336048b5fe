package storagetest

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/tenancy"
)

func wordCases() []testCase {
	return []testCase{
		{name: "words find the messages that have all of them", rule: ruleSearch, covers: []string{"InsertWords", "Search"}, run: searchCase},
		{name: "words of another number are invalid", rule: ruleSearchWords, covers: []string{"Search"}, run: searchWordsCase},
		{name: "words are taken from one message", rule: ruleDeleteWords, covers: []string{"DeleteWords", "InsertWords"}, run: deleteWordsCase},
		{name: "words move with their conversation", rule: ruleInsertWords, covers: []string{"UpdateConversation", "InsertWords", "DeleteWords"}, run: moveWordsCase},
		{name: "pages of a search", rule: ruleSearch, covers: []string{"Search"}, run: searchPages},
	}
}

// found makes a message with words.
func (w *world) found(team tenancy.Team, c tenancy.ConversationID, m conversation.Message, words ...conversation.Word) conversation.Message {
	w.Helper()
	m.Conversation = c
	messages().store(w, m)
	w.tx("InsertWords", func(ctx context.Context) error { return w.store.InsertWords(ctx, team.ID, m, words) })
	return m
}

// searched are the messages in the order of a search.
func searched(list []conversation.Message) []conversation.Message {
	slices.SortFunc(list, func(a, b conversation.Message) int {
		if c := b.At.Compare(a.At); c != 0 {
			return c
		}
		return slices.Compare(b.ID[:], a.ID[:])
	})
	return list
}

func searchCase(w *world) {
	team, other := w.team(), w.team()
	a, b, foreign := w.conversation(team).ID, w.conversation(team).ID, w.conversation(other).ID
	extremes := []conversation.Word{-1 << 63, 0, 1<<63 - 1, -1}
	has := map[tenancy.MessageID][]conversation.Word{}
	var all []conversation.Message
	for seq := range int64(40) {
		m := w.aMessage(a, seq+1)
		if seq%5 == 4 {
			m.Kind = conversation.NoteMessage
		}
		if seq%3 == 0 {
			m.At = time.UnixMicro(0).UTC() // many of one time, which are in order of their ids
		}
		words := []conversation.Word{7}
		for _, word := range extremes {
			if w.random.IntN(3) > 0 {
				words = append(words, word)
			}
		}
		c := a
		if seq%2 == 0 {
			c = b
		}
		m = w.found(team, c, m, words...)
		has[m.ID] = words
		all = append(all, m)
	}
	w.found(other, foreign, w.aMessage(foreign, 1), append(extremes, 7)...)
	w.message(w.conversation(team).ID, 1) // has no words
	for _, words := range [][]conversation.Word{
		{7}, {0}, {-1}, {-1 << 63}, {0, 7}, {7, 0}, {0, -1}, append([]conversation.Word{7}, extremes...), {7, 7}, {8}, {7, 8},
	} {
		for _, notes := range []bool{true, false} {
			var want []conversation.Message
			for _, m := range searched(all) {
				lacks := slices.ContainsFunc(words, func(word conversation.Word) bool { return !slices.Contains(has[m.ID], word) })
				if !lacks && (notes || m.Kind != conversation.NoteMessage) {
					want = append(want, m)
				}
			}
			lists(w, want, "Search for %d, notes %t", words, notes)(w.store.Search(w.ctx, team.ID, words, notes, tenancy.Keyset{Limit: 100}))
		}
	}
	got, err := w.store.Search(w.ctx, newID[tenancy.TeamID](w), []conversation.Word{7}, true, tenancy.Keyset{Limit: 100})
	w.missingOrEmpty(len(got), err, "Search in a team that does not exist")

	// As many as a message can have.
	many := make([]conversation.Word, conversation.MaxWords)
	for i := range many {
		many[i] = conversation.Word(1000 + i)
	}
	long := w.found(team, a, w.aMessage(a, 100), many...)
	for _, word := range many {
		lists(w, []conversation.Message{long}, "Search for word %d of many", word)(
			w.store.Search(w.ctx, team.ID, []conversation.Word{word}, true, tenancy.Keyset{Limit: 10}))
	}
	lists(w, []conversation.Message{long}, "Search for as many words as it takes")(
		w.store.Search(w.ctx, team.ID, many[:conversation.MaxSearch], true, tenancy.Keyset{Limit: 10}))

	w.by(ruleReads)
	w.discard("a transaction that adds words", func(ctx context.Context) error {
		if err := w.store.InsertWords(ctx, team.ID, long, []conversation.Word{5}); err != nil {
			return err
		}
		lists(w, []conversation.Message{long}, "Search inside")(w.store.Search(ctx, team.ID, []conversation.Word{5}, true, tenancy.Keyset{Limit: 10}))
		return nil
	})
	lists(w, all[:0], "Search after the rollback")(w.store.Search(w.ctx, team.ID, []conversation.Word{5}, true, tenancy.Keyset{Limit: 10}))
}

func searchWordsCase(w *world) {
	team := w.team().ID
	for _, n := range []int{0, conversation.MaxSearch + 1, 1000} {
		_, err := w.store.Search(w.ctx, team, make([]conversation.Word, n), true, tenancy.Keyset{Limit: 10})
		w.is(err, tenancy.ErrInvalid, "Search for %d words", n)
	}
}

func deleteWordsCase(w *world) {
	team := w.team()
	c := w.conversation(team).ID
	find := func(word conversation.Word) ([]conversation.Message, error) {
		return w.store.Search(w.ctx, team.ID, []conversation.Word{word}, true, tenancy.Keyset{Limit: 10})
	}
	m := w.found(team, c, w.aMessage(c, 1), 1, 2)
	other := w.found(team, c, w.aMessage(c, 2), 1, 2)
	remove := func(id tenancy.MessageID) error {
		return w.try(func(ctx context.Context) error { return w.store.DeleteWords(ctx, id) })
	}
	w.discard("a transaction that deletes words", func(ctx context.Context) error { return w.store.DeleteWords(ctx, m.ID) })
	lists(w, searched([]conversation.Message{m, other}), "Search after the rollback")(find(1))
	w.must(remove(m.ID), "DeleteWords")
	for _, word := range []conversation.Word{1, 2} {
		lists(w, []conversation.Message{other}, "Search for a word that one of two messages has lost")(find(word))
	}
	w.must(remove(m.ID), "DeleteWords of a message that has none")
	w.must(remove(newID[tenancy.MessageID](w)), "DeleteWords of a message that does not exist")
	w.tx("InsertWords", func(ctx context.Context) error {
		return w.store.InsertWords(ctx, team.ID, m, []conversation.Word{2, 3})
	})
	lists(w, []conversation.Message{other}, "Search for the word that it had")(find(1))
	lists(w, searched([]conversation.Message{m, other}), "Search for the word that it has again")(find(2))
	lists(w, []conversation.Message{m}, "Search for the word that is new")(find(3))
	messages().holds(w, m, "changes of its words")
}

func moveWordsCase(w *world) {
	from := w.team()
	to := w.teamIn(from.Account)
	c, stays := w.conversation(from), w.conversation(from)
	m := w.found(from, c.ID, w.aMessage(c.ID, 1), 1, 2)
	note := w.aMessage(c.ID, 2)
	note.Kind = conversation.NoteMessage
	note = w.found(from, c.ID, note, 1)
	kept := w.found(from, stays.ID, w.aMessage(stays.ID, 1), 1, 2)
	find := func(team tenancy.Team, words ...conversation.Word) ([]conversation.Message, error) {
		return w.store.Search(w.ctx, team.ID, words, true, tenancy.Keyset{Limit: 10})
	}
	moved := c
	moved.Team, moved.Contact, moved.Assignee = to.ID, w.contact(to.ID).ID, tenancy.UserID{}
	move := func(ctx context.Context) error { return w.store.UpdateConversation(ctx, from.ID, moved) }
	w.discard("a move", move)
	lists(w, searched([]conversation.Message{m, note, kept}), "Search after a move was rolled back")(find(from, 1))
	w.tx("UpdateConversation that moves", move)
	lists(w, []conversation.Message{kept}, "Search in the team that it has left")(find(from, 1))
	lists(w, searched([]conversation.Message{m, note}), "Search in its new team")(find(to, 1))
	lists(w, []conversation.Message{m}, "Search in its new team for several words")(find(to, 2, 1))
	w.tx("DeleteWords", func(ctx context.Context) error { return w.store.DeleteWords(ctx, m.ID) })
	lists(w, []conversation.Message{note}, "Search in its new team after words were deleted")(find(to, 1))

	// And on from there: what is written after the move is found with what was before.
	later := w.found(to, c.ID, w.aMessage(c.ID, 3), 1)
	lists(w, searched([]conversation.Message{later, note}), "Search for what was written after the move")(find(to, 1))
}

func searchPages(w *world) {
	team := w.team()
	a, b := w.conversation(team).ID, w.conversation(team).ID
	w.found(team, a, w.aMessage(a, 1), 2)
	at := w.now()
	var rows []conversation.Message
	for i := range 12 {
		c := []tenancy.ConversationID{a, b}[i%2]
		m := w.aMessage(c, int64(i+2))
		m.At = at.Add(time.Duration(i/4) * time.Hour)
		rows = append(rows, w.found(team, c, m, 1, 2))
	}
	for _, words := range [][]conversation.Word{{1}, {2, 1}} {
		paged[conversation.Message]{
			method: "Search", newest: true, rows: rows,
			key: func(m conversation.Message) (time.Time, uuid.UUID) { return m.At, m.ID.UUID() },
			list: func(ctx context.Context, page tenancy.Keyset) ([]conversation.Message, error) {
				return w.store.Search(ctx, team.ID, words, false, page)
			},
		}.check(w)
	}
}
