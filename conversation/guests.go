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

// Admitted implements [invite.Admitter]: a guest with a live grant is in. Who may only read can be
// invited, to take part.
func (s *Service) Admitted(ctx context.Context, id tenancy.ConversationID, user tenancy.UserID) (bool, error) {
	g, err := s.store.Grant(ctx, id, user)
	if notFound(err) {
		return false, nil
	}
	return g.LiveAt(s.env.Now()) && !g.ReadOnly, err
}

// Seen implements [invite.Admitter], by the scope: who does not see all of the team's sees few.
func (s *Service) Seen(ctx context.Context, standing tenancy.Standing, ids ...tenancy.ConversationID) ([]tenancy.ConversationID, error) {
	scope := s.scope(standing)
	if scope.Guest.IsZero() {
		return ids, nil
	}
	var seen []tenancy.ConversationID
	for page := (tenancy.Keyset{Limit: tenancy.MaxLimit}); ; {
		granted, err := s.store.Conversations(ctx, scope, Filter{}, page)
		if err != nil {
			return nil, err
		}
		for _, c := range granted {
			if slices.Contains(ids, c.ID) {
				seen = append(seen, c.ID)
			}
		}
		if len(granted) < page.Limit {
			return seen, nil
		}
		page.At, page.ID = scope.Key(granted[len(granted)-1])
	}
}

// Settle implements [invite.Admitter]: an accepted invitation becomes a grant, and deliveries that
// waited for the invitations end with them. It must run inside a transaction.
func (s *Service) Settle(ctx context.Context, ended ...invite.Invitation) error {
	if inv := ended[0]; inv.State == invite.Accepted {
		return s.admit(ctx, inv)
	}
	return s.endWith(ctx, ended)
}

// admit lets in who has accepted.
func (s *Service) admit(ctx context.Context, inv invite.Invitation) error {
	// The team comes before the conversation in the order of locks.
	if err := s.people.AdmitGuests(ctx, admission, inv.Team, inv.AcceptedBy); err != nil {
		return err
	}
	c, err := s.store.LockConversation(ctx, inv.Team, inv.Conversation)
	if err != nil {
		return err
	}
	now, by := s.env.Now(), recorded(inv.EndedBy)
	if err := s.grant(ctx, by, c, inv, now); err != nil {
		return err
	}
	return s.deliverWith(ctx, by, &c, inv, now)
}

// recorded is a principal as an event or a row names it.
type recorded string

func (r recorded) Principal() string { return string(r) }

// grant lets the user who accepted into the conversation, again if it was taken back before.
func (s *Service) grant(ctx context.Context, by tenancy.Principal, c Conversation, inv invite.Invitation, now time.Time) error {
	g := Grant{Conversation: c.ID, User: inv.AcceptedBy, Inviter: inv.Inviter, AcceptedAt: now, Version: 1}
	grants, err := s.store.Grants(ctx, c.ID)
	if err != nil {
		return err
	}
	first, err := s.firstFor(ctx, c, inv)
	if err != nil {
		return err
	}
	shown, err := s.shownBy(ctx, c, grantOf(grants, inv.Inviter))
	if err != nil {
		return err
	}
	g.FromSeq = max(first, shown)
	if old := grantOf(grants, inv.AcceptedBy); old.User.IsZero() {
		err = s.store.InsertGrant(ctx, g)
	} else {
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

// grantOf is the user's among the grants of a conversation; the zero grant if they have none.
func grantOf(grants []Grant, user tenancy.UserID) Grant {
	for _, g := range grants {
		if g.User == user {
			return g
		}
	}
	return Grant{}
}

// shownBy is the first message that an inviter with this grant can show: who is a guest themselves, in a role
// that may invite others, shows nobody what is hidden from them. One who has gone since, and whose word the
// team still trusts, is taken for the guest that they were.
func (s *Service) shownBy(ctx context.Context, c Conversation, inviter Grant) (int64, error) {
	if inviter.User.IsZero() {
		return 1, nil
	}
	standing, err := s.people.Standing(ctx, tenancy.Actor{User: inviter.User, Team: c.Team})
	switch {
	case err == nil && s.scope(standing).Guest.IsZero():
		return 1, nil
	case err == nil, notFound(err), errors.Is(err, rbac.ErrDenied):
		return inviter.FromSeq, nil
	}
	return 0, err
}

// firstFor is the first message that a guest may see, as the team's policy and the inviter have it. The messages are
// in order of their times, so a few of them tell where an invitation was made.
func (s *Service) firstFor(ctx context.Context, c Conversation, inv invite.Invitation) (int64, error) {
	team, err := s.people.TeamByID(ctx, admission, c.Team)
	if err != nil {
		return 0, err
	}
	switch team.Settings.History.Narrower(inv.History) {
	case tenancy.HistoryFromNow:
		return c.LastSeq + 1, nil
	case tenancy.HistoryFromInvitation:
		return s.firstAfter(ctx, c, inv.CreatedAt)
	case tenancy.HistoryAll:
	}
	return 1, nil
}

func (s *Service) firstAfter(ctx context.Context, c Conversation, at time.Time) (seq int64, err error) {
	seen := sort.Search(int(c.LastSeq), func(before int) bool {
		next, failed := s.store.Messages(ctx, c.ID, Range{After: int64(before), Notes: true, Limit: 1})
		err = errors.Join(err, failed)
		return len(next) > 0 && next[0].At.After(at)
	})
	return int64(seen) + 1, err
}
