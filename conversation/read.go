package conversation

import (
	"context"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// Get reads one conversation. A guest learns whose it is and whether it is open, and nothing of the
// team's work on it: see [Conversation.ToGuest]. Errors: [tenancy.ErrNotFound] also for one that a guest was
// not granted.
func (s *Service) Get(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID) (Conversation, error) {
	v, err := s.look(ctx, actor, id, reading)
	if err != nil {
		return Conversation{}, err
	}
	return v.known(), nil
}

// List lists the conversations that the actor may see: the team's for a member, newest message first; the
// granted ones for a guest, those first that began last, since a note moves the other order. A conversation is
// in it exactly if [Service.Get] finds it, and as that shows it. A guest filters by status only: what the team
// does would be told by the rest. A page of a queue also costs what waits in the team and is not in it.
//
// Errors: [*tenancy.InvalidError], [rbac.ErrDenied] also for a guest's filter.
func (s *Service) List(ctx context.Context, actor tenancy.Actor, filter Filter, page tenancy.Page) (tenancy.List[Conversation], error) {
	var none tenancy.List[Conversation]
	if filter.Status != "" && !filter.Status.known() {
		return none, &tenancy.InvalidError{Field: "status", Reason: "must be open, snoozed or closed"}
	}
	if err := filter.Validate(); err != nil {
		return none, err
	}
	if filter.Queue != 0 && filter.QueueOf.IsZero() {
		filter.QueueOf = actor.User
	}
	keyset, err := page.Keyset("conversations", actor, filter)
	if err != nil {
		return none, err
	}
	scope, standing, err := s.mayList(ctx, actor)
	if err != nil {
		return none, err
	}
	guest := !scope.Guest.IsZero()
	if guest && filter != (Filter{Status: filter.Status}) {
		return none, whole(standing)
	}
	found, err := s.store.Conversations(ctx, scope, filter, keyset)
	if err != nil {
		return none, err
	}
	list := tenancy.Paged(found, keyset, scope.Key, "conversations", actor, filter)
	for i, c := range list.Items {
		if guest {
			list.Items[i] = c.ToGuest()
		}
	}
	return list, nil
}

// mayList is the set of conversations that the actor may see, if they may see any at all.
func (s *Service) mayList(ctx context.Context, actor tenancy.Actor) (Scope, tenancy.Standing, error) {
	standing, err := s.people.Standing(ctx, actor)
	if err != nil {
		return Scope{}, tenancy.Standing{}, err
	}
	scope := s.scope(standing)
	check := standing.Check
	if !scope.Guest.IsZero() {
		check = standing.CheckGranted
	}
	return scope, standing, check(rbac.ReadConversation)
}

// Messages reads at most limit messages (0 means [tenancy.DefaultLimit]) after a sequence,
// oldest first; resume with the last Seq that you have. A guest gets no notes, and nothing
// from before their grant begins. Deleted messages are in it, without their text.
func (s *Service) Messages(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, after int64, limit int) ([]Message, error) {
	return s.messages(ctx, actor, id, limit, func(r *Range) { r.After = max(r.After, after) })
}

// MessagesBefore reads the other way, for who begins at the end and scrolls up: the last messages
// before a sequence, or the last of all for 0, in the order in which they were written. Go on with the
// first Seq that you have; fewer than limit are the beginning. Otherwise it is [Service.Messages].
func (s *Service) MessagesBefore(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, before int64, limit int) ([]Message, error) {
	if before < 0 {
		return nil, &tenancy.InvalidError{Field: "before", Reason: "must not be negative"}
	}
	return s.messages(ctx, actor, id, limit, func(r *Range) { r.Before, r.Newest = before, true })
}

// messages reads a part of what the actor sees.
func (s *Service) messages(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, limit int, cut func(*Range)) ([]Message, error) {
	limit, err := checkedLimit(limit)
	if err != nil {
		return nil, err
	}
	v, err := s.look(ctx, actor, id, reading)
	if err != nil {
		return nil, err
	}
	r := v.shown()
	r.Limit = limit
	cut(&r)
	return s.store.Messages(ctx, id, r)
}
