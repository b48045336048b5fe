package storagetest

import (
	"context"
	"slices"
	"time"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/tenancy"
)

func deliveries() kind[conversation.Delivery] {
	type row = conversation.Delivery
	return kind[row]{
		name: "delivery", methods: []string{"InsertDelivery", "UpdateDelivery", "Deliveries", ""},
		fresh:  func(w *world) row { return w.aDelivery(w.conversation(w.team())) },
		insert: eachOf(storage.Store.InsertDelivery), several: storage.Store.InsertDelivery, update: storage.Store.UpdateDelivery,
		// Deliveries have no point read; the list of the conversation holds it.
		get: func(s storage.Store, ctx context.Context, d row) (row, error) {
			list, err := s.Deliveries(ctx, d.Conversation)
			if err != nil {
				return row{}, err
			}
			for _, found := range list {
				if found.ID == d.ID {
					return found, nil
				}
			}
			return row{}, tenancy.ErrNotFound
		},
		version: func(d *row) *int64 { return &d.Version },
		stray:   func(w *world, d row) row { d.ID = newID[tenancy.DeliveryID](w); return d },
		rival: func(w *world, d row) row {
			rival := w.aDelivery(w.conversation(w.team()))
			rival.ID = d.ID
			return rival
		},
		changes: []change[row]{
			{"decline", func(w *world, d *row) { d.State, d.EndedAt = conversation.DeliveryDeclined, w.now() }},
			{"expiry", func(w *world, d *row) { d.State, d.EndedAt = conversation.DeliveryExpired, w.now() }},
			{"cancellation", func(w *world, d *row) { d.State, d.EndedAt = conversation.DeliveryCancelled, w.now() }},
			{"completion", func(w *world, d *row) { d.State, d.EndedAt = conversation.DeliveryCompleted, w.now() }},
		},
		times: []timeField[row]{
			{"CreatedAt", false, func(d *row) *time.Time { return &d.CreatedAt }},
			{"EndedAt", true, func(d *row) *time.Time { return &d.EndedAt }},
		},
		enums: []enumField[row]{
			{"Category", "positive", func(d *row, v string) { d.Category = conversation.Category(v) }, nil},
			{"State", "pending", func(d *row, v string) { d.State = conversation.DeliveryState(v) }, nil},
		},
		refs: []refField[row]{
			{"Conversation", func(w *world, d *row) { d.Conversation = newID[tenancy.ConversationID](w) }},
			{"Account", func(w *world, d *row) { d.Account = newID[tenancy.AccountID](w) }},
			{"FromTeam", func(w *world, d *row) { d.FromTeam = newID[tenancy.TeamID](w) }},
			{"By", func(w *world, d *row) { d.By = newID[tenancy.UserID](w) }},
			{"Recipient.User", func(w *world, d *row) { d.Recipient = conversation.Recipient{User: newID[tenancy.UserID](w)} }},
			{"Recipient.Team", func(w *world, d *row) { d.Recipient = conversation.Recipient{Team: newID[tenancy.TeamID](w)} }},
			{"Invitation", func(w *world, d *row) { d.Invitation = newID[tenancy.InvitationID](w) }},
		},
	}
}

func deliveryCases() []testCase {
	return append(deliveries().cases(),
		testCase{
			name: "delivery pending is one for each conversation", rule: ruleDelivery,
			covers: []string{"InsertDelivery", "UpdateDelivery", "PendingDelivery"}, run: pendingDeliveryCase,
		},
		testCase{
			name: "deliveries keep each kind of recipient", rule: ruleDeliveries,
			covers: []string{"InsertDelivery", "Deliveries", "DeliveriesOf"}, run: recipientsCase,
		},
		testCase{
			name: "deliveries that a user has begun", rule: ruleDelivering,
			covers: []string{"PendingDeliveriesBy", "UpdateDelivery"}, run: deliveringCase,
		},
		testCase{
			name: "deliveries lose the address of a deleted user", rule: ruleEraseRecipient,
			covers: []string{"EraseRecipient", "Deliveries"}, run: eraseRecipientCase,
		},
	)
}

func pendingDeliveryCase(w *world) {
	k := deliveries()
	c, other := w.conversation(w.team()), w.conversation(w.team())
	nothing[conversation.Delivery](w, "PendingDelivery of a conversation without any")(w.store.PendingDelivery(w.ctx, c.ID))
	d, beside := w.delivery(c), w.delivery(other)
	answers(w, d, "PendingDelivery")(w.store.PendingDelivery(w.ctx, c.ID))
	w.is(k.put(w, w.aDelivery(c)), tenancy.ErrDuplicate, "InsertDelivery beside a pending one")
	k.holds(w, d, "a refused insert")
	for _, state := range []conversation.DeliveryState{
		conversation.DeliveryCompleted, conversation.DeliveryDeclined, conversation.DeliveryExpired, conversation.DeliveryCancelled,
	} {
		d.State, d.EndedAt = state, w.now()
		w.must(k.write(w, d), "UpdateDelivery to %s", state)
		d.Version++
		nothing[conversation.Delivery](w, "PendingDelivery after it became %s", state)(w.store.PendingDelivery(w.ctx, c.ID))
		next := w.delivery(c)
		answers(w, next, "PendingDelivery of the newer one")(w.store.PendingDelivery(w.ctx, c.ID))
		back := d
		back.State, back.EndedAt = conversation.DeliveryPending, time.Time{}
		w.is(k.write(w, back), tenancy.ErrDuplicate, "UpdateDelivery back to pending beside a newer one")
		k.holds(w, d, "a refused update")
		ended := w.aDelivery(c) // one that completes at once takes no place
		ended.State, ended.EndedAt = state, w.now()
		k.store(w, ended)
		d = next
	}
	answers(w, d, "PendingDelivery beside ended ones")(w.store.PendingDelivery(w.ctx, c.ID))
	answers(w, beside, "PendingDelivery of another conversation")(w.store.PendingDelivery(w.ctx, other.ID))

	w.by(ruleReads)
	w.discard("a transaction that ends a delivery", func(ctx context.Context) error {
		ended := d
		ended.State, ended.EndedAt = conversation.DeliveryDeclined, w.now()
		if err := w.store.UpdateDelivery(ctx, ended); err != nil {
			return err
		}
		nothing[conversation.Delivery](w, "PendingDelivery inside, after its end")(w.store.PendingDelivery(ctx, c.ID))
		return nil
	})
	answers(w, d, "PendingDelivery after the rollback")(w.store.PendingDelivery(w.ctx, c.ID))
}

func recipientsCase(w *world) {
	from := w.team()
	to := w.teamIn(from.Account)
	c := w.conversation(from)
	var want []conversation.Delivery
	for _, r := range []conversation.Recipient{
		{User: w.user().ID},
		{Email: tenancy.Address{Display: "Dana@Client.example", Normal: "dana@client.example"}},
		{Team: to.ID},
	} {
		d := w.aDelivery(c)
		d.Recipient, d.State, d.EndedAt, d.Invitation = r, conversation.DeliveryCompleted, w.now(), tenancy.InvitationID{}
		d.KeepOpen = r.User.IsZero()
		if !r.Team.IsZero() {
			d.Outcome = conversation.Outcome{Status: "a status of the team's own"} // no rating, no summary
		}
		want = append(want, deliveries().store(w, d))
	}
	lists(w, want, "Deliveries of a conversation, oldest first")(w.store.Deliveries(w.ctx, c.ID))
	page := tenancy.Keyset{Limit: 10}
	lists(w, []conversation.Delivery{want[2], want[1], want[0]}, "DeliveriesOf the team that delivered, newest first")(w.store.DeliveriesOf(w.ctx, from.ID, page))
	lists(w, want[2:], "DeliveriesOf the team that was delivered to")(w.store.DeliveriesOf(w.ctx, to.ID, page))
	lists[conversation.Delivery](w, nil, "DeliveriesOf a team that has no part in any")(w.store.DeliveriesOf(w.ctx, w.teamIn(from.Account).ID, page))
	got, err := w.store.Deliveries(w.ctx, newID[tenancy.ConversationID](w))
	w.missingOrEmpty(len(got), err, "Deliveries of a conversation that does not exist")

	// Deliveries of one moment are in order of their ids.
	tied := w.conversation(from)
	at := w.now()
	ids := make([]tenancy.DeliveryID, 0, 8)
	for range 8 {
		d := w.aDelivery(tied)
		d.CreatedAt, d.State = at, conversation.DeliveryDeclined
		ids = append(ids, deliveries().store(w, d).ID)
	}
	list, err := w.store.Deliveries(w.ctx, tied.ID)
	w.must(err, "Deliveries")
	found := make([]tenancy.DeliveryID, 0, len(list))
	for _, d := range list {
		found = append(found, d.ID)
	}
	lists(w, byID(ids), "Deliveries of one moment")(found, nil)
}

func deliveringCase(w *world) {
	k := deliveries()
	team := w.team()
	by := w.user().ID
	var want []tenancy.ConversationID
	var ending conversation.Delivery
	for i := range 8 {
		d := w.aDelivery(w.conversation(team))
		d.By = by
		switch i {
		case 0:
			d.State, d.EndedAt = conversation.DeliveryCompleted, w.now()
		case 1:
			d.By = w.user().ID
		default:
			want, ending = append(want, d.Conversation), d
		}
		k.store(w, d)
	}
	elsewhere := w.aDelivery(w.conversation(w.teamIn(team.Account)))
	elsewhere.By = by
	k.store(w, elsewhere)
	lists(w, byID(want), "PendingDeliveriesBy")(w.store.PendingDeliveriesBy(w.ctx, team.ID, by))
	lists(w, []tenancy.ConversationID{elsewhere.Conversation}, "PendingDeliveriesBy from another team")(
		w.store.PendingDeliveriesBy(w.ctx, elsewhere.FromTeam, by))
	lists(w, want[:0], "PendingDeliveriesBy of someone without any")(w.store.PendingDeliveriesBy(w.ctx, team.ID, w.user().ID))
	ending.State, ending.EndedAt = conversation.DeliveryCancelled, w.now()
	w.must(k.write(w, ending), "UpdateDelivery")
	want = slices.DeleteFunc(want, func(id tenancy.ConversationID) bool { return id == ending.Conversation })
	lists(w, want, "PendingDeliveriesBy after one has ended")(w.store.PendingDeliveriesBy(w.ctx, team.ID, by))
}

func eraseRecipientCase(w *world) {
	k := deliveries()
	owner := tenancy.Address{Display: "Ann.Other@Client.example", Normal: "ann.other@client.example"}
	var addressed, others []conversation.Delivery
	add := func(list *[]conversation.Delivery, to conversation.Recipient, state conversation.DeliveryState) {
		d := w.aDelivery(w.conversation(w.team())) // each in an account of its own
		d.Recipient, d.State = to, state
		*list = append(*list, k.store(w, d))
	}
	for _, state := range []conversation.DeliveryState{conversation.DeliveryPending, conversation.DeliveryCompleted, conversation.DeliveryDeclined} {
		add(&addressed, conversation.Recipient{Email: owner}, state)
	}
	spelled := owner
	spelled.Display = "ANN.OTHER@client.example"
	add(&addressed, conversation.Recipient{Email: spelled}, conversation.DeliveryExpired)
	add(&others, conversation.Recipient{Email: tenancy.Address{Display: owner.Normal, Normal: "ann.other@client.exampl"}}, conversation.DeliveryCompleted)
	add(&others, conversation.Recipient{User: w.user().ID}, conversation.DeliveryCompleted)
	erase := func(normal string) func(context.Context) error {
		return func(ctx context.Context) error { return w.store.EraseRecipient(ctx, normal) }
	}
	check := func(what string) {
		for _, d := range append(addressed, others...) {
			k.holds(w, d, what)
		}
	}
	for _, nobody := range []string{"", "ann.other@client", "ANN.OTHER@client.example", "%"} {
		w.tx("EraseRecipient of nobody", erase(nobody))
		check("an erasure of nobody's address")
	}
	w.discard("EraseRecipient", erase(owner.Normal))
	check("an erasure that was rolled back")
	stale := addressed[0]
	w.tx("EraseRecipient", erase(owner.Normal))
	for i := range addressed {
		addressed[i].Recipient = conversation.Recipient{}
		addressed[i].Version++
	}
	check("an erasure")
	stale.State, stale.EndedAt = conversation.DeliveryDeclined, w.now()
	w.is(k.write(w, stale), tenancy.ErrStale, "UpdateDelivery that would bring the address back")
	w.tx("EraseRecipient again", erase(owner.Normal))
	check("a second erasure")
	answers(w, addressed[0], "PendingDelivery of an erased recipient")(w.store.PendingDelivery(w.ctx, addressed[0].Conversation))
}
