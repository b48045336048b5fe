package storagetest

import (
	"cmp"
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
		name: "delivery", methods: []string{"InsertDelivery", "UpdateDelivery", "Delivery", ""},
		fresh:  func(w *world) row { return w.aDelivery(w.conversation(w.team())) },
		insert: eachOf(storage.Store.InsertDelivery), several: storage.Store.InsertDelivery, update: storage.Store.UpdateDelivery,
		get: func(s storage.Store, ctx context.Context, d row) (row, error) {
			return s.Delivery(ctx, d.FromTeam, d.ID)
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
			{"failure", func(w *world, d *row) { d.State, d.EndedAt = conversation.DeliveryFailed, w.now() }},
			{"deadline", func(w *world, d *row) { d.Deadline = w.now() }},
			{"no application", func(w *world, d *row) {
				d.Outcome.Application, d.About = tenancy.ApplicationID{}, conversation.ApplicationDetails{}
			}},
			{"reason", func(w *world, d *row) { d.Reason = "not ours" }},
			{"terms", func(w *world, d *row) { d.KeepOpen, d.KeepReading = !d.KeepOpen, !d.KeepReading }},
			{"completion", func(w *world, d *row) { d.State, d.EndedAt = conversation.DeliveryCompleted, w.now() }},
		},
		times: []timeField[row]{
			{"CreatedAt", false, func(d *row) *time.Time { return &d.CreatedAt }},
			{"EndedAt", true, func(d *row) *time.Time { return &d.EndedAt }},
			{"Deadline", true, func(d *row) *time.Time { return &d.Deadline }},
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
			{"Outcome.Application", func(w *world, d *row) { d.Outcome.Application = newID[tenancy.ApplicationID](w) }},
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
			name: "deliveries that a user has begun", rule: ruleHeldBy,
			covers: []string{"HeldBy", "UpdateDelivery"}, run: deliveringCase,
		},
		testCase{
			name: "delivery is read from either team", rule: ruleDeliveryByID,
			covers: []string{"Delivery"}, run: deliveryByIDCase,
		},
		testCase{
			name: "deliveries that wait for a user or a team", rule: ruleDeliveriesTo,
			covers: []string{"DeliveriesTo"}, run: deliveriesToCase,
		},
		testCase{
			name: "deliveries whose deadline has come", rule: ruleLapsedDeliveries,
			covers: []string{"LapsedDeliveries"}, run: lapsedDeliveriesCase,
		},
		testCase{
			name: "deliveries lose the address of a deleted user", rule: ruleEraseRecipient,
			covers: []string{"EraseRecipient", "Delivery"}, run: eraseRecipientCase,
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
		conversation.DeliveryFailed,
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
	for i := range 10 {
		d := w.aDelivery(w.conversation(team))
		d.By = by
		switch i {
		case 2: // to the user, by somebody else
			d.By, d.Recipient, d.Invitation = w.user().ID, conversation.ToUser(by), tenancy.InvitationID{}
			want = append(want, d.Conversation)
		case 3: // to the user, by themselves
			d.Recipient, d.Invitation = conversation.ToUser(by), tenancy.InvitationID{}
			want = append(want, d.Conversation)
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
	lists(w, byID(want), "HeldBy who delivers")(heldBy(w.ctx, w.store, team.ID, by))
	lists(w, []tenancy.ConversationID{elsewhere.Conversation}, "HeldBy who delivers, from another team")(
		heldBy(w.ctx, w.store, elsewhere.FromTeam, by))
	lists(w, want[:0], "HeldBy who delivers, of someone without any")(heldBy(w.ctx, w.store, team.ID, w.user().ID))
	ending.State, ending.EndedAt = conversation.DeliveryCancelled, w.now()
	w.must(k.write(w, ending), "UpdateDelivery")
	want = slices.DeleteFunc(want, func(id tenancy.ConversationID) bool { return id == ending.Conversation })
	lists(w, want, "HeldBy who delivers, after one has ended")(heldBy(w.ctx, w.store, team.ID, by))
}

// asked makes a pending delivery that a user or a team is asked to accept.
func (w *world) asked(from tenancy.Team, to conversation.Recipient, at, deadline time.Time) conversation.Delivery {
	d := w.aDelivery(w.conversation(from))
	d.Recipient, d.Invitation, d.CreatedAt, d.Deadline = to, tenancy.InvitationID{}, at, deadline
	return d
}

func deliveryByIDCase(w *world) {
	from := w.team()
	to := w.teamIn(from.Account)
	d := deliveries().store(w, w.asked(from, conversation.ToTeam(to.ID), w.now(), w.now()))
	own := deliveries().store(w, w.asked(from, conversation.ToUser(w.user().ID), w.now(), time.Time{}))
	for _, team := range []tenancy.TeamID{from.ID, to.ID} {
		answers(w, d, "Delivery in a team that has part in it")(w.store.Delivery(w.ctx, team, d.ID))
	}
	answers(w, own, "Delivery to a user")(w.store.Delivery(w.ctx, from.ID, own.ID))
	nothing[conversation.Delivery](w, "Delivery in another team")(w.store.Delivery(w.ctx, w.teamIn(from.Account).ID, d.ID))
	nothing[conversation.Delivery](w, "Delivery to nobody in the team")(w.store.Delivery(w.ctx, to.ID, own.ID))
	nothing[conversation.Delivery](w, "Delivery in no team")(w.store.Delivery(w.ctx, tenancy.TeamID{}, own.ID))
}

func deliveriesToCase(w *world) {
	k := deliveries()
	from := w.team()
	to, user, now := w.teamIn(from.Account), w.user().ID, w.now()
	var want []conversation.Delivery
	for i := range 6 {
		at := now.Add(time.Duration(i/2) * time.Minute) // in pairs of one moment
		want = append(want, k.store(w, w.asked(to, conversation.ToUser(user), at, time.Time{})),
			k.store(w, w.asked(from, conversation.ToTeam(to.ID), at, now.Add(time.Microsecond))))
	}
	k.store(w, w.asked(from, conversation.ToTeam(to.ID), now, now))         // lapsed
	k.store(w, w.asked(to, conversation.ToUser(user), now, now))            // lapsed
	k.store(w, w.asked(to, conversation.ToUser(w.user().ID), now, now))     // for somebody else
	k.store(w, w.asked(from, conversation.ToUser(user), now, time.Time{}))  // in another team
	k.store(w, w.asked(to, conversation.ToTeam(from.ID), now, time.Time{})) // to another team
	w.delivery(w.conversation(to))                                          // to an e-mail address
	over := w.asked(from, conversation.ToTeam(to.ID), now, time.Time{})
	over.State, over.EndedAt = conversation.DeliveryDeclined, now
	k.store(w, over)
	slices.SortFunc(want, func(a, b conversation.Delivery) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), slices.Compare(b.ID[:], a.ID[:]))
	})
	var teams []conversation.Delivery
	for _, d := range want {
		if !d.Recipient.Team.IsZero() {
			teams = append(teams, d)
		}
	}
	whole := tenancy.Keyset{Limit: 50}
	lists(w, want, "DeliveriesTo")(w.store.DeliveriesTo(w.ctx, to.ID, user, now, whole))
	lists(w, teams, "DeliveriesTo nobody in the team")(w.store.DeliveriesTo(w.ctx, to.ID, tenancy.UserID{}, now, whole))
	lists[conversation.Delivery](w, nil, "DeliveriesTo a team without any")(w.store.DeliveriesTo(w.ctx, w.teamIn(from.Account).ID, user, now, whole))
	var paged []conversation.Delivery
	page := tenancy.Keyset{Limit: 5}
	for {
		next, err := w.store.DeliveriesTo(w.ctx, to.ID, user, now, page)
		w.must(err, "DeliveriesTo")
		if paged = append(paged, next...); len(next) < page.Limit {
			break
		}
		last := next[len(next)-1]
		page.At, page.ID = last.CreatedAt, last.ID.UUID()
	}
	lists(w, want, "DeliveriesTo by pages")(paged, nil)
}

func lapsedDeliveriesCase(w *world) {
	k, now := deliveries(), w.now()
	from := w.team()
	var due []conversation.Delivery
	for i := range 12 {
		d := w.asked(from, conversation.ToUser(w.user().ID), now.Add(-2*time.Hour), now.Add(-time.Hour))
		switch i % 4 {
		case 0:
			d.Deadline = now.Add(time.Microsecond)
		case 1:
			d.State, d.EndedAt = conversation.DeliveryExpired, now
		case 2:
			d.Deadline = now
		}
		if k.store(w, d); i%4 > 1 {
			due = append(due, d)
		}
	}
	slices.SortFunc(due, func(a, b conversation.Delivery) int {
		return cmp.Or(a.Deadline.Compare(b.Deadline), slices.Compare(a.Conversation[:], b.Conversation[:]))
	})
	var want []conversation.Thread
	for _, d := range due {
		want = append(want, conversation.Thread{Team: from.ID, Conversation: d.Conversation})
	}
	for _, limit := range []int{0, 1, len(want), len(want) + 1} {
		lists(w, want[:min(limit, len(want))], "LapsedDeliveries, at most %d", limit)(w.store.LapsedDeliveries(w.ctx, now, limit))
	}
	w.must(k.write(w, func() conversation.Delivery { d := due[0]; d.State = conversation.DeliveryDeclined; return d }()), "UpdateDelivery")
	lists(w, want[1:], "LapsedDeliveries after one was declined")(w.store.LapsedDeliveries(w.ctx, now, 50))
	lists[conversation.Thread](w, nil, "LapsedDeliveries at the zero time")(w.store.LapsedDeliveries(w.ctx, time.Time{}, 50))
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
