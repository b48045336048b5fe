package storagetest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/tenancy"
)

func conversations() kind[conversation.Conversation] {
	type row = conversation.Conversation
	return kind[row]{
		name: "conversation", methods: []string{"InsertConversation", "UpdateConversation", "Conversation", "LockConversation"},
		fresh:  func(w *world) row { return w.aConversation(w.team()) },
		insert: storage.Store.InsertConversation,
		update: func(s storage.Store, ctx context.Context, c row) error { return s.UpdateConversation(ctx, c.Team, c) },
		lock: func(s storage.Store, ctx context.Context, c row) (row, error) {
			return s.LockConversation(ctx, c.Team, c.ID)
		},
		get: func(s storage.Store, ctx context.Context, c row) (row, error) {
			return s.Conversation(ctx, c.Team, c.ID)
		},
		version: func(c *row) *int64 { return &c.Version },
		stray: func(w *world, c row) row {
			c.ID = newID[tenancy.ConversationID](w)
			return c
		},
		rival: func(w *world, c row) row {
			rival := w.aConversation(tenancy.Team{ID: c.Team, Account: c.Account, Identity: c.Identity})
			rival.ID = c.ID
			return rival
		},
		changes: []change[row]{
			{"a message", func(w *world, c *row) { c.LastSeq, c.LastAt = c.LastSeq+1, w.now() }},
			{"an answer", func(w *world, c *row) { c.NeedsReplySince = time.Time{} }},
			{"a question", func(w *world, c *row) { c.NeedsReplySince = w.now() }},
			{"a first message", func(w *world, c *row) { c.FirstSentAt = w.now() }},
			{"the assignee", func(w *world, c *row) { c.Assignee = w.user().ID }},
			{"to no assignee", func(w *world, c *row) { c.Assignee = tenancy.UserID{} }},
			{"the claim", func(w *world, c *row) { c.Claimant, c.ClaimedUntil = w.user().ID, w.now() }},
			{"to no claim", func(w *world, c *row) { c.Claimant, c.ClaimedUntil = tenancy.UserID{}, time.Time{} }},
			{"the label", func(w *world, c *row) { c.Label = conversation.Disengaged }},
			{"snoozing", func(w *world, c *row) { c.Status, c.SnoozedUntil = conversation.Snoozed, w.now().Add(time.Hour) }},
			{"waking", func(w *world, c *row) {
				c.Status, c.SnoozedUntil, c.IdleSince = conversation.Open, time.Time{}, w.now().Add(time.Minute)
			}},
			{"the episode", func(w *world, c *row) { c.Episode++ }},
			{"closing", func(w *world, c *row) { c.Status, c.Outcome = conversation.Closed, conversation.NotEligible }},
			{"opening", func(w *world, c *row) { c.Status, c.Outcome = conversation.Open, "" }},
			{"the contact", func(w *world, c *row) { c.Contact = w.contact(c.Team).ID }},
		},
		times: []timeField[row]{
			{"CreatedAt", false, func(c *row) *time.Time { return &c.CreatedAt }},
			{"SnoozedUntil", true, func(c *row) *time.Time { return &c.SnoozedUntil }},
			{"IdleSince", false, func(c *row) *time.Time { return &c.IdleSince }},
			{"LastAt", false, func(c *row) *time.Time { return &c.LastAt }},
			{"NeedsReplySince", true, func(c *row) *time.Time { return &c.NeedsReplySince }},
			{"FirstSentAt", true, func(c *row) *time.Time { return &c.FirstSentAt }},
			{"ClaimedUntil", true, func(c *row) *time.Time { return &c.ClaimedUntil }},
		},
		enums: []enumField[row]{
			{"Status", "open", func(c *row, v string) { c.Status = conversation.Status(v) }, nil},
			{"Identity.Channel", "phone", func(c *row, v string) { c.Identity.Channel = tenancy.Channel(v) }, nil},
		},
		refs: []refField[row]{
			{"Team", func(w *world, c *row) { c.Team = newID[tenancy.TeamID](w) }},
			{"Account", func(w *world, c *row) { c.Account = newID[tenancy.AccountID](w) }},
			{"Contact", func(w *world, c *row) { c.Contact = newID[tenancy.ContactID](w) }},
			{"Contact in its team", func(w *world, c *row) { c.Contact = w.contact(w.team().ID).ID }},
			{"Assignee", func(w *world, c *row) { c.Assignee = newID[tenancy.UserID](w) }},
			{"Claimant", func(w *world, c *row) { c.Claimant = newID[tenancy.UserID](w) }},
		},
	}
}

func conversationCases() []testCase {
	return append(conversations().cases(),
		testCase{
			name: "conversation is one for each identity and address", rule: ruleThread,
			covers: []string{"InsertConversation", "ConversationsByAddress"}, run: threadCase,
		},
		testCase{
			name: "conversations that are not closed are locked all at once", rule: ruleLockOpen,
			covers: []string{"LockOpen"}, run: lockOpenCase,
		},
		testCase{
			name: "conversations locked as open cannot change underneath", rule: ruleLockOpen, needs: RowLocks,
			covers: []string{"LockOpen"}, run: heldOpen,
		},
		testCase{
			name: "conversation moves to another team with all that hangs on it", rule: ruleMove,
			covers: []string{"UpdateConversation", "ConversationsByAddress", "Conversation", "LockConversation", "TeamOf"}, run: moveCase,
		},
		testCase{
			name: "conversations assigned to a user", rule: ruleHeldBy,
			covers: []string{"HeldBy"}, run: assignedCase,
		},
	)
}

// newest is the first of a list, for look-ups that mostly find one row.
func newest(list []conversation.Conversation, err error) (conversation.Conversation, error) {
	if err != nil || len(list) == 0 {
		return conversation.Conversation{}, errors.Join(err, tenancy.ErrNotFound)
	}
	return list[0], nil
}

func threadCase(w *world) {
	k := conversations()
	team := w.team()
	a := w.conversation(team)
	find := w.store.ConversationsByAddress
	one := func(c conversation.Conversation) []conversation.Conversation { return []conversation.Conversation{c} }
	lists(w, one(a), "ConversationsByAddress")(find(w.ctx, a.Identity, a.Address))
	lists(w, one(a)[:0], "ConversationsByAddress of another address")(find(w.ctx, a.Identity, "+17770000000"))
	lists(w, one(a)[:0], "ConversationsByAddress of another identity")(find(w.ctx, tenancy.Phone("+15550000000"), a.Address))
	lists(w, one(a)[:0], "ConversationsByAddress on another channel")(
		find(w.ctx, tenancy.Identity{Channel: tenancy.ChatChannel, Value: a.Identity.Value}, a.Address))
	lists(w, one(a)[:0], "ConversationsByAddress of the zero identity")(find(w.ctx, tenancy.Identity{}, a.Address))

	rival := w.aConversation(w.teamIn(team.Account))
	rival.Identity, rival.Address = a.Identity, a.Address
	w.is(k.put(w, rival), tenancy.ErrDuplicate, "InsertConversation of a thread that exists, in another team of the account")
	k.holds(w, a, "a refused insert")
	otherAddress, otherIdentity := w.aConversation(team), w.aConversation(team)
	otherIdentity.Identity, otherIdentity.Address = tenancy.Chat("acme-jobs"), a.Address
	k.store(w, otherAddress)
	k.store(w, otherIdentity)
	lists(w, one(otherAddress), "ConversationsByAddress of another address")(find(w.ctx, otherAddress.Identity, otherAddress.Address))
	lists(w, one(otherIdentity), "ConversationsByAddress of another identity")(find(w.ctx, otherIdentity.Identity, a.Address))
	lists(w, one(a), "ConversationsByAddress beside them")(find(w.ctx, a.Identity, a.Address))

	w.by(ruleByAddress)
	var all []conversation.Conversation
	at := w.now()
	for i := range 6 { // in pairs of one time, which are in order of their ids
		c := w.aConversation(w.team())
		c.Identity, c.Address, c.LastAt = a.Identity, a.Address, at.Add(-time.Duration(i/2)*time.Hour)
		all = append(all, k.store(w, c))
	}
	all = append(all, a)
	slices.SortFunc(all, func(a, b conversation.Conversation) int {
		return cmp.Or(b.LastAt.Compare(a.LastAt), bytes.Compare(b.ID[:], a.ID[:]))
	})
	lists(w, all, "ConversationsByAddress in several accounts, newest first")(find(w.ctx, a.Identity, a.Address))
}

func lockOpenCase(w *world) {
	k := conversations()
	team := w.team()
	var want []conversation.Conversation
	for i := range 18 {
		c := w.aConversation(team)
		c.Status = conversation.Statuses()[i%3]
		if c.Status != conversation.Closed {
			want = append(want, c)
		}
		if i%2 == 0 {
			c.NeedsReplySince = time.Time{}
			for j := range want {
				if want[j].ID == c.ID {
					want[j] = c
				}
			}
		}
		k.store(w, c)
	}
	w.conversation(w.teamIn(team.Account))
	slices.SortFunc(want, func(a, b conversation.Conversation) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	w.tx("LockOpen", func(ctx context.Context) error {
		lists(w, want, "LockOpen")(w.store.LockOpen(ctx, team.ID))
		closed := want[0]
		closed.Status = conversation.Closed
		if err := w.store.UpdateConversation(ctx, team.ID, closed); err != nil {
			return err
		}
		lists(w, want[1:], "LockOpen after one was closed")(w.store.LockOpen(ctx, team.ID))
		return nil
	})
}

// heldOpen is [held] for one of the conversations that LockOpen takes.
func heldOpen(w *world) {
	team := w.team()
	c := w.conversation(team)
	w.conversation(team)
	held(w, c, conversations(), "LockOpen", func(ctx context.Context, c conversation.Conversation) (conversation.Conversation, error) {
		open, err := w.store.LockOpen(ctx, team.ID)
		for _, found := range open {
			if found.ID == c.ID {
				return found, err
			}
		}
		return conversation.Conversation{}, errors.Join(err, tenancy.ErrNotFound)
	})
}

// moveCase hands a conversation to another team and back. The channel stays with it, so the
// contact sees one thread, and the old team must lose it at once.
func moveCase(w *world) {
	from := w.team()
	to := w.teamIn(from.Account)
	c := w.conversation(from)
	m, g, d := w.message(c.ID, 1), w.grant(c.ID), w.delivery(c)
	moved := c
	moved.Team, moved.Contact, moved.Assignee = to.ID, w.contact(to.ID).ID, tenancy.UserID{}

	w.by(ruleTeamOf)
	answers(w, from.ID, "TeamOf")(w.store.TeamOf(w.ctx, c.ID))
	nothing[tenancy.TeamID](w, "TeamOf a conversation that does not exist")(w.store.TeamOf(w.ctx, newID[tenancy.ConversationID](w)))
	w.by(ruleMove)

	// Whoever names the wrong present team moves nothing, whatever team the row names.
	for _, wrong := range []tenancy.TeamID{to.ID, newID[tenancy.TeamID](w), {}} {
		err := w.try(func(ctx context.Context) error { return w.store.UpdateConversation(ctx, wrong, moved) })
		w.is(err, tenancy.ErrNotFound, "UpdateConversation in a team where the conversation is not")
		conversations().holds(w, c, "a refused move")
	}
	nowhere := moved
	nowhere.Team = newID[tenancy.TeamID](w)
	err := w.try(func(ctx context.Context) error { return w.store.UpdateConversation(ctx, from.ID, nowhere) })
	w.is(err, tenancy.ErrNotFound, "UpdateConversation that moves to a team that does not exist")
	strange := moved
	strange.Contact = c.Contact
	err = w.try(func(ctx context.Context) error { return w.store.UpdateConversation(ctx, from.ID, strange) })
	w.is(err, tenancy.ErrNotFound, "UpdateConversation that moves without a contact of the new team")
	conversations().holds(w, c, "refused moves")

	w.tx("UpdateConversation that moves", func(ctx context.Context) error {
		return w.store.UpdateConversation(ctx, from.ID, moved)
	})
	moved.Version++
	conversations().holds(w, moved, "a move")
	answers(w, to.ID, "TeamOf after a move")(w.store.TeamOf(w.ctx, c.ID))
	nothing[conversation.Conversation](w, "Conversation in the team that it has left")(w.store.Conversation(w.ctx, from.ID, c.ID))
	w.is(w.try(func(ctx context.Context) error {
		_, err := w.store.LockConversation(ctx, from.ID, c.ID)
		return err
	}), tenancy.ErrNotFound, "LockConversation in the team that it has left")
	lists(w, []conversation.Conversation{moved}, "ConversationsByAddress after a move")(w.store.ConversationsByAddress(w.ctx, c.Identity, c.Address))
	all := tenancy.Keyset{Limit: 10}
	lists[conversation.Conversation](w, nil, "Conversations of the team that it has left")(w.store.Conversations(w.ctx, conversation.Scope{Team: from.ID}, conversation.Filter{}, all))
	lists(w, []conversation.Conversation{moved}, "Conversations of its new team")(
		w.store.Conversations(w.ctx, conversation.Scope{Team: to.ID}, conversation.Filter{}, all))
	lists[tenancy.ConversationID](w, nil, "HeldBy a guest, the team that it has left")(heldBy(w.ctx, w.store, from.ID, g.User))
	lists(w, []tenancy.ConversationID{c.ID}, "HeldBy a guest, its new team")(heldBy(w.ctx, w.store, to.ID, g.User))
	messages().holds(w, m, "a move")
	grants().holds(w, g, "a move")
	deliveries().holds(w, d, "a move")

	back := c
	back.Version = moved.Version
	w.tx("UpdateConversation that moves back", func(ctx context.Context) error {
		return w.store.UpdateConversation(ctx, to.ID, back)
	})
	back.Version++
	conversations().holds(w, back, "a move there and back")
}

func assignedCase(w *world) {
	k := conversations()
	team, elsewhere := w.team(), w.team()
	user := w.user().ID
	var want []tenancy.ConversationID
	for i := range 12 {
		c := w.aConversation(team)
		switch i % 4 {
		case 0:
			c.Assignee = tenancy.UserID{}
		case 1: // someone else's
		default:
			c.Assignee = user
			if i%2 == 0 {
				c.Status = conversation.Closed
			}
			want = append(want, c.ID)
		}
		k.store(w, c)
	}
	c := w.aConversation(elsewhere)
	c.Assignee = user
	k.store(w, c)
	lists(w, byID(want), "HeldBy the assignee")(heldBy(w.ctx, w.store, team.ID, user))
	lists(w, []tenancy.ConversationID{c.ID}, "HeldBy the assignee, in another team")(heldBy(w.ctx, w.store, elsewhere.ID, user))
	lists[tenancy.ConversationID](w, nil, "HeldBy the assignee, of someone without any")(heldBy(w.ctx, w.store, team.ID, w.user().ID))
	lists[tenancy.ConversationID](w, nil, "HeldBy the assignee, of the zero user: what is nobody's is assigned to nobody")(heldBy(w.ctx, w.store, team.ID, tenancy.UserID{}))
}
