package conversation

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// Inbox lists the pending deliveries that the actor can accept, newest first: those to them, and those
// to their team. The card is what they see of the conversation before they accept; one that comes from another team
// can be read only after that. What has expired by the clock is not in it.
//
// Errors: [*tenancy.InvalidError], [rbac.ErrDenied].
func (s *Service) Inbox(ctx context.Context, actor tenancy.Actor, page tenancy.Page) (tenancy.List[Delivery], error) {
	keyset, err := page.Keyset("inbox", actor)
	if err != nil {
		return tenancy.List[Delivery]{}, err
	}
	if _, err := s.seesAll(ctx, actor); err != nil {
		return tenancy.List[Delivery]{}, err
	}
	cards, err := s.store.DeliveriesTo(ctx, actor.Team, actor.User, s.env.Now(), keyset)
	if err != nil {
		return tenancy.List[Delivery]{}, err
	}
	return tenancy.Paged(cards, keyset, cardKey, "inbox", actor), nil
}

// Deliveries lists the cards of the actor's team, newest first: what it delivered and what it
// was given, wherever the conversations are now. One whose deadline has come has expired, whether or not
// that was written down.
func (s *Service) Deliveries(ctx context.Context, actor tenancy.Actor, page tenancy.Page) (tenancy.List[Delivery], error) {
	keyset, err := page.Keyset("deliveries", actor.Team)
	if err != nil {
		return tenancy.List[Delivery]{}, err
	}
	if err := s.people.Check(ctx, actor, rbac.ListConversations); err != nil {
		return tenancy.List[Delivery]{}, err
	}
	cards, err := s.store.DeliveriesOf(ctx, actor.Team, keyset)
	if err != nil {
		return tenancy.List[Delivery]{}, err
	}
	return tenancy.Paged(s.asOfNow(cards), keyset, cardKey, "deliveries", actor.Team), nil
}

// History lists the deliveries of one conversation, oldest first, as [Service.Deliveries] does.
func (s *Service) History(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID) ([]Delivery, error) {
	if _, err := s.look(ctx, actor, id, act{rbac.ReadConversations, true}); err != nil {
		return nil, err
	}
	cards, err := s.store.Deliveries(ctx, id)
	return s.asOfNow(cards), err
}

// cardKey is where a card stands in a list.
func cardKey(d Delivery) (time.Time, uuid.UUID) { return d.CreatedAt, d.ID.UUID() }

// asOfNow gives cards the state that they have by the clock.
func (s *Service) asOfNow(cards []Delivery) []Delivery {
	now := s.env.Now()
	for i, d := range cards {
		cards[i].State = d.StateAt(now)
	}
	return cards
}
