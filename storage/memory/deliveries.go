package memory

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/tenancy"
)

type deliveryRow struct {
	conversation.Delivery
	conversation *conversationRow
	from, to     *teamRow // to is nil unless the recipient is a team
}

// deliveryLists are those in which the delivery stands.
func (s *Store) deliveryLists(d *deliveryRow, visit func(*list[deliveryRow], place)) {
	created := placeAt(d.CreatedAt, d.ID)
	visit(&d.conversation.deliveries, created)
	visit(&d.from.deliveries, created)
	if d.to != nil && d.to != d.from {
		visit(&d.to.deliveries, created)
	}
	if d.State == conversation.DeliveryPending {
		s.pendingLists(d, visit)
	}
	if normal := d.Recipient.Email.Normal; normal != "" {
		visit(lazily(s.recipients, normal), placeByID(d.ID))
	}
}

// pendingLists are those in which a pending delivery stands.
func (s *Store) pendingLists(d *deliveryRow, visit func(*list[deliveryRow], place)) {
	byThread, created := placeByID(d.Conversation), placeAt(d.CreatedAt, d.ID)
	visit(lazily(s.delivering, teamUser{d.FromTeam, d.By}), byThread)
	if !d.Deadline.IsZero() {
		visit(s.lapsingDeliveries, placeAt(d.Deadline, d.Conversation))
	}
	switch {
	case !d.Recipient.User.IsZero():
		if d.Recipient.User != d.By {
			visit(lazily(s.delivering, teamUser{d.FromTeam, d.Recipient.User}), byThread)
		}
		if d.Invitation.IsZero() {
			visit(lazily(s.inbox, teamUser{d.FromTeam, d.Recipient.User}), created)
		}
	case d.to != nil && d.Invitation.IsZero():
		visit(lazily(s.inbox, teamUser{d.to.ID, tenancy.UserID{}}), created)
	}
}

// InsertDelivery implements [conversation.DeliveryStore].
func (s *Store) InsertDelivery(ctx context.Context, deliveries ...conversation.Delivery) error {
	return insertAll(ctx, s, deliveries, func(d conversation.Delivery) error {
		row, err := s.checkDelivery(d)
		if err != nil {
			return err
		}
		row.Version = 1
		if err := cmp.Or(
			s.deliveries.insert(d.ID, row),
			s.pendingDeliveries.move(tenancy.ConversationID{}, pendingIn(d), row),
		); err != nil {
			return err
		}
		enlist(s.log, row, s.deliveryLists)
		return nil
	})
}

// UpdateDelivery implements [conversation.DeliveryStore].
func (s *Store) UpdateDelivery(ctx context.Context, d conversation.Delivery) error {
	return s.write(ctx, func() error {
		row, err := s.deliveries.get(d.ID)
		if err != nil {
			return err
		}
		if err := sameVersion(row.Version, d.Version); err != nil {
			return err
		}
		return s.changeDelivery(row, d)
	})
}

// changeDelivery writes the next version of a row.
func (s *Store) changeDelivery(row *deliveryRow, d conversation.Delivery) error {
	next, err := s.checkDelivery(d)
	if err != nil {
		return err
	}
	if err := s.pendingDeliveries.move(pendingIn(row.Delivery), pendingIn(d), row); err != nil {
		return err
	}
	next.Version++
	relist(s.log, row, s.deliveryLists, func() { set(s.log, row, *next) })
	return nil
}

// EndDeliveries implements [conversation.DeliveryStore].
func (s *Store) EndDeliveries(ctx context.Context, state conversation.DeliveryState, at time.Time, ids ...tenancy.ConversationID) error {
	return s.write(ctx, func() error {
		for _, row := range those(s.pendingDeliveries.get, ids) {
			d := row.Delivery
			d.State, d.EndedAt = state, at
			if err := s.changeDelivery(row, d); err != nil {
				return err
			}
		}
		return nil
	})
}

// checkDelivery answers the row to store.
func (s *Store) checkDelivery(d conversation.Delivery) (*deliveryRow, error) {
	utc(&d.CreatedAt)
	utc(&d.EndedAt)
	utc(&d.Deadline)
	if err := cmp.Or(
		oneOf("state", d.State, conversation.DeliveryPending, conversation.DeliveryCompleted,
			conversation.DeliveryDeclined, conversation.DeliveryExpired, conversation.DeliveryCancelled,
			conversation.DeliveryFailed),
		oneOf("category", d.Category, conversation.Positive, conversation.Neutral, conversation.Negative),
		between("rating", d.Outcome.Rating, 0, conversation.MaxRating),
		s.users.has(d.By),
		s.users.mayHave(d.Recipient.User),
		s.invitations.mayHave(d.Invitation),
		s.applications.mayHave(d.Outcome.Application),
	); err != nil {
		return nil, err
	}
	row := &deliveryRow{Delivery: d}
	var err error
	if row.conversation, err = referred(s.conversations.get(d.Conversation)); err != nil {
		return nil, err
	}
	if row.from, err = referred(s.teamOf(d.Account, d.FromTeam)); err != nil {
		return nil, err
	}
	if !d.Recipient.Team.IsZero() {
		if row.to, err = referred(s.teamOf(d.Account, d.Recipient.Team)); err != nil {
			return nil, err
		}
	}
	return row, nil
}

// pendingIn is the conversation in which the delivery is the pending one, or zero.
func pendingIn(d conversation.Delivery) tenancy.ConversationID {
	if d.State != conversation.DeliveryPending {
		return tenancy.ConversationID{}
	}
	return d.Conversation
}

// PendingDelivery implements [conversation.DeliveryStore].
func (s *Store) PendingDelivery(ctx context.Context, id tenancy.ConversationID) (conversation.Delivery, error) {
	return read(ctx, s, func() (conversation.Delivery, error) {
		row, err := s.pendingDeliveries.get(id)
		if err != nil {
			return conversation.Delivery{}, err
		}
		return row.Delivery, nil
	})
}

// PendingDeliveries implements [conversation.DeliveryStore].
func (s *Store) PendingDeliveries(ctx context.Context, ids ...tenancy.ConversationID) ([]conversation.Delivery, error) {
	return read(ctx, s, func() ([]conversation.Delivery, error) {
		var pending []conversation.Delivery
		for _, row := range those(s.pendingDeliveries.get, ids) {
			pending = append(pending, row.Delivery)
		}
		return pending, nil
	})
}

// Delivery implements [conversation.DeliveryStore].
func (s *Store) Delivery(ctx context.Context, team tenancy.TeamID, id tenancy.DeliveryID) (conversation.Delivery, error) {
	return read(ctx, s, func() (conversation.Delivery, error) {
		row, err := s.deliveries.get(id)
		if err != nil {
			return conversation.Delivery{}, err
		}
		if row.FromTeam != team && (row.to == nil || row.to.ID != team) {
			return conversation.Delivery{}, tenancy.ErrNotFound
		}
		return row.Delivery, nil
	})
}

// DeliveriesTo implements [conversation.DeliveryStore].
func (s *Store) DeliveriesTo(ctx context.Context, team tenancy.TeamID, user tenancy.UserID, at time.Time, page tenancy.Keyset) ([]conversation.Delivery, error) {
	return read(ctx, s, func() ([]conversation.Delivery, error) {
		var waiting []*list[deliveryRow]
		for _, key := range []teamUser{{team, user}, {team, tenancy.UserID{}}} {
			if l := s.inbox[key]; l != nil && !slices.Contains(waiting, l) {
				waiting = append(waiting, l)
			}
		}
		return paged(merged(descending, descending.start(page), waiting...), page.Limit, func(d *deliveryRow) (conversation.Delivery, bool) {
			return d.Delivery, d.Deadline.IsZero() || d.Deadline.After(at)
		}), nil
	})
}

// LapsedDeliveries implements [conversation.DeliveryStore].
func (s *Store) LapsedDeliveries(ctx context.Context, now time.Time, limit int) ([]conversation.Thread, error) {
	return read(ctx, s, func() ([]conversation.Thread, error) {
		return paged(until(s.lapsingDeliveries, now), limit, func(d *deliveryRow) (conversation.Thread, bool) {
			return showThread(d.conversation)
		}), nil
	})
}

// EraseRecipient implements [conversation.DeliveryStore].
func (s *Store) EraseRecipient(ctx context.Context, normal string) error {
	return s.write(ctx, func() error {
		addressed := s.recipients[normal]
		if addressed == nil {
			return nil
		}
		for _, row := range slices.Collect(merged(ascending, ascending.beginning(), addressed)) {
			erased := *row
			erased.Recipient.Email = tenancy.Address{}
			erased.Version++
			relist(s.log, row, s.deliveryLists, func() { set(s.log, row, erased) })
		}
		return nil
	})
}

func delivery(row *deliveryRow) (conversation.Delivery, bool) { return row.Delivery, true }

// DeliveriesOf implements [conversation.DeliveryStore].
func (s *Store) DeliveriesOf(ctx context.Context, team tenancy.TeamID, page tenancy.Keyset) ([]conversation.Delivery, error) {
	return read(ctx, s, func() ([]conversation.Delivery, error) {
		row := s.teams.rows[team]
		if row == nil {
			return nil, nil
		}
		return paged(merged(descending, descending.start(page), &row.deliveries), page.Limit, delivery), nil
	})
}

// Deliveries implements [conversation.DeliveryStore].
func (s *Store) Deliveries(ctx context.Context, id tenancy.ConversationID) ([]conversation.Delivery, error) {
	return read(ctx, s, func() ([]conversation.Delivery, error) {
		row := s.conversations.rows[id]
		if row == nil {
			return nil, nil
		}
		var deliveries []conversation.Delivery
		for d := range merged(ascending, ascending.beginning(), &row.deliveries) {
			deliveries = append(deliveries, d.Delivery)
		}
		return deliveries, nil
	})
}
