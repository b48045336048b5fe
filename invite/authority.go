package invite

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/tenancy"
)

// rights says what each kind of invitation asks of those who send and take it back. They are
// separate rights: who may invite guests cannot thereby make members (Mattermost
// CVE-2024-1888).
// Who holds an account offers it; see [Service.Offer].
var rights = map[Kind]struct{ offer, revoke rbac.Permission }{
	ToOneTeam:         {rbac.InviteMember, rbac.InviteMember},
	ToOneConversation: {rbac.InviteGuest, rbac.RevokeGuest},
	ByLink:            {rbac.InviteMember, rbac.InviteMember},
	ByRequest:         {rbac.InviteMember, rbac.InviteMember},
}

// mayInvite is the right to send an invitation of the kind. Of other teams than their own the actor learns
// nothing without it.
func mayInvite(actor tenancy.Actor, o opening) error {
	err := o.in.Standing.Check(rights[o.inv.Kind].offer)
	if o.in.Standing.Actor != actor && errors.Is(err, rbac.ErrDenied) {
		return tenancy.ErrNotFound
	}
	return err
}

// mayOffer is the inviter's authority, checked when an invitation is created, sent again and
// accepted: the right to invite, to no role above their own, and into a conversation that they
// may offer.
//
// It answers the invitation with the base of its custom role, if it has one.
func (s *Service) mayOffer(ctx context.Context, standing tenancy.Standing, inv Invitation) (Invitation, error) {
	roles, err := s.rolesOf(ctx, inv)
	if err != nil {
		return Invitation{}, err
	}
	return s.mayGrant(ctx, standing, inv, roles)
}

// customRoles are an account's own roles.
type customRoles map[tenancy.RoleID]tenancy.CustomRole

// rolesOf are the custom roles of the account of the invitations, of which there are few, where one of them
// names one.
func (s *Service) rolesOf(ctx context.Context, invitations ...Invitation) (customRoles, error) {
	if !slices.ContainsFunc(invitations, func(i Invitation) bool { return !i.Custom.IsZero() }) {
		return nil, nil
	}
	found, err := s.people.RolesByAccount(ctx, system, invitations[0].Account)
	roles := customRoles{}
	for _, role := range found {
		roles[role.ID] = role
	}
	return roles, err
}

// mayGrant is mayOffer where the custom roles have been read.
func (s *Service) mayGrant(ctx context.Context, standing tenancy.Standing, inv Invitation, roles customRoles) (Invitation, error) {
	perm := rights[inv.Kind].offer
	if err := standing.Check(perm); err != nil {
		return Invitation{}, err
	}
	if inv.Custom.IsZero() {
		if err := standing.Covers(perm, inv.Role); err != nil {
			return Invitation{}, err
		}
	} else {
		role, found := roles[inv.Custom]
		if !found {
			return Invitation{}, tenancy.ErrNotFound
		}
		if err := standing.CoversCustom(perm, role); err != nil {
			return Invitation{}, err
		}
		inv.Role = role.Base
	}
	if inv.Kind != ToOneConversation {
		return inv, nil
	}
	return inv, s.admitter.Offer(ctx, standing.Actor, inv.Conversation)
}

// inviterMay checks the authority of whoever sent the invitation as it is now, unless the team
// trusts its inviters. What they lack is not told to the one who accepts. An account can be given
// away by nobody but its holder.
func (s *Service) inviterMay(ctx context.Context, a tenancy.Arrival, inv Invitation) error {
	err := s.stillOffers(ctx, inv)
	if !errors.Is(err, rbac.ErrDenied) && !errors.Is(err, tenancy.ErrNotFound) {
		return err
	}
	if inv.Kind != ToOneAccount && a.Team.Settings.TrustInviters {
		return nil
	}
	return ErrInviterLost
}

func (s *Service) stillOffers(ctx context.Context, inv Invitation) error {
	if inv.Kind == ToOneAccount {
		_, err := s.people.EnterTransfer(ctx, tenancy.Holder{User: inv.Inviter, Account: inv.Account})
		return err
	}
	standing, err := s.people.Standing(ctx, tenancy.Actor{User: inv.Inviter, Team: inv.Team})
	if err != nil {
		return err
	}
	_, err = s.mayOffer(ctx, standing, inv)
	return err
}

// mayRead lets those read invitations of a kind who may send them. Reading goes on in a
// suspended account, so the question is about the role alone.
func mayRead(standing tenancy.Standing, kind Kind) error {
	if perm := rights[kind].offer; !standing.Allows(perm) {
		return standing.Check(perm)
	}
	return nil
}

// mayKnow refuses, before anything is looked up, those who may read no kind of invitation: to
// them every id is alike.
func mayKnow(standing tenancy.Standing) error {
	if mayRead(standing, ToOneTeam) == nil {
		return nil
	}
	return mayRead(standing, ToOneConversation)
}

// known reads an invitation of the actor's team, or locks it, for an actor who may know of it. To whom
// does not see its conversation, it is not found, whatever they wanted to do with it.
func (s *Service) known(ctx context.Context, standing tenancy.Standing, id tenancy.InvitationID,
	read func(context.Context, tenancy.TeamID, tenancy.InvitationID) (Record, error),
) (Record, error) {
	if err := mayKnow(standing); err != nil {
		return Record{}, err
	}
	r, err := read(ctx, standing.Actor.Team, id)
	if err != nil {
		return Record{}, err
	}
	seen, err := s.unhidden(ctx, standing, r.Invitation)
	if err == nil && len(seen) == 0 {
		err = tenancy.ErrNotFound
	}
	return r, err
}

// unhidden leaves out the invitations into conversations that the actor does not see: they name people
// who are there. It asks once, however many there are.
func (s *Service) unhidden(ctx context.Context, standing tenancy.Standing, invitations ...Invitation) ([]Invitation, error) {
	var into []tenancy.ConversationID
	for _, inv := range invitations {
		if inv.Kind == ToOneConversation {
			into = append(into, inv.Conversation)
		}
	}
	if len(into) == 0 {
		return invitations, nil
	}
	seen, err := s.admitter.Seen(ctx, standing, tenancy.InOrder(into...)...)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(invitations, func(inv Invitation) bool {
		return inv.Kind == ToOneConversation && !slices.Contains(seen, inv.Conversation)
	}), nil
}

// conflict answers a [*tenancy.MemberError] if the invitation is of no use to someone with this
// membership: they are in the team. A guest can be invited into one more conversation, and is told with a
// [*GuestError] of one that they are in; what a custom role adds is not looked at, since one that reads all
// conversations need not write in any. A suspended member can be invited to nothing, so that nobody is
// revived in passing.
func (s *Service) conflict(ctx context.Context, inv Invitation, m tenancy.Membership, now time.Time) error {
	absent := m.User.IsZero() || m.Status == tenancy.MembershipRemoved
	guest := m.ActiveAt(now) && !s.policy.Allows(m.Role, rbac.ReadConversation, rbac.ByTeam)
	switch {
	case absent:
		return nil
	case !guest || inv.Kind != ToOneConversation:
		return &tenancy.MemberError{Membership: m}
	}
	admitted, err := s.admitter.Admitted(ctx, inv.Conversation, m.User)
	if err == nil && admitted {
		return &GuestError{Membership: m, Conversation: inv.Conversation}
	}
	return err
}

// colleague is conflict for an address: it answers only about people in the inviter's own team,
// whom they may list anyway. Whether an address is registered elsewhere shows nowhere: the
// invitation is made in either case (Zulip CVE-2022-41914).
func (s *Service) colleague(ctx context.Context, standing tenancy.Standing, inv Invitation, now time.Time) error {
	members, err := s.people.MembersIn(ctx, []string{inv.Email.Normal}, standing)
	if err != nil {
		return err
	}
	return s.conflict(ctx, inv, members[inv.Team][inv.Email.Normal], now)
}
