package conversation

import (
	"context"
	"errors"
	"slices"
	"sort"
	"time"

	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// admission is the system that lets guests in, as the audit log names it.
const admission = tenancy.System("invitation")

// Guests lists the grants of a conversation, ended ones included.
func (s *Service) Guests(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID) ([]Grant, error) {
	if _, err := s.look(ctx, actor, id, act{rbac.ListMembers, true}); err != nil {
		return nil, err
	}
	return s.store.Grants(ctx, id)
}

// RevokeGuest takes a guest's access to one conversation back. Their other conversations
// stay. Revoking it again changes nothing.
//
// Errors: [tenancy.ErrNotFound] also where the user has no grant, [rbac.ErrDenied].
func (s *Service) RevokeGuest(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID, user tenancy.UserID) error {
	_, err := s.change(ctx, actor, id, revoking, "RevokeGuest", user, func(ctx context.Context, c *Conversation, now time.Time) error {
		g, err := s.store.Grant(ctx, id, user)
		if err != nil {
			return err
		}
		return s.revoke(ctx, actor, *c, g, now)
	})
	return err
}

func (s *Service) revoke(ctx context.Context, by tenancy.Principal, c Conversation, g Grant, now time.Time) error {
	if !g.RevokedAt.IsZero() {
		return nil
	}
	g.RevokedAt, g.RevokedBy = now, by.Principal()
	if err := s.store.UpdateGrant(ctx, g); err != nil {
		return err
	}
	return s.record(ctx, by, now, c, GuestRevoked, tenancy.Facts{"user": g.User.String()})
}

// Offer implements [invite.Admitter]: whoever may invite guests, and sees the conversation,
// may offer access to it while it is open. It must run inside a transaction.
func (s *Service) Offer(ctx context.Context, actor tenancy.Actor, id tenancy.ConversationID) error {
	_, err := s.enter(ctx, actor, id, inviting)
	return err
}

// Admitted implements [invite.Admitter]: a guest with a live grant is in.
func (s *Service) Admitted(ctx context.Context, id tenancy.ConversationID, user tenancy.UserID) (bool, error) {
	g, err := s.store.Grant(ctx, id, user)
	if notFound(err) {
		return false, nil
	}
	return g.LiveAt(s.env.Now()), err
}

// Settle implements [invite.Admitter]: an accepted invitation becomes a grant, and a
// delivery that waited for the invitation ends with it. It must run inside a transaction.
func (s *Service) Settle(ctx context.Context, inv invite.Invitation) error {
	by := tenancy.Principal(recorded(inv.EndedBy))
	if inv.State == invite.Accepted {
		// The team comes before the conversation in the order of locks.
		if _, err := s.people.AdmitGuest(ctx, admission, inv.Team, inv.AcceptedBy); err != nil {
			return err
		}
	}
	c, err := s.store.LockConversation(ctx, inv.Team, inv.Conversation)
	if notFound(err) && inv.State != invite.Accepted {
		return nil // it has moved on, and its delivery was not this invitation's
	}
	if err != nil {
		return err
	}
	now := s.env.Now()
	if inv.State == invite.Accepted {
		if err := s.grant(ctx, by, c, inv, now); err != nil {
			return err
		}
	}
	return s.settleDelivery(ctx, by, &c, inv, now)
}

// recorded is a principal as an event or a row names it.
type recorded string

func (r recorded) Principal() string { return string(r) }

// grant lets the user who accepted into the conversation, again if it was taken back before.
func (s *Service) grant(ctx context.Context, by tenancy.Principal, c Conversation, inv invite.Invitation, now time.Time) error {
	g := Grant{Conversation: c.ID, User: inv.AcceptedBy, Inviter: inv.Inviter, AcceptedAt: now, Version: 1}
	var err error
	if g.FromSeq, err = s.firstFor(ctx, c, inv); err != nil {
		return err
	}
	old, err := s.store.Grant(ctx, c.ID, inv.AcceptedBy)
	switch {
	case notFound(err):
		err = s.store.InsertGrant(ctx, g)
	case err == nil:
		if old.LiveAt(now) {
			g.FromSeq = min(g.FromSeq, old.FromSeq) // what a guest sees is not taken away by one more invitation
		}
		g.Version = old.Version
		err = s.store.UpdateGrant(ctx, g)
	}
	if err != nil {
		return err
	}
	return s.record(ctx, by, now, c, GuestAdmitted, tenancy.Facts{"user": inv.AcceptedBy.String(), "invitation": inv.ID.String()})
}

// firstFor is the first message that a guest may see: the very first, or the first after the
// invitation was made if the team hides its history. The messages are in order of their times,
// so a few of them tell where that is.
func (s *Service) firstFor(ctx context.Context, c Conversation, inv invite.Invitation) (int64, error) {
	team, err := s.people.TeamByID(ctx, admission, c.Team)
	if err != nil || !team.Settings.HideHistory {
		return 1, err
	}
	seen := sort.Search(int(c.LastSeq), func(before int) bool {
		next, failed := s.store.Messages(ctx, c.ID, Range{After: int64(before), Notes: true, Limit: 1})
		err = errors.Join(err, failed)
		return len(next) > 0 && next[0].At.After(inv.CreatedAt)
	})
	return int64(seen) + 1, err
}

// Depart implements [tenancy.Departures]: what a departing member was responsible for or had claimed goes
// back to the team, what they are about to deliver stays, and the conversations that they were a
// guest of are closed to them. It must run inside a transaction.
func (s *Service) Depart(ctx context.Context, d tenancy.Departure) error {
	assigned, err := s.store.AssignedTo(ctx, d.Team.ID, d.User)
	if err != nil {
		return err
	}
	claimed, err := s.store.ClaimedBy(ctx, d.Team.ID, d.User)
	if err != nil {
		return err
	}
	granted, err := s.store.GrantedIn(ctx, d.Team.ID, d.User)
	if err != nil {
		return err
	}
	delivering, err := s.store.PendingDeliveriesBy(ctx, d.Team.ID, d.User)
	if err != nil {
		return err
	}
	for _, id := range tenancy.InOrder(slices.Concat(assigned, claimed, granted, delivering)...) {
		if err := s.free(ctx, d, id, slices.Contains(delivering, id)); err != nil {
			return err
		}
	}
	return nil
}

// free takes one conversation out of a departing member's hands, and with it what they are about
// to deliver, if that is said.
func (s *Service) free(ctx context.Context, d tenancy.Departure, id tenancy.ConversationID, delivering bool) error {
	c, err := s.store.LockConversation(ctx, d.Team.ID, id)
	if notFound(err) {
		return nil // it moved to another team in between, and was freed by that
	}
	if err != nil {
		return err
	}
	if c.Claimant == d.User {
		if err := s.release(ctx, d.By, &c, "leave", d.At); err != nil {
			return err
		}
	}
	if c.Assignee == d.User {
		if err := s.unassign(ctx, d.By, &c, d.At); err != nil {
			return err
		}
	}
	if delivering {
		if err := s.cancel(ctx, d, c); err != nil {
			return err
		}
	}
	g, err := s.store.Grant(ctx, id, d.User)
	if notFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.revoke(ctx, d.By, c, g, d.At)
}

// cancel ends what a departing member was about to deliver. It is cancelled with its invitation
// already, unless the team keeps the invitations of those who leave.
func (s *Service) cancel(ctx context.Context, d tenancy.Departure, c Conversation) error {
	pending, err := s.store.PendingDelivery(ctx, c.ID)
	if notFound(err) || err == nil && pending.By != d.User {
		return nil
	}
	if err != nil {
		return err
	}
	return s.endDelivery(ctx, d.By, c, &pending, DeliveryCancelled, d.At, s.store.UpdateDelivery)
}
