package conversation

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

// handover is the system that carries guests along to another team.
const handover = tenancy.System("delivery")

// Deliver hands a conversation over, with an outcome, in one transaction.
//
// To a colleague: it is assigned to them. To an e-mail address: its owner is invited as a
// guest, and the delivery stays pending until they accept; a guest who is in the
// conversation already has it at once. To another team of the account: it moves there with
// its messages and guests, and the deliverer's team keeps the card. With [AskAcceptance] the
// colleague or the team is asked first: see [Service.AcceptDelivery]. A pending delivery leaves
// the conversation where it was, and there is at most one.
//
// A pending delivery is cancelled when the conversation is closed or moves, and when the deliverer
// leaves the team; it fails when the colleague leaves the team or the target is archived.
//
// A negative outcome closes the conversation when the delivery completes, unless [KeepOpen]. The
// application that the outcome is about has the outcome's status then, whatever the status is.
//
// Errors: [*tenancy.InvalidError] (for an unknown status it lists those of the team),
// [tenancy.ErrNotFound] (also for a team of another account, and for an application that is not the contact's), [rbac.ErrDenied], [ErrClosed],
// [ErrNotRecipient], [ErrNotTarget], [ErrDeliveryPending], [tenancy.ErrTeamArchived], and those of [invite.Service.Create].
func (s *Service) Deliver(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, to Recipient, outcome Outcome, options ...DeliverOption) (Delivery, error) {
	to, err := to.checked()
	if err != nil {
		return Delivery{}, err
	}
	if outcome, err = outcome.checked(); err != nil {
		return Delivery{}, err
	}
	var t terms
	for _, set := range options {
		set(&t)
	}
	if err := t.validate(to); err != nil {
		return Delivery{}, err
	}
	asked := []any{actor.Team, id, to, outcome, t}
	return tenancy.Do(ctx, s.store, s.env, actor, "Deliver", asked, func(ctx context.Context) (Delivery, error) {
		d := Delivery{
			Conversation: id, By: actor.User, Recipient: to, Outcome: outcome,
			KeepOpen: t.KeepOpen, KeepReading: t.KeepReading,
		}
		err := s.deliver(ctx, actor, &d, t)
		return d, err
	})
}

// deliver decides and writes.
func (s *Service) deliver(ctx context.Context, actor tenancy.Actor, d *Delivery, t terms) error {
	own, target, closedTarget, err := s.lockTeams(ctx, actor, d.Recipient)
	if err != nil {
		return err
	}
	if err := s.lapse(ctx, actor.Team, d.Conversation); err != nil {
		return err
	}
	v, err := s.enter(ctx, actor, d.Conversation, delivering)
	if err != nil {
		return err
	}
	now := s.env.Now()
	if err := s.vacate(ctx, v.Conversation, now); err != nil {
		return err
	}
	if d.Outcome.Status, d.Category, err = s.status(ctx, v.Team, d.Outcome.Status); err != nil {
		return err
	}
	if err := s.about(ctx, v.Conversation, d); err != nil {
		return err
	}
	s.issue(v.Conversation, d, now)
	switch {
	case !d.Recipient.User.IsZero():
		return s.deliverToUser(ctx, actor, &v.Conversation, d, t)
	case !d.Recipient.Email.IsZero():
		return s.deliverToEmail(ctx, actor, &v.Conversation, d, t)
	case target.Account != v.Account || target.ID == v.Team:
		return tenancy.ErrNotFound // another account's team is answered like none at all
	case !delivers(own, target):
		return ErrNotTarget
	case closedTarget != nil:
		return closedTarget
	}
	if t.Ask {
		return s.request(ctx, actor, v.Conversation, d, t.Within)
	}
	return s.moveTo(ctx, actor, &v.Conversation, target, d, OnDeliver, now)
}

// issue makes a delivery one of the conversation.
func (s *Service) issue(c Conversation, d *Delivery, now time.Time) {
	d.ID, d.Conversation = tenancy.NewID[tenancy.DeliveryID](s.env), c.ID
	d.Account, d.FromTeam, d.CreatedAt = c.Account, c.Team, now
}

// delivers reports whether a team's settings let its conversations go to another one.
func delivers(from, to tenancy.Team) bool {
	allowed := from.Settings.DeliverTo
	return allowed == nil || slices.Contains(allowed, to.ID)
}

// lockTeams takes the teams that a delivery touches, before the conversation and in the order
// of their ids: the actor's own where invitations are written, and the target of a move. That
// the target cannot be delivered to is answered apart, since only those may learn it who may
// deliver.
func (s *Service) lockTeams(ctx context.Context, actor tenancy.Actor, to Recipient) (own, target tenancy.Team, closed, err error) {
	if to.Email.IsZero() && to.Team.IsZero() {
		return own, target, nil, nil
	}
	first := !to.Team.IsZero() && bytes.Compare(to.Team[:], actor.Team[:]) < 0
	if first {
		target, closed = s.people.Lock(ctx, to.Team)
	}
	if own, _, err = s.people.Enter(ctx, actor); err != nil {
		return own, target, closed, err
	}
	if !first && !to.Team.IsZero() {
		target, closed = s.people.Lock(ctx, to.Team)
	}
	return own, target, closed, nil
}

// lapse ends a pending delivery whose invitation has run out, so that it stands in nobody's
// way. The invitation is locked here, before the conversation.
func (s *Service) lapse(ctx context.Context, team tenancy.TeamID, id tenancy.ConversationID) error {
	pending, err := s.store.PendingDelivery(ctx, id)
	if notFound(err) || err == nil && (pending.FromTeam != team || pending.Invitation.IsZero()) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = s.invites.Expire(ctx, handover, team, pending.Invitation)
	return err
}

// vacate makes room for a delivery: it ends a pending one whose deadline has come. One that is
// pending still is a conflict.
func (s *Service) vacate(ctx context.Context, c Conversation, now time.Time) error {
	pending, err := s.store.PendingDelivery(ctx, c.ID)
	switch {
	case notFound(err):
		return nil
	case err != nil:
		return err
	case pending.StateAt(now) == DeliveryPending:
		return ErrDeliveryPending
	}
	return s.end(ctx, handover, c, &pending, OnExpire, now)
}

// request writes a delivery that waits for its recipient.
func (s *Service) request(ctx context.Context, by tenancy.Principal, c Conversation, d *Delivery, within time.Duration) error {
	var err error
	if d.State, err = d.State.After(OnRequest); err != nil {
		return err
	}
	if within > 0 {
		d.Deadline = d.CreatedAt.Add(within)
	}
	d.Version = 1
	if err := s.store.InsertDelivery(ctx, *d); err != nil {
		return err
	}
	return s.record(ctx, by, d.CreatedAt, c, DeliveryRequested, d.facts())
}

func (s *Service) deliverToUser(ctx context.Context, by tenancy.Principal, c *Conversation, d *Delivery, t terms) error {
	var accepting []rbac.Permission
	if t.Ask {
		accepting = []rbac.Permission{rbac.AssignConversation}
	}
	if err := s.eligible(ctx, c.Team, d.Recipient.User, accepting...); err != nil {
		return err
	}
	if t.Ask {
		return s.request(ctx, by, *c, d, t.Within)
	}
	return s.assignTo(ctx, by, c, d, OnDeliver, d.CreatedAt)
}

// assignTo makes the recipient responsible, who can be.
func (s *Service) assignTo(ctx context.Context, by tenancy.Principal, c *Conversation, d *Delivery, on DeliveryEvent, now time.Time) error {
	if c.Claimant != d.Recipient.User {
		if err := s.letGo(ctx, by, c, "deliver", now); err != nil {
			return err
		}
	}
	from := c.Assignee
	if c.Assignee = d.Recipient.User; from != c.Assignee {
		facts := tenancy.Facts{"user": c.Assignee.String()}
		if !from.IsZero() {
			facts["from"] = from.String()
		}
		if err := s.record(ctx, by, now, *c, ConversationAssigned, facts); err != nil {
			return err
		}
	}
	return s.complete(ctx, by, c, d, on, now)
}

// deliverToEmail takes a colleague's address as the colleague, and invites anyone else.
func (s *Service) deliverToEmail(ctx context.Context, actor tenancy.Actor, c *Conversation, d *Delivery, t terms) error {
	member, err := s.people.MemberByEmail(ctx, actor, d.Recipient.Email.Display)
	if err != nil && !notFound(err) {
		return err
	}
	if err == nil {
		standing, err := s.people.Standing(ctx, tenancy.Actor{User: member.User, Team: c.Team})
		switch {
		case errors.Is(err, rbac.ErrDenied): // suspended, in the team or as a whole, or expired
			return ErrNotRecipient
		case err != nil:
			return err
		case answers(standing):
			d.Recipient = ToUser(member.User)
			return s.deliverToUser(ctx, actor, c, d, t)
		}
		grant, err := s.store.Grant(ctx, c.ID, member.User)
		if err != nil && !notFound(err) {
			return err
		}
		if err == nil && grant.LiveAt(d.CreatedAt) {
			return s.complete(ctx, actor, c, d, OnDeliver, d.CreatedAt)
		}
	}
	var lasts []invite.Option
	if t.Within > 0 {
		lasts = append(lasts, invite.ExpiresIn(t.Within))
	}
	inv, err := s.invites.Create(ctx, actor, invite.ToConversation(d.Recipient.Email.Display, c.ID, lasts...))
	if err != nil {
		return err
	}
	d.Invitation = inv.ID
	return s.request(ctx, actor, *c, d, 0)
}

// moveTo completes a delivery to another team: the conversation is there then.
func (s *Service) moveTo(ctx context.Context, by tenancy.Principal, c *Conversation, target tenancy.Team, d *Delivery, on DeliveryEvent, now time.Time) error {
	if err := s.end(ctx, by, *c, d, on, now); err != nil {
		return err
	}
	threads := []Conversation{*c}
	err := s.move(ctx, by, threads, target, now, func(int) tenancy.Facts { return tenancy.Facts{"delivery": d.ID.String()} })
	if err != nil {
		return err
	}
	*c = threads[0]
	if err := s.keepReading(ctx, *c, *d, now); err != nil {
		return err
	}
	return s.applyOutcome(ctx, by, c, d, now)
}

// handOver writes the cards of conversations that move from one team to another, one for each, and
// moves them.
func (s *Service) handOver(ctx context.Context, by tenancy.Principal, threads []Conversation, target tenancy.Team, cards []Delivery, now time.Time) error {
	var events []outbox.Event
	for i, c := range threads {
		cards[i].State, cards[i].EndedAt = DeliveryCompleted, now
		events = append(events, s.deliveryEnded(by, now, c, cards[i]))
	}
	if err := s.store.InsertDelivery(ctx, cards...); err != nil {
		return err
	}
	if err := s.store.Append(ctx, events...); err != nil {
		return err
	}
	return s.move(ctx, by, threads, target, now, func(i int) tenancy.Facts {
		return tenancy.Facts{"delivery": cards[i].ID.String()}
	})
}

// complete writes that a delivery has come to its recipient, and what follows from its outcome.
func (s *Service) complete(ctx context.Context, by tenancy.Principal, c *Conversation, d *Delivery, on DeliveryEvent, now time.Time) error {
	if err := s.end(ctx, by, *c, d, on, now); err != nil {
		return err
	}
	return s.applyOutcome(ctx, by, c, d, now)
}

// deliverWith completes the delivery that waited for an accepted invitation, if there is one.
func (s *Service) deliverWith(ctx context.Context, by tenancy.Principal, c *Conversation, inv invite.Invitation, now time.Time) error {
	d, err := s.store.PendingDelivery(ctx, c.ID)
	if notFound(err) || err == nil && d.Invitation != inv.ID {
		return nil
	}
	if err != nil {
		return err
	}
	return s.complete(ctx, by, c, &d, OnAccept, now)
}

// applyOutcome writes what a completed delivery does to the conversation.
func (s *Service) applyOutcome(ctx context.Context, by tenancy.Principal, c *Conversation, d *Delivery, now time.Time) error {
	if d.Outcome.Status.moves() {
		c.Label = d.Outcome.Status
	}
	if err := s.grade(ctx, by, *c, *d); err != nil {
		return err
	}
	if d.Category == Negative && !d.KeepOpen && c.Status != Closed {
		if err := s.conclude(ctx, by, c, OnClose, d.Outcome.Status, now); err != nil {
			return err
		}
	}
	return s.update(ctx, c)
}
