package storagetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

// What holds for every method is checked on every method, from one table: a fault that was
// mended in one method tends to stay in its twin. A method of storage.Store that is not in the
// table fails the suite's own test.

// An effect is what a method does to a transaction.
type effect string

const (
	reads  effect = "reads"
	writes effect = "writes"
	locks  effect = "locks"
	opens  effect = "opens a transaction"
)

// A call is a method with arguments that succeed in a town.
type call struct {
	effect effect
	do     func(ctx context.Context, s storage.Store, t *town) error
}

// A town has one of everything, and of everything one more that is ready to be written.
type town struct {
	user, newUser             tenancy.User
	account, newAccount       tenancy.Account
	team, newTeam             tenancy.Team
	member, newMember         tenancy.Membership
	role, newRole, emptyRole  tenancy.CustomRole
	lapsed, lead              tenancy.Membership // in the role
	former                    tenancy.Membership // removed
	rising                    tenancy.Membership // active, until its expiry
	leaving                   tenancy.Membership // to be removed
	invitation, newInvitation invite.Record
	late                      invite.Record // its time has passed
	offer, ended              invite.Record
	guest, ending             invite.Record // pending; guest is into a conversation
	link, request, batched    invite.Record
	use, newUse               invite.Use
	contact, newContact       conversation.Contact
	application               conversation.Application
	newApplication            conversation.Application
	along                     conversation.Application // of a contact who is in the sibling as well
	thread, newThread         conversation.Conversation
	closing, moving           conversation.Conversation
	answered                  conversation.Conversation // and claimed
	skipped                   conversation.Conversation // ready to be, by its claimant
	snoozed, idle             conversation.Conversation
	episode, newEpisode       conversation.Episode
	message, newMessage       conversation.Message
	unsaid                    conversation.Message
	grant, newGrant           conversation.Grant
	revoking                  conversation.Grant
	optOut, newOptOut         conversation.OptOut
	mark, newMark             conversation.ReadMark
	delivery, newDelivery     conversation.Delivery
	erased, offered           conversation.Delivery
	operation, newOperation   tenancy.Operation
	oldOperation              tenancy.Operation
	oldSeen                   uuid.UUID
	oldSeenAt                 time.Time
	event, newEvent           outbox.Event
	due                       outbox.Due
	// sibling and stranger are empty teams of the same account and of another.
	sibling, stranger tenancy.Team
	at                time.Time
}

func (w *world) town() *town {
	w.Helper()
	old := w.aKeptOperation() // of before everything else, so that it alone can be forgotten
	t := &town{oldOperation: stored(w, "InsertOperation", old, w.store.InsertOperation), user: w.user(), newUser: w.aUser(), account: w.account(), newAccount: w.anAccount()}
	t.team, t.newTeam = w.teamIn(t.account.ID), w.aTeam(t.account.ID)
	t.sibling, t.stranger = w.teamIn(t.account.ID), w.team()
	t.member, t.newMember = w.member(t.team.ID, rbac.Manager), w.aMembership(t.team.ID, w.user().ID)
	t.role, t.newRole, t.emptyRole = w.role(t.account.ID), w.aRole(t.account.ID), w.role(t.account.ID)
	t.lapsed = w.aMembership(t.team.ID, w.user().ID)
	t.lapsed.Custom, t.lapsed.ExpiresAt = t.role.ID, t.lapsed.JoinedAt
	memberships().store(w, t.lapsed)
	t.rising = memberships().store(w, w.aMembership(t.team.ID, w.user().ID))
	t.former = w.aMembership(t.team.ID, w.user().ID)
	t.former.Status = tenancy.MembershipRemoved
	memberships().store(w, t.former)
	t.leaving = w.member(t.team.ID, rbac.Member)
	t.lead = w.aMembership(t.team.ID, w.user().ID)
	t.lead.Custom, t.lead.ExpiresAt = t.role.ID, time.Time{}
	memberships().store(w, t.lead)
	t.invitation, t.newInvitation = w.invitation(t.team), w.anInvitation(t.team)
	t.late = w.anInvitation(t.team)
	t.late.ExpiresAt = t.late.CreatedAt
	invitations().store(w, t.late)
	t.offer, t.ended = w.offer(t.account.ID), w.anInvitation(t.team)
	t.ended.State = invite.Declined
	t.ended = stored(w, "InsertInvitation", t.ended, just(w.store.InsertInvitation))
	t.link, t.request, t.batched = w.link(t.team), w.request(t.team), w.anInvitation(t.team)
	t.batched.Batch, t.batched.Role = newID[tenancy.BatchID](w), rbac.Member // a guest takes no seat
	invitations().store(w, t.batched)
	t.use, t.newUse = uses().store(w, w.aUse(t.link)), w.aUse(t.link)
	t.contact, t.newContact = w.contact(t.team.ID), w.aContact(t.team.ID)
	t.thread, t.newThread = w.conversation(t.team), w.aConversation(t.team)
	t.guest = stored(w, "InsertInvitation", w.aGuestInvitation(t.thread), just(w.store.InsertInvitation))
	t.ending = w.invitation(t.team)
	t.closing, t.moving = w.conversation(t.team), w.conversation(t.team)
	t.application, t.newApplication = w.application(contactIn{t.team, t.contact}), w.anApplication(contactIn{t.team, t.contact})
	t.along = w.application(contactIn{t.team, conversation.Contact{ID: t.moving.Contact}})
	beside := w.aContact(t.sibling.ID)
	beside.Channel, beside.Address = t.moving.Identity.Channel, t.moving.Address
	stored(w, "InsertContact", beside, just(w.store.InsertContact))
	t.skipped = w.conversation(t.team)
	t.answered = w.aConversation(t.team)
	t.answered.NeedsReplySince = time.Time{}
	conversations().store(w, t.answered)
	t.snoozed, t.idle = w.aConversation(t.team), w.aConversation(t.team)
	t.snoozed.Status, t.snoozed.SnoozedUntil = conversation.Snoozed, w.now()
	t.idle.NeedsReplySince, t.idle.IdleSince = time.Time{}, w.now().Add(-2*t.team.Settings.AutoClose)
	conversations().store(w, t.snoozed)
	conversations().store(w, t.idle)
	t.episode, t.newEpisode = w.episode(t.thread.ID, 1), w.anEpisode(t.thread.ID, 2)
	w.episode(t.closing.ID, 1)
	t.message, t.newMessage = w.found(t.team, t.thread.ID, w.aMessage(t.thread.ID, 1), 1), w.aMessage(t.thread.ID, 2)
	t.unsaid = w.found(t.team, t.thread.ID, w.aMessage(t.thread.ID, 3), 0)
	t.grant, t.newGrant = w.grant(t.thread.ID), w.aGrant(t.thread.ID)
	t.revoking = w.grant(t.thread.ID)
	t.optOut, t.newOptOut = w.optOut(), w.anOptOut()
	t.mark, t.newMark = w.readMark(t.thread.ID), w.aReadMark(t.thread.ID)
	t.delivery, t.newDelivery = w.delivery(t.thread), w.aDelivery(w.conversation(t.team))
	t.erased = w.delivery(w.conversation(t.team))
	t.offered = deliveries().store(w, w.asked(t.team, conversation.ToUser(w.user().ID), w.now(), w.now().Add(time.Hour)))
	t.operation, t.newOperation = stored(w, "InsertOperation", w.aKeptOperation(), w.store.InsertOperation), w.aKeptOperation()
	t.oldSeen, t.oldSeenAt = newID[uuid.UUID](w), w.now()
	w.tx("MarkSeen", func(ctx context.Context) error { return w.store.MarkSeen(ctx, consumer, t.oldSeen, t.oldSeenAt) })
	t.event, t.newEvent = w.aTeamEvent(t.team), w.aTeamEvent(t.team)
	t.event.Kind, t.event.Payload = "invitation.created", fmt.Appendf(nil, `{"invitation":%q}`, t.invitation.ID)
	w.append(t.event)
	t.event.Sequence, t.newEvent.Sequence, t.newEvent.Lanes = 1, 2, []string{lane}
	t.at = w.now()
	return t
}

// line is the one in which the town's thread stands.
func (t *town) line() conversation.Line {
	return conversation.Line{User: t.thread.Claimant, At: t.at, Claimed: true, Assigned: true}
}

// calls is the table.
func calls() map[string]call {
	return map[string]call{
		"InTx": {opens, func(ctx context.Context, s storage.Store, t *town) error {
			return s.InTx(ctx, func(context.Context) error { return nil })
		}},
		"InsertUser": {writes, func(ctx context.Context, s storage.Store, t *town) error { return s.InsertUser(ctx, t.newUser) }},
		"UpdateUser": {writes, func(ctx context.Context, s storage.Store, t *town) error {
			u := t.user
			u.Name = "changed"
			return s.UpdateUser(ctx, u)
		}},
		"LockUser": {locks, func(ctx context.Context, s storage.Store, t *town) error { return only(s.LockUser(ctx, t.user.ID)) }},
		"User":     {reads, func(ctx context.Context, s storage.Store, t *town) error { return only(s.User(ctx, t.user.ID)) }},
		"UserByExternalID": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.UserByExternalID(ctx, t.user.ExternalID))
		}},
		"UserByEmail": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.UserByEmail(ctx, t.user.Email.Normal))
		}},

		"Users": {reads, func(ctx context.Context, s storage.Store, t *town) error { return some(s.Users(ctx, t.user.ID)) }},

		"InsertAccount": {writes, func(ctx context.Context, s storage.Store, t *town) error { return s.InsertAccount(ctx, t.newAccount) }},
		"UpdateAccount": {writes, func(ctx context.Context, s storage.Store, t *town) error {
			a := t.account
			a.Name = "changed"
			return s.UpdateAccount(ctx, a)
		}},
		"LockAccount": {locks, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.LockAccount(ctx, t.account.ID))
		}},
		"Account": {reads, func(ctx context.Context, s storage.Store, t *town) error { return only(s.Account(ctx, t.account.ID)) }},

		"AccountsOf": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.AccountsOf(ctx, t.account.HeldBy, tenancy.Keyset{Limit: 5}))
		}},
		"SeatsTaken": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return only(seatsTaken(ctx, s, t.account.ID, t.at, tenancy.SeatQuery{Pending: true}))
		}},
		"TransferAccounts": {writes, func(ctx context.Context, s storage.Store, t *town) error {
			return s.TransferAccounts(ctx, t.member.User, t.stranger.Account)
		}},

		"InsertTeam": {writes, func(ctx context.Context, s storage.Store, t *town) error { return s.InsertTeam(ctx, t.newTeam) }},
		"UpdateTeam": {writes, func(ctx context.Context, s storage.Store, t *town) error {
			team := t.team
			team.Name = "changed"
			return s.UpdateTeam(ctx, team)
		}},
		"LockTeam": {locks, func(ctx context.Context, s storage.Store, t *town) error { return only(s.LockTeam(ctx, t.team.ID)) }},
		"Team":     {reads, func(ctx context.Context, s storage.Store, t *town) error { return only(s.Team(ctx, t.team.ID)) }},
		"TeamByName": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.TeamByName(ctx, t.account.ID, t.team.NameKey))
		}},
		"TeamsIn": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.TeamsIn(ctx, t.account.ID, tenancy.Keyset{Limit: 5}))
		}},
		"JoinableTeams": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.JoinableTeams(ctx, "join.example", t.newUser.ID, tenancy.Keyset{Limit: 5}))
		}},
		"TeamByIdentity": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.TeamByIdentity(ctx, t.team.Identity))
		}},

		"ReleaseIdentities": {writes, func(ctx context.Context, s storage.Store, t *town) error {
			return s.ReleaseIdentities(ctx, t.stranger.Account)
		}},

		"InsertMembership": {writes, func(ctx context.Context, s storage.Store, t *town) error { return s.InsertMembership(ctx, t.newMember) }},
		"UpdateMembership": {writes, func(ctx context.Context, s storage.Store, t *town) error {
			m := t.member
			m.Role = rbac.Member
			return s.UpdateMembership(ctx, m)
		}},
		"Membership": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.Membership(ctx, t.team.ID, t.member.User))
		}},
		"Memberships": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.Memberships(ctx, actorsIn(t.team.ID, t.member.User)...))
		}},
		"RenewMemberships": {writes, func(ctx context.Context, s storage.Store, t *town) error {
			return s.RenewMemberships(ctx, rbac.Restricted, t.at, "user:someone", actorsIn(t.team.ID, t.former.User)...)
		}},
		"AppointMemberships": {writes, func(ctx context.Context, s storage.Store, t *town) error {
			return s.AppointMemberships(ctx, rbac.Manager, actorsIn(t.team.ID, t.rising.User)...)
		}},
		"Authority": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.Authority(ctx, t.team.ID, t.member.User))
		}},
		"Authorities": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.Authorities(ctx, t.member.User, t.team.ID))
		}},
		"EndMemberships": {writes, func(ctx context.Context, s storage.Store, t *town) error {
			return s.EndMemberships(ctx, t.at, "user:someone", actorsIn(t.team.ID, t.leaving.User)...)
		}},
		"LockTeams": {locks, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.LockTeams(ctx, t.team.ID))
		}},
		"Teams": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.Teams(ctx, t.team.ID))
		}},
		"Accounts": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.Accounts(ctx, t.account.ID))
		}},
		"LockAccounts": {locks, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.LockAccounts(ctx, t.account.ID))
		}},
		"Members": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.Members(ctx, t.team.ID, tenancy.Keyset{Limit: 5}))
		}},
		"TeamsOf": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.TeamsOf(ctx, t.member.User, tenancy.Keyset{Limit: 5}))
		}},
		"Managed": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return only(hasOtherManager(ctx, s, t.team.ID, t.user.ID))
		}},
		"Staff": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.Staff(ctx, t.team.ID))
		}},
		"LastingRoles": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(lastingRoles(ctx, s, t.team.ID, t.user.ID))
		}},

		"MembershipsOf": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.MembershipsOf(ctx, t.member.User))
		}},
		"Lapsed": {reads, func(ctx context.Context, s storage.Store, t *town) error { return some(s.Lapsed(ctx, t.at, 5)) }},

		"InsertRole": {writes, func(ctx context.Context, s storage.Store, t *town) error { return s.InsertRole(ctx, t.newRole) }},
		"UpdateRole": {writes, func(ctx context.Context, s storage.Store, t *town) error {
			r := t.role
			r.Name = "changed"
			return s.UpdateRole(ctx, r)
		}},
		"DeleteRole": {writes, func(ctx context.Context, s storage.Store, t *town) error {
			return s.DeleteRole(ctx, t.account.ID, t.emptyRole.ID)
		}},
		"Role": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.Role(ctx, t.account.ID, t.role.ID))
		}},
		"RolesIn": {reads, func(ctx context.Context, s storage.Store, t *town) error { return some(s.RolesIn(ctx, t.account.ID)) }},
		"MembersWithRole": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.MembersWithRole(ctx, t.account.ID, t.role.ID))
		}},
		"Broken": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.Broken(ctx, tenancy.FlawNoManager, t.at, tenancy.Finding{}, 5))
		}},

		"InsertOperation": {writes, func(ctx context.Context, s storage.Store, t *town) error {
			return s.InsertOperation(ctx, t.newOperation)
		}},
		"Operation": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.Operation(ctx, t.operation.Principal, t.operation.Key))
		}},
		"ForgetOperations": {writes, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.ForgetOperations(ctx, t.oldOperation.At.Add(time.Microsecond)))
		}},

		"InsertInvitation": {writes, func(ctx context.Context, s storage.Store, t *town) error {
			return s.InsertInvitation(ctx, t.newInvitation)
		}},
		"UpdateInvitation": {writes, func(ctx context.Context, s storage.Store, t *town) error {
			r := t.invitation
			r.State, r.EndedAt = invite.Revoked, t.at
			return s.UpdateInvitation(ctx, r)
		}},
		"InvitationsTo": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.InvitationsTo(ctx, t.account.ID, t.at, t.invitation.Email.Normal))
		}},
		"Seated": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.Seated(ctx, t.account.ID, t.at, t.batched.Email.Normal))
		}},
		"UsersByEmail": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.UsersByEmail(ctx, t.user.Email.Normal))
		}},
		"LockInvitation": {locks, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.LockInvitation(ctx, t.team.ID, t.invitation.ID))
		}},
		"Invitation": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.Invitation(ctx, t.team.ID, t.invitation.ID))
		}},
		"LockInvitations": {locks, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.LockInvitations(ctx, sentIn(t.team.ID, t.invitation.ID)...))
		}},
		"EndInvitations": {writes, func(ctx context.Context, s storage.Store, t *town) error {
			return s.EndInvitations(ctx, invite.Revoked, t.at, "user:someone", sentIn(t.team.ID, t.ending.ID)...)
		}},
		"PendingInto": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(pendingInto(ctx, s, t.team.ID, t.guest.Conversation))
		}},
		"LockOffer": {locks, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.LockOffer(ctx, t.account.ID, t.offer.ID))
		}},
		"Offer": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.Offer(ctx, t.account.ID, t.offer.ID))
		}},
		"PendingOffer": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.PendingOffer(ctx, t.account.ID))
		}},
		"Offers": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.Offers(ctx, t.account.ID, tenancy.Keyset{Limit: 5}))
		}},
		"EraseInvitations": {writes, func(ctx context.Context, s storage.Store, t *town) error {
			return s.EraseInvitations(ctx, t.user.ID, t.ended.Email.Normal)
		}},
		"InvitationByToken": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.InvitationByToken(ctx, t.invitation.Hash))
		}},
		"Invitations": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.Invitations(ctx, t.team.ID, invite.Filter{}, tenancy.Keyset{Limit: 5}))
		}},
		"InvitationLoads": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.InvitationLoads(ctx, t.invitation.Inviter, t.invitation.CreatedAt, t.team.ID))
		}},
		"InsertUse": {writes, func(ctx context.Context, s storage.Store, t *town) error { return s.InsertUse(ctx, t.newUse) }},
		"Use": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.Use(ctx, t.team.ID, t.link.ID, t.use.User))
		}},
		"Uses": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.Uses(ctx, t.team.ID, t.link.ID, tenancy.Keyset{Limit: 5}))
		}},
		"PendingRequest": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.PendingRequest(ctx, t.team.ID, t.request.Inviter))
		}},
		"RequestsOf": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.RequestsOf(ctx, t.request.Inviter, tenancy.Keyset{Limit: 5}))
		}},
		"RequestLoad": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			load, err := s.RequestLoad(ctx, t.request.Invitation, t.request.CreatedAt)
			if err == nil && load.Team.N == 0 {
				err = tenancy.ErrNotFound
			}
			return err
		}},
		"Batch": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.Batch(ctx, t.account.ID, t.batched.Batch))
		}},
		"PendingBy": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(pendingBy(ctx, s, t.team.ID, t.invitation.Inviter))
		}},
		"LapsedInvitations": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.LapsedInvitations(ctx, t.at, tenancy.Keyset{Limit: 5}))
		}},
		"InvitationEvents": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.InvitationEvents(ctx, t.invitation.Invitation, 5))
		}},

		"InsertContact": {writes, func(ctx context.Context, s storage.Store, t *town) error { return s.InsertContact(ctx, t.newContact) }},
		"UpdateContact": {writes, func(ctx context.Context, s storage.Store, t *town) error {
			c := t.contact
			c.Name = "changed"
			return s.UpdateContact(ctx, c)
		}},
		"LockContact": {locks, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.LockContact(ctx, t.team.ID, t.contact.ID))
		}},
		"Contact": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.Contact(ctx, t.team.ID, t.contact.ID))
		}},
		"Contacts": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.Contacts(ctx, t.team.ID, t.contact.ID))
		}},
		"ContactsByAddress": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.ContactsByAddress(ctx, t.team.ID, t.contact.Channel, t.contact.Address))
		}},

		"InsertConversation": {writes, func(ctx context.Context, s storage.Store, t *town) error {
			return s.InsertConversation(ctx, t.newThread)
		}},
		"UpdateConversation": {writes, func(ctx context.Context, s storage.Store, t *town) error {
			c := t.thread
			c.Status = conversation.Closed
			return s.UpdateConversation(ctx, t.team.ID, c)
		}},
		"LockConversation": {locks, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.LockConversation(ctx, t.team.ID, t.thread.ID))
		}},
		"Conversation": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.Conversation(ctx, t.team.ID, t.thread.ID))
		}},
		"TeamOf": {reads, func(ctx context.Context, s storage.Store, t *town) error { return only(s.TeamOf(ctx, t.thread.ID)) }},
		"ConversationsByAddress": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.ConversationsByAddress(ctx, t.thread.Identity, t.thread.Address))
		}},
		"LockConversations": {locks, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.LockConversations(ctx, inTeam(t.team.ID, t.thread.ID)...))
		}},
		"ReleaseConversations": {writes, func(ctx context.Context, s storage.Store, t *town) error {
			return s.ReleaseConversations(ctx, inTeam(t.team.ID, t.closing.ID)...)
		}},
		"UnassignConversations": {writes, func(ctx context.Context, s storage.Store, t *town) error {
			return s.UnassignConversations(ctx, inTeam(t.team.ID, t.closing.ID)...)
		}},
		"CloseConversations": {writes, func(ctx context.Context, s storage.Store, t *town) error {
			return s.CloseConversations(ctx, t.team.ID, conversation.NotInterested, t.closing.ID)
		}},
		"MoveConversations": {writes, func(ctx context.Context, s storage.Store, t *town) error {
			return s.MoveConversations(ctx, t.team.ID, t.sibling.ID, t.moving.ID)
		}},
		"InsertApplication": {writes, func(ctx context.Context, s storage.Store, t *town) error {
			return s.InsertApplication(ctx, t.newApplication)
		}},
		"UpdateApplication": {writes, func(ctx context.Context, s storage.Store, t *town) error {
			a := t.application
			a.Status = conversation.Qualified
			return s.UpdateApplication(ctx, a)
		}},
		"Application": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.Application(ctx, t.team.ID, t.application.ID))
		}},
		"ApplicationByExternalID": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.ApplicationByExternalID(ctx, t.account.ID, t.application.ExternalID))
		}},
		"FirstApplication": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.FirstApplication(ctx, t.team.ID, t.contact.ID))
		}},
		"Applications": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.Applications(ctx, t.team.ID, t.contact.ID, tenancy.Keyset{Limit: 5}))
		}},
		"MoveApplications": {writes, func(ctx context.Context, s storage.Store, t *town) error {
			return s.MoveApplications(ctx, t.team.ID, t.sibling.ID, t.along.Contact)
		}},
		"LockOpen": {locks, func(ctx context.Context, s storage.Store, t *town) error { return some(s.LockOpen(ctx, t.team.ID)) }},
		"Conversations": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.Conversations(ctx, conversation.Scope{Team: t.team.ID}, conversation.Filter{}, tenancy.Keyset{Limit: 5}))
		}},
		"HeldBy": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(heldBy(ctx, s, t.team.ID, t.thread.Assignee))
		}},
		"LockNext": {locks, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.LockNext(ctx, t.team.ID, t.line()))
		}},
		"Waits": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.Waits(ctx, t.team.ID, t.line()))
		}},
		"Hand": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.Hand(ctx, t.team.ID, t.line()))
		}},
		"LockAnswered": {locks, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.LockAnswered(ctx, t.team.ID, t.thread.Claimant))
		}},
		"LockLoads": {locks, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.LockLoads(ctx, t.team.ID, t.at, t.member.User))
		}},
		"UpdateTurn": {writes, func(ctx context.Context, s storage.Store, t *town) error {
			if _, err := s.LockLoads(ctx, t.team.ID, t.at, t.member.User); err != nil {
				return err
			}
			return s.UpdateTurn(ctx, t.team.ID, t.member.User, 7)
		}},
		"ClaimsEnded": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.ClaimsEnded(ctx, t.thread.ClaimedUntil, 5))
		}},
		"InsertSkip": {writes, func(ctx context.Context, s storage.Store, t *town) error {
			return s.InsertSkip(ctx, conversation.Skip{Conversation: t.skipped.ID, User: t.skipped.Claimant, EndsAt: t.at.Add(time.Hour)})
		}},

		"SnoozeEnded": {reads, func(ctx context.Context, s storage.Store, t *town) error { return some(s.SnoozeEnded(ctx, t.at, 5)) }},
		"LapsedGrants": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.LapsedGrants(ctx, t.grant.ExpiresAt, 5))
		}},
		"Idle": {reads, func(ctx context.Context, s storage.Store, t *town) error { return some(s.Idle(ctx, t.at, 5)) }},

		"InsertEpisode": {writes, func(ctx context.Context, s storage.Store, t *town) error { return s.InsertEpisode(ctx, t.newEpisode) }},
		"EndEpisode": {writes, func(ctx context.Context, s storage.Store, t *town) error {
			e := t.episode
			e.ClosedAt, e.ClosedOn = t.at, conversation.OnClose
			return s.EndEpisode(ctx, e)
		}},
		"EndEpisodes": {writes, func(ctx context.Context, s storage.Store, t *town) error {
			end := conversation.Episode{ClosedAt: t.at, ClosedBy: "user:someone", ClosedOn: conversation.OnClose}
			return s.EndEpisodes(ctx, end, t.closing.ID)
		}},
		"Episodes": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.Episodes(ctx, t.thread.ID, 0, 5))
		}},

		"InsertMessage": {writes, func(ctx context.Context, s storage.Store, t *town) error { return s.InsertMessage(ctx, t.newMessage) }},
		"Messages": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.Messages(ctx, t.thread.ID, conversation.Range{Limit: 5}))
		}},
		"UpdateMessage": {writes, func(ctx context.Context, s storage.Store, t *town) error {
			m := t.message
			m.Status = conversation.StatusSent
			return s.UpdateMessage(ctx, m)
		}},
		"Message": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.Message(ctx, t.thread.ID, t.message.ID))
		}},
		"FindMessage": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.FindMessage(ctx, t.message.ID))
		}},
		"FindReceipt": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.FindReceipt(ctx, t.message.Receipt))
		}},
		"InsertWords": {writes, func(ctx context.Context, s storage.Store, t *town) error {
			return s.InsertWords(ctx, t.team.ID, t.message, []conversation.Word{2})
		}},
		"DeleteWords": {writes, func(ctx context.Context, s storage.Store, t *town) error {
			return s.DeleteWords(ctx, t.unsaid.ID)
		}},
		"Search": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.Search(ctx, t.team.ID, []conversation.Word{1}, true, tenancy.Keyset{Limit: 5}))
		}},
		"MessageByKey": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.MessageByKey(ctx, t.message.Key))
		}},

		"InsertGrant": {writes, func(ctx context.Context, s storage.Store, t *town) error { return s.InsertGrant(ctx, t.newGrant) }},
		"UpdateGrant": {writes, func(ctx context.Context, s storage.Store, t *town) error {
			g := t.grant
			g.RevokedAt = t.at
			return s.UpdateGrant(ctx, g)
		}},
		"Grant": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.Grant(ctx, t.thread.ID, t.grant.User))
		}},
		"Grants": {reads, func(ctx context.Context, s storage.Store, t *town) error { return some(s.Grants(ctx, t.thread.ID)) }},
		"RevokeGrants": {writes, func(ctx context.Context, s storage.Store, t *town) error {
			return s.RevokeGrants(ctx, t.at, "user:someone", keysOf(t.revoking.User, t.thread.ID)...)
		}},

		"InsertOptOut": {writes, func(ctx context.Context, s storage.Store, t *town) error { return s.InsertOptOut(ctx, t.newOptOut) }},
		"UpdateOptOut": {writes, func(ctx context.Context, s storage.Store, t *town) error {
			o := t.optOut
			o.Reason = "changed"
			return s.UpdateOptOut(ctx, o)
		}},
		"LockOptOut": {locks, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.LockOptOut(ctx, t.optOut.Identity, t.optOut.Address))
		}},
		"OptOut": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.OptOut(ctx, t.optOut.Identity, t.optOut.Address))
		}},
		"InsertReadMark": {writes, func(ctx context.Context, s storage.Store, t *town) error { return s.InsertReadMark(ctx, t.newMark) }},
		"UpdateReadMark": {writes, func(ctx context.Context, s storage.Store, t *town) error {
			m := t.mark
			m.Seq++
			return s.UpdateReadMark(ctx, m)
		}},
		"LockReadMark": {locks, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.LockReadMark(ctx, t.thread.ID, t.mark.User))
		}},
		"ReadMark": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.ReadMark(ctx, t.thread.ID, t.mark.User))
		}},
		"Unread": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.Unread(ctx, conversation.Scope{Team: t.team.ID}, t.user.ID, true, []tenancy.ConversationID{t.thread.ID}))
		}},
		"InsertDelivery": {writes, func(ctx context.Context, s storage.Store, t *town) error { return s.InsertDelivery(ctx, t.newDelivery) }},
		"UpdateDelivery": {writes, func(ctx context.Context, s storage.Store, t *town) error {
			d := t.delivery
			d.State, d.EndedAt = conversation.DeliveryDeclined, t.at
			return s.UpdateDelivery(ctx, d)
		}},
		"PendingDelivery": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.PendingDelivery(ctx, t.thread.ID))
		}},
		"PendingDeliveries": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.PendingDeliveries(ctx, t.thread.ID))
		}},
		"EndDeliveries": {writes, func(ctx context.Context, s storage.Store, t *town) error {
			return s.EndDeliveries(ctx, conversation.DeliveryExpired, t.at, t.erased.Conversation)
		}},
		"Delivery": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.Delivery(ctx, t.team.ID, t.delivery.ID))
		}},
		"DeliveriesTo": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.DeliveriesTo(ctx, t.team.ID, t.offered.Recipient.User, t.at, tenancy.Keyset{Limit: 5}))
		}},
		"LapsedDeliveries": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.LapsedDeliveries(ctx, t.offered.Deadline, 5))
		}},
		"EraseRecipient": {writes, func(ctx context.Context, s storage.Store, t *town) error {
			return s.EraseRecipient(ctx, t.erased.Recipient.Email.Normal)
		}},
		"DeliveriesOf": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.DeliveriesOf(ctx, t.team.ID, tenancy.Keyset{Limit: 5}))
		}},
		"Deliveries": {reads, func(ctx context.Context, s storage.Store, t *town) error { return some(s.Deliveries(ctx, t.thread.ID)) }},

		"Append": {writes, func(ctx context.Context, s storage.Store, t *town) error { return s.Append(ctx, t.newEvent) }},
		"TeamEvents": {reads, func(ctx context.Context, s storage.Store, t *town) error {
			return some(s.TeamEvents(ctx, t.team.ID.UUID(), outbox.LogFilter{}, time.Time{}, uuid.Nil, 5))
		}},
		"Follow": {opens, func(ctx context.Context, s storage.Store, t *town) error {
			for _, err := range s.Follow(ctx, t.event.Stream, 0) {
				return err
			}
			return errNone
		}},
		"FollowTeam": {opens, func(ctx context.Context, s storage.Store, t *town) error {
			for _, err := range s.FollowTeam(ctx, t.team.ID.UUID(), outbox.Mark{}) {
				return err
			}
			return errNone
		}},
		"TeamMark": {opens, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.TeamMark(ctx, t.team.ID.UUID()))
		}},
		"Take": {opens, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.Take(ctx, lane, t.at, t.at.Add(time.Minute), 5))
		}},
		"Bury": {opens, func(ctx context.Context, s storage.Store, t *town) error { return s.Bury(ctx, t.due, t.at) }},
		"Buried": {opens, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.Buried(ctx, lane, time.Time{}, uuid.Nil, 5))
		}},
		"Replay":     {opens, func(ctx context.Context, s storage.Store, t *town) error { return s.Replay(ctx, lane, t.due.ID, t.at) }},
		"ForgetLane": {opens, func(ctx context.Context, s storage.Store, t *town) error { return only(s.ForgetLane(ctx, lane)) }},
		"MarkSeen": {writes, func(ctx context.Context, s storage.Store, t *town) error {
			return s.MarkSeen(ctx, consumer, t.event.ID, t.at)
		}},
		"ForgetSeen": {writes, func(ctx context.Context, s storage.Store, t *town) error {
			return only(s.ForgetSeen(ctx, consumer, t.oldSeenAt.Add(time.Microsecond)))
		}},

		"Done":  {opens, func(ctx context.Context, s storage.Store, t *town) error { return s.Done(ctx, t.due) }},
		"Retry": {opens, func(ctx context.Context, s storage.Store, t *town) error { return s.Retry(ctx, t.due, t.at) }},
	}
}

// relays are the methods that open a transaction of their own and take no part in another.
func relays(method string) bool {
	switch method {
	case "Follow", "FollowTeam", "TeamMark", "Take", "Done", "Retry", "Bury", "Buried", "Replay", "ForgetLane":
		return true
	}
	return false
}

func only[V any](_ V, err error) error { return err }

var errNone = errors.New("storagetest: the list is empty")

func some[V any](list []V, err error) error {
	if err == nil && len(list) == 0 {
		return errNone
	}
	return err
}

// each calls run for every method of the table, in the order of their names.
func each(run func(method string, c call)) {
	table := calls()
	for _, method := range slices.Sorted(maps.Keys(table)) {
		run(method, table[method])
	}
}

// state reads all that can be read of a town: the rows that are there and those that are not.
func (w *world) state(t *town) map[string]any {
	state := map[string]any{}
	add := func(name string, v any, err error) {
		if err != nil && !errors.Is(err, tenancy.ErrNotFound) {
			w.stop("%s, to compare the state before and after: %v", name, err)
		}
		if err != nil {
			v = nil
		}
		state[name] = v
	}
	s, ctx, page := w.store, w.ctx, tenancy.Keyset{Limit: 100}
	for i, u := range []tenancy.User{t.user, t.newUser} {
		v, err := s.User(ctx, u.ID)
		add(fmt.Sprint("User ", i), v, err)
	}
	for i, a := range []tenancy.Account{t.account, t.newAccount} {
		v, err := s.Account(ctx, a.ID)
		add(fmt.Sprint("Account ", i), v, err)
		teams, err := s.TeamsIn(ctx, a.ID, page)
		add(fmt.Sprint("TeamsIn ", i), teams, err)
		joinable, err := s.JoinableTeams(ctx, "join.example", tenancy.UserID{}, page)
		add("JoinableTeams", joinable, err)
		roles, err := s.RolesIn(ctx, a.ID)
		add(fmt.Sprint("RolesIn ", i), roles, err)
		seats, err := seatsTaken(ctx, s, a.ID, t.at, tenancy.SeatQuery{Pending: true})
		add(fmt.Sprint("SeatsTaken ", i), seats, err)
	}
	passed, err := s.Account(ctx, t.stranger.Account)
	add("Account of the stranger", passed, err)
	joined, err := s.Uses(ctx, t.team.ID, t.link.ID, page)
	add("Uses", joined, err)
	offers, err := s.Offers(ctx, t.account.ID, page)
	add("Offers", offers, err)
	for i, team := range []tenancy.Team{t.team, t.newTeam, t.sibling, t.stranger} {
		v, err := s.Team(ctx, team.ID)
		add(fmt.Sprint("Team ", i), v, err)
		members, err := s.Members(ctx, team.ID, page)
		add(fmt.Sprint("Members ", i), members, err)
		invited, err := s.Invitations(ctx, team.ID, invite.Filter{Now: t.at}, page)
		add(fmt.Sprint("Invitations ", i), invited, err)
		threads, err := s.Conversations(ctx, conversation.Scope{Team: team.ID}, conversation.Filter{}, page)
		add(fmt.Sprint("Conversations ", i), threads, err)
		delivered, err := s.DeliveriesOf(ctx, team.ID, page)
		add(fmt.Sprint("DeliveriesOf ", i), delivered, err)
		events, err := s.TeamEvents(ctx, team.ID.UUID(), outbox.LogFilter{}, time.Time{}, uuid.Nil, 100)
		add(fmt.Sprint("TeamEvents ", i), events, err)
	}
	for i, o := range []tenancy.Operation{t.operation, t.newOperation, t.oldOperation} {
		v, err := s.Operation(ctx, o.Principal, o.Key)
		add(fmt.Sprint("Operation ", i), v, err)
	}
	for i, c := range []conversation.Contact{t.contact, t.newContact} {
		v, err := s.Contact(ctx, c.Team, c.ID)
		add(fmt.Sprint("Contact ", i), v, err)
	}
	for i, a := range []conversation.Application{t.application, t.newApplication, t.along} {
		v, err := s.Application(ctx, a.Team, a.ID)
		add(fmt.Sprint("Application ", i), v, err)
	}
	for i, o := range []conversation.OptOut{t.optOut, t.newOptOut} {
		v, err := s.OptOut(ctx, o.Identity, o.Address)
		add(fmt.Sprint("OptOut ", i), v, err)
	}
	for i, m := range []conversation.ReadMark{t.mark, t.newMark} {
		v, err := s.ReadMark(ctx, m.Conversation, m.User)
		add(fmt.Sprint("ReadMark ", i), v, err)
	}
	for i, event := range []uuid.UUID{t.event.ID, t.oldSeen} {
		add(fmt.Sprint("MarkSeen ", i), w.seen(event), nil)
	}
	var loads []conversation.Load
	w.discard("LockLoads", func(ctx context.Context) (err error) {
		loads, err = s.LockLoads(ctx, t.team.ID, t.at, t.member.User)
		return err
	})
	add("LockLoads", loads, nil)
	accounts, err := s.AccountsOf(ctx, t.account.HeldBy, page)
	add("AccountsOf", accounts, err)
	memberships, err := s.MembershipsOf(ctx, t.newMember.User)
	add("MembershipsOf", memberships, err)
	identified, err := s.TeamByIdentity(ctx, t.stranger.Identity)
	add("TeamByIdentity", identified, err)
	lasting, err := lastingRoles(ctx, s, t.team.ID, tenancy.UserID{})
	add("LastingRoles", lasting, err)
	holders, err := s.MembersWithRole(ctx, t.account.ID, t.role.ID)
	add("MembersWithRole", holders, err)
	lapsed, err := s.Lapsed(ctx, t.at, 100)
	add("Lapsed", lapsed, err)
	ended, err := s.SnoozeEnded(ctx, t.at, 100)
	add("SnoozeEnded", ended, err)
	guests, err := s.LapsedGrants(ctx, t.grant.ExpiresAt, 100)
	add("LapsedGrants", guests, err)
	idle, err := s.Idle(ctx, t.at, 100)
	add("Idle", inOrder(idle), err)
	late, err := s.LapsedInvitations(ctx, t.at, page)
	add("LapsedInvitations", late, err)
	broken, err := s.Broken(ctx, tenancy.FlawNoManager, t.at, tenancy.Finding{}, 100)
	add("Broken", broken, err)
	for i, c := range []tenancy.ConversationID{t.thread.ID, t.newThread.ID, t.closing.ID} {
		messages, err := s.Messages(ctx, c, conversation.Range{Notes: true, Limit: 100})
		add(fmt.Sprint("Messages ", i), messages, err)
		grants, err := s.Grants(ctx, c)
		add(fmt.Sprint("Grants ", i), grants, err)
		episodes, err := s.Episodes(ctx, c, 0, 100)
		add(fmt.Sprint("Episodes ", i), episodes, err)
	}
	for i, user := range []tenancy.UserID{t.thread.Claimant, t.skipped.Claimant} {
		hand, err := s.Hand(ctx, t.team.ID, conversation.Line{User: user, At: t.at, Claimed: true})
		add(fmt.Sprint("Hand ", i), hand, err)
	}
	for word := range conversation.Word(3) {
		found, err := s.Search(ctx, t.team.ID, []conversation.Word{word}, true, page)
		add(fmt.Sprint("Search ", word), found, err)
	}
	return state
}

// unchanged checks that what was read is still what there is.
func (w *world) unchanged(t *town, before map[string]any, format string, args ...any) {
	w.Helper()
	after := w.state(t)
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if !reflect.DeepEqual(before[name], after[name]) {
			w.breaks("%s changed what %s answers:\n%s", fmt.Sprintf(format, args...), name, difference(after[name], before[name]))
		}
	}
}

func methodCases() []testCase {
	return []testCase{
		{name: "methods that write or lock want a transaction", rule: ruleNoTx, run: noTxCase},
		{name: "methods refuse the context of an ended transaction", rule: ruleTxDone, run: txDoneCase},
		{name: "methods end with a cancelled context and change nothing", rule: ruleCancelled, run: cancelledCase},
		{name: "methods work inside and a rollback undoes each", rule: ruleDoom, run: undoCase},
		{name: "methods take zero arguments without harm", rule: ruleMissing, run: zeroCase},
		{name: "methods do not reach into another team", rule: ruleScope, run: foreignCase},
	}
}

func noTxCase(w *world) {
	t := w.town()
	before := w.state(t)
	each(func(method string, c call) {
		if c.effect != writes && c.effect != locks {
			return
		}
		w.is(c.do(w.ctx, w.store, t), tenancy.ErrNoTx, "%s outside InTx", method)
	})
	w.is(w.store.Append(w.ctx), tenancy.ErrNoTx, "Append of no events outside InTx")
	w.unchanged(t, before, "calls outside InTx")
}

func txDoneCase(w *world) {
	t := w.town()
	before := w.state(t)
	endings := map[string]func() context.Context{
		"committed": func() (kept context.Context) {
			w.tx("a transaction", func(ctx context.Context) error { kept = ctx; return nil })
			return kept
		},
		"rolled back": func() (kept context.Context) {
			w.discard("a transaction", func(ctx context.Context) error { kept = ctx; return nil })
			return kept
		},
		"ended by a panic": func() (kept context.Context) {
			defer func() { _ = recover() }() // the panic is the point
			_ = w.store.InTx(w.ctx, func(ctx context.Context) error { kept = ctx; panic("storagetest") })
			return kept
		},
	}
	for _, ending := range slices.Sorted(maps.Keys(endings)) {
		kept := endings[ending]()
		derived, cancel := context.WithCancel(kept) // a context made from it is no other
		each(func(method string, c call) {
			for _, ctx := range []context.Context{kept, derived} {
				err := c.do(ctx, w.store, t)
				if relays(method) {
					if err == nil {
						w.breaks("%s with the context of a transaction that was %s answered no error", method, ending)
					}
					continue
				}
				w.is(err, tenancy.ErrTxDone, "%s with the context of a transaction that was %s", method, ending)
			}
		})
		cancel()
	}
	w.unchanged(t, before, "calls with the context of an ended transaction")
}

func cancelledCase(w *world) {
	t := w.town()
	before := w.state(t)
	due := w.take(t.at, 1)
	if len(due) > 0 {
		t.due = due[0]
	}
	cancelled, cancel := context.WithCancel(w.ctx)
	cancel()
	late, cancelLate := context.WithDeadline(w.ctx, time.Now().Add(-time.Second))
	defer cancelLate()
	for _, ctx := range []context.Context{cancelled, late} {
		each(func(method string, c call) {
			err := c.do(ctx, w.store, t)
			if (c.effect == writes || c.effect == locks) && errors.Is(err, tenancy.ErrNoTx) {
				return // both are wrong with the call, and either may be said
			}
			w.is(err, ctx.Err(), "%s with a context that has ended", method)
		})
	}
	each(func(method string, c call) {
		if relays(method) {
			return
		}
		err := w.store.InTx(w.ctx, func(ctx context.Context) error {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			w.is(c.do(ctx, w.store, t), context.Canceled, "%s inside, with a cancelled context", method)
			return errDiscard
		})
		w.is(err, errDiscard, "InTx whose closure returns its own error after a cancelled %s", method)
	})
	w.unchanged(t, before, "calls with a cancelled context")
	if len(due) > 0 { // no Done, Retry or Bury has happened: the lease is there to be ended
		w.must(w.store.Done(w.ctx, t.due), "Done after a cancelled Done, Retry and Bury")
	}
}

func undoCase(w *world) {
	t := w.town()
	each(func(method string, c call) {
		if relays(method) {
			return
		}
		before := w.state(t)
		w.discard(method+" inside a transaction", func(ctx context.Context) error { return c.do(ctx, w.store, t) })
		w.unchanged(t, before, "a %s that was rolled back", method)
	})
	w.by(ruleCommit)
	each(func(method string, c call) {
		if relays(method) {
			return
		}
		before := w.state(t)
		w.tx(method+" inside a transaction", func(ctx context.Context) error { return c.do(ctx, w.store, t) })
		if c.effect != writes {
			w.unchanged(t, before, "%s, which only %s,", method, c.effect)
		} else if reflect.DeepEqual(before, w.state(t)) {
			w.breaks("%s was committed and changed nothing that can be read", method)
		}
	})
}

// harmless are the writes whose zero arguments are arguments like others: all of before the year 1, a
// key that happens to be empty, an address or an account that is nobody's, no words, and ids that a set
// passes over.
func harmless(method reflect.Method) bool {
	in := method.Type
	if in.IsVariadic() && onlyIDs(in.In(in.NumIn()-1).Elem()) {
		return true
	}
	return slices.Contains([]string{
		"ForgetOperations", "ForgetSeen", "InsertOperation", "EraseInvitations", "EraseRecipient", "ReleaseIdentities",
		"InsertWords", "DeleteWords",
	}, method.Name)
}

// onlyIDs reports whether a value of the type is an id, or several that name a row together.
func onlyIDs(t reflect.Type) bool {
	if t.Kind() != reflect.Struct {
		return t.Kind() == reflect.Array
	}
	for i := range t.NumField() {
		if !onlyIDs(t.Field(i).Type) {
			return false
		}
	}
	return true
}

// zeroCase calls each method with nothing but a context. What is asked for by a zero id does
// not exist; what is written without a status is invalid; and nothing panics.
func zeroCase(w *world) {
	t := w.town()
	before := w.state(t)
	storeType := reflect.TypeFor[storage.Store]()
	each(func(method string, c call) {
		if method == "InTx" {
			return // without a closure there is nothing to run
		}
		m, ok := storeType.MethodByName(method)
		if !ok {
			w.Fatalf("storagetest: storage.Store has no method %s", method)
		}
		zero := func(ctx context.Context) (items int, err error) {
			args := []reflect.Value{reflect.ValueOf(ctx)}
			for i := 1; i < m.Type.NumIn(); i++ {
				in := m.Type.In(i)
				if m.Type.IsVariadic() && i == m.Type.NumIn()-1 {
					in = in.Elem()
				}
				args = append(args, reflect.Zero(in))
			}
			out := reflect.ValueOf(w.store).MethodByName(method).Call(args)
			err, _ = reflect.TypeAssert[error](out[len(out)-1])
			if out[0].Kind() == reflect.Slice {
				items = out[0].Len()
			}
			return items, err
		}
		var items int
		var err error
		if c.effect == writes || c.effect == locks {
			err = w.try(func(ctx context.Context) error { _, err := zero(ctx); return err })
		} else {
			items, err = zero(w.ctx)
		}
		switch {
		case items > 0:
			w.breaks("%s with zero arguments answered %d items", method, items)
		case err == nil && c.effect == writes && !harmless(m):
			w.breaks("%s of a zero row answered no error", method)
		case method == "Broken", method == "Search": // no flaw and no word are none that can be looked for
			w.is(err, tenancy.ErrInvalid, "%s with zero arguments", method)
		case err != nil && c.effect != writes && !relays(method) && !errors.Is(err, tenancy.ErrNotFound):
			w.breaks("%s with zero arguments answered %s, want ErrNotFound or nothing", method, show(err))
		}
	})
	w.unchanged(t, before, "calls with zero arguments")
}
