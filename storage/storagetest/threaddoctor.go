package storagetest

import (
	"time"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

func threadDoctorCases() []testCase {
	covers := []string{"Broken"}
	return []testCase{
		{name: "broken: a conversation of somebody who is not in the team", rule: ruleFlawAssignee, covers: covers, run: assigneeFlawCase},
		{name: "broken: a conversation claimed by somebody who is not in the team", rule: ruleFlawClaimant, covers: covers, run: claimantFlawCase},
		{name: "broken: a delivery that waits for nothing", rule: ruleFlawDelivery, covers: covers, run: deliveryFlawCase},
		{name: "broken: a guest who is not in the team", rule: ruleFlawGrant, covers: covers, run: grantFlawCase},
		{name: "broken: a conversation that miscounts its messages", rule: ruleFlawCounter, covers: covers, run: counterFlawCase},
	}
}

func findingIn(c conversation.Conversation) tenancy.Finding {
	return tenancy.Finding{Account: c.Account.UUID(), Team: c.Team.UUID(), Subject: c.ID.UUID()}
}

func assigneeFlawCase(w *world) {
	holderFlaw(w, conversation.FlawAssignee, func(c *conversation.Conversation) *tenancy.UserID { return &c.Assignee })
}

func claimantFlawCase(w *world) {
	holderFlaw(w, conversation.FlawClaimant, func(c *conversation.Conversation) *tenancy.UserID { return &c.Claimant })
}

// holderFlaw looks for conversations that are in the hands of people who may not have them.
func holderFlaw(w *world, flaw tenancy.Flaw, of func(c *conversation.Conversation) *tenancy.UserID) {
	var want []tenancy.Finding
	team := w.team()
	elsewhere := w.member(w.team().ID, rbac.Manager).User
	for _, status := range []tenancy.MembershipStatus{"", tenancy.MembershipActive, tenancy.MembershipSuspended, tenancy.MembershipRemoved} {
		c := w.aConversation(team)
		if status == "" {
			*of(&c) = elsewhere
		} else {
			m := w.aMembership(team.ID, *of(&c))
			m.Status, m.ExpiresAt = status, m.JoinedAt // expired: for the sweep to tidy up
			memberships().store(w, m)
		}
		if status != tenancy.MembershipActive {
			want = append(want, findingIn(c))
		}
		conversations().store(w, c)
	}
	suspended := w.aConversation(team)
	memberships().store(w, w.aMembership(team.ID, *of(&suspended)))
	w.ends(*of(&suspended), tenancy.UserSuspended)
	conversations().store(w, suspended)
	want = append(want, findingIn(suspended))
	nobody := w.aConversation(team)
	*of(&nobody) = tenancy.UserID{}
	conversations().store(w, nobody)
	w.diagnoses(flaw, want)
}

func deliveryFlawCase(w *world) {
	var want []tenancy.Finding
	team := w.team()
	for _, state := range invite.States() {
		for _, ended := range []bool{false, true} {
			c := w.conversation(team)
			d := w.aDelivery(c)
			if ended {
				d.State = conversation.DeliveryDeclined
			}
			deliveries().store(w, d)
			r, err := w.store.Invitation(w.ctx, team.ID, d.Invitation)
			w.must(err, "Invitation")
			r.State = state
			w.must(invitations().write(w, r), "UpdateInvitation")
			if state != invite.Pending && !ended {
				want = append(want, findingIn(c))
			}
		}
	}
	c := w.conversation(team)
	d := w.aDelivery(c)
	d.Invitation = tenancy.InvitationID{}
	deliveries().store(w, d)
	want = append(want, findingIn(c))
	for _, status := range []tenancy.MembershipStatus{"", tenancy.MembershipActive, tenancy.MembershipSuspended} {
		m := w.aMembership(team.ID, w.user().ID)
		if m.Status = status; status != "" {
			memberships().store(w, m)
		}
		d := deliveries().store(w, w.asked(team, conversation.ToUser(m.User), w.now(), time.Time{}))
		if status != tenancy.MembershipActive {
			want = append(want, tenancy.Finding{Account: d.Account.UUID(), Team: team.ID.UUID(), Subject: d.Conversation.UUID()})
		}
	}
	suspended := w.aMembership(team.ID, w.user().ID)
	memberships().store(w, suspended)
	to := deliveries().store(w, w.asked(team, conversation.ToUser(suspended.User), w.now(), time.Time{}))
	w.ends(suspended.User, tenancy.UserSuspended)
	want = append(want, tenancy.Finding{Account: to.Account.UUID(), Team: team.ID.UUID(), Subject: to.Conversation.UUID()})
	for _, status := range []tenancy.TeamStatus{tenancy.TeamActive, tenancy.TeamArchived} {
		to := w.aTeam(team.Account)
		to.Status = status
		teams().store(w, to)
		d := deliveries().store(w, w.asked(team, conversation.ToTeam(to.ID), w.now(), time.Time{}))
		if status == tenancy.TeamArchived {
			want = append(want, tenancy.Finding{Account: d.Account.UUID(), Team: team.ID.UUID(), Subject: d.Conversation.UUID()})
		}
	}
	over := w.conversation(team)
	w.delivery(over)
	over.Status = conversation.Closed
	w.must(conversations().write(w, over), "UpdateConversation")
	w.diagnoses(conversation.FlawDelivery, append(want, findingIn(over)))
}

func grantFlawCase(w *world) {
	var want []tenancy.Finding
	team := w.team()
	grant := func(c conversation.Conversation, member tenancy.MembershipStatus, change func(g *conversation.Grant)) {
		g := w.aGrant(c.ID)
		g.ExpiresAt = time.Time{}
		change(&g)
		if member != "" {
			m := w.aMembership(team.ID, g.User)
			m.Status = member
			memberships().store(w, m)
		}
		grants().store(w, g)
	}
	live := func(*conversation.Grant) {}
	for _, member := range []tenancy.MembershipStatus{"", tenancy.MembershipActive, tenancy.MembershipSuspended, tenancy.MembershipRemoved} {
		c := w.conversation(team)
		grant(c, member, live)
		grant(c, tenancy.MembershipActive, live)
		if member == "" || member == tenancy.MembershipRemoved {
			grant(c, member, live) // two of one conversation are one finding
			want = append(want, findingIn(c))
		}
		for _, end := range []func(g *conversation.Grant){
			func(g *conversation.Grant) { g.RevokedAt = w.now() },
			func(g *conversation.Grant) { g.ExpiresAt = g.AcceptedAt.Add(time.Microsecond) },
		} {
			grant(w.conversation(team), member, end)
		}
	}
	later := w.conversation(team)
	grant(later, "", func(g *conversation.Grant) { g.ExpiresAt = g.AcceptedAt.AddDate(50, 0, 0) })
	w.diagnoses(conversation.FlawGrant, append(want, findingIn(later)))
}

func counterFlawCase(w *world) {
	var want []tenancy.Finding
	team := w.team()
	for _, thread := range []struct {
		last   int64
		seqs   []int64
		broken bool
	}{
		{0, nil, false},
		{3, []int64{1, 2, 3}, false},
		{1, nil, true},
		{0, []int64{1}, true},
		{2, []int64{1, 2, 3}, true},
		{3, []int64{1, 3}, true},
		{2, []int64{1, 3}, true},
		{3, []int64{2, 3}, true},
	} {
		c := w.aConversation(team)
		c.LastSeq = thread.last
		conversations().store(w, c)
		for i, seq := range thread.seqs {
			m := w.aMessage(c.ID, seq)
			if i == 0 {
				m.Kind = conversation.NoteMessage
			}
			messages().store(w, m)
		}
		if thread.broken {
			want = append(want, findingIn(c))
		}
	}
	w.diagnoses(conversation.FlawCounter, want)
}
