package usher_test

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/memory"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

// E1: whatever a guest reads, they read the same in a world that holds nothing but their conversations,
// the people who speak there and themselves: the same items in the same order with the same fields, and the
// same errors.
//
// One difference stays: the numbers. A message and a note draw theirs from one row, gap-free, since order,
// paging and resuming rest on them, and so does each event. So a guest who sees 3 after 1 knows that the
// team wrote something that is not for them, or did something, and when at the earliest and the latest; not
// what, who, or in which of many ways. Numbers of the guest's own were rejected: a second counter that each
// message writes, per guest once their histories begin at different messages, and two numbers for one
// message wherever a member and a guest speak of it. So numbers are compared by their order here.
func TestE1_AGuestReadsAsInAWorldOfTheirOwn(t *testing.T) {
	for name, open := range map[string]func(*testing.T) storage.Store{"memory": everystore.Memory, "sqlite": everystore.SQLite} {
		for _, history := range []tenancy.HistoryPolicy{tenancy.HistoryAll, tenancy.HistoryFromInvitation} {
			t.Run(fmt.Sprint(name, ", history ", history), func(t *testing.T) {
				t.Parallel()
				crowded, alone := tell(t, open(t), history, true), tell(t, open(t), history, false)
				for _, read := range slices.Sorted(maps.Keys(guestReads)) {
					want, got := alone.told(read), crowded.told(read)
					assert.NotEmpty(t, want, read)
					for i := range min(len(want), len(got)) {
						if !assert.Equal(t, want[i], got[i], "%s tells a guest of what is not theirs", read) {
							break
						}
					}
					assert.Len(t, got, len(want), "%s tells a guest of what is not theirs", read)
				}
			})
		}
	}
}

// Every operation that writes nothing, and that a user can ask for, is compared above.
func TestE1_EveryReadIsCompared(t *testing.T) {
	methods := map[string]reflect.Type{}
	for room, service := range map[string]reflect.Type{
		"Usher": reflect.TypeFor[*usher.Usher](), "tenancy": reflect.TypeFor[*tenancy.Service](),
		"invite": reflect.TypeFor[*invite.Service](), "conversation": reflect.TypeFor[*conversation.Service](),
	} {
		for i := range service.NumMethod() {
			methods[room+"."+service.Method(i).Name] = service.Method(i).Type
		}
	}
	principals := []reflect.Type{
		reflect.TypeFor[tenancy.Actor](), reflect.TypeFor[tenancy.UserID](), reflect.TypeFor[tenancy.Principal](), reflect.TypeFor[invite.Token](),
	}
	found := map[string]bool{}
	for name, op := range operations {
		method, _, _ := strings.Cut(name, ",")
		if found[method] || !slices.Contains(principals, methods[method].In(2)) {
			continue
		}
		store := &countsTransactions{Store: memory.New()}
		s := newScene(t, store)
		store.begun = 0
		require.NoError(t, op.call(t.Context(), s, s.proper, s.own), name)
		if store.begun > 0 {
			continue
		}
		found[method] = true
		assert.NotNil(t, guestReads[method], "%s writes nothing: let it be asked by a guest in both worlds", method)
	}
	for name := range guestReads {
		assert.True(t, found[name], "%s is no operation that reads", name)
	}
}

// countsTransactions counts those that services begin.
type countsTransactions struct {
	storage.Store
	begun int
}

func (s *countsTransactions) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	s.begun++
	return s.Store.InTx(ctx, fn)
}

// guestWorld is a world as one guest finds it.
type guestWorld struct {
	*ushertest.World
	t          *testing.T
	crowded    bool
	minute     int
	bob, carol tenancy.Actor
	// granted are the guest's conversations, and hidden one that is not theirs; in the world where there is
	// none it is nobody's, as the other ids are.
	granted    []tenancy.ConversationID
	hidden     tenancy.ConversationID
	user       tenancy.UserID
	invitation tenancy.InvitationID
	link       tenancy.InvitationID
	request    tenancy.InvitationID
	last       tenancy.MessageID // of each conversation that is granted, by text
	names      map[string]string
}

// both does at its time what the guest may know of, and aside what they may not, which happens in the
// crowded world alone.
func (w *guestWorld) both(step func()) {
	w.minute++
	w.Clock.Set(time.Date(2030, 1, 2, 3, w.minute, 0, 0, time.UTC))
	step()
}

func (w *guestWorld) aside(step func()) {
	w.both(func() {
		if w.crowded {
			step()
		}
	})
}

func done[V any](t *testing.T) func(V, error) V {
	return func(v V, err error) V {
		t.Helper()
		require.NoError(t, err)
		return v
	}
}

// says is a message of a contact, which has the same provider's id in both worlds.
func (w *guestWorld) says(team, contact, text string) tenancy.ConversationID {
	w.t.Helper()
	return done[conversation.Conversation](w.t)(w.Conversations.Receive(w.t.Context(), ushertest.System, conversation.Inbound{
		To: w.TeamNamed(team).Identity, From: contact, ID: contact + ": " + text, Text: text,
	})).ID
}

// tell tells the story of a guest, with all that goes on around them or without.
func tell(t *testing.T, store storage.Store, history tenancy.HistoryPolicy, crowded bool) *guestWorld {
	t.Helper()
	nobody := random()
	w := &guestWorld{
		World: ushertest.NewWorldOn(t, store, usher.WithSender(nil)), t: t, crowded: crowded, // so that what is said can be changed
		hidden: nobody.conversation, user: nobody.user, invitation: nobody.invitation, link: nobody.link, request: nobody.request,
	}
	ctx, conv, msg, did := t.Context(), done[conversation.Conversation](t), done[conversation.Message](t), done[conversation.Delivery](t)
	w.both(func() { w.User("carol") })
	w.aside(func() {
		w.Account("globex").Team("Sales", ushertest.Manager("oscar"))
		w.Guest(w.Actor("oscar", "Sales"), w.says("Sales", "visitor-1", "Hi"), "carol") // of another account's, which has ended
		require.NoError(t, w.Tenancy.Leave(ctx, w.Actor("carol", "Sales")))
	})
	w.both(func() {
		w.Account("acme").Team("Sales", ushertest.Manager("alice"), ushertest.Member("bob"))
		w.bob = w.Actor("bob", "Sales")
		done[tenancy.Team](t)(w.Tenancy.Configure(ctx, w.Actor("alice", "Sales"), tenancy.Settings{History: history}))
	})
	w.aside(func() {
		sales := w.bob.Team
		w.Team("Hiring", ushertest.Manager("dana"), ushertest.Member("bob"))
		maria := w.User("maria").ID
		done[tenancy.Membership](t)(w.Tenancy.Admit(ctx, ushertest.System, tenancy.Admission{Team: sales, User: maria, Role: rbac.Member}))
		w.user = maria
		// The team knows the contact from elsewhere.
		before := w.says("Hiring", "visitor-1", "Hi, Hiring")
		did(w.Conversations.Deliver(ctx, w.Actor("dana", "Hiring"), before, conversation.ToTeam(sales), conversation.Outcome{}))
		notes := "met in Hiring"
		done[conversation.Contact](t)(w.Conversations.EditContact(ctx, w.bob, before, conversation.ContactEdit{Notes: &notes}))
		w.hidden = w.says("Sales", "visitor-2", "Secret")
	})
	var first, second tenancy.ConversationID
	var mine conversation.Message
	w.both(func() { first = w.says("Sales", "visitor-1", "Hi, is the job still open?") })
	w.aside(func() { msg(w.Conversations.Note(ctx, w.bob, first, "looks promising")) })
	w.both(func() { mine = msg(w.Conversations.Send(ctx, w.bob, first, "It is")) })
	w.both(func() { second = w.says("Sales", "visitor-7", "Hello there") })
	w.granted = []tenancy.ConversationID{first, second}
	w.aside(func() {
		conv(w.Conversations.Assign(ctx, w.bob, first, w.bob.User))
		note := msg(w.Conversations.Note(ctx, w.bob, first, "call tomorrow"))
		msg(w.Conversations.EditMessage(ctx, w.bob, first, note.ID, "call today"))
		w.Guest(w.bob, first, "dave")
		w.Guest(w.bob, w.hidden, "dave")
		w.Guest(w.bob, w.hidden, "carol")
		require.NoError(t, w.Conversations.RevokeGuest(ctx, w.bob, w.hidden, w.User("carol").ID))
		require.NoError(t, w.Tenancy.Remove(ctx, w.Actor("alice", "Sales"), w.User("carol").ID))
	})
	w.both(func() { w.carol = w.Guest(w.bob, first, "carol") })
	w.both(func() { w.Guest(w.bob, second, "carol") })
	w.aside(func() {
		alice := w.Actor("alice", "Sales")
		w.invitation = done[invite.Invitation](t)(w.Invites.Create(ctx, alice, invite.ToTeam("new@new.example", rbac.Member))).ID
		done[tenancy.Team](t)(w.Tenancy.Configure(ctx, alice, tenancy.Settings{
			History: history, JoinDomains: []string{"asker.example"}, Capacity: 7, DeliverTo: []tenancy.TeamID{w.TeamNamed("Hiring").ID},
		}))
		w.link, w.request = w.Link(alice, invite.LinkSpec{Uses: 2}).ID, w.Asks("asker", "Sales").ID
	})
	w.both(func() { msg(w.Conversations.EditMessage(ctx, w.bob, first, mine.ID, "It is, still")) })
	w.both(func() { msg(w.Conversations.Send(ctx, w.carol, first, "I am the client")) })
	w.aside(func() {
		note := msg(w.Conversations.Note(ctx, w.bob, first, "our client, at last"))
		msg(w.Conversations.DeleteMessage(ctx, w.bob, first, note.ID))
		conv(w.Conversations.OptOut(ctx, w.bob, first, "said so"))
		conv(w.Conversations.OptIn(ctx, w.bob, first, "changed their mind"))
		w.says("Sales", "visitor-2", "More secrets")
	})
	w.both(func() { done[conversation.ReadMark](t)(w.Conversations.MarkRead(ctx, w.carol, first, 999)) })
	w.both(func() { w.says("Sales", "visitor-1", "And what does it pay?") })
	w.aside(func() { msg(w.Conversations.Note(ctx, w.bob, first, "too much")) })
	w.both(func() { conv(w.Conversations.Snooze(ctx, w.bob, first, w.Clock.Now().Add(time.Hour))) })
	w.both(func() { conv(w.Conversations.Open(ctx, w.bob, first)) })
	w.both(func() { msg(w.Conversations.DeleteMessage(ctx, w.bob, first, mine.ID)) })
	w.aside(func() {
		conv(w.Conversations.Claim(ctx, w.bob, first))
		did(w.Conversations.Deliver(ctx, w.bob, first, conversation.ToUser(w.user), conversation.Outcome{Rating: 4, Summary: "a good one"}))
		job := done[conversation.Application](t)
		job(w.Conversations.Apply(ctx, w.bob, first, conversation.ApplicationDetails{Job: "Driver", Source: "a friend"}))
		job(w.Conversations.RecordApplication(ctx, ushertest.System, conversation.ApplicationRecord{
			To: w.TeamNamed("Sales").Identity, From: "visitor-1", ExternalID: "ats-1", Origin: conversation.FromImport,
		}))
		notes := "asks for money"
		done[conversation.Contact](t)(w.Conversations.EditContact(ctx, w.bob, first, conversation.ContactEdit{Notes: &notes}))
	})
	w.both(func() { conv(w.Conversations.Close(ctx, w.bob, second, "")) })
	w.both(func() { w.says("Sales", "visitor-7", "One more thing") }) // which opens it again
	for _, id := range w.granted {
		w.both(func() { w.last = msg(w.Conversations.Send(ctx, w.bob, id, "The end")).ID })
	}
	w.aside(func() { msg(w.Conversations.Note(ctx, w.bob, first, "and now that one is the newest")) })
	w.aside(func() { require.NoError(t, w.Conversations.RevokeGuest(ctx, w.bob, first, w.User("dave").ID)) })
	w.both(func() {})
	w.nameAll()
	return w
}

// nameAll names what the guest knows by what it is, so that the ids of two worlds can be compared.
func (w *guestWorld) nameAll() {
	w.names = map[string]string{
		w.bob.User.String(): "bob", w.carol.User.String(): "carol", w.bob.Team.String(): "the team",
		w.TeamNamed("Sales").Account.String(): "the account", w.hidden.String(): "hidden",
		w.invitation.String(): "an invitation", w.link.String(): "a link", w.request.String(): "a request", w.user.String(): "somebody",
	}
	for i, id := range w.granted {
		w.names[id.String()] = fmt.Sprint("conversation ", i)
		c := done[conversation.Contact](w.t)(w.Conversations.Contact(w.t.Context(), w.carol, id))
		w.names[c.ID.String()] = fmt.Sprint("contact ", i)
		for n, m := range w.messages(id) {
			w.names[m.ID.String()] = fmt.Sprint("message ", n, " of ", i)
		}
	}
}

var anID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// named puts the names in the place of ids. What the guest should not know has none, and differs.
func (w *guestWorld) named(text string) string {
	return anID.ReplaceAllStringFunc(text, func(id string) string {
		if name, known := w.names[id]; known {
			return name
		}
		if id == uuid.Nil.String() {
			return "nobody"
		}
		return id
	})
}

// told is what a read tells the guest, a line for each answer.
func (w *guestWorld) told(read string) (lines []string) {
	for _, reply := range guestReads[read](w.t.Context(), w) {
		lines = append(lines, w.named(fmt.Sprintf("%+v", reply)))
	}
	return lines
}

// messages are those that the guest sees.
func (w *guestWorld) messages(id tenancy.ConversationID) []conversation.Message {
	w.t.Helper()
	return done[[]conversation.Message](w.t)(w.Conversations.Messages(w.t.Context(), w.carol, id, 0, 0))
}

// rank is how many of the messages that the guest sees come before a number.
func (w *guestWorld) rank(id tenancy.ConversationID, seq int64) (n int64) {
	for _, m := range w.messages(id) {
		if m.Seq < seq {
			n++
		}
	}
	return n
}

// reply is what a read answered.
type reply struct {
	Of  string
	Got any
	Err error
}

// answers collects them.
type answers []reply

func (a *answers) add(of string, got any, err error) { *a = append(*a, reply{of, got, err}) }

func ask[V any](a *answers, of string) func(V, error) {
	return func(v V, err error) { a.add(of, v, err) }
}

// targets are the guest's conversations and one that is not theirs.
func (w *guestWorld) targets() []tenancy.ConversationID {
	return append(slices.Clone(w.granted), w.hidden)
}

// paged asks for a list in pages of one, by whose cursors it goes on, and in one page.
func paged[V any](list func(page tenancy.Page) (tenancy.List[V], error), show func(V) any) (all answers) {
	for _, limit := range []int{1, 0} {
		page := tenancy.Page{Limit: limit}
		for range 20 {
			found, err := list(page)
			for _, item := range found.Items {
				all.add(fmt.Sprint("in pages of ", limit), show(item), err)
			}
			all.add("more", found.Next != "", err)
			if page.After = found.Next; err != nil || page.After == "" {
				break
			}
		}
	}
	return all
}

func asItIs[V any](v V) any { return v }

// shown is a message with its rank for a number.
func (w *guestWorld) shown(found []conversation.Message, err error) (any, error) {
	found = slices.Clone(found)
	for i := range found {
		found[i].Seq = w.rank(found[i].Conversation, found[i].Seq)
	}
	return found, err
}

// plain is all that was read for a decision, and not only what it prints. The team's capacity is among it for
// the other rooms; an explanation is for the people who run the host.
func plain(d tenancy.Decision, err error) (any, error) {
	type decision tenancy.Decision
	by := ""
	if d.By != nil {
		by = d.By.Principal()
	}
	d.Authority.Capacity, d.By = 0, nil
	return []any{by, decision(d)}, err
}

// ofEach asks for each permission there is.
func ofEach(w *guestWorld, ask func(a *answers, perm rbac.Permission)) (all answers) {
	for _, perm := range rbac.Permissions() {
		ask(&all, perm)
	}
	return all
}

// ofEachConversation asks for each of the conversations.
func ofEachConversation(w *guestWorld, ask func(a *answers, id tenancy.ConversationID)) (all answers) {
	for _, id := range w.targets() {
		ask(&all, id)
	}
	return all
}

// guestReads are what a guest can ask for that writes nothing.
var guestReads = map[string]func(ctx context.Context, w *guestWorld) answers{
	"Usher.Check": func(ctx context.Context, w *guestWorld) answers {
		return ofEach(w, func(a *answers, p rbac.Permission) { a.add(p.String(), nil, w.Check(ctx, w.carol, p)) })
	},
	"Usher.Can": func(ctx context.Context, w *guestWorld) answers {
		return ofEach(w, func(a *answers, p rbac.Permission) { ask[bool](a, p.String())(w.Can(ctx, w.carol, p)) })
	},
	"Usher.Explain": func(ctx context.Context, w *guestWorld) answers {
		return ofEach(w, func(a *answers, p rbac.Permission) {
			ask[any](a, p.String())(plain(w.Usher.Explain(ctx, w.carol, p)))
			ask[any](a, p.String())(plain(w.Usher.Explain(ctx, tenancy.Self(w.carol.User), p)))
		})
	},
	"Usher.Capabilities": func(ctx context.Context, w *guestWorld) (a answers) {
		ask[tenancy.Capabilities](&a, "")(w.Usher.Capabilities(ctx, w.carol))
		return a
	},
	"tenancy.Check": func(ctx context.Context, w *guestWorld) answers {
		return ofEach(w, func(a *answers, p rbac.Permission) { a.add(p.String(), nil, w.Tenancy.Check(ctx, w.carol, p)) })
	},
	"tenancy.Can": func(ctx context.Context, w *guestWorld) answers {
		return ofEach(w, func(a *answers, p rbac.Permission) { ask[bool](a, p.String())(w.Tenancy.Can(ctx, w.carol, p)) })
	},
	"tenancy.Explain": func(ctx context.Context, w *guestWorld) answers {
		return ofEach(w, func(a *answers, p rbac.Permission) {
			for _, reach := range []rbac.Reach{rbac.ByTeam, rbac.ByGrant} {
				ask[any](a, p.String())(plain(w.Tenancy.Explain(ctx, w.carol, p, reach)))
			}
		})
	},
	"tenancy.Capabilities": func(ctx context.Context, w *guestWorld) (a answers) {
		ask[tenancy.Capabilities](&a, "")(w.Tenancy.Capabilities(ctx, w.carol))
		return a
	},
	"tenancy.CapabilitiesOn": func(ctx context.Context, w *guestWorld) (a answers) {
		for _, user := range []tenancy.UserID{w.carol.User, w.bob.User, w.user} {
			ask[tenancy.Capabilities](&a, "")(w.Tenancy.CapabilitiesOn(ctx, w.carol, user))
		}
		return a
	},
	"tenancy.Standing": func(ctx context.Context, w *guestWorld) (a answers) {
		st, err := w.Tenancy.Standing(ctx, w.carol)
		a.add("", []any{st.Actor, st.Account, st.Role, st.Custom, st.Autoclaim}, err) // Capacity is for the rooms
		return a
	},
	"tenancy.User": func(ctx context.Context, w *guestWorld) (a answers) {
		ask[tenancy.User](&a, "")(w.Tenancy.User(ctx, w.carol.User))
		return a
	},
	"tenancy.MyAccounts": func(ctx context.Context, w *guestWorld) answers {
		return paged(func(page tenancy.Page) (tenancy.List[tenancy.Account], error) {
			return w.Tenancy.MyAccounts(ctx, w.carol.User, page)
		}, asItIs)
	},
	"tenancy.MyTeams": func(ctx context.Context, w *guestWorld) answers {
		return paged(func(page tenancy.Page) (tenancy.List[tenancy.TeamOfUser], error) {
			return w.Tenancy.MyTeams(ctx, w.carol.User, page)
		}, func(m tenancy.TeamOfUser) any {
			m.Version = 0 // they were in the team before, which they know
			return m
		})
	},
	"tenancy.JoinableTeams": func(ctx context.Context, w *guestWorld) answers {
		return paged(func(page tenancy.Page) (tenancy.List[tenancy.JoinableTeam], error) {
			return w.Tenancy.JoinableTeams(ctx, w.carol.User, page)
		}, asItIs)
	},
	"tenancy.Team": func(ctx context.Context, w *guestWorld) (a answers) {
		ask[tenancy.Team](&a, "")(w.Tenancy.Team(ctx, w.carol))
		return a
	},
	"tenancy.TeamByName": func(ctx context.Context, w *guestWorld) (a answers) {
		for _, name := range []string{"Sales", "Hiring", "None"} {
			ask[tenancy.Team](&a, name)(w.Tenancy.TeamByName(ctx, w.carol, name))
		}
		return a
	},
	"tenancy.Roles": func(ctx context.Context, w *guestWorld) (a answers) {
		ask[[]tenancy.CustomRole](&a, "")(w.Tenancy.Roles(ctx, w.carol))
		return a
	},
	"tenancy.Members": func(ctx context.Context, w *guestWorld) answers {
		return paged(func(page tenancy.Page) (tenancy.List[tenancy.Member], error) {
			return w.Tenancy.Members(ctx, w.carol, page)
		}, asItIs)
	},
	"tenancy.MemberByEmail": func(ctx context.Context, w *guestWorld) (a answers) {
		for _, name := range []string{"bob", "maria", "dave", "carol"} {
			ask[tenancy.Membership](&a, name)(w.Tenancy.MemberByEmail(ctx, w.carol, ushertest.Email(name)))
		}
		return a
	},
	"tenancy.MembersByEmail": func(ctx context.Context, w *guestWorld) (a answers) {
		ask[map[string]tenancy.Membership](&a, "")(w.Tenancy.MembersByEmail(ctx, w.carol, ushertest.Email("bob"), ushertest.Email("maria")))
		return a
	},
	"tenancy.Audit": func(ctx context.Context, w *guestWorld) (a answers) {
		_, err := w.Tenancy.Audit(ctx, w.carol, tenancy.AuditFilter{}, tenancy.Page{})
		a.add("", nil, err)
		return a
	},
	"invite.Get": func(ctx context.Context, w *guestWorld) (a answers) {
		ask[invite.Invitation](&a, "")(w.Invites.Get(ctx, w.carol, w.invitation))
		return a
	},
	"invite.History": func(ctx context.Context, w *guestWorld) (a answers) {
		_, err := w.Invites.History(ctx, w.carol, w.invitation)
		a.add("", nil, err)
		return a
	},
	"invite.LinkUses": func(ctx context.Context, w *guestWorld) (a answers) {
		_, err := w.Invites.LinkUses(ctx, w.carol, w.link, tenancy.Page{})
		a.add("", nil, err)
		return a
	},
	"invite.List": func(ctx context.Context, w *guestWorld) answers {
		return paged(func(page tenancy.Page) (tenancy.List[invite.Invitation], error) {
			return w.Invites.List(ctx, w.carol, invite.Filter{}, page)
		}, asItIs)
	},
	"invite.MyRequests": func(ctx context.Context, w *guestWorld) answers {
		return paged(func(page tenancy.Page) (tenancy.List[invite.Invitation], error) {
			return w.Invites.MyRequests(ctx, w.carol.User, page)
		}, asItIs)
	},
	"invite.Preview": func(ctx context.Context, w *guestWorld) (a answers) {
		ask[invite.Preview](&a, "")(w.Invites.Preview(ctx, w.Token("carol")))
		return a
	},
	"conversation.Complete": func(ctx context.Context, w *guestWorld) answers {
		return ofEachConversation(w, func(a *answers, id tenancy.ConversationID) {
			for _, line := range []string{"^", "^assign ", "^deliver "} {
				ask[conversation.Completion](a, line)(w.Conversations.Complete(ctx, w.carol, id, line, len(line)))
			}
		})
	},
	"conversation.Responses": func(ctx context.Context, w *guestWorld) answers {
		return ofEachConversation(w, func(a *answers, id tenancy.ConversationID) {
			ask[conversation.Responses](a, "")(w.Conversations.Responses(ctx, w.carol, id, conversation.AllHours))
		})
	},
	"conversation.Check": func(ctx context.Context, w *guestWorld) answers {
		return ofEachConversation(w, func(a *answers, id tenancy.ConversationID) {
			for _, p := range rbac.Permissions() {
				a.add(p.String(), nil, w.Conversations.Check(ctx, w.carol, id, p))
			}
		})
	},
	"conversation.Can": func(ctx context.Context, w *guestWorld) answers {
		return ofEachConversation(w, func(a *answers, id tenancy.ConversationID) {
			for _, p := range rbac.Permissions() {
				ask[bool](a, p.String())(w.Conversations.Can(ctx, w.carol, id, p))
			}
		})
	},
	"conversation.Explain": func(ctx context.Context, w *guestWorld) answers {
		return ofEachConversation(w, func(a *answers, id tenancy.ConversationID) {
			for _, p := range rbac.Permissions() {
				why, err := w.Conversations.Explain(ctx, w.carol, id, p)
				why.Grant.FromSeq = w.rankOf(why.Grant)
				reasons, err := plain(why.Decision, err)
				a.add(p.String(), []any{reasons, why.Status, why.Grant}, err)
			}
		})
	},
	"conversation.Capabilities": func(ctx context.Context, w *guestWorld) answers {
		return ofEachConversation(w, func(a *answers, id tenancy.ConversationID) {
			ask[tenancy.Capabilities](a, "")(w.Conversations.Capabilities(ctx, w.carol, id))
		})
	},
	"conversation.Scope": func(ctx context.Context, w *guestWorld) (a answers) {
		ask[conversation.Scope](&a, "")(w.Conversations.Scope(ctx, w.carol))
		return a
	},
	"conversation.Get": func(ctx context.Context, w *guestWorld) answers {
		return ofEachConversation(w, func(a *answers, id tenancy.ConversationID) {
			ask[conversation.Conversation](a, "")(w.Conversations.Get(ctx, w.carol, id))
		})
	},
	"conversation.List": func(ctx context.Context, w *guestWorld) (all answers) {
		for _, f := range []conversation.Filter{
			{}, {Status: conversation.Open}, {Status: conversation.Closed}, {Waiting: true}, {Unclaimed: true}, {Assignee: w.bob.User}, {Claimant: w.bob.User},
		} {
			all = append(all, paged(func(page tenancy.Page) (tenancy.List[conversation.Conversation], error) {
				return w.Conversations.List(ctx, w.carol, f, page)
			}, asItIs)...)
		}
		return all
	},
	"conversation.Messages": func(ctx context.Context, w *guestWorld) answers {
		return ofEachConversation(w, func(a *answers, id tenancy.ConversationID) {
			ask[any](a, "all")(w.shown(w.Conversations.Messages(ctx, w.carol, id, 0, 0)))
			for _, m := range w.some(id) {
				ask[any](a, "two after")(w.shown(w.Conversations.Messages(ctx, w.carol, id, m.Seq, 2)))
			}
		})
	},
	"conversation.MessagesBefore": func(ctx context.Context, w *guestWorld) answers {
		return ofEachConversation(w, func(a *answers, id tenancy.ConversationID) {
			ask[any](a, "the last two")(w.shown(w.Conversations.MessagesBefore(ctx, w.carol, id, 0, 2)))
			for _, m := range w.some(id) {
				ask[any](a, "two before")(w.shown(w.Conversations.MessagesBefore(ctx, w.carol, id, m.Seq, 2)))
			}
		})
	},
	"conversation.Watch": func(ctx context.Context, w *guestWorld) answers {
		return ofEachConversation(w, func(a *answers, id tenancy.ConversationID) {
			n := int64(0)
			for u, err := range w.Conversations.Watch(ctx, w.carol, id, 0) {
				end := w.ends(id, u)
				n++
				u.Seq = n
				if u.Facts["seq"] != "" {
					u.Facts["seq"] = fmt.Sprint(w.rank(id, number(w.t, u.Facts["seq"])))
				}
				a.add("", u, err)
				if end {
					break
				}
			}
		})
	},
	"conversation.WatchTeam": func(ctx context.Context, w *guestWorld) (a answers) {
		for u, err := range w.Conversations.WatchTeam(ctx, w.carol, "") {
			a.add("", u, err)
			break
		}
		return a
	},
	"conversation.TeamPosition": func(ctx context.Context, w *guestWorld) (a answers) {
		ask[conversation.Position](&a, "")(w.Conversations.TeamPosition(ctx, w.carol))
		return a
	},
	"conversation.Search": func(ctx context.Context, w *guestWorld) (a answers) {
		for _, text := range []string{"secret", "end", "promising"} {
			_, err := w.Conversations.Search(ctx, w.carol, text, tenancy.Page{})
			a.add(text, nil, err)
		}
		return a
	},
	"conversation.Inbox": func(ctx context.Context, w *guestWorld) (a answers) {
		_, err := w.Conversations.Inbox(ctx, w.carol, tenancy.Page{})
		a.add("", nil, err)
		return a
	},
	"conversation.Deliveries": func(ctx context.Context, w *guestWorld) (a answers) {
		_, err := w.Conversations.Deliveries(ctx, w.carol, tenancy.Page{})
		a.add("", nil, err)
		return a
	},
	"conversation.History": func(ctx context.Context, w *guestWorld) answers {
		return ofEachConversation(w, func(a *answers, id tenancy.ConversationID) {
			ask[[]conversation.Delivery](a, "")(w.Conversations.History(ctx, w.carol, id))
		})
	},
	"conversation.Episodes": func(ctx context.Context, w *guestWorld) answers {
		return ofEachConversation(w, func(a *answers, id tenancy.ConversationID) {
			ask[[]conversation.Episode](a, "")(w.Conversations.Episodes(ctx, w.carol, id, 0, 0))
		})
	},
	"conversation.Contact": func(ctx context.Context, w *guestWorld) answers {
		return ofEachConversation(w, func(a *answers, id tenancy.ConversationID) {
			ask[conversation.Contact](a, "")(w.Conversations.Contact(ctx, w.carol, id))
		})
	},
	"conversation.Applications": func(ctx context.Context, w *guestWorld) answers {
		return ofEachConversation(w, func(a *answers, id tenancy.ConversationID) {
			ask[tenancy.List[conversation.Application]](a, "")(w.Conversations.Applications(ctx, w.carol, id, tenancy.Page{}))
		})
	},
	"conversation.ActiveApplication": func(ctx context.Context, w *guestWorld) answers {
		return ofEachConversation(w, func(a *answers, id tenancy.ConversationID) {
			ask[conversation.Application](a, "")(w.Conversations.ActiveApplication(ctx, w.carol, id))
		})
	},
	"conversation.OptOutOf": func(ctx context.Context, w *guestWorld) answers {
		return ofEachConversation(w, func(a *answers, id tenancy.ConversationID) {
			ask[conversation.OptOut](a, "")(w.Conversations.OptOutOf(ctx, w.carol, id))
		})
	},
	"conversation.ReadMark": func(ctx context.Context, w *guestWorld) answers {
		return ofEachConversation(w, func(a *answers, id tenancy.ConversationID) {
			mark, err := w.Conversations.ReadMark(ctx, w.carol, id)
			if err == nil {
				mark.Seq = w.rank(id, mark.Seq)
			}
			a.add("", mark, err)
		})
	},
	"conversation.Unread": func(ctx context.Context, w *guestWorld) (a answers) {
		ask[map[tenancy.ConversationID]int](&a, "all")(w.Conversations.Unread(ctx, w.carol, w.targets()...))
		return a
	},
	"conversation.Guests": func(ctx context.Context, w *guestWorld) answers {
		return ofEachConversation(w, func(a *answers, id tenancy.ConversationID) {
			ask[[]conversation.Grant](a, "")(w.Conversations.Guests(ctx, w.carol, id))
		})
	},
}

// rankOf is the rank of the first message that a grant shows.
func (w *guestWorld) rankOf(g conversation.Grant) int64 {
	if g.Conversation.IsZero() {
		return 0
	}
	return w.rank(g.Conversation, g.FromSeq)
}

// some are the messages of a conversation, if it is the guest's.
func (w *guestWorld) some(id tenancy.ConversationID) []conversation.Message {
	if id == w.hidden {
		return nil
	}
	return w.messages(id)
}

// ends reports whether an update is of the last message.
func (w *guestWorld) ends(id tenancy.ConversationID, u conversation.Update) bool {
	all := w.some(id)
	return len(all) > 0 && u.Kind == conversation.MessageSent && u.Facts["message"] == all[len(all)-1].ID.String()
}

func number(t *testing.T, text string) (n int64) {
	t.Helper()
	_, err := fmt.Sscan(text, &n)
	require.NoError(t, err)
	return n
}
