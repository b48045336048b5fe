package storagetest

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

// The builders come in pairs: a… makes a row with every field filled, which is not stored but
// whose references are; its twin stores it and answers it as the store must give it back.
// What a builder needs besides its arguments it makes itself.

func (w *world) aUser() tenancy.User {
	n := w.next()
	return tenancy.User{
		ID: newID[tenancy.UserID](w), ExternalID: fmt.Sprintf("auth0|%d", n),
		Email:      tenancy.Address{Display: fmt.Sprintf("User.%d@Acme.example", n), Normal: fmt.Sprintf("user.%d@acme.example", n)},
		VerifiedAt: w.now(), Name: fmt.Sprintf("Zoë User %d", n), Status: tenancy.UserActive, Autoclaim: true,
		CreatedAt: w.now(), Version: 1,
	}
}

func (w *world) user() tenancy.User {
	w.Helper()
	return stored(w, "InsertUser", w.aUser(), w.store.InsertUser)
}

func (w *world) anAccount() tenancy.Account {
	w.Helper()
	return tenancy.Account{
		ID: newID[tenancy.AccountID](w), Name: fmt.Sprintf("Acme %d", w.next()), HeldBy: w.user().ID,
		Status: tenancy.AccountActive,
		Services: []tenancy.AccountService{
			{Key: "sms", Quantity: 3, AddedAt: w.now(), AddedBy: tenancy.System("sales").Principal()},
			{Key: "voice", AddedAt: w.now()},
		},
		Seats:     tenancy.Seats{Rule: tenancy.HardSeats, Limit: 25, CountPending: true},
		CreatedAt: w.now(), Version: 1,
	}
}

func (w *world) account() tenancy.Account {
	w.Helper()
	return stored(w, "InsertAccount", w.anAccount(), w.store.InsertAccount)
}

func (w *world) aTeam(account tenancy.AccountID) tenancy.Team {
	n := w.next()
	return tenancy.Team{
		ID: newID[tenancy.TeamID](w), Account: account, Name: fmt.Sprintf("Sales %d", n),
		Identity: tenancy.Phone(fmt.Sprintf("+1555%07d", n)), Status: tenancy.TeamActive,
		NameKey: fmt.Sprintf("sales %d", n), Settings: w.someSettings(), CreatedAt: w.now(), Version: 1,
	}
}

func (w *world) someSettings() tenancy.Settings {
	return tenancy.Settings{
		TimeZone: "Europe/Berlin",
		Hours:    [7]tenancy.Hours{1: {From: 9 * 60, To: 17 * 60}, 6: {From: 0, To: 24 * 60}},
		Statuses: []tenancy.OutcomeStatus{
			{Label: "hired 🎉", Category: tenancy.Positive}, {Label: "später", Category: tenancy.Neutral}, {Label: "no", Category: tenancy.Negative},
		},
		DeliverTo: []tenancy.TeamID{newID[tenancy.TeamID](w), newID[tenancy.TeamID](w)},
		AutoClose: 36 * time.Hour, Capacity: 7, AutoAssign: tenancy.LeastLoaded,
		History: tenancy.HistoryFromNow, KeepInvitations: true, TrustInviters: true,
		JoinDomains:   []string{"client.example", "join.example"},
		InviteDomains: []string{"client.example", "xn--bcher-kva.example"}, Terms: "2026-01 (ü)", OptOutText: "Réply STOP",
	}
}

// team makes a team in a new account.
func (w *world) team() tenancy.Team {
	w.Helper()
	return w.teamIn(w.account().ID)
}

func (w *world) teamIn(account tenancy.AccountID) tenancy.Team {
	w.Helper()
	return stored(w, "InsertTeam", w.aTeam(account), w.store.InsertTeam)
}

func (w *world) aRole(account tenancy.AccountID) tenancy.CustomRole {
	n := w.next()
	return tenancy.CustomRole{
		ID: newID[tenancy.RoleID](w), Account: account, Name: fmt.Sprintf("Dispatcher %d", n),
		NameKey: fmt.Sprintf("dispatcher %d", n), Base: rbac.Restricted,
		Permissions: []string{"contact: edit", "conversation: assign"}, CreatedAt: w.now(), Version: 1,
	}
}

func (w *world) role(account tenancy.AccountID) tenancy.CustomRole {
	w.Helper()
	return stored(w, "InsertRole", w.aRole(account), w.store.InsertRole)
}

func (w *world) aMembership(team tenancy.TeamID, user tenancy.UserID) tenancy.Membership {
	return tenancy.Membership{
		Team: team, User: user, Role: rbac.Member, Status: tenancy.MembershipActive,
		JoinedAt: w.now(), JoinedBy: "user:someone", ExpiresAt: w.now().AddDate(1, 0, 0), Version: 1,
	}
}

// member makes a user who is in the team for good.
func (w *world) member(team tenancy.TeamID, role rbac.Role) tenancy.Membership {
	w.Helper()
	m := w.aMembership(team, w.user().ID)
	m.Role, m.ExpiresAt = role, time.Time{}
	return stored(w, "InsertMembership", m, just(w.store.InsertMembership))
}

// anInvitation makes a pending invitation to the team, by a user of no standing: a store has
// no rule about inviters.
func (w *world) anInvitation(team tenancy.Team) invite.Record {
	w.Helper()
	n := w.next()
	return invite.Record{
		Invitation: invite.Invitation{
			ID: newID[tenancy.InvitationID](w), Account: team.Account, Team: team.ID, Kind: invite.ToOneTeam,
			Email: tenancy.Address{Display: fmt.Sprintf("Guest.%d@Client.example", n), Normal: fmt.Sprintf("guest.%d@client.example", n)},
			Role:  rbac.Restricted, Inviter: w.user().ID, State: invite.Pending, Mailing: 1,
			CreatedAt: w.now(), ExpiresAt: w.now().AddDate(0, 0, 7), MailedAt: w.now(), Version: 1,
		},
		Hash: sha256.Sum256(fmt.Appendf(nil, "token %d", n)), Lasts: 7 * 24 * time.Hour,
	}
}

func (w *world) invitation(team tenancy.Team) invite.Record {
	w.Helper()
	return stored(w, "InsertInvitation", w.anInvitation(team), just(w.store.InsertInvitation))
}

// aGuestInvitation makes a pending invitation into the conversation.
func (w *world) aGuestInvitation(c conversation.Conversation) invite.Record {
	w.Helper()
	r := w.anInvitation(tenancy.Team{ID: c.Team, Account: c.Account})
	r.Kind, r.Conversation = invite.ToOneConversation, c.ID
	return r
}

// aLink makes a pending link into the team.
func (w *world) aLink(team tenancy.Team) invite.Record {
	w.Helper()
	r := w.anInvitation(team)
	r.Kind, r.Email, r.MailedAt, r.Mailing = invite.ByLink, tenancy.Address{}, time.Time{}, 0
	r.Domain, r.MaxUses, r.Uses = "client.example", 5, 2
	return r
}

func (w *world) link(team tenancy.Team) invite.Record {
	w.Helper()
	return stored(w, "InsertInvitation", w.aLink(team), just(w.store.InsertInvitation))
}

func (w *world) aUse(link invite.Record) invite.Use {
	w.Helper()
	return invite.Use{Team: link.Team, Link: link.ID, User: w.user().ID, At: w.now()}
}

// aRequest makes a pending request of a user to join the team.
func (w *world) aRequest(team tenancy.Team) invite.Record {
	w.Helper()
	r := w.anInvitation(team)
	r.Kind, r.Role, r.Hash, r.MailedAt, r.Mailing = invite.ByRequest, 0, invite.TokenHash{}, time.Time{}, 0
	return r
}

func (w *world) request(team tenancy.Team) invite.Record {
	w.Helper()
	return stored(w, "InsertInvitation", w.aRequest(team), just(w.store.InsertInvitation))
}

// anOffer makes a pending offer of the account.
func (w *world) anOffer(account tenancy.AccountID) invite.Record {
	w.Helper()
	r := w.anInvitation(tenancy.Team{Account: account})
	r.Kind, r.Role = invite.ToOneAccount, 0
	return r
}

func (w *world) offer(account tenancy.AccountID) invite.Record {
	w.Helper()
	return stored(w, "InsertInvitation", w.anOffer(account), just(w.store.InsertInvitation))
}

func (w *world) aContact(team tenancy.TeamID) conversation.Contact {
	n := w.next()
	return conversation.Contact{
		ID: newID[tenancy.ContactID](w), Team: team, Channel: tenancy.PhoneChannel, Address: fmt.Sprintf("+1777%07d", n),
		Name:  fmt.Sprintf("Candidate %d", n),
		Email: tenancy.Address{Display: fmt.Sprintf("C%d@Mail.example", n), Normal: fmt.Sprintf("c%d@mail.example", n)},
		Notes: "likes nights\nand two lines", CreatedAt: w.now(), Version: 1,
	}
}

func (w *world) contact(team tenancy.TeamID) conversation.Contact {
	w.Helper()
	return stored(w, "InsertContact", w.aContact(team), just(w.store.InsertContact))
}

// contactIn is a contact with its team.
type contactIn struct {
	team    tenancy.Team
	contact conversation.Contact
}

func (w *world) teamContact(team tenancy.Team) contactIn {
	w.Helper()
	return contactIn{team, w.contact(team.ID)}
}

// anApplication makes one that was recorded by the host.
func (w *world) anApplication(of contactIn) conversation.Application {
	n := w.next()
	return conversation.Application{
		ID: newID[tenancy.ApplicationID](w), Account: of.team.Account, Team: of.team.ID, Contact: of.contact.ID,
		ApplicationDetails: conversation.ApplicationDetails{
			Source: "board", Medium: "e-mail", Campaign: "spring", Job: fmt.Sprintf("Driver %d", n), Location: "Köln", Keyword: "DRIVE",
		},
		Origin: conversation.FromIntegration, ExternalID: fmt.Sprintf("ats-%d", n), Status: conversation.NewLabel,
		CreatedAt: w.now(), Version: 1,
	}
}

func (w *world) application(of contactIn) conversation.Application {
	w.Helper()
	return stored(w, "InsertApplication", w.anApplication(of), w.store.InsertApplication)
}

func (w *world) aConversation(team tenancy.Team) conversation.Conversation {
	w.Helper()
	contact := w.contact(team.ID)
	return conversation.Conversation{
		ID: newID[tenancy.ConversationID](w), Account: team.Account, Team: team.ID, Contact: contact.ID,
		Identity: team.Identity, Address: contact.Address, Status: conversation.Open,
		Label: conversation.Engaged, Outcome: conversation.NotInterested, Assignee: w.user().ID,
		Claimant: w.user().ID, ClaimedUntil: w.now().AddDate(1, 0, 0),
		Episode: 2, LastSeq: 3, LastAt: w.now(), IdleSince: w.now(), NeedsReplySince: w.now(), FirstSentAt: w.now(), CreatedAt: w.now(), Version: 1,
	}
}

func (w *world) conversation(team tenancy.Team) conversation.Conversation {
	w.Helper()
	return stored(w, "InsertConversation", w.aConversation(team), w.store.InsertConversation)
}

// anEpisode makes one that goes on.
func (w *world) anEpisode(c tenancy.ConversationID, number int64) conversation.Episode {
	return conversation.Episode{
		Conversation: c, Number: number, FirstSeq: 10 * number, OpenedAt: w.now(), OpenedBy: tenancy.System("gateway").Principal(),
		OpenedOn: conversation.OnInbound,
	}
}

func (w *world) episode(c tenancy.ConversationID, number int64) conversation.Episode {
	w.Helper()
	return stored(w, "InsertEpisode", w.anEpisode(c, number), w.store.InsertEpisode)
}

func (w *world) aMessage(c tenancy.ConversationID, seq int64) conversation.Message {
	w.Helper()
	n := w.next()
	return conversation.Message{
		ID: newID[tenancy.MessageID](w), Conversation: c, Seq: seq, Kind: conversation.OutboundMessage, Author: w.user().ID,
		Text: fmt.Sprintf("Hello %d 👋", n), Footer: "Réply STOP to stop.", At: w.now(), Key: sha256.Sum256(fmt.Appendf(nil, "message %d", n)),
		Attachments: []conversation.Attachment{
			{Name: fmt.Sprintf("été %d.pdf", n), MediaType: "application/pdf", Size: int64(n), Ref: "https://files.example/1"}, {Name: "x", Ref: "x"},
		},
		Status: conversation.StatusQueued, Receipt: sha256.Sum256(fmt.Appendf(nil, "receipt %d", n)), Version: 1,
	}
}

func (w *world) message(c tenancy.ConversationID, seq int64) conversation.Message {
	w.Helper()
	return stored(w, "InsertMessage", w.aMessage(c, seq), w.store.InsertMessage)
}

func (w *world) aGrant(c tenancy.ConversationID) conversation.Grant {
	w.Helper()
	return conversation.Grant{
		Conversation: c, User: w.user().ID, Inviter: w.user().ID, FromSeq: 2,
		AcceptedAt: w.now(), ExpiresAt: w.now().AddDate(1, 0, 0), Version: 1,
	}
}

func (w *world) grant(c tenancy.ConversationID) conversation.Grant {
	w.Helper()
	return stored(w, "InsertGrant", w.aGrant(c), w.store.InsertGrant)
}

// anOptOut is one that a user noted, on a channel and address that are nobody's.
func (w *world) anOptOut() conversation.OptOut {
	n := w.next()
	return conversation.OptOut{
		Identity: tenancy.Phone(fmt.Sprintf("+1555%07d", n)), Address: fmt.Sprintf("+1777%07d", n),
		Account: newID[tenancy.AccountID](w), Cause: conversation.ByUser, By: tenancy.Self(newID[tenancy.UserID](w)).Principal(),
		At: w.now(), Reason: "said so on the phone 📞", Evidence: newID[tenancy.MessageID](w),
		LiftedAt: w.now(), LiftedBy: tenancy.System("gateway").Principal(), Version: 1,
	}
}

func (w *world) optOut() conversation.OptOut {
	w.Helper()
	return stored(w, "InsertOptOut", w.anOptOut(), w.store.InsertOptOut)
}

func (w *world) aReadMark(c tenancy.ConversationID) conversation.ReadMark {
	w.Helper()
	return conversation.ReadMark{Conversation: c, User: w.user().ID, Seq: 2, At: w.now(), Version: 1}
}

func (w *world) readMark(c tenancy.ConversationID) conversation.ReadMark {
	w.Helper()
	return stored(w, "InsertReadMark", w.aReadMark(c), w.store.InsertReadMark)
}

// aDelivery makes a pending delivery of the conversation from its team to an e-mail address.
func (w *world) aDelivery(c conversation.Conversation) conversation.Delivery {
	w.Helper()
	invitation := stored(w, "InsertInvitation", w.aGuestInvitation(c), just(w.store.InsertInvitation))
	application := w.application(contactIn{tenancy.Team{ID: c.Team, Account: c.Account}, conversation.Contact{ID: c.Contact}})
	return conversation.Delivery{
		ID: newID[tenancy.DeliveryID](w), Conversation: c.ID, Account: c.Account, FromTeam: c.Team, By: w.user().ID,
		Recipient: conversation.Recipient{Email: invitation.Email},
		Outcome:   conversation.Outcome{Status: conversation.Qualified, Application: application.ID, Rating: 4, Summary: "ready to start"},
		About:     application.ApplicationDetails,
		Category:  conversation.Positive,
		KeepOpen:  true, KeepReading: true, State: conversation.DeliveryPending, Invitation: invitation.ID, CreatedAt: w.now(), Version: 1,
	}
}

func (w *world) delivery(c conversation.Conversation) conversation.Delivery {
	w.Helper()
	return stored(w, "InsertDelivery", w.aDelivery(c), just(w.store.InsertDelivery))
}

// aTeamEvent makes an event on the team's own stream.
func (w *world) aTeamEvent(team tenancy.Team) outbox.Event {
	return w.anEvent(outbox.Stream{Kind: outbox.TeamStream, ID: team.ID.UUID()}, team)
}

func (w *world) anEvent(stream outbox.Stream, team tenancy.Team) outbox.Event {
	n := w.next()
	return outbox.Event{
		ID: newID[uuid.UUID](w), Stream: stream, Account: team.Account.UUID(), Team: team.ID.UUID(),
		Kind: "member.joined", Version: 1, Principal: tenancy.System("sign-up").Principal(), At: w.now(),
		Payload: json.RawMessage(fmt.Sprintf(`{"number":"%d","role":"member"}`, n)),
	}
}

// lane is the one that events wait in where a case needs no other.
const lane = "crm"

// append commits events in one transaction, to wait in the lane.
func (w *world) append(events ...outbox.Event) {
	w.Helper()
	w.tx("Append", func(ctx context.Context) error { return w.store.Append(ctx, along(events, lane)...) })
}

// along are the events with the lanes that they are to take. What comes back has none.
func along(events []outbox.Event, lanes ...string) []outbox.Event {
	events = slices.Clone(events)
	for i := range events {
		events[i].Lanes = lanes
	}
	return events
}

// stored commits one row in a transaction of its own.
func stored[R any](w *world, method string, row R, insert func(context.Context, R) error) R {
	w.Helper()
	w.tx(method, func(ctx context.Context) error { return insert(ctx, row) })
	return row
}

// take leases what is due for a minute.
func (w *world) take(now time.Time, limit int) []outbox.Due {
	w.Helper()
	return w.takeIn(lane, now, limit)
}
