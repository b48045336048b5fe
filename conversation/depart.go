package conversation

import (
	"context"
	"slices"

	"github.com/usher-go/usher/tenancy"
)

// Depart implements [tenancy.Departures]: what a departing member was responsible for or
// had claimed goes back to the team, what they are about to deliver or to be given stays, and the conversations that they were a
// guest of are closed to them. It must run inside a transaction.
func (s *Service) Depart(ctx context.Context, d tenancy.Departure) error {
	ids, err := s.heldBy(ctx, d)
	if err != nil {
		return err
	}
	// One that has moved to another team in between was freed by that.
	threads, err := s.store.LockConversations(ctx, d.Team.ID, ids...)
	if err != nil || len(threads) == 0 {
		return err
	}
	return s.free(ctx, d, threads)
}

// heldBy lists the conversations of which the departing member has anything.
func (s *Service) heldBy(ctx context.Context, d tenancy.Departure) ([]tenancy.ConversationID, error) {
	assigned, err := s.store.AssignedTo(ctx, d.Team.ID, d.User)
	if err != nil {
		return nil, err
	}
	claimed, err := s.store.ClaimedBy(ctx, d.Team.ID, d.User)
	if err != nil {
		return nil, err
	}
	granted, err := s.store.GrantedIn(ctx, d.Team.ID, d.User)
	if err != nil {
		return nil, err
	}
	delivering, err := s.store.PendingDeliveriesOf(ctx, d.Team.ID, d.User)
	return slices.Concat(assigned, claimed, granted, delivering), err
}

// free takes conversations, which are locked, out of a departing member's hands. A delivery of theirs
// to an e-mail address is cancelled with its invitation already, unless the team keeps the invitations
// of those who leave; one that waited for them to accept has failed.
func (s *Service) free(ctx context.Context, d tenancy.Departure, threads []Conversation) error {
	pending, err := s.pendingIn(ctx, threads)
	if err != nil {
		return err
	}
	granted, err := s.store.GrantedIn(ctx, d.Team.ID, d.User)
	if err != nil {
		return err
	}
	var claimed []Conversation
	var unassigned, revoked []tenancy.ConversationID
	over := endingsAt(d.At)
	for _, c := range threads {
		if c.Claimant == d.User {
			claimed = append(claimed, c)
		}
	}
	events := s.released(d.By, claimed, "leave", d.At)
	for _, c := range threads {
		if c.Assignee == d.User {
			unassigned = append(unassigned, c.ID)
			events = append(events, s.event(d.By, d.At, c, ConversationUnassigned, tenancy.Facts{"from": d.User.String()}))
		}
		if on := pending[c.ID].without(d.User); on != "" {
			ended, err := s.endIn(over, d.By, c, pending[c.ID], on)
			if err != nil {
				return err
			}
			events = append(events, ended)
		}
		if slices.Contains(granted, c.ID) {
			revoked = append(revoked, c.ID)
			events = append(events, s.event(d.By, d.At, c, GuestRevoked, tenancy.Facts{"user": d.User.String()}))
		}
	}
	if err := s.store.ReleaseConversations(ctx, d.Team.ID, idsOf(claimed)...); err != nil {
		return err
	}
	if err := s.store.UnassignConversations(ctx, d.Team.ID, unassigned...); err != nil {
		return err
	}
	if err := s.writeEnds(ctx, over); err != nil {
		return err
	}
	if err := s.store.RevokeGrants(ctx, d.User, d.At, d.By.Principal(), revoked...); err != nil {
		return err
	}
	return s.store.Append(ctx, events...)
}

// without is how a delivery ends when a user has gone; empty where it does not.
func (d Delivery) without(user tenancy.UserID) DeliveryEvent {
	switch user {
	case d.By:
		return OnCancel
	case d.Recipient.User:
		return OnFail
	}
	return ""
}
