package storagetest

import (
	"context"
	"iter"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/usher-go/usher/conversation"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/rbac"
	"github.com/usher-go/usher/storage"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/tenancy"
)

// calledStore notes which methods are called. It has each of them by hand, since Go makes no
// implementation of an interface at run time; a method that is new on storage.Store comes
// through the embedded field without a note, and then counts as never called.
type calledStore struct {
	storage.Store
	log *callLog
}

// A callLog is the names of methods that were called.
type callLog struct {
	mu     sync.Mutex
	called map[string]bool
}

func (l *callLog) has(method string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.called[method]
}

func (s *calledStore) note(method string) storage.Store {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	if s.log.called == nil {
		s.log.called = map[string]bool{}
	}
	s.log.called[method] = true
	return s.Store
}

func (s *calledStore) Account(a context.Context, b tenancy.AccountID) (tenancy.Account, error) {
	return s.note("Account").Account(a, b)
}

func (s *calledStore) AccountsOf(a context.Context, b tenancy.UserID, c tenancy.Keyset) ([]tenancy.Account, error) {
	return s.note("AccountsOf").AccountsOf(a, b, c)
}

func (s *calledStore) Application(a context.Context, b tenancy.TeamID, c tenancy.ApplicationID) (conversation.Application, error) {
	return s.note("Application").Application(a, b, c)
}

func (s *calledStore) ApplicationByExternalID(a context.Context, b tenancy.AccountID, c string) (conversation.Application, error) {
	return s.note("ApplicationByExternalID").ApplicationByExternalID(a, b, c)
}

func (s *calledStore) Applications(a context.Context, b tenancy.TeamID, c tenancy.ContactID, d tenancy.Keyset) ([]conversation.Application, error) {
	return s.note("Applications").Applications(a, b, c, d)
}

func (s *calledStore) FirstApplication(a context.Context, b tenancy.TeamID, c tenancy.ContactID) (conversation.Application, error) {
	return s.note("FirstApplication").FirstApplication(a, b, c)
}

func (s *calledStore) InsertApplication(a context.Context, b conversation.Application) error {
	return s.note("InsertApplication").InsertApplication(a, b)
}

func (s *calledStore) MoveApplications(a context.Context, b, c tenancy.TeamID, d ...tenancy.ContactID) error {
	return s.note("MoveApplications").MoveApplications(a, b, c, d...)
}

func (s *calledStore) UpdateApplication(a context.Context, b conversation.Application) error {
	return s.note("UpdateApplication").UpdateApplication(a, b)
}

func (s *calledStore) Append(a context.Context, b ...outbox.Event) error {
	return s.note("Append").Append(a, b...)
}

func (s *calledStore) Authority(a context.Context, b tenancy.TeamID, c tenancy.UserID) (tenancy.Authority, error) {
	return s.note("Authority").Authority(a, b, c)
}

func (s *calledStore) Broken(a context.Context, b tenancy.Flaw, c time.Time, d tenancy.Finding, e int) ([]tenancy.Finding, error) {
	return s.note("Broken").Broken(a, b, c, d, e)
}

func (s *calledStore) Buried(a context.Context, b string, c time.Time, d uuid.UUID, e int) ([]outbox.DeadLetter, error) {
	return s.note("Buried").Buried(a, b, c, d, e)
}

func (s *calledStore) Bury(a context.Context, b outbox.Due, c time.Time) error {
	return s.note("Bury").Bury(a, b, c)
}

func (s *calledStore) Contact(a context.Context, b tenancy.TeamID, c tenancy.ContactID) (conversation.Contact, error) {
	return s.note("Contact").Contact(a, b, c)
}

func (s *calledStore) ContactsByAddress(a context.Context, b tenancy.TeamID, c tenancy.Channel, d ...string) ([]conversation.Contact, error) {
	return s.note("ContactsByAddress").ContactsByAddress(a, b, c, d...)
}

func (s *calledStore) Contacts(a context.Context, b tenancy.TeamID, c ...tenancy.ContactID) ([]conversation.Contact, error) {
	return s.note("Contacts").Contacts(a, b, c...)
}

func (s *calledStore) Users(a context.Context, b ...tenancy.UserID) ([]tenancy.User, error) {
	return s.note("Users").Users(a, b...)
}

func (s *calledStore) Memberships(a context.Context, b ...tenancy.Actor) ([]tenancy.Membership, error) {
	return s.note("Memberships").Memberships(a, b...)
}

func (s *calledStore) Authorities(a context.Context, b tenancy.UserID, c ...tenancy.TeamID) ([]tenancy.TeamAuthority, error) {
	return s.note("Authorities").Authorities(a, b, c...)
}

func (s *calledStore) RenewMemberships(a context.Context, b rbac.Role, c time.Time, d string, e ...tenancy.Actor) error {
	return s.note("RenewMemberships").RenewMemberships(a, b, c, d, e...)
}

func (s *calledStore) AppointMemberships(a context.Context, b rbac.Role, c ...tenancy.Actor) error {
	return s.note("AppointMemberships").AppointMemberships(a, b, c...)
}

func (s *calledStore) TransferAccounts(a context.Context, b tenancy.UserID, c ...tenancy.AccountID) error {
	return s.note("TransferAccounts").TransferAccounts(a, b, c...)
}

func (s *calledStore) CloseConversations(a context.Context, b tenancy.TeamID, c conversation.Label, d ...tenancy.ConversationID) error {
	return s.note("CloseConversations").CloseConversations(a, b, c, d...)
}

func (s *calledStore) MoveConversations(a context.Context, b, c tenancy.TeamID, d ...tenancy.ConversationID) error {
	return s.note("MoveConversations").MoveConversations(a, b, c, d...)
}

func (s *calledStore) PendingDeliveries(a context.Context, b ...tenancy.ConversationID) ([]conversation.Delivery, error) {
	return s.note("PendingDeliveries").PendingDeliveries(a, b...)
}

func (s *calledStore) EndDeliveries(a context.Context, b conversation.DeliveryState, c time.Time, d ...tenancy.ConversationID) error {
	return s.note("EndDeliveries").EndDeliveries(a, b, c, d...)
}

func (s *calledStore) ClaimsEnded(a context.Context, b time.Time, c int) ([]conversation.Thread, error) {
	return s.note("ClaimsEnded").ClaimsEnded(a, b, c)
}

func (s *calledStore) Hand(a context.Context, b tenancy.TeamID, c conversation.Line) (conversation.Hand, error) {
	return s.note("Hand").Hand(a, b, c)
}

func (s *calledStore) InsertSkip(a context.Context, b conversation.Skip) error {
	return s.note("InsertSkip").InsertSkip(a, b)
}

func (s *calledStore) LockLoads(a context.Context, b tenancy.TeamID, c time.Time, d ...tenancy.UserID) ([]conversation.Load, error) {
	return s.note("LockLoads").LockLoads(a, b, c, d...)
}

func (s *calledStore) UpdateTurn(a context.Context, b tenancy.TeamID, c tenancy.UserID, d int64) error {
	return s.note("UpdateTurn").UpdateTurn(a, b, c, d)
}

func (s *calledStore) Staff(a context.Context, b tenancy.TeamID) ([]tenancy.Colleague, error) {
	return s.note("Staff").Staff(a, b)
}

func (s *calledStore) LockAnswered(a context.Context, b tenancy.TeamID, c tenancy.UserID) ([]conversation.Conversation, error) {
	return s.note("LockAnswered").LockAnswered(a, b, c)
}

func (s *calledStore) LockNext(a context.Context, b tenancy.TeamID, c conversation.Line) (conversation.Conversation, error) {
	return s.note("LockNext").LockNext(a, b, c)
}

func (s *calledStore) Waits(a context.Context, b tenancy.TeamID, c conversation.Line) (bool, error) {
	return s.note("Waits").Waits(a, b, c)
}

func (s *calledStore) Conversation(a context.Context, b tenancy.TeamID, c tenancy.ConversationID) (conversation.Conversation, error) {
	return s.note("Conversation").Conversation(a, b, c)
}

func (s *calledStore) ConversationsByAddress(a context.Context, b tenancy.Identity, c string) ([]conversation.Conversation, error) {
	return s.note("ConversationsByAddress").ConversationsByAddress(a, b, c)
}

func (s *calledStore) DeleteWords(a context.Context, b tenancy.MessageID) error {
	return s.note("DeleteWords").DeleteWords(a, b)
}

func (s *calledStore) FindMessage(a context.Context, b tenancy.MessageID) (conversation.Whereabouts, error) {
	return s.note("FindMessage").FindMessage(a, b)
}

func (s *calledStore) FindReceipt(a context.Context, b conversation.MessageKey) (conversation.Whereabouts, error) {
	return s.note("FindReceipt").FindReceipt(a, b)
}

func (s *calledStore) InsertWords(a context.Context, b tenancy.TeamID, c conversation.Message, d []conversation.Word) error {
	return s.note("InsertWords").InsertWords(a, b, c, d)
}

func (s *calledStore) LockOpen(a context.Context, b tenancy.TeamID) ([]conversation.Conversation, error) {
	return s.note("LockOpen").LockOpen(a, b)
}

func (s *calledStore) SnoozeEnded(a context.Context, b time.Time, c int) ([]conversation.Thread, error) {
	return s.note("SnoozeEnded").SnoozeEnded(a, b, c)
}

func (s *calledStore) LapsedGrants(a context.Context, b time.Time, c int) ([]conversation.ThreadUser, error) {
	return s.note("LapsedGrants").LapsedGrants(a, b, c)
}

func (s *calledStore) Idle(a context.Context, b time.Time, c int) ([]conversation.Thread, error) {
	return s.note("Idle").Idle(a, b, c)
}

func (s *calledStore) InsertEpisode(a context.Context, b conversation.Episode) error {
	return s.note("InsertEpisode").InsertEpisode(a, b)
}

func (s *calledStore) EndEpisode(a context.Context, b conversation.Episode) error {
	return s.note("EndEpisode").EndEpisode(a, b)
}

func (s *calledStore) EndEpisodes(a context.Context, b conversation.Episode, c ...tenancy.ConversationID) error {
	return s.note("EndEpisodes").EndEpisodes(a, b, c...)
}

func (s *calledStore) Episodes(a context.Context, b tenancy.ConversationID, c int64, d int) ([]conversation.Episode, error) {
	return s.note("Episodes").Episodes(a, b, c, d)
}

func (s *calledStore) Message(a context.Context, b tenancy.ConversationID, c tenancy.MessageID) (conversation.Message, error) {
	return s.note("Message").Message(a, b, c)
}

func (s *calledStore) Delivery(a context.Context, b tenancy.TeamID, c tenancy.DeliveryID) (conversation.Delivery, error) {
	return s.note("Delivery").Delivery(a, b, c)
}

func (s *calledStore) DeliveriesTo(a context.Context, b tenancy.TeamID, c tenancy.UserID, d time.Time, e tenancy.Keyset) ([]conversation.Delivery, error) {
	return s.note("DeliveriesTo").DeliveriesTo(a, b, c, d, e)
}

func (s *calledStore) LapsedDeliveries(a context.Context, b time.Time, c int) ([]conversation.Thread, error) {
	return s.note("LapsedDeliveries").LapsedDeliveries(a, b, c)
}

func (s *calledStore) EraseRecipient(a context.Context, b string) error {
	return s.note("EraseRecipient").EraseRecipient(a, b)
}

func (s *calledStore) Conversations(a context.Context, b conversation.Scope, c conversation.Filter, d tenancy.Keyset) ([]conversation.Conversation, error) {
	return s.note("Conversations").Conversations(a, b, c, d)
}

func (s *calledStore) DeleteRole(a context.Context, b tenancy.AccountID, c tenancy.RoleID) error {
	return s.note("DeleteRole").DeleteRole(a, b, c)
}

func (s *calledStore) Deliveries(a context.Context, b tenancy.ConversationID) ([]conversation.Delivery, error) {
	return s.note("Deliveries").Deliveries(a, b)
}

func (s *calledStore) DeliveriesOf(a context.Context, b tenancy.TeamID, c tenancy.Keyset) ([]conversation.Delivery, error) {
	return s.note("DeliveriesOf").DeliveriesOf(a, b, c)
}

func (s *calledStore) Done(a context.Context, b ...outbox.Due) error {
	return s.note("Done").Done(a, b...)
}

func (s *calledStore) EraseInvitations(a context.Context, b tenancy.UserID, c string) error {
	return s.note("EraseInvitations").EraseInvitations(a, b, c)
}

func (s *calledStore) FollowTeam(a context.Context, b uuid.UUID, c outbox.Mark) iter.Seq2[[]outbox.TeamEvent, error] {
	return s.note("FollowTeam").FollowTeam(a, b, c)
}

func (s *calledStore) TeamMark(a context.Context, b uuid.UUID) (outbox.Mark, error) {
	return s.note("TeamMark").TeamMark(a, b)
}

func (s *calledStore) Follow(a context.Context, b outbox.Stream, c int64) iter.Seq2[[]outbox.Event, error] {
	return s.note("Follow").Follow(a, b, c)
}

func (s *calledStore) ForgetLane(a context.Context, b string) (int, error) {
	return s.note("ForgetLane").ForgetLane(a, b)
}

func (s *calledStore) ForgetOperations(a context.Context, b time.Time) (int, error) {
	return s.note("ForgetOperations").ForgetOperations(a, b)
}

func (s *calledStore) ForgetSeen(a context.Context, b string, c time.Time) (int, error) {
	return s.note("ForgetSeen").ForgetSeen(a, b, c)
}

func (s *calledStore) Grant(a context.Context, b tenancy.ConversationID, c tenancy.UserID) (conversation.Grant, error) {
	return s.note("Grant").Grant(a, b, c)
}

func (s *calledStore) Grants(a context.Context, b ...tenancy.ConversationID) ([]conversation.Grant, error) {
	return s.note("Grants").Grants(a, b...)
}

func (s *calledStore) ReleaseIdentities(a context.Context, b tenancy.AccountID) error {
	return s.note("ReleaseIdentities").ReleaseIdentities(a, b)
}

func (s *calledStore) InTx(a context.Context, b func(ctx context.Context) error) error {
	return s.note("InTx").InTx(a, b)
}

func (s *calledStore) InsertAccount(a context.Context, b tenancy.Account) error {
	return s.note("InsertAccount").InsertAccount(a, b)
}

func (s *calledStore) InsertContact(a context.Context, b ...conversation.Contact) error {
	return s.note("InsertContact").InsertContact(a, b...)
}

func (s *calledStore) InsertConversation(a context.Context, b conversation.Conversation) error {
	return s.note("InsertConversation").InsertConversation(a, b)
}

func (s *calledStore) InsertDelivery(a context.Context, b ...conversation.Delivery) error {
	return s.note("InsertDelivery").InsertDelivery(a, b...)
}

func (s *calledStore) InsertGrant(a context.Context, b conversation.Grant) error {
	return s.note("InsertGrant").InsertGrant(a, b)
}

func (s *calledStore) InsertInvitation(a context.Context, b ...invite.Record) error {
	return s.note("InsertInvitation").InsertInvitation(a, b...)
}

func (s *calledStore) InsertMembership(a context.Context, b ...tenancy.Membership) error {
	return s.note("InsertMembership").InsertMembership(a, b...)
}

func (s *calledStore) InsertMessage(a context.Context, b conversation.Message) error {
	return s.note("InsertMessage").InsertMessage(a, b)
}

func (s *calledStore) InsertOperation(a context.Context, b tenancy.Operation) error {
	return s.note("InsertOperation").InsertOperation(a, b)
}

func (s *calledStore) InsertRole(a context.Context, b tenancy.CustomRole) error {
	return s.note("InsertRole").InsertRole(a, b)
}

func (s *calledStore) InsertTeam(a context.Context, b tenancy.Team) error {
	return s.note("InsertTeam").InsertTeam(a, b)
}

func (s *calledStore) InsertUser(a context.Context, b tenancy.User) error {
	return s.note("InsertUser").InsertUser(a, b)
}

func (s *calledStore) Invitation(a context.Context, b tenancy.TeamID, c tenancy.InvitationID) (invite.Record, error) {
	return s.note("Invitation").Invitation(a, b, c)
}

func (s *calledStore) InsertUse(a context.Context, b invite.Use) error {
	return s.note("InsertUse").InsertUse(a, b)
}

func (s *calledStore) Use(a context.Context, b tenancy.TeamID, c tenancy.InvitationID, d tenancy.UserID) (invite.Use, error) {
	return s.note("Use").Use(a, b, c, d)
}

func (s *calledStore) Uses(a context.Context, b tenancy.TeamID, c tenancy.InvitationID, d tenancy.Keyset) ([]invite.Use, error) {
	return s.note("Uses").Uses(a, b, c, d)
}

func (s *calledStore) PendingRequest(a context.Context, b tenancy.TeamID, c tenancy.UserID) (invite.Record, error) {
	return s.note("PendingRequest").PendingRequest(a, b, c)
}

func (s *calledStore) RequestsOf(a context.Context, b tenancy.UserID, c tenancy.Keyset) ([]invite.Record, error) {
	return s.note("RequestsOf").RequestsOf(a, b, c)
}

func (s *calledStore) RequestLoad(a context.Context, b invite.Invitation, c time.Time) (invite.Load, error) {
	return s.note("RequestLoad").RequestLoad(a, b, c)
}

func (s *calledStore) Batch(a context.Context, b tenancy.AccountID, c tenancy.BatchID) ([]invite.Record, error) {
	return s.note("Batch").Batch(a, b, c)
}

func (s *calledStore) InvitationByToken(a context.Context, b invite.TokenHash) (invite.Record, error) {
	return s.note("InvitationByToken").InvitationByToken(a, b)
}

func (s *calledStore) InvitationLoads(a context.Context, b tenancy.UserID, c time.Time, d ...tenancy.TeamID) ([]invite.TeamLoad, error) {
	return s.note("InvitationLoads").InvitationLoads(a, b, c, d...)
}

func (s *calledStore) InvitationEvents(a context.Context, b invite.Invitation, c int) ([]outbox.Event, error) {
	return s.note("InvitationEvents").InvitationEvents(a, b, c)
}

func (s *calledStore) LapsedInvitations(a context.Context, b time.Time, c tenancy.Keyset) ([]invite.Lapsed, error) {
	return s.note("LapsedInvitations").LapsedInvitations(a, b, c)
}

func (s *calledStore) Invitations(a context.Context, b tenancy.TeamID, c invite.Filter, d tenancy.Keyset) ([]invite.Record, error) {
	return s.note("Invitations").Invitations(a, b, c, d)
}

func (s *calledStore) Lapsed(a context.Context, b time.Time, c int) ([]tenancy.Membership, error) {
	return s.note("Lapsed").Lapsed(a, b, c)
}

func (s *calledStore) LockAccount(a context.Context, b tenancy.AccountID) (tenancy.Account, error) {
	return s.note("LockAccount").LockAccount(a, b)
}

func (s *calledStore) LockContact(a context.Context, b tenancy.TeamID, c tenancy.ContactID) (conversation.Contact, error) {
	return s.note("LockContact").LockContact(a, b, c)
}

func (s *calledStore) LockConversation(a context.Context, b tenancy.TeamID, c tenancy.ConversationID) (conversation.Conversation, error) {
	return s.note("LockConversation").LockConversation(a, b, c)
}

func (s *calledStore) LockInvitation(a context.Context, b tenancy.TeamID, c tenancy.InvitationID) (invite.Record, error) {
	return s.note("LockInvitation").LockInvitation(a, b, c)
}

func (s *calledStore) LockTeam(a context.Context, b tenancy.TeamID) (tenancy.Team, error) {
	return s.note("LockTeam").LockTeam(a, b)
}

func (s *calledStore) LockUser(a context.Context, b tenancy.UserID) (tenancy.User, error) {
	return s.note("LockUser").LockUser(a, b)
}

func (s *calledStore) MarkSeen(a context.Context, b string, c uuid.UUID, d time.Time) error {
	return s.note("MarkSeen").MarkSeen(a, b, c, d)
}

func (s *calledStore) Members(a context.Context, b tenancy.TeamID, c tenancy.Keyset) ([]tenancy.Member, error) {
	return s.note("Members").Members(a, b, c)
}

func (s *calledStore) Membership(a context.Context, b tenancy.TeamID, c tenancy.UserID) (tenancy.Membership, error) {
	return s.note("Membership").Membership(a, b, c)
}

func (s *calledStore) MembershipsOf(a context.Context, b tenancy.UserID) ([]tenancy.Membership, error) {
	return s.note("MembershipsOf").MembershipsOf(a, b)
}

func (s *calledStore) MessageByKey(a context.Context, b conversation.MessageKey) (conversation.Message, error) {
	return s.note("MessageByKey").MessageByKey(a, b)
}

func (s *calledStore) Messages(a context.Context, b tenancy.ConversationID, c conversation.Range) ([]conversation.Message, error) {
	return s.note("Messages").Messages(a, b, c)
}

func (s *calledStore) Operation(a context.Context, b, c string) (tenancy.Operation, error) {
	return s.note("Operation").Operation(a, b, c)
}

func (s *calledStore) LockOffer(a context.Context, b tenancy.AccountID, c tenancy.InvitationID) (invite.Record, error) {
	return s.note("LockOffer").LockOffer(a, b, c)
}

func (s *calledStore) Offer(a context.Context, b tenancy.AccountID, c tenancy.InvitationID) (invite.Record, error) {
	return s.note("Offer").Offer(a, b, c)
}

func (s *calledStore) Offers(a context.Context, b tenancy.AccountID, c tenancy.Keyset) ([]invite.Record, error) {
	return s.note("Offers").Offers(a, b, c)
}

func (s *calledStore) PendingOffer(a context.Context, b tenancy.AccountID) (invite.Record, error) {
	return s.note("PendingOffer").PendingOffer(a, b)
}

func (s *calledStore) PendingDelivery(a context.Context, b tenancy.ConversationID) (conversation.Delivery, error) {
	return s.note("PendingDelivery").PendingDelivery(a, b)
}

func (s *calledStore) Replay(a context.Context, b string, c uuid.UUID, d time.Time) error {
	return s.note("Replay").Replay(a, b, c, d)
}

func (s *calledStore) Retry(a context.Context, b outbox.Due, c time.Time) error {
	return s.note("Retry").Retry(a, b, c)
}

func (s *calledStore) Role(a context.Context, b tenancy.AccountID, c tenancy.RoleID) (tenancy.CustomRole, error) {
	return s.note("Role").Role(a, b, c)
}

func (s *calledStore) RolesIn(a context.Context, b tenancy.AccountID) ([]tenancy.CustomRole, error) {
	return s.note("RolesIn").RolesIn(a, b)
}

func (s *calledStore) Search(a context.Context, b tenancy.TeamID, c []conversation.Word, d bool, e tenancy.Keyset) ([]conversation.Message, error) {
	return s.note("Search").Search(a, b, c, d, e)
}

func (s *calledStore) Seated(a context.Context, b tenancy.AccountID, c time.Time, d ...string) ([]string, error) {
	return s.note("Seated").Seated(a, b, c, d...)
}

func (s *calledStore) UsersByEmail(a context.Context, b ...string) ([]tenancy.User, error) {
	return s.note("UsersByEmail").UsersByEmail(a, b...)
}

func (s *calledStore) InvitationsTo(a context.Context, b tenancy.AccountID, c time.Time, d ...string) ([]invite.Record, error) {
	return s.note("InvitationsTo").InvitationsTo(a, b, c, d...)
}

func (s *calledStore) SeatsTaken(a context.Context, b time.Time, c tenancy.SeatQuery, d ...tenancy.AccountID) (map[tenancy.AccountID]int, error) {
	return s.note("SeatsTaken").SeatsTaken(a, b, c, d...)
}

func (s *calledStore) Take(a context.Context, b string, c time.Time, d time.Time, e int) ([]outbox.Due, error) {
	return s.note("Take").Take(a, b, c, d, e)
}

func (s *calledStore) Team(a context.Context, b tenancy.TeamID) (tenancy.Team, error) {
	return s.note("Team").Team(a, b)
}

func (s *calledStore) TeamByIdentity(a context.Context, b tenancy.Identity) (tenancy.Team, error) {
	return s.note("TeamByIdentity").TeamByIdentity(a, b)
}

func (s *calledStore) TeamByName(a context.Context, b tenancy.AccountID, c string) (tenancy.Team, error) {
	return s.note("TeamByName").TeamByName(a, b, c)
}

func (s *calledStore) TeamEvents(a context.Context, b uuid.UUID, c outbox.LogFilter, d time.Time, e uuid.UUID, f int) ([]outbox.Event, error) {
	return s.note("TeamEvents").TeamEvents(a, b, c, d, e, f)
}

func (s *calledStore) TeamOf(a context.Context, b tenancy.ConversationID) (tenancy.TeamID, error) {
	return s.note("TeamOf").TeamOf(a, b)
}

func (s *calledStore) TeamsIn(a context.Context, b tenancy.AccountID, c tenancy.Keyset) ([]tenancy.Team, error) {
	return s.note("TeamsIn").TeamsIn(a, b, c)
}

func (s *calledStore) JoinableTeams(a context.Context, b string, c tenancy.UserID, d tenancy.Keyset) ([]tenancy.Team, error) {
	return s.note("JoinableTeams").JoinableTeams(a, b, c, d)
}

func (s *calledStore) TeamsOf(a context.Context, b tenancy.UserID, c tenancy.Keyset) ([]tenancy.TeamOfUser, error) {
	return s.note("TeamsOf").TeamsOf(a, b, c)
}

func (s *calledStore) MembersWithRole(a context.Context, b tenancy.AccountID, c tenancy.RoleID) ([]tenancy.Membership, error) {
	return s.note("MembersWithRole").MembersWithRole(a, b, c)
}

func (s *calledStore) UpdateAccount(a context.Context, b tenancy.Account) error {
	return s.note("UpdateAccount").UpdateAccount(a, b)
}

func (s *calledStore) UpdateContact(a context.Context, b conversation.Contact) error {
	return s.note("UpdateContact").UpdateContact(a, b)
}

func (s *calledStore) UpdateConversation(a context.Context, b tenancy.TeamID, c conversation.Conversation) error {
	return s.note("UpdateConversation").UpdateConversation(a, b, c)
}

func (s *calledStore) UpdateDelivery(a context.Context, b conversation.Delivery) error {
	return s.note("UpdateDelivery").UpdateDelivery(a, b)
}

func (s *calledStore) UpdateGrant(a context.Context, b conversation.Grant) error {
	return s.note("UpdateGrant").UpdateGrant(a, b)
}

func (s *calledStore) UpdateInvitation(a context.Context, b invite.Record) error {
	return s.note("UpdateInvitation").UpdateInvitation(a, b)
}

func (s *calledStore) UpdateMembership(a context.Context, b tenancy.Membership) error {
	return s.note("UpdateMembership").UpdateMembership(a, b)
}

func (s *calledStore) UpdateMessage(a context.Context, b conversation.Message) error {
	return s.note("UpdateMessage").UpdateMessage(a, b)
}

func (s *calledStore) UpdateRole(a context.Context, b tenancy.CustomRole) error {
	return s.note("UpdateRole").UpdateRole(a, b)
}

func (s *calledStore) UpdateTeam(a context.Context, b tenancy.Team) error {
	return s.note("UpdateTeam").UpdateTeam(a, b)
}

func (s *calledStore) UpdateUser(a context.Context, b tenancy.User) error {
	return s.note("UpdateUser").UpdateUser(a, b)
}

func (s *calledStore) User(a context.Context, b tenancy.UserID) (tenancy.User, error) {
	return s.note("User").User(a, b)
}

func (s *calledStore) UserByEmail(a context.Context, b string) (tenancy.User, error) {
	return s.note("UserByEmail").UserByEmail(a, b)
}

func (s *calledStore) UserByExternalID(a context.Context, b string) (tenancy.User, error) {
	return s.note("UserByExternalID").UserByExternalID(a, b)
}

func (s *calledStore) InsertOptOut(a context.Context, b conversation.OptOut) error {
	return s.note("InsertOptOut").InsertOptOut(a, b)
}

func (s *calledStore) UpdateOptOut(a context.Context, b conversation.OptOut) error {
	return s.note("UpdateOptOut").UpdateOptOut(a, b)
}

func (s *calledStore) LockOptOut(a context.Context, b tenancy.Identity, c string) (conversation.OptOut, error) {
	return s.note("LockOptOut").LockOptOut(a, b, c)
}

func (s *calledStore) OptOut(a context.Context, b tenancy.Identity, c string) (conversation.OptOut, error) {
	return s.note("OptOut").OptOut(a, b, c)
}

func (s *calledStore) InsertReadMark(a context.Context, b conversation.ReadMark) error {
	return s.note("InsertReadMark").InsertReadMark(a, b)
}

func (s *calledStore) UpdateReadMark(a context.Context, b conversation.ReadMark) error {
	return s.note("UpdateReadMark").UpdateReadMark(a, b)
}

func (s *calledStore) LockReadMark(a context.Context, b tenancy.ConversationID, c tenancy.UserID) (conversation.ReadMark, error) {
	return s.note("LockReadMark").LockReadMark(a, b, c)
}

func (s *calledStore) ReadMark(a context.Context, b tenancy.ConversationID, c tenancy.UserID) (conversation.ReadMark, error) {
	return s.note("ReadMark").ReadMark(a, b, c)
}

func (s *calledStore) Unread(a context.Context, b conversation.Scope, c tenancy.UserID, d bool, e []tenancy.ConversationID) ([]conversation.UnreadCount, error) {
	return s.note("Unread").Unread(a, b, c, d, e)
}

func (s *calledStore) EndInvitations(a context.Context, b invite.State, c time.Time, d string, e ...invite.Whereabouts) error {
	return s.note("EndInvitations").EndInvitations(a, b, c, d, e...)
}

func (s *calledStore) EndMemberships(a context.Context, b time.Time, c string, d ...tenancy.Actor) error {
	return s.note("EndMemberships").EndMemberships(a, b, c, d...)
}

func (s *calledStore) HeldBy(a context.Context, b ...tenancy.Actor) ([]conversation.Thread, error) {
	return s.note("HeldBy").HeldBy(a, b...)
}

func (s *calledStore) LastingRoles(a context.Context, b tenancy.UserID, c ...tenancy.TeamID) ([]tenancy.TeamRole, error) {
	return s.note("LastingRoles").LastingRoles(a, b, c...)
}

func (s *calledStore) Accounts(a context.Context, b ...tenancy.AccountID) ([]tenancy.Account, error) {
	return s.note("Accounts").Accounts(a, b...)
}

func (s *calledStore) LockAccounts(a context.Context, b ...tenancy.AccountID) ([]tenancy.Account, error) {
	return s.note("LockAccounts").LockAccounts(a, b...)
}

func (s *calledStore) LockConversations(a context.Context, b ...conversation.Thread) ([]conversation.Conversation, error) {
	return s.note("LockConversations").LockConversations(a, b...)
}

func (s *calledStore) LockInvitations(a context.Context, b ...invite.Whereabouts) ([]invite.Record, error) {
	return s.note("LockInvitations").LockInvitations(a, b...)
}

func (s *calledStore) LockTeams(a context.Context, b ...tenancy.TeamID) ([]tenancy.Team, error) {
	return s.note("LockTeams").LockTeams(a, b...)
}

func (s *calledStore) Managed(a context.Context, b tenancy.UserID, c ...tenancy.TeamID) ([]tenancy.TeamID, error) {
	return s.note("Managed").Managed(a, b, c...)
}

func (s *calledStore) PendingBy(a context.Context, b ...tenancy.Actor) ([]invite.Whereabouts, error) {
	return s.note("PendingBy").PendingBy(a, b...)
}

func (s *calledStore) PendingInto(a context.Context, b tenancy.TeamID, c ...tenancy.ConversationID) ([]invite.Whereabouts, error) {
	return s.note("PendingInto").PendingInto(a, b, c...)
}

func (s *calledStore) ReleaseConversations(a context.Context, b ...conversation.Thread) error {
	return s.note("ReleaseConversations").ReleaseConversations(a, b...)
}

func (s *calledStore) RevokeGrants(a context.Context, b time.Time, c string, d ...conversation.GrantKey) error {
	return s.note("RevokeGrants").RevokeGrants(a, b, c, d...)
}

func (s *calledStore) Teams(a context.Context, b ...tenancy.TeamID) ([]tenancy.Team, error) {
	return s.note("Teams").Teams(a, b...)
}

func (s *calledStore) UnassignConversations(a context.Context, b ...conversation.Thread) error {
	return s.note("UnassignConversations").UnassignConversations(a, b...)
}
