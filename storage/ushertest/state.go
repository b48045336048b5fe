package ushertest

import (
	"errors"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// Expired is how [World.MemberIs] calls an active membership whose time has passed.
const Expired tenancy.MembershipStatus = "expired"

// MemberIs asserts what the person is in the team now: the role, which for a custom one is its
// base, and the status, which may be [Expired].
func (w *World) MemberIs(user, team string, role rbac.Role, status tenancy.MembershipStatus) {
	w.t.Helper()
	m := w.Membership(user, team)
	if is := w.status(m); m.Role != role || is != status {
		w.t.Errorf("ushertest: %s in %s should be %s, %s; but is %s, %s", user, team, role, status, m.Role, is)
	}
}

// NotMember asserts that the person is not in the team: they never were, or were removed.
func (w *World) NotMember(user, team string) {
	w.t.Helper()
	m, err := w.Store.Membership(w.t.Context(), w.TeamNamed(team).ID, w.User(user).ID)
	if errors.Is(err, tenancy.ErrNotFound) || err == nil && m.Status == tenancy.MembershipRemoved {
		return
	}
	w.must(err)
	w.t.Errorf("ushertest: %s should not be in %s, but is %s, %s", user, team, m.Role, w.status(m))
}

func (w *World) status(m tenancy.Membership) tenancy.MembershipStatus {
	if m.Status == tenancy.MembershipActive && !m.ActiveAt(w.Clock.Now()) {
		return Expired
	}
	return m.Status
}

// InvitationIs asserts the state of the person's newest invitation; see [World.Invitation].
func (w *World) InvitationIs(user, team string, state invite.State) {
	w.t.Helper()
	if inv := w.Invitation(user, team); inv.State != state {
		w.t.Errorf("ushertest: the invitation of %s into %s should be %s, but is %s", user, team, state, inv.State)
	}
}

// ConversationIs asserts in which team the conversation is, its status, and to whom it is
// assigned; the empty name is nobody.
func (w *World) ConversationIs(id tenancy.ConversationID, team string, status conversation.Status, assignee string) {
	w.t.Helper()
	c, err := w.Store.Conversation(w.t.Context(), w.TeamNamed(team).ID, id)
	if errors.Is(err, tenancy.ErrNotFound) {
		w.t.Errorf("ushertest: the conversation should be in %s, but is not", team)
		return
	}
	w.must(err)
	var should tenancy.UserID
	if assignee != "" {
		should = w.User(assignee).ID
	}
	if c.Status != status || c.Assignee != should {
		w.t.Errorf("ushertest: the conversation should be %s with %s, but is %s with %s", status, w.assignee(should), c.Status, w.assignee(c.Assignee))
	}
}

func (w *World) assignee(user tenancy.UserID) string {
	if user.IsZero() {
		return "nobody"
	}
	return w.name(user.String())
}
