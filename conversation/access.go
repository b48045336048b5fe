package conversation

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// act is something that an actor does to one conversation.
type act struct {
	permission rbac.Permission
	// whenClosed says that a closed conversation allows it too.
	whenClosed bool
}

// What actors do, and which of it a closed conversation still allows. The same table holds
// for members and guests; a role is never a reason to skip it.
var (
	reading     = act{rbac.ReadConversation, true}
	noting      = act{rbac.WriteNote, true}
	opening     = act{rbac.OpenConversation, true}
	closing     = act{rbac.CloseConversation, true}
	readContact = act{rbac.ReadContact, true}
	editContact = act{rbac.EditContact, true}
	revoking    = act{rbac.RevokeGuest, true}
	deleting    = act{rbac.DeleteMessage, true}
	marking     = act{rbac.MarkConversationRead, true}
	optingOut   = act{rbac.OptOutContact, true}
	optingIn    = act{rbac.OptInContact, true}
	measuring   = act{rbac.ReadReport, true}
	snoozing    = act{rbac.SnoozeConversation, false}
	claiming    = act{rbac.ClaimConversation, false}
	releasing   = act{rbac.ClaimConversation, true}
	sending     = act{rbac.SendMessage, false}
	assigning   = act{rbac.AssignConversation, false}
	inviting    = act{rbac.InviteGuest, false}
	delivering  = act{rbac.DeliverConversation, false}
	applying    = act{rbac.CreateApplication, true}
	amending    = act{rbac.EditApplication, true}
	grading     = act{rbac.SetApplicationStatus, false}
)

// readOnly is what a grant allows that is for reading.
var readOnly = []rbac.Permission{rbac.ReadConversation, rbac.ReadContact, rbac.MarkConversationRead}

func acts() []act {
	return []act{
		reading, noting, opening, closing, readContact, editContact, revoking, deleting, marking, optingOut, optingIn, measuring,
		snoozing, claiming, sending, assigning, inviting, delivering, applying, amending, grading,
	}
}

// view is a conversation as one actor sees it.
type view struct {
	Conversation
	standing tenancy.Standing
	// grant is what a guest sees it by; zero for those who see all of the team's.
	grant Grant
	// beside is the live grant of somebody who sees all of the team's, and whose role may do more where
	// it is granted. It hides nothing from them: they are no guest.
	beside Grant
}

// guest reports whether the actor sees the conversation only by a grant.
func (v view) guest() bool { return !v.grant.User.IsZero() }

// known is the conversation as the actor may know it.
func (v view) known() Conversation {
	if v.guest() {
		return v.ToGuest()
	}
	return v.Conversation
}

// whole answers nil if the actor sees all of the team's conversations: they may read all, and read. To
// have the first alone shows nothing, and leaves a guest the guest that they are.
func whole(st tenancy.Standing) error {
	return cmp.Or(st.Check(rbac.ReadConversations), st.Check(rbac.ReadConversation))
}

// seesAll is who the actor is, if they see all of the team's conversations.
func (s *Service) seesAll(ctx context.Context, actor tenancy.Actor) (tenancy.Standing, error) {
	standing, err := s.people.Standing(ctx, actor)
	if err != nil {
		return tenancy.Standing{}, err
	}
	return standing, whole(standing)
}

// toAnswer is what somebody must be able to do who is given a conversation: see all of the team's, and write.
var toAnswer = []rbac.Permission{rbac.ReadConversations, rbac.ReadConversation, rbac.SendMessage}

// scope is the set of conversations that the actor may see.
func (s *Service) scope(st tenancy.Standing) Scope {
	scope := Scope{Team: st.Actor.Team, At: s.env.Now()}
	if whole(st) != nil {
		scope.Guest = st.Actor.User
	}
	return scope
}

// look reads a conversation for an act that writes nothing.
func (s *Service) look(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, what act) (view, error) {
	return s.view(ctx, actor, id, what, s.store.Conversation)
}

// enter locks a conversation for an act and decides under the lock. It runs inside a
// transaction.
func (s *Service) enter(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, what act) (view, error) {
	return s.view(ctx, actor, id, what, s.store.LockConversation)
}

// view is the one gate to a conversation. To whom may not see it, it is not found, whatever
// they wanted to do with it; to whom may, the error says what was missing.
func (s *Service) view(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, what act,
	read func(context.Context, tenancy.TeamID, tenancy.ConversationID) (Conversation, error),
) (view, error) {
	standing, err := s.people.Standing(ctx, actor)
	if err != nil {
		return view{}, err
	}
	return s.viewAs(ctx, standing, id, what, read)
}

// viewAs is view for a standing that was read already, in the same transaction if there is one.
func (s *Service) viewAs(ctx context.Context, standing tenancy.Standing, id tenancy.ConversationID, what act,
	read func(context.Context, tenancy.TeamID, tenancy.ConversationID) (Conversation, error),
) (view, error) {
	c, err := read(ctx, standing.Actor.Team, id)
	if err != nil {
		return view{}, err
	}
	v := view{Conversation: c, standing: standing}
	scope := s.scope(standing)
	switch {
	case !scope.Guest.IsZero():
		v.grant, err = s.store.Grant(ctx, id, standing.Actor.User)
	case slices.ContainsFunc(append(acts(), what), v.moreByGrant):
		v.beside, err = s.beside(ctx, id, scope.At, standing.Actor.User)
	}
	if err != nil {
		return view{}, err
	}
	if !scope.Admits(c, v.grant) {
		return view{}, tenancy.ErrNotFound
	}
	return v, v.allows(what) // with the view, for those who ask why
}

// beside is the user's grant, if it is live.
func (s *Service) beside(ctx context.Context, id tenancy.ConversationID, at time.Time, user tenancy.UserID) (Grant, error) {
	g, err := s.store.Grant(ctx, id, user)
	if notFound(err) || err == nil && !g.LiveAt(at) {
		return Grant{}, nil
	}
	return g, err
}

// moreByGrant reports whether the role may do something only where it is granted.
func (v view) moreByGrant(what act) bool {
	return !v.standing.Allows(what.permission) && v.standing.AllowsGranted(what.permission)
}

// by is the grant by which the actor may have a permission here; zero for those who have it in the whole
// team. A guest who gets more rights keeps those of the guest that they are.
func (v view) by(perm rbac.Permission) Grant {
	if v.moreByGrant(act{permission: perm}) && !v.guest() {
		return v.beside
	}
	return v.grant
}

// may is whether the actor's role has a permission where they see the conversation.
func (v view) may(perm rbac.Permission) error {
	switch grant := v.by(perm); {
	case grant.User.IsZero():
		return v.standing.Check(perm)
	case grant.ReadOnly && !slices.Contains(readOnly, perm):
		return ErrReadOnly
	}
	return v.standing.CheckGranted(perm)
}

// sees reports whether a message of the conversation is for the actor: notes are for those who read
// notes, and what was before a guest's grant begins is not for them.
func (v view) sees(m Message) bool {
	shown := v.shown()
	return m.Seq > shown.After && (shown.Notes || m.Kind != NoteMessage)
}

// shown is the part of the conversation that the actor sees.
func (v view) shown() Range {
	return Range{After: max(v.grant.FromSeq-1, 0), Notes: v.standing.Allows(rbac.ReadNote)}
}

func (v view) allows(what act) error {
	if err := v.may(what.permission); err != nil {
		return err
	}
	if v.Status == Closed && !what.whenClosed {
		return ErrClosed
	}
	return nil
}

// can is allows as a yes or no.
func (v view) can(what act) bool { return v.allows(what) == nil }

// Check answers nil if the actor may do what the permission says to this conversation now:
// the same gate that every operation passes. Errors: [tenancy.ErrNotFound] where they may
// not see it, otherwise those of [tenancy.Service.Check], and [ErrClosed].
func (s *Service) Check(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, perm rbac.Permission) error {
	_, err := s.look(ctx, actor, id, actOf(perm))
	return err
}

// notFound turns a missing row into nothing.
func notFound(err error) bool { return errors.Is(err, tenancy.ErrNotFound) }
