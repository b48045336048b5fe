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
		name: "message", methods: []string{"InsertMessage", "UpdateMessage", "Message"},
		fresh:  func(w *world) row { return w.aMessage(w.conversation(w.team()).ID, 1) },
		insert: storage.Store.InsertMessage,
		update: storage.Store.UpdateMessage,
		get: func(s storage.Store, ctx context.Context, m row) (row, error) {
			return s.Message(ctx, m.Conversation, m.ID)
		},
		version: func(m *row) *int64 { return &m.Version },
		stray: func(w *world, m row) row {
			m.ID = newID[tenancy.MessageID](w)
			return m
		},
		rival: func(w *world, m row) row {
			rival := w.aMessage(m.Conversation, m.Seq+1)
			rival.ID = m.ID
			return rival
		},
		changes: []change[row]{
			{"an edit", func(w *world, m *row) { m.Text, m.EditedAt = "edited", w.now() }},
			{"the hand-over", func(w *world, m *row) { m.HandedAt, m.Footer = w.now(), "Réply STOP." }},
			{"a receipt", func(w *world, m *row) {
				m.Status, m.Receipt = conversation.StatusSent, conversation.MessageKey{byte(w.next()), 1}
			}},
			{"a failure", func(w *world, m *row) { m.Status, m.Failure = conversation.StatusFailed, "30005" }},
			{"an arrival", func(w *world, m *row) { m.Status, m.Failure = conversation.StatusDelivered, "" }},
			{"another file", func(w *world, m *row) {
				m.Attachments = []conversation.Attachment{{Name: "b.png", MediaType: "image/png", Size: 1 << 40, Ref: "files/b"}}
			}},
			{"the deletion", func(w *world, m *row) { m.Text, m.Attachments, m.DeletedAt = "", nil, w.now() }},
			{"no receipt", func(w *world, m *row) { m.Receipt = conversation.MessageKey{} }},
		},
		times: []timeField[row]{
			{"At", false, func(m *row) *time.Time { return &m.At }},
			{"EditedAt", true, func(m *row) *time.Time { return &m.EditedAt }},
			{"DeletedAt", true, func(m *row) *time.Time { return &m.DeletedAt }},
			{"HandedAt", true, func(m *row) *time.Time { return &m.HandedAt }},
		},
		enums: []enumField[row]{
			{"Status", "", nil, badSendStatuses()},
		},
		refs: []refField[row]{
			{"Conversation", func(w *world, m *row) { m.Conversation = newID[tenancy.ConversationID](w) }},
			{"Author", func(w *world, m *row) { m.Author = newID[tenancy.UserID](w) }},
		},
	}
}

func badSendStatuses() []func(*conversation.Message) {
	var bad []func(*conversation.Message)
	for _, value := range nearly(string(conversation.StatusDelivered)) {
		if value != "" {
			bad = append(bad, func(m *conversation.Message) { m.Status = conversation.SendStatus(value) })
		}
	}
	return bad
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
		testCase{
			name: "message is of a kind that there is", rule: ruleInvalid,
			covers: []string{"InsertMessage"}, run: messageKindCase,
		},
		testCase{
			name: "message update leaves alone what no operation changes", rule: ruleUpdateMessage,
			covers: []string{"UpdateMessage"}, run: messageUpdateCase,
		},
		testCase{
			name: "message is found wherever it is", rule: ruleFindMessage,
			covers: []string{"FindMessage", "FindReceipt"}, run: findMessageCase,
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

// messageKindCase is apart from what holds for all rows, since an update does not look at the kind.
func messageKindCase(w *world) {
	k := messages()
	c := w.conversation(w.team()).ID
	for _, value := range nearly(string(conversation.NoteMessage)) {
		m := w.aMessage(c, 1)
		m.Kind = conversation.MessageKind(value)
		w.is(k.put(w, m), tenancy.ErrInvalid, "InsertMessage of the kind %q", value)
		nothing[conversation.Message](w, "Message after an insert of the kind %q", value)(w.store.Message(w.ctx, c, m.ID))
	}
}

func messageUpdateCase(w *world) {
	k := messages()
	m := w.message(w.conversation(w.team()).ID, 7)
	changed := m
	changed.Seq, changed.Kind, changed.Author = 8, conversation.NoteMessage, w.user().ID
	changed.At, changed.Key = w.now(), conversation.MessageKey{1}
	w.must(k.write(w, changed), "UpdateMessage")
	k.holds(w, k.next(m), "an update that says otherwise what the message is")
	elsewhere := k.next(m)
	elsewhere.Conversation = w.conversation(w.team()).ID
	w.is(k.write(w, elsewhere), tenancy.ErrNotFound, "UpdateMessage in a conversation where the message is not")
	k.holds(w, k.next(m), "a refused update")
}

func findMessageCase(w *world) {
	k := messages()
	team := w.team()
	c := w.conversation(team)
	m, bare := w.message(c.ID, 1), w.aMessage(c.ID, 2)
	bare.Receipt = conversation.MessageKey{}
	k.store(w, bare)
	w.message(w.conversation(w.team()).ID, 1)
	at := func(team tenancy.TeamID, id tenancy.MessageID) conversation.Whereabouts {
		return conversation.Whereabouts{Team: team, Conversation: c.ID, Message: id}
	}
	answers(w, at(team.ID, m.ID), "FindMessage")(w.store.FindMessage(w.ctx, m.ID))
	answers(w, at(team.ID, bare.ID), "FindMessage of a message without a receipt")(w.store.FindMessage(w.ctx, bare.ID))
	answers(w, at(team.ID, m.ID), "FindReceipt")(w.store.FindReceipt(w.ctx, m.Receipt))
	for i := range m.Receipt {
		flipped := m.Receipt
		flipped[i] ^= 0x20
		nothing[conversation.Whereabouts](w, "FindReceipt with a bit of byte %d flipped", i)(w.store.FindReceipt(w.ctx, flipped))
	}
	nothing[conversation.Whereabouts](w, "FindReceipt of the zero receipt")(w.store.FindReceipt(w.ctx, conversation.MessageKey{}))
	nothing[conversation.Whereabouts](w, "FindMessage of an id that names nothing")(w.store.FindMessage(w.ctx, newID[tenancy.MessageID](w)))
	nothing[conversation.Message](w, "MessageByKey of a receipt")(w.store.MessageByKey(w.ctx, m.Receipt))

	w.by(ruleMessageKeys)
	rival := w.aMessage(c.ID, 3)
	rival.Receipt = m.Receipt
	w.is(k.put(w, rival), tenancy.ErrDuplicate, "InsertMessage with a receipt that is taken")
	late := bare
	late.Receipt = m.Receipt
	w.is(k.write(w, late), tenancy.ErrDuplicate, "UpdateMessage with a receipt that is taken")
	k.holds(w, bare, "a refused update")

	w.by(ruleFindMessage)
	to := w.teamIn(team.Account)
	moved := c
	moved.Team, moved.Contact, moved.Assignee = to.ID, w.contact(to.ID).ID, tenancy.UserID{}
	w.tx("UpdateConversation that moves", func(ctx context.Context) error {
		return w.store.UpdateConversation(ctx, team.ID, moved)
	})
	answers(w, at(to.ID, m.ID), "FindMessage after a move")(w.store.FindMessage(w.ctx, m.ID))
	answers(w, at(to.ID, m.ID), "FindReceipt after a move")(w.store.FindReceipt(w.ctx, m.Receipt))
}

// part is a range as it is meant.
type part struct{ conversation.Range }

// ranges are all ways to cut twelve messages.
func ranges() (all []part) {
	ends := []int64{0, 1, 2, 3, 11, 12, 13, math.MaxInt64}
	for bits := range 4 {
		for _, after := range append(ends, -1) {
			for _, before := range ends {
				for _, limit := range []int{1, 2, 5, 12, 13, 1000, 0} {
					all = append(all, part{conversation.Range{
						After: after, Before: before, Newest: bits&1 != 0, Notes: bits&2 != 0, Limit: limit,
					}})
				}
			}
		}
	}
	return all
}

// of is what the range takes of all messages.
func (r part) of(all []conversation.Message) []conversation.Message {
	var found []conversation.Message
	for _, m := range all {
		if m.Seq > r.After && (r.Before == 0 || m.Seq < r.Before) && (r.Notes || m.Kind != "note") {
			found = append(found, m)
		}
	}
	if r.Newest {
		return found[max(0, len(found)-r.Limit):]
	}
	return found[:min(r.Limit, len(found))]
}

func messageListCase(w *world) {
	c, other := w.conversation(w.team()), w.conversation(w.team())
	kinds := []conversation.MessageKind{"inbound", "outbound", "note", "system", "note", "automatic"}
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
	for _, r := range ranges() {
		lists(w, r.of(all), "Messages of %+v", r.Range)(w.store.Messages(w.ctx, c.ID, r.Range))
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
