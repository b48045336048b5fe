package storagetest

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

// A teamCall asks for a town's own things in the name of another team, and answers how many
// it got (THREATS C1: Daytona CVE-2026-54322).
type teamCall func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (items int, err error)

// teamCalls has every method that takes a team, and every update of a row that carries one.
// The suite's own test compares it with the types of storage.Store.
func teamCalls() map[string]teamCall {
	return map[string]teamCall{
		"UpdateMembership": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			m := t.member
			m.Team, m.JoinedBy = team, "intruder"
			return 0, s.UpdateMembership(ctx, m)
		},
		"Membership": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return one(s.Membership(ctx, team, t.member.User))
		},
		"Authority": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return one(s.Authority(ctx, team, t.member.User))
		},
		"Authorities": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return count(s.Authorities(ctx, t.member.User, team))
		},
		"Memberships": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return count(s.Memberships(ctx, actorsIn(team, t.member.User)...))
		},
		"RenewMemberships": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return 0, passesOver(s.RenewMemberships(ctx, rbac.Manager, t.at, "intruder", actorsIn(team, t.former.User)...))
		},
		"AppointMemberships": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return 0, passesOver(s.AppointMemberships(ctx, rbac.Manager, actorsIn(team, t.rising.User)...))
		},
		"EndMemberships": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return 0, passesOver(s.EndMemberships(ctx, t.at, "intruder", actorsIn(team, t.leaving.User)...))
		},
		"Members": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return count(s.Members(ctx, team, tenancy.Keyset{Limit: 5}))
		},
		"Managed": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return flag(hasOtherManager(ctx, s, team, t.user.ID))
		},
		"Staff": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return count(s.Staff(ctx, team))
		},
		"LastingRoles": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return count(lastingRoles(ctx, s, team, t.user.ID))
		},
		"UpdateInvitation": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			r := t.invitation
			r.Team, r.EndedBy = team, "intruder"
			return 0, s.UpdateInvitation(ctx, r)
		},
		"LockInvitation": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return one(s.LockInvitation(ctx, team, t.invitation.ID))
		},
		"Invitation": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return one(s.Invitation(ctx, team, t.invitation.ID))
		},
		"LockInvitations": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return count(s.LockInvitations(ctx, sentIn(team, t.invitation.ID)...))
		},
		"EndInvitations": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return 0, passesOver(s.EndInvitations(ctx, invite.Revoked, t.at, "intruder", sentIn(team, t.ending.ID)...))
		},
		"PendingInto": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return count(s.PendingInto(ctx, team, t.thread.ID))
		},
		"Invitations": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return count(s.Invitations(ctx, team, invite.Filter{}, tenancy.Keyset{Limit: 5}))
		},
		"Invitations of a conversation": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return count(s.Invitations(ctx, team, invite.Filter{Conversation: t.thread.ID}, tenancy.Keyset{Limit: 5}))
		},
		"Invitations of a kind": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return count(s.Invitations(ctx, team, invite.Filter{Kind: invite.ByLink}, tenancy.Keyset{Limit: 5}))
		},
		"Use": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return one(s.Use(ctx, team, t.link.ID, t.use.User))
		},
		"Uses": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return count(s.Uses(ctx, team, t.link.ID, tenancy.Keyset{Limit: 5}))
		},
		"PendingRequest": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return one(s.PendingRequest(ctx, team, t.request.Inviter))
		},
		"RequestLoad": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			like := t.request.Invitation
			like.Team = team
			load, err := s.RequestLoad(ctx, like, t.request.CreatedAt)
			return load.Team.N, err
		},
		"InvitationLoads": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return count(s.InvitationLoads(ctx, t.invitation.Inviter, t.invitation.CreatedAt, team))
		},
		"PendingBy": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return count(pendingBy(ctx, s, team, t.invitation.Inviter))
		},
		"InvitationEvents": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			i := t.invitation.Invitation
			i.Team = team
			return count(s.InvitationEvents(ctx, i, 5))
		},
		"UpdateContact": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			c := t.contact
			c.Team, c.Name = team, "intruder"
			return 0, s.UpdateContact(ctx, c)
		},
		"LockContact": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return one(s.LockContact(ctx, team, t.contact.ID))
		},
		"Contact": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return one(s.Contact(ctx, team, t.contact.ID))
		},
		"Contacts": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return count(s.Contacts(ctx, team, t.contact.ID))
		},
		"ContactsByAddress": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return count(s.ContactsByAddress(ctx, team, t.contact.Channel, t.contact.Address))
		},
		"UpdateConversation": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			c := t.thread
			c.Status = conversation.Closed
			return 0, s.UpdateConversation(ctx, team, c)
		},
		"UpdateConversation that names the team in the row too": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			c := t.thread
			c.Team, c.Status = team, conversation.Closed
			return 0, s.UpdateConversation(ctx, team, c)
		},
		"LockConversations": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return count(s.LockConversations(ctx, inTeam(team, t.thread.ID)...))
		},
		"ReleaseConversations": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return 0, passesOver(s.ReleaseConversations(ctx, inTeam(team, t.closing.ID)...))
		},
		"UnassignConversations": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return 0, passesOver(s.UnassignConversations(ctx, inTeam(team, t.closing.ID)...))
		},
		"CloseConversations": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return 0, passesOver(s.CloseConversations(ctx, team, conversation.NotInterested, t.closing.ID))
		},
		"MoveConversations": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return 0, passesOver(s.MoveConversations(ctx, team, t.sibling.ID, t.moving.ID))
		},
		"UpdateApplication": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			a := t.application
			a.Team, a.Job = team, "intruded"
			return 0, s.UpdateApplication(ctx, a)
		},
		"Application": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return one(s.Application(ctx, team, t.application.ID))
		},
		"FirstApplication": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return one(s.FirstApplication(ctx, team, t.contact.ID))
		},
		"Applications": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return count(s.Applications(ctx, team, t.contact.ID, tenancy.Keyset{Limit: 5}))
		},
		"MoveApplications": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return 0, passesOver(s.MoveApplications(ctx, team, t.sibling.ID, t.along.Contact))
		},
		"LockConversation": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return one(s.LockConversation(ctx, team, t.thread.ID))
		},
		"Conversation": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return one(s.Conversation(ctx, team, t.thread.ID))
		},
		"Conversations": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return count(s.Conversations(ctx, conversation.Scope{Team: team}, conversation.Filter{}, tenancy.Keyset{Limit: 5}))
		},
		"Conversations of a guest": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			scope := conversation.Scope{Team: team, Guest: t.grant.User, At: t.grant.AcceptedAt}
			return count(s.Conversations(ctx, scope, conversation.Filter{}, tenancy.Keyset{Limit: 5}))
		},
		"Conversations of an assignee": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			filter := conversation.Filter{Assignee: t.thread.Assignee}
			return count(s.Conversations(ctx, conversation.Scope{Team: team}, filter, tenancy.Keyset{Limit: 5}))
		},
		"Search": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return count(s.Search(ctx, team, []conversation.Word{1}, true, tenancy.Keyset{Limit: 5}))
		},
		"HeldBy the assignee": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return count(heldBy(ctx, s, team, t.thread.Assignee))
		},
		"Unread": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return count(s.Unread(ctx, conversation.Scope{Team: team}, t.user.ID, true, []tenancy.ConversationID{t.thread.ID}))
		},
		"LockNext": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return one(s.LockNext(ctx, team, t.line()))
		},
		"Waits": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return flag(s.Waits(ctx, team, conversation.Line{User: t.thread.Assignee, Assigned: true}))
		},
		"Hand": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			hand, err := s.Hand(ctx, team, t.line())
			return flag(hand.Waiting || hand.Answered, err)
		},
		"LockLoads": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return count(s.LockLoads(ctx, team, t.at, t.member.User))
		},
		"UpdateTurn": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return 0, s.UpdateTurn(ctx, team, t.member.User, 9)
		},
		"LockAnswered": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return count(s.LockAnswered(ctx, team, t.answered.Claimant))
		},
		"HeldBy the claimant": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return count(heldBy(ctx, s, team, t.thread.Claimant))
		},
		"HeldBy a guest": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return count(heldBy(ctx, s, team, t.grant.User))
		},
		"LockOpen": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return count(s.LockOpen(ctx, team))
		},
		"Delivery": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return one(s.Delivery(ctx, team, t.delivery.ID))
		},
		"DeliveriesTo": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return count(s.DeliveriesTo(ctx, team, t.offered.Recipient.User, t.at, tenancy.Keyset{Limit: 5}))
		},
		"HeldBy who delivers": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return count(heldBy(ctx, s, team, t.delivery.By))
		},
		"DeliveriesOf": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return count(s.DeliveriesOf(ctx, team, tenancy.Keyset{Limit: 5}))
		},
		"TeamEvents": func(ctx context.Context, s storage.Store, t *town, team tenancy.TeamID) (int, error) {
			return count(s.TeamEvents(ctx, team.UUID(), outbox.LogFilter{}, time.Time{}, uuid.Nil, 5))
		},
	}
}

// passesOver is the answer of a method that writes a set: what is not the team's it passes over
// without an error, and that nothing was written is what the case shows in the end.
func passesOver(err error) error {
	if err == nil {
		return tenancy.ErrNotFound
	}
	return err
}

func one[V any](_ V, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	return 1, nil
}

func flag(is bool, err error) (int, error) {
	if !is {
		return 0, err
	}
	return 1, err
}

func count[V any](list []V, err error) (int, error) { return len(list), err }

// takesTeam reports whether a method of the store can be asked for the things of a team: it
// takes the id or a scope, or updates a row that carries one. Inserts are left out, since
// there is no row yet that could be another team's, and so are the reads of the team itself.
func takesTeam(m reflect.Method) bool {
	if slices.Contains([]string{"Team", "LockTeam", "Teams", "LockTeams"}, m.Name) || strings.HasPrefix(m.Name, "Insert") {
		return false
	}
	for i := range m.Type.NumIn() {
		in := m.Type.In(i)
		if in.Kind() == reflect.Slice {
			in = in.Elem()
		}
		if in == reflect.TypeFor[tenancy.TeamID]() {
			return true
		}
		if in.Kind() == reflect.Struct {
			if field, ok := in.FieldByName("Team"); ok && field.Type == reflect.TypeFor[tenancy.TeamID]() {
				return true
			}
		}
	}
	return false
}

func foreignCase(w *world) {
	t := w.town()
	before := w.state(t)
	table := teamCalls()
	teams := []struct {
		what string
		id   tenancy.TeamID
	}{
		{"a team of the same account", t.sibling.ID},
		{"a team of another account", t.stranger.ID},
		{"a team that does not exist", newID[tenancy.TeamID](w)},
		{"no team", tenancy.TeamID{}},
	}
	for _, name := range slices.Sorted(maps.Keys(table)) {
		ask := table[name]
		method, _, _ := strings.Cut(name, " ")
		effect := calls()[method].effect
		for _, team := range teams {
			var items int
			try := func(ctx context.Context) (err error) { items, err = ask(ctx, w.store, t, team.id); return err }
			err := w.try(try)
			if items != 0 || err != nil && !errors.Is(err, tenancy.ErrNotFound) || err == nil && effect == writes {
				w.breaks("%s in the name of %s answered %d rows with %s, want ErrNotFound or nothing", name, team.what, items, show(err))
			}
			if effect != reads {
				continue
			}
			if err := try(w.ctx); items != 0 || err != nil && !errors.Is(err, tenancy.ErrNotFound) {
				w.breaks("%s outside a transaction in the name of %s answered %d rows with %s, want ErrNotFound or nothing", name, team.what, items, show(err))
			}
		}
		// The same question in the right name has an answer, or it would prove nothing.
		if effect == writes {
			continue
		}
		var items int
		w.must(w.try(func(ctx context.Context) (err error) { items, err = ask(ctx, w.store, t, t.team.ID); return err }), "%s in the team itself", name)
		if items == 0 {
			w.breaks("%s in the team itself answered nothing", name)
		}
	}
	w.unchanged(t, before, "calls in the name of another team")
}
