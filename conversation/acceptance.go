package conversation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// AcceptDelivery takes what was delivered with [AskAcceptance], for whoever may assign conversations:
// one that was delivered to the actor is assigned to them, one that was delivered to their team moves
// there. All that [Service.Deliver] asks of the recipient is asked again. A
// recipient who cannot be given the conversation any more, because of their role or because the
// delivering team's settings have changed, makes the delivery fail, which is on record.
//
// Of several answers at once, one counts. The errors are [tenancy.ErrNotFound], [rbac.ErrDenied] and
// [ErrNotAddressee], [*DeliveryStateError] for one that has ended or expired, [ErrNotRecipient],
// [ErrNotTarget], [tenancy.ErrTeamArchived] and [tenancy.ErrAccountInactive].
func (s *Service) AcceptDelivery(ctx context.Context, actor tenancy.Actor, id tenancy.DeliveryID) (Delivery, error) {
	return s.answer(ctx, actor, id, "AcceptDelivery", nil, answering{rbac.AssignConversation, OnAccept, s.accept})
}

// DeclineDelivery refuses what could be accepted, with a reason of at most [MaxReason] bytes,
// which may be empty and stays on the card. The conversation stays where it is. An e-mail delivery
// is declined by its invitation. The errors are those of [Service.AcceptDelivery], and
// [*tenancy.InvalidError].
func (s *Service) DeclineDelivery(ctx context.Context, actor tenancy.Actor, id tenancy.DeliveryID, reason string) (Delivery, error) {
	if len(reason) > MaxReason {
		return Delivery{}, &tenancy.InvalidError{Field: "reason", Reason: fmt.Sprintf("must have at most %d bytes", MaxReason)}
	}
	if reason != "" {
		if err := validText(reason); err != nil {
			return Delivery{}, err
		}
	}
	return s.answer(ctx, actor, id, "DeclineDelivery", reason, answering{rbac.AssignConversation, OnDecline, func(ctx context.Context, o *offer) error {
		o.d.Reason = reason
		return s.end(ctx, actor, o.c, &o.d, OnDecline, o.now)
	}})
}

// CancelDelivery takes a pending delivery of the actor's team back, for whoever may deliver, not only
// who delivered. That of an e-mail delivery is [invite.Service.Revoke] of its invitation, and takes
// the right to do that. The errors are those of [Service.AcceptDelivery].
func (s *Service) CancelDelivery(ctx context.Context, actor tenancy.Actor, id tenancy.DeliveryID) (Delivery, error) {
	return s.answer(ctx, actor, id, "CancelDelivery", nil, answering{rbac.DeliverConversation, OnCancel, func(ctx context.Context, o *offer) error {
		return s.end(ctx, actor, o.c, &o.d, OnCancel, o.now)
	}})
}

// ExpireDeliveries writes down that deliveries have expired, each with its event, once however many
// instances run it. They cannot be accepted from their deadline on, without it. The answer is as that
// of [Service.Wake].
func (s *Service) ExpireDeliveries(ctx context.Context, by tenancy.System) (expired int, err error) {
	return sweep(ctx, s, by, s.store.LapsedDeliveries, Thread.thread, func(ctx context.Context, _ Thread, c *Conversation, now time.Time) (bool, error) {
		d, err := s.store.PendingDelivery(ctx, c.ID)
		if notFound(err) || err == nil && d.StateAt(now) == DeliveryPending {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		return true, s.end(ctx, by, *c, &d, OnExpire, now)
	})
}

// answering is one of the answers to a delivery: what it takes at all, its event, and what it does.
type answering struct {
	permission rbac.Permission
	on         DeliveryEvent
	write      func(ctx context.Context, o *offer) error
}

// offer is a pending delivery that is locked, with all that an answer to it rests on.
type offer struct {
	actor tenancy.Actor
	now   time.Time
	c     Conversation
	d     Delivery
	// from and target are locked where the answer moves the conversation; closed is why one of them
	// can only be read.
	from, target tenancy.Team
	closed       error
}

// answer decides and writes an answer to a delivery. The permission is asked for whether or not there
// is such a delivery, so that guests do not learn it.
func (s *Service) answer(ctx context.Context, actor tenancy.Actor, id tenancy.DeliveryID, name string, request any, r answering) (Delivery, error) {
	asked := []any{actor.Team, id, request}
	return tenancy.Do(ctx, s.store, s.env, actor, name, asked, func(ctx context.Context) (Delivery, error) {
		o, missing, err := s.offered(ctx, actor, id, r.on)
		if err != nil {
			return Delivery{}, err
		}
		standing, err := s.people.Standing(ctx, actor)
		if err != nil {
			return Delivery{}, err
		}
		if err := standing.Check(r.permission); err != nil {
			return Delivery{}, err
		}
		if missing != nil {
			return Delivery{}, missing
		}
		if err := o.mayAnswer(r.on); err != nil {
			return Delivery{}, err
		}
		if !o.d.Invitation.IsZero() {
			return s.revokeFor(ctx, actor, o.d)
		}
		if err := s.lockOffer(ctx, &o, r.on); err != nil {
			return Delivery{}, err
		}
		err = r.write(ctx, &o)
		return o.d, err
	})
}

// offered reads a delivery and locks the teams that the answer touches, which come before the
// conversation and the membership in the order of locks. That there is none is answered apart, since only those may
// learn it who may answer deliveries at all.
func (s *Service) offered(ctx context.Context, actor tenancy.Actor, id tenancy.DeliveryID, on DeliveryEvent) (o offer, missing, err error) {
	o = offer{actor: actor, now: s.env.Now()}
	o.d, err = s.store.Delivery(ctx, actor.Team, id)
	if notFound(err) {
		return o, err, nil
	}
	var touched []tenancy.TeamID
	switch {
	case err != nil:
		return o, nil, err
	case on == OnAccept && !o.d.Recipient.Team.IsZero():
		touched = []tenancy.TeamID{o.d.FromTeam, o.d.Recipient.Team}
	case !o.d.Invitation.IsZero():
		touched = []tenancy.TeamID{o.d.FromTeam}
	}
	for _, id := range tenancy.InOrder(touched...) {
		team, closed := s.people.Lock(ctx, id)
		if o.closed = cmp.Or(o.closed, closed); id == o.d.FromTeam {
			o.from = team
		} else {
			o.target = team
		}
	}
	return o, nil, nil
}

// mayAnswer is whether the delivery is the actor's to accept or decline, or their team's to cancel.
func (o offer) mayAnswer(on DeliveryEvent) error {
	ours, to := o.d.FromTeam == o.actor.Team, o.d.Recipient
	mine := to.Team == o.actor.Team || ours && to.User == o.actor.User
	if on == OnCancel && ours || on != OnCancel && mine {
		return nil
	}
	return ErrNotAddressee
}

// lockOffer locks the conversation of a delivery and reads both as they are then.
func (s *Service) lockOffer(ctx context.Context, o *offer, on DeliveryEvent) error {
	if o.closed != nil {
		return o.closed
	}
	var err error
	if o.c, err = s.store.LockConversation(ctx, o.d.FromTeam, o.d.Conversation); err != nil && !notFound(err) {
		return err // one that has moved on has ended the delivery
	}
	if o.d, err = s.store.Delivery(ctx, o.actor.Team, o.d.ID); err != nil {
		return err
	}
	_, err = o.d.StateAt(o.now).After(on)
	return err
}

// revokeFor cancels a delivery with the invitation that it waits for.
func (s *Service) revokeFor(ctx context.Context, actor tenancy.Actor, d Delivery) (Delivery, error) {
	if !d.State.Can(OnCancel) {
		return Delivery{}, &DeliveryStateError{State: d.State, Event: OnCancel}
	}
	if _, err := s.invites.Revoke(ctx, actor, d.Invitation); err != nil {
		return Delivery{}, err
	}
	return s.store.Delivery(ctx, actor.Team, d.ID)
}

// accept completes a delivery that was asked for, or lets it fail.
func (s *Service) accept(ctx context.Context, o *offer) error {
	if !o.d.Recipient.Team.IsZero() {
		if !delivers(o.from, o.target) {
			return s.fail(ctx, o, ErrNotTarget)
		}
		return s.moveTo(ctx, o.actor, &o.c, o.target, &o.d, OnAccept, o.now)
	}
	err := s.eligible(ctx, o.c.Team, o.d.Recipient.User)
	if errors.Is(err, ErrNotRecipient) {
		return s.fail(ctx, o, err)
	}
	if err != nil {
		return err
	}
	return s.assignTo(ctx, o.actor, &o.c, &o.d, OnAccept, o.now)
}

// fail puts on record why a delivery cannot be accepted.
func (s *Service) fail(ctx context.Context, o *offer, why error) error {
	if err := s.end(ctx, o.actor, o.c, &o.d, OnFail, o.now); err != nil {
		return err
	}
	return tenancy.Refuse(why)
}
