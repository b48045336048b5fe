package storagetest

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/tenancy"
)

func messages() kind[conversation.Message] {
	type row = conversation.Message
	return kind[row]{
		name: "message", methods: []string{"InsertMessage", "", "Messages"},
		fresh:  func(w *world) row { return w.aMessage(w.conversation(w.team()).ID, 1) },
		insert: storage.Store.InsertMessage,
		// Messages have no point read; a part of the conversation that begins with it will do.
		get: func(s storage.Store, ctx context.Context, m row) (row, error) {
			list, err := s.Messages(ctx, m.Conversation, conversation.Range{After: m.Seq - 1, Notes: true, Limit: 1})
			switch {
			case err != nil:
				return row{}, err
			case len(list) == 0 || list[0].Seq != m.Seq:
				return row{}, tenancy.ErrNotFound
			}
			return list[0], nil
		},
		stray: func(w *world, m row) row { return w.aMessage(m.Conversation, m.Seq+1) },
		rival: func(w *world, m row) row {
			rival := w.aMessage(m.Conversation, m.Seq+1)
			rival.ID = m.ID
			return rival
		},
		times: []timeField[row]{
			{"At", false, func(m *row) *time.Time { return &m.At }},
		},
		enums: []enumField[row]{
			{"Kind", "outbound", func(m *row, v string) { m.Kind = conversation.MessageKind(v) }, nil},
		},
		refs: []refField[row]{
			{"Conversation", func(w *world, m *row) { m.Conversation = newID[tenancy.ConversationID](w) }},
			{"Author", func(w *world, m *row) { m.Author = newID[tenancy.UserID](w) }},
		},
	}
}

func messageCases() []testCase {
	return append(messages().cases(),
		testCase{
			name: "message sequence and key are unique", rule: ruleMessageKeys,
			covers: []string{"InsertMessage", "MessageByKey"}, run: messageKeysCase,
		},
		testCase{
			name: "messages are listed by sequence", rule: ruleMessages,
			covers: []string{"Messages"}, run: messageListCase,
		},
	)
}

func messageKeysCase(w *world) {
	k := messages()
	a, b := w.conversation(w.team()), w.conversation(w.team())
	m := w.message(a.ID, 1)
	answers(w, m, "MessageByKey")(w.store.MessageByKey(w.ctx, m.Key))
	for i := range m.Key {
		flipped := m.Key
		flipped[i] ^= 0x20
		nothing[conversation.Message](w, "MessageByKey with a bit of byte %d flipped", i)(w.store.MessageByKey(w.ctx, flipped))
	}
	w.is(k.put(w, w.aMessage(a.ID, 1)), tenancy.ErrDuplicate, "InsertMessage with a sequence that is taken")
	k.holds(w, m, "a refused insert")
	w.message(b.ID, 1)

	// The key is unique over all conversations: a provider's id comes before one is known.
	for _, c := range []tenancy.ConversationID{a.ID, b.ID} {
		again := w.aMessage(c, 2)
		again.Key = m.Key
		w.is(k.put(w, again), tenancy.ErrDuplicate, "InsertMessage with a key that is taken")
	}
	answers(w, m, "MessageByKey after refused inserts")(w.store.MessageByKey(w.ctx, m.Key))

	// The zero key is no key: any number of messages have it, and it finds none of them.
	for seq := range int64(2) {
		keyless := w.aMessage(a.ID, 2+seq)
		keyless.Key = conversation.MessageKey{}
		k.store(w, keyless)
		k.holds(w, keyless, "an insert without a key")
	}
	nothing[conversation.Message](w, "MessageByKey of the zero key")(w.store.MessageByKey(w.ctx, conversation.MessageKey{}))

	fresh := w.aMessage(a.ID, 4)
	w.by(ruleReads)
	w.discard("a transaction that adds a message", func(ctx context.Context) error {
		if err := w.store.InsertMessage(ctx, fresh); err != nil {
			return err
		}
		answers(w, fresh, "MessageByKey inside")(w.store.MessageByKey(ctx, fresh.Key))
		return nil
	})
	nothing[conversation.Message](w, "MessageByKey after the rollback")(w.store.MessageByKey(w.ctx, fresh.Key))
}

func messageListCase(w *world) {
	c, other := w.conversation(w.team()), w.conversation(w.team())
	kinds := []conversation.MessageKind{"inbound", "outbound", "note", "system", "note"}
	var all []conversation.Message
	for seq := range int64(12) {
		m := w.aMessage(c.ID, seq+1)
		m.Kind = kinds[int(seq)%len(kinds)]
		if m.Kind == "inbound" || m.Kind == "system" {
			m.Author = tenancy.UserID{}
		}
		m.At = m.At.Add(-2 * time.Duration(seq) * time.Minute) // the sequence is the order, not the clock
		all = append(all, m)
	}
	for _, i := range w.random.Perm(len(all)) { // nor the order of arrival
		messages().store(w, all[i])
	}
	w.message(other.ID, 1)
	for _, after := range []int64{0, 1, 2, 3, 11, 12, 13, -1, math.MaxInt64} {
		for _, notes := range []bool{true, false} {
			for _, limit := range []int{1, 2, 5, 12, 13, 1000, 0} {
				var want []conversation.Message
				for _, m := range all {
					if m.Seq > after && (notes || m.Kind != "note") {
						want = append(want, m)
					}
				}
				want = want[:min(limit, len(want))]
				lists(w, want, "Messages after %d, notes %t, limit %d", after, notes, limit)(
					w.store.Messages(w.ctx, c.ID, conversation.Range{After: after, Notes: notes, Limit: limit}))
			}
		}
	}
	got, err := w.store.Messages(w.ctx, newID[tenancy.ConversationID](w), conversation.Range{Notes: true, Limit: 10})
	w.missingOrEmpty(len(got), err, "Messages of a conversation that does not exist")

	w.by(ruleReads)
	next := w.aMessage(c.ID, 13)
	w.discard("a transaction that adds a message", func(ctx context.Context) error {
		if err := w.store.InsertMessage(ctx, next); err != nil {
			return err
		}
		lists(w, append(slices.Clip(all), next), "Messages inside")(w.store.Messages(ctx, c.ID, conversation.Range{Notes: true, Limit: 100}))
		return nil
	})
	lists(w, all, "Messages after the rollback")(w.store.Messages(w.ctx, c.ID, conversation.Range{Notes: true, Limit: 100}))
}
