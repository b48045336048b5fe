package storagetest

import (
	"cmp"
	"context"
	"time"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/tenancy"
)

func contacts() kind[conversation.Contact] {
	return kind[conversation.Contact]{
		name: "contact", methods: []string{"InsertContact", "UpdateContact", "Contact", "LockContact"},
		fresh:  func(w *world) conversation.Contact { return w.aContact(w.team().ID) },
		insert: eachOf(storage.Store.InsertContact), several: storage.Store.InsertContact, update: storage.Store.UpdateContact,
		lock: func(s storage.Store, ctx context.Context, c conversation.Contact) (conversation.Contact, error) {
			return s.LockContact(ctx, c.Team, c.ID)
		},
		get: func(s storage.Store, ctx context.Context, c conversation.Contact) (conversation.Contact, error) {
			return s.Contact(ctx, c.Team, c.ID)
		},
		version: func(c *conversation.Contact) *int64 { return &c.Version },
		stray:   func(w *world, c conversation.Contact) conversation.Contact { return w.aContact(c.Team) },
		rival: func(w *world, c conversation.Contact) conversation.Contact {
			rival := w.aContact(c.Team)
			rival.ID = c.ID
			return rival
		},
		changes: []change[conversation.Contact]{
			{"the name", func(w *world, c *conversation.Contact) { c.Name = "Иван O'Brien" }},
			{"the e-mail", func(w *world, c *conversation.Contact) {
				c.Email = tenancy.Address{Display: "Ivan@Mail.example", Normal: "ivan@mail.example"}
			}},
			{"the notes", func(w *world, c *conversation.Contact) { c.Notes = `"quoted"; DROP TABLE contacts; --` }},
			{"to nothing", func(w *world, c *conversation.Contact) { c.Name, c.Email, c.Notes = "", tenancy.Address{}, "" }},
		},
		times: []timeField[conversation.Contact]{
			{"CreatedAt", false, func(c *conversation.Contact) *time.Time { return &c.CreatedAt }},
		},
		enums: []enumField[conversation.Contact]{
			{"Channel", "phone", func(c *conversation.Contact, v string) { c.Channel = tenancy.Channel(v) }, nil},
		},
		refs: []refField[conversation.Contact]{
			{"Team", func(w *world, c *conversation.Contact) { c.Team = newID[tenancy.TeamID](w) }},
		},
	}
}

func contactCases() []testCase {
	return append(contacts().cases(), testCase{
		name: "contact addresses are unique in the team", rule: ruleContact,
		covers: []string{"InsertContact", "ContactsByAddress"}, run: contactAddressCase,
	})
}

func contactAddressCase(w *world) {
	k := contacts()
	team, elsewhere := w.team(), w.team()
	a := w.contact(team.ID)
	find := w.contactAt
	answers(w, a, "ContactsByAddress")(find(w.ctx, team.ID, a.Channel, a.Address))
	nothing[conversation.Contact](w, "ContactsByAddress in another team")(find(w.ctx, elsewhere.ID, a.Channel, a.Address))
	nothing[conversation.Contact](w, "ContactsByAddress on another channel")(find(w.ctx, team.ID, tenancy.ChatChannel, a.Address))
	nothing[conversation.Contact](w, "ContactsByAddress of an unknown address")(find(w.ctx, team.ID, a.Channel, "+17770000000"))

	rival := w.aContact(team.ID)
	rival.Address = a.Address
	w.is(k.put(w, rival), tenancy.ErrDuplicate, "InsertContact with an address that is taken")
	k.holds(w, a, "a refused insert")
	chat := rival
	chat.Channel = tenancy.ChatChannel
	k.store(w, chat)
	there := w.aContact(elsewhere.ID)
	there.Address = a.Address
	k.store(w, there)
	answers(w, a, "ContactsByAddress")(find(w.ctx, team.ID, a.Channel, a.Address))
	answers(w, chat, "ContactsByAddress of the same address on another channel")(find(w.ctx, team.ID, chat.Channel, a.Address))
	answers(w, there, "ContactsByAddress of the same address in another team")(find(w.ctx, elsewhere.ID, a.Channel, a.Address))

	fresh := w.aContact(team.ID)
	w.by(ruleReads)
	w.discard("a transaction that adds a contact", func(ctx context.Context) error {
		if err := w.store.InsertContact(ctx, fresh); err != nil {
			return err
		}
		answers(w, fresh, "ContactsByAddress inside")(find(ctx, team.ID, fresh.Channel, fresh.Address))
		return nil
	})
	nothing[conversation.Contact](w, "ContactsByAddress after the rollback")(find(w.ctx, team.ID, fresh.Channel, fresh.Address))
}

// contactAt is ContactsByAddress for one address.
func (w *world) contactAt(ctx context.Context, team tenancy.TeamID, channel tenancy.Channel, address string) (conversation.Contact, error) {
	found, err := w.store.ContactsByAddress(ctx, team, channel, address)
	if err != nil || len(found) == 0 {
		return conversation.Contact{}, cmp.Or(err, tenancy.ErrNotFound)
	}
	return found[0], nil
}
