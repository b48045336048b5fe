package conversation_test

import (
	"encoding/json"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/storage/ushertest"
	"github.com/usher-go/usher/tenancy"
)

// fact is what a payload may hold: an id, a number, a time, or words of usher's own. Names, addresses and what
// people write have KILROY in them below, and an address its @.
var fact = regexp.MustCompile(`^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9]+|\d{4}-\d\d-\d\dT[0-9:.]+Z|[A-Za-z][A-Za-z ,-]*|)$`)

// Spec 8: events hold ids and states, and never names, addresses or text, so that who is deleted is deleted.
// Whatever can be written about a conversation is written here, and every kind of event is among it.
func TestSpec8_EventsHoldNoNamesAddressesOrText(t *testing.T) {
	const text = "KILROY was here: kilroy@kilroy.example, +15551230001"
	onEveryStore(t, func(t *testing.T, w *world) {
		ctx, must := t.Context(), func(err error) { t.Helper(); require.NoError(t, err) }
		w.configure(w.alice, func(s *tenancy.Settings) {
			s.Statuses = []tenancy.OutcomeStatus{{Label: "Seen again", Category: tenancy.Neutral}}
			s.AutoClose = time.Hour
		})
		c := w.Receive("Sales", "visitor-KILROY", text)
		must(first(w.Conversations.EditContact(ctx, w.bob, c.ID, conversation.ContactEdit{Name: ptr("KILROY"), Email: ptr("kilroy@kilroy.example"), Notes: ptr(text)})))
		applied, err := w.Conversations.Apply(ctx, w.bob, c.ID, conversation.ApplicationDetails{Source: text, Medium: text, Campaign: text, Job: text, Location: text, Keyword: text})
		must(err)
		must(first(w.Conversations.EditApplication(ctx, w.bob, c.ID, applied.ID, conversation.ApplicationEdit{Job: ptr("KILROY"), Source: ptr("")})))
		must(first(w.Conversations.SetApplicationStatus(ctx, w.bob, c.ID, applied.ID, "seen again")))
		must(first(w.Conversations.RecordApplication(ctx, ushertest.System, conversation.ApplicationRecord{
			To: w.TeamNamed("Sales").Identity, From: "visitor-KILROY", ExternalID: "KILROY", Origin: conversation.FromImport,
			ApplicationDetails: conversation.ApplicationDetails{Job: text},
		})))
		said := w.say(w.bob, c.ID, text, conversation.ClientID("KILROY"), conversation.Attach(conversation.Attachment{Name: "KILROY.pdf", MediaType: "text/plain", Ref: "KILROY"}))
		must(first(w.Conversations.EditMessage(ctx, w.bob, c.ID, said.ID, text+"!")))
		must(first(w.Conversations.DeleteMessage(ctx, w.bob, c.ID, said.ID)))
		note, err := w.Conversations.Note(ctx, w.bob, c.ID, text)
		must(err)
		must(first(w.Conversations.EditMessage(ctx, w.bob, c.ID, note.ID, text+"!")))
		must(first(w.Conversations.DeleteMessage(ctx, w.bob, c.ID, note.ID)))
		must(first(w.Conversations.Post(ctx, ushertest.System, c.ID, conversation.SystemMessage, text)))
		g := gateway{answer: func(conversation.Outgoing) (string, error) {
			return "", &conversation.UndeliverableError{Reason: text}
		}}
		must(w.handOver(&g, w.say(w.bob, c.ID, text)))
		w.types(w.bob, c.ID, "^note "+text)
		w.types(w.bob, c.ID, "^opt-out "+text)
		w.types(w.bob, c.ID, "^opt-in "+text)
		w.types(w.bob, c.ID, "^invite another@kilroy.example")
		w.types(w.bob, c.ID, "^claim")
		must(first(w.Conversations.Skip(ctx, w.bob, c.ID, conversation.SkipLater, 0)))
		w.types(w.bob, c.ID, "^assign me")
		must(first(w.Conversations.Unassign(ctx, w.bob, c.ID)))
		w.snooze(c.ID)
		w.types(w.bob, c.ID, "^open")
		carol := w.Guest(w.bob, c.ID, "KILROY")
		must(w.Conversations.RevokeGuest(ctx, w.bob, c.ID, carol.User))
		d, err := w.Conversations.Deliver(ctx, w.bob, c.ID, conversation.ToUser(w.maria.User),
			conversation.Outcome{Status: "seen again", Summary: text}, conversation.AskAcceptance(0))
		must(err)
		must(first(w.Conversations.DeclineDelivery(ctx, w.maria, d.ID, text)))
		must(first(w.Conversations.Deliver(ctx, w.bob, c.ID, conversation.ToEmail("other-kilroy@kilroy.example"), conversation.Outcome{Summary: text})))
		w.types(w.bob, c.ID, "^close")
		w.Receive("Sales", "visitor-KILROY", text)
		must(first(w.Conversations.Deliver(ctx, w.bob, c.ID, conversation.ToTeam(w.TeamNamed("Hiring").ID), conversation.Outcome{Summary: text})))

		kinds := map[string]bool{}
		for _, team := range []string{"Sales", "Hiring"} {
			for _, e := range w.log(w.TeamNamed(team).ID) {
				kinds[e.Kind] = true
				assert.NotContains(t, e.Principal, "KILROY")
				var facts tenancy.Facts
				require.NoError(t, json.Unmarshal(e.Payload, &facts), e.Kind)
				for name, value := range facts {
					assert.Regexp(t, fact, value, "%s: %s", e.Kind, name)
					assert.NotContains(t, value, "KILROY", "%s: %s", e.Kind, name)
				}
			}
		}
		for _, kind := range []string{
			conversation.ContactCreated, conversation.ContactEdited, conversation.ApplicationCreated, conversation.ApplicationEdited,
			conversation.ApplicationStatusSet, conversation.ConversationStarted, conversation.ConversationSnoozed,
			conversation.ConversationWoken, conversation.ConversationClosed, conversation.ConversationOpened, conversation.ConversationAssigned,
			conversation.ConversationUnassigned, conversation.ConversationClaimed, conversation.ConversationReleased, conversation.ConversationSkipped,
			conversation.ConversationMoved, conversation.MessageReceived, conversation.MessageSent, conversation.MessagePosted, conversation.MessageEdited,
			conversation.MessageDeleted, conversation.MessageStatusChanged, conversation.NoteWritten, conversation.NoteEdited, conversation.NoteDeleted,
			conversation.ContactOptedOut, conversation.ContactOptedIn, conversation.GuestAdmitted, conversation.GuestRevoked,
			conversation.DeliveryRequested, conversation.DeliveryEnded,
		} {
			assert.True(t, kinds[kind], "nothing here is %s", kind)
		}
	})
}
