package storagetest

import "strings"

// A rule is a sentence of a contract: where it stands, a dash, and its words. A test compares
// the words with the comments in the source, so a failure never quotes what is no longer
// written. Those of one idea stand beside its cases.
type rule string

func (r rule) parts() (where, words string) {
	where, words, _ = strings.Cut(string(r), " — ")
	return where, words
}

// The general contract.
const (
	ruleScope     rule = "tenancy.Store, Scope — A method that touches a team's rows takes the team and answers [ErrNotFound] for a row of another team."
	ruleNoTx      rule = "tenancy.Store, Transactions — Methods that write (Insert…, Update…, Append) or lock (Lock…) must be called inside InTx and answer [ErrNoTx] outside."
	ruleReads     rule = "tenancy.Store, Transactions — Reads may run inside, where they see the transaction's own writes, or outside, where they see what is committed."
	ruleLocks     rule = "tenancy.Store, Locks — Lock… takes the row until the transaction ends and then reads it, so what it answers cannot change underneath."
	ruleInsert    rule = "tenancy.Store, Versions — Insert… stores version 1."
	ruleUpdate    rule = "tenancy.Store, Versions — Update… writes the row whose Version is the one that was read and stores the next version; another version answers [ErrStale]."
	ruleMissing   rule = "tenancy.Store, Versions — A missing row answers [ErrNotFound]."
	ruleBytes     rule = "tenancy.Store, Values — Texts are compared byte for byte: case, accents and trailing spaces count."
	ruleTimes     rule = "tenancy.Store, Values — Times come back in UTC to the microsecond, a zero time comes back zero."
	ruleEmpty     rule = "tenancy.Store, Values — An empty list inside a row comes back nil, but for [Settings.DeliverTo], where empty is not nil."
	ruleMemory    rule = "tenancy.Store, Values — What is returned shares no memory with the store."
	ruleDuplicate rule = "tenancy.Store, Values — A unique key that is taken answers [ErrDuplicate]."
	ruleCancelled rule = "tenancy.Store — A cancelled context ends every method with the context's error, and changes nothing."
	ruleInvalid   rule = "tenancy.ErrInvalid — the input breaks a rule that can be read from the input alone."
	ruleKeyset    rule = "tenancy.Keyset — at most Limit rows strictly after the row with the key (At, ID), in the order that the method documents."
)

// Transactions.
const (
	ruleCommit rule = "tenancy.Transactor.InTx — InTx calls fn with a context that carries a transaction and commits if fn returns nil."
	ruleJoin   rule = "tenancy.Transactor.InTx — Inside another InTx of the same store it joins: the outermost call commits."
	ruleDoom   rule = "tenancy.Transactor.InTx — An error of fn rolls back, also when an outer fn swallows it: the outermost call then answers that error."
	rulePanic  rule = "tenancy.Transactor.InTx — A panic rolls back and goes on."
	ruleTxDone rule = "tenancy.Transactor.InTx — The context must not be used after InTx has returned: store methods then answer [ErrTxDone]."
	ruleOuter  rule = "tenancy.Transactor.InTx — Inside fn, use fn's context: the outer one is outside the transaction, and waits for it where the store has one writer."
	ruleRerun  rule = "tenancy.Transactor.InTx — The outermost fn may run more than once, when the database asks for a retry or a unique key was taken by a faster transaction"
)

// The rooms' own keys and lists.
const (
	ruleExternalID        rule = "tenancy.UserStore — ExternalID is unique where it is not empty"
	ruleVerified          rule = "tenancy.UserStore — the normal form of the address is unique among users with a VerifiedAt."
	ruleTeamKeys          rule = "tenancy.TeamStore — NameKey is unique within the account; an Identity that is not zero is unique among the teams that are active and have not released it."
	ruleRelease           rule = "tenancy.TeamStore.ReleaseIdentities — ReleaseIdentities releases the identities of all teams of the account, whose rows stay as they are. An update of an active team takes its identity again."
	ruleAccountsOf        rule = "tenancy.AccountStore.AccountsOf — AccountsOf lists the accounts that the user holds, whatever their state, by (CreatedAt, account id)."
	ruleSeats             rule = "tenancy.Seats — A seat is taken by each user who is more than a guest in any of the account's active teams: an active, unexpired membership as Manager, Member or in a custom role."
	rulePendingSeats      rule = "tenancy.Seats.CountPending — the address of each pending invitation into an active team takes a seat, unless it invites a guest or somebody who has one."
	ruleTeamsIn           rule = "tenancy.TeamStore.TeamsIn — TeamsIn lists the teams of the account, whatever their state, by (CreatedAt, team id)."
	ruleMembershipsOf     rule = "tenancy.MembershipStore.MembershipsOf — MembershipsOf lists the user's memberships that are not removed, by team id."
	ruleLapsed            rule = "tenancy.MembershipStore.Lapsed — Lapsed lists at most limit active memberships whose expiry has come (it is not after now), by (ExpiresAt, team id, user id)."
	ruleRoleKeys          rule = "tenancy.RoleStore — NameKey is unique within the account."
	ruleRoleScope         rule = "tenancy.RoleStore — A role of another account is not found."
	ruleDeleteRole        rule = "tenancy.RoleStore.DeleteRole — DeleteRole deletes a role that no membership refers to, or [ErrConflict]."
	ruleRolesIn           rule = "tenancy.RoleStore.RolesIn — RolesIn lists the account's roles by (CreatedAt, id), all of them."
	ruleMembersWithRole   rule = "tenancy.RoleStore.MembersWithRole — MembersWithRole lists the memberships that have the role and are not removed, by (team id, user id)."
	ruleCustomRights      rule = "tenancy.Authority — CustomName and CustomPermissions are those of the membership's custom role; empty for someone without one."
	ruleBroken            rule = "tenancy.Store.Broken — Broken looks for one kind of broken invariant and answers at most limit findings, by Subject and then by Team, strictly after the finding given; the zero Finding starts at the beginning."
	ruleUnknownFlaw       rule = "tenancy.Store.Broken — A flaw that the store does not know answers [ErrInvalid]."
	ruleNoManager         rule = "tenancy.FlawNoManager — A [Store] looks for someone who is lastingly Manager, and leaves it to [Service.Diagnose] who manages in a custom role."
	ruleNoHolder          rule = "tenancy.FlawNoHolder — an account that is not closed is held by a user who is deleted."
	ruleGhostMember       rule = "tenancy.FlawGhostMember — a deleted user has a membership that is not removed."
	ruleForeignRole       rule = "tenancy.FlawForeignRole — a membership has a custom role of another account."
	ruleOneMembership     rule = "tenancy.MembershipStore — MembershipStore keeps memberships, one for each team and user."
	ruleAuthority         rule = "tenancy.MembershipStore.Authority — Authority reads all that a decision about a user in a team rests on, in one statement."
	ruleShared            rule = "tenancy.MembershipStore.Authority — Inside a transaction the membership is locked for share until its end."
	ruleMembers           rule = "tenancy.MembershipStore.Members — Members lists the memberships of a team that are not removed, by (JoinedAt, user id)."
	ruleTeamsOf           rule = "tenancy.MembershipStore.TeamsOf — TeamsOf lists the teams in which the user's membership is active, whatever its expiry, by (JoinedAt, team id)."
	ruleOtherManager      rule = "tenancy.MembershipStore.HasOtherManager — an active membership without an expiry, of an active user."
	ruleLastingRoles      rule = "tenancy.MembershipStore.LastingRoles — LastingRoles lists the custom roles that someone but the user lastingly has in the team, as HasOtherManager understands it, each once, by id."
	ruleOperation         rule = "tenancy.OperationStore — OperationStore keeps operations. Principal and Key together are unique."
	ruleForget            rule = "tenancy.OperationStore.ForgetOperations — ForgetOperations deletes those from before the time given and answers how many they were."
	rulePending           rule = "invite.Store.InsertInvitation — While one is pending, no other pending one may have the same scope and normal address: the scope of a conversation invitation is its conversation, that of any other its team."
	ruleToken             rule = "invite.Store.InvitationByToken — InvitationByToken finds an invitation by the hash of its token, whatever its state."
	ruleInvitations       rule = "invite.Store.Invitations — Invitations lists a team's invitations that the filter admits, newest first by (CreatedAt, id)."
	ruleInvitationFilter  rule = "invite.Filter — State admits the invitations in that state at Now: a pending one whose time has passed is expired."
	ruleOffer             rule = "invite.OfferStore.LockOffer — LockOffer takes and reads an offer of the account, which the other methods that take an id never find."
	ruleOnePendingOffer   rule = "invite.Store.InsertInvitation — Only one offer of an account (the kind [ToOneAccount], which alone has no team and no role) may be pending, whatever its address."
	ruleOffers            rule = "invite.OfferStore.Offers — Offers lists the account's offers, newest first by (CreatedAt, id)."
	ruleErase             rule = "invite.AddressStore.EraseInvitations — EraseInvitations takes both forms of the address out of the invitations, of whatever team or account, that are not in the state pending and that the user accepted or that were for the normal address."
	ruleOrphan            rule = "invite.FlawOrphanInvitation — a pending invitation of a team, whose time has not passed, was sent by someone who has no active membership in it, though the team does not keep such invitations."
	ruleLoad              rule = "invite.AddressStore.InvitationLoad — InvitationLoad counts what an invitation like the one given would come on top of, in the state pending and with time left: in its team, in its team from its inviter, and in its account to its normal address, whatever their team or kind."
	ruleOnePendingAsk     rule = "invite.Store.InsertInvitation — Only one request to join a team (the kind [ByRequest], which needs no role) may be pending from the same user."
	ruleNoAddress         rule = "invite.Store.InsertInvitation — Of links (the kind [ByLink]) and requests no address is unique."
	ruleLinkNumbers       rule = "invite.Store.InsertInvitation — A link alone has MaxUses, at least 1, and no more Uses than that; other numbers are [tenancy.ErrInvalid]."
	ruleKindFilter        rule = "invite.Filter — Kind admits the invitations of one kind."
	ruleUse               rule = "invite.LinkStore.InsertUse — InsertUse stores that a user came in by a link of the team, once for each link and user."
	ruleUses              rule = "invite.LinkStore.Uses — Uses lists who came in by a link, by (At, user id)."
	ruleRequestsOf        rule = "invite.RequestStore.RequestsOf — RequestsOf lists the user's requests to join whatever team, newest first by (CreatedAt, id)."
	ruleRequestLoad       rule = "invite.RequestStore.RequestLoad — RequestLoad counts the requests that one like the invitation given would come on top of: in its team those in the state pending with time left, and of its inviter those to whatever team that were made less than a day ago, whatever became of them."
	ruleUncountedAsk      rule = "invite.AddressStore.InvitationLoad — Requests count nowhere."
	ruleBatch             rule = "invite.BatchStore.Batch — Batch lists the invitations of a batch in an account, whatever their state, by team id."
	rulePendingBy         rule = "invite.Store.PendingBy — PendingBy lists the ids of the team's invitations in the state pending that the user sent, by id."
	ruleLapsedInvitations rule = "invite.SweepStore.LapsedInvitations — LapsedInvitations lists the invitations in the state pending whose time has passed (their ExpiresAt is not after now), by (ExpiresAt, id)."
	ruleInvitationEvents  rule = "invite.Store.InvitationEvents — InvitationEvents lists the events of this room that name the invitation, from its CreatedAt on: at most limit, the newest first by their sequence."
	ruleContact           rule = "conversation.ContactStore — Channel and Address are unique within the team."
	ruleThread            rule = "conversation.ThreadStore — Identity and Address together are unique within the account."
	ruleLockOpen          rule = "conversation.ThreadStore.LockOpen — LockOpen takes all conversations of the team that are not closed until the transaction ends, and answers them by id."
	ruleSnoozeEnded       rule = "conversation.ThreadStore.SnoozeEnded — SnoozeEnded lists at most limit snoozed conversations, of all teams, whose SnoozedUntil has come (it is not after now), by (SnoozedUntil, id)."
	ruleIdle              rule = "conversation.ThreadStore.Idle — Idle lists at most limit open conversations, of all teams that have an AutoClose, in which nobody waits for a reply and whose IdleSince is at least that long before now, in no particular order."
	ruleLapsedGrants      rule = "conversation.GrantStore.LapsedGrants — LapsedGrants lists at most limit grants, of all teams, that are not revoked and whose expiry has come (it is not after now), by (ExpiresAt, conversation id, user id)."
	ruleEndEpisode        rule = "conversation.EpisodeStore.EndEpisode — EndEpisode writes ClosedAt, ClosedBy, ClosedOn and Outcome of the episode, and nothing else of it. One that has ended, like one that is not there, is [tenancy.ErrNotFound]."
	ruleEpisodes          rule = "conversation.EpisodeStore.Episodes — Episodes lists at most limit episodes of a conversation after the number given, by Number."
	ruleTeamOf            rule = "conversation.ThreadStore.TeamOf — TeamOf tells in which team a conversation is."
	ruleByAddress         rule = "conversation.ThreadStore.ConversationsByAddress — ConversationsByAddress lists the conversations of a channel identity and a contact's address, one at most for each account, in whatever team it is, newest first by (LastAt, id)."
	ruleDelivering        rule = "conversation.DeliveryStore.PendingDeliveriesBy — PendingDeliveriesBy lists the ids of the conversations that wait for the end of a delivery by the user, from the team, by id."
	ruleEraseRecipient    rule = "conversation.DeliveryStore.EraseRecipient — EraseRecipient takes a normal address, and the form in which it is displayed, out of all deliveries to it, whatever their team and state; each has its next version then."
	ruleFlawAssignee      rule = "conversation.FlawAssignee — a conversation is assigned to somebody who is no active member of its team."
	ruleFlawDelivery      rule = "conversation.FlawDelivery — a pending delivery waits for an invitation that is not pending."
	ruleFlawGrant         rule = "conversation.FlawGrant — somebody who is not in the conversation's team has a live grant for it."
	ruleFlawCounter       rule = "conversation.FlawCounter — the sequence of the newest message is not that of the conversation, or there are gaps before it."
	ruleMove              rule = "conversation.ThreadStore.UpdateConversation — UpdateConversation writes the row that is in the team given; c.Team may be another one, which moves it."
	ruleConversations     rule = "conversation.ThreadStore.Conversations — Conversations lists the conversations that scope and filter admit, newest first by (LastAt, id)."
	ruleAdmits            rule = "conversation.Scope.Admits — Admits is the scope as a predicate: whether it holds the conversation, given the guest's grant for it (the zero Grant where there is none)."
	ruleAssigned          rule = "conversation.ThreadStore.AssignedTo — AssignedTo lists the ids of the team's conversations that are assigned to the user, by id."
	ruleMessageKeys       rule = "conversation.MessageStore — (Conversation, Seq) is unique, and so are a Key and a Receipt that are not zero."
	ruleMessages          rule = "conversation.MessageStore.Messages — Messages lists the messages of the range by Seq."
	ruleUpdateMessage     rule = "conversation.MessageStore.UpdateMessage — What else the row given says of it is not looked at."
	ruleFindMessage       rule = "conversation.MessageStore.FindMessage — FindMessage tells where a message is, in whatever team, and FindReceipt the one that has the Receipt."
	ruleInsertWords       rule = "conversation.WordStore.InsertWords — They stay with it when its conversation moves to another team."
	ruleDeleteWords       rule = "conversation.WordStore.DeleteWords — DeleteWords takes all words from a message. One that has none is left alone."
	ruleSearch            rule = "conversation.WordStore.Search — Search lists the messages of the team that have all of the words, 1 to [MaxSearch], newest first by (At, id); notes only if they are asked for."
	ruleSearchWords       rule = "conversation.WordStore.Search — Another number of words answers [tenancy.ErrInvalid]."
	ruleGrants            rule = "conversation.GrantStore.Grants — Grants lists the grants of a conversation, whatever their state, by user id."
	ruleGrantedIn         rule = "conversation.GrantStore.GrantedIn — GrantedIn lists the ids of the team's conversations for which the user has a grant that is not revoked, whatever its expiry, by id."
	ruleDelivery          rule = "conversation.DeliveryStore — A conversation has at most one in the state pending."
	ruleDeliveriesOf      rule = "conversation.DeliveryStore.DeliveriesOf — DeliveriesOf lists the deliveries from or to the team, newest first by (CreatedAt, id)."
	ruleDeliveries        rule = "conversation.DeliveryStore.Deliveries — Deliveries lists the deliveries of one conversation, oldest first by (CreatedAt, id)."
)

// The desk.
const (
	ruleLockNext       rule = "conversation.DeskStore.LockNext — LockNext takes the first conversation of the line, by (NeedsReplySince, ID), until the transaction ends, and answers it; ErrNotFound where there is none."
	ruleLockNextPasses rule = "conversation.DeskStore.LockNext — It waits for nobody: what another transaction has taken is passed over."
	ruleWaits          rule = "conversation.DeskStore.Waits — Waits reports whether an open conversation of the team waits for a reply that is nobody's, if the line has Free, or assigned to the user, if it has Assigned: whoever has claimed or skipped it."
	ruleHand           rule = "conversation.DeskStore.Hand — Hand reads what the line's user has in hand."
	ruleLockAnswered   rule = "conversation.DeskStore.LockAnswered — LockAnswered takes the team's conversations that the user has claimed and that do not wait for a reply, whatever the end of the claim, until the transaction ends, and answers them by id."
	ruleClaimedBy      rule = "conversation.DeskStore.ClaimedBy — ClaimedBy lists the ids of the team's conversations that the user has claimed, whatever the end of the claim, by id."
	ruleClaimsEnded    rule = "conversation.DeskStore.ClaimsEnded — ClaimsEnded lists at most limit conversations, of all teams, whose claim has ended by the clock (ClaimedUntil is not after now), by (ClaimedUntil, id)."
	ruleSkip           rule = "conversation.DeskStore.InsertSkip — InsertSkip keeps a skip in the place of an earlier one of the same conversation and user."
	ruleFlawClaimant   rule = "conversation.FlawClaimant — a conversation is claimed by somebody who is no active member of its team."
)

// The outbox.
const (
	ruleAppend   rule = "outbox.Appender.Append — Append writes the events in the order given and draws each one's Sequence from the row of its stream, which it locks."
	ruleAppendTx rule = "outbox.Appender.Append — It fails outside a transaction"
	ruleStream   rule = "outbox.Appender.Append — The stream's row must exist."
	ruleSequence rule = "outbox.Event — Sequence counts 1, 2, 3 … along the stream without gaps."
	ruleEvents   rule = "outbox.Log.TeamEvents — TeamEvents lists the events of one team that the filter admits, newest first by (At, ID), those strictly before the position given; a zero time starts at the newest."
	ruleFilter   rule = "outbox.Log.TeamEvents — TeamEvents lists the events of one team that the filter admits"
	ruleTimesOf  rule = "outbox.LogFilter — Since and Until bound the events' times: Since is in, Until is out."
	ruleRouted   rule = "outbox.Appender.Append — Each event waits in the lanes that it names from then on, and one that names none is in the log and nowhere else."
	ruleLanes    rule = "outbox.Source — each lane has its own leases, attempts and dead letters of an event, and no lane waits for another."
	ruleTake     rule = "outbox.Source.Take — Take leases at most limit events that are due in the lane at now, until the time given, and counts the attempt."
	ruleHeads    rule = "outbox.Source.Take — It hands out only the first undelivered event of a stream, so that a stream is delivered in order whatever the number of relays"
	ruleBlocks   rule = "outbox.Source.Take — an event under a live lease or waiting for its retry blocks its stream and no other."
	ruleDone     rule = "outbox.Source.Done — It answers ErrLeaseLost when the lease has passed to another relay, and then changes nothing."
	ruleRetry    rule = "outbox.Source.Retry — Retry makes an event due again at the time given, with the same answer as Done."
	ruleSourceTx rule = "outbox.Source — Each method is its own transaction and must not be called inside one."
)

// Dead letters.
const (
	ruleForgetLane  rule = "outbox.Source.ForgetLane — ForgetLane deletes what is left in a lane that is given up, undelivered events and dead letters, and answers how many that were."
	ruleBury        rule = "outbox.DeadLetters.Bury — Bury makes an event a dead letter at the time given and ends its lease, so that the next event of its stream is the first undelivered one."
	ruleBuryLost    rule = "outbox.DeadLetters.Bury — It answers ErrLeaseLost when the lease has passed to another relay, and then changes nothing."
	ruleDead        rule = "outbox.DeadLetters — A dead letter is neither delivered nor due. It keeps its sequence and stays in the [Log]."
	ruleBuried      rule = "outbox.DeadLetters.Buried — Buried lists the dead letters of all streams in the lane, the longest buried first by (At, ID), those strictly after the position given; a zero time starts at the first."
	ruleReplay      rule = "outbox.DeadLetters.Replay — Replay makes a dead letter of the lane an undelivered event again, due at the time given, its attempts counted from nothing."
	ruleNotBuried   rule = "outbox.DeadLetters.Replay — It answers ErrNotBuried for an event that is no dead letter there, and then changes nothing; of several replays of one dead letter at once, one succeeds."
	ruleReplayPlace rule = "outbox.DeadLetters.Replay — The event takes the place that its sequence gives it: it blocks those behind it that are not delivered yet, and comes after those that were delivered meanwhile."
	ruleReplayLease rule = "outbox.DeadLetters.Replay — An event of the stream that is under a lease stays so, and can be settled; the one replayed is not handed out before the end of that lease."
)

// The inbox.
const (
	ruleSeen     rule = "outbox.InboxStore.MarkSeen — MarkSeen notes, in the caller's transaction, that the consumer has seen the event, at the time given."
	ruleSeenOn   rule = "outbox.InboxStore.MarkSeen — It answers ErrSeen if that was noted before, and the transaction can go on then"
	ruleSeenWait rule = "outbox.InboxStore.MarkSeen — While another transaction has noted the same and is not over, it waits for its end."
	ruleSeenTx   rule = "outbox.InboxStore.MarkSeen — It fails outside a transaction."
	ruleSeenOld  rule = "outbox.InboxStore.ForgetSeen — ForgetSeen deletes, in the caller's transaction, what the consumer has seen before the time given and answers how many events that were."
	ruleSeenOnce rule = "outbox.InboxStore.MarkSeen — the first time stays."
	ruleOnce     rule = "outbox.Inbox.Once — Once calls fn in a transaction if this consumer has not seen the event, and notes in the same transaction that it has."
)
