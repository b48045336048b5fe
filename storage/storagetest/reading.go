package storagetest

import (
	"context"
	"slices"
	"time"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/tenancy"
)

const ruleUnread rule = "conversation.ReadStore.Unread — Unread counts the messages after the reader's mark that are inbound, outbound or, where notes are included, notes, that the reader did not write, that are not deleted, and that a guest's grant does not hide: in each of the conversations given that the scope admits."

func readMarks() kind[conversation.ReadMark] {
	type row = conversation.ReadMark
	return kind[row]{
		name: "read mark", methods: []string{"InsertReadMark", "UpdateReadMark", "ReadMark", "LockReadMark"},
		fresh:  func(w *world) row { return w.aReadMark(w.conversation(w.team()).ID) },
		insert: storage.Store.InsertReadMark, update: storage.Store.UpdateReadMark,
		lock: func(s storage.Store, ctx context.Context, m row) (row, error) {
			return s.LockReadMark(ctx, m.Conversation, m.User)
		},
		get: func(s storage.Store, ctx context.Context, m row) (row, error) {
			return s.ReadMark(ctx, m.Conversation, m.User)
		},
		version: func(m *row) *int64 { return &m.Version },
		stray:   func(w *world, m row) row { return w.aReadMark(m.Conversation) },
		rival: func(w *world, m row) row {
			rival := w.aReadMark(m.Conversation)
			rival.User = m.User
			return rival
		},
		changes: []change[row]{
			{"forward", func(w *world, m *row) { m.Seq, m.At = m.Seq+5, w.now() }},
			{"to the beginning", func(w *world, m *row) { m.Seq = 0 }},
		},
		times: []timeField[row]{{"At", false, func(m *row) *time.Time { return &m.At }}},
		enums: []enumField[row]{
			{"Seq", "", nil, []func(*row){func(m *row) { m.Seq = -1 }}},
		},
		refs: []refField[row]{
			{"Conversation", func(w *world, m *row) { m.Conversation = newID[tenancy.ConversationID](w) }},
			{"User", func(w *world, m *row) { m.User = newID[tenancy.UserID](w) }},
		},
	}
}

func readingCases() []testCase {
	return append(readMarks().cases(),
		testCase{
			name: "unread messages are those that brute force counts", rule: ruleUnread,
			covers: []string{"Unread"}, run: unreadCase,
		},
		testCase{
			name: "unread messages of a whole page", rule: ruleUnread,
			covers: []string{"Unread"}, run: unreadPageCase,
		},
	)
}

// unreadCase counts in a landscape of conversations, grants, marks and messages of every kind.
func unreadCase(w *world) {
	l := w.landscape(12)
	kinds := []conversation.MessageKind{"inbound", "outbound", "note", "system", "automatic"}
	said := map[tenancy.ConversationID][]conversation.Message{}
	marks := map[tenancy.ConversationID]map[tenancy.UserID]int64{}
	var ids []tenancy.ConversationID
	for _, c := range l.threads {
		ids = append(ids, c.ID)
		for seq := range int64(8) {
			m := w.aMessage(c.ID, seq+1)
			m.Kind, m.Author = kinds[w.random.IntN(len(kinds))], tenancy.UserID{}
			if m.Kind == "outbound" || m.Kind == "note" {
				m.Author = l.people[w.random.IntN(len(l.people))]
			}
			if w.random.IntN(4) == 0 {
				m.DeletedAt = w.now()
			}
			said[c.ID] = append(said[c.ID], messages().store(w, m))
		}
		marks[c.ID] = map[tenancy.UserID]int64{}
		for _, person := range l.people[1:] { // the first has never read anything
			mark := w.aReadMark(c.ID)
			mark.User, mark.Seq = person, int64(w.random.IntN(10))
			marks[c.ID][person] = readMarks().store(w, mark).Seq
		}
	}
	count := func(scope conversation.Scope, reader tenancy.UserID, notes bool) (want []conversation.UnreadCount) {
		for _, c := range l.threads {
			grant := l.grants[c.ID][scope.Guest]
			n := 0
			for _, m := range said[c.ID] {
				hidden := !scope.Guest.IsZero() && m.Seq < grant.FromSeq
				countable := m.Kind == "inbound" || m.Kind == "outbound" || notes && m.Kind == "note"
				if scope.Admits(c, grant) && countable && !hidden && m.Author != reader && m.Seq > marks[c.ID][reader] && m.DeletedAt.IsZero() {
					n++
				}
			}
			if n > 0 {
				want = append(want, conversation.UnreadCount{Conversation: c.ID, Messages: n})
			}
		}
		slices.SortFunc(want, func(a, b conversation.UnreadCount) int { return slices.Compare(a.Conversation[:], b.Conversation[:]) })
		return want
	}
	for _, team := range l.teams {
		for _, reader := range append(l.people, newID[tenancy.UserID](w)) {
			for _, notes := range []bool{true, false} {
				for _, guest := range []tenancy.UserID{{}, reader} {
					scope := conversation.Scope{Team: team.ID, Guest: guest, At: l.at}
					lists(w, count(scope, reader, notes), "Unread in %+v, notes %t", scope, notes)(
						w.store.Unread(w.ctx, scope, reader, notes, ids))
				}
			}
		}
	}
	w.by(ruleMissing)
	lists[conversation.UnreadCount](w, nil, "Unread of no conversations")(
		w.store.Unread(w.ctx, conversation.Scope{Team: l.teams[0].ID}, l.people[0], true, nil))
}

// unreadPageCase asks for as many as a page can hold, some of them twice, and most of which do not
// exist.
func unreadPageCase(w *world) {
	team := w.team()
	var ids []tenancy.ConversationID
	var want []conversation.UnreadCount
	for i := range tenancy.MaxLimit {
		if i%40 != 0 {
			ids = append(ids, newID[tenancy.ConversationID](w))
			continue
		}
		c := w.conversation(team)
		w.message(c.ID, 1)
		w.message(c.ID, 2)
		ids = append(ids, c.ID)
		want = append(want, conversation.UnreadCount{Conversation: c.ID, Messages: 2})
	}
	ids[tenancy.MaxLimit-1] = ids[0]
	slices.SortFunc(want, func(a, b conversation.UnreadCount) int { return slices.Compare(a.Conversation[:], b.Conversation[:]) })
	reader := w.user().ID
	for _, n := range []int{1, 2, 3, 41, 100, tenancy.MaxLimit} {
		var some []conversation.UnreadCount
		for _, u := range want {
			if slices.Contains(ids[:n], u.Conversation) {
				some = append(some, u)
			}
		}
		lists(w, some, "Unread of %d conversations", n)(
			w.store.Unread(w.ctx, conversation.Scope{Team: team.ID}, reader, true, ids[:n]))
	}
}
