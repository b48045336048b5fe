package storagetest

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

func memoryCases() []testCase {
	return []testCase{
		{name: "memory of lists is the caller's", rule: ruleMemory, run: listMemoryCase},
		{name: "memory of payloads is the caller's", rule: ruleMemory, covers: []string{"Append", "TeamEvents"}, run: payloadMemoryCase},
		{name: "memory of dead letters is the caller's", rule: ruleMemory, needs: Relaying, covers: []string{"Buried"}, run: deadMemoryCase},
		{name: "memory of leased events is the caller's", rule: ruleMemory, needs: Relaying, covers: []string{"Take"}, run: dueMemoryCase},
	}
}

// scribble overwrites what a list answered, and beyond it: a list that is a part of the
// store's own array has room behind its end.
func scribble[V any](list []V, err error) error {
	var zero V
	for i := range list {
		list[i] = zero
	}
	_ = append(list, zero)
	return err
}

func listMemoryCase(w *world) {
	t := w.town()
	before := w.state(t)
	s, ctx, page := w.store, w.ctx, tenancy.Keyset{Limit: 1}
	whole := tenancy.Keyset{Limit: 100}
	for _, err := range []error{
		scribble(s.Members(ctx, t.team.ID, page)), scribble(s.Members(ctx, t.team.ID, whole)),
		scribble(s.TeamsOf(ctx, t.member.User, whole)),
		scribble(s.Invitations(ctx, t.team.ID, invite.Filter{}, page)), scribble(s.Invitations(ctx, t.team.ID, invite.Filter{}, whole)),
		scribble(s.PendingBy(ctx, t.team.ID, t.invitation.Inviter)),
		scribble(s.Conversations(ctx, conversation.Scope{Team: t.team.ID}, conversation.Filter{}, page)),
		scribble(s.Conversations(ctx, conversation.Scope{Team: t.team.ID}, conversation.Filter{}, whole)),
		scribble(s.ConversationsByAddress(ctx, t.thread.Identity, t.thread.Address)),
		scribble(s.PendingDeliveriesBy(ctx, t.team.ID, t.delivery.By)),
		scribble(s.AssignedTo(ctx, t.team.ID, t.thread.Assignee)),
		scribble(s.Messages(ctx, t.thread.ID, conversation.Range{Notes: true, Limit: 100})),
		scribble(s.Grants(ctx, t.thread.ID)), scribble(s.GrantedIn(ctx, t.team.ID, t.grant.User)),
		scribble(s.Deliveries(ctx, t.thread.ID)), scribble(s.DeliveriesOf(ctx, t.team.ID, whole)),
		scribble(s.TeamEvents(ctx, t.team.ID.UUID(), outbox.LogFilter{}, time.Time{}, uuid.Nil, 100)),
	} {
		w.must(err, "a list")
	}
	w.unchanged(t, before, "writing into the lists that the store answered")
	lists(w, []tenancy.ConversationID{t.thread.ID}, "AssignedTo after writing into its answer")(s.AssignedTo(ctx, t.team.ID, t.thread.Assignee))
	lists(w, []tenancy.ConversationID{t.thread.ID}, "GrantedIn after writing into its answer")(s.GrantedIn(ctx, t.team.ID, t.grant.User))
	lists(w, []tenancy.InvitationID{t.invitation.ID}, "PendingBy after writing into its answer")(s.PendingBy(ctx, t.team.ID, t.invitation.Inviter))
}

func blot(payload []byte) {
	for i := range payload {
		payload[i] = 'X'
	}
}

func payloadMemoryCase(w *world) {
	team := w.team()
	e := w.aTeamEvent(team)
	want := e
	want.Payload, want.Sequence = slices.Clone(e.Payload), 1
	w.append(e)
	blot(e.Payload) // what was given
	lists(w, []outbox.Event{want}, "TeamEvents after writing into the payload that was appended")(w.history(w.ctx, team), nil)
	for _, got := range w.history(w.ctx, team) { // what was answered
		blot(got.Payload)
	}
	lists(w, []outbox.Event{want}, "TeamEvents after writing into the payload that it answered")(w.history(w.ctx, team), nil)
}

func dueMemoryCase(w *world) {
	e := w.queue(1, 1)[0][0]
	want := e
	want.Payload = slices.Clone(e.Payload)
	blot(e.Payload)
	now := w.now()
	for attempt := 1; attempt <= 2; attempt++ {
		due := w.take(now, 1)
		w.taken(due, attempt, now.Add(time.Minute), want)
		for _, d := range due {
			blot(d.Payload)
		}
		now = now.Add(time.Hour)
	}
}

func deadMemoryCase(w *world) {
	q := w.queue(1, 1)
	want := q[0][0]
	want.Payload = slices.Clone(want.Payload)
	letter := w.bury(w.take(w.now(), 1)[0])
	letter.Event = want
	for range 2 {
		got := w.buried()
		lists(w, []outbox.DeadLetter{letter}, "Buried")(got, nil)
		for _, d := range got {
			blot(d.Event.Payload)
		}
	}
}
