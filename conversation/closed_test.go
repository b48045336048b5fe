package conversation_test

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/storagetest/everystore"
	"github.com/usher-go/usher/tenancy"
)

// verdict is what a closed conversation answers to an operation.
type verdict string

const (
	works  verdict = "works"
	closed verdict = "closed" // and works in an open one
	denied verdict = "denied" // in any state
)

// closedRow is an operation on one conversation, and what a closed one answers to a member and to
// a guest of it.
type closedRow struct {
	member, guest verdict
	call          func(ctx context.Context, w *world, actor tenancy.Actor, id tenancy.ConversationID) error
}

func first[T any](_ T, err error) error { return err }

// closedMatrix is every operation that an actor does to one conversation, by method; a second row of
// a method has a word behind a comma.
var closedMatrix = map[string]closedRow{
	"Get": {works, works, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return first(w.Conversations.Get(ctx, a, id))
	}},
	"Messages": {works, works, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return first(w.Conversations.Messages(ctx, a, id, 0, 0))
	}},
	"MessagesBefore": {works, works, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return first(w.Conversations.MessagesBefore(ctx, a, id, 0, 0))
	}},
	"Watch": {works, works, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		for _, err := range w.Conversations.Watch(ctx, a, id, 0) {
			return err
		}
		return nil
	}},
	"EditMessage": {closed, closed, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return first(w.Conversations.EditMessage(ctx, a, id, w.latest(id), "Hello again"))
	}},
	"DeleteMessage": {works, works, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return first(w.Conversations.DeleteMessage(ctx, a, id, w.latest(id)))
	}},
	"Contact": {works, works, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return first(w.Conversations.Contact(ctx, a, id))
	}},
	"EditContact": {works, works, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return first(w.Conversations.EditContact(ctx, a, id, conversation.ContactEdit{Name: ptr("Vera")}))
	}},
	"Check": {closed, closed, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return w.Conversations.Check(ctx, a, id, rbac.SendMessage)
	}},
	"Check, of reading": {works, works, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return w.Conversations.Check(ctx, a, id, rbac.ReadConversation)
	}},
	"Can": {closed, closed, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		can, err := w.Conversations.Can(ctx, a, id, rbac.SendMessage)
		if err == nil && !can {
			err = conversation.ErrClosed
		}
		return err
	}},
	"Explain": {closed, closed, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		why, err := w.Conversations.Explain(ctx, a, id, rbac.SendMessage)
		if err == nil {
			err = why.Err
		}
		return err
	}},
	"Capabilities": {closed, closed, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		can, err := w.Conversations.Capabilities(ctx, a, id)
		if err == nil {
			err = can.Of(rbac.SendMessage)
		}
		return err
	}},
	"Send": {closed, closed, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return first(w.Conversations.Send(ctx, a, id, "Hello"))
	}},
	"Type": {closed, closed, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return first(w.Conversations.Type(ctx, a, id, "Hello"))
	}},
	"Type, of ^note": {works, denied, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return first(w.Conversations.Type(ctx, a, id, "^note filed"))
	}},
	"Type, of ^invite": {closed, denied, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return first(w.Conversations.Type(ctx, a, id, "^invite zoe@zoe.example"))
	}},
	"Type, of ^snooze": {closed, denied, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return first(w.Conversations.Type(ctx, a, id, "^snooze 2h"))
	}},
	"Preview": {closed, closed, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return first(w.Conversations.Preview(ctx, a, id, "Hello"))
	}},
	"Preview, of ^note": {works, denied, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return first(w.Conversations.Preview(ctx, a, id, "^note filed"))
	}},
	"Complete": {works, denied, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return first(w.Conversations.Complete(ctx, a, id, "^no", 3))
	}},
	"Responses": {works, denied, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return first(w.Conversations.Responses(ctx, a, id, conversation.AllHours))
	}},
	"Note": {works, denied, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return first(w.Conversations.Note(ctx, a, id, "filed"))
	}},
	"Open": {works, denied, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return first(w.Conversations.Open(ctx, a, id))
	}},
	"Close": {works, denied, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return first(w.Conversations.Close(ctx, a, id, ""))
	}},
	"Snooze": {closed, denied, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return first(w.Conversations.Snooze(ctx, a, id, w.Clock.Now().Add(time.Hour)))
	}},
	"Claim": {closed, denied, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return first(w.Conversations.Claim(ctx, a, id))
	}},
	"Release": {works, denied, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return first(w.Conversations.Release(ctx, a, id))
	}},
	"Skip": {closed, denied, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return first(w.Conversations.Skip(ctx, a, id, conversation.SkipLater, 0))
	}},
	"Assign": {closed, denied, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return first(w.Conversations.Assign(ctx, a, id, w.bob.User))
	}},
	"AssignNext": {closed, denied, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return first(w.Conversations.AssignNext(ctx, a, id, conversation.RoundRobin))
	}},
	"TakeOver": {closed, denied, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return first(w.Conversations.TakeOver(ctx, a, id, w.bob.User))
	}},
	"Unassign": {closed, denied, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return first(w.Conversations.Unassign(ctx, a, id))
	}},
	"Deliver": {closed, denied, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return first(w.Conversations.Deliver(ctx, a, id, conversation.ToUser(w.bob.User), conversation.Outcome{}))
	}},
	"Deliver, to a team": {closed, denied, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return first(w.Conversations.Deliver(ctx, a, id, conversation.ToTeam(w.TeamNamed("Hiring").ID), conversation.Outcome{}))
	}},
	"Offer": {closed, denied, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return w.Store.InTx(ctx, func(ctx context.Context) error { return w.Conversations.Offer(ctx, a, id) })
	}},
	"Apply": {works, denied, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return first(w.Conversations.Apply(ctx, a, id, conversation.ApplicationDetails{Job: "Driver"}))
	}},
	"EditApplication": {works, denied, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return first(w.Conversations.EditApplication(ctx, a, id, w.anApplication(id), conversation.ApplicationEdit{Job: ptr("Welder")}))
	}},
	"SetApplicationStatus": {closed, denied, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return first(w.Conversations.SetApplicationStatus(ctx, a, id, w.anApplication(id), conversation.Qualified))
	}},
	"Applications": {works, denied, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return first(w.Conversations.Applications(ctx, a, id, tenancy.Page{}))
	}},
	"ActiveApplication": {works, denied, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return first(w.Conversations.ActiveApplication(ctx, a, id))
	}},
	"OptOut": {works, denied, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return first(w.Conversations.OptOut(ctx, a, id, "said so on the phone"))
	}},
	"OptIn": {works, denied, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return first(w.Conversations.OptIn(ctx, a, id, "changed their mind"))
	}},
	"OptOutOf": {works, denied, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return first(w.Conversations.OptOutOf(ctx, a, id))
	}},
	"MarkRead": {works, works, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return first(w.Conversations.MarkRead(ctx, a, id, 1))
	}},
	"MarkUnread": {works, works, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return first(w.Conversations.MarkUnread(ctx, a, id, 1))
	}},
	"ReadMark": {works, works, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return first(w.Conversations.ReadMark(ctx, a, id))
	}},
	"Guests": {works, denied, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return first(w.Conversations.Guests(ctx, a, id))
	}},
	"RevokeGuest": {works, denied, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return w.Conversations.RevokeGuest(ctx, a, id, w.User("carol").ID)
	}},
	"History": {works, denied, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return first(w.Conversations.History(ctx, a, id))
	}},
	"Episodes": {works, denied, func(ctx context.Context, w *world, a tenancy.Actor, id tenancy.ConversationID) error {
		return first(w.Conversations.Episodes(ctx, a, id, 0, 0))
	}},
}

// E4: what works in a closed conversation is one matrix, for members and for their guests alike;
// and what it refuses works in an open one.
func TestE4_ClosedConversationMatrix(t *testing.T) {
	for name, row := range closedMatrix {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			for role, want := range map[string]verdict{"member": row.member, "guest": row.guest} {
				w := worldOn(t, everystore.Memory(t))
				c := w.hello()
				actor := w.maria
				if carol := w.Guest(w.bob, c.ID, "carol"); role == "guest" {
					actor = carol
				}
				w.say(actor, c.ID, "Hello")
				w.applies(c.ID, "Driver")
				_, err := w.Conversations.Close(t.Context(), w.bob, c.ID, "")
				require.NoError(t, err)
				before, events := w.get(w.bob, c.ID), len(w.log(w.bob.Team))
				err = row.call(t.Context(), w, actor, c.ID)
				switch want {
				case works:
					require.NoError(t, err, role)
					continue
				case denied:
					require.ErrorIs(t, err, rbac.ErrDenied, role)
				default:
					require.ErrorIs(t, err, conversation.ErrClosed, role)
				}
				assert.Equal(t, before, w.get(w.bob, c.ID), "%s: nothing has changed", role)
				assert.Len(t, w.log(w.bob.Team), events, role)
				_, err = w.Conversations.Open(t.Context(), w.bob, c.ID)
				require.NoError(t, err)
				err = row.call(t.Context(), w, actor, c.ID)
				if want == denied {
					require.ErrorIs(t, err, rbac.ErrDenied, "%s, in an open one", role)
				} else {
					require.NoError(t, err, "%s, in an open one", role)
				}
			}
		})
	}
}

// latest is the newest message of a conversation.
func (w *world) latest(id tenancy.ConversationID) tenancy.MessageID {
	w.t.Helper()
	found, err := w.Store.Messages(w.t.Context(), id, conversation.Range{Newest: true, Limit: 1})
	require.NoError(w.t, err)
	require.Len(w.t, found, 1)
	return found[0].ID
}

// anApplication is one of the conversation's contact.
func (w *world) anApplication(id tenancy.ConversationID) tenancy.ApplicationID {
	w.t.Helper()
	a, err := w.Conversations.ActiveApplication(w.t.Context(), w.bob, id)
	require.NoError(w.t, err)
	return a.ID
}

// An operation that is new takes its place in the matrix.
func TestE4_EveryOperationIsInTheMatrix(t *testing.T) {
	known := map[string]bool{}
	for name := range closedMatrix {
		known[strings.Split(name, ",")[0]] = true
	}
	service := reflect.TypeFor[*conversation.Service]()
	for i := range service.NumMethod() {
		m := service.Method(i)
		acts := m.Type.NumIn() > 3 && m.Type.In(2) == reflect.TypeFor[tenancy.Actor]() && m.Type.In(3) == reflect.TypeFor[tenancy.ConversationID]()
		assert.Equal(t, acts, known[m.Name], "%s: does it act on one conversation, and is it in closedMatrix?", m.Name)
	}
}
