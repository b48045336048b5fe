package conversation

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/usher-go/usher/tenancy"
)

// Depart implements [tenancy.Departures]: what departing members were responsible for or had claimed
// goes back to the team, what they are about to deliver or to be given stays, and the conversations that
// they were guests of are closed to them. It must run inside a transaction.
func (s *Service) Depart(ctx context.Context, departures ...tenancy.Departure) error {
	gone := leaving{by: departures[0].By, at: departures[0].At, who: map[tenancy.Actor]bool{}}
	for _, d := range departures {
		gone.who[tenancy.Actor{User: d.User, Team: d.Team.ID}] = true
	}
	held, err := s.store.HeldBy(ctx, slices.Collect(maps.Keys(gone.who))...)
	if err != nil {
		return err
	}
	// One that has moved to another team in between was freed by that.
	threads, err := s.store.LockConversations(ctx, held...)
	if err != nil || len(threads) == 0 {
		return err
	}
	return s.free(ctx, gone, threads)
}

// leaving are members who go, and since when and by whose word.
type leaving struct {
	by  tenancy.Principal
	at  time.Time
	who map[tenancy.Actor]bool
}

// from reports whether the user has gone from the conversation's team.
func (l leaving) from(c Conversation, user tenancy.UserID) bool {
	return l.who[tenancy.Actor{User: user, Team: c.Team}]
}

// free takes conversations, which are locked, out of departing members' hands. A delivery of theirs
// to an e-mail address is cancelled with its invitation already, unless the team keeps the invitations
// of those who leave; one that waited for them to accept has failed.
func (s *Service) free(ctx context.Context, gone leaving, threads []Conversation) error {
	pending, err := s.pendingIn(ctx, threads)
	if err != nil {
		return err
	}
	guests, err := s.guestsIn(ctx, threads)
	if err != nil {
		return err
	}
	var claimed []Conversation
	for _, c := range threads {
		if gone.from(c, c.Claimant) {
			claimed = append(claimed, c)
		}
	}
	events := s.released(gone.by, claimed, "leave", gone.at)
	var unassigned []Conversation
	var revoked []GrantKey
	over := endingsAt(gone.at)
	for _, c := range threads {
		if gone.from(c, c.Assignee) {
			unassigned = append(unassigned, c)
			events = append(events, s.event(gone.by, gone.at, c, ConversationUnassigned, tenancy.Facts{"from": c.Assignee.String()}))
		}
		if on := gone.ends(c, pending[c.ID]); on != "" {
			ended, err := s.endIn(over, gone.by, c, pending[c.ID], on)
			if err != nil {
				return err
			}
			events = append(events, ended)
		}
		for _, user := range guests[c.ID] {
			if gone.from(c, user) {
				revoked = append(revoked, GrantKey{c.ID, user})
				events = append(events, s.event(gone.by, gone.at, c, GuestRevoked, tenancy.Facts{"user": user.String()}))
			}
		}
	}
	if err := s.store.ReleaseConversations(ctx, threadsOf(claimed)...); err != nil {
		return err
	}
	if err := s.store.UnassignConversations(ctx, threadsOf(unassigned)...); err != nil {
		return err
	}
	if err := s.writeEnds(ctx, over); err != nil {
		return err
	}
	if err := s.store.RevokeGrants(ctx, gone.at, gone.by.Principal(), revoked...); err != nil {
		return err
	}
	return s.store.Append(ctx, events...)
}

// guestsIn are those who have a grant for the conversations that is not revoked.
func (s *Service) guestsIn(ctx context.Context, threads []Conversation) (map[tenancy.ConversationID][]tenancy.UserID, error) {
	grants, err := s.store.Grants(ctx, idsOf(threads)...)
	guests := map[tenancy.ConversationID][]tenancy.UserID{}
	for _, g := range grants {
		if g.RevokedAt.IsZero() {
			guests[g.Conversation] = append(guests[g.Conversation], g.User)
		}
	}
	return guests, err
}

// ends is how a delivery ends when its people have gone; empty where it does not.
func (l leaving) ends(c Conversation, d Delivery) DeliveryEvent {
	switch {
	case l.from(c, d.By):
		return OnCancel
	case l.from(c, d.Recipient.User):
		return OnFail
	}
	return ""
}
