package conversation

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

// end writes a delivery in its last state with its event, whether or not it was there before.
func (s *Service) end(ctx context.Context, by tenancy.Principal, c Conversation, d *Delivery, on DeliveryEvent, now time.Time) error {
	next, err := d.State.After(on)
	if err != nil {
		return err
	}
	write := s.store.UpdateDelivery
	if d.State == "" {
		write = func(ctx context.Context, d Delivery) error { return s.store.InsertDelivery(ctx, d) }
	}
	d.State, d.EndedAt = next, now
	if err := write(ctx, *d); err != nil {
		return err
	}
	d.Version++
	return s.store.Append(ctx, s.deliveryEnded(by, now, c, *d))
}

// endings are pending deliveries of locked conversations that end at once, by set.
type endings struct {
	at   time.Time
	over map[DeliveryState][]tenancy.ConversationID
}

func endingsAt(now time.Time) endings {
	return endings{now, map[DeliveryState][]tenancy.ConversationID{}}
}

// endIn adds a delivery and answers its event. One whose deadline has come has expired, whatever ends it
// now.
func (s *Service) endIn(e endings, by tenancy.Principal, c Conversation, d Delivery, on DeliveryEvent) (outbox.Event, error) {
	if d.StateAt(e.at) == DeliveryExpired {
		on, by = OnExpire, handover
	}
	var err error
	if d.State, err = d.State.After(on); err != nil {
		return outbox.Event{}, err
	}
	e.over[d.State] = append(e.over[d.State], c.ID)
	return s.deliveryEnded(by, e.at, c, d), nil
}

// writeEnds writes them, without their events.
func (s *Service) writeEnds(ctx context.Context, e endings) error {
	for _, state := range slices.Sorted(maps.Keys(e.over)) {
		if err := s.store.EndDeliveries(ctx, state, e.at, e.over[state]...); err != nil {
			return err
		}
	}
	return nil
}

// endPending ends what is pending in conversations that are locked.
func (s *Service) endPending(ctx context.Context, by tenancy.Principal, threads []Conversation, on DeliveryEvent, now time.Time) error {
	return s.endEach(ctx, threads, now, func(Delivery) (tenancy.Principal, DeliveryEvent, bool) { return by, on, true })
}

// endWith ends the deliveries that waited for invitations which have ended without being accepted. A
// conversation that has moved on is not looked at: its delivery was not the invitation's.
func (s *Service) endWith(ctx context.Context, ended []invite.Invitation) error {
	invitations := map[tenancy.InvitationID]invite.Invitation{}
	var in []Thread
	for _, inv := range ended {
		invitations[inv.ID] = inv
		in = append(in, Thread{inv.Team, inv.Conversation})
	}
	threads, err := s.store.LockConversations(ctx, in...)
	if err != nil {
		return err
	}
	return s.endEach(ctx, threads, s.env.Now(), func(d Delivery) (tenancy.Principal, DeliveryEvent, bool) {
		inv, ended := invitations[d.Invitation]
		return recorded(inv.EndedBy), settled[inv.State], ended
	})
}

// settled says how a delivery ends with its invitation.
var settled = map[invite.State]DeliveryEvent{
	invite.Declined: OnDecline,
	invite.Revoked:  OnCancel,
	invite.Expired:  OnExpire,
}

// endEach ends those of the pending deliveries of locked conversations that how says something of.
func (s *Service) endEach(ctx context.Context, threads []Conversation, now time.Time,
	how func(Delivery) (by tenancy.Principal, on DeliveryEvent, ends bool),
) error {
	pending, err := s.pendingIn(ctx, threads)
	if err != nil || len(pending) == 0 {
		return err
	}
	over := endingsAt(now)
	var events []outbox.Event
	for _, c := range threads {
		d, waits := pending[c.ID]
		if !waits {
			continue
		}
		by, on, ends := how(d)
		if !ends {
			continue
		}
		event, err := s.endIn(over, by, c, d, on)
		if err != nil {
			return err
		}
		events = append(events, event)
	}
	if err := s.writeEnds(ctx, over); err != nil {
		return err
	}
	return s.store.Append(ctx, events...)
}

// pendingIn are the pending deliveries of conversations.
func (s *Service) pendingIn(ctx context.Context, threads []Conversation) (map[tenancy.ConversationID]Delivery, error) {
	pending, err := s.store.PendingDeliveries(ctx, idsOf(threads)...)
	in := map[tenancy.ConversationID]Delivery{}
	for _, d := range pending {
		in[d.Conversation] = d
	}
	return in, err
}

// deliveryEnded is the event of a delivery in its last state, on the stream of the conversation as
// the delivering team has it.
func (s *Service) deliveryEnded(by tenancy.Principal, at time.Time, c Conversation, d Delivery) outbox.Event {
	facts := d.facts()
	facts["state"], facts["outcome"] = string(d.State), string(d.Outcome.Status)
	return s.event(by, at, c, DeliveryEnded, facts)
}

// facts name a delivery and its recipient.
func (d Delivery) facts() tenancy.Facts {
	facts := tenancy.Facts{"delivery": d.ID.String()}
	switch {
	case !d.Recipient.User.IsZero():
		facts["user"] = d.Recipient.User.String()
	case !d.Recipient.Team.IsZero():
		facts["team"] = d.Recipient.Team.String()
	default:
		facts["invitation"] = d.Invitation.String()
	}
	return facts
}
