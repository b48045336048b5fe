package storagetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/tenancy"
)

// A textKey is a text that rows are found by. Databases have ideas of their own about which
// texts are equal: MySQL's default collations fold case and accents and pad with spaces,
// and take one emoji for another; SQLite's NOCASE folds ASCII; LIKE has wildcards.
type textKey struct {
	name string
	// insert stores a row with the text and answers its id; find answers the id of the row
	// found by it. Both in a world of their own.
	make func(w *world) (insert func(text string) (string, error), find func(ctx context.Context, text string) (string, error))
}

func textKeys() []textKey {
	return []textKey{{"User.ExternalID", func(w *world) (func(string) (string, error), func(context.Context, string) (string, error)) {
		return func(text string) (string, error) {
				u := w.aUser()
				u.ExternalID = text
				return u.ID.String(), w.put(u)
			}, func(ctx context.Context, text string) (string, error) {
				u, err := w.store.UserByExternalID(ctx, text)
				return u.ID.String(), err
			}
	}}, {"User.Email.Normal", func(w *world) (func(string) (string, error), func(context.Context, string) (string, error)) {
		return func(text string) (string, error) {
				u := w.aUser()
				u.Email = tenancy.Address{Display: text, Normal: text}
				return u.ID.String(), w.put(u)
			}, func(ctx context.Context, text string) (string, error) {
				u, err := w.store.UserByEmail(ctx, text)
				return u.ID.String(), err
			}
	}}, {"Operation.Key", func(w *world) (func(string) (string, error), func(context.Context, string) (string, error)) {
		return func(text string) (string, error) {
				o := w.aKeptOperation()
				o.Principal, o.Key = "user:kim", text
				return string(o.Result), keptOperations().put(w, o)
			}, func(ctx context.Context, text string) (string, error) {
				o, err := w.store.Operation(ctx, "user:kim", text)
				return string(o.Result), err
			}
	}}, {"Operation.Principal", func(w *world) (func(string) (string, error), func(context.Context, string) (string, error)) {
		return func(text string) (string, error) {
				o := w.aKeptOperation()
				o.Principal, o.Key = text, "key"
				return string(o.Result), keptOperations().put(w, o)
			}, func(ctx context.Context, text string) (string, error) {
				o, err := w.store.Operation(ctx, text, "key")
				return string(o.Result), err
			}
	}}, {"Team.NameKey", func(w *world) (func(string) (string, error), func(context.Context, string) (string, error)) {
		account := w.account().ID
		return func(text string) (string, error) {
				t := w.aTeam(account)
				t.Name, t.NameKey = text, text
				return t.ID.String(), teams().put(w, t)
			}, func(ctx context.Context, text string) (string, error) {
				t, err := w.store.TeamByName(ctx, account, text)
				return t.ID.String(), err
			}
	}}, {"Team.Identity.Value", func(w *world) (func(string) (string, error), func(context.Context, string) (string, error)) {
		account := w.account().ID
		return func(text string) (string, error) {
				t := w.aTeam(account)
				t.Identity = tenancy.Chat(text)
				return t.ID.String(), teams().put(w, t)
			}, func(ctx context.Context, text string) (string, error) {
				t, err := w.store.TeamByIdentity(ctx, tenancy.Chat(text))
				return t.ID.String(), err
			}
	}}, {"CustomRole.NameKey", func(w *world) (func(string) (string, error), func(context.Context, string) (string, error)) {
		account := w.account().ID
		return func(text string) (string, error) {
				r := w.aRole(account)
				r.Name, r.NameKey = text, text
				return r.ID.String(), roles().put(w, r)
			}, func(ctx context.Context, text string) (string, error) {
				all, err := w.store.RolesIn(ctx, account)
				for _, r := range all {
					if r.NameKey == text {
						return r.ID.String(), err
					}
				}
				return "", cmp.Or(err, tenancy.ErrNotFound)
			}
	}}, {"Invitation.Email.Normal", func(w *world) (func(string) (string, error), func(context.Context, string) (string, error)) {
		team := w.team()
		return func(text string) (string, error) {
				r := w.anInvitation(team)
				r.Email = tenancy.Address{Display: text, Normal: text}
				return r.ID.String(), invitations().put(w, r)
			}, func(ctx context.Context, text string) (string, error) {
				r, err := w.pendingTo(ctx, team.Account, team.ID, tenancy.ConversationID{}, text)
				return r.ID.String(), err
			}
	}}, {"Contact.Address", func(w *world) (func(string) (string, error), func(context.Context, string) (string, error)) {
		team := w.team().ID
		return func(text string) (string, error) {
				c := w.aContact(team)
				c.Address = text
				return c.ID.String(), contacts().put(w, c)
			}, func(ctx context.Context, text string) (string, error) {
				c, err := w.contactAt(ctx, team, tenancy.PhoneChannel, text)
				return c.ID.String(), err
			}
	}}, {"Conversation.Address", func(w *world) (func(string) (string, error), func(context.Context, string) (string, error)) {
		team := w.team()
		return func(text string) (string, error) {
				c := w.aConversation(team)
				c.Address = text
				return c.ID.String(), conversations().put(w, c)
			}, func(ctx context.Context, text string) (string, error) {
				c, err := newest(w.store.ConversationsByAddress(ctx, team.Identity, text))
				return c.ID.String(), err
			}
	}}, {"Conversation.Identity.Value", func(w *world) (func(string) (string, error), func(context.Context, string) (string, error)) {
		team := w.team()
		return func(text string) (string, error) {
				c := w.aConversation(team)
				c.Identity, c.Address = tenancy.Chat(text), "visitor"
				return c.ID.String(), conversations().put(w, c)
			}, func(ctx context.Context, text string) (string, error) {
				c, err := newest(w.store.ConversationsByAddress(ctx, tenancy.Chat(text), "visitor"))
				return c.ID.String(), err
			}
	}}}
}

func textCases() []testCase {
	var cases []testCase
	for _, k := range textKeys() {
		cases = append(cases,
			testCase{name: "text of " + k.name + " is compared byte for byte", rule: ruleBytes, run: func(w *world) { bytesCase(w, k) }},
			testCase{name: "text of " + k.name + " that a database cannot hold", rule: ruleBytes, run: func(w *world) { hostileCase(w, k) }},
		)
	}
	return append(cases,
		testCase{name: "text of every field comes back as it was", rule: ruleBytes, run: fieldsCase},
		testCase{name: "text inside a document that a database cannot hold", rule: ruleBytes, run: documentsCase},
		testCase{name: "text as long as the rooms allow", rule: ruleBytes, run: longCase},
	)
}

// alike are texts that some database, collation or case mapping takes for one another
// (THREATS B1: Django CVE-2019-19844; B6: OpenFGA's MySQL migration 008). Each comes after one
// that is stored, so a store that cannot tell them apart refuses an insert or finds the wrong row.
func alike() []string {
	return []string{
		"kim@x.example", "Kim@x.example", "KIM@x.example", "kim@X.example",
		"\u212aim@x.example",                  // the Kelvin sign, whose lower case is k
		"k\u0131m@x.example",                  // dotless i, whose upper case is I
		"k\u0130m@x.example",                  // dotted I
		"k\u00edm@x.example",                  // an accent
		"ki\u0301m@x.example",                 // the same accent as a mark of its own
		"sam@x.example", "\u017fam@x.example", // long s, whose upper case is S
		"stra\u00dfe@x.example", "strasse@x.example", "stra\u1e9ee@x.example", // sharp s, small and capital
		"kim@x.example ", "kim@x.example  ", " kim@x.example", "kim@x.example\t", "kim@x.example\n", "kim@x.example\u00a0",
		"kim@x.example\u200b", "k\u00adim@x.example", // zero width space and soft hyphen
		"\uff4bim@x.example", "kim\uff20x.example", // full width
		"kim@x_example", "kim@x%", "%", "_", "k*", // wildcards
		"\U0001f600", "\U0001f601", "\U0001f44d", "\U0001f44d\U0001f3fd", // emoji, to which some collations give one weight
		"\u01c6", "\u01c5", "\u01c4", "\u0153", "oe", "\ufb01", "fi", "\u03a9", "\u2126", // digraphs, ligatures, Omega and Ohm
		"0", "00", "0.0", "1e3", "1000", "+1000", "NULL", "null", "'", "''", "\"", "\\", "\\\\", // what is no text elsewhere
	}
}

func bytesCase(w *world, k textKey) {
	insert, find := k.make(w)
	texts := alike()
	ids := make([]string, len(texts))
	for i, text := range texts {
		// Before it is there, it is not found as one of those that look like it.
		if got, err := find(w.ctx, text); !errors.Is(err, tenancy.ErrNotFound) {
			w.breaks("%s %q, which is not stored, was found as %s with %s", k.name, text, got, show(err))
		}
		id, err := insert(text)
		if err != nil {
			w.breaks("%s %q was refused beside the texts that look like it: %v", k.name, text, err)
			continue
		}
		ids[i] = id
	}
	for i, text := range texts {
		if ids[i] == "" {
			continue
		}
		if got, err := find(w.ctx, text); err != nil || got != ids[i] {
			w.breaks("%s %q is stored as %s, and was found as %s with %s", k.name, text, ids[i], got, show(err))
		}
	}
	if _, err := insert(texts[0]); !errors.Is(err, tenancy.ErrDuplicate) {
		w.breaks("%s %q for the second time answered %s, want ErrDuplicate", k.name, texts[0], show(err))
	}
}

// hostileCase tries what is no text: zero bytes, which end a string for some, and bytes that
// are not UTF-8, which others replace. Kept exactly or refused as invalid; anything else lets
// two names become one. The driver's own words must not come out.
func hostileCase(w *world, k textKey) {
	insert, find := k.make(w)
	plain, err := insert("kim")
	w.must(err, "an insert of %s", k.name)
	for _, text := range []string{"kim\x00", "\x00kim", "kim\x00x", "kim\xff", "\xc3\x28", "kim\xed\xa0\x80", "\xf0\x9f"} {
		if got, err := find(w.ctx, text); err == nil {
			w.breaks("%s %q, which is not stored, was found as %s", k.name, text, got)
		} else if !errors.Is(err, tenancy.ErrNotFound) && !errors.Is(err, tenancy.ErrInvalid) {
			w.breaks("a look-up of %s %q answered %s, want ErrNotFound or ErrInvalid", k.name, text, show(err))
		}
		id, err := insert(text)
		if err != nil {
			w.is(err, tenancy.ErrInvalid, "an insert of %s %q that was refused", k.name, text)
			continue
		}
		if got, err := find(w.ctx, text); err != nil || got != id {
			w.breaks("%s %q was taken, stored as %s, and was found as %s with %s", k.name, text, id, got, show(err))
		}
	}
	if got, err := find(w.ctx, "kim"); err != nil || got != plain {
		w.breaks("%s %q was found as %s with %s, want %s", k.name, "kim", got, show(err), plain)
	}
}

// fieldsCase stores texts that trip encoders, in fields that nothing is found by.
func fieldsCase(w *world) {
	for _, text := range []string{
		" leading and trailing ", "tab\tnewline\ncarriage\r\nreturn", "'; DROP TABLE users; --", `{"json": "\u00e9"}`, `back\slash`,
		"ki\u0301m and kím", "\u202eright to left", "👩‍👩‍👧‍👦 family", "?", "$1", ":name", "@p1", "%s %d",
	} {
		u := w.aUser()
		u.Name, u.Email.Display = text, text
		users().holds(w, stored(w, "InsertUser", u, w.store.InsertUser), fmt.Sprintf("an insert with the text %q", text))
		team := w.aTeam(w.account().ID)
		team.Name, team.Settings.TimeZone, team.Settings.Statuses[0].Label = text, text, text
		teams().holds(w, teams().store(w, team), fmt.Sprintf("an insert with the text %q", text))
		a := w.anAccount()
		a.Name, a.Services[0].Key, a.Services[1].AddedBy = text, text, text
		accounts().holds(w, accounts().store(w, a), fmt.Sprintf("an insert with the text %q", text))
		role := w.aRole(a.ID)
		role.Name, role.Permissions = text, []string{text, ""}
		roles().holds(w, roles().store(w, role), fmt.Sprintf("an insert with the text %q", text))
		c := w.aContact(team.ID)
		c.Name, c.Notes, c.Email.Display = text, text, text
		contacts().holds(w, contacts().store(w, c), fmt.Sprintf("an insert with the text %q", text))
		thread := w.aConversation(team)
		thread.Label, thread.Outcome = conversation.Label(text), conversation.Label(text)
		conversations().store(w, thread)
		conversations().holds(w, thread, fmt.Sprintf("an insert with the text %q", text))
		m := w.aMessage(thread.ID, 1)
		m.Text, m.Failure, m.Attachments[0].Name, m.Attachments[1].MediaType = text, text, text, text
		messages().holds(w, messages().store(w, m), fmt.Sprintf("an insert with the text %q", text))
		d := w.aDelivery(thread)
		d.Outcome.Summary, d.Outcome.Status = text, conversation.Label(text)
		deliveries().holds(w, deliveries().store(w, d), fmt.Sprintf("an insert with the text %q", text))
		r := w.anInvitation(team)
		r.Email.Display, r.EndedBy = text, text
		invitations().holds(w, invitations().store(w, r), fmt.Sprintf("an insert with the text %q", text))
	}
}

// documentsCase is hostileCase for texts inside of lists that a row keeps in one column.
func documentsCase(w *world) {
	account := w.account().ID
	thread := w.conversation(w.team()).ID
	for _, text := range []string{"kim\x00", "kim\xff", "\xc3\x28", "kim\xed\xa0\x80", "\xf0\x9f", "\ufffd", "\\ufffd"} {
		a := w.anAccount()
		a.Services[0].Key = text
		w.keptOrRefused(accounts().put(w, a), text, func() { accounts().holds(w, a, fmt.Sprintf("an insert with the text %q", text)) })
		t := w.aTeam(account)
		t.Settings.Statuses[0].Label = text
		w.keptOrRefused(teams().put(w, t), text, func() { teams().holds(w, t, fmt.Sprintf("an insert with the text %q", text)) })
		m := w.aMessage(thread, 1)
		m.Attachments[0].Name = text
		w.keptOrRefused(messages().put(w, m), text, func() {
			messages().holds(w, m, fmt.Sprintf("an insert with the text %q", text))
			thread = w.conversation(w.team()).ID
		})
		r := w.aRole(account)
		r.Permissions[0] = text
		w.keptOrRefused(roles().put(w, r), text, func() { roles().holds(w, r, fmt.Sprintf("an insert with the text %q", text)) })
	}
}

func (w *world) keptOrRefused(err error, text string, holds func()) {
	w.Helper()
	if err != nil {
		w.is(err, tenancy.ErrInvalid, "an insert with the text %q that was refused", text)
		return
	}
	holds()
}

// longCase stores the longest of what the rooms let through, and one more that differs in the
// last letter only (THREATS F8). A store that cuts, or that indexes a prefix, takes the two
// for one.
func longCase(w *world) {
	long := func(letter string, n int, last string) string {
		text := make([]byte, 0, len(letter)*n)
		for range n - 1 {
			text = append(text, letter...)
		}
		return string(append(text, last...))
	}
	wide := func(n int, last string) string { return long("𝕎", n, last) } // four bytes each
	account := w.account().ID
	for _, last := range []string{"𝔸", "𝔹"} {
		u := w.aUser()
		u.Name, u.ExternalID = wide(tenancy.MaxName, last), long("x", tenancy.MaxExternalID-4, last)
		u.Email.Normal = long("m", tenancy.MaxAddress-4, last)
		u.Email.Display = u.Email.Normal
		users().store(w, u)
		answers(w, u, "UserByExternalID of the longest id")(w.store.UserByExternalID(w.ctx, u.ExternalID))
		answers(w, u, "UserByEmail of the longest address")(w.store.UserByEmail(w.ctx, u.Email.Normal))

		a := w.anAccount()
		a.Name, a.Services[0].Key = wide(tenancy.MaxName, last), wide(20_000, last)
		accounts().holds(w, accounts().store(w, a), "an insert with the longest name")
		t := w.aTeam(account)
		t.Name, t.NameKey = wide(tenancy.MaxName, last), wide(tenancy.MaxName, last)
		t.Identity = tenancy.Chat(long("h", 60, last))
		t.Settings.Statuses[0].Label = wide(20_000, last)
		teams().store(w, t)
		role := w.aRole(account)
		role.Name, role.NameKey, role.Permissions = t.Name, t.NameKey, []string{wide(20_000, last)}
		roles().holds(w, roles().store(w, role), "an insert with the longest name")
		answers(w, t, "TeamByName of the longest name")(w.store.TeamByName(w.ctx, account, t.NameKey))
		answers(w, t, "TeamByIdentity of the longest handle")(w.store.TeamByIdentity(w.ctx, t.Identity))

		m := w.aMembership(t.ID, u.ID)
		m.EndedBy = tenancy.System(long("s", tenancy.MaxSystemName, "s")).Principal()
		m.JoinedBy = m.EndedBy
		memberships().holds(w, memberships().store(w, m), "an insert with the longest principal")
		r := w.anInvitation(t)
		r.Email, r.EndedBy = u.Email, m.EndedBy
		invitations().store(w, r)
		answers(w, r, "InvitationsTo has the one to the longest address")(w.pendingTo(w.ctx, t.Account, t.ID, tenancy.ConversationID{}, r.Email.Normal))

		c := w.aContact(t.ID)
		c.Name, c.Email, c.Notes, c.Address = u.Name, u.Email, wide(2000, last), long("a", tenancy.MaxAddress-4, last)
		contacts().store(w, c)
		answers(w, c, "ContactsByAddress of the longest address")(w.contactAt(w.ctx, t.ID, c.Channel, c.Address))
		longest := func() string { return wide(tenancy.MaxName, last) }
		app := w.anApplication(contactIn{t, c})
		app.ApplicationDetails = conversation.ApplicationDetails{
			Source: longest(), Medium: longest(), Campaign: longest(), Job: longest(), Location: longest(), Keyword: longest(),
		}
		app.ExternalID, app.Status = wide(tenancy.MaxExternalID/4, last), conversation.Label(longest())
		applications().holds(w, applications().store(w, app), "an insert with the longest texts")
		answers(w, app, "ApplicationByExternalID of the longest id")(w.store.ApplicationByExternalID(w.ctx, app.Account, app.ExternalID))
		thread := w.aConversation(t)
		thread.Contact, thread.Address, thread.LastSeq = c.ID, c.Address, 1<<53+1
		conversations().store(w, thread)
		lists(w, []conversation.Conversation{thread}, "ConversationsByAddress of the longest address")(w.store.ConversationsByAddress(w.ctx, thread.Identity, thread.Address))
		message := w.aMessage(thread.ID, 1<<53+1)
		message.Text = wide(2<<10, last) // 8 KiB
		message.Failure = long("f", conversation.MaxFailure-4, last)
		for len(message.Attachments) < conversation.MaxAttachments {
			message.Attachments = append(message.Attachments, conversation.Attachment{
				Name: wide(tenancy.MaxName, last), MediaType: long("m", conversation.MaxMediaType, "m"), Size: 1<<63 - 1, Ref: long("r", conversation.MaxRef, "r"),
			})
		}
		messages().holds(w, messages().store(w, message), "an insert with the longest text")
		d := w.aDelivery(thread)
		d.Outcome.Summary, d.About = wide(1000, last), app.ApplicationDetails
		deliveries().holds(w, deliveries().store(w, d), "an insert with the longest summary")

		o := w.aKeptOperation()
		o.Principal, o.Key = m.EndedBy, long("k", tenancy.MaxKey-4, last)
		keptOperations().holds(w, keptOperations().store(w, o), "an insert with the longest key")

		e := w.aTeamEvent(t)
		e.Principal = m.EndedBy
		e.Payload = fmt.Appendf(nil, `{"ids":"%s"}`, long("i", 60_000, "i"))
		w.append(e)
		e.Sequence = 1
		lists(w, w.history(w.ctx, t), "TeamEvents with the longest payload")(append(w.history(w.ctx, t)[:0:0], e), nil)
	}
}
